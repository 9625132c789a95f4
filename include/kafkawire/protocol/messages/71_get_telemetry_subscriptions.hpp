// GetTelemetrySubscriptions (key 71): KIP-714: which client metrics the cluster wants.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct get_telemetry_subscriptions_response;

struct get_telemetry_subscriptions_request {
    using response = get_telemetry_subscriptions_response;
    static constexpr std::int16_t key = 71;
    static constexpr version_range versions = between(0, 0), flexible = all();

    uuid client_instance_id;
    tagged_fields unknown_tags;
    friend bool operator==(const get_telemetry_subscriptions_request&, const get_telemetry_subscriptions_request&) = default;
};

constexpr auto describe(type<get_telemetry_subscriptions_request>) {
    using m = get_telemetry_subscriptions_request;
    return fields(
        field<&m::client_instance_id>("clientInstanceId"));
}

struct get_telemetry_subscriptions_response {
    static constexpr std::int16_t key = 71;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    uuid client_instance_id;
    std::int32_t subscription_id = 0;
    std::vector<std::int8_t> accepted_compression_types;
    std::int32_t push_interval_ms = 0;
    std::int32_t telemetry_max_bytes = 0;
    bool delta_temporality = false;
    std::vector<std::string> requested_metrics;
    tagged_fields unknown_tags;
    friend bool operator==(const get_telemetry_subscriptions_response&, const get_telemetry_subscriptions_response&) = default;
};

constexpr auto describe(type<get_telemetry_subscriptions_response>) {
    using m = get_telemetry_subscriptions_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::client_instance_id>("clientInstanceId"),
        field<&m::subscription_id>("subscriptionId"),
        field<&m::accepted_compression_types>("acceptedCompressionTypes"),
        field<&m::push_interval_ms>("pushIntervalMs"),
        field<&m::telemetry_max_bytes>("telemetryMaxBytes"),
        field<&m::delta_temporality>("deltaTemporality"),
        field<&m::requested_metrics>("requestedMetrics"));
}

}  // namespace kafkawire::protocol::messages
