// Records that could not be accepted at once: their topic is not known yet, or there is no room. In order; nothing passes them.
#include "client/sender_fsm.hpp"

#include <algorithm>

namespace kafkawire::client_detail {

void sender_fsm::wait(topic_queue& t, waiting_record r, sender_actions& out) {
    make_room_for(out, 2);
    r.flush = period_;
    auto& period = periods_[period_];
    t.waiting.push_back(r);
    ++period;
    ++waiting_;
    if (!t.ready) out.push_back(ask_topics{});
    if (!turn_asked_) {
        turn_asked_ = true;
        out.push_back(take_turn{});
    }
}

bool sender_fsm::withdraw(const waiter* who, sender_actions& out) {
    for (auto& t : topics_) {
        const auto at = std::find_if(t.waiting.begin(), t.waiting.end(), [&](const waiting_record& r) { return r.wants_delivery == who || r.wants_acceptance == who; });
        if (at == t.waiting.end()) continue;
        const auto r = *at;
        t.waiting.erase(at);
        --waiting_;
        for (auto* const w : {r.wants_delivery, r.wants_acceptance})
            if (w && w != who) w->drop();
        end_period(r.flush, out);
        return true;
    }
    return false;
}

void sender_fsm::admit_waiting(time_point now, std::int64_t wall_ms, sender_actions& out) {
    if (waiting_ == 0) return;
    for (auto& t : topics_) admit_waiting(t, now, wall_ms, out);
}

// In order: the first that cannot go in keeps the others waiting. What went in is told; what is refused is told why.
void sender_fsm::admit_waiting(topic_queue& t, time_point now, std::int64_t wall_ms, sender_actions& out) {
    while (!t.waiting.empty() && t.ready) {
        make_room_for(out, 4);
        auto r = t.waiting.front();
        const auto at = place(t, r.what);
        std::error_code why;
        partition_queue* p = nullptr;
        if (at < 0) {
            if (r.what.partition >= 0 && (!t.looked_at || *t.looked_at < r.asked)) return out.push_back(ask_topics{});
            why = errc::unknown_partition;
        } else {
            p = &t.partitions[static_cast<std::size_t>(at)];
            const auto room = most_bytes(r.what);
            if (!p->open || p->builder->size() + room > t.settings.batch_bytes || used_ + room > settings_.send_buffer) why = make_room(*p, room, wall_ms, now, out);
            if (why == errc::would_wait) return;
            if (!why) why = put(*p, r.what, wall_ms, r.wants_delivery);
        }
        auto story = why ? std::make_shared<error>() : nullptr;
        t.waiting.pop_front();
        --waiting_;
        if (!why) {
            auto& b = *p->open;
            b.deadline = std::min(b.deadline, r.asked + t.settings.delivery_timeout);
            arm(*p, b.deadline);
            if (r.flush < b.flush) {  // a flush waits for it: the batch counts among those that it waits for
                end_period(b.flush, out);
                b.flush = r.flush;
                ++periods_[r.flush];
                p->flushing = true;
            }
            if (p->builder->count() >= t.settings.batch_records) send_full(*p, now, out);
            if (r.wants_acceptance) out.push_back(tell_waiter{r.wants_acceptance, nullptr});
        } else {
            story->code = why;
            if (settings_.transactional) fail_transaction_for(story, out);
            if (r.wants_delivery) out.push_back(tell_waiter{r.wants_delivery, story});
            if (r.wants_acceptance) out.push_back(tell_waiter{r.wants_acceptance, story});
        }
        end_period(r.flush, out);
    }
}

void sender_fsm::refuse_waiting(topic_queue& t, const std::shared_ptr<const error>& why, sender_actions& out) {
    if (settings_.transactional && !t.waiting.empty() && !stopped_) fail_transaction_for(why, out);
    while (!t.waiting.empty()) {
        make_room_for(out, 3);
        const auto r = t.waiting.front();
        t.waiting.pop_front();
        --waiting_;
        if (r.wants_delivery) out.push_back(tell_waiter{r.wants_delivery, why});
        if (r.wants_acceptance) out.push_back(tell_waiter{r.wants_acceptance, why});
        end_period(r.flush, out);
    }
}

time_point sender_fsm::waiting_deadline(const topic_queue& t) const noexcept {
    auto at = t.waiting.front().asked + t.settings.delivery_timeout;
    if (!t.ready && t.unknown_since) at = std::min(at, std::max(*t.unknown_since, t.waiting.front().asked) + t.settings.unknown_topic_timeout);
    return at;
}

void sender_fsm::expire_waiting(time_point now, sender_actions& out) {
    for (auto& t : topics_) {
        while (!t.waiting.empty() && waiting_deadline(t) <= now) {
            make_room_for(out, 4);
            error e;
            e.code = errc::delivery_timed_out;
            if (const auto& r = t.waiting.front().what; t.ready && (r.partition < 0 || place(t, r) >= 0)) {
                e.text = "no room for the record: what was sent before is not acknowledged";
                e.hint = "the brokers may be slow or away; see the client's health";
            } else {
                e.text = t.unknown_since ? "the cluster has no topic " + t.info->name : "the partitions of " + t.info->name + " could not be learned";
                if (t.info->error) {
                    error cause;
                    cause.code = t.info->error;
                    e.cause = std::make_shared<const error>(std::move(cause));
                } else if (topics_trouble_) {
                    e.cause = topics_trouble_;
                }
            }
            const auto story = std::make_shared<const error>(std::move(e));
            const auto r = t.waiting.front();
            t.waiting.pop_front();
            --waiting_;
            if (settings_.transactional) fail_transaction_for(story, out);
            if (r.wants_delivery) out.push_back(tell_waiter{r.wants_delivery, story});
            if (r.wants_acceptance) out.push_back(tell_waiter{r.wants_acceptance, story});
            end_period(r.flush, out);
        }
    }
}

}  // namespace kafkawire::client_detail
