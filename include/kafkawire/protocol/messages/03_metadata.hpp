// Metadata (key 3): tells the brokers of the cluster, and of topics their partitions, leaders and replicas.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct metadata_response;

struct metadata_request {
    using response = metadata_response;
    static constexpr std::int16_t key = 3;
    static constexpr version_range versions = between(0, 13), flexible = since(9);

    struct topic {
        uuid topic_id;
        std::optional<std::string> name{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::optional<std::vector<topic>> topics{std::in_place};
    bool allow_auto_topic_creation = true;
    bool include_cluster_authorized_operations = false;
    bool include_topic_authorized_operations = false;
    tagged_fields unknown_tags;
    friend bool operator==(const metadata_request&, const metadata_request&) = default;
};

constexpr auto describe(type<metadata_request::topic>) {
    using m = metadata_request::topic;
    return fields(
        field<&m::topic_id>("topicId", {.in = since(10), .ignorable = true}),
        field<&m::name>("name", {.nullable = since(10)}));
}
constexpr auto describe(type<metadata_request>) {
    using m = metadata_request;
    return fields(
        field<&m::topics>("topics", {.nullable = since(1)}),
        field<&m::allow_auto_topic_creation>("allowAutoTopicCreation", {.in = since(4)}),
        field<&m::include_cluster_authorized_operations>("includeClusterAuthorizedOperations", {.in = between(8, 10)}),
        field<&m::include_topic_authorized_operations>("includeTopicAuthorizedOperations", {.in = since(8)}));
}

struct metadata_response {
    static constexpr std::int16_t key = 3;
    static constexpr version_range versions = between(0, 13), flexible = since(9);

    struct broker {
        std::int32_t node_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        tagged_fields unknown_tags;
        friend bool operator==(const broker&, const broker&) = default;
    };

    struct partition {
        std::int16_t error_code = 0;
        std::int32_t partition_index = 0;
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = -1;
        std::vector<std::int32_t> replica_nodes;
        std::vector<std::int32_t> isr_nodes;
        std::vector<std::int32_t> offline_replicas;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::int16_t error_code = 0;
        std::optional<std::string> name{std::in_place};
        uuid topic_id;
        bool is_internal = false;
        std::vector<partition> partitions;
        std::int32_t topic_authorized_operations = -2147483648;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<broker> brokers;
    std::optional<std::string> cluster_id;
    std::int32_t controller_id = -1;
    std::vector<topic> topics;
    std::int32_t cluster_authorized_operations = -2147483648;
    std::int16_t error_code = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const metadata_response&, const metadata_response&) = default;
};

constexpr auto describe(type<metadata_response::broker>) {
    using m = metadata_response::broker;
    return fields(
        field<&m::node_id>("nodeId"),
        field<&m::host>("host"),
        field<&m::port>("port"),
        field<&m::rack>("rack", {.in = since(1), .nullable = since(1), .ignorable = true}));
}
constexpr auto describe(type<metadata_response::partition>) {
    using m = metadata_response::partition;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::partition_index>("partitionIndex"),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(7), .ignorable = true}),
        field<&m::replica_nodes>("replicaNodes"),
        field<&m::isr_nodes>("isrNodes"),
        field<&m::offline_replicas>("offlineReplicas", {.in = since(5), .ignorable = true}));
}
constexpr auto describe(type<metadata_response::topic>) {
    using m = metadata_response::topic;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::name>("name", {.nullable = since(12)}),
        field<&m::topic_id>("topicId", {.in = since(10), .ignorable = true}),
        field<&m::is_internal>("isInternal", {.in = since(1), .ignorable = true}),
        field<&m::partitions>("partitions"),
        field<&m::topic_authorized_operations>("topicAuthorizedOperations", {.in = since(8)}));
}
constexpr auto describe(type<metadata_response>) {
    using m = metadata_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(3), .ignorable = true}),
        field<&m::brokers>("brokers"),
        field<&m::cluster_id>("clusterId", {.in = since(2), .nullable = since(2), .ignorable = true}),
        field<&m::controller_id>("controllerId", {.in = since(1), .ignorable = true}),
        field<&m::topics>("topics"),
        field<&m::cluster_authorized_operations>("clusterAuthorizedOperations", {.in = between(8, 10)}),
        field<&m::error_code>("errorCode", {.in = since(13), .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
