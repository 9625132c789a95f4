// What `bench` was asked to do, checked before anybody is asked anything.
#pragma once
#include <kafkawire/client.hpp>
#include <kafkawire/producer_options.hpp>

#include <cli/command.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace kafkawire::cli {

/// The words of `bench produce` and `bench latency` as they were typed.
struct bench_arguments {
    std::string topic;
    std::optional<std::string> compression, acks, linger, warmup, create, delivery, through, payload, hgrm;
    std::optional<std::int64_t> records, size, threads, rate, keys, batch_bytes, send_buffer;
    bool json = false;
};

enum class bench_delivery { batch, record };  ///< how outcomes are told: per batch, or to a handler of each record

struct bench_plan {
    std::string topic;
    bool one_at_a_time = false;  ///< the next record goes when the one before is acknowledged
    producer_options sending;
    std::uint64_t records = 1'000'000;  ///< of all threads, without the warm-up
    std::uint64_t threads = 1;
    bool front = false;                 ///< the threads share one kw::concurrent_producer; else each has a kw::producer of its own
    std::optional<std::uint64_t> rate;  ///< records a second, of all threads
    std::chrono::milliseconds warmup{0};
    bench_delivery delivery = bench_delivery::batch;
    std::size_t size = 100;                     ///< of values that are made
    std::string payload;                        ///< a file of values instead; empty: none
    std::size_t keys = 0;                       ///< different keys; 0: records without one
    std::optional<std::pair<int, int>> create;  ///< partitions and replicas
    std::string hgrm;                           ///< the file for the percentile table; empty: none
    bool json = false;

    /// Whether each record's time is taken: at a rate with a handler per record, and one at a time.
    [[nodiscard]] bool takes_times() const noexcept { return one_at_a_time || (rate && delivery == bench_delivery::record); }
    [[nodiscard]] const char* op() const noexcept { return latency ? "latency" : "produce"; }
    bool latency = false;  ///< it is `bench latency`
};

/// Raises a usage failure for what cannot be.
[[nodiscard]] bench_plan plan_of(const bench_arguments& a, bool latency, const context& c);

/// "zstd:9" as codec and level. Raises a usage failure that names the nearest codec. Defined with `produce`.
[[nodiscard]] std::pair<protocol::compression, int> parse_compression(const std::string& text);
/// "6:3" as partitions and replicas; replicas are 1 if not said. Raises a usage failure. Defined with `produce`.
[[nodiscard]] std::pair<int, int> parse_create(const std::string& text);

}  // namespace kafkawire::cli
