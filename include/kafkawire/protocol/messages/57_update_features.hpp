// UpdateFeatures (key 57): raises or lowers finalized feature levels.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct update_features_response;

struct update_features_request {
    using response = update_features_response;
    static constexpr std::int16_t key = 57;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct feature_update_key {
        std::string feature;
        std::int16_t max_version_level = 0;
        bool allow_downgrade = false;
        std::int8_t upgrade_type = 1;
        tagged_fields unknown_tags;
        friend bool operator==(const feature_update_key&, const feature_update_key&) = default;
    };

    std::int32_t timeout_ms = 60000;
    std::vector<feature_update_key> feature_updates;
    bool validate_only = false;
    tagged_fields unknown_tags;
    friend bool operator==(const update_features_request&, const update_features_request&) = default;
};

constexpr auto describe(type<update_features_request::feature_update_key>) {
    using m = update_features_request::feature_update_key;
    return fields(
        field<&m::feature>("feature"),
        field<&m::max_version_level>("maxVersionLevel"),
        field<&m::allow_downgrade>("allowDowngrade", {.in = only(0)}),
        field<&m::upgrade_type>("upgradeType", {.in = since(1)}));
}
constexpr auto describe(type<update_features_request>) {
    using m = update_features_request;
    return fields(
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::feature_updates>("featureUpdates"),
        field<&m::validate_only>("validateOnly", {.in = since(1)}));
}

struct update_features_response {
    static constexpr std::int16_t key = 57;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct updatable_feature_result {
        std::string feature;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const updatable_feature_result&, const updatable_feature_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::vector<updatable_feature_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const update_features_response&, const update_features_response&) = default;
};

constexpr auto describe(type<update_features_response::updatable_feature_result>) {
    using m = update_features_response::updatable_feature_result;
    return fields(
        field<&m::feature>("feature"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<update_features_response>) {
    using m = update_features_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::results>("results", {.in = between(0, 1), .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
