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

}  // namespace

const record_view* record_cursor::next_current() noexcept {
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
    now_.offset = base_offset_ + delta;
    now_.timestamp = now_.timestamps == timestamp_type::log_append
                         ? append_time_
                         : static_cast<std::int64_t>(static_cast<std::uint64_t>(base_timestamp_) + static_cast<std::uint64_t>(timestamp_delta));
    now_.sequence = base_sequence_ < 0 ? -1 : add_to_sequence(base_sequence_, delta);
    return &now_;
}

}  // namespace kafkawire::protocol
