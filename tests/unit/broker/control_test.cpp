// Controls: nodes that go and come, leaders that move, views that stay behind, clocks that jump; and what is seen of it all.
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include "broker_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

namespace messages = protocol::messages;
using namespace std::chrono_literals;

const options three{.nodes = 3, .topics = {{.name = "orders", .partitions = 3}}};

messages::metadata_request all_topics() {
    messages::metadata_request r;
    r.topics.reset();
    r.allow_auto_topic_creation = false;
    return r;
}

struct controlled_world : harness {
    explicit controlled_world(options o = three) : harness{std::move(o)} {}
    [[nodiscard]] cluster_view view() { return machine.view(now()); }
    [[nodiscard]] std::vector<partition_view> partitions(std::string_view topic = "orders") {
        const auto v = view();
        const auto* t = v.find_topic(topic);
        REQUIRE(t);
        return t->partitions;
    }
    [[nodiscard]] std::int32_t leader(int partition) { return partitions().at(static_cast<std::size_t>(partition)).leader; }
    [[nodiscard]] int led_by(std::int32_t node) {
        int n = 0;
        for (const auto& p : partitions()) n += p.leader == node;
        return n;
    }
    messages::metadata_response metadata(connection_id c) { return ask(c, all_topics(), 12); }
};

TEST_CASE("a node that goes down loses its connections and its partitions; what it led stays with others when it is back") {
    controlled_world w;
    const auto c1 = w.connect(1), c2 = w.connect(2);
    REQUIRE(w.led_by(2) == 1);
    REQUIRE(!w.machine.node_down(2, w.now()));
    w.collect();
    CHECK(w.is_closed(c2));
    CHECK(!w.is_closed(c1));
    CHECK(w.led_by(2) == 0);
    CHECK(w.metadata(c1).brokers.size() == 2);
    CHECK(w.is_closed(w.connect(2)));
    REQUIRE(!w.machine.node_up(2, w.now()));
    w.collect();
    CHECK(w.metadata(w.connect(2)).brokers.size() == 3);
    CHECK(w.led_by(2) == 0);
    for (const auto& p : w.partitions()) CHECK(p.in_sync.size() == 3);
}

TEST_CASE("a topic that is asked for is not made while there are too few nodes for its replicas") {
    controlled_world w;
    REQUIRE(!w.machine.node_down(2, w.now()));
    w.collect();
    const auto c = w.connect(1);
    messages::metadata_request r;
    r.topics.emplace().push_back({{}, "payments", {}});
    r.allow_auto_topic_creation = true;
    for (int i = 0; i < 2; ++i) CHECK(w.ask(c, r, 13).topics.at(0).error_code == static_cast<std::int16_t>(broker_errc::unknown_topic_or_partition));
    REQUIRE(!w.machine.node_up(2, w.now()));
    w.collect();
    w.ask(c, r, 13);
    CHECK(w.ask(c, r, 13).topics.at(0).partitions.size() == 1);
}

TEST_CASE("a killed node is believed in until its session has run out") {
    controlled_world w;
    const auto c1 = w.connect(1), c2 = w.connect(2);
    REQUIRE(!w.machine.node_killed(2, w.now()));
    w.collect();
    CHECK(w.is_closed(c2));
    CHECK(w.led_by(2) == 1);
    CHECK(w.metadata(c1).brokers.size() == 3);
    w.advance(9s);
    CHECK(w.led_by(2) == 0);
    CHECK(w.metadata(c1).brokers.size() == 2);
    CHECK(w.view().nodes.at(1).status == node_status::down);
}

TEST_CASE("a killed node that is soon back is up; its session ends nothing") {
    controlled_world w;
    REQUIRE(!w.machine.node_killed(2, w.now()));
    w.advance(3s);
    REQUIRE(!w.machine.node_up(2, w.now()));
    w.advance(30s);
    CHECK(w.view().nodes.at(1).status == node_status::up);
    CHECK(w.led_by(2) == 1);
}

TEST_CASE("a paused node keeps its connections and says nothing; it answers when it goes on") {
    controlled_world w;
    const auto c = w.connect(2);
    REQUIRE(!w.machine.node_paused(2, w.now()));
    w.send(c, all_topics(), 12);
    const auto late = w.connect(2);
    w.send(late, all_topics(), 12);
    w.advance(8s);
    CHECK(!w.has_answer(c));
    CHECK(!w.is_closed(c));
    CHECK(w.led_by(2) == 1);
    w.advance(1s);
    CHECK(w.led_by(2) == 0);
    REQUIRE(!w.machine.node_up(2, w.now()));
    w.collect();
    CHECK(w.has_answer(c));
    CHECK(w.has_answer(late));
}

TEST_CASE("an answer that was on its way when the node was paused comes when it goes on") {
    controlled_world w;
    const auto c = w.connect(2);
    w.machine.faults().add({.count = 1, .reply_delay = 1s});
    w.send(c, all_topics(), 12);
    REQUIRE(!w.machine.node_paused(2, w.now()));
    w.advance(2s);
    CHECK(!w.has_answer(c));
    REQUIRE(!w.machine.node_up(2, w.now()));
    w.collect();
    CHECK(w.has_answer(c));
    w.answers[c].clear();
    CHECK(w.metadata(c).brokers.size() == 3);
}

TEST_CASE("a paused node reads no more than a socket would hold for it") {
    controlled_world w;
    const auto c = w.connect(2);
    REQUIRE(!w.machine.node_paused(2, w.now()));
    protocol::bytes much(4u << 20);
    much[0] = std::byte{1};  // the first part of a frame of 16 MiB
    w.send_bytes(c, much);
    CHECK(w.machine.prepare(c).where.empty());
    REQUIRE(!w.machine.node_up(2, w.now()));
    CHECK(!w.machine.prepare(c).where.empty());
}

TEST_CASE("a leader moves to a replica that is up, in a new epoch") {
    controlled_world w;
    const auto before = w.partitions()[0];
    const auto to = before.replicas[1];
    REQUIRE(!w.machine.move_leader("orders", 0, to, w.now()));
    const auto after = w.partitions()[0];
    CHECK(after.leader == to);
    CHECK(after.leader_epoch == before.leader_epoch + 1);
    REQUIRE(!w.machine.raise_epoch("orders", 0, w.now()));
    CHECK(w.partitions()[0].leader_epoch == before.leader_epoch + 2);
    CHECK(w.leader(0) == to);
    CHECK(w.machine.move_leader("orders", 0, 9, w.now()) == broker_errc::replica_not_available);
    CHECK(w.machine.move_leader("orders", 7, 1, w.now()) == broker_errc::unknown_topic_or_partition);
    CHECK(w.machine.move_leader("none", 0, 1, w.now()) == broker_errc::unknown_topic_or_partition);
    REQUIRE(!w.machine.node_down(before.replicas[2], w.now()));
    CHECK(w.machine.move_leader("orders", 0, before.replicas[2], w.now()) == broker_errc::broker_not_available);
    CHECK(w.machine.node_down(9, w.now()) == broker_errc::broker_id_not_registered);
    CHECK(w.machine.truncate("orders", 0, 1, w.now()) == broker_errc::offset_out_of_range);
    CHECK(!w.machine.truncate("orders", 0, 0, w.now()));
}

TEST_CASE("a coordinator moves with its partition") {
    controlled_world w;
    for (const std::int32_t to : {2, 3, 1}) {
        REQUIRE(!w.machine.move_coordinator("__consumer_offsets", "billing", to, w.now()));
        int led = 0;
        for (const auto& p : w.partitions("__consumer_offsets")) led += p.leader_epoch > 0 && p.leader == to;
        CHECK(led >= 1);
    }
}

TEST_CASE("a node whose metadata is frozen tells what was, the others what is") {
    controlled_world w;
    const auto c1 = w.connect(1), c2 = w.connect(2);
    REQUIRE(!w.machine.freeze_metadata(1, w.now()));
    const auto old = w.leader(0);
    REQUIRE(!w.machine.move_leader("orders", 0, old % 3 + 1, w.now()));
    CHECK(w.metadata(c1).topics.at(0).partitions.at(0).leader_id == old);
    CHECK(w.metadata(c2).topics.at(0).partitions.at(0).leader_id == old % 3 + 1);
    messages::metadata_request one;
    one.topics.emplace().push_back({{}, "new", {}});
    CHECK(w.ask(c1, one, 12).topics.at(0).error_code == 3);
    CHECK(!w.machine.state().find_topic("new"));
    CHECK(w.view().nodes.at(0).metadata_frozen);
    REQUIRE(!w.machine.thaw_metadata(1));
    CHECK(w.metadata(c1).topics.at(0).partitions.at(0).leader_id == old % 3 + 1);
}

TEST_CASE("clocks: the wall jumps alone, both advance together, and what was waited for comes sooner") {
    controlled_world w;
    const auto before = w.view().at;
    w.machine.move_wall_clock(-1h, w.now());
    CHECK(w.view().at.wall == before.wall - 1h);
    CHECK(w.view().at.steady == before.steady);
    const auto c = w.connect();
    w.machine.faults().add({.count = 1, .delay = 10s});
    w.send(c, all_topics(), 12);
    REQUIRE(!w.machine.advance_clock(9s, w.now()));
    w.collect();
    CHECK(!w.has_answer(c));
    CHECK(w.machine.next_wakeup() == w.now().steady + 1s);
    w.advance(1s);
    CHECK(w.has_answer(c));
    CHECK(w.machine.advance_clock(-1s, w.now()));
}

TEST_CASE("the history has the last messages, decoded when they are asked for, and counts all of them") {
    controlled_world w;
    const auto c = w.connect();
    w.machine.history().keep(4);
    for (int i = 0; i < 3; ++i) (void)w.metadata(c);
    (void)w.ask(c, messages::api_versions_request{}, 0);
    const auto all = w.machine.history().messages();
    REQUIRE(all.size() == 4);
    CHECK(all[0].api_key == 3);
    CHECK(all[0].as<messages::metadata_request>()->topics == std::nullopt);
    CHECK(!all[0].as<messages::api_versions_request>());
    REQUIRE(all[1].as<messages::metadata_response>());
    CHECK(all[1].as<messages::metadata_response>()->brokers.size() == 3);
    CHECK(all[3].way == passing::direction::response);
    CHECK(all[3].as<messages::api_versions_response>()->error_code == 0);
    CHECK(all[0].line().find("node 1 #1 test > Metadata v12 3 {\"topics\":null") == 0);
    const auto traffic = w.machine.history().traffic();
    REQUIRE(traffic.size() == 2);
    CHECK(traffic[0].requests == 3);
    CHECK(traffic[0].answers == 3);
    CHECK(traffic[0].bytes_out > traffic[0].bytes_in);
}

}  // namespace
}  // namespace kafkawire::broker::test
