// DescribeTransactions: what the coordinators that this node is know of transactional ids: state, partitions, since when.
// INVALID_REQUEST for an empty id, NOT_COORDINATOR, TRANSACTIONAL_ID_NOT_FOUND, each for its id.
#include <kafkawire/protocol/messages/65_describe_transactions.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {

void describe_transactions(cluster_state& cluster, exchange from, const protocol::messages::describe_transactions_request& asked) {
    protocol::messages::describe_transactions_response answer;
    for (const auto& id : asked.transactional_ids) {
        auto& to = answer.transaction_states.emplace_back();
        to.transactional_id = id;
        const auto known = cluster.transactions().describe(from.node(), id);
        to.error_code = code_of(known.error);
        if (known.error != broker_errc::none) continue;
        const auto& f = *known.facts;
        to.transaction_state = name_of(f.status);
        to.transaction_timeout_ms = f.timeout_ms;
        to.transaction_start_time_ms = f.start_ms;
        to.producer_id = f.producer_id;
        to.producer_epoch = f.epoch;
        for (const auto& p : f.partitions) {
            if (to.topics.empty() || to.topics.back().topic != p.topic) to.topics.push_back({p.topic, {}, {}});
            to.topics.back().partitions.push_back(p.partition);
        }
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
