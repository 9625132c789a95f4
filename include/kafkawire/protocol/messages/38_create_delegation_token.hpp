// CreateDelegationToken (key 38): makes a token that logs in for its owner.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct create_delegation_token_response;

struct create_delegation_token_request {
    using response = create_delegation_token_response;
    static constexpr std::int16_t key = 38;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct creatable_renewers {
        std::string principal_type;
        std::string principal_name;
        tagged_fields unknown_tags;
        friend bool operator==(const creatable_renewers&, const creatable_renewers&) = default;
    };

    std::optional<std::string> owner_principal_type{std::in_place};
    std::optional<std::string> owner_principal_name{std::in_place};
    std::vector<creatable_renewers> renewers;
    std::int64_t max_lifetime_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const create_delegation_token_request&, const create_delegation_token_request&) = default;
};

constexpr auto describe(type<create_delegation_token_request::creatable_renewers>) {
    using m = create_delegation_token_request::creatable_renewers;
    return fields(
        field<&m::principal_type>("principalType"),
        field<&m::principal_name>("principalName"));
}
constexpr auto describe(type<create_delegation_token_request>) {
    using m = create_delegation_token_request;
    return fields(
        field<&m::owner_principal_type>("ownerPrincipalType", {.in = since(3), .nullable = since(3)}),
        field<&m::owner_principal_name>("ownerPrincipalName", {.in = since(3), .nullable = since(3)}),
        field<&m::renewers>("renewers"),
        field<&m::max_lifetime_ms>("maxLifetimeMs"));
}

struct create_delegation_token_response {
    static constexpr std::int16_t key = 38;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    std::int16_t error_code = 0;
    std::string principal_type;
    std::string principal_name;
    std::string token_requester_principal_type;
    std::string token_requester_principal_name;
    std::int64_t issue_timestamp_ms = 0;
    std::int64_t expiry_timestamp_ms = 0;
    std::int64_t max_timestamp_ms = 0;
    std::string token_id;
    bytes hmac;
    std::int32_t throttle_time_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const create_delegation_token_response&, const create_delegation_token_response&) = default;
};

constexpr auto describe(type<create_delegation_token_response>) {
    using m = create_delegation_token_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::principal_type>("principalType"),
        field<&m::principal_name>("principalName"),
        field<&m::token_requester_principal_type>("tokenRequesterPrincipalType", {.in = since(3)}),
        field<&m::token_requester_principal_name>("tokenRequesterPrincipalName", {.in = since(3)}),
        field<&m::issue_timestamp_ms>("issueTimestampMs"),
        field<&m::expiry_timestamp_ms>("expiryTimestampMs"),
        field<&m::max_timestamp_ms>("maxTimestampMs"),
        field<&m::token_id>("tokenId"),
        field<&m::hmac>("hmac"),
        field<&m::throttle_time_ms>("throttleTimeMs"));
}

}  // namespace kafkawire::protocol::messages
