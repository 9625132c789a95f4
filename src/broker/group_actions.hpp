// What the machines of groups ask for: the actions that they return, in order, and the answers that members wait for. Plain values.
// The coordinator carries them out: it sets timers, writes the group's state into its log, and only then lets the answers go.
#pragma once
#include <kafkawire/detail/function.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/types.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace kafkawire::broker {

using std::chrono::milliseconds;

/// A refusal: Kafka's code, and Kafka's sentence where the answer has room for one. False if there is none.
struct group_error {
    broker_errc code = broker_errc::none;
    std::string message{};
    explicit operator bool() const noexcept { return code != broker_errc::none; }
};

/// What a group waits for. Each is one per group or one per member of it.
enum class group_timer : std::uint8_t {
    heartbeat,   ///< a classic member's session, and the time that a member id which was given out stays good
    join,        ///< the join phase of a classic group
    sync,        ///< the sync phase of a classic group
    session,     ///< a member of a consumer group
    rebalance,   ///< a member of a consumer group gives partitions up
    rejoin,      ///< a classic member of a consumer group joins again
    resync,      ///< ... and asks for its assignment
};

struct joined_member {
    std::string id;
    std::optional<std::string> instance_id;
    protocol::bytes metadata;
    friend bool operator==(const joined_member&, const joined_member&) = default;
};
/// The answer to JoinGroup.
struct join_answer {
    broker_errc error = broker_errc::none;
    std::string member_id{};
    std::int32_t generation = -1;
    std::optional<std::string> protocol_type{};
    std::optional<std::string> protocol_name{std::in_place};  ///< Kafka refuses with an empty name, and in a few places with none
    std::string leader{};
    bool skip_assignment = false;
    std::vector<joined_member> members{};  ///< for the leader alone
};
/// The answer to SyncGroup.
struct sync_answer {
    broker_errc error = broker_errc::none;
    std::optional<std::string> protocol_type{};
    std::optional<std::string> protocol_name{};
    protocol::bytes assignment{};
};
/// The way back to who joins or syncs. Dropped without a call, it closes the connection.
using join_waiter = unique_function<void(const join_answer&)>;
using sync_waiter = unique_function<void(const sync_answer&)>;

/// Replaces the timer of that kind and member, if it runs.
struct set_group_timer {
    group_timer kind;
    std::string member;  ///< empty: the group's
    milliseconds after;
    bool keep = false;   ///< but leave it alone if it runs
};
struct cancel_group_timer {
    group_timer kind;
    std::string member;
};
struct give_join_answer {
    join_waiter to;
    join_answer answer;
};
struct give_sync_answer {
    sync_waiter to;
    sync_answer answer;
};
/// A classic group as it is now is to be in the log, before any answer goes out.
struct store_group {};
/// A part of a consumer group as it is at the end of the event is to be in the log (a tombstone if it is not there any more).
struct store_part {
    enum class kind : std::uint8_t { epoch, member, target_epoch, target, current, regex };
    kind what;
    std::string name{};  ///< the member, or the regular expression
    friend auto operator<=>(const store_part&, const store_part&) = default;
};

using group_action = std::variant<set_group_timer, cancel_group_timer, give_join_answer, give_sync_answer, store_group, store_part>;
using group_actions = std::vector<group_action>;

}  // namespace kafkawire::broker
