// A message of formats 0 and 1: offset, length, CRC-32, magic, attributes, timestamp (format 1), key, value. Several are compressed together
// by making them the value of another, the wrapper; in format 1 the inner offsets are then relative and the wrapper has the last one.
#pragma once
#include <kafkawire/protocol/record_batch.hpp>

namespace kafkawire::protocol::detail {

struct message {
    std::int64_t offset = 0, timestamp = -1;
    std::uint32_t crc = 0;
    std::int8_t attributes = 0;
    nullable_bytes key, value;
    bytes_view whole;
};
struct [[nodiscard]] message_error {
    errc code{};
    std::string_view what;
    std::size_t at = 0;  ///< bytes from the start of the message
    explicit operator bool() const noexcept { return code != errc{}; }
};

/// The message at the start of `from`, which must be whole, of that format and, inside a wrapper, not compressed itself.
message_error next_message(bytes_view from, std::int8_t magic, bool check_crc, message& to) noexcept;

/// The batch that is one message: exactly `whole`.
message_error read_message(bytes_view whole, std::int8_t magic, bool check_crc, record_batch& to) noexcept;

/// Walks the lengths of a wrapper's inner messages: how many there are, what makes their offsets absolute, and the batch's base offset.
message_error measure_inner(bytes_view content, record_batch& batch, std::int32_t& count, std::int64_t& base_offset) noexcept;

}  // namespace kafkawire::protocol::detail
