#include "app/handling_fsm.hpp"

#include <algorithm>
#include <stdexcept>

namespace kafkawire::inline v0_1 {
namespace app {

handling_fsm::handling_fsm(const handler_options& options, bool batched) : options_{options}, most_{batched ? std::max<std::size_t>(1, options.batch) : 1} {}

void handling_fsm::step(handling_happening what, time_point now, actions& out) {
    if (state_ == state::stopped) {
        // Who gives partitions back must not wait for us.
        if (auto* r = std::get_if<handling_event::revoked>(&what))
            for (const auto number : r->partitions) out.push_back(handling_action::release{number});
        if (auto* f = std::get_if<handling_event::finished>(&what); f && calls_.erase(f->call) > 0 && !f->well) ++numbers_.failures;
        return;
    }
    std::visit([&](auto& e) { on(e, now, out); }, what);
    begin_ready(now, out);
    if (state_ == state::stopping) look_if_stopped(stop_by_ && now >= *stop_by_, out);
}

std::optional<time_point> handling_fsm::next_wakeup() const {
    if (state_ == state::stopped) return {};
    auto next = stop_by_;
    const auto consider = [&](time_point t) { next = next ? std::min(*next, t) : t; };
    if (!wakes_.empty()) consider(std::get<0>(*wakes_.begin()));
    for (const auto& [number, p] : partitions_)
        if (p.deadline) consider(*p.deadline);
    return next;
}

// Which messages follow each other. One by one: a lane for each key that waits, so that a key that fails holds back nobody else. In batches: as
// many lanes as handlers, so that they fill.
std::uint64_t handling_fsm::lane_of(partition& p, const handling_event::message& m) const {
    if (options_.order == handler_order::partition || options_.parallel <= 1) return 0;
    if (most_ > 1) return (m.key ? *m.key : p.keyless++) % options_.parallel;
    return m.key ? *m.key << 1 : (p.keyless++ << 1 | 1);
}

void handling_fsm::on(handling_event::arrived& e, time_point now, actions& out) {
    if (!takes()) return;
    auto& p = partitions_[e.partition];
    if (p.closing) return;
    numbers_.arrived += e.messages.size();
    std::vector<std::uint64_t> touched;            // in the order of the messages, which is the order of the calls
    touched.reserve(e.messages.size());
    for (const auto& m : e.messages) {
        const auto which = lane_of(p, m);
        auto& l = p.lanes[which];
        if (l.queue.size() == l.taken) l.oldest = now;
        l.queue.push_back(p.base + p.entries.size());
        p.entries.push_back({m.offset, m.leader_epoch, false, m.from_retry_topic});
        touched.push_back(which);
    }
    for (const auto which : touched) gather(e.partition, p, which, p.lanes[which], now);
    if (!p.paused && p.entries.size() >= options_.max_pending) {
        p.paused = true;
        out.push_back(handling_action::pause{e.partition});
    }
}

// A lane with nothing in hand gets what it may have: a whole batch, or what there is when the first of it has waited long enough.
void handling_fsm::gather(std::uint32_t number, partition& p, std::uint64_t which, lane& l, time_point now) {
    if (!std::holds_alternative<idle>(l.now) || l.queue.empty() || p.closing || state_ != state::serving) return;
    const auto due = l.oldest.value_or(now) + options_.batch_flush;
    if (most_ > 1 && l.queue.size() < most_ && now < due) return wake_at(number, which, l, due);
    wake_at(number, which, l, {});
    l.taken = std::min(most_, l.queue.size());
    l.oldest = now;
    transition(l, ready{1});
    ready_.push_back({number, which});
}

void handling_fsm::begin_ready(time_point now, actions& out) {
    while (!ready_.empty() && calls_.size() < options_.parallel && state_ == state::serving) {
        const auto [number, which] = ready_.front();
        ready_.pop_front();
        const auto at = partitions_.find(number);
        if (at == partitions_.end()) continue;
        const auto in = at->second.lanes.find(which);
        if (in == at->second.lanes.end()) continue;
        auto& l = in->second;
        const auto* r = std::get_if<ready>(&l.now);
        if (!r) continue;
        const auto attempt = r->attempt;
        const auto call = next_call_++;
        transition(l, running{call, attempt});
        calls_.emplace(call, std::pair{number, which});
        wake_at(number, which, l, now + options_.max_processing_time);
        if (attempt > 1) ++numbers_.retries;
        out.push_back(handling_action::call{call, number, {l.queue.begin(), l.queue.begin() + static_cast<std::ptrdiff_t>(l.taken)}, attempt});
    }
}

void handling_fsm::on(handling_event::finished& e, time_point now, actions& out) {
    const auto known = calls_.find(e.call);
    if (known == calls_.end()) return;
    const auto [number, which] = known->second;
    calls_.erase(known);
    if (!e.well) ++numbers_.failures;
    const auto at = partitions_.find(number);
    if (at == partitions_.end()) return;  // it went meanwhile: nothing of it counts any more
    auto& p = at->second;
    const auto in = p.lanes.find(which);
    if (in == p.lanes.end()) return;
    auto& l = in->second;
    const auto* r = std::get_if<running>(&l.now);
    if (!r || r->call != e.call) return;
    wake_at(number, which, l, {});
    if (!e.well) return failed(number, p, which, l, e.call, r->attempt, now, out);
    numbers_.handled += l.taken;
    transition(l, idle{});
    settle_front(number, p, l, out);
    after_work(number, p, which, now, out);
}

void handling_fsm::failed(std::uint32_t number, partition& p, std::uint64_t which, lane& l, std::uint64_t call, int attempt, time_point now, actions& out) {
    if (last_try(attempt)) return after_last_try(number, p, which, l, call, attempt, now, out);
    if (p.closing || state_ != state::serving) {
        // Somebody else will try again: it was not confirmed.
        numbers_.unfinished += l.taken;
        transition(l, idle{});
        l.taken = 0;
        l.queue.clear();
        return after_work(number, p, which, now, out);
    }
    transition(l, waiting{attempt + 1});
    wake_at(number, which, l, now + options_.retry_interval);
}

void handling_fsm::after_last_try(std::uint32_t number, partition& p, std::uint64_t which, lane& l, std::uint64_t call, int attempt, time_point now, actions& out) {
    if (options_.after_last_try == last_resort::stop) {
        numbers_.unfinished += l.taken;
        transition(l, idle{});
        l.taken = 0;
        l.queue.clear();
        // Only the first that fails for good is the reason.
        if (state_ == state::serving) {
            out.push_back(handling_action::failing{call});
            begin_stop(now + options_.stop_timeout, now, out);
        }
        if (const auto at = partitions_.find(number); at != partitions_.end()) after_work(number, at->second, which, now, out);
        return;
    }
    if (options_.after_last_try == last_resort::go_on) {
        for (std::size_t i = 0; i < l.taken; ++i) out.push_back(handling_action::give_up{{number, l.queue[i]}, attempt});
        numbers_.given_up += l.taken;
        transition(l, idle{});
        settle_front(number, p, l, out);
        return after_work(number, p, which, now, out);
    }
    parking sent{{}, {}, options_.after_last_try == last_resort::dead_letter, attempt};
    for (std::size_t i = 0; i < l.taken; ++i) {
        const auto seq = l.queue[i];
        sent.under_way.insert(seq);
        const bool dead = sent.dead || (p.entries[seq - p.base].from_retry_topic && !options_.dead_letter_topic.empty());
        out.push_back(handling_action::park{{number, seq}, dead, attempt});
    }
    transition(l, std::move(sent));
}

void handling_fsm::on(handling_event::parked& e, time_point now, actions& out) {
    const auto at = partitions_.find(e.message.partition);
    if (at == partitions_.end()) return;
    auto& p = at->second;
    for (auto& [which, l] : p.lanes) {
        auto* sent = std::get_if<parking>(&l.now);
        if (!sent || sent->under_way.erase(e.message.seq) == 0) continue;
        if (e.well) {
            const bool dead = sent->dead || (p.entries[e.message.seq - p.base].from_retry_topic && !options_.dead_letter_topic.empty());
            ++(dead ? numbers_.to_dead_letters : numbers_.to_retry_topic);
        } else {
            sent->again.insert(e.message.seq);
        }
        if (!sent->under_way.empty()) return;
        const auto number = e.message.partition;
        const auto lane_number = which;
        if (sent->again.empty()) {
            transition(l, idle{});
            settle_front(number, p, l, out);
        } else if (p.closing || state_ != state::serving) {
            numbers_.unfinished += l.taken;
            transition(l, idle{});
            l.taken = 0;
            l.queue.clear();
        } else {
            return wake_at(number, lane_number, l, now + options_.retry_interval);
        }
        return after_work(number, p, lane_number, now, out);
    }
}

// The work in hand is done.
void handling_fsm::settle_front(std::uint32_t number, partition& p, lane& l, actions& out) {
    for (; l.taken > 0; --l.taken) {
        settle(number, p, l.queue.front(), out);
        l.queue.pop_front();
    }
    confirm(number, p, out);
}

void handling_fsm::settle(std::uint32_t number, partition& p, std::uint64_t seq, actions& out) {
    p.entries[seq - p.base].done = true;
    out.push_back(handling_action::drop{{number, seq}});
}

void handling_fsm::confirm(std::uint32_t number, partition& p, actions& out) {
    std::optional<entry> last;
    while (!p.entries.empty() && p.entries.front().done) {
        last = p.entries.front();
        p.entries.pop_front();
        ++p.base;
    }
    if (last) out.push_back(handling_action::confirm{number, last->offset, last->leader_epoch});
    if (p.paused && !p.closing && p.entries.size() <= options_.max_pending / 2) {
        p.paused = false;
        out.push_back(handling_action::resume{number});
    }
}

void handling_fsm::after_work(std::uint32_t number, partition& p, std::uint64_t which, time_point now, actions& out) {
    auto at = p.lanes.find(which);
    if (at != p.lanes.end() && std::holds_alternative<idle>(at->second.now)) {
        if (at->second.queue.empty()) {
            wake_at(number, which, at->second, {});
            p.lanes.erase(at);
        } else {
            gather(number, p, which, at->second, now);
        }
    }
    if (p.closing && p.lanes.empty()) release(partitions_.find(number), out);
}

void handling_fsm::on(handling_event::tick&, time_point now, actions& out) {
    while (!wakes_.empty() && std::get<0>(*wakes_.begin()) <= now) {
        const auto [when, number, which] = *wakes_.begin();
        woken(number, which, now, out);
    }
    for (auto at = partitions_.begin(); at != partitions_.end();) {
        const auto here = at++;
        // The group goes on without us: what still runs is not confirmed.
        if (here->second.deadline && *here->second.deadline <= now) release(here, out);
    }
}

void handling_fsm::woken(std::uint32_t number, std::uint64_t which, time_point now, actions& out) {
    auto& p = partitions_.at(number);
    auto& l = p.lanes.at(which);
    wake_at(number, which, l, {});
    if (std::holds_alternative<idle>(l.now)) return gather(number, p, which, l, now);
    if (const auto* r = std::get_if<running>(&l.now)) return out.push_back(handling_action::slow{r->call});
    if (const auto* w = std::get_if<waiting>(&l.now)) {
        transition(l, ready{w->attempt});
        return ready_.push_back({number, which});
    }
    if (auto* sent = std::get_if<parking>(&l.now)) {
        sent->under_way = std::exchange(sent->again, {});
        for (const auto seq : sent->under_way) {
            const bool dead = sent->dead || (p.entries[seq - p.base].from_retry_topic && !options_.dead_letter_topic.empty());
            out.push_back(handling_action::park{{number, seq}, dead, sent->tries});
        }
    }
}

// Nothing of it is begun any more; what runs, and what is being sent away, is waited for.
void handling_fsm::close(std::uint32_t number, partition& p, actions& out) {
    for (auto at = p.lanes.begin(); at != p.lanes.end();) {
        auto& l = at->second;
        auto* sent = std::get_if<parking>(&l.now);
        if (std::holds_alternative<running>(l.now) || (sent && !sent->under_way.empty())) {
            for (auto i = l.taken; i < l.queue.size(); ++i) out.push_back(handling_action::drop{{number, l.queue[i]}});
            l.queue.resize(l.taken);
            ++at;
            continue;
        }
        numbers_.unfinished += l.taken;
        for (const auto seq : l.queue) out.push_back(handling_action::drop{{number, seq}});
        wake_at(number, at->first, l, {});
        at = p.lanes.erase(at);
    }
}

void handling_fsm::on(handling_event::revoked& e, time_point, actions& out) {
    for (const auto number : e.partitions) {
        const auto at = partitions_.find(number);
        if (at == partitions_.end()) {
            out.push_back(handling_action::release{number});
            continue;
        }
        at->second.closing = true;
        at->second.deadline = e.deadline;
        close(number, at->second, out);
        if (at->second.lanes.empty()) release(at, out);
    }
}

void handling_fsm::on(handling_event::lost& e, time_point, actions& out) {
    for (const auto number : e.partitions) {
        const auto at = partitions_.find(number);
        if (at == partitions_.end()) out.push_back(handling_action::release{number});
        else release(at, out);
    }
}

void handling_fsm::release(partitions::iterator at, actions& out) {
    for (auto& [which, l] : at->second.lanes) {
        numbers_.unfinished += l.taken;
        wake_at(at->first, which, l, {});
    }
    out.push_back(handling_action::release{at->first});
    partitions_.erase(at);
}

void handling_fsm::on(handling_event::stop_requested& e, time_point now, actions& out) {
    const auto by = now + e.patience;
    // A second request may only be less patient.
    if (state_ == state::stopping) stop_by_ = std::min(*stop_by_, by);
    else begin_stop(by, now, out);
}

void handling_fsm::begin_stop(time_point deadline, time_point, actions& out) {
    state_ = state::stopping;
    stop_by_ = deadline;
    for (auto& [number, p] : partitions_) close(number, p, out);
}

void handling_fsm::look_if_stopped(bool anyway, actions& out) {
    const bool busy = std::any_of(partitions_.begin(), partitions_.end(), [](const auto& p) { return !p.second.lanes.empty(); });
    if ((busy || !calls_.empty()) && !anyway) return;
    state_ = state::stopped;
    while (!partitions_.empty()) release(partitions_.begin(), out);
    out.push_back(handling_action::stopped{calls_.size()});
}

void handling_fsm::wake_at(std::uint32_t number, std::uint64_t which, lane& l, std::optional<time_point> at) {
    if (l.wake) wakes_.erase({*l.wake, number, which});
    l.wake = at;
    if (at) wakes_.insert({*at, number, which});
}

void handling_fsm::transition(lane& l, lane_state to) {
    if (!legal[l.now.index()][to.index()]) throw std::logic_error("handling_fsm: illegal transition");
    l.now = std::move(to);
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
