// What the error codes of Fetch, ListOffsets and OffsetForLeaderEpoch mean for a partition that is read: one table for the three.
#pragma once
#include <kafkawire/error.hpp>

namespace kafkawire::client_detail {

enum class fetch_meaning : std::uint8_t {
    good,
    elsewhere,     ///< somebody else leads, or the topic is another: what is known of it is asked for again, then the same
    later,         ///< the broker cannot now: the same again after a pause
    out_of_range,  ///< the offset is not in the log
    session,       ///< the fetch session is out of step: all is said again, at once
    undefined,     ///< the broker does not do that: as if it were not asked
    refused,       ///< nothing of ours mends it: the application is told
};

enum class fetch_api : std::uint8_t { fetch, list_offsets, epochs };

[[nodiscard]] fetch_meaning meaning_of(std::int16_t code, fetch_api api) noexcept;

}  // namespace kafkawire::client_detail
