// frozen_metadata: what a node that hears nothing any more would tell of the cluster: a Metadata answer of some time ago. Plain data and one
// function; who is frozen is known to cluster_fsm.
#pragma once
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include "broker/cluster_state.hpp"
#include "broker/exchange.hpp"

namespace kafkawire::broker {

/// Everything that `node` would answer now.
[[nodiscard]] protocol::messages::metadata_response metadata_now(cluster_state& cluster, std::int32_t node);

/// Answers a Metadata request out of `seen`. Topics that were not there then are unknown; none is made.
void answer_frozen(const protocol::messages::metadata_response& seen, exchange from, const protocol::messages::metadata_request& asked);

}  // namespace kafkawire::broker
