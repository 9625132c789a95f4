// The records of a benchmark differ, have their size, and come in turn.
#include "catch.hpp"

#include <set>

#include "cli/bench_records.hpp"
#include "cli/pace.hpp"

using namespace kafkawire::cli;
using namespace std::chrono_literals;

TEST_CASE("values differ, are as long as asked, and the same every time") {
    for (const std::size_t size : {20u, 100u, 1000u}) {
        const auto values = make_values(10'000, size);
        CHECK(std::set<std::string>(values.begin(), values.end()).size() == 10'000);
        for (const auto& v : values) {
            REQUIRE(v.size() == size);
            REQUIRE(v.front() == '{');
            REQUIRE(v.back() == '}');
        }
        CHECK(values == make_values(10'000, size));
    }
    CHECK(make_values(3, 0) == std::vector<std::string>(3));
    CHECK(make_values(1, 1) == std::vector<std::string>{"{"});
}

TEST_CASE("values and keys come in turn") {
    const std::vector<std::string> values = {"a", "b", "c"}, keys = make_keys(2), none;
    record_turn t{values, keys, 1};
    std::string seen;
    for (int i = 0; i < 4; ++i, t.next()) seen += std::string{t.key()} + std::string{t.value()} + " ";
    CHECK(seen == "key-1b key-0c key-1a key-0b ");
    record_turn keyless{values, none};
    CHECK(!keyless.has_key());
    keyless.next();
    CHECK(keyless.value() == "b");
}

TEST_CASE("a pace says when each record is due, and never drifts") {
    const pace::clock::time_point begin{100s};
    const pace p{begin, 1'000, 0, 1};
    CHECK(p.due(0) == begin);
    CHECK(p.due(1) == begin + 1ms);
    CHECK(p.due(3'600'000) == begin + 1h);
    // Two threads share a rate: their records take turns.
    const pace even{begin, 1'000, 0, 2}, odd{begin, 1'000, 1, 2};
    CHECK(even.due(1) == begin + 2ms);
    CHECK(odd.due(1) == begin + 3ms);
    // How many are due by a time: those that are due at it count.
    CHECK(p.due_by(begin - 1ns) == 0);
    CHECK(p.due_by(begin) == 1);
    CHECK(p.due_by(begin + 999us) == 1);
    CHECK(p.due_by(begin + 10ms) == 11);
    CHECK(odd.due_by(begin) == 0);
    CHECK(odd.due_by(begin + 1ms) == 1);
    CHECK(odd.due_by(begin + 2999us) == 1);
    const pace third{begin, 3, 0, 1};
    for (std::uint64_t i = 0; i < 1000; ++i) {
        REQUIRE(third.due_by(third.due(i)) == i + 1);
        REQUIRE(third.due_by(third.due(i) - 1ns) == i);
    }
}
