// DescribeTopicPartitions (KIP-966): topics with their partitions, a page at a time. Topics come by name; the cursor says where the page begins,
// and the answer's cursor where the next one would.
#include <kafkawire/protocol/messages/75_describe_topic_partitions.hpp>

#include <algorithm>
#include <set>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::describe_topic_partitions_request;
using protocol::messages::describe_topic_partitions_response;

constexpr std::int32_t all_operations = 3576;  // as bits by their numbers: what Kafka says where nothing is forbidden

describe_topic_partitions_response::topic not_there(const std::string& name) {
    describe_topic_partitions_response::topic to;
    to.error_code = code_of(refuse_topic_name(name) ? broker_errc::invalid_topic_exception : broker_errc::unknown_topic_or_partition);
    to.name = name;
    to.topic_authorized_operations = all_operations;
    return to;
}

describe_topic_partitions_response::partition describe(const cluster_state& cluster, const partition& p) {
    describe_topic_partitions_response::partition to;
    to.partition_index = p.index();
    to.leader_id = p.leader();
    to.leader_epoch = p.leader_epoch();
    to.replica_nodes = p.replicas();
    to.isr_nodes = p.isr();
    to.eligible_leader_replicas.emplace();
    to.last_known_elr.emplace();
    for (const auto& n : cluster.nodes())
        if (n.is == node::status::down && std::count(to.replica_nodes.begin(), to.replica_nodes.end(), n.id)) to.offline_replicas.push_back(n.id);
    if (p.leader() < 0) to.error_code = code_of(broker_errc::leader_not_available);
    return to;
}

// Adds the topic from its partition `from` on; false: the page is full before its end.
bool add(const cluster_state& cluster, const topic& t, std::int32_t from, std::size_t& room, describe_topic_partitions_response& to) {
    if (room == 0) {
        to.next_cursor = describe_topic_partitions_response::cursor{t.name, from, {}};
        return false;
    }
    auto& out = to.topics.emplace_back();
    out.name = t.name;
    out.topic_id = t.id;
    out.is_internal = t.internal;
    out.topic_authorized_operations = all_operations;
    for (auto i = static_cast<std::size_t>(from); i < t.partitions.size(); ++i, --room) {
        if (room == 0) {
            to.next_cursor = describe_topic_partitions_response::cursor{t.name, static_cast<std::int32_t>(i), {}};
            return false;
        }
        out.partitions.push_back(describe(cluster, *t.partitions[i]));
    }
    return true;
}

// The answer has no field for what is wrong with a cursor, so every topic that was asked for has the error.
describe_topic_partitions_response wrong_cursor(const describe_topic_partitions_request& asked) {
    describe_topic_partitions_response answer;
    for (const auto& t : asked.topics) {
        auto& one = answer.topics.emplace_back();
        one.error_code = code_of(broker_errc::invalid_request);
        one.name = t.name;
    }
    return answer;
}

}  // namespace

void describe_topic_partitions(cluster_state& cluster, exchange from, const describe_topic_partitions_request& asked) {
    describe_topic_partitions_response answer;
    const std::string first = asked.cursor ? asked.cursor->topic_name : std::string{};
    std::set<std::string> names;
    if (asked.topics.empty()) {
        for (const auto& [name, t] : cluster.topics()) names.insert(name);
    } else {
        for (const auto& t : asked.topics) names.insert(t.name);
    }
    if (asked.cursor && (asked.cursor->partition_index < 0 || (!asked.topics.empty() && !names.count(first)))) return from.answer(wrong_cursor(asked));
    const auto limit = std::min<std::int64_t>(cluster.config_number("max.request.partition.size.limit"), asked.response_partition_limit);
    auto room = static_cast<std::size_t>(std::max<std::int64_t>(limit, 1));
    for (auto at = names.lower_bound(first); at != names.end(); ++at) {
        const auto* t = cluster.find_topic(*at);
        if (!t) {
            answer.topics.push_back(not_there(*at));
            continue;
        }
        if (!add(cluster, *t, *at == first && asked.cursor ? asked.cursor->partition_index : 0, room, answer)) break;
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
