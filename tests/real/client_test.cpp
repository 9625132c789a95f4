// The client against real brokers, one test per version. Slow: label "real".
#include <kafkawire/client.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/steady_timer.hpp>
#include <testcontainers/kafka_cluster.hpp>

#include "real/event_loop.hpp"

using namespace std::chrono_literals;

namespace {

void asks_versions_and_metadata(const std::string& version, std::int16_t api_versions, std::int16_t metadata) {
    auto kafka = kw::testing::kafka_image{}.version(version).start();
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        kw::client client{io, {.bootstrap = kafka.bootstrap_servers()}};
        kw::protocol::messages::api_versions_request who;
        who.client_software_name = "kafkawire-test";
        who.client_software_version = "1";
        auto v = co_await client.async_request(std::move(who), kw::detailed(asio::use_awaitable));
        CHECK(v.info.version == api_versions);
        CHECK(v.error_code == 0);
        CHECK(v.api_keys.size() > 15);
        auto m = co_await client.async_metadata(kw::detailed(asio::use_awaitable));
        CHECK(m.info.version == metadata);
        REQUIRE(m.brokers.size() == 1);
        const auto id = m.brokers[0].node_id;
        const std::vector<std::string> topics{"no-such-topic"};
        auto named = co_await client.async_metadata(topics, kw::detailed(asio::use_awaitable));
        REQUIRE(named.topics.size() == 1);
        CHECK(named.topics[0].name == "no-such-topic");
        // Every version that both sides speak, to the broker by its id.
        for (const auto& api : v.api_keys) {
            if (api.api_key != 3) continue;
            for (auto n = api.min_version; n <= std::min<std::int16_t>(api.max_version, 13); ++n) {
                kw::protocol::messages::metadata_request all;
                auto a = co_await client.async_request(std::move(all), kw::request_options{.broker = id, .version = n}, kw::detailed(asio::use_awaitable));
                CHECK(a.info.version == n);
                CHECK(a.brokers.size() == 1);
            }
        }
    });
}

}  // namespace

TEST_CASE("Kafka 4.3.0") { asks_versions_and_metadata("4.3.0", 4, 13); }
TEST_CASE("Kafka 3.9.1") { asks_versions_and_metadata("3.9.1", 4, 12); }
TEST_CASE("Kafka 2.8.2") { asks_versions_and_metadata("2.8.2", 3, 11); }
TEST_CASE("Kafka 0.10.2.2") { asks_versions_and_metadata("0.10.2.2", 0, 2); }

TEST_CASE("three nodes: each is reached by its id; one that hangs costs its deadline, one that dies is told at once, and both come back") {
    auto kafka = kw::testing::kafka_image{}.nodes(3).start();
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        kw::client client{io, {.bootstrap = kafka.bootstrap_servers(), .connect_timeout = 2s}};
        auto m = co_await client.async_metadata(kw::detailed(asio::use_awaitable));
        REQUIRE(m.brokers.size() == 3);
        const auto ping = [&](std::int32_t id, std::chrono::milliseconds timeout) -> asio::awaitable<kw::error> {
            kw::protocol::messages::metadata_request none;
            auto [e, a] = co_await client.async_request(std::move(none), kw::request_options{.broker = id, .timeout = timeout}, kw::detailed(kw::as_tuple(asio::use_awaitable)));
            co_return e;
        };
        for (const auto& b : m.brokers) CHECK_FALSE(co_await ping(b.node_id, 5s));
        kafka.pause(2);
        const auto start = std::chrono::steady_clock::now();
        const auto hung = co_await ping(2, 1s);
        CHECK(hung.code == kw::errc::request_timed_out);
        CHECK(std::chrono::steady_clock::now() - start < 1500ms);
        CHECK_FALSE(co_await ping(1, 5s));
        kafka.resume(2);
        CHECK_FALSE(co_await ping(2, 5s));
        kafka.kill(3);
        const auto dead = co_await ping(3, 5s);
        CHECK(dead);
        CHECK(dead.code == kw::condition::retriable);
        CHECK_FALSE(co_await ping(1, 5s));
        kafka.start(3);
        kw::error last;
        for (int i = 0; i < 100; ++i) {
            last = co_await ping(3, 5s);
            if (!last) break;
            asio::steady_timer pause{io, 100ms};
            co_await pause.async_wait(asio::use_awaitable);
        }
        INFO(last.message());
        CHECK_FALSE(last);
    });
}
