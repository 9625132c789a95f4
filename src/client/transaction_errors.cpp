#include "client/transaction_errors.hpp"

#include <array>

namespace kafkawire::client_detail::txn {
namespace {

using e = broker_errc;
using m = meaning;

struct row {
    api what;
    broker_errc code;
    meaning means;
};

// What is not here is `again` if the broker's table calls the code retriable, else the request's `otherwise` below.
//
// Two codes are told apart by who may say them after the fact: a coordinator that loses its office, or the majority of its log, while it writes
// answers NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE or REQUEST_TIMED_OUT for something that its successor may find written.
constexpr row rows[] = {
    {api::find_transaction, e::transactional_id_authorization_failed, m::fatal},
    {api::find_transaction, e::transaction_abortable, m::abort},

    {api::find_group, e::transactional_id_authorization_failed, m::fatal},

    {api::init_producer_id, e::coordinator_not_available, m::elsewhere},
    {api::init_producer_id, e::not_coordinator, m::elsewhere},
    {api::init_producer_id, e::concurrent_transactions, m::soon},
    {api::init_producer_id, e::invalid_producer_epoch, m::fenced},  // to version 3, later PRODUCER_FENCED
    {api::init_producer_id, e::producer_fenced, m::fenced},
    {api::init_producer_id, e::invalid_producer_id_mapping, m::fenced},  // another id belongs to the transactional id now

    {api::add_partitions, e::coordinator_not_available, m::elsewhere},
    {api::add_partitions, e::not_coordinator, m::elsewhere},
    {api::add_partitions, e::concurrent_transactions, m::soon},
    {api::add_partitions, e::invalid_producer_epoch, m::fenced},
    {api::add_partitions, e::producer_fenced, m::fenced},
    {api::add_partitions, e::transactional_id_authorization_failed, m::fatal},
    {api::add_partitions, e::invalid_txn_state, m::renew},
    {api::add_partitions, e::unknown_producer_id, m::renew},
    {api::add_partitions, e::invalid_producer_id_mapping, m::forgotten},

    {api::add_offsets, e::coordinator_not_available, m::elsewhere},
    {api::add_offsets, e::not_coordinator, m::elsewhere},
    {api::add_offsets, e::concurrent_transactions, m::soon},
    {api::add_offsets, e::invalid_producer_epoch, m::fenced},
    {api::add_offsets, e::producer_fenced, m::fenced},
    {api::add_offsets, e::transactional_id_authorization_failed, m::fatal},
    {api::add_offsets, e::invalid_txn_state, m::renew},
    {api::add_offsets, e::unknown_producer_id, m::renew},
    {api::add_offsets, e::invalid_producer_id_mapping, m::forgotten},

    {api::end_txn, e::coordinator_not_available, m::elsewhere},
    {api::end_txn, e::not_coordinator, m::elsewhere},
    {api::end_txn, e::concurrent_transactions, m::soon},
    {api::end_txn, e::coordinator_load_in_progress, m::again},
    {api::end_txn, e::invalid_producer_epoch, m::fenced},  // to version 1, later PRODUCER_FENCED
    {api::end_txn, e::producer_fenced, m::fenced},
    {api::end_txn, e::transactional_id_authorization_failed, m::fatal},
    {api::end_txn, e::cluster_authorization_failed, m::fatal},
    {api::end_txn, e::unsupported_version, m::fatal},
    {api::end_txn, e::invalid_request, m::fatal},
    {api::end_txn, e::invalid_txn_state, m::renew},  // not open any more: the coordinator has aborted it, it took too long
    {api::end_txn, e::unknown_producer_id, m::renew},
    {api::end_txn, e::transaction_abortable, m::abort},
    {api::end_txn, e::invalid_producer_id_mapping, m::forgotten},

    {api::txn_offset_commit, e::coordinator_not_available, m::elsewhere},
    {api::txn_offset_commit, e::not_coordinator, m::elsewhere},
    {api::txn_offset_commit, e::request_timed_out, m::elsewhere},
    {api::txn_offset_commit, e::concurrent_transactions, m::soon},
    {api::txn_offset_commit, e::invalid_producer_epoch, m::fenced},  // but see meaning_of()
    {api::txn_offset_commit, e::producer_fenced, m::fenced},
    {api::txn_offset_commit, e::transactional_id_authorization_failed, m::fatal},
    {api::txn_offset_commit, e::invalid_txn_state, m::renew},
    {api::txn_offset_commit, e::unknown_producer_id, m::renew},
    {api::txn_offset_commit, e::invalid_producer_id_mapping, m::forgotten},

    // Of a batch that the sender has given up. Most say nothing about the producer: its transaction is lost, and its sequences are.
    {api::produce, e::producer_fenced, m::fenced},
    {api::produce, e::transactional_id_authorization_failed, m::fatal},
    {api::produce, e::cluster_authorization_failed, m::fatal},
    {api::produce, e::unsupported_version, m::fatal},
    {api::produce, e::invalid_producer_id_mapping, m::forgotten},
};

// While there is no transaction, nothing is lost by an error. Nor is it by one of partitions or groups: EndTxn puts an end to it. For an
// EndTxn itself there is no such remedy.
constexpr meaning otherwise(api what) noexcept {
    switch (what) {
        case api::find_transaction: return m::fatal;
        case api::find_group: return m::abort;
        case api::init_producer_id: return m::refused;
        case api::add_partitions: return m::abort;
        case api::add_offsets: return m::abort;
        case api::end_txn: return m::inexplicable;
        case api::txn_offset_commit: return m::abort;
        case api::produce: return m::renew;
    }
    return m::inexplicable;
}

// What our own side refuses to send, whatever broker it is for.
bool is_hopeless(std::error_code code) noexcept {
    if (code.category() != category()) return false;
    switch (static_cast<errc>(code.value())) {
        case errc::not_in_version:
        case errc::unsupported_version:
        case errc::unknown_api:
        case errc::bad_value:
        case errc::limit_exceeded:
        case errc::no_common_version:
        case errc::bad_configuration:
        case errc::client_closed: return true;
        default: return false;
    }
}

constexpr std::array<std::string_view, api_count> api_names = {"FindCoordinator", "FindCoordinator", "InitProducerId",  "AddPartitionsToTxn",
                                                               "AddOffsetsToTxn", "EndTxn",          "TxnOffsetCommit", "Produce"};
constexpr std::array<std::int16_t, api_count> api_keys = {10, 10, 22, 24, 25, 26, 28, 0};
constexpr std::array<std::string_view, meaning_count> meaning_names = {"done",  "soon",      "again",   "unclear", "elsewhere", "abort",
                                                                       "renew", "forgotten", "refused", "fenced",  "fatal",     "inexplicable"};

}  // namespace

std::string_view name_of(api what) noexcept { return api_names[static_cast<std::size_t>(what)]; }
std::int16_t key_of(api what) noexcept { return api_keys[static_cast<std::size_t>(what)]; }
std::string_view name_of(meaning what) noexcept { return meaning_names[static_cast<std::size_t>(what)]; }

meaning meaning_of(api what, std::int16_t code, int version) noexcept {
    if (code == 0) return m::done;
    const auto is = static_cast<broker_errc>(code);
    // The leader of a partition and a group's coordinator say INVALID_PRODUCER_EPOCH for any epoch that is not the coordinator's. That may be
    // because the transaction took too long: from version 2 on EndTxn(abort) finds out, and takes us on to the new epoch if it was only that.
    if (what == api::txn_offset_commit && is == e::invalid_producer_epoch && version >= 2) return m::abort;
    for (const auto& r : rows)
        if (r.what == what && r.code == is) return r.means;
    // Something went wrong inside the broker. It says so of troubles that pass, too; all of these requests can be repeated.
    if (is == e::unknown_server_error && what != api::produce) return m::unclear;
    const auto* known = find_broker_error(code);
    if (known && known->retriable && what != api::produce) return what == api::end_txn ? m::unclear : m::again;
    return otherwise(what);
}

meaning meaning_of(api what, std::error_code code, bool maybe_processed) noexcept {
    if (is_hopeless(code) && !maybe_processed) {
        const auto means = otherwise(what);
        return means == m::inexplicable ? m::fatal : means;
    }
    if (what == api::produce) return m::renew;
    return m::elsewhere;
}

}  // namespace kafkawire::client_detail::txn
