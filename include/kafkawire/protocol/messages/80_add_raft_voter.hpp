// AddRaftVoter (key 80): KRaft: adds a voter to the quorum.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct add_raft_voter_response;

struct add_raft_voter_request {
    using response = add_raft_voter_response;
    static constexpr std::int16_t key = 80;
    static constexpr version_range versions = between(0, 1), flexible = all();

    struct listener {
        std::string name;
        std::string host;
        std::uint16_t port = 0;
        tagged_fields unknown_tags;
        friend bool operator==(const listener&, const listener&) = default;
    };

    std::optional<std::string> cluster_id{std::in_place};
    std::int32_t timeout_ms = 0;
    std::int32_t voter_id = 0;
    uuid voter_directory_id;
    std::vector<listener> listeners;
    bool ack_when_committed = true;
    tagged_fields unknown_tags;
    friend bool operator==(const add_raft_voter_request&, const add_raft_voter_request&) = default;
};

constexpr auto describe(type<add_raft_voter_request::listener>) {
    using m = add_raft_voter_request::listener;
    return fields(
        field<&m::name>("name"),
        field<&m::host>("host"),
        field<&m::port>("port"));
}
constexpr auto describe(type<add_raft_voter_request>) {
    using m = add_raft_voter_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.nullable = all()}),
        field<&m::timeout_ms>("timeoutMs"),
        field<&m::voter_id>("voterId"),
        field<&m::voter_directory_id>("voterDirectoryId"),
        field<&m::listeners>("listeners"),
        field<&m::ack_when_committed>("ackWhenCommitted", {.in = since(1)}));
}

struct add_raft_voter_response {
    static constexpr std::int16_t key = 80;
    static constexpr version_range versions = between(0, 1), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const add_raft_voter_response&, const add_raft_voter_response&) = default;
};

constexpr auto describe(type<add_raft_voter_response>) {
    using m = add_raft_voter_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all(), .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
