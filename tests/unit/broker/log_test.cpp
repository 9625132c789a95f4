#include "broker/log.hpp"

#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include "broker/compaction.hpp"
#include "broker/partition.hpp"
#include "catch.hpp"

namespace kafkawire::broker {
namespace {

protocol::bytes batch_of(int records, std::size_t value_size = 20, std::int64_t timestamp = 1000) {
    protocol::batch_builder b;
    const std::string value(value_size, 'v');
    for (int i = 0; i < records; ++i) REQUIRE(b.append(timestamp + i, nullptr, value) == errc{});
    protocol::bytes_view whole;
    REQUIRE(!b.close(whole));
    return {whole.begin(), whole.end()};
}

void append(log& to, int records, std::size_t value_size = 20, std::int32_t epoch = 0) {
    std::int64_t base = 0;
    REQUIRE(!to.append(batch_of(records, value_size), {.leader_epoch = epoch}, base));
}

std::vector<std::int64_t> offsets(const log& l, std::int64_t from) {
    std::vector<std::int64_t> all;
    l.for_each_batch(from, [&](protocol::bytes_view batch) {
        protocol::record_reader in{batch};
        for (const auto& r : in) all.push_back(r.offset);
        CHECK(!in.error());
    });
    return all;
}

TEST_CASE("a log gives batches from the one that holds an offset, whole or cut where the limit is") {
    memory_budget budget{1 << 20};
    log l{budget};
    append(l, 3);
    append(l, 2);
    append(l, 1);
    CHECK(l.end_offset() == 6);
    CHECK(offsets(l, 0) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
    CHECK(offsets(l, 4) == std::vector<std::int64_t>{3, 4, 5});
    const auto first = l.entries()[0].size;
    CHECK(l.read(1, 6, 10, true).data.size() == first);
    CHECK(l.read(1, 6, 10, false).data.size() == 10);
    CHECK(l.read(0, 6, first + 5, true).data.size() == first + 5);
    CHECK(l.read(0, 3, 1 << 20, true).data.size() == first);
    CHECK(l.read(6, 6, 1 << 20, true).data.empty());
    CHECK(l.offset_behind(0, first) == 3);
    CHECK(l.offset_behind(0, first + 1) == 5);
}

TEST_CASE("what was cut off a log leaves its bytes to those who have them, and its offsets to others") {
    memory_budget budget{1 << 20};
    log l{budget};
    append(l, 3);
    append(l, 3);
    const auto held = l.read(3, 6, 1 << 20, true);
    const protocol::bytes before{held.data.begin(), held.data.end()};
    REQUIRE(!l.truncate_to(4));  // in the middle of a batch, which goes as a whole
    CHECK(l.end_offset() == 3);
    append(l, 1, 20, 1);
    CHECK(l.end_offset() == 4);
    CHECK(std::equal(before.begin(), before.end(), held.data.begin()));
    CHECK(offsets(l, 0) == std::vector<std::int64_t>{0, 1, 2, 3});
    CHECK(l.epochs() == std::vector<epoch_start>{{0, 0}, {1, 3}});
    CHECK(l.end_of_epoch(0) == epoch_start{0, 3});
    CHECK(l.end_of_epoch(1) == epoch_start{1, 4});
    CHECK(l.end_of_epoch(2) == epoch_start{-1, -1});
}

TEST_CASE("when memory is used up the oldest slabs of all logs go") {
    memory_budget budget{1 << 20};
    log a{budget}, b{budget};
    for (int i = 0; i < 40; ++i) {
        append(a, 100, 200);
        append(b, 100, 200);
    }
    CHECK(budget.used() <= (1u << 20) + (300u << 10));
    CHECK(a.start_offset() > 0);
    CHECK(b.start_offset() > 0);
    CHECK(a.end_offset() == 4000);
    const auto left = offsets(b, b.start_offset());
    REQUIRE(!left.empty());
    CHECK(left.front() == b.start_offset());
    CHECK(left.back() == 3999);
}

TEST_CASE("a log with files comes back as it was, without what was not whole") {
    memory_budget budget{64 << 10};  // most of it is read back from the files
    const auto disk = std::make_shared<memory_storage>();
    {
        log l{budget};
        REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 8 << 10));
        for (int i = 0; i < 20; ++i) append(l, 10, 300, i / 10);
        CHECK(offsets(l, 0).size() == 200);
        REQUIRE(!l.raise_start(25));
    }
    CHECK(disk->list("t-0").size() > 5);
    std::error_code ec;
    const auto names = disk->list("t-0");
    std::string last;
    for (const auto& n : names)
        if (n.ends_with(".log")) last = n;
    REQUIRE(!disk->open("t-0/" + last, ec)->append(std::as_bytes(std::span{"torn", 4})));
    log l{budget};
    REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 8 << 10));
    CHECK(l.start_offset() == 25);
    CHECK(l.end_offset() == 200);
    CHECK(offsets(l, 25).front() == 20);
    CHECK(offsets(l, 25).back() == 199);
    CHECK(l.epochs() == std::vector<epoch_start>{{0, 25}, {1, 100}});
    REQUIRE(!l.truncate_to(150));
    append(l, 1, 10, 2);
    CHECK(offsets(l, 140).back() == 150);
}

TEST_CASE("a byte that changed on the disk ends a log there") {
    const auto disk = std::make_shared<memory_storage>();
    memory_budget budget{1 << 20};
    std::uint64_t second = 0;
    {
        log l{budget};
        REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 1 << 20));
        append(l, 5);
        append(l, 5);
        append(l, 5);
        second = l.entries()[1].place.at;
    }
    std::error_code ec;
    auto text = *disk->load("t-0/00000000000000000000.log");
    text[second + 70] = static_cast<char>(text[second + 70] ^ 1);
    REQUIRE(!disk->replace("t-0/00000000000000000000.log", text));
    log l{budget};
    REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 1 << 20));
    CHECK(l.end_offset() == 5);
}

TEST_CASE("a loss of power takes what was not flushed, and leaves whole batches") {
    const auto disk = std::make_shared<memory_storage>();
    memory_budget budget{1 << 20};
    for (const unsigned kept : {0u, 33u, 99u}) {
        static_cast<void>(disk->remove("t-0"));
        {
            log l{budget};
            REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 1 << 20));
            append(l, 5);
            REQUIRE(!l.files()->flush());
            for (int i = 0; i < 6; ++i) append(l, 5);
        }
        disk->crash(kept);
        log l{budget};
        REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 1 << 20));
        CHECK(l.end_offset() == (kept == 0 ? 5 : kept == 33 ? 10 : 30));
        CHECK(offsets(l, 0).size() == static_cast<std::size_t>(l.end_offset()));
    }
}

TEST_CASE("other batches stand for the first ones after a compaction, also after a restart") {
    const auto disk = std::make_shared<memory_storage>();
    memory_budget budget{1 << 20};
    const bool with_files = GENERATE(true, false);
    {
        log l{budget};
        if (with_files) REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 4 << 10));
        for (int i = 0; i < 12; ++i) append(l, 10, 200);
        std::size_t count = 8;
        while (with_files && l.entries()[count].place.at != 0) ++count;
        protocol::batch_builder b{{.base_offset = 0, .last_offset = l.entries()[count].base_offset - 1}};
        REQUIRE(b.append_at(7, 1, "k", "kept") == errc{});
        protocol::bytes_view whole;
        REQUIRE(!b.close(whole));
        REQUIRE(!l.replace_front(count, {{whole.begin(), whole.end()}}));
        CHECK(offsets(l, 0)[0] == 7);
        CHECK(offsets(l, 0)[1] == static_cast<std::int64_t>(count) * 10);
        append(l, 1);
        CHECK(offsets(l, 0).back() == 120);
    }
    if (!with_files) return;
    log l{budget};
    REQUIRE(!l.open(std::make_unique<segment_store>(disk, "t-0"), 4 << 10));
    CHECK(offsets(l, 0)[0] == 7);
    CHECK(offsets(l, 0).back() == 120);
}

struct replicated {
    explicit replicated(std::chrono::milliseconds delay) {
        world.timers = &timers;
        world.now = &now;
        world.replication_delay = delay;
    }
    void advance(std::chrono::milliseconds by) {
        now.steady += by;
        while (timers.run_one(now.steady)) {}
    }
    broker::timers timers;
    moment now{};
    partition_world world{1 << 20};
};

TEST_CASE("the death of a leader takes what only it had, and nothing that all had") {
    replicated r{std::chrono::milliseconds{10}};
    partition p{r.world, "t", {}, 0, {1, 2, 3}};
    std::vector<broker_errc> answers;
    const auto write = [&] {
        const auto done = p.append(batch_of(1));
        p.when_replicated(done.last_offset, [&](broker_errc e) { answers.push_back(e); });
    };
    write();
    CHECK(answers.empty());
    CHECK(p.high_watermark() == 0);
    r.advance(std::chrono::milliseconds{10});
    CHECK(answers == std::vector{broker_errc::none});
    CHECK(p.high_watermark() == 1);
    write();
    p.replica_down(1, false);
    CHECK(answers == std::vector{broker_errc::none, broker_errc::not_leader_or_follower});
    CHECK(p.leader() == 2);
    CHECK(p.leader_epoch() == 1);
    CHECK(p.log().end_offset() == 1);
    CHECK(p.isr() == std::vector<std::int32_t>{2, 3});
    p.replica_up(1, false);
    r.advance(std::chrono::milliseconds{10});
    CHECK(p.isr().size() == 3);
    CHECK(p.leader() == 2);
}

TEST_CASE("the last replica in sync is waited for, unless an unclean leader is allowed") {
    replicated r{std::chrono::milliseconds{10}};
    partition p{r.world, "t", {}, 0, {1, 2}};
    p.replica_down(2, false);
    p.append(batch_of(3));
    r.advance(std::chrono::milliseconds{10});
    CHECK(p.high_watermark() == 3);
    p.replica_down(1, false);
    CHECK(p.leader() == -1);
    CHECK(p.append(batch_of(1)).error == broker_errc::not_leader_or_follower);
    SECTION("clean") {
        p.replica_up(2, false);
        CHECK(p.leader() == -1);
        p.replica_up(1, false);
        CHECK(p.leader() == 1);
        CHECK(p.log().end_offset() == 3);
    }
    SECTION("unclean") {
        p.replica_up(2, true);
        CHECK(p.leader() == 2);
        CHECK(p.log().end_offset() == 0);
        CHECK(p.high_watermark() == 0);
    }
}

TEST_CASE("compaction leaves the last record of each key, at its offset") {
    replicated r{std::chrono::milliseconds{0}};
    partition p{r.world, "t", {}, 0, {1}};
    protocol::batch_builder b;
    const auto put = [&](const char* key, protocol::nullable_bytes value) {
        b.start({});
        REQUIRE(b.append(1, key, value) == errc{});
        protocol::bytes_view whole;
        REQUIRE(!b.close(whole));
        p.append(whole);
    };
    put("a", "1");
    put("b", "1");
    put("a", "2");
    put("c", "1");
    put("c", nullptr);
    put("b", "2");
    const bool drop = GENERATE(true, false);
    REQUIRE(!compact(p, drop));
    CHECK(offsets(p.log(), 0) == (drop ? std::vector<std::int64_t>{2, 5} : std::vector<std::int64_t>{2, 4, 5}));
    CHECK(p.log().end_offset() == 6);
    put("a", "3");
    REQUIRE(!compact(p, drop));
    CHECK(offsets(p.log(), 0).back() == 6);
    CHECK(offsets(p.log(), 0).front() != 2);
    CHECK(p.log().read(2, 7, 1 << 20, true).data.size() > 0);
}

}  // namespace
}  // namespace kafkawire::broker
