// Members of the consumer protocol (KIP-848), told as sequences.
#include "catch.hpp"
#include "consumer_ways.hpp"

using namespace membership_rig;

namespace {

using heartbeat = messages::consumer_group_heartbeat_request;

std::string has(const heartbeat& h) {
    if (!h.topic_partitions) return "-";
    std::string all;
    for (const auto& t : *h.topic_partitions)
        for (const auto p : t.partitions) all += std::string(1, static_cast<char>(t.topic_id.octets[15])) + std::to_string(p);
    return all;
}

}  // namespace

TEST_CASE("a member says everything when it joins, and afterwards what has changed", "[group][consumer][story]") {
    auto s = settings();
    s.rack = "east";
    s.server_assignor = "uniform";
    auto r = make_consumer(s);
    join(r);
    auto h = r.sent<heartbeat>();
    CHECK(h.group_id == "g");
    CHECK(h.member_id == "m");
    CHECK(h.member_epoch == 0);
    CHECK(h.rebalance_timeout_ms == 300'000);
    CHECK(h.rack_id == "east");
    CHECK(h.server_assignor == "uniform");
    CHECK(h.subscribed_topic_names == std::vector<std::string>{"a"});
    CHECK_FALSE(h.subscribed_topic_regex);
    CHECK(has(h).empty());
    CHECK_FALSE(r.machine->committer());
    CHECK(r.answer(beat_answer(3, given{{"a", {0, 1}}})) == "trust 1, assign [a0 a1]");
    CHECK(r.machine->committer() == group::commit_identity{"g", "m", {}, 3});
    CHECK(r.done() == "send ConsumerGroupHeartbeat(3 has)");
    h = r.sent<heartbeat>();
    CHECK(has(h) == "a0a1");
    CHECK_FALSE(h.subscribed_topic_names);
    CHECK_FALSE(h.rack_id);
    CHECK_FALSE(h.server_assignor);
    CHECK(h.rebalance_timeout_ms == -1);
    CHECK(r.answer(beat_answer(3)) == "rebalanced");
    CHECK(r.after(4999ms).empty());
    CHECK(r.after(1ms) == "send ConsumerGroupHeartbeat(3)");
    CHECK(has(r.sent<heartbeat>()) == "-");
}

TEST_CASE("a changed subscription is said at once, and what it was is forgotten", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    r.answer(beat_answer(1));
    CHECK(r.step(group::subscribe{{{"a", "b"}, {}}}) == "send ConsumerGroupHeartbeat(1)");
    CHECK(r.sent<heartbeat>().subscribed_topic_names == std::vector<std::string>{"a", "b"});
    r.answer(beat_answer(1));
    CHECK(r.step(group::subscribe{{{}, "b.*"}}) == "send ConsumerGroupHeartbeat(1)");
    CHECK(r.sent<heartbeat>().subscribed_topic_names == std::vector<std::string>{});
    CHECK(r.sent<heartbeat>().subscribed_topic_regex == "b.*");
    r.answer(beat_answer(1));
    r.step(group::subscribe{{{"a"}, {}}});
    CHECK(r.sent<heartbeat>().subscribed_topic_regex == "");  // null would be: as before
    // While one is in flight the next one says it.
    r.step(group::subscribe{{{"b"}, {}}});
    CHECK(r.answer(beat_answer(1)) == "send ConsumerGroupHeartbeat(1)");
    CHECK(r.sent<heartbeat>().subscribed_topic_names == std::vector<std::string>{"b"});
}

TEST_CASE("giving up comes before taking, and is said when it is over", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    CHECK(r.answer(beat_answer(1, given{{"a", {0}}})) == "revoke a1");
    CHECK(text(r.machine->view().assignment) == "a0");
    CHECK(r.after(5s) == "send ConsumerGroupHeartbeat(1)");  // alive, and no word of what it has
    CHECK(has(r.sent<heartbeat>()) == "-");
    r.answer(beat_answer(1));
    CHECK(r.done() == "send ConsumerGroupHeartbeat(1 has)");
    CHECK(has(r.sent<heartbeat>()) == "a0");
    CHECK(r.answer(beat_answer(2, given{{"a", {0, 5}}})) == "assign [a5]");
    CHECK(r.done() == "send ConsumerGroupHeartbeat(2 has)");
    CHECK(has(r.sent<heartbeat>()) == "a0a5");
    CHECK(r.answer(beat_answer(2)) == "rebalanced");
}

TEST_CASE("what is not given up by the deadline is lost, and the member goes on without it", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    r.answer(beat_answer(1, given{{"a", {0}}}));
    for (int i = 0; i < 52; ++i) {
        r.after(5s);
        r.answer(beat_answer(1));
    }
    CHECK(r.state() == "revoking");
    CHECK(r.after(5s) == "send ConsumerGroupHeartbeat(1), lose what goes");  // 265 s: the coordinator waits for 300
    CHECK(r.answer(beat_answer(1)) == "send ConsumerGroupHeartbeat(1 has)");
    CHECK(has(r.sent<heartbeat>()) == "a0");
    CHECK(r.done() == "");  // the application, too late
    CHECK(text(r.machine->view().assignment) == "a0");
}

TEST_CASE("a member of the consumer protocol that leaves has let go before its coordinator stops waiting", "[group][consumer][story]") {
    for (const bool for_good : {false, true}) {
        CAPTURE(for_good);
        auto r = make_consumer();
        settle(r);
        CHECK(r.step(for_good ? group::event{group::leave{{}, r.now + 1h, {}}} : group::event{group::subscribe{}}) == "revoke a0 a1");
        CHECK(std::get<group::revoke>(r.out.at(0)).deadline == r.now + 300s - 35s);  // a heartbeat's interval of 5 s, and a tenth
    }
}

TEST_CASE("after a lost answer everything is said, and what is being given up still counts", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    r.answer(beat_answer(1, given{{"a", {0}}}));
    r.after(5s);
    r.fail(make_error_code(errc::connection_closed));
    r.step(group::coordinator_found{1});
    r.after(1s);
    const auto h = r.sent<heartbeat>();
    CHECK(has(h) == "a0a1");
    CHECK(h.rebalance_timeout_ms == 300'000);
    CHECK(h.subscribed_topic_names == std::vector<std::string>{"a"});
    CHECK(r.state() == "revoking");
    r.answer(beat_answer(1, given{{"a", {0}}}));
    CHECK(r.done() == "send ConsumerGroupHeartbeat(1 has)");
    CHECK(has(r.sent<heartbeat>()) == "a0");
}

TEST_CASE("a fenced member loses everything and joins again under the same name", "[group][consumer][story]") {
    for (const auto code : {broker_errc::fenced_member_epoch, broker_errc::unknown_member_id}) {
        auto r = make_consumer();
        settle(r);
        CHECK(r.answer(beat_answer(0, {}, code)) == "lose a0 a1, send ConsumerGroupHeartbeat(0 all has)");
        CHECK(r.sent<heartbeat>().member_id == "m");
        CHECK(has(r.sent<heartbeat>()).empty());
        CHECK_FALSE(r.machine->committer());
        CHECK(r.answer(beat_answer(9, given{{"a", {0}}})) == "assign [a0]");
    }
}

TEST_CASE("topics whose names are not known wait for metadata; the rest is taken", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    CHECK(r.answer(beat_answer(2, given{{"a", {0, 1}}, {"b", {1}}, {"c", {3}}})) == "watch #99, assign [b1]");
    r.done();
    CHECK(has(r.sent<heartbeat>()) == "a0a1b1");
    r.answer(beat_answer(2));
    CHECK(r.machine->unresolved().size() == 1);
    CHECK(r.step(group::metadata_changed{topics({{"a", 6}, {"b", 6}})}).empty());
    CHECK(r.step(group::metadata_changed{topics({{"a", 6}, {"b", 6}, {"c", 6}})}) == "watch, assign [c3]");
    r.done();
    CHECK(has(r.sent<heartbeat>()) == "a0a1b1c3");
    // What is known keeps its name, even if metadata lack it for a while.
    r.answer(beat_answer(2));
    r.step(group::metadata_changed{topics({})});
    CHECK(r.after(5s) == "send ConsumerGroupHeartbeat(2)");
    CHECK(r.answer(beat_answer(3, given{{"a", {0, 1}}, {"b", {1}}, {"c", {3}}})) == "send ConsumerGroupHeartbeat(3 has)");
    CHECK(text(r.machine->view().assignment) == "a0 a1 b1 c3");
}

TEST_CASE("a target is not taken while the coordinator is being told that the member does not have it", "[group][consumer][story]") {
    const auto told = [] {
        auto r = make_consumer();
        r.step(group::metadata_changed{topics({})});
        join(r);
        CHECK(r.answer(beat_answer(4, given{{"a", {3, 4, 5}}})) == "trust 1, watch #97, assign []");
        CHECK(r.done() == "send ConsumerGroupHeartbeat(4 has)");
        CHECK(r.step(group::metadata_changed{topics({{"a", 6}})}).empty());
        return r;
    };
    auto taken_back = told();
    CHECK(taken_back.answer(beat_answer(9, given{{"a", {3}}})) == "watch, assign [a3]");
    auto confirmed = told();
    CHECK(confirmed.answer(beat_answer(4)) == "watch, assign [a3 a4 a5]");
    auto lost = told();
    lost.fail(make_error_code(errc::connection_closed));
    CHECK(lost.step(group::coordinator_found{1}) == "send ConsumerGroupHeartbeat(4 all has)");
    CHECK(lost.answer(beat_answer(9, given{{"a", {4}}})) == "trust 1, watch, assign [a4]");
}

TEST_CASE("a static member that goes for a while says so, and one that goes for good, too", "[group][consumer][story]") {
    auto s = settings();
    s.instance = "i";
    const auto leaves = [&](std::optional<bool> tell) {
        auto r = make_consumer(s);
        settle(r);
        r.answer(beat_answer(1));
        r.step(group::leave{tell, r.now + 5s, {}});
        const auto said = r.done();
        if (tell != std::optional{false}) {
            CHECK(r.sent<heartbeat>().instance_id == "i");
            CHECK(r.answer(beat_answer(-2)) == "left");
        }
        return said;
    };
    CHECK(leaves({}) == "send ConsumerGroupHeartbeat(-2)");
    CHECK(leaves(true) == "send ConsumerGroupHeartbeat(-1)");
    CHECK(leaves(false) == "left");
    auto dynamic = make_consumer();
    settle(dynamic);
    dynamic.answer(beat_answer(1));
    dynamic.step(group::leave{{}, dynamic.now + 5s, {}});
    CHECK(dynamic.done() == "send ConsumerGroupHeartbeat(-1)");
    CHECK(dynamic.after(5s) == "left");  // whoever answers
}

TEST_CASE("a static member waits for a place that is about to be free, but not for ever", "[group][consumer][story]") {
    auto s = settings();
    s.instance = "i";
    auto r = make_consumer(s);
    join(r);
    CHECK(r.answer(beat_answer(0, {}, broker_errc::unreleased_instance_id)) == "send ConsumerGroupHeartbeat(-2)");  // it may be its own
    CHECK(r.answer(beat_answer(0, {}, broker_errc::fenced_instance_id)) == "send ConsumerGroupHeartbeat(0 all has)");
    CHECK(r.answer(beat_answer(0, {}, broker_errc::unreleased_instance_id)) == "trouble");
    int asked = 0;
    const auto began = r.now;
    while (r.state() == "joining") {
        r.now = *r.machine->next_wakeup();
        r.step(group::tick{});
        ++asked;
        r.answer(beat_answer(0, {}, broker_errc::unreleased_instance_id));
    }
    CHECK(r.state() == "broken");
    CHECK(r.now - began >= 90s);
    CHECK(r.now - began <= 100s);
    CHECK(asked < 130);
    CHECK(std::get<group::membership_failed>(r.out.back()).why.hint.find("instance id") != std::string::npos);
    // Another has it for good.
    auto fenced = make_consumer(s);
    settle(fenced);
    CHECK(fenced.answer(beat_answer(0, {}, broker_errc::fenced_instance_id)) == "lose a0 a1, failed");
}

TEST_CASE("each stay of a static member has a member id of its own, so that no commit of the one before counts", "[group][consumer][story]") {
    auto s = settings();
    s.instance = "i";
    const auto away = [&] {
        auto r = make_consumer(s);
        settle(r);
        r.answer(beat_answer(1));
        CHECK(r.sent<heartbeat>().member_id == "m");
        r.step(group::subscribe{});
        r.done();
        CHECK(r.sent<heartbeat>().member_epoch == -2);
        CHECK(r.sent<heartbeat>().member_id == "m");
        return r;
    };
    auto heard = away();
    heard.answer(beat_answer(-2));
    CHECK(heard.state() == "unjoined");
    CHECK(heard.step(group::subscribe{{{"a"}, {}}}) == "send ConsumerGroupHeartbeat(0 all has)");
    CHECK(heard.sent<heartbeat>().member_id == "m-1");
    // Whether it has gone is not known: it says so again before it comes back, under the id that is to go.
    auto unheard = away();
    CHECK(unheard.after(settings().request_timeout) == "");
    CHECK(unheard.state() == "unjoined");
    CHECK(unheard.step(group::subscribe{{{"a"}, {}}}) == "send ConsumerGroupHeartbeat(-2)");
    CHECK(unheard.sent<heartbeat>().member_id == "m");
    CHECK(unheard.answer(beat_answer(0, {}, broker_errc::unknown_member_id)) == "send ConsumerGroupHeartbeat(0 all has)");
    CHECK(unheard.sent<heartbeat>().member_id == "m-1");
    // Nobody else's partitions wait for it.
    auto dynamic = make_consumer();
    settle(dynamic);
    dynamic.answer(beat_answer(1));
    dynamic.step(group::subscribe{});
    dynamic.done();
    dynamic.answer(beat_answer(-1));
    dynamic.step(group::subscribe{{{"a"}, {}}});
    CHECK(dynamic.sent<heartbeat>().member_id == "m");
}

TEST_CASE("a static member does not stand in its own way when the answer to its join is lost", "[group][consumer][story]") {
    auto s = settings();
    s.instance = "i";
    auto r = make_consumer(s);
    join(r);
    r.fail(make_error_code(errc::connection_closed));
    CHECK(r.step(group::coordinator_found{1}) == "send ConsumerGroupHeartbeat(0 all has)");
    CHECK(r.answer(beat_answer(0, {}, broker_errc::unreleased_instance_id)) == "send ConsumerGroupHeartbeat(-2)");
    CHECK(r.answer(beat_answer(-2)) == "send ConsumerGroupHeartbeat(0 all has)");
    CHECK(r.answer(beat_answer(5, given{{"a", {0}}})).find("assign [a0]") != std::string::npos);
}

TEST_CASE("an application that is too slow leaves the consumer group, and joins when it polls again", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    r.answer(beat_answer(1));
    r.step(group::polled{false});
    std::string said;
    for (int i = 0; i < 60; ++i) {
        said = r.after(5s);
        if (r.state() == "stable") r.answer(beat_answer(1));
    }
    CHECK(said.find("trouble, lose a0 a1, send ConsumerGroupHeartbeat(-1)") != std::string::npos);
    r.answer(beat_answer(-1));
    CHECK(r.state() == "parked");
    CHECK_FALSE(r.machine->next_wakeup());
    CHECK(r.step(group::polled{true}) == "send ConsumerGroupHeartbeat(0 all has)");
}

TEST_CASE("a member whose on_assigned() takes too long joins the consumer group when that is over, if the application polls meanwhile", "[group][consumer][story]") {
    const auto late = [](bool polls) {
        auto r = make_consumer();
        join(r);
        r.step(group::polled{polls});
        CHECK(r.answer(beat_answer(1, given{{"a", {0, 1}}})) == "trust 1, assign [a0 a1]");
        const auto callback = r.last_callback;
        std::string said;
        for (int i = 0; i < 60; ++i) {
            said = r.after(5s);
            if (r.state() == "adopting") r.answer(beat_answer(1));
        }
        CHECK(said.find("trouble, lose a0 a1, send ConsumerGroupHeartbeat(-1)") != std::string::npos);
        return std::pair{std::move(r), callback};
    };
    auto [r, callback] = late(true);
    r.answer(beat_answer(-1));
    CHECK(r.state() == "parked");
    CHECK_FALSE(r.machine->next_wakeup());
    CHECK(r.done() == "");  // that was told of the loss; what takes so long is not over
    CHECK(r.step(group::callback_done{callback}) == "send ConsumerGroupHeartbeat(0 all has)");
    // Before the coordinator has answered that it has left.
    auto [sooner, same] = late(true);
    sooner.step(group::callback_done{same});
    CHECK(sooner.answer(beat_answer(-1)) == "send ConsumerGroupHeartbeat(0 all has)");
    // One that does not poll is waited for.
    auto [idle, again] = late(false);
    idle.answer(beat_answer(-1));
    CHECK(idle.step(group::callback_done{again}) == "");
    CHECK(idle.state() == "parked");
    CHECK(idle.step(group::polled{true}) == "send ConsumerGroupHeartbeat(0 all has)");
}

TEST_CASE("an interval that cannot be meant is not kept to", "[group][consumer][story]") {
    for (const auto interval : {0, -1, 1, 2'000'000'000}) {
        auto r = make_consumer();
        join(r);
        auto a = beat_answer(1);
        a.heartbeat_interval_ms = interval;
        r.answer(a);
        REQUIRE(r.machine->next_wakeup());
        CHECK(*r.machine->next_wakeup() - r.now >= 10ms);
        CHECK(*r.machine->next_wakeup() - r.now <= 23s);
    }
}

TEST_CASE("a hostile assignment does no harm", "[group][consumer][story]") {
    auto r = make_consumer();
    join(r);
    CHECK(r.answer(beat_answer(1, given{{"a", {-1, 0, 0, -2147483647}}, {"a", {0}}})) == "trust 1, assign [a0]");
    auto zero = beat_answer(1, given{{"a", {1}}});
    zero.assignment->topic_partitions.front().topic_id = {};
    r.done();
    CHECK(r.answer(zero).find("revoke a0") != std::string::npos);
    CHECK(r.machine->unresolved().size() == 1);
}

TEST_CASE("a commit that was refused for its epoch brings the next heartbeat forward", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    r.answer(beat_answer(1));
    CHECK(r.step(group::commit_refused{broker_errc::stale_member_epoch, 1}) == "send ConsumerGroupHeartbeat(1)");
    r.answer(beat_answer(1));
    CHECK(r.step(group::commit_refused{broker_errc::stale_member_epoch, 7}).empty());
}

TEST_CASE("a consumer member of whom no heartbeat is answered within a session loses what it has", "[group][consumer][story]") {
    auto r = make_consumer();
    settle(r);
    r.fail(make_error_code(errc::connection_closed));
    CHECK(r.after(39s).empty());
    CHECK(r.state() == "stable");
    CHECK(r.after(1s).find("lose a0 a1") != std::string::npos);
    CHECK(r.step(group::coordinator_found{2}).find("send ConsumerGroupHeartbeat(0 all has)") != std::string::npos);
}

TEST_CASE("a member without the right to its group stays what it is, tells each refusal by the group's name, and asks once in the longest pause (KIP-848)", "[group][consumer]") {
    for (const auto& way : consumer_ways()) {
        auto r = make_consumer();
        way.go(r);
        const auto before = r.machine->view();
        const std::string state{before.state};
        INFO(way.name);
        const auto did = r.step(group::coordinator_failed{error{make_error_code(broker_errc::group_authorization_failed)}, false});
        if (state == "leaving") {
            CHECK(r.state() != "leaving");  // there is nobody to tell
            continue;
        }
        CHECK(r.state() == state);
        CHECK(r.machine->view().assignment == before.assignment);
        const bool nobody = state == "unjoined" || state == "parked" || state == "gone" || state == "broken";
        CHECK(did == (nobody ? "" : "trouble"));
    }
    for (const bool joined : {false, true}) {
        auto r = make_consumer();
        join(r);
        if (joined) {
            r.answer(beat_answer(1));
            r.after(5s);
        }
        const auto state = r.state();
        for (int i = 0; i < 5; ++i) {
            CHECK(r.answer(beat_answer(0, {}, broker_errc::group_authorization_failed)) == "trouble");
            const auto& told = std::get<group::trouble>(r.out.front());
            CHECK(told.tell);
            CHECK(told.why.message().find("the group g is not open to this user") != std::string::npos);
            CHECK(told.why.hint.find("ACL") != std::string::npos);
            CHECK(r.state() == state);
            const auto next = r.machine->next_wakeup();
            REQUIRE(next);
            CHECK(*next - r.now >= 800ms);
            CHECK(*next - r.now <= 1200ms);
            r.now = *next;
            CHECK(r.step(group::tick{}).find("send ConsumerGroupHeartbeat") == 0);
        }
    }
}
