// Record batches against the bytes that Kafka's own classes made: read, refused, written; and what hostile bytes may do.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <cstdlib>
#include <new>
#include <random>

#include "allocations.hpp"
#include "catch.hpp"
#include "golden.hpp"

using namespace kafkawire;
using namespace kafkawire::protocol;
using row = nlohmann::json;  // `json` is a namespace of ours

namespace {

std::optional<std::string> text_or_null(const row& j) {
    if (j.is_null()) return std::nullopt;
    return golden::from_base64(j.get_ref<const std::string&>());
}
bool same(const nullable_bytes& b, const row& expected) {
    const auto text = text_or_null(expected);
    return b.is_null() == !text && (!text || b.text() == *text);
}
std::string_view name_of(timestamp_type t) { return t == timestamp_type::none ? "NoTimestampType" : t == timestamp_type::create ? "CreateTime" : "LogAppendTime"; }

// The fields of a batch that differ from the golden ones; empty: none.
std::string differences(const record_batch& b, const row& e) {
    std::string out;
    const auto check = [&](const char* field, auto value) {
        if (!e.contains(field) || e[field].is_null()) return;
        if (e[field].get<decltype(value)>() != value) out += std::string{field} + " ";
    };
    check("magic", static_cast<int>(b.magic));
    check("baseOffset", b.base_offset);
    check("lastOffset", b.last_offset);
    check("nextOffset", b.next_offset());
    check("sizeInBytes", b.whole.size());
    check("crc", b.crc);
    check("attributes", static_cast<int>(b.attributes));
    check("compression", std::string{to_string(b.codec())});
    check("timestampType", std::string{name_of(b.timestamps())});
    check("maxTimestamp", b.max_timestamp);
    check("baseTimestamp", b.base_timestamp);
    check("partitionLeaderEpoch", b.partition_leader_epoch);
    check("producerId", b.producer_id);
    check("producerEpoch", b.producer_epoch);
    check("baseSequence", b.base_sequence);
    check("lastSequence", b.last_sequence());
    check("isTransactional", b.is_transactional());
    check("isControl", b.is_control());
    check("count", b.count);
    if (b.has_delete_horizon() != (e.contains("deleteHorizonMs") && !e["deleteHorizonMs"].is_null())) out += "deleteHorizonMs ";
    return out;
}

std::string differences(const record_view& r, const row& e) {
    std::string out;
    if (r.offset != e["offset"].get<std::int64_t>()) out += "offset ";
    if (r.timestamp != e["timestamp"].get<std::int64_t>()) out += "timestamp ";
    if (!same(r.key, e["key"])) out += "key ";
    if (!same(r.value, e["value"])) out += "value ";
    if (r.sequence != e.value("sequence", -1)) out += "sequence ";
    const auto headers = e.value("headers", row::array());
    if (r.headers.size() != headers.size()) return out + "headers ";
    std::size_t i = 0;
    for (const auto h : r.headers) {
        if (h.key != headers[i][0].get<std::string>() || !same(h.value, headers[i][1])) out += "header " + std::to_string(i) + " ";
        ++i;
    }
    if (e.contains("controlType")) {
        static constexpr std::array<std::string_view, 7> names = {"ABORT", "COMMIT", "LEADER_CHANGE", "SNAPSHOT_HEADER", "SNAPSHOT_FOOTER", "KRAFT_VERSION", "KRAFT_VOTERS"};
        const auto c = parse_control(r);
        if (!c || names.at(static_cast<std::size_t>(c->type)) != e["controlType"].get<std::string>()) out += "controlType ";
        else if (c->coordinator_epoch != e.value("coordinatorEpoch", -1)) out += "coordinatorEpoch ";
    }
    return out;
}

// Walks everything; the error if there is one.
records_error walk(bytes_view in, std::size_t& records, const read_options& options = {}) {
    thread_local record_reader reader;
    reader.start(in, options);
    reader.include_control_batches(true);
    records = 0;
    for (const auto& r : reader) {
        for (const auto h : r.headers) records += h.key.size() > (std::size_t{1} << 40);  // walks them; never true
        ++records;
    }
    return reader.error();
}

batch_options options_of(const row& b) {
    batch_options o;
    o.magic = b["magic"].get<std::int8_t>();
    o.codec = *compression_from(b["compression"].get<std::string>());
    o.base_offset = b["baseOffset"];
    if (b["timestampType"] == "LogAppendTime") o.log_append_time = b["maxTimestamp"].get<std::int64_t>();
    if (o.magic == 2) {
        o.last_offset = b["lastOffset"];
        o.partition_leader_epoch = b["partitionLeaderEpoch"];
        o.producer_id = b["producerId"];
        o.producer_epoch = b["producerEpoch"];
        o.base_sequence = b["baseSequence"];
        o.transactional = b["isTransactional"];
        o.control = b["isControl"];
        if (b.contains("deleteHorizonMs") && !b["deleteHorizonMs"].is_null()) o.delete_horizon = b["deleteHorizonMs"].get<std::int64_t>();
        // Compaction keeps what the records that are left cannot tell.
        o.base_timestamp = b["baseTimestamp"].get<std::int64_t>();
        o.max_timestamp = b["maxTimestamp"].get<std::int64_t>();
    }
    return o;
}

void append_all(batch_builder& to, const row& records) {
    for (const auto& r : records) {
        const auto key = text_or_null(r["key"]), value = text_or_null(r["value"]);
        std::vector<std::pair<std::string, std::optional<std::string>>> texts;
        for (const auto& h : r.value("headers", row::array())) texts.emplace_back(h[0].get<std::string>(), text_or_null(h[1]));
        std::vector<header_view> headers;
        for (const auto& [k, v] : texts) headers.push_back({k, v ? nullable_bytes{*v} : nullable_bytes{}});
        REQUIRE(to.append_at(r["offset"], r["timestamp"], key ? nullable_bytes{*key} : nullable_bytes{}, value ? nullable_bytes{*value} : nullable_bytes{}, headers) == errc{});
    }
}

const std::vector<row>& golden_batches() {
    static const auto all = golden::lines("record-batches");
    return all;
}

}  // namespace

TEST_CASE("golden batches are read with every field and record", "[record_batch]") {
    std::size_t records = 0, batches = 0;
    byte_buffer scratch;
    decompressor with;
    for (const auto& line : golden_batches()) {
        INFO(line["name"].get<std::string>());
        const auto in = golden::bytes_of(line);
        record_batches found{in};
        for (const auto& expected : line["batches"]) {
            const auto* next = found.next();
            REQUIRE(next != nullptr);
            auto batch = *next;
            record_cursor cursor;
            const auto error = open_batch(batch, with, scratch, {}, cursor);
            INFO(error.message());
            REQUIRE(!error);
            CHECK(differences(batch, expected) == "");
            for (const auto& r : expected["records"]) {
                const auto* record = cursor.next();
                if (!record) FAIL("a record is missing: " << cursor.error().message());
                if (const auto d = differences(*record, r); !d.empty()) FAIL(d << "differ in " << r.dump());
                ++records;
            }
            CHECK(cursor.next() == nullptr);
            CHECK(cursor.error().message() == "no error");
            ++batches;
        }
        CHECK(found.next() == nullptr);
        CHECK(!found.error());
        const auto name = line["name"].get<std::string>();
        const bool cut = name.find("truncated") != std::string::npos || name.find("bytes-of-the-next") != std::string::npos;
        CHECK((found.cut_bytes() != 0) == cut);
    }
    CHECK(batches == 2'277);
    CHECK(records == 13'796);
}

TEST_CASE("golden batches that are not compressed are written byte for byte", "[record_batch]") {
    batch_builder builder;
    std::size_t equal = 0;
    for (const auto& line : golden_batches()) {
        const auto in = golden::bytes_of(line);
        std::size_t at = 0;
        for (const auto& b : line["batches"]) {
            const auto original = bytes_view{in}.subspan(at, b["sizeInBytes"].get<std::size_t>());
            at += original.size();
            if (b["compression"] != "none") continue;
            // With LogAppendTime the records keep the producer's timestamps in their bytes, where nobody reads them and the line does not say them.
            if (b["magic"] == 2 && b["timestampType"] == "LogAppendTime") continue;
            INFO(line["name"].get<std::string>());
            builder.start(options_of(b));
            append_all(builder, b["records"]);
            bytes_view written;
            REQUIRE(!builder.close(written));
            if (!std::equal(original.begin(), original.end(), written.begin(), written.end())) CHECK("the bytes" == std::string{"differ"});
            ++equal;
        }
    }
    CHECK(equal > 1'000);
}

TEST_CASE("golden batches are written in every codec and read back the same", "[record_batch]") {
    batch_builder builder;
    byte_buffer scratch;
    decompressor with;
    for (const auto& line : golden_batches()) {
        for (const auto& b : line["batches"]) {
            if (b["compression"] == "none" && b["magic"] != 2) continue;  // done above; a wrapper needs its inner messages together
            for (int c = 0; c <= 4; ++c) {
                auto options = options_of(b);
                options.codec = static_cast<compression>(c);
                if (options.magic < 2 && (c == 0 || c == 4)) continue;
                INFO(line["name"].get<std::string>() << " in " << to_string(options.codec));
                builder.start(options);
                append_all(builder, b["records"]);
                bytes_view written;
                REQUIRE(!builder.close(written));
                record_batches found{written};
                const auto* next = found.next();
                REQUIRE(next != nullptr);
                auto batch = *next;
                record_cursor cursor;
                REQUIRE(!open_batch(batch, with, scratch, {}, cursor));
                CHECK(batch.codec() == options.codec);
                CHECK(batch.last_offset == b["lastOffset"].get<std::int64_t>());
                for (const auto& r : b["records"]) {
                    const auto* record = cursor.next();
                    if (!record) FAIL("a record is missing: " << cursor.error().message());
                    if (const auto d = differences(*record, r); !d.empty()) FAIL(d << "differ in " << r.dump());
                }
                CHECK(cursor.next() == nullptr);
                CHECK(!cursor.error());
            }
        }
    }
}

TEST_CASE("what Kafka refuses is refused, with the kind of fault", "[record_batch]") {
    for (const auto& line : golden::lines("record-batches-invalid")) {
        const auto in = golden::bytes_of(line);
        std::size_t records = 0;
        const auto before = allocations::bytes();
        const auto error = walk(in, records);
        CAPTURE(line["name"].get<std::string>(), line["fault"].get<std::string>(), error.message());
        REQUIRE(error);
        CHECK(allocations::bytes() - before < (1u << 20));
        const std::string fault = line["fault"];
        if (fault == "checksum") CHECK(error.code == errc::bad_crc);
        if (fault == "count") CHECK(error.code == errc::bad_record);
        if (fault == "magic") CHECK(error.code == errc::bad_magic);
        if (fault == "length") CHECK(error.code == errc::bad_length);
        if (fault == "compression") CHECK(error.code == errc::unknown_codec);
        if (fault == "compressed data") CHECK(error.code == errc::decompression_failed);
    }
}

TEST_CASE("a batch that is cut anywhere is a cut tail, not an error", "[record_batch][hostile]") {
    for (const auto& line : golden_batches()) {
        const auto in = golden::bytes_of(line);
        if (in.size() > 4'000) continue;
        std::size_t all = 0;
        REQUIRE(!walk(in, all));
        for (std::size_t cut = 0; cut < in.size(); ++cut) {
            // A copy of its own, so that reading beyond it is seen by the address sanitizer.
            const std::vector<std::byte> part(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(cut));
            std::size_t records = 0;
            const auto error = walk(part, records);
            if (error || records > all) FAIL(line["name"] << " cut at " << cut << ": " << error.message());
        }
    }
}

TEST_CASE("flipped bytes are an error or other records, never a crash or much memory", "[record_batch][hostile]") {
    const unsigned seed = std::random_device{}();
    CAPTURE(seed);
    std::minstd_rand random{seed};
    read_options unchecked;  // else the checksum would keep everything from the code behind it
    unchecked.check_crcs = false;
    unchecked.limits.max_decompressed_batch = 1 << 20;
    std::size_t refused = 0, total = 0;
    for (const auto& line : golden_batches()) {
        const auto in = golden::bytes_of(line);
        if (in.size() > 4'000) continue;
        for (std::size_t at = 0; at < in.size(); ++at) {
            auto bad = in;
            bad[at] ^= static_cast<std::byte>(1 + random() % 255);
            const auto before = allocations::bytes();
            std::size_t records = 0;
            const auto error = walk(bad, records, unchecked);
            refused += error ? 1 : 0;
            ++total;
            if (allocations::bytes() - before > (std::size_t{8} << 20)) FAIL(line["name"] << " with another byte at " << at << " allocates too much");
        }
    }
    CHECK(refused > total / 10);
}

TEST_CASE("building and walking allocate nothing in the long run", "[record_batch]") {
    const std::string value(100, 'v');
    const header_view headers[] = {{"trace", "0123456789abcdef"}, {"empty", nullptr}};
    batch_builder builder;
    record_reader reader;
    for (const auto codec : {compression::none, compression::gzip, compression::lz4, compression::zstd}) {
        std::size_t counted = 0, records = 0, wrong = 0;
        for (int round = 0; round < 3; ++round) {  // the first rounds make the buffers
            const auto before = allocations::count();
            builder.start({.codec = codec});
            for (int i = 0; i < 5'000; ++i) wrong += builder.append(1'700'000'000'000 + i, "key", value, headers) != errc{};
            bytes_view batch;
            wrong += builder.close(batch) ? 1 : 0;
            reader.start(batch);
            records = 0;
            for (const auto& r : reader) records += r.value.text() == value && r.headers.size() == 2;
            counted = allocations::count() - before;
        }
        INFO(to_string(codec));
        CHECK(counted == 0);
        CHECK((records == 5'000 && wrong == 0));
    }
}

TEST_CASE("the builder refuses what it cannot say and stays as it was", "[record_batch]") {
    const header_view header[] = {{"k", "v"}};
    batch_builder old{{.magic = 1}};
    CHECK(old.append(1, "k", "v", header) == errc::not_in_version);
    old.start({.magic = 0, .codec = compression::zstd});
    CHECK(old.append(1, "k", "v") == errc::not_in_version);
    batch_builder b;
    CHECK(b.append_at(5, 1, "k", "v") == errc{});
    const auto size = b.size();
    CHECK(b.append_at(5, 1, "k", "v") == errc::bad_value);
    CHECK(b.append_at(4, 1, "k", "v") == errc::bad_value);
    CHECK(b.append_at(std::int64_t{1} << 31, 1, "k", "v") == errc::bad_value);
    const std::byte one{};
    CHECK(b.append(1, bytes_view{&one, std::size_t{1} << 31}, nullptr) == errc::limit_exceeded);  // refused before it is looked at
    CHECK((b.size() == size && b.count() == 1));
    bytes_view batch;
    REQUIRE(!b.close(batch));
    CHECK(b.append(1, "k", "v") == errc::bad_value);
}

TEST_CASE("most_bytes is never less than a record takes", "[record_batch]") {
    const header_view headers[] = {{"header", nullptr}, {"other", std::string_view{"value"}}};
    for (const auto magic : {0, 1, 2})
        for (const std::size_t size : {0u, 1u, 63u, 64u, 8'191u, 8'192u, 100'000u}) {
            const std::string text(size, 'x');
            const auto h = magic == 2 ? std::span<const header_view>{headers} : std::span<const header_view>{};
            batch_builder b{{.magic = static_cast<std::int8_t>(magic), .base_timestamp = 0}};
            const auto before = b.size();
            REQUIRE(b.append(std::numeric_limits<std::int64_t>::min(), text, text, h) == errc{});
            CHECK(b.size() - before <= batch_builder::most_bytes(text, text, h));
        }
}

TEST_CASE("large batches carry the right checksum, however it was summed", "[record_batch]") {
    batch_builder b;
    std::string text;
    for (const std::size_t records : {1u, 200u, 230u, 1'000u, 9'000u}) {
        b.start({});
        for (std::size_t i = 0; i < records; ++i) {
            text.assign(i % 211, static_cast<char>(i));
            REQUIRE(b.append(static_cast<std::int64_t>(i), text, text) == errc{});
        }
        REQUIRE(b.append(0, nullptr, std::string(100'000, 'x')) == errc{});
        bytes_view batch;
        REQUIRE(!b.close(batch));
        std::size_t n = 0;
        CHECK(walk(batch, n).message() == "no error");
        CHECK(n == records + 1);
        REQUIRE(!b.close(batch));  // closing again changes nothing
        CHECK(walk(batch, n).message() == "no error");
    }
}

TEST_CASE("a reader steps over control batches, says where to go on, and ends at an error with what came before", "[record_batch]") {
    batch_builder b{{.base_offset = 10}};
    std::vector<std::byte> all;
    const auto add = [&](const batch_options& o, auto append) {
        b.start(o);
        append();
        bytes_view v;
        REQUIRE(!b.close(v));
        all.insert(all.end(), v.begin(), v.end());
    };
    add({.base_offset = 10, .partition_leader_epoch = 7}, [&] { CHECK(b.append(1, "a", "b") == errc{}); });
    const auto marker = make_end_transaction_marker(control_type::commit, 3);
    add({.base_offset = 11, .control = true}, [&] { CHECK(b.append(1, bytes_view{marker.key}, bytes_view{marker.value}) == errc{}); });
    add({.base_offset = 12}, [&] {
        CHECK(b.append(1, "c", nullptr) == errc{});
        CHECK(b.append(1, "d", nullptr) == errc{});
    });
    record_reader in{all};
    std::vector<std::int64_t> offsets;
    for (const auto& r : in) offsets.push_back(r.offset);
    CHECK(offsets == std::vector<std::int64_t>{10, 12, 13});
    CHECK(in.next_offset() == 14);
    CHECK(!in.error());

    in.start(all);
    in.include_control_batches(true);
    REQUIRE(in.next());
    CHECK(in.batch().partition_leader_epoch == 7);
    const auto* control = in.next();
    REQUIRE(control);
    CHECK(parse_control(*control)->type == control_type::commit);
    CHECK(parse_control(*control)->coordinator_epoch == 3);

    all.back() ^= std::byte{1};
    in.start(all);
    in.include_control_batches(false);
    REQUIRE(in.next());
    CHECK(in.next() == nullptr);
    CHECK(in.error().code == errc::bad_crc);
    CHECK(in.error().offset > 100);
    CHECK(in.error().first_offset == 12);
    CHECK(in.error().last_offset == 13);  // as the damaged batch says
    CHECK(in.next_offset() == 12);  // the position stays before the bad batch
}

namespace {
// One message of format 0 or 1 at an offset, which its checksum does not cover. With a codec: `value` is what is inside, and the checksum is wrong.
std::vector<std::byte> old_message(int magic, std::int64_t offset, int codec = 0, bytes_view value = {}) {
    batch_builder builder;
    builder.start({.magic = static_cast<std::int8_t>(magic)});
    REQUIRE(builder.append(1, nullptr, value) == errc{});
    bytes_view written;
    REQUIRE(!builder.close(written));
    std::vector<std::byte> message{written.begin(), written.end()};
    for (std::size_t i = 0; i < 8; ++i) message[i] = static_cast<std::byte>(static_cast<std::uint64_t>(offset) >> (56 - 8 * i));
    message[17] = static_cast<std::byte>(codec);
    return message;
}
}  // namespace

TEST_CASE("a batch behind which no offset could follow is refused", "[record_batch][hostile]") {
    // Found by fuzzing: the offset to go on at overflowed.
    constexpr auto highest = std::numeric_limits<std::int64_t>::max();
    batch_builder builder;
    builder.start({.base_offset = highest - 1});
    REQUIRE(builder.append_at(highest - 1, 0, "k", "v", {}) == errc{});
    bytes_view written;
    REQUIRE(!builder.close(written));
    std::vector<std::byte> last{written.begin(), written.end()};
    record_reader in{last};
    REQUIRE(in.next());
    CHECK(!in.next());
    CHECK(!in.error());
    CHECK(in.next_offset() == highest);
    last[7] = std::byte{0xff};  // the lowest byte of the base offset, which the checksum leaves out
    in.start(last);
    CHECK(!in.next());
    CHECK(in.error().code == errc::bad_record);
    CHECK(in.next_offset() == -1);

    // Formats 0 and 1, a message on its own: its checksum leaves the offset out too.
    for (const int magic : {0, 1}) {
        CAPTURE(magic);
        auto message = old_message(magic, highest);
        in.start(message);
        CHECK(!in.next());
        CHECK(in.error().code == errc::bad_record);
        message[7] = std::byte{0xfe};
        in.start(message);
        CHECK(in.next());
    }
}

TEST_CASE("inner messages of format 1 do not lie behind their wrapper", "[record_batch][hostile]") {
    // The middle one's offset could not be made absolute without an overflow.
    std::vector<std::byte> content;
    for (const std::int64_t offset : {std::int64_t{0}, std::numeric_limits<std::int64_t>::max(), std::int64_t{2}})
        for (const auto b : old_message(1, offset)) content.push_back(b);
    compressor with;
    byte_buffer packed;
    REQUIRE(!with.compress(compression::gzip, content, packed));
    const auto wrapped = old_message(1, 1'000, 1, packed.view());
    record_reader in{wrapped, {.check_crcs = false}};
    CHECK(!in.next());
    CHECK(in.error().code == errc::bad_record);
    CHECK(in.error().what.find("inner") != std::string_view::npos);
}
