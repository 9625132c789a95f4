// What comes back: answers, patience that ends. Here it is decided what a record's sender is told, and that must be true: acknowledged, certainly
// not in the log, or nobody knows. Requests that have no answer are in sender_losses.cpp.
#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>

#include "client/sender_fsm.hpp"

namespace kafkawire::client_detail {

namespace {

std::shared_ptr<const error> story(std::error_code code, std::string text, std::shared_ptr<const error> cause = {}, std::string hint = {}) {
    error e;
    e.code = code;
    e.text = std::move(text);
    e.hint = std::move(hint);
    e.cause = std::move(cause);
    return std::make_shared<const error>(std::move(e));
}

void erase(std::vector<batch_ptr>& from, const batch_ptr& b) { std::erase(from, b); }

// What whoever is told can do about it. Of codes that say it themselves nothing is said.
std::string_view hint_for(broker_errc code, protocol::compression codec) noexcept {
    const bool packed = codec != protocol::compression::none;
    switch (code) {
        case broker_errc::corrupt_message:
            return packed ? "old brokers and their imitations say so of compressed batches that they cannot read: compression none, or broker_version (version=) set to their release, would help; if not, the network damages data"
                          : "old brokers and their imitations say so of formats that they do not know: broker_version (version=) set to their release would help; if not, the network damages data";
        case broker_errc::unsupported_compression_type: return "zstd needs Kafka 2.1 and later: compression none, gzip, snappy or lz4 would do";
        case broker_errc::unsupported_for_message_format: return "the topic's message.format.version is too old for it: idempotence off, and records without headers, would do";
        case broker_errc::cluster_authorization_failed: return "before Kafka 2.8 an idempotent producer needs IdempotentWrite on the cluster; idempotence off needs none";
        default: return {};
    }
}

}  // namespace

produce_verdict verdict_of(std::int16_t code) noexcept {
    switch (static_cast<broker_errc>(code)) {
        case broker_errc::none:
        case broker_errc::duplicate_sequence_number: return produce_verdict::success;
        case broker_errc::not_leader_or_follower:
        case broker_errc::leader_not_available:
        case broker_errc::fenced_leader_epoch:
        case broker_errc::unknown_leader_epoch:
        case broker_errc::unknown_topic_or_partition:
        case broker_errc::unknown_topic_id:
        case broker_errc::inconsistent_topic_id:
        case broker_errc::replica_not_available:
        case broker_errc::kafka_storage_error: return produce_verdict::elsewhere;
        case broker_errc::out_of_order_sequence_number:
        case broker_errc::unknown_producer_id: return produce_verdict::out_of_sequence;
        case broker_errc::message_too_large:
        case broker_errc::record_list_too_large: return produce_verdict::too_large;
        case broker_errc::invalid_producer_epoch:
        case broker_errc::producer_fenced: return produce_verdict::fenced;
        // A broker that breaks down inside may have appended; asked again, it says so.
        case broker_errc::unknown_server_error:
        case broker_errc::throttling_quota_exceeded: return produce_verdict::retry;
        default: break;
    }
    const auto* known = find_broker_error(code);
    return known && known->retriable ? produce_verdict::retry : produce_verdict::failure;
}

// --- answers ---

// False: it had ended before.
bool sender_fsm::end_plan(produce_plan& plan) {
    auto& b = broker(plan.broker);
    const auto at = std::find_if(b.plans.begin(), b.plans.end(), [&](const plan_ptr& p) { return p.get() == &plan; });
    if (at == b.plans.end()) return false;
    b.plans.erase(at);
    --b.in_flight;
    return true;
}

void sender_fsm::answered(produce_plan& plan, std::span<const std::optional<produce_answer>> answers, time_point now, std::int64_t wall_ms, sender_actions& out) {
    end_plan(plan);
    bool recovered = false, transaction_before_is_over = false;
    static const auto silent = story(broker_errc::unknown_server_error, "the answer to Produce does not mention the partition");
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        auto& part = plan.parts[i];
        const auto b = std::exchange(part.batch, nullptr);
        part.bytes.reset();
        if (!b) continue;
        auto& p = *part.where;
        erase(p.in_flight, b);
        if (i < answers.size() && answers[i]) {
            const auto& a = *answers[i];
            recovered |= verdict_of(a.code) == produce_verdict::success && p.failures > 1;
            transaction_before_is_over |= completing_ && verdict_of(a.code) == produce_verdict::success;
            if (verdict_of(a.code) == produce_verdict::success) succeeded(p, b, a, out);
            else refused(p, b, a, plan.broker, now, out);
        } else {
            b->maybe_written = true;
            try_again(p, b, silent, now, false, out);
        }
        settle(p, now, out);
    }
    if (recovered) end_pauses(plan.broker, now, out);
    if (transaction_before_is_over) end_short_pauses(now, out);
    admit_waiting(now, wall_ms, out);
    pump_idle(broker(plan.broker), now, out);
}

// A partition that had failed again and again was taken. What kept it may have kept the others of that broker too, and be over for all of them.
void sender_fsm::end_pauses(std::int32_t broker, time_point now, sender_actions& out) {
    for (auto& t : topics_)
        for (auto& p : t.partitions) {
            if (p.leader != broker || p.not_before <= now || p.failures == 0) continue;
            p.not_before = now;
            consider(p, now, true, out);
        }
}

// It is over for all partitions at once.
void sender_fsm::end_short_pauses(time_point now, sender_actions& out) {
    completing_ = false;
    for (auto& t : topics_)
        for (auto& p : t.partitions) {
            if (!std::exchange(p.soon, false) || p.not_before <= now) continue;
            p.not_before = now;
            consider(p, now, true, out);
        }
    for (auto& [id, b] : brokers_) pump(b, now, true, out);
}

void sender_fsm::succeeded(partition_queue& p, const batch_ptr& b, const produce_answer& a, sender_actions& out) {
    p.failures = 0;
    p.refusals = 0;
    p.proven |= b->producer_id == p.producer_id && b->producer_epoch == p.producer_epoch;
    p.trouble.reset();
    tell(*b, nullptr, a.base_offset, a.append_time, out);
    forget(b);
}

void sender_fsm::refused(partition_queue& p, const batch_ptr& b, const produce_answer& a, std::int32_t by, time_point now, sender_actions& out) {
    const auto code = make_error_code(static_cast<broker_errc>(a.code));
    error e;
    e.code = code;
    e.in = phase::request;
    e.api_key = 0;
    e.attempt = b->attempts;
    e.text = "broker " + std::to_string(by) + " refuses a batch for " + p.topic->info->name + '-' + std::to_string(p.index) + ": " + code.message();
    if (!a.message.empty()) e.text += " (" + a.message + ')';
    e.hint = hint_for(static_cast<broker_errc>(a.code), p.topic->settings.codec);
    const auto why = std::make_shared<const error>(std::move(e));
    const auto verdict = verdict_of(a.code);
    if (code != condition::not_persisted) b->maybe_written = true;
    switch (verdict) {
        case produce_verdict::elsewhere: out.push_back(ask_topics{}); [[fallthrough]];
        case produce_verdict::retry:
            if (code == broker_errc::concurrent_transactions) return try_soon(p, b, why, now, out);
            return try_again(p, b, why, now, false, out);
        case produce_verdict::out_of_sequence: return out_of_sequence(p, b, why, now, out);
        case produce_verdict::too_large:
            if (!b->told && b->count > 1 && !b->maybe_written && !settings_.transactional && split(p, b, now, out)) return;
            return give_up(p, b, why, out);
        case produce_verdict::fenced:
            // Nobody else has our producer id, so nobody newer can have raised its epoch: the broker knows of an epoch that we do not.
            if (settings_.idempotent && !settings_.transactional) return out_of_sequence(p, b, why, now, out);
            return give_up(p, b, why, out);
        default: return give_up(p, b, why, out);
    }
}

// The broker misses a batch that came before. If one of those is not settled yet, that is why, and all is well when they go again in order.
// Else what was acknowledged is lost there, or its memory of us is: then this one goes on under a new epoch, unless an attempt of before may
// have left it in the log, which the broker cannot tell any more.
void sender_fsm::out_of_sequence(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, time_point now, sender_actions& out) {
    const auto earlier = [&](const batch_ptr& o) { return o->stamped && o->producer_id == b->producer_id && o->producer_epoch == b->producer_epoch && comes_before(o->base_sequence, b->base_sequence); };
    // A gap explains what it is ahead of. What comes before it and is first of all misses something else: the log has lost its end.
    const bool behind_gap = p.broken && !comes_before(b->base_sequence, p.gap);
    const bool expected = behind_gap || std::any_of(p.in_flight.begin(), p.in_flight.end(), earlier) || std::any_of(p.closed.begin(), p.closed.end(), earlier);
    if (expected) return try_again(p, b, why, now, true, out);
    if (settings_.transactional) return give_up(p, b, why, out);
    ++p.refusals;
    p.broken = true;
    p.gap = b->base_sequence;
    p.lifted = false;
    try_again(p, b, why, now, false, out);
}

void sender_fsm::unsayable(produce_part& part, const std::shared_ptr<const error>& why, time_point now, sender_actions& out) {
    const auto b = std::exchange(part.batch, nullptr);
    part.bytes.reset();
    if (!b) return;
    auto& p = *part.where;
    erase(p.in_flight, b);
    give_up(p, b, why, out);
    settle(p, now, out);
}

// Back among those that wait, at its place in the sequence.
void sender_fsm::try_again(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, time_point now, bool at_once, sender_actions& out) {
    b->last_error = why;
    p.trouble = why;
    if (settings_.acks == 0 && b->maybe_written) return give_up(p, b, why, out);
    // A broker that could not be reached was never tried.
    const bool tried = b->maybe_written || (why && why->code.category() == broker_category());
    if (tried && !at_once && ++b->tries >= settings_.max_attempts) return give_up(p, b, why, out);
    if (aborting_) {
        tell(*b, b->maybe_written ? story(errc::delivery_unknown, "its transaction was aborted while it was sent", why) : story(errc::transaction_aborted, "its transaction was aborted", why), -1,
             -1, out);
        sequence_broken_ = true;
        forget(b);
    } else if (b->told && !b->maybe_written) {
        // Nobody waits for it, and it is not there: the sequence goes on without it.
        leave_gap(p, *b);
        forget(b);
    } else {
        const auto behind = [&](const batch_ptr& o) { return !o->stamped || (settings_.idempotent ? comes_before(b->base_sequence, o->base_sequence) : b->ordinal < o->ordinal); };
        p.closed.insert(std::find_if(p.closed.begin(), p.closed.end(), behind), b);
    }
    if (!std::exchange(p.settling, true)) {
        // The first failure after a success is most often a connection that broke or a leader that moved: no pause then.
        ++p.failures;
        p.not_before = at_once || p.failures <= 1 ? now : now + pause(p.failures - 1);
    } else if (!at_once && p.not_before <= now && p.failures > 1) {
        p.not_before = now + pause(p.failures - 1);
    }
}

// The transaction before is being completed, which takes no longer than it took its markers to be written: short pauses, and no failure.
void sender_fsm::try_soon(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, time_point now, sender_actions& out) {
    const auto failures = p.failures;
    try_again(p, b, why, now, true, out);
    p.failures = failures;
    p.soon = completing_ = true;
    constexpr std::chrono::milliseconds first{20};
    p.not_before = std::max(p.not_before, now + std::min(first * (1 << std::min(b->attempts - 1, 3)), settings_.retry_backoff));
}

// A batch goes and its numbers stay unused. If it was certainly not taken, then nothing behind it was either.
void sender_fsm::leave_gap(partition_queue& p, const produce_batch& b) noexcept {
    if (!settings_.idempotent || !b.stamped) return;
    sequence_broken_ = true;
    if (p.broken && !comes_before(b.base_sequence, p.gap)) return;
    p.broken = true;
    p.gap = b.base_sequence;
    p.lifted = !b.maybe_written;
}

// These records will not be taken.
void sender_fsm::give_up(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, sender_actions& out) {
    p.trouble = why;
    p.settling = true;
    leave_gap(p, *b);
    auto told = why;
    if (b->maybe_written || why->code != condition::not_persisted) {
        // An error of our own before anything was sent (the request cannot be written) is as certain as the broker's refusal.
        if (b->maybe_written) told = story(errc::delivery_unknown, "an earlier attempt may have left the records in the log", why);
        else told = story(errc::producer_failed, "the records cannot be sent", why);
    } else if (why->code == broker_errc::message_too_large || why->code == broker_errc::record_list_too_large) {
        if (b->count == 1) told = story(errc::record_too_large, "the record takes " + std::to_string(b->bytes->size()) + " bytes", why, "raise max.message.bytes of the topic, or send less at a time");
    }
    if (settings_.transactional) fail_transaction_for(told, out);
    tell(*b, told, -1, -1, out);
    forget(b);
}

void sender_fsm::fail_transaction_for(const std::shared_ptr<const error>& why, sender_actions& out) {
    if (!std::exchange(transaction_failed_, true)) out.push_back(fail_transaction{why});
}

// Two batches of half the records each. The sequence begins anew, as the numbers of the second half were never taken.
bool sender_fsm::split(partition_queue& p, const batch_ptr& b, time_point now, sender_actions&) {
    protocol::record_reader in{b->bytes->view()};
    const auto half = b->count / 2;
    batch_ptr parts[2] = {std::make_shared<produce_batch>(), std::make_shared<produce_batch>()};
    protocol::batch_builder build;
    std::vector<std::pair<std::shared_ptr<protocol::byte_buffer>, std::uint32_t>> made;
    std::vector<header_view> headers;
    std::int32_t n = 0;
    for (int half_number = 0; half_number < 2; ++half_number) {
        auto& to = *parts[half_number];
        build.start({.codec = p.topic->settings.codec, .level = p.topic->settings.level});
        const auto until = half_number == 0 ? half : b->count;
        for (; n < until; ++n) {
            const auto* r = in.next();
            if (!r) return false;
            headers.assign(r->headers.begin(), r->headers.end());
            if (n == 0 || n == half) to.first_timestamp = r->timestamp;
            if (build.append(r->timestamp, r->key, r->value, headers) != errc{}) return false;
        }
        to.bytes = take_buffer();
        to.count = build.count();
        if (build.finish(*to.bytes, to.records_sum, compressor_)) return false;
    }
    for (auto& part : parts) untold_.enter(*part);
    while (auto* w = b->waiters.front()) {
        auto* const rest = w->first < half && w->first + w->count > half ? w->node() : nullptr;
        b->waiters.pop();
        if (w->first >= half) {
            w->first -= half;
            parts[1]->waiters.push(w);
            continue;
        }
        if (rest) {
            const auto beyond = w->first + w->count - half;
            w->count -= beyond;
            rest->first = 0;
            rest->count = beyond;
            parts[1]->waiters.push(rest);
        }
        parts[0]->waiters.push(w);
    }
    if (!b->tags.empty()) {
        parts[0]->tags.assign(b->tags.begin(), b->tags.begin() + half);
        parts[1]->tags.assign(b->tags.begin() + half, b->tags.end());
    }
    const auto at = std::find_if(p.closed.begin(), p.closed.end(), [&](const batch_ptr& o) { return !o->stamped || comes_before(b->base_sequence, o->base_sequence); });
    auto where = at - p.closed.begin();
    for (auto& half_batch : parts) {
        half_batch->where = &p;
        half_batch->charged = half_batch->bytes->size();
        half_batch->born = b->born;
        half_batch->deadline = b->deadline;
        half_batch->flush = b->flush;
        // At its place in the sequence until that begins anew.
        half_batch->producer_id = b->producer_id;
        half_batch->producer_epoch = b->producer_epoch;
        half_batch->base_sequence = b->base_sequence;
        half_batch->stamped = settings_.idempotent;
        half_batch->ordinal = b->ordinal;
        used_ += half_batch->charged;
        p.closed.insert(p.closed.begin() + where++, half_batch);
    }
    ++unsettled_;
    ++periods_[b->flush];
    b->told = true;  // its halves will be
    untold_.leave(*b);
    forget(b);
    p.settling = true;
    leave_gap(p, *b);
    if (p.not_before < now) p.not_before = now;
    return true;
}

// --- when all in flight is answered ---

void sender_fsm::settle(partition_queue& p, time_point now, sender_actions& out) {
    if (!p.in_flight.empty()) {
        if (!p.settling) consider(p, now, true, out);
        arm_for(p, now);
        return;
    }
    p.settling = false;
    if (p.broken && !may_go(p)) begin_anew(p, out);
    consider(p, now, true, out);
    arm_for(p, now);
}

// A new epoch, numbers from zero. What may be in the log under the old one is not sent again: it is told as unknown.
void sender_fsm::begin_anew(partition_queue& p, sender_actions& out) {
    const bool lifted = std::exchange(p.lifted, false);
    p.broken = false;
    std::deque<batch_ptr> keep;
    for (auto& b : std::exchange(p.closed, {})) {
        const bool unknown = b->stamped && b->maybe_written && !lifted;
        if (b->stamped && (b->told || unknown)) {
            tell(*b, story(errc::delivery_unknown, "sent without an answer, and the broker has lost track of this producer", b->last_error), -1, -1, out);
            if (settings_.transactional) fail_transaction_for(b->last_error, out);
            forget(b);
            continue;
        }
        b->stamped = false;
        b->maybe_written = false;
        keep.push_back(std::move(b));
    }
    p.closed = std::move(keep);
    if (!settings_.idempotent || settings_.transactional) return;  // a transaction's epoch is its coordinator's to raise
    if (p.producer_id < 0) return;
    p.next_sequence = 0;
    p.proven = false;
    if (p.refusals <= 3 && p.producer_epoch < std::numeric_limits<std::int16_t>::max()) {
        ++p.producer_epoch;
        return;
    }
    // No epoch is left, or the broker takes none of them: as somebody else. Not for less: only under the same id does a higher epoch fence
    // what may still be under way on a connection that is gone. Partitions that do well keep the id that they have.
    p.producer_id = -1;
    identity_.reset();
    p.refusals = 0;
}

void sender_fsm::producer_id_known(std::int64_t id, std::int16_t epoch, time_point now, sender_actions& out) {
    asking_identity_ = false;
    identity_failures_ = 0;
    identity_retry_at_.reset();
    sequence_broken_ = false;
    had_identity_ = true;
    identity_ = {id, epoch};
    for (auto& t : topics_)
        for (auto& p : t.partitions) {
            if (settings_.transactional && p.in_flight.empty()) {
                p.producer_id = -1;
                p.broken = false;
                for (auto& b : p.closed) b->stamped = false;
            }
            if (!p.idle()) consider(p, now, true, out);
        }
    for (auto& [broker_id, b] : brokers_) pump(b, now, true, out);
}

// Without one nothing can be sent by this producer.
void sender_fsm::producer_id_failed(const std::shared_ptr<const error>& why, time_point now, sender_actions& out) {
    topics_trouble_ = why;  // what keeps the records
    const auto code = why->code;
    const bool hopeless = code == broker_errc::cluster_authorization_failed || code == broker_errc::transactional_id_authorization_failed ||
                          code == broker_errc::unsupported_version || code == errc::no_common_version || code == errc::client_closed;
    if (!hopeless) {
        identity_retry_at_ = now + pause(++identity_failures_);
        return;
    }
    asking_identity_ = false;
    if (code != errc::no_common_version || settings_.transactional) return stop(*why, out);
    if (!settings_.may_do_without || had_identity_)
        return stop(*story(code, "the brokers are older than Kafka 0.11, which idempotence needs", why, "idempotence = off sends to them: at least once, as what is tried again may then be stored twice"), out);
    degraded_ = story(code, "the brokers are older than Kafka 0.11 and keep no sequences: records are sent at least once, and what is tried again may be stored twice", why,
                      "idempotence = off says that this is meant, on refuses such brokers");
    settings_.idempotent = false;
    refuse_headers();
    for (auto& t : topics_)
        for (auto& p : t.partitions)
            if (!p.idle()) consider(p, now, true, out);
    for (auto& [broker_id, b] : brokers_) pump(b, now, true, out);
}

// --- patience ---

void sender_fsm::expire(partition_queue& p, time_point now, sender_actions& out) {
    const auto late = [&](const produce_batch& b) { return b.deadline <= now && !b.told; };
    const auto waited = [&] { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(p.topic->settings.delivery_timeout).count()) + " ms"; };
    const auto fail = [&](produce_batch& b, errc code, std::string text) {
        auto cause = b.last_error ? b.last_error : p.trouble ? p.trouble : topics_trouble_;
        const auto why = story(code, std::move(text) + waited(), std::move(cause));
        if (settings_.transactional) fail_transaction_for(why, out);
        tell(b, why, -1, -1, out);
    };
    for (auto& b : p.in_flight)
        if (late(*b)) fail(*b, errc::delivery_unknown, "sent, and not answered within ");
    for (std::size_t i = 0; i < p.closed.size();) {
        const auto b = p.closed[i];
        if (b->deadline > now) break;
        if (b->told || b->maybe_written) {
            if (!b->told) fail(*b, errc::delivery_unknown, "sent, and not answered for certain within ");
            ++i;
            continue;
        }
        fail(*b, errc::delivery_timed_out, p.leader < 0 ? "the partition had no leader, not sent within " : "not taken by the broker within ");
        p.closed.erase(p.closed.begin() + static_cast<std::ptrdiff_t>(i));
        if (b->stamped && settings_.idempotent) p.settling = true;
        leave_gap(p, *b);
        forget(b);
    }
    if (p.settling && p.in_flight.empty()) settle(p, now, out);
    if (p.open && late(*p.open)) {
        auto& b = *p.open;
        fail(b, errc::delivery_timed_out, p.leader < 0 ? "the partition had no leader, not sent within " : "not sent within ");
        drop_open(p);
    }
}

// --- telling ---

void sender_fsm::tell(produce_batch& b, std::shared_ptr<const error> why, std::int64_t base_offset, std::int64_t append_time, sender_actions& out) {
    if (b.told) return;
    make_room_for(out, 2);
    b.told = true;
    untold_.leave(b);
    const auto count = b.where->open.get() == &b ? b.where->builder->count() : b.count;
    (why ? counts_.failed : counts_.acknowledged) += static_cast<std::uint64_t>(count);
    out.push_back(tell_batch{b.where->topic, b.where->index, count, base_offset, b.first_timestamp, append_time, std::move(why), std::move(b.waiters), std::move(b.tags)});
    b.tags = {};
    --unsettled_;
    end_period(b.flush, out);
}

// It is over: its bytes are free, as soon as no request reads them any more.
void sender_fsm::forget(const batch_ptr& b) {
    if (!b->told) throw std::logic_error("sender_fsm: a batch is forgotten before it is told");
    used_ -= b->charged;
    b->charged = 0;
    recycle(std::move(b->bytes));
    b->bytes = nullptr;
}

void sender_fsm::drop_open(partition_queue& p) {
    p.open.reset();
    used_ -= p.builder->size();
    free_builders_.push_back(std::exchange(p.builder, nullptr));
    open_[p.open_at] = open_.back();
    open_[p.open_at]->open_at = p.open_at;
    open_.pop_back();
    p.flushing = false;
}

// --- the end, and transactions ---

void sender_fsm::stop(const error& why, sender_actions& out) {
    stopped_ = true;
    const auto cause = std::make_shared<const error>(why);
    const auto unsent = story(errc::send_withdrawn, "the producer ended before the record was sent", cause);
    const auto unknown = story(errc::delivery_unknown, "the producer ended before the record was acknowledged", cause);
    for (auto& t : topics_) {
        for (auto& p : t.partitions) {
            for (auto& b : std::exchange(p.in_flight, {})) {
                tell(*b, unknown, -1, -1, out);
                forget(b);
            }
            for (auto& b : std::exchange(p.closed, {})) {
                tell(*b, b->maybe_written ? unknown : unsent, -1, -1, out);
                forget(b);
            }
            if (p.open) {
                tell(*p.open, unsent, -1, -1, out);
                drop_open(p);
            }
        }
        refuse_waiting(t, unsent, out);
    }
    for (auto& [id, b] : brokers_) {
        for (auto& plan : b.plans) {
            for (auto& part : plan->parts) part.batch.reset();
            if (!plan->on_wire) out.push_back(withdraw_produce{plan});
        }
        b.plans.clear();
        b.in_flight = 0;
        b.ready.clear();
    }
    alarms_.clear();
    while (auto* const b = untold_.first()) tell(*b, unknown, -1, -1, out);
    for (auto& orphans = untold_.orphans; !orphans.empty();) {
        make_room_for(out, 1);
        out.push_back(tell_waiter{orphans.pop(), unknown});
    }
}

void sender_fsm::begin_transaction() {
    transaction_failed_ = aborting_ = false;
    for (auto& t : topics_)
        for (auto& p : t.partitions) {
            p.in_transaction = p.transaction_ready = false;
            if (p.in_flight.empty()) p.failures = 0;  // they were another transaction's
            p.not_before = {};
        }
}

void sender_fsm::partition_ready(partition_queue& p, time_point now, sender_actions& out) {
    p.transaction_ready = true;
    consider(p, now, true, out);
    if (p.leader >= 0) pump(broker(p.leader), now, true, out);
}

void sender_fsm::drop_unsent(const error& why, time_point now, sender_actions& out) {
    transaction_failed_ = aborting_ = true;
    const auto aborted = story(errc::transaction_aborted, "its transaction was aborted before it was sent", std::make_shared<const error>(why));
    const auto unknown = story(errc::delivery_unknown, "its transaction was aborted after it may have been sent", std::make_shared<const error>(why));
    for (auto& t : topics_) {
        refuse_waiting(t, aborted, out);
        for (auto& p : t.partitions) {
            for (auto& b : std::exchange(p.closed, {})) {
                tell(*b, b->maybe_written ? unknown : aborted, -1, -1, out);
                leave_gap(p, *b);
                forget(b);
            }
            if (p.open) {
                tell(*p.open, aborted, -1, -1, out);
                drop_open(p);
            }
            arm_for(p, now);
        }
    }
}

std::chrono::nanoseconds sender_fsm::pause(int failures) {
    auto ns = std::chrono::nanoseconds{settings_.retry_backoff};
    for (int i = 1; i < failures && ns < settings_.retry_backoff_max; ++i) ns *= 2;
    ns = std::min(ns, std::chrono::nanoseconds{settings_.retry_backoff_max});
    // Spread by a fifth, so that those who were cut off together do not come back together.
    const auto fifth = ns.count() / 5;
    return fifth == 0 ? ns : ns + std::chrono::nanoseconds{static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(2 * fifth))) - fifth};
}

}  // namespace kafkawire::client_detail
