// One codec. The first byte chooses: compressed bytes as they come (Java's or the raw form, format 0's lz4), or a round trip of plain ones.
#pragma once
#include <kafkawire/protocol/compression.hpp>

#include <cstring>

#include "fuzz/common.hpp"

namespace kafkawire::fuzzing {

// By memcmp: an algorithm's loop would be instrumented, and cost more than the codec.
inline bool same(bytes_view a, bytes_view b) { return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0); }

inline int codec(compression which, const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    // Contexts are kept between the runs, as a client keeps them: what a damaged input leaves behind must not harm the next.
    static compressor out;
    static decompressor in;
    // A low limit: a kilobyte can make a megabyte, and what comes behind the first blocks is more of the same.
    constexpr decompression_limits limits{.max_decompressed_batch = 1 << 16};
    const bytes_view rest{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
    const auto form = data[0] & 2 ? codec_form::magic0 : codec_form::standard;
    // Buffers too; with ones of their own every so often, so that each size of them occurs.
    static byte_buffer plain, packed, again;
    static unsigned runs = 0;
    for (auto* b : {&plain, &packed, &again}) {
        if (runs % 64 == 0) b->release();
        b->clear();
    }
    ++runs;
    if (data[0] & 1) {
        must(!out.compress(which, rest, packed, default_level, form), "plain bytes do not compress");
        must(!in.decompress(which, packed.view(), plain, limits, form), "what was compressed does not decompress");
        must(same(plain.view(), rest), "a round trip gives other bytes");
        return 0;
    }
    if (in.decompress(which, rest, plain, limits, form)) {
        must(plain.view().empty(), "an error leaves bytes behind");
        return 0;
    }
    must(plain.view().size() <= limits.max_decompressed_batch, "more than the limit");
    if (data[0] & 4) return 0;
    must(!out.compress(which, plain.view(), packed), "what was decompressed does not compress");
    must(!in.decompress(which, packed.view(), again, limits), "what was compressed again does not decompress");
    must(same(plain.view(), again.view()), "a second round gives other bytes");
    return 0;
}

}  // namespace kafkawire::fuzzing
