// kw::producer in the world of schedules: the same storms and the same checkers as for the plain workload, and the deadlines of its sends.
#include <kafkawire/producer.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
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

struct workload::sender {
    sender(kw::client& c, const kw::producer_options& o, std::int32_t n, bool is_rough)
        : producer{c, o}, patience{o.delivery_timeout}, number{n}, rough{is_rough} {}

    kw::producer producer;
    std::chrono::milliseconds patience;
    std::int32_t number;
    bool rough;
    bool failed = false;
};

std::shared_ptr<workload::sender> workload::make_sender(std::int32_t number, const sending& how) {
    // Some are patient, others have records that expire while a fault lasts.
    constexpr std::array<std::chrono::milliseconds, 3> patiences{120s, 10s, 3s};
    kw::producer_options o;
    o.delivery_timeout = patiences[static_cast<std::size_t>(random_.below(patiences.size()))];
    o.batch_bytes = static_cast<std::uint32_t>(300 + random_.below(2000));
    o.linger = std::chrono::milliseconds{random_.below(20)};
    o.compression = static_cast<kw::protocol::compression>(random_.below(5));
    if (how.rough) o.send_buffer = 1024 + o.batch_bytes + random_.below(8000);  // there is not always room
    if (how.lossy) o.create_topics = random_.chance(300'000);  // else a broker may make the topic before its owner does, with one partition
    return std::make_shared<sender>(*w_.client, o, number, how.rough);
}

void workload::send_one(const std::shared_ptr<sender>& from, std::int32_t partition, bool must_arrive) {
    const auto id = history.send(from->number, history.partition(topic, partition), next_value_, w_.now());
    history.deadline(id, w_.now() + std::chrono::nanoseconds{from->patience}.count());
    ++producing_;
    // Held until it is told, which may be after its producer's end: a record that waits for room is not copied.
    struct held {
        std::string value;
        asio::cancellation_signal cancel;
    };
    auto h = std::make_shared<held>(make_value(next_value_++, random_.below(100)));
    auto told = [this, id, partition, must_arrive, h, s = std::weak_ptr{from}](std::error_code ec, kw::delivery d) {
        --producing_;
        if (const auto sender = s.lock(); sender && ec == kw::errc::producer_failed) sender->failed = true;
        if (!ec && d.partition != partition) blame("a delivery in another partition");
        if (ec && (ec == kw::condition::not_persisted) == (ec == kw::condition::maybe_persisted))
            blame("a send ends in no class: " + ec.message());
        if (ec && must_arrive) blame("a send to partition " + std::to_string(partition) + " fails when all is well again: " + ec.message());
        history.finish(id, outcome_of(ec), w_.now(), ec ? -1 : d.offset);
        if (ec) return;
        auto& t = target_[static_cast<std::size_t>(partition)];
        t = std::max(t, d.offset + 1);
    };
    from->producer.async_send({.topic = topic, .key = "key", .value = h->value, .partition = partition},
                              asio::bind_cancellation_slot(h->cancel.slot(), std::move(told)));
    if (!from->rough || !random_.chance(50'000)) return;
    w_.world.after(random_.between(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{3s}), [h = std::weak_ptr{h}] {
        if (const auto waits = h.lock()) waits->cancel.emit(asio::cancellation_type::terminal);
    });
}

// All is well again: whatever the producer remembers of what is gone must not keep it from sending.
asio::awaitable<void> workload::probe(std::shared_ptr<sender> s, bool misled) {
    co_await pause(20s);
    const auto view = w_.cluster->control().view();
    const auto* t = view.find_topic(topic);
    if (!t) co_return blame("the topic is not there when all is well again");
    const auto count = std::min<std::size_t>(t->partitions.size(), partitions);
    if (misled) {
        // What is sent now finds out what is not so; what contradicts a lie is believed when nobody has repeated that for a minute.
        for (std::size_t p = 0; p < count; ++p) send_one(s, static_cast<std::int32_t>(p));
        co_await pause(70s);
    }
    for (int round = 0; round < 2; ++round) {
        for (std::size_t p = 0; p < count; ++p) send_one(s, static_cast<std::int32_t>(p), true);
        co_await pause(1s);
    }
}

asio::awaitable<void> workload::run_producer(std::int32_t number, std::chrono::nanoseconds until, sending how) {
    auto s = make_sender(number, how);
    co_await look_up(*w_.client);
    while (w_.world.elapsed() < until) {
        if (s->failed || (how.rough && random_.chance(20'000))) {
            // In the middle of its work. What it sent may still arrive, in no order with what the next one sends.
            s.reset();
            number += 100;
            s = make_sender(number, how);
        }
        for (auto n = 1 + random_.below(8); n > 0; --n) send_one(s, static_cast<std::int32_t>(random_.below(partitions)));
        co_await pause(random_.between(std::chrono::nanoseconds{1ms}, std::chrono::nanoseconds{500ms}));
    }
    if (how.lossy && s->failed) blame("a producer has ended, although nothing but records was lost");
    if (how.lossy || how.misled) co_await probe(s, how.misled);
    auto [ec, left] = co_await s->producer.async_close(150s, kw::as_tuple(asio::use_awaitable));
    if ((ec || left) && !s->failed) blame("a producer could not flush in 150 s: " + std::to_string(left) + " left");
    --producing_;
}

void workload::send(int producers, std::chrono::nanoseconds until, const sending& how) {
    for (int i = 0; i < producers; ++i) {
        ++producing_;
        asio::co_spawn(w_.app.executor(), run_producer(100 + i, until, how), [this](std::exception_ptr failure) {
            try {
                if (failure) std::rethrow_exception(failure);
            } catch (const std::exception& e) {
                blame(e.what());
            }
        });
    }
}

}  // namespace schedules
