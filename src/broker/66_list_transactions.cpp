// ListTransactions: the transactional ids that this node coordinates, by state and producer id. States that nobody knows are named in the answer; if
// only such were asked for, nothing is found.
// Version 1: only transactions that have been open for longer than so many milliseconds (ids without one count from the beginning of time, as in
// Kafka). Version 2: only ids that a pattern matches as a whole; INVALID_REGULAR_EXPRESSION if it is none.
#include <kafkawire/protocol/messages/66_list_transactions.hpp>

#include <re2/re2.h>

#include <algorithm>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::list_transactions_request;

template <class T>
bool chosen(const std::vector<T>& filter, const T& value) {
    return filter.empty() || std::find(filter.begin(), filter.end(), value) != filter.end();
}

}  // namespace

void list_transactions(cluster_state& cluster, exchange from, const list_transactions_request& asked) {
    protocol::messages::list_transactions_response answer;
    std::vector<transaction_status> states;
    for (const auto& name : asked.state_filters) {
        if (const auto state = transaction_status_by_name(name)) states.push_back(*state);
        else answer.unknown_state_filters.push_back(name);
    }
    std::unique_ptr<re2::RE2> pattern;
    if (asked.transactional_id_pattern && !asked.transactional_id_pattern->empty()) {
        pattern = std::make_unique<re2::RE2>(*asked.transactional_id_pattern, re2::RE2::Quiet);
        if (!pattern->ok()) {
            answer.unknown_state_filters.clear();
            answer.error_code = code_of(broker_errc::invalid_regular_expression);
            return from.answer(answer);
        }
    }
    const auto now = cluster.now().wall_ms();
    for (const auto& [id, facts] : cluster.transactions().list(from.node())) {
        if (facts->status == transaction_status::dead || !chosen(asked.producer_id_filters, facts->producer_id)) continue;
        if (!asked.state_filters.empty() && (states.empty() || !chosen(states, facts->status))) continue;
        if (asked.duration_filter >= 0 && now - facts->start_ms <= asked.duration_filter) continue;
        if (pattern && !re2::RE2::FullMatch(*id, *pattern)) continue;
        answer.transaction_states.push_back({*id, facts->producer_id, std::string{name_of(facts->status)}, {}});
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
