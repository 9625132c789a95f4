#include "client/directory.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;

namespace {
const net::time_point t0{};
const std::vector<bootstrap_address> three{{"a", 1}, {"b", 2}, {"c", 3}};
error refused() {
    error e;
    e.code = errc::connect_failed;
    return e;
}
}  // namespace

TEST_CASE("a request to any broker goes to one that is up, else to one that fails least, never twice to one") {
    directory d{three, {}, 1};
    const auto first = d.choose({});
    REQUIRE(first);
    CHECK(d.entries()[*first].host == "b");
    d.closed(1, refused(), false, 0s, t0, 512);
    d.closed(2, refused(), false, 0s, t0, 512);
    d.closed(2, refused(), false, 0s, t0, 512);
    CHECK(d.choose({}) == 0u);
    const std::size_t tried[] = {0};
    CHECK(d.choose(tried) == 1u);
    d.ready(2, t0);
    CHECK(d.choose({}) == 2u);
    CHECK(d.choose({}) == 2u);
    const std::size_t all[] = {0, 1, 2};
    CHECK_FALSE(d.choose(all));
}

TEST_CASE("requests take turns among brokers that are up") {
    directory d{three, {}, 0};
    d.ready(0, t0);
    d.ready(2, t0);
    CHECK(d.choose({}) == 0u);
    CHECK(d.choose({}) == 2u);
    CHECK(d.choose({}) == 0u);
}

TEST_CASE("the backoff doubles to its limit, spread by a fifth, and a connection that works ends it") {
    directory d{three, {50ms, 1s}, 0};
    auto now = t0;
    const std::chrono::milliseconds expected[] = {50ms, 100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms};
    for (const auto e : expected) {
        d.closed(0, refused(), false, 0s, now, 0);
        d.closed(0, refused(), false, 0s, now, 0);  // another connection to it, which was under way at the same time
        CHECK(*d.entries()[0].not_before - now == std::chrono::duration_cast<net::time_point::duration>(e * 0.8));
        now = *d.entries()[0].not_before;
    }
    d.closed(0, refused(), false, 0s, now, 1023);
    CHECK(*d.entries()[0].not_before - now == 1200ms);
    d.ready(0, t0);
    CHECK_FALSE(d.entries()[0].not_before);
    CHECK_FALSE(d.entries()[0].last_error);
    d.closed(0, refused(), true, 10s, now, 0);  // a connection that had worked: the next one may come at once
    CHECK_FALSE(d.entries()[0].not_before);
}

TEST_CASE("metadata gives brokers their ids, moves them, and forgets those that left, but never the bootstrap list") {
    directory d{three, {}, 0};
    CHECK_FALSE(d.fresh(t0, 5min));
    CHECK(d.learn({{7, "a", 1, "r1"}, {8, "x", 9, ""}}, t0).empty());
    CHECK(d.fresh(t0 + 4min, 5min));
    CHECK_FALSE(d.fresh(t0 + 5min, 5min));
    CHECK(d.find(7) == 0u);
    CHECK(d.find(8) == 3u);
    CHECK_FALSE(d.find(9));
    CHECK_FALSE(d.find(-2));
    SECTION("moved") {
        CHECK(d.learn({{7, "y", 1, ""}, {8, "x", 9, ""}}, t0).empty());
        CHECK(d.entries()[*d.find(7)].host == "y");
        CHECK(d.entries()[0].id == -1);
    }
    SECTION("left, and back again") {
        const auto useless = d.learn({{7, "a", 1, "r1"}}, t0);
        REQUIRE(useless.size() == 1);
        CHECK(useless[0] == 3);
        CHECK_FALSE(d.find(8));
        d.learn({{8, "x", 9, ""}}, t0);
        CHECK(d.find(8) == 3u);
        CHECK_FALSE(d.find(7));
        CHECK_FALSE(d.entries()[0].gone);
    }
    SECTION("a broker that cannot be reached makes the metadata stale") {
        d.closed(3, refused(), false, 0s, t0, 0);
        CHECK_FALSE(d.fresh(t0, 5min));
    }
}

TEST_CASE("a connection that is cut is replaced at once, and with a pause when that happens twice as soon as it is made") {
    directory d{three, {50ms, 1s}, 0};
    auto now = t0;
    const auto dies_after = [&](std::chrono::milliseconds lived) {
        d.opening(0, now);
        d.ready(0, now);
        now += lived;
        d.closed(0, refused(), true, lived, now, 0);
        return d.entries()[0].not_before && *d.entries()[0].not_before > now;
    };
    for (int i = 0; i < 10; ++i) CHECK_FALSE(dies_after(700ms));
    CHECK_FALSE(dies_after(1ms));
    CHECK(dies_after(1ms));
    now = *d.entries()[0].not_before;
    CHECK(dies_after(1ms));
    CHECK(*d.entries()[0].not_before - now == 80ms);
    CHECK_FALSE(dies_after(700ms));
    CHECK_FALSE(dies_after(1ms));
}

TEST_CASE("a broker that is silent is asked last") {
    directory d{three, {}, 0};
    d.opening(0, t0);
    d.ready(0, t0);
    CHECK(d.choose({}) == 0u);
    d.silent(0, true, t0);
    CHECK(d.choose({}) != 0u);
    const std::size_t others[] = {1, 2};
    CHECK(d.choose(others) == 0u);
    CHECK(d.has_other(others));
    const std::size_t all[] = {0, 1, 2};
    CHECK_FALSE(d.has_other(all));
}

TEST_CASE("a broker that is down or silent is no other one to be asked soon") {
    directory d{three, {}, 0};
    const std::size_t others[] = {0, 2};
    CHECK(d.has_other_well(others));
    d.opening(1, t0);
    d.ready(1, t0);
    CHECK(d.has_other_well(others));
    CHECK_FALSE(d.any_silent());
    d.silent(1, true, t0);
    CHECK_FALSE(d.has_other_well(others));
    CHECK(d.has_other(others));
    CHECK(d.any_silent());
    d.silent(1, false, t0);
    d.closed(1, {}, true, 1h, t0, 0);
    CHECK(d.has_other_well(others));
    d.opening(1, t0);
    d.closed(1, {}, false, 0s, t0, 0);
    CHECK_FALSE(d.has_other_well(others));
}

TEST_CASE("the state is that of all connections together, with the time since when") {
    using status = broker_info::status;
    using health = broker_health::status;
    directory d{three, {}, 0};
    CHECK(d.entries()[0].health == health::unused);
    d.opening(0, t0 + 1s);
    d.opening(0, t0 + 2s);
    CHECK(d.entries()[0].state == status::opening);
    CHECK(d.entries()[0].since == t0 + 1s);
    d.ready(0, t0 + 3s);
    d.closed(0, refused(), false, 0s, t0 + 4s, 0);
    CHECK(d.entries()[0].state == status::up);
    CHECK(d.entries()[0].since == t0 + 3s);
    CHECK(d.entries()[0].health == health::up);
    d.silent(0, true, t0 + 4500ms);
    CHECK(d.entries()[0].health == health::silent);
    CHECK(d.entries()[0].since == t0 + 4500ms);
    d.silent(0, false, t0 + 4600ms);
    CHECK_FALSE(d.alone_since());
    d.closed(0, refused(), true, 10s, t0 + 5s, 0);
    CHECK(d.entries()[0].state == status::down);
    CHECK(d.alone_since() == t0 + 5s);
    d.opening(1, t0 + 6s);
    d.closed(1, refused(), false, 0s, t0 + 7s, 0);
    CHECK(d.alone_since() == t0 + 5s);
    d.opening(1, t0 + 8s);
    d.ready(1, t0 + 8s);
    CHECK_FALSE(d.alone_since());
}

TEST_CASE("beginning again leaves the bootstrap list and nothing else, without pauses") {
    directory d{three, {}, 0};
    d.learn({{7, "a", 1, ""}, {8, "x", 9, ""}, {9, "y", 9, ""}}, t0);
    d.closed(0, refused(), false, 0s, t0, 0);
    CHECK(d.rebootstrap(t0 + 60s) == std::vector<std::size_t>{3, 4});
    for (const int id : {7, 8, 9}) CHECK_FALSE(d.find(id));
    CHECK_FALSE(d.entries()[0].not_before);
    CHECK(d.alone_since() == t0 + 60s);
    CHECK_FALSE(d.fresh(t0 + 60s, 5min));
    d.learn_one({8, "z", 3, ""});
    CHECK(d.entries()[*d.find(8)].host == "z");
}

TEST_CASE("brokers at ever new addresses, or more of them than there can be, do not fill the memory") {
    directory d{three, {}, 0};
    for (int i = 0; i < 5000; ++i) d.learn({{1, "pod-" + std::to_string(i), 9092, ""}}, t0);
    CHECK(d.entries().size() < 1000);
    CHECK(d.entries()[*d.find(1)].host == "pod-4999");
    std::vector<directory::learned> many;
    for (int i = 0; i < 6000; ++i) many.push_back({i, "h" + std::to_string(i), 1, ""});
    d.learn(many, t0);
    CHECK(d.entries().size() < 6000);
}
