// EndTxn: commits or aborts a transaction. Answered when the decision is in the coordinator's log; the markers follow.
// To version 4 a repetition is known by the state alone; from version 5 on (transactions of version 2, KIP-890) every end raises the
// producer's epoch, the answer tells it (or another id, when the epochs are used up), and an abort needs no partitions. Before version 2 a
// fenced producer is told INVALID_PRODUCER_EPOCH instead of PRODUCER_FENCED.
#include <kafkawire/protocol/messages/26_end_txn.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {

void end_txn(cluster_state& cluster, exchange from, const protocol::messages::end_txn_request& asked) {
    const auto node = from.node();
    const auto version = from.version();
    const std::int16_t client_version = version > 4 ? 2 : 0;
    cluster.transactions().end(node, asked.transactional_id, {asked.producer_id, asked.producer_epoch}, asked.committed, client_version,
                               [from = std::move(from), version](const transaction_coordinator::given& what) mutable {
                                   protocol::messages::end_txn_response answer;
                                   const bool old_word = version < 2 && what.error == broker_errc::producer_fenced;
                                   answer.error_code = code_of(old_word ? broker_errc::invalid_producer_epoch : what.error);
                                   answer.producer_id = what.producer_id;
                                   answer.producer_epoch = what.epoch;
                                   from.answer(answer);
                               });
}

}  // namespace kafkawire::broker
