// ListTransactions (key 66): the transactions that a coordinator knows, by a filter.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct list_transactions_response;

struct list_transactions_request {
    using response = list_transactions_response;
    static constexpr std::int16_t key = 66;
    static constexpr version_range versions = between(0, 2), flexible = all();

    std::vector<std::string> state_filters;
    std::vector<std::int64_t> producer_id_filters;
    std::int64_t duration_filter = -1;
    std::optional<std::string> transactional_id_pattern;
    tagged_fields unknown_tags;
    friend bool operator==(const list_transactions_request&, const list_transactions_request&) = default;
};

constexpr auto describe(type<list_transactions_request>) {
    using m = list_transactions_request;
    return fields(
        field<&m::state_filters>("stateFilters"),
        field<&m::producer_id_filters>("producerIdFilters"),
        field<&m::duration_filter>("durationFilter", {.in = since(1)}),
        field<&m::transactional_id_pattern>("transactionalIdPattern", {.in = since(2), .nullable = since(2)}));
}

struct list_transactions_response {
    static constexpr std::int16_t key = 66;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct transaction_state_entry {
        std::string transactional_id;
        std::int64_t producer_id = 0;
        std::string transaction_state;
        tagged_fields unknown_tags;
        friend bool operator==(const transaction_state_entry&, const transaction_state_entry&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<std::string> unknown_state_filters;
    std::vector<transaction_state_entry> transaction_states;
    tagged_fields unknown_tags;
    friend bool operator==(const list_transactions_response&, const list_transactions_response&) = default;
};

constexpr auto describe(type<list_transactions_response::transaction_state_entry>) {
    using m = list_transactions_response::transaction_state_entry;
    return fields(
        field<&m::transactional_id>("transactionalId"),
        field<&m::producer_id>("producerId"),
        field<&m::transaction_state>("transactionState"));
}
constexpr auto describe(type<list_transactions_response>) {
    using m = list_transactions_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::unknown_state_filters>("unknownStateFilters"),
        field<&m::transaction_states>("transactionStates"));
}

}  // namespace kafkawire::protocol::messages
