// LeaveGroup: members go, and the others rebalance.
// Before version 3 it is one member, and its error is the answer's. From version 3 on they are many (an administrator removes static members by
// their instance ids alone), each with its own error; version 5 has a reason.
#include <kafkawire/protocol/messages/13_leave_group.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::leave_group_request;
using protocol::messages::leave_group_response;

void reply(exchange& to, const std::vector<classic_group_fsm::leaver>& who, const group_shard::left& result) {
    leave_group_response r;
    r.error_code = code_of(result.error);
    for (std::size_t i = 0; i < result.members.size() && i < who.size(); ++i) {
        auto& out = r.members.emplace_back();
        out.member_id = who[i].member_id;
        out.group_instance_id = who[i].instance_id;
        out.error_code = code_of(result.members[i]);
    }
    if (to.version() < 3) {
        if (r.error_code == 0 && !r.members.empty()) r.error_code = r.members.front().error_code;
        r.members.clear();
    }
    to.answer(r);
}

}  // namespace

void leave_group(cluster_state& cluster, exchange from, const leave_group_request& asked) {
    std::vector<classic_group_fsm::leaver> who;
    if (from.version() < 3) who.push_back({asked.member_id, {}});
    for (const auto& m : asked.members) who.push_back({m.member_id, m.group_instance_id});
    if (asked.group_id.empty()) return reply(from, who, {.error = broker_errc::invalid_group_id});
    auto why = broker_errc::none;
    auto* shard = shard_of(cluster, from, asked.group_id, why);
    if (!shard) return reply(from, who, {.error = why});
    shard->leave(asked.group_id, who, [who, e = std::move(from)](const group_shard::left& result) mutable { reply(e, who, result); });
}

}  // namespace kafkawire::broker
