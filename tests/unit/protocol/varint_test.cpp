// Varints against Kafka's own bytes.
#include <kafkawire/protocol/varint.hpp>

#include <array>

#include "catch.hpp"
#include "golden.hpp"

using namespace kafkawire::protocol;

namespace {
struct form {
    const std::byte* end = nullptr;  // behind what was read; null: refused
    std::string value;
    std::vector<std::byte> written;
    std::size_t size = 0;
};

template <class T, class Read, class Write, class Size>
form both_ways(const std::vector<std::byte>& in, Read read, Write write, Size size) {
    T v{};
    form f;
    f.end = read(in.data(), in.data() + in.size(), v);
    std::array<std::byte, max_varlong_size> to{};
    std::byte* const behind = write(to.data(), v);
    f.written.assign(to.data(), behind);
    f.size = size(v);
    f.value = std::to_string(v);
    return f;
}

form walk(const std::string& kind, const std::vector<std::byte>& in) {
    if (kind == "varint") return both_ways<std::int32_t>(in, read_varint, write_varint, varint_size);
    if (kind == "varlong") return both_ways<std::int64_t>(in, read_varlong, write_varlong, varlong_size);
    if (kind == "unsignedVarint") return both_ways<std::uint32_t>(in, read_unsigned_varint, write_unsigned_varint, unsigned_varint_size);
    REQUIRE(kind == "unsignedVarlong");
    return both_ways<std::uint64_t>(in, read_unsigned_varlong, write_unsigned_varlong, unsigned_varlong_size);
}
}  // namespace

TEST_CASE("varints are read, measured and written as Kafka does, and wrong ones are refused", "[varint]") {
    std::size_t refused = 0;
    for (const auto& line : golden::lines("varint")) {
        const auto in = golden::bytes_of(line);
        const auto f = walk(line["kind"], in);
        CAPTURE(line.dump());
        if (line.value("invalid", false)) {
            CHECK(f.end == nullptr);
            ++refused;
            continue;
        }
        // The unsigned kinds are given as Java's signed integers.
        const auto expected = line["kind"] == "unsignedVarint"    ? std::to_string(static_cast<std::uint32_t>(line["value"].get<std::int64_t>()))
                              : line["kind"] == "unsignedVarlong" ? std::to_string(line["value"].is_number_unsigned() ? line["value"].get<std::uint64_t>()
                                                                                   : static_cast<std::uint64_t>(line["value"].get<std::int64_t>()))
                                                                  : std::to_string(line["value"].get<std::int64_t>());
        REQUIRE(f.end == in.data() + in.size());
        CHECK(f.value == expected);
        CHECK(f.written == in);
        CHECK(f.size == in.size());
        for (std::size_t cut = 0; cut < in.size(); ++cut) CHECK(walk(line["kind"], {in.begin(), in.begin() + static_cast<std::ptrdiff_t>(cut)}).end == nullptr);
    }
    CHECK(refused == 7);
}

TEST_CASE("a varint with more bits than its type is refused and leaves the value alone", "[varint]") {
    const auto five = golden::from_hex("ffffffff1f"), ten = golden::from_hex("ffffffffffffffffff03"), padded = golden::from_hex("8000");
    std::uint32_t v = 7;
    std::uint64_t w = 7;
    CHECK(read_unsigned_varint(five.data(), five.data() + five.size(), v) == nullptr);
    CHECK(read_unsigned_varlong(ten.data(), ten.data() + ten.size(), w) == nullptr);
    CHECK((v == 7 && w == 7));
    CHECK(read_unsigned_varint(padded.data(), padded.data() + padded.size(), v) == padded.data() + 2);
    CHECK(v == 0);
}
