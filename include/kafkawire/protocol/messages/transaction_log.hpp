// Keys and values of the topic __transaction_state.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct transaction_log_key {
    static constexpr std::int16_t key = 0;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string transactional_id;
    tagged_fields unknown_tags;
    friend bool operator==(const transaction_log_key&, const transaction_log_key&) = default;
};

constexpr auto describe(type<transaction_log_key>) {
    using m = transaction_log_key;
    return fields(
        field<&m::transactional_id>("transactionalId", {.in = only(0)}));
}

struct transaction_log_value {
    static constexpr std::int16_t key = 0;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct partitions_schema {
        std::string topic;
        std::vector<std::int32_t> partition_ids;
        tagged_fields unknown_tags;
        friend bool operator==(const partitions_schema&, const partitions_schema&) = default;
    };

    std::int64_t producer_id = 0;
    std::int64_t previous_producer_id = -1;
    std::int64_t next_producer_id = -1;
    std::int16_t producer_epoch = 0;
    std::int16_t next_producer_epoch = -1;
    std::int32_t transaction_timeout_ms = 0;
    std::int8_t transaction_status = 0;
    std::optional<std::vector<partitions_schema>> transaction_partitions{std::in_place};
    std::int64_t transaction_last_update_timestamp_ms = 0;
    std::int64_t transaction_start_timestamp_ms = 0;
    std::int16_t client_transaction_version = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const transaction_log_value&, const transaction_log_value&) = default;
};

constexpr auto describe(type<transaction_log_value::partitions_schema>) {
    using m = transaction_log_value::partitions_schema;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partition_ids>("partitionIds"));
}
constexpr auto describe(type<transaction_log_value>) {
    using m = transaction_log_value;
    return fields(
        field<&m::producer_id>("producerId"),
        field<&m::previous_producer_id>("previousProducerId", {.in = since(1), .tagged = since(1), .tag = 0}),
        field<&m::next_producer_id>("nextProducerId", {.in = since(1), .tagged = since(1), .tag = 1}),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::next_producer_epoch>("nextProducerEpoch", {.in = since(1), .tagged = since(1), .tag = 3}),
        field<&m::transaction_timeout_ms>("transactionTimeoutMs"),
        field<&m::transaction_status>("transactionStatus"),
        field<&m::transaction_partitions>("transactionPartitions", {.nullable = all()}),
        field<&m::transaction_last_update_timestamp_ms>("transactionLastUpdateTimestampMs"),
        field<&m::transaction_start_timestamp_ms>("transactionStartTimestampMs"),
        field<&m::client_transaction_version>("clientTransactionVersion", {.in = since(1), .tagged = since(1), .tag = 2}));
}

}  // namespace kafkawire::protocol::messages
