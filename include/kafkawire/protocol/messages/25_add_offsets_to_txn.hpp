// AddOffsetsToTxn (key 25): adds a group's offsets to a transaction.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct add_offsets_to_txn_response;

struct add_offsets_to_txn_request {
    using response = add_offsets_to_txn_response;
    static constexpr std::int16_t key = 25;
    static constexpr version_range versions = between(0, 4), flexible = since(3);

    std::string transactional_id;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    std::string group_id;
    tagged_fields unknown_tags;
    friend bool operator==(const add_offsets_to_txn_request&, const add_offsets_to_txn_request&) = default;
};

constexpr auto describe(type<add_offsets_to_txn_request>) {
    using m = add_offsets_to_txn_request;
    return fields(
        field<&m::transactional_id>("transactionalId"),
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::group_id>("groupId"));
}

struct add_offsets_to_txn_response {
    static constexpr std::int16_t key = 25;
    static constexpr version_range versions = between(0, 4), flexible = since(3);

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const add_offsets_to_txn_response&, const add_offsets_to_txn_response&) = default;
};

constexpr auto describe(type<add_offsets_to_txn_response>) {
    using m = add_offsets_to_txn_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"));
}

}  // namespace kafkawire::protocol::messages
