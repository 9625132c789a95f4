// What answers mean, and what is handed out.
#include <algorithm>

#include "client/fetch_errors.hpp"
#include "client/fetch_fsm.hpp"

namespace kafkawire::client_detail {

using protocol::messages::fetch_response;

// --- Fetch ---

topic_info* fetch_fsm::topic_of(const fetch_response::fetchable_topic_response& t) const noexcept {
    const auto at = std::find_if(topics_.begin(), topics_.end(), [&](const topic_info* i) { return t.topic_id.is_zero() ? i->name == t.topic : i->id == t.topic_id; });
    return at == topics_.end() ? nullptr : *at;
}

void fetch_fsm::answered(fetch_plan& plan, const fetch_response& m, std::shared_ptr<const std::byte[]> frame, std::size_t frame_size, time_point now) {
    auto& b = brokers_[plan.broker];
    const auto keep = b.in_flight;
    b.in_flight = nullptr;
    // The account is settled first: from now on the frame itself is charged, until the last of its records is gone.
    share_->charge(frame_size);
    share_->give_back(std::exchange(plan.charged, 0));
    const auto bytes = std::make_shared<const fetched_frame>(share_, std::move(frame), frame_size);
    b.session.answered(m.error_code, m.session_id);
    if (m.error_code == 0) {
        b.failures = 0;
        b.not_before.reset();
    } else if (meaning_of(m.error_code, fetch_api::fetch) == fetch_meaning::session && b.failures == 0) {
        ++b.failures;                                       // once at once; a broker that says so again and again gets pauses
    } else {
        ++b.failures;
        b.not_before = now + pause_.after(b.failures, settings_.retry_backoff, settings_.retry_backoff_max);
    }
    for (const auto& t : m.responses) {
        auto* const info = topic_of(t);
        if (!info) continue;
        for (const auto& a : t.partitions) {
            const auto at = places_.find({info, a.partition_index});
            if (at == places_.end()) continue;
            auto& p = partitions_.at(at->second);
            if (p.asked_by != &plan) continue;
            p.asked_by = nullptr;
            if (p.asked_moves == p.moves && std::holds_alternative<fetching>(p.state)) answered_part(p, a, plan, bytes, now);
        }
    }
    const auto all = meaning_of(m.error_code, fetch_api::fetch);
    for (const auto number : plan.numbers) {
        const auto at = partitions_.find(number);
        if (at == partitions_.end() || at->second.asked_by != &plan) continue;
        auto& p = at->second;
        p.asked_by = nullptr;
        if (all == fetch_meaning::elsewhere) p.ask_topics = true;
        if (all == fetch_meaning::refused && std::holds_alternative<fetching>(p.state)) refused(p, m.error_code, fetch_response::key, now);
    }
}

void fetch_fsm::answered_part(reading_partition& p, const answer_part& a, const fetch_plan& plan, const std::shared_ptr<const fetched_frame>& frame, time_point now) {
    const bool from_replica = p.replica >= 0 && p.replica == plan.broker;
    switch (meaning_of(a.error_code, fetch_api::fetch)) {
        case fetch_meaning::good: break;
        case fetch_meaning::out_of_range:
            // A replica that lags behind or has deleted more than its leader: the leader is to say.
            back_off(p, now);                               // whoever sends us there and says this again gets pauses
            if (from_replica) {
                p.replica = -1;
                p.not_before.reset();
            } else if (p.position_epoch >= 0 && p.checked_epoch >= 0) {
                drop_data(p);
                transition(p, validating{false, true});     // truncated, or only deleted by age?
            } else {
                reset_by_policy(p, "the log does not have offset " + std::to_string(p.position) + " (any more)");
            }
            return;
        default:
            if (from_replica) p.replica = -1;
            return refused(p, a.error_code, fetch_response::key, now);
    }
    p.high_watermark = a.high_watermark;
    p.last_stable = a.last_stable_offset;
    if (a.log_start_offset >= 0) p.log_start = a.log_start_offset;
    if (a.diverging_epoch.epoch >= 0 && p.position_epoch >= 0) {
        drop_data(p);
        back_off(p, now);
        return transition(p, validating{});
    }
    if (a.preferred_read_replica >= 0 && a.preferred_read_replica != plan.broker) {
        p.replica = a.preferred_read_replica;
        p.replica_until = now + settings_.replica_age;
    }
    if (!a.records || a.records->data.empty()) {
        if (p.failures > 0 && !p.not_before) p.failures = 0;
        return;
    }
    fetched_slice slice;
    slice.frame = frame;
    slice.records = a.records->data;
    slice.asked_offset = p.asked_offset;
    if (a.aborted_transactions && settings_.open.read_committed) {
        std::vector<aborted_range> list;
        list.reserve(a.aborted_transactions->size());
        for (const auto& t : *a.aborted_transactions) list.push_back({t.producer_id, t.first_offset});
        slice.aborted = aborted_producers{std::move(list)};
    }
    p.unread = std::move(slice);
}

void fetch_fsm::refused(reading_partition& p, std::int16_t code, std::int16_t api_key, time_point now) {
    const auto api = api_key == fetch_response::key                                     ? fetch_api::fetch
                     : api_key == protocol::messages::list_offsets_response::key ? fetch_api::list_offsets
                                                                                 : fetch_api::epochs;
    switch (meaning_of(code, api)) {
        case fetch_meaning::elsewhere: {
            // An answer may have named the new leader itself (KIP-951): then nobody need be asked.
            const auto index = static_cast<std::size_t>(p.index);
            const bool known_already = p.seen_changes != p.info->changes && index < p.info->partitions.size() && p.info->partitions[index].leader_epoch > p.checked_epoch;
            if (known_already) return;
            p.ask_topics = true;
            return back_off(p, now);
        }
        case fetch_meaning::refused: {
            error e;
            e.code = static_cast<broker_errc>(code);
            e.in = phase::request;
            e.api_key = api_key;
            const auto* const r = std::get_if<resetting>(&p.state);
            const bool checks = std::holds_alternative<validating>(p.state);
            fail(p, std::move(e), -1, r ? std::optional{r->to} : std::nullopt);
            std::get<reading_failed>(p.state).check = checks;
            return;
        }
        default: return back_off(p, now);
    }
}

void fetch_fsm::lost(fetch_plan& plan, const error& why, time_point now) {
    auto& b = brokers_[plan.broker];
    const auto keep = b.in_flight;
    b.in_flight = nullptr;
    share_->give_back(std::exchange(plan.charged, 0));
    b.session.lost();
    const bool other_version = why.code == errc::not_in_version && plan.incremental;  // the broker is another one now, which knows no sessions
    if (!other_version) {
        ++b.failures;
        b.not_before = now + pause_.after(b.failures, settings_.retry_backoff, settings_.retry_backoff_max);
    }
    const bool too_large = why.code == errc::frame_too_large;
    if (too_large && plan.numbers.size() > 1) b.alone = plan.numbers.size();
    const bool hopeless = !other_version && why.code != condition::retriable && why.code != errc::canceled && (!too_large || plan.numbers.size() == 1);
    for (const auto number : plan.numbers) {
        const auto at = partitions_.find(number);
        if (at == partitions_.end() || at->second.asked_by != &plan) continue;
        auto& p = at->second;
        p.asked_by = nullptr;
        if (p.replica == plan.broker) p.replica = -1;
        p.ask_topics = !other_version;
        if (!hopeless || !std::holds_alternative<fetching>(p.state)) continue;
        auto e = why;
        e.text = "it cannot be fetched: " + (why.text.empty() ? why.code.message() : why.text);
        if (too_large) e.hint = "raise max_response, or lower partition_bytes; skip() steps over one record";
        fail(p, std::move(e), too_large ? p.position + 1 : -1);
    }
}

// --- ListOffsets, OffsetForLeaderEpoch ---

void fetch_fsm::offsets(offset_plan& plan, const std::vector<std::optional<offset_answer>>& answers, time_point now) {
    auto& b = brokers_[plan.broker];
    (plan.epochs ? b.epochs_asked : b.offsets_asked) = false;
    b.failures = 0;
    for (std::size_t i = 0; i < plan.parts.size(); ++i) {
        const auto& part = plan.parts[i];
        const auto at = partitions_.find(part.number);
        if (at == partitions_.end() || at->second.moves != part.moves) continue;
        auto& p = at->second;
        if (auto* const v = std::get_if<validating>(&p.state); v && plan.epochs) v->asked = false;
        else if (auto* const r = std::get_if<resetting>(&p.state); r && !plan.epochs) r->asked = false;
        else continue;
        if (i >= answers.size() || !answers[i]) back_off(p, now);
        else offset_answered(p, plan, part, *answers[i], now);
    }
}

void fetch_fsm::offset_answered(reading_partition& p, const offset_plan& plan, const offset_plan::part& part, const offset_answer& a, time_point now) {
    const auto meaning = meaning_of(a.code, plan.epochs ? fetch_api::epochs : fetch_api::list_offsets);
    if (meaning != fetch_meaning::good && meaning != fetch_meaning::undefined)
        return refused(p, a.code, plan.epochs ? protocol::messages::offset_for_leader_epoch_response::key : protocol::messages::list_offsets_response::key, now);
    if (!plan.epochs) {
        if (a.offset < 0) {  // no record is as young as that: the next one will be
            if (part.start.what == start_position::kind::end) return back_off(p, now);
            return transition(p, resetting{start_position::end()});
        }
        p.position = a.offset;
        p.position_epoch = a.leader_epoch;
        p.checked_epoch = std::max(p.checked_epoch, part.leader_epoch);
        if (const auto lost = std::exchange(p.lost_position, -1); lost >= 0) resets_.push_back({p.number, lost, p.position});
        return transition(p, fetching{});
    }
    const bool out_of_range = std::get<validating>(p.state).out_of_range;
    p.checked_epoch = std::max(p.checked_epoch, part.leader_epoch);
    const bool knows = meaning == fetch_meaning::good && a.offset >= 0 && a.leader_epoch >= 0;
    if (knows && a.offset < p.position) {
        error e;
        e.code = errc::log_truncated;
        e.text = "the log has lost what was read behind offset " + std::to_string(a.offset) + " (leader epoch " + std::to_string(part.epoch) + ')';
        e.hint = "reading goes on there, if nothing else is done: an unclean election took records that had been acknowledged";
        fail(p, std::move(e), -1, {}, std::chrono::milliseconds{0});
        p.position = a.offset;
        p.position_epoch = a.leader_epoch;
        cuts_.push_back({p.topic, p.index, p.position});
        return;
    }
    if (out_of_range) return reset_by_policy(p, "the log does not have offset " + std::to_string(p.position) + " (any more)");
    transition(p, fetching{});
}

void fetch_fsm::offsets_lost(offset_plan& plan, const error& why, time_point now) {
    auto& b = brokers_[plan.broker];
    (plan.epochs ? b.epochs_asked : b.offsets_asked) = false;
    const bool cannot = why.code == errc::no_common_version || why.code == errc::not_in_version;
    if (!cannot) {
        ++b.failures;
        b.not_before = now + pause_.after(b.failures, settings_.retry_backoff, settings_.retry_backoff_max);
    }
    for (const auto& part : plan.parts) {
        const auto at = partitions_.find(part.number);
        if (at == partitions_.end() || at->second.moves != part.moves) continue;
        auto& p = at->second;
        if (auto* const v = std::get_if<validating>(&p.state); v && plan.epochs) {
            v->asked = false;
            if (cannot) {                                   // an old broker: what it does not know cannot be asked
                if (v->out_of_range) reset_by_policy(p, "the log does not have offset " + std::to_string(p.position) + " (any more)");
                else transition(p, fetching{});
                continue;
            }
        } else if (auto* const r = std::get_if<resetting>(&p.state); r && !plan.epochs) {
            r->asked = false;
        } else {
            continue;
        }
        p.ask_topics = true;
        if (why.code == condition::retriable || why.code == errc::canceled || plan.epochs) continue;
        auto e = why;
        e.text = "its offsets cannot be asked for: " + (why.text.empty() ? why.code.message() : why.text);
        fail(p, std::move(e), -1, part.start);
    }
}

// --- handing out ---

bool fetch_fsm::ready() const noexcept {
    for (const auto& [number, p] : partitions_) {
        if (const auto* const f = std::get_if<reading_failed>(&p.state); f && !f->told) return true;
        if (!p.paused && !p.waits() && std::holds_alternative<fetching>(p.state) && p.has_data()) return true;
        if (p.walked->failed.load(std::memory_order_acquire)) return true;
    }
    return false;
}

// A walk over records that were handed out came upon a malformed one: the position goes back to it.
void fetch_fsm::look_at_walk(reading_partition& p) {
    if (!p.walked->failed.load(std::memory_order_acquire)) return;
    const auto walked = std::exchange(p.walked, std::make_shared<walk_state>());
    if (!std::holds_alternative<fetching>(p.state)) return;
    drop_data(p);
    p.position = walked->at;
    p.bad = walked->error;
    tell_bad(p);
}

void fetch_fsm::tell_bad(reading_partition& p) {
    const auto bad = std::exchange(p.bad, {});
    error e;
    e.code = make_error_code(bad.code);
    e.text = bad.message();
    e.hint = "skip() steps over the batch; else it is fetched again";
    fail(p, std::move(e), std::max(bad.last_offset, p.position) + 1);
}

std::size_t fetch_fsm::open(reading_partition& p, std::size_t most_bytes, time_point now) {
    auto o = open_slice(*p.unread, p.position, settings_.open, most_bytes, p.topic, p.index, p.number, p.walked, decompressor_);
    if (p.unread->records.empty()) p.unread.reset();
    else p.unread->asked_offset = o.next_offset;
    p.bad = o.error;
    if (o.cut_batch > 0) {
        // Brokers from 0.10.1 on send the first batch whole; before that, one that does not fit would be asked for in vain for ever.
        if (p.max_bytes >= settings_.most_partition_bytes) {
            p.bad = {errc::limit_exceeded, "a batch is larger than max_response allows", 0, 0, p.position, p.position};
            return 0;
        }
        const auto next = std::max(static_cast<std::size_t>(p.max_bytes) * 2, o.cut_batch);
        p.max_bytes = static_cast<std::int32_t>(std::min(next, static_cast<std::size_t>(settings_.most_partition_bytes)));
        return 0;
    }
    p.max_bytes = settings_.partition_bytes;
    if (o.next_offset == p.position && !o.error) {
        back_off(p, now);                                   // nothing but what was read before: not as fast as it can answer
        return 0;
    }
    p.failures = 0;
    if (o.chunk) {
        p.rest = std::move(o.range);
        p.rest_next = o.next_offset;
        p.rest_epoch = o.leader_epoch;
    } else {
        p.position = o.next_offset;
        if (o.leader_epoch >= 0) p.position_epoch = o.leader_epoch;
    }
    return o.bytes;
}

fetch_fsm::taken fetch_fsm::take(std::size_t most, time_point now) {
    taken t;
    for (auto& [number, p] : partitions_) {
        look_at_walk(p);
        if (auto* const f = std::get_if<reading_failed>(&p.state); f && !f->told) {
            f->told = true;
            if (f->why->code == errc::topic_recreated) p.another_topic = false;
            t.why = f->why;
            return t;
        }
    }
    auto left = most == 0 ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(most);
    auto at = partitions_.upper_bound(last_taken_);
    reading_partition* failed = nullptr;
    std::size_t bytes = 0;
    for (std::size_t n = partitions_.size(); n > 0 && left > 0 && bytes < settings_.poll_bytes; --n, ++at) {
        if (at == partitions_.end()) at = partitions_.begin();
        auto& p = at->second;
        if (p.paused || p.waits() || !std::holds_alternative<fetching>(p.state)) continue;
        if (p.rest.count == 0 && !p.bad && p.unread) bytes += open(p, settings_.poll_bytes - bytes, now);
        if (p.rest.count > 0) {
            auto front = cut_front(p.rest, left);
            left -= front.count;
            if (p.rest.count == 0) {
                front.next_offset = p.rest_next;
                p.position_epoch = p.rest_epoch;
            } else {
                p.position_epoch = p.rest.chunk->batches[p.rest.batch].leader_epoch;  // of the last one before it, which may be of a later batch than the first
            }
            p.position = front.next_offset;
            last_taken_ = at->first;
            t.parts.emplace_back(std::move(front));
        } else if (p.bad) {
            tell_bad(p);
            failed = &p;
        }
    }
    if (t.parts.empty() && failed) {
        auto& f = std::get<reading_failed>(failed->state);
        f.told = true;
        t.why = f.why;
    }
    return t;
}

}  // namespace kafkawire::client_detail
