// ListConfigResources (key 74): names of the resources that have configuration; version 0 knew client metrics only.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct list_config_resources_response;

struct list_config_resources_request {
    using response = list_config_resources_response;
    static constexpr std::int16_t key = 74;
    static constexpr version_range versions = between(0, 1), flexible = all();

    std::vector<std::int8_t> resource_types;
    tagged_fields unknown_tags;
    friend bool operator==(const list_config_resources_request&, const list_config_resources_request&) = default;
};

constexpr auto describe(type<list_config_resources_request>) {
    using m = list_config_resources_request;
    return fields(
        field<&m::resource_types>("resourceTypes", {.in = since(1)}));
}

struct list_config_resources_response {
    static constexpr std::int16_t key = 74;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct config_resource {
        std::string resource_name;
        std::int8_t resource_type = 16;
        tagged_fields unknown_tags;
        friend bool operator==(const config_resource&, const config_resource&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<config_resource> config_resources;
    tagged_fields unknown_tags;
    friend bool operator==(const list_config_resources_response&, const list_config_resources_response&) = default;
};

constexpr auto describe(type<list_config_resources_response::config_resource>) {
    using m = list_config_resources_response::config_resource;
    return fields(
        field<&m::resource_name>("resourceName"),
        field<&m::resource_type>("resourceType", {.in = since(1), .ignorable = true}));
}
constexpr auto describe(type<list_config_resources_response>) {
    using m = list_config_resources_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::config_resources>("configResources"));
}

}  // namespace kafkawire::protocol::messages
