// DescribeProducers (key 61): idempotent and transactional producers that a partition knows.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_producers_response;

struct describe_producers_request {
    using response = describe_producers_response;
    static constexpr std::int16_t key = 61;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_request {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_request&, const topic_request&) = default;
    };

    std::vector<topic_request> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_producers_request&, const describe_producers_request&) = default;
};

constexpr auto describe(type<describe_producers_request::topic_request>) {
    using m = describe_producers_request::topic_request;
    return fields(
        field<&m::name>("name"),
        field<&m::partition_indexes>("partitionIndexes"));
}
constexpr auto describe(type<describe_producers_request>) {
    using m = describe_producers_request;
    return fields(
        field<&m::topics>("topics"));
}

struct describe_producers_response {
    static constexpr std::int16_t key = 61;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct producer_state {
        std::int64_t producer_id = 0;
        std::int32_t producer_epoch = 0;
        std::int32_t last_sequence = -1;
        std::int64_t last_timestamp = -1;
        std::int32_t coordinator_epoch = 0;
        std::int64_t current_txn_start_offset = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const producer_state&, const producer_state&) = default;
    };

    struct partition_response {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        std::vector<producer_state> active_producers;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_response&, const partition_response&) = default;
    };

    struct topic_response {
        std::string name;
        std::vector<partition_response> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_response&, const topic_response&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic_response> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_producers_response&, const describe_producers_response&) = default;
};

constexpr auto describe(type<describe_producers_response::producer_state>) {
    using m = describe_producers_response::producer_state;
    return fields(
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::last_sequence>("lastSequence"),
        field<&m::last_timestamp>("lastTimestamp"),
        field<&m::coordinator_epoch>("coordinatorEpoch"),
        field<&m::current_txn_start_offset>("currentTxnStartOffset"));
}
constexpr auto describe(type<describe_producers_response::partition_response>) {
    using m = describe_producers_response::partition_response;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::active_producers>("activeProducers"));
}
constexpr auto describe(type<describe_producers_response::topic_response>) {
    using m = describe_producers_response::topic_response;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_producers_response>) {
    using m = describe_producers_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
