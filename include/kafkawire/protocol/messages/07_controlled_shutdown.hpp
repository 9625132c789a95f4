// ControlledShutdown (key 7): a ZooKeeper-era broker asks to hand over its leaderships before it stops.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct controlled_shutdown_response;

struct controlled_shutdown_request {
    using response = controlled_shutdown_response;
    static constexpr std::int16_t key = 7;
    static constexpr version_range versions = between(0, 3), flexible = since(3);

    std::int32_t broker_id = 0;
    std::int64_t broker_epoch = -1;
    tagged_fields unknown_tags;
    friend bool operator==(const controlled_shutdown_request&, const controlled_shutdown_request&) = default;
};

constexpr auto describe(type<controlled_shutdown_request>) {
    using m = controlled_shutdown_request;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::broker_epoch>("brokerEpoch", {.in = since(2), .ignorable = true}));
}

struct controlled_shutdown_response {
    static constexpr std::int16_t key = 7;
    static constexpr version_range versions = between(0, 3), flexible = since(3);

    struct remaining_partition {
        std::string topic_name;
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const remaining_partition&, const remaining_partition&) = default;
    };

    std::int16_t error_code = 0;
    std::vector<remaining_partition> remaining_partitions;
    tagged_fields unknown_tags;
    friend bool operator==(const controlled_shutdown_response&, const controlled_shutdown_response&) = default;
};

constexpr auto describe(type<controlled_shutdown_response::remaining_partition>) {
    using m = controlled_shutdown_response::remaining_partition;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partition_index>("partitionIndex"));
}
constexpr auto describe(type<controlled_shutdown_response>) {
    using m = controlled_shutdown_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::remaining_partitions>("remainingPartitions"));
}

}  // namespace kafkawire::protocol::messages
