// TxnOffsetCommit: offsets that a group commits as part of a transaction: pending until it ends, then committed or gone. Goes to the group's
// coordinator, who asks the transaction's: to version 3 the group's partition must have been added (AddOffsetsToTxn), or it is INVALID_TXN_STATE; in
// version 4 TRANSACTION_ABORTABLE; version 5 adds it (KIP-890).
// Topics and partitions that are not there are told so, each for itself; every other refusal is for all. Version 2: leader epochs. Version 3:
// member and generation, which fence members that the group has left behind (KIP-447).
// To version 1 COORDINATOR_LOAD_IN_PROGRESS is told as COORDINATOR_NOT_AVAILABLE: clients of that time end on the former.
#include <kafkawire/protocol/messages/28_txn_offset_commit.hpp>

#include <algorithm>

#include "broker/coordinator_lookup.hpp"
#include "broker/group_handlers.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::txn_offset_commit_request;
using protocol::messages::txn_offset_commit_response;
using e = broker_errc;

void add(txn_offset_commit_response& to, const std::string& name, std::int32_t partition, broker_errc code) {
    auto at = std::find_if(to.topics.begin(), to.topics.end(), [&](const auto& t) { return t.name == name; });
    if (at == to.topics.end()) {
        to.topics.push_back({name, {}, {}});
        at = to.topics.end() - 1;
    }
    at->partitions.push_back({partition, code_of(code), {}});
}

// What is there; what is not is refused in the answer.
std::vector<offset_commit> existing(cluster_state& cluster, const txn_offset_commit_request& asked, txn_offset_commit_response& answer) {
    std::vector<offset_commit> all;
    for (const auto& t : asked.topics) {
        const auto* known = cluster.find_topic(t.name);
        for (const auto& p : t.partitions) {
            if (known && known->find(p.partition_index))
                all.push_back({known->name, known->id, p.partition_index, p.committed_offset, p.committed_leader_epoch, p.committed_metadata});
            else
                add(answer, t.name, p.partition_index, e::unknown_topic_or_partition);
        }
    }
    return all;
}

// How a group coordinator says what keeps it from writing.
e coordinators_word(e why) {
    switch (why) {
        case e::network_exception: return e::coordinator_load_in_progress;
        case e::unknown_topic_or_partition:
        case e::not_enough_replicas:
        case e::request_timed_out: return e::coordinator_not_available;
        case e::not_leader_or_follower:
        case e::kafka_storage_error: return e::not_coordinator;
        default: return why;
    }
}

// Whether the group's partition is in the producer's transaction, or can be put there.
e verify(cluster_state& cluster, const txn_offset_commit_request& asked, std::int16_t version) {
    const auto index = coordinator_partition(cluster, group_topic, asked.group_id);
    auto* home = cluster.find_partition(group_topic, index);
    if (!home) return e::not_coordinator;
    if (home->producers().has_ongoing_transaction(asked.producer_id, asked.producer_epoch)) return e::none;
    const auto how = transaction_coordinator::support_of_offset_commit(version);
    producer_batch batch;
    batch.producer_id = asked.producer_id;
    batch.epoch = asked.producer_epoch;
    batch.transactional = true;
    const bool adds = how == transaction_coordinator::support::add_partitions;
    if (const auto old = home->producers().begin_verification(batch, adds, cluster.now().wall_ms()); old != e::none) return old;
    return cluster.transactions().verify_or_add(asked.transactional_id, {asked.producer_id, asked.producer_epoch}, {std::string{group_topic}, index}, how);
}

}  // namespace

void txn_offset_commit(cluster_state& cluster, exchange from, const txn_offset_commit_request& asked) {
    txn_offset_commit_response answer;
    const auto version = from.version();
    const auto what = existing(cluster, asked, answer);
    if (what.empty()) return from.answer(answer);
    const auto finish = [what, version](txn_offset_commit_response& to, const group_shard::commit_result& r) {
        for (std::size_t i = 0; i < what.size(); ++i) {
            auto code = coordinators_word(r.error ? r.error.code : r.offsets[i]);
            if (version < 2 && code == e::coordinator_load_in_progress) code = e::coordinator_not_available;
            add(to, what[i].topic, what[i].partition, code);
        }
    };
    auto why = asked.group_id.empty() ? e::invalid_group_id : e::none;
    auto* shard = why != e::none ? nullptr : shard_of(cluster, from, asked.group_id, why);
    if (shard) why = verify(cluster, asked, version);
    if (why != e::none) {
        finish(answer, {{why}, {}});
        return from.answer(answer);
    }
    committer who;
    who.group = asked.group_id;
    who.member_id = asked.member_id;
    who.instance_id = asked.group_instance_id;
    who.generation = asked.generation_id;
    who.version = version;
    who.transaction = {asked.producer_id, asked.producer_epoch};
    shard->commit(who, what, [finish, answer, to = std::move(from)](const group_shard::commit_result& r) mutable {
        finish(answer, r);
        to.answer(answer);
    });
}

}  // namespace kafkawire::broker
