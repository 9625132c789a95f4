// What the releases of Apache Kafka speak, from 0.8.2 to 4.3: of every API that brokers have for clients, the highest version.
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kafkawire::protocol {

/// A release, as far as the protocol tells it from others: 0.10.2, 2.8. In order of time. A value.
struct release {
    std::uint8_t major_version = 0, minor_version = 0;
    std::uint8_t patch = 0;                 ///< of those before 1.0; later ones speak the same in all patches: 0

    /// "0.10.2", "2.8"
    [[nodiscard]] KAFKAWIRE_API std::string to_string() const;
    friend constexpr auto operator<=>(const release&, const release&) = default;
};
inline constexpr release oldest_release{0, 8, 2}, newest_release{4, 3, 0};
/// The first whose brokers say themselves what they speak.
inline constexpr release first_with_api_versions{0, 10, 0};

/// Of two to four numbers with dots between, each below 1000: "2.8", "3.9.1", "0.10.2.0", "1.1.1.0". Nothing for anything else. A release before the
/// oldest in the table is taken for that one, one that is newer than the newest for that. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::optional<release> parse_release(std::string_view text) noexcept;

/// The highest version of an API that brokers of that release speak. -1: they do not have it. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::int16_t highest_version(release r, std::int16_t api_key) noexcept;
/// Whether brokers of any release in the table have that API for clients.
[[nodiscard]] KAFKAWIRE_API bool is_known_to_releases(std::int16_t api_key) noexcept;
/// The first release that has that version of an API; nothing: none has. Thread-safe.
[[nodiscard]] KAFKAWIRE_API std::optional<release> first_release_with(std::int16_t api_key, std::int16_t version) noexcept;

}  // namespace kafkawire::protocol
