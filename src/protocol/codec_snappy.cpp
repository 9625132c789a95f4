// snappy: raw, or in the framing of the Java library that Kafka uses (16 bytes of header, then blocks with an int32 length before each).
#include <snappy.h>

#include <cstring>

#include "protocol/codecs.hpp"

namespace kafkawire::protocol::detail {
namespace {
constexpr std::array<unsigned char, 8> java_magic = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr std::size_t java_header = 16;          // magic, version 1, lowest version that can read it 1
constexpr std::size_t java_block = 32 * 1024;    // what the Java library puts into a block
constexpr std::size_t best_ratio = 22;           // a copy of 64 bytes takes three: no snappy block expands more

bool starts_with_header(bytes_view from) noexcept {
    return from.size() >= java_header && std::memcmp(from.data(), java_magic.data(), java_magic.size()) == 0;
}
std::uint32_t big_endian(const std::byte* at) noexcept {
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) v = v << 8 | std::to_integer<std::uint32_t>(at[i]);
    return v;
}
void put_big_endian(std::byte* at, std::uint32_t v) noexcept {
    for (int i = 0; i < 4; ++i) at[i] = static_cast<std::byte>(v >> (24 - 8 * i));
}

codec_error block(bytes_view from, capped_output& to) {
    const auto* in = reinterpret_cast<const char*>(from.data());
    std::size_t size = 0;
    if (!snappy::GetUncompressedLength(in, from.size(), &size)) return {errc::decompression_failed, "the snappy block has no length"};
    if (size > to.left()) return over_limit();
    // snappy writes a block in one go, so its room is made before; a length that so few bytes cannot mean is a lie.
    if (size > from.size() * best_ratio) return {errc::decompression_failed, "the snappy block claims more than it can hold"};
    auto& buffer = to.buffer();
    if (!snappy::RawUncompress(in, from.size(), reinterpret_cast<char*>(buffer.room(size + 1)))) return {errc::decompression_failed, "snappy refuses the bytes"};
    to.wrote(size);
    return {};
}
}  // namespace

codec_error snappy_compress(bytes_view from, byte_buffer& to) {
    const auto blocks = (from.size() + java_block - 1) / java_block;
    to.reserve(to.size() + java_header + blocks * (4 + snappy::MaxCompressedLength(java_block)));
    std::byte* at = to.room(java_header);
    std::memcpy(at, java_magic.data(), java_magic.size());
    put_big_endian(at + 8, 1);
    put_big_endian(at + 12, 1);
    to.set_size(to.size() + java_header);
    for (; !from.empty(); from = from.subspan(std::min(from.size(), java_block))) {
        const auto part = from.first(std::min(from.size(), java_block));
        std::size_t written = 0;
        at = to.room(4 + snappy::MaxCompressedLength(part.size()));
        snappy::RawCompress(reinterpret_cast<const char*>(part.data()), part.size(), reinterpret_cast<char*>(at + 4), &written);
        put_big_endian(at, static_cast<std::uint32_t>(written));
        to.set_size(to.size() + 4 + written);
    }
    return {};
}

codec_error snappy_decompress(bytes_view from, capped_output& to) {
    if (!starts_with_header(from)) return block(from, to);
    from = from.subspan(java_header);
    while (!from.empty()) {
        // Streams that were put one behind the other carry a header each; its first byte cannot begin a block's length.
        if (starts_with_header(from)) {
            from = from.subspan(java_header);
            continue;
        }
        if (from.size() < 4) return {errc::decompression_failed, "the snappy stream is cut"};
        const auto size = big_endian(from.data());
        from = from.subspan(4);
        if (size > from.size()) return {errc::decompression_failed, "the snappy stream is cut"};
        if (auto error = block(from.first(size), to)) return error;
        from = from.subspan(size);
    }
    return {};
}

}  // namespace kafkawire::protocol::detail
