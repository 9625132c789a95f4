// What a producer's senders are told, and its end: whether it is closed, destroyed, or no memory is left.
#include <algorithm>

#include "client/producer_core.hpp"
#include "net/flag_holder.hpp"

namespace kafkawire::client_detail {

namespace {

delivery delivery_of(const tell_batch& t, std::int32_t index) {
    delivery d;
    d.topic = t.topic->info->name;
    d.partition = t.partition;
    if (!t.why) {
        if (t.base_offset >= 0) d.offset = t.base_offset + index;
        d.timestamp = timestamp{std::chrono::milliseconds{t.append_time >= 0 ? t.append_time : t.first_timestamp}};
    }
    return d;
}

}  // namespace

// --- telling ---

void producer_core::tell_soon() {
    if (tell_posted_) return;
    client_->env().post([self = shared_from_this()] { self->tell_all(); });
    tell_posted_ = true;
}

void producer_core::tell_all() {
    tell_posted_ = false;
    if (in_telling_) return tell_soon();  // a handler runs a loop of its own
    {
        const net::flag_holder held{in_telling_};
        if (telling_at_ == telling_.size()) {  // else a handler threw the last time
            telling_.clear();
            telling_at_ = 0;
            std::swap(told_, telling_);
        }
        try {
            while (telling_at_ < telling_.size()) tell_next();
        } catch (...) {
            // A handler threw, or memory ran out. Who catches that and runs the loop again still hears the rest, and nothing twice.
            if (const auto* const batch = telling_at_ < telling_.size() ? std::get_if<tell_batch>(&telling_[telling_at_]) : nullptr; batch && batch->waiters.empty() && (!on_delivery_ || batch->count == 0)) ++telling_at_;
            if (telling_at_ < telling_.size() || !told_.empty()) tell_soon();
            throw;
        }
        telling_.clear();
        telling_at_ = 0;
    }
    if (!told_.empty()) tell_soon();
    contain([&] { look_at_pending(); });
}

void producer_core::tell_next() {
    auto& next = telling_[telling_at_];
    if (auto* const batch = std::get_if<tell_batch>(&next)) {
        tell_batch_now(*batch);
        ++telling_at_;
        return;
    }
    ++telling_at_;
    if (auto* const w = std::get_if<tell_waiter>(&next)) {
        const auto one = std::move(*w);
        return one.who->complete(one.why.get(), {});
    }
    const auto one = std::move(std::get<tell_pending>(next));
    one.who->complete(one.why.get(), one.at);
}

void producer_core::tell_batch_now(tell_batch& t) {
    // No count: it was told before, and a waiter's handler threw.
    if (on_delivery_ && t.count > 0) {
        const auto first = delivery_of(t, 0);
        const auto count = static_cast<std::size_t>(std::exchange(t.count, 0));
        on_delivery_({first.topic, t.partition, t.why ? -1 : t.base_offset, count, first.timestamp, t.why.get(), t.tags});
    }
    while (const auto* const w = t.waiters.front()) {
        const auto at = delivery_of(t, w->first);
        t.waiters.pop()->complete(t.why.get(), at);
    }
}

// --- the end ---

void producer_core::stop(const error& why) {
    if (ended_ || (stopped_ && !exhausted_)) return;
    stopped_ = true;
    const auto self = shared_from_this();
    if (exhausted_) {
        // Of what was to be done when memory ran out, only what somebody is to be told is still true.
        const auto idle = [](const sender_action& a) { return !std::holds_alternative<tell_batch>(a) && !std::holds_alternative<tell_waiter>(a); };
        running_.erase(running_.begin(), running_.begin() + static_cast<std::ptrdiff_t>(running_at_));
        running_at_ = 0;
        std::erase_if(running_, idle);
        std::erase_if(actions_, idle);
    }
    if (hooks_) hooks_->stop(why);
    machine_.stop(why, actions_);
    run();
    timer_->clear();
    ended_ = true;
}

void producer_core::destroy() noexcept {
    const auto try_it = [&] {
        return contain([&] {
            error why;
            why.code = errc::client_closed;
            why.text = "the producer was destroyed";
            stop(why);
        });
    };
    // Once more, if memory ran out in the middle of it.
    if (!try_it()) (void)try_it();
}

// --- no memory ---

error producer_core::exhausted() {
    error e;
    e.code = errc::producer_failed;
    e.cause = std::make_shared<const error>(error{std::make_error_code(std::errc::not_enough_memory)});
    return e;
}

// Not at once: whoever called us is in the middle of something.
void producer_core::out_of_memory() noexcept {
    if (std::exchange(exhausted_, true)) return;
    try {
        const auto now = client_->env().now();
        timer_->set(now);
        timer_at_ = now;
    } catch (const std::bad_alloc&) {
        timer_at_.reset();  // then with whatever comes next
    }
}

void producer_core::end_exhausted() {
    if (!ended_) stop(exhausted());
}

}  // namespace kafkawire::client_detail
