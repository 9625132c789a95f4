// kw::client and the embedded cluster, unchanged, on three hosts of the simulated world.
#include "catch.hpp"

#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>
#include <kafkawire/simulation.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

using namespace kafkawire;
using namespace std::chrono_literals;

namespace {

struct three_nodes {
    explicit three_nodes(std::uint64_t seed = 1) : world{seed}, app{world.add_host("app")} {
        broker::options o;
        std::vector<std::shared_ptr<net::environment>> environments;
        for (int i = 1; i <= 3; ++i) {
            auto& h = world.add_host("broker-" + std::to_string(i));
            nodes.push_back(&h);
            environments.push_back(h.environment());
            o.hosts.push_back(h.address().to_string());
            o.ports.push_back(9092);
        }
        o.nodes = 3;
        o.seed = seed;
        o.topics = {{.name = "orders", .partitions = 6}};
        cluster.emplace(std::move(environments), o);
        REQUIRE_FALSE(cluster->start());
        client.emplace(app.executor(), client_options{.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092"}, app.environment());
    }
    ~three_nodes() {
        client.reset();
        cluster.reset();
    }
    // One Metadata request; how it ended, and after which virtual time.
    std::error_code ask(std::chrono::nanoseconds at_most = 120s) {
        std::optional<std::error_code> result;
        const auto start = world.now();
        client->async_metadata(std::vector<std::string>{"orders"}, [&](std::error_code ec, const auto& m) {
            result = ec;
            brokers = m.brokers.size();
            partitions = m.topics.empty() ? 0 : m.topics.front().partitions.size();
        });
        CHECK_FALSE(result);
        world.run_until([&] { return result.has_value(); }, at_most);
        took = world.now() - start;
        REQUIRE(result);
        return *result;
    }
    sim::world world;
    sim::host& app;
    std::vector<sim::host*> nodes;
    std::optional<broker::cluster> cluster;
    std::optional<kafkawire::client> client;
    std::size_t brokers = 0, partitions = 0;
    std::chrono::nanoseconds took{};
};

}  // namespace

TEST_CASE("A client asks a cluster in virtual time", "[sim][client]") {
    three_nodes t;
    CHECK_FALSE(t.ask());
    CHECK(t.brokers == 3);
    CHECK(t.partitions == 6);
    CHECK(t.took < 1s);
    const auto events = t.world.count().events;
    t.world.run_for(1h);
    CHECK(t.world.count().events - events < 100);  // nobody does anything while there is nothing to do
}

TEST_CASE("A request that was given up does not arrive any more", "[sim][client]") {
    three_nodes t;
    REQUIRE_FALSE(t.ask());
    for (auto* n : t.nodes) t.world.block(t.app, *n);
    CHECK(t.ask() == errc::request_timed_out);
    const auto bytes = t.world.count().bytes;
    for (auto* n : t.nodes) t.world.unblock(t.app, *n);
    t.world.run_for(10s);
    std::size_t answers = 0;
    t.world.observe([&](const sim::event& e) { answers += e.what == sim::event::kind::bytes && !e.from_client; });
    t.world.run_for(1min);
    CHECK(answers == 0);
    CHECK(t.world.count().bytes == bytes);  // neither a question nor an answer
}

TEST_CASE("Coroutines, cancellation and deadlines of the client are those of the real world", "[sim][client]") {
    three_nodes t;
    REQUIRE_FALSE(t.ask());
    SECTION("coroutines") {
        bool done = false;
        const auto work = [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 100; ++i) {
                const auto m = co_await t.client->async_metadata(asio::use_awaitable);
                CHECK(m.brokers.size() == 3);
                co_await t.app.async_wait(1min, asio::use_awaitable);
            }
            done = true;
        };
        asio::co_spawn(t.app.executor(), work, asio::detached);
        t.world.run_for(101min);
        CHECK(done);
    }
    SECTION("a deadline, to the moment") {
        for (auto* n : t.nodes) t.world.partition(t.app, *n);
        CHECK(t.ask() == errc::request_timed_out);
        CHECK(t.took >= 30s);
        CHECK(t.took < 30s + 1ms);
    }
    SECTION("cancellation") {
        for (auto* n : t.nodes) n->pause();
        asio::cancellation_signal stop;
        std::error_code why;
        t.client->async_metadata(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec, const auto&) { why = ec; }));
        t.world.run_for(1s);
        CHECK_FALSE(why);
        stop.emit(asio::cancellation_type::terminal);
        CHECK_FALSE(why);
        t.world.run_for(1ms);
        CHECK(why == errc::canceled);
    }
    SECTION("destruction of the client while a request is under way") {
        std::error_code why;
        t.nodes[0]->pause();
        t.nodes[1]->pause();
        t.nodes[2]->pause();
        t.client->async_metadata([&](std::error_code ec, const auto&) { why = ec; });
        t.world.run_for(1s);
        t.client.reset();
        t.world.run_for(1s);
        CHECK(why == errc::client_closed);
    }
    SECTION("destruction of the world while a request is under way") {
        t.client->async_metadata([](std::error_code, const auto&) { FAIL(); });
    }
}

TEST_CASE("One node down, gone or paused: the others are asked", "[sim][client]") {
    three_nodes t{static_cast<std::uint64_t>(GENERATE(range(1, 8)))};
    const auto what = GENERATE(0, 1, 2);
    if (what == 0) t.nodes[0]->down();
    if (what == 1) t.nodes[0]->vanish();
    if (what == 2) t.nodes[0]->pause();
    const auto ec = t.ask();
    // Of a node that hangs after it took the request nobody knows whether it will answer: that is told, not tried again in secret.
    CHECK((!ec || (what == 2 && ec == errc::connect_timed_out)));
    CHECK(t.took <= 30s + 1ms);
    t.nodes[0]->up();
    t.nodes[0]->resume();
    t.world.run_for(2s);
    CHECK_FALSE(t.ask());
}

TEST_CASE("The connection is cut at every byte of request and answer: an operation ends, the next one works", "[sim][client]") {
    const bool to_broker = GENERATE(true, false);
    std::size_t cuts = 0;
    for (std::uint64_t n = 0; n < 1200; ++n) {
        three_nodes t{n + 1};
        for (auto* b : t.nodes)
            t.world.cut_after(to_broker ? t.app : *b, to_broker ? *b : t.app, n, n % 2 ? sim::cut::reset : sim::cut::end);
        (void)t.ask();
        cuts += t.world.count().cut;
        CHECK(t.took <= 30s + 1ms);
        t.world.heal_all();
        t.world.run_for(2s);
        CHECK_FALSE(t.ask());
        CHECK(t.partitions == 6);
    }
    CHECK(cuts > 150);
}

TEST_CASE("Names that fail for a minute, and lead to another address afterwards", "[sim][client]") {
    three_nodes t;
    for (const auto* n : {"broker-1", "broker-2", "broker-3"}) t.world.fail_name(n);
    CHECK(t.ask() == errc::no_broker_available);
    t.world.run_for(60s);
    for (const auto* n : {"broker-1", "broker-2", "broker-3"}) t.world.set_name(n, {t.nodes[2]->address()});
    CHECK_FALSE(t.ask());
}

TEST_CASE("The readable trace names messages, the hash is that of the seed", "[sim][client]") {
    const auto run = [](std::uint64_t seed, std::string* lines) {
        three_nodes t{seed};
        if (lines) t.world.observe(sim::trace_lines([lines](std::string_view l) { (*lines += l) += '\n'; }));
        CHECK_FALSE(t.ask());
        t.world.note("asked", std::array<std::int64_t, 1>{1});
        return t.world.trace_hash();
    };
    std::string lines;
    const auto hash = run(9, &lines);
    CHECK(hash == run(9, nullptr));
    CHECK(hash != run(10, nullptr));
    CAPTURE(lines);
    CHECK(lines.find("app > broker-1 #1: connects") != std::string::npos);
    CHECK(lines.find("ApiVersions v") != std::string::npos);
    CHECK(lines.find("answered {\"throttleTimeMs\"") != std::string::npos);
    CHECK(lines.find("asked 1") != std::string::npos);
}
