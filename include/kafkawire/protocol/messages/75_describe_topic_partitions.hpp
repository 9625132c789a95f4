// DescribeTopicPartitions (key 75): topics' partitions page by page, for topics with very many.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_topic_partitions_response;

struct describe_topic_partitions_request {
    using response = describe_topic_partitions_response;
    static constexpr std::int16_t key = 75;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_request {
        std::string name;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_request&, const topic_request&) = default;
    };

    struct cursor_value {
        std::string topic_name;
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const cursor_value&, const cursor_value&) = default;
    };

    std::vector<topic_request> topics;
    std::int32_t response_partition_limit = 2000;
    std::optional<cursor_value> cursor;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_topic_partitions_request&, const describe_topic_partitions_request&) = default;
};

constexpr auto describe(type<describe_topic_partitions_request::topic_request>) {
    using m = describe_topic_partitions_request::topic_request;
    return fields(
        field<&m::name>("name"));
}
constexpr auto describe(type<describe_topic_partitions_request::cursor_value>) {
    using m = describe_topic_partitions_request::cursor_value;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partition_index>("partitionIndex"));
}
constexpr auto describe(type<describe_topic_partitions_request>) {
    using m = describe_topic_partitions_request;
    return fields(
        field<&m::topics>("topics"),
        field<&m::response_partition_limit>("responsePartitionLimit"),
        field<&m::cursor>("cursor", {.nullable = all()}));
}

struct describe_topic_partitions_response {
    static constexpr std::int16_t key = 75;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition {
        std::int16_t error_code = 0;
        std::int32_t partition_index = 0;
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = -1;
        std::vector<std::int32_t> replica_nodes;
        std::vector<std::int32_t> isr_nodes;
        std::optional<std::vector<std::int32_t>> eligible_leader_replicas;
        std::optional<std::vector<std::int32_t>> last_known_elr;
        std::vector<std::int32_t> offline_replicas;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::int16_t error_code = 0;
        std::optional<std::string> name{std::in_place};
        uuid topic_id;
        bool is_internal = false;
        std::vector<partition> partitions;
        std::int32_t topic_authorized_operations = -2147483648;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    struct cursor {
        std::string topic_name;
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const cursor&, const cursor&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic> topics;
    std::optional<cursor> next_cursor;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_topic_partitions_response&, const describe_topic_partitions_response&) = default;
};

constexpr auto describe(type<describe_topic_partitions_response::partition>) {
    using m = describe_topic_partitions_response::partition;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::partition_index>("partitionIndex"),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch", {.ignorable = true}),
        field<&m::replica_nodes>("replicaNodes"),
        field<&m::isr_nodes>("isrNodes"),
        field<&m::eligible_leader_replicas>("eligibleLeaderReplicas", {.nullable = all()}),
        field<&m::last_known_elr>("lastKnownElr", {.nullable = all()}),
        field<&m::offline_replicas>("offlineReplicas", {.ignorable = true}));
}
constexpr auto describe(type<describe_topic_partitions_response::topic>) {
    using m = describe_topic_partitions_response::topic;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::name>("name", {.nullable = all()}),
        field<&m::topic_id>("topicId", {.ignorable = true}),
        field<&m::is_internal>("isInternal", {.ignorable = true}),
        field<&m::partitions>("partitions"),
        field<&m::topic_authorized_operations>("topicAuthorizedOperations"));
}
constexpr auto describe(type<describe_topic_partitions_response::cursor>) {
    using m = describe_topic_partitions_response::cursor;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partition_index>("partitionIndex"));
}
constexpr auto describe(type<describe_topic_partitions_response>) {
    using m = describe_topic_partitions_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.ignorable = true}),
        field<&m::topics>("topics"),
        field<&m::next_cursor>("nextCursor", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
