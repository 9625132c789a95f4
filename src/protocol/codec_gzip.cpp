// gzip, by zlib. The streams are kept: to make one costs 256 KB of allocation, to reset it nearly nothing.
#include <zlib.h>

#include "protocol/codecs.hpp"

namespace kafkawire::protocol::detail {
namespace {
constexpr int gzip_window = 15 + 16;  // the largest window; + 16 is zlib's way to say gzip
Bytef* input_of(bytes_view from) noexcept { return reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data())); }  // zlib only reads it
}  // namespace

struct gzip_encoder::state {
    z_stream stream{};
    int level = 0;
    bool ready = false;
    ~state() {
        if (ready) deflateEnd(&stream);
    }
};
gzip_encoder::gzip_encoder() noexcept = default;
gzip_encoder::~gzip_encoder() = default;

codec_error gzip_encoder::run(bytes_view from, byte_buffer& to, int level) {
    level = level == default_level ? Z_DEFAULT_COMPRESSION : std::clamp(level, 0, 9);
    if (!state_) state_ = std::make_unique<state>();
    auto& s = *state_;
    if (s.ready && s.level != level) {
        deflateEnd(&s.stream);
        s.ready = false;
    }
    if (s.ready) {
        deflateReset(&s.stream);
    } else {
        s.stream = {};
        if (deflateInit2(&s.stream, level, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
            return {errc::compression_failed, "zlib could not start"};
        s.ready = true;
        s.level = level;
    }
    const auto bound = deflateBound(&s.stream, static_cast<uLong>(from.size()));
    s.stream.next_out = reinterpret_cast<Bytef*>(to.room(bound));
    s.stream.avail_out = static_cast<uInt>(bound);
    s.stream.next_in = input_of(from);
    s.stream.avail_in = static_cast<uInt>(from.size());
    if (deflate(&s.stream, Z_FINISH) != Z_STREAM_END) return {errc::compression_failed, "zlib could not compress"};
    to.set_size(to.size() + s.stream.total_out);
    return {};
}

struct gzip_decoder::state {
    z_stream stream{};
    bool ready = false;
    ~state() {
        if (ready) inflateEnd(&stream);
    }
};
gzip_decoder::gzip_decoder() noexcept = default;
gzip_decoder::~gzip_decoder() = default;

codec_error gzip_decoder::run(bytes_view from, capped_output& to) {
    if (!state_) state_ = std::make_unique<state>();
    auto& s = *state_;
    if (s.ready) inflateReset(&s.stream);
    else if (inflateInit2(&s.stream, gzip_window) != Z_OK) return {errc::decompression_failed, "zlib could not start"};
    s.ready = true;
    s.stream.next_in = input_of(from);
    s.stream.avail_in = static_cast<uInt>(from.size());
    for (;;) {
        const auto space = to.space();
        const auto room = static_cast<uInt>(std::min<std::size_t>(space.size(), 1u << 30));
        s.stream.next_out = reinterpret_cast<Bytef*>(space.data());
        s.stream.avail_out = room;
        const int result = inflate(&s.stream, Z_NO_FLUSH);
        to.wrote(room - s.stream.avail_out);
        if (to.over()) return over_limit();
        if (result == Z_STREAM_END) {
            if (s.stream.avail_in == 0) return {};
            inflateReset(&s.stream);  // another member follows
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return {errc::decompression_failed, "zlib refuses the bytes"};
        } else if (s.stream.avail_in == 0 && s.stream.avail_out != 0) {
            return {errc::decompression_failed, "the gzip stream is cut"};
        }
    }
}

}  // namespace kafkawire::protocol::detail
