// DescribeLogDirs (key 35): sizes and replicas of a broker's log folders.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct describe_log_dirs_response;

struct describe_log_dirs_request {
    using response = describe_log_dirs_response;
    static constexpr std::int16_t key = 35;
    static constexpr version_range versions = between(0, 5), flexible = since(2);

    struct describable_log_dir_topic {
        std::string topic;
        std::vector<std::int32_t> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const describable_log_dir_topic&, const describable_log_dir_topic&) = default;
    };

    std::optional<std::vector<describable_log_dir_topic>> topics{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const describe_log_dirs_request&, const describe_log_dirs_request&) = default;
};

constexpr auto describe(type<describe_log_dirs_request::describable_log_dir_topic>) {
    using m = describe_log_dirs_request::describable_log_dir_topic;
    return fields(
        field<&m::topic>("topic"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_log_dirs_request>) {
    using m = describe_log_dirs_request;
    return fields(
        field<&m::topics>("topics", {.nullable = all()}));
}

struct describe_log_dirs_response {
    static constexpr std::int16_t key = 35;
    static constexpr version_range versions = between(0, 5), flexible = since(2);

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t partition_size = 0;
        std::int64_t offset_lag = 0;
        bool is_future_key = false;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    struct result {
        std::int16_t error_code = 0;
        std::string log_dir;
        std::vector<topic> topics;
        std::int64_t total_bytes = -1;
        std::int64_t usable_bytes = -1;
        bool is_cordoned = false;
        tagged_fields unknown_tags;
        friend bool operator==(const result&, const result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::vector<result> results;
    tagged_fields unknown_tags;
    friend bool operator==(const describe_log_dirs_response&, const describe_log_dirs_response&) = default;
};

constexpr auto describe(type<describe_log_dirs_response::partition>) {
    using m = describe_log_dirs_response::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::partition_size>("partitionSize"),
        field<&m::offset_lag>("offsetLag"),
        field<&m::is_future_key>("isFutureKey"));
}
constexpr auto describe(type<describe_log_dirs_response::topic>) {
    using m = describe_log_dirs_response::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<describe_log_dirs_response::result>) {
    using m = describe_log_dirs_response::result;
    return fields(
        field<&m::error_code>("errorCode"),
        field<&m::log_dir>("logDir"),
        field<&m::topics>("topics"),
        field<&m::total_bytes>("totalBytes", {.in = since(4), .ignorable = true}),
        field<&m::usable_bytes>("usableBytes", {.in = since(4), .ignorable = true}),
        field<&m::is_cordoned>("isCordoned", {.in = since(5), .ignorable = true}));
}
constexpr auto describe(type<describe_log_dirs_response>) {
    using m = describe_log_dirs_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode", {.in = since(3), .ignorable = true}),
        field<&m::results>("results"));
}

}  // namespace kafkawire::protocol::messages
