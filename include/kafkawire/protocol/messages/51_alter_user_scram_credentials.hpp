// AlterUserScramCredentials (key 51): sets or deletes users' SCRAM credentials.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct alter_user_scram_credentials_response;

struct alter_user_scram_credentials_request {
    using response = alter_user_scram_credentials_response;
    static constexpr std::int16_t key = 51;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct scram_credential_deletion {
        std::string name;
        std::int8_t mechanism = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const scram_credential_deletion&, const scram_credential_deletion&) = default;
    };

    struct scram_credential_upsertion {
        std::string name;
        std::int8_t mechanism = 0;
        std::int32_t iterations = 0;
        bytes salt;
        bytes salted_password;
        tagged_fields unknown_tags;
        friend bool operator==(const scram_credential_upsertion&, const scram_credential_upsertion&) = default;
    };

    std::vector<scram_credential_deletion> deletions;
    std::vector<scram_credential_upsertion> upsertions;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_user_scram_credentials_request&, const alter_user_scram_credentials_request&) = default;
};

constexpr auto describe(type<alter_user_scram_credentials_request::scram_credential_deletion>) {
    using m = alter_user_scram_credentials_request::scram_credential_deletion;
    return fields(
        field<&m::name>("name"),
        field<&m::mechanism>("mechanism"));
}
constexpr auto describe(type<alter_user_scram_credentials_request::scram_credential_upsertion>) {
    using m = alter_user_scram_credentials_request::scram_credential_upsertion;
    return fields(
        field<&m::name>("name"),
        field<&m::mechanism>("mechanism"),
        field<&m::iterations>("iterations"),
        field<&m::salt>("salt"),
        field<&m::salted_password>("saltedPassword"));
}
constexpr auto describe(type<alter_user_scram_credentials_request>) {
    using m = alter_user_scram_credentials_request;
    return fields(
        field<&m::deletions>("deletions"),
        field<&m::upsertions>("upsertions"));
}

struct alter_user_scram_credentials_response {
    static constexpr std::int16_t key = 51;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct result {
        std::string user;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const result&, const result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_user_scram_credentials_response&, const alter_user_scram_credentials_response&) = default;
};

constexpr auto describe(type<alter_user_scram_credentials_response::result>) {
    using m = alter_user_scram_credentials_response::result;
    return fields(
        field<&m::user>("user"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<alter_user_scram_credentials_response>) {
    using m = alter_user_scram_credentials_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
