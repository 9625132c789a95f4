// StopReplica (key 5): the ZooKeeper-era controller tells a broker to stop or delete replicas.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct stop_replica_response;

struct stop_replica_request {
    using response = stop_replica_response;
    static constexpr std::int16_t key = 5;
    static constexpr version_range versions = between(0, 4), flexible = since(2);

    struct partition_v0 {
        std::string topic_name;
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_v0&, const partition_v0&) = default;
    };

    struct topic_v1 {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_v1&, const topic_v1&) = default;
    };

    struct partition_state {
        std::int32_t partition_index = 0;
        std::int32_t leader_epoch = -1;
        bool delete_partition = false;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_state&, const partition_state&) = default;
    };

    struct topic_state {
        std::string topic_name;
        std::vector<partition_state> partition_states;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_state&, const topic_state&) = default;
    };

    std::int32_t controller_id = 0;
    bool is_kraft_controller = false;
    std::int32_t controller_epoch = 0;
    std::int64_t broker_epoch = -1;
    bool delete_partitions = false;
    std::vector<partition_v0> ungrouped_partitions;
    std::vector<topic_v1> topics;
    std::vector<topic_state> topic_states;
    tagged_fields unknown_tags;
    friend bool operator==(const stop_replica_request&, const stop_replica_request&) = default;
};

constexpr auto describe(type<stop_replica_request::partition_v0>) {
    using m = stop_replica_request::partition_v0;
    return fields(
        field<&m::topic_name>("topicName", {.in = only(0)}),
        field<&m::partition_index>("partitionIndex", {.in = only(0)}));
}
constexpr auto describe(type<stop_replica_request::topic_v1>) {
    using m = stop_replica_request::topic_v1;
    return fields(
        field<&m::name>("name", {.in = between(1, 2)}),
        field<&m::partition_indexes>("partitionIndexes", {.in = between(1, 2)}));
}
constexpr auto describe(type<stop_replica_request::partition_state>) {
    using m = stop_replica_request::partition_state;
    return fields(
        field<&m::partition_index>("partitionIndex", {.in = since(3)}),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(3)}),
        field<&m::delete_partition>("deletePartition", {.in = since(3)}));
}
constexpr auto describe(type<stop_replica_request::topic_state>) {
    using m = stop_replica_request::topic_state;
    return fields(
        field<&m::topic_name>("topicName", {.in = since(3)}),
        field<&m::partition_states>("partitionStates", {.in = since(3)}));
}
constexpr auto describe(type<stop_replica_request>) {
    using m = stop_replica_request;
    return fields(
        field<&m::controller_id>("controllerId"),
        field<&m::is_kraft_controller>("isKRaftController", {.in = since(4)}),
        field<&m::controller_epoch>("controllerEpoch"),
        field<&m::broker_epoch>("brokerEpoch", {.in = since(1), .ignorable = true}),
        field<&m::delete_partitions>("deletePartitions", {.in = between(0, 2)}),
        field<&m::ungrouped_partitions>("ungroupedPartitions", {.in = only(0)}),
        field<&m::topics>("topics", {.in = between(1, 2)}),
        field<&m::topic_states>("topicStates", {.in = since(3)}));
}

struct stop_replica_response {
    static constexpr std::int16_t key = 5;
    static constexpr version_range versions = between(0, 4), flexible = since(2);

    struct partition_error {
        std::string topic_name;
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_error&, const partition_error&) = default;
    };

    std::int16_t error_code = 0;
    std::vector<partition_error> partition_errors;
    tagged_fields unknown_tags;
    friend bool operator==(const stop_replica_response&, const stop_replica_response&) = default;
};

constexpr auto describe(type<stop_replica_response::partition_error>) {
    using m = stop_replica_response::partition_error;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<stop_replica_response>) {
    using m = stop_replica_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::partition_errors>("partitionErrors"));
}

}  // namespace kafkawire::protocol::messages
