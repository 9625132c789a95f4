// The way of a record into a batch and of a batch onto the wire. What comes back is in sender_answers.cpp.
#include "client/sender_fsm.hpp"

#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>

namespace kafkawire::client_detail {

namespace {
constexpr std::size_t request_overhead = 1024;      // of a Produce request around a batch: names, ids, lengths
constexpr std::size_t kept_bytes = 1 << 20;         // a larger block is given back: one giant must not stay for ever

// What is told of a record that was not sent, as its topic is in error. A code that says nothing of records (a broker may answer any) would be
// in no class; then the cause has it.
std::error_code why_unsent(std::error_code of_topic) { return of_topic == condition::not_persisted ? of_topic : make_error_code(errc::unknown_partition); }
}  // namespace

bool topic_queue::available(std::int32_t p) const noexcept { return partitions[static_cast<std::size_t>(p)].leader >= 0; }

std::uint64_t topic_queue::queued_bytes(std::int32_t at) const noexcept {
    const auto& p = partitions[static_cast<std::size_t>(at)];
    std::uint64_t bytes = p.open ? p.builder->size() : 0;
    for (const auto& b : p.closed) bytes += b->charged;
    for (const auto& b : p.in_flight) bytes += b->charged;
    return bytes;
}

sender_fsm::~sender_fsm() {
    for (auto& t : topics_)
        for (auto& r : t.waiting) {
            if (r.wants_delivery) r.wants_delivery->drop();
            if (r.wants_acceptance) r.wants_acceptance->drop();
        }
}

// --- topics ---

topic_queue& sender_fsm::add_topic(topic_info& info, topic_settings s, topic_partitioner chooser, time_point now, sender_actions& out) {
    auto& t = topics_.emplace_back(std::move(chooser));
    t.info = &info;
    t.settings = s;
    t.seen_changes = info.changes - 1;
    names_.emplace(info.name, &t);
    refresh(t, now, out);
    return t;
}

topic_queue* sender_fsm::find_topic(std::string_view name) noexcept {
    if (last_topic_ && last_topic_->info->name == name) [[likely]] return last_topic_;
    const auto at = names_.find(name);
    return at == names_.end() ? nullptr : last_topic_ = at->second;
}

void sender_fsm::refresh(topic_queue& t, time_point now, sender_actions& out) {
    if (t.seen_changes == t.info->changes) return;
    t.seen_changes = t.info->changes;
    const auto& info = *t.info;
    if (info.error && !info.known) {
        // A topic that is not there may come: it is being created, or somebody will. Anything else will not mend itself.
        const bool may_come = info.error == broker_errc::unknown_topic_or_partition || info.error == condition::retriable;
        if (!may_come) {
            error why;
            why.code = why_unsent(info.error);
            why.text = "the topic " + info.name + " cannot be used";
            if (why.code != info.error) {
                error said;
                said.code = info.error;
                said.in = phase::request;
                why.cause = std::make_shared<const error>(std::move(said));
            }
            refuse_waiting(t, std::make_shared<const error>(std::move(why)), out);
        } else if (!t.unknown_since) {
            t.unknown_since = now;
        }
        return;
    }
    if (!info.known) return;
    t.unknown_since.reset();
    while (t.partitions.size() < info.partitions.size()) {
        auto& p = t.partitions.emplace_back();
        p.topic = &t;
        p.index = static_cast<std::int32_t>(t.partitions.size() - 1);
        p.number = partitions_++;
    }
    t.ready = !info.partitions.empty();
    for (auto& p : t.partitions) {
        static constexpr partition_info gone{};
        const auto& to = static_cast<std::size_t>(p.index) < info.partitions.size() ? info.partitions[static_cast<std::size_t>(p.index)] : gone;
        const bool elected = std::exchange(p.leader_epoch, to.leader_epoch) != to.leader_epoch;
        if (p.leader == to.leader) {
            if (elected && p.not_before > now) p.not_before = now;  // what it refused in the epoch before it may take in this one
            continue;
        }
        if (std::exchange(p.listed, false)) std::erase(broker(p.leader).ready, &p);
        p.leader = to.leader;
        if (p.leader < 0) t.chooser.leader_lost(p.index);
        leave(p, now, out);
    }
}

void sender_fsm::topics_changed(std::shared_ptr<const error> trouble, time_point now, std::int64_t wall_ms, sender_actions& out) {
    topics_trouble_ = std::move(trouble);
    bool leaderless = false;
    for (auto& t : topics_) {
        refresh(t, now, out);
        if (!topics_trouble_) t.looked_at = now;
        if (!t.ready && !t.waiting.empty()) leaderless = true;
        for (auto& p : t.partitions) {
            if (p.idle()) continue;
            if (p.leader < 0) leaderless = true;
            consider(p, now, true, out);
        }
    }
    admit_waiting(now, wall_ms, out);
    for (auto& [id, b] : brokers_) pump(b, now, true, out);
    if (leaderless) out.push_back(ask_topics{});
}

// --- a record into a batch ---

std::int32_t sender_fsm::place(topic_queue& t, const record& r) {
    // A topic that was made again may have fewer than before.
    const auto n = static_cast<std::int32_t>(std::min(t.partitions.size(), t.info->partitions.size()));
    if (r.partition >= 0) return r.partition < n ? r.partition : -1;
    return t.chooser.choose({t.info->name, r.key, r.value, n, &t});
}

// A partition that we do not know may have been added since: the cluster is asked before the record is refused. A caller that does not wait asks
// again, and is refused then.
std::error_code sender_fsm::no_place(topic_queue& t, const record& r, time_point now, sender_actions& out) {
    constexpr std::chrono::seconds fresh{10};
    if (r.partition < 0) return errc::unknown_partition;
    const auto sought = std::exchange(t.sought_at, std::nullopt);
    if (sought && t.looked_at && *t.looked_at >= *sought && now - *t.looked_at < fresh) return errc::unknown_partition;
    t.sought_at = now;
    out.push_back(ask_topics{});
    return errc::would_wait;
}

// A topic that cannot be had is asked for again: it may be there, or allowed, for the next record.
std::error_code sender_fsm::cannot_append(const topic_queue& t, sender_actions& out) const {
    if (stopped_) return errc::producer_failed;
    if (t.ready || !t.info->error || t.info->error == condition::retriable) return errc::would_wait;
    out.push_back(ask_topics{});
    return why_unsent(t.info->error);
}

std::error_code sender_fsm::make_room(partition_queue& p, std::size_t room, std::int64_t, time_point now, sender_actions& out) {
    const auto& s = p.topic->settings;
    if (room == unsayable_size) return errc::not_in_version;
    const auto alone = room + empty_batch;
    if (alone + request_overhead > settings_.request_bytes || alone > settings_.send_buffer) return errc::record_too_large;
    if (used_ + room > settings_.send_buffer) return errc::would_wait;
    if (p.open && p.builder->size() + room > s.batch_bytes) send_full(p, now, out);
    if (!p.open) open_batch(p, now, out);
    return {};
}

// Its open batch is full, by bytes or by records.
void sender_fsm::send_full(partition_queue& p, time_point now, sender_actions& out) {
    close_batch(p, out);
    consider(p, now, false, out);
    if (p.leader >= 0) pump(broker(p.leader), now, false, out);
}

void sender_fsm::open_batch(partition_queue& p, time_point now, sender_actions& out) {
    const auto& s = p.topic->settings;
    if (free_builders_.empty()) {
        builders_.push_back(std::make_unique<protocol::batch_builder>());
        free_builders_.reserve(builders_.capacity());  // so that giving one back takes no memory
        free_builders_.push_back(builders_.back().get());
    }
    // What may find no memory comes first: then it is as if nothing had been begun.
    auto fresh = std::make_shared<produce_batch>();
    open_.reserve(open_.size() + 1 > open_.capacity() ? 2 * open_.size() + 8 : 0);
    auto& period = periods_[period_];
    p.builder = free_builders_.back();
    free_builders_.pop_back();
    p.builder->start({.codec = s.codec, .level = s.level, .transactional = settings_.transactional});
    p.open = std::move(fresh);
    auto& b = *p.open;
    untold_.enter(b);
    b.where = &p;
    b.born = now;
    b.deadline = now + s.delivery_timeout;
    b.flush = period_;
    used_ += p.builder->size();
    ++unsettled_;
    ++period;
    p.open_at = open_.size();
    open_.push_back(&p);
    p.builder->reserve(p.expected);
    // What does not linger goes in the turn that is asked for below, or when something tells that it can; only a pause's end tells nobody.
    auto look_again = b.deadline;
    if (s.linger.count() > 0) look_again = std::min(look_again, now + s.linger);
    if (p.not_before > now) look_again = std::min(look_again, p.not_before);
    arm(p, look_again);
    if (settings_.transactional && !p.in_transaction) {
        p.in_transaction = true;
        out.push_back(touch_partition{&p});
    }
    if (!turn_asked_) {
        out.push_back(take_turn{});
        turn_asked_ = true;
    }
}

std::error_code sender_fsm::put(partition_queue& p, const record& r, std::int64_t wall_ms, waiter* w) {
    auto& build = *p.builder;
    auto& b = *p.open;
    const auto at = r.timestamp ? r.timestamp->time_since_epoch().count() : wall_ms;
    const auto before = build.size();
    if (const auto wrong = build.append(at, r.key, r.value, r.headers); wrong != errc{}) [[unlikely]] return wrong;
    const auto added = build.size() - before;
    used_ += added;
    if (r.key.is_null()) p.topic->chooser.appended(p.index, added);
    const auto index = build.count() - 1;
    if (index == 0) [[unlikely]] b.first_timestamp = at;
    if (r.tag || !b.tags.empty()) [[unlikely]] {
        b.tags.resize(static_cast<std::size_t>(index), 0);
        b.tags.push_back(r.tag);
    }
    if (w) {  // last: it is taken if, and only if, nothing is thrown
        if (auto* const last = b.waiters.back(); last && w->group && last->group == w->group && last->first + last->count == index) {
            ++last->count;
        } else {
            w = w->node();
            w->first = index;
            b.waiters.push(w);
        }
    }
    return {};
}

bool sender_fsm::close_batch(partition_queue& p, sender_actions& out) {
    auto b = std::exchange(p.open, nullptr);
    auto* const build = std::exchange(p.builder, nullptr);
    free_builders_.push_back(build);
    open_[p.open_at] = open_.back();
    open_[p.open_at]->open_at = p.open_at;
    open_.pop_back();
    p.flushing = false;
    b->count = build->count();
    b->charged = build->size();
    p.expected = std::min(build->size() + build->size() / 16, p.topic->settings.batch_bytes);
    if (elsewhere_ && p.topic->settings.codec != protocol::compression::none) {
        send_away(p, std::move(b), *build, out);
        return true;
    }
    b->bytes = take_buffer();
    if (const auto wrong = build->finish(*b->bytes, b->records_sum, compressor_)) {
        error why;
        why.code = wrong.code;
        why.text = std::string{wrong.what};
        tell(*b, std::make_shared<const error>(std::move(why)), -1, -1, out);
        forget(b);
        return false;
    }
    // Compressed, it holds less.
    used_ -= b->charged;
    b->charged = b->bytes->size();
    used_ += b->charged;
    counts_.records += static_cast<std::uint64_t>(b->count);
    ++counts_.batches;
    p.closed.push_back(std::move(b));
    return true;
}

// --- onto the wire ---

sender_fsm::broker_state& sender_fsm::broker(std::int32_t id) {
    auto& b = brokers_[id];
    b.id = id;
    return b;
}

// Whether the open batch has waited long enough: also when its broker has nothing else of ours to do, or somebody waits for room.
bool sender_fsm::due(const partition_queue& p, const broker_state& b, time_point now) const noexcept {
    return p.flushing || b.in_flight == 0 || now >= p.open->born + p.topic->settings.linger || short_of_room();
}

bool sender_fsm::sendable(const partition_queue& p, time_point now, bool open_too) {
    if (p.leader < 0 || p.settling || (p.closed.empty() && (!open_too || !p.open)) || stopped_) return false;
    // Without sequences a second batch could overtake a first that has to go again. So it could with them as long as the broker knows nothing
    // of this producer: it takes whatever sequence comes first, also when the batch with 0 was refused or lost.
    const auto most = (settings_.idempotent && p.proven) || settings_.acks == 0 ? settings_.in_flight : 1;
    if (p.in_flight.size() >= most || (!p.in_flight.empty() && p.sending_to != p.leader) || now < p.not_before) return false;
    if (settings_.idempotent && beyond_memory(p)) return false;
    if (settings_.transactional && (transaction_failed_ || !p.transaction_ready)) return false;
    if (p.broken && !may_go(p)) return false;
    if (!p.closed.empty()) return !p.closed.front()->compressing;
    return due(p, broker(p.leader), now);
}

// A broker knows the last five batches of a producer again, those that it has acknowledged too; one behind them is a gap to it when it comes a
// second time. Where a connection broke, batches may be acknowledged before those that they follow: then fewer than five are in flight, and yet no
// further one may go.
bool sender_fsm::beyond_memory(const partition_queue& p) noexcept {
    constexpr std::uint64_t remembered = 5;
    const auto next = !p.closed.empty() && p.closed.front()->stamped ? p.closed.front()->ordinal : p.next_ordinal;
    return std::any_of(p.in_flight.begin(), p.in_flight.end(), [&](const batch_ptr& b) { return next >= b->ordinal + remembered; });
}

// With a gap ahead only what comes before it goes.
bool sender_fsm::may_go(const partition_queue& p) noexcept {
    return !p.closed.empty() && p.closed.front()->stamped && comes_before(p.closed.front()->base_sequence, p.gap);
}

void sender_fsm::consider(partition_queue& p, time_point now, bool open_too, sender_actions& out) {
    if (p.listed || !sendable(p, now, open_too)) return;
    if (settings_.idempotent && p.producer_id < 0 && !identity_) {
        if (!std::exchange(asking_identity_, true)) out.push_back(ask_producer_id{});
        return;
    }
    p.listed = true;
    broker(p.leader).ready.push_back(&p);
}

void sender_fsm::pump(broker_state& b, time_point now, bool open_too, sender_actions& out) {
    if (b.muted_until && now >= *b.muted_until) b.muted_until.reset();
    if (std::any_of(b.plans.begin(), b.plans.end(), [](const plan_ptr& p) { return p->doomed; })) return;  // see sender_losses.cpp
    while (b.in_flight < settings_.in_flight && !b.ready.empty() && !b.muted_until) {
        auto plan = std::make_shared<produce_plan>();
        plan->broker = b.id;
        std::size_t bytes = request_overhead;
        for (auto n = b.ready.size(); n > 0; --n) {
            auto& p = *b.ready.front();
            if (p.leader != b.id || !sendable(p, now, true)) {
                b.ready.pop_front();
                p.listed = false;
                continue;
            }
            if ((p.closed.empty() && !close_batch(p, out)) || p.closed.front()->compressing) {
                b.ready.pop_front();
                p.listed = false;
                continue;
            }
            auto next = p.closed.front();
            if (!plan->parts.empty() && bytes + next->bytes->size() > settings_.request_bytes) break;
            b.ready.pop_front();
            p.listed = false;
            p.closed.pop_front();
            stamp(p, *next);
            bytes += next->bytes->size();
            ++next->attempts;
            if (next->attempts > 1) ++counts_.retries;
            p.sending_to = b.id;
            p.in_flight.push_back(next);
            plan->parts.push_back({&p, next, next->bytes});
            consider(p, now, open_too, out);  // at the end of the list: one batch of a partition in each request
        }
        if (plan->parts.empty()) return;
        ++b.in_flight;
        ++counts_.requests;
        counts_.bytes += bytes - request_overhead;
        b.plans.push_back(plan);
        out.push_back(send_produce{std::move(plan)});
    }
}

// A broker that has nothing to do takes what there is, full or not.
void sender_fsm::pump_idle(broker_state& b, time_point now, sender_actions& out) {
    if (b.in_flight == 0 || short_of_room())
        for (auto* p : open_)
            if (p->leader == b.id) consider(*p, now, true, out);
    pump(b, now, true, out);
}

// Says who sends it. The numbers stay through every retry. Bytes that a request of before may still be reading are not touched: it gets a
// copy of its own.
void sender_fsm::stamp(partition_queue& p, produce_batch& b) {
    if (b.stamped) return;
    b.stamped = true;
    b.ordinal = p.next_ordinal++;
    if (settings_.idempotent) {
        if (p.producer_id < 0) {
            p.producer_id = identity_->first;
            p.producer_epoch = identity_->second;
            p.next_sequence = 0;
            p.proven = false;
        }
        b.producer_id = p.producer_id;
        b.producer_epoch = p.producer_epoch;
        b.base_sequence = p.next_sequence;
        p.next_sequence = protocol::add_to_sequence(p.next_sequence, b.count);
    }
    if (b.bytes.use_count() > 1) {
        auto copy = std::make_shared<protocol::byte_buffer>();
        copy->append(b.bytes->view());
        b.bytes = std::move(copy);
    }
    protocol::stamp_batch({b.bytes->data(), b.bytes->size()}, b.records_sum, p.producer_id, p.producer_epoch, b.base_sequence);
}

std::shared_ptr<protocol::byte_buffer> sender_fsm::take_buffer() {
    if (free_buffers_.empty()) return std::make_shared<protocol::byte_buffer>();
    auto b = std::move(free_buffers_.back());
    free_buffers_.pop_back();
    return b;
}

void sender_fsm::recycle(std::shared_ptr<protocol::byte_buffer> bytes) {
    if (!bytes || bytes.use_count() > 1 || free_buffers_.size() >= kept_buffers || bytes->capacity() > 2 * kept_bytes) return;
    bytes->clear();
    free_buffers_.push_back(std::move(bytes));
}

// --- time ---

void sender_fsm::turn(time_point now, std::int64_t wall_ms, sender_actions& out) {
    turn_asked_ = false;
    admit_waiting(now, wall_ms, out);
    for (auto* p : open_) consider(*p, now, true, out);
    for (auto& [id, b] : brokers_) pump(b, now, true, out);
}

void sender_fsm::tick(time_point now, std::int64_t wall_ms, sender_actions& out) {
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
        auto* const p = alarms_.begin()->second;
        alarms_.erase(alarms_.begin());
        p->alarm.reset();
        expire(*p, now, out);
        consider(*p, now, true, out);
        arm_for(*p, now);
        if (p->leader >= 0) pump(broker(p->leader), now, true, out);
    }
    for (auto& [id, b] : brokers_)
        if (b.muted_until && now >= *b.muted_until) pump_idle(b, now, out);
    if (identity_retry_at_ && now >= *identity_retry_at_) {
        identity_retry_at_.reset();
        out.push_back(ask_producer_id{});
    }
    expire_waiting(now, out);
    admit_waiting(now, wall_ms, out);
}

std::optional<time_point> sender_fsm::next_wakeup() const noexcept {
    std::optional<time_point> at;
    const auto or_at = [&](time_point t) { at = at ? std::min(*at, t) : t; };
    if (!alarms_.empty()) or_at(alarms_.begin()->first);
    if (identity_retry_at_) or_at(*identity_retry_at_);
    for (const auto& [id, b] : brokers_)
        if (b.muted_until) or_at(*b.muted_until);
    if (waiting_ > 0)
        for (const auto& t : topics_)
            if (!t.waiting.empty()) or_at(waiting_deadline(t));
    return at;
}

void sender_fsm::arm(partition_queue& p, time_point at) {
    if (p.alarm && *p.alarm <= at) return;
    if (p.alarm) {
        auto moved = alarms_.extract({*p.alarm, &p});
        moved.value().first = at;
        alarms_.insert(std::move(moved));
    } else {
        alarms_.emplace(at, &p);
    }
    p.alarm = at;
}

// For what it has now: the end of a pause, of the linger, or of its oldest record's patience.
void sender_fsm::arm_for(partition_queue& p, time_point now) {
    const auto first_untold = [](const auto& batches) -> const produce_batch* {
        for (const auto& b : batches)
            if (!b->told) return b.get();
        return nullptr;
    };
    if (p.not_before > now && (!p.closed.empty() || p.open)) arm(p, p.not_before);
    if (p.open) {
        // When the linger is over and it could not be sent, something else will tell when it can.
        if (const auto linger = p.open->born + p.topic->settings.linger; linger > now) arm(p, linger);
        arm(p, p.open->deadline);
    }
    if (const auto* b = first_untold(p.in_flight)) arm(p, b->deadline);
    if (const auto* b = first_untold(p.closed)) arm(p, b->deadline);
}

// --- flushing ---

std::uint64_t sender_fsm::flush(time_point now, sender_actions& out) {
    const auto period = period_++;
    for (auto* p : open_) {
        p->flushing = true;
        consider(*p, now, true, out);
    }
    for (auto& [id, b] : brokers_) pump(b, now, true, out);
    return period;
}

bool sender_fsm::flushed(std::uint64_t period) const noexcept { return periods_.empty() || periods_.begin()->first > period; }

bool sender_fsm::quiet() const noexcept {
    if (waiting_ > 0 || unsettled_ > 0) return false;
    for (const auto& t : topics_)
        for (const auto& p : t.partitions)
            if (!p.idle()) return false;
    return true;
}

std::size_t sender_fsm::left(std::uint64_t period) const noexcept {
    std::size_t n = 0;
    const auto count = [&](const batch_ptr& b) {
        if (b && !b->told && b->flush <= period) n += static_cast<std::size_t>(b == b->where->open ? b->where->builder->count() : b->count);
    };
    for (const auto& t : topics_) {
        for (const auto& r : t.waiting) n += r.flush <= period;
        for (const auto& p : t.partitions) {
            count(p.open);
            for (const auto& b : p.closed) count(b);
            for (const auto& b : p.in_flight) count(b);
        }
    }
    return n;
}

void sender_fsm::end_period(std::uint64_t period, sender_actions& out) {
    const auto at = periods_.find(period);
    if (at == periods_.end() || --at->second > 0) return;
    periods_.erase(at);
    if (period < period_) out.push_back(tell_flushed{});
}

}  // namespace kafkawire::client_detail
