// Keys and values of the topic __consumer_offsets that KIP-848 groups write.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct consumer_group_current_member_assignment_key {
    static constexpr std::int16_t key = 8;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_current_member_assignment_key&, const consumer_group_current_member_assignment_key&) = default;
};

constexpr auto describe(type<consumer_group_current_member_assignment_key>) {
    using m = consumer_group_current_member_assignment_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct consumer_group_current_member_assignment_value {
    static constexpr std::int16_t key = 8;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_partitions {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        std::optional<std::vector<std::int32_t>> assignment_epochs{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions&, const topic_partitions&) = default;
    };

    std::int32_t member_epoch = 0;
    std::int32_t previous_member_epoch = 0;
    std::int8_t state = 0;
    std::vector<topic_partitions> assigned_partitions;
    std::vector<topic_partitions> partitions_pending_revocation;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_current_member_assignment_value&, const consumer_group_current_member_assignment_value&) = default;
};

constexpr auto describe(type<consumer_group_current_member_assignment_value::topic_partitions>) {
    using m = consumer_group_current_member_assignment_value::topic_partitions;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"),
        field<&m::assignment_epochs>("assignmentEpochs", {.nullable = all(), .tagged = all(), .tag = 0}));
}
constexpr auto describe(type<consumer_group_current_member_assignment_value>) {
    using m = consumer_group_current_member_assignment_value;
    return fields(
        field<&m::member_epoch>("memberEpoch"),
        field<&m::previous_member_epoch>("previousMemberEpoch"),
        field<&m::state>("state"),
        field<&m::assigned_partitions>("assignedPartitions"),
        field<&m::partitions_pending_revocation>("partitionsPendingRevocation"));
}

struct consumer_group_member_metadata_key {
    static constexpr std::int16_t key = 5;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_member_metadata_key&, const consumer_group_member_metadata_key&) = default;
};

constexpr auto describe(type<consumer_group_member_metadata_key>) {
    using m = consumer_group_member_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

// Outside of the message, whose default holds one: inside, their member initialisers would not be known yet.
struct consumer_group_classic_protocol {
    std::string name;
    bytes metadata;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_classic_protocol&, const consumer_group_classic_protocol&) = default;
};

struct consumer_group_classic_member_metadata {
    std::int32_t session_timeout_ms = 0;
    std::vector<consumer_group_classic_protocol> supported_protocols;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_classic_member_metadata&, const consumer_group_classic_member_metadata&) = default;
};

struct consumer_group_member_metadata_value {
    static constexpr std::int16_t key = 5;
    static constexpr version_range versions = between(0, 0), flexible = all();

    using classic_protocol = consumer_group_classic_protocol;
    using classic_member_metadata_value = consumer_group_classic_member_metadata;

    std::optional<std::string> instance_id{std::in_place};
    std::optional<std::string> rack_id{std::in_place};
    std::string client_id;
    std::string client_host;
    std::vector<std::string> subscribed_topic_names;
    std::optional<std::string> subscribed_topic_regex{std::in_place};
    std::int32_t rebalance_timeout_ms = -1;
    std::optional<std::string> server_assignor{std::in_place};
    std::optional<classic_member_metadata_value> classic_member_metadata{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_member_metadata_value&, const consumer_group_member_metadata_value&) = default;
};

constexpr auto describe(type<consumer_group_member_metadata_value::classic_protocol>) {
    using m = consumer_group_member_metadata_value::classic_protocol;
    return fields(
        field<&m::name>("name"),
        field<&m::metadata>("metadata"));
}
constexpr auto describe(type<consumer_group_member_metadata_value::classic_member_metadata_value>) {
    using m = consumer_group_member_metadata_value::classic_member_metadata_value;
    return fields(
        field<&m::session_timeout_ms>("sessionTimeoutMs"),
        field<&m::supported_protocols>("supportedProtocols"));
}
constexpr auto describe(type<consumer_group_member_metadata_value>) {
    using m = consumer_group_member_metadata_value;
    return fields(
        field<&m::instance_id>("instanceId", {.nullable = all()}),
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::subscribed_topic_names>("subscribedTopicNames"),
        field<&m::subscribed_topic_regex>("subscribedTopicRegex", {.nullable = all()}),
        field<&m::rebalance_timeout_ms>("rebalanceTimeoutMs"),
        field<&m::server_assignor>("serverAssignor", {.nullable = all()}),
        field<&m::classic_member_metadata>("classicMemberMetadata", {.nullable = all(), .tagged = all(), .tag = 0}));
}

struct consumer_group_metadata_key {
    static constexpr std::int16_t key = 3;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_metadata_key&, const consumer_group_metadata_key&) = default;
};

constexpr auto describe(type<consumer_group_metadata_key>) {
    using m = consumer_group_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct consumer_group_metadata_value {
    static constexpr std::int16_t key = 3;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t epoch = 0;
    std::int64_t metadata_hash = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_metadata_value&, const consumer_group_metadata_value&) = default;
};

constexpr auto describe(type<consumer_group_metadata_value>) {
    using m = consumer_group_metadata_value;
    return fields(
        field<&m::epoch>("epoch"),
        field<&m::metadata_hash>("metadataHash", {.tagged = all(), .tag = 0}));
}

struct consumer_group_partition_metadata_key {
    static constexpr std::int16_t key = 4;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_partition_metadata_key&, const consumer_group_partition_metadata_key&) = default;
};

constexpr auto describe(type<consumer_group_partition_metadata_key>) {
    using m = consumer_group_partition_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct consumer_group_partition_metadata_value {
    static constexpr std::int16_t key = 4;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition_metadata_entry {
        std::int32_t partition = 0;
        std::vector<std::string> racks;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_metadata_entry&, const partition_metadata_entry&) = default;
    };

    struct topic_metadata {
        uuid topic_id;
        std::string topic_name;
        std::int32_t num_partitions = 0;
        std::vector<partition_metadata_entry> partition_metadata;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_metadata&, const topic_metadata&) = default;
    };

    std::vector<topic_metadata> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_partition_metadata_value&, const consumer_group_partition_metadata_value&) = default;
};

constexpr auto describe(type<consumer_group_partition_metadata_value::partition_metadata_entry>) {
    using m = consumer_group_partition_metadata_value::partition_metadata_entry;
    return fields(
        field<&m::partition>("partition"),
        field<&m::racks>("racks"));
}
constexpr auto describe(type<consumer_group_partition_metadata_value::topic_metadata>) {
    using m = consumer_group_partition_metadata_value::topic_metadata;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::topic_name>("topicName"),
        field<&m::num_partitions>("numPartitions"),
        field<&m::partition_metadata>("partitionMetadata"));
}
constexpr auto describe(type<consumer_group_partition_metadata_value>) {
    using m = consumer_group_partition_metadata_value;
    return fields(
        field<&m::topics>("topics"));
}

struct consumer_group_regular_expression_key {
    static constexpr std::int16_t key = 16;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string regular_expression;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_regular_expression_key&, const consumer_group_regular_expression_key&) = default;
};

constexpr auto describe(type<consumer_group_regular_expression_key>) {
    using m = consumer_group_regular_expression_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::regular_expression>("regularExpression", {.in = only(0)}));
}

struct consumer_group_regular_expression_value {
    static constexpr std::int16_t key = 16;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::vector<std::string> topics;
    std::int64_t version = 0;
    std::int64_t timestamp = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_regular_expression_value&, const consumer_group_regular_expression_value&) = default;
};

constexpr auto describe(type<consumer_group_regular_expression_value>) {
    using m = consumer_group_regular_expression_value;
    return fields(
        field<&m::topics>("topics"),
        field<&m::version>("version"),
        field<&m::timestamp>("timestamp"));
}

struct consumer_group_target_assignment_member_key {
    static constexpr std::int16_t key = 7;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_target_assignment_member_key&, const consumer_group_target_assignment_member_key&) = default;
};

constexpr auto describe(type<consumer_group_target_assignment_member_key>) {
    using m = consumer_group_target_assignment_member_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct consumer_group_target_assignment_member_value {
    static constexpr std::int16_t key = 7;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_partition {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partition&, const topic_partition&) = default;
    };

    std::vector<topic_partition> topic_partitions;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_target_assignment_member_value&, const consumer_group_target_assignment_member_value&) = default;
};

constexpr auto describe(type<consumer_group_target_assignment_member_value::topic_partition>) {
    using m = consumer_group_target_assignment_member_value::topic_partition;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<consumer_group_target_assignment_member_value>) {
    using m = consumer_group_target_assignment_member_value;
    return fields(
        field<&m::topic_partitions>("topicPartitions"));
}

struct consumer_group_target_assignment_metadata_key {
    static constexpr std::int16_t key = 6;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_target_assignment_metadata_key&, const consumer_group_target_assignment_metadata_key&) = default;
};

constexpr auto describe(type<consumer_group_target_assignment_metadata_key>) {
    using m = consumer_group_target_assignment_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct consumer_group_target_assignment_metadata_value {
    static constexpr std::int16_t key = 6;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t assignment_epoch = 0;
    std::int64_t assignment_timestamp = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_group_target_assignment_metadata_value&, const consumer_group_target_assignment_metadata_value&) = default;
};

constexpr auto describe(type<consumer_group_target_assignment_metadata_value>) {
    using m = consumer_group_target_assignment_metadata_value;
    return fields(
        field<&m::assignment_epoch>("assignmentEpoch"),
        field<&m::assignment_timestamp>("assignmentTimestamp", {.tagged = all(), .tag = 0, .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
