// The machine of one transactional id, stepped by hand. What is expected is what TransactionCoordinator of Apache Kafka 4.3 answers.
#include "broker/transaction_fsm.hpp"
#include "catch.hpp"

#include <limits>
#include <stdexcept>

namespace kafkawire::broker::test {
namespace {

using enum transaction_status;
using e = broker_errc;
using identity = transaction_fsm::identity;
const transaction_partition orders{"orders", 0};
const transaction_partition bills{"bills", 3};
constexpr std::int16_t last_usable = std::numeric_limits<std::int16_t>::max() - 1;

struct fsm_bench {
    producer_ids ids;
    std::int64_t now = 1000;
    transaction_fsm fsm{"tx", ids.next(1), 60'000, 1000};

    [[nodiscard]] transaction_fsm::context in() { return {&ids, 1, now}; }
    [[nodiscard]] identity me() const { return {fsm.facts().producer_id, fsm.facts().epoch}; }
    e settle(transaction_fsm::outcome o) {
        if (o.write) fsm.written();
        return o.error;
    }
    e init(std::optional<identity> expected = {}, std::int16_t server = 2) {
        return settle(fsm.init_producer_id(60'000, expected, server, in()));
    }
    e add(std::set<transaction_partition> what, std::int16_t version = 0) { return settle(fsm.add_partitions(me(), what, version, now)); }
    e end(identity who, bool commit, std::int16_t version) { return settle(fsm.end(who, commit, version, in())); }
    void complete() {
        fsm.prepare_complete(now);
        for (const auto markers = fsm.facts().partitions; const auto& p : markers) fsm.marker_written(p);
        fsm.written();
    }
    [[nodiscard]] transaction_status status() const { return fsm.facts().status; }
    // A machine in any status, as a log would give it.
    static transaction_fsm in_status(transaction_status s, std::int16_t client_version = 0) {
        transaction_facts f;
        f.producer_id = 7;
        f.epoch = 3;
        f.timeout_ms = 60'000;
        f.status = s;
        f.client_version = client_version;
        if (s == ongoing || s == prepare_commit || s == prepare_abort) f.partitions = {orders};
        return {"tx", f};
    }
};

TEST_CASE("transaction: ids come in blocks of a thousand for each node, above what a log has used") {
    producer_ids ids;
    CHECK(ids.next(1) == 0);
    CHECK(ids.next(2) == 1000);
    CHECK(ids.next(1) == 1);
    for (int i = 0; i < 998; ++i) static_cast<void>(ids.next(1));
    CHECK(ids.next(1) == 2000);
    ids.seen(5007);
    ids.seen(17);
    CHECK(ids.next(3) == 6000);
}

TEST_CASE("transaction: a producer begins in epoch 0, and each that comes after it in the next one") {
    fsm_bench b;
    CHECK(b.fsm.facts().epoch == -1);
    CHECK(b.init() == e::none);
    CHECK(b.me().epoch == 0);
    CHECK(b.init() == e::none);
    CHECK(b.me().epoch == 1);
    CHECK(b.status() == empty);
}

TEST_CASE("transaction: begun, committed and aborted with version 1") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    CHECK(b.end(b.me(), true, 0) == e::invalid_txn_state);
    CHECK(b.add({orders}) == e::none);
    CHECK(b.status() == ongoing);
    CHECK(b.fsm.facts().start_ms == 1000);
    b.now = 2000;
    CHECK(b.add({bills}) == e::none);
    CHECK(b.fsm.facts().start_ms == 1000);
    CHECK(!b.fsm.add_partitions(b.me(), {orders, bills}, 0, b.now).write);
    CHECK(b.end(b.me(), true, 0) == e::none);
    CHECK(b.status() == prepare_commit);
    CHECK(b.end(b.me(), true, 0) == e::concurrent_transactions);
    CHECK(b.end(b.me(), false, 0) == e::invalid_txn_state);
    CHECK(b.add({orders}) == e::concurrent_transactions);
    CHECK(b.init() == e::concurrent_transactions);
    b.complete();
    CHECK(b.status() == complete_commit);
    CHECK(b.fsm.facts().partitions.empty());
    CHECK(b.end(b.me(), true, 0) == e::none);
    CHECK(b.end(b.me(), false, 0) == e::invalid_txn_state);
    CHECK(b.add({orders}) == e::none);
    CHECK(b.fsm.facts().start_ms == 2000);
    CHECK(b.end(b.me(), false, 0) == e::none);
    CHECK(b.status() == prepare_abort);
    CHECK(b.end(b.me(), false, 0) == e::concurrent_transactions);
    CHECK(b.end(b.me(), true, 0) == e::invalid_txn_state);
    b.complete();
    CHECK(b.status() == complete_abort);
    CHECK(b.end(b.me(), false, 0) == e::none);
    CHECK(b.end(b.me(), true, 0) == e::invalid_txn_state);
    CHECK(b.me().epoch == 0);
}

TEST_CASE("transaction: with version 2 each end raises the epoch, and a repetition is known by it") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    const auto first = b.me();
    CHECK(b.end(first, true, 2) == e::invalid_txn_state);
    CHECK(b.add({orders}, 2) == e::none);
    CHECK(b.end(first, true, 2) == e::none);
    CHECK(b.me().epoch == first.epoch + 1);
    CHECK(b.end(first, true, 2) == e::concurrent_transactions);
    CHECK(b.end(first, false, 2) == e::invalid_txn_state);
    CHECK(b.end(b.me(), true, 2) == e::producer_fenced);
    b.complete();
    CHECK(b.end(first, true, 2) == e::none);
    CHECK(b.me().epoch == first.epoch + 1);
    CHECK(b.end(first, false, 2) == e::invalid_txn_state);
    CHECK(b.end(b.me(), true, 2) == e::invalid_txn_state);
    CHECK(b.end({first.producer_id, 5}, false, 2) == e::producer_fenced);
    CHECK(b.fsm.add_partitions(first, {orders}, 2, b.now).error == e::producer_fenced);
}

TEST_CASE("transaction: with version 2 an abort needs no partitions, and raises the epoch all the same") {
    for (const auto from : {empty, complete_commit, complete_abort}) {
        auto fsm = fsm_bench::in_status(from, 2);
        producer_ids ids;
        CHECK(fsm.end({7, 3}, false, 2, {&ids, 1, 50}).write);
        CHECK(fsm.next().status == prepare_abort);
        CHECK(fsm.next().epoch == 4);
        CHECK(fsm.next().start_ms == 50);
    }
}

TEST_CASE("transaction: another id, an old and a future epoch are refused") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    CHECK(b.init() == e::none);
    for (const std::int16_t version : {0, 2}) {
        CHECK(b.end({b.me().producer_id + 1, 1}, true, version) == e::invalid_producer_id_mapping);
        CHECK(b.end({b.me().producer_id, 0}, true, version) == e::producer_fenced);
        CHECK(b.end({b.me().producer_id, 2}, true, version) == e::producer_fenced);
    }
    CHECK(b.fsm.verify({b.me().producer_id + 1, 1}) == e::invalid_producer_id_mapping);
    CHECK(b.fsm.verify({b.me().producer_id, 0}) == e::producer_fenced);
    CHECK(b.fsm.verify(b.me()) == e::none);
}

TEST_CASE("transaction: while a step is written everybody else waits") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    CHECK(b.fsm.add_partitions(b.me(), {orders}, 2, b.now).write);
    CHECK(b.fsm.add_partitions(b.me(), {bills}, 2, b.now).error == e::concurrent_transactions);
    CHECK(b.fsm.end(b.me(), true, 2, b.in()).error == e::concurrent_transactions);
    CHECK(b.fsm.end(b.me(), true, 0, b.in()).error == e::concurrent_transactions);
    CHECK(b.fsm.init_producer_id(1, {}, 2, b.in()).error == e::concurrent_transactions);
    CHECK(b.fsm.verify(b.me()) == e::none);
    b.fsm.not_written();
    CHECK(b.status() == empty);
    CHECK(b.add({orders}, 2) == e::none);
}

TEST_CASE("transaction: a producer goes on with the identity that it had (KIP-360)") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    const auto me = b.me();
    CHECK(b.init(identity{me.producer_id, 0}) == e::none);
    CHECK(b.me().epoch == 1);
    CHECK(b.init(identity{me.producer_id, 0}) == e::none);  // the answer was lost: the same again
    CHECK(b.me().epoch == 1);
    CHECK(b.init(identity{me.producer_id, 1}) == e::none);
    CHECK(b.me().epoch == 2);
    CHECK(b.init(identity{me.producer_id, 0}) == e::producer_fenced);
    CHECK(b.init(identity{me.producer_id + 5, 2}) == e::producer_fenced);
    fsm_bench fresh;  // the coordinator has forgotten it: it gets what there is
    CHECK(fresh.init(identity{4711, 9}) == e::none);
    CHECK(fresh.me().epoch == 0);
}

TEST_CASE("transaction: when the epochs are used up the producer gets another id") {
    fsm_bench b;
    transaction_facts f;
    f.producer_id = 0;
    f.epoch = last_usable;
    b.fsm = {"tx", f};
    CHECK(b.init(identity{0, 5}) == e::unknown_server_error);
    CHECK(b.init(identity{0, last_usable}) == e::none);
    CHECK(b.me().producer_id == 1);
    CHECK(b.me().epoch == 0);
    CHECK(b.init(identity{0, last_usable}) == e::none);  // again, for the answer was lost
    CHECK(b.me().producer_id == 1);
    CHECK(b.me().epoch == 0);
    CHECK(b.init(identity{0, 5}) == e::producer_fenced);
    b.fsm = {"tx", f};
    CHECK(b.init() == e::none);
    CHECK(b.me().producer_id == 2);
    CHECK(b.fsm.facts().last_epoch == -1);
}

TEST_CASE("transaction: with version 2 the other id comes when the transaction is complete") {
    fsm_bench b;
    transaction_facts f;
    f.producer_id = 0;
    f.epoch = last_usable;
    b.fsm = {"tx", f};
    CHECK(b.add({orders}, 2) == e::none);
    CHECK(b.end({0, last_usable}, true, 2) == e::none);
    CHECK(b.fsm.facts().epoch == last_usable + 1);
    CHECK(b.fsm.facts().next_producer_id == 1);
    CHECK(b.end({0, last_usable}, true, 2) == e::concurrent_transactions);
    b.complete();
    CHECK(b.me().producer_id == 1);
    CHECK(b.me().epoch == 0);
    CHECK(b.end({0, last_usable}, true, 2) == e::none);  // a repetition under the old id
    CHECK(b.end({0, last_usable}, false, 2) == e::invalid_txn_state);
    CHECK(b.end({0, 17}, true, 2) == e::invalid_producer_id_mapping);
}

TEST_CASE("transaction: who begins while a transaction is open has it aborted first") {
    for (const std::int16_t version : {0, 2}) {
        fsm_bench b;
        CHECK(b.init() == e::none);
        CHECK(b.add({orders}, version) == e::none);
        const auto old = b.me();
        CHECK(b.fsm.init_producer_id(1, {}, version, b.in()).write);
        CHECK(b.fsm.next().status == prepare_abort);
        b.fsm.written();
        CHECK(b.me().epoch == 1);  // never given to anybody
        b.complete();
        CHECK(b.fsm.verify(old) == e::producer_fenced);
        CHECK(b.init() == e::none);
        CHECK(b.me().epoch == 2);
        CHECK(b.end(old, true, 0) == e::producer_fenced);
        CHECK(b.end(old, true, 2) == e::producer_fenced);
    }
}

TEST_CASE("transaction: a fence that could not be written raises the epoch once, not each time") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    CHECK(b.add({orders}) == e::none);
    for (int i = 0; i < 3; ++i) {
        CHECK(b.fsm.fence_and_abort(1, b.in()).write);
        CHECK(b.fsm.next().epoch == 1);
        b.fsm.not_written();
    }
    CHECK(b.fsm.fence_and_abort(1, b.in()).write);
    b.fsm.written();
    CHECK(b.me().epoch == 1);
    fsm_bench c;  // with version 2 the epoch is raised in what is written, and nothing stays of a failure
    CHECK(c.init() == e::none);
    CHECK(c.add({orders}, 2) == e::none);
    CHECK(c.fsm.fence_and_abort(2, c.in()).write);
    c.fsm.not_written();
    CHECK(c.me().epoch == 0);
    CHECK(c.status() == ongoing);
}

TEST_CASE("transaction: timeouts count from the first partition, and only while ongoing") {
    fsm_bench b;
    CHECK(b.init() == e::none);
    CHECK(!b.fsm.has_timed_out(10'000'000));
    CHECK(b.add({orders}) == e::none);
    CHECK(!b.fsm.has_timed_out(60'999));
    CHECK(b.fsm.has_timed_out(61'000));
    CHECK(b.end(b.me(), true, 0) == e::none);
    CHECK(!b.fsm.has_timed_out(10'000'000));
}

TEST_CASE("transaction: no step that Kafka does not allow can be taken") {
    producer_ids ids;
    const transaction_fsm::context in{&ids, 1, 50};
    for (int n = 0; n < static_cast<int>(transaction_status_count); ++n) {
        const auto from = static_cast<transaction_status>(n);
        INFO(name_of(from));
        CHECK(transaction_status_by_name(name_of(from)) == from);
        const auto& legal = legal_transaction_steps[static_cast<std::size_t>(n)];
        const auto may = [&](transaction_status to) { return legal[static_cast<std::size_t>(to)]; };
        if (from == dead || from == prepare_epoch_fence) continue;  // nothing is asked of these
        auto forgotten = fsm_bench::in_status(from);
        if (may(dead)) {
            forgotten.prepare_dead();
            CHECK(forgotten.next().status == dead);
        } else {
            CHECK_THROWS_AS(forgotten.prepare_dead(), std::logic_error);
        }
        auto completed = fsm_bench::in_status(from);
        if (may(complete_commit) || may(complete_abort)) {
            completed.prepare_complete(1);
            CHECK(may(completed.next().status));
        } else {
            CHECK_THROWS_AS(completed.prepare_complete(1), std::logic_error);
        }
        auto added = fsm_bench::in_status(from);
        CHECK(added.add_partitions({7, 3}, {bills}, 0, 1).write == may(ongoing));
        auto begun = fsm_bench::in_status(from);
        CHECK(begun.init_producer_id(1, {}, 2, in).write == (may(empty) || may(prepare_epoch_fence)));
        auto committed = fsm_bench::in_status(from);
        CHECK(committed.end({7, 3}, true, 0, in).write == may(prepare_commit));
        auto fenced = fsm_bench::in_status(from);
        if (from != ongoing) CHECK_THROWS_AS(fenced.fence_and_abort(2, in), std::logic_error);
    }
    CHECK(!transaction_status_by_name("Open"));
}

}  // namespace
}  // namespace kafkawire::broker::test
