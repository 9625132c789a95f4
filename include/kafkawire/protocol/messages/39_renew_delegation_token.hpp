// RenewDelegationToken (key 39): prolongs a delegation token.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct renew_delegation_token_response;

struct renew_delegation_token_request {
    using response = renew_delegation_token_response;
    static constexpr std::int16_t key = 39;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    bytes hmac;
    std::int64_t renew_period_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const renew_delegation_token_request&, const renew_delegation_token_request&) = default;
};

constexpr auto describe(type<renew_delegation_token_request>) {
    using m = renew_delegation_token_request;
    return fields(
        field<&m::hmac>("hmac"),
        field<&m::renew_period_ms>("renewPeriodMs"));
}

struct renew_delegation_token_response {
    static constexpr std::int16_t key = 39;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    std::int16_t error_code = 0;
    std::int64_t expiry_timestamp_ms = 0;
    std::int32_t throttle_time_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const renew_delegation_token_response&, const renew_delegation_token_response&) = default;
};

constexpr auto describe(type<renew_delegation_token_response>) {
    using m = renew_delegation_token_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::expiry_timestamp_ms>("expiryTimestampMs"),
        field<&m::throttle_time_ms>("throttleTimeMs"));
}

}  // namespace kafkawire::protocol::messages
