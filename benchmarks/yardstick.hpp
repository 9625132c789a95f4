// What our figures are held against, written independently of the library: a memcpy per record and a CRC-32C by hand.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace yardstick {

// Values of 100 bytes that differ: a thousand fit into the second cache; ten thousand do not repeat within a megabyte, as codecs would notice.
inline std::vector<std::string> make_values(std::size_t n = 1000, std::size_t size = 100) {
    static constexpr const char* words[] = {"order", "paid", "customer", "berlin", "2026-11-21", "pending", "item", "quantity", "price", "note"};
    std::vector<std::string> out(n);
    std::uint32_t random = 1;
    for (auto& v : out) {
        while (v.size() < size) {
            random = random * 1664525 + 1013904223;
            v += words[(random >> 16) % 10];
            v += ' ' + std::to_string((random >> 20) % 1000) + ' ';
        }
        v.resize(size);
    }
    return out;
}

#if defined(__x86_64__)
// Three streams of the SSE4.2 instruction; the streams are joined with tables that move a register over a stream's length of zero bytes.
class crc32c_by_hand {
public:
    crc32c_by_hand() {
        // What a register with one bit becomes after `stream` zero bytes; every other register is a sum of those.
        std::uint32_t moved[32];
        for (int bit = 0; bit < 32; ++bit) moved[bit] = zeros(std::uint32_t{1} << bit);
        for (int byte = 0; byte < 4; ++byte)
            for (std::uint32_t v = 0; v < 256; ++v) {
                std::uint32_t sum = 0;
                for (int bit = 0; bit < 8; ++bit)
                    if (v >> bit & 1) sum ^= moved[8 * byte + bit];
                shift_[byte][v] = sum;
            }
    }
    __attribute__((target("sse4.2"))) std::uint32_t operator()(const std::byte* p, std::size_t n) const {
        std::uint64_t crc = 0xffffffff;
        for (; n >= 3 * stream; n -= 3 * stream, p += 3 * stream) {
            std::uint64_t b = 0, c = 0;
            for (std::size_t i = 0; i < stream; i += 8) {
                std::uint64_t x, y, z;
                std::memcpy(&x, p + i, 8);
                std::memcpy(&y, p + stream + i, 8);
                std::memcpy(&z, p + 2 * stream + i, 8);
                crc = _mm_crc32_u64(crc, x);
                b = _mm_crc32_u64(b, y);
                c = _mm_crc32_u64(c, z);
            }
            crc = shift(static_cast<std::uint32_t>(crc)) ^ b;
            crc = shift(static_cast<std::uint32_t>(crc)) ^ c;
        }
        for (; n >= 8; n -= 8, p += 8) {
            std::uint64_t x;
            std::memcpy(&x, p, 8);
            crc = _mm_crc32_u64(crc, x);
        }
        auto rest = static_cast<std::uint32_t>(crc);
        for (; n; --n, ++p) rest = _mm_crc32_u8(rest, static_cast<std::uint8_t>(*p));
        return ~rest;
    }

private:
    static constexpr std::size_t stream = 8192;
    __attribute__((target("sse4.2"))) static std::uint32_t zeros(std::uint32_t crc) {
        std::uint64_t r = crc;
        for (std::size_t i = 0; i < stream; i += 8) r = _mm_crc32_u64(r, 0);
        return static_cast<std::uint32_t>(r);
    }
    std::uint32_t shift(std::uint32_t v) const { return shift_[0][v & 0xff] ^ shift_[1][v >> 8 & 0xff] ^ shift_[2][v >> 16 & 0xff] ^ shift_[3][v >> 24]; }
    std::uint32_t shift_[4][256];
};
#endif

extern std::size_t allocations;  // by operator new, so far; counted in allocations.cpp

}  // namespace yardstick
