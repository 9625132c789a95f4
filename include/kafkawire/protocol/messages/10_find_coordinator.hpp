// FindCoordinator (key 10): which broker coordinates a group, a transactional id or a share group.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct find_coordinator_response;

struct find_coordinator_request {
    using response = find_coordinator_response;
    static constexpr std::int16_t key = 10;
    static constexpr version_range versions = between(0, 6), flexible = since(3);

    std::string coordinator_key;
    std::int8_t key_type = 0;
    std::vector<std::string> coordinator_keys;
    tagged_fields unknown_tags;
    friend bool operator==(const find_coordinator_request&, const find_coordinator_request&) = default;
};

constexpr auto describe(type<find_coordinator_request>) {
    using m = find_coordinator_request;
    return fields(
        field<&m::coordinator_key>("key", {.in = between(0, 3)}),
        field<&m::key_type>("keyType", {.in = since(1)}),
        field<&m::coordinator_keys>("coordinatorKeys", {.in = since(4)}));
}

struct find_coordinator_response {
    static constexpr std::int16_t key = 10;
    static constexpr version_range versions = between(0, 6), flexible = since(3);

    struct coordinator {
        std::string key;
        std::int32_t node_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const coordinator&, const coordinator&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::int32_t node_id = 0;
    std::string host;
    std::int32_t port = 0;
    std::vector<coordinator> coordinators;
    tagged_fields unknown_tags;
    friend bool operator==(const find_coordinator_response&, const find_coordinator_response&) = default;
};

constexpr auto describe(type<find_coordinator_response::coordinator>) {
    using m = find_coordinator_response::coordinator;
    return fields(
        field<&m::key>("key", {.in = since(4)}),
        field<&m::node_id>("nodeId", {.in = since(4)}),
        field<&m::host>("host", {.in = since(4)}),
        field<&m::port>("port", {.in = since(4)}),
        field<&m::error_code>("errorCode", {.in = since(4)}),
        field<&m::error_message>("errorMessage", {.in = since(4), .nullable = since(4), .ignorable = true}));
}
constexpr auto describe(type<find_coordinator_response>) {
    using m = find_coordinator_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode", {.in = between(0, 3)}),
        field<&m::error_message>("errorMessage", {.in = between(1, 3), .nullable = between(1, 3), .ignorable = true}),
        field<&m::node_id>("nodeId", {.in = between(0, 3)}),
        field<&m::host>("host", {.in = between(0, 3)}),
        field<&m::port>("port", {.in = between(0, 3)}),
        field<&m::coordinators>("coordinators", {.in = since(4)}));
}

}  // namespace kafkawire::protocol::messages
