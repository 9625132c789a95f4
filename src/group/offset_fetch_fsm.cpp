#include "group/offset_fetch_fsm.hpp"

#include <algorithm>
#include <stdexcept>

namespace kafkawire::group::fetches {

using offsets::api;
using offsets::meaning;

namespace {

// Version 0 reads from ZooKeeper; from 10 on topics go by their ids.
constexpr auto fetch_versions = protocol::between(1, 9);

int urgency(meaning m) noexcept {
    switch (m) {
        case meaning::elsewhere: return 4;
        case meaning::gone: return 3;
        case meaning::renew: return 2;
        case meaning::again: return 1;
        default: return 0;
    }
}

committed unknown_for(error why) {
    committed c;
    c.why = std::move(why);
    return c;
}

}  // namespace

std::string_view name_of(const state& s) noexcept {
    constexpr std::string_view names[] = {"idle", "looking", "pausing", "renewing", "asking"};
    return names[s.index()];
}

void fit(messages::offset_fetch_request& m, std::int16_t version) {
    if (version < 7) m.require_stable = false;
    if (version >= 8 || m.groups.empty()) return;
    auto& g = m.groups.front();
    m.group_id = std::move(g.group_id);
    m.topics.emplace();
    if (g.topics)
        for (auto& t : *g.topics) m.topics->push_back({std::move(t.name), std::move(t.partition_indexes), {}});
    m.groups.clear();
}

void offset_fetch_fsm::transition(state to, std::string_view why) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("offset_fetch_fsm: illegal transition from " + std::string{name_of(state_)} + " to " + std::string{name_of(to)} + ": " + std::string{why});
    state_ = std::move(to);
}

void offset_fetch_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
    expire(now);
    finish(out);
    advance(now, out);
}

std::optional<time_point> offset_fetch_fsm::next_wakeup() const noexcept {
    std::optional<time_point> soonest;
    const auto wake = [&](time_point at) { soonest = soonest ? std::min(*soonest, at) : at; };
    if (const auto* p = std::get_if<pausing>(&state_)) wake(p->until);
    if (const auto* r = std::get_if<renewing>(&state_)) wake(r->until);
    for (const auto& q : questions_)
        if (q.deadline) wake(*q.deadline);
    return soonest;
}

void offset_fetch_fsm::on(fetch_requested& e, time_point, actions&) {
    auto& q = questions_.emplace_back();
    q.number = next_number_++;
    q.result.question = e.question;
    q.deadline = e.deadline;
    q.open = std::move(e.of);
}

void offset_fetch_fsm::on(cancel_requested& e, time_point, actions&) {
    for (auto& q : questions_)
        if (q.result.question == e.question) end_question(q, make_error_code(errc::canceled), "the question was canceled");
}

void offset_fetch_fsm::on(member_changed& e, time_point, actions&) { as_ = std::move(e.as); }

void offset_fetch_fsm::on(coordinator_found& e, time_point, actions&) {
    node_ = e.node;
    wanted_ = false;
}

void offset_fetch_fsm::on(coordinator_lost&, time_point, actions&) {
    node_.reset();
    wanted_ = false;
}

void offset_fetch_fsm::on(coordinator_failed& e, time_point, actions&) {
    wanted_ = false;
    if (std::holds_alternative<asking>(state_)) return;  // whoever was the coordinator then still answers
    for (auto& q : questions_)
        while (!q.open.empty()) resolve(q, topic_partition{*q.open.begin()}, unknown_for(e.why));
}

void offset_fetch_fsm::on(answered& e, time_point now, actions& out) {
    const auto* flying = std::get_if<asking>(&state_);
    if (!flying || flying->request != e.request) return;
    const auto was = *flying;
    std::map<topic_partition, outcome> told;
    const auto add = [&](const auto& topics) {
        for (const auto& t : topics)
            for (const auto& p : t.partitions) {
                outcome o{offsets::meaning_of(api::fetch, p.error_code), {}};
                if (o.means == meaning::done) o.what = {p.committed_offset, p.committed_offset < 0 ? -1 : p.committed_leader_epoch, p.metadata.value_or(""), {}};
                else if (o.means != meaning::missing) o.what.why = offsets::refusal(api::fetch, p.error_code, e.version, failures_ + 1);
                told.try_emplace({t.name, p.partition_index}, std::move(o));
            }
    };
    auto whole = e.what.error_code;
    add(e.what.topics);
    for (const auto& g : e.what.groups)
        if (g.group_id == settings_.group) {
            whole = g.error_code;
            add(g.topics);
        }
    outcome otherwise{meaning::again, unknown_for(offsets::told(api::fetch, make_error_code(errc::bad_value), "the coordinator's answer leaves the partition out", {}))};
    if (whole != 0) {
        told.clear();
        otherwise.means = offsets::meaning_of(api::fetch, whole);
        otherwise.what = otherwise.means == meaning::missing ? committed{} : unknown_for(offsets::refusal(api::fetch, whole, e.version, failures_ + 1));
    }
    take_all(was, told, otherwise, now, out);
}

void offset_fetch_fsm::on(request_failed& e, time_point now, actions& out) {
    const auto* flying = std::get_if<asking>(&state_);
    if (!flying || flying->request != e.request) return;
    const auto was = *flying;
    take_all(was, {}, {offsets::meaning_of(e.why.code), unknown_for(e.why)}, now, out);
}

void offset_fetch_fsm::on(tick&, time_point, actions&) {}

// What became of each partition that was asked for; `otherwise`: of those that nothing is told of.
void offset_fetch_fsm::take_all(const asking& was, const std::map<topic_partition, outcome>& told, const outcome& otherwise, time_point now, actions& out) {
    outcome worst;
    for (const auto& where : was.of) {
        const auto found = told.find(where);
        const auto& got = found == told.end() ? otherwise : found->second;
        if (urgency(got.means) > urgency(worst.means)) worst = got;
        const bool repeat = got.means == meaning::again || got.means == meaning::elsewhere || got.means == meaning::renew || (got.means == meaning::gone && as_ != was.as);
        for (auto& q : questions_) {
            if (q.number > was.last || !q.open.count(where)) continue;
            if (repeat) q.last = got.what.why;
            else resolve(q, where, got.what);
        }
    }
    go_on(was, worst, now, out);
}

// After an attempt: what comes before the next one.
void offset_fetch_fsm::go_on(const asking& was, const outcome& worst, time_point now, actions& out) {
    const auto& why = worst.what.why;
    failures_ = urgency(worst.means) == 0 ? 0 : failures_ + 1;
    switch (worst.means) {
        case meaning::elsewhere:
            if (node_) out.push_back(doubt_coordinator{*node_, why});
            node_.reset();
            wanted_ = true;
            out.push_back(want_coordinator{});
            transition(looking{}, "the coordinator is another one");
            break;
        case meaning::gone:
        case meaning::renew:
            if (as_ != was.as) {
                transition(idle{}, "the member has moved on already");
                break;
            }
            out.push_back(member_refused{static_cast<broker_errc>(why.code.value()), was.as.epoch});
            transition(renewing{now + settings_.retry_backoff_max, was.as}, "the group has moved on");
            break;
        case meaning::again:
            transition(pausing{now + pauses_.after(failures_, settings_.retry_backoff, settings_.retry_backoff_max)}, "some of it again");
            break;
        default: transition(idle{}, "all is answered");
    }
    finish(out);
}

void offset_fetch_fsm::advance(time_point now, actions& out) {
    if (std::holds_alternative<asking>(state_)) return;
    if (questions_.empty()) {
        if (!std::holds_alternative<idle>(state_)) transition(idle{}, "nobody waits any more");
        return;
    }
    if (const auto* p = std::get_if<pausing>(&state_); p && now < p->until) return;
    if (const auto* r = std::get_if<renewing>(&state_); r && now < r->until && as_ == r->was) return;
    if (!node_) {
        if (!wanted_) out.push_back(want_coordinator{});
        wanted_ = true;
        if (!std::holds_alternative<looking>(state_)) transition(looking{}, "no coordinator is known");
        return;
    }
    ask(out);
}

void offset_fetch_fsm::ask(actions& out) {
    asking next{next_request_++, as_, {}, questions_.back().number};
    for (const auto& q : questions_) next.of.insert(q.open.begin(), q.open.end());
    messages::offset_fetch_request r;
    r.require_stable = settings_.require_stable;
    auto& g = r.groups.emplace_back();
    g.group_id = settings_.group;
    if (!as_.member.empty()) {
        g.member_id = as_.member;
        g.member_epoch = as_.epoch;
    }
    for (const auto& where : next.of) {
        if (g.topics->empty() || g.topics->back().name != where.topic) g.topics->emplace_back().name = where.topic;
        g.topics->back().partition_indexes.push_back(where.partition);
    }
    out.push_back(send{next.request, *node_, fetch_versions, std::move(r)});
    transition(std::move(next), "somebody wants to know");
}

void offset_fetch_fsm::resolve(question& q, const topic_partition& where, const committed& what) {
    q.open.erase(where);
    if (what.why && !q.result.why) q.result.why = what.why;
    q.result.partitions.insert_or_assign(where, what);
}

void offset_fetch_fsm::end_question(question& q, std::error_code code, std::string_view text) {
    while (!q.open.empty()) resolve(q, topic_partition{*q.open.begin()}, unknown_for(offsets::told(api::fetch, code, std::string{text}, q.last)));
}

void offset_fetch_fsm::expire(time_point now) {
    for (auto& q : questions_)
        if (q.deadline && *q.deadline <= now) end_question(q, make_error_code(errc::request_timed_out), "what is committed could not be found out by the deadline");
}

void offset_fetch_fsm::finish(actions& out) {
    for (auto at = questions_.begin(); at != questions_.end();) {
        if (!at->open.empty()) {
            ++at;
            continue;
        }
        out.push_back(std::move(at->result));
        at = questions_.erase(at);
    }
}

}  // namespace kafkawire::group::fetches
