// stall_fsm: is a connection dead, or is its broker only slow? One machine for each broker that has a silent connection.
// A half-open connection (a proxy that hangs, a route that swallows packets) looks like a broker that hangs: no bytes, no end. So the broker is
// asked for its versions on a second connection. If that is answered and the first one is still silent two seconds later, the first one is dead.
// If it is not answered either, the broker hangs, and new connections would not be better: nothing is closed, and it is asked again, after
// pauses that double, so that many paused brokers cost nothing.
//
//   calm -> probing -> grace -> calm        probing -> resting -> probing        anything -> calm when bytes come
#pragma once
#include <kafkawire/environment.hpp>

#include <variant>

namespace kafkawire::client_detail {

class stall_fsm {
public:
    static constexpr std::chrono::milliseconds first_pause{2'000};
    static constexpr std::chrono::milliseconds longest_pause{8'000};
    static constexpr std::chrono::milliseconds grace_time{2'000};

    struct calm {};                                         // nothing is silent
    struct probing { net::time_point until; };              // a probe is under way, for so long
    struct resting { net::time_point until; };              // it failed early; the next one keeps its distance
    struct grace { net::time_point until; };                // it was answered: whoever is silent still has so long to say something
    using state = std::variant<calm, probing, resting, grace>;
    enum class action : std::uint8_t { none, probe, give_up };

    /// A connection to the broker is silent.
    [[nodiscard]] action silent(net::time_point now);
    /// None is any more: the probe is of no use.
    void speaks() noexcept;
    /// The probe has its answer; it is of no use any more.
    void answered(net::time_point now);
    void probe_failed() noexcept;
    /// probe: drop the probe before, if there is one, and make another. give_up: close what is silent; then speaks() is to be called.
    [[nodiscard]] action step(net::time_point now);
    [[nodiscard]] std::optional<net::time_point> next_wakeup() const noexcept;
    [[nodiscard]] const state& where() const noexcept { return state_; }
    /// How long the probe that is due now may take.
    [[nodiscard]] std::chrono::milliseconds pause() const noexcept { return pause_; }

private:
    action probe(net::time_point now);

    state state_;
    std::chrono::milliseconds pause_{0};
};

}  // namespace kafkawire::client_detail
