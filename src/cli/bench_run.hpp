// The threads of a benchmark: each has an event loop, a client and a producer of its own, or all send through one thread-safe front. They
// have nothing else in common but two meetings, at which the clock starts and stops.
#pragma once
#include <kafkawire/concurrent_producer.hpp>

#include <cli/bench_records.hpp>
#include <cli/bench_report.hpp>

#include <atomic>
#include <barrier>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace kafkawire::cli {

/// What a thread tells while it runs. Written by that thread alone, read by the one that prints: no read-modify-write is needed.
struct alignas(64) bench_counters {
    std::atomic<std::uint64_t> sent{0}, acknowledged{0}, failed{0}, value_bytes{0};
    std::atomic<std::uint64_t> batches{0}, wire_bytes{0}, requests{0}, retries{0};
    std::atomic<bool> degraded{false};

    static void add(std::atomic<std::uint64_t>& to, std::uint64_t n) noexcept {
        to.store(to.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
};

class bench_run;

/// One thread's part; what it sends through is up to the kind.
class bench_worker {
public:
    bench_worker(bench_run& run, std::size_t index);
    virtual ~bench_worker() = default;
    bench_worker(const bench_worker&) = delete;
    bench_worker& operator=(const bench_worker&) = delete;

    /// Connects, warms up, meets the others, sends its share, waits for all of it, meets the others. Throws what went wrong.
    virtual void work() = 0;

    bench_counters counters;
    int meetings = 0;  ///< with the other threads, so far; this thread's
    /// The times of this thread's records: all of them, and those since the last row.
    void add_time(std::chrono::nanoseconds t);
    void take_times(histogram& all, histogram& since_row);

protected:
    void count(std::uint64_t acknowledged, std::uint64_t failed, const std::error_code& why);

    bench_run& run_;
    std::size_t index_;
    record_turn turn_;
    std::uint64_t share_;

private:
    // Two threads look at these: the one that measures, once a record, and the one that prints, once a second.
    std::mutex times_guard_;
    histogram times_, row_times_;
};

/// Owns the threads. Its functions are called by the thread that made it, except where they say otherwise.
class bench_run {
public:
    bench_run(const bench_plan& p, client_options cluster);
    ~bench_run();  ///< stops, and waits for the threads
    bench_run(const bench_run&) = delete;
    bench_run& operator=(const bench_run&) = delete;

    void start();
    /// The threads send no more, and wait for what they sent. Any thread may call it.
    void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool measuring() const noexcept { return measuring_.load(std::memory_order_acquire); }
    [[nodiscard]] bool done() const noexcept { return running_.load(std::memory_order_acquire) == 0; }
    /// Since the clock started; all zero before.
    [[nodiscard]] bench_reading reading() const;
    [[nodiscard]] histogram times_since_row();
    /// Waits for the threads. Throws what the first of them failed with.
    [[nodiscard]] bench_result join();

    // For the workers; any thread.
    [[nodiscard]] const bench_plan& plan() const noexcept { return plan_; }
    [[nodiscard]] const client_options& cluster() const noexcept { return cluster_; }
    [[nodiscard]] const std::vector<std::string>& values() const noexcept { return values_; }
    [[nodiscard]] const std::vector<std::string>& keys() const noexcept { return keys_; }
    [[nodiscard]] bool stopping() const noexcept { return stopping_.load(std::memory_order_relaxed); }
    /// The one that all threads share. Only where the plan says so.
    [[nodiscard]] concurrent_producer& front() noexcept { return *front_; }
    /// All of the warm-up is acknowledged. The last to come starts the clock; nobody goes on before.
    void begin_together(bench_worker& w);
    /// All is settled. The last to come stops the clock.
    void end_together(bench_worker& w);
    /// When the clock started. After begin_together().
    [[nodiscard]] std::chrono::steady_clock::time_point began() const noexcept { return began_; }
    /// The last record of the thread was handed over now.
    void sent_all() noexcept;
    void note_error(const std::error_code& why);

private:
    struct mark {
        bench_run* run;
        void (bench_run::*what)() noexcept;
        void operator()() noexcept { (run->*what)(); }
    };
    void run(std::size_t index) noexcept;
    void open_front();
    void start_clock() noexcept;
    void stop_clock() noexcept;
    [[nodiscard]] bench_reading sum() const;

    const bench_plan& plan_;
    client_options cluster_;
    std::vector<std::string> values_, keys_;
    std::vector<std::unique_ptr<bench_worker>> workers_;
    bench_counters shared_;  // of the front: written by its loop
    std::optional<concurrent_producer> front_;
    std::vector<std::thread> threads_;
    std::atomic<bool> stopping_{false}, measuring_{false};
    std::atomic<std::size_t> running_{0};
    std::barrier<mark> begin_, end_;
    std::chrono::steady_clock::time_point made_, began_, ended_;
    double cpu_began_ = 0, cpu_ended_ = 0;
    bench_reading warm_;  // what the warm-up did
    std::uint64_t warm_sent_ = 0;
    std::atomic<std::int64_t> last_sent_{0};  // nanoseconds of the steady clock
    std::mutex guard_;
    std::exception_ptr thrown_;
    std::string first_error_;
};

/// With a producer of its own.
[[nodiscard]] std::unique_ptr<bench_worker> make_direct_worker(bench_run& run, std::size_t index);
/// Through the front.
[[nodiscard]] std::unique_ptr<bench_worker> make_front_worker(bench_run& run, std::size_t index);

}  // namespace kafkawire::cli
