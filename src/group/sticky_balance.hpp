// The partitions of a group, shared out so that few of them move. What comes first, in this order:
//   1. every partition that somebody reads has an owner, and nobody has two more than another that reads one of its topics could have instead;
//   2. partitions stay where they were, unless racks matter, they had no replica near that owner, and more are near if they go;
//   3. where racks matter, partitions have a replica near their owner.
//
// How. Everybody keeps what it had (near it), what is left goes to the lightest members, rarest topics first. Then the lightest member takes
// from one that has two more than it, as long as there is one: straight, or through others (A gives to B what B reads too, B gives to C) as long as
// only what has moved anyway moves then. Each such move makes the sum of the squared loads smaller, so it ends. Ways through others could even
// loads out further, where topics have few readers in common, but each would move partitions that could stay: Java's assignors do not go them
// either. Last, partitions that were moved go home, or near, where that changes no load.
//
// Pure: no clock, no randomness, the same result for the same input. Time: about (subscriptions + partitions) per member.
#pragma once
#include "group/group_index.hpp"

namespace kafkawire::group {

inline constexpr std::uint32_t nobody = 0xffffffff;

/// What one member says that it had.
struct partition_claim {
    std::uint32_t member;
    std::int32_t generation;
};

/// Who claims what. A member may claim a partition once, whatever it says how often; partitions that do not exist are left out.
struct claims_table {
    std::vector<std::vector<partition_claim>> of_partition;

    explicit claims_table(const group_index& index) : of_partition(index.partitions) {}
    void add(const group_index& index, std::uint32_t member, std::string_view topic, std::int32_t partition, std::int32_t generation);
    /// Of each partition the member that had it: of the highest generation, and subscribed; of two the first; or nobody.
    [[nodiscard]] std::vector<std::uint32_t> homes(const group_index& index) const;
};

/// Of each partition the member that gets it. `homes`: as claims_table::homes() makes them.
[[nodiscard]] std::vector<std::uint32_t> balance(const group_index& index, const std::vector<std::uint32_t>& homes);

}  // namespace kafkawire::group
