// Names of the codecs, and the way from a codec's number to its code.
#include <kafkawire/protocol/compression.hpp>

#include "protocol/codecs.hpp"

namespace kafkawire::protocol {
namespace {
constexpr std::array<std::string_view, 5> names = {"none", "gzip", "snappy", "lz4", "zstd"};
}

std::string_view to_string(compression codec) noexcept {
    const auto i = static_cast<std::size_t>(codec);
    return i < names.size() ? names[i] : "unknown";
}

std::optional<compression> compression_from(std::string_view name) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<compression>(i);
    return std::nullopt;
}

struct compressor::contexts {
    detail::gzip_encoder gzip;
    detail::lz4_encoder lz4;
    detail::zstd_encoder zstd;
};
compressor::compressor() noexcept = default;
compressor::compressor(compressor&&) noexcept = default;
compressor& compressor::operator=(compressor&&) noexcept = default;
compressor::~compressor() = default;

codec_error compressor::compress(compression codec, bytes_view from, byte_buffer& to, int level, codec_form form) {
    if (from.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        return {errc::compression_failed, "more bytes than a record batch can hold"};
    if (!contexts_) contexts_ = std::make_unique<contexts>();
    const auto before = to.size();
    codec_error error;
    switch (codec) {
        case compression::none: to.append(from); break;
        case compression::gzip: error = contexts_->gzip.run(from, to, level); break;
        case compression::snappy: error = detail::snappy_compress(from, to); break;
        case compression::lz4: error = contexts_->lz4.run(from, to, level, form); break;
        case compression::zstd: error = contexts_->zstd.run(from, to, level); break;
        default: error = {errc::unknown_codec, "no such compression type"};
    }
    if (error) to.set_size(before);
    return error;
}

struct decompressor::contexts {
    detail::gzip_decoder gzip;
    detail::lz4_decoder lz4;
    detail::zstd_decoder zstd;
};
decompressor::decompressor() noexcept = default;
decompressor::decompressor(decompressor&&) noexcept = default;
decompressor& decompressor::operator=(decompressor&&) noexcept = default;
decompressor::~decompressor() = default;

codec_error decompressor::decompress(compression codec, bytes_view from, byte_buffer& to, const decompression_limits& limits, codec_form form) {
    if (from.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
        return {errc::decompression_failed, "more bytes than a record batch can hold"};
    if (!contexts_) contexts_ = std::make_unique<contexts>();
    const auto before = to.size();
    // Text compresses three to five times; a wrong guess costs a growth or some untouched pages.
    detail::capped_output out{to, from.size() * 4, limits};
    codec_error error;
    switch (codec) {
        case compression::none:
            if (from.size() > out.left()) error = detail::over_limit();
            else to.append(from);
            break;
        case compression::gzip: error = contexts_->gzip.run(from, out); break;
        case compression::snappy: error = detail::snappy_decompress(from, out); break;
        case compression::lz4: error = contexts_->lz4.run(from, out, form); break;
        case compression::zstd: error = contexts_->zstd.run(from, out); break;
        default: error = {errc::unknown_codec, "no such compression type"};
    }
    if (error) to.set_size(before);
    return error;
}

}  // namespace kafkawire::protocol
