// Metadata: the nodes, the controller, and topics with their partitions' leaders.
// Version 0: an empty list of topics means all; from version 1 that is null, and empty means none. From version 4 the client says whether topics
// may be created; before, they may. From version 10 topics have ids, and from version 12 they can be asked for by id.
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include <algorithm>
#include <set>

#include "broker/handlers.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::metadata_request;
using protocol::messages::metadata_response;
using answer_topic = metadata_response::topic;

std::int16_t code(broker_errc e) noexcept { return static_cast<std::int16_t>(e); }

// What the asker may do, as a bit for each of Kafka's operations. Nobody is refused anything here.
constexpr std::int32_t all_topic_operations = 3576, all_cluster_operations = 8096;

answer_topic describe(const topic& t) {
    answer_topic to;
    to.name = t.name;
    to.topic_id = t.id;
    to.is_internal = t.internal;
    for (const auto& p : t.partitions) {
        auto& out = to.partitions.emplace_back();
        out.partition_index = p->index();
        out.leader_id = p->leader();
        out.leader_epoch = p->leader_epoch();
        out.replica_nodes = p->replicas();
        out.isr_nodes = p->isr();
        if (p->leader() < 0) out.error_code = code(broker_errc::leader_not_available);
    }
    return to;
}

answer_topic not_there(std::optional<std::string> name, protocol::uuid id, broker_errc why) {
    answer_topic to;
    to.error_code = code(why);
    to.name = std::move(name);
    to.topic_id = id;
    return to;
}

answer_topic by_name(cluster_state& cluster, const std::string& name, bool may_create) {
    if (const auto* t = cluster.find_topic(name)) return describe(*t);
    if (refuse_topic_name(name)) return not_there(name, {}, broker_errc::invalid_topic_exception);
    if (!may_create || !cluster.config_flag("auto.create.topics.enable")) return not_there(name, {}, broker_errc::unknown_topic_or_partition);
    // Kafka asks its controller for the topic and does not wait: it says that there is none, and the client asks again. With too few nodes up for
    // its replicas there will be none, either.
    const auto where = cluster.place(static_cast<std::int32_t>(cluster.config_number("num.partitions")), static_cast<std::int32_t>(cluster.config_number("default.replication.factor")));
    if (!where.empty()) cluster.create_topic(name, where, {});
    return not_there(name, {}, broker_errc::unknown_topic_or_partition);
}

answer_topic by_id(cluster_state& cluster, const protocol::uuid& id) {
    if (const auto* t = cluster.find_topic(id)) return describe(*t);
    return not_there(std::nullopt, id, broker_errc::unknown_topic_id);
}

// A request that makes no sense: the answer has no field for that before version 13, so every topic that was asked for has the error.
metadata_response refused(const metadata_request& asked, broker_errc why) {
    metadata_response answer;
    for (const auto& t : *asked.topics) answer.topics.push_back(not_there(t.name.value_or(""), t.topic_id, why));
    return answer;
}

}  // namespace

void metadata(cluster_state& cluster, exchange from, const metadata_request& asked) {
    const auto some = [&](auto what) { return asked.topics && std::ranges::any_of(*asked.topics, what); };
    // One id makes it a question of ids, whatever the names say: Java's admin client sends empty ones beside them.
    const bool ids = some([](const auto& t) { return t.topic_id != protocol::uuid{}; });
    if (from.version() < 12 && (ids || some([](const auto& t) { return !t.name; }))) return from.answer(refused(asked, broker_errc::invalid_request));
    if (some([](const auto& t) { return !t.name && t.topic_id == protocol::uuid{}; })) return from.answer(refused(asked, broker_errc::unknown_server_error));

    metadata_response answer;
    for (const auto& n : cluster.nodes()) {
        if (n.is == node::status::down) continue;
        answer.brokers.push_back({n.id, n.told_host(), n.told_port(), n.rack, {}});
    }
    answer.cluster_id = cluster.cluster_id();
    answer.controller_id = cluster.controller();
    const bool all = !asked.topics || (from.version() == 0 && asked.topics->empty());
    if (all) {
        for (const auto& [name, t] : cluster.topics()) answer.topics.push_back(describe(t));
    } else {
        const bool may_create = from.version() < 4 || asked.allow_auto_topic_creation;
        std::set<std::string_view> named;
        for (const auto& t : *asked.topics) {
            if (!ids && named.insert(*t.name).second)
                answer.topics.push_back(by_name(cluster, *t.name, may_create));
            else if (ids && t.topic_id != protocol::uuid{})
                answer.topics.push_back(by_id(cluster, t.topic_id));
        }
    }
    if (asked.include_cluster_authorized_operations) answer.cluster_authorized_operations = all_cluster_operations;
    if (asked.include_topic_authorized_operations)
        for (auto& t : answer.topics)
            if (t.error_code == 0) t.topic_authorized_operations = all_topic_operations;
    from.answer(answer);
}

}  // namespace kafkawire::broker
