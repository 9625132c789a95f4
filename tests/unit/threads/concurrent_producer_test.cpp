#include <kafkawire/concurrent_producer.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <atomic>
#include <map>

#include "catch.hpp"
#include "client/front_chunk.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using threads::kafka_thread;

namespace {

// Every thread's records are there once, in their order in each partition. Values are "thread number".
void check_log(kafka_thread& kafka, int senders, int each) {
    std::map<int, int> count;
    for (const auto& partition : kafka.read()) {
        std::map<int, int> last;
        for (const auto& r : partition) {
            const auto thread = std::stoi(r.value), number = std::stoi(r.value.substr(r.value.find(' ') + 1));
            const auto before = last.try_emplace(thread, -1).first;
            if (number <= before->second) FAIL("thread " << thread << ": " << number << " after " << before->second);
            before->second = number;
            ++count[thread];
        }
    }
    REQUIRE(count.size() == static_cast<std::size_t>(senders));
    for (const auto& [thread, n] : count) CHECK(n == each);
}

}  // namespace

TEST_CASE("what goes into a chunk comes out of it") {
    kw::client_detail::front_chunk c{4096, 0};
    const std::array headers{kw::header_view{"a", "1"}, kw::header_view{"", nullptr}, kw::header_view{"c", ""}};
    const std::array<kw::record, 4> in{kw::record{.topic = "one", .key = "k", .value = "v", .headers = headers, .partition = 3, .timestamp = kw::timestamp{7ms}, .tag = 9},
                                       kw::record{.topic = "one"}, kw::record{.topic = "two", .key = "", .value = nullptr}, kw::record{.topic = "one", .value = "x"}};
    for (int round = 0; round < 2; ++round) {
        for (const auto& r : in) {
            REQUIRE(c.has_room(kw::client_detail::front_chunk::size_of(r)));
            c.append(r, nullptr);
        }
        CHECK(c.unread() == 4);
        std::vector<kw::header_view> scratch;
        for (const auto& r : in) {
            std::shared_ptr<kw::client_detail::front_operation> op;
            const auto out = c.read(scratch, op);
            CHECK(out.topic == r.topic);
            CHECK(out.key.is_null() == r.key.is_null());
            CHECK(out.key.text() == r.key.text());
            CHECK(out.value.is_null() == r.value.is_null());
            CHECK(out.value.text() == r.value.text());
            CHECK(out.partition == r.partition);
            CHECK(out.timestamp == r.timestamp);
            CHECK(out.tag == r.tag);
            REQUIRE(out.headers.size() == r.headers.size());
            for (std::size_t i = 0; i < r.headers.size(); ++i) {
                CHECK(out.headers[i].key == r.headers[i].key);
                CHECK(out.headers[i].value.is_null() == r.headers[i].value.is_null());
                CHECK(out.headers[i].value.text() == r.headers[i].value.text());
            }
            CHECK(op == nullptr);
            c.advance(false);
        }
        CHECK(c.unread() == 0);
        c.clear();
    }
}

TEST_CASE("several threads send at once: all is there, once, and each thread's in order") {
    const int senders = 4, each = 20'000;
    kafka_thread kafka;
    kw::concurrent_producer producer{kafka.client(), {}, {.buffer = 256 << 10}};
    std::atomic<std::size_t> told{0}, failed{0}, tags{0};
    producer.on_delivery([&](const kw::delivery_report& r) {
        (r.why ? failed : told) += r.count;
        for (const auto t : r.tags) tags += t;
    });
    std::vector<std::thread> threads;
    for (int t = 0; t < senders; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                const auto value = std::to_string(t) + ' ' + std::to_string(i), key = std::to_string(i % 50);
                if (producer.send({.topic = "t", .key = key, .value = value, .tag = i == 7 ? 1u : 0u})) ++failed;
            }
        });
    for (auto& t : threads) t.join();
    CHECK(producer.flush(60s) == 0);
    CHECK(told == static_cast<std::size_t>(senders * each));
    CHECK(failed == 0);
    CHECK(tags == static_cast<std::size_t>(senders));
    check_log(kafka, senders, each);
}

TEST_CASE("a full buffer makes try_send say so, send wait, and async_enqueue suspend") {
    kafka_thread kafka{1};
    kafka.control([](kw::broker::control& c) { c.add({.name = "slow", .api = 0, .count = 1, .reply_delay = 700ms}); });
    kw::concurrent_producer producer{kafka.client(), {.batch_bytes = 100'000, .send_buffer = 1 << 20}, {.buffer = 128 << 10}};
    const std::string value(1000, 'v');
    // The producer's megabyte, and two chunks: more cannot be taken while the broker says nothing.
    int taken = 0;
    const auto end = std::chrono::steady_clock::now() + 400ms;
    std::error_code ec;
    while (std::chrono::steady_clock::now() < end) {
        ec = producer.try_send({.topic = "t", .value = value});
        if (ec) std::this_thread::sleep_for(5ms);
        else ++taken;
    }
    CHECK(ec == kw::errc::would_wait);
    CHECK(taken < 1300);
    auto suspended = producer.async_enqueue({.topic = "t", .value = value}, asio::use_future);
    CHECK(suspended.wait_for(20ms) == std::future_status::timeout);
    CHECK_FALSE(producer.send({.topic = "t", .value = value}));
    suspended.get();
    CHECK(producer.flush(30s) == 0);
    CHECK(kafka.read()[0].size() == static_cast<std::size_t>(taken) + 2);
}

TEST_CASE("coroutines on a pool of threads send and are told where their records are") {
    kafka_thread kafka{3};
    asio::thread_pool pool{3};  // before the producer, whose thread may still be inside the post() of its last handler
    kw::concurrent_producer producer{kafka.client()};
    std::atomic<int> right{0};
    for (int c = 0; c < 30; ++c)
        asio::co_spawn(
            pool,
            [&, c]() -> asio::awaitable<void> {
                std::int64_t last = -1;
                for (int i = 0; i < 20; ++i) {
                    const auto value = std::to_string(c) + ' ' + std::to_string(i);
                    const kw::header_view header{"h", value};
                    const kw::record r{.topic = "t", .value = value, .headers = {&header, 1}, .partition = c % 3};
                    const auto at = co_await producer.async_send(r, asio::use_awaitable);
                    right += at.offset > last && at.partition == c % 3;
                    last = at.offset;
                }
            },
            asio::detached);
    pool.join();
    CHECK(right == 600);
    check_log(kafka, 30, 20);
}

TEST_CASE("a record that the producer would refuse is told to the delivery handler, or to its own") {
    kafka_thread kafka{1};
    kw::concurrent_producer producer{kafka.client()};
    std::atomic<int> refused{0};
    producer.on_delivery([&](const kw::delivery_report& r) {
        if (r.why && r.why->code == kw::errc::unknown_partition && r.tags.size() == 1 && r.tags[0] == 5 && r.topic == "t") ++refused;
    });
    CHECK_FALSE(producer.send({.topic = "t", .value = "x"}));
    CHECK(producer.flush(10s) == 0);
    CHECK_FALSE(producer.try_send({.topic = "t", .value = "x", .partition = 4, .tag = 5}));
    auto own = producer.async_send({.topic = "t", .value = "x", .partition = 4}, asio::use_future);
    CHECK(producer.flush(10s) == 0);
    CHECK(refused == 1);
    CHECK_THROWS_AS(own.get(), std::system_error);
    const std::string large(9 << 20, 'x');
    CHECK(producer.try_send({.topic = "t", .value = large}) == kw::errc::record_too_large);
    CHECK_THROWS_AS((kw::concurrent_producer{kafka.client(), {.in_flight = 9}}), kw::system_error);
}

TEST_CASE("one unknown topic holds nobody else up, and a flush tells how many are left") {
    kafka_thread kafka{1, {{"auto.create.topics.enable", "false"}}};
    kw::concurrent_producer producer{kafka.client(), {.delivery_timeout = 1500ms}};
    std::atomic<int> told{0}, failed{0};
    producer.on_delivery([&](const kw::delivery_report& r) { (r.why ? failed : told) += static_cast<int>(r.count); });
    const kw::header_view header{"h", "v"};
    for (int i = 0; i < 100; ++i) {
        CHECK_FALSE(producer.send({.topic = "nowhere", .value = "x", .headers = {&header, 1}}));
        CHECK_FALSE(producer.send({.topic = "t", .value = "x"}));
    }
    CHECK(producer.flush(500ms) == 100);
    CHECK(told == 100);
    CHECK(producer.flush(10s) == 0);
    CHECK(failed == 100);
}

TEST_CASE("a send that is canceled, or that the producer's end meets, is told truly and once") {
    kafka_thread kafka{1};
    kafka.control([](kw::broker::control& c) { c.add({.name = "dumb", .api = 0, .drop_reply = true}); });
    std::atomic<int> calls{0};
    std::error_code canceled, ended;
    asio::cancellation_signal cancel;
    {
        kw::concurrent_producer producer{kafka.client()};
        kw::client_detail::signal first;
        producer.async_send({.topic = "t", .value = "x"}, asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code ec, kw::delivery) {
                                canceled = ec;
                                ++calls;
                                first.tell();
                            }));
        producer.async_send({.topic = "t", .value = "y"}, [&](std::error_code ec, kw::delivery) {
            ended = ec;
            ++calls;
        });
        std::this_thread::sleep_for(200ms);
        asio::post(producer.get_executor(), [&] { cancel.emit(asio::cancellation_type::all); });
        first.wait();
        producer.async_flush(10s, [&](std::error_code, std::size_t) { ++calls; });
    }
    CHECK(calls == 3);
    CHECK(canceled == kw::errc::detached);
    CHECK(ended == kw::condition::maybe_persisted);
}

TEST_CASE("it ends on an io_context that is given, in whatever state, and no delivery handler runs afterwards") {
    kafka_thread kafka{1};
    for (int round = 0; round < 20; ++round) {
        asio::io_context io;
        auto work = asio::make_work_guard(io);
        std::thread runner{[&] { io.run(); }};
        std::atomic<bool> over{false}, late{false};
        {
            kw::concurrent_producer producer{io, kafka.client()};
            producer.on_delivery([&](const kw::delivery_report&) { late = late || over; });
            for (int i = 0; i < 500; ++i) CHECK_FALSE(producer.send({.topic = "t", .value = "x"}));
            if (round % 2) CHECK(producer.close(10s) == 0);
            if (round % 2) CHECK(producer.try_send({.topic = "t"}) == kw::errc::client_closed);
        }
        over = true;
        work.reset();
        runner.join();
        CHECK_FALSE(late);
    }
    asio::io_context never_run;
    kw::concurrent_producer idle{never_run, kafka.client()};
    CHECK_FALSE(idle.try_send({.topic = "t", .value = "x"}));
}

TEST_CASE("records of a topic that nobody knows hold no more memory than they may") {
    kafka_thread kafka{1, {{"auto.create.topics.enable", "false"}}};
    kw::concurrent_producer producer{kafka.client(), {.delivery_timeout = 1500ms}, {.buffer = 256 << 10}};
    std::atomic<std::size_t> told{0}, failed{0};
    producer.on_delivery([&](const kw::delivery_report& r) { (r.why ? failed : told) += r.count; });
    const std::string value(10'000, 'v');
    std::size_t lost = 0, known = 0;
    // A quarter of a megabyte in the producer, another in chunks, and what lies open in between.
    const auto end = std::chrono::steady_clock::now() + 500ms;
    while (std::chrono::steady_clock::now() < end) {
        if (producer.try_send({.topic = "nowhere", .value = value})) std::this_thread::sleep_for(5ms);
        else ++lost;
        if (!producer.try_send({.topic = "t", .value = "x"})) ++known;
    }
    CHECK(lost > 20);
    CHECK(lost < 100);
    CHECK(producer.flush(20s) == 0);
    CHECK(failed == lost);
    CHECK(told == known);
}

TEST_CASE("a flush can be canceled") {
    kafka_thread kafka{1};
    kafka.control([](kw::broker::control& c) { c.add({.name = "dumb", .api = 0, .drop_reply = true}); });
    kw::concurrent_producer producer{kafka.client()};
    CHECK_FALSE(producer.send({.topic = "t", .value = "x"}));
    asio::cancellation_signal cancel;
    kw::client_detail::signal told;
    std::error_code why;
    producer.async_flush(1min, asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code ec, std::size_t) {
        why = ec;
        told.tell();
    }));
    std::this_thread::sleep_for(50ms);
    asio::post(producer.get_executor(), [&] { cancel.emit(asio::cancellation_type::all); });
    told.wait();
    CHECK(why == kw::errc::canceled);
}

TEST_CASE("a handler that throws ends run(); who runs again hears the rest") {
    kafka_thread kafka{1};
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::atomic<int> thrown{0};
    std::thread runner{[&] {
        for (;;) {
            try {
                io.run();
                return;
            } catch (const std::runtime_error&) {
                ++thrown;
            }
        }
    }};
    {
        kw::concurrent_producer producer{io, kafka.client()};
        std::atomic<std::size_t> reports{0}, records{0}, told{0};
        producer.on_delivery([&](const kw::delivery_report& r) {
            records += r.count;
            if (++reports % 2 == 1) throw std::runtime_error{"from on_delivery"};
        });
        for (int i = 0; i < 300; ++i) {
            CHECK_FALSE(producer.send({.topic = "t", .value = "x"}));
            producer.async_send({.topic = "t", .value = "x"}, [&, i](std::error_code, const kw::delivery&) {
                ++told;
                if (i % 100 == 0) throw std::runtime_error{"from a record's handler"};
            });
            if (i % 50 == 0) CHECK_FALSE(producer.send({.topic = "t", .value = "x", .partition = 9}));  // refused: told where it is handed over
        }
        CHECK(producer.flush(20s) == 0);
        for (int i = 0; i < 400 && (told < 300 || records < 606); ++i) std::this_thread::sleep_for(5ms);
        CHECK(told == 300);
        CHECK(records == 606);
        CHECK(thrown >= 4);
    }
    work.reset();
    runner.join();
}

TEST_CASE("its io_context may be stopped before it, with everything under way") {
    kafka_thread kafka{1, {{"auto.create.topics.enable", "false"}}};
    std::atomic<int> calls{0};
    {
        asio::io_context io;
        auto work = asio::make_work_guard(io);
        std::thread runner{[&] { io.run(); }};
        kw::concurrent_producer producer{io, kafka.client()};
        for (int i = 0; i < 100; ++i) {
            CHECK_FALSE(producer.send({.topic = "t", .value = "x"}));
            CHECK_FALSE(producer.send({.topic = "nowhere", .value = "x"}));
            producer.async_send({.topic = "nowhere", .value = "x"}, [&](std::error_code, const kw::delivery&) { ++calls; });
        }
        producer.async_flush(1min, [&](std::error_code, std::size_t) { ++calls; });
        std::this_thread::sleep_for(100ms);
        io.stop();
        runner.join();
    }
    CHECK(calls == 0);
}

TEST_CASE("a thread that waits for room is let go by close()") {
    kafka_thread kafka{1};
    kafka.control([](kw::broker::control& c) { c.add({.name = "dumb", .api = 0, .drop_reply = true}); });
    kw::concurrent_producer producer{kafka.client(), {.batch_bytes = 100'000, .send_buffer = 1 << 20}, {.buffer = 128 << 10}};
    std::atomic<int> over{0};
    std::vector<std::thread> senders;
    for (int t = 0; t < 3; ++t)
        senders.emplace_back([&] {
            const std::string value(1000, 'v');
            std::error_code ec;
            while (!ec) ec = producer.send({.topic = "t", .value = value});
            over += ec == kw::errc::client_closed;
        });
    std::this_thread::sleep_for(300ms);
    CHECK(over == 0);
    CHECK(producer.close(100ms) > 0);
    for (auto& s : senders) s.join();
    CHECK(over == 3);
}
