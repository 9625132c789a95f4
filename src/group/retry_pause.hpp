// retry_pause: how long to wait before the next attempt. Doubles from `first` to `most`, spread by a fifth, so that many clients that failed
// together do not come back together. Plain: no clock; the spread comes from a seed, so that a run can be repeated.
#pragma once
#include <kafkawire/version.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace kafkawire::group {

class retry_pause {
public:
    explicit retry_pause(std::uint64_t seed) noexcept : random_{seed | 1} {}

    /// Of the attempt after `failures` that failed in a row (1: the first pause).
    [[nodiscard]] std::chrono::nanoseconds after(int failures, std::chrono::milliseconds first, std::chrono::milliseconds most) noexcept {
        auto pause = std::max(first, std::chrono::milliseconds{1});
        for (int i = 1; i < failures && pause < most; ++i) pause *= 2;
        const std::chrono::nanoseconds whole = std::min(pause, std::max(most, first));
        return whole - whole / 5 + std::chrono::nanoseconds{static_cast<std::int64_t>(next() % (static_cast<std::uint64_t>(whole.count()) * 2 / 5 + 1))};
    }

private:
    std::uint64_t next() noexcept {  // xorshift64
        random_ ^= random_ << 13;
        random_ ^= random_ >> 7;
        random_ ^= random_ << 17;
        return random_;
    }
    std::uint64_t random_;
};

}  // namespace kafkawire::group
