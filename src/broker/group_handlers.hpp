// What the handlers of group APIs share.
#pragma once
#include "broker/error_code.hpp"
#include "broker/group_coordinator.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {

/// The shard of the group on the node that was asked; null, and why, if there is none.
inline group_shard* shard_of(cluster_state& cluster, const exchange& from, std::string_view group, broker_errc& why) {
    return cluster.groups().find(from.node(), group, why);
}

/// What an authorized client may do with a group: read, delete, describe, describe and alter its configuration.
inline constexpr std::int32_t all_group_operations = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// An id as java.util.UUID prints it: 8-4-4-4-12 hexadecimal digits.
[[nodiscard]] std::string uuid_text(const protocol::uuid& id);

}  // namespace kafkawire::broker
