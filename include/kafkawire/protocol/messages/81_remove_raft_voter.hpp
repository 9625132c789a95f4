// RemoveRaftVoter (key 81): KRaft: removes a voter from the quorum.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct remove_raft_voter_response;

struct remove_raft_voter_request {
    using response = remove_raft_voter_response;
    static constexpr std::int16_t key = 81;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::optional<std::string> cluster_id{std::in_place};
    std::int32_t voter_id = 0;
    uuid voter_directory_id;
    tagged_fields unknown_tags;
    friend bool operator==(const remove_raft_voter_request&, const remove_raft_voter_request&) = default;
};

constexpr auto describe(type<remove_raft_voter_request>) {
    using m = remove_raft_voter_request;
    return fields(
        field<&m::cluster_id>("clusterId", {.nullable = all()}),
        field<&m::voter_id>("voterId"),
        field<&m::voter_directory_id>("voterDirectoryId"));
}

struct remove_raft_voter_response {
    static constexpr std::int16_t key = 81;
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::int32_t throttle_time_ms = 0;
    std::int16_t error_code = 0;
    std::optional<std::string> error_message{std::in_place};
    tagged_fields unknown_tags;
    friend bool operator==(const remove_raft_voter_response&, const remove_raft_voter_response&) = default;
};

constexpr auto describe(type<remove_raft_voter_response>) {
    using m = remove_raft_voter_response;
    return fields(
        field<&m::throttle_time_ms>("throttleTimeMs"),
        field<&m::error_code>("errorCode"),
        field<&m::error_message>("errorMessage", {.nullable = all(), .ignorable = true}));
}

}  // namespace kafkawire::protocol::messages
