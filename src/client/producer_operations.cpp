// What waits for something else than its record's answer: warming up, flushing, closing, room; and how a send is canceled.
#include <algorithm>
#include <limits>

#include "client/producer_core.hpp"
#include "client/transaction_core.hpp"

namespace kafkawire::client_detail {

void producer_core::warm_up(std::vector<std::string> names, waiter* w) {
    on_behalf_of(w, [&](bool& taken) {
        pending p{pending::kind::warm_up, w, client_->env().now() + options_.delivery_timeout};
        for (const auto& n : names) p.topics.push_back(&topic(n));
        pending_.push_back(std::move(p));
        taken = true;
        run();
    });
}

void producer_core::flush(std::chrono::milliseconds deadline, bool close, waiter* w) {
    on_behalf_of(w, [&](bool& taken) {
        const auto now = client_->env().now();
        const std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};
        pending p{close ? pending::kind::close : pending::kind::flush, w, now + std::clamp(deadline, std::chrono::milliseconds{0}, longest)};
        if (close && hooks_) hooks_->closing();
        p.period = machine_.flush(now, actions_);
        pending_.push_back(std::move(p));
        taken = true;
        run();
    });
}

void producer_core::wait_for_room(std::size_t bytes, waiter* w) {
    on_behalf_of(w, [&](bool& taken) {
        pending p{pending::kind::room, w, net::time_point::max()};
        p.bytes = std::min<std::size_t>(bytes, options_.send_buffer);
        pending_.push_back(std::move(p));
        taken = true;
        run();
    });
}

// Whether it is over, and why if that is not well.
bool producer_core::over(pending& p, error& why) {
    if (stopped_) why.code = errc::client_closed;
    switch (p.what) {
        case pending::kind::warm_up: {
            bool all = true, hopeless = false;
            for (auto* const t : p.topics) {
                if (!t->ready && t->info->error && t->info->error != condition::retriable && t->info->error != broker_errc::unknown_topic_or_partition) {
                    why = story_of(t->info->error, *t, {});
                    hopeless = true;
                }
                all = all && t->ready;
            }
            if (stopped_ || hopeless) return true;
            if (all)
                for (auto* const t : p.topics)
                    for (auto& q : t->partitions)
                        if (q.leader >= 0) (void)client_->open(q.leader, lane::produce);
            return all;
        }
        case pending::kind::room: return stopped_ || machine_.room() >= p.bytes;
        case pending::kind::flush:
        case pending::kind::close:
            // What was told but not yet heard is heard first: the handlers stand in the same line.
            if (machine_.flushed(p.period) && (p.what == pending::kind::flush || !hooks_ || hooks_->idle())) {
                why = {};
                return true;
            }
            break;
    }
    return stopped_;
}

// Looks whether something has come that an operation waits for. The handlers run later.
void producer_core::look_at_pending() {
    if (pending_.empty() || busy_) return;
    const auto now = client_->env().now();
    bool ends = false;
    for (std::size_t i = 0; i < pending_.size();) {
        auto& p = pending_[i];
        error why;
        const bool is_over = over(p, why);
        if (!is_over && now < p.deadline) {
            ++i;
            continue;
        }
        delivery at;
        at.offset = 0;
        if (p.what == pending::kind::flush || p.what == pending::kind::close) at.offset = static_cast<std::int64_t>(machine_.left(p.period));
        if (!is_over) {
            why.code = errc::delivery_timed_out;
            why.text = p.what == pending::kind::warm_up ? "the topics could not be learned in time"
                       : at.offset == 0                 ? "the end of the transaction is not confirmed yet"
                                                        : std::to_string(at.offset) + " records are not settled yet";
            if (const auto* cause = client_->last_metadata_error()) why.cause = std::make_shared<const error>(*cause);
        }
        auto story = why ? std::make_shared<const error>(std::move(why)) : nullptr;
        tell_soon();
        told_.push_back(tell_pending{p.who, std::move(story), std::move(at)});
        ends = ends || p.what == pending::kind::close;
        pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (ends && !stopped_) {
        error why;
        why.code = errc::client_closed;
        why.text = "the producer was closed";
        stop(why);
    }
}

void producer_core::cancel(const std::weak_ptr<waiter*>& who) {
    const auto w = who.lock();
    if (!w) return;
    auto* const it = *w;
    if (it->group == &transaction_mark) {
        if (hooks_) hooks_->cancel(it);
        return;
    }
    const auto simple = [](errc code, std::string text) {
        error e;
        e.code = code;
        e.text = std::move(text);
        return e;
    };
    const auto at = std::find_if(pending_.begin(), pending_.end(), [&](const pending& p) { return p.who == it; });
    if (at != pending_.end()) {
        pending_.erase(at);
        const auto why = simple(errc::canceled, {});
        return it->complete(&why, {});
    }
    const auto withdrawn = simple(errc::send_withdrawn, "canceled before it was accepted");
    std::size_t rest_count = 0;
    if (const auto r = std::find_if(rests_.begin(), rests_.end(), [&](const rest& x) { return x.who == it; }); r != rests_.end()) {
        rest_count = r->records.size();
        rests_.erase(r);
    }
    const auto weak = std::weak_ptr{w};
    const bool waited = machine_.withdraw(it, actions_);
    // Of a group, the last that ends ends it all: so the records that went in are told last.
    const auto group = it->group != nullptr;
    if (waited || rest_count > 0) {
        it->count = static_cast<std::int32_t>(rest_count + (waited ? 1 : 0));
        it->complete(&withdrawn, {});
        if (!group) return run();
    }
    if (*w == it && who.use_count() > 1) {
        const auto why = simple(errc::detached, "nobody waits for it any more; it goes its way");
        it->detach(why);
    }
    run();
}

}  // namespace kafkawire::client_detail
