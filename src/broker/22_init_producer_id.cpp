// InitProducerId: gives an idempotent producer an id, a transactional one its id in a new epoch, which fences who had it before.
// Without a transactional id any node answers; with one only its coordinator (NOT_COORDINATOR). An open transaction is aborted first: until
// that is done the answer is CONCURRENT_TRANSACTIONS, and the client asks again. Version 3: the client may say which id and epoch it has,
// to go on after an error (KIP-360); one of the two alone is an INVALID_REQUEST. Before version 4 a fenced producer is told
// INVALID_PRODUCER_EPOCH instead of PRODUCER_FENCED. Version 6: two-phase commit (KIP-939), which is not enabled.
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {

void init_producer_id(cluster_state& cluster, exchange from, const protocol::messages::init_producer_id_request& asked) {
    using response = protocol::messages::init_producer_id_response;
    const auto version = from.version();
    if ((asked.producer_id == -1) != (asked.producer_epoch == -1)) {
        response refused;
        refused.error_code = code_of(broker_errc::invalid_request);
        refused.producer_epoch = -1;
        return from.answer(refused);
    }
    transaction_coordinator::init_request request;
    request.transactional_id = asked.transactional_id;
    request.timeout_ms = asked.transaction_timeout_ms;
    if (asked.producer_id != -1) request.expected = {asked.producer_id, asked.producer_epoch};
    request.enable_2pc = asked.enable_2pc;
    request.keep_prepared = asked.keep_prepared_txn;
    const auto node = from.node();
    cluster.transactions().init_producer_id(node, std::move(request),
                                            [from = std::move(from), version](const transaction_coordinator::given& what) mutable {
                                                response answer;
                                                const bool old_word = version < 4 && what.error == broker_errc::producer_fenced;
                                                answer.error_code = code_of(old_word ? broker_errc::invalid_producer_epoch : what.error);
                                                answer.producer_id = what.producer_id;
                                                answer.producer_epoch = what.epoch;
                                                from.answer(answer);
                                            });
}

}  // namespace kafkawire::broker
