// What `bench` prints: a row a second, the summary, one line of JSON.
#pragma once
#include <cli/bench_plan.hpp>
#include <cli/histogram.hpp>

#include <string>
#include <vector>

namespace kafkawire::cli {

/// What has been done since the clock started, at one moment.
struct bench_reading {
    double wall = 0;  ///< seconds
    double cpu = 0;   ///< seconds of the whole process, user and system
    std::uint64_t acknowledged = 0, failed = 0, value_bytes = 0;
    std::uint64_t batches = 0, wire_bytes = 0, requests = 0, retries = 0;
};

/// What became of all of it.
struct bench_result {
    bench_reading total;
    std::uint64_t sent = 0;     ///< without the warm-up
    double warmup_seconds = 0;  ///< as it was, with the wait for its last record
    std::uint64_t warmup_records = 0;
    double rss_mb = 0;                ///< peak of the whole process, the warm-up included
    std::size_t size = 0;             ///< of the first value
    std::vector<double> per_second;   ///< records a second of each whole second
    double planned = 0, sending = 0;  ///< at a rate: seconds from the first record to the last, as planned and as it was
    histogram times;                  ///< nanoseconds; empty if none were taken
    std::string first_error;          ///< of the records that failed
    bool interrupted = false;
    bool degraded = false;            ///< brokers before Kafka 0.11: the producers did without idempotence

    /// How much of the rate was kept: 1 is all of it.
    [[nodiscard]] double rate_kept() const noexcept { return sending > planned && sending > 0 ? planned / sending : 1; }
};

/// Below this the rate was missed. A delay of a few milliseconds misses no rate, however short the run.
[[nodiscard]] bool rate_missed(const bench_plan& p, const bench_result& r) noexcept;

[[nodiscard]] std::string bench_row_heading(bool with_times);
/// One second's row: what was done between two readings.
[[nodiscard]] std::string bench_row(const bench_reading& before, const bench_reading& now, double rss_mb, const histogram* times);
[[nodiscard]] std::string bench_summary(const bench_plan& p, const bench_result& r);
/// client, op, n, size, wall, msgs_s, cpu, cpu_us_per_msg, rss_mb, failed first; then the percentiles where they apply, then all the rest.
[[nodiscard]] std::string bench_json(const bench_plan& p, const bench_result& r);

/// CPU time and peak memory of this process so far.
[[nodiscard]] double process_cpu_seconds() noexcept;
[[nodiscard]] double process_peak_mb() noexcept;

}  // namespace kafkawire::cli
