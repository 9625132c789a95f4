// DescribeAcls (key 29): finds access rules by a filter.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_acls_response;

struct describe_acls_request {
    using response = describe_acls_response;
    static constexpr std::int16_t key = 29;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    std::int8_t resource_type_filter = 0;
    std::optional<std::string> resource_name_filter{std::in_place};
    std::int8_t pattern_type_filter = 3;
    std::optional<std::string> principal_filter{std::in_place};
    std::optional<std::string> host_filter{std::in_place};
    std::int8_t operation = 0;
    std::int8_t permission_type = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_acls_request&, const describe_acls_request&) = default;
};

constexpr auto describe(type<describe_acls_request>) {
    using m = describe_acls_request;
    return fields(
        field<&m::resource_type_filter>("resourceTypeFilter"),
        field<&m::resource_name_filter>("resourceNameFilter", {.nullable = all()}),
        field<&m::pattern_type_filter>("patternTypeFilter", {.in = since(1)}),
        field<&m::principal_filter>("principalFilter", {.nullable = all()}),
        field<&m::host_filter>("hostFilter", {.nullable = all()}),
        field<&m::operation>("operation"),
        field<&m::permission_type>("permissionType"));
}

struct describe_acls_response {
    static constexpr std::int16_t key = 29;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct acl_description {
        std::string principal;
        std::string host;
        std::int8_t operation = 0;
        std::int8_t permission_type = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const acl_description&, const acl_description&) = default;
    };

    struct resource {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::int8_t pattern_type = 3;
        std::vector<acl_description> acls;
        tagged_fields unknown_tags;
        friend bool operator==(const resource&, const resource&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::vector<resource> resources;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_acls_response&, const describe_acls_response&) = default;
};

constexpr auto describe(type<describe_acls_response::acl_description>) {
    using m = describe_acls_response::acl_description;
    return fields(
        field<&m::principal>("principal"),
        field<&m::host>("host"),
        field<&m::operation>("operation"),
        field<&m::permission_type>("permissionType"));
}
constexpr auto describe(type<describe_acls_response::resource>) {
    using m = describe_acls_response::resource;
    return fields(
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::pattern_type>("patternType", {.in = since(1)}),
        field<&m::acls>("acls"));
}
constexpr auto describe(type<describe_acls_response>) {
    using m = describe_acls_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::resources>("resources"));
}

}  // namespace kafkawire::protocol::messages
