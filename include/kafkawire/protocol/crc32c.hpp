// CRC-32C (Castagnoli): the checksum of record batches of format 2.
#pragma once
#include <kafkawire/protocol/types.hpp>

namespace kafkawire::protocol {

/// The checksum of `data`; `seed` is the checksum of what came before it (0: nothing), so crc32c(b, crc32c(a)) is that of a followed by b.
/// Uses the CPU's instruction, three streams at a time, where the running CPU has one, and tables where it has none.
/// Thread-safe, allocates nothing, never fails.
[[nodiscard]] KAFKAWIRE_API std::uint32_t crc32c(bytes_view data, std::uint32_t seed = 0) noexcept;

/// The checksum of a followed by b, from crc32c(a), crc32c(b) and b's length: lets a batch's content be summed while it is in the cache,
/// before the header in front of it is known. Costs some 100 ns, whatever the length.
[[nodiscard]] KAFKAWIRE_API std::uint32_t crc32c_combine(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b) noexcept;

/// The implementation that crc32c() uses on this CPU: "sse4.2", "armv8" or "table".
[[nodiscard]] KAFKAWIRE_API std::string_view crc32c_implementation() noexcept;

namespace detail {
/// The table form, on every CPU; for tests and for CPUs without the instruction.
[[nodiscard]] KAFKAWIRE_API std::uint32_t crc32c_table(bytes_view data, std::uint32_t seed = 0) noexcept;
}  // namespace detail

}  // namespace kafkawire::protocol
