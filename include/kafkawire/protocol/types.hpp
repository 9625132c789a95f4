// The values of the wire: version ranges, UUIDs, bytes, records, unknown tagged fields.
#pragma once
#include <kafkawire/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::protocol {

/// An inclusive range of versions; `none()` holds no version.
struct version_range {
    std::int16_t lowest = 0;
    std::int16_t highest = -1;

    [[nodiscard]] constexpr bool contains(std::int16_t v) const noexcept { return v >= lowest && v <= highest; }
    [[nodiscard]] constexpr bool empty() const noexcept { return highest < lowest; }
    friend constexpr bool operator==(const version_range&, const version_range&) = default;
};
inline constexpr std::int16_t no_upper_version = 0x7fff;
constexpr version_range between(int lowest, int highest) noexcept { return {static_cast<std::int16_t>(lowest), static_cast<std::int16_t>(highest)}; }
constexpr version_range since(int lowest) noexcept { return between(lowest, no_upper_version); }
constexpr version_range only(int version) noexcept { return between(version, version); }
constexpr version_range all() noexcept { return since(0); }
constexpr version_range none() noexcept { return between(0, -1); }

using bytes = std::vector<std::byte>;
using bytes_view = std::span<const std::byte>;

/// 16 bytes as they go over the wire. Text form: 22 characters of URL-safe base64, as Kafka prints it.
struct uuid {
    std::array<std::uint8_t, 16> octets{};

    [[nodiscard]] constexpr bool is_zero() const noexcept { return *this == uuid{}; }
    [[nodiscard]] KAFKAWIRE_API std::string to_string() const;
    /// The inverse of to_string(); nothing if the text is not a UUID in that form.
    [[nodiscard]] KAFKAWIRE_API static std::optional<uuid> from_string(std::string_view text) noexcept;
    friend constexpr bool operator==(const uuid&, const uuid&) = default;
    friend constexpr auto operator<=>(const uuid&, const uuid&) = default;
};

/// Record batches as they lie in memory: a view. After decode() it points into the bytes that were decoded; for encode() the caller keeps
/// the bytes until the frame is written. Never walked through the field list; see record_batch.hpp.
struct raw_records {
    bytes_view data;
    friend bool operator==(const raw_records& a, const raw_records& b) noexcept {
        return a.data.size() == b.data.size() && std::equal(a.data.begin(), a.data.end(), b.data.begin());
    }
};

/// Tagged fields that this version of the library does not know: kept as they came, written back in order.
struct raw_tag {
    std::uint32_t tag = 0;
    bytes data;
    friend bool operator==(const raw_tag&, const raw_tag&) = default;
};
using tagged_fields = std::vector<raw_tag>;

}  // namespace kafkawire::protocol
