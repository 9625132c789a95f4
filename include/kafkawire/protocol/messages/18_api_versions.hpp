// ApiVersions (key 18): the versions that a broker speaks, and the cluster's features; the first request of a connection.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct api_versions_response;

struct api_versions_request {
    using response = api_versions_response;
    static constexpr std::int16_t key = 18;
    static constexpr version_range versions = between(0, 4), flexible = since(3);

    std::string client_software_name;
    std::string client_software_version;
    tagged_fields unknown_tags;
    friend bool operator==(const api_versions_request&, const api_versions_request&) = default;
};

constexpr auto describe(type<api_versions_request>) {
    using m = api_versions_request;
    return fields(
        field<&m::client_software_name>("clientSoftwareName", {.in = since(3), .ignorable = true}),
        field<&m::client_software_version>("clientSoftwareVersion", {.in = since(3), .ignorable = true}));
}

struct api_versions_response {
    static constexpr std::int16_t key = 18;
    static constexpr version_range versions = between(0, 4), flexible = since(3);

    struct api_version {
        std::int16_t api_key = 0;
        std::int16_t min_version = 0;
        std::int16_t max_version = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const api_version&, const api_version&) = default;
    };

    struct supported_feature_key {
        std::string name;
        std::int16_t min_version = 0;
        std::int16_t max_version = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const supported_feature_key&, const supported_feature_key&) = default;
    };

    struct finalized_feature_key {
        std::string name;
        std::int16_t max_version_level = 0;
        std::int16_t min_version_level = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const finalized_feature_key&, const finalized_feature_key&) = default;
    };

    std::int16_t error_code = 0;
    std::vector<api_version> api_keys;
    std::int32_t throttle_time_ms = 0;
    std::vector<supported_feature_key> supported_features;
    std::int64_t finalized_features_epoch = -1;
    std::vector<finalized_feature_key> finalized_features;
    bool zk_migration_ready = false;
    tagged_fields unknown_tags;
    friend bool operator==(const api_versions_response&, const api_versions_response&) = default;
};

constexpr auto describe(type<api_versions_response::api_version>) {
    using m = api_versions_response::api_version;
    return fields(
        field<&m::api_key>("apiKey"),
        field<&m::min_version>("minVersion"),
        field<&m::max_version>("maxVersion"));
}
constexpr auto describe(type<api_versions_response::supported_feature_key>) {
    using m = api_versions_response::supported_feature_key;
    return fields(
        field<&m::name>("name", {.in = since(3)}),
        field<&m::min_version>("minVersion", {.in = since(3)}),
        field<&m::max_version>("maxVersion", {.in = since(3)}));
}
constexpr auto describe(type<api_versions_response::finalized_feature_key>) {
    using m = api_versions_response::finalized_feature_key;
    return fields(
        field<&m::name>("name", {.in = since(3)}),
        field<&m::max_version_level>("maxVersionLevel", {.in = since(3)}),
        field<&m::min_version_level>("minVersionLevel", {.in = since(3)}));
}
constexpr auto describe(type<api_versions_response>) {
    using m = api_versions_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::api_keys>("apiKeys"),
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::supported_features>("supportedFeatures", {.in = since(3), .tagged = since(3), .tag = 0, .ignorable = true}),
        field<&m::finalized_features_epoch>("finalizedFeaturesEpoch", {.in = since(3), .tagged = since(3), .tag = 1, .ignorable = true}),
        field<&m::finalized_features>("finalizedFeatures", {.in = since(3), .tagged = since(3), .tag = 2, .ignorable = true}),
        field<&m::zk_migration_ready>("zkMigrationReady", {.in = since(3), .tagged = since(3), .tag = 3, .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
