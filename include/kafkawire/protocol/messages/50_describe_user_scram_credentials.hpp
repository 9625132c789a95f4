// DescribeUserScramCredentials (key 50): which SCRAM mechanisms and iteration counts users have; never secrets.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_user_scram_credentials_response;

struct describe_user_scram_credentials_request {
    using response = describe_user_scram_credentials_response;
    static constexpr std::int16_t key = 50;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct user_name {
        std::string name;
        tagged_fields unknown_tags;
        friend bool operator==(const user_name&, const user_name&) = default;
    };

    std::optional<std::vector<user_name>> users{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const describe_user_scram_credentials_request&, const describe_user_scram_credentials_request&) = default;
};

constexpr auto describe(type<describe_user_scram_credentials_request::user_name>) {
    using m = describe_user_scram_credentials_request::user_name;
    return fields(
        field<&m::name>("name"));
}
constexpr auto describe(type<describe_user_scram_credentials_request>) {
    using m = describe_user_scram_credentials_request;
    return fields(
        field<&m::users>("users", {.nullable = all()}));
}

struct describe_user_scram_credentials_response {
    static constexpr std::int16_t key = 50;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct credential_info {
        std::int8_t mechanism = 0;
        std::int32_t iterations = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const credential_info&, const credential_info&) = default;
    };

    struct result {
        std::string user;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::vector<credential_info> credential_infos;
        tagged_fields unknown_tags;
        friend bool operator==(const result&, const result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::vector<result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_user_scram_credentials_response&, const describe_user_scram_credentials_response&) = default;
};

constexpr auto describe(type<describe_user_scram_credentials_response::credential_info>) {
    using m = describe_user_scram_credentials_response::credential_info;
    return fields(
        field<&m::mechanism>("mechanism"),
        field<&m::iterations>("iterations"));
}
constexpr auto describe(type<describe_user_scram_credentials_response::result>) {
    using m = describe_user_scram_credentials_response::result;
    return fields(
        field<&m::user>("user"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::credential_infos>("credentialInfos"));
}
constexpr auto describe(type<describe_user_scram_credentials_response>) {
    using m = describe_user_scram_credentials_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
