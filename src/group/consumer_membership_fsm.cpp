// What happens to a member of the consumer protocol: events, and what they change. What it does by itself stands in
// consumer_membership_steps.cpp.
#include "group/consumer_membership_fsm.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kafkawire::group {

std::string_view consumer_membership_fsm::name_of(const state& s) noexcept {
    static constexpr std::array<std::string_view, state_count> names = {"unjoined",      "joining", "stable", "revoking", "adopting",
                                                                        "acknowledging", "leaving", "parked", "gone",     "broken"};
    return names[s.index()];
}

consumer_membership_fsm::consumer_membership_fsm(membership_settings s)
    : settings_{std::move(s)}, member_{settings_.member_id}, interval_{settings_.heartbeat_interval}, pauses_{settings_.seed} {}

void consumer_membership_fsm::transition(state to, std::string_view why, time_point now) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("consumer_membership_fsm: illegal transition from " + std::string{name_of(state_)} + " to " +
                               std::string{name_of(to)} + ": " + std::string{why});
    const auto spent = now - since_;
    if (is<revoking>()) durations_.revoking += spent;
    if (is<joining>()) durations_.joining += spent;
    if (is<acknowledging>()) durations_.syncing += spent;
    if (is<adopting>()) durations_.adopting += spent;
    if (is<unjoined>() || is<parked>() || (is<stable>() && attempts_ == 0)) {  // else it has only just joined
        durations_ = {};
        began_ = now;
    }
    since_ = now;
    ++steps_;
    state_ = std::move(to);
    if (is<joining>() || is<leaving>()) heart_ = {};  // what is in flight belongs to what the member was
    if (is<joining>()) pause_if_again(now);
    if (is<acknowledging>()) heart_.next = now;
}

// The first attempts follow each other at once. A coordinator that keeps refusing them must not be asked in a loop.
void consumer_membership_fsm::pause_if_again(time_point now) {
    if (++attempts_ > 2) heart_.next = now + pauses_.after(attempts_ - 2, settings_.retry_backoff, settings_.retry_backoff_max);
}

void consumer_membership_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
    advance(now, out);
}

membership_view consumer_membership_fsm::view() const {
    membership_view v;
    v.state = name_of(state_);
    v.member = member_;
    v.generation = epoch_ > 0 ? epoch_ : -1;
    v.assignment = list(owned_);
    v.epoch = changes_;
    v.last_heartbeat = last_heartbeat_;
    v.last_rebalance = last_durations_;
    v.rebalances = rebalances_;
    v.losses = losses_;
    v.last_error = last_error_;
    return v;
}

std::optional<commit_identity> consumer_membership_fsm::committer() const {
    if (epoch_ <= 0) return {};
    return commit_identity{settings_.group, member_, settings_.instance, epoch_};
}

bool consumer_membership_fsm::is_member() const noexcept {
    return is<joining>() || is<stable>() || is<revoking>() || is<adopting>() || is<acknowledging>();
}

// Events of the application.

void consumer_membership_fsm::on(subscribe& e, time_point now, actions& out) {
    if (is<gone>() || is<broken>()) return;
    if (subscription_.empty()) last_poll_ = now;
    subscription_ = std::move(e.to);
    if (is_member() && epoch_ > 0 && heart_.failures == 0) heart_.next = now;
    if (!subscription_.empty()) return;
    if (is<parked>()) return transition(unjoined{}, "nothing is wanted any more", now);
    if (auto* l = std::get_if<leaving>(&state_)) {
        if (l->next == after_leaving::park) l->next = after_leaving::wait;
    } else if (is_member()) {
        begin_leaving(after_leaving::wait, now, out);
    }
}

void consumer_membership_fsm::on(polled& e, time_point now, actions&) {
    waiting_ = e.waiting;
    last_poll_ = now;
    come_back("the application polls again", now);
}

void consumer_membership_fsm::come_back(std::string_view why, time_point now) {
    slow_callback_ = 0;
    if (is<parked>()) transition(unjoined{}, why, now);
    if (auto* l = std::get_if<leaving>(&state_); l && l->next == after_leaving::park) l->next = after_leaving::wait;
}

void consumer_membership_fsm::on(rejoin_requested&, time_point, actions&) {}

void consumer_membership_fsm::on(leave& e, time_point now, actions& out) {
    if (is<gone>()) return out.push_back(left{});
    leave_ = std::move(e);
    if (is_member()) return begin_leaving(after_leaving::end, now, out);
    if (const auto* l = std::get_if<leaving>(&state_)) {
        auto sooner = *l;
        sooner.next = after_leaving::end;
        sooner.deadline = std::min(l->deadline, leave_.deadline);
        const auto going = heart_;  // the one in flight will do
        transition(sooner, "for good", now);
        heart_ = going;
        return;
    }
    transition(gone{}, "the application closes", now);
    out.emplace_back(left{});
}

void consumer_membership_fsm::on(callback_done& e, time_point now, actions& out) {
    if (const auto* r = std::get_if<revoking>(&state_); r && r->callback == e.callback) return revoked(now, out);
    if (e.callback == slow_callback_ && waiting_) return come_back("the application has an end of it at last", now);
    const auto* a = std::get_if<adopting>(&state_);
    if (a && a->callback == e.callback) transition(acknowledging{}, "the application has taken its assignment", now);
}

void consumer_membership_fsm::on(metadata_changed& e, time_point, actions&) {
    topics_ = std::move(e.topics);
    if (unresolved_.empty() || !topics_) return;
    target_is_new_ =
        target_is_new_ || std::any_of(topics_->begin(), topics_->end(), [&](const auto& t) { return unresolved_.count(t.second.id) != 0; });
}

void consumer_membership_fsm::on(tick&, time_point, actions&) {}

// Events of the coordinator.

void consumer_membership_fsm::on(coordinator_found& e, time_point now, actions&) {
    asked_for_node_ = false;
    if (node_ == e.node) return;
    node_ = e.node;
    trust_due_ = true;
    if (heart_.node != e.node && heart_.request != 0) {  // nobody will answer that any more, or not well
        heart_.request = 0;
        tell_all_ = true;
        maybe_own_ = true;
    }
    heart_.next = now;
}

void consumer_membership_fsm::on(coordinator_lost&, time_point, actions&) {
    node_.reset();
    asked_for_node_ = false;
}

void consumer_membership_fsm::on(coordinator_failed& e, time_point now, actions& out) {
    if (e.for_good || is<leaving>()) return fail(std::move(e.why), now, out);
    if (is_member()) react(meaning::told, e.why, now, out);
}

// A commit was refused for the member's epoch or name: the next heartbeat, sent at once, tells what is true.
void consumer_membership_fsm::on(commit_refused& e, time_point now, actions&) {
    if (is_member() && epoch_ > 0 && e.generation == epoch_ && heart_.failures == 0) heart_.next = now;
}

void consumer_membership_fsm::on(answered& e, time_point now, actions& out) {
    if (e.request == 0 || e.request != heart_.request) return;
    heart_.request = 0;
    auto* r = std::get_if<messages::consumer_group_heartbeat_response>(&e.what);
    if (!r) return react(meaning::again, told_by_us(make_error_code(errc::bad_value), "the answer is one to another request"), now, out);
    auto m = meaning_of(api::consumer_heartbeat, r->error_code);
    auto why = refusal(api::consumer_heartbeat, r->error_code, e.version, heart_.failures + 1, r->error_message.value_or(std::string{}));
    if (heart_.release) {
        if (m == meaning::elsewhere || m == meaning::again) return react(m, why, now, out);
        released();
        heart_.next = now;
        return;
    }
    if (heart_.last) {
        if (m == meaning::elsewhere || m == meaning::again) return react(m, why, now, out);
        if (settings_.instance && std::get<leaving>(state_).next != after_leaving::end) released();
        heart_.last = false;
        return finish_leaving(now, out);
    }
    if (m == meaning::done && r->member_epoch <= 0) {
        m = meaning::again;
        why.code = make_error_code(errc::bad_value);
        why.text = "the answer has no epoch";
    }
    if (m == meaning::done) return take(*r, now, out);
    react(m, why, now, out);
}

void consumer_membership_fsm::on(request_failed& e, time_point now, actions& out) {
    if (e.request == 0 || e.request != heart_.request) return;
    heart_.request = 0;
    const auto m = meaning_of(api::consumer_heartbeat, e.why.code);
    if (heart_.last && m == meaning::fatal) return finish_leaving(now, out);
    react(m, e.why, now, out);
}

void consumer_membership_fsm::take(messages::consumer_group_heartbeat_response& r, time_point now, actions& out) {
    proof_ = heart_.sent;  // what was answered then may have been read late, by a process that was stopped
    last_heartbeat_ = now;
    release_due_ = target_in_doubt_ = false;
    maybe_own_ = true;
    last_error_ = {};
    heart_.failures = 0;
    occupied_since_.reset();
    if (std::exchange(trust_due_, false) && node_) out.emplace_back(trust_coordinator{*node_});
    if (r.member_id && !r.member_id->empty()) member_ = std::move(*r.member_id);
    epoch_ = r.member_epoch;
    // An interval that cannot be meant would be a hot loop, or the end of the session.
    if (r.heartbeat_interval_ms > 0)
        interval_ =
            std::clamp(milliseconds{r.heartbeat_interval_ms}, milliseconds{10}, std::max(settings_.session_timeout / 2, milliseconds{10}));
    heart_.next = now + interval_;
    tell_all_ = false;
    told_ = std::move(heart_.wanted);
    if (told_ != subscription_) heart_.next = now;
    const bool reports = heart_.reported.has_value();
    if (reports) reported_ = std::move(*heart_.reported);
    if (r.assignment) {
        target_.clear();
        for (const auto& t : r.assignment->topic_partitions)
            for (const auto p : t.partitions)
                if (p >= 0) target_[t.topic_id].insert(p);
        target_is_new_ = true;
    }
    if (is<joining>()) {
        transition(stable{}, "joined", now);
        return;
    }
    attempts_ = 0;
    if (is<acknowledging>()) {
        if (!reports || reported_ != held()) {
            heart_.next = now;
            return;
        }
        if (target_is_new_) return;
        transition(stable{}, "the coordinator knows", now);
        if (!std::exchange(moved_, false)) return;
        durations_.whole = now - began_;
        last_durations_ = durations_;
        ++rebalances_;
        out.emplace_back(rebalanced{epoch_, last_durations_});
    }
}

// An answer that is a refusal, or none.
void consumer_membership_fsm::react(meaning m, const error& why, time_point now, actions& out) {
    last_error_ = why;
    tell_all_ = true;
    if (m != meaning::occupied) maybe_own_ = true;  // a join that was done all the same
    const auto later = [&] { heart_.next = now + pauses_.after(++heart_.failures, settings_.retry_backoff, settings_.retry_backoff_max); };
    const auto much_later = [&] {
        ++heart_.failures;
        heart_.next = now + pauses_.after(1, settings_.retry_backoff_max, settings_.retry_backoff_max);
    };
    switch (m) {
        case meaning::done: return;
        case meaning::rejoin:
        case meaning::take_id:
        case meaning::again: return later();
        case meaning::elsewhere:
            later();
            if (node_) doubt(*node_, why, out);
            return;
        case meaning::told: out.emplace_back(trouble{about_group(why, settings_.group), true}); return much_later();
        case meaning::occupied:
            // The process before this one may have died without a word: then its session ends by and by, later if the coordinator moves.
            if (maybe_own_) {
                release_due_ = true;
                heart_.next = now;
                return;
            }
            if (!occupied_since_) occupied_since_ = now;
            if (now - *occupied_since_ >= settings_.session_timeout * 2) return fail(why, now, out);
            if (*occupied_since_ == now) out.emplace_back(trouble{why});
            return much_later();
        case meaning::stale:
        case meaning::forgotten: return lose_and_join(why, now, out);
        case meaning::fenced:
        case meaning::fatal: return fail(why, now, out);
    }
}

void consumer_membership_fsm::doubt(std::int32_t node, const error& why, actions& out) {
    if (node_ == node) node_.reset();
    asked_for_node_ = false;
    out.emplace_back(doubt_coordinator{node, why});
}

void consumer_membership_fsm::lose(error why, actions& out) {
    epoch_ = 0;
    tell_all_ = first_target_ = maybe_own_ = true;
    target_is_new_ = target_in_doubt_ = moved_ = false;
    target_.clear();
    unresolved_.clear();
    const bool was_giving_up = !std::exchange(giving_up_, {}).empty();
    reported_.clear();
    proof_.reset();
    watch({}, out);
    if (owned_.empty() && !was_giving_up) return;
    ++losses_;
    ++changes_;
    out.emplace_back(group::lose{next_callback_++, list(std::exchange(owned_, {})), std::move(why)});
}

void consumer_membership_fsm::lose_and_join(error why, time_point now, actions& out) {
    lose(std::move(why), out);
    if (const auto* r = std::get_if<revoking>(&state_); r && r->next == after_revoking::leave) return;  // it goes anyway
    if (!is<joining>()) return transition(joining{}, "the member is out", now);
    pause_if_again(now);
}

void consumer_membership_fsm::fail(error why, time_point now, actions& out) {
    if (is<gone>() || is<broken>()) return;
    if (is<leaving>()) return finish_leaving(now, out);
    lose(why, out);
    last_error_ = why;
    const auto* r = std::get_if<revoking>(&state_);
    if (r && r->next == after_revoking::leave && r->how == after_leaving::end) {
        transition(gone{}, "refused while leaving", now);
        return out.push_back(left{});
    }
    transition(broken{why}, why.message(), now);
    out.emplace_back(membership_failed{std::move(why)});
}

}  // namespace kafkawire::group
