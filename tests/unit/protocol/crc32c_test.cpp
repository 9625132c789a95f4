// CRC-32C against Kafka's own sums, and the implementation of this CPU against the tables.
#include <kafkawire/protocol/crc32c.hpp>

#include <random>

#include "catch.hpp"
#include "golden.hpp"

using namespace kafkawire::protocol;

TEST_CASE("crc32c gives Kafka's sums, with the CPU's instruction and with tables", "[crc32c]") {
    CAPTURE(crc32c_implementation());
    for (const auto& line : golden::lines("crc32c")) {
        const auto data = golden::bytes_of(line);
        const auto expected = line["crc32c"].get<std::uint32_t>();
        CHECK(crc32c(data) == expected);
        CHECK(detail::crc32c_table(data) == expected);
    }
}

TEST_CASE("crc32c of every length and start agrees with the tables", "[crc32c]") {
    std::minstd_rand random{20};
    std::vector<std::byte> data(40'000);
    for (auto& b : data) b = static_cast<std::byte>(random());
    for (std::size_t n = 0; n < 2'000; ++n) {
        const auto part = bytes_view{data}.subspan(n % 17, n);
        if (crc32c(part) != detail::crc32c_table(part)) FAIL("differs at length " << n);
    }
    // Around three streams of each size, where the register is put together.
    for (const std::size_t stream : {64u, 512u, 4096u})
        for (std::size_t n = 3 * stream - 9; n < 3 * stream + 9; ++n)
            CHECK(crc32c(bytes_view{data}.first(2 * n)) == detail::crc32c_table(bytes_view{data}.first(2 * n)));
}

TEST_CASE("crc32c goes on from a sum, and two sums can be put together", "[crc32c]") {
    std::vector<std::byte> data(5'000);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 7 >> 3);
    const auto whole = crc32c(data);
    for (std::size_t cut : {0u, 1u, 7u, 40u, 2'500u, 4'999u, 5'000u}) {
        const auto a = bytes_view{data}.first(cut), b = bytes_view{data}.subspan(cut);
        CHECK(crc32c(b, crc32c(a)) == whole);
        CHECK(detail::crc32c_table(b, detail::crc32c_table(a)) == whole);
        CHECK(crc32c_combine(crc32c(a), crc32c(b), b.size()) == whole);
    }
}
