#include <kafkawire/concurrent_producer.hpp>
#include <kafkawire/report_stream.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <numeric>

#include "catch.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using threads::kafka_thread;

namespace {

// Has what a stream asks of a producer.
struct fed_by_hand {
    asio::io_context io;
    kw::unique_function<void(const kw::delivery_report&)> tell;

    asio::any_io_executor get_executor() { return io.get_executor(); }
    void on_delivery(kw::unique_function<void(const kw::delivery_report&)> h) { tell = std::move(h); }
    void report(std::size_t count, std::int64_t base, const kw::error* why = nullptr, std::span<const std::uint64_t> tags = {}) {
        tell({"t", 3, base, count, kw::timestamp{7ms}, why, tags});
    }
};

kw::error failed(std::error_code ec) {
    kw::error e;
    e.code = ec;
    e.text = "the story";
    return e;
}

}  // namespace

TEST_CASE("reports come in their order, to those who waited before them and to those who come later") {
    fed_by_hand p;
    kw::report_stream reports{p};
    std::vector<std::int64_t> got;
    const auto note = [&](std::error_code ec, const kw::batch_report& r) { got.push_back(ec ? -1 : r.base_offset); };
    reports.async_next_report(note);
    reports.async_next_report(note);
    p.report(10, 0);
    CHECK(got.empty());
    p.report(10, 10);
    p.report(10, 20);
    p.io.run();
    CHECK(got == std::vector<std::int64_t>{0, 10});
    const std::array<std::uint64_t, 2> tags{4, 5};
    const auto why = failed(kw::errc::delivery_unknown);
    p.report(2, -1, &why, tags);
    CHECK(reports.try_next_report()->base_offset == 20);
    const auto r = reports.try_next_report().value();
    CHECK((r.topic == "t" && r.partition == 3 && r.count == 2 && r.timestamp == kw::timestamp{7ms}));
    CHECK(r.why.code == kw::errc::delivery_unknown);
    CHECK(r.why.text == "the story");
    CHECK(r.tags == std::vector<std::uint64_t>{4, 5});
    CHECK(r.missed.acknowledged + r.missed.not_persisted + r.missed.maybe_persisted == 0);
    CHECK_FALSE(reports.try_next_report());
}

TEST_CASE("reports that nobody asks for take no more memory than they may, and none of their records goes uncounted") {
    fed_by_hand p;
    kw::report_stream reports{p, {.bytes = 3000}};
    const auto unknown = failed(kw::errc::delivery_unknown), late = failed(kw::errc::delivery_timed_out);
    for (int i = 0; i < 300; ++i) p.report(10, i * 10, i % 3 == 0 ? nullptr : i % 3 == 1 ? &unknown : &late);
    std::size_t kept = 0;
    kw::batch_result all;
    while (const auto r = reports.try_next_report()) {
        ++kept;
        (!r->why ? all.acknowledged : r->why.code == kw::condition::maybe_persisted ? all.maybe_persisted : all.not_persisted) += r->count;
        all.acknowledged += r->missed.acknowledged;
        all.maybe_persisted += r->missed.maybe_persisted;
        all.not_persisted += r->missed.not_persisted;
    }
    CHECK(kept > 2);
    CHECK(kept < 30);
    CHECK((all.acknowledged == 1000 && all.maybe_persisted == 1000 && all.not_persisted == 1000));
    // One larger than all of it is kept.
    const std::vector<std::uint64_t> tags(10'000, 1);
    p.report(10'000, 0, nullptr, tags);
    CHECK(reports.try_next_report()->tags.size() == 10'000);
}

TEST_CASE("a stream ends with its producer, a wait with its cancellation, and all waits with the stream") {
    fed_by_hand p;
    asio::cancellation_signal cancel;
    std::vector<std::error_code> told;
    const auto note = [&](std::error_code ec, const kw::batch_report&) { told.push_back(ec); };
    {
        kw::report_stream reports{p};
        reports.async_next_report(asio::bind_cancellation_slot(cancel.slot(), note));
        cancel.emit(asio::cancellation_type::all);
        CHECK(told.empty());
        p.io.run();
        CHECK(told.at(0) == kw::errc::canceled);
        p.report(1, 0);
        CHECK(reports.try_next_report());  // it was not given to the one that had gone
        p.report(1, 1);
        p.on_delivery({});
        for (int i = 0; i < 2; ++i) reports.async_next_report(note);
        p.io.restart();
        p.io.run();
        CHECK_FALSE(told.at(1));
        CHECK(told.at(2) == kw::errc::client_closed);
    }
    {
        kw::report_stream reports{p};
        kw::report_stream moved{std::move(reports)};
        moved.async_next_report(note);
    }
    p.report(1, 2);
    p.io.restart();
    p.io.run();
    CHECK(told.at(3) == kw::errc::canceled);
    CHECK(told.size() == 4);
}

TEST_CASE("a coroutine reads the reports of a producer until it is destroyed") {
    kafka_thread kafka{3};
    asio::io_context io{1};
    kw::client client{io, kafka.client()};
    std::optional<kw::producer> producer{std::in_place, client};
    kw::report_stream reports{*producer};
    std::size_t acknowledged = 0, left = 1;
    std::error_code end;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            for (;;) {
                auto [ec, r] = co_await reports.async_next_report(kw::as_tuple(asio::use_awaitable));
                end = ec;
                if (ec) break;
                acknowledged += r.why ? 0 : r.count;
            }
            io.stop();
        },
        [](std::exception_ptr) {});
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            for (int i = 0; i < 1000; ++i) co_await producer->async_enqueue({.topic = "t", .value = "x", .partition = i % 3}, asio::use_awaitable);
            left = co_await producer->async_close(10s, asio::use_awaitable);
            producer.reset();
        },
        [](std::exception_ptr) {});
    io.run_for(20s);
    CHECK(left == 0);
    CHECK(acknowledged == 1000);
    CHECK(end == kw::errc::client_closed);
}

TEST_CASE("a thread of its own reads the reports of the front") {
    kafka_thread kafka{3};
    std::optional<kw::concurrent_producer> producer{std::in_place, kafka.client()};
    kw::report_stream reports{*producer};
    std::size_t acknowledged = 0;
    std::thread reader{[&] {
        while (acknowledged < 2000) acknowledged += reports.async_next_report(asio::use_future).get().count;
    }};
    std::thread other{[&] {
        for (int i = 0; i < 1000; ++i) (void)producer->send({.topic = "t", .value = "x"});
    }};
    for (int i = 0; i < 1000; ++i) CHECK_FALSE(producer->send({.topic = "t", .value = "x"}));
    other.join();
    CHECK(producer->flush(10s) == 0);
    reader.join();
    CHECK(acknowledged == 2000);
    std::error_code end;
    reports.async_next_report([&](std::error_code ec, const kw::batch_report&) { end = ec; });
    producer.reset();
    CHECK(end == kw::errc::client_closed);
    CHECK_FALSE(reports.try_next_report());
}
