// Random numbers and delays, in integers only: the same under every compiler, library and optimisation.
#include <kafkawire/simulation.hpp>

#include <bit>

namespace kafkawire::sim {

namespace {

constexpr int fraction = 32;  // fixed point: so many bits behind the point

// -log2(u / 2^64) for u > 0, in fixed point. The bits behind the point come one by one: squaring doubles a logarithm.
std::uint64_t minus_log2(std::uint64_t u) {
    const auto zeros = std::countl_zero(u);
    std::uint64_t m = (u << zeros) >> 32;  // in [1, 2), 31 bits behind the point
    std::uint64_t behind = 0;
    for (int i = 1; i <= 20; ++i) {
        m = m * m >> 31;
        behind <<= 1;
        if (m >> 32) {
            behind |= 1;
            m >>= 1;
        }
    }
    return (static_cast<std::uint64_t>(zeros + 1) << fraction) - (behind << (fraction - 20));
}

// value * 2^x, x in fixed point; saturates.
std::uint64_t times_exp2(std::uint64_t value, std::uint64_t x) {
    // 2^(1/2), 2^(1/4), ... with 31 bits behind the point.
    static constexpr std::uint64_t roots[] = {3037000499, 2553802833, 2341847524, 2242560872,
                                              2194507417, 2170868298, 2159144155, 2153305440};
    std::uint64_t m = 1ull << 31;
    for (std::size_t i = 0; i < std::size(roots); ++i)
        if (x >> (fraction - 1 - i) & 1) m = m * roots[i] >> 31;
    const auto whole = x >> fraction;
    if (whole >= 32 || std::bit_width(value) + static_cast<int>(whole) > 60) return ~0ull >> 2;
    const auto shifted = value << whole;
    return (shifted >> 31) * m + ((shifted & 0x7fffffff) * m >> 31);
}

std::uint64_t mixed(std::uint64_t& state) {  // splitmix64: spreads a small seed over the whole state
    auto z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

}  // namespace

random_source::random_source(std::uint64_t seed) noexcept {
    for (auto& s : s_) s = mixed(seed);
}

std::uint64_t random_source::next() noexcept {
    const auto result = std::rotl(s_[1] * 5, 7) * 9;
    const auto t = s_[1] << 17;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= t;
    s_[3] = std::rotl(s_[3], 45);
    return result;
}

std::uint64_t random_source::below(std::uint64_t bound) noexcept {
    if (bound < 2) return 0;
    // Without the few numbers at the top that would favour the low results.
    const auto unfair = -bound % bound;
    for (;;)
        if (const auto x = next(); x >= unfair) return x % bound;
}

std::int64_t random_source::between(std::int64_t least, std::int64_t most) noexcept {
    if (most <= least) return least;
    const auto width = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + (width == ~0ull ? next() : below(width + 1)));
}

duration delay_law::draw(random_source& from) const noexcept {
    switch (form_) {
        case form::constant: return a_;
        case form::uniform: return from.between(a_, b_);
        case form::exponential: {
            // mean * ln 2 * -log2 u. Of the logarithm 12 bits behind the point are enough, and leave room for means up to 19 hours.
            const auto l = minus_log2(from.next() | 1) >> (fraction - 12);
            const auto x = static_cast<std::uint64_t>(b_.count()) / 1024 * l / 4 * 710 / 1024;
            return a_ + duration{static_cast<std::int64_t>(x)};
        }
        case form::pareto: {
            const auto x = minus_log2(from.next() | 1) / std::max(alpha_, 1u) * 100;  // least * u^(-1/alpha)
            const auto d = times_exp2(static_cast<std::uint64_t>(a_.count()), x);
            return std::min(b_, duration{static_cast<std::int64_t>(d)});
        }
    }
    return a_;
}

}  // namespace kafkawire::sim
