// CreatePartitions: adds partitions to topics; there is no way to take any away.
#include <kafkawire/protocol/messages/37_create_partitions.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::create_partitions_request;
using protocol::messages::create_partitions_response;

refusal place(cluster_state& cluster, const topic& t, const create_partitions_request::topic& asked, cluster_state::placement& to) {
    const auto have = static_cast<std::int32_t>(t.partitions.size());
    if (asked.count == have) return {broker_errc::invalid_partitions, "Topic already has " + std::to_string(have) + " partition(s)."};
    if (asked.count < have)
        return {broker_errc::invalid_partitions, "The topic " + t.name + " currently has " + std::to_string(have) + " partition(s); " + std::to_string(asked.count) +
                                                     " would not be an increase."};
    const auto more = asked.count - have;
    const auto copies = t.partitions.front()->replicas().size();
    if (!asked.assignments) {
        if (more > 10'000) return {broker_errc::policy_violation, "Excessively large number of partitions per request."};
        to = cluster.place(more, static_cast<std::int32_t>(copies));
        if (to.empty()) return {broker_errc::invalid_replication_factor, "Unable to replicate the partition " + std::to_string(copies) + " time(s)."};
        return {};
    }
    if (asked.assignments->size() != static_cast<std::size_t>(more))
        return {broker_errc::invalid_replica_assignment, "Attempted to add " + std::to_string(more) + " additional partition(s), but only " +
                                                             std::to_string(asked.assignments->size()) + " assignment(s) were specified."};
    for (const auto& a : *asked.assignments) {
        if (auto why = refuse_replicas(cluster, a.broker_ids, copies)) return {broker_errc::invalid_replica_assignment, std::move(why)};
        to.push_back(a.broker_ids);
    }
    return {};
}

}  // namespace

void create_partitions(cluster_state& cluster, exchange from, const create_partitions_request& asked) {
    create_partitions_response answer;
    const auto tell = [&](const std::string& name, refusal why) {
        auto& one = answer.results.emplace_back();
        one.name = name;
        one.error_code = code_of(why.code);
        one.error_message = std::move(why.text);
    };
    std::map<std::string_view, int> named;
    for (const auto& t : asked.topics) ++named[t.name];
    for (const auto& [name, times] : named)
        if (times > 1) tell(std::string{name}, {broker_errc::invalid_request, "Duplicate topic name."});
    for (const auto& t : asked.topics) {
        if (named[t.name] > 1) continue;
        auto* found = cluster.find_topic(t.name);
        if (!found) {
            tell(t.name, {broker_errc::unknown_topic_or_partition, {}});
            continue;
        }
        cluster_state::placement where;
        auto why = place(cluster, *found, t, where);
        if (!why && !asked.validate_only) cluster.add_partitions(*found, where);
        tell(t.name, std::move(why));
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
