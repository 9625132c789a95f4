// TxnOffsetCommit (key 28): stores a group's offsets as part of a transaction.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct txn_offset_commit_response;

struct txn_offset_commit_request {
    using response = txn_offset_commit_response;
    static constexpr std::int16_t key = 28;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string> committed_metadata{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::string transactional_id;
    std::string group_id;
    std::int64_t producer_id = 0;
    std::int16_t producer_epoch = 0;
    std::int32_t generation_id = -1;
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const txn_offset_commit_request&, const txn_offset_commit_request&) = default;
};

constexpr auto describe(type<txn_offset_commit_request::partition>) {
    using m = txn_offset_commit_request::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::committed_offset>("committedOffset"),
        field<&m::committed_leader_epoch>("committedLeaderEpoch", {.in = since(2), .ignorable = true}),
        field<&m::committed_metadata>("committedMetadata", {.nullable = all()}));
}
constexpr auto describe(type<txn_offset_commit_request::topic>) {
    using m = txn_offset_commit_request::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<txn_offset_commit_request>) {
    using m = txn_offset_commit_request;
    return fields(
        field<&m::transactional_id>("transactionalId"),
        field<&m::group_id>("groupId"),
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::generation_id>("generationId", {.in = since(3)}),
        field<&m::member_id>("memberId", {.in = since(3)}),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(3), .nullable = since(3)}),
        field<&m::topics>("topics"));
}

struct txn_offset_commit_response {
    static constexpr std::int16_t key = 28;
    static constexpr version_range versions = between(0, 5), flexible = since(3);

    struct partition {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const txn_offset_commit_response&, const txn_offset_commit_response&) = default;
};

constexpr auto describe(type<txn_offset_commit_response::partition>) {
    using m = txn_offset_commit_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<txn_offset_commit_response::topic>) {
    using m = txn_offset_commit_response::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<txn_offset_commit_response>) {
    using m = txn_offset_commit_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
