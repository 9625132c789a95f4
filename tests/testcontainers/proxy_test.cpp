// Looks at the proxy from both of its sides: what each rule does, to the byte, on connections that are open and that come later.
#include "testcontainers/proxy.hpp"

#include <optional>
#include <thread>

#include "socket_pair.hpp"

using namespace kafkawire::testing;
using namespace sockets;

namespace {

struct rig {
    server target;
    proxy p{target.address()};
    stream client = connect(p.port());
    stream broker = target.accept();
};

template <class F>
double seconds(F f) {
    const auto start = steady::now();
    f();
    return std::chrono::duration<double>(steady::now() - start).count();
}

template <class F>
bool within(std::chrono::milliseconds limit, F f) {
    for (const auto deadline = steady::now() + limit; steady::now() < deadline; std::this_thread::sleep_for(2ms))
        if (f()) return true;
    return f();
}

}  // namespace

TEST_CASE("a proxy without rules passes bytes and ends of streams both ways") {
    rig r;
    REQUIRE(r.client.write("ping"));
    REQUIRE(r.broker.read(4).bytes == "ping");
    REQUIRE(r.broker.write("pong!"));
    REQUIRE(r.client.read(5).bytes == "pong!");
    r.client.shutdown();
    REQUIRE(r.broker.read_end().eof);
    REQUIRE(r.broker.write("the answer to a half-closed client"));
    r.broker.close();
    const auto rest = r.client.read_end();
    CHECK(rest.bytes == "the answer to a half-closed client");
    CHECK(rest.eof);
    REQUIRE(within(2s, [&] { return r.p.counts().open == 0; }));
    const auto c = r.p.counts();
    CHECK(c.accepted == 1);
    CHECK(c.cut == 0);
    CHECK(c.to_server.forwarded == 4);
    CHECK(c.to_client.forwarded == 5 + 34);
    CHECK(c.to_client.received == c.to_client.forwarded);
}

TEST_CASE("a hundred megabytes pass unchanged") {
    rig r;
    constexpr std::size_t total = 100 << 20;
    std::thread writer([&] {
        std::string block(1 << 20, '\0');
        for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>(i * 2654435761u >> 13);
        for (std::size_t sent = 0; sent < total; sent += block.size())
            for (std::size_t at = 0; at < block.size();) {
                const auto n = ::send(r.client.fd(), block.data() + at, block.size() - at, MSG_NOSIGNAL);
                if (n <= 0) return;
                at += static_cast<std::size_t>(n);
            }
    });
    std::size_t wrong = 0, at = 0;
    while (at < total) {
        const auto got = r.broker.read(std::min<std::size_t>(1 << 20, total - at));
        if (got.bytes.empty()) break;
        for (const char c : got.bytes) wrong += c != static_cast<char>((at++ & 0xfffff) * 2654435761u >> 13);
    }
    writer.join();
    CHECK(at == total);
    CHECK(wrong == 0);
}

TEST_CASE("a delay holds back bytes and the end of the stream, and keeps the order") {
    rig r;
    r.p.delay(flow::to_client, 150ms);
    REQUIRE(r.client.write("quick"));
    CHECK(seconds([&] { CHECK(r.broker.read(5).bytes == "quick"); }) < 0.149);
    CHECK(seconds([&] {
              REQUIRE(r.broker.write("one"));
              std::this_thread::sleep_for(50ms);
              REQUIRE(r.broker.write("two"));
              CHECK(r.client.read(3).bytes == "one");
          }) >= 0.149);
    CHECK(r.client.read(3).bytes == "two");
    CHECK(seconds([&] {
              r.broker.close();
              CHECK(r.client.read_end().eof);
          }) >= 0.149);
}

TEST_CASE("a throttle passes so many bytes a second, down to a trickle") {
    rig r;
    r.p.throttle(flow::to_server, 20000);
    REQUIRE(r.client.write(std::string(10000, 'x')));
    const auto took = seconds([&] { CHECK(r.broker.read(10000).bytes.size() == 10000); });
    CHECK(took > 0.4);
    CHECK(took < 5);
    r.p.throttle(flow::to_server, 10);
    REQUIRE(r.client.write("abcdefgh"));
    CHECK(r.broker.read(8, 350ms).bytes.size() <= 5);
    r.p.throttle(flow::to_server, 0);
    REQUIRE(r.client.write("!"));
    CHECK(r.broker.read_end(300ms).bytes.back() == '!');
}

TEST_CASE("a cut comes after exactly so many bytes, by reset or in order") {
    const auto how = GENERATE(ending::reset, ending::orderly);
    const auto count = GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{10}, std::size_t{70000});
    rig r;
    std::string sent(100000, '\0');
    for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i % 251);
    r.p.cut_after(flow::to_client, count, how);
    if (count > 0) REQUIRE(r.broker.write(sent));
    const auto got = r.client.read_end();
    CHECK(got.bytes == sent.substr(0, count));
    CHECK(got.reset == (how == ending::reset));
    CHECK(got.eof == (how == ending::orderly));
    const auto other = r.broker.read_end();
    CHECK((how == ending::reset ? other.reset : other.eof));
    CHECK(r.p.counts().cut == 1);
}

TEST_CASE("a cut rule holds for later connections, from their beginning, until it is healed") {
    rig r;
    REQUIRE(r.client.write("0123456789"));
    REQUIRE(r.broker.read(10).bytes.size() == 10);
    r.p.cut_after(flow::to_server, 4, ending::reset);  // counted from now
    REQUIRE(r.client.write("abcdefgh"));
    CHECK(r.broker.read_end().bytes == "abcd");
    auto second = connect(r.p.port());
    auto at_broker = r.target.accept();
    REQUIRE(second.write("ABCDEFGH"));
    CHECK(at_broker.read_end().bytes == "ABCD");
    auto third = connect(r.p.port());
    auto healthy = r.target.accept();
    r.p.heal();
    REQUIRE(third.write("nothing is cut"));
    CHECK(healthy.read(14).bytes == "nothing is cut");
}

TEST_CASE("a black hole swallows nothing: what was sent arrives when it ends") {
    rig r;
    r.p.black_hole();
    REQUIRE(r.client.write("lost in"));
    CHECK(r.broker.read(1, 100ms).bytes.empty());
    const auto stuffed = r.client.write_most(64 << 20);
    CHECK(stuffed < 64 << 20);        // the kernel's buffers are full, and nobody reads
    auto late = connect(r.p.port());  // the kernel accepts
    r.p.black_hole(false);
    CHECK(r.broker.read(7 + stuffed, 20s).bytes.size() == 7 + stuffed);
    auto later = r.target.accept();
    REQUIRE(late.write("here"));
    CHECK(later.read(4).bytes == "here");
}

TEST_CASE("a black hole hides even the death of a peer") {
    rig r;
    r.p.black_hole();
    r.client.close();
    CHECK_FALSE(r.broker.read_end(100ms).eof);
    r.p.black_hole(false);
    CHECK(r.broker.read_end().eof);
}

TEST_CASE("one direction is dropped while the other passes; the stream never goes on with a gap") {
    rig r;
    r.p.drop(flow::to_client);
    REQUIRE(r.client.write("request"));
    REQUIRE(r.broker.read(7).bytes == "request");
    REQUIRE(r.broker.write("response"));
    CHECK(r.client.read(1, 100ms).bytes.empty());
    CHECK(r.p.counts().to_client.dropped == 8);
    r.p.drop(flow::to_client, false);
    CHECK(r.client.read_end().reset);
    CHECK(r.broker.read_end().reset);

    auto second = connect(r.p.port());
    auto at_broker = r.target.accept();
    r.p.drop(flow::to_client);
    r.p.drop(flow::to_client, false);  // nothing was lost on this one
    REQUIRE(at_broker.write("fine"));
    CHECK(second.read(4).bytes == "fine");
}

TEST_CASE("half-open: one side is gone and the other is not told") {
    rig r;
    r.p.half_open(side::client);
    CHECK(r.broker.read_end().eof);
    REQUIRE(r.client.write("anybody there?"));
    const auto silence = r.client.read(1, 100ms);
    CHECK_FALSE(silence.eof);
    CHECK_FALSE(silence.reset);
    REQUIRE(within(1s, [&] { return r.p.counts().to_server.dropped == 14; }));
    auto second = connect(r.p.port());  // only those that were open
    auto at_broker = r.target.accept();
    REQUIRE(second.write("x"));
    CHECK(at_broker.read(1).bytes == "x");
    r.p.heal();
    CHECK(r.client.read_end().reset);
}

TEST_CASE("refusing, ignoring and a target that is not there") {
    server target;
    proxy p{target.address()};
    int error = 0;
    p.refuse();
    (void)connect(p.port(), &error);
    CHECK(error == ECONNREFUSED);
    p.refuse(false);
    (void)connect(p.port(), &error);
    CHECK(error == 0);
    (void)target.accept();

    p.ignore_new();
    auto patient = connect(p.port());
    CHECK_FALSE(target.someone_waits(100ms));
    REQUIRE(patient.write("still here"));
    p.ignore_new(false);
    auto found = target.accept();
    CHECK(found.read(10).bytes == "still here");

    proxy nowhere{"127.0.0.1:1"};
    auto c = connect(nowhere.port());
    CHECK(c.read_end().reset);
    CHECK(nowhere.counts().unreachable == 1);
    nowhere.target(target.address());
    auto d = connect(nowhere.port());
    (void)target.accept();
    CHECK_THROWS_AS(proxy("localhost:9092"), std::invalid_argument);
    CHECK_THROWS_AS(proxy("127.0.0.1"), std::invalid_argument);
}

TEST_CASE("a cut now ends every connection; later ones are well") {
    rig r;
    auto second = connect(r.p.port());
    auto at_broker = r.target.accept();
    r.p.cut(ending::reset);
    CHECK(r.client.read_end().reset);
    CHECK(second.read_end().reset);
    CHECK(r.p.counts().cut == 2);
    auto third = connect(r.p.port());
    auto third_at_broker = r.target.accept();
    REQUIRE(third.write("well"));
    CHECK(third_at_broker.read(4).bytes == "well");
}

TEST_CASE("a proxy that does nothing uses no time, and takes its connections with it") {
    std::optional<rig> r{std::in_place};
    r->p.hold(flow::to_client);
    REQUIRE(r->broker.write("stuck"));
    r->broker.close();  // a hang-up that is not to be noticed must not spin
    timespec before{}, after{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    std::this_thread::sleep_for(200ms);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    CHECK(static_cast<double>(after.tv_sec - before.tv_sec) + static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9 < 0.05);
    auto client = std::move(r->client);
    r.reset();
    CHECK(client.read_end().reset);
}
