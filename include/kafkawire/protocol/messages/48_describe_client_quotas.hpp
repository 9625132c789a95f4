// DescribeClientQuotas (key 48): reads quotas by user, client id or address.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_client_quotas_response;

struct describe_client_quotas_request {
    using response = describe_client_quotas_response;
    static constexpr std::int16_t key = 48;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct component_data {
        std::string entity_type;
        std::int8_t match_type = 0;
        std::optional<std::string> match{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const component_data&, const component_data&) = default;
    };

    std::vector<component_data> components;
    bool strict = false;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_client_quotas_request&, const describe_client_quotas_request&) = default;
};

constexpr auto describe(type<describe_client_quotas_request::component_data>) {
    using m = describe_client_quotas_request::component_data;
    return fields(
        field<&m::entity_type>("entityType"),
        field<&m::match_type>("matchType"),
        field<&m::match>("match", {.nullable = all()}));
}
constexpr auto describe(type<describe_client_quotas_request>) {
    using m = describe_client_quotas_request;
    return fields(
        field<&m::components>("components"),
        field<&m::strict>("strict"));
}

struct describe_client_quotas_response {
    static constexpr std::int16_t key = 48;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct entity_data {
        std::string entity_type;
        std::optional<std::string> entity_name{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const entity_data&, const entity_data&) = default;
    };

    struct value_data {
        std::string key;
        double value = 0.0;
        tagged_fields unknown_tags;
        friend bool operator==(const value_data&, const value_data&) = default;
    };

    struct entry_data {
        std::vector<entity_data> entity;
        std::vector<value_data> values;
        tagged_fields unknown_tags;
        friend bool operator==(const entry_data&, const entry_data&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::optional<std::vector<entry_data>> entries{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const describe_client_quotas_response&, const describe_client_quotas_response&) = default;
};

constexpr auto describe(type<describe_client_quotas_response::entity_data>) {
    using m = describe_client_quotas_response::entity_data;
    return fields(
        field<&m::entity_type>("entityType"),
        field<&m::entity_name>("entityName", {.nullable = all()}));
}
constexpr auto describe(type<describe_client_quotas_response::value_data>) {
    using m = describe_client_quotas_response::value_data;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"));
}
constexpr auto describe(type<describe_client_quotas_response::entry_data>) {
    using m = describe_client_quotas_response::entry_data;
    return fields(
        field<&m::entity>("entity"),
        field<&m::values>("values"));
}
constexpr auto describe(type<describe_client_quotas_response>) {
    using m = describe_client_quotas_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::entries>("entries", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
