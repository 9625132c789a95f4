// The headers in front of every request and response.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct request_header {
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    std::int16_t request_api_key = 0;
    std::int16_t request_api_version = 0;
    std::int32_t correlation_id = 0;
    std::optional<std::string> client_id{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const request_header&, const request_header&) = default;
};

constexpr auto describe(type<request_header>) {
    using m = request_header;
    return fields(
        field<&m::request_api_key>("requestApiKey"),
        field<&m::request_api_version>("requestApiVersion"),
        field<&m::correlation_id>("correlationId"),
        field<&m::client_id>("clientId", {.in = since(1), .nullable = since(1), .flexible = none()}));
}

struct response_header {
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    std::int32_t correlation_id = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const response_header&, const response_header&) = default;
};

constexpr auto describe(type<response_header>) {
    using m = response_header;
    return fields(
        field<&m::correlation_id>("correlationId"));
}

}  // namespace kafkawire::protocol::messages
