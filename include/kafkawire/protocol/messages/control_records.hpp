// Keys and values of control records.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct control_record_type_schema {
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::int16_t type = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const control_record_type_schema&, const control_record_type_schema&) = default;
};

constexpr auto describe(type<control_record_type_schema>) {
    using m = control_record_type_schema;
    return fields(
        field<&m::type>("type"));
}

struct end_txn_marker {
    static constexpr version_range versions = between(0, 0), flexible = none();

    std::int32_t coordinator_epoch = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const end_txn_marker&, const end_txn_marker&) = default;
};

constexpr auto describe(type<end_txn_marker>) {
    using m = end_txn_marker;
    return fields(
        field<&m::coordinator_epoch>("coordinatorEpoch"));
}

struct leader_change_message {
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct voter {
        std::int32_t voter_id = 0;
        uuid voter_directory_id;
        tagged_fields unknown_tags;
        friend bool operator==(const voter&, const voter&) = default;
    };

    std::int16_t version = 0;
    std::int32_t leader_id = 0;
    std::vector<voter> voters;
    std::vector<voter> granting_voters;
    tagged_fields unknown_tags;
    friend bool operator==(const leader_change_message&, const leader_change_message&) = default;
};

constexpr auto describe(type<leader_change_message::voter>) {
    using m = leader_change_message::voter;
    return fields(
        field<&m::voter_id>("voterId"),
        field<&m::voter_directory_id>("voterDirectoryId", {.in = since(1)}));
}
constexpr auto describe(type<leader_change_message>) {
    using m = leader_change_message;
    return fields(
        field<&m::version>("version"),
        field<&m::leader_id>("leaderId"),
        field<&m::voters>("voters"),
        field<&m::granting_voters>("grantingVoters"));
}

struct snapshot_header_record {
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int16_t version = 0;
    std::int64_t last_contained_log_timestamp = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const snapshot_header_record&, const snapshot_header_record&) = default;
};

constexpr auto describe(type<snapshot_header_record>) {
    using m = snapshot_header_record;
    return fields(
        field<&m::version>("version"),
        field<&m::last_contained_log_timestamp>("lastContainedLogTimestamp"));
}

struct snapshot_footer_record {
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int16_t version = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const snapshot_footer_record&, const snapshot_footer_record&) = default;
};

constexpr auto describe(type<snapshot_footer_record>) {
    using m = snapshot_footer_record;
    return fields(
        field<&m::version>("version"));
}

struct kraft_version_record {
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int16_t version = 0;
    std::int16_t kraft_version = 0;
    tagged_fields unknown_tags;
    friend bool operator==(const kraft_version_record&, const kraft_version_record&) = default;
};

constexpr auto describe(type<kraft_version_record>) {
    using m = kraft_version_record;
    return fields(
        field<&m::version>("version"),
        field<&m::kraft_version>("kRaftVersion"));
}

struct voters_record {
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct endpoint {
        std::string name;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const endpoint&, const endpoint&) = default;
    };

    struct kraft_version_feature_value {
        std::int16_t min_supported_version = 0;
        std::int16_t max_supported_version = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const kraft_version_feature_value&, const kraft_version_feature_value&) = default;
    };

    struct voter {
        std::int32_t voter_id = 0;
        uuid voter_directory_id;
        std::vector<endpoint> endpoints;
        kraft_version_feature_value kraft_version_feature;
        tagged_fields unknown_tags;
        friend bool operator==(const voter&, const voter&) = default;
    };

    std::int16_t version = 0;
    std::vector<voter> voters;
    tagged_fields unknown_tags;
    friend bool operator==(const voters_record&, const voters_record&) = default;
};

constexpr auto describe(type<voters_record::endpoint>) {
    using m = voters_record::endpoint;
    return fields(
        field<&m::name>("name"),
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<voters_record::kraft_version_feature_value>) {
    using m = voters_record::kraft_version_feature_value;
    return fields(
        field<&m::min_supported_version>("minSupportedVersion"),
        field<&m::max_supported_version>("maxSupportedVersion"));
}
constexpr auto describe(type<voters_record::voter>) {
    using m = voters_record::voter;
    return fields(
        field<&m::voter_id>("voterId"),
        field<&m::voter_directory_id>("voterDirectoryId"),
        field<&m::endpoints>("endpoints"),
        field<&m::kraft_version_feature>("kRaftVersionFeature"));
}
constexpr auto describe(type<voters_record>) {
    using m = voters_record;
    return fields(
        field<&m::version>("version"),
        field<&m::voters>("voters"));
}

}  // namespace kafkawire::protocol::messages
