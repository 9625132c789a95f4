// What an observer is told of a client at work.
#include <kafkawire/observe.hpp>

#include "net/reporter.hpp"
#include "seen_rig.hpp"

using namespace seeing;

TEST_CASE("an observer is told of requests, connections, batches, rebalances and lag", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    auto o = r.client(seen);
    r.produce_and_read(o);

    for (const std::int16_t key : {18, 3, 0, 1, 10, 11, 14, 8}) {
        CAPTURE(key);
        const auto all = seen->of(key);
        REQUIRE_FALSE(all.empty());
        for (const auto* one : all) {
            CHECK(one->broker.starts_with("127.0.0.1:"));
            CHECK(one->version >= 0);
            CHECK(one->out > 12);
            if (!one->why.empty()) continue;  // the one that the client's end has cut off
            CHECK(one->in > 8);
            CHECK(one->duration > 0ns);
            CHECK(one->duration < 10s);
            CHECK(one->request_bytes == 0);
        }
    }
    // The broker has seen the same, but for the Fetch that the end has cut off.
    for (const auto& t : r.kafka->control().traffic()) {
        if (t.api_key == 1) continue;
        std::size_t out = 0, in = 0;
        for (const auto* one : seen->of(t.api_key)) out += one->out, in += one->in;
        CAPTURE(t.api_key);
        CHECK(seen->of(t.api_key).size() == t.requests);
        CHECK(out == t.bytes_in);
        CHECK(in == t.bytes_out);
    }
    CHECK(std::all_of(seen->clients.begin(), seen->clients.end(), [](const auto& c) { return c == "me"; }));
    const auto is = [&](std::string_view from, std::string_view to) {
        return std::any_of(seen->connections.begin(), seen->connections.end(), [&](const auto& c) { return c.from == from && c.to == to; });
    };
    CHECK(is("idle", "resolving"));
    CHECK(is("negotiating", "ready"));
    CHECK(is("ready", "closed"));
    std::size_t records = 0;
    for (const auto& b : seen->batches) {
        CHECK(b.topic == "orders");
        CHECK(b.bytes > 61);
        CHECK(b.queued >= 0ns);
        records += b.records;
    }
    CHECK(records == 10);
    CHECK(std::find(seen->rebalances.begin(), seen->rebalances.end(), "billing assigned 2") != seen->rebalances.end());
    CHECK(std::find(seen->rebalances.begin(), seen->rebalances.end(), "billing revoked 2") != seen->rebalances.end());
    CHECK(std::find(seen->lags.begin(), seen->lags.end(), "orders-0 0") != seen->lags.end());
    CHECK(seen->lines_with("partitions are assigned (group=billing, partitions=2") == 1);
    CHECK(seen->failures.empty());
}

TEST_CASE("frames are for observers that want them, and a name is one's own", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    seen->bytes = true;
    auto o = r.client(seen);
    o.name = "orders";
    r.produce_and_read(o);
    for (const auto& one : seen->requests) {
        CHECK(one.request_bytes == one.out - 4);
        if (one.why.empty()) CHECK(one.answer_bytes == one.in - 4);
    }
    CHECK(std::all_of(seen->clients.begin(), seen->clients.end(), [](const auto& c) { return c == "orders"; }));
}

TEST_CASE("requests without an answer, and those that never went out, have ended too", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, r.client(seen)};
        kw::producer_options fast;
        fast.acks = kw::acks::none;
        fast.idempotence = kw::toggle::off;
        kw::producer producer{client, fast};
        const kw::record record{.topic = "orders", .value = "paid"};
        co_await producer.async_send(record, asio::use_awaitable);
    });
    REQUIRE(seen->of(0).size() == 1);
    CHECK(seen->of(0).front()->in == 0);
    CHECK(seen->of(0).front()->why.empty());

    const auto lost = std::make_shared<memory>();
    r.kafka->close();
    r.run([&]() -> asio::awaitable<void> {
        auto o = r.client(lost);
        kw::client client{r.io, o};
        auto [e, answer] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(e.code == kw::errc::connect_failed);
    });
    REQUIRE(lost->of(3).size() == 1);
    CHECK(lost->of(3).front()->version == -1);
    CHECK(lost->of(3).front()->out == 0);
    CHECK_FALSE(lost->of(3).front()->why.empty());
    CHECK(lost->lines_with("warning connection: the connection could not be made (broker=127.0.0.1:") == 1);
    const auto failed = [&](std::string_view component) {
        return std::count_if(lost->failures.begin(), lost->failures.end(), [&](const auto& f) { return f.component == component && f.why.code == kw::errc::connect_failed; });
    };
    CHECK(failed("connection") == 1);
    CHECK(failed("request") == 1);
}

TEST_CASE("retries and what could not be delivered are told with their reason", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    auto control = r.kafka->control();
    control.add({.api = 0, .count = 2, .error = kw::broker_errc::not_enough_replicas});
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, r.client(seen)};
        kw::producer producer{client};
        const kw::record record{.topic = "orders", .value = "paid", .partition = 0};
        co_await producer.async_send(record, asio::use_awaitable);
        CHECK(seen->retries.size() == 2);
        CHECK(seen->failures.empty());
        control.add({.api = 0, .count = 1, .error = kw::broker_errc::topic_authorization_failed});
        auto [e, at] = co_await producer.async_send(record, kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(e.code == kw::broker_errc::topic_authorization_failed);
    });
    REQUIRE(seen->retries.size() == 2);
    CHECK(seen->retries.front().find("NOT_ENOUGH_REPLICAS") != std::string::npos);
    REQUIRE(seen->failures.size() == 1);
    CHECK(seen->failures.front().component == "producer");
    CHECK(seen->failures.front().count == 1);
    CHECK(seen->lines_with("warning producer: records were not delivered (topic=orders, why=") == 1);
}

TEST_CASE("what an observer throws is its own trouble", "[observe]") {
    struct thrower final : kw::observer {
        int calls = 0;
        [[noreturn]] void fail() {
            ++calls;
            throw std::runtime_error{"observer"};
        }
        void on_log(const kw::log_line&) override { fail(); }
        void on_request(const kw::request_seen&) override { fail(); }
        void on_connection(const kw::connection_seen&) override { fail(); }
        void on_batch(const kw::batch_seen&) override { fail(); }
        void on_retry(const kw::retry_seen&) override { fail(); }
        void on_rebalance(const kw::rebalance_seen&) override { fail(); }
        void on_lag(const kw::lag_seen&) override { fail(); }
        void on_error(const kw::error_seen&) override { fail(); }
    };
    rig r;
    const auto bad = std::make_shared<thrower>();
    const auto good = std::make_shared<memory>();
    r.produce_and_read(r.client(kw::all_of({bad, nullptr, good})));
    CHECK(bad->calls > 20);
    CHECK(good->requests.size() > 10);
    bad->calls = 0;
    r.produce_and_read(r.client(bad));
    CHECK(bad->calls > 20);
    CHECK(kw::all_of({}) == nullptr);
    CHECK(kw::all_of({nullptr, good}) == good);
}

TEST_CASE("the same line comes at most so often, and says how many were left out", "[observe]") {
    kw::net::line_limit_fsm limit;
    const kw::net::time_point start{};
    CHECK(limit.take("a", start) == 0u);
    for (int i = 1; i < 10; ++i) CHECK_FALSE(limit.take("a", start + i * 1s));
    CHECK(limit.take("b", start + 5s) == 0u);
    CHECK(limit.take("a", start + 10s) == 9u);
    CHECK_FALSE(limit.take("a", start + 11s));
    CHECK(limit.take("a", start + 30s) == 1u);
    // It knows a limited number of lines, and forgets the eldest.
    for (int i = 0; i < 1'000; ++i) CHECK(limit.take(std::to_string(i), start + 31s + i * 1ms) == 0u);
    CHECK(limit.take("a", start + 33s) == 0u);
    CHECK_FALSE(limit.take("999", start + 33s));

    kw::log_line line{kw::log_level::warning, "me", "connection", "the connection was lost", {}, 9};
    CHECK(to_string(line) == "warning connection: the connection was lost (9 more were left out)");
    const kw::log_field fields[] = {{"broker", "b:1"}, {"why", "one\ntwo"}};
    line.fields = fields;
    CHECK(to_string(line) == "warning connection: the connection was lost (broker=b:1, why=one two; 9 more were left out)");
}

TEST_CASE("a broker that cannot be reached fills no log", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    auto o = r.client(seen);
    o.reconnect_backoff = 5ms;
    o.reconnect_backoff_max = 5ms;
    r.kafka->close();
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, o};
        for (int i = 0; i < 30; ++i) {
            auto [ec, answer] = co_await client.async_metadata(kw::as_tuple(asio::use_awaitable));
            CHECK(ec);
            asio::steady_timer pause{r.io, 10ms};
            co_await pause.async_wait(asio::use_awaitable);
        }
    });
    CHECK(seen->lines_with("the connection could not be made") == 1);
    CHECK(std::count_if(seen->failures.begin(), seen->failures.end(), [](const auto& f) { return f.component == "connection"; }) > 10);
}

TEST_CASE("a password over plain text is warned of once, by the library", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    auto o = r.client(seen);
    o.security_protocol = kw::security_protocol::sasl_plaintext;
    o.sasl_mechanism = kw::sasl_mechanism::plain;
    o.sasl_username = "alice";
    o.sasl_password = kw::secret{"canary"};
    {
        const kw::client client{r.io, o};
        CHECK(seen->lines == std::vector<std::string>{"warning client: sasl_plaintext with plain: everybody between here and the brokers can read the password"});
    }
    CHECK(seen->lines.size() == 1);
}

TEST_CASE("an application writes lines of its own", "[observe]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    const kw::client client{r.io, r.client(seen)};
    const kw::log_field fields[] = {{"topic", "orders"}};
    for (int i = 0; i < 5; ++i) client.log(kw::log_level::info, "shop", "closed for today", fields);
    CHECK(seen->lines == std::vector<std::string>{"info shop: closed for today (topic=orders)"});
    CHECK(seen->clients == std::vector<std::string>{"me"});
    const kw::client silent{r.io, r.client({})};
    silent.log(kw::log_level::info, "shop", "nobody hears it");
}
