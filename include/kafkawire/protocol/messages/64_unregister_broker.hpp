// UnregisterBroker (key 64): removes a broker's registration.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct unregister_broker_response;

struct unregister_broker_request {
    using response = unregister_broker_response;
    static constexpr std::int16_t key = 64;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t broker_id = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const unregister_broker_request&, const unregister_broker_request&) = default;
};

constexpr auto describe(type<unregister_broker_request>) {
    using m = unregister_broker_request;
    return fields(
        field<&m::broker_id>("brokerId"));
}

struct unregister_broker_response {
    static constexpr std::int16_t key = 64;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const unregister_broker_response&, const unregister_broker_response&) = default;
};

constexpr auto describe(type<unregister_broker_response>) {
    using m = unregister_broker_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
