// kw::producer in the world of schedules: the same storms and the same checkers as for the plain workload, and the deadlines of its sends.
#include <kafkawire/producer.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

#include "workload.hpp"

namespace schedules {

namespace {

kw::testing::outcome outcome_of(std::error_code ec) {
    if (!ec) return kw::testing::outcome::ok;
    return ec == kw::condition::not_persisted ? kw::testing::outcome::failed : kw::testing::outcome::unknown;
}

}  // namespace

void workload::send_one(kw::producer& from, std::int32_t producer, std::chrono::milliseconds patience) {
    const auto partition = static_cast<std::int32_t>(random_.below(partitions));
    const auto value = make_value(next_value_++, random_.below(100));
    const auto id = history.send(producer, history.partition(topic, partition), next_value_ - 1, w_.now());
    history.deadline(id, w_.now() + std::chrono::nanoseconds{patience}.count());
    ++producing_;
    // The value is held until the end: a record that waits for room is not copied.
    auto held = std::make_shared<const std::string>(value);
    from.async_send({.topic = topic, .key = "key", .value = *held, .partition = partition}, [this, id, partition, held](std::error_code ec, kw::delivery d) {
        --producing_;
        if (!ec && d.partition != partition) blame("a delivery in another partition");
        if (ec && (ec == kw::condition::not_persisted) == (ec == kw::condition::maybe_persisted)) blame("a send ends in no class: " + ec.message());
        history.finish(id, outcome_of(ec), w_.now(), ec ? -1 : d.offset);
        if (ec) return;
        auto& t = target_[static_cast<std::size_t>(partition)];
        t = std::max(t, d.offset + 1);
    });
}

asio::awaitable<void> workload::run_producer(std::int32_t number, std::chrono::nanoseconds until) {
    // Some are patient, others have records that expire while a fault lasts.
    constexpr std::array<std::chrono::milliseconds, 3> patiences{120s, 10s, 3s};
    const auto patience = patiences[static_cast<std::size_t>(random_.below(patiences.size()))];
    kw::producer_options o;
    o.delivery_timeout = patience;
    o.batch_bytes = static_cast<std::uint32_t>(300 + random_.below(2000));
    o.linger = std::chrono::milliseconds{random_.below(20)};
    o.compression = static_cast<kw::protocol::compression>(random_.below(5));
    kw::producer producer{*w_.client, o};
    co_await look_up(*w_.client);
    while (w_.world.elapsed() < until) {
        for (auto n = 1 + random_.below(8); n > 0; --n) send_one(producer, number, patience);
        co_await pause(random_.between(std::chrono::nanoseconds{1ms}, std::chrono::nanoseconds{500ms}));
    }
    auto [ec, left] = co_await producer.async_close(150s, kw::as_tuple(asio::use_awaitable));
    if (ec || left) blame("a producer could not flush in 150 s: " + std::to_string(left) + " left");
    --producing_;
}

void workload::send(int producers, std::chrono::nanoseconds until) {
    for (int i = 0; i < producers; ++i) {
        ++producing_;
        asio::co_spawn(w_.app.executor(), run_producer(100 + i, until), asio::detached);
    }
}

}  // namespace schedules
