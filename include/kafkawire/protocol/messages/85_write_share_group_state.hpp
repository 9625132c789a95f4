// WriteShareGroupState (key 85): KIP-932, between brokers: stores a partition's share state.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct write_share_group_state_response;

struct write_share_group_state_request {
    using response = write_share_group_state_response;
    static constexpr std::int16_t key = 85;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct state_batch {
        std::int64_t first_offset = 0;
        std::int64_t last_offset = 0;
        std::int8_t delivery_state = 0;
        std::int16_t delivery_count = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const state_batch&, const state_batch&) = default;
    };

    struct partition_data {
        std::int32_t partition = 0;
        std::int32_t state_epoch = 0;
        std::int32_t leader_epoch = 0;
        std::int64_t start_offset = 0;
        std::int32_t delivery_complete_count = -1;
        std::vector<state_batch> state_batches;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct write_state_data {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const write_state_data&, const write_state_data&) = default;
    };

    std::string group_id;
    std::vector<write_state_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const write_share_group_state_request&, const write_share_group_state_request&) = default;
};

constexpr auto describe(type<write_share_group_state_request::state_batch>) {
    using m = write_share_group_state_request::state_batch;
    return fields(
        field<&m::first_offset>("firstOffset"),
        field<&m::last_offset>("lastOffset"),
        field<&m::delivery_state>("deliveryState"),
        field<&m::delivery_count>("deliveryCount"));
}
constexpr auto describe(type<write_share_group_state_request::partition_data>) {
    using m = write_share_group_state_request::partition_data;
    return fields(
        field<&m::partition>("partition"),
        field<&m::state_epoch>("stateEpoch"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::start_offset>("startOffset"),
        field<&m::delivery_complete_count>("deliveryCompleteCount", {.in = since(1), .ignorable = true}),
        field<&m::state_batches>("stateBatches"));
}
constexpr auto describe(type<write_share_group_state_request::write_state_data>) {
    using m = write_share_group_state_request::write_state_data;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<write_share_group_state_request>) {
    using m = write_share_group_state_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"));
}

struct write_share_group_state_response {
    static constexpr std::int16_t key = 85;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct partition_result {
        std::int32_t partition = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_result&, const partition_result&) = default;
    };

    struct write_state_result {
        uuid topic_id;
        std::vector<partition_result> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const write_state_result&, const write_state_result&) = default;
    };

    std::vector<write_state_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const write_share_group_state_response&, const write_share_group_state_response&) = default;
};

constexpr auto describe(type<write_share_group_state_response::partition_result>) {
    using m = write_share_group_state_response::partition_result;
    return fields(
        field<&m::partition>("partition"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<write_share_group_state_response::write_state_result>) {
    using m = write_share_group_state_response::write_state_result;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<write_share_group_state_response>) {
    using m = write_share_group_state_response;
    return fields(
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
