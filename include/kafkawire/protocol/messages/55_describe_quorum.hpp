// DescribeQuorum (key 55): KRaft: leader, voters, observers and how far each has come.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_quorum_response;

struct describe_quorum_request {
    using response = describe_quorum_response;
    static constexpr std::int16_t key = 55;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct partition_data {
        std::int32_t partition_index = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    std::vector<topic_data> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_quorum_request&, const describe_quorum_request&) = default;
};

constexpr auto describe(type<describe_quorum_request::partition_data>) {
    using m = describe_quorum_request::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"));
}
constexpr auto describe(type<describe_quorum_request::topic_data>) {
    using m = describe_quorum_request::topic_data;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_quorum_request>) {
    using m = describe_quorum_request;
    return fields(
        field<&m::topics>("topics"));
}

struct describe_quorum_response {
    static constexpr std::int16_t key = 55;
    static constexpr version_range versions = between(0, 2), flexible = all();

    struct replica_state {
        std::int32_t replica_id = 0;
        uuid replica_directory_id;
        std::int64_t log_end_offset = 0;
        std::int64_t last_fetch_timestamp = -1;
        std::int64_t last_caught_up_timestamp = -1;
        tagged_fields unknown_tags;
        friend bool operator==(const replica_state&, const replica_state&) = default;
    };

    struct partition_data {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::int32_t leader_id = 0;
        std::int32_t leader_epoch = 0;
        std::int64_t high_watermark = 0;
        std::vector<replica_state> current_voters;
        std::vector<replica_state> observers;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_data&, const partition_data&) = default;
    };

    struct topic_data {
        std::string topic_name;
        std::vector<partition_data> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_data&, const topic_data&) = default;
    };

    struct listener {
        std::string name;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const listener&, const listener&) = default;
    };

    struct node {
        std::int32_t node_id = 0;
        std::vector<listener> listeners;
        tagged_fields unknown_tags;
        friend bool operator==(const node&, const node&) = default;
    };

    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::vector<topic_data> topics;
    std::vector<node> nodes;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_quorum_response&, const describe_quorum_response&) = default;
};

constexpr auto describe(type<describe_quorum_response::replica_state>) {
    using m = describe_quorum_response::replica_state;
    return fields(
        field<&m::replica_id>("replicaId"),
        field<&m::replica_directory_id>("replicaDirectoryId", {.in = since(2)}),
        field<&m::log_end_offset>("logEndOffset"),
        field<&m::last_fetch_timestamp>("lastFetchTimestamp", {.in = since(1), .ignorable = true}),
        field<&m::last_caught_up_timestamp>("lastCaughtUpTimestamp", {.in = since(1), .ignorable = true}));
}
constexpr auto describe(type<describe_quorum_response::partition_data>) {
    using m = describe_quorum_response::partition_data;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.in = since(2), .nullable = since(2), .ignorable = true}),
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::high_watermark>("highWatermark"),
        field<&m::current_voters>("currentVoters"),
        field<&m::observers>("observers"));
}
constexpr auto describe(type<describe_quorum_response::topic_data>) {
    using m = describe_quorum_response::topic_data;
    return fields(
        field<&m::topic_name>("topicName"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_quorum_response::listener>) {
    using m = describe_quorum_response::listener;
    return fields(
        field<&m::name>("name", {.in = since(2)}),
        field<&m::host>("host", {.in = since(2)}),
        field<&m::port>("port", {.in = since(2)}));
}
constexpr auto describe(type<describe_quorum_response::node>) {
    using m = describe_quorum_response::node;
    return fields(
        field<&m::node_id>("nodeId", {.in = since(2)}),
        field<&m::listeners>("listeners", {.in = since(2)}));
}
constexpr auto describe(type<describe_quorum_response>) {
    using m = describe_quorum_response;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.in = since(2), .nullable = since(2), .ignorable = true}),
        field<&m::topics>("topics"),
        field<&m::nodes>("nodes", {.in = since(2)}));
}

}  // namespace kafkawire::protocol::messages
