// Transactions of programs with threads: kw::blocking and kw::concurrent_producer.
#include <kafkawire/concurrent_producer.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/use_future.hpp>
#include <algorithm>
#include <atomic>
#include <set>

#include "catch.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using threads::kafka_thread;

namespace {

// The values that a reader sees who is shown what is committed, and nothing else.
std::multiset<std::string> committed(kafka_thread& kafka, std::int32_t partitions = 1) {
    namespace protocol = kw::protocol;
    kw::blocking::client client{kafka.client()};
    std::multiset<std::string> values;
    std::int64_t from = 0;
    for (std::int32_t p = 0; p < partitions;) {
        protocol::messages::fetch_request ask;
        ask.isolation_level = 1;
        ask.topics.resize(1);
        ask.topics[0].topic = "t";
        ask.topics[0].partitions.resize(1);
        ask.topics[0].partitions[0].partition = p;
        ask.topics[0].partitions[0].fetch_offset = from;
        ask.topics[0].partitions[0].partition_max_bytes = 8 << 20;
        const auto answer = client.request(std::move(ask), {.broker = 1, .version = 12});
        const auto& found = answer.responses.at(0).partitions.at(0);
        REQUIRE(found.error_code == 0);
        auto aborted = found.aborted_transactions.value_or(std::vector<protocol::messages::fetch_response::aborted_transaction>{});
        std::set<std::int64_t> hidden;  // producers whose transaction is one of those
        protocol::record_batches batches{found.records ? found.records->data : protocol::bytes_view{}};
        const auto before = from;
        while (const auto* b = batches.next()) {
            from = b->next_offset();
            std::erase_if(aborted, [&](const auto& a) { return a.first_offset <= b->base_offset && hidden.insert(a.producer_id).second; });
            if (b->is_control()) hidden.erase(b->producer_id);
            if (b->is_control() || hidden.count(b->producer_id)) continue;
            protocol::record_reader in{b->whole};
            for (const auto& r : in) values.insert(std::string{r.value.text()});
        }
        CHECK_FALSE(batches.error());
        if (from != before) continue;  // a fetch need not bring all
        from = 0;
        ++p;
    }
    return values;
}

kw::producer_options transactional() { return {.delivery_timeout = 20s, .transactional_id = "tx"}; }

template <class F>
kw::error thrown_by(F f) {
    try {
        f();
    } catch (const kw::system_error& e) {
        return e.detail();
    }
    return {};
}

}  // namespace

TEST_CASE("a blocking producer commits, aborts, and aborts what it drops") {
    kafka_thread kafka{1};
    kw::blocking::producer producer{kafka.client(), transactional()};
    CHECK(thrown_by([&] { producer.send({.topic = "t", .value = "outside"}); }).code == kw::errc::no_transaction);
    {
        auto tx = producer.begin_transaction();
        CHECK_FALSE(tx.trouble());
        CHECK(thrown_by([&] { (void)producer.begin_transaction(); }).code == std::errc::operation_in_progress);
        producer.send({.topic = "t", .value = "one"});
        producer.enqueue({.topic = "t", .value = "two"});
        const kw::topic_offset read[] = {{.topic = "t", .partition = 0, .offset = 1}};
        tx.send_offsets(read, kw::group_metadata{"group"});
        tx.commit();
        tx.commit();  // is still so
        CHECK(thrown_by([&] { tx.abort(); }).code == kw::errc::no_transaction);
        CHECK(tx.trouble().code == kw::errc::no_transaction);
    }
    {
        auto tx = producer.begin_transaction(10s);
        producer.send({.topic = "t", .value = "aborted"});
        tx.abort();
    }
    {
        auto dropped = producer.begin_transaction();
        producer.send({.topic = "t", .value = "dropped"});
    }
    auto tx = producer.begin_transaction();
    kw::blocking::transaction moved{std::move(tx)};
    CHECK_THROWS_AS(tx.commit(), std::logic_error);
    CHECK(thrown_by([&] { producer.send({.topic = "t", .value = "nowhere", .partition = 7}); }).code == kw::errc::unknown_partition);
    kw::error why;
    moved.commit(why);
    CHECK(why.code == kw::errc::transaction_aborted);
    CHECK(why.code == kw::condition::abortable);
    moved = producer.begin_transaction();
    producer.send({.topic = "t", .value = "three"});
    moved.commit(5s);
    CHECK(committed(kafka) == std::multiset<std::string>{"one", "two", "three"});
}

TEST_CASE("a blocking transaction may outlive its producer, and a newer producer fences an older one") {
    kafka_thread kafka{1};
    std::optional<kw::blocking::transaction> left;
    {
        kw::blocking::producer old{kafka.client(), transactional()};
        left.emplace(old.begin_transaction());
        old.send({.topic = "t", .value = "old"});
        kw::blocking::producer heir{kafka.client(), transactional()};
        heir.init_transactions();
        CHECK(thrown_by([&] { left->commit(); }).code == kw::condition::fenced);
        heir.init_transactions(5s);
        auto tx = heir.begin_transaction();
        heir.send({.topic = "t", .value = "new"});
        tx.commit();
        CHECK(thrown_by([&] { left->commit(); }).code == kw::condition::fenced);
    }
    CHECK(thrown_by([&] { left->commit(); }));
    left.reset();
    CHECK(committed(kafka) == std::multiset<std::string>{"new"});
    kw::blocking::producer plain{kafka.client()};
    CHECK(thrown_by([&] { (void)plain.begin_transaction(); }).code == kw::errc::no_transaction);
    CHECK(thrown_by([&] { plain.init_transactions(); }).code == kw::errc::no_transaction);
}

TEST_CASE("several threads send in one transaction: a commit takes along all that was sent before it, an abort nothing") {
    kafka_thread kafka{3};
    kw::concurrent_producer producer{kafka.client(), transactional()};
    producer.warm_up({"t"});
    std::multiset<std::string> expected;
    for (int round = 0; round < 12; ++round) {
        auto tx = producer.begin_transaction();
        const bool commits = round % 3 != 2;
        std::vector<std::thread> senders;
        for (int t = 0; t < 3; ++t)
            senders.emplace_back([&, t] {
                for (int i = 0; i < 200; ++i) {
                    const auto value = std::to_string(round) + '/' + std::to_string(t) + '/' + std::to_string(i);
                    if (producer.send({.topic = "t", .value = value})) std::abort();
                }
            });
        for (auto& s : senders) s.join();
        if (commits) {
            tx.commit();
            for (int t = 0; t < 3; ++t)
                for (int i = 0; i < 200; ++i) expected.insert(std::to_string(round) + '/' + std::to_string(t) + '/' + std::to_string(i));
        } else if (round % 2) {
            tx.abort();
        }  // else it is dropped
    }
    CHECK(producer.close(10s) == 0);
    const auto seen = committed(kafka, 3);
    std::vector<std::string> missing, more;
    std::set_difference(expected.begin(), expected.end(), seen.begin(), seen.end(), std::back_inserter(missing));
    std::set_difference(seen.begin(), seen.end(), expected.begin(), expected.end(), std::back_inserter(more));
    INFO("missing first: " << (missing.empty() ? "none" : missing.front()) << ", not to be seen: " << (more.empty() ? "none" : more.front()));
    CHECK(missing.size() == 0);
    CHECK(more.size() == 0);
}

TEST_CASE("a record that the producer refuses fails the transaction of the front, and is told") {
    kafka_thread kafka{1};
    kw::concurrent_producer producer{kafka.client(), transactional()};
    std::atomic<int> refused{0};
    producer.on_delivery([&](const kw::delivery_report& r) { refused += r.why && r.why->code == kw::errc::unknown_partition; });
    producer.warm_up({"t"});
    producer.init_transactions();
    producer.init_transactions(5s);
    auto tx = producer.begin_transaction();
    CHECK_FALSE(producer.send({.topic = "t", .value = "good"}));
    CHECK_FALSE(producer.send({.topic = "t", .value = "bad", .partition = 7}));
    CHECK(thrown_by([&] { tx.commit(); }).code == kw::condition::abortable);
    CHECK(refused == 1);
    tx = producer.begin_transaction();
    CHECK_FALSE(producer.send({.topic = "t", .value = "better"}));
    const kw::topic_offset read[] = {{.topic = "t", .partition = 0, .offset = 1}};
    tx.send_offsets(read, kw::group_metadata{"group"});
    tx.commit(5s);
    CHECK(committed(kafka) == std::multiset<std::string>{"better"});
}

TEST_CASE("the front's transactions with futures; what was begun and not taken is aborted") {
    kafka_thread kafka{1};
    kw::concurrent_producer producer{kafka.client(), transactional()};
    producer.async_begin_transaction(asio::use_future).get();
    auto tx = producer.async_begin_transaction(10s, asio::use_future).get();
    auto sent = producer.async_send({.topic = "t", .value = "x"}, asio::use_future);
    auto done = tx.async_commit(asio::use_future);
    CHECK(sent.get().offset >= 0);
    done.get();
    CHECK_THROWS_AS(tx.async_abort(asio::use_future).get(), std::system_error);
    kw::concurrent_transaction none;
    CHECK_THROWS_AS(none.commit(), std::logic_error);
    std::optional<kw::concurrent_transaction> last;
    {
        kw::concurrent_producer another{kafka.client(), {.transactional_id = "other"}};
        last.emplace(another.begin_transaction());
        CHECK_FALSE(another.send({.topic = "t", .value = "never"}));
    }
    CHECK_THROWS_AS(last->commit(), std::logic_error);
    last.reset();
    CHECK(committed(kafka) == std::multiset<std::string>{"x"});
}

TEST_CASE("a commit of the front that comes too late, or is canceled, before the producer has all records: nothing of it is seen, then or later") {
    kafka_thread kafka{1};
    // The producer has room for little, and the brokers take their time: records wait in the front.
    kw::producer_options little = transactional();
    little.batch_bytes = 2000;
    little.send_buffer = 4000;
    kw::concurrent_producer producer{kafka.client(), little};
    producer.warm_up({"t"});
    const std::string value(500, 'v');
    for (const bool canceled : {false, true}) {
        kafka.control([](kw::broker::control& c) { c.add({.api = std::int16_t{0}, .delay = 300ms}); });
        auto tx = producer.begin_transaction();
        for (int i = 0; i < 50; ++i) CHECK_FALSE(producer.send({.topic = "t", .value = value}));
        if (canceled) {
            asio::cancellation_signal stop;
            std::promise<std::error_code> told;
            tx.async_commit(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec) { told.set_value(ec); }));
            std::this_thread::sleep_for(50ms);
            stop.emit(asio::cancellation_type::terminal);
            CHECK(told.get_future().get() == kw::condition::abortable);
        } else {
            CHECK(thrown_by([&] { tx.commit(100ms); }).code == kw::condition::abortable);
        }
        kafka.control([](kw::broker::control& c) { c.clear_faults(); });
    }
    auto tx = producer.begin_transaction();
    CHECK_FALSE(producer.send({.topic = "t", .value = "seen"}));
    tx.commit();
    CHECK(committed(kafka) == std::multiset<std::string>{"seen"});
}
