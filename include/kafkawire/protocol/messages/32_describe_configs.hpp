// DescribeConfigs (key 32): reads the configuration of topics, brokers and other resources.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_configs_response;

struct describe_configs_request {
    using response = describe_configs_response;
    static constexpr std::int16_t key = 32;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    struct resource {
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::optional<std::vector<std::string>> configuration_keys{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const resource&, const resource&) = default;
    };

    std::vector<resource> resources;
    bool include_synonyms = false;
    bool include_documentation = false;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_configs_request&, const describe_configs_request&) = default;
};

constexpr auto describe(type<describe_configs_request::resource>) {
    using m = describe_configs_request::resource;
    return fields(
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::configuration_keys>("configurationKeys", {.nullable = all()}));
}
constexpr auto describe(type<describe_configs_request>) {
    using m = describe_configs_request;
    return fields(
        field<&m::resources>("resources"),
        field<&m::include_synonyms>("includeSynonyms", {.in = since(1)}),
        field<&m::include_documentation>("includeDocumentation", {.in = since(3)}));
}

struct describe_configs_response {
    static constexpr std::int16_t key = 32;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    struct synonym {
        std::string name;
        std::optional<std::string> value{std::in_place};
        std::int8_t source = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const synonym&, const synonym&) = default;
    };

    struct resource_result {
        std::string name;
        std::optional<std::string> value{std::in_place};
        bool read_only = false;
        bool is_default = false;
        std::int8_t config_source = -1;
        bool is_sensitive = false;
        std::vector<synonym> synonyms;
        std::int8_t config_type = 0;
        std::optional<std::string> documentation{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const resource_result&, const resource_result&) = default;
    };

    struct result {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::int8_t resource_type = 0;
        std::string resource_name;
        std::vector<resource_result> configs;
        tagged_fields unknown_tags;
        friend bool operator==(const result&, const result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_configs_response&, const describe_configs_response&) = default;
};

constexpr auto describe(type<describe_configs_response::synonym>) {
    using m = describe_configs_response::synonym;
    return fields(
        field<&m::name>("name", {.in = since(1)}),
        field<&m::value>("value", {.in = since(1), .nullable = all()}),
        field<&m::source>("source", {.in = since(1)}));
}
constexpr auto describe(type<describe_configs_response::resource_result>) {
    using m = describe_configs_response::resource_result;
    return fields(
        field<&m::name>("name"),
        field<&m::value>("value", {.nullable = all()}),
        field<&m::read_only>("readOnly"),
        field<&m::is_default>("isDefault", {.in = only(0)}),
        field<&m::config_source>("configSource", {.in = since(1), .ignorable = true}),
        field<&m::is_sensitive>("isSensitive"),
        field<&m::synonyms>("synonyms", {.in = since(1), .ignorable = true}),
        field<&m::config_type>("configType", {.in = since(3), .ignorable = true}),
        field<&m::documentation>("documentation", {.in = since(3), .nullable = all(), .ignorable = true}));
}
constexpr auto describe(type<describe_configs_response::result>) {
    using m = describe_configs_response::result;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::configs>("configs"));
}
constexpr auto describe(type<describe_configs_response>) {
    using m = describe_configs_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
