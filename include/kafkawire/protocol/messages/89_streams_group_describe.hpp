// StreamsGroupDescribe (key 89): KIP-1071: state, topology and members of streams groups.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct streams_group_describe_response;

struct streams_group_describe_request {
    using response = streams_group_describe_response;
    static constexpr std::int16_t key = 89;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::vector<std::string> group_ids;
    bool include_authorized_operations = false;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_describe_request&, const streams_group_describe_request&) = default;
};

constexpr auto describe(type<streams_group_describe_request>) {
    using m = streams_group_describe_request;
    return fields(
        field<&m::group_ids>("groupIds"),
        field<&m::include_authorized_operations>("includeAuthorizedOperations"));
}

struct streams_group_describe_response {
    static constexpr std::int16_t key = 89;
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

    struct subtopology {
        std::string subtopology_id;
        std::vector<std::string> source_topics;
        std::vector<std::string> repartition_sink_topics;
        std::vector<topic_info> state_changelog_topics;
        std::vector<topic_info> repartition_source_topics;
        tagged_fields unknown_tags;
        friend bool operator==(const subtopology&, const subtopology&) = default;
    };

    struct topology_value {
        std::int32_t epoch = 0;
        std::optional<std::vector<subtopology>> subtopologies;
        tagged_fields unknown_tags;
        friend bool operator==(const topology_value&, const topology_value&) = default;
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

    struct task_ids {
        std::string subtopology_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const task_ids&, const task_ids&) = default;
    };

    struct assignment_value {
        std::vector<task_ids> active_tasks;
        std::vector<task_ids> standby_tasks;
        std::vector<task_ids> warmup_tasks;
        tagged_fields unknown_tags;
        friend bool operator==(const assignment_value&, const assignment_value&) = default;
    };

    struct member {
        std::string member_id;
        std::int32_t member_epoch = 0;
        std::optional<std::string> instance_id;
        std::optional<std::string> rack_id;
        std::string client_id;
        std::string client_host;
        std::int32_t topology_epoch = 0;
        std::string process_id;
        std::optional<endpoint> user_endpoint;
        std::vector<key_value> client_tags;
        std::vector<task_offset> task_offsets;
        std::vector<task_offset> task_end_offsets;
        assignment_value assignment;
        assignment_value target_assignment;
        bool is_classic = false;
        tagged_fields unknown_tags;
        friend bool operator==(const member&, const member&) = default;
    };

    struct described_group {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        std::string group_id;
        std::string group_state;
        std::int32_t group_epoch = 0;
        std::int32_t assignment_epoch = 0;
        std::optional<topology_value> topology;
        std::vector<member> members;
        std::int32_t authorized_operations = -2147483648;
        tagged_fields unknown_tags;
        friend bool operator==(const described_group&, const described_group&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<described_group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_describe_response&, const streams_group_describe_response&) = default;
};

constexpr auto describe(type<streams_group_describe_response::key_value>) {
    using m = streams_group_describe_response::key_value;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"));
}
constexpr auto describe(type<streams_group_describe_response::topic_info>) {
    using m = streams_group_describe_response::topic_info;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"),
        field<&m::replication_factor>("replicationFactor"),
        field<&m::topic_configs>("topicConfigs"));
}
constexpr auto describe(type<streams_group_describe_response::subtopology>) {
    using m = streams_group_describe_response::subtopology;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::source_topics>("sourceTopics"),
        field<&m::repartition_sink_topics>("repartitionSinkTopics"),
        field<&m::state_changelog_topics>("stateChangelogTopics"),
        field<&m::repartition_source_topics>("repartitionSourceTopics"));
}
constexpr auto describe(type<streams_group_describe_response::topology_value>) {
    using m = streams_group_describe_response::topology_value;
    return fields(
        field<&m::epoch>("epoch"),
        field<&m::subtopologies>("subtopologies", {.nullable = all()}));
}
constexpr auto describe(type<streams_group_describe_response::endpoint>) {
    using m = streams_group_describe_response::endpoint;
    return fields(
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<streams_group_describe_response::task_offset>) {
    using m = streams_group_describe_response::task_offset;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partition>("partition"),
        field<&m::offset>("offset"));
}
constexpr auto describe(type<streams_group_describe_response::task_ids>) {
    using m = streams_group_describe_response::task_ids;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<streams_group_describe_response::assignment_value>) {
    using m = streams_group_describe_response::assignment_value;
    return fields(
        field<&m::active_tasks>("activeTasks"),
        field<&m::standby_tasks>("standbyTasks"),
        field<&m::warmup_tasks>("warmupTasks"));
}
constexpr auto describe(type<streams_group_describe_response::member>) {
    using m = streams_group_describe_response::member;
    return fields(
        field<&m::member_id>("memberId"),
        field<&m::member_epoch>("memberEpoch"),
        field<&m::instance_id>("instanceId", {.nullable = all()}),
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::topology_epoch>("topologyEpoch"),
        field<&m::process_id>("processId"),
        field<&m::user_endpoint>("userEndpoint", {.nullable = all()}),
        field<&m::client_tags>("clientTags"),
        field<&m::task_offsets>("taskOffsets"),
        field<&m::task_end_offsets>("taskEndOffsets"),
        field<&m::assignment>("assignment"),
        field<&m::target_assignment>("targetAssignment"),
        field<&m::is_classic>("isClassic"));
}
constexpr auto describe(type<streams_group_describe_response::described_group>) {
    using m = streams_group_describe_response::described_group;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::group_id>("groupId"),
        field<&m::group_state>("groupState"),
        field<&m::group_epoch>("groupEpoch"),
        field<&m::assignment_epoch>("assignmentEpoch"),
        field<&m::topology>("topology", {.nullable = all()}),
        field<&m::members>("members"),
        field<&m::authorized_operations>("authorizedOperations"));
}
constexpr auto describe(type<streams_group_describe_response>) {
    using m = streams_group_describe_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::groups>("groups"));
}

}  // namespace kafkawire::protocol::messages
