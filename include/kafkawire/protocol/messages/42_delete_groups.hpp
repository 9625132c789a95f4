// DeleteGroups (key 42): deletes groups without members, with their offsets.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct delete_groups_response;

struct delete_groups_request {
    using response = delete_groups_response;
    static constexpr std::int16_t key = 42;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    std::vector<std::string> groups_names;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_groups_request&, const delete_groups_request&) = default;
};

constexpr auto describe(type<delete_groups_request>) {
    using m = delete_groups_request;
    return fields(
        field<&m::groups_names>("groupsNames"));
}

struct delete_groups_response {
    static constexpr std::int16_t key = 42;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct deletable_group_result {
        std::string group_id;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const deletable_group_result&, const deletable_group_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<deletable_group_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_groups_response&, const delete_groups_response&) = default;
};

constexpr auto describe(type<delete_groups_response::deletable_group_result>) {
    using m = delete_groups_response::deletable_group_result;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<delete_groups_response>) {
    using m = delete_groups_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
