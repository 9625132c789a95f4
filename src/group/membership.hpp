// membership: what a member of a group is to the rest of the client, whichever protocol the group speaks: what happens to it (events), what it
// wants done (actions), what can be seen of it (view). Two machines implement it: classic_membership_fsm and consumer_membership_fsm (KIP-848).
// A driver carries out the actions in their order and decides nothing.
//
// What a driver must know:
// - `revoke`, `assign` and `lose` are told to the application one after the other, in the order of the actions; each is answered with
//   `callback_done` and its number. A number that is waited for no longer is ignored. Nothing but callback_done comes back from a callback.
// - From `revoke` or `lose` on no record of those partitions is handed out; from `assign` on (after its callback) their records are, fetched
//   under the epoch that came with it. An epoch belongs to the partitions that it was given with, not to those that the member keeps.
// - A request is answered once: by `answered` or by `request_failed`. Answers that came too late are ignored here, not by the driver.
// - Requests marked `apart` must not queue behind one that waits (a coordinator serves one request of a connection at a time, and JoinGroup
//   waits for minutes): they need a connection of their own.
// - What the coordinator is, coordinator_fsm finds out; the driver hands its findings on to the membership and to the offsets alike.
// - Heartbeats are sent whether or not anybody reads: nothing here depends on polls but the processing deadline.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/messages/12_heartbeat.hpp>
#include <kafkawire/protocol/messages/13_leave_group.hpp>
#include <kafkawire/protocol/messages/14_sync_group.hpp>
#include <kafkawire/protocol/messages/68_consumer_group_heartbeat.hpp>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "group/strategy.hpp"

namespace kafkawire::group {

namespace messages = protocol::messages;
using std::chrono::milliseconds;
using time_point = std::chrono::steady_clock::time_point;

/// What the application wants to read. Empty: nothing; the member leaves.
struct subscription {
    std::set<std::string> topics{};             ///< by name; of a pattern on this side: those that it matches now
    std::optional<std::string> regex{};         ///< RE2, resolved by the coordinator; only with the consumer protocol
    [[nodiscard]] bool empty() const noexcept { return topics.empty() && !regex; }
    friend bool operator==(const subscription&, const subscription&) = default;
};

struct membership_settings {
    std::string group{};
    std::optional<std::string> instance{};      ///< a static member (KIP-345)
    std::string rack{};
    std::string member_id{};                    ///< KIP-848: made by the client, a UUID in its text form; the classic coordinator gives one
    std::string server_assignor{};              ///< KIP-848; empty: the coordinator's default
    milliseconds session_timeout{45'000};       ///< no heartbeat answered for so long: the member is out
    milliseconds heartbeat_interval{3'000};     ///< of the classic protocol; in KIP-848 the coordinator says it
    milliseconds rebalance_timeout{300'000};    ///< how long members may take to give partitions up and join again
    milliseconds processing_deadline{300'000};  ///< between two polls; 0: off
    milliseconds request_timeout{30'000};
    milliseconds retry_backoff{100};            ///< the first pause; doubles, spread by a fifth
    milliseconds retry_backoff_max{1'000};
    milliseconds join_backoff{0};               ///< of JoinGroup instead; 0: the same
    std::uint64_t seed = 1;                     ///< of the spread
};

// What happened.

struct subscribe { subscription to; };                      ///< the first one that is not empty joins
struct metadata_changed { std::shared_ptr<const known_topics> topics; };    ///< at least those of the last watch_topics; whole, not what changed
struct coordinator_found { std::int32_t node = -1; };
struct coordinator_lost {};                                 ///< it is looked for again
/// It cannot be found: for good (a bad group id), or, as the right to the group may come back, it is asked for again by itself.
struct coordinator_failed { error why; bool for_good = true; };
using answer = std::variant<messages::join_group_response, messages::sync_group_response, messages::heartbeat_response, messages::leave_group_response,
                            messages::consumer_group_heartbeat_response>;
struct answered { std::uint64_t request = 0; std::int16_t version = 0; answer what{}; };
struct request_failed { std::uint64_t request = 0; error why{}; };      ///< no answer, or one that could not be read
struct callback_done { std::uint64_t callback = 0; };
/// The application polls. `waiting`: it waits for records, and is late with nothing; else it has been given some, and the deadline runs.
struct polled { bool waiting = false; };
/// A commit was refused for what the member is; known before the next heartbeat would tell. `generation` as it stood in the commit.
struct commit_refused { broker_errc code{}; std::int32_t generation = -1; };
struct rejoin_requested { std::string reason{}; };          ///< by the application; KIP-848 has no such thing and ignores it
struct leave {
    std::optional<bool> tell{};                             ///< the coordinator. By default dynamic members do, and static ones keep their place
    time_point deadline{};                                  ///< by then `left` is said, whatever has become of it
    std::string reason{};
};
struct tick {};
using event = std::variant<subscribe, metadata_changed, coordinator_found, coordinator_lost, coordinator_failed, answered, request_failed, callback_done, polled,
                           commit_refused, rejoin_requested, leave, tick>;

using message = std::variant<messages::join_group_request, messages::sync_group_request, messages::heartbeat_request, messages::leave_group_request,
                             messages::consumer_group_heartbeat_request>;

// What the driver is to do.

struct send {
    std::uint64_t request = 0;
    std::int32_t node = -1;
    bool apart = false;
    milliseconds timeout{};                                 ///< then request_failed
    message what{};                                         ///< in the form of all versions: call fit() before it is encoded
};
struct want_coordinator {};                                 ///< once; until found or failed
struct doubt_coordinator { std::int32_t node = -1; error why{}; };      ///< it is not, or does not answer: for coordinator_fsm
struct trust_coordinator { std::int32_t node = -1; };       ///< it answers as one: for coordinator_fsm
/// The topics that metadata are needed of, beside the application's own, until said otherwise. Ids: the topics whose names are not known yet.
struct watch_topics { std::set<std::string> names{}; std::set<protocol::uuid> ids{}; };
struct revoke { std::uint64_t callback = 0; std::vector<topic_partition> partitions{}; time_point deadline{}; };    ///< positions may still be committed
struct assign { std::uint64_t callback = 0; std::vector<topic_partition> added{}; std::uint64_t epoch = 0; };       ///< possibly none: the group has settled again
struct lose { std::uint64_t callback = 0; std::vector<topic_partition> partitions{}; error why{}; };                ///< somebody else may have them already; and so what is being revoked, if that is not over (no partitions: nothing but that)
/// A rebalance as this member saw it, from the first sign to the end of the application's callback.
struct phase_durations {
    std::chrono::nanoseconds revoking{}, joining{}, assigning{}, syncing{}, adopting{}, whole{};
    friend bool operator==(const phase_durations&, const phase_durations&) = default;
};
struct rebalanced { std::int32_t generation = -1; phase_durations took{}; };
struct trouble { error why; bool tell = false; };           ///< for the log: it goes on by itself. `tell`: the application should hear of it
struct membership_failed { error why; };                    ///< for good. What was owned was lost before
struct left {};                                             ///< after `leave`: all is done
using action = std::variant<send, want_coordinator, doubt_coordinator, trust_coordinator, watch_topics, revoke, assign, lose, rebalanced, trouble, membership_failed, left>;
using actions = std::vector<action>;                        // the driver's own, reused for every step

/// LeaveGroup before version 3 names one member in another field. Others are left alone.
void fit(message& m, std::int16_t version);

/// As what offsets are committed: valid for what the member owns, or has just been told to give up.
struct commit_identity {
    std::string group{}, member{};
    std::optional<std::string> instance{};
    std::int32_t generation = -1;               ///< of the classic protocol; else the member's epoch
    friend bool operator==(const commit_identity&, const commit_identity&) = default;
};

struct membership_view {
    std::string_view state{};
    std::string member{};
    std::int32_t generation = -1;
    bool leader = false;                        ///< works out the assignments (classic)
    std::string protocol{};                     ///< the strategy that the group has chosen (classic)
    std::vector<topic_partition> assignment{};  ///< sorted
    std::uint64_t epoch = 0;                    ///< of the last change of the assignment
    std::optional<time_point> last_heartbeat{}; ///< answered
    phase_durations last_rebalance{};
    std::uint64_t rebalances = 0, losses = 0;
    error last_error{};                         ///< of a request to the coordinator; none since it answered well
};

class membership {
public:
    membership() = default;
    membership(const membership&) = delete;
    membership& operator=(const membership&) = delete;
    virtual ~membership() = default;

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    virtual void step(event e, time_point now, actions& out) = 0;
    /// When to send the next `tick`, if nothing else happens before.
    [[nodiscard]] virtual std::optional<time_point> next_wakeup() const noexcept = 0;
    [[nodiscard]] virtual membership_view view() const = 0;
    /// Nothing: not a member now.
    [[nodiscard]] virtual std::optional<commit_identity> committer() const = 0;
    /// Of what topics the assignment is, by name, where the protocol says it (KIP-848).
    [[nodiscard]] virtual std::map<std::string, protocol::uuid> topic_ids() const { return {}; }
};

}  // namespace kafkawire::group
