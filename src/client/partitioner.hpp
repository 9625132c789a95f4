// The partitioners that have names, and topic_partitioner, through which a producer asks one.
// The hashes are pure; what they must agree with (Java, librdkafka, sarama) is held to vectors that those made.
#pragma once
#include <kafkawire/partitioner.hpp>
#include <kafkawire/protocol/murmur2.hpp>

#include <optional>

namespace kafkawire::client_detail {

/// CRC-32 as in gzip and Ethernet, which librdkafka takes; not the CRC32C of record batches.
[[nodiscard]] std::uint32_t crc32(protocol::bytes_view bytes) noexcept;

[[nodiscard]] constexpr std::uint32_t fnv1a(protocol::bytes_view bytes) noexcept {
    std::uint32_t hash = 2'166'136'261u;
    for (const auto b : bytes) hash = (hash ^ std::to_integer<std::uint32_t>(b)) * 16'777'619u;
    return hash;
}
/// As sarama has it: the hash as a signed number, the remainder, and only then its sign is dropped.
[[nodiscard]] constexpr std::int32_t fnv1a_partition(protocol::bytes_view key, std::int32_t partitions) noexcept {
    const auto rest = static_cast<std::int32_t>(fnv1a(key)) % partitions;
    return rest < 0 ? -rest : rest;
}
[[nodiscard]] inline std::int32_t crc32_partition(protocol::bytes_view key, std::int32_t partitions) noexcept {
    return static_cast<std::int32_t>(crc32(key) % static_cast<std::uint32_t>(partitions));
}

/// A small generator, SplitMix64: two multiplications a number, and any seed is good.
class random_numbers {
public:
    explicit random_numbers(std::uint64_t seed) noexcept : state_{seed} {}
    std::uint64_t next() noexcept;
    /// From 0 to below-1; `below` > 0.
    std::uint64_t below(std::uint64_t below) noexcept;

private:
    std::uint64_t state_;
};

/// Records without a key stay in one partition until `bytes` have gone there, so that batches get full; then one that holds little is more
/// likely than one that holds much, so that a slow broker is not given as much as the others (KIP-794).
class sticky_choice {
public:
    sticky_choice(std::uint64_t bytes, std::uint64_t seed) noexcept : limit_{static_cast<std::int64_t>(bytes)}, random_{seed} {}

    /// The partition to stay in, or -1: ask move_on(). No call, no allocation: this is the hot path.
    [[nodiscard]] std::int32_t current() const noexcept { return left_ > 0 ? partition_ : -1; }
    void appended(std::int32_t partition, std::size_t bytes) noexcept {
        if (partition == partition_) left_ -= static_cast<std::int64_t>(bytes);
    }
    /// Chooses the next.
    std::int32_t move_on(const partition_context& c) noexcept;
    /// The next record moves on.
    void leave() noexcept { left_ = 0; }
    /// current(), if it still exists and has a leader; else the next.
    std::int32_t choose(const partition_context& c) noexcept;

private:
    std::int64_t limit_;
    std::int64_t left_ = 0;
    std::int32_t partition_ = -1;
    random_numbers random_;
};

/// One topic's partitioner as the producer holds it: what is common (a key's murmur2; the sticky partition) costs no virtual call.
class topic_partitioner {
public:
    /// `name` must have passed check_partitioner(). One that a registered factory gave no object for refuses every record.
    topic_partitioner(std::string_view name, const partitioner_settings& settings);

    /// The partition of a record that names none: 0 to partitions-1; -1: refused (no partition named, or the user's own chose none that
    /// exists); `partitions` > 0. A sticky partition that lost its leader is left when it is full, or after leader_lost().
    [[nodiscard]] std::int32_t choose(const partition_context& c) {
        if (java_) {
            if (!c.key.is_null()) return protocol::partition_of(c.key.view(), c.partitions);
            if (const auto p = sticky_.current(); p >= 0 && p < c.partitions) return p;
            return sticky_.choose(c);
        }
        return ask(c);
    }
    /// Bytes of a record without a key went into the partition.
    void appended(std::int32_t partition, std::size_t bytes) {
        if (java_) sticky_.appended(partition, bytes);
        else tell(partition, bytes);
    }
    /// The partition has no leader now: records without a key go elsewhere from here on.
    void leader_lost(std::int32_t partition) noexcept;

private:
    std::int32_t ask(const partition_context& c);
    void tell(std::int32_t partition, std::size_t bytes);

    bool java_ = false;
    sticky_choice sticky_;
    std::unique_ptr<partitioner> other_;
};

}  // namespace kafkawire::client_detail
