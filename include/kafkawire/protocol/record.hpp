// A record as it is seen: views only, trivially destructible, for reading and for writing. Who owns the bytes is said where the views
// come from: a reader's point into the bytes that it was given (or into the buffer that it decompressed into).
#pragma once
#include <kafkawire/protocol/types.hpp>
#include <kafkawire/protocol/varint.hpp>

#include <iterator>

namespace kafkawire::protocol {

/// Bytes that may be null, as keys and values are: null and empty are different things. A view, cheap to copy.
class nullable_bytes {
public:
    constexpr nullable_bytes() noexcept = default;  ///< null
    constexpr nullable_bytes(std::nullptr_t) noexcept {}
    constexpr nullable_bytes(bytes_view b) noexcept : data_{b.data() ? b.data() : &nothing}, size_{b.size()} {}
    nullable_bytes(std::string_view s) noexcept : nullable_bytes{std::as_bytes(std::span{s})} {}
    nullable_bytes(const char* s) noexcept : nullable_bytes{std::string_view{s}} {}
    nullable_bytes(const std::string& s) noexcept : nullable_bytes{std::string_view{s}} {}
    nullable_bytes(const bytes& b) noexcept : nullable_bytes{bytes_view{b}} {}

    [[nodiscard]] constexpr bool is_null() const noexcept { return data_ == nullptr; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }  ///< 0 for null
    [[nodiscard]] constexpr const std::byte* data() const noexcept { return data_; }
    [[nodiscard]] constexpr bytes_view view() const noexcept { return {data_, size_}; }
    /// The bytes as characters; empty for null. No encoding is assumed.
    [[nodiscard]] std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size_}; }

private:
    static constexpr std::byte nothing{};
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// One header of a record. Keys may repeat, and their order is kept.
struct header_view {
    std::string_view key;
    nullable_bytes value;
};

/// The headers of a record that was read: walked when they are asked for. They were checked when the record was, so walking cannot fail.
class header_range {
public:
    class iterator {
    public:
        using value_type = header_view;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = header_view;
        using pointer = void;
        iterator() noexcept = default;
        header_view operator*() const noexcept { return now_; }
        iterator& operator++() noexcept {
            --left_;
            take();
            return *this;
        }
        iterator operator++(int) noexcept {
            auto before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }

    private:
        friend class header_range;
        iterator(const std::byte* at, const std::byte* end, std::int32_t left) noexcept : at_{at}, end_{end}, left_{left} { take(); }
        void take() noexcept {
            if (left_ == 0) return;
            std::int32_t size = 0;
            at_ = read_varint(at_, end_, size);
            now_.key = {reinterpret_cast<const char*>(at_), static_cast<std::size_t>(size)};
            at_ = read_varint(at_ + size, end_, size);
            now_.value = nullptr;
            if (size < 0) return;
            now_.value = bytes_view{at_, static_cast<std::size_t>(size)};
            at_ += size;
        }
        const std::byte* at_ = nullptr;
        const std::byte* end_ = nullptr;
        std::int32_t left_ = 0;
        header_view now_;
    };

    header_range() noexcept = default;
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(count_); }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    [[nodiscard]] iterator begin() const noexcept { return {encoded_.data(), encoded_.data() + encoded_.size(), count_}; }
    [[nodiscard]] iterator end() const noexcept { return {}; }
    /// The headers as they lie in the record, without their count.
    [[nodiscard]] bytes_view encoded() const noexcept { return encoded_; }

private:
    friend class record_cursor;
    header_range(bytes_view encoded, std::int32_t count) noexcept : encoded_{encoded}, count_{count} {}
    bytes_view encoded_;
    std::int32_t count_ = 0;
};

/// Whose clock a timestamp is of. Message format 0 has no timestamps.
enum class timestamp_type : std::int8_t { none = -1, create = 0, log_append = 1 };

/// A record as read, of whatever format.
struct record_view {
    std::int64_t offset = -1;
    std::int64_t timestamp = -1;          ///< milliseconds since 1970; -1: none
    nullable_bytes key, value;
    header_range headers;
    std::int32_t sequence = -1;           ///< of an idempotent producer; -1: none
    std::int32_t leader_epoch = -1;       ///< of the batch; -1: unknown
    timestamp_type timestamps = timestamp_type::none;
};

/// What a control batch's record says (its key) and, for ends of transactions, who said it (its value).
enum class control_type : std::int16_t { abort = 0, commit = 1, leader_change = 2, snapshot_header = 3, snapshot_footer = 4, kraft_version = 5, kraft_voters = 6 };
struct control_record {
    std::int16_t version = 0;             ///< of the key's form
    control_type type = control_type::abort;  ///< may be a number that this library does not know
    std::int32_t coordinator_epoch = -1;  ///< for abort and commit
};
/// Reads a record of a control batch; nothing if its key is not a control record's, or an abort's or commit's value is cut.
[[nodiscard]] KAFKAWIRE_API std::optional<control_record> parse_control(const record_view& record) noexcept;

}  // namespace kafkawire::protocol
