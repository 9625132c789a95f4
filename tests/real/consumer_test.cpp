// What a consumer meets on real brokers and not on ours: replicas nearby, a log whose bytes have changed on the disk. Slow: label "real".
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/tokens.hpp>

#include <testcontainers/kafka_cluster.hpp>

#include <fstream>

#include "real/event_loop.hpp"

using namespace std::chrono_literals;

namespace {

asio::awaitable<void> create_topic(kw::client& client, std::string name, std::int32_t partitions, std::int16_t replicas) {
    kw::protocol::messages::create_topics_request wanted;
    auto& t = wanted.topics.emplace_back();
    t.name = std::move(name);
    t.num_partitions = partitions;
    t.replication_factor = replicas;
    wanted.timeout_ms = 10'000;
    auto answer = co_await client.async_request(std::move(wanted), kw::detailed(asio::use_awaitable));
    REQUIRE(answer.topics.size() == 1);
    REQUIRE(answer.topics[0].error_code == 0);
    co_await client.async_ready(10s, kw::detailed(asio::use_awaitable));
}

// Values "from" to "to - 1", one after the other in the partition.
asio::awaitable<void> write(kw::client& client, const std::string& topic, std::int32_t partition, int from, int to) {
    kw::producer producer{client};
    for (int i = from; i < to; ++i) {
        const auto value = std::to_string(i);
        kw::record one;
        one.topic = topic;
        one.partition = partition;
        one.value = kw::nullable_bytes{value};
        co_await producer.async_enqueue(one, asio::use_awaitable);
    }
    const auto left = co_await producer.async_flush(30s, asio::use_awaitable);
    REQUIRE(left == 0);
    co_await producer.async_close(5s, asio::use_awaitable);
}

}  // namespace

TEST_CASE("records come from the replica in the consumer's own rack, and from the leader when that one dies", "[real][consumer]") {
    auto kafka = kw::testing::kafka_image{}
                     .nodes(3)
                     .with_property("replica.selector.class", "org.apache.kafka.common.replica.RackAwareReplicaSelector")
                     .with_property(1, "broker.rack", "r1")
                     .with_property(2, "broker.rack", "r2")
                     .with_property(3, "broker.rack", "r3")
                     .start();
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        kw::client client{io, {.bootstrap = kafka.bootstrap_servers()}};
        co_await create_topic(client, "near", 1, 3);
        co_await write(client, "near", 0, 0, 5000);
        const std::vector<std::string> names{"near"};
        auto known = co_await client.async_metadata(names, kw::detailed(asio::use_awaitable));
        REQUIRE(known.topics.size() == 1);
        const int leader = known.topics[0].partitions.at(0).leader_id;
        const int neighbour = leader % 3 + 1;
        kw::consumer_options near;
        near.rack = "r" + std::to_string(neighbour);
        kw::consumer consumer{client, near};
        consumer.assign("near", 0, kw::start_position::beginning());
        int next = 0;
        std::int32_t from = -1;
        while (next < 5000) {
            const auto batch = co_await consumer.async_poll(500, asio::use_awaitable);
            for (const auto& r : batch) REQUIRE(r.value.text() == std::to_string(next++));
            if (const auto now = consumer.reading("near", 0); now && now->preferred_replica >= 0) from = now->preferred_replica;
        }
        CHECK(from == neighbour);
        // It dies while it is read from.
        kafka.kill(neighbour);
        co_await write(client, "near", 0, 5000, 6000);
        while (next < 6000) {
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            for (const auto& r : batch) REQUIRE(r.value.text() == std::to_string(next++));
        }
        const auto after = consumer.reading("near", 0);
        REQUIRE(after.has_value());
        CHECK(after->preferred_replica != neighbour);
        CHECK(after->position == 6000);
    });
}

TEST_CASE("a batch whose bytes have changed on the broker's disk is told with its place; the others are read, and it can be stepped over", "[real][consumer]") {
    auto kafka = kw::testing::kafka_image{}.start();
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        kw::client client{io, {.bootstrap = kafka.bootstrap_servers()}};
        co_await create_topic(client, "rotten", 2, 1);
        for (int batch = 0; batch < 3; ++batch) co_await write(client, "rotten", 0, batch * 10, batch * 10 + 10);
        co_await write(client, "rotten", 1, 100, 110);
        {
            const auto path = kafka.data_directory(1) / "rotten-0" / "00000000000000000000.log";
            std::fstream log{path, std::ios::in | std::ios::out | std::ios::binary};
            REQUIRE(log.good());
            std::string bytes{std::istreambuf_iterator<char>{log}, {}};
            const auto at = bytes.find("15");  // a value in the second batch
            REQUIRE(at != std::string::npos);
            log.clear();
            log.seekp(static_cast<std::streamoff>(at));
            log.put('x');
            log.flush();
            REQUIRE(log.good());
        }
        kw::consumer consumer{client};
        consumer.assign("rotten", 0, kw::start_position::beginning());
        consumer.assign("rotten", 1, kw::start_position::beginning());
        std::vector<std::string> good, other;
        kw::error wrong;
        int told = 0;
        for (int polls = 0; polls < 200 && (good.size() < 20 || other.size() < 10); ++polls) {
            auto [why, batch] = co_await consumer.async_poll(kw::detailed(kw::as_tuple(asio::use_awaitable)));
            for (const auto& r : batch) (r.partition == 0 ? good : other).emplace_back(r.value.text());
            if (!why || other.size() < 10) continue;
            ++told;
            wrong = why;
            CHECK_FALSE(consumer.skip("rotten", 0));
        }
        INFO(wrong.message());
        CHECK(told == 1);
        CHECK(wrong.code == kw::errc::bad_crc);
        CHECK(wrong.message().find("rotten") != std::string::npos);
        CHECK(wrong.message().find("10") != std::string::npos);
        REQUIRE(good.size() == 20);
        CHECK(good[9] == "9");
        CHECK(good[10] == "20");
        CHECK(other.size() == 10);
    });
}
