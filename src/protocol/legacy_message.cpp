// Reading messages of formats 0 and 1.
#include "protocol/legacy_message.hpp"

#include <zlib.h>

#include "protocol/batch_layout.hpp"

namespace kafkawire::protocol::detail {
namespace {

// A length and that many bytes; -1 is null.
bool take_bytes(bytes_view from, std::size_t& at, nullable_bytes& to) noexcept {
    if (from.size() - at < 4) return false;
    const auto size = get<std::int32_t>(from.data() + at);
    at += 4;
    to = nullptr;
    if (size == -1) return true;
    if (size < 0 || static_cast<std::size_t>(size) > from.size() - at) return false;
    to = from.subspan(at, static_cast<std::size_t>(size));
    at += static_cast<std::size_t>(size);
    return true;
}

message_error parse(bytes_view whole, std::int8_t magic, bool check_crc, message& to) noexcept {
    if (whole.size() < legacy::smallest(magic)) return {errc::bad_length, "the message claims to be shorter than its own header", length_at};
    const auto* p = whole.data();
    to.whole = whole;
    to.offset = get<std::int64_t>(p);
    to.crc = get<std::uint32_t>(p + legacy::crc);
    to.attributes = get<std::int8_t>(p + legacy::attributes);
    to.timestamp = magic == 0 ? -1 : get<std::int64_t>(p + legacy::timestamp);
    if (check_crc) {
        const auto sum = crc32(0, reinterpret_cast<const Bytef*>(p + magic_at), static_cast<uInt>(whole.size() - magic_at));
        if (static_cast<std::uint32_t>(sum) != to.crc) return {errc::bad_crc, "the checksum of the message does not match", legacy::crc};
    }
    auto at = legacy::key_length(magic);
    if (!take_bytes(whole, at, to.key)) return {errc::bad_record, "the message's key does not fit into it", legacy::key_length(magic)};
    const auto value_at = at;
    if (!take_bytes(whole, at, to.value)) return {errc::bad_record, "the message's value does not fit into it", value_at};
    if (at != whole.size()) return {errc::bad_record, "bytes are left behind the message's value", at};
    return {};
}

// The bytes of the first message, by its length.
message_error cut_out(bytes_view from, bytes_view& whole) noexcept {
    if (from.size() < up_to_magic) return {errc::truncated, "an inner message is cut", 0};
    const auto length = get<std::int32_t>(from.data() + length_at);
    if (length < 0) return {errc::bad_length, "an inner message has a negative length", length_at};
    const auto size = log_overhead + static_cast<std::size_t>(length);
    if (size < up_to_magic) return {errc::bad_length, "the message claims to be shorter than its own header", length_at};
    if (size > from.size()) return {errc::truncated, "an inner message is cut", length_at};
    whole = from.first(size);
    return {};
}

}  // namespace

message_error next_message(bytes_view from, std::int8_t magic, bool check_crc, message& to) noexcept {
    bytes_view whole;
    if (auto e = cut_out(from, whole)) return e;
    return parse(whole, magic, check_crc, to);
}

message_error read_message(bytes_view whole, std::int8_t magic, bool check_crc, record_batch& to) noexcept {
    message m;
    if (auto e = parse(whole, magic, check_crc, m)) return e;
    to.crc = m.crc;
    to.attributes = static_cast<std::uint8_t>(m.attributes);
    to.base_timestamp = to.max_timestamp = m.timestamp;
    to.whole = whole;
    to.content = m.value.view();
    to.null_content = m.value.is_null();
    return {};
}

message_error measure_inner(bytes_view content, record_batch& batch, std::int32_t& count, std::int64_t& base_offset) noexcept {
    std::int64_t first = 0, last = 0, lowest = std::numeric_limits<std::int64_t>::max(), highest = 0;
    count = 0;
    for (std::size_t at = 0; at < content.size(); ++count) {
        bytes_view whole;
        if (auto e = cut_out(content.subspan(at), whole)) return {e.code, e.what, at + e.at};
        const auto* p = whole.data();
        if (get<std::int8_t>(p + magic_at) != batch.magic) return {errc::bad_magic, "an inner message is of another format than its wrapper", at + magic_at};
        if (whole.size() < legacy::smallest(batch.magic)) return {errc::bad_length, "the message claims to be shorter than its own header", at + length_at};
        if (get<std::int8_t>(p + legacy::attributes) & 7) return {errc::bad_record, "an inner message is compressed itself", at + legacy::attributes};
        last = get<std::int64_t>(p);
        if (count == 0) first = last;
        lowest = std::min(lowest, last);
        highest = std::max(highest, last);
        at += whole.size();
    }
    if (count == 0) return {errc::bad_record, "a compressed message has nothing inside", 0};
    if (highest == std::numeric_limits<std::int64_t>::max()) return {errc::bad_record, "an inner message has the highest number there is, so that no offset could follow", 0};
    base_offset = 0;
    if (batch.magic == 1) {
        // What producers send may have a wrapper offset of 0, whatever is inside: then the inner offsets are taken as they are. The last is
        // the highest: else one in between could overflow when it is made absolute.
        if (lowest < 0 || highest > last || (batch.last_offset != 0 && last > batch.last_offset))
            return {errc::bad_record, "the inner offsets do not end at the wrapper's", 0};
        if (batch.last_offset != 0) base_offset = batch.last_offset - last;
    }
    batch.base_offset = base_offset + first;
    return {};
}

}  // namespace kafkawire::protocol::detail
