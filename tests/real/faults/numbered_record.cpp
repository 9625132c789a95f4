#include "numbered_record.hpp"

#include <charconv>

namespace faults {

namespace {

// The finish of splitmix64.
std::uint64_t scramble(std::uint64_t x) noexcept {
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

void append(std::string& to, std::uint64_t n, int base) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, n, base).ptr;
    to.append(digits, end);
}

}  // namespace

std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept {
    return scramble(scramble(scramble(a + 0x9e3779b97f4a7c15u) ^ b) + c);
}

void write_value(std::uint64_t run, const numbered& n, std::string& into) {
    into.clear();
    append(into, run, 16);
    into += '/';
    append(into, static_cast<std::uint64_t>(n.partition), 10);
    into += '/';
    append(into, n.index, 10);
    into += '/';
    const auto check = mix(run, static_cast<std::uint64_t>(n.partition), n.index);
    append(into, check, 16);
    into += ' ';
    into.append(20 + check % 50, static_cast<char>('a' + check / 64 % 26));
}

std::optional<numbered> read_value(std::uint64_t run, std::string_view value, std::string& scratch) {
    const auto first = value.find('/'), second = value.find('/', first + 1);
    if (first == value.npos || second == value.npos) return std::nullopt;
    numbered n;
    const auto* end = value.data() + value.size();
    if (std::from_chars(value.data() + first + 1, end, n.partition).ec != std::errc{}) return std::nullopt;
    if (std::from_chars(value.data() + second + 1, end, n.index).ec != std::errc{}) return std::nullopt;
    if (n.partition < 0) return std::nullopt;
    write_value(run, n, scratch);
    if (scratch != value) return std::nullopt;
    return n;
}

}  // namespace faults
