// PushTelemetry (key 72): KIP-714: hands over the client's metrics.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct push_telemetry_response;

struct push_telemetry_request {
    using response = push_telemetry_response;
    static constexpr std::int16_t key = 72;
    static constexpr version_range versions = between(0, 0), flexible = all();

    uuid client_instance_id;
    std::int32_t subscription_id = 0;
    bool terminating = false;
    std::int8_t compression_type = 0;
    bytes metrics;
    tagged_fields unknown_tags;
    friend bool operator==(const push_telemetry_request&, const push_telemetry_request&) = default;
};

constexpr auto describe(type<push_telemetry_request>) {
    using m = push_telemetry_request;
    return fields(
        field<&m::client_instance_id>("clientInstanceId"),
        field<&m::subscription_id>("subscriptionId"),
        field<&m::terminating>("terminating"),
        field<&m::compression_type>("compressionType"),
        field<&m::metrics>("metrics"));
}

struct push_telemetry_response {
    static constexpr std::int16_t key = 72;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const push_telemetry_response&, const push_telemetry_response&) = default;
};

constexpr auto describe(type<push_telemetry_response>) {
    using m = push_telemetry_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"));
}

}  // namespace kafkawire::protocol::messages
