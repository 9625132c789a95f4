// A `records` field. The first byte chooses: checksums checked, or not (so that what lies behind them is reached).
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>

#include "fuzz/common.hpp"

namespace {

using namespace kafkawire::protocol;
using kafkawire::fuzzing::must;

struct kept_record {
    std::int64_t offset, timestamp;
    nullable_bytes key, value;
    std::vector<header_view> headers;
};

bool equal(const nullable_bytes& a, const nullable_bytes& b) { return a.is_null() == b.is_null() && a.text() == b.text(); }

// What was read is written as a plain batch and must come back the same.
void round_trip(const record_batch& batch, const std::vector<kept_record>& records) {
    static batch_builder builder;
    batch_options o;
    // Old messages have no range that they must keep to: theirs is what their records say.
    o.base_offset = batch.magic == 2 || records.empty() ? batch.base_offset : records.front().offset;
    if (batch.magic == 2) {
        o.last_offset = batch.last_offset;
        o.base_timestamp = batch.base_timestamp;
        o.max_timestamp = batch.max_timestamp;
    }
    builder.start(o);
    // A record may be written in another order of offsets or at a distance that format 2 cannot say (old messages can): refused, not wrong.
    for (const auto& r : records)
        if (builder.append_at(r.offset, r.timestamp, r.key, r.value, r.headers) != kafkawire::errc{}) return must(batch.magic < 2, "what was read cannot be written");
    bytes_view written;
    must(!builder.close(written), "what was read makes no batch");
    record_reader again{written};
    for (const auto& r : records) {
        const auto* other = again.next();
        if (!other) std::fprintf(stderr, "%s\n", again.error().message().c_str());
        must(other, "a record is missing after a round trip");
        must(other->offset == r.offset && other->timestamp == r.timestamp && equal(other->key, r.key) && equal(other->value, r.value),
             "a record has changed in a round trip");
        must(static_cast<std::size_t>(other->headers.size()) == r.headers.size(), "headers are lost in a round trip");
    }
    must(!again.next() && !again.error(), "more records after a round trip");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const bytes_view input{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
    const read_options options{.check_crcs = (data[0] & 1) != 0, .limits = {.max_decompressed_batch = 1 << 18}};
    static decompressor with;
    static byte_buffer scratch;
    record_batches batches{input, options.check_crcs};
    std::vector<kept_record> records;
    while (const auto* next = batches.next()) {
        auto batch = *next;
        must(batch.offset + batch.whole.size() <= input.size(), "a batch lies beyond the bytes");
        record_cursor cursor;
        records.clear();
        if (open_batch(batch, with, scratch, options, cursor)) continue;
        while (const auto* r = cursor.next()) {
            kept_record k{r->offset, r->timestamp, r->key, r->value, {}};
            for (const auto h : r->headers) k.headers.push_back(h);
            records.push_back(std::move(k));
        }
        if (!cursor.error() && batch.timestamps() != timestamp_type::log_append) round_trip(batch, records);
    }
    // The short way finds the same end.
    record_reader reader{input, options};
    reader.include_control_batches(true);
    std::size_t count = 0;
    while (reader.next()) must(++count <= (std::size_t{1} << 20), "more records than bytes");
    must(reader.cut_bytes() <= input.size(), "more bytes cut than there are");
    return 0;
}
