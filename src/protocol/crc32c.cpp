// CRC-32C three ways: the x86 instruction with three streams, the ARMv8 one, and tables. All work on the bare register; the public
// functions put the inversions before and behind.
#include <kafkawire/protocol/crc32c.hpp>

#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#define KAFKAWIRE_CRC32C_SSE42 1
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)
#define KAFKAWIRE_CRC32C_ARMV8 1
#include <arm_acle.h>
#endif

namespace kafkawire::protocol {
namespace {

// The polynomial with its bits reflected: the top bit is the coefficient of x^0, as the instruction has it.
constexpr std::uint32_t polynomial = 0x82f63b78;
constexpr std::uint32_t one = 0x80000000;

// a * b modulo the polynomial.
constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) noexcept {
    std::uint32_t product = 0;
    for (std::uint32_t bit = one; bit; bit >>= 1) {
        if (a & bit) product ^= b;
        b = b >> 1 ^ (b & 1 ? polynomial : 0);
    }
    return product;
}

// x^n modulo the polynomial.
constexpr std::uint32_t power_of_x(std::uint64_t n) noexcept {
    std::uint32_t result = one, square = one >> 1;
    for (; n; n >>= 1) {
        if (n & 1) result = multiply(result, square);
        square = multiply(square, square);
    }
    return result;
}

// Row k says what a byte does that is followed by k more: so eight bytes are taken at once.
struct tables {
    std::uint32_t row[8][256];
};
constexpr tables make_tables() noexcept {
    tables t{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        t.row[0][b] = crc;
    }
    for (int k = 1; k < 8; ++k)
        for (std::uint32_t b = 0; b < 256; ++b) t.row[k][b] = t.row[k - 1][b] >> 8 ^ t.row[0][t.row[k - 1][b] & 0xff];
    return t;
}
constexpr tables table = make_tables();

std::uint32_t table_register(std::uint32_t crc, const std::byte* at, std::size_t n) noexcept {
    const auto byte_at = [&](std::size_t i) { return std::to_integer<std::uint32_t>(at[i]); };
    for (; n >= 8; at += 8, n -= 8) {
        const std::uint32_t low = crc ^ (byte_at(0) | byte_at(1) << 8 | byte_at(2) << 16 | byte_at(3) << 24);
        crc = table.row[7][low & 0xff] ^ table.row[6][low >> 8 & 0xff] ^ table.row[5][low >> 16 & 0xff] ^ table.row[4][low >> 24] ^
              table.row[3][byte_at(4)] ^ table.row[2][byte_at(5)] ^ table.row[1][byte_at(6)] ^ table.row[0][byte_at(7)];
    }
    for (; n; ++at, --n) crc = crc >> 8 ^ table.row[0][(crc ^ byte_at(0)) & 0xff];
    return crc;
}

#if KAFKAWIRE_CRC32C_SSE42
std::uint64_t word(const std::byte* at) noexcept {
    std::uint64_t v;
    std::memcpy(&v, at, sizeof v);
    return v;
}

// The instruction takes three cycles and a new one can start every cycle, so three independent streams keep it busy. Their registers are
// put together by a carry-less multiplication: a register times x^(8n - 33), taken through the instruction as eight zero bytes' worth of
// input, is that register moved over n bytes (the -33 is what the instruction's own x^32 and the product's odd width put in).
template <std::size_t Stream>
__attribute__((target("sse4.2,pclmul"))) std::uint32_t three_streams(std::uint32_t crc, const std::byte*& at, std::size_t& n) noexcept {
    static_assert(Stream % 8 == 0);
    constexpr std::uint32_t over_two = power_of_x(2 * Stream * 8 - 33), over_one = power_of_x(Stream * 8 - 33);
    for (; n >= 3 * Stream; at += 3 * Stream, n -= 3 * Stream) {
        std::uint64_t a = crc, b = 0, c = 0;
        for (std::size_t i = 0; i < Stream; i += 8) {
            a = _mm_crc32_u64(a, word(at + i));
            b = _mm_crc32_u64(b, word(at + Stream + i));
            c = _mm_crc32_u64(c, word(at + 2 * Stream + i));
        }
        const auto moved = [](std::uint64_t r, std::uint32_t by) __attribute__((target("sse4.2,pclmul"))) {
            const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(r)), _mm_cvtsi32_si128(static_cast<int>(by)), 0);
            return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
        };
        crc = static_cast<std::uint32_t>(_mm_crc32_u64(0, moved(a, over_two) ^ moved(b, over_one)) ^ c);
    }
    return crc;
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t sse42_register(std::uint32_t crc, const std::byte* at, std::size_t n) noexcept {
    // Long streams cost little to put together, short ones leave little for the slow rest.
    crc = three_streams<4096>(crc, at, n);
    crc = three_streams<512>(crc, at, n);
    crc = three_streams<64>(crc, at, n);
    std::uint64_t wide = crc;
    for (; n >= 8; at += 8, n -= 8) wide = _mm_crc32_u64(wide, word(at));
    crc = static_cast<std::uint32_t>(wide);
    for (; n; ++at, --n) crc = _mm_crc32_u8(crc, std::to_integer<std::uint8_t>(*at));
    return crc;
}
#elif KAFKAWIRE_CRC32C_ARMV8
std::uint32_t armv8_register(std::uint32_t crc, const std::byte* at, std::size_t n) noexcept {
    for (; n >= 8; at += 8, n -= 8) {
        std::uint64_t v;
        std::memcpy(&v, at, sizeof v);
        crc = __crc32cd(crc, v);
    }
    for (; n; ++at, --n) crc = __crc32cb(crc, std::to_integer<std::uint8_t>(*at));
    return crc;
}
#endif

struct implementation {
    std::string_view name;
    std::uint32_t (*run)(std::uint32_t, const std::byte*, std::size_t) noexcept;
};

const implementation& chosen() noexcept {
    static const implementation best = []() -> implementation {
#if KAFKAWIRE_CRC32C_SSE42
        if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) return {"sse4.2", sse42_register};
#elif KAFKAWIRE_CRC32C_ARMV8
        return {"armv8", armv8_register};
#endif
        return {"table", table_register};
    }();
    return best;
}

}  // namespace

std::uint32_t crc32c(bytes_view data, std::uint32_t seed) noexcept { return ~chosen().run(~seed, data.data(), data.size()); }

std::uint32_t crc32c_combine(std::uint32_t a, std::uint32_t b, std::uint64_t length_of_b) noexcept {
    return multiply(power_of_x(length_of_b * 8), a) ^ b;
}

std::string_view crc32c_implementation() noexcept { return chosen().name; }

std::uint32_t detail::crc32c_table(bytes_view data, std::uint32_t seed) noexcept { return ~table_register(~seed, data.data(), data.size()); }

}  // namespace kafkawire::protocol
