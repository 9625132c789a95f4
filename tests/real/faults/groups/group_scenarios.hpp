// Faults to groups, one after the other, and how long partitions waited for their readers.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "group_stage.hpp"

namespace faults {

/// What a group felt. Milliseconds; waits as in delivery_book.hpp.
struct group_effect {
    std::string group;
    waiting whole, healed;            ///< since the fault began; since it was healed
    std::int64_t caught_up = -1;      ///< from the healing until all that was acknowledged by then was read
    std::uint64_t again = 0;          ///< records that came a second time
};

struct group_result {
    std::string scenario, target = "all";
    std::int64_t lasted = 0;          ///< until it was healed: of members that are killed, with the session timeout
    std::int64_t nap = 0;             ///< that the machine kept our own thread from running
    std::int64_t wait_bar = 0;        ///< for the longest wait in all; 0: none
    std::vector<group_effect> effects;
};

[[nodiscard]] std::vector<std::string> group_scenario_names();
/// Waits until cluster and groups are whole, then has the fault. Throws std::runtime_error if they do not come back within two minutes,
/// std::invalid_argument for a name that there is not.
group_result play_group_scenario(group_stage& s, const std::string& name);

/// What missed the bar, in words; empty: nothing. No partition stands for more than 1 s after the healing; with a coordinator killed three times
/// nothing waits above 12 s.
[[nodiscard]] std::string missed_bars(const group_result& r, double factor = 1);
std::ostream& operator<<(std::ostream& out, const group_result& r);

}  // namespace faults
