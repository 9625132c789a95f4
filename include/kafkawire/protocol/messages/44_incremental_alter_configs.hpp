// IncrementalAlterConfigs (key 44): sets, deletes, appends to or subtracts from single configuration entries.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct incremental_alter_configs_response;

struct incremental_alter_configs_request {
    using response = incremental_alter_configs_response;
    static constexpr std::int16_t key = 44;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct alterable_config {
        std::string name;
        std::int8_t config_operation = 0;
        std::optional<std::string> value{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const alterable_config&, const alterable_config&) = default;
    };

    struct alter_configs_resource {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::vector<alterable_config> configs;
        tagged_fields unknown_tags;
        friend bool operator==(const alter_configs_resource&, const alter_configs_resource&) = default;
    };

    std::vector<alter_configs_resource> resources;
    bool validate_only = false;
    tagged_fields unknown_tags;
    friend bool operator==(const incremental_alter_configs_request&, const incremental_alter_configs_request&) = default;
};

constexpr auto describe(type<incremental_alter_configs_request::alterable_config>) {
    using m = incremental_alter_configs_request::alterable_config;
    return fields(
        field<&m::name>("name"),
        field<&m::config_operation>("configOperation"),
        field<&m::value>("value", {.nullable = all()}));
}
constexpr auto describe(type<incremental_alter_configs_request::alter_configs_resource>) {
    using m = incremental_alter_configs_request::alter_configs_resource;
    return fields(
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::configs>("configs"));
}
constexpr auto describe(type<incremental_alter_configs_request>) {
    using m = incremental_alter_configs_request;
    return fields(
        field<&m::resources>("resources"),
        field<&m::validate_only>("validateOnly"));
}

struct incremental_alter_configs_response {
    static constexpr std::int16_t key = 44;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct alter_configs_resource_response {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::int8_t resource_type = 0;
        std::string resource_name;
        tagged_fields unknown_tags;
        friend bool operator==(const alter_configs_resource_response&, const alter_configs_resource_response&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<alter_configs_resource_response> responses;
    tagged_fields unknown_tags;
    friend bool operator==(const incremental_alter_configs_response&, const incremental_alter_configs_response&) = default;
};

constexpr auto describe(type<incremental_alter_configs_response::alter_configs_resource_response>) {
    using m = incremental_alter_configs_response::alter_configs_resource_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"));
}
constexpr auto describe(type<incremental_alter_configs_response>) {
    using m = incremental_alter_configs_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::responses>("responses"));
}

}  // namespace kafkawire::protocol::messages
