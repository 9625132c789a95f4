// SaslHandshake (key 17): names the SASL mechanism that the connection will use.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct sasl_handshake_response;

struct sasl_handshake_request {
    using response = sasl_handshake_response;
    static constexpr std::int16_t key = 17;
    static constexpr version_range versions = between(0, 1), flexible = none();

    std::string mechanism;
    tagged_fields unknown_tags;
    friend bool operator==(const sasl_handshake_request&, const sasl_handshake_request&) = default;
};

constexpr auto describe(type<sasl_handshake_request>) {
    using m = sasl_handshake_request;
    return fields(
        field<&m::mechanism>("mechanism"));
}

struct sasl_handshake_response {
    static constexpr std::int16_t key = 17;
    static constexpr version_range versions = between(0, 1), flexible = none();

    std::int16_t error_code = 0;
    std::vector<std::string> mechanisms;
    tagged_fields unknown_tags;
    friend bool operator==(const sasl_handshake_response&, const sasl_handshake_response&) = default;
};

constexpr auto describe(type<sasl_handshake_response>) {
    using m = sasl_handshake_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::mechanisms>("mechanisms"));
}

}  // namespace kafkawire::protocol::messages
