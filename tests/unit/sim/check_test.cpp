// Each checker is shown the violation that it is for, and a history without any; nothing else may be blamed.
#include "catch.hpp"

#include <kafkawire/testing/check.hpp>

#include <set>

using namespace kafkawire::testing;

namespace {

constexpr std::int64_t ms = 1'000'000;

std::set<std::string> names(const report& r) {
    std::set<std::string> all;
    for (const auto& [name, n] : r.found) all.insert(name);
    return all;
}
using only = std::set<std::string>;

// A topic of one partition, producer 1 and consumer 9; `sent` values 1, 2, 3... acknowledged at 0, 1, 2...
struct story {
    history h;
    std::int32_t p = h.partition("orders", 0);
    std::int64_t now = 0;

    history::id send(std::uint64_t value, outcome o, std::int64_t offset = -1, std::int64_t transaction = 0) {
        const auto s = h.send(1, p, value, now += ms, transaction);
        h.finish(s, o, now += ms, offset);
        return s;
    }
    void read(std::int64_t offset, std::uint64_t value, std::int64_t poll = 0, std::int64_t epoch = 1, bool committed = true,
              std::int64_t transaction = 0) {
        h.read(9, epoch, poll, p, offset, value, now += ms, committed, transaction);
    }
    void log(std::initializer_list<log_entry> entries) {
        h.log_known(p);
        for (const auto& e : entries) h.log(p, e);
    }
    void transaction(std::int64_t number, bool commit, outcome o = outcome::ok) {
        const auto e = h.end(1, number, commit, now += ms);
        h.finish(e, o, now += ms);
    }
    std::set<std::string> found(const check_options& o = {}) { return names(check(h, o)); }
};

}  // namespace

TEST_CASE("A history that keeps every promise is left alone", "[check]") {
    story s;
    s.send(1, outcome::ok, 0);
    s.send(2, outcome::unknown);
    s.send(3, outcome::failed);
    s.send(4, outcome::ok, 2);
    s.h.begin(1, 7, s.now);
    s.send(5, outcome::ok, 3, 7);
    s.transaction(7, true);
    s.h.begin(1, 8, s.now);
    s.send(6, outcome::ok, 5, 8);
    s.transaction(8, false);
    s.h.assign(9, 1, 1, s.p, 0, s.now);
    s.read(0, 1);
    s.read(1, 2);
    const auto c = s.h.commit(9, 1, 1, s.p, 2, s.now += ms);
    s.h.finish(c, outcome::ok, s.now += ms);
    s.h.revoke(9, 1, 1, s.p, s.now += ms);
    s.h.assign(9, 1, 2, s.p, 2, s.now += ms);
    s.read(2, 4, 1, 2);
    s.read(3, 5, 1, 2);
    s.log({{0, 1}, {1, 2}, {2, 4}, {3, 5}, {5, 6, false}});
    const auto r = check(s.h, {.reading_ended = true});
    INFO(r.text());
    CHECK(r.ok());
    CHECK(r.sends == 6);
    CHECK(r.acknowledged == 4);
    CHECK(r.transactions == 2);
}

TEST_CASE("Operations end, once, in time", "[check]") {
    story s;
    SECTION("never") {
        s.h.send(1, s.p, 1, 0);
        CHECK(s.found() == only{"unresolved"});
    }
    SECTION("twice") {
        const auto i = s.send(1, outcome::ok, 0);
        s.h.finish(i, outcome::ok, 5 * ms, 0);
        CHECK(s.found() == only{"told-twice"});
    }
    SECTION("late") {
        const auto i = s.h.send(1, s.p, 1, 0);
        s.h.deadline(i, 1000 * ms);
        s.h.finish(i, outcome::unknown, 1101 * ms);
        CHECK(s.found() == only{"late"});
    }
}

TEST_CASE("Values lie where they belong", "[check]") {
    story s;
    SECTION("a value that nobody sent") {
        s.log({{0, 77}});
        CHECK(s.found() == only{"unknown-value"});
    }
    SECTION("in another partition") {
        s.send(1, outcome::unknown);
        const auto q = s.h.partition("orders", 1);
        s.h.log(q, {0, 1});
        CHECK(s.found() == only{"wrong-partition"});
    }
    SECTION("two values at one offset: log and read") {
        s.send(1, outcome::unknown);
        s.send(2, outcome::unknown);
        s.log({{0, 1}});
        s.read(0, 2);
        CHECK(s.found() == only{"inconsistent-offsets"});
    }
    SECTION("acknowledged elsewhere than it lies") {
        s.send(1, outcome::ok, 5);
        s.log({{6, 1}});
        CHECK(s.found() == only{"inconsistent-offsets"});
    }
    SECTION("twice in the log") {
        s.send(1, outcome::ok, 0);
        s.log({{0, 1}, {1, 1}});
        CHECK(s.found() == only{"duplicate"});
    }
}

TEST_CASE("What is acknowledged is there; what failed is not", "[check]") {
    story s;
    SECTION("lost from the log") {
        s.send(1, outcome::ok, 0);
        s.send(2, outcome::ok, 1);
        s.log({{1, 2}});
        CHECK(s.found() == only{"lost-write"});
    }
    SECTION("below what was read, without a log") {
        s.send(1, outcome::ok, 0);
        s.send(2, outcome::ok, 1);
        s.read(1, 2);
        CHECK(s.found() == only{"lost-write"});
    }
    SECTION("deleted on purpose is not lost") {
        s.send(1, outcome::ok, 0);
        s.h.log_known(s.p, 1);
        CHECK(s.found().empty());
    }
    SECTION("never read") {
        s.send(1, outcome::ok, 0);
        s.send(2, outcome::ok, 1);
        s.read(0, 1);
        CHECK(s.found().empty());
        CHECK(s.found({.reading_ended = true}) == only{"unseen"});
    }
    SECTION("failed, and in the log") {
        s.send(1, outcome::failed);
        s.log({{0, 1}});
        CHECK(s.found() == only{"false-failure"});
    }
    SECTION("failed, and read") {
        s.send(1, outcome::failed);
        s.read(0, 1);
        CHECK(s.found() == only{"aborted-read"});
    }
}

TEST_CASE("A producer's records stay in order", "[check]") {
    story s;
    s.send(1, outcome::ok, 1);
    s.send(2, outcome::unknown);
    s.log({{0, 2}, {1, 1}});
    CHECK(s.found() == only{"nonmonotonic-send"});
}

TEST_CASE("A consumer neither goes back nor passes over, within an epoch", "[check]") {
    story s;
    for (std::uint64_t v = 0; v < 5; ++v) s.send(v, outcome::ok, static_cast<std::int64_t>(v));
    s.log({{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}});
    SECTION("skips between polls") {
        s.read(0, 0, 1);
        s.read(2, 2, 2);
        CHECK(s.found() == only{"poll-skip"});
    }
    SECTION("skips within one") {
        s.read(0, 0, 1);
        s.read(2, 2, 1);
        CHECK(s.found() == only{"int-poll-skip"});
    }
    SECTION("goes back between polls") {
        s.read(0, 0, 1);
        s.read(1, 1, 1);
        s.read(0, 0, 2);
        CHECK(s.found() == only{"nonmonotonic-poll"});
    }
    SECTION("goes back within one") {
        s.read(1, 1, 1);
        s.read(0, 0, 1);
        CHECK(s.found() == only{"int-nonmonotonic-poll"});
    }
    SECTION("another epoch may begin elsewhere") {
        s.read(3, 3, 1);
        s.read(0, 0, 2, 2);
        CHECK(s.found().empty());
    }
    SECTION("the first record of an assignment is the one at its start") {
        s.h.assign(9, 1, 1, s.p, 1, s.now);
        s.read(3, 3, 1);
        CHECK(s.found() == only{"poll-skip"});
    }
    SECTION("or above it, never below") {
        s.h.assign(9, 1, 1, s.p, 3, s.now);
        s.read(2, 2, 1);
        CHECK(s.found() == only{"nonmonotonic-poll"});
    }
    SECTION("what was aborted is passed over rightly, at read_committed only") {
        s.h.begin(1, 7, s.now);
        s.send(5, outcome::ok, 5, 7);
        s.transaction(7, false);
        s.send(6, outcome::ok, 7);
        s.h.log(s.p, {5, 5, false});
        s.h.log(s.p, {7, 6});
        s.read(4, 4, 1);
        s.read(7, 6, 1);
        CHECK(s.found().empty());
        s.read(4, 4, 1, 2, false);
        s.read(7, 6, 1, 2, false);
        CHECK(s.found() == only{"int-poll-skip"});
    }
}

TEST_CASE("Groups: one owner, the right start, no commit too many", "[check]") {
    story s;
    for (std::uint64_t v = 0; v < 5; ++v) s.send(v, outcome::ok, static_cast<std::int64_t>(v));
    s.h.assign(9, 1, 1, s.p, 0, s.now);
    s.read(0, 0);
    s.read(1, 1);
    const auto commit = [&](std::int64_t offset, outcome o, std::int64_t epoch = 1) {
        const auto c = s.h.commit(9, 1, epoch, s.p, offset, s.now += ms);
        s.h.finish(c, o, s.now += ms);
    };
    SECTION("two owners") {
        s.h.assign(8, 1, 2, s.p, 0, s.now);
        CHECK(s.found() == only{"two-owners"});
    }
    SECTION("another group may own it too") {
        s.h.assign(8, 2, 2, s.p, 0, s.now);
        CHECK(s.found().empty());
    }
    SECTION("starts elsewhere than committed") {
        commit(2, outcome::ok);
        s.h.revoke(9, 1, 1, s.p, s.now);
        s.h.assign(9, 1, 2, s.p, 1, s.now);
        CHECK(s.found() == only{"wrong-start"});
    }
    SECTION("starts where a commit may have come to") {
        commit(1, outcome::ok);
        commit(2, outcome::unknown);
        s.h.revoke(9, 1, 1, s.p, s.now);
        s.h.assign(9, 1, 2, s.p, 2, s.now);
        CHECK(s.found().empty());
    }
    SECTION("commits what it has not read") {
        commit(3, outcome::ok);
        CHECK(s.found() == only{"commit-ahead"});
    }
    SECTION("commits what it does not have any more") {
        s.h.revoke(9, 1, 1, s.p, s.now);
        commit(2, outcome::failed);
        CHECK(s.found().empty());
        commit(2, outcome::ok);
        CHECK(s.found() == only{"commit-not-owned"});
    }
}

TEST_CASE("Transactions are whole, and seen when they are committed", "[check]") {
    story s;
    s.h.begin(1, 7, s.now);
    s.send(1, outcome::ok, 0, 7);
    s.send(2, outcome::ok, 1, 7);
    SECTION("aborted, and read") {
        s.transaction(7, false);
        s.read(0, 1);
        CHECK(s.found() == only{"aborted-read"});
        // At read_uncommitted it is right.
    }
    SECTION("aborted, and read at read_uncommitted") {
        s.transaction(7, false);
        s.read(0, 1, 1, 1, false);
        CHECK(s.found().empty());
    }
    SECTION("aborted, and visible in the log") {
        s.transaction(7, false);
        s.log({{0, 1}, {1, 2}});
        CHECK(s.found() == only{"aborted-read"});
    }
    SECTION("read before its commit") {
        s.read(0, 1);
        s.transaction(7, true);
        CHECK(s.found() == only{"precommitted-read"});
    }
    SECTION("read by itself") {
        s.transaction(7, true);
        s.read(0, 1, 1, 1, true, 7);
        CHECK(s.found() == only{"precommitted-read"});
    }
    SECTION("torn, with a commit of which nobody knows") {
        s.transaction(7, true, outcome::unknown);
        s.log({{0, 1}, {1, 2, false}});
        CHECK(s.found() == only{"torn-transaction"});
    }
    SECTION("committed, and lost") {
        s.transaction(7, true);
        s.log({{0, 1, false}, {1, 2, false}});
        CHECK(s.found() == only{"lost-write"});
    }
    SECTION("two that read from each other") {
        const auto q = s.h.partition("orders", 1);
        s.h.begin(2, 8, s.now);
        const auto other = s.h.send(2, q, 3, s.now, 8);
        s.h.finish(other, outcome::ok, s.now += ms, 0);
        s.transaction(7, true);
        const auto e = s.h.end(2, 8, true, s.now);
        s.h.finish(e, outcome::ok, s.now += ms);
        s.h.read(1, 1, 1, q, 0, 3, s.now, true, 7);
        CHECK(s.found().empty());
        s.h.read(2, 1, 1, s.p, 0, 1, s.now, true, 8);
        CHECK(s.found() == only{"cycle"});
    }
    SECTION("a circle of writes alone is allowed") {
        const auto q = s.h.partition("orders", 1);
        s.h.begin(2, 8, s.now);
        const auto put = [&](std::int32_t producer, std::int32_t p, std::uint64_t value, std::int64_t transaction, std::int64_t offset) {
            const auto i = s.h.send(producer, p, value, s.now, transaction);
            s.h.finish(i, outcome::ok, s.now += ms, offset);
        };
        put(2, s.p, 3, 8, 2);
        put(2, q, 4, 8, 0);
        put(1, q, 5, 7, 1);
        s.transaction(7, true);
        const auto e = s.h.end(2, 8, true, s.now);
        s.h.finish(e, outcome::ok, s.now += ms);
        s.log({{0, 1}, {1, 2}, {2, 3}});
        s.h.log(q, {0, 4});
        s.h.log(q, {1, 5});
        CHECK(s.found().empty());
    }
}

TEST_CASE("A long history is checked in time that grows with its length", "[check]") {
    story s;
    constexpr std::int64_t n = 200'000;
    s.h.log_known(s.p);
    for (std::int64_t i = 0; i < n; ++i) {
        s.send(static_cast<std::uint64_t>(i), outcome::ok, i);
        s.h.log(s.p, {i, static_cast<std::uint64_t>(i)});
    }
    for (std::int64_t i = 0; i < n; ++i) s.read(i, static_cast<std::uint64_t>(i), i / 500);
    const auto r = check(s.h, {.reading_ended = true});
    CHECK(r.ok());
    CHECK(r.reads == n);
}

TEST_CASE("Values are told apart by their bytes", "[check]") {
    const auto id = [](std::string_view k, std::string_view v) {
        return identity(std::as_bytes(std::span{k}), std::as_bytes(std::span{v}));
    };
    CHECK(id("a", "b") == id("a", "b"));
    CHECK(id("a", "b") != id("ab", ""));
    CHECK(id("", "12345678") != id("", "12345679"));
}

TEST_CASE("What a log is known to have lost is not missed, and nothing else is excused with it", "[check]") {
    story s;
    s.send(1, outcome::ok, 0);
    s.send(2, outcome::ok, 1);
    s.send(3, outcome::ok, 2);
    s.h.forgotten(s.p, 1, 3, s.now += ms);
    s.send(4, outcome::ok, 1);
    SECTION("all of it is gone, and its place taken") {
        s.log({{0, 1}, {1, 4}});
        CHECK(s.found().empty());
    }
    SECTION("what came after is missing") {
        s.log({{0, 1}});
        CHECK(s.found() == only{"lost-write"});
    }
    SECTION("what lay before is missing") {
        s.log({{1, 4}});
        CHECK(s.found() == only{"lost-write"});
    }
    SECTION("what was lost came back twice") {
        s.log({{0, 1}, {1, 4}, {2, 3}, {3, 3}});
        CHECK(s.found() == only{"duplicate", "nonmonotonic-send"});
    }
}
