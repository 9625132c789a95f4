// Building and walking batches of 100-byte records, with each codec: nanoseconds per record, and allocations per batch.
#include <benchmark/benchmark.h>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include "yardstick.hpp"

namespace {

using namespace kafkawire::protocol;

constexpr std::size_t batch_bytes = 1'000'000;
const std::vector<std::string>& values(compression codec = compression::none) {
    static const auto few = yardstick::make_values(), many = yardstick::make_values(10'000);
    return codec == compression::none ? few : many;
}

// Records until a megabyte is reached; gives their number.
std::size_t build(batch_builder& to, compression codec, bytes_view& batch, std::span<const header_view> headers = {}) {
    to.start({.codec = codec});
    const auto& from = values(codec);
    std::size_t records = 0;
    for (; to.size() < batch_bytes; ++records)
        if (to.append(1'700'000'000'000, nullptr, from[records % from.size()], headers) != kafkawire::errc{}) std::abort();
    if (to.close(batch)) std::abort();
    return records;
}
void report(benchmark::State& state, std::size_t records, std::size_t allocated, std::size_t size) {
    const auto n = static_cast<double>(state.iterations());
    state.counters["per_record"] = benchmark::Counter(n * static_cast<double>(records), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
    state.counters["allocations"] = static_cast<double>(allocated) / n;
    state.counters["bytes_per_record"] = static_cast<double>(size) / static_cast<double>(records);
}

void build_batch(benchmark::State& state, compression codec) {
    batch_builder to;
    bytes_view batch;
    auto records = build(to, codec, batch);
    const auto before = yardstick::allocations;
    for (auto _ : state) benchmark::DoNotOptimize(records = build(to, codec, batch));
    report(state, records, yardstick::allocations - before, batch.size());
}
void walk_batch(benchmark::State& state, compression codec) {
    batch_builder to;
    bytes_view batch;
    const auto records = build(to, codec, batch);
    record_reader in;
    const auto walk = [&] {
        in.start(batch);
        std::size_t n = 0;
        while (const auto* r = in.next()) {
            benchmark::DoNotOptimize(r->value);
            ++n;
        }
        if (n != records) std::abort();
    };
    walk();
    const auto before = yardstick::allocations;
    for (auto _ : state) walk();
    report(state, records, yardstick::allocations - before, batch.size());
}
BENCHMARK_CAPTURE(build_batch, none, compression::none);
BENCHMARK_CAPTURE(build_batch, gzip, compression::gzip);
BENCHMARK_CAPTURE(build_batch, snappy, compression::snappy);
BENCHMARK_CAPTURE(build_batch, lz4, compression::lz4);
BENCHMARK_CAPTURE(build_batch, zstd, compression::zstd);
BENCHMARK_CAPTURE(walk_batch, none, compression::none);
BENCHMARK_CAPTURE(walk_batch, gzip, compression::gzip);
BENCHMARK_CAPTURE(walk_batch, snappy, compression::snappy);
BENCHMARK_CAPTURE(walk_batch, lz4, compression::lz4);
BENCHMARK_CAPTURE(walk_batch, zstd, compression::zstd);

void build_with_two_headers(benchmark::State& state) {
    const header_view headers[] = {{"trace-id", "4bf92f3577b34da6"}, {"content-type", "application/json"}};
    batch_builder to;
    bytes_view batch;
    auto records = build(to, compression::none, batch, headers);
    const auto before = yardstick::allocations;
    for (auto _ : state) benchmark::DoNotOptimize(records = build(to, compression::none, batch, headers));
    report(state, records, yardstick::allocations - before, batch.size());
}
BENCHMARK(build_with_two_headers);

// The yardstick: nothing but the copies.
void memcpy_per_record(benchmark::State& state) {
    std::vector<std::byte> to(batch_bytes);
    const std::size_t records = batch_bytes / 110;
    for (auto _ : state) {
        auto* at = to.data();
        for (std::size_t i = 0; i < records; ++i) {
            const auto& v = values()[i % values().size()];
            std::memcpy(at, v.data(), v.size());
            at += v.size();
        }
        benchmark::ClobberMemory();
    }
    report(state, records, 0, records * 100);
}
BENCHMARK(memcpy_per_record);

}  // namespace

BENCHMARK_MAIN();
