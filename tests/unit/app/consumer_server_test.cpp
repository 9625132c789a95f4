// Consumer servers against the embedded cluster on loopback.
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/testing.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <csignal>
#include <thread>

#include "catch.hpp"
#include "server_rig.hpp"

using namespace std::chrono_literals;
namespace app = kw::app;

namespace {

using server_rig::rig;

std::string header(const kw::testing::record& r, std::string_view key) {
    for (const auto& [k, v] : r.headers)
        if (k == key) return v;
    return "(none)";
}

}  // namespace

TEST_CASE("a plain function, failing now and then: each message is handled, tried again, and committed at a clean stop") {
    rig r;
    r.fill(30);
    std::map<std::string, int> seen;
    auto s = r.serve(app::on_message([&](const kw::record_view& m) {
                         if (++seen[std::string{m.value.text()}] == 1 && m.offset % 5 == 0) throw std::runtime_error{"not today"};
                     }),
                     {.retry_interval = 1ms});
    REQUIRE(r.kafka.run_until([&] { return s.statistics().handled == 30; }));
    CHECK(seen.size() == 30);
    CHECK(s.statistics().failures > 0);
    CHECK(s.statistics().retries == s.statistics().failures);
    REQUIRE(r.errors.size() == s.statistics().failures);
    CHECK(r.errors[0].from == app::service_error::source::handler);
    CHECK(r.errors[0].why.code == app::errc::handler_failed);
    CHECK(r.errors[0].why.message() == "not today");
    CHECK(r.errors[0].topic == r.topic);
    const auto view = s.session();
    REQUIRE(view.claims.size() == 2);
    CHECK(view.generation > 0);
    CHECK_FALSE(view.member_id.empty());
    CHECK(view.claims[0].initial_offset == 0);
    CHECK(view.claims[0].confirmed + view.claims[1].confirmed == 30);
    CHECK(view.claims[0].high_watermark + view.claims[1].high_watermark == 30);
    r.end(s);
    CHECK_FALSE(r.why);
    CHECK(r.committed() == 30);
}

TEST_CASE("coroutines side by side: keys keep their order; what is in hand at the stop is finished and committed") {
    rig r;
    r.fill(60);
    std::map<std::string, std::vector<int>> by_key;
    int most = 0, now = 0;
    auto s = r.serve(app::on_message([&](kw::record_view m) -> asio::awaitable<void> {
                         most = std::max(most, ++now);
                         asio::steady_timer t{r.io, 1ms};
                         co_await t.async_wait(asio::use_awaitable);
                         by_key[std::string{m.key.text()}].push_back(std::stoi(std::string{m.value.text()}));
                         --now;
                     }),
                     {.parallel = 3});
    REQUIRE(r.kafka.run_until([&] { return s.statistics().handled >= 30; }));
    r.end(s);
    CHECK(now == 0);
    CHECK(most == 3);
    std::int64_t handled = 0;
    for (const auto& [key, values] : by_key) {
        CHECK(std::is_sorted(values.begin(), values.end()));
        handled += static_cast<std::int64_t>(values.size());
    }
    CHECK(static_cast<std::int64_t>(s.statistics().handled) == handled);
    CHECK(r.committed() <= handled);
    CHECK(r.committed() >= handled - 3);  // at most what another key's message, not begun, holds back
}

TEST_CASE("batches by count and by flush; an error has all of the batch again") {
    rig r;
    r.fill(30);
    std::vector<std::size_t> sizes;
    bool failed = false;
    auto s = r.serve(app::on_batch([&](std::span<const kw::record_view> batch) -> std::error_code {
                         sizes.push_back(batch.size());
                         if (!std::exchange(failed, true)) return std::make_error_code(std::errc::io_error);
                         return {};
                     }),
                     {.retry_interval = 1ms, .batch = 8, .batch_flush = 20ms});
    REQUIRE(r.kafka.run_until([&] { return s.statistics().handled == 30; }));
    // 20 messages in one partition, 10 in the other: full ones first, the rest when they have waited.
    std::sort(sizes.begin(), sizes.end());
    CHECK(sizes.size() == 6);
    CHECK(sizes[0] < 8);
    CHECK(sizes.back() == 8);
    REQUIRE(r.errors.size() == 1);
    CHECK(r.errors[0].why.code == std::errc::io_error);
    r.end(s);
    CHECK(r.committed() == 30);
}

TEST_CASE("after the last try: dead letters say why, when, how often and whence; retry topics count on") {
    rig r;
    const auto again = r.kafka.create_topic(1), dead = r.kafka.create_topic(1);
    r.kafka.produce(r.topic, {{.key = "42", .value = "bad", .headers = {{"own", "7"}}, .partition = 1, .timestamp = 1'600'000'000'000}, {.key = "1", .value = "good", .partition = 1}});
    auto options = r.read();
    options.topics = {r.topic, again};
    app::consumer_server s{r.client, options, app::on_message([](const kw::record_view& m) {
                               if (m.value.text() == "bad") throw std::runtime_error{"too bad"};
                           }),
                           {.retry_interval = 1ms, .max_retry = 2, .after_last_try = app::last_resort::retry_topic, .retry_topic = again, .dead_letter_topic = dead}};
    s.async_run([&](std::error_code ec) {
        r.over = true;
        r.why = ec;
    });
    REQUIRE(r.kafka.run_until([&] { return s.statistics().to_dead_letters == 1; }));
    CHECK(s.statistics().to_retry_topic == 1);
    CHECK(s.statistics().handled == 1);
    r.end(s);
    const auto first = r.kafka.read_all(again), last = r.kafka.read_all(dead);
    REQUIRE(first.size() == 1);
    REQUIRE(last.size() == 1);
    CHECK(last[0].key == "42");
    CHECK(last[0].value == "bad");
    CHECK(last[0].timestamp == 1'600'000'000'000);
    CHECK(header(last[0], "own") == "7");
    CHECK(header(first[0], "kafkawire-tries") == "3");
    CHECK(header(last[0], "kafkawire-tries") == "6");
    CHECK(header(last[0], "kafkawire-error") == "too bad");
    CHECK(std::stoll(header(last[0], "kafkawire-failed-at")) > 1'600'000'000'000);
    CHECK(header(last[0], "kafkawire-group") == "g");
    CHECK(header(last[0], "kafkawire-original-topic") == r.topic);
    CHECK(header(last[0], "kafkawire-original-partition") == "1");
    CHECK(header(last[0], "kafkawire-original-offset") == "0");
    CHECK(last[0].headers.size() == 8);
    CHECK(r.committed() == 2);
}

TEST_CASE("max_retry below 0 confirms and goes on; stop ends with the handler's error and commits nothing of it") {
    rig r;
    r.fill(3);
    SECTION("go on") {
        auto s = r.serve(app::on_message([](const kw::record_view&) -> std::error_code { return std::make_error_code(std::errc::io_error); }), {.max_retry = -1});
        REQUIRE(r.kafka.run_until([&] { return s.statistics().given_up == 3; }));
        CHECK(r.errors.size() == 6);
        CHECK(r.errors[1].why.code == app::errc::given_up);
        REQUIRE(r.errors[1].why.cause);
        CHECK(r.errors[1].why.cause->code == std::errc::io_error);
        r.end(s);
        CHECK(r.committed() == 3);
    }
    SECTION("stop") {
        auto s = r.serve(app::on_message([](const kw::record_view&) -> std::error_code { return std::make_error_code(std::errc::io_error); }),
                         {.max_retry = -1, .after_last_try = app::last_resort::stop});
        REQUIRE(r.kafka.run_until([&] { return r.over; }));
        CHECK(r.why == std::errc::io_error);
        CHECK(r.committed() == 0);
    }
}

TEST_CASE("functions that block run in a pool; calls may be told from any thread; one that is dropped has failed") {
    rig r;
    r.fill(12);
    asio::thread_pool pool{2};
    std::atomic<int> elsewhere{0};
    const auto home = std::this_thread::get_id();
    bool dropped = false;
    auto s = r.serve(app::on_call([&](app::call c) {
                         elsewhere += std::this_thread::get_id() != home;
                         if (c.message().offset == 0 && c.message().partition == 1 && c.attempt() == 1) {
                             dropped = true;
                             return;
                         }
                         c.done();
                     }),
                     {.retry_interval = 1ms, .parallel = 2});
    s.run_on(pool.get_executor());
    REQUIRE(r.kafka.run_until([&] { return s.statistics().handled == 12; }));
    CHECK(elsewhere == 13);
    CHECK(dropped);
    REQUIRE(r.errors.size() == 1);
    CHECK(r.errors[0].why.code == app::errc::handler_gone);
    r.end(s);
    pool.join();
}

TEST_CASE("several services, one stream of errors, one stop: also by a signal") {
    rig r;
    r.fill(6);
    const auto other = r.kafka.create_topic(1);
    r.kafka.produce(other, {{.value = "x"}});
    std::vector<std::string> errors;
    int handled = 0;
    const auto shared = app::on_message([&](const kw::record_view& m) {
        if (m.value.text() == "x" && handled < 100) {
            handled += 100;
            throw std::runtime_error{"x"};
        }
        ++handled;
    });
    auto second = r.read();
    second.group = "h";
    second.topics = {other};
    app::services all{r.io.get_executor()};
    all.add("orders", {r.client, r.read(), shared, {.retry_interval = 1ms}});
    all.add("payments", {r.client, second, shared, {.retry_interval = 1ms}});
    all.on_error([&](const app::service_error& e) { errors.push_back(e.service + ": " + e.why.message()); });
    all.stop_on_signals({SIGUSR1});
    all.async_run([&](std::error_code ec) {
        r.over = true;
        r.why = ec;
    });
    REQUIRE(all.find("orders"));
    REQUIRE(r.kafka.run_until([&] { return handled == 107 && all.find("orders")->statistics().handled == 6; }));
    CHECK(errors == std::vector<std::string>{"payments: x"});
    std::raise(SIGUSR1);
    REQUIRE(r.kafka.run_until([&] { return r.over; }));
    CHECK_FALSE(r.why);
    CHECK(r.committed() == 6);
}

TEST_CASE("what cannot be is refused before anything is asked for") {
    asio::io_context io;
    kw::client client{io, {.bootstrap = "localhost:1"}};
    const auto one = app::on_message([](const kw::record_view&) {});
    const auto many = app::on_batch([](std::span<const kw::record_view>) {});
    const auto refused = [&](const app::handler& h, const app::handler_options& how, std::string group = "g") -> std::string {
        try {
            app::consumer_server{client, {.group = std::move(group), .topics = {"t"}}, h, how};
        } catch (const kw::system_error& e) {
            CHECK(e.code() == kw::errc::bad_configuration);
            return e.detail().text;
        }
        return "(taken)";
    };
    CHECK(refused(one, {}) == "(taken)");
    CHECK(refused(one, {}, "") == "group is empty");
    CHECK(refused(many, {}) == "batch is 0");
    CHECK(refused(many, {.batch = 1}) == "(taken)");
    CHECK(refused(one, {.max_retry = 1, .after_last_try = app::last_resort::retry_topic}) == "after_last_try is retry_topic, and retry_topic is empty");
    CHECK(refused(one, {.after_last_try = app::last_resort::stop}) == "max_retry is 0, which means for ever, and after_last_try is not go_on");
    CHECK(refused(one, {.parallel = 0}) != "(taken)");
    CHECK(kw::option_manual<app::handler_options>().find("dead_letter_topic") != std::string::npos);
}
