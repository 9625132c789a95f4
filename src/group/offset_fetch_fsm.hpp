// offset_fetch_fsm: what a group has committed, asked from its coordinator, one request at a time.
// Owns: the questions that are not answered yet, the request in flight, the pause before the next one.
// Never: takes "nothing is committed" for an error or an error for that, gives an offset that a transaction may still change where only stable
// ones are wanted, reads a clock.
// Driver: sends what `send` says, feeds the answer back; tells what happens to the member and to the coordinator; completes questions.
//
//   stateDiagram-v2
//     idle --> looking: a question, and no coordinator
//     idle --> asking: a question
//     looking --> asking: the coordinator is found
//     asking --> idle: all is answered
//     asking --> pausing: some of it again
//     asking --> looking: the coordinator is another one
//     asking --> renewing: the member's epoch is behind
//     pausing --> asking: the pause is over
//     renewing --> asking: the member has moved on
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "group/offset_errors.hpp"
#include "group/partition.hpp"
#include "group/retry_pause.hpp"

namespace kafkawire::group::fetches {

namespace messages = protocol::messages;
using time_point = std::chrono::steady_clock::time_point;

struct settings {
    std::string group{};
    bool require_stable = true;                         ///< wait for transactions that commit offsets there (KIP-447); brokers before 2.5 cannot
    std::chrono::milliseconds retry_backoff{100};       ///< the first pause; doubles, spread by a fifth
    std::chrono::milliseconds retry_backoff_max{1'000};
    std::uint64_t seed = 1;                             ///< of the spread
};

/// Who asks, where the coordinator wants to know (KIP-848): by default nobody in particular.
struct identity {
    std::string member{};                               ///< empty: none
    std::int32_t epoch = -1;
    friend bool operator==(const identity&, const identity&) = default;
};
struct committed {
    std::int64_t offset = -1;                           ///< -1: nothing is committed
    std::int32_t leader_epoch = -1;                     ///< -1: not known
    std::string metadata{};
    error why{};                                        ///< it could not be found out
    friend bool operator==(const committed& a, const committed& b) noexcept {
        return a.offset == b.offset && a.leader_epoch == b.leader_epoch && a.metadata == b.metadata && a.why.code == b.why.code;
    }
};
using question_id = std::uint64_t;                      // the driver's; never used twice

// What happened.

struct fetch_requested {
    question_id question = 0;
    partition_set of{};
    std::optional<time_point> deadline{};               ///< none: for ever
};
struct cancel_requested { question_id question = 0; };
struct member_changed { identity as{}; };
struct coordinator_found { std::int32_t node = -1; };
struct coordinator_lost {};
struct coordinator_failed { error why{}; };             ///< for good
struct answered { std::uint64_t request = 0; std::int16_t version = 0; messages::offset_fetch_response what{}; };
struct request_failed { std::uint64_t request = 0; error why{}; };  ///< no answer, or one that could not be read
struct tick {};
using event = std::variant<fetch_requested, cancel_requested, member_changed, coordinator_found, coordinator_lost, coordinator_failed, answered, request_failed, tick>;

// What the driver is to do.

struct send {                                           ///< and then feed back `answered` or `request_failed`, once
    std::uint64_t request = 0;
    std::int32_t node = -1;
    protocol::version_range versions{};                 ///< no other may be used: partitions are named, not known by the ids of topics
    messages::offset_fetch_request what{};              ///< call fit() before it is encoded
};
struct want_coordinator {};                             ///< until found or failed
struct doubt_coordinator { std::int32_t node = -1; error why{}; };
struct member_refused { broker_errc code{}; std::int32_t epoch = -1; };
/// A question is over: each of its partitions has its answer. `why`: the first error among them.
struct complete {
    question_id question = 0;
    error why{};
    std::map<topic_partition, committed> partitions{};
};
using action = std::variant<send, want_coordinator, doubt_coordinator, member_refused, complete>;
using actions = std::vector<action>;                    // the driver's own, reused for every step

/// Before version 8 a request names one group in other fields; before 7 it cannot ask for stable offsets, before 9 for a member's.
void fit(messages::offset_fetch_request& m, std::int16_t version);

// The states, each with the data that exists only there.
struct idle {};                                         ///< nobody wants to know anything
struct looking {};                                      ///< for the coordinator
struct pausing { time_point until{}; };                 ///< before the next attempt
struct renewing { time_point until{}; identity was{}; };///< until the member is another than it was, or for that long
struct asking {                                         ///< one request is in flight
    std::uint64_t request = 0;
    identity as{};
    partition_set of{};
    std::uint64_t last = 0;                             ///< number of the last question in it: what was asked later may know of a later commit
};
using state = std::variant<idle, looking, pausing, renewing, asking>;
[[nodiscard]] std::string_view name_of(const state& s) noexcept;

// Which state may follow which, in the order of the variant. Everything else is a bug and throws where tests see it.
inline constexpr std::array<std::array<bool, 5>, 5> legal = {{
    //             idle   looking pausing renewing asking
    /* idle */     {{false, true, false, false, true}},
    /* looking */  {{true, false, false, false, true}},
    /* pausing */  {{true, true, false, false, true}},
    /* renewing */ {{true, true, false, false, true}},
    /* asking */   {{true, true, true, true, false}},
}};

class offset_fetch_fsm {
public:
    explicit offset_fetch_fsm(settings s) : settings_{std::move(s)}, pauses_{settings_.seed} {}

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    void step(event e, time_point now, actions& out);
    /// When to send the next `tick`, if nothing else happens before.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;
    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// Questions that are not complete.
    [[nodiscard]] std::size_t waiting() const noexcept { return questions_.size(); }

private:
    struct question {
        std::uint64_t number = 0;                       // in the order in which they came
        std::optional<time_point> deadline{};
        partition_set open{};
        complete result{};
        error last{};                                   // why the last attempt did not do
    };
    struct outcome {
        offsets::meaning means = offsets::meaning::done;
        committed what{};
    };

    void on(fetch_requested& e, time_point now, actions& out);
    void on(cancel_requested& e, time_point now, actions& out);
    void on(member_changed& e, time_point now, actions& out);
    void on(coordinator_found& e, time_point now, actions& out);
    void on(coordinator_lost& e, time_point now, actions& out);
    void on(coordinator_failed& e, time_point now, actions& out);
    void on(answered& e, time_point now, actions& out);
    void on(request_failed& e, time_point now, actions& out);
    void on(tick& e, time_point now, actions& out);

    void take_all(const asking& was, const std::map<topic_partition, outcome>& told, const outcome& otherwise, time_point now, actions& out);
    void go_on(const asking& was, const outcome& worst, time_point now, actions& out);
    void advance(time_point now, actions& out);
    void ask(actions& out);
    void resolve(question& q, const topic_partition& where, const committed& what);
    void end_question(question& q, std::error_code code, std::string_view text);
    void expire(time_point now);
    void finish(actions& out);
    void transition(state to, std::string_view why);

    settings settings_;
    state state_;
    std::deque<question> questions_;
    identity as_;
    std::optional<std::int32_t> node_;
    bool wanted_ = false;                               // the coordinator is being looked for
    int failures_ = 0;                                  // in a row
    std::uint64_t next_request_ = 1, next_number_ = 1;
    retry_pause pauses_;
};

}  // namespace kafkawire::group::fetches
