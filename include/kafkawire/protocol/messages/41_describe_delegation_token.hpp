// DescribeDelegationToken (key 41): lists delegation tokens by owner.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_delegation_token_response;

struct describe_delegation_token_request {
    using response = describe_delegation_token_response;
    static constexpr std::int16_t key = 41;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct owner {
        std::string principal_type;
        std::string principal_name;
        tagged_fields unknown_tags;
        friend bool operator==(const owner&, const owner&) = default;
    };

    std::optional<std::vector<owner>> owners{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const describe_delegation_token_request&, const describe_delegation_token_request&) = default;
};

constexpr auto describe(type<describe_delegation_token_request::owner>) {
    using m = describe_delegation_token_request::owner;
    return fields(
        field<&m::principal_type>("principalType"),
        field<&m::principal_name>("principalName"));
}
constexpr auto describe(type<describe_delegation_token_request>) {
    using m = describe_delegation_token_request;
    return fields(
        field<&m::owners>("owners", {.nullable = all()}));
}

struct describe_delegation_token_response {
    static constexpr std::int16_t key = 41;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct described_delegation_token_renewer {
        std::string principal_type;
        std::string principal_name;
        tagged_fields unknown_tags;
        friend bool operator==(const described_delegation_token_renewer&, const described_delegation_token_renewer&) = default;
    };

    struct described_delegation_token {
        std::string principal_type;
        std::string principal_name;
        std::string token_requester_principal_type;
        std::string token_requester_principal_name;
        std::int64_t issue_timestamp = 0;
        std::int64_t expiry_timestamp = 0;
        std::int64_t max_timestamp = 0;
        std::string token_id;
        bytes hmac;
        std::vector<described_delegation_token_renewer> renewers;
        tagged_fields unknown_tags;
        friend bool operator==(const described_delegation_token&, const described_delegation_token&) = default;
    };

    std::int16_t error_code = 0;
    std::vector<described_delegation_token> tokens;
    std::int32_t throttle_time_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_delegation_token_response&, const describe_delegation_token_response&) = default;
};

constexpr auto describe(type<describe_delegation_token_response::described_delegation_token_renewer>) {
    using m = describe_delegation_token_response::described_delegation_token_renewer;
    return fields(
        field<&m::principal_type>("principalType"),
        field<&m::principal_name>("principalName"));
}
constexpr auto describe(type<describe_delegation_token_response::described_delegation_token>) {
    using m = describe_delegation_token_response::described_delegation_token;
    return fields(
        field<&m::principal_type>("principalType"),
        field<&m::principal_name>("principalName"),
        field<&m::token_requester_principal_type>("tokenRequesterPrincipalType", {.in = since(3)}),
        field<&m::token_requester_principal_name>("tokenRequesterPrincipalName", {.in = since(3)}),
        field<&m::issue_timestamp>("issueTimestamp"),
        field<&m::expiry_timestamp>("expiryTimestamp"),
        field<&m::max_timestamp>("maxTimestamp"),
        field<&m::token_id>("tokenId"),
        field<&m::hmac>("hmac"),
        field<&m::renewers>("renewers"));
}
constexpr auto describe(type<describe_delegation_token_response>) {
    using m = describe_delegation_token_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::tokens>("tokens"),
        field<&m::throttle_time_ms>("throttleTimeMs"));
}

}  // namespace kafkawire::protocol::messages
