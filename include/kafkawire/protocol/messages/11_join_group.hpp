// JoinGroup (key 11): classic group protocol: a member joins, or joins again for a rebalance, and waits for the others.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct join_group_response;

struct join_group_request {
    using response = join_group_response;
    static constexpr std::int16_t key = 11;
    static constexpr version_range versions = between(0, 9), flexible = since(6);

    struct protocol {
        std::string name;
        bytes metadata;
        tagged_fields unknown_tags;
        friend bool operator==(const protocol&, const protocol&) = default;
    };

    std::string group_id;
    std::int32_t session_timeout_ms = 0;
    std::int32_t rebalance_timeout_ms = -1;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string protocol_type;
    std::vector<protocol> protocols;
    std::optional<std::string> reason;
    tagged_fields unknown_tags;
    friend bool operator==(const join_group_request&, const join_group_request&) = default;
};

constexpr auto describe(type<join_group_request::protocol>) {
    using m = join_group_request::protocol;
    return fields(
        field<&m::name>("name"),
        field<&m::metadata>("metadata"));
}
constexpr auto describe(type<join_group_request>) {
    using m = join_group_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::session_timeout_ms>("sessionTimeoutMs"),
        field<&m::rebalance_timeout_ms>("rebalanceTimeoutMs", {.in = since(1), .ignorable = true}),
        field<&m::member_id>("memberId"),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(5), .nullable = since(5)}),
        field<&m::protocol_type>("protocolType"),
        field<&m::protocols>("protocols"),
        field<&m::reason>("reason", {.in = since(8), .nullable = since(8), .ignorable = true}));
}

struct join_group_response {
    static constexpr std::int16_t key = 11;
    static constexpr version_range versions = between(0, 9), flexible = since(6);

    struct member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        bytes metadata;
        tagged_fields unknown_tags;
        friend bool operator==(const member&, const member&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::int32_t generation_id = -1;
    std::optional<std::string> protocol_type;
    std::optional<std::string> protocol_name{std::in_place};
    std::string leader;
    bool skip_assignment = false;
    std::string member_id;
    std::vector<member> members;
    tagged_fields unknown_tags;
    friend bool operator==(const join_group_response&, const join_group_response&) = default;
};

constexpr auto describe(type<join_group_response::member>) {
    using m = join_group_response::member;
    return fields(
        field<&m::member_id>("memberId"),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(5), .nullable = since(5), .ignorable = true}),
        field<&m::metadata>("metadata"));
}
constexpr auto describe(type<join_group_response>) {
    using m = join_group_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(2), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::generation_id>("generationId"),
        field<&m::protocol_type>("protocolType", {.in = since(7), .nullable = since(7), .ignorable = true}),
        field<&m::protocol_name>("protocolName", {.nullable = since(7)}),
        field<&m::leader>("leader"),
        field<&m::skip_assignment>("skipAssignment", {.in = since(9)}),
        field<&m::member_id>("memberId"),
        field<&m::members>("members"));
}

}  // namespace kafkawire::protocol::messages
