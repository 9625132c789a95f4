// DescribeGroups: classic groups with their members. Metadata is shown while the group is stable.
// From version 3 on the allowed operations can be asked for, from version 4 on there are instance ids. A group that is not there, or of another
// kind, is "Dead"; from version 6 on that is GROUP_ID_NOT_FOUND with a sentence.
#include <kafkawire/protocol/messages/15_describe_groups.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::describe_groups_response;

void describe(describe_groups_response::described_group& to, const classic_group_fsm& g) {
    const bool stable = g.is<classic_group_fsm::stable>();
    to.group_state = g.state_name();
    to.protocol_type = g.protocol_type().value_or("");
    if (stable) to.protocol_data = g.protocol().value_or("");
    for (const auto& [id, m] : g.members()) {
        auto& out = to.members.emplace_back();
        out.member_id = id;
        out.group_instance_id = m.instance_id;
        out.client_id = m.client_id;
        out.client_host = m.client_host;
        const auto* metadata = stable && g.protocol() ? m.metadata(*g.protocol()) : nullptr;
        if (metadata) out.member_metadata = *metadata;
        out.member_assignment = m.assignment;
    }
}

void describe(cluster_state& cluster, const exchange& from, describe_groups_response::described_group& to) {
    auto why = broker_errc::none;
    const auto* shard = shard_of(cluster, from, to.group_id, why);
    to.error_code = code_of(why);
    if (!shard) return;
    const auto* g = shard->find(to.group_id);
    if (g && g->classic) return describe(to, *g->classic);
    to.group_state = "Dead";
    if (from.version() < 6) return;
    to.error_code = code_of(broker_errc::group_id_not_found);
    to.error_message = g ? "Group " + to.group_id + " is not a classic group." : "Group " + to.group_id + " not found.";
}

}  // namespace

void describe_groups(cluster_state& cluster, exchange from, const protocol::messages::describe_groups_request& asked) {
    describe_groups_response answer;
    for (const auto& name : asked.groups) {
        auto& to = answer.groups.emplace_back();
        to.group_id = name;
        describe(cluster, from, to);
        if (from.version() >= 3 && asked.include_authorized_operations && to.error_code == 0) to.authorized_operations = all_group_operations;
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
