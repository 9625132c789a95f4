// OffsetCommit (key 8): a consumer group stores how far it has read.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct offset_commit_response;

struct offset_commit_request {
    using response = offset_commit_response;
    static constexpr std::int16_t key = 8;
    static constexpr version_range versions = between(0, 10), flexible = since(8);

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::int64_t commit_timestamp = -1;
        std::optional<std::string> committed_metadata{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        uuid topic_id;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::string group_id;
    std::int32_t generation_id_or_member_epoch = -1;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::int64_t retention_time_ms = -1;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_commit_request&, const offset_commit_request&) = default;
};

constexpr auto describe(type<offset_commit_request::partition>) {
    using m = offset_commit_request::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::committed_offset>("committedOffset"),
        field<&m::committed_leader_epoch>("committedLeaderEpoch", {.in = since(6), .ignorable = true}),
        field<&m::commit_timestamp>("commitTimestamp", {.in = only(1)}),
        field<&m::committed_metadata>("committedMetadata", {.nullable = all()}));
}
constexpr auto describe(type<offset_commit_request::topic>) {
    using m = offset_commit_request::topic;
    return fields(
        field<&m::name>("name", {.in = between(0, 9), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(10), .ignorable = true}),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<offset_commit_request>) {
    using m = offset_commit_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::generation_id_or_member_epoch>("generationIdOrMemberEpoch", {.in = since(1), .ignorable = true}),
        field<&m::member_id>("memberId", {.in = since(1), .ignorable = true}),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(7), .nullable = since(7)}),
        field<&m::retention_time_ms>("retentionTimeMs", {.in = between(2, 4), .ignorable = true}),
        field<&m::topics>("topics"));
}

struct offset_commit_response {
    static constexpr std::int16_t key = 8;
    static constexpr version_range versions = between(0, 10), flexible = since(8);

    struct partition {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        uuid topic_id;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_commit_response&, const offset_commit_response&) = default;
};

constexpr auto describe(type<offset_commit_response::partition>) {
    using m = offset_commit_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<offset_commit_response::topic>) {
    using m = offset_commit_response::topic;
    return fields(
        field<&m::name>("name", {.in = between(0, 9), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(10), .ignorable = true}),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<offset_commit_response>) {
    using m = offset_commit_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(3), .ignorable = true}),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
