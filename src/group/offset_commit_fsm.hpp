// offset_commit_fsm: the commits of one group, one request at a time, in the order in which they were asked for.
// Owns: the calls that are not answered yet, the request in flight, the pause before the next one.
// Never: commits a partition that the member does not own any more, lets an older position of a partition follow a newer one, merges away a
// position that somebody waits for, asks again what was refused, reads a clock.
// Driver: sends what `send` says, feeds the answer back; tells what happens to the member and to the coordinator; completes calls.
//
//   stateDiagram-v2
//     idle --> looking: a call, and no coordinator
//     idle --> asking: a call
//     looking --> asking: the coordinator is found
//     asking --> idle: all is answered
//     asking --> pausing: some of it again
//     asking --> looking: the coordinator is another one
//     asking --> renewing: the group has moved on
//     pausing --> asking: the pause is over
//     renewing --> asking: the member has moved on too
//
// Why what was lost is dropped at once, and not when it would be sent, as a sequence:
//   1. A commit of p-0 at 100 waits for the coordinator. The member loses p-0; another one reads on to 500 and commits that.
//   2. The member gets p-0 again. It is its owner now, with a generation that is right.
//   3. The commit goes out: the group's position falls back to 100.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/08_offset_commit.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "group/offset_errors.hpp"
#include "group/partition.hpp"
#include "group/retry_pause.hpp"

namespace kafkawire::group::commits {

namespace messages = protocol::messages;
using time_point = std::chrono::steady_clock::time_point;

struct settings {
    std::string group{};
    std::chrono::milliseconds retry_backoff{100};       ///< the first pause; doubles, spread by a fifth
    std::chrono::milliseconds retry_backoff_max{1'000}; ///< also how long a member that should have moved on is waited for before the commit is tried all the same
    std::uint64_t seed = 1;                             ///< of the spread
    std::optional<std::chrono::milliseconds> retention{};  ///< is told to the coordinator, which versions up to 4 can
};

/// As whom commits are sent. By default: somebody who is no member, and assigns partitions by hand.
struct identity {
    std::string member{};
    std::optional<std::string> instance{};
    std::int32_t generation = -1;                       ///< or the member's epoch (KIP-848)
    friend bool operator==(const identity&, const identity&) = default;
};
struct position {
    std::int64_t offset = 0;                            ///< of the next record to be read
    std::int32_t leader_epoch = -1;
    std::string metadata{};
    protocol::uuid topic_id{};                          ///< of what it is a position in; zero: not known, whichever topic has the name
    friend bool operator==(const position&, const position&) = default;
};
using call_id = std::uint64_t;                          // the driver's; never used twice

// What happened.

/// Positions to be committed. Where nobody waits, a position may be left out for a newer one of the same partition; the call completes all the same,
/// with what became of the newer one.
struct commit_requested {
    call_id call = 0;
    std::map<topic_partition, position> what{};
    bool waited_for = true;
    std::optional<time_point> deadline{};               ///< none: for ever
};
struct cancel_requested { call_id call = 0; };          ///< what has been sent may be committed all the same
/// The member as it is now; `owned`: what it may commit, null: anything, since partitions are assigned by hand. No identity: not a member
/// now, nothing can be sent. To be told before the application hears of an assignment, and after it has given partitions up.
struct member_changed {
    std::optional<identity> as{};
    std::optional<partition_set> owned{};
};
struct coordinator_found { std::int32_t node = -1; };
struct coordinator_lost {};
struct coordinator_failed { error why{}; };             ///< for good
struct answered { std::uint64_t request = 0; std::int16_t version = 0; messages::offset_commit_response what{}; };
struct request_failed { std::uint64_t request = 0; error why{}; };  ///< no answer, or one that could not be read
struct tick {};
using event = std::variant<commit_requested, cancel_requested, member_changed, coordinator_found, coordinator_lost, coordinator_failed, answered, request_failed, tick>;

// What the driver is to do.

struct send {                                           ///< and then feed back `answered` or `request_failed`, once
    std::uint64_t request = 0;
    std::int32_t node = -1;
    protocol::version_range versions{};                 ///< no other may be used: where an id is not known, topics go by their names
    messages::offset_commit_request what{};             ///< call fit() before it is encoded
};
struct want_coordinator {};                             ///< until found or failed
struct doubt_coordinator { std::int32_t node = -1; error why{}; };
struct member_refused { broker_errc code{}; std::int32_t generation = -1; };    ///< for the membership, which learns it sooner than by its heartbeat
/// A call is over. Each partition has its own result; `why` is the first of them that is not none. errc::request_timed_out, errc::canceled: what was
/// sent may be committed all the same. broker_errc::illegal_generation without a version: not owned any more, and left out.
struct complete {
    call_id call = 0;
    error why{};
    std::map<topic_partition, error> partitions{};
};
using action = std::variant<send, want_coordinator, doubt_coordinator, member_refused, complete>;
using actions = std::vector<action>;                    // the driver's own, reused for every step

/// What older versions cannot say is taken out: static members commit without their instance id below version 7.
void fit(messages::offset_commit_request& m, std::int16_t version);

// The states, each with the data that exists only there.
struct idle {};                                         ///< nothing waits to be committed
struct looking {};                                      ///< for the coordinator
struct pausing { time_point until{}; };                 ///< before the next attempt
struct renewing { time_point until{}; identity was{}; };///< until the member is another than it was
struct asking {                                         ///< one request is in flight
    std::uint64_t request = 0;
    identity as{};
    std::map<topic_partition, std::uint64_t> sent{};    ///< each with the number of the newest call whose position went along
    std::map<protocol::uuid, std::string> names{};      ///< of the topics, since from version 10 on answers know ids alone
};
using state = std::variant<idle, looking, pausing, renewing, asking>;
[[nodiscard]] std::string_view name_of(const state& s) noexcept;

// Which state may follow which, in the order of the variant. Everything else is a bug and throws where tests see it.
inline constexpr std::array<std::array<bool, 5>, 5> legal = {{
    //             idle   looking pausing renewing asking
    /* idle */     {{false, true, false, true, true}},    // renewing: not a member yet
    /* looking */  {{true, false, false, true, true}},
    /* pausing */  {{true, true, false, true, true}},
    /* renewing */ {{true, true, false, true, true}},     // to itself: moved on, and not a member
    /* asking */   {{true, true, true, true, false}},
}};

class offset_commit_fsm {
public:
    explicit offset_commit_fsm(settings s) : settings_{std::move(s)}, pauses_{settings_.seed} {}

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    void step(event e, time_point now, actions& out);
    /// When to send the next `tick`, if nothing else happens before.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;
    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// Calls that are not complete.
    [[nodiscard]] std::size_t waiting() const noexcept { return calls_.size(); }

private:
    struct wanted {
        position at{};
        bool tried = false;                             // sent at least once: it may be committed whatever else is said
        bool lost = false;                              // given up while it was on its way: not to be sent again
    };
    struct call {
        call_id id = 0;
        std::uint64_t number = 0;                       // in the order in which they came
        bool waited_for = true;
        std::optional<time_point> deadline{};
        std::map<topic_partition, wanted> open{};       // not resolved yet
        complete result{};
        error last{};                                   // why the last attempt did not do
    };

    void on(commit_requested& e, time_point now, actions& out);
    void on(cancel_requested& e, time_point now, actions& out);
    void on(member_changed& e, time_point now, actions& out);
    void on(coordinator_found& e, time_point now, actions& out);
    void on(coordinator_lost& e, time_point now, actions& out);
    void on(coordinator_failed& e, time_point now, actions& out);
    void on(answered& e, time_point now, actions& out);
    void on(request_failed& e, time_point now, actions& out);
    void on(tick& e, time_point now, actions& out);

    void advance(time_point now, actions& out);
    void ask(time_point now, actions& out);
    void go_on(offsets::meaning worst, const asking& was, const error& why, time_point now, actions& out);
    void attempt_ended(const topic_partition& where, const asking& was, offsets::meaning means, const error& why);
    void drop_lost();
    void end_call(call& c, std::error_code code, std::string_view text);
    void resolve(call& c, const topic_partition& where, const error& why);
    void expire(time_point now);
    void finish(actions& out);
    [[nodiscard]] bool may_commit(const topic_partition& where) const { return !owned_ || owned_->count(where) != 0; }
    void transition(state to, std::string_view why);

    settings settings_;
    state state_;
    std::deque<call> calls_;                            // in the order in which they came
    std::optional<identity> as_ = identity{};
    std::optional<partition_set> owned_;
    std::optional<std::int32_t> node_;
    bool wanted_ = false;                               // the coordinator is being looked for
    int failures_ = 0;                                  // in a row
    std::uint64_t next_request_ = 1, next_number_ = 1;
    retry_pause pauses_;
};

}  // namespace kafkawire::group::commits
