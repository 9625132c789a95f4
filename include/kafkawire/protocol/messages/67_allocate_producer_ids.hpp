// AllocateProducerIds (key 67): a broker reserves a block of producer ids.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct allocate_producer_ids_response;

struct allocate_producer_ids_request {
    using response = allocate_producer_ids_response;
    static constexpr std::int16_t key = 67;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t broker_id = 0;
    std::int64_t broker_epoch = -1;
    tagged_fields unknown_tags;
    friend bool operator==(const allocate_producer_ids_request&, const allocate_producer_ids_request&) = default;
};

constexpr auto describe(type<allocate_producer_ids_request>) {
    using m = allocate_producer_ids_request;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::broker_epoch>("brokerEpoch"));
}

struct allocate_producer_ids_response {
    static constexpr std::int16_t key = 67;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::int64_t producer_id_start = 0;
    std::int32_t producer_id_len = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const allocate_producer_ids_response&, const allocate_producer_ids_response&) = default;
};

constexpr auto describe(type<allocate_producer_ids_response>) {
    using m = allocate_producer_ids_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::producer_id_start>("producerIdStart"),
        field<&m::producer_id_len>("producerIdLen"));
}

}  // namespace kafkawire::protocol::messages
