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
