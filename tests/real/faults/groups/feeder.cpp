#include "feeder.hpp"

#include <kafkawire/producer.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "../numbered_record.hpp"
#include "report.hpp"

namespace faults {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

kw::client_options client_of(const feeder_options& o) {
    kw::client_options c;
    c.bootstrap = o.bootstrap;
    c.client_id = "feeder-" + o.topic;
    c.metadata_max_age = 3s;  // partitions are added
    return c;
}
kw::producer_options patient() {
    kw::producer_options p;
    p.create_topics = false;
    return p;
}

}  // namespace

struct feeder::impl {
    impl(const feeder_options& o, std::function<void(std::int32_t, std::uint64_t, std::int64_t)> a)
        : options{o}, acknowledged{std::move(a)}, client{io, client_of(o)}, producer{client, patient()}, partitions{o.partitions}, rate{o.rate} {
        producer.on_delivery([this](const kw::delivery_report& r) {
            if (r.why) {
                failed += r.tags.size();
                return;
            }
            const auto now = shared_clock();
            for (const auto tag : r.tags) acknowledged(r.partition, tag - 1, now);
        });
    }

    asio::awaitable<void> send_one() {
        next_partition = (next_partition + 1) % partitions.load();
        const auto partition = next_partition;
        if (static_cast<std::size_t>(partition) >= numbers.size()) numbers.resize(static_cast<std::size_t>(partition) + 1);
        const auto index = numbers[static_cast<std::size_t>(partition)]++;
        write_value(options.run, {partition, index}, value);
        const kw::record r{.topic = options.topic, .value = value, .partition = partition, .tag = index + 1};
        ++sent;
        auto code = producer.try_send(r);
        if (code == kw::errc::would_wait) {
            auto [why] = co_await producer.async_enqueue(r, kw::as_tuple(asio::use_awaitable));
            code = why;
        }
        if (code) ++failed;
    }
    asio::awaitable<void> run() {
        constexpr auto tick = 10ms;
        asio::steady_timer timer{io};
        double due = 0;
        for (auto next = clock::now(); !stopping; ) {
            due = std::min(due + rate.load() * std::chrono::duration<double>(tick).count(), rate.load());
            for (; due >= 1 && !stopping; due -= 1) co_await send_one();
            next = std::max(next + tick, clock::now() - 1s);
            timer.expires_at(next);
            co_await timer.async_wait(asio::use_awaitable);
            const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - next).count();
            if (late > nap) nap = late;
        }
        (void)co_await producer.async_close(125s, kw::as_tuple(asio::use_awaitable));
        timer.expires_after(200ms);  // what the close itself ended is told in turns of its own
        co_await timer.async_wait(asio::use_awaitable);
        co_await client.async_close(asio::use_awaitable);
    }

    // What is due in a tenth of a second, into one partition after the other.
    void run_by_kcat() {
        while (!stopping) {
            next_partition = (next_partition + 1) % partitions.load();
            numbers.resize(static_cast<std::size_t>(partitions.load()));
            const auto command = "kcat -P -q -X acks=-1 -b " + options.bootstrap + " -t " + options.topic + " -p " + std::to_string(next_partition) + " 2>/dev/null";
            const auto began = clock::now();
            std::FILE* const to = ::popen(command.c_str(), "w");
            if (!to) return;
            auto& next = numbers[static_cast<std::size_t>(next_partition)];
            const auto first = next;
            for (auto due = static_cast<int>(rate.load() / 10); due > 0; --due) {
                write_value(options.run, {next_partition, next++}, value);
                std::fprintf(to, "%s\n", value.c_str());
                ++sent;
            }
            const bool taken = ::pclose(to) == 0;
            const auto now = shared_clock();
            if (!taken) failed += next - first;
            for (auto i = first; taken && i < next; ++i) acknowledged(next_partition, i, now);
            std::this_thread::sleep_until(began + 100ms);
        }
    }

    feeder_options options;
    std::function<void(std::int32_t, std::uint64_t, std::int64_t)> acknowledged;
    asio::io_context io{1};
    kw::client client;
    kw::producer producer;
    std::atomic<std::int32_t> partitions;
    std::atomic<double> rate;
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> sent{0}, failed{0};
    std::atomic<std::int64_t> nap{0};
    std::vector<std::uint64_t> numbers;
    std::int32_t next_partition = -1;
    std::string value;
    std::thread thread;
};

feeder::feeder(const feeder_options& options, std::function<void(std::int32_t, std::uint64_t, std::int64_t)> acknowledged)
    : impl_{std::make_unique<impl>(options, std::move(acknowledged))} {}

feeder::~feeder() {
    if (!impl_->thread.joinable()) return;
    impl_->stopping = true;
    impl_->io.stop();
    impl_->thread.join();
}

void feeder::start() {
    if (impl_->options.by_kcat) {
        impl_->thread = std::thread([this] { impl_->run_by_kcat(); });
        return;
    }
    asio::co_spawn(impl_->io, impl_->run(), [](std::exception_ptr e) {
        if (e) std::rethrow_exception(e);
    });
    impl_->thread = std::thread([this] { impl_->io.run(); });
}
void feeder::set_partitions(std::int32_t n) { impl_->partitions = n; }
void feeder::set_rate(double records_a_second) { impl_->rate = records_a_second; }
std::uint64_t feeder::finish() {
    impl_->stopping = true;
    if (impl_->thread.joinable()) impl_->thread.join();
    return impl_->failed;
}
std::uint64_t feeder::sent() const noexcept { return impl_->sent; }
std::int64_t feeder::longest_nap() noexcept { return impl_->nap.exchange(0); }

}  // namespace faults
