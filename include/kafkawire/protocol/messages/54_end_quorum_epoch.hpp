// EndQuorumEpoch (key 54): KRaft: a leader gives up its epoch and names successors.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct end_quorum_epoch_response;

struct end_quorum_epoch_request {
    using response = end_quorum_epoch_response;
    static constexpr std::int16_t key = 54;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct replica_info {
        std::int32_t candidate_id = 0;
        uuid candidate_directory_id;
        tagged_fields unknown_tags;
        friend bool operator==(const replica_info&, const replica_info&) = default;
    };

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        std::vector<std::int32_t> preferred_successors;
        std::vector<replica_info> preferred_candidates;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    struct leader_endpoint {
        std::string name;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const leader_endpoint&, const leader_endpoint&) = default;
    };

    std::optional<std::string> cluster_id;
    std::vector<topic_data> topics;
    std::vector<leader_endpoint> leader_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const end_quorum_epoch_request&, const end_quorum_epoch_request&) = default;
};

constexpr auto describe(type<end_quorum_epoch_request::replica_info>) {
    using m = end_quorum_epoch_request::replica_info;
    return fields(
        field<&m::candidate_id>("candidateId", {.in = since(1)}),
        field<&m::candidate_directory_id>("candidateDirectoryId", {.in = since(1)}));
}
constexpr auto describe(type<end_quorum_epoch_request::partition_data>) {
    using m = end_quorum_epoch_request::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::preferred_successors>("preferredSuccessors", {.in = only(0), .ignorable = true}),
        field<&m::preferred_candidates>("preferredCandidates", {.in = since(1), .ignorable = true}));
}
constexpr auto describe(type<end_quorum_epoch_request::topic_data>) {
    using m = end_quorum_epoch_request::topic_data;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<end_quorum_epoch_request::leader_endpoint>) {
    using m = end_quorum_epoch_request::leader_endpoint;
    return fields(
        field<&m::name>("name", {.in = since(1)}),
        field<&m::host>("host", {.in = since(1)}),
        field<&m::port>("port", {.in = since(1)}));
}
constexpr auto describe(type<end_quorum_epoch_request>) {
    using m = end_quorum_epoch_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.nullable = all()}),
        field<&m::topics>("topics"),
        field<&m::leader_endpoints>("leaderEndpoints", {.in = since(1), .ignorable = true}));
}

struct end_quorum_epoch_response {
    static constexpr std::int16_t key = 54;
    static constexpr version_range versions = between(0, 1), flexible = since(1);

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    struct node_endpoint {
        std::int32_t node_id = 0;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const node_endpoint&, const node_endpoint&) = default;
    };

    std::int16_t error_code = 0;
    std::vector<topic_data> topics;
    std::vector<node_endpoint> node_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const end_quorum_epoch_response&, const end_quorum_epoch_response&) = default;
};

constexpr auto describe(type<end_quorum_epoch_response::partition_data>) {
    using m = end_quorum_epoch_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"));
}
constexpr auto describe(type<end_quorum_epoch_response::topic_data>) {
    using m = end_quorum_epoch_response::topic_data;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<end_quorum_epoch_response::node_endpoint>) {
    using m = end_quorum_epoch_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId", {.in = since(1)}),
        field<&m::host>("host", {.in = since(1)}),
        field<&m::port>("port", {.in = since(1)}));
}
constexpr auto describe(type<end_quorum_epoch_response>) {
    using m = end_quorum_epoch_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::topics>("topics"),
        field<&m::node_endpoints>("nodeEndpoints", {.in = since(1), .tagged = since(1), .tag = 0}));
}

}  // namespace kafkawire::protocol::messages
