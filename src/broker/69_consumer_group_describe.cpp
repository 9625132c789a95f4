// ConsumerGroupDescribe (KIP-848): consumer groups with their members, what these have and what they are to have.
// Version 1 says of each member by which protocol it belongs to the group.
#include <kafkawire/protocol/messages/69_consumer_group_describe.hpp>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::consumer_group_describe_response;

template <class Partitions>
consumer_group_describe_response::assignment_value describe(cluster_state& cluster, const std::map<protocol::uuid, Partitions>& from) {
    consumer_group_describe_response::assignment_value to;
    for (const auto& [id, partitions] : from) {
        const auto* t = cluster.find_topic(id);
        if (!t) continue;
        auto& out = to.topic_partitions.emplace_back();
        out.topic_id = id;
        out.topic_name = t->name;
        for (const auto& p : partitions) {
            if constexpr (requires { p.first; })
                out.partitions.push_back(p.first);
            else
                out.partitions.push_back(p);
        }
    }
    return to;
}

void describe(cluster_state& cluster, const consumer_group_fsm& g, std::int16_t version, consumer_group_describe_response::described_group& to) {
    to.group_state = g.state_name();
    to.group_epoch = g.epoch();
    to.assignment_epoch = g.assignment_epoch();
    to.assignor_name = g.assignor();
    for (const auto& [id, m] : g.members()) {
        auto& out = to.members.emplace_back();
        out.member_id = id;
        out.instance_id = m.instance_id;
        out.rack_id = m.rack_id;
        out.member_epoch = m.epoch;
        out.client_id = m.client_id;
        out.client_host = m.client_host;
        out.subscribed_topic_names = {m.topics.begin(), m.topics.end()};
        out.subscribed_topic_regex = m.regex;
        // What a member is asked to give up is still its own until it says that it has.
        auto owned = m.assigned;
        for (const auto& [topic, partitions] : m.revoking) owned[topic].insert(partitions.begin(), partitions.end());
        out.assignment = describe(cluster, owned);
        if (const auto target = g.targets().find(id); target != g.targets().end()) out.target_assignment = describe(cluster, target->second);
        if (version >= 1) out.member_type = m.classic ? 0 : 1;
    }
}

void describe(cluster_state& cluster, const exchange& from, consumer_group_describe_response::described_group& to) {
    auto why = to.group_id.empty() ? broker_errc::invalid_group_id : broker_errc::none;
    const auto* shard = to.group_id.empty() ? nullptr : shard_of(cluster, from, to.group_id, why);
    to.error_code = code_of(why);
    if (!shard) return;
    const auto* g = shard->find(to.group_id);
    if (g && g->consumer) return describe(cluster, *g->consumer, from.version(), to);
    to.error_code = code_of(broker_errc::group_id_not_found);
    to.error_message = g ? "Group " + to.group_id + " is not a consumer group." : "Group " + to.group_id + " not found.";
}

}  // namespace

void consumer_group_describe(cluster_state& cluster, exchange from, const protocol::messages::consumer_group_describe_request& asked) {
    consumer_group_describe_response answer;
    for (const auto& name : asked.group_ids) {
        auto& to = answer.groups.emplace_back();
        to.group_id = name;
        describe(cluster, from, to);
        if (asked.include_authorized_operations && to.error_code == 0) to.authorized_operations = all_group_operations;
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
