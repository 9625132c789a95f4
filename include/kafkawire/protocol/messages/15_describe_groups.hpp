// DescribeGroups (key 15): state, protocol and members of classic groups.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_groups_response;

struct describe_groups_request {
    using response = describe_groups_response;
    static constexpr std::int16_t key = 15;
    static constexpr version_range versions = between(0, 6), flexible = since(5);

    std::vector<std::string> groups;
    bool include_authorized_operations = false;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_groups_request&, const describe_groups_request&) = default;
};

constexpr auto describe(type<describe_groups_request>) {
    using m = describe_groups_request;
    return fields(
        field<&m::groups>("groups"),
        field<&m::include_authorized_operations>("includeAuthorizedOperations", {.in = since(3)}));
}

struct describe_groups_response {
    static constexpr std::int16_t key = 15;
    static constexpr version_range versions = between(0, 6), flexible = since(5);

    struct described_group_member {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::string client_id;
        std::string client_host;
        bytes member_metadata;
        bytes member_assignment;
        tagged_fields unknown_tags;
        friend bool operator==(const described_group_member&, const described_group_member&) = default;
    };

    struct described_group {
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        std::string group_id;
        std::string group_state;
        std::string protocol_type;
        std::string protocol_data;
        std::vector<described_group_member> members;
        std::int32_t authorized_operations = -2147483648;
        tagged_fields unknown_tags;
        friend bool operator==(const described_group&, const described_group&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<described_group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_groups_response&, const describe_groups_response&) = default;
};

constexpr auto describe(type<describe_groups_response::described_group_member>) {
    using m = describe_groups_response::described_group_member;
    return fields(
        field<&m::member_id>("memberId"),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(4), .nullable = since(4), .ignorable = true}),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::member_metadata>("memberMetadata"),
        field<&m::member_assignment>("memberAssignment"));
}
constexpr auto describe(type<describe_groups_response::described_group>) {
    using m = describe_groups_response::described_group;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.in = since(6), .nullable = since(6)}),
        field<&m::group_id>("groupId"),
        field<&m::group_state>("groupState"),
        field<&m::protocol_type>("protocolType"),
        field<&m::protocol_data>("protocolData"),
        field<&m::members>("members"),
        field<&m::authorized_operations>("authorizedOperations", {.in = since(3)}));
}
constexpr auto describe(type<describe_groups_response>) {
    using m = describe_groups_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::groups>("groups"));
}

}  // namespace kafkawire::protocol::messages
