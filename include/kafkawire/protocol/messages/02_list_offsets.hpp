// ListOffsets (key 2): finds the offset that belongs to a timestamp, or the first or last one of a partition.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct list_offsets_response;

struct list_offsets_request {
    using response = list_offsets_response;
    static constexpr std::int16_t key = 2;
    static constexpr version_range versions = between(0, 11), flexible = since(6);

    struct partition {
        std::int32_t partition_index = 0;
        std::int32_t current_leader_epoch = -1;
        std::int64_t timestamp = 0;
        std::int32_t max_num_offsets = 1;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::int32_t replica_id = 0;
    std::int8_t isolation_level = 0;
    std::vector<topic> topics;
    std::int32_t timeout_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const list_offsets_request&, const list_offsets_request&) = default;
};

constexpr auto describe(type<list_offsets_request::partition>) {
    using m = list_offsets_request::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::current_leader_epoch>("currentLeaderEpoch", {.in = since(4), .ignorable = true}),
        field<&m::timestamp>("timestamp"),
        field<&m::max_num_offsets>("maxNumOffsets", {.in = only(0)}));
}
constexpr auto describe(type<list_offsets_request::topic>) {
    using m = list_offsets_request::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<list_offsets_request>) {
    using m = list_offsets_request;
    return fields(
        field<&m::replica_id>("replicaId"),
        field<&m::isolation_level>("isolationLevel", {.in = since(2)}),
        field<&m::topics>("topics"),
        field<&m::timeout_ms>("timeoutMs", {.in = since(10), .ignorable = true}));
}

struct list_offsets_response {
    static constexpr std::int16_t key = 2;
    static constexpr version_range versions = between(0, 11), flexible = since(6);

    struct partition_response {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::vector<std::int64_t> old_style_offsets;
        std::int64_t timestamp = -1;
        std::int64_t offset = -1;
        std::int32_t leader_epoch = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_response&, const partition_response&) = default;
    };

    struct topic_response {
        std::string name;
        std::vector<partition_response> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_response&, const topic_response&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic_response> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const list_offsets_response&, const list_offsets_response&) = default;
};

constexpr auto describe(type<list_offsets_response::partition_response>) {
    using m = list_offsets_response::partition_response;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::old_style_offsets>("oldStyleOffsets", {.in = only(0)}),
        field<&m::timestamp>("timestamp", {.in = since(1)}),
        field<&m::offset>("offset", {.in = since(1)}),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(4)}));
}
constexpr auto describe(type<list_offsets_response::topic_response>) {
    using m = list_offsets_response::topic_response;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<list_offsets_response>) {
    using m = list_offsets_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(2), .ignorable = true}),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
