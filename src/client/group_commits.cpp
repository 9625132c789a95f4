// What a member has finished, what of that is committed when, and what the application commits and asks for by hand.
#include <algorithm>

#include "client/group_core.hpp"

namespace kafkawire::client_detail {

void group_core::commit(const std::shared_ptr<commit_call>& what) {
    if (stopped_) {
        error why;
        why.code = errc::client_closed;
        return what->finish(std::move(why));
    }
    if (what->what_.empty()) return what->finish(std::move(what->gone_));
    what->id_ = next_call_++;
    calls_.push_back(what);
    for (const auto& [p, at] : what->what_) {
        // What is committed by hand need not be committed once more.
        for (auto* const mine : {&finished_, &fresh_}) {
            const auto f = mine->find(p);
            if (f != mine->end() && f->second.offset <= at.offset) mine->erase(f);
        }
        if (const auto done = done_.find(p); done != done_.end() && done->second.offset < at.offset) done->second = at;
    }
    const auto deadline = now() + client().options().request_timeout;
    happened(group::commits::event{group::commits::commit_requested{what->id_, what->what_, true, deadline}});
}

void group_core::cancel(const commit_call& what) {
    if (what.id_ != 0) happened(group::commits::event{group::commits::cancel_requested{what.id_}});
}

void group_core::carry_out(group::commits::complete& a) {
    under_way_.erase(a.call);
    // Once more with the next ones, as long as the partition is ours.
    const auto again = [&](const std::vector<group::topic_partition>& but) {
        last_commit_error_ = a.why;
        for (const auto& [p, why] : a.partitions)
            if (const auto last = done_.find(p); why && last != done_.end() && std::find(but.begin(), but.end(), p) == but.end()) finished_.try_emplace(p, last->second);
        commit_later();
    };
    if (!steps_.empty() && steps_.front().commit == a.call) {
        if (a.why) again(steps_.front().partitions);
        return steps_.front().told ? end_step() : tell_application();
    }
    const auto at = std::find_if(calls_.begin(), calls_.end(), [&](const auto& c) { return c->id_ == a.call; });
    if (at != calls_.end()) {
        const auto call = *at;
        calls_.erase(at);
        call->finish(std::move(a.why));
    } else if (a.why) {
        again({});
    }
    if (when_left_) end_leaving();
}

std::uint64_t group_core::committed(group::partition_set of, unique_function<void(error, std::vector<committed_offset>)> tell) {
    question q{next_question_++, 0, std::move(tell)};
    const auto id = q.id;
    questions_.push_back(std::move(q));
    happened(group::fetches::event{group::fetches::fetch_requested{id, std::move(of), now() + client().options().request_timeout}});
    return id;
}

void group_core::polled(bool waiting) {
    if (stopped_) return;
    // Whoever asks for more is done with what he has.
    if (!fresh_.empty()) {
        for (auto& [p, at] : fresh_) finished_[p] = done_[p] = at;
        fresh_.clear();
        commit_later();
    }
    happened(group::event{group::polled{waiting}});
}

void group_core::gave(const std::vector<partition_records>& parts) {
    for (const auto& p : parts) {
        const group::commits::position at{p.next_offset(), p.leader_epoch(), {}, id_of(p.topic(), p.partition())};
        group::topic_partition where{p.topic(), p.partition()};
        if (consumer_.options().auto_commit && consumer_.options().auto_mark) fresh_[where] = at;
        handed_out_[std::move(where)] = at;
    }
    happened(group::event{group::polled{false}});
}

void group_core::sought(std::string_view topic, std::int32_t partition) {
    const group::topic_partition p{std::string{topic}, partition};
    forget_positions(p);
}

void group_core::forget_positions(const group::topic_partition& p) {
    for (auto* const all : {&handed_out_, &done_, &fresh_, &finished_}) all->erase(p);
    for (auto& [call, all] : under_way_) all.erase(p);
}

void group_core::cut(const std::string& topic, std::int32_t partition, std::int64_t from) {
    const group::topic_partition p{topic, partition};
    if (from == 0) forget_positions(p);
    if (from == 0 && asked_for_.contains(p)) read_from({p}, 1);  // what is committed was asked of a topic that may be gone
    for (auto* const all : {&handed_out_, &done_, &fresh_, &finished_})
        if (const auto at = all->find(p); at != all->end() && at->second.offset > from) {
            at->second.offset = from;
            at->second.leader_epoch = -1;                   // of the record before it, which nobody has looked at
        }
    for (auto& [call, all] : under_way_)
        if (const auto at = all.find(p); at != all.end() && at->second.offset > from) all.erase(at);
}

protocol::uuid group_core::id_of(std::string_view topic, std::int32_t partition) const {
    const auto* const p = consumer_.machine().find(topic, partition);
    return p ? p->topic_id : protocol::uuid{};
}

bool group_core::of_former_assignment(std::string_view topic, std::int32_t partition, std::uint64_t assignment) const {
    const auto* const p = consumer_.machine().find(topic, partition);
    if (p && p->another_topic) return true;
    if (source_ == source::hand || assignment == 0) return false;
    return !p || p->number != assignment;
}

// A mark beyond what was handed out is of a former assignment, or from before a seek.
std::error_code group_core::mark(const std::vector<place_behind>& what) {
    const bool commits = consumer_.options().auto_commit;
    if (stopped_) return errc::client_closed;
    if (!commits && consumer_.options().auto_mark) return std::make_error_code(std::errc::operation_not_permitted);
    std::error_code result;
    for (const auto& [at, assignment] : what) {
        const group::topic_partition p{at.topic, at.partition};
        const auto last = handed_out_.find(p);
        if (last == handed_out_.end() || at.offset > last->second.offset || of_former_assignment(at.topic, at.partition, assignment)) {
            result = errc::not_assigned;
            continue;
        }
        if (const auto done = done_.find(p); done != done_.end() && done->second.offset >= at.offset) continue;
        done_[p] = {at.offset, at.leader_epoch, {}, id_of(at.topic, at.partition)};
        if (commits) finished_[p] = done_[p];
    }
    commit_later();
    return result;
}

void group_core::commit_later() {
    if (finished_.empty() || next_commit_) return;
    next_commit_ = now() + consumer_.options().auto_commit_interval;
    set_timer();
}

void group_core::commit_finished() {
    next_commit_.reset();
    if (finished_.empty()) return;
    const auto call = next_call_++;
    under_way_[call] = finished_;
    happened(group::commits::event{group::commits::commit_requested{call, std::exchange(finished_, {}), false, {}}});
}

commit_call::positions group_core::last_commit_of(const std::vector<group::topic_partition>& going) {
    auto all = std::exchange(finished_, {});
    for (const auto& p : going) {
        if (all.contains(p)) continue;
        std::uint64_t latest = 0;
        const auto look = [&](std::uint64_t call, const commit_call::positions& what) {
            const auto at = what.find(p);
            if (at == what.end() || call < latest) return;
            latest = call;
            all[p] = at->second;
        };
        for (const auto& [call, what] : under_way_) look(call, what);
        // By hand a later position may have been committed since, by a call that is over.
        if (const auto done = done_.find(p); latest != 0 && done != done_.end() && done->second.offset > all[p].offset) all[p] = done->second;
        for (const auto& c : calls_) look(c->id_, c->what_);
    }
    return all;
}

}  // namespace kafkawire::client_detail
