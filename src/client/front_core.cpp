#include "client/front_core.hpp"

#include <asio/bind_cancellation_slot.hpp>

#include <algorithm>

namespace kafkawire::client_detail {

namespace {

// Threads are numbered as they come; those of one number modulo the shards share one.
std::size_t number_of_this_thread() noexcept {
    static std::atomic<std::size_t> next{0};
    static thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

error front_error(std::error_code why, std::string text = {}) {
    error e;
    e.code = why;
    e.text = std::move(text);
    return e;
}

}  // namespace

front_core::front_core(const loop& l, const client_options& client, const producer_options& producer, const front_options& own)
    : loop_{l},
      executor_{l.executor()},
      context_{l.context()},
      client_options_{client},
      producer_options_{producer},
      compress_on_{own.compress_on},
      most_chunks_{std::max(own.buffer / chunk_bytes, std::size_t{2})},
      largest_record_{std::min<std::size_t>(producer.request_bytes, std::numeric_limits<std::int32_t>::max())} {
    if (auto e = validate(client)) throw system_error{std::move(e)};
    if (auto e = validate(producer)) throw system_error{std::move(e)};
}

front_core::~front_core() {
    // The io_context was stopped before us, and destroy() never ran: the producer still goes before what it reads.
    open_ = {};
    producer_.reset();
    client_.reset();
}

void front_core::open() {
    client_.emplace(executor_, client_options_);
    producer_.emplace(*client_, producer_options_);
    timer_.emplace(executor_);
    if (compress_on_) producer_->compress_on(compress_on_);
    // Weak, here and in all that the producer keeps of us: it may be told of its last batches after us, and must not keep us alive.
    producer_->on_delivery([weak = weak_from_this()](const delivery_report& r) {
        const auto self = weak.lock();
        if (!self) return;
        if (self->producer_) {
            const std::lock_guard hold{self->statistics_lock_};
            self->statistics_ = self->producer_->statistics();
        }
        self->tell(r);
    });
}

void front_core::close_door() {
    closed_ = true;
    const std::lock_guard hold{room_lock_};
    room_.notify_all();
}

// --- any thread ---

std::error_code front_core::put(const record& r, std::shared_ptr<front_operation> op, bool force) {
    const auto size = front_chunk::size_of(r);
    if (size > largest_record_) [[unlikely]] return errc::record_too_large;
    auto& s = shards_[number_of_this_thread() % shard_count];
    bool filled = false;
    {
        const std::lock_guard hold{s.lock};
        if (closed_.load(std::memory_order_relaxed)) [[unlikely]] return errc::client_closed;
        if (!s.open || !s.open->has_room(size)) {
            if (!force && crowded()) return errc::would_wait;
            if (s.open) {
                s.full.push_back(std::move(s.open));
                filled = true;
            }
            if (!s.free.empty() && size <= chunk_bytes) {
                s.open = std::move(s.free.back());
                s.free.pop_back();
            } else {
                s.open = std::make_unique<front_chunk>(std::max(size, chunk_bytes), static_cast<std::size_t>(&s - shards_.data()));
            }
            ++chunks_out_;
        }
        s.open->append(r, std::move(op));
    }
    wake(filled);
    return {};
}

void front_core::wake(bool chunk_full) {
    auto now = state_.load();
    if (now == wakefulness::awake || (now == wakefulness::dozing && !chunk_full)) return;
    if (state_.exchange(wakefulness::awake) == wakefulness::awake) return;  // another thread was quicker
    look_soon();
}

std::error_code front_core::put_and_wait(const record& r) {
    const bool may_wait = !context_.get_executor().running_in_this_thread();
    for (;;) {
        const auto ec = put(r, nullptr, false);
        if (ec != errc::would_wait || !may_wait) return ec;
        // The loop looks at waiting_ after it has made room, we look for room after we have raised waiting_: one of us sees the other.
        std::unique_lock hold{room_lock_};
        ++waiting_;
        room_.wait(hold, [this] { return !crowded() || closed_; });
        --waiting_;
    }
}

void front_core::wait_for_room(std::shared_ptr<front_operation> op) {
    {
        const std::lock_guard hold{room_lock_};
        ++waiting_;
        if (crowded()) {
            for_room_.push_back(std::move(op));
            return;
        }
        --waiting_;
    }
    op->finish({}, {}, 0);
}

void front_core::on_delivery(unique_function<void(const delivery_report&)> handler) {
    const std::lock_guard hold{delivery_lock_};
    std::swap(on_delivery_, handler);  // the one before is destroyed when the lock is free again
}

producer_statistics front_core::statistics() const {
    const std::lock_guard hold{statistics_lock_};
    return statistics_;
}

void front_core::warm_up(std::vector<std::string> topics, std::shared_ptr<front_operation> op) {
    asio::post(executor_, [self = shared_from_this(), topics = std::move(topics), op = std::move(op)]() mutable {
        if (self->destroyed_) return op->finish(front_error(errc::client_closed), {}, 0);
        op->started = true;
        auto slot = op->inner.slot();
        self->producer_->async_warm_up(std::move(topics), asio::bind_cancellation_slot(slot, [op = std::move(op)](std::error_code ec) {
            const auto* why = detail::current_error();
            op->finish(why && why->code == ec ? *why : front_error(ec), {}, 0);
        }));
    });
}

void front_core::cancel(const std::weak_ptr<front_operation>& op) {
    const auto waits = op.lock();
    if (!waits) return;
    {
        const std::lock_guard hold{room_lock_};
        if (const auto at = std::find(for_room_.begin(), for_room_.end(), waits); at != for_room_.end()) {
            for_room_.erase(at);
            --waiting_;
            return waits->finish(front_error(errc::detached), {}, 0);
        }
    }
    asio::post(executor_, [op] {
        const auto o = op.lock();
        if (!o) return;
        // A record that the producer has not got is skipped when its turn comes; a flush that has not begun has nothing to undo.
        if (o->started) o->inner.emit(asio::cancellation_type::terminal);
        else o->finish(front_error(o->of_a_record ? errc::send_withdrawn : errc::canceled, "canceled before the producer had it"), {}, 0);
    });
}

void front_core::flush(std::chrono::milliseconds deadline, bool close, std::shared_ptr<front_operation> op) {
    if (close) close_door();
    constexpr std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};  // as the producer's
    const auto until = std::chrono::steady_clock::now() + std::clamp(deadline, std::chrono::milliseconds{0}, longest);
    asio::post(executor_, [self = shared_from_this(), until, close, op = std::move(op)]() mutable {
        self->begin_flush({0, until, close ? end::close : end::none, std::move(op), nullptr});
    });
}

// --- the loop's thread ---

// Takes what is there and hands it to the producer, a few chunks at a time, so that the sockets have their turn.
void front_core::look() {
    if (destroyed_ || paused_ != pause::none) return;
    try {
        collect();
        const auto taken = unread();
        const bool all = hand_over();
        flushes_due();
        if (paused_ != pause::none) return;
        if (all) return sleep(taken);
    } catch (...) {
        // A delivery handler has thrown, or there was no memory. Who catches that and runs the io_context again finds us awake: we must look again.
        look_soon();
        throw;
    }
    look_soon();
}

void front_core::look_soon() {
    asio::post(executor_, [self = shared_from_this()] { self->look(); });
}

void front_core::collect() {
    const auto take = [&](std::unique_ptr<front_chunk> c) {
        c->number = ++taken_;
        backlog_.push_back(std::move(c));
    };
    for (auto& s : shards_) {
        const std::lock_guard hold{s.lock};
        for (auto& c : s.full) take(std::move(c));
        s.full.clear();
        if (s.open) take(std::move(s.open));
    }
}

// Whether all of the backlog was handed over; else it goes on later.
bool front_core::hand_over() {
    for (int chunks = 0; !backlog_.empty(); ++chunks) {
        if (chunks == 4) return false;
        auto& c = *backlog_.front();
        while (c.unread() > 0) {
            if (c.number <= aborted_until_) refuse_next(c, front_error(errc::transaction_aborted, "its transaction was aborted before it was sent"));
            else if (!hand_record(c)) return false;
        }
        handed_ = c.number;
        --chunks_out_;
        auto done = std::move(backlog_.front());
        backlog_.pop_front();
        if (done->borrowed > 0) lent_.push_back(std::move(done));
        else recycle(std::move(done));
        let_in();
    }
    return true;
}

// False: the producer takes no more for now, and whatever it waits for will call look() again.
bool front_core::hand_record(front_chunk& c) {
    std::shared_ptr<front_operation> op;
    const auto r = c.read(headers_, op);
    if (op) {
        if (!room_for(r)) {
            pause_until_room(c, r);
            return false;
        }
        c.advance(true);
        if (!op->told()) send(c, r, std::move(op));
        return true;
    }
    const auto ec = producer_->try_send(r);
    if (ec == errc::would_wait) return hand_waiting(c, r);
    if (ec && !producer_options_.transactional_id.empty()) {
        enqueue_copy(c, r);  // is refused as well, and takes the transaction with it
        return true;
    }
    c.advance(false);
    if (ec) [[unlikely]] refuse(r, front_error(ec));
    return true;
}

// The producer has no room, or does not know the topic: then the record waits there, and others go on. It waits in a copy of its own: one
// record of a topic that nobody knows must not hold a whole chunk of others.
bool front_core::hand_waiting(front_chunk& c, const record& r) {
    const auto size = front_chunk::size_of(r);
    const bool crowd = waiting_records_ >= most_waiting || (waiting_records_ > 0 && waiting_bytes_ + size > most_chunks_ * chunk_bytes);
    if (crowd || !room_for(r)) {
        if (crowd) paused_ = pause::crowd;  // until half of them are accepted or refused
        else pause_until_room(c, r);
        return false;
    }
    enqueue_copy(c, r);
    return true;
}

void front_core::enqueue_copy(front_chunk& c, const record& r) {
    const auto size = front_chunk::size_of(r);
    auto copy = std::make_unique<waiting_record>(r);
    c.advance(false);
    ++waiting_records_;
    waiting_bytes_ += size;
    const auto& lasting = copy->view;
    producer_->async_enqueue(lasting, [weak = weak_from_this(), kept = std::move(copy), size](std::error_code ec) {
        const auto self = weak.lock();
        if (!self) return;
        --self->waiting_records_;
        self->waiting_bytes_ -= size;
        const bool go_on = self->paused_ == pause::crowd && self->waiting_records_ <= most_waiting / 2 && self->waiting_bytes_ <= self->most_chunks_ * chunk_bytes / 2;
        if (go_on) {
            self->paused_ = pause::none;
            self->look_soon();
        }
        if (const auto* why = detail::current_error(); ec) self->refuse(kept->view, why && why->code == ec ? *why : front_error(ec));
    });
}

void front_core::send(front_chunk& c, const record& r, std::shared_ptr<front_operation> op) {
    op->started = true;
    ++c.borrowed;
    auto headers = r.headers.empty() ? nullptr : std::make_unique<std::vector<header_view>>(r.headers.begin(), r.headers.end());
    auto lasting = r;
    if (headers) lasting.headers = *headers;
    auto slot = op->inner.slot();
    producer_->async_send(lasting, asio::bind_cancellation_slot(slot, [weak = weak_from_this(), op = std::move(op), &c, h = std::move(headers)](
                                                                          std::error_code ec, const delivery& at) {
        const auto* why = detail::current_error();
        op->finish(why && why->code == ec ? *why : front_error(ec), at, 0);
        if (const auto self = weak.lock(); self && !self->destroyed_) self->return_loan(c);
    }));
}

bool front_core::room_for(const record& r) const noexcept {
    const auto used = producer_->statistics().buffered_bytes;
    return used == 0 || used + front_chunk::size_of(r) <= producer_options_.send_buffer;
}

// A quarter of a chunk at least, so that a full producer is not asked again for every record.
void front_core::pause_until_room(front_chunk& c, const record& r) {
    paused_ = pause::room;
    const auto wanted = std::min<std::uint64_t>(std::max(front_chunk::size_of(r), chunk_bytes / 4), producer_options_.send_buffer / 2 + 1);
    // The chunk stays the first of the backlog until then.
    producer_->async_wait_for_room(wanted, [weak = weak_from_this(), &c](std::error_code ec) {
        const auto self = weak.lock();
        if (!self || self->destroyed_) return;
        self->paused_ = pause::none;
        if (!ec) return self->look();
        self->look_soon();
        self->refuse_next(c, front_error(ec));  // there will be none: the record that waits for it is told so
    });
}

// The next record of a chunk is not handed over at all.
void front_core::refuse_next(front_chunk& c, const error& why) {
    std::shared_ptr<front_operation> op;
    const auto r = c.read(headers_, op);
    c.advance(op != nullptr);
    if (op) op->finish(why, {}, 0);
    else refuse(r, why);
}

// A record that got into no batch, in the form in which batches are told.
void front_core::refuse(const record& r, const error& why) {
    delivery_report report;
    report.topic = r.topic;
    report.partition = r.partition;
    report.count = 1;
    report.why = &why;
    if (r.tag != 0) report.tags = {&r.tag, 1};
    tell(report);
}

void front_core::tell(const delivery_report& report) {
    const std::lock_guard hold{delivery_lock_};
    if (on_delivery_) on_delivery_(report);
}

void front_core::sleep(std::size_t taken) {
    if (taken >= busy_burst) {
        // More will come: a wake-up for each record of it, or a few of them, would cost more than the records.
        state_ = wakefulness::dozing;
        timer_->expires_after(look_again);
        timer_->async_wait([weak = weak_from_this()](std::error_code ec) {
            if (ec) return;  // set anew, or gone
            const auto self = weak.lock();
            auto expected = wakefulness::dozing;
            if (self && self->state_.compare_exchange_strong(expected, wakefulness::awake)) self->look();
        });
        return;
    }
    state_ = wakefulness::asleep;
    // A record that came before we slept has woken nobody. One that comes after we have looked here sees us asleep.
    for (auto& s : shards_) {
        const std::lock_guard hold{s.lock};
        if (!s.open && s.full.empty()) continue;
        if (state_.exchange(wakefulness::awake) != wakefulness::awake) look_soon();
        return;
    }
}

void front_core::return_loan(front_chunk& c) {
    if (--c.borrowed > 0) return;
    const auto at = std::find_if(lent_.begin(), lent_.end(), [&](const auto& l) { return l.get() == &c; });
    if (at == lent_.end()) return;  // still being read
    auto done = std::move(*at);
    *at = std::move(lent_.back());
    lent_.pop_back();
    recycle(std::move(done));
}

// A few empty chunks are kept; large ones were made for one record.
void front_core::recycle(std::unique_ptr<front_chunk> c) {
    if (c->capacity() != chunk_bytes) return;
    c->clear();
    auto& s = shards_[c->shard];
    const std::lock_guard hold{s.lock};
    if (s.free.size() < 8) s.free.push_back(std::move(c));
}

void front_core::let_in() {
    if (waiting_ == 0 || chunks_out_ > most_chunks_ * 3 / 4) return;
    std::vector<std::shared_ptr<front_operation>> in;
    {
        const std::lock_guard hold{room_lock_};
        in.swap(for_room_);
        waiting_ -= in.size();
        room_.notify_all();
    }
    for (const auto& op : in) op->finish({}, {}, 0);
}

std::size_t front_core::unread(std::uint64_t up_to) const noexcept {
    std::size_t n = 0;
    for (const auto& c : backlog_)
        if (c->number <= up_to) n += c->unread();
    return n;
}

// A flush is for what was put before it: it begins when the chunks of that time were handed over.
void front_core::begin_flush(pending_flush f) {
    if (destroyed_) return f.op->finish(front_error(errc::client_closed), {}, 0);
    collect();
    f.after = taken_;
    if (handed_ < f.after) {
        f.timer = std::make_unique<asio::steady_timer>(executor_, f.deadline);
        f.timer->async_wait([weak = weak_from_this(), op = f.op](std::error_code ec) {
            if (const auto self = weak.lock(); self && !ec) self->flush_is_late(op);
        });
        flushes_.push_back(std::move(f));
        state_ = wakefulness::awake;
        look();
    } else {
        flush_producer(std::move(f));
    }
}

void front_core::flushes_due() {
    for (std::size_t i = 0; i < flushes_.size();) {
        if (flushes_[i].after > handed_) {
            ++i;
            continue;
        }
        auto f = std::move(flushes_[i]);
        flushes_.erase(flushes_.begin() + static_cast<std::ptrdiff_t>(i));
        flush_producer(std::move(f));
    }
}

void front_core::flush_producer(pending_flush f) {
    f.timer.reset();
    if (f.then == end::commit) return commit(std::move(f));
    if (f.op->told() && f.then == end::none) return;
    const auto now = std::chrono::steady_clock::now();
    const auto left = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(f.deadline - now), std::chrono::milliseconds{0});
    f.op->started = true;
    auto slot = f.op->inner.slot();
    auto done = asio::bind_cancellation_slot(slot, [op = f.op](std::error_code ec, std::size_t count) {
        const auto* why = detail::current_error();
        op->finish(why && why->code == ec ? *why : front_error(ec), {}, count);
    });
    if (f.then == end::close) producer_->async_close(left, std::move(done));
    else producer_->async_flush(left, std::move(done));
}

// The time was over before the producer had all the records.
void front_core::flush_is_late(const std::shared_ptr<front_operation>& op) {
    const auto at = std::find_if(flushes_.begin(), flushes_.end(), [&](const pending_flush& f) { return f.op == op; });
    if (at == flushes_.end()) return;
    if (at->then == end::commit) return commit_is_late(op);
    const bool close = at->then == end::close;
    const auto here = unread(at->after);
    flushes_.erase(at);
    auto done = [op, here](std::error_code ec, std::size_t count) { op->finish(front_error(ec ? ec : errc::delivery_timed_out), {}, count + here); };
    if (close) producer_->async_close(std::chrono::milliseconds{0}, std::move(done));
    else producer_->async_flush(std::chrono::milliseconds{0}, std::move(done));
}

void front_core::destroy() {
    if (std::exchange(destroyed_, true)) return;
    collect();
    const auto why = front_error(errc::send_withdrawn);
    for (const auto& c : backlog_) {
        while (c->unread() > 0) refuse_next(*c, why);
    }
    for (const auto& f : std::exchange(flushes_, {})) f.op->finish(front_error(errc::client_closed), {}, 0);
    std::vector<std::shared_ptr<front_operation>> waiting;
    {
        const std::lock_guard hold{room_lock_};
        waiting.swap(for_room_);
        waiting_ -= waiting.size();
    }
    for (const auto& op : waiting) op->finish(front_error(errc::detached), {}, 0);
    timer_.reset();
    open_ = {};
    producer_.reset();
    client_.reset();
}

}  // namespace kafkawire::client_detail
