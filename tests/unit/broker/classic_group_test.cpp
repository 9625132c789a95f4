#include <kafkawire/protocol/messages/16_list_groups.hpp>
#include <kafkawire/protocol/messages/42_delete_groups.hpp>

#include "group_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

TEST_CASE("java_hash is Java's String.hashCode") {
    CHECK(java_hash("") == 0);
    CHECK(java_hash("hello") == 99162322);
    CHECK(java_hash("polygenelubricants") == std::numeric_limits<std::int32_t>::min());
    CHECK(java_hash("\xc3\xa4") == 0xe4);                          // one UTF-16 unit
    CHECK(java_hash("\xf0\x9f\x98\x80") == 0xd83d * 31 + 0xde00);  // two
    CHECK(java_hash("\xff") == 0xfffd);
    group_harness h;
    CHECK(coordinator_partition(h.machine.state(), group_topic, "polygenelubricants") == 0);
    CHECK(coordinator_partition(h.machine.state(), group_topic, "hello") == 99162322 % 50);
}

TEST_CASE("FindCoordinator makes the internal topic, and then names the leader of the group's partition") {
    harness h{{.nodes = 3}};
    const auto c = h.connect();
    messages::find_coordinator_request r;
    r.coordinator_keys = {"a", "b"};
    const auto first = h.ask(c, r, 6);
    CHECK(first.coordinators.at(0).error_code == number(broker_errc::coordinator_not_available));
    const auto second = h.ask(c, r, 6);
    for (const auto& to : second.coordinators) {
        CHECK(to.error_code == 0);
        auto& state = h.machine.state();
        CHECK(to.node_id == state.find_partition(group_topic, coordinator_partition(state, group_topic, to.key))->leader());
    }
    r.key_type = 7;
    CHECK(h.ask(c, r, 6).coordinators.at(0).error_code == number(broker_errc::invalid_request));
}

TEST_CASE("two members share a group: the second makes the first join again, and the leader assigns") {
    group_harness h;
    classic_client a{h}, b{h};
    settle_two(a, b);
    CHECK(a.generation == 2);
    CHECK(a.joined.members.size() == 2);
    CHECK(b.joined.members.empty());
    CHECK(h.state_of(a.c, "g") == "Stable");
    CHECK(a.heartbeat() == broker_errc::none);
    // The follower leaves; the leader is told, joins, and has everything.
    CHECK(b.leave().members.at(0).error_code == 0);
    CHECK(a.heartbeat() == broker_errc::rebalance_in_progress);
    a.send_join();
    CHECK(a.take_join().members.size() == 1);
    CHECK(a.leave().error_code == 0);
    CHECK(h.state_of(a.c, "g") == "Empty");
}

TEST_CASE("the first rebalance of a group waits for more members, again for each that comes, and no longer than the rebalance timeout") {
    group_harness h{{.configs = {{"group.initial.rebalance.delay.ms", "3000"}}}};
    classic_client a{h}, b{h};
    a.rebalance_ms = b.rebalance_ms = 60'000;
    a.start_join();
    h.advance(2000ms);
    CHECK(a.waits());
    b.start_join();
    h.advance(2000ms);  // the delay was over, but somebody had come
    CHECK(a.waits());
    h.advance(2001ms);
    CHECK(a.take_join().generation_id == 1);
    CHECK(b.take_join().generation_id == 1);
    CHECK(a.leads() != b.leads());
}

TEST_CASE("a member that says nothing for a session is thrown out") {
    group_harness h;
    classic_client a{h}, b{h};
    settle_two(a, b);
    for (int i = 0; i < 4; ++i) {
        h.advance(3000ms);
        static_cast<void>(a.heartbeat());
    }
    CHECK(b.heartbeat() == broker_errc::unknown_member_id);
    CHECK(a.heartbeat() == broker_errc::rebalance_in_progress);
    // And the whole group, when nobody is left.
    h.advance(60s);
    CHECK(h.state_of(a.c, "g") == "Empty");
}

TEST_CASE("a member that does not join again in time is left behind; one that does not sync too") {
    group_harness h;
    classic_client a{h}, b{h};
    a.session_ms = b.session_ms = 100'000;
    settle_two(a, b);
    a.send_join();
    h.advance(19'999ms);
    CHECK(a.waits());
    h.advance(1ms);
    CHECK(a.take_join().members.size() == 1);
    CHECK(b.heartbeat() == broker_errc::unknown_member_id);
    h.advance(20s);
    CHECK(a.heartbeat() == broker_errc::unknown_member_id);
    CHECK(h.state_of(a.c, "g") == "Empty");
}

TEST_CASE("a static member that was restarted takes its place again without a rebalance, and fences the old one") {
    group_harness h;
    classic_client a{h}, again{h};
    a.instance = again.instance = "one";
    settle_alone(a);
    again.send_join();
    const auto joined = again.take_join();
    CHECK(joined.error_code == 0);
    CHECK(joined.generation_id == 1);
    CHECK(joined.skip_assignment);
    CHECK(joined.members.size() == 1);
    CHECK(again.id != a.id);
    CHECK(a.heartbeat() == broker_errc::fenced_instance_id);
    CHECK(again.heartbeat() == broker_errc::none);
    again.send_sync();
    CHECK(again.take_sync().assignment == bytes_of("all"));
    again.instance = "two";
    CHECK(again.heartbeat() == broker_errc::unknown_member_id);
    // An administrator removes it by its instance alone.
    messages::leave_group_request r;
    r.group_id = "g";
    r.members.push_back({"", "one", {}, {}});
    r.members.push_back({"", "two", {}, {}});
    const auto left = h.ask(a.c, r, 5);
    CHECK(left.members.at(0).error_code == 0);
    CHECK(left.members.at(1).error_code == number(broker_errc::unknown_member_id));
    CHECK(h.state_of(a.c, "g") == "Empty");
}

TEST_CASE("a full group takes no more members") {
    group_harness h{{.configs = {{"group.max.size", "2"}}}};
    classic_client a{h}, b{h}, x{h};
    settle_two(a, b);
    x.send_join();
    CHECK(x.take_join().error_code == number(broker_errc::group_max_size_reached));
    CHECK(a.heartbeat() == broker_errc::none);
}

TEST_CASE("what a classic group refuses") {
    group_harness h;
    classic_client a{h}, b{h}, x{h};
    settle_two(a, b);
    SECTION("a protocol that the others do not have") {
        x.protocols = {"sticky"};
        x.send_join();
        CHECK(x.take_join().error_code == number(broker_errc::inconsistent_group_protocol));
    }
    SECTION("strangers, other generations, sessions out of range, no name") {
        x.id = "stranger";
        x.send_join();
        CHECK(x.take_join().error_code == number(broker_errc::unknown_member_id));
        CHECK(x.heartbeat() == broker_errc::unknown_member_id);
        x.id = a.id;
        x.generation = 1;
        CHECK(x.heartbeat() == broker_errc::illegal_generation);
        x.joined.protocol_name = "range";
        x.send_sync();
        CHECK(x.take_sync().error_code == number(broker_errc::illegal_generation));
        x.generation = 2;
        x.joined.protocol_name = "sticky";
        x.send_sync();
        CHECK(x.take_sync().error_code == number(broker_errc::inconsistent_group_protocol));
        x.session_ms = 100;
        x.send_join();
        CHECK(x.take_join().error_code == number(broker_errc::invalid_session_timeout));
        x.group.clear();
        x.session_ms = 10'000;
        x.send_join();
        CHECK(x.take_join().error_code == number(broker_errc::invalid_group_id));
        CHECK(x.heartbeat() == broker_errc::invalid_group_id);
    }
    SECTION("to be deleted") {
        messages::delete_groups_request r;
        r.groups_names = {"g", "none", "g"};
        const auto answer = h.ask(a.c, r, 2);
        REQUIRE(answer.results.size() == 2);
        CHECK(answer.results[0].error_code == number(broker_errc::non_empty_group));
        CHECK(answer.results[1].error_code == number(broker_errc::group_id_not_found));
    }
    SECTION("a sync while members join") {
        a.send_join();
        b.send_sync();
        CHECK(b.take_sync().error_code == number(broker_errc::rebalance_in_progress));
    }
}

TEST_CASE("members vote for the protocol, among those that all have") {
    group_harness h;
    classic_client a{h}, b{h};
    a.protocols = {"sticky", "range"};
    b.protocols = {"range"};
    settle_alone(a);
    CHECK(a.joined.protocol_name == "sticky");
    b.start_join();
    a.send_join();
    CHECK(a.take_join().protocol_name == "range");
    CHECK(b.take_join().protocol_name == "range");
}

TEST_CASE("groups are listed by node, state and type") {
    group_harness h;
    classic_client a{h};
    settle_alone(a);
    messages::list_groups_request r;
    CHECK(h.ask(a.c, r, 5).groups.size() == 1);
    r.states_filter = {"STABLE "};
    CHECK(h.ask(a.c, r, 5).groups.size() == 1);
    r.types_filter = {"consumer"};
    CHECK(h.ask(a.c, r, 5).groups.empty());
}

TEST_CASE("when the coordinator moves, who waits is told, and the next one knows the group") {
    group_harness h{{.nodes = 3, .topics = {{.name = "orders"}}}};
    classic_client a{h}, b{h};
    settle_two(a, b);
    CHECK(h.commit(a.c, "g", a.id, a.generation, 42) == broker_errc::none);
    a.send_join();
    CHECK(a.waits());
    const auto before = h.coordinator("g");
    h.log_of("g").set_leader(before % 3 + 1);
    h.collect();
    CHECK(a.take_join().error_code == number(broker_errc::not_coordinator));
    CHECK(a.heartbeat() == broker_errc::not_coordinator);
    h.advance(0ms);
    a.c = h.connect(h.coordinator("g"));
    b.c = h.connect(h.coordinator("g"));
    CHECK(h.state_of(a.c, "g") == "Stable");
    CHECK(a.heartbeat() == broker_errc::none);
    CHECK(h.committed(a.c, "g") == 42);
    b.send_sync();
    CHECK(b.take_sync().assignment == bytes_of("right"));
    // Sessions began anew: the one who does not come is missed.
    h.advance(9s);
    CHECK(a.heartbeat() == broker_errc::none);
    h.advance(2s);
    CHECK(a.heartbeat() == broker_errc::rebalance_in_progress);
}

TEST_CASE("while a coordinator loads, members wait for it") {
    group_harness h;
    classic_client a{h};
    settle_alone(a);
    h.machine.state().groups().begin_slow_load(-1);
    CHECK(a.heartbeat() == broker_errc::none);
    a.send_join();
    CHECK(a.take_join().error_code == number(broker_errc::coordinator_load_in_progress));
    h.machine.state().groups().end_slow_load(-1);
    a.generation = 1;
    CHECK(a.heartbeat() == broker_errc::none);
}

TEST_CASE("the machine's states follow each other only as they may") {
    using fsm = classic_group_fsm;
    const moment now{net::time_point{}, net::wall_time{}};
    fsm g{"g", {.initial_rebalance_delay = milliseconds{0}}, now};
    group_actions out;
    CHECK(g.is<fsm::empty>());
    CHECK(g.is_simple());
    classic_join j;
    j.fresh_id = "a";
    j.protocol_type = "connect";
    j.protocols = {{"default", {}}};
    j.session_timeout = j.rebalance_timeout = milliseconds{10'000};
    join_answer told;
    g.join(j, [&](const join_answer& a) { told = a; }, now, out);
    CHECK(g.is<fsm::preparing_rebalance>());
    REQUIRE(std::holds_alternative<set_group_timer>(out.back()));
    CHECK(std::get<set_group_timer>(out.back()).kind == group_timer::join);
    out.clear();
    g.expired(group_timer::join, {}, now, out);
    CHECK(g.is<fsm::completing_rebalance>());
    CHECK(g.generation() == 1);
    g.kill(broker_errc::not_coordinator, now, out);
    CHECK(g.is<fsm::dead>());
    CHECK(g.heartbeat("a", {}, 1, out) == broker_errc::coordinator_not_available);
    CHECK(g.check_commit("a", {}, 1, false) == broker_errc::coordinator_not_available);
    for (std::size_t to = 0; to < 4; ++to) CHECK(!fsm::legal[4][to]);  // nothing comes back
    CHECK(!fsm::legal[0][3]);                                           // nobody is stable without a join
    CHECK(!fsm::legal[1][3]);
    CHECK(fsm::legal[3][1]);
}

}  // namespace
}  // namespace kafkawire::broker::test
