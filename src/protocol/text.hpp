// Text forms that JSON and dumps share.
#pragma once
#include <kafkawire/protocol/types.hpp>

namespace kafkawire::protocol {

/// Appends a JSON string in quotes; bytes that are not UTF-8 become U+FFFD, so that the result is valid always.
void append_json_string(std::string& to, std::string_view text);
/// Standard base64 with padding, as Kafka's JSON has it.
void append_base64(std::string& to, bytes_view data);
/// "1 byte", "2 bytes": a number and what it counts.
std::string counted(std::uint64_t n, std::string_view thing);
/// The shortest text that reads back as the same number, with a point; "NaN", "Infinity" and "-Infinity" for those.
std::string double_text(double value);
/// "2024-01-31T12:00:00.123Z"; empty for a time beyond year 9999.
std::string iso_time(std::int64_t milliseconds);

}  // namespace kafkawire::protocol
