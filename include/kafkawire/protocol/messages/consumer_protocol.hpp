// What consumers of the classic group protocol carry inside JoinGroup and SyncGroup.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct consumer_protocol_subscription {
    static constexpr version_range versions = between(0, 3), flexible = none();

    struct topic_partition {
        std::string topic;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partition&, const topic_partition&) = default;
    };

    std::vector<std::string> topics;
    std::optional<bytes> user_data;
    std::vector<topic_partition> owned_partitions;
    std::int32_t generation_id = -1;
    std::optional<std::string> rack_id;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_protocol_subscription&, const consumer_protocol_subscription&) = default;
};

constexpr auto describe(type<consumer_protocol_subscription::topic_partition>) {
    using m = consumer_protocol_subscription::topic_partition;
    return fields(
        field<&m::topic>("topic", {.in = since(1)}),
        field<&m::partitions>("partitions", {.in = since(1)}));
}
constexpr auto describe(type<consumer_protocol_subscription>) {
    using m = consumer_protocol_subscription;
    return fields(
        field<&m::topics>("topics"),
        field<&m::user_data>("userData", {.nullable = all()}),
        field<&m::owned_partitions>("ownedPartitions", {.in = since(1), .ignorable = true}),
        field<&m::generation_id>("generationId", {.in = since(2), .ignorable = true}),
        field<&m::rack_id>("rackId", {.in = since(3), .nullable = since(3), .ignorable = true}));
}

struct consumer_protocol_assignment {
    static constexpr version_range versions = between(0, 3), flexible = none();

    struct topic_partition {
        std::string topic;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_partition&, const topic_partition&) = default;
    };

    std::vector<topic_partition> assigned_partitions;
    std::optional<bytes> user_data;
    tagged_fields unknown_tags;
    friend bool operator==(const consumer_protocol_assignment&, const consumer_protocol_assignment&) = default;
};

constexpr auto describe(type<consumer_protocol_assignment::topic_partition>) {
    using m = consumer_protocol_assignment::topic_partition;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<consumer_protocol_assignment>) {
    using m = consumer_protocol_assignment;
    return fields(
        field<&m::assigned_partitions>("assignedPartitions"),
        field<&m::user_data>("userData", {.nullable = all()}));
}

}  // namespace kafkawire::protocol::messages
