#include "client/stall_fsm.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;
namespace stall_tests {

using action = stall_fsm::action;

namespace {
const net::time_point t0{};
}

TEST_CASE("a connection that is silent while its broker answers on another one is given up after two seconds") {
    stall_fsm m;
    CHECK_FALSE(m.next_wakeup());
    CHECK(m.silent(t0) == action::probe);
    CHECK(m.pause() == 2s);
    CHECK(m.silent(t0) == action::none);  // a second connection: one probe is enough
    m.answered(t0 + 10ms);
    CHECK(m.step(t0 + 2s) == action::none);
    CHECK(m.step(t0 + 2010ms) == action::give_up);
    m.speaks();
    CHECK_FALSE(m.next_wakeup());
    m.answered(t0 + 3s);  // too late to matter
    CHECK_FALSE(m.next_wakeup());
}

TEST_CASE("a connection that speaks in the meantime is left alone") {
    stall_fsm m;
    CHECK(m.silent(t0) == action::probe);
    m.answered(t0 + 1s);
    m.speaks();
    CHECK(m.step(t0 + 1h) == action::none);
    CHECK(m.silent(t0 + 2h) == action::probe);
    CHECK(m.pause() == 2s);
}

TEST_CASE("a broker that answers nobody is asked ever more seldom, and nothing is closed") {
    stall_fsm m;
    REQUIRE(m.silent(t0) == action::probe);
    int probes = 1;
    const bool fails_early = GENERATE(false, true);
    for (auto now = t0; now < t0 + 90s; now = *m.next_wakeup()) {
        const auto todo = m.step(now);
        CHECK(todo != action::give_up);
        if (todo == action::probe) ++probes;
        if (fails_early) m.probe_failed();
    }
    CHECK(probes <= 13);
    CHECK(m.pause() == 8s);
    CHECK(m.step(*m.next_wakeup()) == action::probe);
    m.answered(t0 + 200s);
    CHECK(m.step(t0 + 202s) == action::give_up);
}

}  // namespace stall_tests
