// KIP-951: an answer "not the leader" names the leader, and how to reach it.
#pragma once
#include <algorithm>

#include "broker/cluster_state.hpp"

namespace kafkawire::broker {

/// Fills in `leader` ({leader_id, leader_epoch}) and adds the leader's address to `endpoints`, once.
template <class Leader, class Endpoints>
void hint_leader(cluster_state& cluster, const partition& p, Leader& leader, Endpoints& endpoints) {
    leader.leader_id = p.leader();
    leader.leader_epoch = p.leader_epoch();
    const auto* n = cluster.find_node(p.leader());
    if (!n || std::any_of(endpoints.begin(), endpoints.end(), [&](const auto& known) { return known.node_id == n->id; })) return;
    endpoints.push_back({n->id, n->told_host(), n->told_port(), n->rack, {}});
}

}  // namespace kafkawire::broker
