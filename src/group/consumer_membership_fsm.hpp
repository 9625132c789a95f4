// consumer_membership_fsm: a member of a group of the consumer protocol (KIP-848): one request, ConsumerGroupHeartbeat, by which it joins, says
// what it has, is told what it is to have, and leaves.
// Owns: the member's epoch, the assignment that the coordinator wants (topic ids), the one that the application has, the heartbeat in flight.
// Never: says that it has given up what the application still has; hands out what the coordinator has not given; keeps anything when fenced.
// Driver: see membership.hpp.
//
//   stateDiagram-v2
//     unjoined --> joining: something is wanted
//     joining --> stable: an answer
//     stable --> revoking: the target takes something away
//     stable --> adopting: the target gives something
//     revoking --> adopting: given up; the target gives something, too
//     revoking --> acknowledging: given up
//     adopting --> acknowledging: the application has taken it
//     acknowledging --> stable: the coordinator has been told
//     stable --> joining: fenced, forgotten, or no heartbeat answered for a session: all is lost
//     stable --> leaving: nothing is wanted any more, the application is too slow, or it closes
//     leaving --> parked: too slow, until the next poll
//     leaving --> unjoined
//     leaving --> gone: closed
//     joining --> broken: refused for good
//   (From every state that stands for a member, what is drawn from `stable` to joining, leaving and broken may happen too.)
//
// What has not changed is not said again, but after any heartbeat without a good answer everything is: the answer that was lost may have raised
// the member's epoch, and the coordinator lets a member with the epoch before it go on only if it says what it has.
// The place of a static member is taken until whoever has it leaves or its session is over. That may be this member itself, whose join was done
// and whose answer was lost, or that thinks itself out before the coordinator does: so it says first that it is away for a while (-2), and joins then.
// Its partitions wait for it, and the coordinator takes commits for them of any epoch before (KIP-1251: -2 sets their epochs to 0). One that is still on
// its way from the stay before would put the group back; so each stay of a static member has a member id of its own, as that of a new process would.
// A target is not taken while a heartbeat is out that says what the member has. As a sequence:
//   1. The target gives p; its topic's name is not known, so the heartbeat that acknowledges says that the member has nothing.
//   2. The coordinator wants p elsewhere by now. This member does not have it: another one gets it at once.
//   3. The name becomes known before the answer to that heartbeat, with the newer target, is here.
// So only after that answer (or a later good one) it is known whether p is still this member's.
// Topic ids whose names are not known wait for metadata; the rest of the target is taken meanwhile.
#pragma once
#include <array>

#include "group/membership.hpp"
#include "group/membership_errors.hpp"
#include "group/retry_pause.hpp"

namespace kafkawire::group {

class consumer_membership_fsm final : public membership {
public:
    enum class after_revoking { reconcile, leave };
    enum class after_leaving { wait, park, end };

    // The states, each with the data that exists only there.
    struct unjoined {};                                     ///< not a member, and nothing is wanted
    struct joining {};                                      ///< heartbeats of epoch 0
    struct stable {};                                       ///< has what it was told to have, as far as names are known
    struct revoking {                                       ///< the application gives partitions up
        std::uint64_t callback = 0;
        time_point deadline{};
        after_revoking next = after_revoking::reconcile;
        after_leaving how = after_leaving::wait;            ///< if that is to leave
    };
    struct adopting { std::uint64_t callback = 0; time_point since{}; };    ///< the application takes what was assigned
    struct acknowledging {};                                ///< the coordinator has yet to be told
    struct leaving { time_point deadline{}; after_leaving next = after_leaving::wait; };
    struct parked {};                                       ///< the application was too slow: out of the group until it polls
    struct gone {};                                         ///< left for good
    struct broken { error why{}; };                         ///< refused for good
    using state = std::variant<unjoined, joining, stable, revoking, adopting, acknowledging, leaving, parked, gone, broken>;
    static constexpr std::size_t state_count = std::variant_size_v<state>;
    [[nodiscard]] static std::string_view name_of(const state& s) noexcept;

    // Which state may follow which, in the order of the variant. Everything else is a bug and throws where tests see it.
    static constexpr std::array<std::array<bool, state_count>, state_count> legal = {{
        //                   unjoin joining stable revoke adopt  acknow leave  parked gone   broken
        /* unjoined */      {{false, true, false, false, false, false, false, false, true, true}},
        /* joining */       {{true, false, true, true, false, false, true, true, true, true}},
        /* stable */        {{true, true, false, true, true, true, true, true, true, true}},
        /* revoking */      {{true, true, false, true, true, true, true, true, true, true}},  // to itself: more has to go
        /* adopting */      {{true, true, false, true, false, true, true, true, true, true}},
        /* acknowledging */ {{true, true, true, true, true, true, true, true, true, true}},   // to itself: a newer target with nothing new
        /* leaving */       {{true, false, false, false, false, false, true, true, true, true}},  // to itself: for good, after all
        /* parked */        {{true, true, false, false, false, false, false, false, true, true}},
        /* gone */          {{false, false, false, false, false, false, false, false, false, false}},
        /* broken */        {{false, false, false, false, false, false, false, false, true, false}},
    }};

    explicit consumer_membership_fsm(membership_settings s);

    void step(event e, time_point now, actions& out) override;
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept override;
    [[nodiscard]] membership_view view() const override;
    [[nodiscard]] std::optional<commit_identity> committer() const override;
    [[nodiscard]] std::map<std::string, protocol::uuid> topic_ids() const override;

    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// Of the assignment that the coordinator wants: the topics whose names are not known yet.
    [[nodiscard]] const std::set<protocol::uuid>& unresolved() const noexcept { return unresolved_; }

private:
    using id_partition = std::pair<protocol::uuid, std::int32_t>;
    using partitions = std::map<id_partition, std::string>;     // with the topic's name
    struct pulse {
        std::uint64_t request = 0;                      // in flight; 0: none
        std::int32_t node = -1;
        time_point sent{}, next{};
        int failures = 0;
        bool last = false;                              // says that the member leaves
        bool release = false;                           // says that a static member whose join was lost leaves, so that it can join
        std::optional<std::set<id_partition>> reported{};   // what it says that the member has
        subscription wanted{};
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

    void take(messages::consumer_group_heartbeat_response& r, time_point now, actions& out);
    void react(meaning m, const error& why, time_point now, actions& out);
    void advance(time_point now, actions& out);
    void settle(time_point now, actions& out);
    void expire(time_point now, actions& out);
    void pump(time_point now, actions& out);
    [[nodiscard]] bool beats() const noexcept;
    [[nodiscard]] messages::consumer_group_heartbeat_request make();
    [[nodiscard]] messages::consumer_group_heartbeat_request make_last(std::int32_t epoch) const;
    [[nodiscard]] std::set<id_partition> held() const;

    void reconcile(time_point now, actions& out);
    void resolve(partitions& to);
    [[nodiscard]] time_point give_up_by(time_point now) const noexcept;
    void begin_revoking(partitions what, after_revoking next, time_point deadline, time_point now, actions& out);
    void revoked(time_point now, actions& out);
    void begin_leaving(after_leaving next, time_point now, actions& out);
    void depart(after_leaving next, time_point now, actions& out);
    void finish_leaving(time_point now, actions& out);
    void released();
    void park(time_point now, actions& out);
    void come_back(std::string_view why, time_point now);
    void lose(error why, actions& out);
    void lose_and_join(error why, time_point now, actions& out);
    void fail(error why, time_point now, actions& out);
    void watch(std::set<protocol::uuid> ids, actions& out);
    void doubt(std::int32_t node, const error& why, actions& out);
    void pause_if_again(time_point now);
    [[nodiscard]] std::int32_t leave_epoch(after_leaving next) const noexcept;
    [[nodiscard]] bool is_member() const noexcept;
    [[nodiscard]] std::optional<time_point> session_end() const noexcept;
    [[nodiscard]] std::optional<time_point> too_slow_at() const noexcept;
    [[nodiscard]] static std::vector<topic_partition> list(const partitions& of);
    template <class State>
    [[nodiscard]] bool is() const noexcept {
        return std::holds_alternative<State>(state_);
    }
    void transition(state to, std::string_view why, time_point now);

    membership_settings settings_;
    state state_;
    std::uint64_t steps_ = 0;                           // transitions so far
    std::string member_;                                // settings_.member_id, and from the second stay of a static member on the number of that
    std::uint64_t stays_ = 0;                           // that it has said the end of
    std::int32_t epoch_ = 0;                            // the member's; 0: it has to join
    // What it wants and has.
    subscription subscription_;
    partitions owned_, giving_up_;
    std::map<protocol::uuid, std::set<std::int32_t>> target_;
    bool target_is_new_ = false, first_target_ = true;
    bool target_in_doubt_ = false;                      // what the member has was said, and not yet answered
    std::set<protocol::uuid> unresolved_, watched_;
    std::shared_ptr<const known_topics> topics_;
    std::uint64_t changes_ = 0;                         // of the assignment
    // The coordinator, and what it knows.
    std::optional<std::int32_t> node_;
    bool asked_for_node_ = false, trust_due_ = false;
    pulse heart_;
    bool tell_all_ = true;                              // the next heartbeat says everything
    bool maybe_own_ = true, release_due_ = false;      // a static member's place may be taken by itself
    bool told_regex_ = false;                           // so that none has to be said
    subscription told_;
    std::set<id_partition> reported_;
    milliseconds interval_;
    int attempts_ = 0;                                  // to join, since it was stable
    std::uint64_t next_request_ = 1, next_callback_ = 1;
    std::optional<time_point> proof_, last_heartbeat_, occupied_since_;
    error last_error_;
    // The application.
    bool waiting_ = false;
    std::uint64_t slow_callback_ = 0;                   // for whose want of an end the member is parked, or will be
    time_point last_poll_{};
    leave leave_;
    // What it took.
    time_point since_{}, began_{};
    phase_durations durations_, last_durations_;
    bool moved_ = false;                                // something changed hands since it was stable
    std::uint64_t rebalances_ = 0, losses_ = 0;
    retry_pause pauses_;
};

}  // namespace kafkawire::group
