// Transactions through requests, in virtual time. Expected answers are those of Apache Kafka 4.3 (see
// tests/differential/expected/transactions.jsonl).
#include <kafkawire/protocol/messages/25_add_offsets_to_txn.hpp>
#include <kafkawire/protocol/messages/27_write_txn_markers.hpp>
#include <kafkawire/protocol/messages/61_describe_producers.hpp>

#include "broker/storage.hpp"
#include "broker/transaction_log.hpp"
#include "transactions_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

using namespace std::chrono_literals;
using bench = transactions_bench;

TEST_CASE("InitProducerId: every node gives ids of its own block, and none twice") {
    bench b{{.nodes = 3}};
    messages::init_producer_id_request r;
    r.transactional_id.reset();
    for (std::int16_t version = 0; version <= 5; ++version) CHECK(b.ask(b.to[1], r, version).producer_id == version);
    const auto other = b.ask(b.to[2], r, 5);
    CHECK(other.producer_id == 1000);
    CHECK(other.producer_epoch == 0);
    CHECK(other.error_code == 0);
}

TEST_CASE("InitProducerId: what is refused") {
    bench b;
    CHECK(b.init("").error_code == code(broker_errc::invalid_request));
    CHECK(b.init("tx", 4, {}, 0).error_code == code(broker_errc::invalid_transaction_timeout));
    CHECK(b.init("tx", 4, {}, -1).error_code == code(broker_errc::invalid_transaction_timeout));
    CHECK(b.init("tx", 4, {}, 900'001).error_code == code(broker_errc::invalid_transaction_timeout));
    CHECK(b.init("tx", 4, {}, 900'000).error_code == 0);
    CHECK(b.init("tx", 4, identity{-1, 5}).error_code == code(broker_errc::invalid_request));
    CHECK(b.init("tx", 4, identity{77, -1}).error_code == code(broker_errc::invalid_request));
    CHECK(b.init("tx", 4, identity{77, 0}).error_code == code(broker_errc::producer_fenced));
    const auto old = b.init("tx", 3, identity{77, 0});
    CHECK(old.error_code == code(broker_errc::invalid_producer_epoch));
    CHECK(old.producer_id == -1);
    CHECK(old.producer_epoch == -1);
    transaction_coordinator::init_request two_phase;
    two_phase.transactional_id = "tx";
    two_phase.timeout_ms = 1;
    two_phase.enable_2pc = true;
    auto said = broker_errc::none;
    const auto note = [&](const transaction_coordinator::given& g) { said = g.error; };
    b.transactions().init_producer_id(1, two_phase, note);
    CHECK(said == broker_errc::transactional_id_authorization_failed);
    two_phase.enable_2pc = false;
    two_phase.keep_prepared = true;
    b.transactions().init_producer_id(1, two_phase, note);
    CHECK(said == broker_errc::unsupported_version);
}

TEST_CASE("a transaction of version 1: what it wrote is stable when its markers are there") {
    bench b;
    const auto who = b.begin("tx");
    CHECK(b.describe("tx").transaction_state == "Empty");
    CHECK(b.describe("tx").transaction_start_time_ms == -1);
    CHECK(b.add("tx", who, {0, 1}) == 0);
    b.put(b.orders(0), who, 0);
    const auto open = b.describe("tx");
    CHECK(open.transaction_state == "Ongoing");
    REQUIRE(open.topics.size() == 1);
    CHECK(open.topics[0].partitions == std::vector<std::int32_t>{0, 1});
    CHECK(open.transaction_start_time_ms == b.now().wall_ms());
    CHECK(b.orders(0).high_watermark() == 1);
    CHECK(b.orders(0).last_stable_offset() == 0);
    CHECK(b.end("tx", who, true).error_code == 0);
    CHECK(b.describe("tx").transaction_state == "CompleteCommit");
    CHECK(b.orders(0).last_stable_offset() == 2);
    CHECK(b.orders(1).last_stable_offset() == 1);
    const auto [batch, control] = b.last_marker(b.orders(0));
    CHECK(control.type == protocol::control_type::commit);
    CHECK(control.coordinator_epoch == 0);
    CHECK(batch.is_control());
    CHECK(batch.is_transactional());
    CHECK(batch.producer_id == who.producer_id);
    CHECK(batch.producer_epoch == who.epoch);
    CHECK(batch.base_sequence == -1);
    CHECK(b.end("tx", who, true).error_code == 0);
    CHECK(b.end("tx", who, false).error_code == code(broker_errc::invalid_txn_state));
    CHECK(b.add("tx", who, {0}) == 0);
    b.put(b.orders(0), who, 1);
    CHECK(b.end("tx", who, false, 0).error_code == 0);
    CHECK(b.last_marker(b.orders(0)).second.type == protocol::control_type::abort);
    const auto aborted = b.orders(0).producers().aborted(0, 4);
    REQUIRE(aborted.size() == 1);
    CHECK(aborted[0].first_offset == 2);
}

TEST_CASE("a transaction of version 2: partitions are added by the first batch, and each end raises the epoch") {
    bench b;
    const auto who = b.begin("tx");
    CHECK(b.transactions().verify_or_add("tx", who, {"orders", 2}, support::add_partitions) == broker_errc::none);
    CHECK(b.transactions().contains("tx", {"orders", 2}));
    b.put(b.orders(2), who, 0);
    const auto ended = b.end("tx", who, true, 5);
    CHECK(ended.error_code == 0);
    CHECK(ended.producer_id == who.producer_id);
    CHECK(ended.producer_epoch == who.epoch + 1);
    CHECK(b.last_marker(b.orders(2)).first.producer_epoch == who.epoch + 1);
    CHECK(b.orders(2).last_stable_offset() == 2);
    const auto again = b.end("tx", who, true, 5);
    CHECK(again.error_code == 0);
    CHECK(again.producer_epoch == ended.producer_epoch);
    const auto other_way = b.end("tx", who, false, 5);
    CHECK(other_way.error_code == code(broker_errc::invalid_txn_state));
    CHECK(other_way.producer_id == -1);
    CHECK(other_way.producer_epoch == -1);
    // A late batch of the old epoch is fenced, by the partition and by the coordinator.
    CHECK(b.orders(2).producers().begin_verification({who.producer_id, who.epoch, 1, 1, 0, 0, true}, true, 0) ==
          broker_errc::invalid_producer_epoch);
    CHECK(b.transactions().verify_or_add("tx", who, {"orders", 1}, support::add_partitions) == broker_errc::invalid_producer_epoch);
    const identity next{ended.producer_id, ended.producer_epoch};
    const auto emptied = b.end("tx", next, false, 5);
    CHECK(emptied.error_code == 0);
    CHECK(emptied.producer_epoch == next.epoch + 1);
    CHECK(b.describe("tx").transaction_state == "CompleteAbort");
    CHECK(b.end("tx", {next.producer_id, emptied.producer_epoch}, true, 5).error_code == code(broker_errc::invalid_txn_state));
}

TEST_CASE("who was fenced is told in the words of its version") {
    bench b;
    const auto old = b.begin("tx");
    static_cast<void>(b.begin("tx"));
    constexpr auto fenced = code(broker_errc::producer_fenced), before = code(broker_errc::invalid_producer_epoch);
    CHECK(b.add("tx", old, {0}, 1) == before);
    CHECK(b.add("tx", old, {0}, 2) == fenced);
    CHECK(b.end("tx", old, true, 1).error_code == before);
    CHECK(b.end("tx", old, true, 2).error_code == fenced);
    CHECK(b.end("tx", old, true, 5).error_code == fenced);
    messages::add_offsets_to_txn_request offsets;
    offsets.transactional_id = "tx";
    offsets.producer_id = old.producer_id;
    offsets.producer_epoch = old.epoch;
    offsets.group_id = "g";
    CHECK(b.ask(b.to[1], offsets, 1).error_code == before);
    CHECK(b.ask(b.to[1], offsets, 3).error_code == fenced);
    for (const std::int16_t version : {0, 3, 5}) {
        CHECK(b.end("nobody", old, true, version).error_code == code(broker_errc::invalid_producer_id_mapping));
        CHECK(b.end("", old, true, version).error_code == code(broker_errc::invalid_request));
    }
    CHECK(b.add("nobody", old, {0}) == code(broker_errc::invalid_producer_id_mapping));
    CHECK(b.add("tx", {old.producer_id + 1, 1}, {0}) == code(broker_errc::invalid_producer_id_mapping));
    CHECK(b.add("", old, {0}) == code(broker_errc::invalid_request));
}

TEST_CASE("AddPartitionsToTxn: all partitions or none") {
    bench b;
    const auto who = b.begin("tx");
    auto r = bench::adding("tx", who, {0, 7});
    r.v3_and_below_topics.push_back({"nothing", {0}, {}});
    const auto a = b.ask(b.to[1], r, 3);
    REQUIRE(a.results_by_topic_v3_and_below.size() == 2);
    CHECK(a.results_by_topic_v3_and_below[0].name == "nothing");
    CHECK(a.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code == code(broker_errc::unknown_topic_or_partition));
    CHECK(a.results_by_topic_v3_and_below[1].results_by_partition[0].partition_error_code == code(broker_errc::operation_not_attempted));
    CHECK(a.results_by_topic_v3_and_below[1].results_by_partition[1].partition_error_code == code(broker_errc::unknown_topic_or_partition));
    CHECK(b.describe("tx").transaction_state == "Empty");
    const auto internal = b.ask(b.to[1], bench::adding("tx", who, {0}, "__consumer_offsets"), 3);
    CHECK(internal.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code ==
          code(broker_errc::topic_authorization_failed));
    auto none = bench::adding("tx", who, {});
    none.v3_and_below_topics.clear();
    CHECK(b.ask(b.to[1], none, 3).results_by_topic_v3_and_below.empty());
}

TEST_CASE("AddPartitionsToTxn from brokers: several transactions, added and verified") {
    bench b;
    const auto one = b.begin("one");
    const auto two = b.begin("two");
    messages::add_partitions_to_txn_request r;
    r.transactions.push_back({"one", one.producer_id, one.epoch, false, {{"orders", {0}, {}}}, {}});
    r.transactions.push_back({"two", two.producer_id, two.epoch, true, {{"orders", {0, 1}, {}}}, {}});
    r.transactions.push_back({"three", 99, 0, true, {{"orders", {0}, {}}}, {}});
    for (const std::int16_t version : {4, 5}) {
        const auto a = b.ask(b.to[1], r, version);
        CHECK(a.error_code == 0);
        REQUIRE(a.results_by_transaction.size() == 3);
        const auto result = [&](std::size_t i) {
            return a.results_by_transaction[i].topic_results.at(0).results_by_partition.at(0).partition_error_code;
        };
        CHECK(result(0) == 0);
        CHECK(result(1) == code(broker_errc::transaction_abortable));
        CHECK(result(2) == code(broker_errc::invalid_producer_id_mapping));
    }
    CHECK(b.add("two", two, {0}) == 0);
    const auto a = b.ask(b.to[1], r, 5).results_by_transaction[1].topic_results[0].results_by_partition;
    CHECK(a[0].partition_error_code == 0);
    CHECK(a[1].partition_error_code == code(broker_errc::transaction_abortable));
    r.transactions.clear();
    CHECK(b.ask(b.to[1], r, 5).results_by_transaction.empty());
}

TEST_CASE("what a leader asks before the first batch of a transaction, and what producers are told") {
    bench b;
    const auto who = b.begin("tx");
    auto& t = b.transactions();
    CHECK(t.verify_or_add("tx", who, {"orders", 0}, support::basic) == broker_errc::invalid_txn_state);
    CHECK(t.verify_or_add("tx", who, {"orders", 0}, support::abortable) == broker_errc::transaction_abortable);
    CHECK(b.add("tx", who, {0}) == 0);
    CHECK(t.verify_or_add("tx", who, {"orders", 0}, support::basic) == broker_errc::none);
    CHECK(t.verify_or_add("tx", {who.producer_id, 9}, {"orders", 0}, support::basic) == broker_errc::invalid_producer_epoch);
    CHECK(t.verify_or_add("tx", {99, 0}, {"orders", 0}, support::basic) == broker_errc::invalid_producer_id_mapping);
    CHECK(transaction_coordinator::support_of_produce(9) == support::basic);
    CHECK(transaction_coordinator::support_of_produce(11) == support::abortable);
    CHECK(transaction_coordinator::support_of_produce(13) == support::add_partitions);
    CHECK(transaction_coordinator::support_of_offset_commit(3) == support::basic);
    CHECK(transaction_coordinator::support_of_offset_commit(4) == support::abortable);
    CHECK(transaction_coordinator::support_of_offset_commit(5) == support::add_partitions);
    const auto told = [](broker_errc e, support s) { return transaction_coordinator::produce_answer(e, s).error; };
    CHECK(told(broker_errc::concurrent_transactions, support::basic) == broker_errc::not_enough_replicas);
    CHECK(told(broker_errc::concurrent_transactions, support::add_partitions) == broker_errc::concurrent_transactions);
    CHECK(told(broker_errc::not_coordinator, support::add_partitions) == broker_errc::not_enough_replicas);
    CHECK(transaction_coordinator::produce_answer(broker_errc::not_coordinator, support::basic).message ==
          "Unable to verify the partition has been added to the transaction. Underlying error: NOT_COORDINATOR");
    CHECK(told(broker_errc::transaction_abortable, support::abortable) == broker_errc::transaction_abortable);
}

TEST_CASE("a new producer of an open transaction's id ends it, and is asked to come again") {
    bench b;
    const auto old = b.begin("tx");
    CHECK(b.add("tx", old, {0}) == 0);
    b.put(b.orders(0), old, 0);
    const auto first = b.init("tx");
    CHECK(first.error_code == code(broker_errc::concurrent_transactions));
    CHECK(first.producer_id == -1);
    const auto marker = b.last_marker(b.orders(0));
    CHECK(marker.second.type == protocol::control_type::abort);
    CHECK(marker.first.producer_epoch == old.epoch + 1);
    const auto next = b.begin("tx");
    CHECK(next.producer_id == old.producer_id);
    CHECK(next.epoch == old.epoch + 2);
    CHECK(b.end("tx", old, true).error_code == code(broker_errc::producer_fenced));
}

TEST_CASE("a transaction that takes too long is aborted, and its producer fenced") {
    bench b;
    const auto answer = b.init("tx", 5, {}, 5'000);
    const identity who{answer.producer_id, answer.producer_epoch};
    CHECK(b.add("tx", who, {0}) == 0);
    b.put(b.orders(0), who, 0);
    b.advance(4'999ms);
    CHECK(b.describe("tx").transaction_state == "Ongoing");
    CHECK(b.add("tx", who, {1}) == 0);  // does not begin anew
    b.advance(1ms);
    CHECK(b.describe("tx").transaction_state == "CompleteAbort");
    CHECK(b.describe("tx").producer_epoch == who.epoch + 1);
    CHECK(b.orders(0).last_stable_offset() == 2);
    CHECK(b.end("tx", who, true).error_code == code(broker_errc::producer_fenced));
    const auto late = b.end("tx", who, true, 5);  // looks like a repetition that was decided the other way
    CHECK(late.error_code == code(broker_errc::invalid_txn_state));
    CHECK(b.begin("tx").epoch == who.epoch + 2);
}

TEST_CASE("with the Kafka before transactions of version 2 an old timeout bumps the epoch too") {
    bench b{{.as_version = "3.9"}};
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0}) == 0);
    b.put(b.orders(0), who, 0);
    b.advance(60s);
    CHECK(b.describe("tx").transaction_state == "CompleteAbort");
    CHECK(b.last_marker(b.orders(0)).first.producer_epoch == who.epoch + 1);
    CHECK(b.end("tx", who, true).error_code == code(broker_errc::producer_fenced));
}

TEST_CASE("between the decision and the last marker everybody waits") {
    bench b;
    b.transactions().set_marker_delay(50ms);
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0}) == 0);
    b.put(b.orders(0), who, 0);
    CHECK(b.end("tx", who, true, 5).producer_epoch == who.epoch + 1);
    CHECK(b.describe("tx").transaction_state == "PrepareCommit");
    constexpr auto wait = code(broker_errc::concurrent_transactions);
    CHECK(b.init("tx").error_code == wait);
    CHECK(b.end("tx", who, true, 5).error_code == wait);
    CHECK(b.add("tx", {who.producer_id, static_cast<std::int16_t>(who.epoch + 1)}, {0}) == wait);
    CHECK(b.transactions().verify_or_add("tx", {who.producer_id, 1}, {"orders", 0}, support::basic) ==
          broker_errc::concurrent_transactions);
    CHECK(b.orders(0).last_stable_offset() == 0);
    b.advance(50ms);
    CHECK(b.describe("tx").transaction_state == "CompleteCommit");
    CHECK(b.orders(0).last_stable_offset() == 2);
}

TEST_CASE("a marker waits for its partition's leader, and goes to the next one") {
    bench b{{.nodes = 3}};
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0, 1, 2}) == 0);
    for (int i = 0; i < 3; ++i) b.put(b.orders(i), who, 0);
    b.orders(1).set_leader(-1);
    CHECK(b.end("tx", who, false).error_code == 0);
    CHECK(b.describe("tx").transaction_state == "PrepareAbort");
    REQUIRE(b.describe("tx").topics.size() == 1);
    CHECK(b.describe("tx").topics[0].partitions == std::vector<std::int32_t>{1});
    b.advance(1s);
    CHECK(b.describe("tx").transaction_state == "PrepareAbort");
    b.orders(1).set_leader(3);
    b.advance(100ms);
    CHECK(b.describe("tx").transaction_state == "CompleteAbort");
    CHECK(b.orders(1).last_stable_offset() == 2);
    CHECK(b.last_marker(b.orders(1)).second.type == protocol::control_type::abort);
}

TEST_CASE("a deleted topic does not hold a transaction up") {
    bench b;
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0, 1}) == 0);
    b.machine.state().delete_topic("orders");
    CHECK(b.end("tx", who, true).error_code == 0);
    CHECK(b.describe("tx").transaction_state == "CompleteCommit");
}

TEST_CASE("the coordinator moves: the next one reads how things are, and the old one says that it is none") {
    bench b{{.nodes = 3}};
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0, 2}) == 0);
    b.put(b.orders(0), who, 0);
    const auto before = b.describe("tx");
    const auto first = b.home("tx").leader();
    const auto second = first == 3 ? 1 : first + 1;
    b.home("tx").set_leader(second);
    CHECK(b.describe("tx", first).error_code == code(broker_errc::not_coordinator));
    CHECK(b.describe("tx", second) == before);
    messages::end_txn_request r;
    r.transactional_id = "tx";
    r.producer_id = who.producer_id;
    r.producer_epoch = who.epoch;
    r.committed = true;
    CHECK(b.ask(b.to[first], r, 3).error_code == code(broker_errc::not_coordinator));
    messages::init_producer_id_request i;
    i.transactional_id = "tx";
    i.transaction_timeout_ms = 1000;
    CHECK(b.ask(b.to[first], i, 4).error_code == code(broker_errc::not_coordinator));
    CHECK(b.ask(b.to[second], r, 3).error_code == 0);
    CHECK(b.describe("tx").transaction_state == "CompleteCommit");
    CHECK(b.last_marker(b.orders(0)).second.coordinator_epoch == 1);
    // The old coordinator's late marker is refused.
    auto said = broker_errc::none;
    b.transactions().write_marker(b.orders(0), {who.producer_id, who.epoch, 0, false, 0, 0}, [&](broker_errc e) { said = e; });
    CHECK(said == broker_errc::transaction_coordinator_fenced);
}

TEST_CASE("the coordinator moves while markers are on their way: the next one writes them, without being asked") {
    bench b{{.nodes = 3}};
    b.transactions().set_marker_delay(10s);
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0}) == 0);
    b.put(b.orders(0), who, 0);
    CHECK(b.end("tx", who, true, 5).error_code == 0);
    b.transactions().set_marker_delay(0ms);
    b.home("tx").set_leader(b.home("tx").leader() == 1 ? 2 : 1);
    b.advance(1ms);
    CHECK(b.describe("tx").transaction_state == "CompleteCommit");
    CHECK(b.orders(0).last_stable_offset() == 2);
    b.advance(20s);  // the old coordinator's timer finds nothing
    CHECK(b.orders(0).log().end_offset() == 2);
}

TEST_CASE("the coordinator moves, and a timeout still counts from the beginning") {
    bench b{{.nodes = 3}};
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0}) == 0);
    b.advance(30s);
    b.home("tx").set_leader(b.home("tx").leader() == 1 ? 2 : 1);
    b.advance(29s);
    CHECK(b.describe("tx").transaction_state == "Ongoing");
    b.advance(1s);
    CHECK(b.describe("tx").transaction_state == "CompleteAbort");
}

TEST_CASE("steps are told when they are replicated, and only then") {
    options o;
    o.nodes = 3;
    o.replication_delay = 5ms;
    bench b{o};
    messages::init_producer_id_request i;
    i.transactional_id = "tx";
    i.transaction_timeout_ms = 60'000;
    const auto c = b.coordinator("tx");
    b.send(c, i, 4);
    CHECK(!b.has_answer(c));
    CHECK(b.transactions().verify_or_add("tx", {0, 0}, {"orders", 0}, support::add_partitions) == broker_errc::concurrent_transactions);
    b.advance(5ms);
    const auto given = b.take<messages::init_producer_id_response>(c, 4);
    const identity who{given.producer_id, given.producer_epoch};
    CHECK(b.transactions().verify_or_add("tx", who, {"orders", 0}, support::add_partitions) == broker_errc::concurrent_transactions);
    b.advance(5ms);
    CHECK(b.transactions().verify_or_add("tx", who, {"orders", 0}, support::add_partitions) == broker_errc::none);
    b.put(b.orders(0), who, 0);
    messages::end_txn_request r;
    r.transactional_id = "tx";
    r.producer_id = who.producer_id;
    r.producer_epoch = who.epoch;
    r.committed = true;
    b.send(c, r, 5);
    CHECK(!b.has_answer(c));
    b.advance(5ms);
    CHECK(b.take<messages::end_txn_response>(c, 5).producer_epoch == who.epoch + 1);
    CHECK(b.describe("tx").transaction_state == "PrepareCommit");
    b.advance(5ms);
    CHECK(b.orders(0).last_stable_offset() == 2);
    b.advance(5ms);
    CHECK(b.describe("tx").transaction_state == "CompleteCommit");
    // A step that is lost with its leader was never told: who asked hears of the move, and the transaction is as it was.
    b.send(c, i, 4);
    const auto first = b.home("tx").leader();
    b.machine.state().set_node_status(first, node::status::down);
    b.collect();
    CHECK(b.take<messages::init_producer_id_response>(c, 4).error_code == code(broker_errc::not_coordinator));
    CHECK(b.home("tx").leader() != first);
    CHECK(b.describe("tx").producer_epoch == who.epoch + 1);
}

TEST_CASE("without its coordinator a partition cannot take the first batch of a transaction") {
    bench b{{.nodes = 3}};
    const auto who = b.begin("tx");
    const auto at = b.home("tx").leader();
    b.machine.state().find_node(at)->is = node::status::paused;
    CHECK(b.transactions().verify_or_add("tx", who, {"orders", 0}, support::add_partitions) == broker_errc::network_exception);
    b.home("tx").set_leader(-1);
    CHECK(b.transactions().verify_or_add("tx", who, {"orders", 0}, support::basic) == broker_errc::coordinator_not_available);
}

TEST_CASE("a transactional id that nobody uses for a week is forgotten") {
    bench b;
    const auto who = b.begin("tx");
    b.advance(24h * 6);
    CHECK(b.describe("tx").error_code == 0);
    b.advance(24h + 1h);
    CHECK(b.describe("tx").error_code == code(broker_errc::transactional_id_not_found));
    b.home("tx").set_leader(1);  // the tombstone is in the log, too
    CHECK(b.describe("tx").error_code == code(broker_errc::transactional_id_not_found));
    CHECK(b.describe("").error_code == code(broker_errc::invalid_request));
    const auto back = b.init("tx", 4, who);
    CHECK(back.error_code == 0);
    CHECK(back.producer_id != who.producer_id);
    CHECK(back.producer_epoch == 0);
}

TEST_CASE("after a restart a transaction goes on, one that was decided ends, and no id is given twice") {
    const auto files = std::make_shared<memory_storage>();
    options o;
    o.seed = 1;
    o.topics = {{"orders", 3}};
    const moment then{net::time_point{1h}, net::wall_time{24h * 365 * 50}};
    std::vector<transaction_coordinator::given> given;
    const auto note = [&](const transaction_coordinator::given& g) { given.push_back(g); };
    const auto quiet = [](broker_errc e) { CHECK(e == broker_errc::none); };
    const auto request = [](std::optional<std::string> id) {
        return transaction_coordinator::init_request{std::move(id), 60'000, {}, false, false};
    };
    {
        cluster_state c{o, then, files};
        make_internal_topic(c, transaction_topic);
        auto& t = c.transactions();
        t.init_producer_id(1, request("open"), note);
        t.init_producer_id(1, request("decided"), note);
        t.init_producer_id(1, request({}), note);  // writes nothing
        t.add_partitions(1, "open", {0, 0}, {{"orders", 0}}, 2, quiet);
        t.add_partitions(1, "decided", {1, 0}, {{"orders", 1}}, 2, quiet);
        t.set_marker_delay(1h);
        t.end(1, "decided", {1, 0}, true, 2, note);
        REQUIRE(given.size() == 4);
        CHECK(given[2].producer_id == 2);
        CHECK(given[3].epoch == 1);
    }
    cluster_state c{o, {then.steady + 1s, then.wall + 1s}, files};
    make_internal_topic(c, transaction_topic);
    auto& t = c.transactions();
    t.recover();
    const auto decided = t.describe(1, "decided");
    REQUIRE(decided.facts);
    CHECK(decided.facts->status == transaction_status::complete_commit);
    CHECK(c.find_partition("orders", 1)->log().end_offset() == 1);
    const auto open = t.describe(1, "open");
    REQUIRE(open.facts);
    CHECK(open.facts->status == transaction_status::ongoing);
    CHECK(open.facts->partitions == std::set<transaction_partition>{{"orders", 0}});
    t.end(1, "open", {0, 0}, true, 2, note);
    CHECK(given.back().error == broker_errc::none);
    CHECK(given.back().epoch == 1);
    t.init_producer_id(1, request({}), note);
    CHECK(given.back().producer_id >= 1000);
}

TEST_CASE("WriteTxnMarkers: by producer and partition, with the transaction version from version 2 on") {
    bench b{{.nodes = 3}};
    messages::write_txn_markers_request r;
    CHECK(b.ask(b.to[1], r, 1).markers.empty());
    const auto leader = b.orders(0).leader();
    r.markers.push_back({99, 3, true, {{"orders", {0, 9}, {}}, {"nothing", {0}, {}}}, 4, 0, {}});
    const auto a = b.ask(b.to[leader], r, 1);
    REQUIRE(a.markers.size() == 1);
    REQUIRE(a.markers[0].topics.size() == 2);
    CHECK(a.markers[0].topics[0].name == "nothing");
    CHECK(a.markers[0].topics[0].partitions[0].error_code == code(broker_errc::unknown_topic_or_partition));
    CHECK(a.markers[0].topics[1].partitions[0].error_code == 0);
    CHECK(a.markers[0].topics[1].partitions[1].error_code == code(broker_errc::unknown_topic_or_partition));
    const auto only = [&](std::int16_t epoch, std::int32_t coordinator_epoch, std::int8_t transaction_version, std::int32_t node) {
        messages::write_txn_markers_request one;
        one.markers.push_back({99, epoch, false, {{"orders", {0}, {}}}, coordinator_epoch, transaction_version, {}});
        return b.ask(b.to[node], one, 2).markers.at(0).topics.at(0).partitions.at(0).error_code;
    };
    CHECK(only(2, 4, 0, leader) == code(broker_errc::invalid_producer_epoch));
    CHECK(only(3, 3, 0, leader) == code(broker_errc::transaction_coordinator_fenced));
    CHECK(only(3, 4, 0, leader) == 0);
    CHECK(only(3, 4, 2, leader) == 0);  // nothing is open: a repetition
    b.put(b.orders(0), {99, 3}, 0);
    CHECK(only(3, 4, 2, leader) == code(broker_errc::invalid_producer_epoch));
    CHECK(only(4, 4, 2, leader) == 0);
    CHECK(only(5, 4, 2, leader == 3 ? 1 : leader + 1) == code(broker_errc::not_leader_or_follower));
}

TEST_CASE("DescribeProducers: who writes, in which epoch, from where on a transaction is open") {
    bench b;
    const auto who = b.begin("tx");
    CHECK(b.add("tx", who, {0}) == 0);
    b.put(b.orders(0), who, 0);
    messages::describe_producers_request r;
    r.topics.push_back({"orders", {0, 1, 4}, {}});
    r.topics.push_back({"nothing", {0}, {}});
    r.topics.push_back({"a/b", {0}, {}});
    const auto a = b.ask(b.to[1], r, 0);
    REQUIRE(a.topics.size() == 3);
    const auto& known = a.topics[0].partitions[0].active_producers;
    REQUIRE(known.size() == 1);
    CHECK(known[0].producer_id == who.producer_id);
    CHECK(known[0].current_txn_start_offset == 0);
    CHECK(known[0].coordinator_epoch == -1);
    CHECK(known[0].last_sequence == 0);
    CHECK(a.topics[0].partitions[1].active_producers.empty());
    CHECK(a.topics[0].partitions[2].error_code == code(broker_errc::unknown_topic_or_partition));
    CHECK(!a.topics[0].partitions[2].error_message);
    CHECK(a.topics[1].partitions[0].error_message == "This server does not host this topic-partition.");
    CHECK(a.topics[2].partitions[0].error_code == code(broker_errc::invalid_topic_exception));
    b.advance(24h);
    CHECK(b.describe("tx").transaction_state == "CompleteAbort");
}

TEST_CASE("what the coordinator writes is read again as it was; other records are let be") {
    transaction_facts f;
    f.producer_id = 4711;
    f.previous_producer_id = 4710;
    f.next_producer_id = 5000;
    f.epoch = 7;
    f.timeout_ms = 60'000;
    f.status = transaction_status::prepare_commit;
    f.partitions = {{"a", 0}, {"a", 3}, {"b", 1}};
    f.start_ms = 100;
    f.last_update_ms = 200;
    f.client_version = 2;
    const auto r = to_log_record("tx", f, 2);
    REQUIRE(r.value);
    const auto back = from_log_record(r.key, protocol::bytes_view{*r.value});
    REQUIRE(back);
    CHECK(back->id == "tx");
    CHECK(back->facts == f);
    auto old = f;
    old.previous_producer_id = old.next_producer_id = -1;
    old.client_version = 0;
    const auto v0 = to_log_record("tx", old, 0);
    CHECK(from_log_record(v0.key, protocol::bytes_view{*v0.value})->facts == old);
    f.status = transaction_status::dead;
    const auto tombstone = to_log_record("tx", f, 2);
    CHECK(!tombstone.value);
    CHECK(!from_log_record(tombstone.key, {})->facts);
    for (const auto strange : {transaction_status::prepare_epoch_fence, transaction_status::ongoing}) {
        auto spoilt = old;
        spoilt.status = strange;
        spoilt.start_ms = strange == transaction_status::ongoing ? std::numeric_limits<std::int64_t>::min() : 0;
        const auto written = to_log_record("tx", spoilt, 2);
        CHECK(!from_log_record(written.key, protocol::bytes_view{*written.value}));
    }
    const protocol::bytes other{std::byte{0}, std::byte{1}, std::byte{0}}, empty;
    CHECK(!from_log_record(other, {}));
    CHECK(!from_log_record(empty, {}));
    CHECK(!from_log_record(r.key, protocol::bytes_view{other}));
    for (std::size_t cut = 0; cut < r.value->size(); ++cut) CHECK(!from_log_record(r.key, protocol::bytes_view{*r.value}.first(cut)));
}

}  // namespace
}  // namespace kafkawire::broker::test
