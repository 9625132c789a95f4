// ListPartitionReassignments (key 46): moves of partitions that are under way.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct list_partition_reassignments_response;

struct list_partition_reassignments_request {
    using response = list_partition_reassignments_response;
    static constexpr std::int16_t key = 46;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct list_partition_reassignments_topics {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        tagged_fields unknown_tags;
        friend bool operator==(const list_partition_reassignments_topics&, const list_partition_reassignments_topics&) = default;
    };

    std::int32_t timeout_ms = 60000;
    std::optional<std::vector<list_partition_reassignments_topics>> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const list_partition_reassignments_request&, const list_partition_reassignments_request&) = default;
};

constexpr auto describe(type<list_partition_reassignments_request::list_partition_reassignments_topics>) {
    using m = list_partition_reassignments_request::list_partition_reassignments_topics;
    return fields(
        field<&m::name>("name"),
        field<&m::partition_indexes>("partitionIndexes"));
}
constexpr auto describe(type<list_partition_reassignments_request>) {
    using m = list_partition_reassignments_request;
    return fields(
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::topics>("topics", {.nullable = all()}));
}

struct list_partition_reassignments_response {
    static constexpr std::int16_t key = 46;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct ongoing_partition_reassignment {
        std::int32_t partition_index = 0;
        std::vector<std::int32_t> replicas;
        std::vector<std::int32_t> adding_replicas;
        std::vector<std::int32_t> removing_replicas;
        tagged_fields unknown_tags;
        friend bool operator==(const ongoing_partition_reassignment&, const ongoing_partition_reassignment&) = default;
    };

    struct ongoing_topic_reassignment {
        std::string name;
        std::vector<ongoing_partition_reassignment> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const ongoing_topic_reassignment&, const ongoing_topic_reassignment&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::vector<ongoing_topic_reassignment> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const list_partition_reassignments_response&, const list_partition_reassignments_response&) = default;
};

constexpr auto describe(type<list_partition_reassignments_response::ongoing_partition_reassignment>) {
    using m = list_partition_reassignments_response::ongoing_partition_reassignment;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::replicas>("replicas"),
        field<&m::adding_replicas>("addingReplicas"),
        field<&m::removing_replicas>("removingReplicas"));
}
constexpr auto describe(type<list_partition_reassignments_response::ongoing_topic_reassignment>) {
    using m = list_partition_reassignments_response::ongoing_topic_reassignment;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<list_partition_reassignments_response>) {
    using m = list_partition_reassignments_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
