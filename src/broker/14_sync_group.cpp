// SyncGroup: a member asks for its assignment, and the leader brings everybody's. The answer waits for the leader.
// From version 3 on static members say their instance id. From version 5 on the protocol's type and name must be there, are compared with the
// group's, and come back in the answer.
#include <kafkawire/protocol/messages/14_sync_group.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::sync_group_request;
using protocol::messages::sync_group_response;

void reply_sync(exchange& to, const sync_answer& a) {
    sync_group_response r;
    r.error_code = code_of(a.error);
    if (to.version() >= 5) {
        r.protocol_type = a.protocol_type;
        r.protocol_name = a.protocol_name;
    }
    r.assignment = a.assignment;
    to.answer(r);
}

}  // namespace

void sync_group(cluster_state& cluster, exchange from, const sync_group_request& asked) {
    if (from.version() >= 5 && (!asked.protocol_type || !asked.protocol_name)) return reply_sync(from, {.error = broker_errc::inconsistent_group_protocol});
    if (asked.group_id.empty()) return reply_sync(from, {.error = broker_errc::invalid_group_id});
    auto why = broker_errc::none;
    auto* shard = shard_of(cluster, from, asked.group_id, why);
    if (!shard) return reply_sync(from, {.error = why});
    classic_sync s;
    s.member_id = asked.member_id;
    s.instance_id = asked.group_instance_id;
    s.generation = asked.generation_id;
    s.protocol_type = asked.protocol_type;
    s.protocol_name = asked.protocol_name;
    for (const auto& a : asked.assignments) s.assignments[a.member_id] = a.assignment;
    shard->sync(asked.group_id, std::move(s), [e = std::move(from)](const sync_answer& a) mutable { reply_sync(e, a); });
}

}  // namespace kafkawire::broker
