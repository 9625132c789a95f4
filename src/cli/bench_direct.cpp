// A benchmark's thread that uses a producer itself: one event loop, one client, one producer, all of this thread.
#include <kafkawire/detailed.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "cli/bench_run.hpp"
#include "cli/pace.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

using asio::awaitable;
using asio::use_awaitable;
using clock = std::chrono::steady_clock;

// Handed over before the event loop has its turn: answers are read, and requests leave, about that often.
constexpr std::size_t bytes_a_turn = 64 << 10;
// At high rates the timer is not set for each record: what is due meanwhile goes together.
constexpr std::chrono::microseconds shortest_wait{100};

class direct_worker final : public bench_worker {
public:
    using bench_worker::bench_worker;

    void work() override {
        asio::io_context io{1};
        client cluster{io, run_.cluster()};
        producer out{cluster, run_.plan().sending};
        std::exception_ptr thrown;
        asio::co_spawn(io, drive(out), [&](std::exception_ptr e) {
            thrown = e;
            io.stop();
        });
        io.run();
        if (thrown) std::rethrow_exception(thrown);
    }

private:
    const bench_plan& plan() const { return run_.plan(); }
    bool per_record() const { return plan().delivery == bench_delivery::record; }

    awaitable<void> drive(producer& out) {
        out.on_delivery([this, &out](const delivery_report& r) { on_batch(out, r); });
        std::vector<std::string> topics{plan().topic};
        co_await out.async_warm_up(std::move(topics), detailed(use_awaitable));
        if (plan().warmup.count() > 0) co_await warm_up(out);
        read_statistics(out);
        run_.begin_together(*this);
        measured_ = true;
        co_await send(out, share_, clock::time_point::max(), run_.began());
        run_.sent_all();
        co_await settle(out);
        read_statistics(out);
        run_.end_together(*this);
        (void)co_await out.async_close(std::chrono::seconds{1}, as_tuple(use_awaitable));
    }

    // The same work, for a time and not for a number.
    awaitable<void> warm_up(producer& out) {
        const auto begin = clock::now();
        co_await send(out, ~std::uint64_t{0}, begin + plan().warmup, begin);
        co_await settle(out);
    }

    awaitable<void> settle(producer& out) {
        const auto deadline = plan().sending.delivery_timeout + std::chrono::seconds{10};
        auto [ec, left] = co_await out.async_flush(deadline, as_tuple(use_awaitable));
        if (ec || left > 0)
            throw failure{status::failed, "not_settled", std::to_string(left) + " records were not settled in time: " + ec.message()};
        // Handlers of records run after that of their batch: those of the last one are waited for too.
        while (per_record() && told_ < handed_) co_await asio::post(use_awaitable);
    }

    awaitable<void> send(producer& out, std::uint64_t n, clock::time_point until, clock::time_point begin) {
        if (plan().one_at_a_time) return one_at_a_time(out, n, until);
        if (plan().rate) return at_rate(out, n, until, begin);
        return flood(out, n, until);
    }

    record next_record() {
        record r;
        r.topic = plan().topic;
        if (turn_.has_key()) r.key = turn_.key();
        r.value = turn_.value();
        return r;
    }

    // True: the producer has it.
    bool hand_over(producer& out, const record& r) {
        if (per_record()) {
            ++handed_;
            out.async_send(r, [this](std::error_code ec, const delivery&) {
                ++told_;
                if (ec) run_.note_error(ec);
            });
        } else if (const auto ec = out.try_send(r)) {
            if (ec == errc::would_wait) return false;
            count(0, 1, ec);
        }
        handed_bytes_ += r.value.size();
        turn_.next();
        return true;
    }
    // What was handed over since the last time, for those who look from other threads.
    void tell_sent(std::uint64_t records) {
        bench_counters::add(counters.sent, records);
        bench_counters::add(counters.value_bytes, std::exchange(handed_bytes_, 0));
    }

    awaitable<void> flood(producer& out, std::uint64_t n, clock::time_point until) {
        const bool timed = until != clock::time_point::max();
        for (std::uint64_t sent = 0; sent < n && !run_.stopping();) {
            const auto before = sent;
            std::size_t bytes = 0;
            bool room = true;
            while (room && bytes < bytes_a_turn && sent < n) {
                const auto r = next_record();
                room = hand_over(out, r);
                if (!room) break;
                ++sent;
                bytes += r.value.size() + 1;
            }
            tell_sent(sent - before);
            // A send with a handler of its own waits for room by itself; but who goes on sending then only makes a queue.
            if (room && !per_record())
                co_await asio::post(use_awaitable);
            else
                co_await out.async_wait_for_room(bytes_a_turn, use_awaitable);
            if (timed && clock::now() >= until) break;
        }
    }

    awaitable<void> at_rate(producer& out, std::uint64_t n, clock::time_point until, clock::time_point begin) {
        const pace when{begin, *plan().rate, index_, plan().threads};
        asio::steady_timer timer{out.get_executor()};
        for (std::uint64_t sent = 0; sent < n && !run_.stopping();) {
            const auto now = clock::now();
            if (now >= until) break;
            const auto due = std::min(n, when.due_by(now));
            const auto before = sent;
            bool room = true;
            for (; sent < due; ++sent) {
                if (plan().takes_times())
                    send_timed(out, when.due(sent));
                else if (!(room = hand_over(out, next_record())))
                    break;
            }
            tell_sent(sent - before);
            if (!room) co_await out.async_wait_for_room(bytes_a_turn, use_awaitable);
            if (sent == n || !room) continue;
            timer.expires_at(std::max(when.due(sent), *plan().rate > 20'000 ? now + shortest_wait : now));
            co_await timer.async_wait(use_awaitable);
        }
    }

    void send_timed(producer& out, clock::time_point due) {
        const auto r = next_record();
        ++handed_;
        out.async_send(r, [this, due](std::error_code ec, const delivery&) {
            ++told_;
            if (ec)
                run_.note_error(ec);
            else if (measured_)
                add_time(clock::now() - due);
        });
        handed_bytes_ += r.value.size();
        turn_.next();
    }

    awaitable<void> one_at_a_time(producer& out, std::uint64_t n, clock::time_point until) {
        for (std::uint64_t sent = 0; sent < n && !run_.stopping(); ++sent) {
            const auto begin = clock::now();
            if (begin >= until) break;
            const auto r = next_record();
            ++handed_;
            auto [ec, at] = co_await out.async_send(r, as_tuple(use_awaitable));
            ++told_;
            if (ec)
                run_.note_error(ec);
            else if (measured_)
                add_time(clock::now() - begin);
            handed_bytes_ += r.value.size();
            turn_.next();
            tell_sent(1);
        }
    }

    void on_batch(producer& out, const delivery_report& r) {
        count(r.why ? 0 : r.count, r.why ? r.count : 0, r.why ? r.why->code : std::error_code{});
        // A batch of ten thousand records is told once, one of a single record ten thousand times: then this is not asked each time.
        if (r.count >= 100 || ++small_batches_ % 64 == 0) read_statistics(out);
    }
    void read_statistics(const producer& out) {
        const auto s = out.statistics();
        counters.batches.store(s.batches, std::memory_order_relaxed);
        counters.wire_bytes.store(s.bytes, std::memory_order_relaxed);
        counters.requests.store(s.requests, std::memory_order_relaxed);
        counters.retries.store(s.retries, std::memory_order_relaxed);
        counters.degraded.store(s.degraded, std::memory_order_relaxed);
    }

    std::uint64_t handed_ = 0, told_ = 0;  // records with a handler of their own
    std::uint64_t handed_bytes_ = 0, small_batches_ = 0;
    bool measured_ = false;
};

}  // namespace

std::unique_ptr<bench_worker> make_direct_worker(bench_run& run, std::size_t index) { return std::make_unique<direct_worker>(run, index); }

}  // namespace kafkawire::cli
