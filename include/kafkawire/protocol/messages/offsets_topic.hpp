// Keys and values of the topic __consumer_offsets that the classic protocol writes.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct offset_commit_key {
    static constexpr std::int16_t key = 1;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_commit_key&, const offset_commit_key&) = default;
};

constexpr auto describe(type<offset_commit_key>) {
    using m = offset_commit_key;
    return fields(
        field<&m::group>("group", {.in = only(0)}),
        field<&m::topic>("topic", {.in = only(0)}),
        field<&m::partition>("partition", {.in = only(0)}));
}

struct offset_commit_value {
    static constexpr std::int16_t key = 1;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;
    std::string metadata;
    std::int64_t commit_timestamp = 0;
    std::int64_t expire_timestamp = -1;
    uuid topic_id;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_commit_value&, const offset_commit_value&) = default;
};

constexpr auto describe(type<offset_commit_value>) {
    using m = offset_commit_value;
    return fields(
        field<&m::offset>("offset"),
        field<&m::leader_epoch>("leaderEpoch", {.in = since(3), .ignorable = true}),
        field<&m::metadata>("metadata"),
        field<&m::commit_timestamp>("commitTimestamp"),
        field<&m::expire_timestamp>("expireTimestamp", {.in = only(1), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(4), .tagged = since(4), .tag = 0, .ignorable = true}));
}

struct legacy_offset_commit_key {
    static constexpr std::int16_t key = 0;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const legacy_offset_commit_key&, const legacy_offset_commit_key&) = default;
};

constexpr auto describe(type<legacy_offset_commit_key>) {
    using m = legacy_offset_commit_key;
    return fields(
        field<&m::group>("group", {.in = only(0)}),
        field<&m::topic>("topic", {.in = only(0)}),
        field<&m::partition>("partition", {.in = only(0)}));
}

struct legacy_offset_commit_value {
    static constexpr std::int16_t key = 0;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::int64_t offset = 0;
    std::string metadata;
    std::int64_t commit_timestamp = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const legacy_offset_commit_value&, const legacy_offset_commit_value&) = default;
};

constexpr auto describe(type<legacy_offset_commit_value>) {
    using m = legacy_offset_commit_value;
    return fields(
        field<&m::offset>("offset", {.in = only(0)}),
        field<&m::metadata>("metadata", {.in = only(0)}),
        field<&m::commit_timestamp>("commitTimestamp", {.in = only(0)}));
}

struct group_metadata_key {
    static constexpr std::int16_t key = 2;
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::string group;
    tagged_fields unknown_tags;
    friend bool operator==(const group_metadata_key&, const group_metadata_key&) = default;
};

constexpr auto describe(type<group_metadata_key>) {
    using m = group_metadata_key;
    return fields(
        field<&m::group>("group", {.in = only(0)}));
}

struct group_metadata_value {
    static constexpr std::int16_t key = 2;
    static constexpr version_range versions = between(0, 4), flexible = since(4);

    struct member_metadata {
        std::string member_id;
        std::optional<std::string> group_instance_id;
        std::string client_id;
        std::string client_host;
        std::int32_t rebalance_timeout = -1;
        std::int32_t session_timeout = 0;
        bytes subscription;
        bytes assignment;
        tagged_fields unknown_tags;
        friend bool operator==(const member_metadata&, const member_metadata&) = default;
    };

    std::string protocol_type;
    std::int32_t generation = 0;
    std::optional<std::string> protocol{std::in_place};
    std::optional<std::string> leader{std::in_place};
    std::int64_t current_state_timestamp = -1;
    std::vector<member_metadata> members;
    tagged_fields unknown_tags;
    friend bool operator==(const group_metadata_value&, const group_metadata_value&) = default;
};

constexpr auto describe(type<group_metadata_value::member_metadata>) {
    using m = group_metadata_value::member_metadata;
    return fields(
        field<&m::member_id>("memberId"),
        field<&m::group_instance_id>("groupInstanceId", {.in = since(3), .nullable = since(3), .ignorable = true}),
        field<&m::client_id>("clientId"),
        field<&m::client_host>("clientHost"),
        field<&m::rebalance_timeout>("rebalanceTimeout", {.in = since(1), .ignorable = true}),
        field<&m::session_timeout>("sessionTimeout"),
        field<&m::subscription>("subscription"),
        field<&m::assignment>("assignment"));
}
constexpr auto describe(type<group_metadata_value>) {
    using m = group_metadata_value;
    return fields(
        field<&m::protocol_type>("protocolType"),
        field<&m::generation>("generation"),
        field<&m::protocol>("protocol", {.nullable = all()}),
        field<&m::leader>("leader", {.nullable = all()}),
        field<&m::current_state_timestamp>("currentStateTimestamp", {.in = since(2), .ignorable = true}),
        field<&m::members>("members"));
}

}  // namespace kafkawire::protocol::messages
