// Building batches. The hot path is append_current(): a record's size is computed first, one check makes room for it, then varints and
// one memcpy for key and value each. The checksum is taken of every 24 KB while they are still in the first cache; as the header comes
// before them and is known last, the two sums are put together at the end.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/crc32c.hpp>
#include <zlib.h>

#include "protocol/batch_layout.hpp"

namespace kafkawire::protocol {

using detail::put;

namespace {
constexpr std::size_t largest_batch = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t sum_at_once = 24 * 1024;  // two rounds of the longest CRC streams, and within the first cache

// Two halves of a run that overlap in the middle: any size from N to 2 * N, without a call.
template <std::size_t N>
void put_halves(std::byte* to, const std::byte* from, std::size_t size) noexcept {
    std::array<std::byte, N> head, tail;
    std::memcpy(head.data(), from, N);
    std::memcpy(tail.data(), from + size - N, N);
    std::memcpy(to, head.data(), N);
    std::memcpy(to + size - N, tail.data(), N);
}
inline std::byte* put_bytes(std::byte* to, const std::byte* from, std::size_t size) noexcept {
    if (size > 128) std::memcpy(to, from, size);
    else if (size >= 64) put_halves<64>(to, from, size);
    else if (size >= 32) put_halves<32>(to, from, size);
    else if (size >= 16) put_halves<16>(to, from, size);
    else if (size >= 8) put_halves<8>(to, from, size);
    else if (size >= 4) put_halves<4>(to, from, size);
    else if (size >= 2) put_halves<2>(to, from, size);
    else if (size == 1) *to = *from;
    return to + size;
}
std::size_t length_size(const nullable_bytes& b) noexcept { return b.is_null() ? 1 : varint_size(static_cast<std::int32_t>(b.size())) + b.size(); }

// What a producer writes most are numbers of one or two bytes.
inline std::byte* put_varlong(std::byte* to, std::uint64_t v) noexcept {
    if (v < 0x80) [[likely]] {
        *to = static_cast<std::byte>(v);
        return to + 1;
    }
    if (v < 0x4000) [[likely]] {
        to[0] = static_cast<std::byte>(v | 0x80);
        to[1] = static_cast<std::byte>(v >> 7);
        return to + 2;
    }
    if (v < 0x200000) {
        to[0] = static_cast<std::byte>(v | 0x80);
        to[1] = static_cast<std::byte>(v >> 7 | 0x80);
        to[2] = static_cast<std::byte>(v >> 14);
        return to + 3;
    }
    return write_unsigned_varlong(to, v);
}
inline std::byte* put_nullable(std::byte* to, const nullable_bytes& b) noexcept {
    if (b.is_null()) {
        *to = std::byte{1};  // -1
        return to + 1;
    }
    return put_bytes(put_varlong(to, std::uint64_t{b.size()} << 1), b.data(), b.size());
}

std::size_t headers_size(std::span<const header_view> headers) noexcept {
    std::size_t size = varint_size(static_cast<std::int32_t>(headers.size()));
    for (const auto& h : headers) size += varint_size(static_cast<std::int32_t>(h.key.size())) + h.key.size() + length_size(h.value);
    return size;
}
std::byte* put_headers(std::byte* to, std::span<const header_view> headers) noexcept {
    to = put_varlong(to, std::uint64_t{headers.size()} << 1);
    for (const auto& h : headers) {
        to = put_varlong(to, std::uint64_t{h.key.size()} << 1);
        to = put_bytes(to, reinterpret_cast<const std::byte*>(h.key.data()), h.key.size());
        to = put_nullable(to, h.value);
    }
    return to;
}
// Sums of sizes cannot overflow when each is below 2 GB; this says whether they are.
bool too_large(const nullable_bytes& key, const nullable_bytes& value, std::span<const header_view> headers) noexcept {
    if ((key.size() | value.size()) > largest_batch) return true;
    for (const auto& h : headers)
        if ((h.key.size() | h.value.size()) > largest_batch) return true;
    return false;
}
}  // namespace

std::size_t batch_builder::most_bytes(nullable_bytes key, nullable_bytes value, std::span<const header_view> headers) noexcept {
    std::size_t size = 36 + key.size() + value.size();  // more than the fixed fields of any format, at their longest
    for (const auto& h : headers) size += 10 + h.key.size() + h.value.size();
    return size;
}

void batch_builder::start(const batch_options& options) {
    options_ = options;
    base_offset_ = options.base_offset;
    next_delta_ = 0;
    base_timestamp_ = options.delete_horizon.value_or(options.base_timestamp.value_or(-1));
    max_timestamp_ = -1;
    count_ = 0;
    crc_ = 0;
    closed_ = false;
    plain_ = magic2_ = options.magic == 2;
    buffer_.clear();
    if (magic2_) {
        buffer_.room(detail::format2::records);
        buffer_.set_size(detail::format2::records);
    }
    summed_ = buffer_.size();
}

errc batch_builder::append_at(std::int64_t offset, std::int64_t timestamp, nullable_bytes key, nullable_bytes value, std::span<const header_view> headers) {
    const auto delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(offset) - static_cast<std::uint64_t>(base_offset_));
    if (delta < next_delta_ || delta > std::numeric_limits<std::int32_t>::max() || closed_) return errc::bad_value;
    if (too_large(key, value, headers)) return errc::limit_exceeded;
    if (magic2_) return append_current(static_cast<std::int32_t>(delta), timestamp, key, value, headers);
    if (!headers.empty()) return errc::not_in_version;
    return append_legacy(offset, timestamp, key, value);
}

inline void batch_builder::appended(std::size_t size, std::int64_t timestamp, std::int64_t delta) {
    buffer_.set_size(size);
    max_timestamp_ = count_ == 0 ? timestamp : std::max(max_timestamp_, timestamp);
    next_delta_ = delta + 1;
    ++count_;
    if (size - summed_ >= sum_at_once && options_.codec == compression::none) {
        const auto whole = (size - summed_) / sum_at_once * sum_at_once;
        crc_ = crc32c({buffer_.data() + summed_, whole}, crc_);
        summed_ += whole;
    }
}

// A record whose length is known to take two bytes, whatever its other numbers take, is written without measuring it first.
errc batch_builder::append_plain(std::int64_t timestamp, nullable_bytes key, nullable_bytes value) {
    constexpr std::size_t fixed_at_least = 6, fixed_at_most = 24;
    const auto bytes = key.size() + value.size();
    const auto before = buffer_.size();
    const auto delta = next_delta_;
    if (!plain_ || count_ == 0 || key.size() >= 4096 || value.size() >= 4096 || bytes < 64 - fixed_at_least || bytes >= 8192 - fixed_at_most ||
        before > largest_batch - 16'384 || delta > std::numeric_limits<std::int32_t>::max()) [[unlikely]]
        return append_at(base_offset_ + delta, timestamp, key, value);
    auto* const start = buffer_.room(bytes + fixed_at_most + 2);
    auto* to = start + 2;
    *to++ = std::byte{0};  // attributes: none defined yet
    to = put_varlong(to, zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp) - static_cast<std::uint64_t>(base_timestamp_))));
    to = put_varlong(to, static_cast<std::uint64_t>(delta) << 1);
    to = put_nullable(to, key);
    to = put_nullable(to, value);
    *to++ = std::byte{0};  // no headers
    const auto body = static_cast<unsigned>(to - start - 2) << 1;
    start[0] = static_cast<std::byte>(body | 0x80);
    start[1] = static_cast<std::byte>(body >> 7);
    appended(before + static_cast<std::size_t>(to - start), timestamp, delta);
    return {};
}

errc batch_builder::append_current(std::int32_t delta, std::int64_t timestamp, nullable_bytes key, nullable_bytes value, std::span<const header_view> headers) {
    const bool first = count_ == 0;
    const auto base = first && !options_.delete_horizon && !options_.base_timestamp ? timestamp : base_timestamp_;
    const auto timestamp_delta = zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp) - static_cast<std::uint64_t>(base)));
    const auto offset_delta = zigzag(delta);
    const auto before = buffer_.size();

    // A record with its length in front. The body is at least six bytes and its first three numbers take 1, up to 10 and up to 5 of them.
    std::size_t body = 1 + unsigned_varlong_size(timestamp_delta) + unsigned_varint_size(offset_delta) + length_size(key) + length_size(value);
    if (headers.empty()) [[likely]] ++body;
    else if (headers.size() > largest_batch / 2) return errc::bad_value;
    else body += headers_size(headers);
    if (body > largest_batch - 16 - before) return errc::limit_exceeded;

    auto* const start = buffer_.room(body + max_varint_size);
    auto* to = put_varlong(start, std::uint64_t{body} << 1);
    *to++ = std::byte{0};  // attributes: none defined yet
    to = put_varlong(to, timestamp_delta);
    to = put_varlong(to, offset_delta);
    to = put_nullable(to, key);
    to = put_nullable(to, value);
    if (headers.empty()) [[likely]] *to++ = std::byte{0};
    else to = put_headers(to, headers);
    const auto size = before + static_cast<std::size_t>(to - start);
    base_timestamp_ = base;
    appended(size, timestamp, delta);
    return {};
}

errc batch_builder::append_legacy(std::int64_t offset, std::int64_t timestamp, nullable_bytes key, nullable_bytes value) {
    const auto magic = options_.magic;
    const bool wrapped = options_.codec != compression::none;
    const auto size = detail::legacy::smallest(magic) + key.size() + value.size();
    if (magic < 0 || magic > 2) return errc::bad_magic;
    if (options_.transactional || options_.control || options_.delete_horizon || options_.codec > compression::lz4) return errc::not_in_version;
    if (size > largest_batch - buffer_.size() - 64) return errc::limit_exceeded;
    auto* const start = buffer_.room(size);
    // Inside a wrapper format 1 counts from the wrapper's first message.
    put(start, magic == 1 && wrapped ? offset - base_offset_ : offset);
    put(start + detail::length_at, static_cast<std::int32_t>(size - detail::log_overhead));
    start[detail::magic_at] = static_cast<std::byte>(magic);
    // The time of the broker stands in the wrapper, and in a message of its own otherwise.
    start[detail::legacy::attributes] = static_cast<std::byte>(magic == 1 && options_.log_append_time ? 8 : 0);
    if (magic == 1) put(start + detail::legacy::timestamp, options_.log_append_time.value_or(timestamp));
    auto* to = start + detail::legacy::key_length(magic);
    for (const auto& b : {key, value}) {
        to = put(to, b.is_null() ? std::int32_t{-1} : static_cast<std::int32_t>(b.size()));
        to = put_bytes(to, b.data(), b.size());
    }
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(start + detail::magic_at), static_cast<uInt>(size - detail::magic_at));
    put(start + detail::legacy::crc, static_cast<std::uint32_t>(sum));
    buffer_.set_size(buffer_.size() + size);
    max_timestamp_ = count_ == 0 ? timestamp : std::max(max_timestamp_, timestamp);
    next_delta_ = offset - base_offset_ + 1;
    ++count_;
    return {};
}

codec_error batch_builder::close(bytes_view& batch) {
    closed_ = true;
    plain_ = false;
    return magic2_ ? close_current(batch) : close_legacy(batch);
}

void batch_builder::put_header(std::byte* at, std::size_t size) const noexcept {
    using namespace detail::format2;
    const auto& o = options_;
    const auto last = o.last_offset ? *o.last_offset - base_offset_ : std::max<std::int64_t>(next_delta_ - 1, 0);
    const unsigned flags = static_cast<unsigned>(o.codec) | (o.log_append_time ? 8u : 0u) | (o.transactional ? 0x10u : 0u) | (o.control ? 0x20u : 0u) |
                           (o.delete_horizon ? 0x40u : 0u);
    put(at, base_offset_);
    put(at + detail::length_at, static_cast<std::int32_t>(size - detail::log_overhead));
    put(at + leader_epoch, o.partition_leader_epoch);
    at[detail::magic_at] = std::byte{2};
    put(at + attributes, static_cast<std::int16_t>(flags));
    put(at + last_offset_delta, static_cast<std::int32_t>(last));
    put(at + detail::format2::base_timestamp, base_timestamp_);
    put(at + detail::format2::max_timestamp, o.log_append_time.value_or(o.max_timestamp.value_or(max_timestamp_)));
    put(at + detail::format2::producer_id, o.producer_id);
    put(at + detail::format2::producer_epoch, o.producer_epoch);
    put(at + detail::format2::base_sequence, o.base_sequence);
    put(at + detail::format2::count, count_);
}

codec_error batch_builder::close_current(bytes_view& batch) {
    using namespace detail::format2;
    if (options_.codec == compression::none) {
        auto* const p = buffer_.data();
        const auto size = buffer_.size();
        put_header(p, size);
        if (summed_ == records) {
            put(p + crc, crc32c({p + attributes, size - attributes}));
        } else {
            crc_ = crc32c({p + summed_, size - summed_}, crc_);
            summed_ = size;
            put(p + crc, crc32c_combine(crc32c({p + attributes, records - attributes}), crc_, size - records));
        }
        batch = buffer_.view();
        return {};
    }
    compressed_.clear();
    compressed_.room(records);
    compressed_.set_size(records);
    // A batch that compaction has emptied has no compressed stream either.
    if (count_ > 0) {
        const auto error = compressor_.compress(options_.codec, buffer_.view().subspan(records), compressed_, options_.level);
        if (error) return error;
    }
    if (compressed_.size() > largest_batch) return {errc::limit_exceeded, "a batch holds at most 2147483647 bytes"};
    put_header(compressed_.data(), compressed_.size());
    put(compressed_.data() + crc, crc32c(compressed_.view().subspan(attributes)));
    batch = compressed_.view();
    return {};
}

codec_error batch_builder::finish(byte_buffer& to, std::uint32_t& records_sum, compressor& with) {
    using namespace detail::format2;
    closed_ = true;
    plain_ = false;
    if (options_.codec == compression::none) {
        records_sum = crc32c({buffer_.data() + summed_, buffer_.size() - summed_}, crc_);
        put_header(buffer_.data(), buffer_.size());
        std::swap(buffer_, to);
        return {};
    }
    to.clear();
    to.room(records);
    to.set_size(records);
    if (count_ > 0) {
        if (const auto error = with.compress(options_.codec, buffer_.view().subspan(records), to, options_.level)) return error;
    }
    if (to.size() > largest_batch) return {errc::limit_exceeded, "a batch holds at most 2147483647 bytes"};
    put_header(to.data(), to.size());
    records_sum = crc32c(to.view().subspan(records));
    return {};
}

void stamp_batch(std::span<std::byte> batch, std::uint32_t records_sum, std::int64_t producer_id, std::int16_t producer_epoch, std::int32_t base_sequence) noexcept {
    using namespace detail::format2;
    auto* const p = batch.data();
    put(p + detail::format2::producer_id, producer_id);
    put(p + detail::format2::producer_epoch, producer_epoch);
    put(p + detail::format2::base_sequence, base_sequence);
    put(p + crc, crc32c_combine(crc32c({p + attributes, records - attributes}), records_sum, batch.size() - records));
}

codec_error batch_builder::close_legacy(bytes_view& batch) {
    batch = buffer_.view();
    if (options_.codec == compression::none || count_ == 0) return {};
    const auto magic = options_.magic;
    const auto header = detail::legacy::smallest(magic);
    compressed_.clear();
    compressed_.room(header);
    compressed_.set_size(header);
    const auto form = magic == 0 ? codec_form::magic0 : codec_form::standard;
    if (auto error = compressor_.compress(options_.codec, buffer_.view(), compressed_, options_.level, form)) return error;
    if (compressed_.size() > largest_batch) return {errc::limit_exceeded, "a message holds at most 2147483647 bytes"};
    auto* const p = compressed_.data();
    const auto size = compressed_.size();
    put(p, options_.last_offset.value_or(base_offset_ + next_delta_ - 1));
    put(p + detail::length_at, static_cast<std::int32_t>(size - detail::log_overhead));
    p[detail::magic_at] = static_cast<std::byte>(magic);
    p[detail::legacy::attributes] = static_cast<std::byte>(static_cast<unsigned>(options_.codec) | (magic == 1 && options_.log_append_time ? 8u : 0u));
    if (magic == 1) put(p + detail::legacy::timestamp, options_.log_append_time.value_or(options_.max_timestamp.value_or(max_timestamp_)));
    auto* to = put(p + detail::legacy::key_length(magic), std::int32_t{-1});
    put(to, static_cast<std::int32_t>(size - header));
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(p + detail::magic_at), static_cast<uInt>(size - detail::magic_at));
    put(p + detail::legacy::crc, static_cast<std::uint32_t>(sum));
    batch = compressed_.view();
    return {};
}

end_transaction_marker make_end_transaction_marker(control_type commit_or_abort, std::int32_t coordinator_epoch) noexcept {
    end_transaction_marker m{};
    put(m.key.data() + 2, static_cast<std::int16_t>(commit_or_abort));
    put(m.value.data() + 2, coordinator_epoch);
    return m;
}

}  // namespace kafkawire::protocol
