// The judge of groups is judged: each rule is broken once and found, and what is allowed is not told.
#include "catch.hpp"
#include "delivery_book.hpp"

namespace {

using faults::acknowledged_log;
using faults::group_book;
constexpr std::int64_t ms = 1'000'000;

struct fixture {
    acknowledged_log log{2};
    group_book book{log};
    fixture() {
        for (std::uint64_t i = 0; i < 10; ++i) log.acknowledged(0, i, (100 + static_cast<std::int64_t>(i)) * ms);
    }
    std::map<std::string, std::uint64_t> end() {
        book.finish();
        return book.violations();
    }
};
using found = std::map<std::string, std::uint64_t>;

}  // namespace

TEST_CASE_METHOD(fixture, "a group that reads everything once has no violation", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 6, 110 * ms);
    book.committed(1, 0, 6, 120 * ms);
    book.assigned(2, 0, 130 * ms);
    book.delivered(2, 0, 1, 6, 6, 4, 140 * ms);
    CHECK(end() == found{});
    CHECK(book.unique() == 10);
    CHECK(book.again() == 0);
    CHECK(book.caught_up());
}

TEST_CASE_METHOD(fixture, "what was not committed may come again to the next owner", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 6, 110 * ms);
    book.committed(1, 0, 4, 120 * ms);
    book.assigned(2, 0, 130 * ms);
    book.delivered(2, 0, 1, 4, 4, 6, 140 * ms);
    CHECK(end() == found{});
    CHECK(book.again() == 2);
}

TEST_CASE_METHOD(fixture, "what was committed must not come again, unless it was committed after the assignment", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 6, 110 * ms);
    SECTION("before") {
        book.committed(1, 0, 4, 120 * ms);
        book.assigned(2, 0, 130 * ms);
        book.delivered(2, 0, 1, 3, 3, 7, 140 * ms);
        CHECK(end() == found{{"below_committed", 1}});
    }
    SECTION("after") {
        book.committed(1, 0, 4, 135 * ms);
        book.assigned(2, 0, 130 * ms);
        book.delivered(2, 0, 1, 3, 3, 7, 140 * ms);
        CHECK(end() == found{});
    }
    SECTION("to a member that tells no assignments") {
        book.committed(1, 0, 4, 120 * ms);
        for (std::uint64_t i = 3; i < 10; ++i) book.delivered_by_foreign(7, 0, static_cast<std::int64_t>(i), i, 140 * ms);
        CHECK(end() == found{{"below_committed", 1}});
    }
}

TEST_CASE_METHOD(fixture, "within an assignment nothing is left out or repeated", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 4, 110 * ms);
    SECTION("left out, though another was given it") {
        book.delivered(1, 0, 1, 5, 5, 5, 111 * ms);
        book.assigned(2, 0, 130 * ms);
        book.delivered(2, 0, 1, 4, 4, 1, 140 * ms);
        CHECK(end() == found{{"skipped", 1}});
    }
    SECTION("repeated") {
        book.delivered(1, 0, 1, 3, 3, 7, 111 * ms);
        CHECK(end() == found{{"repeated", 1}});
    }
    SECTION("another assignment may begin before it") {
        book.assigned(1, 0, 115 * ms);
        book.delivered(1, 0, 2, 2, 2, 8, 120 * ms);
        CHECK(end() == found{});
    }
}

TEST_CASE_METHOD(fixture, "an acknowledged record that nobody was given is lost", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 4, 110 * ms);
    book.delivered(1, 0, 2, 5, 5, 5, 120 * ms);
    CHECK_FALSE(book.caught_up());
    CHECK(book.lagging() == "0 from 4 of 10");
    CHECK(end() == found{{"lost", 1}});
}

TEST_CASE_METHOD(fixture, "one record may go with a member of another client, the next one may not", "[deliveries]") {
    for (std::uint64_t i = 0; i < 4; ++i) book.delivered_by_foreign(7, 0, static_cast<std::int64_t>(i), i, 110 * ms);
    book.assigned(1, 0, 120 * ms);
    SECTION("one") {
        book.foreign_leaves(7);
        book.delivered(1, 0, 1, 5, 5, 5, 130 * ms);
        CHECK(book.caught_up());
        CHECK(end() == found{});
    }
    SECTION("two") {
        book.foreign_leaves(7);
        book.delivered(1, 0, 1, 6, 6, 4, 130 * ms);
        CHECK_FALSE(book.caught_up());
        CHECK(end() == found{{"lost", 1}});
    }
    SECTION("without leaving") {
        book.delivered(1, 0, 1, 5, 5, 5, 130 * ms);
        CHECK(end() == found{{"lost", 1}});
    }
}

TEST_CASE_METHOD(fixture, "a record that was never acknowledged may be given, or not", "[deliveries]") {
    log.acknowledged(0, 11, 130 * ms);  // 10 was not
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 10, 110 * ms);
    book.delivered(1, 0, 1, 10, 11, 1, 140 * ms);
    CHECK(end() == found{});
}

TEST_CASE_METHOD(fixture, "a commit of what the member was not given", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 10, 110 * ms);
    book.committed(1, 0, 11, 120 * ms);
    CHECK(end() == found{{"committed_ahead", 1}});
}

TEST_CASE_METHOD(fixture, "records out of place", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 10, 110 * ms);
    SECTION("one number at two offsets") {
        book.delivered(1, 0, 1, 10, 9, 1, 120 * ms);
        CHECK(end() == found{{"misplaced", 1}});
    }
    SECTION("altered") {
        book.altered(1, 0, 10);
        CHECK(end() == found{{"altered", 1}});
    }
}

TEST_CASE_METHOD(fixture, "records of a former owner are counted", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.delivered(1, 0, 1, 0, 0, 4, 110 * ms);
    book.assigned(2, 0, 120 * ms);
    book.delivered(2, 0, 1, 0, 0, 10, 130 * ms);
    book.delivered(1, 0, 1, 4, 4, 3, 140 * ms);
    CHECK(end() == found{});
    CHECK(book.by_former_owners() == 3);
    CHECK(book.again() == 7);
}

TEST_CASE_METHOD(fixture, "waits and stalls are measured from the acknowledgement and from the mark", "[deliveries]") {
    book.assigned(1, 0, 10 * ms);
    book.mark(104 * ms);
    book.delivered(1, 0, 1, 0, 0, 2, 204 * ms);
    CHECK(book.since_mark(204 * ms).longest_wait == 100);  // from the mark
    CHECK(book.since_mark(204 * ms).longest_stall == 100);
    book.delivered(1, 0, 1, 2, 2, 8, 250 * ms);
    CHECK(book.since_mark(250 * ms).longest_wait == 146);  // of number 2, from the mark
    CHECK(book.since_mark(250 * ms).longest_stall == 100);
    CHECK(book.since_healed(250 * ms).longest_stall == 0);
    book.mark_healed(300 * ms);
    log.acknowledged(0, 10, 340 * ms);
    CHECK(book.since_healed(400 * ms).longest_stall == 60);  // has not ended
    CHECK(book.since_healed(400 * ms).partition == 0);
    book.delivered(1, 0, 1, 10, 10, 1, 410 * ms);
    CHECK(book.since_healed(1000 * ms).longest_stall == 70);
}
