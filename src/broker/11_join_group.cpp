// JoinGroup: a member joins its group's next generation. The answer comes when all members have joined, or the slowest one's rebalance timeout
// is over; until then the connection is busy.
// From version 4 on a dynamic member without an id is given one with MEMBER_ID_REQUIRED and joins again with it. From version 5 on there are
// static members, from version 7 on a protocol's type and a null name in the answer, from version 8 on a reason, from version 9 on
// skip_assignment: a static leader that came back is given the members, and told to leave the assignments as they are.
#include <kafkawire/protocol/messages/11_join_group.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::join_group_request;
using protocol::messages::join_group_response;

void reply_join(exchange& to, const join_answer& a) {
    join_group_response r;
    r.error_code = code_of(a.error);
    r.generation_id = a.generation;
    r.protocol_type = a.protocol_type;
    r.protocol_name = a.protocol_name;
    // No name is an empty one before version 7, and null from then on.
    if (to.version() < 7 && !r.protocol_name) r.protocol_name.emplace();
    if (to.version() >= 7 && r.protocol_name && r.protocol_name->empty()) r.protocol_name.reset();
    r.leader = a.leader;
    r.skip_assignment = a.skip_assignment;
    r.member_id = a.member_id;
    for (const auto& m : a.members) {
        auto& out = r.members.emplace_back();
        out.member_id = m.id;
        out.group_instance_id = m.instance_id;
        out.metadata = m.metadata;
    }
    to.answer(r);
}

classic_join read(cluster_state& cluster, const exchange& from, const join_group_request& asked) {
    classic_join j;
    j.member_id = asked.member_id;
    j.instance_id = asked.group_instance_id;
    j.client_id = from.client_id();
    j.client_host = from.client_host();
    j.session_timeout = milliseconds{asked.session_timeout_ms};
    j.rebalance_timeout = milliseconds{from.version() == 0 ? asked.session_timeout_ms : asked.rebalance_timeout_ms};
    j.protocol_type = asked.protocol_type;
    for (const auto& p : asked.protocols) j.protocols.push_back({p.name, p.metadata});
    if (asked.member_id.empty()) j.fresh_id = (j.instance_id ? *j.instance_id : j.client_id) + "-" + uuid_text(cluster.random_uuid());
    j.must_know_id = from.version() >= 4;
    j.can_skip_assignment = from.version() >= 9;
    return j;
}

}  // namespace

void join_group(cluster_state& cluster, exchange from, const join_group_request& asked) {
    if (asked.group_id.empty()) return reply_join(from, {.error = broker_errc::invalid_group_id, .member_id = asked.member_id});
    if (asked.session_timeout_ms < cluster.config_number("group.min.session.timeout.ms") || asked.session_timeout_ms > cluster.config_number("group.max.session.timeout.ms"))
        return reply_join(from, {.error = broker_errc::invalid_session_timeout, .member_id = asked.member_id});
    auto why = broker_errc::none;
    auto* shard = shard_of(cluster, from, asked.group_id, why);
    if (!shard) return reply_join(from, {.error = why});
    auto join = read(cluster, from, asked);
    shard->join(asked.group_id, std::move(join), [e = std::move(from)](const join_answer& a) mutable { reply_join(e, a); });
}

}  // namespace kafkawire::broker
