// Murmur2 as Kafka's clients use it: the hash of a record's key decides its partition.
#pragma once
#include <kafkawire/protocol/types.hpp>

namespace kafkawire::protocol {

/// The 32-bit Murmur2 of `key` with the seed that all Kafka clients share; two clients that agree here send a key to the same partition.
/// Words are taken low byte first on every machine. Pure, thread-safe.
[[nodiscard]] constexpr std::int32_t murmur2(bytes_view key) noexcept {
    constexpr std::uint32_t seed = 0x9747b28c, multiplier = 0x5bd1e995;
    const auto at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(key[i]); };
    auto hash = seed ^ static_cast<std::uint32_t>(key.size());
    std::size_t i = 0;
    for (; i + 4 <= key.size(); i += 4) {
        auto word = (at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24) * multiplier;
        word ^= word >> 24;
        hash = hash * multiplier ^ word * multiplier;
    }
    if (i < key.size()) {
        for (std::size_t k = key.size(); k-- > i;) hash ^= at(k) << (8 * (k - i));
        hash *= multiplier;
    }
    hash = (hash ^ hash >> 13) * multiplier;
    return static_cast<std::int32_t>(hash ^ hash >> 15);
}

/// The partition of a key as Java's default partitioner has it: the hash without its sign, modulo the count. `partitions` > 0.
[[nodiscard]] constexpr std::int32_t partition_of(bytes_view key, std::int32_t partitions) noexcept {
    return (murmur2(key) & 0x7fffffff) % partitions;
}

}  // namespace kafkawire::protocol
