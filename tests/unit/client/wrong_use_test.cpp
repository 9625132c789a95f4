// What a member is told that cannot work as it was set up: with whom it disagrees, which topics are not there.
#include "client/missing_topics.hpp"
#include "group_rig.hpp"
#include "quick_world.hpp"

using namespace std::chrono_literals;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a member that has no strategy in common with the others is told what they have") {
    group_rig r;
    const auto topic = r.kafka.create_topic(1);
    r.run([&]() -> asio::awaitable<void> {
        auto o = member_of("billing", {topic}, kw::group_protocol::classic);
        o.assignors = {"range"};
        kw::consumer first{r.client, o};
        std::size_t assigned = 0;
        first.on_assigned([&](kw::rebalance_step s) { assigned += s.partitions().size(); });
        const bool settled = co_await r.until([&] { return assigned == 1 && first.membership()->state == "stable"; });
        REQUIRE(settled);
        o.assignors = {"cooperative-sticky", "sticky"};
        kw::consumer second{r.client, o};
        kw::error why;
        second.async_poll(kw::detailed([&](kw::error e, kw::records) { why = std::move(e); }));
        const bool heard = co_await r.until([&] { return static_cast<bool>(why); });
        REQUIRE(heard);
        CHECK(why.code == kw::broker_errc::inconsistent_group_protocol);
        INFO(why.message());
        CHECK(has(why.text, "'billing'"));
        CHECK(has(why.text, "'range'"));
        CHECK(has(why.text, "only cooperative-sticky, sticky"));
        CHECK(has(why.hint, "list 'range' as well"));
        CHECK(why.cause);
        // For good: the next poll says it, too.
        const auto [ec, none] = co_await second.async_poll(kw::as_tuple(asio::use_awaitable));
        CHECK(ec == kw::broker_errc::inconsistent_group_protocol);
        co_await first.async_close(asio::use_awaitable);
    });
}

TEST_CASE("strategies of which some are only eager and some only cooperative are refused at once") {
    group_rig r;
    auto o = member_of("billing", {"orders"}, kw::group_protocol::classic);
    o.assignors = {"range", "range"};
    try {
        kw::consumer c{r.client, o};
        FAIL("it was made");
    } catch (const kw::system_error& e) {
        CHECK(e.code() == kw::errc::bad_configuration);
        CHECK(has(e.detail().text, "'range' is listed twice"));
    }
}

TEST_CASE("a topic that is not there is told once, and read when it comes; the others are read meanwhile") {
    quick_world w{{"orders"}};
    w.consumer.emplace(*w.client, member_of("billing", {"orders", "bills"}, kw::group_protocol::classic));
    w.poll();
    const auto began = w.app.environment()->now();
    w.world.run_for(5s);
    CHECK(w.told.empty());
    CHECK(w.consumer->readings().size() == 1);
    w.world.run_for(60s);
    REQUIRE(w.told.size() == 1);
    const auto& [at, why] = w.told[0];
    CHECK(at - began >= 10s);
    CHECK(at - began < 12s);
    CHECK(why.code == kw::broker_errc::unknown_topic_or_partition);
    CHECK(has(why.text, "'bills'"));
    CHECK(has(why.hint, "create it"));
}

TEST_CASE("what is said of missing topics: when, how often, and when it is forgotten") {
    using kw::client_detail::missing_topics;
    const auto t0 = kw::net::time_point{} + 1h;
    const auto unknown = make_error_code(kw::broker_errc::unknown_topic_or_partition), forbidden = make_error_code(kw::broker_errc::topic_authorization_failed);
    missing_topics m{10s};
    CHECK_FALSE(m.next_wakeup());
    m.said("a", unknown, t0);
    m.said("a", unknown, t0 + 5s);
    CHECK(m.next_wakeup() == t0 + 10s);
    CHECK_FALSE(m.next(t0 + 9s));
    CHECK(m.next(t0 + 10s));
    CHECK_FALSE(m.next(t0 + 11s));
    CHECK_FALSE(m.next_wakeup());
    m.said("b", forbidden, t0);                             // will not pass by itself: at once
    const auto why = m.next(t0);
    REQUIRE(why);
    CHECK(has(why->hint, "ACL"));
    m.said("a", {}, t0);                                    // it is there, and goes again
    m.said("a", unknown, t0 + 20s);
    CHECK(m.next_wakeup() == t0 + 30s);
    m.said("a", make_error_code(kw::broker_errc::leader_not_available), t0 + 21s);
    CHECK_FALSE(m.next_wakeup());
    m.said("a", unknown, t0 + 22s);
    m.keep({"b"});
    CHECK_FALSE(m.next_wakeup());
}
