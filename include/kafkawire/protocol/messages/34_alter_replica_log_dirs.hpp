// AlterReplicaLogDirs (key 34): moves replicas to other log folders of their broker.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct alter_replica_log_dirs_response;

struct alter_replica_log_dirs_request {
    using response = alter_replica_log_dirs_response;
    static constexpr std::int16_t key = 34;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct alter_replica_log_dir_topic {
        std::string name;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const alter_replica_log_dir_topic&, const alter_replica_log_dir_topic&) = default;
    };

    struct alter_replica_log_dir {
        std::string path;
        std::vector<alter_replica_log_dir_topic> topics;
        tagged_fields unknown_tags;
        friend bool operator==(const alter_replica_log_dir&, const alter_replica_log_dir&) = default;
    };

    std::vector<alter_replica_log_dir> dirs;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_replica_log_dirs_request&, const alter_replica_log_dirs_request&) = default;
};

constexpr auto describe(type<alter_replica_log_dirs_request::alter_replica_log_dir_topic>) {
    using m = alter_replica_log_dirs_request::alter_replica_log_dir_topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_replica_log_dirs_request::alter_replica_log_dir>) {
    using m = alter_replica_log_dirs_request::alter_replica_log_dir;
    return fields(
        field<&m::path>("path"),
        field<&m::topics>("topics"));
}
constexpr auto describe(type<alter_replica_log_dirs_request>) {
    using m = alter_replica_log_dirs_request;
    return fields(
        field<&m::dirs>("dirs"));
}

struct alter_replica_log_dirs_response {
    static constexpr std::int16_t key = 34;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct alter_replica_log_dir_partition_result {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const alter_replica_log_dir_partition_result&, const alter_replica_log_dir_partition_result&) = default;
    };

    struct alter_replica_log_dir_topic_result {
        std::string topic_name;
        std::vector<alter_replica_log_dir_partition_result> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const alter_replica_log_dir_topic_result&, const alter_replica_log_dir_topic_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<alter_replica_log_dir_topic_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_replica_log_dirs_response&, const alter_replica_log_dirs_response&) = default;
};

constexpr auto describe(type<alter_replica_log_dirs_response::alter_replica_log_dir_partition_result>) {
    using m = alter_replica_log_dirs_response::alter_replica_log_dir_partition_result;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<alter_replica_log_dirs_response::alter_replica_log_dir_topic_result>) {
    using m = alter_replica_log_dirs_response::alter_replica_log_dir_topic_result;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_replica_log_dirs_response>) {
    using m = alter_replica_log_dirs_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
