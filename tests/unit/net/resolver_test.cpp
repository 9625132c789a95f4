// DNS messages, the files, and the resolver machine by hand; then the real thing against a name server of our own on loopback.
#include "net/resolver_fsm.hpp"

#include <kafkawire/asio_environment.hpp>
#include <kafkawire/error.hpp>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "catch.hpp"
#include "net/system_resolver.hpp"

using namespace kafkawire;
using namespace kafkawire::net;
using namespace std::chrono_literals;
namespace rh = resolving_host;

namespace {

const time_point start{};

using octets = std::vector<std::byte>;
void put(octets& to, std::initializer_list<int> b) {
    for (const int x : b) to.push_back(static_cast<std::byte>(x));
}
void put16(octets& to, int v) { put(to, {v >> 8, v & 0xff}); }

// An answer to a query, as a name server makes it: the question again, then records that point to its name.
octets answer_to(std::span<const std::byte> query, int rcode, const std::vector<std::string>& addresses, int flags = 0x8180) {
    octets a{query.begin(), query.end()};
    a[2] = static_cast<std::byte>(flags >> 8);
    a[3] = static_cast<std::byte>((flags & 0xff) | rcode);
    a[7] = static_cast<std::byte>(addresses.size());
    for (const auto& text : addresses) {
        const auto ip = *ip_address::parse(text);
        put(a, {0xc0, 12});
        put16(a, ip.v6 ? 28 : 1);
        put16(a, 1);
        put(a, {0, 0, 0, 60});
        put16(a, ip.v6 ? 16 : 4);
        for (int i = 0; i < (ip.v6 ? 16 : 4); ++i) a.push_back(static_cast<std::byte>(ip.octets[static_cast<std::size_t>(i)]));
    }
    return a;
}

struct resolver_rig {
    resolver_fsm machine;
    time_point now = start;
    std::vector<rh::ask> asked;
    std::optional<resolver::answer> got;

    resolver_rig(std::string host, resolv_conf conf) : machine{std::move(host), std::move(conf), 42} { step(rh::begin{}); }
    void step(const rh::event& e) {
        rh::actions out;
        machine.step(e, now, out);
        for (auto& a : out) {
            if (auto* q = std::get_if<rh::ask>(&a)) asked.push_back(*q);
            if (auto* f = std::get_if<rh::finish>(&a)) {
                REQUIRE_FALSE(got);
                got = f->what;
            }
        }
    }
    void reply(std::size_t n, int rcode, const std::vector<std::string>& addresses, int flags = 0x8180) {
        const auto a = answer_to(asked.at(n).message, rcode, addresses, flags);
        step(rh::got_reply{asked[n].query, a});
    }
};

resolv_conf one_server() {
    resolv_conf c;
    c.servers = {{*ip_address::parse("10.0.0.53"), 53}};
    return c;
}

}  // namespace

TEST_CASE("addresses are read and written") {
    for (const auto* text : {"127.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1%2", "1:2:3:4:5:6:7:8", "1:0:0:4::8"}) {
        const auto a = ip_address::parse(text);
        REQUIRE(a);
        CHECK(a->to_string() == text);
    }
    CHECK(ip_address::parse("::ffff:1.2.3.4")->to_string() == "::ffff:102:304");
    for (const auto* text : {"", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "localhost", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::1%eth0", "1.2.3.4 "}) {
        INFO(text);
        CHECK_FALSE(ip_address::parse(text));
    }
}

TEST_CASE("resolv.conf and hosts say what their manuals say") {
    const auto c = parse_resolv_conf("# comment\nnameserver 10.0.0.1\nnameserver ::1\nnameserver junk\nsearch a.example b.example\noptions ndots:2 timeout:3 attempts:9 rotate\n");
    REQUIRE(c.servers.size() == 2);
    CHECK(c.servers[1].to_string() == "[::1]:53");
    CHECK(c.ndots == 2);
    CHECK(c.timeout == 3s);
    CHECK(c.attempts == 5);
    CHECK(search_list("b1", c) == std::vector<std::string>{"b1.a.example", "b1.b.example", "b1"});
    CHECK(search_list("b.1.c", c).front() == "b.1.c");
    CHECK(search_list("b1.", c) == std::vector<std::string>{"b1."});
    CHECK(parse_resolv_conf("").servers.size() == 1);
    const auto* hosts = "127.0.0.1 localhost\n10.1.1.1 Kafka1 kafka # not this\n10.1.1.1 kafka1\n::5 kafka1\n";
    CHECK(find_in_hosts(hosts, "kafka1").size() == 2);
    CHECK(find_in_hosts(hosts, "KAFKA.").size() == 1);
    CHECK(find_in_hosts(hosts, "not").empty());
}

TEST_CASE("both families are asked for at once and come back together") {
    resolver_rig r{"broker.example", one_server()};
    REQUIRE(r.asked.size() == 2);
    CHECK(r.asked[0].message[0] != r.asked[1].message[0]);
    r.reply(1, 0, {"10.1.1.1", "10.1.1.2"});
    CHECK_FALSE(r.got);
    CHECK(r.machine.next_wakeup() == start + 50ms);
    SECTION("the other one answers") {
        r.reply(0, 0, {"2001:db8::1"});
        REQUIRE(r.got);
        CHECK(r.got->addresses.size() == 3);
        CHECK(r.got->addresses[0].v6);
    }
    SECTION("the other one is silent: it gets a moment, not its timeout") {
        r.now = start + 50ms;
        r.step(rh::tick{});
        REQUIRE(r.got);
        CHECK(r.got->addresses.size() == 2);
    }
    CHECK_FALSE(r.got->code);
    CHECK_FALSE(r.machine.next_wakeup());
}

TEST_CASE("names that do not exist, servers that fail or are silent") {
    auto conf = one_server();
    conf.servers.push_back({*ip_address::parse("10.0.0.54"), 53});
    conf.search = {"example"};
    SECTION("no such name, in any domain") {
        resolver_rig r{"b1", conf};
        r.reply(0, 3, {});
        r.reply(1, 3, {});
        REQUIRE(r.asked.size() == 4);
        r.reply(2, 3, {});
        r.reply(3, 3, {});
        REQUIRE(r.got);
        CHECK(r.got->code == errc::resolve_failed);
        CHECK(r.got->text == "no address for \"b1\": the name does not exist");
    }
    SECTION("the next server is asked after a failure or a timeout, each twice at most") {
        resolver_rig r{"b1.", conf};
        r.reply(0, 2, {});
        REQUIRE(r.asked.size() == 3);
        CHECK(r.asked[2].server.to_string() == "10.0.0.54:53");
        for (int i = 0; i < 10 && !r.got; ++i) {
            r.now += 5s;
            r.step(rh::tick{});
        }
        REQUIRE(r.got);
        CHECK(r.asked.size() == 8);
        CHECK(r.got->text.find("does not answer") != std::string::npos);
    }
    SECTION("a name that cannot be one") {
        resolver_rig r{std::string(70, 'x') + ".", conf};
        REQUIRE(r.got);
        CHECK(r.got->code == errc::resolve_failed);
    }
    SECTION("a truncated answer is asked for again over TCP") {
        resolver_rig r{"b1.", conf};
        r.reply(1, 0, {}, 0x8380);
        REQUIRE(r.asked.size() == 3);
        CHECK(r.asked[2].tcp);
        r.reply(2, 0, {"10.1.1.1"});
        r.reply(0, 0, {});
        REQUIRE(r.got);
        CHECK(r.got->addresses.size() == 1);
    }
}

TEST_CASE("answers to other questions, forged and damaged ones are not believed") {
    const auto query = *dns::make_query(77, "b1.example", dns::record_type::a);
    const auto good = answer_to(query, 0, {"10.1.1.1"});
    const auto read = [&](const octets& m) { return dns::read_reply(m, 77, "B1.example", dns::record_type::a); };
    CHECK(read(good).addresses.size() == 1);
    CHECK(dns::read_reply(good, 78, "b1.example", dns::record_type::a).what == dns::reply::kind::ignore);
    CHECK(dns::read_reply(good, 77, "b2.example", dns::record_type::a).what == dns::reply::kind::ignore);
    CHECK(dns::read_reply(good, 77, "b1.example", dns::record_type::aaaa).what == dns::reply::kind::ignore);
    for (std::size_t n = 0; n < good.size(); ++n) {
        INFO("cut after " << n);
        CHECK(read({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)}).what == dns::reply::kind::ignore);
    }
    auto loop = good;  // the record's name points to itself
    loop[query.size() + 1] = static_cast<std::byte>(query.size());
    CHECK(read(loop).what == dns::reply::kind::ignore);
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937 random{seed};
    for (int i = 0; i < 20'000; ++i) {
        auto noise = good;
        for (int k = 0; k < 3; ++k) noise[random() % noise.size()] = static_cast<std::byte>(random());
        CHECK(read(noise).addresses.size() <= 1);
    }
}

TEST_CASE("a chain of names is followed, an address beside it is not taken") {
    const auto query = *dns::make_query(1, "a.b", dns::record_type::a);
    auto m = answer_to(query, 0, {});
    m[7] = std::byte{3};
    put(m, {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 1, 0, 4, 1, 'c', 0xc0, 14});                  // a.b is c.b
    put(m, {1, 'x', 0xc0, 14, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 6, 6, 6, 6});                // x.b: not asked for
    put(m, {1, 'c', 0xc0, 14, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 10, 0, 0, 9});               // c.b
    const auto r = dns::read_reply(m, 1, "a.b", dns::record_type::a);
    REQUIRE(r.addresses.size() == 1);
    CHECK(r.addresses[0].to_string() == "10.0.0.9");
}

TEST_CASE("the system resolver knows addresses, the hosts file and localhost without asking anybody") {
    asio::io_context io;
    const auto env = make_asio_environment(io.get_executor());
    system_resolver names{*env, {"/nonexistent", "/nonexistent"}};
    for (const auto* host : {"127.0.0.1", "::1", "localhost", "a.localhost"}) {
        std::vector<ip_address> found;
        bool inline_call = true;
        const auto l = names.async_resolve(host, [&](resolver::answer a) {
            CHECK_FALSE(inline_call);
            found = a.addresses;
        });
        inline_call = false;
        io.restart();
        io.run();
        CHECK_FALSE(found.empty());
    }
    bool told = false;
    { const auto taken_back = names.async_resolve("localhost", [&](resolver::answer) { told = true; }); }
    io.restart();
    io.run();
    CHECK_FALSE(told);
}

namespace {

// A name server on loopback. Everything fits into a datagram but "big.example": that one it only tells over TCP, on the same port.
struct name_server {
    explicit name_server(asio::io_context& io) : udp{io, {asio::ip::make_address("127.0.0.1"), 0}}, tcp{io, {asio::ip::make_address("127.0.0.1"), udp.local_endpoint().port()}} {
        receive();
        accept();
    }
    void receive() {
        udp.async_receive_from(asio::buffer(query), from, [this](asio::error_code ec, std::size_t n) {
            if (ec) return;
            const auto q = std::span<const std::byte>{query}.first(n);
            const bool big = std::to_integer<int>(q[12]) == 3;
            auto forged = reply(q);
            forged[0] ^= std::byte{0xff};
            if (!silent) {
                udp.send_to(asio::buffer(forged), from);  // somebody guessed, wrongly
                udp.send_to(asio::buffer(big ? answer_to(q, 0, {}, 0x8380) : reply(q)), from);
            }
            ++asked;
            receive();
        });
    }
    void accept() {
        tcp.async_accept([this](asio::error_code ec, asio::ip::tcp::socket s) {
            if (ec) return;
            auto peer = std::make_shared<asio::ip::tcp::socket>(std::move(s));
            auto q = std::make_shared<octets>(512);
            asio::async_read(*peer, asio::buffer(*q), asio::transfer_at_least(12), [peer, q](asio::error_code failed, std::size_t n) {
                if (failed) return;
                octets out;
                const auto a = reply(std::span<const std::byte>{*q}.first(n).subspan(2));
                put16(out, static_cast<int>(a.size()));
                out.insert(out.end(), a.begin(), a.end());
                asio::write(*peer, asio::buffer(out));
            });
            ++streams;
            accept();
        });
    }
    static octets reply(std::span<const std::byte> q) {
        const bool v6 = std::to_integer<int>(q[q.size() - 3]) == 28;
        return answer_to(q, 0, v6 ? std::vector<std::string>{"2001:db8::7"} : std::vector<std::string>{"10.7.7.7"});
    }
    asio::ip::udp::socket udp;
    asio::ip::tcp::acceptor tcp;
    asio::ip::udp::endpoint from;
    std::array<std::byte, 512> query{};
    bool silent = false;
    int asked = 0, streams = 0;
};

}  // namespace

TEST_CASE("the system resolver asks a name server over datagrams, and over a stream when the answer is too long") {
    asio::io_context io;
    name_server server{io};
    const auto env = make_asio_environment(io.get_executor());
    const auto conf = std::filesystem::temp_directory_path() / ("kafkawire-resolv-" + std::to_string(env->random()));
    std::ofstream{conf} << "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n";
    system_resolver names{*env, {"/nonexistent", conf.string(), server.udp.local_endpoint().port()}};
    const auto ask = [&](std::string_view host) {
        std::optional<resolver::answer> got;
        const auto l = names.async_resolve(host, [&](resolver::answer a) {
            got = std::move(a);
            io.stop();
        });
        io.restart();
        io.run_for(5s);
        REQUIRE(got);
        return *got;
    };
    const auto small = ask("broker.example");
    CHECK(small.addresses.size() == 2);
    CHECK(server.streams == 0);
    CHECK(server.asked == 2);
    const auto big = ask("big.example");
    CHECK(big.addresses.size() == 2);
    CHECK(server.streams == 2);
    server.silent = true;
    const auto start = std::chrono::steady_clock::now();
    const auto none = ask("broker.example");
    CHECK(none.code == errc::resolve_failed);
    CHECK(std::chrono::steady_clock::now() - start < 2s);
    {
        bool told = false;
        auto l = names.async_resolve("broker.example", [&](resolver::answer) { told = true; });
        io.restart();
        io.run_for(20ms);
        l.reset();
        io.restart();
        io.run_for(20ms);
        CHECK_FALSE(told);
    }
    std::filesystem::remove(conf);
}
