// AlterPartitionReassignments (key 45): starts or cancels moving partitions to other brokers.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct alter_partition_reassignments_response;

struct alter_partition_reassignments_request {
    using response = alter_partition_reassignments_response;
    static constexpr std::int16_t key = 45;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct reassignable_partition {
        std::int32_t partition_index = 0;
        std::optional<std::vector<std::int32_t>> replicas;
        tagged_fields unknown_tags;
        friend bool operator==(const reassignable_partition&, const reassignable_partition&) = default;
    };

    struct reassignable_topic {
        std::string name;
        std::vector<reassignable_partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const reassignable_topic&, const reassignable_topic&) = default;
    };

    std::int32_t timeout_ms = 60000;
    bool allow_replication_factor_change = true;
    std::vector<reassignable_topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_partition_reassignments_request&, const alter_partition_reassignments_request&) = default;
};

constexpr auto describe(type<alter_partition_reassignments_request::reassignable_partition>) {
    using m = alter_partition_reassignments_request::reassignable_partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::replicas>("replicas", {.nullable = all()}));
}
constexpr auto describe(type<alter_partition_reassignments_request::reassignable_topic>) {
    using m = alter_partition_reassignments_request::reassignable_topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_partition_reassignments_request>) {
    using m = alter_partition_reassignments_request;
    return fields(
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::allow_replication_factor_change>("allowReplicationFactorChange", {.in = since(1)}),
        field<&m::topics>("topics"));
}

struct alter_partition_reassignments_response {
    static constexpr std::int16_t key = 45;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct reassignable_partition_response {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const reassignable_partition_response&, const reassignable_partition_response&) = default;
    };

    struct reassignable_topic_response {
        std::string name;
        std::vector<reassignable_partition_response> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const reassignable_topic_response&, const reassignable_topic_response&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    bool allow_replication_factor_change = true;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    std::vector<reassignable_topic_response> responses;
    tagged_fields unknown_tags;
    friend bool operator==(const alter_partition_reassignments_response&, const alter_partition_reassignments_response&) = default;
};

constexpr auto describe(type<alter_partition_reassignments_response::reassignable_partition_response>) {
    using m = alter_partition_reassignments_response::reassignable_partition_response;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<alter_partition_reassignments_response::reassignable_topic_response>) {
    using m = alter_partition_reassignments_response::reassignable_topic_response;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<alter_partition_reassignments_response>) {
    using m = alter_partition_reassignments_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::allow_replication_factor_change>("allowReplicationFactorChange", {.in = since(1), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}),
        field<&m::responses>("responses"));
}

}  // namespace kafkawire::protocol::messages
