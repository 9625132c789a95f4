// FetchSnapshot (key 59): KRaft: reads a part of a metadata snapshot.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct fetch_snapshot_response;

struct fetch_snapshot_request {
    using response = fetch_snapshot_response;
    static constexpr std::int16_t key = 59;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct snapshot_id_value {
        std::int64_t end_offset = 0;
        std::int32_t epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const snapshot_id_value&, const snapshot_id_value&) = default;
    };

    struct partition_snapshot {
        std::int32_t partition = 0;
        std::int32_t current_leader_epoch = 0;
        snapshot_id_value snapshot_id;
        std::int64_t position = 0;
        uuid replica_directory_id;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_snapshot&, const partition_snapshot&) = default;
    };

    struct topic_snapshot {
        std::string name;
        std::vector<partition_snapshot> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_snapshot&, const topic_snapshot&) = default;
    };

    std::optional<std::string> cluster_id;
    std::int32_t replica_id = -1;
    std::int32_t max_bytes = 0x7fffffff;
    std::vector<topic_snapshot> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const fetch_snapshot_request&, const fetch_snapshot_request&) = default;
};

constexpr auto describe(type<fetch_snapshot_request::snapshot_id_value>) {
    using m = fetch_snapshot_request::snapshot_id_value;
    return fields(
        field<&m::end_offset>("endOffset"),
        field<&m::epoch>("epoch"));
}
constexpr auto describe(type<fetch_snapshot_request::partition_snapshot>) {
    using m = fetch_snapshot_request::partition_snapshot;
    return fields(
        field<&m::partition>("partition"),
        field<&m::current_leader_epoch>("currentLeaderEpoch"),
        field<&m::snapshot_id>("snapshotId"),
        field<&m::position>("position"),
        field<&m::replica_directory_id>("replicaDirectoryId", {.in = since(1), .tagged = since(1), .tag = 0, .ignorable = true}));
}
constexpr auto describe(type<fetch_snapshot_request::topic_snapshot>) {
    using m = fetch_snapshot_request::topic_snapshot;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<fetch_snapshot_request>) {
    using m = fetch_snapshot_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.nullable = all(), .tagged = all(), .tag = 0}),
        field<&m::replica_id>("replicaId"),
        field<&m::max_bytes>("maxBytes"),
        field<&m::topics>("topics"));
}

struct fetch_snapshot_response {
    static constexpr std::int16_t key = 59;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct snapshot_id_value {
        std::int64_t end_offset = 0;
        std::int32_t epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const snapshot_id_value&, const snapshot_id_value&) = default;
    };

    struct leader_id_and_epoch {
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const leader_id_and_epoch&, const leader_id_and_epoch&) = default;
    };

    struct partition_snapshot {
        std::int32_t index = 0;
        std::int16_t error_code = 0;
        snapshot_id_value snapshot_id;
        leader_id_and_epoch current_leader;
        std::int64_t size = 0;
        std::int64_t position = 0;
        raw_records unaligned_records;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_snapshot&, const partition_snapshot&) = default;
    };

    struct topic_snapshot {
        std::string name;
        std::vector<partition_snapshot> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_snapshot&, const topic_snapshot&) = default;
    };

    struct node_endpoint {
        std::int32_t node_id = 0;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const node_endpoint&, const node_endpoint&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<topic_snapshot> topics;
    std::vector<node_endpoint> node_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const fetch_snapshot_response&, const fetch_snapshot_response&) = default;
};

constexpr auto describe(type<fetch_snapshot_response::snapshot_id_value>) {
    using m = fetch_snapshot_response::snapshot_id_value;
    return fields(
        field<&m::end_offset>("endOffset"),
        field<&m::epoch>("epoch"));
}
constexpr auto describe(type<fetch_snapshot_response::leader_id_and_epoch>) {
    using m = fetch_snapshot_response::leader_id_and_epoch;
    return fields(
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"));
}
constexpr auto describe(type<fetch_snapshot_response::partition_snapshot>) {
    using m = fetch_snapshot_response::partition_snapshot;
    return fields(
        field<&m::index>("index"),
        field<&m::error_code>("errorCode"),
        field<&m::snapshot_id>("snapshotId"),
        field<&m::current_leader>("currentLeader", {.tagged = all(), .tag = 0}),
        field<&m::size>("size"),
        field<&m::position>("position"),
        field<&m::unaligned_records>("unalignedRecords"));
}
constexpr auto describe(type<fetch_snapshot_response::topic_snapshot>) {
    using m = fetch_snapshot_response::topic_snapshot;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<fetch_snapshot_response::node_endpoint>) {
    using m = fetch_snapshot_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId", {.in = since(1)}),
        field<&m::host>("host", {.in = since(1)}),
        field<&m::port>("port", {.in = since(1)}));
}
constexpr auto describe(type<fetch_snapshot_response>) {
    using m = fetch_snapshot_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::topics>("topics"),
        field<&m::node_endpoints>("nodeEndpoints", {.in = since(1), .tagged = since(1), .tag = 0}));
}

}  // namespace kafkawire::protocol::messages
