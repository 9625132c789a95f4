// AssignReplicasToDirs (key 73): a broker tells the controller which log folder holds which replica.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct assign_replicas_to_dirs_response;

struct assign_replicas_to_dirs_request {
    using response = assign_replicas_to_dirs_response;
    static constexpr std::int16_t key = 73;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition_data {
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    struct directory_data {
        uuid id;
        std::vector<topic_data> topics;
        tagged_fields unknown_tags;
        friend bool operator==(const directory_data&, const directory_data&) = default;
    };

    std::int32_t broker_id = 0;
    std::int64_t broker_epoch = -1;
    std::vector<directory_data> directories;
    tagged_fields unknown_tags;
    friend bool operator==(const assign_replicas_to_dirs_request&, const assign_replicas_to_dirs_request&) = default;
};

constexpr auto describe(type<assign_replicas_to_dirs_request::partition_data>) {
    using m = assign_replicas_to_dirs_request::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"));
}
constexpr auto describe(type<assign_replicas_to_dirs_request::topic_data>) {
    using m = assign_replicas_to_dirs_request::topic_data;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<assign_replicas_to_dirs_request::directory_data>) {
    using m = assign_replicas_to_dirs_request::directory_data;
    return fields(
        field<&m::id>("id"),
        field<&m::topics>("topics"));
}
constexpr auto describe(type<assign_replicas_to_dirs_request>) {
    using m = assign_replicas_to_dirs_request;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::broker_epoch>("brokerEpoch"),
        field<&m::directories>("directories"));
}

struct assign_replicas_to_dirs_response {
    static constexpr std::int16_t key = 73;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    struct directory_data {
        uuid id;
        std::vector<topic_data> topics;
        tagged_fields unknown_tags;
        friend bool operator==(const directory_data&, const directory_data&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<directory_data> directories;
    tagged_fields unknown_tags;
    friend bool operator==(const assign_replicas_to_dirs_response&, const assign_replicas_to_dirs_response&) = default;
};

constexpr auto describe(type<assign_replicas_to_dirs_response::partition_data>) {
    using m = assign_replicas_to_dirs_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<assign_replicas_to_dirs_response::topic_data>) {
    using m = assign_replicas_to_dirs_response::topic_data;
    return fields(
        field<&m::topic_id>("topicId"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<assign_replicas_to_dirs_response::directory_data>) {
    using m = assign_replicas_to_dirs_response::directory_data;
    return fields(
        field<&m::id>("id"),
        field<&m::topics>("topics"));
}
constexpr auto describe(type<assign_replicas_to_dirs_response>) {
    using m = assign_replicas_to_dirs_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::directories>("directories"));
}

}  // namespace kafkawire::protocol::messages
