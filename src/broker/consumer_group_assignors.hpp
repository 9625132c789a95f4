// The assignors of consumer groups (KIP-848), `uniform` and `range`: who is to have which partitions. Pure functions; the same input gives the
// same assignment.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace kafkawire::broker {

/// Partitions by topic. Topics without any are left out.
using partition_sets = std::map<protocol::uuid, std::set<std::int32_t>>;

struct assignor_member {
    std::optional<std::string> instance_id{};
    std::set<protocol::uuid> topics{};  ///< that it subscribes to; all of them are in the topics below
    partition_sets before{};            ///< what it was to have until now
};
/// By member id.
using assignor_members = std::map<std::string, assignor_member>;
/// How many partitions the topics have.
using assignor_topics = std::map<protocol::uuid, std::int32_t>;
using assignments = std::map<std::string, partition_sets>;

/// Even and sticky: everybody's number of partitions differs by at most one (among those who subscribe to the same), and what can stay, stays.
[[nodiscard]] assignments assign_uniform(const assignor_members& members, const assignor_topics& topics);
/// Each topic's partitions in ranges, in the order of the members: equal numbers of two topics' partitions go to the same member.
[[nodiscard]] assignments assign_range(const assignor_members& members, const assignor_topics& topics);

}  // namespace kafkawire::broker
