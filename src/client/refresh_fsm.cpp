#include "client/refresh_fsm.hpp"

#include <algorithm>
#include <utility>

namespace kafkawire::client_detail {

net::time_point refresh_fsm::after_pause(net::time_point now) const noexcept { return last_ ? std::max(now, *last_ + pause_) : now; }

void refresh_fsm::want(net::time_point now) {
    if (auto* a = std::get_if<asking>(&state_)) a->again = true;
    else if (std::holds_alternative<quiet>(state_)) state_ = waiting{after_pause(now)};
}

void refresh_fsm::want_at_once(net::time_point now) {
    if (auto* a = std::get_if<asking>(&state_)) a->again = a->at_once = true;
    else state_ = waiting{now};
}

refresh_fsm::action refresh_fsm::step(net::time_point now) {
    if (std::holds_alternative<quiet>(state_)) {
        const bool old = keep_fresh_ && learned_ && now - *learned_ >= settings_.max_age;
        if (!old && !(unsettled_ && now >= *unsettled_)) return action::none;
        state_ = waiting{now};
    }
    if (auto* w = std::get_if<waiting>(&state_)) {
        if (now < w->due) return action::none;
        // Whoever asks again soon after an answer has not got what he wants: he is slowed down. After a while of quiet the first question goes out at once.
        const bool soon = last_ && now - *last_ < 2 * settings_.longest_pause;
        pause_ = soon ? std::clamp(2 * pause_, settings_.first_pause, settings_.longest_pause) : settings_.first_pause;
        unsettled_.reset();
        state_ = asking{now + settings_.patience};
        return action::ask;
    }
    auto& a = std::get<asking>(state_);
    if (now < a.another) return action::none;
    a.another = now + settings_.patience;
    return action::ask_another;
}

void refresh_fsm::answered(net::time_point now, bool settled, bool follow_up, bool doubted) {
    auto* a = std::get_if<asking>(&state_);
    if (!a) return;
    const auto was = *a;
    learned_ = last_ = now;
    own_pause_ = settled ? std::chrono::milliseconds{0} : std::clamp(2 * own_pause_, settings_.first_pause, std::max(settings_.first_pause, settings_.max_age));
    if (!settled) unsettled_ = now + own_pause_;
    if (doubted) unsettled_ = std::min(now + settings_.longest_pause, unsettled_.value_or(net::time_point::max()));
    state_ = quiet{};
    if (follow_up || was.at_once) want_at_once(now);
    else if (was.again) want(now);
}

void refresh_fsm::failed(net::time_point now) {
    if (!std::holds_alternative<asking>(state_)) return;
    last_ = now;
    learned_.reset();
    state_ = quiet{};
    if (keep_fresh_) want(now);
}

std::optional<net::time_point> refresh_fsm::next_wakeup() const noexcept {
    if (auto* w = std::get_if<waiting>(&state_)) return w->due;
    if (auto* a = std::get_if<asking>(&state_)) return a->another;
    auto at = unsettled_;
    if (keep_fresh_ && learned_) at = at ? std::min(*at, *learned_ + settings_.max_age) : *learned_ + settings_.max_age;
    return at;
}

}  // namespace kafkawire::client_detail
