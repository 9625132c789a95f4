// DeleteShareGroupOffsets (key 92): KIP-932: deletes where a share group begins to read.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct delete_share_group_offsets_response;

struct delete_share_group_offsets_request {
    using response = delete_share_group_offsets_response;
    static constexpr std::int16_t key = 92;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic {
        std::string topic_name;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::string group_id;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_share_group_offsets_request&, const delete_share_group_offsets_request&) = default;
};

constexpr auto describe(type<delete_share_group_offsets_request::topic>) {
    using m = delete_share_group_offsets_request::topic;
    return fields(
        field<&m::topic_name>("topicName"));
}
constexpr auto describe(type<delete_share_group_offsets_request>) {
    using m = delete_share_group_offsets_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"));
}

struct delete_share_group_offsets_response {
    static constexpr std::int16_t key = 92;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic {
        std::string topic_name;
        uuid topic_id;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::vector<topic> responses;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_share_group_offsets_response&, const delete_share_group_offsets_response&) = default;
};

constexpr auto describe(type<delete_share_group_offsets_response::topic>) {
    using m = delete_share_group_offsets_response::topic;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::topic_id>("topicId"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<delete_share_group_offsets_response>) {
    using m = delete_share_group_offsets_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::responses>("responses"));
}

}  // namespace kafkawire::protocol::messages
