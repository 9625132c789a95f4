// AddPartitionsToTxn (key 24): adds partitions to a transaction, or verifies that they are in it.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct add_partitions_to_txn_response;

struct add_partitions_to_txn_request {
    using response = add_partitions_to_txn_response;
    static constexpr std::int16_t key = 24;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    struct topic {
        std::string name;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    struct transaction {
        std::string transactional_id;
        std::int64_t producer_id = 0;
        std::int16_t producer_epoch = 0;
        bool verify_only = false;
        std::vector<topic> topics;
        tagged_fields unknown_tags;
        friend bool operator==(const transaction&, const transaction&) = default;
    };

    std::vector<transaction> transactions;
    std::string v3_and_below_transactional_id;
    std::int64_t v3_and_below_producer_id = 0;
    std::int16_t v3_and_below_producer_epoch = 0;
    std::vector<topic> v3_and_below_topics;
    tagged_fields unknown_tags;
    friend bool operator==(const add_partitions_to_txn_request&, const add_partitions_to_txn_request&) = default;
};

constexpr auto describe(type<add_partitions_to_txn_request::topic>) {
    using m = add_partitions_to_txn_request::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<add_partitions_to_txn_request::transaction>) {
    using m = add_partitions_to_txn_request::transaction;
    return fields(
        field<&m::transactional_id>("transactionalId", {.in = since(4)}),
        field<&m::producer_id>("producerId", {.in = since(4)}),
        field<&m::producer_epoch>("producerEpoch", {.in = since(4)}),
        field<&m::verify_only>("verifyOnly", {.in = since(4)}),
        field<&m::topics>("topics", {.in = since(4)}));
}
constexpr auto describe(type<add_partitions_to_txn_request>) {
    using m = add_partitions_to_txn_request;
    return fields(
        field<&m::transactions>("transactions", {.in = since(4)}),
        field<&m::v3_and_below_transactional_id>("v3AndBelowTransactionalId", {.in = between(0, 3)}),
        field<&m::v3_and_below_producer_id>("v3AndBelowProducerId", {.in = between(0, 3)}),
        field<&m::v3_and_below_producer_epoch>("v3AndBelowProducerEpoch", {.in = between(0, 3)}),
        field<&m::v3_and_below_topics>("v3AndBelowTopics", {.in = between(0, 3)}));
}

struct add_partitions_to_txn_response {
    static constexpr std::int16_t key = 24;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    struct partition_result {
        std::int32_t partition_index = 0;
        std::int16_t partition_error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_result&, const partition_result&) = default;
    };

    struct topic_result {
        std::string name;
        std::vector<partition_result> results_by_partition;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_result&, const topic_result&) = default;
    };

    struct result {
        std::string transactional_id;
        std::vector<topic_result> topic_results;
        tagged_fields unknown_tags;
        friend bool operator==(const result&, const result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<result> results_by_transaction;
    std::vector<topic_result> results_by_topic_v3_and_below;
    tagged_fields unknown_tags;
    friend bool operator==(const add_partitions_to_txn_response&, const add_partitions_to_txn_response&) = default;
};

constexpr auto describe(type<add_partitions_to_txn_response::partition_result>) {
    using m = add_partitions_to_txn_response::partition_result;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::partition_error_code>("partitionErrorCode"));
}
constexpr auto describe(type<add_partitions_to_txn_response::topic_result>) {
    using m = add_partitions_to_txn_response::topic_result;
    return fields(
        field<&m::name>("name"),
        field<&m::results_by_partition>("resultsByPartition"));
}
constexpr auto describe(type<add_partitions_to_txn_response::result>) {
    using m = add_partitions_to_txn_response::result;
    return fields(
        field<&m::transactional_id>("transactionalId", {.in = since(4)}),
        field<&m::topic_results>("topicResults", {.in = since(4)}));
}
constexpr auto describe(type<add_partitions_to_txn_response>) {
    using m = add_partitions_to_txn_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode", {.in = since(4), .ignorable = true}),
        field<&m::results_by_transaction>("resultsByTransaction", {.in = since(4)}),
        field<&m::results_by_topic_v3_and_below>("resultsByTopicV3AndBelow", {.in = between(0, 3)}));
}

}  // namespace kafkawire::protocol::messages
