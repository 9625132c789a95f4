// ShareGroupDescribe (key 77): KIP-932: state, members and assignments of share groups.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct share_group_describe_response;

struct share_group_describe_request {
    using response = share_group_describe_response;
    static constexpr std::int16_t key = 77;
    static constexpr version_range versions = between(0, 1), flexible = all();

    std::vector<std::string> group_ids;
    bool include_authorized_operations = false;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_describe_request&, const share_group_describe_request&) = default;
};

constexpr auto describe(type<share_group_describe_request>) {
    using m = share_group_describe_request;
    return fields(
        field<&m::group_ids>("groupIds"),
        field<&m::include_authorized_operations>("includeAuthorizedOperations"));
}

struct share_group_describe_response {
    static constexpr std::int16_t key = 77;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct topic_partitions_entry {
        uuid topic_id;
        std::string topic_name;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions_entry&, const topic_partitions_entry&) = default;
    };

    struct assignment_value {
        std::vector<topic_partitions_entry> topic_partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const assignment_value&, const assignment_value&) = default;
    };

    struct member {
        std::string member_id;
        std::optional<std::string> rack_id;
        std::int32_t member_epoch = 0;
        std::string client_id;
        std::string client_host;
        std::vector<std::string> subscribed_topic_names;
        assignment_value assignment;
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
        std::string assignor_name;
        std::vector<member> members;
        std::int32_t authorized_operations = -2147483648;
        tagged_fields unknown_tags;
        friend bool operator==(const described_group&, const described_group&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<described_group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const share_group_describe_response&, const share_group_describe_response&) = default;
};

constexpr auto describe(type<share_group_describe_response::topic_partitions_entry>) {
    using m = share_group_describe_response::topic_partitions_entry;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_group_describe_response::assignment_value>) {
    using m = share_group_describe_response::assignment_value;
    return fields(
        field<&m::topic_partitions>("topicPartitions"));
}
constexpr auto describe(type<share_group_describe_response::member>) {
    using m = share_group_describe_response::member;
    return fields(
        field<&m::member_id>("memberId"),
        field<&m::rack_id>("rackId", {.nullable = all()}),
        field<&m::member_epoch>("memberEpoch"),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::subscribed_topic_names>("subscribedTopicNames"),
        field<&m::assignment>("assignment"));
}
constexpr auto describe(type<share_group_describe_response::described_group>) {
    using m = share_group_describe_response::described_group;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::group_id>("groupId"),
        field<&m::group_state>("groupState"),
        field<&m::group_epoch>("groupEpoch"),
        field<&m::assignment_epoch>("assignmentEpoch"),
        field<&m::assignor_name>("assignorName"),
        field<&m::members>("members"),
        field<&m::authorized_operations>("authorizedOperations"));
}
constexpr auto describe(type<share_group_describe_response>) {
    using m = share_group_describe_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::groups>("groups"));
}

}  // namespace kafkawire::protocol::messages
