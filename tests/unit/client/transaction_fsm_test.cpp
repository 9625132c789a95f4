// The transaction machine by hand: what it asks for, in which order, and what it makes of the answers.
#include "transaction_rig.hpp"

#include "catch.hpp"

using namespace transaction_rig;

namespace {
using find = messages::find_coordinator_request;
using init = messages::init_producer_id_request;
using add = messages::add_partitions_to_txn_request;
using add_offsets = messages::add_offsets_to_txn_request;
using end = messages::end_txn_request;
using commit_offsets = messages::txn_offset_commit_request;
template <class S>
bool is(const rig& r) {
    return std::holds_alternative<S>(r.m.where());
}
}  // namespace

TEST_CASE("version 1: coordinator, identity, partitions before their batches, EndTxn when all is settled") {
    rig r{1};
    const auto begun = r.begin();
    REQUIRE(r.flight.size() == 1);
    CHECK_FALSE(r.flight[0].broker);
    CHECK(r.flying<find>()->key_type == 1);
    CHECK(r.flying<find>()->coordinator_key == "t");
    r.found(3);
    REQUIRE(r.flying<init>());
    CHECK(r.flight[0].broker == 3);
    CHECK(*r.flying<init>()->transactional_id == "t");
    CHECK(r.flying<init>()->transaction_timeout_ms == 60'000);
    CHECK(r.flying<init>()->producer_id == -1);
    r.initialized(10, 4);
    CHECK(r.identities == std::vector{identity{10, 4}});
    CHECK(r.fine(begun));
    CHECK(r.m.version() == 1);

    r.touch(0);
    CHECK(r.ready_partitions.empty());
    r.touch(1);  // while the first is being added: goes with the next request
    REQUIRE(r.flight.size() == 1);
    CHECK(r.flight[0].versions == protocol::between(0, 3));
    CHECK(r.flying<add>()->v3_and_below_topics[0].partitions == std::vector{0});
    r.added();
    CHECK(r.ready_partitions.size() == 1);
    CHECK(r.flying<add>()->v3_and_below_topics[0].partitions == std::vector{1});
    r.added();
    CHECK(r.ready_partitions.size() == 2);

    const auto offsets = r.offsets("g");
    REQUIRE(r.flying<add_offsets>());
    CHECK(r.flying<add_offsets>()->group_id == "g");
    r.offsets_added();
    CHECK(r.flying<find>()->key_type == 0);
    r.found(2);
    REQUIRE(r.flying<commit_offsets>());
    CHECK(r.flight[0].broker == 2);
    CHECK(r.flight[0].versions.highest == 4);
    CHECK(r.flying<commit_offsets>()->generation_id == 3);
    CHECK(r.flying<commit_offsets>()->member_id == "member");
    r.offsets_committed();
    CHECK(r.fine(offsets));
    (void)r.offsets("g");  // the group is in the transaction already
    CHECK_FALSE(r.flying<add_offsets>());

    const auto committed = r.commit();
    CHECK(r.settles == 1);
    r.settled();
    CHECK_FALSE(r.flying<end>());  // offsets are still on their way
    r.offsets_committed();
    REQUIRE(r.flying<end>());
    CHECK(r.flying<end>()->committed);
    CHECK(r.flying<end>()->producer_epoch == 4);
    CHECK(r.flight[0].versions == protocol::between(0, 4));
    CHECK_FALSE(r.end_of(committed));
    r.ended();
    CHECK(r.fine(committed));
    CHECK(is<ready>(r));
    CHECK(r.identities.size() == 1);  // the epoch stays
    CHECK_FALSE(r.m.busy());

    CHECK(r.fine(r.begin()));  // and the next one needs nothing
    CHECK(r.flight.empty());
}

TEST_CASE("version 2: partitions and groups add themselves, EndTxn 5 brings the next epoch") {
    rig r{2};
    CHECK(r.fine(r.open()));
    CHECK(r.m.version() == 2);
    r.touch(0);
    CHECK(r.ready_partitions.size() == 1);
    CHECK(r.flight.empty());
    const auto offsets = r.offsets("g");
    r.found(2);
    REQUIRE(r.flying<commit_offsets>());
    CHECK(r.flight[0].versions == protocol::between(5, 5));
    r.offsets_committed();
    CHECK(r.fine(offsets));
    const auto committed = r.commit();
    r.settled();
    CHECK(r.flight.at(0).versions == protocol::between(5, 5));
    r.ended(0, 10, 1);
    CHECK(r.fine(committed));
    CHECK(r.m.who() == identity{10, 1});
    r.begin();
    r.touch();
    r.abort();
    CHECK(r.dropped.size() == 1);
    r.settled();
    CHECK_FALSE(r.flying<end>()->committed);
    r.ended(0, 11, 0);  // the epochs were used up
    CHECK(r.m.who() == identity{11, 0});
}

TEST_CASE("a transaction without records and offsets ends without a request, on both versions") {
    for (const int version : {1, 2}) {
        rig r{version};
        r.open();
        const auto committed = r.commit();
        CHECK_FALSE(r.end_of(committed));  // records may still be looking for their partition
        r.settled();
        CHECK(r.fine(committed));
        r.begin();
        const auto aborted = r.abort();
        r.settled();
        CHECK(r.fine(aborted));
        CHECK(r.flight.empty());
        CHECK(is<ready>(r));
    }
}

TEST_CASE("the version is chosen when a transaction begins, from the newest word about the feature") {
    rig r{1};
    r.open();
    r.step(feature_level{2, 5});
    CHECK(r.m.version() == 1);
    r.commit();
    r.settled();
    r.step(feature_level{1, 4});  // older: ignored
    r.begin();
    CHECK(r.m.version() == 2);
}

TEST_CASE("version 1: an abort waits for the first batch in flight, adds nothing more, and is not sent if nothing was added") {
    rig r{1};
    r.open();
    r.touch(0);
    r.added();
    r.touch(1);
    const auto aborted = r.abort();
    CHECK(r.settles == 1);
    CHECK(r.dropped.size() == 1);
    CHECK(r.dropped[0].code == errc::transaction_aborted);
    r.added();
    CHECK(r.ready_partitions.size() == 1);  // not of the one that came too late
    CHECK_FALSE(r.flying<end>());
    r.settled();
    CHECK_FALSE(r.flying<end>()->committed);
    r.ended();
    CHECK(r.fine(aborted));

    rig s{1};
    s.open();
    s.touch(0);
    s.added(number(broker_errc::concurrent_transactions));
    const auto early = s.abort();
    s.settled();
    CHECK(s.fine(early));
    CHECK(s.flight.empty());
}

TEST_CASE("version 1: after a request without an answer the epoch is raised before the next transaction, though a repetition was answered") {
    rig r{1};
    r.open();
    r.touch();
    r.added();
    const auto committed = r.commit();
    r.settled();
    r.lose(r.take<end>());
    r.found(2);
    CHECK(r.flight.at(0).broker == 2);
    r.ended();
    CHECK(r.fine(committed));
    const auto begun = r.begin();
    CHECK_FALSE(r.end_of(begun));
    REQUIRE(r.flying<init>());
    CHECK(r.flying<init>()->producer_id == 10);
    CHECK(r.flying<init>()->producer_epoch == 0);
    r.initialized(10, 1);
    CHECK(r.fine(begun));
    CHECK(r.identities.back() == identity{10, 1});

    // The same after each other request that could come late.
    for (const int which : {0, 1, 2}) {
        rig s{1};
        s.open();
        if (which == 0) {
            s.touch();
            s.lose(s.take<add>());
            s.found();
            s.added();
        } else {
            const auto op = s.offsets();
            if (which == 1) {
                s.lose(s.take<add_offsets>());
                s.found();
            }
            s.offsets_added();
            s.found();
            if (which == 2) {
                s.lose(s.take<commit_offsets>());
                s.found();
            }
            s.offsets_committed();
            CHECK(s.fine(op));
        }
        const auto c = s.commit();
        s.settled();
        s.ended();
        CHECK(s.fine(c));
        s.begin();
        CHECK(s.flying<init>());
    }
}

TEST_CASE("a request that certainly never left needs no fence") {
    rig r{1};
    r.open();
    r.touch();
    r.lose(r.take<add>(), false, errc::connect_failed);
    r.found();
    r.added();
    r.commit();
    r.settled();
    r.lose(r.take<end>(), false, errc::connect_failed);
    r.found();
    r.ended();
    CHECK(r.fine(r.begin()));
}

TEST_CASE("brokers that do not know KIP-360: the fence is InitProducerId anew") {
    rig r{1};
    const auto begun = r.begin();
    r.found();
    r.initialized(10, 0, 0, 1);
    CHECK(r.fine(begun));
    r.touch();
    r.added();
    r.commit();
    r.settled();
    r.lose(r.take<end>());
    r.found();
    r.ended();
    r.begin();
    CHECK(r.flying<init>()->producer_id == -1);

    rig s{1};  // the cluster went back to an older release meanwhile
    s.open();
    s.touch();
    s.lose(s.take<add>());
    s.found();
    s.added();
    s.commit();
    s.settled();
    s.ended();
    const auto again = s.begin();
    s.lose(s.take<init>(), false, errc::not_in_version);
    CHECK(s.flying<init>()->producer_id == -1);
    s.initialized(10, 1, 0, 2);
    CHECK(s.fine(again));
}

TEST_CASE("version 2 needs no fence after a lost EndTxn: the epoch has been raised") {
    rig r{2};
    r.open();
    r.touch();
    const auto committed = r.commit();
    r.settled();
    r.lose(r.take<end>());
    r.found();
    r.ended(0, 10, 1);
    CHECK(r.fine(committed));
    CHECK(r.fine(r.begin()));

    rig s{2};  // unless the answer does not say to what
    s.open();
    s.touch();
    s.commit();
    s.settled();
    s.ended(0, -1, -1);
    s.begin();
    CHECK(s.flying<init>()->producer_epoch == 0);
}

TEST_CASE("a commit that is given up is unknown, is brought to its end all the same, and may be asked for again") {
    for (const bool cancel : {false, true})
        for (const bool after_loss : {false, true}) {
            rig r{1};
            r.open();
            r.touch();
            r.added();
            const auto committed = r.commit(1s);
            r.settled();
            const auto first = r.take<end>();
            if (after_loss) {
                r.lose(first);
                r.lose(r.take<find>(), false, errc::connect_failed);
            }
            if (cancel)
                r.step(cancel_requested{committed});
            else
                r.wait(1s);
            CHECK(r.code_of(committed) == errc::delivery_unknown);
            CHECK(r.code_of(committed) == condition::maybe_persisted);
            CHECK_FALSE(r.code_of(committed) == condition::not_persisted);
            REQUIRE(r.end_of(committed)->cause);
            const auto begun = r.begin();  // waits
            const auto again = r.commit();
            if (!after_loss) r.lose(first);
            while (!r.flying<find>()) r.sleep();
            r.found();
            while (!r.flying<end>()) r.sleep();
            CHECK(r.flying<end>()->committed);
            CHECK_FALSE(r.end_of(begun));
            r.ended();
            CHECK(r.fine(again));
            CHECK_FALSE(r.end_of(begun));
            r.initialized(10, 1);
            CHECK(r.fine(begun));
            CHECK(r.ends_of(committed) == 1);
        }
}

TEST_CASE("what became of a commit that was given up is remembered until the next transaction") {
    rig r{2};
    r.open();
    r.touch();
    const auto committed = r.commit();
    r.settled();
    r.step(cancel_requested{committed});
    r.ended();
    CHECK(r.fine(r.commit()));
    CHECK(r.code_of(r.abort()) == errc::no_transaction);
    r.begin();
    r.touch();
    const auto second = r.commit();
    r.settled();
    r.step(cancel_requested{second});
    r.ended(number(broker_errc::invalid_txn_state));
    CHECK(r.code_of(r.commit()) == errc::transaction_aborted);
    const auto aborted = r.abort();
    CHECK_FALSE(r.end_of(aborted));
    r.ended();
    CHECK(r.fine(aborted));
    CHECK(r.fine(r.abort()));
}

TEST_CASE("a commit that is given up before it was sent is not committed, and aborted at once") {
    for (const bool cancel : {false, true}) {
        rig r{2};
        r.open();
        r.touch();
        const auto committed = r.commit(5s);
        if (cancel)
            r.step(cancel_requested{committed});
        else
            r.wait(5s);
        CHECK(r.code_of(committed) == errc::transaction_aborted);
        CHECK(r.code_of(committed) == condition::abortable);
        CHECK(r.dropped.size() == 1);
        r.settled();
        CHECK_FALSE(r.flying<end>()->committed);
        r.ended();
        CHECK(r.fine(r.begin()));
    }
    rig r{1};  // all is settled, but the coordinator cannot be found
    r.open();
    r.touch();
    r.added();
    const auto committed = r.commit(5s);
    r.settled();
    r.lose(r.take<end>(), false, errc::connect_failed);
    r.wait(5s);
    CHECK(r.code_of(committed) == errc::transaction_aborted);
    r.found();
    CHECK_FALSE(r.flying<end>()->committed);
}

TEST_CASE("a commit that found the transaction aborted by its timeout is never a success") {
    rig r{2};
    r.open();
    r.touch();
    const auto committed = r.commit();
    r.settled();
    r.lose(r.take<end>());
    r.found();
    r.ended(number(broker_errc::invalid_txn_state));  // the answer is certain even though an attempt was lost
    CHECK(r.code_of(committed) == errc::transaction_aborted);
    CHECK(r.code_of(committed) == condition::abortable);
    CHECK(r.end_of(committed)->cause->code == broker_errc::invalid_txn_state);
    CHECK_FALSE(r.flying<end>()->committed);
    r.ended(0, 10, 1);
    CHECK(r.fine(r.begin()));

    rig s{1};  // on version 1 the timeout fences
    s.open();
    s.touch();
    s.added();
    const auto first = s.commit();
    s.settled();
    s.ended(number(broker_errc::producer_fenced));
    CHECK(s.code_of(first) == condition::fenced);
    CHECK(s.code_of(first) == condition::not_persisted);
    CHECK(is<failed>(s));
    CHECK(s.code_of(s.begin()) == condition::fenced);

    rig t{1};  // fenced after an attempt was lost: it may have been done before
    t.open();
    t.touch();
    t.added();
    const auto lost = t.commit();
    t.settled();
    t.lose(t.take<end>());
    t.found();
    t.ended(number(broker_errc::producer_fenced));
    CHECK(t.code_of(lost) == errc::delivery_unknown);
    CHECK(t.end_of(lost)->cause->code == broker_errc::producer_fenced);
    CHECK(t.code_of(t.begin()) == condition::fatal);
}

TEST_CASE("UNKNOWN_SERVER_ERROR of a commit is asked again; a code that nobody knows makes the result unknown") {
    rig r{1};
    r.open();
    r.touch();
    r.added();
    const auto committed = r.commit(10s);
    r.settled();
    r.ended(-1);
    CHECK_FALSE(r.end_of(committed));
    while (!r.flying<end>()) r.sleep();
    r.ended(9'999);
    CHECK(r.code_of(committed) == errc::delivery_unknown);
    CHECK(is<failed>(r));
    CHECK(r.code_of(r.begin()) == condition::fatal);
}

TEST_CASE("a batch that failed makes the transaction abortable; its sequences are begun anew") {
    rig r{1};
    r.open();
    r.touch();
    r.added();
    r.step(send_failed{error{make_error_code(broker_errc::message_too_large)}});
    CHECK(is<must_abort>(r));
    CHECK(r.dropped.size() == 1);
    CHECK(r.m.why_not_send().code == condition::abortable);
    const auto committed = r.commit();
    CHECK(r.code_of(committed) == condition::abortable);
    CHECK(r.end_of(committed)->cause->code == broker_errc::message_too_large);
    CHECK(r.code_of(r.offsets()) == condition::abortable);
    const auto aborted = r.abort();
    r.settled();
    r.ended();
    CHECK(r.fine(aborted));
    r.begin();
    CHECK(r.flying<init>()->producer_id == 10);

    for (const bool unknown : {false, true}) {  // the same if it is only known when a commit has all settled
        rig s{1};
        s.open();
        s.touch();
        s.added();
        const auto c = s.commit();
        s.settled(!unknown, unknown);
        CHECK(s.code_of(c) == errc::transaction_aborted);
        CHECK_FALSE(s.flying<end>()->committed);
        s.ended();
        s.begin();
        CHECK(s.flying<init>());
    }
}

TEST_CASE("a batch that was fenced ends the producer, one whose producer was forgotten needs no EndTxn") {
    rig r{1};
    r.open();
    r.touch();
    r.added();
    r.step(send_failed{error{make_error_code(broker_errc::producer_fenced)}});
    CHECK(is<failed>(r));
    CHECK(r.code_of(r.commit()) == condition::fenced);
    CHECK(r.code_of(r.abort()) == condition::fenced);

    rig s{1};
    s.open();
    s.touch();
    s.added();
    s.step(send_failed{error{make_error_code(broker_errc::invalid_producer_id_mapping)}});
    const auto aborted = s.abort();
    s.settled();
    CHECK(s.fine(aborted));
    CHECK(s.flight.empty());
    s.begin();
    CHECK(s.flying<init>()->producer_id == 10);
    s.initialized(12, 0);
    CHECK(is<in_transaction>(s));
}

TEST_CASE("CONCURRENT_TRANSACTIONS is asked again after 20 ms first, others after 100 ms, doubling to half a second") {
    rig r{1};
    r.open();
    r.touch();
    const auto pause = [&](broker_errc code) {
        r.added(number(code));
        const auto at = *r.m.next_wakeup() - r.now;
        r.sleep();
        return at;
    };
    const auto near = [](auto is, std::chrono::milliseconds wanted) { return is >= wanted * 4 / 5 && is <= wanted * 6 / 5; };
    CHECK(near(pause(broker_errc::concurrent_transactions), 20ms));
    CHECK(near(pause(broker_errc::concurrent_transactions), 40ms));
    CHECK(near(pause(broker_errc::concurrent_transactions), 80ms));
    CHECK(near(pause(broker_errc::concurrent_transactions), 100ms));
    r.added();
    r.touch(1);
    CHECK(near(pause(broker_errc::coordinator_load_in_progress), 100ms));
    CHECK(near(pause(broker_errc::coordinator_load_in_progress), 200ms));
    CHECK(near(pause(broker_errc::coordinator_load_in_progress), 400ms));
    CHECK(near(pause(broker_errc::coordinator_load_in_progress), 500ms));
    CHECK(near(pause(broker_errc::coordinator_load_in_progress), 500ms));
}

TEST_CASE("a coordinator that has moved is found at once the first time, then with pauses") {
    rig r{1};
    r.open();
    r.touch();
    r.added(number(broker_errc::not_coordinator));
    r.found(7);
    CHECK(r.flight.at(0).broker == 7);
    r.added(number(broker_errc::not_coordinator));
    r.found(8);
    CHECK(r.flight.empty());
    r.sleep();
    CHECK(r.flight.at(0).broker == 8);
}

// Its answer may never come, while somebody else has its office.
TEST_CASE("a coordinator that says nothing is looked for elsewhere, and what it was asked is asked of its successor") {
    rig r{1};
    r.open();
    r.touch();
    r.added();
    const auto commit = r.commit();
    r.settled();
    const auto unanswered = r.take<messages::end_txn_request>();
    CHECK(r.flight.empty());
    r.step(coordinator_silent{9});  // another broker
    CHECK(r.flight.empty());
    r.step(coordinator_silent{1});
    r.found(1);
    CHECK(r.flight.empty());
    CHECK(*r.m.next_wakeup() - r.now == 500ms);
    r.sleep();
    r.found(2);
    REQUIRE(r.flight.size() == 1);
    CHECK(r.flight.at(0).broker == 2);
    CHECK(r.m.coordinators()[0]->broker == 2);
    CHECK_FALSE(r.m.coordinators()[0]->silent);
    messages::end_txn_response late;
    late.error_code = number(broker_errc::not_coordinator);
    r.answer(unanswered, late);
    CHECK(r.flight.size() == 1);
    r.ended();
    CHECK(r.fine(commit));
    (void)r.begin();
    CHECK(r.flying<messages::init_producer_id_request>());  // the first may still arrive
}

TEST_CASE("begin and initialize: refused without harm, late with the last cause, canceled, and not repeated when nobody waits") {
    rig r{1};
    const auto begun = r.begin();
    r.found(1, number(broker_errc::transactional_id_authorization_failed));
    CHECK(r.code_of(begun) == broker_errc::transactional_id_authorization_failed);
    CHECK(is<no_identity>(r));
    const auto again = r.begin();
    r.found();
    r.initialized(0, 0, number(broker_errc::invalid_transaction_timeout));
    CHECK(r.code_of(again) == broker_errc::invalid_transaction_timeout);

    const auto late = r.begin(1s);
    for (int i = 0; !r.end_of(late) && i < 100; ++i) {
        if (r.flying<init>())
            r.initialized(0, 0, number(broker_errc::coordinator_load_in_progress));
        else
            r.sleep();
    }
    CHECK(r.now.time_since_epoch() == 1s);
    CHECK(r.code_of(late) == errc::request_timed_out);
    CHECK(r.end_of(late)->cause->code == broker_errc::coordinator_load_in_progress);
    CHECK_FALSE(r.m.next_wakeup());
    CHECK(r.flight.empty());

    const auto canceled = r.begin();
    const auto initialize = r.by();
    r.step(initialize_requested{initialize});
    r.step(cancel_requested{canceled});
    CHECK(r.code_of(canceled) == errc::canceled);
    r.initialized(10, 3);
    CHECK(r.fine(initialize.op));
    CHECK(is<ready>(r));
    CHECK(r.fine(r.begin()));
    CHECK(r.code_of(r.begin()) == std::errc::operation_in_progress);
}

TEST_CASE("offsets: given up before they were sent nothing is lost, afterwards the transaction is") {
    rig r{1};
    r.open();
    const auto first = r.offsets("g", 1s);
    r.wait(1s);
    CHECK(r.code_of(first) == errc::request_timed_out);
    CHECK(is<in_transaction>(r));
    r.offsets_added();
    const auto second = r.offsets("g");
    r.found();
    REQUIRE(r.flying<commit_offsets>());
    r.step(cancel_requested{second});
    CHECK(r.code_of(second) == errc::transaction_aborted);
    CHECK(is<must_abort>(r));
    const auto aborted = r.abort();
    r.settled();
    CHECK_FALSE(r.flying<end>());  // the offsets have not been answered
    r.lose(r.take<commit_offsets>());
    r.ended();
    CHECK(r.fine(aborted));
    r.begin();
    CHECK(r.flying<init>());  // they may still arrive
}

TEST_CASE("offsets: those that were taken are not sent again, those that are left out of an answer are") {
    rig r{2};
    r.open();
    const auto op = r.offsets();
    r.found();
    auto sent = r.take<commit_offsets>();
    auto answer = rig::committed_answer(sent, 0);
    answer.topics[0].partitions[1].error_code = number(broker_errc::unknown_topic_or_partition);
    r.answer(sent, answer);
    r.sleep();
    sent = r.take<commit_offsets>();
    REQUIRE(std::get<commit_offsets>(sent.what).topics.size() == 1);
    REQUIRE(std::get<commit_offsets>(sent.what).topics[0].partitions.size() == 1);
    CHECK(std::get<commit_offsets>(sent.what).topics[0].partitions[0].partition_index == 1);
    r.answer(sent, messages::txn_offset_commit_response{});
    CHECK_FALSE(r.end_of(op));
    r.sleep();
    r.offsets_committed();
    CHECK(r.fine(op));
}

TEST_CASE("version 2: an epoch that a group's coordinator does not know is not yet a fence, EndTxn says what it was") {
    for (const int version : {1, 2}) {
        rig r{version};
        r.open();
        const auto op = r.offsets();
        if (version == 1) r.offsets_added();
        r.found();
        r.offsets_committed(number(broker_errc::invalid_producer_epoch));
        if (version == 1) {
            CHECK(r.code_of(op) == condition::fenced);
            continue;
        }
        CHECK(r.code_of(op) == condition::abortable);
        const auto aborted = r.abort();
        r.settled();
        r.ended(0, 10, 1);
        CHECK(r.fine(aborted));
    }
}

TEST_CASE("an abort that finds nothing open has aborted, and raises the epoch before the next transaction") {
    rig r{1};
    r.open();
    r.touch();
    r.lose(r.take<add>());
    const auto aborted = r.abort();
    r.settled();
    r.found();
    r.ended(number(broker_errc::invalid_txn_state));
    CHECK(r.fine(aborted));
    r.begin();
    CHECK(r.flying<init>()->producer_id == 10);
}

TEST_CASE("an abort during a commit: taken in time it aborts, too late it says what became of the commit") {
    rig r{2};
    r.open();
    r.touch();
    const auto committed = r.commit();
    const auto aborted = r.abort();
    CHECK(r.code_of(committed) == errc::transaction_aborted);
    r.settled();
    CHECK_FALSE(r.flying<end>()->committed);
    r.ended();
    CHECK(r.fine(aborted));

    rig s{2};
    s.open();
    s.touch();
    const auto first = s.commit();
    s.settled();
    const auto late = s.abort();
    CHECK_FALSE(s.end_of(late));
    s.ended();
    CHECK(s.fine(first));
    CHECK(s.code_of(late) == errc::no_transaction);
}

TEST_CASE("a partition that cannot be added says which and why") {
    rig r{1};
    r.open();
    r.touch(0);
    r.added();
    r.touch(1);
    r.touch(2);
    r.added();
    auto sent = r.take<add>();
    messages::add_partitions_to_txn_response answer;
    answer.results_by_topic_v3_and_below = {
        {"out", {{1, 0, {}}, {2, number(broker_errc::topic_authorization_failed), {}}, {77, number(broker_errc::producer_fenced), {}}}, {}}};
    answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code = number(broker_errc::operation_not_attempted);
    r.answer(sent, answer);
    REQUIRE(is<must_abort>(r));  // a partition that was not asked for says nothing
    const auto why = std::get<must_abort>(r.m.where()).why;
    CHECK(why.cause->code == broker_errc::topic_authorization_failed);
    CHECK(why.cause->text.find("partition 2 of \"out\"") != std::string::npos);
}

TEST_CASE("answers that make no sense, are late, or answer nothing are no harm") {
    rig r{1};
    const auto begun = r.begin();
    auto sent = r.take<find>();
    r.answer(sent, messages::find_coordinator_response{});  // version 6 without a coordinator
    CHECK(r.flight.empty());
    r.sleep();
    r.answer(r.take<find>(), messages::end_txn_response{});
    r.sleep();
    r.found();
    sent = r.take<init>();
    r.answer(sent, messages::init_producer_id_response{});  // no id
    r.sleep();
    const auto second = r.take<init>();
    r.answer(second, messages::end_txn_response{});
    r.answer(sent, messages::init_producer_id_response{});
    r.step(answered{12345, 0, messages::end_txn_response{}});
    r.step(request_failed{54321, error{make_error_code(errc::connection_closed)}});
    r.sleep();
    r.initialized();
    CHECK(r.fine(begun));
    r.touch();
    r.answer(r.take<add>(), messages::add_partitions_to_txn_response{});  // leaves the partition out
    r.sleep();
    r.added();
    r.settled();  // nobody asked
    r.commit();
    CHECK_FALSE(r.flying<end>());
    r.step(send_failed{error{make_error_code(errc::delivery_unknown)}});
    r.step(partition_touched{{"late", 0}});
    CHECK(r.ready_partitions.size() == 1);
}

TEST_CASE("FindCoordinator names its key where the version has it") {
    message m = messages::find_coordinator_request{"t", 1, {}, {}};
    fit(m, 3);
    CHECK(std::get<find>(m).coordinator_key == "t");
    fit(m, 4);
    CHECK(std::get<find>(m).coordinator_key.empty());
    CHECK(std::get<find>(m).coordinator_keys == std::vector<std::string>{"t"});
    fit(m, 6);
    CHECK(std::get<find>(m).coordinator_keys.size() == 1);
}
