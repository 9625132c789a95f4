// The address "embedded:": what it says, and who shares the cluster behind it.
#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>

#include <asio/io_context.hpp>

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
    const auto o = parse_embedded_address("3?topics=a:6,b&seed=4&config.num.partitions=2&as_version=4.3", wrong);
    REQUIRE(o);
    CHECK(o->nodes == 3);
    REQUIRE(o->topics.size() == 2);
    CHECK(o->topics[0].name == "a");
    CHECK(o->topics[0].partitions == 6);
    CHECK(o->topics[1].partitions == 1);
    CHECK(o->seed == 4);
    CHECK(o->configs.at("num.partitions") == "2");
    CHECK(parse_embedded_address("", wrong)->nodes == 1);
    CHECK(parse_embedded_address("?topics=a", wrong)->topics.size() == 1);
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
