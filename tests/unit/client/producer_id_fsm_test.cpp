#include "client/producer_id_fsm.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail::producer_ids;
using namespace std::chrono_literals;

namespace {
struct rig {
    producer_id_fsm m{settings{}};
    time_point now{};
    actions step(event e) {
        actions out;
        m.step(std::move(e), now, out);
        return out;
    }
    // The number of the request that is sent by `e`; 0: none.
    std::uint64_t asks(event e) {
        const auto out = step(std::move(e));
        return out.size() == 1 && std::holds_alternative<send>(out[0]) ? std::get<send>(out[0]).request : 0;
    }
    static response answer(std::int16_t code, std::int64_t id = 7) {
        response r;
        r.error_code = code;
        r.producer_id = code ? -1 : id;
        return r;
    }
};
}  // namespace

TEST_CASE("an idempotent producer gets its id from any broker, once") {
    rig r;
    const auto out = r.step(wanted{});
    REQUIRE(out.size() == 1);
    const auto& sent = std::get<send>(out[0]);
    CHECK_FALSE(sent.what.transactional_id);
    CHECK(sent.what.transaction_timeout_ms == std::numeric_limits<std::int32_t>::max());
    CHECK(r.step(wanted{}).empty());
    const auto given_out = r.step(answered{sent.request, 4, rig::answer(0)});
    REQUIRE(given_out.size() == 1);
    CHECK(std::get<given>(given_out[0]).producer_id == 7);
    CHECK(r.step(wanted{}).empty());
    CHECK(std::holds_alternative<known>(r.m.where()));
    r.step(used_up{});
    CHECK(r.asks(wanted{}) != 0);
}

TEST_CASE("the request for a producer id is repeated or refused, by every code") {
    for (const auto& row : broker_errors()) {
        if (row.code == 0) continue;
        INFO(row.name);
        rig r;
        const auto first = r.asks(wanted{});
        const auto out = r.step(answered{first, 4, rig::answer(row.code)});
        const bool again = row.retriable || row.code == -1;
        CHECK(r.m.last_failure().code.value() == row.code);
        if (again) {
            CHECK(out.empty());
            REQUIRE(r.m.next_wakeup());
            CHECK(r.asks(tick{}) == 0);
            r.now = *r.m.next_wakeup();
            CHECK(r.asks(tick{}) != 0);
        } else {
            REQUIRE(out.size() == 1);
            CHECK(std::get<refused>(out[0]).why.code.value() == row.code);
            CHECK_FALSE(r.m.next_wakeup());
            CHECK(r.asks(wanted{}) != 0);  // it may be allowed by now
        }
    }
}

TEST_CASE("no answer, a late one, and one without an id") {
    rig r;
    const auto first = r.asks(wanted{});
    CHECK(r.step(request_failed{first, error{make_error_code(errc::connection_closed)}}).empty());
    CHECK(r.step(answered{first, 4, rig::answer(0)}).empty());
    r.now = *r.m.next_wakeup();
    const auto second = r.asks(tick{});
    CHECK(r.step(answered{second, 4, rig::answer(0, -1)}).empty());
    r.now = *r.m.next_wakeup();
    const auto third = r.asks(tick{});
    const auto out = r.step(request_failed{third, error{make_error_code(errc::no_common_version)}});
    REQUIRE(out.size() == 1);
    CHECK(std::get<refused>(out[0]).why.code == errc::no_common_version);
}
