// Members of the classic protocol, told as sequences.
#include "catch.hpp"
#include "classic_ways.hpp"

using namespace membership_rig;

TEST_CASE("a member that is new gets its id first, and joins with it", "[group][classic][story]") {
    auto r = make_classic(true);
    CHECK(r.step(group::subscribe{{{"a"}, {}}}) == "want coordinator");
    CHECK(r.step(group::coordinator_found{1}) == "send JoinGroup");
    const auto first = r.sent<messages::join_group_request>();
    CHECK(first.group_id == "g");
    CHECK(first.member_id.empty());
    CHECK(first.protocol_type == "consumer");
    CHECK(first.session_timeout_ms == 45'000);
    CHECK(first.rebalance_timeout_ms == 300'000);
    CHECK_FALSE(first.group_instance_id);
    auto a = refused<messages::join_group_response>(broker_errc::member_id_required);
    a.member_id = "me";
    CHECK(r.answer(a) == "trust 1, send JoinGroup");
    CHECK(r.sent<messages::join_group_request>().member_id == "me");
    CHECK(r.answer(join_answer(r, 3, false)) == "send SyncGroup");
    const auto& s = r.sent<messages::sync_group_request>();
    CHECK(s.generation_id == 3);
    CHECK(s.member_id == "me");
    CHECK(s.protocol_name == "cooperative");
    CHECK(s.assignments.empty());
    CHECK(r.answer(sync_answer({{"a", {4}}})) == "assign [a4]");
    CHECK(r.done() == "rebalanced");
    CHECK(r.machine->view().generation == 3);
    CHECK(r.machine->committer() == group::commit_identity{"g", "me", {}, 3});
}

TEST_CASE("two cooperative members: one gives up what the other is to have, and reads on", "[group][classic][story]") {
    auto r = make_classic(true);
    settle(r);  // has a0 a1
    CHECK(r.beat(broker_errc::rebalance_in_progress) == "send JoinGroup");
    group::subscription_message said;
    REQUIRE_FALSE(group::read_subscription(r.sent<messages::join_group_request>().protocols.front().metadata, said));
    CHECK(said.generation_id == 1);
    REQUIRE(said.owned_partitions.size() == 1);
    CHECK(said.owned_partitions.front().partitions == std::vector<std::int32_t>{0, 1});
    CHECK(text(r.machine->view().assignment) == "a0 a1");  // all the while
    CHECK(r.machine->committer()->generation == 1);
    r.answer(join_answer(r, 2, false));
    CHECK(r.machine->committer()->generation == 2);
    CHECK(r.answer(sync_answer({{"a", {0}}})) == "revoke a1");  // the other is not given it before this one has let go
    CHECK(text(r.machine->view().assignment) == "a0");
    r.after(3s);
    CHECK(std::holds_alternative<messages::heartbeat_request>(r.last_sent));
    r.beat(broker_errc::none);
    CHECK(r.step(group::callback_done{r.last_callback}) == "assign []");
    CHECK(r.done() == "rebalanced, send JoinGroup");  // and joins once more, so that the other gets it
    REQUIRE_FALSE(group::read_subscription(r.sent<messages::join_group_request>().protocols.front().metadata, said = {}));
    CHECK(said.owned_partitions.front().partitions == std::vector<std::int32_t>{0});
    CHECK(r.sent<messages::join_group_request>().reason == "partitions were given up that others are to have");
    r.answer(join_answer(r, 3, false));
    CHECK(r.answer(sync_answer({{"a", {0}}})) == "assign []");
    CHECK(r.done() == "rebalanced");
    CHECK(r.state() == "stable");
}

TEST_CASE("an eager member gives everything up before it joins", "[group][classic][story]") {
    auto r = make_classic(false);
    settle(r);
    CHECK(r.beat(broker_errc::rebalance_in_progress) == "revoke a0 a1");
    CHECK(r.machine->view().assignment.empty());
    CHECK(r.machine->committer()->generation == 1);  // what was read may still be committed
    CHECK(r.done() == "send JoinGroup");
    r.answer(join_answer(r, 2, false));
    CHECK(r.answer(sync_answer({{"a", {1}}})) == "assign [a1]");
}

TEST_CASE("with an eager strategy among several, all is given up, and all are offered in order", "[group][classic][story]") {
    classic_rig r;
    r.machine = std::make_unique<group::classic_membership_fsm>(
        settings(),
        group::strategies{std::make_shared<plain_assignor>("cooperative", true), std::make_shared<plain_assignor>("eager", false)});
    CHECK_FALSE(r.machine->cooperative());
    join(r);
    const auto& offered = r.sent<messages::join_group_request>().protocols;
    REQUIRE(offered.size() == 2);
    CHECK(offered[0].name == "cooperative");
    CHECK(offered[1].name == "eager");
    auto a = join_answer(r, 1, false);
    a.protocol_name = "cooperative";
    r.answer(a);
    CHECK(r.answer(sync_answer({{"a", {0}}})) == "assign [a0]");
    r.done();
    r.after(3s);
    CHECK(r.beat(broker_errc::rebalance_in_progress) == "revoke a0");
}

TEST_CASE("a strategy that was not offered, or another type of group, is told clearly", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    auto a = join_answer(r, 1, false);
    a.protocol_name = "best";
    CHECK(r.answer(a).find("failed") != std::string::npos);
    CHECK(std::get<group::membership_failed>(r.out.back()).why.message().find("\"best\"") != std::string::npos);
    auto s = make_classic(true);
    join(s);
    a = join_answer(s, 1, false);
    a.protocol_type = "connect";
    CHECK(s.answer(a).find("failed") != std::string::npos);
    auto t = make_classic(true);
    CHECK(t.step(group::subscribe{{{"a"}, "b.*"}}) == "failed");
}

TEST_CASE("the lost answer of a SyncGroup costs no rebalance", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    sync(r);
    CHECK(r.fail(make_error_code(errc::connection_closed)) == "doubt 1, want coordinator");
    CHECK(r.step(group::coordinator_found{1}).empty());  // after a pause
    CHECK(r.after(200ms) == "send SyncGroup");
    CHECK(r.sent<messages::sync_group_request>().generation_id == 1);
    CHECK(r.answer(sync_answer({{"a", {0}}})) == "trust 1, assign [a0]");
}

TEST_CASE("a heartbeat that is answered after the member has joined again says nothing any more", "[group][classic][story]") {
    auto r = make_classic(true);
    settle(r);
    const auto old = r.heartbeat_request;
    r.step(group::rejoin_requested{"the application wants it"});
    CHECK(r.state() == "joining");
    CHECK(r.sent<messages::join_group_request>().reason == "the application wants it");
    CHECK(r.step(group::answered{old, 4, refused<messages::heartbeat_response>(broker_errc::unknown_member_id)}).empty());
    sync(r, 2);
    adopt(r);
    CHECK(r.step(group::answered{old, 4, refused<messages::heartbeat_response>(broker_errc::illegal_generation)}).empty());
    CHECK(r.state() == "adopting");
    CHECK(text(r.machine->view().assignment) == "a0 a1");
}

TEST_CASE("a coordinator that moves is found in each phase, and nothing is lost", "[group][classic][story]") {
    for (const auto& way : classic_ways()) {
        const std::string name = way.name;
        if (name == "unjoined" || name == "parked" || name == "gone" || name == "broken") continue;
        auto r = make_classic(way.cooperative);
        way.go(r);
        const auto before = r.machine->view();
        INFO(name);
        r.step(group::coordinator_lost{});
        CHECK(r.step(group::coordinator_found{2}).find("send") != std::string::npos);
        const auto& s = *std::find_if(r.out.begin(), r.out.end(), [](const auto& a) { return std::holds_alternative<group::send>(a); });
        CHECK(std::get<group::send>(s).node == 2);
        CHECK(r.state() == before.state);
        CHECK(r.machine->view().assignment == before.assignment);
    }
}

TEST_CASE("the leader waits for the metadata of everybody's topics, and its heartbeats go on", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    CHECK(r.answer(join_answer(r, 1, true)) == "trust 1, watch a");
    CHECK(r.after(3s) == "send Heartbeat");
    r.beat(broker_errc::none);
    CHECK(r.step(group::metadata_changed{topics({{"a", 3}})}) == "send SyncGroup");
    const auto& given = r.sent<messages::sync_group_request>().assignments;
    REQUIRE(given.size() == 2);
    CHECK(given.front().member_id == "me");
    CHECK(given.front().assignment == assignment({{"a", {0}}, {"a", {1}}, {"a", {2}}}));
    CHECK(r.machine->view().leader);
    r.answer(sync_answer({{"a", {0, 1, 2}}}));
    r.done();
    // More partitions: the group assigns anew, because its leader joins.
    CHECK(r.step(group::metadata_changed{topics({{"a", 3}})}).empty());
    CHECK(r.step(group::metadata_changed{topics({{"a", 4}})}) == "send JoinGroup");
    CHECK(r.sent<messages::join_group_request>().reason == "the topics of the group have changed");
}

TEST_CASE("a topic that is not there in time is assigned when it appears", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    r.answer(join_answer(r, 1, true));
    CHECK(r.after(15s).find("send SyncGroup") != std::string::npos);  // a third of the session
    r.answer(sync_answer({}));
    r.done();
    CHECK(r.step(group::metadata_changed{topics({{"a", 0}})}).empty());
    CHECK(r.step(group::metadata_changed{topics({{"a", 2}})}) == "send JoinGroup");
}

TEST_CASE("who does not lead looks after no metadata", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    r.answer(join_answer(r, 1, true));
    r.step(group::metadata_changed{topics({{"a", 3}})});
    r.answer(sync_answer({{"a", {0}}}));
    r.done();
    r.after(3s);
    r.beat(broker_errc::rebalance_in_progress);
    CHECK(r.answer(join_answer(r, 2, false)) == "watch, send SyncGroup");
    r.answer(sync_answer({{"a", {0}}}));
    r.done();
    CHECK(r.step(group::metadata_changed{topics({{"a", 9}})}).empty());
}

TEST_CASE("a static leader that is back leaves the assignments as they are", "[group][classic][story]") {
    auto s = settings();
    s.instance = "i";
    auto r = make_classic(true, s);
    r.step(group::metadata_changed{topics({{"a", 3}})});
    join(r);
    CHECK(r.sent<messages::join_group_request>().group_instance_id == "i");
    auto a = join_answer(r, 5, true);
    a.skip_assignment = true;
    CHECK(r.answer(a) == "trust 1, watch a, send SyncGroup");
    CHECK(r.sent<messages::sync_group_request>().assignments.empty());
    CHECK(r.sent<messages::sync_group_request>().group_instance_id == "i");
    r.answer(sync_answer({{"a", {0}}}));
    r.done();
    CHECK(r.step(group::metadata_changed{topics({{"a", 4}})}) == "send JoinGroup");  // but it leads
}

TEST_CASE("an assignor that fails is told of and tried again, and the group waits", "[group][classic][story]") {
    const auto mine = std::make_shared<plain_assignor>("cooperative", true);
    classic_rig r;
    r.machine = std::make_unique<group::classic_membership_fsm>(settings(), group::strategies{mine});
    r.step(group::metadata_changed{topics({{"a", 2}})});
    join(r);
    const auto ends_badly = [&](const char* text) {
        const auto& t = *std::find_if(r.out.begin(), r.out.end(), [](const auto& a) { return std::holds_alternative<group::trouble>(a); });
        CHECK(std::get<group::trouble>(t).why.message().find(text) != std::string::npos);
        CHECK(r.state() == "assigning");
    };
    mine->fails = true;
    r.answer(join_answer(r, 1, true));
    ends_badly("no idea");
    mine->fails = false;
    const auto gives = [&](group_assignment what) {
        mine->how = [what](const group_view&) { return what; };
        r.after(2s);
    };
    gives({{}});
    ends_badly("1 assignments to 2 members");
    gives({{{{"a", {0}}}, {}}, {{{"a", {0}}}, {}}});
    ends_badly("a-0 to member another and to member me");
    gives({{{{"a", {7}}}, {}}, {}});
    ends_badly("no such partition");
    gives({{{{"b", {0}}}, {}}, {}});
    ends_badly("not subscribed");
    gives({{{{"a", {0}}}, {}}, {{{"a", {1}}}, {}}});
    CHECK(r.state() == "syncing");
}

TEST_CASE("a member of whom no heartbeat is answered within a session loses what it has", "[group][classic][story]") {
    auto r = make_classic(true);
    settle(r);
    r.step(group::request_failed{r.heartbeat_request, error{make_error_code(errc::connection_closed)}});
    std::string said;
    const auto until = r.now + 45s;
    while (r.now < until && r.state() == "stable") {
        r.now = *r.machine->next_wakeup();
        said = r.step(group::tick{});
    }
    CHECK(r.now < until);
    CHECK(said.find("lose a0 a1") != std::string::npos);
    CHECK(r.state() == "joining");
    CHECK_FALSE(r.machine->committer());
    r.now += 1h;
    CHECK(r.step(group::coordinator_found{2}).find("send JoinGroup") != std::string::npos);
    CHECK(r.sent<messages::join_group_request>().member_id == "me");  // the coordinator may still know it
}

TEST_CASE("a process that was stopped for longer than a session does not believe an old answer", "[group][classic][story]") {
    auto r = make_classic(true);
    settle(r);  // a heartbeat is in flight
    r.now += 90s;
    CHECK(r.beat(broker_errc::none).find("lose a0 a1") != std::string::npos);
    CHECK_FALSE(r.machine->committer());
}

TEST_CASE("a leader sees to it that what was to be given up finds somebody, though whoever had it is back without having heard of that", "[group][classic][story]") {
    const auto leader = [](std::vector<std::int32_t> others) {
        classic_rig r;
        r.machine = std::make_unique<group::classic_membership_fsm>(settings(), group::strategies{make_assignor("cooperative-sticky")});
        r.step(group::polled{true});
        join(r);
        messages::join_group_response a = join_answer(r, 2, true);
        a.protocol_name = "cooperative-sticky";
        // The other one is static, and has these of a before.
        group::subscription_message has;
        has.topics = {"a"};
        has.owned_partitions.push_back({"a", std::move(others), {}});
        has.generation_id = 1;
        a.members.back().group_instance_id = "i";
        a.members.back().metadata.clear();
        REQUIRE_FALSE(group::write_subscription(has, a.members.back().metadata));
        r.answer(a);
        CHECK(r.step(group::metadata_changed{topics({{"a", 4}})}) == "send SyncGroup");
        return r;
    };
    const auto quiet_for = [](classic_rig& r, std::chrono::seconds whole) {
        for (auto at = 0s; at < whole; at += 3s) {
            CHECK(r.after(3s) == "send Heartbeat");
            CHECK(r.beat(broker_errc::none) == "");
        }
    };
    auto r = leader({0, 1, 2, 3});  // two of them are to go
    CHECK(r.answer(sync_answer({})).find("assign []") != std::string::npos);
    r.done();
    CHECK(r.state() == "stable");
    quiet_for(r, 42s);
    CHECK(r.after(3s).find("send JoinGroup") != std::string::npos);
    CHECK(r.sent<messages::join_group_request>().reason == "what a member was to give up is nobody's");
    // It joins again by itself, as it should: then that is all.
    auto good = leader({0, 1, 2, 3});
    good.answer(sync_answer({}));
    good.done();
    good.after(3s);
    CHECK(good.beat(broker_errc::rebalance_in_progress) == "send JoinGroup");
    auto third = join_answer(good, 3, false);
    third.protocol_name = "cooperative-sticky";
    CHECK(good.answer(third) == "watch, send SyncGroup");
    good.answer(sync_answer({{"a", {2, 3}}}));
    good.done();
    quiet_for(good, 120s);
    CHECK(good.state() == "stable");
    // Nothing is to be given up: nothing is waited for.
    auto even = leader({0, 1});
    even.answer(sync_answer({{"a", {2, 3}}}));
    even.done();
    quiet_for(even, 120s);
    CHECK(even.state() == "stable");
}

TEST_CASE("a member whose on_assigned() takes too long joins when that is over, if the application polls meanwhile", "[group][classic][story]") {
    const auto late = [](bool polls) {
        auto s = settings();
        s.session_timeout = 600s;
        auto r = make_classic(true, s);
        join(r);
        sync(r);
        r.step(group::polled{polls});
        adopt(r);
        const auto callback = r.last_callback;
        r.after(299s);
        CHECK(r.state() == "adopting");
        CHECK(r.after(1s).find("lose a0 a1") != std::string::npos);
        r.answer(messages::leave_group_response{});
        CHECK(r.state() == "parked");
        CHECK_FALSE(r.machine->next_wakeup());
        CHECK(r.done() == "");  // that was told of the loss; what takes so long is not over
        return std::pair{std::move(r), callback};
    };
    auto [r, callback] = late(true);
    CHECK(r.step(group::callback_done{callback}) == "send JoinGroup");
    auto [idle, again] = late(false);
    CHECK(idle.step(group::callback_done{again}) == "");
    CHECK(idle.step(group::polled{true}) == "send JoinGroup");
}

TEST_CASE("an application that is too slow leaves, and joins when it polls again", "[group][classic][story]") {
    const auto one = [](std::optional<std::string> instance) {
        auto s = settings();
        s.instance = instance;
        s.session_timeout = 600s;
        auto r = make_classic(true, s);
        settle(r);
        r.beat(broker_errc::none);
        r.step(group::polled{false});
        r.after(299s);
        r.beat(broker_errc::none);
        CHECK(r.state() == "stable");
        CHECK(r.after(1s).find("lose a0 a1") != std::string::npos);
        CHECK_FALSE(r.machine->committer());
        return r;
    };
    auto r = one({});
    CHECK(r.state() == "leaving");
    CHECK(std::holds_alternative<messages::leave_group_request>(r.last_sent));
    r.answer(messages::leave_group_response{});
    CHECK(r.state() == "parked");
    CHECK(r.after(1h).empty());
    CHECK_FALSE(r.machine->next_wakeup());
    CHECK(r.step(group::polled{true}) == "send JoinGroup");
    CHECK(r.sent<messages::join_group_request>().member_id.empty());
    // A static member keeps its place, and does not say that it goes.
    auto s = one("i");
    CHECK(s.state() == "parked");
    CHECK(s.step(group::polled{false}) == "send JoinGroup");
    // Switched off, or while a poll waits: nothing.
    auto off = settings();
    off.processing_deadline = 0s;
    off.session_timeout = 7h;
    auto t = make_classic(true, off);
    settle(t);
    t.step(group::polled{false});
    t.after(6h);
    CHECK(t.state() == "stable");
    auto waits = settings();
    waits.session_timeout = 7h;
    auto u = make_classic(true, waits);
    settle(u);
    u.after(6h);
    CHECK(u.state() == "stable");
}

TEST_CASE("who leaves has let go before a coordinator that waits already stops waiting", "[group][classic][story]") {
    for (const bool for_good : {false, true}) {
        CAPTURE(for_good);
        auto r = make_classic(true);
        settle(r);
        CHECK(r.step(for_good ? group::event{group::leave{{}, r.now + 1h, {}}} : group::event{group::subscribe{}}) == "revoke a0 a1");
        CHECK(std::get<group::revoke>(r.out.at(0)).deadline == r.now + 300s - 33s);  // a heartbeat's interval of 3 s, and a tenth
    }
}

TEST_CASE("closing gives up, tells the coordinator, and is over by its deadline", "[group][classic][story]") {
    auto r = make_classic(true);
    settle(r);
    r.beat(broker_errc::none);
    CHECK(r.step(group::leave{{}, r.now + 10s, "the shop closes"}) == "revoke a0 a1");
    CHECK(r.machine->committer());  // the last commit
    CHECK(r.done() == "send LeaveGroup");
    auto m = group::message{r.sent<messages::leave_group_request>()};
    CHECK(r.sent<messages::leave_group_request>().members.front().member_id == "me");
    CHECK(r.sent<messages::leave_group_request>().members.front().reason == "the shop closes");
    group::fit(m, 2);
    CHECK(std::get<messages::leave_group_request>(m).member_id == "me");
    CHECK(std::get<messages::leave_group_request>(m).members.empty());
    CHECK(r.answer(messages::leave_group_response{}) == "left");
    CHECK(r.step(group::leave{}) == "left");

    auto late = make_classic(true);  // neither the application nor the coordinator answers
    settle(late);
    late.beat(broker_errc::none);
    late.step(group::leave{{}, late.now + 2s, {}});
    CHECK(late.after(2s) == "lose what goes, send LeaveGroup, left");

    auto s = settings();
    s.instance = "i";
    auto keeps = make_classic(true, s);  // a static member stays by default
    settle(keeps);
    keeps.step(group::leave{{}, keeps.now + 2s, {}});
    CHECK(keeps.done() == "left");
    auto goes = make_classic(true, s);
    settle(goes);
    goes.step(group::leave{true, goes.now + 2s, {}});
    CHECK(goes.done() == "send LeaveGroup");
    CHECK(goes.sent<messages::leave_group_request>().members.front().group_instance_id == "i");
}

TEST_CASE("a LeaveGroup does not queue behind a JoinGroup that waits", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    auto a = refused<messages::join_group_response>(broker_errc::member_id_required);
    a.member_id = "me";
    r.answer(a);
    const auto waits = r.main_request;
    CHECK(r.step(group::leave{{}, r.now + 2s, {}}) == "send LeaveGroup apart");
    CHECK(r.step(group::answered{waits, 9, refused<messages::join_group_response>(broker_errc::unknown_member_id)}).empty());
    CHECK(r.answer(messages::leave_group_response{}) == "left");
}

TEST_CASE("an application that does not finish giving up is not waited for beyond its deadline", "[group][classic][story]") {
    auto s = settings();
    s.rebalance_timeout = 30s;
    s.processing_deadline = 0s;
    auto r = make_classic(false, s);
    settle(r);
    r.beat(broker_errc::rebalance_in_progress);
    const auto told = std::get<group::revoke>(r.out.front());
    CHECK(told.deadline - r.now == 24s);
    r.now = told.deadline;
    CHECK(r.step(group::tick{}).find("send JoinGroup") != std::string::npos);
    const auto callback = told.callback;
    CHECK(r.step(group::callback_done{callback}).empty());
}

TEST_CASE("what is not wanted any more is given up at once, and never taken", "[group][classic][story]") {
    auto r = make_classic(true);
    r.step(group::subscribe{{{"a", "b"}, {}}});
    r.step(group::coordinator_found{1});
    sync(r);
    r.step(group::subscribe{{{"a"}, {}}});  // while the assignment is on its way
    CHECK(r.answer(sync_answer({{"a", {0}}, {"b", {0}}})) == "assign [a0]");
    CHECK(r.done() == "rebalanced, send JoinGroup");
    sync(r, 2);
    r.answer(sync_answer({{"a", {0}}}));
    r.done();
    CHECK(r.step(group::subscribe{{{"b"}, {}}}) == "revoke a0");
    CHECK(r.done() == "send JoinGroup");
}

TEST_CASE("a refusal that goes on is not asked in a loop", "[group][classic][story]") {
    auto r = make_classic(true);
    join(r);
    int joins = 1;
    const auto until = r.now + 60s;
    while (r.now < until) {
        auto a = refused<messages::join_group_response>(joins % 2 == 0 ? broker_errc::unknown_member_id : broker_errc::member_id_required);
        a.member_id = "me";
        auto said = r.answer(a);
        while (said.find("send JoinGroup") == std::string::npos) {
            REQUIRE(r.machine->next_wakeup());
            r.now = *r.machine->next_wakeup();
            said = r.step(group::tick{});
        }
        ++joins;
    }
    CHECK(joins < 100);
}

TEST_CASE("join_backoff follows a refusal: neither the first JoinGroup nor one with a new id nor a rebalance waits for it", "[group][classic][story]") {
    auto s = settings();
    s.join_backoff = 5s;
    auto r = make_classic(true, s);
    r.step(group::subscribe{{{"a"}, {}}});
    CHECK(r.step(group::coordinator_found{1}) == "send JoinGroup");
    auto a = refused<messages::join_group_response>(broker_errc::member_id_required);
    a.member_id = "me";
    CHECK(r.answer(a) == "trust 1, send JoinGroup");
    for (const auto why : {broker_errc::unknown_member_id, broker_errc::coordinator_load_in_progress}) {
        CHECK(r.answer(refused<messages::join_group_response>(why)).find("send") == std::string::npos);
        REQUIRE(r.machine->next_wakeup());
        CHECK(*r.machine->next_wakeup() >= r.now + 4s);
        r.now = *r.machine->next_wakeup();
        CHECK(r.step(group::tick{}) == "send JoinGroup");
    }
    auto stable = make_classic(true, s);
    settle(stable);
    CHECK(stable.beat(broker_errc::rebalance_in_progress).find("send JoinGroup") != std::string::npos);
}

TEST_CASE("how long each phase took is told", "[group][classic][story]") {
    auto r = make_classic(false);
    settle(r);
    r.beat(broker_errc::rebalance_in_progress);
    r.now += 1s;
    r.done();
    r.now += 2s;
    r.answer(join_answer(r, 2, true));
    r.now += 3s;
    r.step(group::metadata_changed{topics({{"a", 3}})});
    r.now += 4s;
    r.answer(sync_answer({{"a", {0}}}));
    r.now += 5s;
    r.done();
    const auto& told = std::get<group::rebalanced>(r.out.front());
    CHECK(told.generation == 2);
    CHECK(told.took == group::phase_durations{1s, 2s, 3s, 4s, 5s, 15s});
    CHECK(r.machine->view().last_rebalance == told.took);
}

TEST_CASE("a member without the right to its group stays what it is, tells each refusal by the group's name, and asks once in the longest pause", "[group][classic]") {
    for (const auto& way : classic_ways()) {
        auto r = make_classic(way.cooperative);
        way.go(r);
        const auto before = r.machine->view();
        const std::string state{before.state};
        INFO(way.name);
        error why{make_error_code(broker_errc::group_authorization_failed)};
        const auto did = r.step(group::coordinator_failed{why, false});
        if (state == "leaving") {
            CHECK(r.state() != "leaving");  // there is nobody to tell
            continue;
        }
        CHECK(r.state() == state);
        if (state == "unjoined" || state == "parked" || state == "gone" || state == "broken") {
            CHECK(did.empty());
            continue;
        }
        CHECK(did.find("trouble") == 0);
        const auto& told = std::get<group::trouble>(r.out.front());
        CHECK(told.tell);
        CHECK(told.why.message().find("the group g is not open to this user") != std::string::npos);
        CHECK(r.machine->view().assignment == before.assignment);
    }
    auto r = make_classic(true);
    join(r);
    for (int i = 0; i < 5; ++i) {
        CHECK(r.answer(refused<messages::join_group_response>(broker_errc::group_authorization_failed)) == "trouble");
        const auto next = r.machine->next_wakeup();
        REQUIRE(next);
        CHECK(*next - r.now >= 800ms);
        CHECK(*next - r.now <= 1200ms);
        r.now = *next;
        CHECK(r.step(group::tick{}).find("send JoinGroup") == 0);
    }
}
