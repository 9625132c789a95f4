// WriteTxnMarkers: a coordinator tells the leaders of partitions that a transaction has ended. (The embedded coordinator needs no requests
// for that; this is for administrators who abort a hanging transaction, and for coordinators elsewhere.) Partitions that this node has no
// replica of are UNKNOWN_TOPIC_OR_PARTITION, those that it does not lead NOT_LEADER_OR_FOLLOWER; an old epoch is INVALID_PRODUCER_EPOCH, an
// old coordinator TRANSACTION_COORDINATOR_FENCED. Producers that nobody knows get their marker all the same. Version 2 says the transaction
// version: from 2 on the marker's epoch must be higher than the transaction's (KIP-1228).
#include <kafkawire/protocol/messages/27_write_txn_markers.hpp>

#include <algorithm>

#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::write_txn_markers_request;
using protocol::messages::write_txn_markers_response;

// Answers when the last marker is written. Results are by producer and partition: of two markers for one the last counts.
struct markers_gathering {
    exchange from;
    std::vector<std::int64_t> producers;  // in the order of the request
    std::map<std::int64_t, std::map<transaction_partition, broker_errc>> results;
    std::size_t left = 1;  // one for the handler itself

    void done() {
        if (--left > 0) return;
        write_txn_markers_response answer;
        for (const auto id : producers) {
            auto& to = answer.markers.emplace_back();
            to.producer_id = id;
            for (const auto& [where, code] : results[id]) {
                if (to.topics.empty() || to.topics.back().name != where.topic) to.topics.push_back({where.topic, {}, {}});
                to.topics.back().partitions.push_back({where.partition, code_of(code), {}});
            }
        }
        from.answer(answer);
    }
};

void write_one(cluster_state& cluster, const std::shared_ptr<markers_gathering>& to, const transaction_marker& marker,
               const transaction_partition& where) {
    auto& code = to->results[marker.producer_id][where];
    auto* p = cluster.find_partition(where.topic, where.partition);
    const auto node = to->from.node();
    if (!p || std::find(p->replicas().begin(), p->replicas().end(), node) == p->replicas().end()) {
        code = broker_errc::unknown_topic_or_partition;
    } else if (p->leader() != node) {
        code = broker_errc::not_leader_or_follower;
    } else {
        ++to->left;
        cluster.transactions().write_marker(*p, marker, [to, id = marker.producer_id, where](broker_errc error) {
            to->results[id][where] = error;
            to->done();
        });
    }
}

}  // namespace

void write_txn_markers(cluster_state& cluster, exchange from, const write_txn_markers_request& asked) {
    auto to = std::make_shared<markers_gathering>(markers_gathering{std::move(from), {}, {}});
    for (const auto& m : asked.markers) {
        if (std::find(to->producers.begin(), to->producers.end(), m.producer_id) == to->producers.end())
            to->producers.push_back(m.producer_id);
        const transaction_marker marker{m.producer_id,        m.producer_epoch,        m.coordinator_epoch,
                                        m.transaction_result, cluster.now().wall_ms(), m.transaction_version};
        for (const auto& t : m.topics)
            for (const auto p : t.partition_indexes) write_one(cluster, to, marker, {t.name, p});
    }
    to->done();
}

}  // namespace kafkawire::broker
