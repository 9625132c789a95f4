// zstd. One-shot compression, streamed decompression. A frame names the window that a streaming decoder has to keep, up to gigabytes, however
// little it holds (Java's level 22 always says 128 MiB). Up to 8 MiB, and no more than a batch may have, we give it that; a frame that wants
// more is decoded in one piece into the output, which needs no window and has a cap already.
#include <zstd.h>
#include <zstd_errors.h>

#include <bit>

#include "protocol/codecs.hpp"

namespace kafkawire::protocol::detail {
namespace {
constexpr int smallest_window_log = 10, largest_window_log = 23;
}

zstd_encoder::~zstd_encoder() { ZSTD_freeCCtx(static_cast<ZSTD_CCtx*>(context_)); }

codec_error zstd_encoder::run(bytes_view from, byte_buffer& to, int level) {
    auto* context = static_cast<ZSTD_CCtx*>(context_);
    if (!context) {
        context = ZSTD_createCCtx();
        if (!context) return {errc::compression_failed, "zstd could not start"};
        context_ = context;
    }
    level = level == default_level ? ZSTD_CLEVEL_DEFAULT : std::clamp(level, ZSTD_minCLevel(), ZSTD_maxCLevel());
    ZSTD_CCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    const auto bound = ZSTD_compressBound(from.size());
    const auto size = ZSTD_compress2(context, to.room(bound), bound, from.data(), from.size());
    if (ZSTD_isError(size)) return {errc::compression_failed, "zstd could not compress"};
    to.set_size(to.size() + size);
    return {};
}

zstd_decoder::~zstd_decoder() { ZSTD_freeDCtx(static_cast<ZSTD_DCtx*>(context_)); }

namespace {

// Frames of zstd, and the skippable ones between them. Not those of zstd before 1.0: libraries built to read them give them any window they
// name. Kafka never wrote them. What is too short to tell is cut, which zstd finds out.
bool known_frame(bytes_view from) noexcept {
    if (from.size() < 4) return true;
    std::uint32_t magic = 0;
    for (std::size_t i = 0; i < 4; ++i) magic |= std::to_integer<std::uint32_t>(from[i]) << (8 * i);
    return magic == ZSTD_MAGICNUMBER || (magic & 0xfffffff0u) == 0x184d2a50u;
}

// One frame at the front of `from` at once, without a window: what was written is the window. The output grows by doubling until the frame
// fits or is over the limit, so that the frame is read again a few times; in all that costs no more than reading twice the limit.
codec_error whole_frame(ZSTD_DCtx* context, bytes_view from, capped_output& to, std::size_t& used) {
    used = ZSTD_findFrameCompressedSize(from.data(), from.size());
    if (ZSTD_isError(used)) return {errc::decompression_failed, "the zstd frame is cut or damaged"};
    auto& out = to.buffer();
    const auto most = to.left() + 1;  // one byte more than is allowed tells the limit from just too much
    for (auto room = std::max<std::size_t>(used * 4, 4096);; room *= 2) {
        room = std::min(room, most);
        const auto size = ZSTD_decompressDCtx(context, out.room(room), room, from.data(), used);
        if (!ZSTD_isError(size)) {
            to.wrote(size);
            return to.over() ? over_limit() : codec_error{};
        }
        if (ZSTD_getErrorCode(size) != ZSTD_error_dstSize_tooSmall) return {errc::decompression_failed, "zstd refuses the bytes"};
        if (room == most) return over_limit();
    }
}

}  // namespace

codec_error zstd_decoder::run(bytes_view from, capped_output& to) {
    auto* context = static_cast<ZSTD_DCtx*>(context_);
    if (!context) {
        context = ZSTD_createDCtx();
        if (!context) return {errc::decompression_failed, "zstd could not start"};
        context_ = context;
    }
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, std::clamp(static_cast<int>(std::bit_width(to.left())) - 1, smallest_window_log, largest_window_log));
    if (from.empty()) return {errc::decompression_failed, "the zstd frame is cut"};
    ZSTD_inBuffer in{from.data(), from.size(), 0};
    std::size_t frame_at = 0;
    for (;;) {
        if (in.pos == frame_at && !known_frame(from.subspan(frame_at))) return {errc::decompression_failed, "what should be a zstd frame does not begin as one"};
        const auto space = to.space();
        ZSTD_outBuffer out{space.data(), space.size(), 0};
        const auto result = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(result) && ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
            std::size_t used = 0;
            ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
            if (auto error = whole_frame(context, from.subspan(frame_at), to, used)) return error;
            frame_at = in.pos = frame_at + used;
            if (in.pos == in.size) return {};
            continue;
        }
        if (ZSTD_isError(result)) return {errc::decompression_failed, "zstd refuses the bytes"};
        to.wrote(out.pos);
        if (to.over()) return over_limit();
        if (result == 0) frame_at = in.pos;
        if (in.pos == in.size) {
            if (result == 0) return {};
            if (out.pos < out.size) return {errc::decompression_failed, "the zstd frame is cut"};
        }
    }
}

std::size_t zstd_decoder::memory() const noexcept { return context_ ? ZSTD_sizeof_DCtx(static_cast<const ZSTD_DCtx*>(context_)) : 0; }

}  // namespace kafkawire::protocol::detail
