// From the bytes of an answer to records: what is shown, what is left out, where it ends, what it costs.
#include "client/record_chunk.hpp"

#include <kafkawire/protocol/batch_builder.hpp>

#include <thread>

#include "allocations.hpp"
#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using protocol::batch_builder;
using protocol::batch_options;

namespace {

// What one answer brings of a partition, put together batch by batch.
struct answer_bytes {
    protocol::bytes bytes;
    std::vector<aborted_range> aborted;
    std::shared_ptr<fetch_share> share = std::make_shared<fetch_share>(std::size_t{1} << 30);
    std::shared_ptr<walk_state> walked = std::make_shared<walk_state>();
    protocol::decompressor with;

    /// `n` records "from", "from + 1", ...
    std::size_t batch(std::int64_t from, int n, batch_options o = {}) {
        o.base_offset = from;
        batch_builder b{o};
        for (int i = 0; i < n; ++i) CHECK(b.append(1000 + from + i, "k", std::to_string(from + i)) == errc{});
        return close(b);
    }
    std::size_t marker(std::int64_t at, std::int64_t producer, protocol::control_type what) {
        batch_builder b{{.base_offset = at, .producer_id = producer, .producer_epoch = 0, .transactional = true, .control = true}};
        const auto m = protocol::make_end_transaction_marker(what, 1);
        CHECK(b.append(0, protocol::bytes_view{m.key}, protocol::bytes_view{m.value}) == errc{});
        return close(b);
    }
    std::size_t close(batch_builder& b) {
        protocol::bytes_view all;
        CHECK(!b.close(all));
        const auto at = bytes.size();
        bytes.insert(bytes.end(), all.begin(), all.end());
        return at;
    }
    fetched_slice left;

    opened_slice open(std::int64_t position, open_settings how = {}, std::size_t most_bytes = ~std::size_t{0}) {
        std::shared_ptr<std::byte[]> copy(new std::byte[bytes.size() + 1]);
        std::copy(bytes.begin(), bytes.end(), copy.get());
        share->charge(bytes.size());
        fetched_slice s;
        s.frame = std::make_shared<const fetched_frame>(share, copy, bytes.size());
        s.records = {copy.get(), bytes.size()};
        if (how.read_committed) s.aborted = aborted_producers{aborted};
        s.asked_offset = position;
        left = std::move(s);
        return go_on(position, how, most_bytes);
    }
    opened_slice go_on(std::int64_t position, open_settings how, std::size_t most_bytes) {
        auto o = open_slice(left, position, how, most_bytes, std::make_shared<const std::string>("t"), 3, 9, walked, with);
        if (left.records.empty()) left = {};
        return o;
    }
};

std::vector<std::int64_t> offsets(const chunk_range& r) {
    std::vector<std::int64_t> all;
    if (r.chunk)
        for (const auto& rec : partition_records{r}) {
            CHECK(rec.value.text() == std::to_string(rec.offset));
            all.push_back(rec.offset);
        }
    return all;
}
std::vector<std::int64_t> range(std::int64_t from, std::int64_t to) {
    std::vector<std::int64_t> all;
    for (; from < to; ++from) all.push_back(from);
    return all;
}

}  // namespace

TEST_CASE("a slice is cut at the position, wherever that lies") {
    for (const auto codec : {protocol::compression::none, protocol::compression::zstd}) {
        for (const std::int8_t magic : {std::int8_t{1}, std::int8_t{2}}) {
            if (magic == 1 && codec == protocol::compression::zstd) continue;
            answer_bytes a;
            a.batch(10, 5, {.magic = magic, .codec = codec});
            a.batch(15, 1, {.magic = magic, .codec = codec});
            a.batch(16, 4, {.magic = magic, .codec = codec});
            for (std::int64_t at = 0; at < 22; ++at) {
                const auto o = a.open(at);
                CHECK(!o.error);
                CHECK(offsets(o.range) == range(std::max<std::int64_t>(at, 10), 20));
                CHECK(o.next_offset == std::max<std::int64_t>(at, 20));
                if (!o.chunk) continue;
                CHECK(o.range.count == 20 - std::max<std::int64_t>(at, 10));
                CHECK(o.range.next_offset == 20);
            }
            CHECK(a.share->used() == 0);
        }
    }
}

TEST_CASE("what compaction took away is passed over, at the batch's end too") {
    answer_bytes a;
    batch_builder b{{.base_offset = 10, .last_offset = 19}};
    CHECK(b.append_at(12, 0, nullptr, "12") == errc{});
    CHECK(b.append_at(17, 0, nullptr, "17") == errc{});
    a.close(b);
    batch_builder none{{.base_offset = 20, .last_offset = 29}};
    a.close(none);
    const auto o = a.open(11);
    CHECK(offsets(o.range) == std::vector<std::int64_t>{12, 17});
    CHECK(o.next_offset == 30);
    CHECK(offsets(a.open(13).range) == std::vector<std::int64_t>{17});
    CHECK(!a.open(18).chunk);
    CHECK(a.open(18).next_offset == 30);
}

TEST_CASE("aborted transactions and markers are left out, whatever the order of the list") {
    answer_bytes a;
    const auto of = [](std::int64_t id) { return batch_options{.producer_id = id, .producer_epoch = 0, .base_sequence = 0, .transactional = true}; };
    a.batch(0, 2, of(1));
    a.batch(2, 2, of(2));
    a.batch(4, 2);
    a.marker(6, 1, protocol::control_type::abort);
    a.batch(7, 2, of(1));
    a.marker(9, 2, protocol::control_type::commit);
    a.marker(10, 1, protocol::control_type::commit);
    a.batch(11, 1, of(2));
    a.batch(12, 1, of(1));
    a.marker(13, 2, protocol::control_type::abort);
    a.marker(14, 1, protocol::control_type::abort);
    a.aborted = {{1, 12}, {2, 11}, {1, 0}};
    CHECK(offsets(a.open(0).range) == std::vector<std::int64_t>{2, 3, 4, 5, 7, 8});
    CHECK(a.open(0).next_offset == 15);
    CHECK(offsets(a.open(0, {.read_committed = false}).range) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 7, 8, 11, 12});
    CHECK(offsets(a.open(8).range) == std::vector<std::int64_t>{8});
    CHECK(!a.open(9).chunk);
    CHECK(a.open(9).next_offset == 15);
    // Batch by batch it is the same.
    std::vector<std::int64_t> all;
    auto o = a.open(0, {}, 1);
    while (true) {
        for (const auto i : offsets(o.range)) all.push_back(i);
        if (a.left.records.empty()) break;
        o = a.go_on(o.next_offset, {}, 1);
    }
    CHECK(all == std::vector<std::int64_t>{2, 3, 4, 5, 7, 8});
    CHECK(o.next_offset == 15);
}

TEST_CASE("a bad batch ends what comes before it, and says where it is") {
    for (const auto codec : {protocol::compression::none, protocol::compression::lz4}) {
        answer_bytes a;
        a.batch(0, 3, {.codec = codec});
        const auto second = a.batch(3, 3, {.codec = codec});
        a.batch(6, 3, {.codec = codec});
        a.bytes[second + 65] ^= std::byte{1};
        const auto o = a.open(0);
        CHECK(offsets(o.range) == range(0, 3));
        CHECK(o.next_offset == 3);
        CHECK(o.error.code == errc::bad_crc);
        CHECK(o.error.first_offset == 3);
        CHECK(o.error.last_offset == 5);
        CHECK(a.open(3).error.code == errc::bad_crc);
        CHECK(!a.open(3).chunk);
    }
    SECTION("too large when it is decompressed") {
        answer_bytes a;
        a.batch(0, 1);
        batch_builder b{{.codec = protocol::compression::gzip, .base_offset = 1}};
        CHECK(b.append(0, nullptr, std::string(100'000, 'x')) == errc{});
        a.close(b);
        const auto o = a.open(0, {.limits = {50'000}});
        CHECK(offsets(o.range) == range(0, 1));
        CHECK(o.error.code == errc::limit_exceeded);
        CHECK(o.error.last_offset == 1);
    }
    SECTION("offsets that go back") {
        answer_bytes a;
        a.batch(0, 5);
        a.batch(3, 5);
        const auto o = a.open(0);
        CHECK(offsets(o.range) == range(0, 5));
        CHECK(o.error.code == errc::bad_record);
        CHECK(o.next_offset == 5);
    }
    SECTION("a tail that is cut is none, and a first batch that is cut says how long it is") {
        answer_bytes a;
        a.batch(0, 5);
        const auto whole = a.bytes.size();
        a.batch(5, 5);
        a.bytes.resize(a.bytes.size() - 1);
        CHECK(offsets(a.open(0).range) == range(0, 5));
        CHECK(!a.open(0).error);
        a.bytes.resize(whole - 10);
        CHECK(a.open(0).cut_batch == whole);
        CHECK(!a.open(0).error);
    }
}

TEST_CASE("a malformed record ends the walk, and the consumer hears of it") {
    answer_bytes a;
    a.batch(0, 3);
    const auto second = a.batch(3, 3);
    // The third record's offset delta is made to go back. Its checksum is not looked at here.
    const auto record = (a.bytes.size() - second - 61) / 3;
    a.bytes[second + 61 + 2 * record + 3] = std::byte{0};
    const auto o = a.open(0, {.check_crcs = false});
    CHECK(!o.error);
    const partition_records p{o.range};
    CHECK(!p.error());
    CHECK(offsets(o.range) == range(0, 5));
    REQUIRE(p.error());
    CHECK(p.error().code == errc::bad_record);
    CHECK(p.error().text.find("t-3 at offset 5") != std::string::npos);
    CHECK(a.walked->at == 5);
    const records both{{p, p}};
    CHECK(both.error());
    std::size_t n = 0;
    for (const auto& r : both) n += r.offset >= 0;
    CHECK(n == 10);
}

TEST_CASE("ranges are cut from the front and moved forward") {
    answer_bytes a;
    a.batch(0, 3, {.codec = protocol::compression::lz4});
    a.batch(5, 3);
    a.batch(9, 1);
    for (std::int64_t cut = 1; cut <= 8; ++cut) {
        auto rest = a.open(0).range;
        std::vector<std::int64_t> all;
        while (rest.count > 0) {
            const auto front = cut_front(rest, cut);
            const auto here = offsets(front);
            CHECK(static_cast<std::int64_t>(here.size()) == front.count);
            CHECK(front.first_offset <= here.front());
            CHECK(front.next_offset > here.back());
            all.insert(all.end(), here.begin(), here.end());
        }
        CHECK(all == std::vector<std::int64_t>{0, 1, 2, 5, 6, 7, 9});
    }
    for (std::int64_t to = 0; to < 12; ++to) {
        auto rest = a.open(0).range;
        const bool any = forward_to(rest, to);
        CHECK(any == (to <= 9));
        if (any) CHECK(offsets(rest).front() >= to);
        if (any && to == 4) CHECK(offsets(rest) == std::vector<std::int64_t>{5, 6, 7, 9});
    }
}

TEST_CASE("walking allocates nothing, opening nothing for each record") {
    for (const auto codec : {protocol::compression::none, protocol::compression::lz4}) {
        answer_bytes a;
        for (int i = 0; i < 10; ++i) a.batch(i * 1000, 1000, {.codec = codec});
        (void)a.open(0);
        (void)a.open(0);
        auto before = allocations::count();
        const auto o = a.open(0);
        CHECK(allocations::count() - before < 30);
        const records all{{partition_records{o.range}}};
        before = allocations::count();
        std::size_t bytes = 0, n = 0;
        for (const auto& r : all) {
            bytes += r.value.size() + r.topic.size();
            ++n;
        }
        CHECK(n == 10'000);
        CHECK(bytes > 0);
        CHECK(allocations::count() == before);
    }
}

TEST_CASE("bytes go back when the last of their records is gone, on any thread") {
    answer_bytes a;
    a.batch(0, 10, {.codec = protocol::compression::zstd});
    int freed = 0;
    {
        auto o = a.open(0);
        auto part = partition_records{o.range};
        o = {};
        CHECK(a.share->used() > a.bytes.size());
        a.share->call_when_freed([&] { ++freed; });
        std::thread{[p = std::move(part)]() mutable {
            auto mine = std::move(p);
            std::size_t n = 0;
            for (const auto& r : mine) n += r.value.size();
            (void)n;
        }}.join();
    }
    CHECK(a.share->used() == 0);
    CHECK(freed == 1);
}

TEST_CASE("a record that is kept has bytes of its own") {
    consumer_record kept;
    {
        answer_bytes a;
        batch_builder b{{.base_offset = 7, .partition_leader_epoch = 4}};
        const protocol::header_view h[] = {{"a", "1"}, {"b", nullptr}};
        CHECK(b.append(99, nullptr, "value", h) == errc{});
        a.close(b);
        const auto o = a.open(0);
        kept = consumer_record{*partition_records{o.range}.begin()};
    }
    CHECK(kept.topic == "t");
    CHECK(kept.partition == 3);
    CHECK(kept.offset == 7);
    CHECK(kept.leader_epoch == 4);
    CHECK(!kept.key);
    CHECK(kept.value == "value");
    REQUIRE(kept.headers.size() == 2);
    CHECK(kept.headers[0].value == "1");
    CHECK(!kept.headers[1].value);
}
