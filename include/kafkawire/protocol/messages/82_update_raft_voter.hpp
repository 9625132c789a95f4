// UpdateRaftVoter (key 82): KRaft: a voter tells its endpoints and the versions it supports.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct update_raft_voter_response;

struct update_raft_voter_request {
    using response = update_raft_voter_response;
    static constexpr std::int16_t key = 82;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct listener {
        std::string name;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const listener&, const listener&) = default;
    };

    struct kraft_version_feature_value {
        std::int16_t min_supported_version = 0;
        std::int16_t max_supported_version = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const kraft_version_feature_value&, const kraft_version_feature_value&) = default;
    };

    std::optional<std::string> cluster_id{std::in_place};
    std::int32_t current_leader_epoch = 0;
    std::int32_t voter_id = 0;
    uuid voter_directory_id;
    std::vector<listener> listeners;
    kraft_version_feature_value kraft_version_feature;
    tagged_fields unknown_tags;
    friend bool operator==(const update_raft_voter_request&, const update_raft_voter_request&) = default;
};

constexpr auto describe(type<update_raft_voter_request::listener>) {
    using m = update_raft_voter_request::listener;
    return fields(
        field<&m::name>("name"),
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<update_raft_voter_request::kraft_version_feature_value>) {
    using m = update_raft_voter_request::kraft_version_feature_value;
    return fields(
        field<&m::min_supported_version>("minSupportedVersion"),
        field<&m::max_supported_version>("maxSupportedVersion"));
}
constexpr auto describe(type<update_raft_voter_request>) {
    using m = update_raft_voter_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.nullable = all()}),
        field<&m::current_leader_epoch>("currentLeaderEpoch"),
        field<&m::voter_id>("voterId"),
        field<&m::voter_directory_id>("voterDirectoryId"),
        field<&m::listeners>("listeners"),
        field<&m::kraft_version_feature>("kRaftVersionFeature"));
}

struct update_raft_voter_response {
    static constexpr std::int16_t key = 82;
    static constexpr version_range versions = between(0, 0), flexible = all();

    struct current_leader_value {
        std::int32_t leader_id = -1;
        std::int32_t leader_epoch = -1;
        std::string host;
        std::int32_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const current_leader_value&, const current_leader_value&) = default;
    };

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    current_leader_value current_leader;
    tagged_fields unknown_tags;
    friend bool operator==(const update_raft_voter_response&, const update_raft_voter_response&) = default;
};

constexpr auto describe(type<update_raft_voter_response::current_leader_value>) {
    using m = update_raft_voter_response::current_leader_value;
    return fields(
        field<&m::leader_id>("leaderId"),
        field<&m::leader_epoch>("leaderEpoch"),
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<update_raft_voter_response>) {
    using m = update_raft_voter_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::current_leader>("currentLeader", {.tagged = all(), .tag = 0}));
}

}  // namespace kafkawire::protocol::messages
