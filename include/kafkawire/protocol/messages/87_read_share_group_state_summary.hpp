// ReadShareGroupStateSummary (key 87): KIP-932, between brokers: reads the start of a partition's share state without its batches.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct read_share_group_state_summary_response;

struct read_share_group_state_summary_request {
    using response = read_share_group_state_summary_response;
    static constexpr std::int16_t key = 87;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct partition_data {
        std::int32_t partition = 0;
        std::int32_t leader_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct read_state_summary_data {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const read_state_summary_data&, const read_state_summary_data&) = default;
    };

    std::string group_id;
    std::vector<read_state_summary_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const read_share_group_state_summary_request&, const read_share_group_state_summary_request&) = default;
};

constexpr auto describe(type<read_share_group_state_summary_request::partition_data>) {
    using m = read_share_group_state_summary_request::partition_data;
    return fields(
        field<&m::partition>("partition"),
        field<&m::leader_epoch>("leaderEpoch"));
}
constexpr auto describe(type<read_share_group_state_summary_request::read_state_summary_data>) {
    using m = read_share_group_state_summary_request::read_state_summary_data;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<read_share_group_state_summary_request>) {
    using m = read_share_group_state_summary_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"));
}

struct read_share_group_state_summary_response {
    static constexpr std::int16_t key = 87;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct partition_result {
        std::int32_t partition = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        std::int32_t state_epoch = 0;
        std::int32_t leader_epoch = 0;
        std::int64_t start_offset = 0;
        std::int32_t delivery_complete_count = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_result&, const partition_result&) = default;
    };

    struct read_state_summary_result {
        uuid topic_id;
        std::vector<partition_result> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const read_state_summary_result&, const read_state_summary_result&) = default;
    };

    std::vector<read_state_summary_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const read_share_group_state_summary_response&, const read_share_group_state_summary_response&) = default;
};

constexpr auto describe(type<read_share_group_state_summary_response::partition_result>) {
    using m = read_share_group_state_summary_response::partition_result;
    return fields(
        field<&m::partition>("partition"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::state_epoch>("stateEpoch"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::start_offset>("startOffset"),
        field<&m::delivery_complete_count>("deliveryCompleteCount", {.in = since(1), .ignorable = true}));
}
constexpr auto describe(type<read_share_group_state_summary_response::read_state_summary_result>) {
    using m = read_share_group_state_summary_response::read_state_summary_result;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<read_share_group_state_summary_response>) {
    using m = read_share_group_state_summary_response;
    return fields(
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
