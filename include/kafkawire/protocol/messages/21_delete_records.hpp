// DeleteRecords (key 21): moves the log start of partitions forward.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct delete_records_response;

struct delete_records_request {
    using response = delete_records_response;
    static constexpr std::int16_t key = 21;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct partition {
        std::int32_t partition_index = 0;
        std::int64_t offset = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition&, const partition&) = default;
    };

    struct topic {
        std::string name;
        std::vector<partition> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic&, const topic&) = default;
    };

    std::vector<topic> topics;
    std::int32_t timeout_ms = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_records_request&, const delete_records_request&) = default;
};

constexpr auto describe(type<delete_records_request::partition>) {
    using m = delete_records_request::partition;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::offset>("offset"));
}
constexpr auto describe(type<delete_records_request::topic>) {
    using m = delete_records_request::topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<delete_records_request>) {
    using m = delete_records_request;
    return fields(
        field<&m::topics>("topics"),
        field<&m::timeout_ms>("timeoutMs"));
}

struct delete_records_response {
    static constexpr std::int16_t key = 21;
    static constexpr version_range versions = between(0, 2), flexible = since(2);

    struct partition_result {
        std::int32_t partition_index = 0;
        std::int64_t low_watermark = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const partition_result&, const partition_result&) = default;
    };

    struct topic_result {
        std::string name;
        std::vector<partition_result> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const topic_result&, const topic_result&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::vector<topic_result> topics;
    tagged_fields unknown_tags;
    friend bool operator==(const delete_records_response&, const delete_records_response&) = default;
};

constexpr auto describe(type<delete_records_response::partition_result>) {
    using m = delete_records_response::partition_result;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::low_watermark>("lowWatermark"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<delete_records_response::topic_result>) {
    using m = delete_records_response::topic_result;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<delete_records_response>) {
    using m = delete_records_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::topics>("topics"));
}

}  // namespace kafkawire::protocol::messages
