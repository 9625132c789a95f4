// coordinator_fsm: which broker coordinates a group: found when somebody wants to know, doubted by whoever gets no answer there, found again.
// Owns: the answer, the one FindCoordinator in flight, the pause before the next one.
// Never: asks while nobody wants to know, asks twice at a time, believes an address that cannot be one.
// Driver: sends what `ask` says to any broker, feeds the answer back, tells what is found to the membership and to the offsets.
//
//   stateDiagram-v2
//     idle --> asking: wanted
//     asking --> known: an answer
//     asking --> waiting: no answer, or none that says where
//     waiting --> asking: the pause is over
//     known --> waiting: doubted
//     asking --> refused: no permission, or no such group can be
//
// A broker that lost the office may for a while still be named by others. So the pauses go on growing until the coordinator found has answered
// somebody: `trusted` says so.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "group/retry_pause.hpp"

namespace kafkawire::group::coordinator {

namespace messages = protocol::messages;
using time_point = std::chrono::steady_clock::time_point;

struct settings {
    std::string group{};
    std::chrono::milliseconds request_timeout{10'000};  ///< any broker can be asked: one that is silent is not waited for long
    std::chrono::milliseconds retry_backoff{100};       ///< the first pause; doubles, spread by a fifth
    std::chrono::milliseconds retry_backoff_max{1'000};
    std::uint64_t seed = 1;
};

struct place {
    std::int32_t node = -1;
    std::string host{};
    std::int32_t port = 0;
    friend bool operator==(const place&, const place&) = default;
};

// What happened.
struct wanted {};                                       ///< somebody has something to ask it; told again, it is said again
struct doubted { std::int32_t node = -1; error why{}; };    ///< it is not the coordinator, or does not answer; of another node than the known one: old news
struct trusted { std::int32_t node = -1; };             ///< it answered as a coordinator does
struct answered { std::uint64_t request = 0; std::int16_t version = 0; messages::find_coordinator_response what{}; };
struct request_failed { std::uint64_t request = 0; error why{}; };
struct tick {};
using event = std::variant<wanted, doubted, trusted, answered, request_failed, tick>;

// What the driver is to do.
struct ask { std::uint64_t request = 0; std::chrono::milliseconds timeout{}; messages::find_coordinator_request what{}; };   ///< of any broker, an other than last time if there is; fit() first
struct found { place where{}; };
struct lost {};
/// Whoever waits should be told. Not for good: no permission, which may come; it is asked again after the longest pause.
struct refused { error why{}; bool for_good = true; };
using action = std::variant<ask, found, lost, refused>;
using actions = std::vector<action>;

/// From version 4 on the group is named in another field.
void fit(messages::find_coordinator_request& m, std::int16_t version);

// The states, each with the data that exists only there.
struct idle {};                                         ///< nobody has wanted to know
struct asking { std::uint64_t request = 0; };
struct waiting { time_point until{}; };                 ///< before it is asked again
struct known { place where{}; };
struct given_up { error why{}; };
using state = std::variant<idle, asking, waiting, known, given_up>;
[[nodiscard]] std::string_view name_of(const state& s) noexcept;

// Which state may follow which, in the order of the variant.
inline constexpr std::array<std::array<bool, 5>, 5> legal = {{
    //             idle   asking waiting known given_up
    /* idle */     {{false, true, false, false, false}},
    /* asking */   {{false, false, true, true, true}},
    /* waiting */  {{false, true, false, false, false}},
    /* known */    {{false, false, true, false, false}},
    /* given_up */ {{false, false, false, false, false}},
}};

class coordinator_fsm {
public:
    explicit coordinator_fsm(settings s) : settings_{std::move(s)}, pauses_{settings_.seed} {}

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    void step(event e, time_point now, actions& out);
    /// When to send the next `tick`.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;
    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// Why it is not known: of the last attempt that failed, or what it was doubted for.
    [[nodiscard]] const error& last_error() const noexcept { return last_; }

private:
    void on(wanted& e, time_point now, actions& out);
    void on(doubted& e, time_point now, actions& out);
    void on(trusted& e, time_point now, actions& out);
    void on(answered& e, time_point now, actions& out);
    void on(request_failed& e, time_point now, actions& out);
    void on(tick& e, time_point now, actions& out);
    void begin(actions& out);
    void wait(time_point now, error why, bool longest = false);
    void transition(state to, std::string_view why);

    settings settings_;
    state state_;
    int failures_ = 0;                                  // in a row, until one that was found is trusted
    error last_;
    std::uint64_t next_request_ = 1;
    retry_pause pauses_;
};

}  // namespace kafkawire::group::coordinator
