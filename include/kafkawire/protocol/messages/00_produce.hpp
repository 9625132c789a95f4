// Produce (key 0): appends record batches to partitions; the leader answers with the offset that each batch got.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct produce_response;

struct produce_request {
    using response = produce_response;
    static constexpr std::int16_t key = 0;
    static constexpr version_range versions = between(0, 13), flexible = since(9);

    struct partition_produce_data {
        std::int32_t index = 0;
        std::optional<raw_records> records{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const partition_produce_data&, const partition_produce_data&) = default;
    };

    struct topic_produce_data {
        std::string name;
        uuid topic_id;
        std::vector<partition_produce_data> partition_data;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_produce_data&, const topic_produce_data&) = default;
    };

    std::optional<std::string> transactional_id;
    std::int16_t acks = 0;
    std::int32_t timeout_ms = 0;
    std::vector<topic_produce_data> topic_data;
    tagged_fields unknown_tags;
    friend bool operator==(const produce_request&, const produce_request&) = default;
};

constexpr auto describe(type<produce_request::partition_produce_data>) {
    using m = produce_request::partition_produce_data;
    return fields(
        field<&m::index>("index"),
        field<&m::records>("records", {.nullable = all()}));
}
constexpr auto describe(type<produce_request::topic_produce_data>) {
    using m = produce_request::topic_produce_data;
    return fields(
        field<&m::name>("name", {.in = between(0, 12), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(13), .ignorable = true}),
        field<&m::partition_data>("partitionData"));
}
constexpr auto describe(type<produce_request>) {
    using m = produce_request;
    return fields(
        field<&m::transactional_id>("transactionalId", {.in = since(3), .nullable = since(3)}),
        field<&m::acks>("acks"),
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::topic_data>("topicData"));
}

struct produce_response {
    static constexpr std::int16_t key = 0;
    static constexpr version_range versions = between(0, 13), flexible = since(9);

    struct batch_index_and_error_message {
        std::int32_t batch_index = 0;
        std::optional<std::string> batch_index_error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const batch_index_and_error_message&, const batch_index_and_error_message&) = default;
    };

    struct leader_id_and_epoch {
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const leader_id_and_epoch&, const leader_id_and_epoch&) = default;
    };

    struct partition_produce_response {
        std::int32_t index = 0;
        std::int16_t error_code = 0;
        std::int64_t base_offset = 0;
        std::int64_t log_append_time_ms = -1;
        std::int64_t log_start_offset = -1;
        std::vector<batch_index_and_error_message> record_errors;
        std::optional<std::string> error_message;
        leader_id_and_epoch current_leader;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_produce_response&, const partition_produce_response&) = default;
    };

    struct topic_produce_response {
        std::string name;
        uuid topic_id;
        std::vector<partition_produce_response> partition_responses;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_produce_response&, const topic_produce_response&) = default;
    };

    struct node_endpoint {
        std::int32_t node_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        tagged_fields unknown_tags;
        friend bool operator==(const node_endpoint&, const node_endpoint&) = default;
    };

    std::vector<topic_produce_response> responses;
    std::int32_t throttle_time_ms = 0;
    std::vector<node_endpoint> node_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const produce_response&, const produce_response&) = default;
};

constexpr auto describe(type<produce_response::batch_index_and_error_message>) {
    using m = produce_response::batch_index_and_error_message;
    return fields(
        field<&m::batch_index>("batchIndex", {.in = since(8)}),
        field<&m::batch_index_error_message>("batchIndexErrorMessage", {.in = since(8), .nullable = since(8)}));
}
constexpr auto describe(type<produce_response::leader_id_and_epoch>) {
    using m = produce_response::leader_id_and_epoch;
    return fields(
        field<&m::leader_id>("leaderId", {.in = since(10)}),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(10)}));
}
constexpr auto describe(type<produce_response::partition_produce_response>) {
    using m = produce_response::partition_produce_response;
    return fields(
        field<&m::index>("index"),
        field<&m::error_code>("errorCode"),
        field<&m::base_offset>("baseOffset"),
        field<&m::log_append_time_ms>("logAppendTimeMs", {.in = since(2), .ignorable = true}),
        field<&m::log_start_offset>("logStartOffset", {.in = since(5), .ignorable = true}),
        field<&m::record_errors>("recordErrors", {.in = since(8), .ignorable = true}),
        field<&m::error_message>("errorMessage", {.in = since(8), .nullable = since(8), .ignorable = true}),
        field<&m::current_leader>("currentLeader", {.in = since(10), .tagged = since(10), .tag = 0}));
}
constexpr auto describe(type<produce_response::topic_produce_response>) {
    using m = produce_response::topic_produce_response;
    return fields(
        field<&m::name>("name", {.in = between(0, 12), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(13), .ignorable = true}),
        field<&m::partition_responses>("partitionResponses"));
}
constexpr auto describe(type<produce_response::node_endpoint>) {
    using m = produce_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId", {.in = since(10)}),
        field<&m::host>("host", {.in = since(10)}),
        field<&m::port>("port", {.in = since(10)}),
        field<&m::rack>("rack", {.in = since(10), .nullable = since(10)}));
}
constexpr auto describe(type<produce_response>) {
    using m = produce_response;
    return fields(
        field<&m::responses>("responses"),
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::node_endpoints>("nodeEndpoints", {.in = since(10), .tagged = since(10), .tag = 0}));
}

}  // namespace kafkawire::protocol::messages
