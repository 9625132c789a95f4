#include "cli/histogram.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace kafkawire::cli {

namespace {

constexpr std::uint64_t half = 1024;  // steps of one doubling; 1024 are enough for three digits
constexpr int exact_bits = 11;        // below 2^11 each value has a counter
constexpr std::size_t slots = half * (41 - exact_bits + 2);

}  // namespace

histogram::histogram() : counts_(slots, 0) {}

std::size_t histogram::slot_of(std::uint64_t value) noexcept {
    if (value < 2 * half) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value) - exact_bits);
    // The top eleven bits are the place within the doubling, and the first of them is always set.
    return shift * half + (value >> shift);
}

std::uint64_t histogram::largest_of(std::size_t slot) noexcept {
    if (slot < 2 * half) return slot;
    const auto shift = slot / half - 1;
    const auto top = slot - shift * half;
    return ((top + 1) << shift) - 1;
}

void histogram::merge(const histogram& other) noexcept {
    for (std::size_t i = 0; i < slots; ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    sum_ += other.sum_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
}

void histogram::clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
    sum_ = 0;
    least_ = ~std::uint64_t{0};
    most_ = 0;
}

std::uint64_t histogram::quantile(double part) const noexcept {
    if (total_ == 0) return 0;
    const auto wanted = std::clamp(std::ceil(part * static_cast<double>(total_)), 1.0, static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < slots; ++i) {
        seen += counts_[i];
        if (static_cast<double>(seen) >= wanted) return std::min(largest_of(i), most_);
    }
    return most_;
}

std::string histogram::hgrm(double unit) const {
    std::string out = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    const auto total = static_cast<double>(std::max<std::uint64_t>(total_, 1));
    // Five rows for each halving of what is left, as HdrHistogram's own tables have.
    double next = 0, squares = 0;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < slots && total_ > 0; ++i) {
        if (counts_[i] == 0) continue;
        seen += counts_[i];
        const auto part = static_cast<double>(seen) / total;
        const auto value = static_cast<double>(std::min(largest_of(i), most_));
        squares += static_cast<double>(counts_[i]) * (value - mean()) * (value - mean());
        if (part < next && seen != total_) continue;
        if (seen == total_) {
            out += fmt::format("{:12.3f} {:2.12f} {:10}\n", value / unit, 1.0, seen);
            break;
        }
        out += fmt::format("{:12.3f} {:2.12f} {:10} {:14.2f}\n", value / unit, part, seen, 1 / (1 - part));
        const auto halvings = std::floor(std::log2(1 / (1 - part))) + 1;
        next = part + 1 / (5 * std::exp2(halvings));
    }
    out += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", mean() / unit, std::sqrt(squares / total) / unit);
    out += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n", static_cast<double>(most()) / unit, total_);
    out += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", 31, 2 * half);
    return out;
}

}  // namespace kafkawire::cli
