#include <kafkawire/protocol/messages/42_delete_groups.hpp>
#include <kafkawire/protocol/messages/47_offset_delete.hpp>
#include <kafkawire/protocol/messages/offsets_topic.hpp>

#include "broker/storage.hpp"
#include "group_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

options with_orders() {
    options o;
    o.topics.push_back({.name = "orders", .partitions = 2});
    return o;
}

TEST_CASE("who is no member commits by hand, and the group is there") {
    group_harness h{with_orders()};
    const auto c = h.connect();
    CHECK(h.commit(c, "by-hand", "", -1, 7) == broker_errc::none);
    const auto answer = h.fetch(c, "by-hand");
    const auto& p = answer.topics.at(0).partitions.at(0);
    CHECK(p.committed_offset == 7);
    CHECK(p.committed_leader_epoch == 4);
    CHECK(p.metadata == "note");
    CHECK(h.state_of(c, "by-hand") == "Empty");
    CHECK(h.committed(c, "nobody") == -1);
    CHECK(h.commit(c, "new", "member", 3, 7) == broker_errc::illegal_generation);
    CHECK(h.commit(c, "new", "member", 3, 7, 9) == broker_errc::group_id_not_found);
    CHECK(h.commit(c, "by-hand", "", -1, 7, 8, std::string(4097, 'x')) == broker_errc::offset_metadata_too_large);
}

TEST_CASE("a group's offsets are committed by its members alone") {
    group_harness h{with_orders()};
    classic_client a{h};
    settle_alone(a);
    CHECK(h.commit(a.c, "g", a.id, 1, 5) == broker_errc::none);
    CHECK(h.commit(a.c, "g", a.id, 2, 5) == broker_errc::illegal_generation);
    CHECK(h.commit(a.c, "g", "stranger", 1, 5) == broker_errc::unknown_member_id);
    CHECK(h.commit(a.c, "g", "", -1, 5) == broker_errc::unknown_member_id);
    a.send_join();
    REQUIRE(a.take_join().error_code == 0);
    CHECK(h.commit(a.c, "g", a.id, 2, 5) == broker_errc::rebalance_in_progress);
}

TEST_CASE("topics come by their ids from version 10 on") {
    group_harness h{with_orders()};
    const auto c = h.connect();
    const auto id = h.machine.state().find_topic("orders")->id;
    messages::offset_commit_request r;
    r.group_id = "g";
    auto& t = r.topics.emplace_back();
    t.topic_id = id;
    t.partitions.emplace_back().committed_offset = 3;
    auto& unknown = r.topics.emplace_back();
    unknown.topic_id = h.machine.state().random_uuid();
    unknown.partitions.emplace_back();
    const auto answer = h.ask(c, r, 10);
    REQUIRE(answer.topics.size() == 2);
    CHECK(answer.topics[0].partitions.at(0).error_code == number(broker_errc::unknown_topic_id));
    CHECK(answer.topics[1].partitions.at(0).error_code == 0);
    messages::offset_fetch_request f;
    auto& g = f.groups.emplace_back();
    g.group_id = "g";
    g.topics.reset();
    const auto all = h.ask(c, f, 10);
    REQUIRE(all.groups.at(0).topics.size() == 1);
    CHECK(all.groups[0].topics[0].topic_id == id);
    CHECK(all.groups[0].topics[0].partitions.at(0).committed_offset == 3);
}

TEST_CASE("a transaction's offsets count when it is committed, and never if it is aborted") {
    group_harness h{with_orders()};
    const auto c = h.connect();
    CHECK(h.commit(c, "g", "", -1, 5) == broker_errc::none);
    auto why = broker_errc::none;
    auto* shard = h.machine.state().groups().find(1, "g", why);
    REQUIRE(shard);
    committer who;
    who.group = "g";
    who.version = 5;
    who.transaction = {77, 0};
    bool done = false;
    shard->commit(who, {{"orders", {}, 0, 9, -1, "later"}}, [&](const group_shard::commit_result& r) { done = !r.error && r.offsets.at(0) == broker_errc::none; });
    CHECK(done);
    CHECK(h.committed(c, "g") == 5);
    CHECK(h.fetch(c, "g", true).topics.at(0).partitions.at(0).error_code == number(broker_errc::unstable_offset_commit));
    SECTION("committed") {
        h.machine.state().groups().end_transaction(shard->partition_index(), 77, true);
        CHECK(h.committed(c, "g") == 9);
    }
    SECTION("aborted") {
        h.machine.state().groups().end_transaction(shard->partition_index(), 77, false);
        CHECK(h.committed(c, "g") == 5);
    }
    SECTION("another coordinator knows that they are pending") {
        h.log_of("g").set_leader(1);
        CHECK(h.committed(c, "g") == 5);
        CHECK(h.fetch(c, "g", true).topics.at(0).partitions.at(0).error_code == number(broker_errc::unstable_offset_commit));
    }
}

TEST_CASE("offsets are deleted by hand, with their group, with their topic, and when they are old") {
    auto o = with_orders();
    o.configs["offsets.retention.minutes"] = "60";
    group_harness h{o};
    const auto c = h.connect();
    CHECK(h.commit(c, "g", "", -1, 5) == broker_errc::none);
    SECTION("by hand") {
        messages::offset_delete_request r;
        r.group_id = "g";
        r.topics.push_back({"orders", {{0, {}}, {9, {}}}, {}});
        const auto answer = h.ask(c, r, 0);
        CHECK(answer.topics.at(0).partitions.at(0).error_code == number(broker_errc::unknown_topic_or_partition));
        CHECK(answer.topics.at(0).partitions.at(1).error_code == 0);
        r.group_id = "none";
        r.topics[0].partitions.pop_back();
        CHECK(h.ask(c, r, 0).error_code == number(broker_errc::group_id_not_found));
    }
    SECTION("with the group") {
        messages::delete_groups_request r;
        r.groups_names = {"g"};
        CHECK(h.ask(c, r, 2).results.at(0).error_code == 0);
        CHECK(h.state_of(c, "g") == "Dead");
    }
    SECTION("with the topic") { h.machine.state().delete_topic("orders"); }
    SECTION("when they are old") {
        h.advance(50min);
        CHECK(h.committed(c, "g") == 5);
        h.advance(21min);
        CHECK(h.state_of(c, "g") == "Dead");
    }
    CHECK(h.committed(c, "g") == -1);
    // Another coordinator, which reads the tombstones, knows no more.
    h.log_of("g").set_leader(1);
    CHECK(h.committed(c, "g") == -1);
}

TEST_CASE("a group in use keeps what it subscribes to, however old") {
    auto o = with_orders();
    o.configs["offsets.retention.minutes"] = "60";
    group_harness h{o};
    classic_client a{h};
    settle_alone(a);
    CHECK(h.commit(a.c, "g", a.id, 1, 5) == broker_errc::none);
    for (int i = 0; i < 24; ++i) {
        for (int k = 0; k < 40; ++k) {
            h.advance(9s);
            REQUIRE(a.heartbeat() == broker_errc::none);
        }
    }
    CHECK(h.committed(a.c, "g") == 5);
    // Empty since: its hour begins now.
    CHECK(a.leave().error_code == 0);
    h.advance(45min);
    CHECK(h.committed(a.c, "g") == 5);
    h.advance(30min);
    CHECK(h.committed(a.c, "g") == -1);
}

TEST_CASE("after a restart groups and offsets are there, and members that do not come back are missed") {
    const auto files = std::make_shared<memory_storage>();
    auto o = with_orders();
    o.seed = 1;
    moment now{net::time_point{1h}, net::wall_time{24h * 365 * 50}};
    auto why = broker_errc::none;
    const auto shard = [&](cluster_state& c) { return c.groups().find(1, "g", why); };
    const auto state = [&](cluster_state& c) { return std::string{shard(c)->find("g")->state_name()}; };
    {
        cluster_state c{o, now, files};
        make_internal_topic(c, group_topic);
        REQUIRE(shard(c));
        classic_join j;
        j.fresh_id = "a";
        j.protocol_type = "consumer";
        j.protocols = {{"range", {}}};
        j.session_timeout = j.rebalance_timeout = milliseconds{10'000};
        shard(c)->join("g", j, [](const join_answer& a) { CHECK(a.generation == 1); });
        while (c.timers().run_one(now.steady)) {}
        classic_sync s;
        s.member_id = "a";
        s.generation = 1;
        shard(c)->sync("g", s, [](const sync_answer& a) { CHECK(a.error == broker_errc::none); });
        committer who;
        who.group = "g";
        who.member_id = "a";
        who.generation = 1;
        shard(c)->commit(who, {{"orders", {}, 1, 5, -1, "note"}}, [](const group_shard::commit_result& r) { CHECK(!r.error); });
        CHECK(state(c) == "Stable");
    }
    now.wall += 1s;
    cluster_state c{o, now, files};
    CHECK(state(c) == "Stable");
    REQUIRE(shard(c)->offsets().find("g", "orders", 1));
    CHECK(shard(c)->offsets().find("g", "orders", 1)->offset == 5);
    now.steady += 10s;
    c.set_now(now);
    while (c.timers().run_one(now.steady)) {}
    CHECK(state(c) == "Empty");
}

TEST_CASE("the log holds groups and offsets in Kafka's formats") {
    group_harness h{with_orders()};
    classic_client a{h};
    settle_alone(a);
    CHECK(h.commit(a.c, "g", a.id, 1, 5) == broker_errc::none);
    std::map<std::int16_t, int> kinds;
    replay(h.log_of("g"), [&](const replayed& event) {
        const auto kind = leading_number(event.key);
        ++kinds[kind];
        REQUIRE(event.value);
        if (kind == 1) {
            messages::offset_commit_key key;
            messages::offset_commit_value value;
            REQUIRE(decode_key(key, event.key));
            REQUIRE(decode_value(value, *event.value));
            CHECK(leading_number(*event.value) == 4);
            CHECK(key.topic == "orders");
            CHECK(value.offset == 5);
            CHECK(value.topic_id == h.machine.state().find_topic("orders")->id);
        } else {
            messages::group_metadata_value value;
            REQUIRE(decode_value(value, *event.value));
            CHECK(leading_number(*event.value) == 3);
        }
    });
    CHECK(kinds == std::map<std::int16_t, int>{{1, 1}, {2, 2}});
}

}  // namespace
}  // namespace kafkawire::broker::test
