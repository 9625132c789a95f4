// BrokerRegistration (key 62): a broker announces itself to the controller.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct broker_registration_response;

struct broker_registration_request {
    using response = broker_registration_response;
    static constexpr std::int16_t key = 62;
    static constexpr version_range versions = between(0, 4), flexible = all();

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

    std::int32_t broker_id = 0;
    std::string cluster_id;
    uuid incarnation_id;
    std::vector<listener> listeners;
    std::vector<feature> features;
    std::optional<std::string> rack{std::in_place};
    bool is_migrating_zk_broker = false;
    std::vector<uuid> log_dirs;
    std::int64_t previous_broker_epoch = -1;
    tagged_fields unknown_tags;
    friend bool operator==(const broker_registration_request&, const broker_registration_request&) = default;
};

constexpr auto describe(type<broker_registration_request::listener>) {
    using m = broker_registration_request::listener;
    return fields(
        field<&m::name>("name"),
        field<&m::host>("host"),
        field<&m::port>("port"),
        field<&m::security_protocol>("securityProtocol"));
}
constexpr auto describe(type<broker_registration_request::feature>) {
    using m = broker_registration_request::feature;
    return fields(
        field<&m::name>("name"),
        field<&m::min_supported_version>("minSupportedVersion"),
        field<&m::max_supported_version>("maxSupportedVersion"));
}
constexpr auto describe(type<broker_registration_request>) {
    using m = broker_registration_request;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::cluster_id>("clusterId"),
        field<&m::incarnation_id>("incarnationId"),
        field<&m::listeners>("listeners"),
        field<&m::features>("features"),
        field<&m::rack>("rack", {.nullable = all()}),
        field<&m::is_migrating_zk_broker>("isMigratingZkBroker", {.in = since(1)}),
        field<&m::log_dirs>("logDirs", {.in = since(2), .ignorable = true}),
        field<&m::previous_broker_epoch>("previousBrokerEpoch", {.in = since(3), .ignorable = true}));
}

struct broker_registration_response {
    static constexpr std::int16_t key = 62;
    static constexpr version_range versions = between(0, 4), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::int64_t broker_epoch = -1;
    tagged_fields unknown_tags;
    friend bool operator==(const broker_registration_response&, const broker_registration_response&) = default;
};

constexpr auto describe(type<broker_registration_response>) {
    using m = broker_registration_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::broker_epoch>("brokerEpoch"));
}

}  // namespace kafkawire::protocol::messages
