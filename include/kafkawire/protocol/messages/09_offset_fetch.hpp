// OffsetFetch (key 9): reads what a consumer group has stored.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct offset_fetch_response;

struct offset_fetch_request {
    using response = offset_fetch_response;
    static constexpr std::int16_t key = 9;
    static constexpr version_range versions = between(0, 10), flexible = since(6);

    struct topic {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    struct offset_fetch_request_topics {
        std::string name;
        uuid topic_id;
        std::vector<std::int32_t> partition_indexes;
        tagged_fields unknown_tags;
        friend bool operator==(const offset_fetch_request_topics&, const offset_fetch_request_topics&) = default;
    };

    struct group {
        std::string group_id;
        std::optional<std::string> member_id;
        std::int32_t member_epoch = -1;
        std::optional<std::vector<offset_fetch_request_topics>> topics{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const group&, const group&) = default;
    };

    std::string group_id;
    std::optional<std::vector<topic>> topics{std::in_place};
    std::vector<group> groups;
    bool require_stable = false;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_fetch_request&, const offset_fetch_request&) = default;
};

constexpr auto describe(type<offset_fetch_request::topic>) {
    using m = offset_fetch_request::topic;
    return fields(
        field<&m::name>("name", {.in = between(0, 7)}),
        field<&m::partition_indexes>("partitionIndexes", {.in = between(0, 7)}));
}
constexpr auto describe(type<offset_fetch_request::offset_fetch_request_topics>) {
    using m = offset_fetch_request::offset_fetch_request_topics;
    return fields(
        field<&m::name>("name", {.in = between(8, 9), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(10), .ignorable = true}),
        field<&m::partition_indexes>("partitionIndexes", {.in = since(8)}));
}
constexpr auto describe(type<offset_fetch_request::group>) {
    using m = offset_fetch_request::group;
    return fields(
        field<&m::group_id>("groupId", {.in = since(8)}),
        field<&m::member_id>("memberId", {.in = since(9), .nullable = since(9), .ignorable = true}),
        field<&m::member_epoch>("memberEpoch", {.in = since(9), .ignorable = true}),
        field<&m::topics>("topics", {.in = since(8), .nullable = since(8)}));
}
constexpr auto describe(type<offset_fetch_request>) {
    using m = offset_fetch_request;
    return fields(
        field<&m::group_id>("groupId", {.in = between(0, 7)}),
        field<&m::topics>("topics", {.in = between(0, 7), .nullable = between(2, 7)}),
        field<&m::groups>("groups", {.in = since(8)}),
        field<&m::require_stable>("requireStable", {.in = since(7)}));
}

struct offset_fetch_response {
    static constexpr std::int16_t key = 9;
    static constexpr version_range versions = between(0, 10), flexible = since(6);

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string> metadata{std::in_place};
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

    struct offset_fetch_response_partitions {
        std::int32_t partition_index = 0;
        std::int64_t committed_offset = 0;
        std::int32_t committed_leader_epoch = -1;
        std::optional<std::string> metadata{std::in_place};
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const offset_fetch_response_partitions&, const offset_fetch_response_partitions&) = default;
    };

    struct offset_fetch_response_topics {
        std::string name;
        uuid topic_id;
        std::vector<offset_fetch_response_partitions> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const offset_fetch_response_topics&, const offset_fetch_response_topics&) = default;
    };

    struct group {
        std::string group_id;
        std::vector<offset_fetch_response_topics> topics;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const group&, const group&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic> topics;
    std::int16_t error_code = 0;
    std::vector<group> groups;
    tagged_fields unknown_tags;
    friend bool operator==(const offset_fetch_response&, const offset_fetch_response&) = default;
};

constexpr auto describe(type<offset_fetch_response::partition>) {
    using m = offset_fetch_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex", {.in = between(0, 7)}),
        field<&m::committed_offset>("committedOffset", {.in = between(0, 7)}),
        field<&m::committed_leader_epoch>("committedLeaderEpoch", {.in = between(5, 7), .ignorable = true}),
        field<&m::metadata>("metadata", {.in = between(0, 7), .nullable = between(0, 7)}),
        field<&m::error_code>("errorCode", {.in = between(0, 7)}));
}
constexpr auto describe(type<offset_fetch_response::topic>) {
    using m = offset_fetch_response::topic;
    return fields(
        field<&m::name>("name", {.in = between(0, 7)}),
        field<&m::partitions>("partitions", {.in = between(0, 7)}));
}
constexpr auto describe(type<offset_fetch_response::offset_fetch_response_partitions>) {
    using m = offset_fetch_response::offset_fetch_response_partitions;
    return fields(
        field<&m::partition_index>("partitionIndex", {.in = since(8)}),
        field<&m::committed_offset>("committedOffset", {.in = since(8)}),
        field<&m::committed_leader_epoch>("committedLeaderEpoch", {.in = since(8), .ignorable = true}),
        field<&m::metadata>("metadata", {.in = since(8), .nullable = since(8)}),
        field<&m::error_code>("errorCode", {.in = since(8)}));
}
constexpr auto describe(type<offset_fetch_response::offset_fetch_response_topics>) {
    using m = offset_fetch_response::offset_fetch_response_topics;
    return fields(
        field<&m::name>("name", {.in = between(8, 9), .ignorable = true}),
        field<&m::topic_id>("topicId", {.in = since(10), .ignorable = true}),
        field<&m::partitions>("partitions", {.in = since(8)}));
}
constexpr auto describe(type<offset_fetch_response::group>) {
    using m = offset_fetch_response::group;
    return fields(
        field<&m::group_id>("groupId", {.in = since(8)}),
        field<&m::topics>("topics", {.in = since(8)}),
        field<&m::error_code>("errorCode", {.in = since(8)}));
}
constexpr auto describe(type<offset_fetch_response>) {
    using m = offset_fetch_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(3), .ignorable = true}),
        field<&m::topics>("topics", {.in = between(0, 7)}),
        field<&m::error_code>("errorCode", {.in = between(2, 7), .ignorable = true}),
        field<&m::groups>("groups", {.in = since(8)}));
}

}  // namespace kafkawire::protocol::messages
