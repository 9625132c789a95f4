// The address "embedded:": what it says, and who shares the cluster behind it.
#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>

#include <asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "broker/embedded_address.hpp"
#include "catch.hpp"

namespace kafkawire::broker::test {
namespace {

std::string wrong_of(std::string_view rest) {
    std::string wrong;
    const bool good = parse_embedded_address(rest, wrong).has_value();
    CHECK(good == wrong.empty());
    return wrong;
}

TEST_CASE("an embedded address says nodes, topics and what else a cluster is made with") {
    std::string wrong;
    const auto a = parse_embedded_address("3?topics=a:6,b&seed=4&config.num.partitions=2&as_version=4.3", wrong);
    REQUIRE(a);
    const auto* const o = &a->options;
    CHECK(o->nodes == 3);
    REQUIRE(o->topics.size() == 2);
    CHECK(o->topics[0].name == "a");
    CHECK(o->topics[0].partitions == 6);
    CHECK(o->topics[1].partitions == 1);
    CHECK(o->seed == 4);
    CHECK(o->configs.at("num.partitions") == "2");
    CHECK(parse_embedded_address("", wrong)->options.nodes == 1);
    CHECK(parse_embedded_address("?topics=a", wrong)->options.topics.size() == 1);
}

TEST_CASE("an embedded address that says no such thing is refused in words") {
    CHECK(wrong_of("0").find("1 to 1000 nodes, not \"0\"") != std::string::npos);
    CHECK(wrong_of("3x").find("not \"3x\"") != std::string::npos);
    CHECK(wrong_of("3?topic=a").find("no \"topic\"") != std::string::npos);
    CHECK(wrong_of("3?topics=a:0").find("partitions") != std::string::npos);
    CHECK(wrong_of("3?topics=a:1:1:1").find("more behind") != std::string::npos);
    CHECK(wrong_of("3?topics=a,a").find("twice") != std::string::npos);
    CHECK(wrong_of("3?topics=a b").find("invalid") != std::string::npos);
    CHECK(wrong_of("3?config.num.partition=2").find("no configuration") != std::string::npos);
    CHECK(wrong_of("3?config.num.partitions=x").find("embedded: ") == 0);
    CHECK(wrong_of("3?as_version=9").find("cannot pass") != std::string::npos);
}

TEST_CASE("an embedded address says what its listener wants of clients") {
    std::string wrong;
    const auto a = parse_embedded_address("1?security=SASL_PLAINTEXT&mechanisms=plain,OAUTHBEARER&users=people&test_tokens=true&session_lifetime=5000", wrong);
    REQUIRE(a);
    CHECK(a->listener.users == "people");
    CHECK(wrong_of("1?security=tls").find("security \"tls\" is none of plaintext, ssl") != std::string::npos);
    CHECK(wrong_of("1?security=ssl").find("needs a certificate") != std::string::npos);
    CHECK(wrong_of("1?certificate=f").find("for security ssl") != std::string::npos);
    CHECK(wrong_of("1?users=f").find("for security sasl_plaintext") != std::string::npos);
    CHECK(wrong_of("1?security=sasl_plaintext").find("needs users, or test_tokens") != std::string::npos);
    CHECK(wrong_of("1?security=sasl_plaintext&mechanisms=plain").find("need users") != std::string::npos);
    CHECK(wrong_of("1?security=sasl_plaintext&mechanisms=oauthbearer").find("needs test_tokens") != std::string::npos);
    CHECK(wrong_of("1?security=sasl_plaintext&mechanisms=gssapi&users=f").find("mechanism \"gssapi\" is none") != std::string::npos);
    CHECK(wrong_of("1?security=sasl_plaintext&users=f&session_lifetime=5s").find("no number of milliseconds") != std::string::npos);
    CHECK(wrong_of("1?test_tokens=1").find("true or false") != std::string::npos);
}

struct users_file {
    std::string path;
    explicit users_file(std::string_view text) {
        path = (std::filesystem::temp_directory_path() / ("kafkawire-users-" + std::to_string(::getpid()))).string();
        std::ofstream{path} << text;
    }
    ~users_file() { std::filesystem::remove(path); }
};

TEST_CASE("users stand in a file; what is wrong with it is said with its line, and never with a password") {
    listener_words w;
    w.protocol = "sasl_plaintext";
    listener_security s;
    {
        const users_file f{"# people\r\n\nalice:canary:1\r\nbob:2"};
        w.users = f.path;
        REQUIRE(read_listener(w, s).empty());
        REQUIRE(s.users.size() == 2);
        CHECK(s.users[0].name == "alice");
        CHECK(s.users[0].password.same_as(secret{"canary:1"}));
        CHECK(s.users[1].password.same_as(secret{"2"}));
        CHECK(s.mechanisms.size() == (built_with_openssl() ? 3 : 1));
    }
    CHECK(read_listener(w, s) == w.users + " cannot be read");
    const users_file f{"alice:1\ncanary\n"};
    CHECK(read_listener(w, s) == w.users + ":2: NAME:PASSWORD would be right");
}

TEST_CASE("a client shows the embedded cluster behind an address who it is, and is refused with a wrong password") {
    register_embedded_scheme();
    const users_file f{"alice:secret\n"};
    const auto ask = [&](std::string_view password) {
        asio::io_context io;
        client_options o;
        o.bootstrap = "embedded:1?security=sasl_plaintext&mechanisms=plain&users=" + f.path;
        o.security_protocol = security_protocol::sasl_plaintext;
        o.sasl_mechanism = sasl_mechanism::plain;
        o.sasl_username = "alice";
        o.sasl_password = secret{password};
        o.request_timeout = std::chrono::seconds{5};
        kw::client c{io, o};
        std::error_code why = std::make_error_code(std::errc::interrupted);
        c.async_metadata([&](std::error_code ec, auto) {
            why = ec;
            c = kw::client{io};
        });
        io.run_for(std::chrono::seconds{20});
        return why;
    };
    CHECK_FALSE(ask("secret"));
    CHECK(ask("secreT"));
}

TEST_CASE("clients that name the same address share a cluster, which ends with the last of them") {
    register_embedded_scheme();
    asio::io_context io;
    const auto* address = "embedded:2?topics=a:3";
    const auto id = [&] {
        const auto c = embedded_control(address, io.get_executor());
        return c ? c->view().cluster_id : std::string{};
    };
    CHECK(id().empty());
    {
        kw::client one{io, {.bootstrap = address}};
        const auto first = id();
        CHECK(!first.empty());
        {
            kw::client other{io, {.bootstrap = address}};
            CHECK(id() == first);
            kw::client another{io, {.bootstrap = "embedded:1"}};
            CHECK(embedded_control("embedded:1", io.get_executor())->view().cluster_id != first);
        }
        CHECK(id() == first);
        asio::io_context elsewhere;
        CHECK(!embedded_control(address, elsewhere.get_executor()));
    }
    CHECK(id().empty());
    io.run();
}

TEST_CASE("a client on another executor shares the cluster, which is let go where it lives") {
    register_embedded_scheme();
    asio::io_context home, elsewhere;
    const auto* address = "embedded:1?seed=2";
    auto one = std::make_unique<kw::client>(home, kw::client_options{.bootstrap = address});
    auto other = std::make_unique<kw::client>(elsewhere, kw::client_options{.bootstrap = address});
    one.reset();
    CHECK(embedded_control(address, home.get_executor()));
    other.reset();
    CHECK(embedded_control(address, home.get_executor()));
    home.run();
    CHECK(!embedded_control(address, home.get_executor()));
}

TEST_CASE("a wrong embedded address is an option that is out of range") {
    register_embedded_scheme();
    asio::io_context io;
    try {
        kw::client c{io, {.bootstrap = "embedded:2?topc=a"}};
        FAIL("accepted");
    } catch (const system_error& e) {
        CHECK(e.code() == errc::bad_configuration);
        CHECK(std::string{e.what()}.find("there is no \"topc\"") != std::string::npos);
    }
}

}  // namespace
}  // namespace kafkawire::broker::test
