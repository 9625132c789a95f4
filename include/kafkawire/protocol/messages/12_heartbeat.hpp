// Heartbeat (key 12): classic group protocol: a member is alive and learns of rebalances.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct heartbeat_response;

struct heartbeat_request {
    using response = heartbeat_response;
    static constexpr std::int16_t key = 12;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    std::string group_id;
    std::int32_t generation_id = 0;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    tagged_fields unknown_tags;
    friend bool operator==(const heartbeat_request&, const heartbeat_request&) = default;
};

constexpr auto describe(type<heartbeat_request>) {
    using m = heartbeat_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::generation_id>("generationId"),
        field<&m::member_id>("memberId"),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(3), .nullable = since(3)}));
}

struct heartbeat_response {
    static constexpr std::int16_t key = 12;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const heartbeat_response&, const heartbeat_response&) = default;
};

constexpr auto describe(type<heartbeat_response>) {
    using m = heartbeat_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode"));
}

}  // namespace kafkawire::protocol::messages
