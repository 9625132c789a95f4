// Lengths and points of time as people type them.
#pragma once
#include <kafkawire/version.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::cli {

/// "500ms", "30s", "2m", "1.5h", "7d"; a bare number means seconds. Nothing if it is no such thing or too large for milliseconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// A point of time in milliseconds since 1970: "now", "-1h" (before now), "2026-11-21", "2026-11-21T05:00", "...T05:00:30.250Z", "...+02:00"
/// (without a zone: UTC), or a number: of milliseconds with 12 digits and more, else of seconds. `now` is the wall clock's.
[[nodiscard]] std::optional<std::int64_t> parse_time(std::string_view text, std::int64_t now);

/// Now, in milliseconds since 1970.
[[nodiscard]] std::int64_t wall_clock();

/// "2026-11-21T05:00:30.250Z".
[[nodiscard]] std::string iso_time(std::int64_t milliseconds);

}  // namespace kafkawire::cli
