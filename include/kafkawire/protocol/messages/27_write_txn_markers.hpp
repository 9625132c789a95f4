// WriteTxnMarkers (key 27): the transaction coordinator writes commit and abort markers to partitions.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct write_txn_markers_response;

struct write_txn_markers_request {
    using response = write_txn_markers_response;
    static constexpr std::int16_t key = 27;
    static constexpr version_range versions = between(0, 2), flexible = since(1);

    struct writable_txn_marker_topic {
        std::string name;
        std::vector<std::int32_t> partition_indexes;
        tagged_fields unknown_tags;
        friend bool operator==(const writable_txn_marker_topic&, const writable_txn_marker_topic&) = default;
    };

    struct writable_txn_marker {
        std::int64_t producer_id = 0;
        std::int16_t producer_epoch = 0;
        bool transaction_result = false;
        std::vector<writable_txn_marker_topic> topics;
        std::int32_t coordinator_epoch = 0;
        std::int8_t transaction_version = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const writable_txn_marker&, const writable_txn_marker&) = default;
    };

    std::vector<writable_txn_marker> markers;
    tagged_fields unknown_tags;
    friend bool operator==(const write_txn_markers_request&, const write_txn_markers_request&) = default;
};

constexpr auto describe(type<write_txn_markers_request::writable_txn_marker_topic>) {
    using m = write_txn_markers_request::writable_txn_marker_topic;
    return fields(
        field<&m::name>("name"),
        field<&m::partition_indexes>("partitionIndexes"));
}
constexpr auto describe(type<write_txn_markers_request::writable_txn_marker>) {
    using m = write_txn_markers_request::writable_txn_marker;
    return fields(
        field<&m::producer_id>("producerId"),
        field<&m::producer_epoch>("producerEpoch"),
        field<&m::transaction_result>("transactionResult"),
        field<&m::topics>("topics"),
        field<&m::coordinator_epoch>("coordinatorEpoch"),
        field<&m::transaction_version>("transactionVersion", {.in = since(2), .ignorable = true}));
}
constexpr auto describe(type<write_txn_markers_request>) {
    using m = write_txn_markers_request;
    return fields(
        field<&m::markers>("markers"));
}

struct write_txn_markers_response {
    static constexpr std::int16_t key = 27;
    static constexpr version_range versions = between(0, 2), flexible = since(1);

    struct writable_txn_marker_partition_result {
        std::int32_t partition_index = 0;
        std::int16_t error_code = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const writable_txn_marker_partition_result&, const writable_txn_marker_partition_result&) = default;
    };

    struct writable_txn_marker_topic_result {
        std::string name;
        std::vector<writable_txn_marker_partition_result> partitions;
        tagged_fields unknown_tags;
        friend bool operator==(const writable_txn_marker_topic_result&, const writable_txn_marker_topic_result&) = default;
    };

    struct writable_txn_marker_result {
        std::int64_t producer_id = 0;
        std::vector<writable_txn_marker_topic_result> topics;
        tagged_fields unknown_tags;
        friend bool operator==(const writable_txn_marker_result&, const writable_txn_marker_result&) = default;
    };

    std::vector<writable_txn_marker_result> markers;
    tagged_fields unknown_tags;
    friend bool operator==(const write_txn_markers_response&, const write_txn_markers_response&) = default;
};

constexpr auto describe(type<write_txn_markers_response::writable_txn_marker_partition_result>) {
    using m = write_txn_markers_response::writable_txn_marker_partition_result;
    return fields(
        field<&m::partition_index>("partitionIndex"),
        field<&m::error_code>("errorCode"));
}
constexpr auto describe(type<write_txn_markers_response::writable_txn_marker_topic_result>) {
    using m = write_txn_markers_response::writable_txn_marker_topic_result;
    return fields(
        field<&m::name>("name"),
        field<&m::partitions>("partitions"));
}
constexpr auto describe(type<write_txn_markers_response::writable_txn_marker_result>) {
    using m = write_txn_markers_response::writable_txn_marker_result;
    return fields(
        field<&m::producer_id>("producerId"),
        field<&m::topics>("topics"));
}
constexpr auto describe(type<write_txn_markers_response>) {
    using m = write_txn_markers_response;
    return fields(
        field<&m::markers>("markers"));
}

}  // namespace kafkawire::protocol::messages
