// SyncGroup (key 14): classic group protocol: the leader hands in the assignment, each member receives its own.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct sync_group_response;

struct sync_group_request {
    using response = sync_group_response;
    static constexpr std::int16_t key = 14;
    static constexpr version_range versions = between(0, 5), flexible = since(4);

    struct sync_group_request_assignment {
        std::string member_id;
        bytes assignment;
        tagged_fields unknown_tags;
        friend bool operator==(const sync_group_request_assignment&, const sync_group_request_assignment&) = default;
    };

    std::string group_id;
    std::int32_t generation_id = 0;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    std::vector<sync_group_request_assignment> assignments;
    tagged_fields unknown_tags;
    friend bool operator==(const sync_group_request&, const sync_group_request&) = default;
};

constexpr auto describe(type<sync_group_request::sync_group_request_assignment>) {
    using m = sync_group_request::sync_group_request_assignment;
    return fields(
        field<&m::member_id>("memberId"),
        field<&m::assignment>("assignment"));
}
constexpr auto describe(type<sync_group_request>) {
    using m = sync_group_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::generation_id>("generationId"),
        field<&m::member_id>("memberId"),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(3), .nullable = since(3)}),
        field<&m::protocol_type>("protocolType", {.in = since(5), .nullable = since(5), .ignorable = true}),
        field<&m::protocol_name>("protocolName", {.in = since(5), .nullable = since(5), .ignorable = true}),
        field<&m::assignments>("assignments"));
}

struct sync_group_response {
    static constexpr std::int16_t key = 14;
    static constexpr version_range versions = between(0, 5), flexible = since(4);

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name;
    bytes assignment;
    tagged_fields unknown_tags;
    friend bool operator==(const sync_group_response&, const sync_group_response&) = default;
};

constexpr auto describe(type<sync_group_response>) {
    using m = sync_group_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::protocol_type>("protocolType", {.in = since(5), .nullable = since(5), .ignorable = true}),
        field<&m::protocol_name>("protocolName", {.in = since(5), .nullable = since(5), .ignorable = true}),
        field<&m::assignment>("assignment"));
}

}  // namespace kafkawire::protocol::messages
