// The expectations are Kafka's own rules, as its ProducerStateManager and ProducerAppendInfo (4.3) apply them.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include "broker/producer_state.hpp"
#include "catch.hpp"

namespace kafkawire::broker::test {
namespace {

using kind = producer_state::verdict::kind;
constexpr auto client = append_origin::client;

producer_batch batch(std::int64_t id, std::int16_t epoch, std::int32_t first, std::int32_t count, bool transactional = false) {
    return {id, epoch, first, protocol::add_to_sequence(first, count - 1), count - 1, 1000, transactional};
}

// A partition: what is accepted gets the next offsets.
struct bench {
    producer_state state;
    std::int64_t end = 0;

    producer_state::verdict put(const producer_batch& b, bool verified = false, append_origin origin = client) {
        const auto v = state.check(b, origin, verified);
        if (v.is == kind::accept) {
            state.appended(b, end, v);
            end += b.last_offset_delta + 1;
        }
        return v;
    }
    broker_errc mark(std::int64_t id, std::int16_t epoch, bool commit, std::int32_t coordinator_epoch = 0,
                     std::int16_t transaction_version = 0) {
        const transaction_marker m{id, epoch, coordinator_epoch, commit, 2000, transaction_version};
        const auto e = state.check_marker(m);
        if (e == broker_errc::none) state.marker_appended(m, end++);
        return e;
    }
};

TEST_CASE("producer state: sequences follow each other, and each of the last five batches may come again") {
    bench p;
    for (int i = 0; i < 6; ++i) CHECK(p.put(batch(7, 0, i * 10, 10)).is == kind::accept);
    for (int i = 1; i < 6; ++i) {
        const auto again = p.put(batch(7, 0, i * 10, 10));
        CHECK(again.is == kind::duplicate);
        CHECK(again.base_offset == i * 10);
        CHECK(again.timestamp == 1000);
    }
    CHECK(p.put(batch(7, 0, 0, 10)).error == broker_errc::out_of_order_sequence_number);  // forgotten: the sixth back
    CHECK(p.put(batch(7, 0, 50, 5)).error == broker_errc::out_of_order_sequence_number);  // begins like one, ends elsewhere
    CHECK(p.put(batch(7, 0, 61, 1)).error == broker_errc::out_of_order_sequence_number);  // a gap
    CHECK(p.put(batch(7, 0, 60, 1)).is == kind::accept);
    CHECK(p.end == 61);
}

TEST_CASE("producer state: sequences wrap to 0") {
    bench p;
    constexpr auto top = std::numeric_limits<std::int32_t>::max();
    CHECK(p.put(batch(7, 0, top - 1, 2)).is == kind::accept);
    CHECK(p.put(batch(7, 0, 0, 3)).is == kind::accept);
    CHECK(p.put(batch(7, 0, 0, 3)).is == kind::duplicate);
    bench q;  // in the middle of a batch
    CHECK(q.put(batch(7, 0, top, 3)).is == kind::accept);
    CHECK(q.put(batch(7, 0, top, 3)).is == kind::duplicate);
    CHECK(q.put(batch(7, 0, 2, 1)).is == kind::accept);
}

TEST_CASE("producer state: a producer that the partition does not know begins where it likes") {
    bench p;
    CHECK(p.put(batch(7, 3, 4711, 1)).is == kind::accept);
    CHECK(p.put(batch(7, 3, 4712, 1)).is == kind::accept);
    p.state.expire(3000, 1000);
    CHECK(p.state.describe().empty());
    CHECK(p.put(batch(7, 3, 9999, 1)).is == kind::accept);
    p.state.expire(3001, 1000);  // looked a moment ago
    CHECK(p.state.describe().size() == 1);
}

TEST_CASE("producer state: a new epoch begins at 0 and fences the old one") {
    bench p;
    CHECK(p.put(batch(7, 0, 0, 5)).is == kind::accept);
    CHECK(p.put(batch(7, 1, 5, 1)).error == broker_errc::out_of_order_sequence_number);
    CHECK(p.put(batch(7, 1, 0, 1)).is == kind::accept);
    CHECK(p.put(batch(7, 0, 5, 1)).error == broker_errc::invalid_producer_epoch);
    CHECK(p.put(batch(7, 0, 0, 5)).error == broker_errc::invalid_producer_epoch);  // no duplicate of the fenced epoch is told
    CHECK(p.put(batch(-1, -1, -1, 1)).is == kind::accept);
}

TEST_CASE("producer state: a transactional batch needs its transaction") {
    bench p;
    CHECK(p.put(batch(7, 0, 0, 1, true)).error == broker_errc::invalid_txn_state);
    CHECK(p.put(batch(7, 0, 0, 1, true), true).is == kind::accept);
    CHECK(p.state.has_ongoing_transaction(7, 0));
    CHECK(!p.state.has_ongoing_transaction(7, 1));
    CHECK(p.put(batch(7, 0, 1, 1, true)).is == kind::accept);
    CHECK(p.put(batch(7, 0, 2, 1, false)).error == broker_errc::invalid_txn_state);
    CHECK(p.mark(7, 0, true) == broker_errc::none);
    CHECK(!p.state.has_ongoing_transaction(7, 0));
    CHECK(p.put(batch(7, 0, 2, 1, true)).error == broker_errc::invalid_txn_state);
    CHECK(p.put(batch(7, 0, 2, 1, true), true).is == kind::accept);
}

TEST_CASE("producer state: with transactions of version 2 an unknown producer begins at 0") {
    bench p;
    const auto late = batch(7, 0, 3, 1, true);
    CHECK(p.state.begin_verification(late, true, 0) == broker_errc::none);
    CHECK(p.put(late, true).error == broker_errc::out_of_order_sequence_number);
    const auto first = batch(7, 0, 0, 3, true);
    CHECK(p.state.begin_verification(first, true, 0) == broker_errc::none);
    CHECK(p.put(first, true).is == kind::accept);
    CHECK(p.put(late).is == kind::accept);
    // Version 1: any sequence, but not one above the lowest that is under way.
    bench q;
    CHECK(q.state.begin_verification(batch(7, 0, 5, 1, true), false, 0) == broker_errc::none);
    CHECK(q.state.begin_verification(batch(7, 0, 6, 1, true), false, 0) == broker_errc::none);
    CHECK(q.put(batch(7, 0, 6, 1, true), true).error == broker_errc::out_of_order_sequence_number);
    CHECK(q.put(batch(7, 0, 5, 1, true), true).is == kind::accept);
    CHECK(q.state.begin_verification(batch(7, 1, 0, 1, true), true, 0) == broker_errc::none);
    CHECK(q.state.begin_verification(batch(7, -1, 0, 1, true), true, 0) == broker_errc::invalid_producer_epoch);
}

TEST_CASE("producer state: offsets that a coordinator writes have no sequences, but epochs count") {
    bench p;
    CHECK(p.put(batch(7, 1, -1, 1, true), true, append_origin::coordinator).is == kind::accept);
    CHECK(p.put({7, 1, -1, -1, 0, 1000, true}, false, append_origin::coordinator).is == kind::accept);
    CHECK(p.put({7, 0, -1, -1, 0, 1000, true}, true, append_origin::coordinator).error == broker_errc::invalid_producer_epoch);
}

TEST_CASE("producer state: the last stable offset waits for transactions, and their ends for the high watermark") {
    bench p;
    CHECK(p.put(batch(1, 0, 0, 2)).is == kind::accept);
    CHECK(p.state.last_stable_offset(2) == 2);
    CHECK(p.put(batch(7, 0, 0, 1, true), true).is == kind::accept);  // offset 2
    CHECK(p.put(batch(8, 0, 0, 1, true), true).is == kind::accept);  // offset 3
    CHECK(p.state.last_stable_offset(4) == 2);
    CHECK(p.state.last_stable_offset(1) == 1);
    CHECK(p.mark(7, 0, false) == broker_errc::none);  // offset 4
    CHECK(p.state.last_stable_offset(5) == 2);        // decided, but a leader may still lose the marker
    p.state.set_high_watermark(5);
    CHECK(p.state.last_stable_offset(5) == 3);
    CHECK(p.mark(8, 0, true) == broker_errc::none);  // offset 5
    p.state.set_high_watermark(6);
    CHECK(p.state.last_stable_offset(6) == 6);
    CHECK(!p.state.first_unstable_offset());
    CHECK(p.mark(8, 0, true) == broker_errc::none);  // a marker without a transaction moves nothing
    CHECK(!p.state.first_unstable_offset());
}

TEST_CASE("producer state: aborted transactions are told where they overlap the fetch") {
    bench p;
    CHECK(p.put(batch(7, 0, 0, 1, true), true).is == kind::accept);  // 0
    CHECK(p.put(batch(8, 0, 0, 1, true), true).is == kind::accept);  // 1
    CHECK(p.mark(8, 0, false) == broker_errc::none);                 // 2
    CHECK(p.mark(7, 0, false) == broker_errc::none);                 // 3
    CHECK(p.put(batch(7, 0, 1, 1, true), true).is == kind::accept);  // 4
    CHECK(p.mark(7, 0, true) == broker_errc::none);                  // 5
    CHECK(p.put(batch(8, 0, 1, 1, true), true).is == kind::accept);  // 6
    CHECK(p.mark(8, 0, false) == broker_errc::none);                 // 7
    const auto all = p.state.aborted(0, 8);
    REQUIRE(all.size() == 3);
    CHECK(all[0].producer_id == 8);
    CHECK(all[0].first_offset == 1);
    CHECK(all[0].last_offset == 2);
    CHECK(all[0].last_stable_offset == 0);
    CHECK(all[1].last_stable_offset == 4);
    CHECK(p.state.aborted(0, 1).size() == 1);
    CHECK(p.state.aborted(3, 4).size() == 1);
    CHECK(p.state.aborted(4, 6).empty());
    CHECK(p.state.aborted(4, 7).size() == 1);
    CHECK(p.state.aborted(8, 100).empty());
    p.state.raise_start(3);
    CHECK(p.state.aborted(0, 100).size() == 2);
}

TEST_CASE("producer state: markers of old epochs and old coordinators are refused") {
    bench p;
    CHECK(p.put(batch(7, 3, 0, 1, true), true).is == kind::accept);
    CHECK(p.mark(7, 2, true) == broker_errc::invalid_producer_epoch);
    CHECK(p.mark(7, 3, true, 5) == broker_errc::none);
    CHECK(p.mark(7, 3, true, 4) == broker_errc::transaction_coordinator_fenced);
    CHECK(p.mark(7, 4, false, 5) == broker_errc::none);  // of an abort that bumps the epoch
    CHECK(p.put(batch(7, 3, 1, 1)).error == broker_errc::invalid_producer_epoch);
    CHECK(p.mark(99, 0, true, 0) == broker_errc::none);  // nobody knows 99
}

TEST_CASE("producer state: a marker of version 2 has a higher epoch than its transaction, or is a repetition") {
    bench p;
    CHECK(p.put(batch(7, 3, 0, 1, true), true).is == kind::accept);
    CHECK(p.mark(7, 3, true, 0, 2) == broker_errc::invalid_producer_epoch);
    CHECK(p.mark(7, 4, true, 0, 2) == broker_errc::none);
    CHECK(p.mark(7, 4, true, 0, 2) == broker_errc::none);
    // The next transaction is open in epoch 4: a late repetition of the marker must not end it.
    CHECK(p.put(batch(7, 4, 0, 1, true), true).is == kind::accept);
    CHECK(p.mark(7, 4, true, 0, 2) == broker_errc::invalid_producer_epoch);
    CHECK(p.state.has_ongoing_transaction(7, 4));
    constexpr auto top = std::numeric_limits<std::int16_t>::max();
    CHECK(p.put(batch(8, top, 0, 1, true), true).is == kind::accept);
    CHECK(p.mark(8, top, false, 0, 2) == broker_errc::none);
    CHECK(!p.state.has_ongoing_transaction(8, top));
}

TEST_CASE("producer state: what is open does not expire") {
    bench p;
    CHECK(p.put(batch(7, 0, 0, 1, true), true).is == kind::accept);
    CHECK(p.put(batch(8, 0, 0, 1)).is == kind::accept);
    p.state.expire(1'000'000, 1);
    const auto left = p.state.describe();
    REQUIRE(left.size() == 1);
    CHECK(left[0].producer_id == 7);
    CHECK(left[0].transaction_start == 0);
}

TEST_CASE("producer state: rebuilt from the log's batches it says the same") {
    // Two data batches of a transaction, its abort marker, and a batch of an idempotent producer, as bytes.
    std::vector<protocol::bytes> log;
    std::int64_t end = 0;
    const auto build = [&](protocol::batch_options o, int records) {
        o.base_offset = end;
        protocol::batch_builder b{o};
        for (int i = 0; i < records; ++i) {
            if (o.control) {
                const auto m = protocol::make_end_transaction_marker(protocol::control_type::abort, 9);
                REQUIRE(b.append(1500, protocol::bytes_view{m.key}, protocol::bytes_view{m.value}) == errc{});
            } else {
                REQUIRE(b.append(1000, "k", "v") == errc{});
            }
        }
        protocol::bytes_view bytes;
        REQUIRE(!b.close(bytes));
        log.emplace_back(bytes.begin(), bytes.end());
        end += records;
    };
    build({.producer_id = 7, .producer_epoch = 2, .base_sequence = 0, .transactional = true}, 3);
    build({.producer_id = 8, .producer_epoch = 0, .base_sequence = 40}, 2);
    build({.producer_id = 7, .producer_epoch = 2, .base_sequence = 3, .transactional = true}, 2);
    build({.producer_id = 7, .producer_epoch = 2, .transactional = true, .control = true}, 1);
    producer_state s;
    for (const auto& bytes : log) {
        protocol::record_batches batches{bytes};
        while (const auto* b = batches.next()) s.replay(*b);
    }
    const auto known = s.describe();
    REQUIRE(known.size() == 2);
    CHECK(known[0].last_sequence == 4);
    CHECK(known[0].coordinator_epoch == 9);
    CHECK(known[0].transaction_start == -1);
    CHECK(known[0].last_timestamp == 1500);
    CHECK(known[1].last_sequence == 41);
    REQUIRE(s.aborted(0, 100).size() == 1);
    CHECK(s.aborted(0, 100)[0].first_offset == 0);
    CHECK(s.aborted(0, 100)[0].last_offset == 7);
    CHECK(s.check(batch(7, 2, 3, 2), client).base_offset == 5);
    CHECK(s.check(batch(8, 0, 42, 1), client).is == kind::accept);
    s.clear();
    CHECK(s.describe().empty());
}

}  // namespace
}  // namespace kafkawire::broker::test
