// The codecs one by one, behind compressor and decompressor. Each context is made at its first use and kept.
#pragma once
#include <kafkawire/protocol/compression.hpp>

namespace kafkawire::protocol::detail {

// Where a decoder writes: the rest of a buffer that grows as bytes come, until one byte more than the limit has come. That one byte tells
// "exactly the limit" from "too much" without trusting any declared size.
class capped_output {
public:
    capped_output(byte_buffer& to, std::size_t expected, const decompression_limits& limits)
        : to_{to}, start_{to.size()}, max_{std::min(limits.max_decompressed_batch, std::numeric_limits<std::size_t>::max() / 4)}, expected_{expected} {}

    // Some room, at least one byte unless the limit is exceeded. The first time it is as much as is expected, within reason.
    std::span<std::byte> space() {
        const auto left = max_ + 1 - written();
        if (left == 0) return {};
        if (to_.size() == to_.capacity() || written() == 0) to_.room(std::min(left, written() ? to_.size() / 2 + 4096 : std::clamp<std::size_t>(expected_, 4096, 1 << 20)));
        return {to_.data() + to_.size(), std::min(left, to_.capacity() - to_.size())};
    }
    void wrote(std::size_t n) noexcept { to_.set_size(to_.size() + n); }
    [[nodiscard]] std::size_t written() const noexcept { return to_.size() - start_; }
    [[nodiscard]] std::size_t left() const noexcept { return max_ - std::min(max_, written()); }
    [[nodiscard]] bool over() const noexcept { return written() > max_; }
    byte_buffer& buffer() noexcept { return to_; }

private:
    byte_buffer& to_;
    std::size_t start_, max_, expected_;
};

inline codec_error over_limit() noexcept { return {errc::limit_exceeded, "the batch decompresses to more than max_decompressed_batch"}; }

class gzip_encoder {
public:
    gzip_encoder() noexcept;
    ~gzip_encoder();
    codec_error run(bytes_view from, byte_buffer& to, int level);

private:
    struct state;
    std::unique_ptr<state> state_;
};
class gzip_decoder {
public:
    gzip_decoder() noexcept;
    ~gzip_decoder();
    codec_error run(bytes_view from, capped_output& to);

private:
    struct state;
    std::unique_ptr<state> state_;
};

codec_error snappy_compress(bytes_view from, byte_buffer& to);
codec_error snappy_decompress(bytes_view from, capped_output& to);

class lz4_encoder {
public:
    ~lz4_encoder();
    codec_error run(bytes_view from, byte_buffer& to, int level, codec_form form);

private:
    void* context_ = nullptr;
};
class lz4_decoder {
public:
    ~lz4_decoder();
    codec_error run(bytes_view from, capped_output& to, codec_form form);

private:
    codec_error feed(bytes_view from, capped_output& to, bool& frame_open);
    void* context_ = nullptr;
};

class zstd_encoder {
public:
    ~zstd_encoder();
    codec_error run(bytes_view from, byte_buffer& to, int level);

private:
    void* context_ = nullptr;
};
class zstd_decoder {
public:
    ~zstd_decoder();
    codec_error run(bytes_view from, capped_output& to);
    /// Bytes that the context holds, its window among them.
    [[nodiscard]] std::size_t memory() const noexcept;

private:
    void* context_ = nullptr;
};

}  // namespace kafkawire::protocol::detail
