// The records of __cluster_metadata that the embedded cluster writes: Kafka's own, so that Kafka's tools read its journal.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

/// A topic is made.
struct topic_record {
    static constexpr std::int16_t key = 2;
    static constexpr version_range versions = only(0), flexible = since(0);

    std::string name;
    uuid topic_id;
    tagged_fields unknown_tags;
};
constexpr auto describe(type<topic_record>) {
    using m = topic_record;
    return fields(
        field<&m::name>("name"),
        field<&m::topic_id>("topicId"));
}

/// A partition is made.
struct partition_record {
    static constexpr std::int16_t key = 3;
    static constexpr version_range versions = between(0, 2), flexible = since(0);

    std::int32_t partition_id = -1;
    uuid topic_id;
    std::vector<std::int32_t> replicas;
    std::vector<std::int32_t> isr;
    std::vector<std::int32_t> removing_replicas;
    std::vector<std::int32_t> adding_replicas;
    std::int32_t leader = -1;
    std::int8_t leader_recovery_state = 0;
    std::int32_t leader_epoch = -1;
    std::int32_t partition_epoch = -1;
    std::vector<uuid> directories;
    std::optional<std::vector<std::int32_t>> eligible_leader_replicas;
    std::optional<std::vector<std::int32_t>> last_known_elr;
    tagged_fields unknown_tags;
};
constexpr auto describe(type<partition_record>) {
    using m = partition_record;
    return fields(
        field<&m::partition_id>("partitionId"),
        field<&m::topic_id>("topicId"),
        field<&m::replicas>("replicas"),
        field<&m::isr>("isr"),
        field<&m::removing_replicas>("removingReplicas"),
        field<&m::adding_replicas>("addingReplicas"),
        field<&m::leader>("leader"),
        field<&m::leader_recovery_state>("leaderRecoveryState", {.tagged = since(0), .tag = 0}),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::partition_epoch>("partitionEpoch"),
        field<&m::directories>("directories", {.in = since(1)}),
        field<&m::eligible_leader_replicas>("eligibleLeaderReplicas", {.in = since(2), .nullable = since(2), .tagged = since(2), .tag = 1}),
        field<&m::last_known_elr>("lastKnownElr", {.in = since(2), .nullable = since(2), .tagged = since(2), .tag = 2}));
}

/// An entry of configuration is set, or with a null value removed.
struct config_record {
    static constexpr std::int16_t key = 4;
    static constexpr version_range versions = only(0), flexible = since(0);

    std::int8_t resource_type = 0;
    std::string resource_name;
    std::string name;
    std::optional<std::string> value{std::in_place};
    tagged_fields unknown_tags;
};
constexpr auto describe(type<config_record>) {
    using m = config_record;
    return fields(
        field<&m::resource_type>("resourceType"),
        field<&m::resource_name>("resourceName"),
        field<&m::name>("name"),
        field<&m::value>("value", {.nullable = since(0)}));
}

/// A topic is deleted.
struct remove_topic_record {
    static constexpr std::int16_t key = 9;
    static constexpr version_range versions = only(0), flexible = since(0);

    uuid topic_id;
    tagged_fields unknown_tags;
};
constexpr auto describe(type<remove_topic_record>) {
    using m = remove_topic_record;
    return fields(
        field<&m::topic_id>("topicId"));
}

/// Producer ids below this one have been given out, or may have been.
struct producer_ids_record {
    static constexpr std::int16_t key = 15;
    static constexpr version_range versions = only(0), flexible = since(0);

    std::int32_t broker_id = 0;
    std::int64_t broker_epoch = -1;
    std::int64_t next_producer_id = 0;
    tagged_fields unknown_tags;
};
constexpr auto describe(type<producer_ids_record>) {
    using m = producer_ids_record;
    return fields(
        field<&m::broker_id>("brokerId"),
        field<&m::broker_epoch>("brokerEpoch"),
        field<&m::next_producer_id>("nextProducerId"));
}

}  // namespace kafkawire::protocol::messages
