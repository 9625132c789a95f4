// The four codecs of record batches. Contexts are kept from call to call, decompression is streamed into a buffer that grows as bytes
// really come, up to a limit: what a compressed header declares is never allocated because it was declared.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/byte_buffer.hpp>

#include <limits>

namespace kafkawire::protocol {

/// As numbered in the low three bits of a batch's attributes.
enum class compression : std::uint8_t { none, gzip, snappy, lz4, zstd };

/// "none", "gzip", "snappy", "lz4" or "zstd"; "unknown" for any other number.
[[nodiscard]] KAFKAWIRE_API std::string_view to_string(compression codec) noexcept;
/// The codec of such a name, or nothing.
[[nodiscard]] KAFKAWIRE_API std::optional<compression> compression_from(std::string_view name) noexcept;

/// The codec's own choice: gzip 6, lz4's fast form, zstd 3. Snappy has no levels.
inline constexpr int default_level = std::numeric_limits<int>::min();

/// Which of a codec's forms a record batch of a message format wants.
enum class codec_form : std::uint8_t {
    standard,
    /// Message format 0: the check byte of lz4's frame header is computed over too many bytes, and readers expect that.
    /// On reading any check byte is taken: the message's own checksum covers it.
    magic0,
};

/// What is wrong with some bytes, in a static sentence. True if something is.
struct [[nodiscard]] codec_error {
    errc code{};
    std::string_view what;
    explicit operator bool() const noexcept { return code != errc{}; }
};

/// Compresses; keeps one context per codec, made at its first use. Movable, not thread-safe.
class KAFKAWIRE_API compressor {
public:
    compressor() noexcept;
    compressor(compressor&&) noexcept;
    compressor& operator=(compressor&&) noexcept;
    ~compressor();

    /// Appends the compressed form of `from` to `to`; on an error `to` is as it was. Snappy is written in the framing of Kafka's Java
    /// library, lz4 as a frame of independent 64 KB blocks. `from` must not lie in `to`. A level beyond the codec's range is taken as the
    /// nearest. Errors: compression_failed, unknown_codec.
    codec_error compress(compression codec, bytes_view from, byte_buffer& to, int level = default_level, codec_form form = codec_form::standard);

private:
    struct contexts;
    std::unique_ptr<contexts> contexts_;
};

/// What a decompressed batch may cost.
struct decompression_limits {
    std::size_t max_decompressed_batch = std::size_t{64} << 20;  ///< bytes of one batch's content
};

/// Decompresses; keeps one context per codec, made at its first use. Movable, not thread-safe.
class KAFKAWIRE_API decompressor {
public:
    decompressor() noexcept;
    decompressor(decompressor&&) noexcept;
    decompressor& operator=(decompressor&&) noexcept;
    ~decompressor();

    /// Appends the content of `from` to `to`; on an error `to` holds what it held. `from` must not lie in `to`. Several gzip members, lz4 or
    /// zstd frames one after the other are one content; snappy may be in Java's framing or raw. A zstd frame may name any window, but
    /// none above 8 MiB or the limit is allocated for it.
    /// Errors: decompression_failed (wrong or cut bytes), limit_exceeded (the text names the limit), unknown_codec.
    codec_error decompress(compression codec, bytes_view from, byte_buffer& to, const decompression_limits& limits = {},
                           codec_form form = codec_form::standard);

private:
    struct contexts;
    std::unique_ptr<contexts> contexts_;
};

}  // namespace kafkawire::protocol
