// Batches that are compressed on an executor that is given.
#include <kafkawire/concurrent_producer.hpp>

#include <asio/thread_pool.hpp>
#include <functional>
#include <map>

#include "catch.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using kw::protocol::compression;
using threads::kafka_thread;

namespace {

// A thread of a pool that does nothing until it is let go.
class busy {
public:
    explicit busy(asio::thread_pool& pool) {
        asio::post(pool, [go = go_] { go->wait(); });
    }
    ~busy() { let_go(); }
    void let_go() {
        if (!std::exchange(gone_, true)) go_->tell();
    }

private:
    std::shared_ptr<kw::client_detail::signal> go_ = std::make_shared<kw::client_detail::signal>();  // the thread may come to it later
    bool gone_ = false;
};

template <class Done>
bool run_until(asio::io_context& io, Done done) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!done() && std::chrono::steady_clock::now() < end) io.run_one_for(100ms);
    return done();
}

}  // namespace

TEST_CASE("batches compressed by several threads go in the order of their partition") {
    const int each = 6000, partitions = 3;
    kafka_thread kafka{partitions};
    asio::thread_pool pool{4};
    asio::io_context io{1};
    kw::client client{io, kafka.client()};
    kw::producer producer{client, {.batch_bytes = 3000, .send_buffer = 200'000, .compression = compression::zstd}};
    producer.compress_on(pool.get_executor());
    std::map<std::int32_t, std::int64_t> next;
    std::size_t told = 0, batches = 0;
    producer.on_delivery([&](const kw::delivery_report& r) {
        CHECK_FALSE(r.why);
        if (next[r.partition] != r.base_offset) FAIL("batches of " << r.partition << " changed places");
        next[r.partition] = r.base_offset + static_cast<std::int64_t>(r.count);
        told += r.count;
        ++batches;
    });
    int sent = 0;
    std::function<void()> go_on = [&] {
        while (sent < each * partitions) {
            const auto value = std::to_string(sent / partitions) + " some text, some text, some text";
            const auto ec = producer.try_send({.topic = "t", .value = value, .partition = sent % partitions});
            if (ec) {
                REQUIRE(ec == kw::errc::would_wait);
                return producer.async_wait_for_room(4000, [&](std::error_code) { go_on(); });
            }
            ++sent;
        }
    };
    producer.async_warm_up("t", [&](std::error_code) { go_on(); });
    REQUIRE(run_until(io, [&] { return told == static_cast<std::size_t>(each * partitions); }));
    CHECK(batches > 200);
    const auto s = producer.statistics();
    CHECK(s.bytes < static_cast<std::uint64_t>(each) * partitions * 20);  // they are compressed
    CHECK(s.retries == 0);
    CHECK(s.buffered_bytes == 0);
    for (const auto& p : kafka.read()) {
        REQUIRE(p.size() == static_cast<std::size_t>(each));
        for (int i = 0; i < each; ++i)
            if (std::stoi(p[static_cast<std::size_t>(i)].value) != i) FAIL("record " << i << " is another one");
    }
}

TEST_CASE("a producer may end, and records may expire, while their batches are being compressed") {
    kafka_thread kafka{1};
    asio::thread_pool pool{1};
    asio::io_context io{1};
    kw::client client{io, kafka.client()};
    std::error_code why;
    bool told = false;
    const auto note = [&](std::error_code ec, const kw::delivery&) {
        why = ec;
        told = true;
    };
    {
        kw::producer producer{client, {.compression = compression::lz4, .delivery_timeout = 200ms}};
        producer.compress_on(pool.get_executor());
        busy held{pool};
        producer.async_send({.topic = "t", .value = "late"}, note);
        REQUIRE(run_until(io, [&] { return told; }));
        CHECK(why == kw::errc::delivery_timed_out);
        held.let_go();
        told = false;
        producer.async_send({.topic = "t", .value = "in time"}, note);
        REQUIRE(run_until(io, [&] { return told; }));
        CHECK_FALSE(why);
        CHECK(producer.statistics().buffered_bytes == 0);
    }
    for (int round = 0; round < 20; ++round) {
        auto held = std::make_unique<busy>(pool);
        {
            kw::producer producer{client, {.linger = 0ms, .compression = compression::lz4}};
            if (round % 2) producer.compress_on(pool.get_executor());
            bool known = false;
            producer.async_warm_up("t", [&](std::error_code) { known = true; });
            REQUIRE(run_until(io, [&] { return known; }));
            producer.compress_on(pool.get_executor());
            told = false;
            producer.async_send({.topic = "t", .value = "never"}, note);
            for (int i = 0; i < 5; ++i) io.poll();
            CHECK_FALSE(told);
            if (round % 4 == 0) held.reset();  // it is compressed just now
        }
        REQUIRE(run_until(io, [&] { return told; }));
        CHECK(why == kw::errc::send_withdrawn);
    }
    pool.join();
    const auto log = kafka.read();
    REQUIRE(log[0].size() == 1);
    CHECK(log[0][0].value == "in time");
}

TEST_CASE("the front compresses where it is told to") {
    kafka_thread kafka{3};
    asio::thread_pool pool{2};
    {
        kw::concurrent_producer producer{kafka.client(), {.batch_bytes = 10'000, .compression = compression::zstd}, {.compress_on = pool.get_executor()}};
        std::vector<std::thread> senders;
        for (int t = 0; t < 3; ++t)
            senders.emplace_back([&, t] {
                for (int i = 0; i < 3000; ++i) (void)producer.send({.topic = "t", .value = std::to_string(t) + ' ' + std::to_string(i), .partition = t});
            });
        for (auto& s : senders) s.join();
        CHECK(producer.flush(20s) == 0);
        (void)producer.send({.topic = "t", .value = "0 3000", .partition = 0});
    }
    const auto log = kafka.read();
    for (int t = 0; t < 3; ++t) {
        const auto& p = log[static_cast<std::size_t>(t)];
        REQUIRE(p.size() >= 3000);
        for (int i = 0; i < 3000; ++i)
            if (p[static_cast<std::size_t>(i)].value != std::to_string(t) + ' ' + std::to_string(i)) FAIL("record " << i << " is another one");
    }
    pool.join();
}
