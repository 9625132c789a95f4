// What happens to a member of the classic protocol: events, and what they change. What it does by itself stands in
// classic_membership_steps.cpp.
#include "group/classic_membership_fsm.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace kafkawire::group {

std::string_view classic_membership_fsm::name_of(const state& s) noexcept {
    static constexpr std::array<std::string_view, state_count> names = {
        "unjoined", "joining", "assigning", "syncing", "revoking", "adopting", "stable", "leaving", "parked", "gone", "broken"};
    return names[s.index()];
}

classic_membership_fsm::classic_membership_fsm(membership_settings s, strategies use)
    : settings_{std::move(s)}, strategies_{std::move(use)}, cooperative_{all_cooperative(strategies_)}, pauses_{settings_.seed} {}

void classic_membership_fsm::transition(state to, std::string_view why, time_point now) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("classic_membership_fsm: illegal transition from " + std::string{name_of(state_)} + " to " +
                               std::string{name_of(to)} + ": " + std::string{why});
    const auto spent = now - since_;
    if (is<revoking>()) durations_.revoking += spent;
    if (is<joining>()) durations_.joining += spent;
    if (is<assigning>()) durations_.assigning += spent;
    if (is<syncing>()) durations_.syncing += spent;
    if (is<adopting>()) durations_.adopting += spent;
    if (is<unjoined>() || is<stable>() || is<parked>()) {
        durations_ = {};
        began_ = now;
    }
    since_ = now;
    ++steps_;
    // What is in flight belongs to the state that asked for it. The coordinator may sit on it all the same: see hanging_.
    main_ = {};
    state_ = std::move(to);
    if (is<joining>() || is<leaving>()) heart_ = {};
    if (is<joining>()) look_after_.reset();
    if (is<joining>()) pause_if_again(now);
    if (is<stable>()) attempts_ = 0;
}

void classic_membership_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
    advance(now, out);
}

membership_view classic_membership_fsm::view() const {
    membership_view v;
    v.state = name_of(state_);
    v.member = member_;
    v.generation = generation_;
    v.leader = leads_;
    v.protocol = protocol_;
    v.assignment = list(has_.owned);
    v.epoch = epoch_;
    v.last_heartbeat = last_heartbeat_;
    v.last_rebalance = last_durations_;
    v.rebalances = rebalances_;
    v.losses = losses_;
    v.last_error = last_error_;
    return v;
}

std::optional<commit_identity> classic_membership_fsm::committer() const {
    if (generation_ < 0 || member_.empty()) return {};
    return commit_identity{settings_.group, member_, settings_.instance, generation_};
}

// In the group as far as this side knows, or on the way into it.
bool classic_membership_fsm::is_member() const noexcept {
    return is<joining>() || is<assigning>() || is<syncing>() || is<revoking>() || is<adopting>() || is<stable>();
}

// Events of the application.

void classic_membership_fsm::on(subscribe& e, time_point now, actions& out) {
    if (is<gone>() || is<broken>()) return;
    if (subscription_.empty()) last_poll_ = now;
    subscription_ = std::move(e.to);
    if (subscription_.regex) {  // only a coordinator of the other protocol could resolve it
        auto why = told_by_us(make_error_code(errc::bad_configuration),
                              "the classic group protocol has no regular expressions of the coordinator's");
        why.hint = "subscribe by a pattern, which is resolved here, or use the consumer protocol";
        return fail(std::move(why), now, out);
    }
    if (!subscription_.empty()) return;
    if (is<parked>()) return transition(unjoined{}, "nothing is wanted any more", now);
    if (auto* l = std::get_if<leaving>(&state_)) {
        if (l->next == after_leaving::park) l->next = after_leaving::wait;
    } else if (is_member()) {
        begin_leaving(after_leaving::wait, now, out);
    }
}

void classic_membership_fsm::on(polled& e, time_point now, actions&) {
    waiting_ = e.waiting;
    last_poll_ = now;
    come_back("the application polls again", now);
}

void classic_membership_fsm::come_back(std::string_view why, time_point now) {
    slow_callback_ = 0;
    if (is<parked>()) transition(unjoined{}, why, now);
    if (auto* l = std::get_if<leaving>(&state_); l && l->next == after_leaving::park) l->next = after_leaving::wait;
}

void classic_membership_fsm::on(rejoin_requested& e, time_point, actions&) {
    if (is_member() && !is<joining>()) rejoin_ = e.reason.empty() ? "the application asks for it" : std::move(e.reason);
}

void classic_membership_fsm::on(leave& e, time_point now, actions& out) {
    if (is<gone>()) return out.push_back(left{});
    leave_ = std::move(e);
    if (is_member()) return begin_leaving(after_leaving::end, now, out);
    if (const auto* l = std::get_if<leaving>(&state_)) {
        auto sooner = *l;
        sooner.next = after_leaving::end;
        sooner.deadline = std::min(l->deadline, leave_.deadline);
        const auto going = main_;  // the LeaveGroup in flight will do
        transition(sooner, "for good", now);
        main_ = going;
        return;
    }
    transition(gone{}, "the application closes", now);
    out.emplace_back(left{});
}

void classic_membership_fsm::on(callback_done& e, time_point now, actions& out) {
    if (const auto* r = std::get_if<revoking>(&state_); r && r->callback == e.callback) return revoked(now, out);
    if (e.callback == slow_callback_ && waiting_) return come_back("the application has an end of it at last", now);
    const auto* a = std::get_if<adopting>(&state_);
    if (!a || a->callback != e.callback) return;
    transition(stable{}, "the application has taken its assignment", now);
    durations_.whole = now - began_;
    last_durations_ = durations_;
    ++rebalances_;
    out.emplace_back(rebalanced{generation_, last_durations_});
}

void classic_membership_fsm::on(metadata_changed& e, time_point, actions&) { topics_ = std::move(e.topics); }
void classic_membership_fsm::on(tick&, time_point, actions&) {}

// Events of the coordinator.

void classic_membership_fsm::on(coordinator_found& e, time_point now, actions&) {
    asked_for_node_ = false;
    if (node_ == e.node) return;
    node_ = e.node;
    trust_due_ = true;
    // Whatever the former coordinator still sits on will not be answered any more, or not well.
    if (main_.node != e.node) main_.request = 0;
    if (heart_.node != e.node) heart_.request = 0;
    heart_.next = now;
}

void classic_membership_fsm::on(coordinator_lost&, time_point, actions&) {
    node_.reset();
    asked_for_node_ = false;
}

void classic_membership_fsm::on(coordinator_failed& e, time_point now, actions& out) {
    if (e.for_good || is<leaving>()) return fail(std::move(e.why), now, out);
    if (is_member()) react(beats() ? api::heartbeat : api::join, meaning::told, e.why, now, out);
}

// Told by an OffsetCommit; as if a heartbeat of that generation had been answered so.
void classic_membership_fsm::on(commit_refused& e, time_point now, actions& out) {
    if (!beats() || e.generation != generation_) return;
    const auto code = static_cast<std::int16_t>(e.code);
    const auto m = meaning_of(api::heartbeat, code);
    if (m == meaning::rejoin || m == meaning::stale || m == meaning::forgotten || m == meaning::fenced)
        react(api::heartbeat, m, refusal(api::heartbeat, code, -1, 0), now, out);
}

void classic_membership_fsm::on(answered& e, time_point now, actions& out) {
    hanging_.erase(e.request);
    if (e.request == 0) return;
    if (e.request == heart_.request) {
        heart_.request = 0;
        if (const auto* r = std::get_if<messages::heartbeat_response>(&e.what)) return take_heartbeat(r->error_code, e.version, now, out);
        return react(api::heartbeat, meaning::again, told_by_us(make_error_code(errc::bad_value), "the answer is one to another request"),
                     now, out);
    }
    if (e.request != main_.request) return;  // superseded
    main_.request = 0;
    auto* j = std::get_if<messages::join_group_response>(&e.what);
    auto* s = std::get_if<messages::sync_group_response>(&e.what);
    auto* l = std::get_if<messages::leave_group_response>(&e.what);
    if (j && is<joining>()) return take(*j, e, now, out);
    if (s && is<syncing>()) return take(*s, e, now, out);
    if (l && is<leaving>()) return take(*l, e, now, out);
    if (const auto what = wanted_request())
        react(*what, meaning::again, told_by_us(make_error_code(errc::bad_value), "the answer is one to another request"), now, out);
}

void classic_membership_fsm::on(request_failed& e, time_point now, actions& out) {
    hanging_.erase(e.request);
    if (e.request == 0) return;
    if (e.request == heart_.request) {
        heart_.request = 0;
        return react(api::heartbeat, meaning_of(api::heartbeat, e.why.code), e.why, now, out);
    }
    if (e.request != main_.request) return;
    main_.request = 0;
    if (const auto what = wanted_request()) react(*what, meaning_of(*what, e.why.code), e.why, now, out);
}

void classic_membership_fsm::take_heartbeat(std::int16_t code, std::int16_t version, time_point now, actions& out) {
    const auto m = meaning_of(api::heartbeat, code);
    if (m == meaning::done || m == meaning::rejoin) {
        proof_ = heart_.sent;  // what was answered then may have been read late, by a process that was stopped
        last_heartbeat_ = now;
        heart_.next = heart_.sent + settings_.heartbeat_interval;
        heart_.failures = 0;
        answered_well(now, out);
        if (m == meaning::done) return;
    }
    react(api::heartbeat, m, refusal(api::heartbeat, code, version, heart_.failures + 1), now, out);
}

void classic_membership_fsm::take(messages::join_group_response& r, const answered& e, time_point now, actions& out) {
    auto m = meaning_of(api::join, r.error_code);
    auto why = refusal(api::join, r.error_code, e.version, main_.failures + 1);
    if ((m == meaning::take_id && r.member_id.empty()) || (m == meaning::done && (r.member_id.empty() || r.generation_id < 0))) {
        m = meaning::again;
        why.code = make_error_code(errc::bad_value);
        why.text = "the answer names no member or no generation";
    }
    if (m != meaning::take_id) {
        if (m == meaning::done) return joined(r, now, out);
        return react(api::join, m, why, now, out);
    }
    member_ = std::move(r.member_id);
    answered_well(now, out);
    pause_if_again(now);
}

void classic_membership_fsm::joined(messages::join_group_response& r, time_point now, actions& out) {
    member_ = std::move(r.member_id);
    generation_ = r.generation_id;
    protocol_ = r.protocol_name.value_or(std::string{});
    leads_ = r.leader == member_;
    proof_ = now;
    answered_well(now, out);
    const bool other_type = r.protocol_type && *r.protocol_type != protocol_type;
    if (other_type || !find(strategies_, protocol_)) {
        auto why = refusal(api::join, static_cast<std::int16_t>(broker_errc::inconsistent_group_protocol), -1, 0);
        why.text = other_type ? "the group's protocol type is \"" + r.protocol_type->substr(0, 100) + "\""
                              : "the group uses the strategy \"" + protocol_.substr(0, 100) + "\", which this member did not offer";
        return fail(std::move(why), now, out);
    }
    assigned_for_.clear();
    if (!leads_) {
        watch({}, out);
        return transition(syncing{{}}, "another member assigns", now);
    }
    std::set<std::string> everybodys;
    for (const auto& m : r.members)
        for (auto& t : topics_of(m.metadata)) everybodys.insert(std::move(t));
    watch(everybodys, out);
    if (r.skip_assignment) {  // KIP-814: a static leader that is back. The assignments stay as they are; what the topics were then is not
                              // known
        for (const auto& t : everybodys) assigned_for_[t];
        return transition(syncing{{}}, "the assignments stay", now);
    }
    const auto patience = std::min({settings_.session_timeout, settings_.rebalance_timeout, milliseconds{30'000}}) / 3;
    heart_.next = now + settings_.heartbeat_interval;
    transition(assigning{std::move(r), now + patience}, "this member assigns", now);
}

void classic_membership_fsm::take(messages::sync_group_response& r, const answered& e, time_point now, actions& out) {
    auto m = meaning_of(api::sync, r.error_code);
    auto why = refusal(api::sync, r.error_code, e.version, main_.failures + 1);
    const auto differs = [](const std::optional<std::string>& told, std::string_view known) { return told && *told != known; };
    if (m == meaning::done && (differs(r.protocol_type, protocol_type) || differs(r.protocol_name, protocol_))) {
        m = meaning::rejoin;  // not the generation that was joined
        why = refusal(api::sync, static_cast<std::int16_t>(broker_errc::inconsistent_group_protocol), e.version, 1);
    }
    if (m != meaning::done) return react(api::sync, m, why, now, out);
    proof_ = now;
    // The answer waits for the leader; if that took long, nobody can say how old it is.
    heart_.next = now - since_ > settings_.heartbeat_interval ? now : now + settings_.heartbeat_interval;
    answered_well(now, out);
    error wrong;
    auto given = read_assignment(*find(strategies_, protocol_), r.assignment, generation_, joined_with_.topics, wrong);
    if (!given)
        return fail(told_by_us(make_error_code(errc::bad_value), "the group's leader sent an assignment that cannot be read"), now, out);
    if (wrong) out.push_back(trouble{std::move(wrong), true});
    has_.given = *given;
    has_.given_generation = generation_;
    // Nothing that is not wanted: the subscription may have changed since, and then it joins again.
    partition_set to;
    for (const auto& p : *given)
        if (subscription_.topics.count(p.topic) != 0) to.insert(p);
    partition_set away;
    std::set_difference(has_.owned.begin(), has_.owned.end(), to.begin(), to.end(), std::inserter(away, away.end()));
    added_.clear();
    std::set_difference(to.begin(), to.end(), has_.owned.begin(), has_.owned.end(), std::inserter(added_, added_.end()));
    has_.generation = generation_;
    if (away.empty()) return adopt(now, out);
    rejoin_ = "partitions were given up that others are to have";
    begin_revoking(std::move(away), after_revoking::adopt, now + settings_.rebalance_timeout, now, out);
}

void classic_membership_fsm::take(messages::leave_group_response& r, const answered& e, time_point now, actions& out) {
    const auto code = r.error_code == 0 && !r.members.empty() ? r.members.front().error_code : r.error_code;
    const auto m = meaning_of(api::leave, code);
    if (m == meaning::done) return finish_leaving(now, out);
    react(api::leave, m, refusal(api::leave, code, e.version, main_.failures + 1), now, out);
}

void classic_membership_fsm::answered_well(time_point, actions& out) {
    last_error_ = {};
    if (!std::exchange(trust_due_, false) || !node_) return;
    out.emplace_back(trust_coordinator{*node_});
}

// An answer that is a refusal, or none.
void classic_membership_fsm::react(api what, meaning m, const error& why, time_point now, actions& out) {
    last_error_ = why;
    const auto later = [&] {
        auto& failures = what == api::heartbeat ? heart_.failures : main_.failures;
        const auto at = now + (what == api::join && settings_.join_backoff.count() > 0 ? pauses_.after(1, settings_.join_backoff, settings_.join_backoff)
                                                                                        : pauses_.after(++failures, settings_.retry_backoff, settings_.retry_backoff_max));
        (what == api::heartbeat ? heart_.next : main_.not_before) = at;
    };
    switch (m) {
        case meaning::done: return what == api::leave ? finish_leaving(now, out) : void();
        case meaning::take_id:
        case meaning::occupied:
        case meaning::again: return later();
        case meaning::told:
            (what == api::heartbeat ? heart_.next : main_.not_before) = now + pauses_.after(1, settings_.retry_backoff_max, settings_.retry_backoff_max);
            out.emplace_back(trouble{about_group(why, settings_.group), true});
            return;
        case meaning::elsewhere:
            later();
            if (node_) doubt(*node_, why, out);
            return;
        case meaning::rejoin:
            if (what == api::join) return later();
            if (is<stable>() || is<assigning>() || is<syncing>()) return begin_rejoin("the group is being rebalanced", now, out);
            if (is<adopting>() || is<revoking>()) rejoin_ = "the group is being rebalanced";
            return;
        case meaning::stale:
        case meaning::forgotten:
            if (what == api::leave) return finish_leaving(now, out);
            return lose_and_join(why, m == meaning::forgotten, now, out);
        case meaning::fenced:
        case meaning::fatal: return fail(why, now, out);
    }
}

void classic_membership_fsm::doubt(std::int32_t node, const error& why, actions& out) {
    if (node_ == node) node_.reset();
    asked_for_node_ = false;
    out.emplace_back(doubt_coordinator{node, why});
}

void classic_membership_fsm::lose(error why, actions& out) {
    added_.clear();
    generation_ = has_.generation = -1;
    proof_.reset();
    leads_ = false;
    assigned_for_.clear();
    watch({}, out);
    // What is being given up is lost as well: the group does not wait for it any more.
    if (has_.owned.empty() && !is<revoking>()) return;
    ++losses_;
    ++epoch_;
    out.emplace_back(group::lose{next_callback_++, list(std::exchange(has_.owned, {})), std::move(why)});
}

void classic_membership_fsm::lose_and_join(error why, bool forget_id, time_point now, actions& out) {
    lose(std::move(why), out);
    rejoin_.clear();
    if (forget_id) member_.clear();
    const auto* r = std::get_if<revoking>(&state_);
    if (r && r->next == after_revoking::leave) return;  // there is nothing to lose but the LeaveGroup, and it can be said all the same
    if (!is<joining>()) return transition(joining{}, "the member is out", now);
    pause_if_again(now);
}

// The first attempts follow each other at once. A coordinator that keeps refusing them must not be asked in a loop.
void classic_membership_fsm::pause_if_again(time_point now) {
    if (++attempts_ <= 2) return;
    main_.not_before = now + (settings_.join_backoff.count() > 0 ? pauses_.after(1, settings_.join_backoff, settings_.join_backoff)
                                                                  : pauses_.after(attempts_ - 2, settings_.retry_backoff, settings_.retry_backoff_max));
}

void classic_membership_fsm::fail(error why, time_point now, actions& out) {
    if (is<gone>() || is<broken>()) return;
    if (is<leaving>()) return finish_leaving(now, out);
    lose(why, out);
    last_error_ = why;
    const auto* r = std::get_if<revoking>(&state_);
    const bool closing = r && r->next == after_revoking::leave && r->how == after_leaving::end;
    member_.clear();
    if (closing) {
        transition(gone{}, "refused while leaving", now);
        return out.push_back(left{});
    }
    transition(broken{why}, why.message(), now);
    out.emplace_back(membership_failed{std::move(why)});
}

}  // namespace kafkawire::group
