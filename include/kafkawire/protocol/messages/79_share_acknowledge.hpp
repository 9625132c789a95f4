// ShareAcknowledge (key 79): KIP-932: accepts, releases, rejects or renews acquired records.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct share_acknowledge_response;

struct share_acknowledge_request {
    using response = share_acknowledge_response;
    static constexpr std::int16_t key = 79;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct acknowledgement_batch {
        std::int64_t first_offset = 0;
        std::int64_t last_offset = 0;
        std::vector<std::int8_t> acknowledge_types;
        tagged_fields unknown_tags;
        friend bool operator==(const acknowledgement_batch&, const acknowledgement_batch&) = default;
    };

    struct acknowledge_partition {
        std::int32_t partition_index = 0;
        std::vector<acknowledgement_batch> acknowledgement_batches;
        tagged_fields unknown_tags;
        friend bool operator==(const acknowledge_partition&, const acknowledge_partition&) = default;
    };

    struct acknowledge_topic {
        uuid topic_id;
        std::vector<acknowledge_partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const acknowledge_topic&, const acknowledge_topic&) = default;
    };

    std::optional<std::string> group_id;
    std::optional<std::string> member_id{std::in_place};
    std::int32_t share_session_epoch = 0;
    bool is_renew_ack = false;
    std::vector<acknowledge_topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const share_acknowledge_request&, const share_acknowledge_request&) = default;
};

constexpr auto describe(type<share_acknowledge_request::acknowledgement_batch>) {
    using m = share_acknowledge_request::acknowledgement_batch;
    return fields(
        field<&m::first_offset>("firstOffset"),
        field<&m::last_offset>("lastOffset"),
        field<&m::acknowledge_types>("acknowledgeTypes"));
}
constexpr auto describe(type<share_acknowledge_request::acknowledge_partition>) {
    using m = share_acknowledge_request::acknowledge_partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::acknowledgement_batches>("acknowledgementBatches"));
}
constexpr auto describe(type<share_acknowledge_request::acknowledge_topic>) {
    using m = share_acknowledge_request::acknowledge_topic;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_acknowledge_request>) {
    using m = share_acknowledge_request;
    return fields(
        field<&m::group_id>("groupId", {.nullable = all()}),
        field<&m::member_id>("memberId", {.nullable = all()}),
        field<&m::share_session_epoch>("shareSessionEpoch"),
        field<&m::is_renew_ack>("isRenewAck", {.in = since(2)}),
        field<&m::topics>("topics"));
}

struct share_acknowledge_response {
    static constexpr std::int16_t key = 79;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct leader_id_and_epoch {
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const leader_id_and_epoch&, const leader_id_and_epoch&) = default;
    };

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        leader_id_and_epoch current_leader;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_response {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_response&, const topic_response&) = default;
    };

    struct node_endpoint {
        std::int32_t node_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        tagged_fields unknown_tags;
        friend bool operator==(const node_endpoint&, const node_endpoint&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message;
    std::int32_t acquisition_lock_timeout_ms = 0;
    std::vector<topic_response> responses;
    std::vector<node_endpoint> node_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const share_acknowledge_response&, const share_acknowledge_response&) = default;
};

constexpr auto describe(type<share_acknowledge_response::leader_id_and_epoch>) {
    using m = share_acknowledge_response::leader_id_and_epoch;
    return fields(
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"));
}
constexpr auto describe(type<share_acknowledge_response::partition_data>) {
    using m = share_acknowledge_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::current_leader>("currentLeader"));
}
constexpr auto describe(type<share_acknowledge_response::topic_response>) {
    using m = share_acknowledge_response::topic_response;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_acknowledge_response::node_endpoint>) {
    using m = share_acknowledge_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId"),
        field<&m::host>("host"),
        field<&m::port>("port"),
        field<&m::rack>("rack", {.nullable = all()}));
}
constexpr auto describe(type<share_acknowledge_response>) {
    using m = share_acknowledge_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::acquisition_lock_timeout_ms>("acquisitionLockTimeoutMs", {.in = since(2), .ignorable = true}),
        field<&m::responses>("responses"),
        field<&m::node_endpoints>("nodeEndpoints"));
}

}  // namespace kafkawire::protocol::messages
