// classic_membership_fsm: a member of a group of the classic protocol: JoinGroup, SyncGroup, Heartbeat, LeaveGroup.
// Owns: the member id, the generation, what is assigned, the requests in flight and their pauses, what the application is being told.
// Never: gives partitions up unasked while it can prove that it is a member; keeps them when it cannot; joins while the application has not
// finished giving up (or its time for that is over); takes an answer to a request that has been superseded.
// Driver: see membership.hpp.
//
//   stateDiagram-v2
//     unjoined --> joining: something is wanted
//     joining --> assigning: the answer says that this member leads
//     joining --> syncing: it says that another does
//     assigning --> syncing: the metadata of everybody's topics are there
//     syncing --> adopting: the assignment
//     syncing --> revoking: the assignment takes something away (cooperative)
//     revoking --> adopting: given up
//     adopting --> stable: the application has taken it
//     stable --> joining: a rebalance (cooperative: keeping what it has)
//     stable --> revoking: a rebalance (eager: all is given up first)
//     revoking --> joining: given up
//     stable --> joining: fenced, forgotten, or no heartbeat answered for a session: all is lost
//     stable --> leaving: nothing is wanted any more, the application is too slow, or it closes
//     leaving --> parked: too slow, until the next poll
//     leaving --> unjoined
//     leaving --> gone: closed
//     joining --> broken: refused for good
//   (From every state that stands for a member, what is drawn from `stable` to joining, leaving and broken may happen too.)
//
// Eager and cooperative: with strategies that are all cooperative, a member joins with what it has, and gives up only what the new assignment
// takes away; as it has given something up, it joins once more, and then others may have it. With any other strategy among them, all is given
// up before each join. So a group is moved from one to the other by two rounds of restarts: first both are listed, then the new one alone.
//
// A lost answer costs no rebalance where it need not: SyncGroup and the JoinGroup of a known member are repeated, which a coordinator answers from
// what it has. A JoinGroup waits for the slowest member, so its silence proves nothing; after a session's time it is asked again all the
// same (the coordinator may be paused, and another have its office), and nothing is lost by that.
#pragma once
#include <array>

#include "group/membership.hpp"
#include "group/membership_errors.hpp"
#include "group/retry_pause.hpp"
#include "group/strategy.hpp"

namespace kafkawire::group {

class classic_membership_fsm final : public membership {
public:
    enum class after_revoking { join, adopt, leave };
    enum class after_leaving { wait, park, end };

    // The states, each with the data that exists only there.
    struct unjoined {};                                     ///< not a member, and nothing is wanted
    struct joining {};                                      ///< JoinGroup is asked until it is answered
    struct assigning {                                      ///< this member leads, and waits for metadata of everybody's topics
        messages::join_group_response of{};
        time_point give_up{};                               ///< then the topics that are known have to do
        time_point not_before{};                            ///< the assignor failed: it is tried again
        int failures = 0;
    };
    struct syncing { assignments given{}; };                 ///< SyncGroup is asked until it is answered
    struct revoking {                                       ///< the application gives partitions up
        std::uint64_t callback = 0;
        time_point deadline{};
        after_revoking next = after_revoking::join;
        after_leaving how = after_leaving::wait;            ///< if that is to leave
    };
    struct adopting { std::uint64_t callback = 0; time_point since{}; };    ///< the application takes what was assigned
    struct stable {};                                       ///< all is well; heartbeats
    struct leaving { time_point deadline{}; after_leaving next = after_leaving::wait; };
    struct parked {};                                       ///< the application was too slow: out of the group until it polls
    struct gone {};                                         ///< left for good
    struct broken { error why{}; };                         ///< refused for good
    using state = std::variant<unjoined, joining, assigning, syncing, revoking, adopting, stable, leaving, parked, gone, broken>;
    static constexpr std::size_t state_count = std::variant_size_v<state>;
    [[nodiscard]] static std::string_view name_of(const state& s) noexcept;

    // Which state may follow which, in the order of the variant. Everything else is a bug and throws where tests see it.
    static constexpr std::array<std::array<bool, state_count>, state_count> legal = {{
        //              unjoin joining assign sync   revoke adopt  stable leave  parked gone   broken
        /* unjoined */  {{false, true, false, false, false, false, false, false, false, true, true}},
        /* joining */   {{true, false, true, true, true, false, false, true, true, true, true}},
        /* assigning */ {{true, true, false, true, true, false, false, true, true, true, true}},
        /* syncing */   {{true, true, false, false, true, true, false, true, true, true, true}},
        /* revoking */  {{true, true, false, false, true, true, false, true, true, true, true}},  // to itself: more has to go
        /* adopting */  {{true, true, false, false, true, false, true, true, true, true, true}},
        /* stable */    {{true, true, false, false, true, false, false, true, true, true, true}},
        /* leaving */   {{true, false, false, false, false, false, false, true, true, true, true}},  // to itself: for good, after all
        /* parked */    {{true, true, false, false, false, false, false, false, false, true, true}},
        /* gone */      {{false, false, false, false, false, false, false, false, false, false, false}},
        /* broken */    {{false, false, false, false, false, false, false, false, false, true, false}},
    }};

    /// `strategies`: at least one, the best first.
    classic_membership_fsm(membership_settings s, strategies use);

    void step(event e, time_point now, actions& out) override;
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept override;
    [[nodiscard]] membership_view view() const override;
    [[nodiscard]] std::optional<commit_identity> committer() const override;

    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// Joins keeping what it has.
    [[nodiscard]] bool cooperative() const noexcept { return cooperative_; }

private:
    // JoinGroup, SyncGroup or LeaveGroup, one at a time, repeated until it has an answer that counts.
    struct lane {
        std::uint64_t request = 0;                      // in flight; 0: none
        std::int32_t node = -1;
        time_point not_before{};
        int failures = 0;
    };
    struct pulse {
        std::uint64_t request = 0;
        std::int32_t node = -1;
        time_point sent{}, next{};
        int failures = 0;
    };

    void on(subscribe& e, time_point now, actions& out);
    void on(metadata_changed& e, time_point now, actions& out);
    void on(coordinator_found& e, time_point now, actions& out);
    void on(coordinator_lost& e, time_point now, actions& out);
    void on(coordinator_failed& e, time_point now, actions& out);
    void on(answered& e, time_point now, actions& out);
    void on(request_failed& e, time_point now, actions& out);
    void on(callback_done& e, time_point now, actions& out);
    void on(polled& e, time_point now, actions& out);
    void on(commit_refused& e, time_point now, actions& out);
    void on(rejoin_requested& e, time_point now, actions& out);
    void on(leave& e, time_point now, actions& out);
    void on(tick& e, time_point now, actions& out);

    void take(messages::join_group_response& r, const answered& e, time_point now, actions& out);
    void take(messages::sync_group_response& r, const answered& e, time_point now, actions& out);
    void take(messages::leave_group_response& r, const answered& e, time_point now, actions& out);
    void take_heartbeat(std::int16_t code, std::int16_t version, time_point now, actions& out);
    void joined(messages::join_group_response& r, time_point now, actions& out);
    void react(api what, meaning m, const error& why, time_point now, actions& out);
    void answered_well(time_point now, actions& out);

    void advance(time_point now, actions& out);
    void settle(time_point now, actions& out);
    void expire(time_point now, actions& out);
    void pump(time_point now, actions& out);
    void pump_heartbeat(time_point now, actions& out);
    [[nodiscard]] std::optional<api> wanted_request() const noexcept;
    [[nodiscard]] message make(api what);
    void put_on_wire(std::uint64_t& request, std::int32_t& node, milliseconds timeout, message m, actions& out);
    [[nodiscard]] milliseconds timeout_of(api what) const noexcept;

    void try_assign(time_point now, actions& out);
    void adopt(time_point now, actions& out);
    void begin_rejoin(std::string reason, time_point now, actions& out);
    [[nodiscard]] time_point give_up_by(time_point now) const noexcept;
    void begin_revoking(partition_set what, after_revoking next, time_point deadline, time_point now, actions& out);
    void revoked(time_point now, actions& out);
    void begin_leaving(after_leaving next, time_point now, actions& out);
    void depart(after_leaving next, time_point now, actions& out);
    void finish_leaving(time_point now, actions& out);
    void park(time_point now, actions& out);
    void come_back(std::string_view why, time_point now);
    void lose(error why, actions& out);
    void lose_and_join(error why, bool forget_id, time_point now, actions& out);
    void fail(error why, time_point now, actions& out);
    void pause_if_again(time_point now);
    void watch(std::set<std::string> names, actions& out);
    void doubt(std::int32_t node, const error& why, actions& out);
    [[nodiscard]] bool metadata_differs();
    [[nodiscard]] bool beats() const noexcept;
    [[nodiscard]] bool is_member() const noexcept;
    [[nodiscard]] std::optional<time_point> session_end() const noexcept;
    [[nodiscard]] std::optional<time_point> too_slow_at() const noexcept;
    [[nodiscard]] std::vector<topic_partition> list(const partition_set& of) const { return {of.begin(), of.end()}; }
    template <class State>
    [[nodiscard]] bool is() const noexcept {
        return std::holds_alternative<State>(state_);
    }
    void transition(state to, std::string_view why, time_point now);

    membership_settings settings_;
    strategies strategies_;
    bool cooperative_;
    state state_;
    std::uint64_t steps_ = 0;                           // transitions so far
    // Who it is.
    std::string member_;
    std::int32_t generation_ = -1;
    bool leads_ = false;
    std::string protocol_;
    // What it wants and has.
    subscription subscription_, joined_with_;
    holding has_;
    partition_set added_;                               // by the assignment, not yet told
    std::uint64_t epoch_ = 0;
    std::string rejoin_;                                // why it has to join again, once stable
    // As the leader: a member is to give something up, and to join again. One that has died instead and is static may be back without a rebalance
    // (KIP-345), and then nobody would have it.
    std::optional<time_point> look_after_;
    std::shared_ptr<const known_topics> topics_;
    std::set<std::string> watched_;
    std::map<std::string, std::optional<known_topic>> assigned_for_;   // the leader's view of the group's topics as it assigned them; none: not known then
    // The coordinator, and requests to it.
    std::optional<std::int32_t> node_;
    bool asked_for_node_ = false, trust_due_ = false;
    lane main_;
    int attempts_ = 0;                                  // to join, since it was stable
    pulse heart_;
    std::set<std::uint64_t> hanging_;                   // JoinGroup and SyncGroup that the coordinator may still be sitting on
    std::uint64_t next_request_ = 1, next_callback_ = 1;
    std::optional<time_point> proof_;                   // that it is a member: the last answer that says so
    std::optional<time_point> last_heartbeat_;
    error last_error_;
    // The application.
    bool waiting_ = false;
    std::uint64_t slow_callback_ = 0;                   // for whose want of an end the member is parked, or will be
    time_point last_poll_{};
    leave leave_;
    // What it took.
    time_point since_{}, began_{};
    phase_durations durations_, last_durations_;
    std::uint64_t rebalances_ = 0, losses_ = 0;
    retry_pause pauses_;
};

}  // namespace kafkawire::group
