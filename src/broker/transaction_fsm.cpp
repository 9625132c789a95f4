#include "broker/transaction_fsm.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace kafkawire::broker {
namespace {

using enum transaction_status;
using e = broker_errc;

constexpr std::int64_t block_size = 1000;
constexpr std::int16_t highest_epoch = std::numeric_limits<std::int16_t>::max();
constexpr std::int16_t last_usable_epoch = highest_epoch - 1;  // the highest is kept for fencing

constexpr std::array<std::string_view, transaction_status_count> status_names = {
    "Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"};

bool is_v2(std::int16_t version) noexcept { return version >= 2; }
bool is_complete(transaction_status s) noexcept { return s == complete_commit || s == complete_abort; }
bool is_prepared(transaction_status s) noexcept { return s == prepare_commit || s == prepare_abort; }
constexpr std::size_t index_of(transaction_status s) noexcept { return static_cast<std::size_t>(s); }

transaction_fsm::outcome refuse(broker_errc why) { return {why, false}; }
constexpr transaction_fsm::outcome nothing_to_do{};

}  // namespace

std::string_view name_of(transaction_status status) noexcept { return status_names[index_of(status)]; }

std::optional<transaction_status> transaction_status_by_name(std::string_view name) noexcept {
    const auto at = std::find(status_names.begin(), status_names.end(), name);
    if (at == status_names.end()) return {};
    return static_cast<transaction_status>(at - status_names.begin());
}

std::int64_t producer_ids::next(std::int32_t node) {
    auto& b = of_node_[node];
    if (b.next == b.end) {
        b = {next_block_, next_block_ + block_size};
        next_block_ += block_size;
    }
    return b.next++;
}

void producer_ids::seen(std::int64_t id) noexcept {
    if (id >= next_block_ && id < std::numeric_limits<std::int64_t>::max() - 2 * block_size)
        next_block_ = (id / block_size + 1) * block_size;
}

transaction_fsm::transaction_fsm(std::string id, std::int64_t producer_id, std::int32_t timeout_ms, std::int64_t now_ms)
    : id_{std::move(id)} {
    is_.producer_id = producer_id;
    is_.timeout_ms = timeout_ms;
    is_.last_update_ms = now_ms;
}

bool transaction_fsm::epoch_exhausted() const noexcept { return is_.epoch >= last_usable_epoch; }

void transaction_fsm::check_step(transaction_status from, transaction_status to) {
    if (!legal_transaction_steps[index_of(from)][index_of(to)])
        throw std::logic_error("transaction_fsm: illegal step from " + std::string{name_of(from)} + " to " + std::string{name_of(to)});
}

transaction_fsm::outcome transaction_fsm::prepare(transaction_facts next) {
    if (next_) throw std::logic_error("transaction_fsm: a step while another one is being written");
    check_step(is_.status, next.status);
    next.previous_producer_id = is_.producer_id;
    next_ = std::move(next);
    return {e::none, true};
}

void transaction_fsm::written() {
    if (!next_) throw std::logic_error("transaction_fsm: written without a step");
    is_ = *std::exchange(next_, {});
    fencing_ = fence_failed_ = false;
}

void transaction_fsm::not_written() {
    next_.reset();
    fence_failed_ = fence_failed_ || std::exchange(fencing_, false);
}

transaction_fsm::outcome transaction_fsm::init_producer_id(std::int32_t timeout_ms, std::optional<identity> expected,
                                                           std::int16_t server_version, const context& in) {
    if (pending()) return refuse(e::concurrent_transactions);
    // An identity that the producer says it has must be the one that is known; or there is none yet (it comes back after the id was
    // forgotten); or it is the one before, with its epochs used up: the answer that told of the new one was lost.
    if (expected && is_.epoch != -1 && expected->producer_id != is_.producer_id &&
        !(expected->producer_id == is_.previous_producer_id && expected->epoch >= last_usable_epoch))
        return refuse(e::producer_fenced);
    if (is_prepared(is_.status)) return refuse(e::concurrent_transactions);
    if (is_.status == ongoing) return fence_and_abort(server_version, in);
    if (epoch_exhausted() && (!expected || expected->epoch == is_.epoch)) return rotate_id(timeout_ms, expected.has_value(), in);
    return raise_epoch(timeout_ms, expected ? std::optional{expected->epoch} : std::nullopt, in.now_ms);
}

transaction_fsm::outcome transaction_fsm::raise_epoch(std::int32_t timeout_ms, std::optional<std::int16_t> expected_epoch,
                                                      std::int64_t now_ms) {
    if (epoch_exhausted()) return refuse(e::unknown_server_error);
    auto next = is_;
    next.status = empty;
    next.timeout_ms = timeout_ms;
    next.partitions.clear();
    next.start_ms = -1;
    next.last_update_ms = now_ms;
    const auto raised = static_cast<std::int16_t>(is_.epoch + 1);
    if (!expected_epoch) {
        next.epoch = raised;
        next.last_epoch = -1;
    } else if (is_.epoch == -1 || *expected_epoch == is_.epoch) {
        next.epoch = raised;
        next.last_epoch = is_.epoch;
    } else if (*expected_epoch != is_.last_epoch) {  // else a repetition: the epoch was raised already
        return refuse(e::producer_fenced);
    }
    return prepare(std::move(next));
}

transaction_fsm::outcome transaction_fsm::rotate_id(std::int32_t timeout_ms, bool keep_last_epoch, const context& in) {
    auto next = is_;
    next.status = empty;
    next.producer_id = in.ids->next(in.node);
    next.epoch = 0;
    next.last_epoch = keep_last_epoch ? is_.epoch : std::int16_t{-1};
    next.timeout_ms = timeout_ms;
    next.partitions.clear();
    next.start_ms = -1;
    next.last_update_ms = in.now_ms;
    return prepare(std::move(next));
}

transaction_fsm::outcome transaction_fsm::add_partitions(identity who, const std::set<transaction_partition>& added,
                                                         std::int16_t client_version, std::int64_t now_ms) {
    if (pending()) return refuse(e::concurrent_transactions);
    if (const auto wrong = verify(who); wrong != e::none) return refuse(wrong);
    if (is_.status == ongoing && std::includes(is_.partitions.begin(), is_.partitions.end(), added.begin(), added.end()))
        return nothing_to_do;
    auto next = is_;
    next.status = ongoing;
    next.partitions.insert(added.begin(), added.end());
    if (is_.status != ongoing) next.start_ms = now_ms;
    next.last_update_ms = now_ms;
    next.client_version = client_version;
    return prepare(std::move(next));
}

broker_errc transaction_fsm::verify(identity who) const {
    if (who.producer_id != is_.producer_id) return e::invalid_producer_id_mapping;
    if (who.epoch != is_.epoch) return e::producer_fenced;
    return is_prepared(is_.status) ? e::concurrent_transactions : e::none;
}

transaction_fsm::outcome transaction_fsm::end(identity who, bool commit, std::int16_t client_version, const context& in) {
    return is_v2(client_version) ? end_v2(who, commit, client_version, in) : end_v1(who, commit, in);
}

transaction_fsm::outcome transaction_fsm::end_v1(identity who, bool commit, const context& in) {
    if (who.producer_id != is_.producer_id) return refuse(e::invalid_producer_id_mapping);
    if (who.epoch != is_.epoch) return refuse(e::producer_fenced);
    if (pending()) return refuse(e::concurrent_transactions);
    if (is_.status == ongoing) return prepare_end(commit ? prepare_commit : prepare_abort, 0, -1, in.now_ms, false);
    if (is_.status == (commit ? complete_commit : complete_abort)) return nothing_to_do;
    if (is_.status == (commit ? prepare_commit : prepare_abort)) return refuse(e::concurrent_transactions);
    return refuse(e::invalid_txn_state);
}

// Each end raises the epoch, so an epoch tells which transaction is meant: one below ours repeats the end of the last one, ours ends this
// one (and, if none is open, aborts an empty one: batches may be on their way that the producer has given up).
transaction_fsm::outcome transaction_fsm::end_v2(identity who, bool commit, std::int16_t client_version, const context& in) {
    const bool repeats_after_new_id = is_.previous_producer_id == who.producer_id && who.epoch == last_usable_epoch && is_.epoch == 0;
    const bool repeats = is_.epoch == who.epoch + 1 || repeats_after_new_id;
    if (pending()) return refuse(e::concurrent_transactions);
    if (who.producer_id != is_.producer_id && !repeats_after_new_id) return refuse(e::invalid_producer_id_mapping);
    const bool valid_epoch = is_prepared(is_.status)   ? is_.epoch == who.epoch + 1
                             : is_complete(is_.status) ? repeats || who.epoch == is_.epoch
                                                       : who.epoch == is_.epoch;
    if (!valid_epoch) return refuse(e::producer_fenced);
    if (is_prepared(is_.status))
        return refuse(is_.status == (commit ? prepare_commit : prepare_abort) ? e::concurrent_transactions : e::invalid_txn_state);
    if (is_complete(is_.status) && repeats)
        return is_.status == (commit ? complete_commit : complete_abort) ? nothing_to_do : refuse(e::invalid_txn_state);
    if (is_.status != ongoing && commit) return refuse(e::invalid_txn_state);
    const auto next_id = epoch_exhausted() ? in.ids->next(in.node) : -1;
    return prepare_end(commit ? prepare_commit : prepare_abort, client_version, next_id, in.now_ms, is_.status != ongoing);
}

transaction_fsm::outcome transaction_fsm::prepare_end(transaction_status to, std::int16_t client_version, std::int64_t next_producer_id,
                                                      std::int64_t now_ms, bool nothing_added) {
    auto next = is_;
    next.status = to;
    if (is_v2(client_version)) {
        next.last_epoch = is_.epoch;
        if (is_.epoch != highest_epoch) ++next.epoch;
    }
    if (nothing_added) next.start_ms = now_ms;
    next.next_producer_id = next_producer_id;
    next.last_update_ms = now_ms;
    next.client_version = client_version;
    return prepare(std::move(next));
}

transaction_fsm::outcome transaction_fsm::fence_and_abort(std::int16_t server_version, const context& in) {
    if (pending() || is_.status != ongoing) throw std::logic_error("transaction_fsm: nothing to fence");
    check_step(is_.status, prepare_epoch_fence);
    check_step(prepare_epoch_fence, prepare_abort);
    fencing_ = true;
    if (is_v2(server_version))
        return prepare_end(prepare_abort, server_version, epoch_exhausted() ? in.ids->next(in.node) : -1, in.now_ms, false);
    // The raised epoch stays even if the step cannot be written, for the log may have it all the same; it is not raised a second time then.
    if (!fence_failed_ && is_.epoch != highest_epoch) ++is_.epoch;
    is_.last_epoch = -1;
    return prepare_end(prepare_abort, 0, -1, in.now_ms, false);
}

void transaction_fsm::prepare_complete(std::int64_t now_ms) {
    auto next = is_;
    next.status = is_.status == prepare_commit ? complete_commit : complete_abort;
    if (is_v2(is_.client_version) && is_.next_producer_id != -1) {
        next.producer_id = is_.next_producer_id;
        next.epoch = 0;
    }
    next.next_producer_id = -1;
    next.partitions.clear();
    next.last_update_ms = now_ms;
    prepare(std::move(next));
}

void transaction_fsm::prepare_dead() {
    auto next = is_;
    next.status = dead;
    next.partitions.clear();
    prepare(std::move(next));
}

bool transaction_fsm::has_timed_out(std::int64_t now_ms) const noexcept {
    return is_.status == ongoing && is_.timeout_ms != std::numeric_limits<std::int32_t>::max() && now_ms - is_.start_ms >= is_.timeout_ms;
}

}  // namespace kafkawire::broker
