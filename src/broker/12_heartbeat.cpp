// Heartbeat: a member is alive; REBALANCE_IN_PROGRESS tells it to join again. While the coordinator loads, all is well.
// From version 3 on static members say their instance id.
#include <kafkawire/protocol/messages/12_heartbeat.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {

void heartbeat(cluster_state& cluster, exchange from, const protocol::messages::heartbeat_request& asked) {
    auto code = broker_errc::invalid_group_id;
    if (!asked.group_id.empty()) {
        if (auto* shard = shard_of(cluster, from, asked.group_id, code)) code = shard->heartbeat(asked.group_id, asked.member_id, asked.group_instance_id, asked.generation_id);
        if (code == broker_errc::coordinator_load_in_progress) code = broker_errc::none;
    }
    protocol::messages::heartbeat_response answer;
    answer.error_code = code_of(code);
    from.answer(answer);
}

}  // namespace kafkawire::broker
