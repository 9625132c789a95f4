// A client of the embedded broker, and an observer that remembers all that it is told.
#pragma once
#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "catch.hpp"
#include "unit/running.hpp"

namespace seeing {

using namespace std::chrono_literals;

// Copies of what was told.
struct memory final : kw::observer {
    struct request {
        std::string broker, why;
        std::int16_t key, version;
        std::int32_t correlation;
        std::chrono::nanoseconds duration;
        std::size_t out, in, request_bytes, answer_bytes;
    };
    struct connection {
        std::string broker, from, to, why;
        bool unused;
    };
    struct batch {
        std::string topic;
        std::size_t records, bytes;
        std::chrono::nanoseconds queued;
    };
    struct failure {
        std::string component;
        kw::error why;
        std::uint64_t count;
    };
    bool bytes = false;
    std::vector<std::string> lines, rebalances, lags, retries, clients;
    std::vector<request> requests;
    std::vector<connection> connections;
    std::vector<batch> batches;
    std::vector<failure> failures;

    [[nodiscard]] bool wants_bytes() const noexcept override { return bytes; }
    void on_log(const kw::log_line& l) override {
        clients.emplace_back(l.client);
        lines.push_back(to_string(l));
    }
    void on_request(const kw::request_seen& r) override {
        clients.emplace_back(r.client);
        requests.push_back({std::string{r.broker}, r.why ? r.why->message() : "", r.api_key, r.api_version, r.correlation_id, r.duration, r.bytes_out, r.bytes_in, r.request.size(), r.answer.size()});
    }
    void on_connection(const kw::connection_seen& c) override { connections.push_back({std::string{c.broker}, std::string{c.from}, std::string{c.to}, c.why ? c.why->message() : "", c.unused}); }
    void on_batch(const kw::batch_seen& b) override { batches.push_back({std::string{b.topic}, b.records, b.bytes, b.queued}); }
    void on_retry(const kw::retry_seen& r) override { retries.push_back(std::string{r.component} + ": " + (r.why ? r.why->message() : "")); }
    void on_rebalance(const kw::rebalance_seen& r) override { rebalances.push_back(std::string{r.group} + ' ' + std::string{to_string(r.what)} + ' ' + std::to_string(r.partitions)); }
    void on_lag(const kw::lag_seen& l) override { lags.push_back(std::string{l.topic} + '-' + std::to_string(l.partition) + ' ' + std::to_string(l.lag)); }
    void on_error(const kw::error_seen& e) override { failures.push_back({std::string{e.component}, e.why, e.count}); }

    [[nodiscard]] std::vector<const request*> of(std::int16_t key) const {
        std::vector<const request*> all;
        for (const auto& r : requests)
            if (r.key == key) all.push_back(&r);
        return all;
    }
    [[nodiscard]] int lines_with(std::string_view text) const {
        return static_cast<int>(std::count_if(lines.begin(), lines.end(), [&](const auto& l) { return l.find(text) != l.npos; }));
    }
};

struct rig : running {
    std::optional<kw::broker::cluster> kafka;

    explicit rig(kw::broker::options o = {.topics = {{.name = "orders", .partitions = 2}}}) {
        kafka.emplace(io, o);
        REQUIRE_FALSE(kafka->start());
    }
    [[nodiscard]] kw::client_options client(std::shared_ptr<kw::observer> seen) const {
        kw::client_options o;
        o.bootstrap = kafka->bootstrap();
        o.client_id = "me";
        o.request_timeout = 5s;
        o.observer = std::move(seen);
        return o;
    }
    // Ten records to "orders", read back by a member of "billing".
    void produce_and_read(const kw::client_options& o) {
        run([&]() -> asio::awaitable<void> {
            kw::client client{io, o};
            kw::producer producer{client};
            for (int i = 0; i < 10; ++i) {
                const auto key = std::to_string(i);
                const kw::record record{.topic = "orders", .key = key, .value = "paid"};
                co_await producer.async_send(record, asio::use_awaitable);
            }
            kw::consumer_options reading;
            reading.group = "billing";
            reading.topics = {"orders"};
            reading.auto_offset_reset = kw::offset_reset::earliest;
            kw::consumer consumer{client, reading};
            std::size_t got = 0;
            while (got < 10) {
                const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                got += batch.size();
                co_await consumer.async_commit(batch, asio::use_awaitable);
            }
            co_await consumer.async_close(asio::use_awaitable);
            co_await client.async_close(asio::use_awaitable);
        });
    }
};

}  // namespace seeing
