// ShareFetch (key 78): KIP-932: acquires records for this consumer, and acknowledges earlier ones.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct share_fetch_response;

struct share_fetch_request {
    using response = share_fetch_response;
    static constexpr std::int16_t key = 78;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct acknowledgement_batch {
        std::int64_t first_offset = 0;
        std::int64_t last_offset = 0;
        std::vector<std::int8_t> acknowledge_types;
        tagged_fields unknown_tags;
        friend bool operator==(const acknowledgement_batch&, const acknowledgement_batch&) = default;
    };

    struct fetch_partition {
        std::int32_t partition_index = 0;
        std::int32_t partition_max_bytes = 0;
        std::vector<acknowledgement_batch> acknowledgement_batches;
        tagged_fields unknown_tags;
        friend bool operator==(const fetch_partition&, const fetch_partition&) = default;
    };

    struct fetch_topic {
        uuid topic_id;
        std::vector<fetch_partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const fetch_topic&, const fetch_topic&) = default;
    };

    struct forgotten_topic {
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const forgotten_topic&, const forgotten_topic&) = default;
    };

    std::optional<std::string> group_id;
    std::optional<std::string> member_id{std::in_place};
    std::int32_t share_session_epoch = 0;
    std::int32_t max_wait_ms = 0;
    std::int32_t min_bytes = 0;
    std::int32_t max_bytes = 0x7fffffff;
    std::int32_t max_records = 0;
    std::int32_t batch_size = 0;
    std::int8_t share_acquire_mode = 0;
    bool is_renew_ack = false;
    std::vector<fetch_topic> topics;
    std::vector<forgotten_topic> forgotten_topics_data;
    tagged_fields unknown_tags;
    friend bool operator==(const share_fetch_request&, const share_fetch_request&) = default;
};

constexpr auto describe(type<share_fetch_request::acknowledgement_batch>) {
    using m = share_fetch_request::acknowledgement_batch;
    return fields(
        field<&m::first_offset>("firstOffset"),
        field<&m::last_offset>("lastOffset"),
        field<&m::acknowledge_types>("acknowledgeTypes"));
}
constexpr auto describe(type<share_fetch_request::fetch_partition>) {
    using m = share_fetch_request::fetch_partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::partition_max_bytes>("partitionMaxBytes", {.in = only(0)}),
        field<&m::acknowledgement_batches>("acknowledgementBatches"));
}
constexpr auto describe(type<share_fetch_request::fetch_topic>) {
    using m = share_fetch_request::fetch_topic;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_fetch_request::forgotten_topic>) {
    using m = share_fetch_request::forgotten_topic;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_fetch_request>) {
    using m = share_fetch_request;
    return fields(
        field<&m::group_id>("groupId", {.nullable = all()}),
        field<&m::member_id>("memberId", {.nullable = all()}),
        field<&m::share_session_epoch>("shareSessionEpoch"),
        field<&m::max_wait_ms>("maxWaitMs"),
        field<&m::min_bytes>("minBytes"),
        field<&m::max_bytes>("maxBytes"),
        field<&m::max_records>("maxRecords", {.in = since(1)}),
        field<&m::batch_size>("batchSize", {.in = since(1)}),
        field<&m::share_acquire_mode>("shareAcquireMode", {.in = since(2), .ignorable = true}),
        field<&m::is_renew_ack>("isRenewAck", {.in = since(2)}),
        field<&m::topics>("topics"),
        field<&m::forgotten_topics_data>("forgottenTopicsData"));
}

struct share_fetch_response {
    static constexpr std::int16_t key = 78;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct leader_id_and_epoch {
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const leader_id_and_epoch&, const leader_id_and_epoch&) = default;
    };

    struct acquired_records_entry {
        std::int64_t first_offset = 0;
        std::int64_t last_offset = 0;
        std::int16_t delivery_count = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const acquired_records_entry&, const acquired_records_entry&) = default;
    };

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        std::int16_t acknowledge_error_code = 0;
        std::optional<std::string> acknowledge_error_message;
        leader_id_and_epoch current_leader;
        std::optional<raw_records> records{std::in_place};
        std::vector<acquired_records_entry> acquired_records;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct share_fetchable_topic_response {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const share_fetchable_topic_response&, const share_fetchable_topic_response&) = default;
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
    std::vector<share_fetchable_topic_response> responses;
    std::vector<node_endpoint> node_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const share_fetch_response&, const share_fetch_response&) = default;
};

constexpr auto describe(type<share_fetch_response::leader_id_and_epoch>) {
    using m = share_fetch_response::leader_id_and_epoch;
    return fields(
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"));
}
constexpr auto describe(type<share_fetch_response::acquired_records_entry>) {
    using m = share_fetch_response::acquired_records_entry;
    return fields(
        field<&m::first_offset>("firstOffset"),
        field<&m::last_offset>("lastOffset"),
        field<&m::delivery_count>("deliveryCount"));
}
constexpr auto describe(type<share_fetch_response::partition_data>) {
    using m = share_fetch_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::acknowledge_error_code>("acknowledgeErrorCode"),
        field<&m::acknowledge_error_message>("acknowledgeErrorMessage", {.nullable = all()}),
        field<&m::current_leader>("currentLeader"),
        field<&m::records>("records", {.nullable = only(0)}),
        field<&m::acquired_records>("acquiredRecords"));
}
constexpr auto describe(type<share_fetch_response::share_fetchable_topic_response>) {
    using m = share_fetch_response::share_fetchable_topic_response;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<share_fetch_response::node_endpoint>) {
    using m = share_fetch_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId"),
        field<&m::host>("host"),
        field<&m::port>("port"),
        field<&m::rack>("rack", {.nullable = all()}));
}
constexpr auto describe(type<share_fetch_response>) {
    using m = share_fetch_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::acquisition_lock_timeout_ms>("acquisitionLockTimeoutMs", {.in = since(1)}),
        field<&m::responses>("responses"),
        field<&m::node_endpoints>("nodeEndpoints"));
}

}  // namespace kafkawire::protocol::messages
