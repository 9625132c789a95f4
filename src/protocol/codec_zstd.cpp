// zstd. One-shot compression, streamed decompression with a window of at most 128 MiB, as Kafka's own clients have it.
#include <zstd.h>

#include "protocol/codecs.hpp"

namespace kafkawire::protocol::detail {
namespace {
constexpr int largest_window_log = 27;
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

codec_error zstd_decoder::run(bytes_view from, capped_output& to) {
    auto* context = static_cast<ZSTD_DCtx*>(context_);
    if (!context) {
        context = ZSTD_createDCtx();
        if (!context) return {errc::decompression_failed, "zstd could not start"};
        context_ = context;
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, largest_window_log);
    }
    ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
    if (from.empty()) return {errc::decompression_failed, "the zstd frame is cut"};
    ZSTD_inBuffer in{from.data(), from.size(), 0};
    for (;;) {
        const auto space = to.space();
        ZSTD_outBuffer out{space.data(), space.size(), 0};
        const auto result = ZSTD_decompressStream(context, &out, &in);
        if (ZSTD_isError(result)) return {errc::decompression_failed, "zstd refuses the bytes"};
        to.wrote(out.pos);
        if (to.over()) return over_limit();
        if (in.pos == in.size) {
            if (result == 0) return {};
            if (out.pos < out.size) return {errc::decompression_failed, "the zstd frame is cut"};
        }
    }
}

}  // namespace kafkawire::protocol::detail
