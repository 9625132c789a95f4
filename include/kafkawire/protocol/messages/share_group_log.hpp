// Keys and values of the topic __consumer_offsets that share groups (KIP-932) write.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct share_group_current_member_assignment_key {
    static constexpr std::int16_t key = 14;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_current_member_assignment_key&, const share_group_current_member_assignment_key&) = default;
};

constexpr auto describe(type<share_group_current_member_assignment_key>) {
    using m = share_group_current_member_assignment_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct share_group_current_member_assignment_value {
    static constexpr std::int16_t key = 14;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_partitions {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions&, const topic_partitions&) = default;
    };

    std::int32_t member_epoch = 0;
    std::int32_t previous_member_epoch = 0;
    std::int8_t state = 0;
    std::vector<topic_partitions> assigned_partitions;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_current_member_assignment_value&, const share_group_current_member_assignment_value&) = default;
};

constexpr auto describe(type<share_group_current_member_assignment_value::topic_partitions>) {
    using m = share_group_current_member_assignment_value::topic_partitions;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_group_current_member_assignment_value>) {
    using m = share_group_current_member_assignment_value;
    return fields(
        field<&m::member_epoch>("memberEpoch"),
        field<&m::previous_member_epoch>("previousMemberEpoch"),
        field<&m::state>("state"),
        field<&m::assigned_partitions>("assignedPartitions"));
}

struct share_group_member_metadata_key {
    static constexpr std::int16_t key = 10;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_member_metadata_key&, const share_group_member_metadata_key&) = default;
};

constexpr auto describe(type<share_group_member_metadata_key>) {
    using m = share_group_member_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct share_group_member_metadata_value {
    static constexpr std::int16_t key = 10;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::optional<std::string> rack_id{std::in_place};
    std::string client_id;
    std::string client_host;
    std::vector<std::string> subscribed_topic_names;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_member_metadata_value&, const share_group_member_metadata_value&) = default;
};

constexpr auto describe(type<share_group_member_metadata_value>) {
    using m = share_group_member_metadata_value;
    return fields(
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::subscribed_topic_names>("subscribedTopicNames"));
}

struct share_group_metadata_key {
    static constexpr std::int16_t key = 11;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_metadata_key&, const share_group_metadata_key&) = default;
};

constexpr auto describe(type<share_group_metadata_key>) {
    using m = share_group_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct share_group_metadata_value {
    static constexpr std::int16_t key = 11;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t epoch = 0;
    std::int64_t metadata_hash = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_metadata_value&, const share_group_metadata_value&) = default;
};

constexpr auto describe(type<share_group_metadata_value>) {
    using m = share_group_metadata_value;
    return fields(
        field<&m::epoch>("epoch"),
        field<&m::metadata_hash>("metadataHash"));
}

struct share_group_state_partition_metadata_key {
    static constexpr std::int16_t key = 15;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_state_partition_metadata_key&, const share_group_state_partition_metadata_key&) = default;
};

constexpr auto describe(type<share_group_state_partition_metadata_key>) {
    using m = share_group_state_partition_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct share_group_state_partition_metadata_value {
    static constexpr std::int16_t key = 15;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_partitions_info {
        uuid topic_id;
        std::string topic_name;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions_info&, const topic_partitions_info&) = default;
    };

    struct topic_info {
        uuid topic_id;
        std::string topic_name;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_info&, const topic_info&) = default;
    };

    std::vector<topic_partitions_info> initializing_topics;
    std::vector<topic_partitions_info> initialized_topics;
    std::vector<topic_info> deleting_topics;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_state_partition_metadata_value&, const share_group_state_partition_metadata_value&) = default;
};

constexpr auto describe(type<share_group_state_partition_metadata_value::topic_partitions_info>) {
    using m = share_group_state_partition_metadata_value::topic_partitions_info;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_group_state_partition_metadata_value::topic_info>) {
    using m = share_group_state_partition_metadata_value::topic_info;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::topic_name>("topicName"));
}
constexpr auto describe(type<share_group_state_partition_metadata_value>) {
    using m = share_group_state_partition_metadata_value;
    return fields(
        field<&m::initializing_topics>("initializingTopics"),
        field<&m::initialized_topics>("initializedTopics"),
        field<&m::deleting_topics>("deletingTopics"));
}

struct share_group_target_assignment_member_key {
    static constexpr std::int16_t key = 13;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    std::string member_id;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_target_assignment_member_key&, const share_group_target_assignment_member_key&) = default;
};

constexpr auto describe(type<share_group_target_assignment_member_key>) {
    using m = share_group_target_assignment_member_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}),
        field<&m::member_id>("memberId", {.in = only(0)}));
}

struct share_group_target_assignment_member_value {
    static constexpr std::int16_t key = 13;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_partition {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partition&, const topic_partition&) = default;
    };

    std::vector<topic_partition> topic_partitions;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_target_assignment_member_value&, const share_group_target_assignment_member_value&) = default;
};

constexpr auto describe(type<share_group_target_assignment_member_value::topic_partition>) {
    using m = share_group_target_assignment_member_value::topic_partition;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_group_target_assignment_member_value>) {
    using m = share_group_target_assignment_member_value;
    return fields(
        field<&m::topic_partitions>("topicPartitions"));
}

struct share_group_target_assignment_metadata_key {
    static constexpr std::int16_t key = 12;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_target_assignment_metadata_key&, const share_group_target_assignment_metadata_key&) = default;
};

constexpr auto describe(type<share_group_target_assignment_metadata_key>) {
    using m = share_group_target_assignment_metadata_key;
    return fields(
        field<&m::group_id>("groupId", {.in = only(0)}));
}

struct share_group_target_assignment_metadata_value {
    static constexpr std::int16_t key = 12;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t assignment_epoch = 0;
    std::int64_t assignment_timestamp = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_target_assignment_metadata_value&, const share_group_target_assignment_metadata_value&) = default;
};

constexpr auto describe(type<share_group_target_assignment_metadata_value>) {
    using m = share_group_target_assignment_metadata_value;
    return fields(
        field<&m::assignment_epoch>("assignmentEpoch"),
        field<&m::assignment_timestamp>("assignmentTimestamp", {.tagged = all(), .tag = 0, .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
