// Envelope (key 58): a broker forwards a client's request to the controller.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct envelope_response;

struct envelope_request {
    using response = envelope_response;
    static constexpr std::int16_t key = 58;
    static constexpr version_range versions = between(0, 0), flexible = all();

    bytes request_data;
    std::optional<bytes> request_principal{std::in_place};
    bytes client_host_address;
    tagged_fields unknown_tags;
    friend bool operator==(const envelope_request&, const envelope_request&) = default;
};

constexpr auto describe(type<envelope_request>) {
    using m = envelope_request;
    return fields(
        field<&m::request_data>("requestData"),
        field<&m::request_principal>("requestPrincipal", {.nullable = all()}),
        field<&m::client_host_address>("clientHostAddress"));
}

struct envelope_response {
    static constexpr std::int16_t key = 58;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::optional<bytes> response_data;
    std::int16_t error_code = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const envelope_response&, const envelope_response&) = default;
};

constexpr auto describe(type<envelope_response>) {
    using m = envelope_response;
    return fields(
        field<&m::response_data>("responseData", {.nullable = all()}),
        field<&m::error_code>("errorCode"));
}

}  // namespace kafkawire::protocol::messages
