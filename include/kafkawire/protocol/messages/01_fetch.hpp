// Fetch (key 1): reads record batches from partitions, waiting until enough bytes are there.
#pragma once
#include <kafkawire/protocol/schema.hpp>

#include <limits>

namespace kafkawire::protocol::messages {

struct fetch_response;

struct fetch_request {
    using response = fetch_response;
    static constexpr std::int16_t key = 1;
    static constexpr version_range versions = between(0, 18), flexible = since(12);

    struct replica_state_value {
        std::int32_t replica_id = -1;
        std::int64_t replica_epoch = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const replica_state_value&, const replica_state_value&) = default;
    };

    struct fetch_partition {
        std::int32_t partition = 0;
        std::int32_t current_leader_epoch = -1;
        std::int64_t fetch_offset = 0;
        std::int32_t last_fetched_epoch = -1;
        std::int64_t log_start_offset = -1;
        std::int32_t partition_max_bytes = 0;
        uuid replica_directory_id;
        std::int64_t high_watermark = std::numeric_limits<std::int64_t>::max();
        tagged_fields unknown_tags;
        friend bool operator==(const fetch_partition&, const fetch_partition&) = default;
    };

    struct fetch_topic {
        std::string topic;
        uuid topic_id;
        std::vector<fetch_partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const fetch_topic&, const fetch_topic&) = default;
    };

    struct forgotten_topic {
        std::string topic;
        uuid topic_id;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const forgotten_topic&, const forgotten_topic&) = default;
    };

    std::optional<std::string> cluster_id;
    std::int32_t replica_id = -1;
    replica_state_value replica_state;
    std::int32_t max_wait_ms = 0;
    std::int32_t min_bytes = 0;
    std::int32_t max_bytes = 0x7fffffff;
    std::int8_t isolation_level = 0;
    std::int32_t session_id = 0;
    std::int32_t session_epoch = -1;
    std::vector<fetch_topic> topics;
    std::vector<forgotten_topic> forgotten_topics_data;
    std::string rack_id;
    tagged_fields unknown_tags;
    friend bool operator==(const fetch_request&, const fetch_request&) = default;
};

constexpr auto describe(type<fetch_request::replica_state_value>) {
    using m = fetch_request::replica_state_value;
    return fields(
        field<&m::replica_id>("replicaId", {.in = since(15)}),
        field<&m::replica_epoch>("replicaEpoch", {.in = since(15)}));
}
constexpr auto describe(type<fetch_request::fetch_partition>) {
    using m = fetch_request::fetch_partition;
    return fields(
        field<&m::partition>("partition"),
        field<&m::current_leader_epoch>("currentLeaderEpoch", {.in = since(9), .ignorable = true}),
        field<&m::fetch_offset>("fetchOffset"),
        field<&m::last_fetched_epoch>("lastFetchedEpoch", {.in = since(12)}),
        field<&m::log_start_offset>("logStartOffset", {.in = since(5), .ignorable = true}),
        field<&m::partition_max_bytes>("partitionMaxBytes"),
        field<&m::replica_directory_id>("replicaDirectoryId", {.in = since(17), .tagged = since(17), .tag = 0, .ignorable = true}),
        field<&m::high_watermark>("highWatermark", {.in = since(18), .tagged = since(18), .tag = 1, .ignorable = true}));
}
constexpr auto describe(type<fetch_request::fetch_topic>) {
    using m = fetch_request::fetch_topic;
    return fields(
        field<&m::topic>("topic", {.in = between(0, 12), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(13), .ignorable = true}),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<fetch_request::forgotten_topic>) {
    using m = fetch_request::forgotten_topic;
    return fields(
        field<&m::topic>("topic", {.in = between(7, 12), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(13), .ignorable = true}),
        field<&m::partitions>("partitions", {.in = since(7)}));
}
constexpr auto describe(type<fetch_request>) {
    using m = fetch_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.in = since(12), .nullable = since(12), .tagged = since(12), .tag = 0, .ignorable = true}),
        field<&m::replica_id>("replicaId", {.in = between(0, 14)}),
        field<&m::replica_state>("replicaState", {.in = since(15), .tagged = since(15), .tag = 1}),
        field<&m::max_wait_ms>("maxWaitMs"),
        field<&m::min_bytes>("minBytes"),
        field<&m::max_bytes>("maxBytes", {.in = since(3), .ignorable = true}),
        field<&m::isolation_level>("isolationLevel", {.in = since(4), .ignorable = true}),
        field<&m::session_id>("sessionId", {.in = since(7), .ignorable = true}),
        field<&m::session_epoch>("sessionEpoch", {.in = since(7), .ignorable = true}),
        field<&m::topics>("topics"),
        field<&m::forgotten_topics_data>("forgottenTopicsData", {.in = since(7)}),
        field<&m::rack_id>("rackId", {.in = since(11), .ignorable = true}));
}

struct fetch_response {
    static constexpr std::int16_t key = 1;
    static constexpr version_range versions = between(0, 18), flexible = since(12);

    struct epoch_end_offset {
        std::int32_t epoch = -1;
        std::int64_t end_offset = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const epoch_end_offset&, const epoch_end_offset&) = default;
    };

    struct leader_id_and_epoch {
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const leader_id_and_epoch&, const leader_id_and_epoch&) = default;
    };

    struct snapshot_id_value {
        std::int64_t end_offset = -1;
        std::int32_t epoch = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const snapshot_id_value&, const snapshot_id_value&) = default;
    };

    struct aborted_transaction {
        std::int64_t producer_id = 0;
        std::int64_t first_offset = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const aborted_transaction&, const aborted_transaction&) = default;
    };

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::int64_t high_watermark = 0;
        std::int64_t last_stable_offset = -1;
        std::int64_t log_start_offset = -1;
        epoch_end_offset diverging_epoch;
        leader_id_and_epoch current_leader;
        snapshot_id_value snapshot_id;
        std::optional<std::vector<aborted_transaction>> aborted_transactions{std::in_place};
        std::int32_t preferred_read_replica = -1;
        std::optional<raw_records> records{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct fetchable_topic_response {
        std::string topic;
        uuid topic_id;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const fetchable_topic_response&, const fetchable_topic_response&) = default;
    };

    struct node_endpoint {
        std::int32_t node_id = 0;
        std::string host;
        std::int32_t port = 0;
        std::optional<std::string> rack;
        tagged_fields unknown_tags;
        friend bool operator==(const node_endpoint&, const node_endpoint&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::int32_t session_id = 0;
    std::vector<fetchable_topic_response> responses;
    std::vector<node_endpoint> node_endpoints;
    tagged_fields unknown_tags;
    friend bool operator==(const fetch_response&, const fetch_response&) = default;
};

constexpr auto describe(type<fetch_response::epoch_end_offset>) {
    using m = fetch_response::epoch_end_offset;
    return fields(
        field<&m::epoch>("epoch", {.in = since(12)}),
        field<&m::end_offset>("endOffset", {.in = since(12)}));
}
constexpr auto describe(type<fetch_response::leader_id_and_epoch>) {
    using m = fetch_response::leader_id_and_epoch;
    return fields(
        field<&m::leader_id>("leaderId", {.in = since(12)}),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(12)}));
}
constexpr auto describe(type<fetch_response::snapshot_id_value>) {
    using m = fetch_response::snapshot_id_value;
    return fields(
        field<&m::end_offset>("endOffset"),
        field<&m::epoch>("epoch"));
}
constexpr auto describe(type<fetch_response::aborted_transaction>) {
    using m = fetch_response::aborted_transaction;
    return fields(
        field<&m::producer_id>("producerId", {.in = since(4)}),
        field<&m::first_offset>("firstOffset", {.in = since(4)}));
}
constexpr auto describe(type<fetch_response::partition_data>) {
    using m = fetch_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::high_watermark>("highWatermark"),
        field<&m::last_stable_offset>("lastStableOffset", {.in = since(4), .ignorable = true}),
        field<&m::log_start_offset>("logStartOffset", {.in = since(5), .ignorable = true}),
        field<&m::diverging_epoch>("divergingEpoch", {.in = since(12), .tagged = since(12), .tag = 0}),
        field<&m::current_leader>("currentLeader", {.in = since(12), .tagged = since(12), .tag = 1}),
        field<&m::snapshot_id>("snapshotId", {.in = since(12), .tagged = since(12), .tag = 2}),
        field<&m::aborted_transactions>("abortedTransactions", {.in = since(4), .nullable = since(4), .ignorable = true}),
        field<&m::preferred_read_replica>("preferredReadReplica", {.in = since(11)}),
        field<&m::records>("records", {.nullable = all()}));
}
constexpr auto describe(type<fetch_response::fetchable_topic_response>) {
    using m = fetch_response::fetchable_topic_response;
    return fields(
        field<&m::topic>("topic", {.in = between(0, 12), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(13), .ignorable = true}),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<fetch_response::node_endpoint>) {
    using m = fetch_response::node_endpoint;
    return fields(
        field<&m::node_id>("nodeId", {.in = since(16)}),
        field<&m::host>("host", {.in = since(16)}),
        field<&m::port>("port", {.in = since(16)}),
        field<&m::rack>("rack", {.in = since(16), .nullable = since(16)}));
}
constexpr auto describe(type<fetch_response>) {
    using m = fetch_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode", {.in = since(7), .ignorable = true}),
        field<&m::session_id>("sessionId", {.in = since(7)}),
        field<&m::responses>("responses"),
        field<&m::node_endpoints>("nodeEndpoints", {.in = since(16), .tagged = since(16), .tag = 0}));
}

}  // namespace kafkawire::protocol::messages
