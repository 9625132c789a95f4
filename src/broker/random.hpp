// Numbers by chance that are the same on every platform for the same seed (splitmix64; std's distributions differ between libraries).
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>

namespace kafkawire::broker {

class random_source {
public:
    explicit random_source(std::uint64_t seed) noexcept : state_{seed} {}
    std::uint64_t next() noexcept {
        auto z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    /// 0 to n - 1; n must not be 0.
    std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }

private:
    std::uint64_t state_;
};

}  // namespace kafkawire::broker
