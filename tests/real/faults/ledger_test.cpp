// The ledger finds what it is there to find, and nothing else.
#include "ledger.hpp"

#include <map>

#include "catch.hpp"
#include "numbered_record.hpp"

using namespace faults;

namespace {

constexpr std::uint64_t run = 0x5eed;

// Ten records to each of two partitions, acknowledged in order, and a log that has them.
struct book_of_twenty {
    ledger book{run, 2, std::chrono::seconds{10}};
    std::map<std::int32_t, std::vector<std::string>> log;

    book_of_twenty() {
        for (std::int32_t p = 0; p < 2; ++p)
            for (std::uint64_t i = 0; i < 10; ++i) {
                CHECK(book.send(p, 100) == i);
                log[p].push_back(value(p, i));
            }
    }
    static std::string value(std::int32_t p, std::uint64_t i) {
        std::string v;
        write_value(run, {p, i}, v);
        return v;
    }
    void acknowledge_all_but(std::int32_t partition, std::uint64_t index) {
        for (std::int32_t p = 0; p < 2; ++p)
            for (std::uint64_t i = 0; i < 10; ++i)
                if (p != partition || i != index) book.tell(p, i, verdict::acknowledged, static_cast<std::int64_t>(i), 200);
    }
    std::map<std::string, std::size_t> found() {
        book.begin_reading();
        for (const auto& [p, values] : log)
            for (std::size_t o = 0; o < values.size(); ++o)
                if (!values[o].empty()) book.read(p, static_cast<std::int64_t>(o), values[o]);  // empty: not visible
        findings wrong;
        sums = book.end_reading(wrong);
        return wrong.counts();
    }
    std::map<std::string, std::size_t> told() {
        findings wrong;
        book.check_telling(wrong);
        return wrong.counts();
    }
    reading sums;
};

using counts = std::map<std::string, std::size_t>;

}  // namespace

TEST_CASE("a value says what it is, and any changed byte shows") {
    std::string value, scratch;
    for (const std::uint64_t index : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{12'345'678}, std::uint64_t{1} << 40}) {
        write_value(run, {3, index}, value);
        CHECK(value.size() >= 30);
        CHECK((read_value(run, value, scratch) == numbered{3, index}));
        CHECK_FALSE(read_value(run + 1, value, scratch));
        for (std::size_t i = 0; i < value.size(); ++i) {
            auto changed = value;
            changed[i] = static_cast<char>(changed[i] ^ 1);
            const auto got = read_value(run, changed, scratch);
            CHECK_FALSE(got);
        }
        CHECK_FALSE(read_value(run, std::string_view{value}.substr(1), scratch));
        CHECK_FALSE(read_value(run, value + "x", scratch));
    }
    CHECK_FALSE(read_value(run, "", scratch));
    CHECK_FALSE(read_value(run, "/-1/2/", scratch));
}

TEST_CASE_METHOD(book_of_twenty, "a good run has no finding, and two readers agree") {
    acknowledge_all_but(-1, 0);
    CHECK((found() == counts{}));
    const auto first = sums;
    CHECK((found() == counts{}));
    CHECK(sums == first);
    CHECK(sums.records == 20);
    CHECK((told() == counts{}));
    CHECK(book.totals().longest_ms == 100);
    CHECK(book.totals().latest_ms == -9'900);
}

TEST_CASE_METHOD(book_of_twenty, "each wrong in a log is found by its name") {
    acknowledge_all_but(-1, 0);
    auto& l = log[1];
    SECTION("lost at the end") {
        l.pop_back();
        CHECK((found() == counts{{"lost", 1}}));
    }
    SECTION("twice") {
        l.push_back(l[4]);
        CHECK((found() == counts{{"duplicated", 1}}));
    }
    SECTION("swapped") {
        std::swap(l[3], l[4]);
        CHECK((found() == counts{{"reordered", 1}, {"wrong-offset", 2}}));
    }
    SECTION("in the other partition") {
        l[9] = value(0, 9);
        CHECK((found() == counts{{"lost", 1}, {"wrong-partition", 1}}));
    }
    SECTION("not what was sent") {
        l[9] = "probe";
        CHECK((found() == counts{{"lost", 1}, {"unknown-value", 1}}));
    }
    SECTION("a number that was never sent") {
        l.push_back(value(1, 10));
        CHECK((found() == counts{{"unknown-value", 1}}));
    }
}

TEST_CASE_METHOD(book_of_twenty, "the records of a transaction are visible as it ended") {
    acknowledge_all_but(-1, 0);
    transaction_range t{{2, 5}, {4, 6}, fate::committed};  // records 2 and 3 of partition 0, 5 of partition 1
    const auto hide = [&](std::int32_t p, std::size_t i) { log[p][i] = {}; };
    SECTION("committed") {
        book.end_transaction(t);
        CHECK((told() == counts{}));
        CHECK((found() == counts{}));
        hide(0, 3);
        CHECK((found() == counts{{"lost", 1}}));
    }
    SECTION("aborted") {
        t.end = fate::aborted;
        book.end_transaction(t);
        CHECK((told() == counts{}));
        CHECK((found() == counts{{"aborted-seen", 3}}));
        hide(0, 2), hide(0, 3), hide(1, 5);
        CHECK((found() == counts{}));
    }
    SECTION("nobody knows: all or nothing") {
        t.end = fate::unknown;
        book.end_transaction(t);
        CHECK((told() == counts{}));
        CHECK((found() == counts{}));
        hide(0, 2);
        CHECK((found() == counts{{"torn", 1}}));
        hide(0, 3), hide(1, 5);
        CHECK((found() == counts{}));
    }
}

TEST_CASE("a transaction is not committed without all of its records") {
    ledger book{run, 1, std::chrono::seconds{10}};
    book.send(0, 1);
    book.send(0, 1);
    book.tell(0, 0, verdict::acknowledged, 0, 5);
    book.tell(0, 1, verdict::not_persisted, -1, 5);
    book.end_transaction({{0}, {2}, fate::committed});
    findings wrong;
    book.check_telling(wrong);
    CHECK((wrong.counts() == counts{{"committed-failure", 1}}));
}

TEST_CASE_METHOD(book_of_twenty, "what was told is compared with the log") {
    acknowledge_all_but(1, 9);
    SECTION("not persisted, and there") {
        book.tell(1, 9, verdict::not_persisted, -1, 200);
        CHECK((found() == counts{{"false-failure", 1}}));
    }
    SECTION("not persisted, and not there") {
        book.tell(1, 9, verdict::not_persisted, -1, 200);
        log[1].pop_back();
        CHECK((found() == counts{}));
    }
    SECTION("maybe: both are well") {
        book.tell(1, 9, verdict::maybe_persisted, -1, 200);
        CHECK((found() == counts{}));
        CHECK(book.totals().maybe_there == 1);
        log[1].pop_back();
        CHECK((found() == counts{}));
        CHECK(book.totals().maybe_there == 0);
    }
    SECTION("acknowledged without an offset: it must be there, wherever") {
        book.tell(1, 9, verdict::acknowledged, -1, 200);
        CHECK((found() == counts{}));
        log[1].pop_back();
        CHECK((found() == counts{{"lost", 1}}));
    }
    SECTION("never told") { CHECK((told() == counts{{"unresolved", 1}})); }
    SECTION("told twice") {
        book.tell(1, 9, verdict::acknowledged, 9, 200);
        book.tell(1, 9, verdict::acknowledged, 9, 200);
        CHECK((told() == counts{{"told-twice", 1}}));
    }
    SECTION("told in time, and late") {
        book.tell(1, 9, verdict::maybe_persisted, -1, 10'201);
        CHECK((told() == counts{{"late", 1}}));
        CHECK(book.totals().latest_ms == 101);
    }
}
