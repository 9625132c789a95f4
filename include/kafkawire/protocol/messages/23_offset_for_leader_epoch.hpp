// OffsetForLeaderEpoch (key 23): where a leader epoch ended, to find a truncated log.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct offset_for_leader_epoch_response;

struct offset_for_leader_epoch_request {
    using response = offset_for_leader_epoch_response;
    static constexpr std::int16_t key = 23;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    struct offset_for_leader_partition {
        std::int32_t partition = 0;
        std::int32_t current_leader_epoch = -1;
        std::int32_t leader_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const offset_for_leader_partition&, const offset_for_leader_partition&) = default;
    };

    struct offset_for_leader_topic {
        std::string topic;
        std::vector<offset_for_leader_partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const offset_for_leader_topic&, const offset_for_leader_topic&) = default;
    };

    std::int32_t replica_id = -2;
    std::vector<offset_for_leader_topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_for_leader_epoch_request&, const offset_for_leader_epoch_request&) = default;
};

constexpr auto describe(type<offset_for_leader_epoch_request::offset_for_leader_partition>) {
    using m = offset_for_leader_epoch_request::offset_for_leader_partition;
    return fields(
        field<&m::partition>("partition"),
        field<&m::current_leader_epoch>("currentLeaderEpoch", {.in = since(2), .ignorable = true}),
        field<&m::leader_epoch>("leaderEpoch"));
}
constexpr auto describe(type<offset_for_leader_epoch_request::offset_for_leader_topic>) {
    using m = offset_for_leader_epoch_request::offset_for_leader_topic;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<offset_for_leader_epoch_request>) {
    using m = offset_for_leader_epoch_request;
    return fields(
        field<&m::replica_id>("replicaId", {.in = since(3), .ignorable = true}),
        field<&m::topics>("topics"));
}

struct offset_for_leader_epoch_response {
    static constexpr std::int16_t key = 23;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    struct epoch_end_offset {
        std::int16_t error_code = 0;
        std::int32_t partition = 0;
        std::int32_t leader_epoch = -1;
        std::int64_t end_offset = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const epoch_end_offset&, const epoch_end_offset&) = default;
    };

    struct offset_for_leader_topic_result {
        std::string topic;
        std::vector<epoch_end_offset> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const offset_for_leader_topic_result&, const offset_for_leader_topic_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<offset_for_leader_topic_result> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_for_leader_epoch_response&, const offset_for_leader_epoch_response&) = default;
};

constexpr auto describe(type<offset_for_leader_epoch_response::epoch_end_offset>) {
    using m = offset_for_leader_epoch_response::epoch_end_offset;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::partition>("partition"),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(1), .ignorable = true}),
        field<&m::end_offset>("endOffset"));
}
constexpr auto describe(type<offset_for_leader_epoch_response::offset_for_leader_topic_result>) {
    using m = offset_for_leader_epoch_response::offset_for_leader_topic_result;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<offset_for_leader_epoch_response>) {
    using m = offset_for_leader_epoch_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(2), .ignorable = true}),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
