// Variable-length integers: seven bits a byte, low bits first, the top bit set while more follow. The signed ones are zigzag.
// These are the primitives of record batches and flexible messages; they are inline because a record is mostly made of them.
// Pure functions over the caller's bytes: thread-safe, no allocation.
#pragma once
#include <kafkawire/version.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace kafkawire::protocol {

inline constexpr std::size_t max_varint_size = 5;    ///< bytes of the longest 32-bit varint
inline constexpr std::size_t max_varlong_size = 10;  ///< bytes of the longest 64-bit one

constexpr std::uint32_t zigzag(std::int32_t v) noexcept { return static_cast<std::uint32_t>(v) << 1 ^ static_cast<std::uint32_t>(v >> 31); }
constexpr std::uint64_t zigzag(std::int64_t v) noexcept { return static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63); }
constexpr std::int32_t unzigzag(std::uint32_t v) noexcept { return static_cast<std::int32_t>(v >> 1 ^ (0 - (v & 1))); }
constexpr std::int64_t unzigzag(std::uint64_t v) noexcept { return static_cast<std::int64_t>(v >> 1 ^ (0 - (v & 1))); }

/// How many bytes the value takes: 1 to 10. One count of leading zeros and a multiplication that stands for the division by seven.
constexpr std::size_t unsigned_varlong_size(std::uint64_t v) noexcept {
    return static_cast<std::size_t>((static_cast<unsigned>(std::bit_width(v | 1)) * 37 + 219) >> 8);
}
constexpr std::size_t unsigned_varint_size(std::uint32_t v) noexcept { return unsigned_varlong_size(v); }
constexpr std::size_t varint_size(std::int32_t v) noexcept { return unsigned_varlong_size(zigzag(v)); }
constexpr std::size_t varlong_size(std::int64_t v) noexcept { return unsigned_varlong_size(zigzag(v)); }

/// Writes at `to`, which has room for the longest form, and gives the byte behind.
constexpr std::byte* write_unsigned_varlong(std::byte* to, std::uint64_t v) noexcept {
    while (v >= 0x80) {
        *to++ = static_cast<std::byte>(v | 0x80);
        v >>= 7;
    }
    *to++ = static_cast<std::byte>(v);
    return to;
}
constexpr std::byte* write_unsigned_varint(std::byte* to, std::uint32_t v) noexcept { return write_unsigned_varlong(to, v); }
constexpr std::byte* write_varint(std::byte* to, std::int32_t v) noexcept { return write_unsigned_varlong(to, zigzag(v)); }
constexpr std::byte* write_varlong(std::byte* to, std::int64_t v) noexcept { return write_unsigned_varlong(to, zigzag(v)); }

namespace detail {
// Reads up to MaxBytes bytes; the last of them may only have the bits below LastLimit. Null: cut, does not end, or too many bits.
template <class T, std::size_t MaxBytes, unsigned LastLimit>
constexpr const std::byte* read_varint_tail(const std::byte* at, const std::byte* end, T& v) noexcept {
    T value = 0;
    for (std::size_t i = 0; i < MaxBytes; ++i) {
        if (at == end) return nullptr;
        const auto b = std::to_integer<std::uint8_t>(*at++);
        if (i == MaxBytes - 1 && b >= LastLimit) return nullptr;
        value |= static_cast<T>(b & 0x7f) << (7 * i);
        if (b < 0x80) {
            v = value;
            return at;
        }
    }
    return nullptr;
}
}  // namespace detail

/// Reads from [at, end) into `v` and gives the byte behind; null if the bytes end inside, if it does not end after 5 (10) bytes, or if it
/// needs more than 32 (64) bits; `v` is then untouched. Longer forms than necessary are taken, as Kafka's own reader takes them.
constexpr const std::byte* read_unsigned_varint(const std::byte* at, const std::byte* end, std::uint32_t& v) noexcept {
    if (at != end && std::to_integer<std::uint8_t>(*at) < 0x80) {
        v = std::to_integer<std::uint32_t>(*at);
        return at + 1;
    }
    return detail::read_varint_tail<std::uint32_t, max_varint_size, 0x10>(at, end, v);
}
constexpr const std::byte* read_unsigned_varlong(const std::byte* at, const std::byte* end, std::uint64_t& v) noexcept {
    if (at != end && std::to_integer<std::uint8_t>(*at) < 0x80) {
        v = std::to_integer<std::uint64_t>(*at);
        return at + 1;
    }
    return detail::read_varint_tail<std::uint64_t, max_varlong_size, 2>(at, end, v);
}
constexpr const std::byte* read_varint(const std::byte* at, const std::byte* end, std::int32_t& v) noexcept {
    std::uint32_t raw = 0;
    at = read_unsigned_varint(at, end, raw);
    if (at) v = unzigzag(raw);
    return at;
}
constexpr const std::byte* read_varlong(const std::byte* at, const std::byte* end, std::int64_t& v) noexcept {
    std::uint64_t raw = 0;
    at = read_unsigned_varlong(at, end, raw);
    if (at) v = unzigzag(raw);
    return at;
}

}  // namespace kafkawire::protocol
