// A reader with a sticky error: after the first error every read gives zero and changes nothing.
// Owns: the position, the error. Never: reads beyond `end`, allocates on the word of a length.
#pragma once
#include <kafkawire/protocol/codec.hpp>

#include <bit>
#include <cstring>

namespace kafkawire::protocol {

/// Where in the message a walker is; a chain through the walkers' stack frames, so that a path costs nothing until it is needed.
struct path_link {
    const path_link* parent;
    std::string_view name;        ///< of the field; empty for an element
    std::int64_t index = -1;      ///< of the element; -1 for a field
};

/// "topics[3].partitions[0].index"
std::string path_text(const path_link* innermost);

class reader {
public:
    explicit reader(bytes_view from) noexcept : begin_{from.data()}, at_{from.data()}, end_{from.data() + from.size()} {}

    [[nodiscard]] bool failed() const noexcept { return code_ != errc{}; }
    [[nodiscard]] std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }
    [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
    [[nodiscard]] wire_error error() const { return {code_, error_offset_, error_path_, detail_}; }

    /// The path that errors are given; set and reset by the walkers.
    const path_link* where = nullptr;

    void fail(errc code, std::string detail) { fail_at(code, offset(), std::move(detail)); }
    void fail_at(errc code, std::size_t offset, std::string detail);

    template <class T>
    T fixed() {
        if (left() < sizeof(T)) [[unlikely]] {
            fail_truncated(sizeof(T));
            return T{};
        }
        T value;
        std::memcpy(&value, at_, sizeof(T));
        at_ += sizeof(T);
        if constexpr (sizeof(T) == 8) return std::bit_cast<T>(__builtin_bswap64(std::bit_cast<std::uint64_t>(value)));
        else if constexpr (sizeof(T) == 4) return std::bit_cast<T>(__builtin_bswap32(std::bit_cast<std::uint32_t>(value)));
        else if constexpr (sizeof(T) == 2) return std::bit_cast<T>(__builtin_bswap16(std::bit_cast<std::uint16_t>(value)));
        else return value;
    }

    /// At most five bytes, 32 bits.
    std::uint32_t unsigned_varint() {
        if (left() != 0 && (static_cast<std::uint8_t>(*at_) & 0x80) == 0) [[likely]] return static_cast<std::uint8_t>(*at_++);
        return long_varint();
    }

    bytes_view take(std::size_t n) {
        if (left() < n) [[unlikely]] {
            fail_truncated(n);
            return {};
        }
        const bytes_view taken{at_, n};
        at_ += n;
        return taken;
    }

    /// Reads only up to `n` bytes from here until widen(); false (and an error) if there are fewer.
    [[nodiscard]] bool narrow(std::size_t n, const std::byte*& saved_end);
    void widen(const std::byte* saved_end) noexcept { end_ = saved_end; }

    [[nodiscard]] const std::byte* mark() const noexcept { return at_; }
    void rewind(const std::byte* mark) noexcept { at_ = mark; }

private:
    void fail_truncated(std::size_t wanted);
    std::uint32_t long_varint();

    const std::byte* begin_;
    const std::byte* at_;
    const std::byte* end_;
    errc code_{};
    std::size_t error_offset_ = 0;
    std::string error_path_;
    std::string detail_;
};

/// The fewest bytes that a value of this kind or struct can take on the wire in that version.
std::size_t smallest(const struct_schema& schema, std::int16_t version, bool flexible) noexcept;
std::size_t smallest_element(const array_ops& ops, std::int16_t version, bool flexible) noexcept;

}  // namespace kafkawire::protocol
