// Walking the records of a batch of format 2. This is the hot path of consuming: a record is a handful of varints of one or two bytes, and
// what it costs is mostly branches, so there is one bounds check for the short forms and a careful way for everything else.
#include <kafkawire/protocol/record_batch.hpp>

namespace kafkawire::protocol {
namespace {

// All headers lie within the record: walked here once, so that header_range need not look again.
const std::byte* check_headers(const std::byte* at, const std::byte* end, std::int32_t count) noexcept {
    for (; count > 0; --count) {
        std::int32_t size = 0;
        at = read_varint(at, end, size);
        if (!at || size < 0 || size > end - at) return nullptr;
        at = read_varint(at + size, end, size);
        if (!at || size < -1 || size > end - at) return nullptr;
        if (size > 0) at += size;
    }
    return at;
}

// A varint of at most three bytes at a place where three can be read, whatever they are of; false: longer.
inline bool read_short(const std::byte*& at, std::uint32_t& v) noexcept {
    const auto b = [&](int i) { return std::to_integer<std::uint32_t>(at[i]); };
    v = b(0);
    if (v < 0x80) [[likely]] {
        ++at;
        return true;
    }
    v = (v & 0x7f) | b(1) << 7;
    if (v < 0x4000) [[likely]] {
        at += 2;
        return true;
    }
    v = (v & 0x3fff) | b(2) << 14;
    at += 3;
    return v < 0x200000;
}

}  // namespace

inline void record_cursor::place(std::int32_t delta, std::int64_t timestamp_delta) noexcept {
    now_.offset = base_offset_ + delta;
    now_.timestamp = now_.timestamps == timestamp_type::log_append
                         ? append_time_
                         : static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_) + static_cast<std::uint64_t>(timestamp_delta));
    now_.sequence = base_sequence_ < 0 ? -1 : add_to_sequence(base_sequence_, delta);
}

// The record that nearly all are: numbers of at most three bytes, no headers, far enough from the batch's end that the first numbers can be
// read unchecked. They may even reach into the next record: the last condition, that everything ends where the record does, finds that out.
// Whatever is not so, right or wrong, is left to careful_next().
const record_view* record_cursor::next_current() noexcept {
    const auto* at = at_;
    const auto* const batch_end = end_;
    if (batch_end - at < 24) return careful_next();
    std::uint32_t size = 0, timestamp_delta = 0, raw_delta = 0, raw_key_size = 0, raw_value_size = 0;
    if (!read_short(at, size)) return careful_next();
    const auto* const end = at + (size >> 1);
    if ((size & 1) || (size >> 1) > static_cast<std::size_t>(batch_end - at)) return careful_next();
    ++at;  // a record's attributes have no meaning yet
    if (!read_short(at, timestamp_delta) || !read_short(at, raw_delta) || !read_short(at, raw_key_size)) return careful_next();
    const auto delta = unzigzag(raw_delta), key_size = unzigzag(raw_key_size);
    nullable_bytes key;
    if (key_size >= 0) {
        if (key_size > end - at) return careful_next();
        key = bytes_view{at, static_cast<std::size_t>(key_size)};
        at += key_size;
    } else if (key_size != -1) {
        return careful_next();
    }
    if (batch_end - at < 4 || !read_short(at, raw_value_size)) return careful_next();
    // Behind the value lies one byte, the count of no headers.
    const auto value_size = unzigzag(raw_value_size);
    if (value_size < 0 || end - at != std::ptrdiff_t{value_size} + 1 || at[value_size] != std::byte{0}) return careful_next();
    if (delta <= last_delta_ || delta > highest_delta_) return careful_next();
    at_ = end;
    --left_;
    last_delta_ = delta;
    now_.key = key;
    now_.value = bytes_view{at, static_cast<std::size_t>(value_size)};
    now_.headers = {};
    place(delta, unzigzag(timestamp_delta));
    return &now_;
}

const record_view* record_cursor::careful_next() noexcept {
    const auto* at = at_;
    std::int32_t size = 0;
    at = read_varint(at, end_, size);
    if (!at && at_ == end_) return refuse(errc::bad_record, "the batch ends before the last of the records it announces", at_);
    if (!at) return refuse(errc::bad_varint, "a record's length does not end", at_);
    if (size < 0 || size > end_ - at) return refuse(errc::bad_length, "a record reaches beyond its batch", at_);
    const auto* const end = at + size;
    constexpr std::string_view cut = "a record ends within its own fields";
    if (at == end) return refuse(errc::bad_record, cut, at_);
    ++at;  // a record's attributes have no meaning yet
    std::int64_t timestamp_delta = 0;
    std::int32_t delta = 0, key_size = 0, value_size = 0, headers = 0;
    if (!(at = read_varlong(at, end, timestamp_delta)) || !(at = read_varint(at, end, delta)) || !(at = read_varint(at, end, key_size)))
        return refuse(errc::bad_record, cut, at_);
    if (delta <= last_delta_ || delta > highest_delta_) return refuse(errc::bad_record, "a record's offset does not go up or lies outside its batch", at_);
    if (key_size < -1 || key_size > end - at) return refuse(errc::bad_length, "a record's key reaches beyond it", at_);
    now_.key = nullptr;
    if (key_size >= 0) {
        now_.key = bytes_view{at, static_cast<std::size_t>(key_size)};
        at += key_size;
    }
    if (!(at = read_varint(at, end, value_size))) return refuse(errc::bad_record, cut, at_);
    if (value_size < -1 || value_size > end - at) return refuse(errc::bad_length, "a record's value reaches beyond it", at_);
    now_.value = nullptr;
    if (value_size >= 0) {
        now_.value = bytes_view{at, static_cast<std::size_t>(value_size)};
        at += value_size;
    }
    if (!(at = read_varint(at, end, headers))) return refuse(errc::bad_record, cut, at_);
    // A header takes two bytes at least.
    if (headers < 0 || headers > (end - at) / 2) return refuse(errc::bad_record, "a record announces more headers than it can hold", at_);
    now_.headers = {};
    if (headers > 0) {
        const auto* const first = at;
        at = check_headers(at, end, headers);
        if (!at) return refuse(errc::bad_record, "a record's headers reach beyond it", at_);
        now_.headers = header_range{{first, at}, headers};
    }
    if (at != end) return refuse(errc::bad_record, "bytes are left behind a record's headers", at_);
    at_ = end;
    --left_;
    last_delta_ = delta;
    place(delta, timestamp_delta);
    return &now_;
}

}  // namespace kafkawire::protocol
