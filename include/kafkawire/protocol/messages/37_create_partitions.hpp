// CreatePartitions (key 37): gives topics more partitions.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct create_partitions_response;

struct create_partitions_request {
    using response = create_partitions_response;
    static constexpr std::int16_t key = 37;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct assignment {
        std::vector<std::int32_t> broker_ids;
        tagged_fields unknown_tags;
        friend bool operator==(const assignment&, const assignment&) = default;
    };

    struct topic {
        std::string name;
        std::int32_t count = 0;
        std::optional<std::vector<assignment>> assignments{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::vector<topic> topics;
    std::int32_t timeout_ms = 0;
    bool validate_only = false;
    tagged_fields unknown_tags;
    friend bool operator==(const create_partitions_request&, const create_partitions_request&) = default;
};

constexpr auto describe(type<create_partitions_request::assignment>) {
    using m = create_partitions_request::assignment;
    return fields(
        field<&m::broker_ids>("brokerIds"));
}
constexpr auto describe(type<create_partitions_request::topic>) {
    using m = create_partitions_request::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::count>("count"),
        field<&m::assignments>("assignments", {.nullable = all()}));
}
constexpr auto describe(type<create_partitions_request>) {
    using m = create_partitions_request;
    return fields(
        field<&m::topics>("topics"),
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::validate_only>("validateOnly"));
}

struct create_partitions_response {
    static constexpr std::int16_t key = 37;
    static constexpr version_range versions = between(0, 3), flexible = since(2);

    struct topic_result {
        std::string name;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_result&, const topic_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic_result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const create_partitions_response&, const create_partitions_response&) = default;
};

constexpr auto describe(type<create_partitions_response::topic_result>) {
    using m = create_partitions_response::topic_result;
    return fields(
        field<&m::name>("name"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all()}));
}
constexpr auto describe(type<create_partitions_response>) {
    using m = create_partitions_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
