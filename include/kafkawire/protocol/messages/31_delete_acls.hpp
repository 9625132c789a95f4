// DeleteAcls (key 31): deletes the access rules that match a filter.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct delete_acls_response;

struct delete_acls_request {
    using response = delete_acls_response;
    static constexpr std::int16_t key = 31;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct filter {
        std::int8_t resource_type_filter = 0;
        std::optional<std::string> resource_name_filter{std::in_place};
        std::int8_t pattern_type_filter = 3;
        std::optional<std::string> principal_filter{std::in_place};
        std::optional<std::string> host_filter{std::in_place};
        std::int8_t operation = 0;
        std::int8_t permission_type = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const filter&, const filter&) = default;
    };

    std::vector<filter> filters;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_acls_request&, const delete_acls_request&) = default;
};

constexpr auto describe(type<delete_acls_request::filter>) {
    using m = delete_acls_request::filter;
    return fields(
        field<&m::resource_type_filter>("resourceTypeFilter"),
        field<&m::resource_name_filter>("resourceNameFilter", {.nullable = all()}),
        field<&m::pattern_type_filter>("patternTypeFilter", {.in = since(1)}),
        field<&m::principal_filter>("principalFilter", {.nullable = all()}),
        field<&m::host_filter>("hostFilter", {.nullable = all()}),
        field<&m::operation>("operation"),
        field<&m::permission_type>("permissionType"));
}
constexpr auto describe(type<delete_acls_request>) {
    using m = delete_acls_request;
    return fields(
        field<&m::filters>("filters"));
}

struct delete_acls_response {
    static constexpr std::int16_t key = 31;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct matching_acl {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::int8_t pattern_type = 3;
        std::string principal;
        std::string host;
        std::int8_t operation = 0;
        std::int8_t permission_type = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const matching_acl&, const matching_acl&) = default;
    };

    struct filter_result {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::vector<matching_acl> matching_acls;
        tagged_fields unknown_tags;
        friend bool operator==(const filter_result&, const filter_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<filter_result> filter_results;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_acls_response&, const delete_acls_response&) = default;
};

constexpr auto describe(type<delete_acls_response::matching_acl>) {
    using m = delete_acls_response::matching_acl;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::pattern_type>("patternType", {.in = since(1)}),
        field<&m::principal>("principal"),
        field<&m::host>("host"),
        field<&m::operation>("operation"),
        field<&m::permission_type>("permissionType"));
}
constexpr auto describe(type<delete_acls_response::filter_result>) {
    using m = delete_acls_response::filter_result;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::matching_acls>("matchingAcls"));
}
constexpr auto describe(type<delete_acls_response>) {
    using m = delete_acls_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::filter_results>("filterResults"));
}

}  // namespace kafkawire::protocol::messages
