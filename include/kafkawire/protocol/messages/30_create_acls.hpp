// CreateAcls (key 30): adds access rules.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct create_acls_response;

struct create_acls_request {
    using response = create_acls_response;
    static constexpr std::int16_t key = 30;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct acl_creation {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::int8_t resource_pattern_type = 3;
        std::string principal;
        std::string host;
        std::int8_t operation = 0;
        std::int8_t permission_type = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const acl_creation&, const acl_creation&) = default;
    };

    std::vector<acl_creation> creations;
    tagged_fields unknown_tags;
    friend bool operator==(const create_acls_request&, const create_acls_request&) = default;
};

constexpr auto describe(type<create_acls_request::acl_creation>) {
    using m = create_acls_request::acl_creation;
    return fields(
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::resource_pattern_type>("resourcePatternType", {.in = since(1)}),
        field<&m::principal>("principal"),
        field<&m::host>("host"),
        field<&m::operation>("operation"),
        field<&m::permission_type>("permissionType"));
}
constexpr auto describe(type<create_acls_request>) {
    using m = create_acls_request;
    return fields(
        field<&m::creations>("creations"));
}

struct create_acls_response {
    static constexpr std::int16_t key = 30;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct acl_creation_result {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const acl_creation_result&, const acl_creation_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<acl_creation_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const create_acls_response&, const create_acls_response&) = default;
};

constexpr auto describe(type<create_acls_response::acl_creation_result>) {
    using m = create_acls_response::acl_creation_result;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<create_acls_response>) {
    using m = create_acls_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
