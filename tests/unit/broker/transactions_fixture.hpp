// A cluster with a topic to write transactions to, and the requests of a transactional producer.
#pragma once
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/messages/24_add_partitions_to_txn.hpp>
#include <kafkawire/protocol/messages/26_end_txn.hpp>
#include <kafkawire/protocol/messages/65_describe_transactions.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include "broker/coordinator_lookup.hpp"
#include "broker/transaction_coordinator.hpp"
#include "broker_fixture.hpp"

namespace kafkawire::broker::test {

namespace messages = protocol::messages;
using identity = transaction_fsm::identity;
using support = transaction_coordinator::support;

constexpr std::int16_t code(broker_errc e) { return static_cast<std::int16_t>(e); }

// A cluster with a topic `orders` of three partitions, and a connection to each node.
struct transactions_bench : harness {
    explicit transactions_bench(options o = {}) : harness{with_topic(std::move(o))} {
        make_internal_topic(machine.state(), transaction_topic);
        make_internal_topic(machine.state(), group_topic);
        for (const auto& n : machine.state().nodes()) to[n.id] = connect(n.id);
    }
    static options with_topic(options o) {
        o.topics.push_back({"orders", 3});
        return o;
    }
    partition& orders(std::int32_t index) { return *machine.state().find_partition("orders", index); }
    transaction_coordinator& transactions() { return machine.state().transactions(); }
    partition& home(const std::string& id) {
        return *machine.state().find_partition(transaction_topic, coordinator_partition(machine.state(), transaction_topic, id));
    }
    connection_id coordinator(const std::string& id) { return to[home(id).leader()]; }

    messages::init_producer_id_response init(const std::string& id, std::int16_t version = 4, std::optional<identity> had = {},
                                             std::int32_t timeout = 60'000) {
        messages::init_producer_id_request r;
        r.transactional_id = id;
        r.transaction_timeout_ms = timeout;
        if (had) {
            r.producer_id = had->producer_id;
            r.producer_epoch = had->epoch;
        }
        return ask(coordinator(id), r, version);
    }
    identity begin(const std::string& id) {
        const auto a = init(id);
        REQUIRE(a.error_code == 0);
        return {a.producer_id, a.producer_epoch};
    }
    static messages::add_partitions_to_txn_request adding(const std::string& id, identity who, std::vector<std::int32_t> partitions,
                                                          const std::string& topic = "orders") {
        messages::add_partitions_to_txn_request r;
        r.v3_and_below_transactional_id = id;
        r.v3_and_below_producer_id = who.producer_id;
        r.v3_and_below_producer_epoch = who.epoch;
        r.v3_and_below_topics.push_back({topic, std::move(partitions), {}});
        return r;
    }
    std::int16_t add(const std::string& id, identity who, std::vector<std::int32_t> partitions, std::int16_t version = 3) {
        const auto a = ask(coordinator(id), adding(id, who, std::move(partitions)), version);
        return a.results_by_topic_v3_and_below.at(0).results_by_partition.at(0).partition_error_code;
    }
    messages::end_txn_response end(const std::string& id, identity who, bool commit, std::int16_t version = 3) {
        messages::end_txn_request r;
        r.transactional_id = id;
        r.producer_id = who.producer_id;
        r.producer_epoch = who.epoch;
        r.committed = commit;
        return ask(coordinator(id), r, version);
    }
    messages::describe_transactions_response::transaction_state_entry describe(const std::string& id, std::int32_t node = 0) {
        messages::describe_transactions_request r;
        r.transactional_ids = {id};
        return ask(node ? to[node] : coordinator(id), r, 0).transaction_states.at(0);
    }
    // What a leader does with a client's batch that has been verified.
    void put(partition& p, identity who, std::int32_t sequence) {
        protocol::batch_options o;
        o.producer_id = who.producer_id;
        o.producer_epoch = who.epoch;
        o.base_sequence = sequence;
        o.transactional = true;
        protocol::batch_builder b{o};
        REQUIRE(b.append(now().wall_ms(), "k", "v") == errc{});
        protocol::bytes_view bytes;
        REQUIRE(!b.close(bytes));
        const producer_batch facts{who.producer_id, who.epoch, sequence, sequence, 0, now().wall_ms(), true};
        const auto v = p.producers().check(facts, append_origin::client, true);
        REQUIRE(v.is == producer_state::verdict::kind::accept);
        const auto there = p.append_unseen(bytes, {});
        REQUIRE(there.error == broker_errc::none);
        p.producers().appended(facts, there.base_offset, v);
        p.progressed();
    }
    // The records of a control batch at the end of a partition, as (producer epoch, control record).
    std::pair<protocol::record_batch, protocol::control_record> last_marker(partition& p) {
        std::pair<protocol::record_batch, protocol::control_record> found;
        p.log().for_each_batch(p.log().end_offset() - 1, [&](protocol::bytes_view batch) {
            protocol::record_reader in{batch};
            in.include_control_batches(true);
            const auto* r = in.next();
            REQUIRE(r);
            const auto c = protocol::parse_control(*r);
            REQUIRE(c);
            found = {in.batch(), *c};
        });
        return found;
    }
    std::map<std::int32_t, connection_id> to;
};

}  // namespace kafkawire::broker::test
