// ElectLeaders (key 43): makes preferred or unclean replicas leaders.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct elect_leaders_response;

struct elect_leaders_request {
    using response = elect_leaders_response;
    static constexpr std::int16_t key = 43;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct topic_partitions_entry {
        std::string topic;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partitions_entry&, const topic_partitions_entry&) = default;
    };

    std::int8_t election_type = 0;
    std::optional<std::vector<topic_partitions_entry>> topic_partitions{std::in_place};
    std::int32_t timeout_ms = 60000;
    tagged_fields unknown_tags;
    friend bool operator==(const elect_leaders_request&, const elect_leaders_request&) = default;
};

constexpr auto describe(type<elect_leaders_request::topic_partitions_entry>) {
    using m = elect_leaders_request::topic_partitions_entry;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<elect_leaders_request>) {
    using m = elect_leaders_request;
    return fields(
        field<&m::election_type>("electionType", {.in = since(1)}),
        field<&m::topic_partitions>("topicPartitions", {.nullable = all()}),
        field<&m::timeout_ms>("timeoutMs"));
}

struct elect_leaders_response {
    static constexpr std::int16_t key = 43;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct partition_result_entry {
        std::int32_t partition_id = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const partition_result_entry&, const partition_result_entry&) = default;
    };

    struct replica_election_result {
        std::string topic;
        std::vector<partition_result_entry> partition_result;
        tagged_fields unknown_tags;
        friend bool operator==(const replica_election_result&, const replica_election_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<replica_election_result> replica_election_results;
    tagged_fields unknown_tags;
    friend bool operator==(const elect_leaders_response&, const elect_leaders_response&) = default;
};

constexpr auto describe(type<elect_leaders_response::partition_result_entry>) {
    using m = elect_leaders_response::partition_result_entry;
    return fields(
        field<&m::partition_id>("partitionId"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<elect_leaders_response::replica_election_result>) {
    using m = elect_leaders_response::replica_election_result;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partition_result>("partitionResult"));
}
constexpr auto describe(type<elect_leaders_response>) {
    using m = elect_leaders_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode", {.in = since(1)}),
        field<&m::replica_election_results>("replicaElectionResults"));
}

}  // namespace kafkawire::protocol::messages
