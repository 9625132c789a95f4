// CreateTopics: makes topics, or says for each why not; one topic that cannot be made does not keep the others from it.
// The checks and their order are those of Kafka's controller: named twice in the request, the name, whether it exists, its configuration, its
// partitions and replicas. -1 for partitions or replicas means the broker's default (KIP-464, version 4); Kafka 4.3 takes it in every version it has.
// Version 5 answers with the topic's partitions and configuration (KIP-525), version 7 with its id. With validate_only nothing is made.
#include <kafkawire/protocol/messages/19_create_topics.hpp>

#include <algorithm>

#include "broker/config_rules.hpp"
#include "broker/config_values.hpp"
#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::create_topics_request;
using protocol::messages::create_topics_response;
using placement = cluster_state::placement;

refusal place_by_hand(const cluster_state& cluster, const create_topics_request::creatable_topic& asked, placement& to) {
    if (asked.replication_factor != -1)
        return {broker_errc::invalid_request, "A manual partition assignment was specified, but replication factor was not set to -1."};
    if (asked.num_partitions != -1) return {broker_errc::invalid_request, "A manual partition assignment was specified, but numPartitions was not set to -1."};
    std::map<std::int32_t, std::vector<std::int32_t>> by_index;
    std::optional<std::size_t> copies;
    for (const auto& a : asked.assignments) {
        if (by_index.count(a.partition_index))
            return {broker_errc::invalid_replica_assignment, "Found multiple manual partition assignments for partition " + std::to_string(a.partition_index)};
        if (auto why = refuse_replicas(cluster, a.broker_ids, copies)) return {broker_errc::invalid_replica_assignment, std::move(why)};
        copies = a.broker_ids.size();
        by_index.emplace(a.partition_index, a.broker_ids);
    }
    for (auto& [index, replicas] : by_index) {
        if (index != static_cast<std::int32_t>(to.size())) return {broker_errc::invalid_replica_assignment, "partitions should be a consecutive 0-based integer sequence"};
        to.push_back(std::move(replicas));
    }
    return {};
}

refusal place_anywhere(cluster_state& cluster, const create_topics_request::creatable_topic& asked, placement& to) {
    if (asked.replication_factor < -1 || asked.replication_factor == 0)
        return {broker_errc::invalid_replication_factor, "Replication factor must be larger than 0, or -1 to use the default value."};
    if (asked.num_partitions < -1 || asked.num_partitions == 0) return {broker_errc::invalid_partitions, "Number of partitions was set to an invalid non-positive value."};
    const auto partitions = asked.num_partitions == -1 ? static_cast<std::int32_t>(cluster.config_number("num.partitions")) : asked.num_partitions;
    const auto copies = asked.replication_factor == -1 ? static_cast<std::int32_t>(cluster.config_number("default.replication.factor")) : asked.replication_factor;
    // What one request may make: Kafka's controller writes at most 10,000 records for it.
    if (partitions > 10'000) return {broker_errc::policy_violation, "Excessively large number of partitions per request."};
    const auto nodes = static_cast<std::int32_t>(cluster.nodes().size());
    const auto cannot = "Unable to replicate the partition " + std::to_string(copies) + " time(s): The target replication factor of " + std::to_string(copies) +
                        " cannot be reached because only " + std::to_string(nodes) + " broker(s) are registered or some brokers have all their log directories cordoned.";
    if (copies > nodes) return {broker_errc::invalid_replication_factor, cannot};
    to = cluster.place(partitions, copies);
    if (to.empty()) return {broker_errc::invalid_replication_factor, cannot};
    return {};
}

// The checks, in Kafka's order. Fills what the topic is made with.
refusal check(cluster_state& cluster, const create_topics_request::creatable_topic& asked, placement& where, std::map<std::string, std::string>& configs) {
    if (cluster.find_topic(asked.name)) return {broker_errc::topic_already_exists, "Topic '" + asked.name + "' already exists."};
    if (auto why = refuse_topic_name(asked.name)) return {broker_errc::invalid_topic_exception, std::move(why)};
    if (const auto other = colliding_topic(cluster, asked.name))
        return {broker_errc::invalid_topic_exception, "Topic '" + asked.name + "' collides with existing topic: " + *other};
    std::string nulls;
    for (const auto& c : asked.configs) {
        if (c.value) configs[c.name] = *c.value;
        else nulls += (nulls.empty() ? "" : ",") + c.name;
    }
    if (!nulls.empty()) return {broker_errc::invalid_config, "Null value not supported for topic configs: " + nulls};
    if (auto why = refuse_topic_configs(configs)) return {broker_errc::invalid_config, std::move(why)};
    return asked.assignments.empty() ? place_anywhere(cluster, asked, where) : place_by_hand(cluster, asked, where);
}

void describe_configs(const cluster_state& cluster, const topic& t, create_topics_response::creatable_topic_result& to) {
    for (const auto& c : topic_config_values(cluster, t))
        to.configs->push_back({c.name, c.value, c.read_only, static_cast<std::int8_t>(c.source), false, {}});
}

create_topics_response::creatable_topic_result create(cluster_state& cluster, const create_topics_request::creatable_topic& asked, bool validate_only) {
    create_topics_response::creatable_topic_result to;
    to.name = asked.name;
    placement where;
    std::map<std::string, std::string> configs;
    if (auto why = check(cluster, asked, where, configs)) {
        to.error_code = code_of(why.code);
        to.error_message = std::move(why.text);
        return to;
    }
    to.error_message.reset();
    to.num_partitions = static_cast<std::int32_t>(where.size());
    to.replication_factor = static_cast<std::int16_t>(where.front().size());
    if (validate_only) {
        topic not_made{asked.name, cluster.random_uuid(), false, std::move(configs), {}};
        describe_configs(cluster, not_made, to);
        to.topic_id = not_made.id;
        return to;
    }
    const auto& t = cluster.create_topic(asked.name, where, std::move(configs));
    to.topic_id = t.id;
    describe_configs(cluster, t, to);
    return to;
}

create_topics_response::creatable_topic_result refused(const std::string& name, broker_errc code, std::string text) {
    create_topics_response::creatable_topic_result to;
    to.name = name;
    to.error_code = code_of(code);
    to.error_message = std::move(text);
    return to;
}

}  // namespace

void create_topics(cluster_state& cluster, exchange from, const create_topics_request& asked) {
    create_topics_response answer;
    std::map<std::string_view, int> named;
    for (const auto& t : asked.topics) ++named[t.name];
    for (const auto& t : asked.topics) {
        if (named[t.name] > 1) continue;
        if (t.name == "__cluster_metadata")
            answer.topics.push_back(refused(t.name, broker_errc::invalid_request, "Creation of internal topic __cluster_metadata is prohibited."));
        else answer.topics.push_back(create(cluster, t, asked.validate_only));
    }
    for (const auto& [name, times] : named)
        if (times > 1) answer.topics.push_back(refused(std::string{name}, broker_errc::invalid_request, "Duplicate topic name."));
    from.answer(answer);
}

}  // namespace kafkawire::broker
