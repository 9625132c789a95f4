// kw::producer against the embedded cluster on loopback: what is told, what is in the log, what is refused.
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/37_create_partitions.hpp>
#include <kafkawire/testing.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <algorithm>
#include <map>
#include <set>

#include "catch.hpp"
#include "run_to_end.hpp"

using namespace std::chrono_literals;

namespace {

struct rig {
    asio::io_context io;
    kw::testing::brokers kafka;
    kw::client client;

    explicit rig(int nodes = 1) : kafka{io, {.embedded = {.nodes = nodes}, .ignore_environment = true}}, client{io, {.bootstrap = kafka.bootstrap()}} {}
    template <class F>
    void run(F f) {
        run_to_end(io, kafka, std::move(f));
    }
};

std::error_code refusal(const kw::producer_options& o) {
    asio::io_context io;
    kw::client client{io};
    try {
        kw::producer p{client, o};
    } catch (const kw::system_error& e) {
        UNSCOPED_INFO(e.what());
        return e.code();
    }
    return {};
}

}  // namespace

TEST_CASE("a record is sent and acknowledged with its place") {
    rig r;
    const auto topic = r.kafka.create_topic(3);
    kw::producer producer{r.client};
    r.run([&]() -> asio::awaitable<void> {
        const kw::header_view trace{"trace", "7"};
        kw::record one{.topic = topic, .key = "42", .value = "paid", .headers = {&trace, 1}, .partition = 1, .timestamp = kw::timestamp{1234ms}};
        const auto at = co_await producer.async_send(one, asio::use_awaitable);
        CHECK(at.topic == topic);
        CHECK(at.partition == 1);
        CHECK(at.offset == 0);
        CHECK(at.timestamp == kw::timestamp{1234ms});
        const auto next = co_await producer.async_send({.topic = topic, .value = nullptr, .partition = 1}, asio::use_awaitable);
        CHECK(next.offset == 1);
    });
    CHECK(r.kafka.expect_records(topic, {{.key = "42", .value = "paid", .headers = {{"trace", "7"}}, .partition = 1, .timestamp = 1234}, {.partition = 1}}) == "");
}

TEST_CASE("many records: in order in each partition, told batch by batch") {
    for (const auto codec : {kw::protocol::compression::none, kw::protocol::compression::lz4, kw::protocol::compression::zstd}) {
        rig r{3};
        const auto topic = r.kafka.create_topic(6);
        kw::producer producer{r.client, {.batch_bytes = 4096, .compression = codec}};
        std::size_t told = 0, batches = 0;
        std::map<std::int32_t, std::int64_t> next;
        producer.on_delivery([&](const kw::delivery_report& d) {
            CHECK(!d.why);
            CHECK(d.base_offset == next[d.partition]);
            next[d.partition] += static_cast<std::int64_t>(d.count);
            CHECK(d.tags.size() == d.count);
            told += d.count;
            ++batches;
        });
        std::vector<kw::testing::record> expected;
        r.run([&]() -> asio::awaitable<void> {
            co_await producer.async_warm_up(topic, asio::use_awaitable);
            for (int i = 0; i < 2000; ++i) {
                const auto key = std::to_string(i % 50), value = std::to_string(i) + std::string(20, 'x');
                CHECK(!producer.try_send({.topic = topic, .key = key, .value = value, .tag = static_cast<std::uint64_t>(i) + 1}));
                expected.push_back({.key = key, .value = value});
            }
            CHECK(co_await producer.async_flush(10s, asio::use_awaitable) == 0);
        });
        CHECK(told == 2000);
        CHECK(producer.statistics().acknowledged == 2000);
        CHECK(producer.statistics().buffered_bytes == 0);
        CHECK(batches < 60);
        auto all = r.kafka.read_all(topic);
        CHECK(all.size() == 2000);
        std::map<std::string, int> last;
        for (const auto& rec : all) {
            const int n = std::stoi(*rec.value);
            const auto before = last.find(*rec.key);
            CHECK((before == last.end() || before->second < n));
            last[*rec.key] = n;
        }
    }
}

TEST_CASE("a batch of records completes once for all, more than there is room for too") {
    rig r;
    const auto topic = r.kafka.create_topic(2);
    kw::producer producer{r.client, {.batch_bytes = 2000, .send_buffer = 20'000}};
    const std::string value(100, 'v');
    std::vector<kw::record> records(1000, kw::record{.topic = topic, .value = value});
    records.push_back({.topic = topic, .value = value, .partition = 7});
    r.run([&]() -> asio::awaitable<void> {
        auto [ec, result] = co_await producer.async_send_batch(records, kw::as_tuple(asio::use_awaitable));
        CHECK(ec == kw::errc::unknown_partition);
        CHECK(result.acknowledged == 1000);
        CHECK(result.not_persisted == 1);
        CHECK(result.maybe_persisted == 0);
    });
    CHECK(r.kafka.read_all(topic).size() == 1000);
}

TEST_CASE("a partition that was added is sent to at once; one that is not there is looked for before it is refused") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    kw::producer producer{r.client};
    r.run([&]() -> asio::awaitable<void> {
        co_await producer.async_send({.topic = topic, .value = "first"}, asio::use_awaitable);
        kw::protocol::messages::create_partitions_request more;
        auto& t = more.topics.emplace_back();
        t.name = topic;
        t.count = 3;
        t.assignments.reset();
        const auto made = co_await r.client.async_request(more, asio::use_awaitable);
        REQUIRE(made.results.at(0).error_code == 0);
        const auto sent = co_await producer.async_send({.topic = topic, .value = "second", .partition = 2}, asio::use_awaitable);
        CHECK(sent.partition == 2);
        for (int i = 0; i < 2; ++i) {
            auto [ec, d] = co_await producer.async_send({.topic = topic, .value = "third", .partition = 3}, kw::as_tuple(asio::use_awaitable));
            CHECK(ec == kw::errc::unknown_partition);
        }
        std::error_code why = kw::errc::would_wait;
        while (why == kw::errc::would_wait) {
            why = producer.try_send({.topic = topic, .value = "fourth", .partition = 3});
            asio::steady_timer pause{r.io, 1ms};
            co_await pause.async_wait(asio::use_awaitable);
        }
        CHECK(why == kw::errc::unknown_partition);
    });
}

TEST_CASE("a send that waits for room can be canceled, one that was accepted is let go") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    kw::producer producer{r.client, {.batch_bytes = 1000, .send_buffer = 2000}};
    const std::string value(800, 'v');
    std::vector<std::error_code> told;
    asio::cancellation_signal first, third;
    const auto note = [&](std::error_code ec, kw::delivery) { told.push_back(ec); };
    r.run([&]() -> asio::awaitable<void> {
        co_await producer.async_warm_up(topic, asio::use_awaitable);
        producer.async_send({.topic = topic, .value = value}, asio::bind_cancellation_slot(first.slot(), note));
        producer.async_send({.topic = topic, .value = value}, note);
        producer.async_send({.topic = topic, .value = value}, asio::bind_cancellation_slot(third.slot(), note));
        first.emit(asio::cancellation_type::terminal);
        third.emit(asio::cancellation_type::terminal);
        co_return;
    });
    REQUIRE(r.kafka.run_until([&] { return told.size() == 3; }));
    CHECK(std::count(told.begin(), told.end(), std::error_code{kw::errc::detached}) == 1);
    CHECK(std::count(told.begin(), told.end(), std::error_code{kw::errc::send_withdrawn}) == 1);
    CHECK(std::count(told.begin(), told.end(), std::error_code{}) == 1);
    REQUIRE(r.kafka.run_until([&] { return producer.statistics().acknowledged == 2; }));
    CHECK(r.kafka.read_all(topic).size() == 2);
}

TEST_CASE("a producer that is destroyed tells what was on its way") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    std::vector<std::error_code> told;
    {
        kw::producer producer{r.client};
        r.run([&]() -> asio::awaitable<void> { co_await producer.async_warm_up(topic, asio::use_awaitable); });
        for (int i = 0; i < 3; ++i) producer.async_send({.topic = topic, .value = "v"}, [&](std::error_code ec, kw::delivery) { told.push_back(ec); });
    }
    REQUIRE(r.kafka.run_until([&] { return told.size() == 3; }));
    for (const auto& ec : told) CHECK(ec == kw::condition::not_persisted);
    CHECK(r.kafka.read_all(topic).empty());
}

TEST_CASE("leaders that move, nodes that go, answers that are lost: nothing is lost or doubled") {
    rig r{3};
    const auto topic = r.kafka.create_topic(6);
    auto control = r.kafka.embedded()->control();
    kw::producer producer{r.client, {.batch_bytes = 1000}};
    std::size_t acknowledged = 0;
    producer.on_delivery([&](const kw::delivery_report& d) {
        CHECK(!d.why);
        acknowledged += d.count;
    });
    control.add({.name = "lost", .api = 0, .chance = 0.2, .cut = 3});
    r.run([&]() -> asio::awaitable<void> {
        co_await producer.async_warm_up(topic, asio::use_awaitable);
        for (int i = 0; i < 1000; ++i) {
            const auto key = std::to_string(i);
            co_await producer.async_enqueue({.topic = topic, .key = key, .value = key}, asio::use_awaitable);
            if (i == 300) control.node_down(2);
            if (i == 600) control.node_up(2);
        }
        control.clear_faults();
        auto [ec, left] = co_await producer.async_flush(20s, kw::as_tuple(asio::use_awaitable));
        CHECK(!ec);
        CHECK(left == 0);
    });
    CHECK(acknowledged == 1000);
    std::set<std::string> seen;
    for (const auto& rec : r.kafka.read_all(topic)) CHECK(seen.insert(*rec.value).second);
    CHECK(seen.size() == 1000);
}

TEST_CASE("a record waits for a topic that is not there as long as it is told to, each topic as it has it") {
    rig r;
    kw::producer_options o{.unknown_topic_timeout = 300ms, .create_topics = false};
    o.topics["soon"].unknown_topic_timeout = 20s;
    kw::producer producer{r.client, o};
    r.run([&]() -> asio::awaitable<void> {
        std::error_code soon = kw::errc::canceled;
        producer.async_send({.topic = "soon", .value = "v"}, [&](std::error_code ec, kw::delivery) { soon = ec; });
        const auto began = std::chrono::steady_clock::now();
        auto [why, at] = co_await producer.async_send({.topic = "never", .value = "v"}, kw::detailed(kw::as_tuple(asio::use_awaitable)));
        const auto took = std::chrono::steady_clock::now() - began;
        CHECK(why.code == kw::errc::delivery_timed_out);
        CHECK(why.text == "the cluster has no topic never");
        CHECK(took >= 300ms);
        CHECK(took < 10s);
        kw::protocol::messages::create_topics_request create;
        create.topics.resize(1);
        create.topics[0].name = "soon";
        create.topics[0].num_partitions = 1;
        create.topics[0].replication_factor = 1;
        const auto created = co_await r.client.async_request(std::move(create), asio::use_awaitable);
        REQUIRE(created.topics.size() == 1);
        CHECK(created.topics[0].error_code == 0);
        auto [ec, left] = co_await producer.async_flush(20s, kw::as_tuple(asio::use_awaitable));
        CHECK(left == 0);
        CHECK_FALSE(soon);
    });
}

TEST_CASE("options that cannot be are refused when the producer is made") {
    CHECK(!refusal({}));
    CHECK(refusal({.acks = kw::acks::leader, .idempotence = kw::toggle::on}) == kw::errc::bad_configuration);
    CHECK(refusal({.linger = -1ms}) == kw::errc::bad_configuration);
    CHECK(refusal({.batch_bytes = 100'000'000}) == kw::errc::bad_configuration);
    CHECK(refusal({.partitioner = "murmur"}) == kw::errc::bad_configuration);
}
