// Keys and values of the topic __consumer_offsets that streams groups (KIP-1071) write.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct streams_group_current_member_assignment_key {
    static constexpr std::int16_t key = 22;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_current_member_assignment_key&, const streams_group_current_member_assignment_key&) = default;
};

constexpr auto describe(type<streams_group_current_member_assignment_key>) {
    using m = streams_group_current_member_assignment_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct streams_group_current_member_assignment_value {
    static constexpr std::int16_t key = 22;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct task_ids {
        std::string subtopology_id;
        std::vector<std::int32_t> partitions;
        std::optional<std::vector<std::int32_t>> assignment_epochs{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const task_ids&, const task_ids&) = default;
    };

    std::int32_t member_epoch = 0;
    std::int32_t previous_member_epoch = 0;
    std::int8_t state = 0;
    std::vector<task_ids> active_tasks;
    std::vector<task_ids> standby_tasks;
    std::vector<task_ids> warmup_tasks;
    std::vector<task_ids> active_tasks_pending_revocation;
    std::vector<task_ids> standby_tasks_pending_revocation;
    std::vector<task_ids> warmup_tasks_pending_revocation;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_current_member_assignment_value&, const streams_group_current_member_assignment_value&) = default;
};

constexpr auto describe(type<streams_group_current_member_assignment_value::task_ids>) {
    using m = streams_group_current_member_assignment_value::task_ids;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partitions>("partitions"),
        field<&m::assignment_epochs>("assignmentEpochs", {.nullable = all(), .tagged = all(), .tag = 0}));
}
constexpr auto describe(type<streams_group_current_member_assignment_value>) {
    using m = streams_group_current_member_assignment_value;
    return fields(
        field<&m::member_epoch>("memberEpoch"),
        field<&m::previous_member_epoch>("previousMemberEpoch"),
        field<&m::state>("state"),
        field<&m::active_tasks>("activeTasks"),
        field<&m::standby_tasks>("standbyTasks"),
        field<&m::warmup_tasks>("warmupTasks"),
        field<&m::active_tasks_pending_revocation>("activeTasksPendingRevocation"),
        field<&m::standby_tasks_pending_revocation>("standbyTasksPendingRevocation"),
        field<&m::warmup_tasks_pending_revocation>("warmupTasksPendingRevocation"));
}

struct streams_group_member_metadata_key {
    static constexpr std::int16_t key = 19;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_member_metadata_key&, const streams_group_member_metadata_key&) = default;
};

constexpr auto describe(type<streams_group_member_metadata_key>) {
    using m = streams_group_member_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct streams_group_member_metadata_value {
    static constexpr std::int16_t key = 19;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct endpoint {
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const endpoint&, const endpoint&) = default;
    };

    struct key_value {
        std::string key;
        std::string value;
        tagged_fields unknown_tags;
        friend bool operator==(const key_value&, const key_value&) = default;
    };

    std::optional<std::string> instance_id{std::in_place};
    std::optional<std::string> rack_id{std::in_place};
    std::string client_id;
    std::string client_host;
    std::int32_t rebalance_timeout_ms = -1;
    std::int32_t topology_epoch = 0;
    std::string process_id;
    std::optional<endpoint> user_endpoint;
    std::vector<key_value> client_tags;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_member_metadata_value&, const streams_group_member_metadata_value&) = default;
};

constexpr auto describe(type<streams_group_member_metadata_value::endpoint>) {
    using m = streams_group_member_metadata_value::endpoint;
    return fields(
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<streams_group_member_metadata_value::key_value>) {
    using m = streams_group_member_metadata_value::key_value;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"));
}
constexpr auto describe(type<streams_group_member_metadata_value>) {
    using m = streams_group_member_metadata_value;
    return fields(
        field<&m::instance_id>("instanceId", {.nullable = all()}),
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::rebalance_timeout_ms>("rebalanceTimeoutMs"),
        field<&m::topology_epoch>("topologyEpoch"),
        field<&m::process_id>("processId"),
        field<&m::user_endpoint>("userEndpoint", {.nullable = all()}),
        field<&m::client_tags>("clientTags"));
}

struct streams_group_metadata_key {
    static constexpr std::int16_t key = 17;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_metadata_key&, const streams_group_metadata_key&) = default;
};

constexpr auto describe(type<streams_group_metadata_key>) {
    using m = streams_group_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct streams_group_metadata_value {
    static constexpr std::int16_t key = 17;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct last_assignment_config {
        std::string key;
        std::string value;
        tagged_fields unknown_tags;
        friend bool operator==(const last_assignment_config&, const last_assignment_config&) = default;
    };

    std::int32_t epoch = 0;
    std::int64_t metadata_hash = 0;
    std::int32_t validated_topology_epoch = -1;
    std::optional<std::vector<last_assignment_config>> last_assignment_configs{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_metadata_value&, const streams_group_metadata_value&) = default;
};

constexpr auto describe(type<streams_group_metadata_value::last_assignment_config>) {
    using m = streams_group_metadata_value::last_assignment_config;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"));
}
constexpr auto describe(type<streams_group_metadata_value>) {
    using m = streams_group_metadata_value;
    return fields(
        field<&m::epoch>("epoch"),
        field<&m::metadata_hash>("metadataHash"),
        field<&m::validated_topology_epoch>("validatedTopologyEpoch", {.tagged = all(), .tag = 0}),
        field<&m::last_assignment_configs>("lastAssignmentConfigs", {.nullable = all(), .tagged = all(), .tag = 1}));
}

struct streams_group_target_assignment_member_key {
    static constexpr std::int16_t key = 21;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_target_assignment_member_key&, const streams_group_target_assignment_member_key&) = default;
};

constexpr auto describe(type<streams_group_target_assignment_member_key>) {
    using m = streams_group_target_assignment_member_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct streams_group_target_assignment_member_value {
    static constexpr std::int16_t key = 21;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct task_ids {
        std::string subtopology_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const task_ids&, const task_ids&) = default;
    };

    std::vector<task_ids> active_tasks;
    std::vector<task_ids> standby_tasks;
    std::vector<task_ids> warmup_tasks;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_target_assignment_member_value&, const streams_group_target_assignment_member_value&) = default;
};

constexpr auto describe(type<streams_group_target_assignment_member_value::task_ids>) {
    using m = streams_group_target_assignment_member_value::task_ids;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<streams_group_target_assignment_member_value>) {
    using m = streams_group_target_assignment_member_value;
    return fields(
        field<&m::active_tasks>("activeTasks"),
        field<&m::standby_tasks>("standbyTasks"),
        field<&m::warmup_tasks>("warmupTasks"));
}

struct streams_group_target_assignment_metadata_key {
    static constexpr std::int16_t key = 20;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_target_assignment_metadata_key&, const streams_group_target_assignment_metadata_key&) = default;
};

constexpr auto describe(type<streams_group_target_assignment_metadata_key>) {
    using m = streams_group_target_assignment_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct streams_group_target_assignment_metadata_value {
    static constexpr std::int16_t key = 20;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t assignment_epoch = 0;
    std::int64_t assignment_timestamp = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_target_assignment_metadata_value&, const streams_group_target_assignment_metadata_value&) = default;
};

constexpr auto describe(type<streams_group_target_assignment_metadata_value>) {
    using m = streams_group_target_assignment_metadata_value;
    return fields(
        field<&m::assignment_epoch>("assignmentEpoch"),
        field<&m::assignment_timestamp>("assignmentTimestamp", {.tagged = all(), .tag = 0, .ignorable = true}));
}

struct streams_group_topology_key {
    static constexpr std::int16_t key = 23;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_topology_key&, const streams_group_topology_key&) = default;
};

constexpr auto describe(type<streams_group_topology_key>) {
    using m = streams_group_topology_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct streams_group_topology_value {
    static constexpr std::int16_t key = 23;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_config {
        std::string key;
        std::string value;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_config&, const topic_config&) = default;
    };

    struct topic_info {
        std::string name;
        std::int32_t partitions = 0;
        std::int16_t replication_factor = 0;
        std::vector<topic_config> topic_configs;
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

    std::int32_t epoch = 0;
    std::vector<subtopology> subtopologies;
    tagged_fields unknown_tags;
    friend bool operator==(const streams_group_topology_value&, const streams_group_topology_value&) = default;
};

constexpr auto describe(type<streams_group_topology_value::topic_config>) {
    using m = streams_group_topology_value::topic_config;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"));
}
constexpr auto describe(type<streams_group_topology_value::topic_info>) {
    using m = streams_group_topology_value::topic_info;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"),
        field<&m::replication_factor>("replicationFactor"),
        field<&m::topic_configs>("topicConfigs"));
}
constexpr auto describe(type<streams_group_topology_value::copartition_group>) {
    using m = streams_group_topology_value::copartition_group;
    return fields(
        field<&m::source_topics>("sourceTopics"),
        field<&m::source_topic_regex>("sourceTopicRegex"),
        field<&m::repartition_source_topics>("repartitionSourceTopics"));
}
constexpr auto describe(type<streams_group_topology_value::subtopology>) {
    using m = streams_group_topology_value::subtopology;
    return fields(
        field<&m::subtopology_id>("subtopologyId"),
        field<&m::source_topics>("sourceTopics"),
        field<&m::source_topic_regex>("sourceTopicRegex"),
        field<&m::state_changelog_topics>("stateChangelogTopics"),
        field<&m::repartition_sink_topics>("repartitionSinkTopics"),
        field<&m::repartition_source_topics>("repartitionSourceTopics"),
        field<&m::copartition_groups>("copartitionGroups"));
}
constexpr auto describe(type<streams_group_topology_value>) {
    using m = streams_group_topology_value;
    return fields(
        field<&m::epoch>("epoch"),
        field<&m::subtopologies>("subtopologies"));
}

}  // namespace kafkawire::protocol::messages
