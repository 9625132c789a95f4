// DescribeTransactions (key 65): state and partitions of transactional ids.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_transactions_response;

struct describe_transactions_request {
    using response = describe_transactions_response;
    static constexpr std::int16_t key = 65;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::vector<std::string> transactional_ids;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_transactions_request&, const describe_transactions_request&) = default;
};

constexpr auto describe(type<describe_transactions_request>) {
    using m = describe_transactions_request;
    return fields(
        field<&m::transactional_ids>("transactionalIds"));
}

struct describe_transactions_response {
    static constexpr std::int16_t key = 65;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct topic_data {
        std::string topic;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    struct transaction_state_entry {
        std::int16_t error_code = 0;
        std::string transactional_id;
        std::string transaction_state;
        std::int32_t transaction_timeout_ms = 0;
        std::int64_t transaction_start_time_ms = 0;
        std::int64_t producer_id = 0;
        std::int16_t producer_epoch = 0;
        std::vector<topic_data> topics;
        tagged_fields unknown_tags;
        friend bool operator==(const transaction_state_entry&, const transaction_state_entry&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<transaction_state_entry> transaction_states;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_transactions_response&, const describe_transactions_response&) = default;
};

constexpr auto describe(type<describe_transactions_response::topic_data>) {
    using m = describe_transactions_response::topic_data;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_transactions_response::transaction_state_entry>) {
    using m = describe_transactions_response::transaction_state_entry;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::transactional_id>("transactionalId"),
        field<&m::transaction_state>("transactionState"),
        field<&m::transaction_timeout_ms>("transactionTimeoutMs"),
        field<&m::transaction_start_time_ms>("transactionStartTimeMs"),
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::topics>("topics"));
}
constexpr auto describe(type<describe_transactions_response>) {
    using m = describe_transactions_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::transaction_states>("transactionStates"));
}

}  // namespace kafkawire::protocol::messages
