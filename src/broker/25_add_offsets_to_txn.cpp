// AddOffsetsToTxn: puts a group's partition of __consumer_offsets into a transaction, before offsets are committed in it (TxnOffsetCommit 5
// does that itself). The group need not exist. Before version 2 a fenced producer is told INVALID_PRODUCER_EPOCH instead of
// PRODUCER_FENCED.
#include <kafkawire/protocol/messages/25_add_offsets_to_txn.hpp>

#include "broker/coordinator_lookup.hpp"
#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {

void add_offsets_to_txn(cluster_state& cluster, exchange from, const protocol::messages::add_offsets_to_txn_request& asked) {
    const transaction_partition offsets{std::string{group_topic}, coordinator_partition(cluster, group_topic, asked.group_id)};
    const auto node = from.node();
    const auto version = from.version();
    cluster.transactions().add_partitions(node, asked.transactional_id, {asked.producer_id, asked.producer_epoch}, {offsets}, 0,
                                          [from = std::move(from), version](broker_errc error) mutable {
                                              protocol::messages::add_offsets_to_txn_response answer;
                                              const bool old_word = version < 2 && error == broker_errc::producer_fenced;
                                              answer.error_code = code_of(old_word ? broker_errc::invalid_producer_epoch : error);
                                              from.answer(answer);
                                          });
}

}  // namespace kafkawire::broker
