// ControllerRegistration (key 70): a controller announces its endpoints and features.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct controller_registration_response;

struct controller_registration_request {
    using response = controller_registration_response;
    static constexpr std::int16_t key = 70;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct listener {
        std::string name;
        std::string host;
        std::uint16_t port = 0;
        std::int16_t security_protocol = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const listener&, const listener&) = default;
    };

    struct feature {
        std::string name;
        std::int16_t min_supported_version = 0;
        std::int16_t max_supported_version = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const feature&, const feature&) = default;
    };

    std::int32_t controller_id = 0;
    uuid incarnation_id;
    bool zk_migration_ready = false;
    std::vector<listener> listeners;
    std::vector<feature> features;
    tagged_fields unknown_tags;
    friend bool operator==(const controller_registration_request&, const controller_registration_request&) = default;
};

constexpr auto describe(type<controller_registration_request::listener>) {
    using m = controller_registration_request::listener;
    return fields(
        field<&m::name>("name"),
        field<&m::host>("host"),
        field<&m::port>("port"),
        field<&m::security_protocol>("securityProtocol"));
}
constexpr auto describe(type<controller_registration_request::feature>) {
    using m = controller_registration_request::feature;
    return fields(
        field<&m::name>("name"),
        field<&m::min_supported_version>("minSupportedVersion"),
        field<&m::max_supported_version>("maxSupportedVersion"));
}
constexpr auto describe(type<controller_registration_request>) {
    using m = controller_registration_request;
    return fields(
        field<&m::controller_id>("controllerId"),
        field<&m::incarnation_id>("incarnationId"),
        field<&m::zk_migration_ready>("zkMigrationReady"),
        field<&m::listeners>("listeners"),
        field<&m::features>("features"));
}

struct controller_registration_response {
    static constexpr std::int16_t key = 70;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const controller_registration_response&, const controller_registration_response&) = default;
};

constexpr auto describe(type<controller_registration_response>) {
    using m = controller_registration_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
