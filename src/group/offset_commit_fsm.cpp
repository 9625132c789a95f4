#include "group/offset_commit_fsm.hpp"

#include <algorithm>
#include <stdexcept>

namespace kafkawire::group::commits {

using offsets::api;
using offsets::meaning;

namespace {

// Before version 2 offsets had commit times or lay in ZooKeeper. From 10 on topics go by their ids, so that what was read of one is never taken
// for another of its name.
constexpr auto commit_versions = protocol::between(2, 10), commit_versions_by_name = protocol::between(2, 9), commit_versions_with_retention = protocol::between(2, 4);

error not_owned(const error& last) {
    return offsets::told(api::commit, make_error_code(broker_errc::illegal_generation), "the partition is no longer this member's: its position is left out of the commit", last);
}

// What has to be done about the worst of several: where to ask comes first, then who asks.
int weight(meaning m) noexcept {
    switch (m) {
        case meaning::elsewhere: return 4;
        case meaning::gone: return 3;
        case meaning::renew: return 2;
        case meaning::again: return 1;
        default: return 0;
    }
}

}  // namespace

std::string_view name_of(const state& s) noexcept {
    constexpr std::string_view names[] = {"idle", "looking", "pausing", "renewing", "asking"};
    return names[s.index()];
}

void fit(messages::offset_commit_request& m, std::int16_t version) {
    if (version < 7) m.group_instance_id.reset();
}

void offset_commit_fsm::transition(state to, std::string_view why) {
    if (!legal[state_.index()][to.index()])
        throw std::logic_error("offset_commit_fsm: illegal transition from " + std::string{name_of(state_)} + " to " + std::string{name_of(to)} + ": " + std::string{why});
    state_ = std::move(to);
}

void offset_commit_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
    expire(now);
    finish(out);
    advance(now, out);
    finish(out);
}

std::optional<time_point> offset_commit_fsm::next_wakeup() const noexcept {
    std::optional<time_point> soonest;
    const auto wake = [&](time_point at) {
        if (at != time_point::max()) soonest = soonest ? std::min(*soonest, at) : at;
    };
    if (const auto* p = std::get_if<pausing>(&state_)) wake(p->until);
    if (const auto* r = std::get_if<renewing>(&state_)) wake(r->until);
    for (const auto& c : calls_)
        if (c.deadline) wake(*c.deadline);
    return soonest;
}

void offset_commit_fsm::on(commit_requested& e, time_point, actions&) {
    auto& c = calls_.emplace_back();
    c.id = c.result.call = e.call;
    c.number = next_number_++;
    c.waited_for = e.waited_for;
    c.deadline = e.deadline;
    for (auto& [where, at] : e.what) {
        c.open.emplace(where, wanted{std::move(at)});
        if (!may_commit(where)) resolve(c, where, not_owned({}));
    }
}

void offset_commit_fsm::on(cancel_requested& e, time_point, actions&) {
    for (auto& c : calls_)
        if (c.id == e.call) end_call(c, make_error_code(errc::canceled), "the commit was canceled");
}

void offset_commit_fsm::on(member_changed& e, time_point, actions&) {
    as_ = std::move(e.as);
    owned_ = std::move(e.owned);
    drop_lost();
}

// What is on its way has its answer coming, and that is the truth about it; it is only never sent again.
void offset_commit_fsm::drop_lost() {
    const auto* flying = std::get_if<asking>(&state_);
    for (auto& c : calls_)
        for (auto at = c.open.begin(); at != c.open.end();) {
            const auto here = at++;
            if (may_commit(here->first)) continue;
            const auto sent = flying ? flying->sent.find(here->first) : std::map<topic_partition, std::uint64_t>::const_iterator{};
            if (flying && sent != flying->sent.end() && sent->second >= c.number) here->second.lost = true;
            else resolve(c, topic_partition{here->first}, not_owned(c.last));
        }
}

void offset_commit_fsm::on(coordinator_found& e, time_point, actions&) {
    node_ = e.node;
    wanted_ = false;
}

void offset_commit_fsm::on(coordinator_lost&, time_point, actions&) {
    node_.reset();
    wanted_ = false;
}

void offset_commit_fsm::on(coordinator_failed& e, time_point, actions&) {
    wanted_ = false;
    const auto* flying = std::get_if<asking>(&state_);
    if (flying) return;  // whoever was the coordinator then still answers
    for (auto& c : calls_)
        while (!c.open.empty()) resolve(c, topic_partition{c.open.begin()->first}, e.why);
}

void offset_commit_fsm::on(answered& e, time_point now, actions& out) {
    auto* flying = std::get_if<asking>(&state_);
    if (!flying || flying->request != e.request) return;
    auto was = std::move(*flying);
    auto unanswered = was.sent;
    auto worst = meaning::done;
    error why;
    const auto take = [&](const topic_partition& where, meaning means, error story) {
        if (weight(means) > weight(worst)) {
            worst = means;
            why = story;
        }
        if (means == meaning::gone && as_ != was.as) means = meaning::renew;  // the member that is gone is not the one that is there now
        attempt_ended(where, was, means, story);
    };
    for (const auto& t : e.what.topics)
        for (const auto& p : t.partitions) {
            const auto known = e.version >= 10 ? was.names.find(t.topic_id) : was.names.end();
            const auto sent = unanswered.extract({known == was.names.end() ? t.name : known->second, p.partition_index});
            if (sent.empty()) continue;  // not asked for, or told twice
            auto story = p.error_code == 0 ? error{} : offsets::refusal(api::commit, p.error_code, e.version, failures_ + 1);
            if (story) story.text = "the position in " + sent.key().topic + '-' + std::to_string(sent.key().partition) + " was not committed for the group " + settings_.group + ": " + story.code.message();
            take(sent.key(), offsets::meaning_of(api::commit, p.error_code), std::move(story));
        }
    for (const auto& [where, number] : unanswered)
        take(where, meaning::again, offsets::told(api::commit, make_error_code(errc::bad_value), "the coordinator's answer leaves the partition out", {}));
    go_on(worst, was, why, now, out);
}

void offset_commit_fsm::on(request_failed& e, time_point now, actions& out) {
    auto* flying = std::get_if<asking>(&state_);
    if (!flying || flying->request != e.request) return;
    const auto was = std::move(*flying);
    const auto means = offsets::meaning_of(e.why.code);
    for (const auto& [where, number] : was.sent) attempt_ended(where, was, means, e.why);
    go_on(means, was, e.why, now, out);
}

void offset_commit_fsm::on(tick&, time_point, actions&) {}

// One partition's part of an attempt. All calls up to the one whose position was sent share what became of it.
void offset_commit_fsm::attempt_ended(const topic_partition& where, const asking& was, meaning means, const error& why) {
    const auto number = was.sent.at(where);
    const bool over = means == meaning::done || means == meaning::refused || means == meaning::gone || means == meaning::missing;
    for (auto& c : calls_) {
        if (c.number > number) break;
        const auto at = c.open.find(where);
        if (at == c.open.end()) continue;
        if (!over) c.last = why;
        if (over) resolve(c, where, why);
        else if (at->second.lost) resolve(c, where, not_owned(why));
    }
}

// After an attempt: what comes before the next one.
void offset_commit_fsm::go_on(meaning worst, const asking& was, const error& why, time_point now, actions& out) {
    const auto moved_on = [&] { return as_ != was.as; };
    failures_ = worst == meaning::done || worst == meaning::refused ? 0 : failures_ + 1;
    switch (worst) {
        case meaning::elsewhere:
            if (node_) out.push_back(doubt_coordinator{*node_, why});
            node_.reset();
            wanted_ = true;
            out.push_back(want_coordinator{});
            transition(looking{}, "the coordinator is another one");
            break;
        case meaning::gone:
        case meaning::renew:
            if (moved_on()) {
                transition(idle{}, "the member has moved on already");
                break;
            }
            out.push_back(member_refused{static_cast<broker_errc>(why.code.value()), was.as.generation});
            transition(renewing{now + settings_.retry_backoff_max, was.as}, "the group has moved on");
            break;
        case meaning::again:
            transition(pausing{now + pauses_.after(failures_, settings_.retry_backoff, settings_.retry_backoff_max)}, "some of it again");
            break;
        default: transition(idle{}, "all is answered");
    }
}

void offset_commit_fsm::advance(time_point now, actions& out) {
    if (std::holds_alternative<asking>(state_)) return;
    if (calls_.empty()) {
        if (!std::holds_alternative<idle>(state_)) transition(idle{}, "nobody waits any more");
        return;
    }
    if (const auto* p = std::get_if<pausing>(&state_); p && now < p->until) return;
    if (!as_) {
        // The old pause is meaningless for a member that comes back.
        if (const auto* r = std::get_if<renewing>(&state_); !r || r->until != time_point::max()) transition(renewing{time_point::max(), {}}, "not a member now");
        return;
    }
    if (const auto* r = std::get_if<renewing>(&state_); r && now < r->until && r->until != time_point::max() && *as_ == r->was) return;
    if (!node_) {
        if (!wanted_) out.push_back(want_coordinator{});
        wanted_ = true;
        if (!std::holds_alternative<looking>(state_)) transition(looking{}, "no coordinator is known");
        return;
    }
    ask(now, out);
}

void offset_commit_fsm::ask(time_point, actions& out) {
    asking next{next_request_++, *as_, {}, {}};
    std::map<topic_partition, const position*> newest;
    partition_set awaited;  // somebody waits for the position that goes along: what came after it has to come after it
    for (auto& c : calls_)
        for (auto& [where, w] : c.open) {
            if (awaited.count(where)) continue;
            w.tried = true;
            newest[where] = &w.at;
            next.sent[where] = c.number;
            if (c.waited_for) awaited.insert(where);
        }
    messages::offset_commit_request r;
    r.group_id = settings_.group;
    r.member_id = as_->member;
    r.group_instance_id = as_->instance;
    r.generation_id_or_member_epoch = as_->generation;
    if (settings_.retention) r.retention_time_ms = settings_.retention->count();
    auto versions = commit_versions;
    for (const auto& [where, at] : newest) {
        if (at->topic_id.is_zero()) versions = commit_versions_by_name;
        if (settings_.retention) versions = commit_versions_with_retention;
        next.names.emplace(at->topic_id, where.topic);
        if (r.topics.empty() || r.topics.back().name != where.topic || r.topics.back().topic_id != at->topic_id) {
            auto& t = r.topics.emplace_back();
            t.name = where.topic;
            t.topic_id = at->topic_id;
        }
        auto& p = r.topics.back().partitions.emplace_back();
        p.partition_index = where.partition;
        p.committed_offset = at->offset;
        p.committed_leader_epoch = at->leader_epoch;
        p.committed_metadata = at->metadata;
    }
    out.push_back(send{next.request, *node_, versions, std::move(r)});
    transition(std::move(next), "something waits to be committed");
}

void offset_commit_fsm::resolve(call& c, const topic_partition& where, const error& why) {
    c.open.erase(where);
    if (why && !c.result.why) c.result.why = why;
    c.result.partitions.insert_or_assign(where, why);
}

void offset_commit_fsm::end_call(call& c, std::error_code code, std::string_view text) {
    while (!c.open.empty()) {
        const auto& [where, w] = *c.open.begin();
        auto why = offsets::told(api::commit, code, std::string{text}, c.last);
        if (w.tried) {
            why.text += "; it was sent, and may be committed all the same";
            // Then an older position that is tried again must not follow it.
            for (auto& older : calls_)
                if (const auto at = older.open.find(where); older.number < c.number && at != older.open.end()) at->second.at = w.at;
        }
        resolve(c, topic_partition{where}, why);
    }
}

void offset_commit_fsm::expire(time_point now) {
    for (auto& c : calls_)
        if (c.deadline && *c.deadline <= now) end_call(c, make_error_code(errc::request_timed_out), "not committed by the deadline");
}

void offset_commit_fsm::finish(actions& out) {
    for (auto at = calls_.begin(); at != calls_.end();) {
        if (!at->open.empty()) {
            ++at;
            continue;
        }
        out.push_back(std::move(at->result));
        at = calls_.erase(at);
    }
}

}  // namespace kafkawire::group::commits
