// The histogram of times: three digits everywhere, quantiles against a sorted list.
#include "catch.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include "cli/histogram.hpp"

using namespace kafkawire::cli;

TEST_CASE("every value has a counter that knows it to one part in a thousand") {
    std::mt19937_64 random{1};
    std::size_t last = 0;
    for (std::uint64_t v = 0; v < 5'000; ++v) {
        const auto slot = histogram::slot_of(v);
        CHECK(slot >= last);
        CHECK(slot <= last + 1);
        last = slot;
    }
    for (int i = 0; i < 100'000; ++i) {
        const auto v = random() >> (23 + random() % 41);
        const auto slot = histogram::slot_of(v);
        const auto largest = histogram::largest_of(slot);
        REQUIRE(slot < 32'768);
        REQUIRE(largest >= v);
        REQUIRE(histogram::slot_of(largest) == slot);
        REQUIRE(histogram::slot_of(largest + 1) == slot + 1);
        REQUIRE(static_cast<double>(largest - v) <= static_cast<double>(v) / 1000);
    }
    CHECK(histogram::slot_of(histogram::highest) == 32'767);
    CHECK(histogram::largest_of(32'767) == histogram::highest);
}

TEST_CASE("quantiles are those of the sorted values") {
    std::mt19937_64 random{2};
    for (const std::size_t n : {1u, 2u, 10u, 999u, 20'000u}) {
        histogram h;
        std::vector<std::uint64_t> all;
        for (std::size_t i = 0; i < n; ++i) {
            const auto v = static_cast<std::uint64_t>(std::exp(static_cast<double>(random() % 20'000) / 1000));
            h.add(v);
            all.push_back(v);
        }
        std::sort(all.begin(), all.end());
        CHECK(h.count() == n);
        CHECK(h.least() == all.front());
        CHECK(h.most() == all.back());
        CHECK(h.quantile(1) == all.back());
        for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999}) {
            const auto rank = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(q * static_cast<double>(n))));
            const auto exact = all[rank - 1];
            INFO("n " << n << ", quantile " << q);
            CHECK(h.quantile(q) >= exact);
            CHECK(static_cast<double>(h.quantile(q)) <= static_cast<double>(exact) * 1.001);
        }
    }
}

TEST_CASE("a histogram that counts nothing, too much, or what others counted") {
    histogram h;
    CHECK(h.quantile(0.5) == 0);
    CHECK(h.mean() == 0);
    CHECK(h.least() == 0);
    CHECK(h.hgrm(1).find("Total count    =            0") != std::string::npos);
    h.add(~std::uint64_t{0});
    CHECK(h.most() == histogram::highest);
    histogram other;
    for (int i = 0; i < 99; ++i) other.add(5);
    h.merge(other);
    CHECK(h.count() == 100);
    CHECK(h.least() == 5);
    CHECK(h.quantile(0.99) == 5);
    CHECK(h.quantile(0.995) == histogram::highest);
    h.clear();
    CHECK(h.count() == 0);
    CHECK(h.most() == 0);
}

TEST_CASE("the table of percentiles begins low and ends with all") {
    histogram h;
    for (std::uint64_t v = 1; v <= 1000; ++v) h.add(v * 1000);
    const auto text = h.hgrm(1000);
    CHECK(text.starts_with(
        "       Value     Percentile TotalCount 1/(1-Percentile)\n\n       1.000 0.001000000000          1           1.00\n"));
    CHECK(text.find("    1000.000 1.000000000000       1000\n#[Mean    =      500.500, StdDeviation") != std::string::npos);
    CHECK(text.find("#[Max     =     1000.000, Total count    =         1000]") != std::string::npos);
}
