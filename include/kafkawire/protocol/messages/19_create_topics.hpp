// CreateTopics (key 19): creates topics with partitions, replicas and configuration.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct create_topics_response;

struct create_topics_request {
    using response = create_topics_response;
    static constexpr std::int16_t key = 19;
    static constexpr version_range versions = between(0, 7), flexible = since(5);

    struct creatable_replica_assignment {
        std::int32_t partition_index = 0;
        std::vector<std::int32_t> broker_ids;
        tagged_fields unknown_tags;
        friend bool operator==(const creatable_replica_assignment&, const creatable_replica_assignment&) = default;
    };

    struct creatable_topic_config {
        std::string name;
        std::optional<std::string> value{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const creatable_topic_config&, const creatable_topic_config&) = default;
    };

    struct creatable_topic {
        std::string name;
        std::int32_t num_partitions = 0;
        std::int16_t replication_factor = 0;
        std::vector<creatable_replica_assignment> assignments;
        std::vector<creatable_topic_config> configs;
        tagged_fields unknown_tags;
        friend bool operator==(const creatable_topic&, const creatable_topic&) = default;
    };

    std::vector<creatable_topic> topics;
    std::int32_t timeout_ms = 60000;
    bool validate_only = false;
    tagged_fields unknown_tags;
    friend bool operator==(const create_topics_request&, const create_topics_request&) = default;
};

constexpr auto describe(type<create_topics_request::creatable_replica_assignment>) {
    using m = create_topics_request::creatable_replica_assignment;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::broker_ids>("brokerIds"));
}
constexpr auto describe(type<create_topics_request::creatable_topic_config>) {
    using m = create_topics_request::creatable_topic_config;
    return fields(
        field<&m::name>("name"),
        field<&m::value>("value", {.nullable = all()}));
}
constexpr auto describe(type<create_topics_request::creatable_topic>) {
    using m = create_topics_request::creatable_topic;
    return fields(
        field<&m::name>("name"),
        field<&m::num_partitions>("numPartitions"),
        field<&m::replication_factor>("replicationFactor"),
        field<&m::assignments>("assignments"),
        field<&m::configs>("configs"));
}
constexpr auto describe(type<create_topics_request>) {
    using m = create_topics_request;
    return fields(
        field<&m::topics>("topics"),
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::validate_only>("validateOnly", {.in = since(1)}));
}

struct create_topics_response {
    static constexpr std::int16_t key = 19;
    static constexpr version_range versions = between(0, 7), flexible = since(5);

    struct creatable_topic_configs {
        std::string name;
        std::optional<std::string> value{std::in_place};
        bool read_only = false;
        std::int8_t config_source = -1;
        bool is_sensitive = false;
        tagged_fields unknown_tags;
        friend bool operator==(const creatable_topic_configs&, const creatable_topic_configs&) = default;
    };

    struct creatable_topic_result {
        std::string name;
        uuid topic_id;
        std::int16_t error_code = 0;
        std::optional<std::string> error_message{std::in_place};
        std::int16_t topic_config_error_code = 0;
        std::int32_t num_partitions = -1;
        std::int16_t replication_factor = -1;
        std::optional<std::vector<creatable_topic_configs>> configs{std::in_place};
        tagged_fields unknown_tags;
        friend bool operator==(const creatable_topic_result&, const creatable_topic_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<creatable_topic_result> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const create_topics_response&, const create_topics_response&) = default;
};

constexpr auto describe(type<create_topics_response::creatable_topic_configs>) {
    using m = create_topics_response::creatable_topic_configs;
    return fields(
        field<&m::name>("name", {.in = since(5)}),
        field<&m::value>("value", {.in = since(5), .nullable = since(5)}),
        field<&m::read_only>("readOnly", {.in = since(5)}),
        field<&m::config_source>("configSource", {.in = since(5), .ignorable = true}),
        field<&m::is_sensitive>("isSensitive", {.in = since(5)}));
}
constexpr auto describe(type<create_topics_response::creatable_topic_result>) {
    using m = create_topics_response::creatable_topic_result;
    return fields(
        field<&m::name>("name"),
        field<&m::topic_id>("topicId", {.in = since(7), .ignorable = true}),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.in = since(1), .nullable = all(), .ignorable = true}),
        field<&m::topic_config_error_code>("topicConfigErrorCode", {.in = since(5), .tagged = since(5), .tag = 0, .ignorable = true}),
        field<&m::num_partitions>("numPartitions", {.in = since(5), .ignorable = true}),
        field<&m::replication_factor>("replicationFactor", {.in = since(5), .ignorable = true}),
        field<&m::configs>("configs", {.in = since(5), .nullable = since(5), .ignorable = true}));
}
constexpr auto describe(type<create_topics_response>) {
    using m = create_topics_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs", {.in = since(2), .ignorable = true}),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
