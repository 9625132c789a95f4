// EndTxn (key 26): commits or aborts a transaction.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct end_txn_response;

struct end_txn_request {
    using response = end_txn_response;
    static constexpr std::int16_t key = 26;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    std::string transactional_id;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    bool committed = false;
    tagged_fields unknown_tags;
    friend bool operator==(const end_txn_request&, const end_txn_request&) = default;
};

constexpr auto describe(type<end_txn_request>) {
    using m = end_txn_request;
    return fields(
        field<&m::transactional_id>("transactionalId"),
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::committed>("committed"));
}

struct end_txn_response {
    static constexpr std::int16_t key = 26;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    tagged_fields unknown_tags;
    friend bool operator==(const end_txn_response&, const end_txn_response&) = default;
};

constexpr auto describe(type<end_txn_response>) {
    using m = end_txn_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::producer_id>("producerId", {.in = since(5), .ignorable = true}),
        field<&m::producer_epoch>("producerEpoch", {.in = since(5), .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
