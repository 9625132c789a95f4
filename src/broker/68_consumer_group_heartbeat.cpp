// ConsumerGroupHeartbeat (KIP-848): a member joins (epoch 0), says what it has and wants, learns what it is to have, leaves (-1; -2 for a static
// member that will be back). What is null has not changed.
// Version 0: the broker may choose the member's id. From version 1 on the client chooses it, and there are subscriptions by a regular expression.
#include <kafkawire/protocol/messages/68_consumer_group_heartbeat.hpp>

#include <algorithm>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::consumer_group_heartbeat_request;
using protocol::messages::consumer_group_heartbeat_response;

bool blank(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

std::vector<std::string> assignors(const cluster_state& cluster) {
    std::vector<std::string> all;
    std::string name;
    for (const auto c : cluster.config("group.consumer.assignors") + ",") {
        if (c != ',') {
            if (c != ' ') name += c;
        } else if (!name.empty()) {
            all.push_back(std::exchange(name, {}));
        }
    }
    return all;
}

// In Kafka's order and words.
group_error check(const cluster_state& cluster, const consumer_group_heartbeat_request& asked, std::int16_t version) {
    const auto invalid = [](std::string why) { return group_error{broker_errc::invalid_request, std::move(why)}; };
    if ((version >= 1 || asked.member_epoch > 0 || asked.member_epoch == -1) && blank(asked.member_id)) return invalid("MemberId can't be empty.");
    if (blank(asked.group_id)) return invalid("GroupId can't be empty.");
    if (asked.instance_id && blank(*asked.instance_id)) return invalid("InstanceId can't be empty.");
    if (asked.rack_id && blank(*asked.rack_id)) return invalid("RackId can't be empty.");
    if (asked.member_epoch == 0) {
        if (asked.rebalance_timeout_ms == -1) return invalid("RebalanceTimeoutMs must be provided in first request.");
        if (!asked.topic_partitions || !asked.topic_partitions->empty()) return invalid("TopicPartitions must be empty when (re-)joining.");
        if (!asked.subscribed_topic_names && !asked.subscribed_topic_regex)
            return invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
    } else if (asked.member_epoch == -2) {
        if (!asked.instance_id) return invalid("InstanceId can't be null.");
    } else if (asked.member_epoch < -2) {
        return invalid("MemberEpoch is invalid.");
    }
    if (asked.server_assignor) {
        const auto known = assignors(cluster);
        if (std::find(known.begin(), known.end(), *asked.server_assignor) == known.end()) {
            std::string list;
            for (const auto& name : known) list += (list.empty() ? "" : ", ") + name;
            return {broker_errc::unsupported_assignor, "ServerAssignor " + *asked.server_assignor + " is not supported. Supported assignors: " + list + "."};
        }
    }
    return {};
}

void reply(cluster_state& cluster, exchange& to, const heartbeat_answer& a) {
    consumer_group_heartbeat_response r;
    if (a.error) {
        r.error_code = code_of(a.error.code);
        if (!a.error.message.empty()) r.error_message = a.error.message;
        return to.answer(r);
    }
    r.member_id = a.member_id;
    r.member_epoch = a.epoch;
    if (a.epoch >= 0) r.heartbeat_interval_ms = static_cast<std::int32_t>(cluster.config_number("group.consumer.heartbeat.interval.ms"));
    if (a.assignment) {
        r.assignment.emplace();
        for (const auto& [topic, partitions] : *a.assignment) {
            auto& t = r.assignment->topic_partitions.emplace_back();
            t.topic_id = topic;
            for (const auto& [p, since] : partitions) t.partitions.push_back(p);
        }
    }
    to.answer(r);
}

consumer_heartbeat read(cluster_state& cluster, const exchange& from, const consumer_group_heartbeat_request& asked) {
    consumer_heartbeat h;
    h.member_id = asked.member_id.empty() ? cluster.random_uuid().to_string() : asked.member_id;
    h.epoch = asked.member_epoch;
    h.instance_id = asked.instance_id;
    h.rack_id = asked.rack_id;
    h.rebalance_timeout_ms = asked.rebalance_timeout_ms;
    h.topics = asked.subscribed_topic_names;
    h.regex = asked.subscribed_topic_regex;
    h.assignor = asked.server_assignor;
    if (asked.topic_partitions) {
        h.owned.emplace();
        for (const auto& t : *asked.topic_partitions) (*h.owned)[t.topic_id].insert(t.partitions.begin(), t.partitions.end());
    }
    h.client_id = from.client_id();
    h.client_host = from.client_host();
    return h;
}

}  // namespace

void consumer_group_heartbeat(cluster_state& cluster, exchange from, const consumer_group_heartbeat_request& asked) {
    if (auto wrong = check(cluster, asked, from.version())) return reply(cluster, from, {.error = std::move(wrong)});
    auto why = broker_errc::none;
    auto* shard = shard_of(cluster, from, asked.group_id, why);
    if (!shard) return reply(cluster, from, {.error = {why}});
    const auto group = asked.group_id;
    if (asked.member_epoch < 0) {
        shard->consumer_leave(group, asked.member_id, asked.instance_id, asked.member_epoch,
                              [&cluster, e = std::move(from)](const heartbeat_answer& a) mutable { reply(cluster, e, a); });
        return;
    }
    const auto h = read(cluster, from, asked);
    shard->consumer_heartbeat(group, h, [&cluster, e = std::move(from)](const heartbeat_answer& a) mutable { reply(cluster, e, a); });
}

}  // namespace kafkawire::broker
