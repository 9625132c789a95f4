// Which node coordinates a group or a transactional id: the leader of the partition, of an internal topic, that the name's hash chooses.
#pragma once
#include <string_view>

#include "broker/cluster_state.hpp"

namespace kafkawire::broker {

inline constexpr std::string_view group_topic = "__consumer_offsets";
inline constexpr std::string_view transaction_topic = "__transaction_state";

/// Java's String.hashCode() of a name in UTF-8.
[[nodiscard]] std::int32_t java_hash(std::string_view text) noexcept;
/// The partition of an internal topic that a name belongs to. If the topic is not there yet: the one that it will be.
[[nodiscard]] std::int32_t coordinator_partition(cluster_state& cluster, std::string_view internal_topic, std::string_view name);
/// The internal topic; made, with its configured partitions, if it is not there. Null if it cannot be made: too few nodes are up.
topic* make_internal_topic(cluster_state& cluster, std::string_view internal_topic);

}  // namespace kafkawire::broker
