// A histogram of times with three significant digits, and the text that HdrHistogram's plotters read.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace kafkawire::cli {

/// Counts whole numbers (nanoseconds, say) so that each is known to one part in a thousand, from 0 up to 2^41 - 1 (36 minutes in
/// nanoseconds); larger ones count as that. Log-linear: exact below 2048, then 1024 steps for each doubling. 32,768 counters, made once:
/// adding allocates nothing. One thread's; those of several are joined with merge().
class histogram {
public:
    static constexpr std::uint64_t highest = (std::uint64_t{1} << 41) - 1;

    histogram();
    void add(std::uint64_t value) noexcept {
        if (value > highest) value = highest;
        ++counts_[slot_of(value)];
        ++total_;
        sum_ += static_cast<double>(value);
        if (value < least_) least_ = value;
        if (value > most_) most_ = value;
    }
    void merge(const histogram& other) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return total_; }
    [[nodiscard]] std::uint64_t least() const noexcept { return total_ ? least_ : 0; }
    [[nodiscard]] std::uint64_t most() const noexcept { return most_; }
    [[nodiscard]] double mean() const noexcept { return total_ ? sum_ / static_cast<double>(total_) : 0; }
    /// The smallest value that at least this part (0 to 1) of all values does not exceed, as the largest of its step; 0 if there are none.
    [[nodiscard]] std::uint64_t quantile(double part) const noexcept;

    /// A percentile table as HdrHistogram writes it (.hgrm); values are divided by `unit`, 1000 for microseconds.
    [[nodiscard]] std::string hgrm(double unit) const;

    /// Which counter a value has, and the largest value that has this counter. For tests.
    [[nodiscard]] static std::size_t slot_of(std::uint64_t value) noexcept;
    [[nodiscard]] static std::uint64_t largest_of(std::size_t slot) noexcept;

private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t total_ = 0, least_ = ~std::uint64_t{0}, most_ = 0;
    double sum_ = 0;
};

}  // namespace kafkawire::cli
