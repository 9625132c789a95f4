// What a member of the consumer protocol does by itself: heartbeats, reconciling, revoking, leaving, deadlines.
#include <algorithm>
#include <utility>

#include "group/consumer_membership_fsm.hpp"

namespace kafkawire::group {

void consumer_membership_fsm::advance(time_point now, actions& out) {
    // Each round but the last makes a transition, and none of these can go round in a circle without an event between.
    for (std::uint64_t before = steps_ + 1; before != steps_;) {
        before = steps_;
        settle(now, out);
        pump(now, out);
        expire(now, out);
    }
}

// What follows from the state itself.
void consumer_membership_fsm::settle(time_point now, actions& out) {
    if (is<unjoined>() && !subscription_.empty()) return transition(joining{}, "something is wanted", now);
    if ((is<stable>() || is<acknowledging>()) && target_is_new_ && !target_in_doubt_) reconcile(now, out);
}

// Heartbeats.

bool consumer_membership_fsm::beats() const noexcept {
    if (is<leaving>()) return epoch_ > 0;
    return is<joining>() || (is_member() && epoch_ > 0);
}

void consumer_membership_fsm::pump(time_point now, actions& out) {
    if (!beats() || heart_.request != 0) return;
    if (!node_) {
        if (!std::exchange(asked_for_node_, true)) out.emplace_back(want_coordinator{});
        return;
    }
    if (now < heart_.next) return;
    auto timeout = std::min(settings_.request_timeout, std::max(settings_.session_timeout / 3, interval_));
    heart_.last = is<leaving>();
    heart_.release = is<joining>() && release_due_;
    heart_.sent = now;
    auto m = heart_.last ? make_last(leave_epoch(std::get<leaving>(state_).next)) : heart_.release ? make_last(-2) : make();
    heart_.request = next_request_++;
    heart_.node = *node_;
    out.emplace_back(send{heart_.request, *node_, false, timeout, std::move(m)});
}

messages::consumer_group_heartbeat_request consumer_membership_fsm::make() {
    messages::consumer_group_heartbeat_request m;
    const bool joins = is<joining>();
    const bool all = joins || tell_all_;
    m.group_id = settings_.group;
    m.member_id = member_;
    m.member_epoch = joins ? 0 : epoch_;
    m.instance_id = settings_.instance;
    if (all) {
        if (!settings_.rack.empty()) m.rack_id = settings_.rack;
        if (!settings_.server_assignor.empty()) m.server_assignor = settings_.server_assignor;
        m.rebalance_timeout_ms = static_cast<std::int32_t>(settings_.rebalance_timeout.count());
    }
    if (all || told_.topics != subscription_.topics)
        m.subscribed_topic_names.emplace(subscription_.topics.begin(), subscription_.topics.end());
    if (subscription_.regex) {
        if (all || told_.regex != subscription_.regex) m.subscribed_topic_regex = subscription_.regex;
        told_regex_ = true;
    } else if (told_regex_ && (all || told_.regex)) {
        m.subscribed_topic_regex.emplace();  // null would say that it has not changed
    }
    heart_.wanted = subscription_;
    heart_.reported.reset();
    if (joins) {
        m.topic_partitions.emplace();
        heart_.reported.emplace();
        return m;
    }
    // Only what is over is said: while the application gives up or takes, what it had before.
    auto has = held();
    if (!all && (has == reported_ || is<revoking>() || is<adopting>()) && !is<acknowledging>()) return m;
    m.topic_partitions.emplace();
    for (const auto& [topic, partition] : has) {
        if (m.topic_partitions->empty() || m.topic_partitions->back().topic_id != topic)
            m.topic_partitions->emplace_back().topic_id = topic;
        m.topic_partitions->back().partitions.push_back(partition);
    }
    heart_.reported = std::move(has);
    target_in_doubt_ = true;
    return m;
}

// A static member says by default that it will be back; its partitions wait for it until its session is over.
std::int32_t consumer_membership_fsm::leave_epoch(after_leaving next) const noexcept {
    if (!settings_.instance) return -1;
    return next == after_leaving::end && leave_.tell.value_or(false) ? -1 : -2;
}

messages::consumer_group_heartbeat_request consumer_membership_fsm::make_last(std::int32_t epoch) const {
    messages::consumer_group_heartbeat_request m;
    m.group_id = settings_.group;
    m.member_id = member_;
    m.member_epoch = epoch;
    m.instance_id = settings_.instance;
    return m;
}

std::set<consumer_membership_fsm::id_partition> consumer_membership_fsm::held() const {
    std::set<id_partition> all;
    for (const auto* of : {&owned_, &giving_up_})
        for (const auto& [key, name] : *of) all.insert(key);
    return all;
}

std::map<std::string, protocol::uuid> consumer_membership_fsm::topic_ids() const {
    std::map<std::string, protocol::uuid> all;
    for (const auto& [key, name] : owned_) all.insert_or_assign(name, key.first);
    return all;
}

std::vector<topic_partition> consumer_membership_fsm::list(const partitions& of) {
    std::vector<topic_partition> all;
    all.reserve(of.size());
    for (const auto& [key, name] : of) all.push_back({name, key.second});
    std::sort(all.begin(), all.end());
    return all;
}

// Reconciling: from what is owned to what the coordinator wants, first by giving up, then by taking.

void consumer_membership_fsm::watch(std::set<protocol::uuid> ids, actions& out) {
    if (ids == watched_) return;
    watched_ = std::move(ids);
    out.emplace_back(watch_topics{{}, watched_});
}

// The part of the target whose names are known.
void consumer_membership_fsm::resolve(partitions& to) {
    std::map<protocol::uuid, std::string_view> names;
    for (const auto& [key, name] : owned_) names.emplace(key.first, name);
    if (topics_)
        for (const auto& [name, t] : *topics_)
            if (!t.id.is_zero() && t.partitions > 0) names.emplace(t.id, name);
    unresolved_.clear();
    for (const auto& [topic, wanted] : target_) {
        const auto name = names.find(topic);
        if (name == names.end()) {
            if (!wanted.empty()) unresolved_.insert(topic);
            continue;
        }
        for (const auto p : wanted) to.emplace(id_partition{topic, p}, name->second);
    }
}

void consumer_membership_fsm::reconcile(time_point now, actions& out) {
    partitions to, away, added;
    resolve(to);
    target_is_new_ = false;
    watch(unresolved_, out);
    for (const auto& p : owned_)
        if (to.count(p.first) == 0) away.insert(p);
    if (!away.empty()) return begin_revoking(std::move(away), after_revoking::reconcile, give_up_by(now), now, out);
    for (const auto& p : to)
        if (owned_.count(p.first) == 0) added.insert(p);
    moved_ = moved_ || !added.empty() || first_target_;
    if (added.empty() && !first_target_) return transition(acknowledging{}, "there is nothing to take", now);
    first_target_ = false;
    owned_.insert(added.begin(), added.end());
    ++changes_;
    const auto callback = next_callback_++;
    transition(adopting{callback, now}, "the coordinator gives partitions", now);
    out.emplace_back(group::assign{callback, list(added), changes_});
}

// The coordinator may have begun to wait before this member hears of it: by a heartbeat's interval; the rest of the margin is for the way.
time_point consumer_membership_fsm::give_up_by(time_point now) const noexcept {
    return now + settings_.rebalance_timeout - std::min(interval_ + settings_.rebalance_timeout / 10, settings_.rebalance_timeout / 2);
}

void consumer_membership_fsm::begin_revoking(partitions what, after_revoking next, time_point deadline, time_point now, actions& out) {
    for (const auto& p : what) owned_.erase(p.first);
    giving_up_.insert(what.begin(), what.end());
    ++changes_;
    moved_ = true;
    const auto callback = next_callback_++;
    transition(revoking{callback, deadline, next}, "partitions are given up", now);
    out.emplace_back(group::revoke{callback, list(what), deadline});
}

void consumer_membership_fsm::revoked(time_point now, actions& out) {
    giving_up_.clear();
    const auto& r = std::get<revoking>(state_);
    if (r.next == after_revoking::leave) return depart(r.how, now, out);
    target_is_new_ = true;
    if (!target_in_doubt_) return reconcile(now, out);
    transition(acknowledging{}, "given up; what is to be taken is not known yet", now);
}

// Leaving.

void consumer_membership_fsm::begin_leaving(after_leaving next, time_point now, actions& out) {
    auto* r = std::get_if<revoking>(&state_);
    if (!r) return depart(next, now, out);
    // What is being given up already is waited for; the rest follows.
    const bool for_good = next == after_leaving::end;
    if (for_good) r->deadline = std::min(r->deadline, leave_.deadline);
    if (for_good || r->next != after_revoking::leave) r->how = next;
    r->next = after_revoking::leave;
}

void consumer_membership_fsm::depart(after_leaving next, time_point now, actions& out) {
    const bool for_good = next == after_leaving::end;
    target_is_new_ = false;
    if (!owned_.empty()) {
        begin_revoking(owned_, after_revoking::leave, for_good ? std::min(leave_.deadline, give_up_by(now)) : give_up_by(now), now, out);
        std::get<revoking>(state_).how = next;
        return;
    }
    // A heartbeat that joins may be on its way: the coordinator may know a member of which this side does not.
    if (is<joining>() && heart_.request != 0) epoch_ = std::max(epoch_, 1);
    const bool tell = !for_good || leave_.tell.value_or(true);
    transition(leaving{for_good ? leave_.deadline : now + settings_.request_timeout, next}, "leaves", now);
    watch({}, out);
    if (!tell || epoch_ <= 0) finish_leaving(now, out);
}

// A static member's place is free, as far as it was this member's.
void consumer_membership_fsm::released() {
    release_due_ = maybe_own_ = false;
    member_ = settings_.member_id + '-' + std::to_string(++stays_);
}

void consumer_membership_fsm::finish_leaving(time_point now, actions& out) {
    const auto next = std::get<leaving>(state_).next;
    if (settings_.instance && heart_.last) release_due_ = true;  // nobody has answered
    epoch_ = 0;
    tell_all_ = first_target_ = true;
    target_is_new_ = target_in_doubt_ = moved_ = false;
    target_.clear();
    unresolved_.clear();
    giving_up_.clear();
    reported_.clear();
    proof_.reset();
    heart_ = {};
    switch (next) {
        case after_leaving::wait: return transition(unjoined{}, "has left", now);
        case after_leaving::park: return transition(parked{}, "has left until the application polls", now);
        case after_leaving::end: transition(gone{}, "has left for good", now); return out.push_back(left{});
    }
}

// Too slow. What it had is lost, as somebody else will have it at once.
void consumer_membership_fsm::park(time_point now, actions& out) {
    const auto* slow = waiting_ ? std::get_if<adopting>(&state_) : nullptr;  // it polls already: so it is back when this is over
    slow_callback_ = slow ? slow->callback : 0;
    const auto limit = seconds_of(settings_.processing_deadline);
    auto why = slow ? for_want_of_time("on_assigned() has not ended within " + limit, "do less in it, or raise the processing deadline (0: off)", {})
                    : for_want_of_time("the application has not polled for " + limit, "handle less between two polls, or raise the processing deadline (0: off)", {});
    out.emplace_back(trouble{why});
    const auto epoch = epoch_;
    lose(std::move(why), out);
    epoch_ = epoch;
    // An application that is being told something hears of the end only; nothing waits for it here.
    if (!is<revoking>()) return begin_leaving(after_leaving::park, now, out);
    transition(leaving{now + settings_.request_timeout, after_leaving::park}, "leaves", now);
    if (epoch_ <= 0) finish_leaving(now, out);
}

// Deadlines.

std::optional<time_point> consumer_membership_fsm::session_end() const noexcept {
    if (!proof_ || owned_.empty() || !is_member()) return {};
    return *proof_ + settings_.session_timeout;
}

std::optional<time_point> consumer_membership_fsm::too_slow_at() const noexcept {
    if (settings_.processing_deadline.count() == 0 || !is_member()) return {};
    if (const auto* r = std::get_if<revoking>(&state_); r && r->next == after_revoking::leave) return {};
    // What the application is told takes its time, too, even if it waits for records meanwhile.
    if (const auto* a = std::get_if<adopting>(&state_); a && waiting_) return a->since + settings_.processing_deadline;
    if (waiting_) return {};
    return last_poll_ + settings_.processing_deadline;
}

void consumer_membership_fsm::expire(time_point now, actions& out) {
    if (const auto end = session_end(); end && now >= *end) {
        auto why = for_want_of_time("no heartbeat was answered within the session timeout of " + seconds_of(settings_.session_timeout), {},
                                    last_error_);
        out.emplace_back(trouble{why});
        if (node_) doubt(*node_, why, out);
        return lose_and_join(std::move(why), now, out);
    }
    if (const auto at = too_slow_at(); at && now >= *at) return park(now, out);
    if (const auto* r = std::get_if<revoking>(&state_); r && now >= r->deadline) {
        // The application may be at it still. Others may have the partitions from here on, and no commit of theirs may go along with what comes next.
        out.emplace_back(group::lose{next_callback_++, {}, for_want_of_time("partitions were not given up by the deadline", "finish sooner in on_revoked(), or raise the rebalance timeout", last_error_)});
        return revoked(now, out);
    }
    if (const auto* l = std::get_if<leaving>(&state_); l && now >= l->deadline) return finish_leaving(now, out);
}

std::optional<time_point> consumer_membership_fsm::next_wakeup() const noexcept {
    std::optional<time_point> soonest;
    const auto wake = [&](time_point at) { soonest = soonest ? std::min(*soonest, at) : at; };
    if (beats() && heart_.request == 0 && node_) wake(heart_.next);
    if (const auto at = session_end()) wake(*at);
    if (const auto at = too_slow_at()) wake(*at);
    if (const auto* r = std::get_if<revoking>(&state_)) wake(r->deadline);
    if (const auto* l = std::get_if<leaving>(&state_)) wake(l->deadline);
    return soonest;
}

}  // namespace kafkawire::group
