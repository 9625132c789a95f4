// AlterShareGroupOffsets (key 91): KIP-932: moves where an empty share group begins to read.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct alter_share_group_offsets_response;

struct alter_share_group_offsets_request {
    using response = alter_share_group_offsets_response;
    static constexpr std::int16_t key = 91;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t start_offset = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string topic_name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::string group_id;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_share_group_offsets_request&, const alter_share_group_offsets_request&) = default;
};

constexpr auto describe(type<alter_share_group_offsets_request::partition>) {
    using m = alter_share_group_offsets_request::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::start_offset>("startOffset"));
}
constexpr auto describe(type<alter_share_group_offsets_request::topic>) {
    using m = alter_share_group_offsets_request::topic;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_share_group_offsets_request>) {
    using m = alter_share_group_offsets_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"));
}

struct alter_share_group_offsets_response {
    static constexpr std::int16_t key = 91;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition {
        std::int32_t partition_index = 0;
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

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::vector<topic> responses;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_share_group_offsets_response&, const alter_share_group_offsets_response&) = default;
};

constexpr auto describe(type<alter_share_group_offsets_response::partition>) {
    using m = alter_share_group_offsets_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<alter_share_group_offsets_response::topic>) {
    using m = alter_share_group_offsets_response::topic;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_share_group_offsets_response>) {
    using m = alter_share_group_offsets_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::responses>("responses"));
}

}  // namespace kafkawire::protocol::messages
