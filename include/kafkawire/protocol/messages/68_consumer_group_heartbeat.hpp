// ConsumerGroupHeartbeat (key 68): KIP-848: the one request by which a consumer joins, stays, reports, receives partitions and leaves.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct consumer_group_heartbeat_response;

struct consumer_group_heartbeat_request {
    using response = consumer_group_heartbeat_response;
    static constexpr std::int16_t key = 68;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct topic_partitions_entry {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions_entry&, const topic_partitions_entry&) = default;
    };

    std::string group_id;
    std::string member_id;
    std::int32_t member_epoch = 0;
    std::optional<std::string> instance_id;
    std::optional<std::string> rack_id;
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<std::vector<std::string>> subscribed_topic_names;
    std::optional<std::string> subscribed_topic_regex;
    std::optional<std::string> server_assignor;
    std::optional<std::vector<topic_partitions_entry>> topic_partitions;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_heartbeat_request&, const consumer_group_heartbeat_request&) = default;
};

constexpr auto describe(type<consumer_group_heartbeat_request::topic_partitions_entry>) {
    using m = consumer_group_heartbeat_request::topic_partitions_entry;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<consumer_group_heartbeat_request>) {
    using m = consumer_group_heartbeat_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::member_id>("memberId"),
        field<&m::member_epoch>("memberEpoch"),
        field<&m::instance_id>("instanceId", {.nullable = all()}),
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::rebalance_timeout_ms>("rebalanceTimeoutMs"),
        field<&m::subscribed_topic_names>("subscribedTopicNames", {.nullable = all()}),
        field<&m::subscribed_topic_regex>("subscribedTopicRegex", {.in = since(1), .nullable = since(1)}),
        field<&m::server_assignor>("serverAssignor", {.nullable = all()}),
        field<&m::topic_partitions>("topicPartitions", {.nullable = all()}));
}

struct consumer_group_heartbeat_response {
    static constexpr std::int16_t key = 68;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct topic_partitions_entry {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions_entry&, const topic_partitions_entry&) = default;
    };

    struct assignment_value {
        std::vector<topic_partitions_entry> topic_partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const assignment_value&, const assignment_value&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::optional<std::string> member_id;
    std::int32_t member_epoch = 0;
    std::int32_t heartbeat_interval_ms = 0;
    std::optional<assignment_value> assignment;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_heartbeat_response&, const consumer_group_heartbeat_response&) = default;
};

constexpr auto describe(type<consumer_group_heartbeat_response::topic_partitions_entry>) {
    using m = consumer_group_heartbeat_response::topic_partitions_entry;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<consumer_group_heartbeat_response::assignment_value>) {
    using m = consumer_group_heartbeat_response::assignment_value;
    return fields(
        field<&m::topic_partitions>("topicPartitions"));
}
constexpr auto describe(type<consumer_group_heartbeat_response>) {
    using m = consumer_group_heartbeat_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::member_id>("memberId", {.nullable = all()}),
        field<&m::member_epoch>("memberEpoch"),
        field<&m::heartbeat_interval_ms>("heartbeatIntervalMs"),
        field<&m::assignment>("assignment", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
