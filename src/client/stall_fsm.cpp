#include "client/stall_fsm.hpp"

#include <algorithm>

namespace kafkawire::client_detail {

stall_fsm::action stall_fsm::probe(net::time_point now) {
    pause_ = std::clamp(2 * pause_, first_pause, longest_pause);
    state_ = probing{now + pause_};
    return action::probe;
}

stall_fsm::action stall_fsm::silent(net::time_point now) { return std::holds_alternative<calm>(state_) ? probe(now) : action::none; }

void stall_fsm::speaks() noexcept {
    state_ = calm{};
    pause_ = {};
}

void stall_fsm::answered(net::time_point now) {
    if (std::holds_alternative<probing>(state_)) state_ = grace{now + grace_time};
}

void stall_fsm::probe_failed() noexcept {
    if (const auto* p = std::get_if<probing>(&state_)) state_ = resting{p->until};
}

stall_fsm::action stall_fsm::step(net::time_point now) {
    if (const auto at = next_wakeup(); !at || now < *at) return action::none;
    return std::holds_alternative<grace>(state_) ? action::give_up : probe(now);
}

std::optional<net::time_point> stall_fsm::next_wakeup() const noexcept {
    if (const auto* p = std::get_if<probing>(&state_)) return p->until;
    if (const auto* r = std::get_if<resting>(&state_)) return r->until;
    if (const auto* g = std::get_if<grace>(&state_)) return g->until;
    return {};
}

}  // namespace kafkawire::client_detail
