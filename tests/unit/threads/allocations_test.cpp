// What sending a record allocates: nothing. The same number of batches is sent with few and with many records in them; what is allocated for
// them must be the same. The cluster has a thread of its own, and only the threads of the client are counted.
#include "allocations.hpp"

#include <kafkawire/concurrent_producer.hpp>

#include <algorithm>
#include <functional>

#include "catch.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using threads::kafka_thread;

namespace {

constexpr int few = 10, many = 1000, rounds = 20;
const std::string value(100, 'v');

struct counted {
    std::size_t allocations = 0, batches = 0;
};

// Says the figure, and that it does not grow with the records. `slack`: what may come for the whole run, as timers and news of the cluster do.
void compare(const char* what, const counted& small, const counted& large, std::size_t slack) {
    const auto a_batch = static_cast<double>(large.allocations) / static_cast<double>(large.batches);
    std::printf("%s: %d records in %zu batches: %zu allocations; %d records in %zu batches: %zu allocations, %.1f a batch\n", what, few * rounds, small.batches, small.allocations,
                many * rounds, large.batches, large.allocations, a_batch);
    CHECK(large.batches <= small.batches * 2);
    CHECK(large.allocations <= small.allocations + slack);
    CHECK(a_batch < 60);
}

// A producer on this thread. `send` sends so many records; they are one batch, since the loop has its turn only afterwards.
class direct {
public:
    explicit direct(const kw::producer_options& options = {}) : client_{io_, kafka_.client()}, producer{client_, options} {
        producer.on_delivery([this](const kw::delivery_report& r) {
            CHECK_FALSE(r.why);
            ++batches_;
        });
        bool known = false;
        producer.async_warm_up("t", [&](std::error_code ec) { known = !ec; });
        run_until([&] { return known; });
    }
    ~direct() { io_.poll(); }
    counted run(int records, const std::function<void(int)>& send) {
        batches_ = 0;
        const auto before = allocations::count();
        for (int i = 0; i < rounds; ++i) {
            send(records);
            bool flushed = false;
            producer.async_flush(10s, [&](std::error_code ec, std::size_t) { flushed = !ec; });
            run_until([&] { return flushed; });
        }
        return {allocations::count() - before, batches_};
    }

private:
    template <class Done>
    void run_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!done() && std::chrono::steady_clock::now() < end) io_.run_one_for(1s);
        REQUIRE(done());
    }

    kafka_thread kafka_{1};
    asio::io_context io_{1};
    kw::client client_;
    std::size_t batches_ = 0;

public:
    kw::producer producer;
};

}  // namespace

TEST_CASE("try_send with delivery told per batch allocates nothing for a record") {
    for (const auto codec : {kw::protocol::compression::none, kw::protocol::compression::lz4, kw::protocol::compression::zstd}) {
        direct d{{.linger = 100ms, .compression = codec}};
        const auto send = [&](int n) {
            for (int i = 0; i < n; ++i)
                if (const auto ec = d.producer.try_send({.topic = "t", .key = "key", .value = value})) FAIL(ec.message());
        };
        d.run(many, send);
        const auto small = d.run(few, send);
        compare(("try_send, " + std::string{to_string(codec)}).c_str(), small, d.run(many, send), rounds);
    }
}

TEST_CASE("async_send with a handler of each record, and async_send_batch, allocate nothing for a record") {
    direct d{{.linger = 100ms}};
    int told = 0, sent = 0;
    const auto each = [&](int n) {
        sent += n;
        for (int i = 0; i < n; ++i) d.producer.async_send({.topic = "t", .key = "key", .value = value}, [&](std::error_code ec, const kw::delivery& at) { told += !ec && at.offset >= 0; });
    };
    d.run(many, each);
    const auto small = d.run(few, each);
    compare("async_send, a handler per record", small, d.run(many, each), rounds);
    CHECK(told == sent);

    const std::vector<kw::record> records(many, {.topic = "t", .key = "key", .value = value});
    const auto together = [&](int n) {
        sent += n;
        d.producer.async_send_batch(std::span{records}.first(static_cast<std::size_t>(n)), [&](std::error_code ec, const kw::batch_result& r) { told += ec ? 0 : static_cast<int>(r.acknowledged); });
    };
    d.run(many, together);
    const auto small_batch = d.run(few, together);
    compare("async_send_batch", small_batch, d.run(many, together), rounds);
    CHECK(told == sent);
}

TEST_CASE("the front for several threads allocates nothing for a record, neither where it is sent nor in the loop") {
    kafka_thread kafka{1};
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::thread runner{[&] { io.run(); }};
    {
        kw::concurrent_producer producer{io, kafka.client(), {.linger = 100ms}};
        std::atomic<std::size_t> batches{0};
        producer.on_delivery([&](const kw::delivery_report& r) { batches += !r.why; });
        const auto of_the_loop = [&] {
            std::size_t n = 0;
            kw::client_detail::signal done;
            asio::post(io, [&] {
                n = allocations::count();
                done.tell();
            });
            done.wait();
            return n;
        };
        struct both {
            counted here, loop;
        };
        // The loop is held while records are put, so that each round is one batch.
        const auto run = [&](int n) {
            both b;
            batches = 0;
            const auto loop_before = of_the_loop();
            for (int round = 0; round < rounds; ++round) {
                kw::client_detail::signal held, go;
                asio::post(producer.get_executor(), [&] {
                    held.tell();
                    go.wait();
                });
                held.wait();
                const auto before = allocations::count();
                for (int i = 0; i < n; ++i)
                    if (producer.try_send({.topic = "t", .key = "key", .value = value})) FAIL("no room");
                b.here.allocations += allocations::count() - before;
                go.tell();
                CHECK(producer.flush(10s) == 0);
            }
            b.loop = {of_the_loop() - loop_before, batches.load()};
            b.here.batches = batches;
            return b;
        };
        run(many);
        run(many);
        const auto small = run(few), large = run(many);
        compare("front, where it is sent", small.here, large.here, rounds);
        compare("front, in the loop", small.loop, large.loop, rounds * 4);
        // A handler of each record has to be kept and carried from thread to thread: that does allocate.
        std::atomic<int> told{0};
        const auto here = allocations::count(), loop = of_the_loop();
        for (int i = 0; i < many; ++i) producer.async_send({.topic = "t", .value = value}, [&](std::error_code ec, const kw::delivery&) { told += !ec; });
        CHECK(producer.flush(10s) == 0);
        const auto a_record = static_cast<double>(allocations::count() - here + of_the_loop() - loop) / many;
        std::printf("front, async_send with a handler: %.1f allocations a record\n", a_record);
        CHECK(told == many);
        CHECK(a_record < 8);
    }
    work.reset();
    runner.join();
}
