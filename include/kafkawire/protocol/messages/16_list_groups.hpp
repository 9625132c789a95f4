// ListGroups (key 16): the groups that a broker coordinates.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct list_groups_response;

struct list_groups_request {
    using response = list_groups_response;
    static constexpr std::int16_t key = 16;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    std::vector<std::string> states_filter;
    std::vector<std::string> types_filter;
    tagged_fields unknown_tags;
    friend bool operator==(const list_groups_request&, const list_groups_request&) = default;
};

constexpr auto describe(type<list_groups_request>) {
    using m = list_groups_request;
    return fields(
        field<&m::states_filter>("statesFilter", {.in = since(4)}),
        field<&m::types_filter>("typesFilter", {.in = since(5)}));
}

struct list_groups_response {
    static constexpr std::int16_t key = 16;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    struct listed_group {
        std::string group_id;
        std::string protocol_type;
        std::string group_state;
        std::string group_type;
        tagged_fields unknown_tags;
        friend bool operator==(const listed_group&, const listed_group&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<listed_group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const list_groups_response&, const list_groups_response&) = default;
};

constexpr auto describe(type<list_groups_response::listed_group>) {
    using m = list_groups_response::listed_group;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::protocol_type>("protocolType"),
        field<&m::group_state>("groupState", {.in = since(4), .ignorable = true}),
        field<&m::group_type>("groupType", {.in = since(5), .ignorable = true}));
}
constexpr auto describe(type<list_groups_response>) {
    using m = list_groups_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::groups>("groups"));
}

}  // namespace kafkawire::protocol::messages
