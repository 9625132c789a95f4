// LeaderAndIsr (key 4): the ZooKeeper-era controller tells brokers which partitions they lead or follow.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct leader_and_isr_response;

struct leader_and_isr_request {
    using response = leader_and_isr_response;
    static constexpr std::int16_t key = 4;
    static constexpr version_range versions = between(0, 7), flexible = since(4);

    struct partition_state {
        std::string topic_name;
        std::int32_t partition_index = 0;
        std::int32_t controller_epoch = 0;
        std::int32_t leader = 0;
        std::int32_t leader_epoch = 0;
        std::vector<std::int32_t> isr;
        std::int32_t partition_epoch = 0;
        std::vector<std::int32_t> replicas;
        std::vector<std::int32_t> adding_replicas;
        std::vector<std::int32_t> removing_replicas;
        bool is_new = false;
        std::int8_t leader_recovery_state = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_state&, const partition_state&) = default;
    };

    struct topic_state {
        std::string topic_name;
        uuid topic_id;
        std::vector<partition_state> partition_states;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_state&, const topic_state&) = default;
    };

    struct live_leader {
        std::int32_t broker_id = 0;
        std::string host_name;
        std::int32_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const live_leader&, const live_leader&) = default;
    };

    std::int32_t controller_id = 0;
    bool is_kraft_controller = false;
    std::int32_t controller_epoch = 0;
    std::int64_t broker_epoch = -1;
    std::int8_t type = 0;
    std::vector<partition_state> ungrouped_partition_states;
    std::vector<topic_state> topic_states;
    std::vector<live_leader> live_leaders;
    tagged_fields unknown_tags;
    friend bool operator==(const leader_and_isr_request&, const leader_and_isr_request&) = default;
};

constexpr auto describe(type<leader_and_isr_request::partition_state>) {
    using m = leader_and_isr_request::partition_state;
    return fields(
        field<&m::topic_name>("topicName", {.in = between(0, 1), .ignorable = true}),
        field<&m::partition_index>("partitionIndex"),
        field<&m::controller_epoch>("controllerEpoch"),
        field<&m::leader>("leader"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::isr>("isr"),
        field<&m::partition_epoch>("partitionEpoch"),
        field<&m::replicas>("replicas"),
        field<&m::adding_replicas>("addingReplicas", {.in = since(3), .ignorable = true}),
        field<&m::removing_replicas>("removingReplicas", {.in = since(3), .ignorable = true}),
        field<&m::is_new>("isNew", {.in = since(1), .ignorable = true}),
        field<&m::leader_recovery_state>("leaderRecoveryState", {.in = since(6)}));
}
constexpr auto describe(type<leader_and_isr_request::topic_state>) {
    using m = leader_and_isr_request::topic_state;
    return fields(
        field<&m::topic_name>("topicName", {.in = since(2)}),
        field<&m::topic_id>("topicId", {.in = since(5), .ignorable = true}),
        field<&m::partition_states>("partitionStates", {.in = since(2)}));
}
constexpr auto describe(type<leader_and_isr_request::live_leader>) {
    using m = leader_and_isr_request::live_leader;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::host_name>("hostName"),
        field<&m::port>("port"));
}
constexpr auto describe(type<leader_and_isr_request>) {
    using m = leader_and_isr_request;
    return fields(
        field<&m::controller_id>("controllerId"),
        field<&m::is_kraft_controller>("isKRaftController", {.in = since(7)}),
        field<&m::controller_epoch>("controllerEpoch"),
        field<&m::broker_epoch>("brokerEpoch", {.in = since(2), .ignorable = true}),
        field<&m::type>("type", {.in = since(5)}),
        field<&m::ungrouped_partition_states>("ungroupedPartitionStates", {.in = between(0, 1)}),
        field<&m::topic_states>("topicStates", {.in = since(2)}),
        field<&m::live_leaders>("liveLeaders"));
}

struct leader_and_isr_response {
    static constexpr std::int16_t key = 4;
    static constexpr version_range versions = between(0, 7), flexible = since(4);

    struct partition_error {
        std::string topic_name;
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_error&, const partition_error&) = default;
    };

    struct topic_error {
        uuid topic_id;
        std::vector<partition_error> partition_errors;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_error&, const topic_error&) = default;
    };

    std::int16_t error_code = 0;
    std::vector<partition_error> partition_errors;
    std::vector<topic_error> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const leader_and_isr_response&, const leader_and_isr_response&) = default;
};

constexpr auto describe(type<leader_and_isr_response::partition_error>) {
    using m = leader_and_isr_response::partition_error;
    return fields(
        field<&m::topic_name>("topicName", {.in = between(0, 4), .ignorable = true}),
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<leader_and_isr_response::topic_error>) {
    using m = leader_and_isr_response::topic_error;
    return fields(
        field<&m::topic_id>("topicId", {.in = since(5)}),
        field<&m::partition_errors>("partitionErrors", {.in = since(5)}));
}
constexpr auto describe(type<leader_and_isr_response>) {
    using m = leader_and_isr_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::partition_errors>("partitionErrors", {.in = between(0, 4)}),
        field<&m::topics>("topics", {.in = since(5)}));
}

}  // namespace kafkawire::protocol::messages
