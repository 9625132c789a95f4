// AddPartitionsToTxn: puts partitions into a transaction before the first batch is written to them, or asks whether they are in it.
// All or nothing: if one partition does not exist, it is told so, and the others OPERATION_NOT_ATTEMPTED. Clients may not add internal
// topics (TOPIC_AUTHORIZATION_FAILED). Version 2: PRODUCER_FENCED, before INVALID_PRODUCER_EPOCH. To version 3 it comes from clients, one
// transaction at a time; from version 4 on from brokers, several at a time, which may only be verified: what is not in the transaction is
// TRANSACTION_ABORTABLE then. Version 5 is of transactions of version 2.
#include <kafkawire/protocol/messages/24_add_partitions_to_txn.hpp>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::add_partitions_to_txn_request;
using protocol::messages::add_partitions_to_txn_response;
using partition_codes = std::map<transaction_partition, broker_errc>;

std::set<transaction_partition> partitions_of(const std::vector<add_partitions_to_txn_request::topic>& topics) {
    std::set<transaction_partition> all;
    for (const auto& t : topics)
        for (const auto p : t.partitions) all.insert({t.name, p});
    return all;
}

std::vector<add_partitions_to_txn_response::topic_result> results(const partition_codes& codes) {
    std::vector<add_partitions_to_txn_response::topic_result> to;
    for (const auto& [where, code] : codes) {
        if (to.empty() || to.back().name != where.topic) to.push_back({where.topic, {}, {}});
        to.back().results_by_partition.push_back({where.partition, code_of(code), {}});
    }
    return to;
}

partition_codes all_of(const std::set<transaction_partition>& partitions, broker_errc code) {
    partition_codes to;
    for (const auto& p : partitions) to.emplace(p, code);
    return to;
}

// The partitions that cannot be added, with all others beside them; empty if there are none.
partition_codes refused(cluster_state& cluster, const std::set<transaction_partition>& partitions, bool by_client) {
    partition_codes to;
    bool any = false;
    for (const auto& p : partitions) {
        const auto* t = cluster.find_topic(p.topic);
        const auto code = by_client && t && t->internal ? broker_errc::topic_authorization_failed
                          : !t || !t->find(p.partition) ? broker_errc::unknown_topic_or_partition
                                                        : broker_errc::operation_not_attempted;
        any = any || code != broker_errc::operation_not_attempted;
        to.emplace(p, code);
    }
    return any ? to : partition_codes{};
}

// The transactions of one request; answers when the last one is done.
struct partitions_gathering {
    exchange from;
    std::vector<partition_codes> done;
    std::vector<std::string> ids;
    std::size_t left;

    void finish(std::size_t which, partition_codes codes) {
        done[which] = std::move(codes);
        if (--left == 0) answer();
    }
    void answer() {
        add_partitions_to_txn_response to;
        if (from.version() < 4) {
            to.results_by_topic_v3_and_below = results(done.front());
        } else {
            for (std::size_t i = 0; i < done.size(); ++i) to.results_by_transaction.push_back({ids[i], results(done[i]), {}});
        }
        from.answer(to);
    }
};

void add(cluster_state& cluster, const std::shared_ptr<partitions_gathering>& to, std::size_t which, const add_partitions_to_txn_request::transaction& what,
         std::int16_t version, std::int32_t node) {
    auto& transactions = cluster.transactions();
    const auto partitions = partitions_of(what.topics);
    const transaction_coordinator::identity who{what.producer_id, what.producer_epoch};
    if (auto wrong = refused(cluster, partitions, version < 4); !wrong.empty()) return to->finish(which, std::move(wrong));
    if (what.verify_only) {
        const auto error = transactions.verify(node, what.transactional_id, who);
        auto codes = all_of(partitions, error);
        if (error == broker_errc::none)
            for (auto& [where, code] : codes)
                if (!transactions.contains(what.transactional_id, where)) code = broker_errc::transaction_abortable;
        return to->finish(which, std::move(codes));
    }
    const std::int16_t client_version = version > 4 ? 2 : 0;
    transactions.add_partitions(node, what.transactional_id, who, partitions, client_version,
                                [to, which, partitions, version](broker_errc error) {
                                    const bool old_word = version < 2 && error == broker_errc::producer_fenced;
                                    to->finish(which, all_of(partitions, old_word ? broker_errc::invalid_producer_epoch : error));
                                });
}

}  // namespace

void add_partitions_to_txn(cluster_state& cluster, exchange from, const add_partitions_to_txn_request& asked) {
    const auto version = from.version();
    const auto node = from.node();
    std::vector<add_partitions_to_txn_request::transaction> transactions;
    if (version >= 4)
        transactions = asked.transactions;
    else
        transactions.push_back({asked.v3_and_below_transactional_id,
                                asked.v3_and_below_producer_id,
                                asked.v3_and_below_producer_epoch,
                                false,
                                asked.v3_and_below_topics,
                                {}});
    if (transactions.empty()) return from.answer(add_partitions_to_txn_response{});
    auto to =
        std::make_shared<partitions_gathering>(partitions_gathering{std::move(from), std::vector<partition_codes>(transactions.size()), {}, transactions.size()});
    for (const auto& t : transactions) to->ids.push_back(t.transactional_id);
    for (std::size_t i = 0; i < transactions.size(); ++i) add(cluster, to, i, transactions[i], version, node);
}

}  // namespace kafkawire::broker
