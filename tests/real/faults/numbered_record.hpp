// Records that tell what they are: the run, the partition and the number are in the value, and all the rest of the value follows from them,
// so that a reader finds out by the bytes alone whether it has the record that was sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace faults {

/// A record's place in what was sent: its partition, and its number there, counted from 0.
struct numbered {
    std::int32_t partition = -1;
    std::uint64_t index = 0;
    friend bool operator==(const numbered&, const numbered&) = default;
};

/// Writes the value of a record over `into`: printable, no line ends, 40 to 110 bytes. `run` keeps the records of two runs apart.
void write_value(std::uint64_t run, const numbered& n, std::string& into);

/// What a value says that it is; nothing if any byte is not as write_value() writes it. `scratch` is overwritten.
[[nodiscard]] std::optional<numbered> read_value(std::uint64_t run, std::string_view value, std::string& scratch);

/// A number that depends on every bit of those given, for checksums.
[[nodiscard]] std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c) noexcept;

}  // namespace faults
