// StreamsGroupHeartbeat (key 88): KIP-1071: a Kafka Streams member joins, reports its topology and receives tasks.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct streams_group_heartbeat_response;

struct streams_group_heartbeat_request {
    using response = streams_group_heartbeat_response;
    static constexpr std::int16_t key = 88;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct key_value {
        std::string key;
        std::string value;
        tagged_fields unknown_tags;
        friend bool operator==(const key_value&, const key_value&) = default;
    };

    struct topic_info {
        std::string name;
        std::int32_t partitions = 0;
        std::int16_t replication_factor = 0;
        std::vector<key_value> topic_configs;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_info&, const topic_info&) = default;
    };

    struct copartition_group {
        std::vector<std::int16_t> source_topics;
        std::vector<std::int16_t> source_topic_regex;
        std::vector<std::int16_t> repartition_source_topics;
        tagged_fields unknown_tags;
        friend bool operator==(const copartition_group&, const copartition_group&) = default;
    };

    struct subtopology {
        std::string subtopology_id;
        std::vector<std::string> source_topics;
        std::vector<std::string> source_topic_regex;
        std::vector<topic_info> state_changelog_topics;
        std::vector<std::string> repartition_sink_topics;
        std::vector<topic_info> repartition_source_topics;
        std::vector<copartition_group> copartition_groups;
        tagged_fields unknown_tags;
        friend bool operator==(const subtopology&, const subtopology&) = default;
    };

    struct topology_value {
        std::int32_t epoch = 0;
        std::vector<subtopology> subtopologies;
        tagged_fields unknown_tags;
        friend bool operator==(const topology_value&, const topology_value&) = default;
    };

    struct task_ids {
        std::string subtopology_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const task_ids&, const task_ids&) = default;
    };

    struct endpoint {
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const endpoint&, const endpoint&) = default;
    };

    struct task_offset {
        std::string subtopology_id;
        std::int32_t partition = 0;
        std::int64_t offset = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const task_offset&, const task_offset&) = default;
    };

    std::string group_id;
    std::string member_id;
    std::int32_t member_epoch = 0;
    std::int32_t endpoint_information_epoch = 0;
    std::optional<std::string> instance_id;
    std::optional<std::string> rack_id;
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<topology_value> topology;
    std::optional<std::vector<task_ids>> active_tasks;
    std::optional<std::vector<task_ids>> standby_tasks;
    std::optional<std::vector<task_ids>> warmup_tasks;
    std::optional<std::string> process_id;
    std::optional<endpoint> user_endpoint;
    std::optional<std::vector<key_value>> client_tags;
    std::optional<std::vector<task_offset>> task_offsets;
    std::optional<std::vector<task_offset>> task_end_offsets;
    bool shutdown_application = false;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_heartbeat_request&, const streams_group_heartbeat_request&) = default;
};

constexpr auto describe(type<streams_group_heartbeat_request::key_value>) {
    using m = streams_group_heartbeat_request::key_value;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"));
}
constexpr auto describe(type<streams_group_heartbeat_request::topic_info>) {
    using m = streams_group_heartbeat_request::topic_info;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"),
        field<&m::replication_factor>("replicationFactor"),
        field<&m::topic_configs>("topicConfigs"));
}
constexpr auto describe(type<streams_group_heartbeat_request::copartition_group>) {
    using m = streams_group_heartbeat_request::copartition_group;
    return fields(
        field<&m::source_topics>("sourceTopics"),
        field<&m::source_topic_regex>("sourceTopicRegex"),
        field<&m::repartition_source_topics>("repartitionSourceTopics"));
}
constexpr auto describe(type<streams_group_heartbeat_request::subtopology>) {
    using m = streams_group_heartbeat_request::subtopology;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::source_topics>("sourceTopics"),
        field<&m::source_topic_regex>("sourceTopicRegex"),
        field<&m::state_changelog_topics>("stateChangelogTopics"),
        field<&m::repartition_sink_topics>("repartitionSinkTopics"),
        field<&m::repartition_source_topics>("repartitionSourceTopics"),
        field<&m::copartition_groups>("copartitionGroups"));
}
constexpr auto describe(type<streams_group_heartbeat_request::topology_value>) {
    using m = streams_group_heartbeat_request::topology_value;
    return fields(
        field<&m::epoch>("epoch"),
        field<&m::subtopologies>("subtopologies"));
}
constexpr auto describe(type<streams_group_heartbeat_request::task_ids>) {
    using m = streams_group_heartbeat_request::task_ids;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<streams_group_heartbeat_request::endpoint>) {
    using m = streams_group_heartbeat_request::endpoint;
    return fields(
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<streams_group_heartbeat_request::task_offset>) {
    using m = streams_group_heartbeat_request::task_offset;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partition>("partition"),
        field<&m::offset>("offset"));
}
constexpr auto describe(type<streams_group_heartbeat_request>) {
    using m = streams_group_heartbeat_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::member_id>("memberId"),
        field<&m::member_epoch>("memberEpoch"),
        field<&m::endpoint_information_epoch>("endpointInformationEpoch"),
        field<&m::instance_id>("instanceId", {.nullable = all()}),
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::rebalance_timeout_ms>("rebalanceTimeoutMs"),
        field<&m::topology>("topology", {.nullable = all()}),
        field<&m::active_tasks>("activeTasks", {.nullable = all()}),
        field<&m::standby_tasks>("standbyTasks", {.nullable = all()}),
        field<&m::warmup_tasks>("warmupTasks", {.nullable = all()}),
        field<&m::process_id>("processId", {.nullable = all()}),
        field<&m::user_endpoint>("userEndpoint", {.nullable = all()}),
        field<&m::client_tags>("clientTags", {.nullable = all()}),
        field<&m::task_offsets>("taskOffsets", {.nullable = all()}),
        field<&m::task_end_offsets>("taskEndOffsets", {.nullable = all()}),
        field<&m::shutdown_application>("shutdownApplication"));
}

struct streams_group_heartbeat_response {
    static constexpr std::int16_t key = 88;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct status_entry {
        std::int8_t status_code = 0;
        std::string status_detail;
        tagged_fields unknown_tags;
        friend bool operator==(const status_entry&, const status_entry&) = default;
    };

    struct task_ids {
        std::string subtopology_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const task_ids&, const task_ids&) = default;
    };

    struct endpoint {
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const endpoint&, const endpoint&) = default;
    };

    struct topic_partition {
        std::string topic;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partition&, const topic_partition&) = default;
    };

    struct endpoint_to_partitions {
        endpoint user_endpoint;
        std::vector<topic_partition> active_partitions;
        std::vector<topic_partition> standby_partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const endpoint_to_partitions&, const endpoint_to_partitions&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::string member_id;
    std::int32_t member_epoch = 0;
    std::int32_t heartbeat_interval_ms = 0;
    std::int32_t acceptable_recovery_lag = 0;
    std::int32_t task_offset_interval_ms = 0;
    std::optional<std::vector<status_entry>> status{std::in_place};
    std::optional<std::vector<task_ids>> active_tasks;
    std::optional<std::vector<task_ids>> standby_tasks;
    std::optional<std::vector<task_ids>> warmup_tasks;
    std::int32_t endpoint_information_epoch = 0;
    std::optional<std::vector<endpoint_to_partitions>> partitions_by_user_endpoint;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_heartbeat_response&, const streams_group_heartbeat_response&) = default;
};

constexpr auto describe(type<streams_group_heartbeat_response::status_entry>) {
    using m = streams_group_heartbeat_response::status_entry;
    return fields(
        field<&m::status_code>("statusCode"),
        field<&m::status_detail>("statusDetail"));
}
constexpr auto describe(type<streams_group_heartbeat_response::task_ids>) {
    using m = streams_group_heartbeat_response::task_ids;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<streams_group_heartbeat_response::endpoint>) {
    using m = streams_group_heartbeat_response::endpoint;
    return fields(
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<streams_group_heartbeat_response::topic_partition>) {
    using m = streams_group_heartbeat_response::topic_partition;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<streams_group_heartbeat_response::endpoint_to_partitions>) {
    using m = streams_group_heartbeat_response::endpoint_to_partitions;
    return fields(
        field<&m::user_endpoint>("userEndpoint"),
        field<&m::active_partitions>("activePartitions"),
        field<&m::standby_partitions>("standbyPartitions"));
}
constexpr auto describe(type<streams_group_heartbeat_response>) {
    using m = streams_group_heartbeat_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::member_id>("memberId"),
        field<&m::member_epoch>("memberEpoch"),
        field<&m::heartbeat_interval_ms>("heartbeatIntervalMs"),
        field<&m::acceptable_recovery_lag>("acceptableRecoveryLag"),
        field<&m::task_offset_interval_ms>("taskOffsetIntervalMs"),
        field<&m::status>("status", {.nullable = all()}),
        field<&m::active_tasks>("activeTasks", {.nullable = all()}),
        field<&m::standby_tasks>("standbyTasks", {.nullable = all()}),
        field<&m::warmup_tasks>("warmupTasks", {.nullable = all()}),
        field<&m::endpoint_information_epoch>("endpointInformationEpoch"),
        field<&m::partitions_by_user_endpoint>("partitionsByUserEndpoint", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
