// What each error code means to a member of a group, by the request that it answers. One table; no decisions elsewhere depend on codes.
#pragma once
#include <kafkawire/error.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace kafkawire::group {

enum class api { find_coordinator, join, sync, heartbeat, leave, consumer_heartbeat };
inline constexpr std::size_t api_count = 6;
[[nodiscard]] std::string_view name_of(api what) noexcept;
[[nodiscard]] std::int16_t key_of(api what) noexcept;

enum class meaning {
    done,
    again,      ///< the same request after the usual pause
    elsewhere,  ///< the coordinator is another one: find it, and repeat
    rejoin,     ///< the group is being rebalanced: join, with what the member has
    stale,      ///< the group went on without this member, which is still known: what it had is lost; join
    forgotten,  ///< the coordinator does not know the member: what it had is lost; join as a new one
    take_id,    ///< join again with the id in the answer
    occupied,   ///< the static member's place is taken by one that may be about to go: again, for a while
    told,       ///< the application must hear of it; again after the longest pause
    fenced,     ///< somebody newer has this static member's place: the end of this one
    fatal       ///< the end of this member
};
inline constexpr std::size_t meaning_count = 11;
[[nodiscard]] std::string_view name_of(meaning m) noexcept;

/// Of a code that answers `what`. Codes that nobody knows have a meaning too.
[[nodiscard]] meaning meaning_of(api what, std::int16_t code) noexcept;
/// Of an error on our side of the connection, without an answer.
[[nodiscard]] meaning meaning_of(api what, std::error_code code) noexcept;

/// The story of a refusal: what the broker said, of what, and what can be done about it.
[[nodiscard]] error refusal(api what, std::int16_t code, std::int16_t version, int attempt, std::string_view said = {});
/// The same with the group's name, where the code does not say which.
[[nodiscard]] error about_group(error why, std::string_view group);

/// What this side finds out by itself.
[[nodiscard]] error told_by_us(std::error_code code, std::string text, const error& cause = {});
[[nodiscard]] error for_want_of_time(std::string text, std::string hint, const error& cause);
[[nodiscard]] std::string seconds_of(std::chrono::milliseconds t);  ///< "45 s", "1.5 s"

}  // namespace kafkawire::group
