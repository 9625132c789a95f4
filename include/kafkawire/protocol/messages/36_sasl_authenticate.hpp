// SaslAuthenticate (key 36): carries the messages of the SASL mechanism, and the session's lifetime.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct sasl_authenticate_response;

struct sasl_authenticate_request {
    using response = sasl_authenticate_response;
    static constexpr std::int16_t key = 36;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    bytes auth_bytes;
    tagged_fields unknown_tags;
    friend bool operator==(const sasl_authenticate_request&, const sasl_authenticate_request&) = default;
};

constexpr auto describe(type<sasl_authenticate_request>) {
    using m = sasl_authenticate_request;
    return fields(
        field<&m::auth_bytes>("authBytes"));
}

struct sasl_authenticate_response {
    static constexpr std::int16_t key = 36;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    bytes auth_bytes;
    std::int64_t session_lifetime_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const sasl_authenticate_response&, const sasl_authenticate_response&) = default;
};

constexpr auto describe(type<sasl_authenticate_response>) {
    using m = sasl_authenticate_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::auth_bytes>("authBytes"),
        field<&m::session_lifetime_ms>("sessionLifetimeMs", {.in = since(1), .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
