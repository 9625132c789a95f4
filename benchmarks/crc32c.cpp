// CRC-32C in GB/s: ours on this CPU, the tables, and the yardstick by hand.
#include <benchmark/benchmark.h>
#include <kafkawire/protocol/crc32c.hpp>

#include "yardstick.hpp"

namespace {

namespace protocol = kafkawire::protocol;

std::vector<std::byte> data_of(benchmark::State& state) {
    std::vector<std::byte> data(static_cast<std::size_t>(state.range(0)));
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::byte>(i * 131 >> 4);
    return data;
}
template <class F>
void run(benchmark::State& state, F sum) {
    const auto data = data_of(state);
    for (auto _ : state) benchmark::DoNotOptimize(sum(data));
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}

void ours(benchmark::State& state) {
    state.SetLabel(std::string{protocol::crc32c_implementation()});
    run(state, [](const auto& d) { return protocol::crc32c(d); });
}
void tables(benchmark::State& state) {
    run(state, [](const auto& d) { return protocol::detail::crc32c_table(d); });
}
BENCHMARK(ours)->Arg(64)->Arg(1024)->Arg(16 * 1024)->Arg(1'000'000);
BENCHMARK(tables)->Arg(1024)->Arg(1'000'000);

#if defined(__x86_64__)
void by_hand(benchmark::State& state) {
    if (protocol::crc32c_implementation() != "sse4.2") return state.SkipWithError("this CPU has no SSE4.2");
    static const yardstick::crc32c_by_hand sum;
    run(state, [](const auto& d) { return sum(d.data(), d.size()); });
}
BENCHMARK(by_hand)->Arg(64)->Arg(1024)->Arg(16 * 1024)->Arg(1'000'000);
#endif

}  // namespace

BENCHMARK_MAIN();
