// Fixed-width integers of the wire, at any address.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace kafkawire::protocol::detail {

template <class T>
constexpr T swap_bytes(T v) noexcept {
    if constexpr (sizeof(T) == 1) return v;
    else if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(v)));
    else if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(v)));
    else return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(v)));
}

/// The caller has checked that sizeof(T) bytes are there.
template <class T>
T get(const std::byte* at) noexcept {
    T v;
    std::memcpy(&v, at, sizeof v);
    if constexpr (std::endian::native == std::endian::little) v = swap_bytes(v);
    return v;
}
template <class T>
std::byte* put(std::byte* at, T v) noexcept {
    if constexpr (std::endian::native == std::endian::little) v = swap_bytes(v);
    std::memcpy(at, &v, sizeof v);
    return at + sizeof v;
}

}  // namespace kafkawire::protocol::detail
