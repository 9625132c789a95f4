// LeaveGroup (key 13): classic group protocol: members leave at once instead of by timeout.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct leave_group_response;

struct leave_group_request {
    using response = leave_group_response;
    static constexpr std::int16_t key = 13;
    static constexpr version_range versions = between(0, 5), flexible = since(4);

    struct member_identity {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::optional<std::string> reason;
        tagged_fields unknown_tags;
        friend bool operator==(const member_identity&, const member_identity&) = default;
    };

    std::string group_id;
    std::string member_id;
    std::vector<member_identity> members;
    tagged_fields unknown_tags;
    friend bool operator==(const leave_group_request&, const leave_group_request&) = default;
};

constexpr auto describe(type<leave_group_request::member_identity>) {
    using m = leave_group_request::member_identity;
    return fields(
        field<&m::member_id>("memberId", {.in = since(3)}),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(3), .nullable = since(3)}),
        field<&m::reason>("reason", {.in = since(5), .nullable = since(5), .ignorable = true}));
}
constexpr auto describe(type<leave_group_request>) {
    using m = leave_group_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::member_id>("memberId", {.in = between(0, 2)}),
        field<&m::members>("members", {.in = since(3)}));
}

struct leave_group_response {
    static constexpr std::int16_t key = 13;
    static constexpr version_range versions = between(0, 5), flexible = since(4);

    struct member_response {
        std::string member_id;
        std::optional<std::string> group_instance_id{std::in_place};
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const member_response&, const member_response&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<member_response> members;
    tagged_fields unknown_tags;
    friend bool operator==(const leave_group_response&, const leave_group_response&) = default;
};

constexpr auto describe(type<leave_group_response::member_response>) {
    using m = leave_group_response::member_response;
    return fields(
        field<&m::member_id>("memberId", {.in = since(3)}),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(3), .nullable = since(3)}),
        field<&m::error_code>("errorCode", {.in = since(3)}));
}
constexpr auto describe(type<leave_group_response>) {
    using m = leave_group_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::members>("members", {.in = since(3)}));
}

}  // namespace kafkawire::protocol::messages
