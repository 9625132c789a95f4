// lz4 in its frame format, and the header checksum that message format 0 wants wrong.
#include <lz4frame.h>

#include <bit>
#include <cstring>
#include <utility>

#include "protocol/codecs.hpp"

namespace kafkawire::protocol::detail {
namespace {

constexpr std::size_t largest_header = 19;
constexpr std::size_t flags_at = 4;  // behind the frame's magic number

// XXH32 of fewer than 16 bytes: all that a frame header needs.
std::uint32_t xxh32_short(bytes_view data) noexcept {
    constexpr std::uint32_t p1 = 2654435761u, p2 = 2246822519u, p3 = 3266489917u, p4 = 668265263u, p5 = 374761393u;
    auto h = p5 + static_cast<std::uint32_t>(data.size());
    std::size_t i = 0;
    for (; i + 4 <= data.size(); i += 4) {
        std::uint32_t word = 0;
        for (std::size_t k = 0; k < 4; ++k) word |= std::to_integer<std::uint32_t>(data[i + k]) << (8 * k);
        h = std::rotl(h + word * p3, 17) * p4;
    }
    for (; i < data.size(); ++i) h = std::rotl(h + std::to_integer<std::uint32_t>(data[i]) * p5, 11) * p1;
    h = (h ^ h >> 15) * p2;
    h = (h ^ h >> 13) * p3;
    return h ^ h >> 16;
}
std::byte check_byte(bytes_view part) noexcept { return static_cast<std::byte>(xxh32_short(part) >> 8); }

// Where the check byte of a frame header lies, by its flags: behind them an optional content size and dictionary id.
std::size_t check_at(std::byte flags) noexcept {
    const auto f = std::to_integer<unsigned>(flags);
    return flags_at + 2 + (f & 0x08 ? 8 : 0) + (f & 0x01 ? 4 : 0);
}

}  // namespace

lz4_encoder::~lz4_encoder() { LZ4F_freeCompressionContext(static_cast<LZ4F_cctx*>(context_)); }

codec_error lz4_encoder::run(bytes_view from, byte_buffer& to, int level, codec_form form) {
    constexpr codec_error failed{errc::compression_failed, "lz4 could not compress"};
    auto* context = static_cast<LZ4F_cctx*>(context_);
    if (!context) {
        if (LZ4F_isError(LZ4F_createCompressionContext(&context, LZ4F_VERSION))) return {errc::compression_failed, "lz4 could not start"};
        context_ = context;
    }
    LZ4F_preferences_t wanted{};
    wanted.frameInfo.blockSizeID = LZ4F_max64KB;
    wanted.frameInfo.blockMode = LZ4F_blockIndependent;
    wanted.compressionLevel = level == default_level ? 0 : std::clamp(level, -100, LZ4F_compressionLevel_max());
    wanted.autoFlush = 1;  // whole blocks straight from the input, no copy inside the context

    const auto bound = largest_header + LZ4F_compressBound(from.size(), &wanted);
    auto* const start = to.room(bound);
    const auto header = LZ4F_compressBegin(context, start, bound, &wanted);
    if (LZ4F_isError(header)) return failed;
    const auto body = LZ4F_compressUpdate(context, start + header, bound - header, from.data(), from.size(), nullptr);
    if (LZ4F_isError(body)) return failed;
    const auto end = LZ4F_compressEnd(context, start + header + body, bound - header - body, nullptr);
    if (LZ4F_isError(end)) return failed;
    // Format 0's mistake: the magic number is summed too.
    if (form == codec_form::magic0) start[header - 1] = check_byte({start, header - 1});
    to.set_size(to.size() + header + body + end);
    return {};
}

lz4_decoder::~lz4_decoder() { LZ4F_freeDecompressionContext(static_cast<LZ4F_dctx*>(context_)); }

codec_error lz4_decoder::feed(bytes_view from, capped_output& to, bool& frame_open) {
    auto* context = static_cast<LZ4F_dctx*>(context_);
    bool maybe_more = false;  // the output was filled: the context may hold bytes that did not fit
    while (!from.empty() || maybe_more) {
        const auto space = to.space();
        std::size_t out = space.size(), in = from.size();
        const auto result = LZ4F_decompress(context, space.data(), &out, from.data(), &in, nullptr);
        if (LZ4F_isError(result)) return {errc::decompression_failed, "lz4 refuses the bytes"};
        to.wrote(out);
        if (to.over()) return over_limit();
        from = from.subspan(in);
        frame_open = result != 0;
        maybe_more = frame_open && out == space.size();
        if (in == 0 && out == 0) break;
    }
    return {};
}

codec_error lz4_decoder::run(bytes_view from, capped_output& to, codec_form form) {
    constexpr codec_error cut{errc::decompression_failed, "the lz4 frame is cut"};
    auto* context = static_cast<LZ4F_dctx*>(context_);
    if (!context) {
        if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return {errc::decompression_failed, "lz4 could not start"};
        context_ = context;
    }
    LZ4F_resetDecompressionContext(context);
    // lz4 before 1.10 does not reset how much of an announced content size is still to come, so that a frame that was cut or damaged would
    // make the next good one fail. After an error the context goes.
    struct on_error {
        lz4_decoder& self;
        bool armed = true;
        ~on_error() {
            if (armed) LZ4F_freeDecompressionContext(static_cast<LZ4F_dctx*>(std::exchange(self.context_, nullptr)));
        }
    } drop_context{*this};
    if (from.empty()) return cut;
    bool frame_open = true;
    if (form == codec_form::magic0 && from.size() > flags_at) {
        const auto at = check_at(from[flags_at]);
        if (at >= from.size() || at >= largest_header) return cut;
        std::array<std::byte, largest_header> header{};
        std::copy_n(from.begin(), at, header.begin());
        header[at] = check_byte(bytes_view{header}.subspan(flags_at, at - flags_at));
        if (auto error = feed(bytes_view{header}.first(at + 1), to, frame_open)) return error;
        from = from.subspan(at + 1);
    }
    if (auto error = feed(from, to, frame_open)) return error;
    if (frame_open) return cut;
    drop_context.armed = false;
    return {};
}

}  // namespace kafkawire::protocol::detail
