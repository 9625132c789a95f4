#include "broker/producer_state.hpp"

#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>
#include <limits>
#include <utility>

#include "broker/broken_rules.hpp"

namespace kafkawire::broker {
namespace {

constexpr std::int64_t expiry_check_ms = 600'000;
constexpr std::int16_t transactions_v2 = 2;

bool follows(std::int32_t last, std::int32_t next) noexcept {
    return next == std::int64_t{last} + 1 || (next == 0 && last == std::numeric_limits<std::int32_t>::max());
}

producer_state::verdict refused(broker_errc why) {
    producer_state::verdict v;
    v.is = producer_state::verdict::kind::refuse;
    v.error = why;
    return v;
}

}  // namespace

producer_batch producer_batch::of(const protocol::record_batch& batch) noexcept {
    return {batch.producer_id,
            batch.producer_epoch,
            batch.base_sequence,
            batch.base_sequence < 0 ? -1 : batch.last_sequence(),
            static_cast<std::int32_t>(batch.last_offset - batch.base_offset),
            batch.max_timestamp,
            batch.is_transactional()};
}

// The batch's own offsets give its length: a batch that was compacted covers more sequences than it has records.
std::int32_t producer_state::remembered::first_sequence() const noexcept { return protocol::add_to_sequence(last_sequence, -offset_delta); }

void producer_state::entry::set_epoch(std::int16_t to) noexcept {
    if (epoch == to) return;
    epoch = to;
    batches = 0;
}

void producer_state::entry::remember(const remembered& batch) noexcept {
    if (batches == last.size()) {
        std::move(last.begin() + 1, last.end(), last.begin());
        --batches;
    }
    last[batches++] = batch;
}

const producer_state::entry* producer_state::find(std::int64_t producer_id) const {
    const auto at = producers_.find(producer_id);
    return at == producers_.end() ? nullptr : &at->second;
}

bool producer_state::has_ongoing_transaction(std::int64_t producer_id, std::int16_t epoch) const {
    const auto* known = find(producer_id);
    return known && known->epoch == epoch && known->transaction_start >= 0;
}

broker_errc producer_state::begin_verification(const producer_batch& batch, bool epoch_bump, std::int64_t now_ms) {
    if (const auto* known = find(batch.producer_id); known && batch.epoch < known->epoch) return broker_errc::invalid_producer_epoch;
    auto& v =
        verifications_.try_emplace(batch.producer_id, verification{now_ms, batch.first_sequence, batch.epoch, epoch_bump}).first->second;
    if (batch.epoch > v.epoch) {
        v.epoch = batch.epoch;
        v.lowest_sequence = batch.first_sequence;
    } else if (batch.epoch == v.epoch) {
        v.lowest_sequence = std::min(v.lowest_sequence, batch.first_sequence);
    }
    return broker_errc::none;
}

broker_errc producer_state::check_sequence(const producer_batch& batch, const entry* known) const {
    constexpr auto out_of_order = broker_errc::out_of_order_sequence_number;
    // Nearly always there is nothing under way, and then this costs nothing.
    if (!verifications_.empty()) {
        if (const auto at = verifications_.find(batch.producer_id); at != verifications_.end()) {
            const bool nothing_known = !known || known->batches == 0;
            if (at->second.epoch_bump && batch.first_sequence != 0 && nothing_known) return out_of_order;
            if (batch.first_sequence > at->second.lowest_sequence) return out_of_order;
        }
    }
    if (!known || known->epoch == -1) return broker_errc::none;
    if (batch.epoch != known->epoch) return batch.first_sequence == 0 ? broker_errc::none : out_of_order;
    return follows(known->last_sequence(), batch.first_sequence) ? broker_errc::none : out_of_order;
}

producer_state::verdict producer_state::check(const producer_batch& batch, append_origin origin, bool verified) {
    verdict v;
    if (batch.producer_id < 0) return v;
    const auto at = producers_.find(batch.producer_id);
    v.known = at == producers_.end() ? nullptr : &at->second;
    if (origin == append_origin::replication || broken.keep_duplicates) return v;
    if (origin == append_origin::client && v.known && batch.epoch == v.known->epoch) {
        const auto* const begin = std::as_const(*v.known).last.data();
        const auto* const end = begin + v.known->batches;
        const auto* const twin = std::find_if(begin, end, [&](const auto& r) {
            return r.last_sequence == batch.last_sequence && r.first_sequence() == batch.first_sequence;
        });
        if (twin != end) {
            v.is = verdict::kind::duplicate;
            v.base_offset = twin->first_offset();
            v.timestamp = twin->timestamp;
            return v;
        }
    }
    if (v.known && batch.epoch < v.known->epoch) return refused(broker_errc::invalid_producer_epoch);
    const bool open = v.known && v.known->transaction_start >= 0;
    if (batch.transactional && !(open && v.known->epoch == batch.epoch) && !verified) return refused(broker_errc::invalid_txn_state);
    if (origin == append_origin::client)
        if (const auto wrong = check_sequence(batch, v.known); wrong != broker_errc::none) return refused(wrong);
    if (open && !batch.transactional) return refused(broker_errc::invalid_txn_state);
    return v;
}

void producer_state::appended(const producer_batch& batch, std::int64_t base_offset, const verdict& checked) {
    if (batch.producer_id < 0) return;
    auto& e = checked.known ? *checked.known : producers_[batch.producer_id];
    e.set_epoch(batch.epoch);
    e.remember({batch.last_sequence, base_offset + batch.last_offset_delta, batch.last_offset_delta, batch.max_timestamp});
    e.last_timestamp = batch.max_timestamp;
    if (!batch.transactional) return;
    if (e.transaction_start < 0) {
        e.transaction_start = base_offset;
        ongoing_[base_offset] = {batch.producer_id, -1};
    }
    verifications_.erase(batch.producer_id);
}

broker_errc producer_state::check_marker(const transaction_marker& marker) const {
    const auto* known = find(marker.producer_id);
    if (!known) return broker_errc::none;
    const bool v2 = marker.transaction_version >= transactions_v2;
    if (v2 ? marker.epoch <= known->epoch : marker.epoch < known->epoch) {
        // The coordinator writes a marker again when it does not know that the first one arrived; and at the end of all epochs none is
        // higher.
        const bool again = v2 && marker.epoch == known->epoch &&
                           (known->transaction_start < 0 || marker.epoch == std::numeric_limits<std::int16_t>::max());
        if (!again) return broker_errc::invalid_producer_epoch;
    }
    return known->coordinator_epoch > marker.coordinator_epoch ? broker_errc::transaction_coordinator_fenced : broker_errc::none;
}

void producer_state::marker_appended(const transaction_marker& marker, std::int64_t offset) {
    auto& e = producers_[marker.producer_id];
    if (const auto first = std::exchange(e.transaction_start, -1); first >= 0) {
        ongoing_.erase(first);
        unreplicated_[first] = {marker.producer_id, offset};
        if (!marker.commit)
            aborted_.push_back({marker.producer_id, first, offset, ongoing_.empty() ? offset + 1 : ongoing_.begin()->first});
    }
    e.set_epoch(marker.epoch);
    e.coordinator_epoch = marker.coordinator_epoch;
    e.last_timestamp = marker.timestamp;
    // A batch of the next transaction may be under verification already, in the epoch that this marker brings: that goes on.
    const auto v = verifications_.find(marker.producer_id);
    if (v != verifications_.end() && !(v->second.epoch_bump && v->second.epoch == marker.epoch)) verifications_.erase(v);
}

void producer_state::replay(const protocol::record_batch& batch) {
    if (batch.producer_id < 0) return;
    if (!batch.is_control()) {
        const auto facts = producer_batch::of(batch);
        return appended(facts, batch.base_offset, check(facts, append_origin::replication));
    }
    protocol::record_reader in{batch.whole};
    in.include_control_batches(true);
    const auto* record = in.next();
    if (!record) return;  // the cleaner took the marker: nothing of the transaction is left
    const auto control = protocol::parse_control(*record);
    if (!control || (control->type != protocol::control_type::commit && control->type != protocol::control_type::abort)) return;
    marker_appended({batch.producer_id, batch.producer_epoch, control->coordinator_epoch, control->type == protocol::control_type::commit,
                     record->timestamp, 0},
                    batch.base_offset);
}

void producer_state::clear() { *this = {}; }

void producer_state::set_high_watermark(std::int64_t offset) {
    if (unreplicated_.empty()) return;
    std::erase_if(unreplicated_, [&](const auto& t) { return t.second.last_offset < offset; });
}

void producer_state::raise_start(std::int64_t offset) {
    set_high_watermark(offset);
    const auto kept =
        std::partition_point(aborted_.begin(), aborted_.end(), [&](const aborted_transaction& a) { return a.last_offset < offset; });
    aborted_.erase(aborted_.begin(), kept);
}

std::optional<std::int64_t> producer_state::first_unstable_offset() const noexcept {
    if (ongoing_.empty() && unreplicated_.empty()) return {};
    if (ongoing_.empty()) return unreplicated_.begin()->first;
    if (unreplicated_.empty()) return ongoing_.begin()->first;
    return std::min(ongoing_.begin()->first, unreplicated_.begin()->first);
}

std::int64_t producer_state::last_stable_offset(std::int64_t high_watermark) const noexcept {
    return std::min(first_unstable_offset().value_or(high_watermark), high_watermark);
}

std::vector<aborted_transaction> producer_state::aborted(std::int64_t from, std::int64_t below) const {
    std::vector<aborted_transaction> found;
    if (broken.show_aborted) return found;
    auto at = std::partition_point(aborted_.begin(), aborted_.end(), [&](const aborted_transaction& a) { return a.last_offset < from; });
    for (; at != aborted_.end(); ++at) {
        if (at->first_offset < below) found.push_back(*at);
        if (at->last_stable_offset >= below) break;  // what was aborted later began later
    }
    return found;
}

void producer_state::expire(std::int64_t now_ms, std::int64_t after_ms) {
    if (!expiry_due(now_ms)) return;
    next_expiry_ms_ = now_ms + expiry_check_ms;
    std::erase_if(producers_,
                  [&](const auto& p) { return p.second.transaction_start < 0 && now_ms - p.second.last_timestamp >= after_ms; });
    std::erase_if(verifications_, [&](const auto& v) { return now_ms - v.second.since_ms >= after_ms; });
}

std::vector<producer_state::description> producer_state::describe() const {
    std::vector<description> all;
    all.reserve(producers_.size());
    for (const auto& [id, e] : producers_)
        all.push_back({id, e.epoch, e.last_sequence(), e.last_timestamp, e.coordinator_epoch, e.transaction_start});
    std::sort(all.begin(), all.end(), [](const description& a, const description& b) { return a.producer_id < b.producer_id; });
    return all;
}

}  // namespace kafkawire::broker
