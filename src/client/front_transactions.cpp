// Transactions of several threads: where they begin and end between the records that the threads have put into chunks.
#include "client/front_core.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <algorithm>

namespace kafkawire::client_detail {

namespace {

error story_of(std::error_code code, std::string text = {}) {
    error e;
    e.code = code;
    e.text = std::move(text);
    return e;
}

std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point then) {
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(then - std::chrono::steady_clock::now()), std::chrono::milliseconds{0});
}

}  // namespace

// Tells an operation of the front what one of the producer's ended with, and lets that be canceled.
auto front_core::telling(const std::shared_ptr<front_operation>& op) const {
    op->started = true;
    return asio::bind_cancellation_slot(op->inner.slot(), [op](std::error_code ec) {
        const auto* why = detail::current_error();
        op->finish(why && why->code == ec ? *why : story_of(ec), {}, 0);
    });
}

void front_core::init_transactions(std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) {
    asio::post(executor_, [self = shared_from_this(), deadline, op = std::move(op)] {
        if (self->destroyed_) return op->finish(story_of(errc::client_closed), {}, 0);
        if (op->told()) return;
        if (deadline) self->producer_->async_init_transactions(*deadline, self->telling(op));
        else self->producer_->async_init_transactions(self->telling(op));
    });
}

void front_core::begin_transaction(std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) {
    asio::post(executor_, [self = shared_from_this(), deadline, op = std::move(op)] {
        if (self->destroyed_) return op->finish(story_of(errc::client_closed), {}, 0);
        if (op->told()) return;
        op->started = true;
        auto begun = asio::bind_cancellation_slot(op->inner.slot(), [weak = self->weak_from_this(), op](std::error_code ec, transaction tx) {
            const auto alive = weak.lock();
            const bool over = !alive || alive->destroyed_;
            if (!ec && over) return op->finish(story_of(errc::client_closed), {}, 0);
            const auto* why = detail::current_error();
            if (ec) return op->finish(why && why->code == ec ? *why : story_of(ec), {}, 0);
            alive->open_ = std::move(tx);
            op->finish({}, {}, ++alive->number_);
        });
        if (deadline) self->producer_->async_begin_transaction(*deadline, std::move(begun));
        else self->producer_->async_begin_transaction(std::move(begun));
    });
}

void front_core::send_offsets(std::uint64_t number, group_offsets what, std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) {
    asio::post(executor_, [self = shared_from_this(), number, what = std::move(what), deadline, op = std::move(op)] {
        if (self->destroyed_) return op->finish(story_of(errc::client_closed), {}, 0);
        if (op->told()) return;
        if (number != self->number_) return op->finish(story_of(errc::no_transaction, "another transaction was begun since"), {}, 0);
        std::vector<topic_offset> offsets;
        for (const auto& o : what.offsets) offsets.push_back({o.topic, o.partition, o.offset, o.leader_epoch, o.metadata});
        if (deadline) self->open_.async_send_offsets(offsets, what.group, *deadline, self->telling(op));
        else self->open_.async_send_offsets(offsets, what.group, self->telling(op));
    });
}

void front_core::end_transaction(std::uint64_t number, bool commit, std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) {
    constexpr std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};
    const auto until = std::chrono::steady_clock::now() + std::clamp(deadline.value_or(producer_options_.delivery_timeout), std::chrono::milliseconds{0}, longest);
    asio::post(executor_, [self = shared_from_this(), number, commit, until, op = std::move(op)]() mutable {
        if (self->destroyed_) return op->finish(story_of(errc::client_closed), {}, 0);
        if (op->told()) return;
        if (number != self->number_) return op->finish(story_of(errc::no_transaction, "another transaction was begun since"), {}, 0);
        if (!commit) return self->abort(until, std::move(op));
        // Canceled before the producer has all the records, it aborts.
        op->started = true;
        op->inner.slot().assign([weak = self->weak_from_this(), late = std::weak_ptr{op}](asio::cancellation_type) {
            const auto alive = weak.lock();
            const auto it = late.lock();
            if (alive && it) alive->commit_is_late(it);
        });
        self->begin_flush({0, until, end::commit, std::move(op), nullptr});
    });
}

void front_core::abandon_transaction(std::uint64_t number) noexcept {
    asio::post(executor_, [weak = weak_from_this(), number] {
        const auto self = weak.lock();
        if (!self || self->destroyed_ || number != self->number_) return;
        const bool commit_waits = std::any_of(self->flushes_.begin(), self->flushes_.end(), [](const pending_flush& f) { return f.then == end::commit; });
        if (commit_waits || self->open_.trouble().code == errc::no_transaction) return;  // its end was asked for
        self->refuse_all_before_now();
        self->open_ = {};
        ++self->number_;  // of no transaction
    });
}

// What was put until now belongs to the transaction that ends here without a commit, and must not get into the next one.
void front_core::refuse_all_before_now() {
    collect();
    aborted_until_ = taken_;
    if (handed_ < taken_) {
        state_ = wakefulness::awake;
        look_soon();
    }
}

// The producer has all the records that were put before.
void front_core::commit(pending_flush f) { open_.async_commit(left_until(f.deadline), telling(f.op)); }

// The time was over, or it was canceled, before the producer had all of them.
void front_core::commit_is_late(const std::shared_ptr<front_operation>& op) {
    const auto at = std::find_if(flushes_.begin(), flushes_.end(), [&](const pending_flush& f) { return f.op == op; });
    if (at == flushes_.end()) return;
    flushes_.erase(at);
    refuse_all_before_now();
    open_.async_abort([](std::error_code) {});
    op->finish(story_of(errc::transaction_aborted, "not all of its records could be handed to the producer in time"), {}, 0);
}

void front_core::abort(std::chrono::steady_clock::time_point until, std::shared_ptr<front_operation> op) {
    // A commit that waits for its records is not to be done any more.
    const auto at = std::find_if(flushes_.begin(), flushes_.end(), [](const pending_flush& f) { return f.then == end::commit; });
    if (at != flushes_.end()) {
        const auto commit = at->op;
        flushes_.erase(at);
        commit->finish(story_of(errc::transaction_aborted, "aborted by the application"), {}, 0);
    }
    refuse_all_before_now();
    open_.async_abort(left_until(until), telling(op));
}

}  // namespace kafkawire::client_detail
