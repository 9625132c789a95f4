// The bars that building and walking are held to, measured against yardsticks in the same run, interleaved, so that a busy machine slows
// both: the median over many rounds of each round's ratio. Prints a line of JSON per bar and fails if one is missed.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/crc32c.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "yardstick.hpp"

using namespace kafkawire::protocol;

#if defined(__x86_64__)
namespace {

constexpr std::size_t batch_bytes = 1'000'000;
constexpr int rounds = 301;

template <class T>
void keep(const T& v) {
    asm volatile("" : : "r,m"(v) : "memory");
}
template <class F>
double nanoseconds(F f) {
    const auto start = std::chrono::steady_clock::now();
    f();
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}
double median(std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
}

bool report(const char* name, const std::vector<double>& ours, const std::vector<double>& yardstick, double bar, double per) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / yardstick[i]);
    const auto ratio = median(ratios);
    std::printf(R"({"bar":"%s","ours_ns":%.2f,"yardstick_ns":%.2f,"ratio":%.3f,"at_most":%.2f,"met":%s})"
                "\n",
                name, median(ours) / per, median(yardstick) / per, ratio, bar, ratio <= bar ? "true" : "false");
    return ratio <= bar;
}

}  // namespace

int main() {
    if (crc32c_implementation() != "sse4.2") {
        std::puts(R"({"skipped":"this CPU has no SSE4.2 for the yardstick"})");
        return 0;
    }
    const auto values = yardstick::make_values();
    const yardstick::crc32c_by_hand by_hand;
    batch_builder builder;
    record_reader reader;
    bytes_view batch;
    std::size_t records = 0;
    const auto build = [&] {
        builder.start({});
        std::size_t v = 0;
        for (records = 0; builder.size() < batch_bytes; ++records) {
            if (builder.append(1'700'000'000'000, nullptr, values[v]) != kafkawire::errc{}) std::abort();
            if (++v == values.size()) v = 0;
        }
        if (builder.close(batch)) std::abort();
    };
    const auto walk = [&] {
        reader.start(batch);
        std::size_t bytes = 0, n = 0;
        while (const auto* r = reader.next()) {
            bytes += r->value.size();
            ++n;
        }
        keep(bytes);
        if (n != records || reader.error()) std::abort();
    };
    build();
    std::vector<std::byte> copy(batch.size());
    const auto copy_all = [&] {
        auto* to = copy.data();
        std::size_t v = 0;
        for (std::size_t i = 0; i < records; ++i) {
            std::memcpy(to, values[v].data(), values[v].size());
            to += values[v].size();
            if (++v == values.size()) v = 0;
        }
        keep(*copy.data());
    };
    const auto sum_by_hand = [&](const std::byte* p) { keep(by_hand(p, batch.size())); };
    if (by_hand(batch.data(), batch.size()) != crc32c(batch)) std::abort();

    std::vector<double> building, copy_and_sum, walking, hand, ours;
    std::size_t allocated = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto before = yardstick::allocations;
        const auto b = nanoseconds(build), w = nanoseconds(walk);
        allocated = yardstick::allocations - before;
        building.push_back(b);
        walking.push_back(w);
        copy_and_sum.push_back(nanoseconds([&] {
            copy_all();
            sum_by_hand(copy.data());
        }));
        hand.push_back(nanoseconds([&] { sum_by_hand(batch.data()); }));
        ours.push_back(nanoseconds([&] { keep(crc32c(batch)); }));
    }
    std::printf(R"({"records":%zu,"batch_bytes":%zu,"allocations_per_batch":%zu,"crc32c_GB_per_s":%.1f,"yardstick_GB_per_s":%.1f})"
                "\n",
                records, batch.size(), allocated, static_cast<double>(batch.size()) / median(ours), static_cast<double>(batch.size()) / median(hand));
    bool met = allocated == 0;
    const auto per = static_cast<double>(records);
    met &= report("build a batch / memcpy per record + CRC, per record", building, copy_and_sum, 2.0, per);
    met &= report("walk a batch, CRC included / CRC alone, per record", walking, hand, 3.0, per);
    met &= report("CRC-32C / by hand, per batch", ours, hand, 1.1, 1);
    return met ? 0 : 1;
}
#else
int main() { std::puts(R"({"skipped":"the yardstick is written for x86-64"})"); }
#endif
