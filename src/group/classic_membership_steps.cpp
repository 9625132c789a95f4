// What a member of the classic protocol does by itself: requests, heartbeats, revoking, leaving, the leader's assignment, deadlines.
#include <algorithm>
#include <exception>
#include <utility>

#include "group/classic_membership_fsm.hpp"

namespace kafkawire::group {

namespace {

constexpr std::size_t longest_reason = 255;  // Kafka's limit on the reason of JoinGroup and LeaveGroup

}  // namespace

void classic_membership_fsm::advance(time_point now, actions& out) {
    // Each round but the last makes a transition, and none of these can go round in a circle without an event between.
    for (std::uint64_t before = steps_ + 1; before != steps_;) {
        before = steps_;
        settle(now, out);
        pump(now, out);
        pump_heartbeat(now, out);
        expire(now, out);
    }
}

// What follows from the state itself.
void classic_membership_fsm::settle(time_point now, actions& out) {
    if (is<unjoined>() && !subscription_.empty()) return transition(joining{}, "something is wanted", now);
    if (is<assigning>()) return try_assign(now, out);
    if (!is<stable>()) return;
    if (!rejoin_.empty()) return begin_rejoin(rejoin_, now, out);
    if (look_after_ && now >= *look_after_) return begin_rejoin("what a member was to give up is nobody's", now, out);
    if (joined_with_ != subscription_) return begin_rejoin("the subscription has changed", now, out);
    if (leads_ && metadata_differs()) return begin_rejoin("the topics of the group have changed", now, out);
}

std::optional<api> classic_membership_fsm::wanted_request() const noexcept {
    if (is<joining>()) return api::join;
    if (is<syncing>()) return api::sync;
    if (is<leaving>()) return api::leave;
    return {};
}

void classic_membership_fsm::pump(time_point now, actions& out) {
    const auto what = wanted_request();
    if (!what || main_.request != 0) return;
    if (!node_) {
        if (!std::exchange(asked_for_node_, true)) out.emplace_back(want_coordinator{});
        return;
    }
    if (now < main_.not_before) return;
    message m;
    try {
        m = make(*what);
    } catch (const std::exception& e) {  // of a program's own assignor
        main_.not_before = now + pauses_.after(++main_.failures, settings_.retry_backoff, settings_.retry_backoff_max);
        out.push_back(trouble{told_by_us(make_error_code(errc::bad_configuration),
                                         std::string{"an assignor failed to write its part of the subscription: "} + e.what()), true});
        return;
    }
    put_on_wire(main_.request, main_.node, timeout_of(*what), std::move(m), out);
    if (*what == api::join || *what == api::sync) hanging_.insert(main_.request);
}

void classic_membership_fsm::put_on_wire(std::uint64_t& request, std::int32_t& node, milliseconds timeout, message m, actions& out) {
    request = next_request_++;
    node = *node_;
    out.emplace_back(send{request, node, !hanging_.empty(), timeout, std::move(m)});
}

// A JoinGroup takes as long as the others take; that of a known member may be repeated, so it is not waited for longer than a session.
milliseconds classic_membership_fsm::timeout_of(api what) const noexcept {
    switch (what) {
        case api::join:
            return member_.empty() ? std::max(settings_.rebalance_timeout + milliseconds{5'000}, settings_.request_timeout)
                                   : settings_.session_timeout;
        case api::sync: return settings_.session_timeout;
        case api::heartbeat:
            return std::min(settings_.request_timeout, std::max(settings_.session_timeout / 3, settings_.heartbeat_interval));
        default: return settings_.request_timeout;
    }
}

message classic_membership_fsm::make(api what) {
    if (what == api::join) {
        messages::join_group_request m;
        m.group_id = settings_.group;
        m.session_timeout_ms = static_cast<std::int32_t>(settings_.session_timeout.count());
        m.rebalance_timeout_ms = static_cast<std::int32_t>(settings_.rebalance_timeout.count());
        m.member_id = member_;
        m.group_instance_id = settings_.instance;
        m.protocol_type = protocol_type;
        for (const auto& s : strategies_) {
            auto& p = m.protocols.emplace_back();
            p.name = s->name();
            p.metadata = make_metadata(*s, subscription_.topics, has_, settings_.rack);
        }
        if (!rejoin_.empty()) m.reason = rejoin_.substr(0, longest_reason);
        joined_with_ = subscription_;
        rejoin_.clear();
        return m;
    }
    if (what == api::sync) {
        messages::sync_group_request m;
        m.group_id = settings_.group;
        m.generation_id = generation_;
        m.member_id = member_;
        m.group_instance_id = settings_.instance;
        m.protocol_type = std::string{protocol_type};
        m.protocol_name = protocol_;
        m.assignments = std::get<syncing>(state_).given;
        return m;
    }
    if (what == api::heartbeat) {
        messages::heartbeat_request m;
        m.group_id = settings_.group;
        m.generation_id = generation_;
        m.member_id = member_;
        m.group_instance_id = settings_.instance;
        return m;
    }
    messages::leave_group_request m;
    m.group_id = settings_.group;
    auto& who = m.members.emplace_back();
    who.member_id = member_;
    who.group_instance_id = settings_.instance;
    if (!leave_.reason.empty()) who.reason = leave_.reason.substr(0, longest_reason);
    return m;
}

// Heartbeats, in every state in which the coordinator does not wait for this member, nor this member for it.
bool classic_membership_fsm::beats() const noexcept {
    return generation_ >= 0 && (is<assigning>() || is<revoking>() || is<adopting>() || is<stable>());
}

void classic_membership_fsm::pump_heartbeat(time_point now, actions& out) {
    if (!beats() || heart_.request != 0) return;
    if (!node_) {
        if (!std::exchange(asked_for_node_, true)) out.emplace_back(want_coordinator{});
        return;
    }
    if (now < heart_.next) return;
    heart_.sent = now;
    put_on_wire(heart_.request, heart_.node, timeout_of(api::heartbeat), make(api::heartbeat), out);
}

// Deadlines.

// While a JoinGroup or SyncGroup is out, its answer will tell.
std::optional<time_point> classic_membership_fsm::session_end() const noexcept {
    if (!proof_ || has_.owned.empty() || !is_member()) return {};
    if ((is<joining>() || is<syncing>()) && main_.request != 0) return {};
    return *proof_ + settings_.session_timeout;
}

std::optional<time_point> classic_membership_fsm::too_slow_at() const noexcept {
    if (settings_.processing_deadline.count() == 0 || !is_member()) return {};
    if (const auto* r = std::get_if<revoking>(&state_); r && r->next == after_revoking::leave) return {};
    // What the application is told takes its time, too, even if it waits for records meanwhile.
    if (const auto* a = std::get_if<adopting>(&state_); a && waiting_) return a->since + settings_.processing_deadline;
    if (waiting_) return {};
    return last_poll_ + settings_.processing_deadline;
}

void classic_membership_fsm::expire(time_point now, actions& out) {
    if (const auto end = session_end(); end && now >= *end) {
        auto why = for_want_of_time("no heartbeat was answered within the session timeout of " + seconds_of(settings_.session_timeout), {},
                                    last_error_);
        out.emplace_back(trouble{why});
        if (node_) doubt(*node_, why, out);
        return lose_and_join(std::move(why), false, now, out);
    }
    if (const auto at = too_slow_at(); at && now >= *at) return park(now, out);
    if (const auto* r = std::get_if<revoking>(&state_); r && now >= r->deadline) {
        // The application may be at it still. Others may have the partitions from here on, and no commit of theirs may go along with what comes next.
        out.emplace_back(group::lose{next_callback_++, {}, for_want_of_time("partitions were not given up by the deadline", "finish sooner in on_revoked(), or raise the rebalance timeout", last_error_)});
        return revoked(now, out);
    }
    if (const auto* l = std::get_if<leaving>(&state_); l && now >= l->deadline) return finish_leaving(now, out);
}

std::optional<time_point> classic_membership_fsm::next_wakeup() const noexcept {
    std::optional<time_point> soonest;
    const auto wake = [&](time_point at) { soonest = soonest ? std::min(*soonest, at) : at; };
    if (wanted_request() && main_.request == 0 && node_) wake(main_.not_before);
    if (beats() && heart_.request == 0 && node_) wake(heart_.next);
    if (const auto at = session_end()) wake(*at);
    if (const auto at = too_slow_at()) wake(*at);
    if (is<stable>() && look_after_) wake(*look_after_);
    if (const auto* a = std::get_if<assigning>(&state_)) wake(std::max(a->give_up, a->not_before));
    if (const auto* r = std::get_if<revoking>(&state_)) wake(r->deadline);
    if (const auto* l = std::get_if<leaving>(&state_)) wake(l->deadline);
    return soonest;
}

// Assigning, adopting.

void classic_membership_fsm::watch(std::set<std::string> names, actions& out) {
    if (names == watched_) return;
    watched_ = std::move(names);
    out.emplace_back(watch_topics{watched_, {}});
}

void classic_membership_fsm::try_assign(time_point now, actions& out) {
    auto& a = std::get<assigning>(state_);
    const bool all_known = std::all_of(watched_.begin(), watched_.end(), [&](const auto& t) { return topics_ && topics_->count(t) != 0; });
    if ((!all_known && now < a.give_up) || now < a.not_before) return;
    // What is not known has no partitions for now. When it is known it has changed, and the group assigns again.
    known_topics of;
    for (const auto& t : watched_) {
        if (topics_)
            if (const auto at = topics_->find(t); at != topics_->end()) of.insert(*at);
        assigned_for_[t] = of[t];
    }
    error wrong;
    auto result = assign_all(*find(strategies_, protocol_), a.of.members, of, wrong);
    if (wrong) {  // the group waits; heartbeats go on. If it lasts, the coordinator will have another lead
        a.not_before = now + pauses_.after(++a.failures, settings_.retry_backoff, settings_.retry_backoff_max);
        a.give_up = a.not_before;
        return out.push_back(trouble{std::move(wrong), true});
    }
    transition(syncing{std::move(result.all)}, "assigned", now);
    if (cooperative_ && result.withholds) look_after_ = now + settings_.session_timeout;
}

// Racks count for members that have one only: they come and go with the brokers.
bool classic_membership_fsm::metadata_differs() {
    if (!topics_) return false;
    for (auto& [name, then] : assigned_for_) {
        const auto at = topics_->find(name);
        if (at == topics_->end()) continue;
        if (!then) {
            then = at->second;
            continue;
        }
        if (then->partitions != at->second.partitions) return true;
        if (!settings_.rack.empty() && then->racks != at->second.racks) return true;
    }
    return false;
}

void classic_membership_fsm::adopt(time_point now, actions& out) {
    has_.owned.insert(added_.begin(), added_.end());
    ++epoch_;
    const auto callback = next_callback_++;
    transition(adopting{callback, now}, "the assignment is there", now);
    out.emplace_back(group::assign{callback, list(std::exchange(added_, {})), epoch_});
}

// Giving up, joining again, leaving.

// The coordinator may have begun to wait before this member hears of it: by a heartbeat's interval; the rest of the margin is for the way.
time_point classic_membership_fsm::give_up_by(time_point now) const noexcept {
    return now + settings_.rebalance_timeout - std::min(settings_.heartbeat_interval + settings_.rebalance_timeout / 10, settings_.rebalance_timeout / 2);
}

void classic_membership_fsm::begin_rejoin(std::string reason, time_point now, actions& out) {
    rejoin_ = std::move(reason);
    partition_set away;
    if (!cooperative_) {
        away = has_.owned;
    } else {
        for (const auto& p : has_.owned)
            if (subscription_.topics.count(p.topic) == 0) away.insert(p);
    }
    if (away.empty()) return transition(joining{}, rejoin_, now);
    begin_revoking(std::move(away), after_revoking::join, give_up_by(now), now, out);
}

void classic_membership_fsm::begin_revoking(partition_set what, after_revoking next, time_point deadline, time_point now, actions& out) {
    for (const auto& p : what) has_.owned.erase(p);
    ++epoch_;
    const auto callback = next_callback_++;
    transition(revoking{callback, deadline, next}, "partitions are given up", now);
    out.emplace_back(group::revoke{callback, list(what), deadline});
}

void classic_membership_fsm::revoked(time_point now, actions& out) {
    switch (std::get<revoking>(state_).next) {
        case after_revoking::join: return begin_rejoin(std::exchange(rejoin_, {}), now, out);
        case after_revoking::adopt: return adopt(now, out);
        case after_revoking::leave: return depart(std::get<revoking>(state_).how, now, out);
    }
}

void classic_membership_fsm::begin_leaving(after_leaving next, time_point now, actions& out) {
    auto* r = std::get_if<revoking>(&state_);
    if (!r) return depart(next, now, out);
    // What is being given up already is waited for; the rest follows.
    const bool for_good = next == after_leaving::end;
    if (for_good) r->deadline = std::min(r->deadline, leave_.deadline);
    if (for_good || r->next != after_revoking::leave) r->how = next;
    r->next = after_revoking::leave;
}

void classic_membership_fsm::depart(after_leaving next, time_point now, actions& out) {
    const bool for_good = next == after_leaving::end;
    added_.clear();
    rejoin_.clear();
    if (!has_.owned.empty()) {
        begin_revoking(has_.owned, after_revoking::leave, for_good ? std::min(leave_.deadline, give_up_by(now)) : give_up_by(now), now, out);
        std::get<revoking>(state_).how = next;
        return;
    }
    const bool tell = for_good ? leave_.tell.value_or(!settings_.instance) : !settings_.instance;
    transition(leaving{for_good ? leave_.deadline : now + settings_.request_timeout, next}, "leaves", now);
    watch({}, out);
    if (!tell || member_.empty()) finish_leaving(now, out);
}

void classic_membership_fsm::finish_leaving(time_point now, actions& out) {
    const auto next = std::get<leaving>(state_).next;
    member_.clear();
    generation_ = has_.generation = -1;
    leads_ = false;
    assigned_for_.clear();
    proof_.reset();
    switch (next) {
        case after_leaving::wait: return transition(unjoined{}, "has left", now);
        case after_leaving::park: return transition(parked{}, "has left until the application polls", now);
        case after_leaving::end: transition(gone{}, "has left for good", now); return out.push_back(left{});
    }
}

// Too slow. What it had is lost, as somebody else will have it at once; a static member's place stays its own until its session is over.
void classic_membership_fsm::park(time_point now, actions& out) {
    const auto* slow = waiting_ ? std::get_if<adopting>(&state_) : nullptr;  // it polls already: so it is back when this is over
    slow_callback_ = slow ? slow->callback : 0;
    const auto limit = seconds_of(settings_.processing_deadline);
    auto why = slow ? for_want_of_time("on_assigned() has not ended within " + limit, "do less in it, or raise the processing deadline (0: off)", {})
                    : for_want_of_time("the application has not polled for " + limit, "handle less between two polls, or raise the processing deadline (0: off)", {});
    out.emplace_back(trouble{why});
    auto id = member_;
    lose(std::move(why), out);
    member_ = std::move(id);
    begin_leaving(after_leaving::park, now, out);
    // An application that is being told something hears of the end only; nothing waits for it here.
    if (is<revoking>()) {
        transition(leaving{now + settings_.request_timeout, after_leaving::park}, "leaves", now);
        if (settings_.instance || member_.empty()) finish_leaving(now, out);
    }
}

}  // namespace kafkawire::group
