// AlterPartition (key 56): a leader tells the controller of a changed in-sync set.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct alter_partition_response;

struct alter_partition_request {
    using response = alter_partition_response;
    static constexpr std::int16_t key = 56;
    static constexpr version_range versions = between(0, 3), flexible = all();

    struct broker_state {
        std::int32_t broker_id = 0;
        std::int64_t broker_epoch = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const broker_state&, const broker_state&) = default;
    };

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int32_t leader_epoch = 0;
        std::vector<std::int32_t> new_isr;
        std::vector<broker_state> new_isr_with_epochs;
        std::int8_t leader_recovery_state = 0;
        std::int32_t partition_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    std::int32_t broker_id = 0;
    std::int64_t broker_epoch = -1;
    std::vector<topic_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_partition_request&, const alter_partition_request&) = default;
};

constexpr auto describe(type<alter_partition_request::broker_state>) {
    using m = alter_partition_request::broker_state;
    return fields(
        field<&m::broker_id>("brokerId", {.in = since(3)}),
        field<&m::broker_epoch>("brokerEpoch", {.in = since(3)}));
}
constexpr auto describe(type<alter_partition_request::partition_data>) {
    using m = alter_partition_request::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::new_isr>("newIsr", {.in = between(0, 2)}),
        field<&m::new_isr_with_epochs>("newIsrWithEpochs", {.in = since(3)}),
        field<&m::leader_recovery_state>("leaderRecoveryState", {.in = since(1)}),
        field<&m::partition_epoch>("partitionEpoch"));
}
constexpr auto describe(type<alter_partition_request::topic_data>) {
    using m = alter_partition_request::topic_data;
    return fields(
        field<&m::topic_name>("topicName", {.in = between(0, 1), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(2), .ignorable = true}),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_partition_request>) {
    using m = alter_partition_request;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::broker_epoch>("brokerEpoch"),
        field<&m::topics>("topics"));
}

struct alter_partition_response {
    static constexpr std::int16_t key = 56;
    static constexpr version_range versions = between(0, 3), flexible = all();

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        std::vector<std::int32_t> isr;
        std::int8_t leader_recovery_state = 0;
        std::int32_t partition_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<topic_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_partition_response&, const alter_partition_response&) = default;
};

constexpr auto describe(type<alter_partition_response::partition_data>) {
    using m = alter_partition_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::isr>("isr"),
        field<&m::leader_recovery_state>("leaderRecoveryState", {.in = since(1), .ignorable = true}),
        field<&m::partition_epoch>("partitionEpoch"));
}
constexpr auto describe(type<alter_partition_response::topic_data>) {
    using m = alter_partition_response::topic_data;
    return fields(
        field<&m::topic_name>("topicName", {.in = between(0, 1), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(2), .ignorable = true}),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_partition_response>) {
    using m = alter_partition_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
