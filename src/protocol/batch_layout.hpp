// Where the fields of batches and messages lie: the one place that knows.
#pragma once
#include "protocol/big_endian.hpp"

namespace kafkawire::protocol::detail {

// Common to all formats: offset, length of what follows, then four bytes (leader epoch or CRC-32), then the magic.
inline constexpr std::size_t length_at = 8, log_overhead = 12, magic_at = 16, up_to_magic = 17;

namespace format2 {
inline constexpr std::size_t leader_epoch = 12, crc = 17, attributes = 21, last_offset_delta = 23, base_timestamp = 27, max_timestamp = 35,
                             producer_id = 43, producer_epoch = 51, base_sequence = 53, count = 57, records = 61;
inline constexpr std::size_t smallest_record = 7;  // a length, attributes, two deltas, key and value lengths, a count of headers
}  // namespace format2

namespace legacy {
inline constexpr std::size_t crc = 12, attributes = 17, timestamp = 18;
constexpr std::size_t key_length(int magic) noexcept { return magic == 0 ? 18 : 26; }
/// Both lengths and nothing in them.
constexpr std::size_t smallest(int magic) noexcept { return key_length(magic) + 8; }
}  // namespace legacy

}  // namespace kafkawire::protocol::detail
