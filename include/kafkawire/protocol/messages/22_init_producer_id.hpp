// InitProducerId (key 22): gives an idempotent or transactional producer its id and epoch, fencing older ones.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct init_producer_id_response;

struct init_producer_id_request {
    using response = init_producer_id_response;
    static constexpr std::int16_t key = 22;
    static constexpr version_range versions = between(0, 6), flexible = since(2);

    std::optional<std::string> transactional_id{std::in_place};
    std::int32_t transaction_timeout_ms = 0;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    bool enable_2pc = false;
    bool keep_prepared_txn = false;
    tagged_fields unknown_tags;
    friend bool operator==(const init_producer_id_request&, const init_producer_id_request&) = default;
};

constexpr auto describe(type<init_producer_id_request>) {
    using m = init_producer_id_request;
    return fields(
        field<&m::transactional_id>("transactionalId", {.nullable = all()}),
        field<&m::transaction_timeout_ms>("transactionTimeoutMs"),
        field<&m::producer_id>("producerId", {.in = since(3)}),
        field<&m::producer_epoch>("producerEpoch", {.in = since(3)}),
        field<&m::enable_2pc>("enable2Pc", {.in = since(6)}),
        field<&m::keep_prepared_txn>("keepPreparedTxn", {.in = since(6)}));
}

struct init_producer_id_response {
    static constexpr std::int16_t key = 22;
    static constexpr version_range versions = between(0, 6), flexible = since(2);

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = 0;
    std::int64_t ongoing_txn_producer_id = -1;
    std::int16_t ongoing_txn_producer_epoch = -1;
    tagged_fields unknown_tags;
    friend bool operator==(const init_producer_id_response&, const init_producer_id_response&) = default;
};

constexpr auto describe(type<init_producer_id_response>) {
    using m = init_producer_id_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::ongoing_txn_producer_id>("ongoingTxnProducerId", {.in = since(6)}),
        field<&m::ongoing_txn_producer_epoch>("ongoingTxnProducerEpoch", {.in = since(6)}));
}

}  // namespace kafkawire::protocol::messages
