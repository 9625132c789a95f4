// OffsetDelete: committed offsets go, of partitions that nobody in the group is subscribed to. One version.
#include <kafkawire/protocol/messages/47_offset_delete.hpp>

#include <algorithm>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::offset_delete_request;
using protocol::messages::offset_delete_response;

void add(offset_delete_response& to, const std::string& topic, std::int32_t partition, broker_errc code) {
    auto at = std::find_if(to.topics.begin(), to.topics.end(), [&](const auto& t) { return t.name == topic; });
    if (at == to.topics.end()) {
        to.topics.emplace_back().name = topic;
        at = to.topics.end() - 1;
    }
    at->partitions.push_back({partition, code_of(code), {}});
}

}  // namespace

void offset_delete(cluster_state& cluster, exchange from, const offset_delete_request& asked) {
    offset_delete_response answer;
    std::vector<group_shard::topic_partition> there;
    for (const auto& t : asked.topics)
        for (const auto& p : t.partitions) {
            if (cluster.find_partition(t.name, p.partition_index))
                there.push_back({t.name, p.partition_index});
            else
                add(answer, t.name, p.partition_index, broker_errc::unknown_topic_or_partition);
        }
    auto why = broker_errc::invalid_group_id;
    auto* shard = asked.group_id.empty() ? nullptr : shard_of(cluster, from, asked.group_id, why);
    if (!shard) {
        if (answer.topics.empty()) answer.error_code = code_of(why);
        return from.answer(answer);
    }
    shard->delete_offsets(asked.group_id, there, [answer, there, e = std::move(from)](const group_shard::delete_result& r) mutable {
        // Kafka tells the group's error only where it has nothing to say of partitions.
        if (answer.topics.empty()) answer.error_code = code_of(r.error);
        for (std::size_t i = 0; i < r.partitions.size(); ++i) add(answer, there[i].topic, there[i].partition, r.partitions[i]);
        e.answer(answer);
    });
}

}  // namespace kafkawire::broker
