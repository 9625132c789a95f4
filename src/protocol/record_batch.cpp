// Finding batches, checking their headers, opening them.
#include <kafkawire/protocol/crc32c.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include "protocol/batch_layout.hpp"
#include "protocol/legacy_message.hpp"

namespace kafkawire::protocol {

using detail::get;

[[gnu::cold]] std::string records_error::message() const {
    if (!*this) return "no error";
    auto text = make_error_code(code).message() + ": " + std::string{what} + ", at byte " + std::to_string(offset);
    if (last_offset >= 0)
        text += " (batch of offsets " + std::to_string(first_offset) + " to " + std::to_string(last_offset) + ", byte " + std::to_string(offset_in_batch) + " in it)";
    return text;
}

std::int32_t record_batch::last_sequence() const noexcept {
    return magic != 2 || base_sequence < 0 ? -1 : add_to_sequence(base_sequence, static_cast<std::int32_t>(last_offset - base_offset));
}

std::optional<control_record> parse_control(const record_view& record) noexcept {
    if (record.key.size() < 4) return std::nullopt;
    control_record c;
    c.version = get<std::int16_t>(record.key.data());
    c.type = static_cast<control_type>(get<std::int16_t>(record.key.data() + 2));
    if (c.version < 0) return std::nullopt;
    if (c.type == control_type::abort || c.type == control_type::commit) {
        if (record.value.size() < 6) return std::nullopt;
        c.coordinator_epoch = get<std::int32_t>(record.value.data() + 2);
    }
    return c;
}

bool record_batches::refuse(errc code, std::string_view what, std::size_t at) noexcept {
    error_ = {code, what, at_, at, batch_.base_offset, batch_.last_offset};
    return false;
}

const record_batch* record_batches::next() noexcept {
    if (error_) return nullptr;
    const auto rest = records_.subspan(at_);
    if (rest.size() < detail::up_to_magic) return nullptr;
    batch_ = {};
    batch_.offset = at_;
    batch_.base_offset = batch_.last_offset = get<std::int64_t>(rest.data());
    const auto length = get<std::int32_t>(rest.data() + detail::length_at);
    batch_.magic = get<std::int8_t>(rest.data() + detail::magic_at);
    // These two are looked at even in a cut tail: a false length would otherwise look like one for ever.
    if (length < static_cast<std::int32_t>(detail::legacy::smallest(0) - detail::log_overhead)) {
        refuse(errc::bad_length, "the batch claims to be shorter than its own header", detail::length_at);
        return nullptr;
    }
    if (batch_.magic < 0 || batch_.magic > 2) {
        refuse(errc::bad_magic, "there is no such message format", detail::magic_at);
        return nullptr;
    }
    const auto size = detail::log_overhead + static_cast<std::size_t>(length);
    if (size > rest.size()) return nullptr;
    const auto whole = rest.first(size);
    if (!(batch_.magic == 2 ? read_current(whole) : read_legacy(whole))) return nullptr;
    if (batch_.last_offset == std::numeric_limits<std::int64_t>::max()) {
        refuse(errc::bad_record, "the batch ends at the highest number there is, so that no offset could follow");
        return nullptr;
    }
    at_ += size;
    return &batch_;
}

bool record_batches::read_current(bytes_view whole) noexcept {
    using namespace detail::format2;
    if (whole.size() < records) return refuse(errc::bad_length, "the batch claims to be shorter than its own header", detail::length_at);
    const auto* p = whole.data();
    const auto delta = get<std::int32_t>(p + last_offset_delta);
    batch_.partition_leader_epoch = get<std::int32_t>(p + leader_epoch);
    batch_.crc = get<std::uint32_t>(p + detail::format2::crc);
    batch_.attributes = get<std::int16_t>(p + detail::format2::attributes);
    batch_.base_timestamp = get<std::int64_t>(p + detail::format2::base_timestamp);
    batch_.max_timestamp = get<std::int64_t>(p + detail::format2::max_timestamp);
    batch_.producer_id = get<std::int64_t>(p + detail::format2::producer_id);
    batch_.producer_epoch = get<std::int16_t>(p + detail::format2::producer_epoch);
    batch_.base_sequence = get<std::int32_t>(p + detail::format2::base_sequence);
    batch_.count = get<std::int32_t>(p + detail::format2::count);
    batch_.whole = whole;
    batch_.content = whole.subspan(records);
    const bool ends = delta >= 0 && batch_.base_offset <= std::numeric_limits<std::int64_t>::max() - delta;
    // Even of a damaged batch: whoever wants to read on behind it has nothing better to go by.
    if (ends) batch_.last_offset = batch_.base_offset + delta;
    if (check_crcs_ && crc32c(whole.subspan(detail::format2::attributes)) != batch_.crc)
        return refuse(errc::bad_crc, "the checksum of the batch does not match", detail::format2::crc);
    if (!ends) return refuse(errc::bad_record, "the last offset lies before the first", last_offset_delta);
    if (batch_.count < 0) return refuse(errc::bad_record, "the batch claims a negative number of records", detail::format2::count);
    return true;
}

bool record_batches::read_legacy(bytes_view whole) noexcept {
    const auto error = detail::read_message(whole, batch_.magic, check_crcs_, batch_);
    return error ? refuse(error.code, error.what, error.at) : true;
}

const record_view* record_cursor::refuse(errc code, std::string_view what, const std::byte* at) noexcept {
    error_.code = code;
    error_.what = what;
    error_.offset_in_batch = content_at_ + static_cast<std::size_t>(at - start_);
    left_ = 0;
    return nullptr;
}

const record_view* record_cursor::next_slow() noexcept {
    if (error_) return nullptr;
    if (left_ > 0) return next_legacy();
    return at_ == end_ ? nullptr : refuse(errc::bad_record, "the batch holds more than the records it announces", at_);
}

const record_view* record_cursor::next_legacy() noexcept {
    detail::message m;
    const auto rest = bytes_view{at_, end_};
    const auto* const start = at_;
    const auto error = detail::next_message(rest, magic_, inner_ && check_crcs_, m);
    if (error) return refuse(error.code, error.what, start + error.at);
    at_ += m.whole.size();
    --left_;
    now_.offset = inner_ && magic_ == 1 ? base_offset_ + m.offset : m.offset;
    now_.timestamp = magic_ == 0 ? -1 : now_.timestamps == timestamp_type::log_append ? append_time_ : m.timestamp;
    now_.key = m.key;
    now_.value = m.value;
    return &now_;
}

records_error open_batch(record_batch& batch, decompressor& with, byte_buffer& scratch, const read_options& options, record_cursor& cursor) {
    cursor = {};
    auto& error = cursor.error_;
    error.offset = batch.offset;
    error.first_offset = batch.base_offset;
    error.last_offset = batch.last_offset;
    const auto refuse = [&](errc code, std::string_view what, std::size_t at) {
        error.code = code;
        error.what = what;
        error.offset_in_batch = at;
        return error;
    };
    const bool current = batch.magic == 2;
    bytes_view content = current ? batch.content : batch.whole;
    cursor.content_at_ = current ? detail::format2::records : 0;
    const auto codec = batch.codec();
    if (codec > compression::zstd) return refuse(errc::unknown_codec, "there is no such compression type", detail::legacy::attributes);
    if (codec != compression::none) {
        if (!current && codec == compression::zstd) return refuse(errc::unknown_codec, "zstd does not exist in formats 0 and 1", detail::legacy::attributes);
        if (batch.null_content) return refuse(errc::bad_record, "a compressed message has no value", detail::legacy::key_length(batch.magic));
        scratch.clear();
        // Compaction may leave a batch without records, which then has no content either, whatever its codec.
        if (!(current && batch.count == 0 && batch.content.empty())) {
            const auto form = batch.magic == 0 ? codec_form::magic0 : codec_form::standard;
            if (auto e = with.decompress(codec, batch.content, scratch, options.limits, form))
                return refuse(e.code, e.what, static_cast<std::size_t>(batch.content.data() - batch.whole.data()));
        }
        content = scratch.view();
        cursor.content_at_ = 0;
    }
    cursor.magic_ = batch.magic;
    cursor.start_ = cursor.at_ = content.data();
    cursor.end_ = content.data() + content.size();
    cursor.check_crcs_ = options.check_crcs;
    cursor.left_ = batch.count;
    cursor.base_offset_ = batch.base_offset;
    cursor.base_timestamp_ = batch.base_timestamp;
    cursor.append_time_ = batch.max_timestamp;
    cursor.now_.timestamps = batch.timestamps();
    cursor.now_.leader_epoch = batch.partition_leader_epoch;
    if (current) {
        cursor.highest_delta_ = static_cast<std::int32_t>(batch.last_offset - batch.base_offset);
        cursor.base_sequence_ = batch.base_sequence;
        if (static_cast<std::size_t>(batch.count) > content.size() / detail::format2::smallest_record)
            return refuse(errc::bad_record, "the batch announces more records than it can hold", detail::format2::count);
    } else if (codec != compression::none) {
        const auto e = detail::measure_inner(content, batch, cursor.left_, cursor.base_offset_);
        if (e) return refuse(e.code, e.what, e.at);
        cursor.inner_ = true;
        error.first_offset = batch.base_offset;
    }
    return {};
}

void record_reader::start(bytes_view records, const read_options& options) {
    batches_ = record_batches{records, options.check_crcs};
    cursor_ = {};
    options_ = options;
    error_ = {};
    next_offset_ = -1;
    open_ = false;
}

const record_view* record_reader::next_batch() {
    while (!error_) {
        if (open_) {
            open_ = false;
            error_ = cursor_.error();
            if (error_) break;
            next_offset_ = batch_.next_offset();
        }
        const auto* found = batches_.next();
        if (!found) {
            error_ = batches_.error();
            break;
        }
        batch_ = *found;
        if (batch_.is_control() && !control_) {
            next_offset_ = batch_.next_offset();
            continue;
        }
        error_ = open_batch(batch_, decompressor_, scratch_, options_, cursor_);
        if (error_) break;
        open_ = true;
        if (const auto* r = cursor_.next()) return r;
    }
    return nullptr;
}

}  // namespace kafkawire::protocol
