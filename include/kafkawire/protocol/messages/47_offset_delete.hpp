// OffsetDelete (key 47): deletes a group's stored offsets of chosen partitions.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct offset_delete_response;

struct offset_delete_request {
    using response = offset_delete_response;
    static constexpr std::int16_t key = 47;
    static constexpr version_range versions = between(0, 0), flexible = none();

    struct partition {
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::string group_id;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_delete_request&, const offset_delete_request&) = default;
};

constexpr auto describe(type<offset_delete_request::partition>) {
    using m = offset_delete_request::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"));
}
constexpr auto describe(type<offset_delete_request::topic>) {
    using m = offset_delete_request::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<offset_delete_request>) {
    using m = offset_delete_request;
    return fields(
        field<&m::group_id>("groupId"),
        field<&m::topics>("topics"));
}

struct offset_delete_response {
    static constexpr std::int16_t key = 47;
    static constexpr version_range versions = between(0, 0), flexible = none();

    struct partition {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::int16_t error_code = 0;
    std::int32_t throttle_time_ms = 0;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_delete_response&, const offset_delete_response&) = default;
};

constexpr auto describe(type<offset_delete_response::partition>) {
    using m = offset_delete_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<offset_delete_response::topic>) {
    using m = offset_delete_response::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<offset_delete_response>) {
    using m = offset_delete_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::throttle_time_ms>("throttleTimeMs", {.ignorable = true}),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
