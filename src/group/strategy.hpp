// What a member of the classic protocol does with its assignors: the bytes that it joins with, the leader's work, the bytes that it is given.
// Plain functions over the public interface of assignors. What comes from other members is read as what a stranger may have written;
// what an assignor gives is checked before it is sent.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/messages/14_sync_group.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "group/partition.hpp"

namespace kafkawire::group {

/// The best first; at least one.
using strategies = std::vector<std::shared_ptr<assignor>>;
inline constexpr std::string_view protocol_type = "consumer";

/// What is known of a topic. One that was asked for and is not there has no partitions.
struct known_topic {
    protocol::uuid id{};
    std::int32_t partitions = 0;
    std::vector<std::vector<std::string>> racks{};  ///< of each partition's replicas; empty: not known
    friend bool operator==(const known_topic&, const known_topic&) = default;
};
using known_topics = std::map<std::string, known_topic>;

/// What a member had, when it joins.
struct holding {
    partition_set owned{};              ///< now
    std::int32_t generation = -1;       ///< in which it was given
    partition_set given{};              ///< by the latest assignment, though it may have been given up since
    std::int32_t given_generation = -1;
};

/// Whether a member with these joins keeping what it has.
[[nodiscard]] bool all_cooperative(const strategies& of) noexcept;
/// Null if there is none of that name.
[[nodiscard]] assignor* find(const strategies& in, std::string_view name) noexcept;

/// A subscription for JoinGroup. Throws what the assignor's user_data() throws.
[[nodiscard]] protocol::bytes make_metadata(assignor& by, const std::set<std::string>& topics, const holding& has, const std::string& rack);
/// Of a subscription; none if it cannot be read.
[[nodiscard]] std::vector<std::string> topics_of(protocol::bytes_view subscription);

using assignments = std::vector<protocol::messages::sync_group_request::sync_group_request_assignment>;
struct division {
    assignments all{};
    bool withholds = false;                         ///< something that a member has is given to nobody: it is to be given up first, and divided again then
};
/// The leader's work. `wrong`: what the assignor threw, or what is not right about what it gave; then there is no result. A member whose
/// subscription cannot be read is subscribed to nothing.
[[nodiscard]] division assign_all(assignor& by, const std::vector<protocol::messages::join_group_response::member>& members, const known_topics& topics, error& wrong);

/// What SyncGroup brought. The assignor hears of it (an exception of its own is `wrong`). Nothing: it cannot be read.
[[nodiscard]] std::optional<partition_set> read_assignment(assignor& by, protocol::bytes_view from, std::int32_t generation, const std::set<std::string>& topics, error& wrong);

}  // namespace kafkawire::group
