#include "broker/batch_check.hpp"

#include <kafkawire/protocol/crc32c.hpp>

#include "protocol/batch_layout.hpp"

namespace kafkawire::broker {
namespace {

namespace at = protocol::detail;
namespace field = protocol::detail::format2;
using e = broker_errc;
using protocol::detail::get;

constexpr std::int32_t smallest_length = 14;  // what a message of format 0 has after its length
constexpr std::size_t most_named = 1000;

// How Kafka reads on from here: a batch, nothing (a tail that is cut), or something that it cannot read.
enum class head : std::uint8_t { batch, cut, too_short, bad_magic, overflow };
head read_head(protocol::bytes_view records, std::size_t& size) {
    if (records.size() < at::log_overhead) return head::cut;
    const auto length = get<std::int32_t>(records.data() + at::length_at);
    if (length < smallest_length) return head::too_short;
    if (records.size() < at::up_to_magic) return head::cut;
    if (const auto magic = get<std::int8_t>(records.data() + at::magic_at); magic < 0 || magic > 2) return head::bad_magic;
    if (length > 0x7fffffff - static_cast<std::int32_t>(at::log_overhead)) return head::overflow;  // Kafka's sum is negative then
    size = at::log_overhead + static_cast<std::size_t>(length);
    return size > records.size() ? head::cut : head::batch;
}

std::int8_t magic_of(protocol::bytes_view records) { return get<std::int8_t>(records.data() + at::magic_at); }

// A number as Java subtracts it.
std::int64_t wrapped(std::int64_t a, std::int64_t b) noexcept { return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b)); }

batch_verdict refused(e error, bool tells_log_start) {
    batch_verdict v;
    v.error = error;
    v.tells_log_start = tells_log_start;
    return v;
}

}  // namespace

first_look look_at(protocol::bytes_view records) {
    std::size_t size = 0;
    switch (read_head(records, size)) {
        case head::cut: return {};
        case head::too_short:
            return {{e::corrupt_message, "Record size " + std::to_string(get<std::int32_t>(records.data() + at::length_at)) +
                                             " is less than the minimum record overhead (14)"}};
        case head::bad_magic: return {{e::corrupt_message, "Invalid magic found in record: " + std::to_string(magic_of(records))}};
        case head::overflow: return {{e::unknown_server_error}};
        case head::batch: break;
    }
    if (magic_of(records) < 2) return {};
    if (size < field::last_offset_delta) return {{e::unknown_server_error}};  // Kafka reads beyond the end
    return {{}, (get<std::int16_t>(records.data() + field::attributes) & 0x10) != 0};
}

broker_errc check_records_field(protocol::bytes_view records, std::int16_t produce_version) {
    std::size_t size = 0;
    if (read_head(records, size) != head::batch || magic_of(records) != 2) return e::invalid_record;
    if (produce_version < 7 && (get<std::int16_t>(records.data() + field::attributes) & 7) == static_cast<int>(protocol::compression::zstd))
        return e::unsupported_compression_type;
    switch (read_head(records.subspan(size), size)) {
        case head::cut: return e::none;
        case head::batch: return e::invalid_record;
        case head::too_short:
        case head::bad_magic: return e::corrupt_message;
        case head::overflow: break;
    }
    return e::unknown_server_error;
}

batch_verdict batch_checker::check(protocol::bytes_view records, const batch_rules& rules, std::int64_t now_ms) {
    std::size_t size = 0;
    if (read_head(records, size) != head::batch || magic_of(records) != 2) return refused(e::invalid_record, true);
    const auto whole = records.first(size);
    if (get<std::int64_t>(whole.data()) != 0) return refused(e::invalid_record, true);
    if (static_cast<std::int64_t>(size) > rules.max_batch) return refused(e::message_too_large, false);
    if (size < field::records || protocol::crc32c(whole.subspan(field::attributes)) != get<std::uint32_t>(whole.data() + field::crc))
        return refused(e::corrupt_message, false);
    protocol::record_batches in{whole, false};
    const auto* found = in.next();
    if (!found) return refused(e::invalid_record, true);
    batch_verdict v;
    v.batch = *found;
    v.tells_log_start = true;
    const auto& b = v.batch;
    const auto range = b.last_offset - b.base_offset + 1;
    if (b.count <= 0 || range != b.count || b.is_control() || (b.producer_id != -1 && b.base_sequence < 0)) {
        v.error = e::invalid_record;
        return v;
    }
    facts seen;
    if (const auto wrong = walk(v, rules, now_ms, seen); wrong != e::none) {
        v.error = wrong;
        return v;
    }
    if (seen.bad > 0) {
        refuse_records(v, seen);
        return v;
    }
    if (rules.recompress && *rules.recompress != b.codec()) {
        v.error = rebuild(v, rules, now_ms);
    } else if (rules.log_append_time) {
        v.changes.log_append_time = now_ms;
    } else if (b.max_timestamp != seen.max_timestamp || b.timestamps() != protocol::timestamp_type::create) {
        v.changes.max_timestamp = seen.max_timestamp;
    }
    if (v.error == e::none && static_cast<std::int64_t>(v.batch.whole.size()) > rules.max_segment) return refused(e::record_list_too_large, false);
    return v;
}

// The one pass over the records. What is wrong with single ones is collected, what is wrong with the batch ends it.
broker_errc batch_checker::walk(batch_verdict& v, const batch_rules& rules, std::int64_t now_ms, facts& found) {
    protocol::record_cursor cursor;
    if (const auto wrong = protocol::open_batch(v.batch, decompressor_, unpacked_, {}, cursor)) {
        if (wrong.code == errc::limit_exceeded) return e::message_too_large;
        return wrong.code == errc::bad_record ? e::invalid_record : e::unknown_server_error;
    }
    const bool stamped = v.batch.timestamps() == protocol::timestamp_type::log_append;
    // The bounds, once: now - timestamp > before, timestamp - now > after. The default of "before" is the highest number there is.
    std::int32_t index = 0;
    const auto name = [&](std::string text) {
        if (++found.bad <= most_named) v.bad_records.push_back({index, std::move(text)});
    };
    while (const auto* r = cursor.next()) {
        const auto t = r->timestamp;
        if (rules.keys_needed && r->key.is_null()) {
            name("Compacted topic cannot accept message without key in topic partition " + rules.partition);
        } else if (!rules.log_append_time && t != -1) {
            const auto age = wrapped(now_ms, t);
            if (age > rules.oldest_ms || wrapped(0, age) > rules.newest_ms) {
                found.bad_time = true;
                name("Timestamp " + std::to_string(t) + " of message with offset " + std::to_string(r->offset) + " is out of range. The timestamp should be within [" +
                     std::to_string(wrapped(now_ms, rules.oldest_ms)) + ", " + std::to_string(wrapped(now_ms, wrapped(0, rules.newest_ms))) + "]");
            }
        } else if (stamped) {
            found.bad_time = true;
            name("Invalid timestamp type in message DefaultRecord(offset=" + std::to_string(r->offset) + ", timestamp=" + std::to_string(t) +
                 ", key=" + std::to_string(r->key.size()) + " bytes, value=" + std::to_string(r->value.size()) +
                 " bytes). Producer should not set timestamp type to LogAppendTime.");
        }
        found.max_timestamp = std::max(found.max_timestamp, t);
        ++index;
    }
    return cursor.error() ? e::invalid_record : e::none;
}

void batch_checker::refuse_records(batch_verdict& v, const facts& found) {
    if (found.bad_time) {
        v.error = e::invalid_timestamp;
        v.text = "One or more records have been rejected due to invalid timestamp";
        return;
    }
    v.error = e::invalid_record;
    auto text = "One or more records have been rejected due to " + std::to_string(found.bad) +
                " record errors in total, and only showing the first three errors at most: [";
    for (std::size_t i = 0; i < std::min<std::size_t>(3, v.bad_records.size()); ++i) {
        if (i) text += ", ";
        text += "RecordError(batchIndex=" + std::to_string(v.bad_records[i].index) + ", message='" + v.bad_records[i].text + "')";
    }
    v.text = text + ']';
}

// The same records in another codec. They were good, so only size can stand in the way.
broker_errc batch_checker::rebuild(batch_verdict& v, const batch_rules& rules, std::int64_t now_ms) {
    auto source = v.batch;
    protocol::record_cursor cursor;
    if (protocol::open_batch(source, decompressor_, unpacked_, {}, cursor)) return e::unknown_server_error;
    protocol::batch_options how;
    how.codec = *rules.recompress;
    how.level = rules.level;
    how.producer_id = source.producer_id;
    how.producer_epoch = source.producer_epoch;
    how.base_sequence = source.base_sequence;
    how.transactional = source.is_transactional();
    if (rules.log_append_time) how.log_append_time = now_ms;
    builder_.start(how);
    std::vector<protocol::header_view> headers;
    while (const auto* r = cursor.next()) {
        headers.assign(r->headers.begin(), r->headers.end());
        if (builder_.append(r->timestamp, r->key, r->value, headers) != errc{}) return e::message_too_large;
    }
    protocol::bytes_view whole;
    if (builder_.close(whole)) return e::unknown_server_error;
    if (static_cast<std::int64_t>(whole.size()) > rules.max_batch) {
        v.tells_log_start = false;
        return e::message_too_large;
    }
    protocol::record_batches in{whole, false};
    const auto* made = in.next();
    if (!made) return e::unknown_server_error;
    v.batch = *made;
    return e::none;
}

}  // namespace kafkawire::broker
