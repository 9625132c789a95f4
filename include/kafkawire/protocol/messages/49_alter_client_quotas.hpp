// AlterClientQuotas (key 49): sets or removes quotas.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct alter_client_quotas_response;

struct alter_client_quotas_request {
    using response = alter_client_quotas_response;
    static constexpr std::int16_t key = 49;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct entity_data {
        std::string entity_type;
        std::optional<std::string> entity_name{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const entity_data&, const entity_data&) = default;
    };

    struct op_data {
        std::string key;
        double value = 0.0;
        bool remove = false;
        tagged_fields unknown_tags;
        friend bool operator==(const op_data&, const op_data&) = default;
    };

    struct entry_data {
        std::vector<entity_data> entity;
        std::vector<op_data> ops;
        tagged_fields unknown_tags;
        friend bool operator==(const entry_data&, const entry_data&) = default;
    };

    std::vector<entry_data> entries;
    bool validate_only = false;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_client_quotas_request&, const alter_client_quotas_request&) = default;
};

constexpr auto describe(type<alter_client_quotas_request::entity_data>) {
    using m = alter_client_quotas_request::entity_data;
    return fields(
        field<&m::entity_type>("entityType"),
        field<&m::entity_name>("entityName", {.nullable = all()}));
}
constexpr auto describe(type<alter_client_quotas_request::op_data>) {
    using m = alter_client_quotas_request::op_data;
    return fields(
        field<&m::key>("key"),
        field<&m::value>("value"),
        field<&m::remove>("remove"));
}
constexpr auto describe(type<alter_client_quotas_request::entry_data>) {
    using m = alter_client_quotas_request::entry_data;
    return fields(
        field<&m::entity>("entity"),
        field<&m::ops>("ops"));
}
constexpr auto describe(type<alter_client_quotas_request>) {
    using m = alter_client_quotas_request;
    return fields(
        field<&m::entries>("entries"),
        field<&m::validate_only>("validateOnly"));
}

struct alter_client_quotas_response {
    static constexpr std::int16_t key = 49;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct entity_data {
        std::string entity_type;
        std::optional<std::string> entity_name{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const entity_data&, const entity_data&) = default;
    };

    struct entry_data {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::vector<entity_data> entity;
        tagged_fields unknown_tags;
        friend bool operator==(const entry_data&, const entry_data&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<entry_data> entries;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_client_quotas_response&, const alter_client_quotas_response&) = default;
};

constexpr auto describe(type<alter_client_quotas_response::entity_data>) {
    using m = alter_client_quotas_response::entity_data;
    return fields(
        field<&m::entity_type>("entityType"),
        field<&m::entity_name>("entityName", {.nullable = all()}));
}
constexpr auto describe(type<alter_client_quotas_response::entry_data>) {
    using m = alter_client_quotas_response::entry_data;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::entity>("entity"));
}
constexpr auto describe(type<alter_client_quotas_response>) {
    using m = alter_client_quotas_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::entries>("entries"));
}

}  // namespace kafkawire::protocol::messages
