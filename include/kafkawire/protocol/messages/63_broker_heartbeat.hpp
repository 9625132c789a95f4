// BrokerHeartbeat (key 63): a broker tells the controller that it lives, and learns whether it is fenced.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct broker_heartbeat_response;

struct broker_heartbeat_request {
    using response = broker_heartbeat_response;
    static constexpr std::int16_t key = 63;
    static constexpr version_range versions = between(0, 2), flexible = all();

    std::int32_t broker_id = 0;
    std::int64_t broker_epoch = -1;
    std::int64_t current_metadata_offset = 0;
    bool want_fence = false;
    bool want_shut_down = false;
    std::vector<uuid> offline_log_dirs;
    std::optional<std::vector<uuid>> cordoned_log_dirs;
    tagged_fields unknown_tags;
    friend bool operator==(const broker_heartbeat_request&, const broker_heartbeat_request&) = default;
};

constexpr auto describe(type<broker_heartbeat_request>) {
    using m = broker_heartbeat_request;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::broker_epoch>("brokerEpoch"),
        field<&m::current_metadata_offset>("currentMetadataOffset"),
        field<&m::want_fence>("wantFence"),
        field<&m::want_shut_down>("wantShutDown"),
        field<&m::offline_log_dirs>("offlineLogDirs", {.in = since(1), .tagged = since(1), .tag = 0}),
        field<&m::cordoned_log_dirs>("cordonedLogDirs", {.in = since(2), .nullable = since(2), .tagged = since(2), .tag = 1}));
}

struct broker_heartbeat_response {
    static constexpr std::int16_t key = 63;
    static constexpr version_range versions = between(0, 2), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    bool is_caught_up = false;
    bool is_fenced = true;
    bool should_shut_down = false;
    tagged_fields unknown_tags;
    friend bool operator==(const broker_heartbeat_response&, const broker_heartbeat_response&) = default;
};

constexpr auto describe(type<broker_heartbeat_response>) {
    using m = broker_heartbeat_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::is_caught_up>("isCaughtUp"),
        field<&m::is_fenced>("isFenced"),
        field<&m::should_shut_down>("shouldShutDown"));
}

}  // namespace kafkawire::protocol::messages
