// Vote (key 52): KRaft: a candidate asks for votes.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct vote_response;

struct vote_request {
    using response = vote_response;
    static constexpr std::int16_t key = 52;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int32_t replica_epoch = 0;
        std::int32_t replica_id = 0;
        uuid replica_directory_id;
        uuid voter_directory_id;
        std::int32_t last_offset_epoch = 0;
        std::int64_t last_offset = 0;
        bool pre_vote = false;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    std::optional<std::string> cluster_id;
    std::int32_t voter_id = -1;
    std::vector<topic_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const vote_request&, const vote_request&) = default;
};

constexpr auto describe(type<vote_request::partition_data>) {
    using m = vote_request::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::replica_epoch>("replicaEpoch"),
        field<&m::replica_id>("replicaId"),
        field<&m::replica_directory_id>("replicaDirectoryId", {.in = since(1), .ignorable = true}),
        field<&m::voter_directory_id>("voterDirectoryId", {.in = since(1), .ignorable = true}),
        field<&m::last_offset_epoch>("lastOffsetEpoch"),
        field<&m::last_offset>("lastOffset"),
        field<&m::pre_vote>("preVote", {.in = since(2)}));
}
constexpr auto describe(type<vote_request::topic_data>) {
    using m = vote_request::topic_data;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<vote_request>) {
    using m = vote_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.nullable = all()}),
        field<&m::voter_id>("voterId", {.in = since(1), .ignorable = true}),
        field<&m::topics>("topics"));
}

struct vote_response {
    static constexpr std::int16_t key = 52;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        bool vote_granted = false;
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
    friend bool operator==(const vote_response&, const vote_response&) = default;
};

constexpr auto describe(type<vote_response::partition_data>) {
    using m = vote_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::vote_granted>("voteGranted"));
}
constexpr auto describe(type<vote_response::topic_data>) {
    using m = vote_response::topic_data;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<vote_response::node_endpoint>) {
    using m = vote_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId", {.in = since(1)}),
        field<&m::host>("host", {.in = since(1)}),
        field<&m::port>("port", {.in = since(1)}));
}
constexpr auto describe(type<vote_response>) {
    using m = vote_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::topics>("topics"),
        field<&m::node_endpoints>("nodeEndpoints", {.in = since(1), .tagged = since(1), .tag = 0}));
}

}  // namespace kafkawire::protocol::messages
