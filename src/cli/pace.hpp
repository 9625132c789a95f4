// When each record of a fixed rate is due.
#pragma once
#include <kafkawire/version.hpp>

#include <chrono>
#include <cstdint>

namespace kafkawire::cli {

/// The plan of one of `threads` threads that share a rate and take turns. Computed from the beginning, never from the record before, so
/// that a stall moves nothing: what was late stays late against its own time. Pure; the clock is the caller's.
class pace {
public:
    using clock = std::chrono::steady_clock;

    pace(clock::time_point begin, std::uint64_t per_second, std::uint64_t thread, std::uint64_t threads)
        : begin_{begin}, per_second_{per_second}, thread_{thread}, threads_{threads} {}

    /// When this thread's record number i is due, rounded up to a nanosecond.
    [[nodiscard]] clock::time_point due(std::uint64_t i) const noexcept {
        const auto number = i * threads_ + thread_;
        return begin_ + std::chrono::seconds{number / per_second_} +
               std::chrono::nanoseconds{(number % per_second_ * second + per_second_ - 1) / per_second_};
    }
    /// How many of this thread's records are due at `now` or before.
    [[nodiscard]] std::uint64_t due_by(clock::time_point now) const noexcept {
        if (now < begin_) return 0;
        const auto since = static_cast<std::uint64_t>((now - begin_).count());
        const auto all = since / second * per_second_ + since % second * per_second_ / second + 1;  // of all threads
        return all > thread_ ? (all - thread_ - 1) / threads_ + 1 : 0;
    }

private:
    static constexpr std::uint64_t second = 1'000'000'000;
    clock::time_point begin_;
    std::uint64_t per_second_, thread_, threads_;
};

}  // namespace kafkawire::cli
