// The grammars of places, times and lengths of time.
#include "catch.hpp"

#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/position.hpp"

using namespace kafkawire::cli;
using kind = position::kind;

namespace {

constexpr std::int64_t now = 1'800'000'000'000;
reading_range at(kind k, std::int64_t v = 0) { return {{k, v}, {}}; }

}  // namespace

TEST_CASE("places to read from") {
    CHECK(parse_range("start", now) == at(kind::start));
    CHECK(parse_range("end", now) == at(kind::end));
    CHECK(parse_range("17", now) == at(kind::offset, 17));
    CHECK(parse_range("+5", now) == at(kind::after_start, 5));
    CHECK(parse_range("-5", now) == at(kind::before_end, 5));
    CHECK(parse_range("10:20", now) == reading_range{{kind::offset, 10}, position{kind::offset, 20}});
    CHECK(parse_range(":end", now) == reading_range{{kind::start, 0}, position{kind::end, 0}});
    CHECK(parse_range("10:", now) == at(kind::offset, 10));
    CHECK(parse_range("@1700000000000", now) == at(kind::time, 1'700'000'000'000));
    CHECK(parse_range("@1700000000", now) == at(kind::time, 1'700'000'000'000));
    CHECK(parse_range("@-1h:now", now) == reading_range{{kind::time, now - 3'600'000}, position{kind::time, now}});
    CHECK(parse_range("@2023-11-14T22:13:20Z", now) == at(kind::time, 1'700'000'000'000));
    CHECK(parse_range("@2023-11-14T22:13:20Z:2023-11-14T22:14:20Z", now) == reading_range{{kind::time, 1'700'000'000'000}, position{kind::time, 1'700'000'060'000}});
    CHECK(parse_range("@2023-11-14T22:13:20Z:end", now) == reading_range{{kind::time, 1'700'000'000'000}, position{kind::end, 0}});
}

TEST_CASE("what is no place is answered with the grammar") {
    for (const char* wrong : {"", "x", "1x", "-", "+", "--5", "1:2:3", "@", "@yesterday", "@1:", "99999999999999999999", "-99999999999999999999", "a:b", "@-1h:soon"}) {
        CAPTURE(wrong);
        try {
            (void)parse_range(wrong, now);
            FAIL("taken");
        } catch (const failure& f) {
            CHECK(f.exit == status::usage);
            CHECK(f.hint.find("@TIME") != std::string::npos);
        }
    }
}

TEST_CASE("a place is one without a range") {
    CHECK(parse_place("start", now) == position{kind::start, 0});
    CHECK(parse_place("-5", now) == position{kind::before_end, 5});
    CHECK(parse_place("@-1h", now) == position{kind::time, now - 3'600'000});
    for (const char* wrong : {"", "x", "1:2", ":end", "@", "@-1h:now"}) {
        CAPTURE(wrong);
        try {
            (void)parse_place(wrong, now);
            FAIL("taken");
        } catch (const failure& f) {
            CHECK(f.exit == status::usage);
            CHECK(f.hint.find("@TIME") != std::string::npos);
            CHECK(f.hint.find("A:B") == std::string::npos);
        }
    }
}

TEST_CASE("times") {
    CHECK(parse_time("2023-11-14T22:13:20.250Z", now) == 1'700'000'000'250);
    CHECK(parse_time("2023-11-15T00:13:20+02:00", now) == 1'700'000'000'000);
    CHECK(parse_time("2023-11-14 22:13:20", now) == 1'700'000'000'000);
    CHECK(parse_time("2023-11-14", now) == 1'699'920'000'000);
    CHECK(parse_time("1969-12-31T23:59:59.999Z", now) == -1);
    CHECK(parse_time("-90m", now) == now - 5'400'000);
    for (const char* wrong : {"2023-13-01", "2023-02-30", "2023-11-14T24:00", "2023-11-14T10", "2023-11-14T10:00:00.", "2023-11-14T10:00+99:00", "12:00", "-1y"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_time(wrong, now));
    }
    CHECK(iso_time(1'700'000'000'250) == "2023-11-14T22:13:20.250Z");
    CHECK(iso_time(-1) == "1969-12-31T23:59:59.999Z");
    CHECK(iso_time(0x7fffffffffffffff) == "9223372036854775807");
}

TEST_CASE("lengths of time") {
    using namespace std::chrono_literals;
    CHECK(parse_duration("250ms") == 250ms);
    CHECK(parse_duration("30") == 30s);
    CHECK(parse_duration("1.5m") == 90s);
    CHECK(parse_duration("7d") == 168h);
    for (const char* wrong : {"", "s", "1w", "-1s", "1e3", "99999999999999d", "1.2.3s"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_duration(wrong));
    }
}
