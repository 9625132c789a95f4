// What each error code means to the offsets of a group, by the request that it answers. One table; no decisions elsewhere depend on codes.
#pragma once
#include <kafkawire/error.hpp>

#include <string_view>

namespace kafkawire::group::offsets {

enum class api { commit, fetch };

enum class meaning {
    done,
    again,        ///< the same once more after the usual pause
    elsewhere,    ///< the coordinator is another one: find it, and repeat
    renew,        ///< the group has moved on, and this member with it: once more with the generation or epoch that it has then
    gone,         ///< the coordinator does not know this member any more, or somebody newer has its place: the membership must hear of it
    missing,      ///< nothing is committed there
    refused       ///< it will not be better: told to whoever waits for this partition
};
[[nodiscard]] std::string_view name_of(meaning m) noexcept;

/// Of a code that answers `what`, of the whole request or of one partition. Codes that nobody knows have a meaning too.
[[nodiscard]] meaning meaning_of(api what, std::int16_t code) noexcept;
/// Of an error on our side of the connection, without an answer: `again`, `elsewhere` or `refused`.
[[nodiscard]] meaning meaning_of(std::error_code code) noexcept;

/// The story of a refusal: what the broker said, and what can be done about it.
[[nodiscard]] error refusal(api what, std::int16_t code, std::int16_t version, int attempt);
/// What this side finds out by itself.
[[nodiscard]] error told(api what, std::error_code code, std::string text, const error& cause);

}  // namespace kafkawire::group::offsets
