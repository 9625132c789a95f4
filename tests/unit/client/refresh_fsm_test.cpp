#include "client/refresh_fsm.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;
using action = refresh_fsm::action;

namespace {
const net::time_point t0{};
}

TEST_CASE("the first question goes out at once; what is asked for meanwhile is one question after it") {
    refresh_fsm m{{}};
    CHECK(m.step(t0) == action::none);
    CHECK_FALSE(m.next_wakeup());
    m.want(t0);
    m.want(t0);
    CHECK(m.next_wakeup() == t0);
    CHECK(m.step(t0) == action::ask);
    CHECK(m.step(t0) == action::none);
    m.want(t0);
    m.want(t0);
    m.answered(t0 + 1ms, true);
    CHECK(m.next_wakeup() == t0 + 101ms);
    CHECK(m.step(t0 + 100ms) == action::none);
    CHECK(m.step(t0 + 101ms) == action::ask);
    m.answered(t0 + 102ms, true);
    CHECK_FALSE(m.next_wakeup());
}

TEST_CASE("who asks again and again is slowed down to a question a second, and served at once after a while of quiet") {
    refresh_fsm m{{}};
    auto now = t0;
    int questions = 0;
    while (now < t0 + 60s) {
        m.want(now);
        if (m.step(now) == action::ask) {
            ++questions;
            m.answered(now, true);
        }
        now += 1ms;
    }
    CHECK(questions > 55);
    CHECK(questions < 66);
    now += 5s;
    m.want(now);
    CHECK(m.step(now) == action::ask);
    m.answered(now, true);
    m.want(now);
    CHECK(m.next_wakeup() == now + 100ms);
}

TEST_CASE("a failure is tried again once a second while topics are used, and not otherwise") {
    refresh_fsm m{{}};
    m.want(t0);
    REQUIRE(m.step(t0) == action::ask);
    m.failed(t0);
    CHECK_FALSE(m.next_wakeup());
    m.keep_fresh();
    int questions = 0;
    m.want(t0);
    for (auto now = t0; now < t0 + 600s; now = m.next_wakeup().value_or(now + 1h)) {
        if (m.step(now) != action::ask) continue;
        ++questions;
        m.failed(now);
    }
    CHECK(questions > 550);
    CHECK(questions < 610);
}

TEST_CASE("another broker is asked every three seconds while those that were asked are silent") {
    refresh_fsm m{{}};
    m.want(t0);
    REQUIRE(m.step(t0) == action::ask);
    CHECK(m.step(t0 + 2999ms) == action::none);
    CHECK(m.next_wakeup() == t0 + 3s);
    CHECK(m.step(t0 + 3s) == action::ask_another);
    CHECK(m.step(t0 + 3s) == action::none);
    CHECK(m.step(t0 + 6s) == action::ask_another);
    m.answered(t0 + 7s, true);
    CHECK_FALSE(m.next_wakeup());
}

TEST_CASE("what is used is asked for again when it is old; a topic that does not come is looked for ever more seldom") {
    refresh_fsm m{{}};
    m.keep_fresh();
    m.want_at_once(t0);
    REQUIRE(m.step(t0) == action::ask);
    m.answered(t0, true);
    CHECK(m.next_wakeup() == t0 + 5min);
    CHECK(m.step(t0 + 5min) == action::ask);
    auto now = t0 + 5min;
    m.answered(now, false);
    int questions = 0;
    while (now < t0 + 65min) {
        now = *m.next_wakeup();
        if (m.step(now) != action::ask) continue;
        ++questions;
        m.answered(now, false);
    }
    CHECK(questions > 15);
    CHECK(questions < 30);
}

TEST_CASE("while some broker is silent the topics are looked at every second, as its partitions may get other leaders") {
    refresh_fsm m{{}};
    m.keep_fresh();
    m.want_at_once(t0);
    REQUIRE(m.step(t0) == action::ask);
    auto now = t0;
    for (int i = 0; i < 90; ++i) {
        m.answered(now, true, false, true);
        REQUIRE(m.next_wakeup() == now + 1s);
        now += 1s;
        REQUIRE(m.step(now) == action::ask);
    }
    m.answered(now, true);
    CHECK(m.next_wakeup() == now + 5min);
}

TEST_CASE("a topic that was never asked for does not wait for its turn; a question that follows up goes out at once") {
    refresh_fsm m{{}};
    m.want(t0);
    REQUIRE(m.step(t0) == action::ask);
    m.want_at_once(t0);
    m.answered(t0, true);
    CHECK(m.step(t0) == action::ask);
    m.answered(t0, false, true);
    CHECK(m.step(t0) == action::ask);
    m.answered(t0, true);
    CHECK(m.step(t0) == action::none);
}
