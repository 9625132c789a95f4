// UpdateMetadata (key 6): the ZooKeeper-era controller spreads the cluster's metadata to brokers.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct update_metadata_response;

struct update_metadata_request {
    using response = update_metadata_response;
    static constexpr std::int16_t key = 6;
    static constexpr version_range versions = between(0, 8), flexible = since(6);

    struct partition_state {
        std::string topic_name;
        std::int32_t partition_index = 0;
        std::int32_t controller_epoch = 0;
        std::int32_t leader = 0;
        std::int32_t leader_epoch = 0;
        std::vector<std::int32_t> isr;
        std::int32_t zk_version = 0;
        std::vector<std::int32_t> replicas;
        std::vector<std::int32_t> offline_replicas;
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

    struct endpoint {
        std::int32_t port = 0;
        std::string host;
        std::string listener;
        std::int16_t security_protocol = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const endpoint&, const endpoint&) = default;
    };

    struct broker {
        std::int32_t id = 0;
        std::string v0_host;
        std::int32_t v0_port = 0;
        std::vector<endpoint> endpoints;
        std::optional<std::string> rack{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const broker&, const broker&) = default;
    };

    std::int32_t controller_id = 0;
    bool is_kraft_controller = false;
    std::int8_t type = 0;
    std::int32_t controller_epoch = 0;
    std::int64_t broker_epoch = -1;
    std::vector<partition_state> ungrouped_partition_states;
    std::vector<topic_state> topic_states;
    std::vector<broker> live_brokers;
    tagged_fields unknown_tags;
    friend bool operator==(const update_metadata_request&, const update_metadata_request&) = default;
};

constexpr auto describe(type<update_metadata_request::partition_state>) {
    using m = update_metadata_request::partition_state;
    return fields(
        field<&m::topic_name>("topicName", {.in = between(0, 4), .ignorable = true}),
        field<&m::partition_index>("partitionIndex"),
        field<&m::controller_epoch>("controllerEpoch"),
        field<&m::leader>("leader"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::isr>("isr"),
        field<&m::zk_version>("zkVersion"),
        field<&m::replicas>("replicas"),
        field<&m::offline_replicas>("offlineReplicas", {.in = since(4), .ignorable = true}));
}
constexpr auto describe(type<update_metadata_request::topic_state>) {
    using m = update_metadata_request::topic_state;
    return fields(
        field<&m::topic_name>("topicName", {.in = since(5)}),
        field<&m::topic_id>("topicId", {.in = since(7), .ignorable = true}),
        field<&m::partition_states>("partitionStates", {.in = since(5)}));
}
constexpr auto describe(type<update_metadata_request::endpoint>) {
    using m = update_metadata_request::endpoint;
    return fields(
        field<&m::port>("port", {.in = since(1)}),
        field<&m::host>("host", {.in = since(1)}),
        field<&m::listener>("listener", {.in = since(3), .ignorable = true}),
        field<&m::security_protocol>("securityProtocol", {.in = since(1)}));
}
constexpr auto describe(type<update_metadata_request::broker>) {
    using m = update_metadata_request::broker;
    return fields(
        field<&m::id>("id"),
        field<&m::v0_host>("v0Host", {.in = only(0), .ignorable = true}),
        field<&m::v0_port>("v0Port", {.in = only(0), .ignorable = true}),
        field<&m::endpoints>("endpoints", {.in = since(1), .ignorable = true}),
        field<&m::rack>("rack", {.in = since(2), .nullable = all(), .ignorable = true}));
}
constexpr auto describe(type<update_metadata_request>) {
    using m = update_metadata_request;
    return fields(
        field<&m::controller_id>("controllerId"),
        field<&m::is_kraft_controller>("isKRaftController", {.in = since(8)}),
        field<&m::type>("type", {.in = since(8), .tagged = since(8), .tag = 0}),
        field<&m::controller_epoch>("controllerEpoch"),
        field<&m::broker_epoch>("brokerEpoch", {.in = since(5), .ignorable = true}),
        field<&m::ungrouped_partition_states>("ungroupedPartitionStates", {.in = between(0, 4)}),
        field<&m::topic_states>("topicStates", {.in = since(5)}),
        field<&m::live_brokers>("liveBrokers"));
}

struct update_metadata_response {
    static constexpr std::int16_t key = 6;
    static constexpr version_range versions = between(0, 8), flexible = since(6);

    std::int16_t error_code = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const update_metadata_response&, const update_metadata_response&) = default;
};

constexpr auto describe(type<update_metadata_response>) {
    using m = update_metadata_response;
    return fields(
        field<&m::error_code>("errorCode"));
}

}  // namespace kafkawire::protocol::messages
