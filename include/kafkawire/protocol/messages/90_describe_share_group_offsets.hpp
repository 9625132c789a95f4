// DescribeShareGroupOffsets (key 90): KIP-932: where share groups begin to read.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_share_group_offsets_response;

struct describe_share_group_offsets_request {
    using response = describe_share_group_offsets_response;
    static constexpr std::int16_t key = 90;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct topic {
        std::string topic_name;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    struct group {
        std::string group_id;
        std::optional<std::vector<topic>> topics{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const group&, const group&) = default;
    };

    std::vector<group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_share_group_offsets_request&, const describe_share_group_offsets_request&) = default;
};

constexpr auto describe(type<describe_share_group_offsets_request::topic>) {
    using m = describe_share_group_offsets_request::topic;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_share_group_offsets_request::group>) {
    using m = describe_share_group_offsets_request::group;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics", {.nullable = all()}));
}
constexpr auto describe(type<describe_share_group_offsets_request>) {
    using m = describe_share_group_offsets_request;
    return fields(
        field<&m::groups>("groups"));
}

struct describe_share_group_offsets_response {
    static constexpr std::int16_t key = 90;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t start_offset = 0;
        std::int32_t leader_epoch = 0;
        std::int64_t lag = -1;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string topic_name;
        uuid topic_id;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    struct group {
        std::string group_id;
        std::vector<topic> topics;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const group&, const group&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_share_group_offsets_response&, const describe_share_group_offsets_response&) = default;
};

constexpr auto describe(type<describe_share_group_offsets_response::partition>) {
    using m = describe_share_group_offsets_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::start_offset>("startOffset"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::lag>("lag", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<describe_share_group_offsets_response::topic>) {
    using m = describe_share_group_offsets_response::topic;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_share_group_offsets_response::group>) {
    using m = describe_share_group_offsets_response::group;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<describe_share_group_offsets_response>) {
    using m = describe_share_group_offsets_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::groups>("groups"));
}

}  // namespace kafkawire::protocol::messages
