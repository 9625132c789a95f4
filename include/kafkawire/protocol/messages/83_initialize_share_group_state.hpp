// InitializeShareGroupState (key 83): KIP-932, between brokers: makes a partition's share state.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct initialize_share_group_state_response;

struct initialize_share_group_state_request {
    using response = initialize_share_group_state_response;
    static constexpr std::int16_t key = 83;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition_data {
        std::int32_t partition = 0;
        std::int32_t state_epoch = 0;
        std::int64_t start_offset = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct initialize_state_data {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const initialize_state_data&, const initialize_state_data&) = default;
    };

    std::string group_id;
    std::vector<initialize_state_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const initialize_share_group_state_request&, const initialize_share_group_state_request&) = default;
};

constexpr auto describe(type<initialize_share_group_state_request::partition_data>) {
    using m = initialize_share_group_state_request::partition_data;
    return fields(
        field<&m::partition>("partition"),
        field<&m::state_epoch>("stateEpoch"),
        field<&m::start_offset>("startOffset"));
}
constexpr auto describe(type<initialize_share_group_state_request::initialize_state_data>) {
    using m = initialize_share_group_state_request::initialize_state_data;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<initialize_share_group_state_request>) {
    using m = initialize_share_group_state_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"));
}

struct initialize_share_group_state_response {
    static constexpr std::int16_t key = 83;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition_result {
        std::int32_t partition = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_result&, const partition_result&) = default;
    };

    struct initialize_state_result {
        uuid topic_id;
        std::vector<partition_result> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const initialize_state_result&, const initialize_state_result&) = default;
    };

    std::vector<initialize_state_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const initialize_share_group_state_response&, const initialize_share_group_state_response&) = default;
};

constexpr auto describe(type<initialize_share_group_state_response::partition_result>) {
    using m = initialize_share_group_state_response::partition_result;
    return fields(
        field<&m::partition>("partition"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<initialize_share_group_state_response::initialize_state_result>) {
    using m = initialize_share_group_state_response::initialize_state_result;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<initialize_share_group_state_response>) {
    using m = initialize_share_group_state_response;
    return fields(
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
