#include <kafkawire/protocol/messages/68_consumer_group_heartbeat.hpp>
#include <kafkawire/protocol/messages/69_consumer_group_describe.hpp>
#include <kafkawire/protocol/messages/consumer_protocol.hpp>

#include "broker/consumer_group_regex.hpp"
#include "group_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

using partitions = std::set<std::int32_t>;

options with_topics(std::string interval = "0") {
    options o;
    o.nodes = 3;
    o.topics.push_back({.name = "orders", .partitions = 6});
    o.topics.push_back({.name = "bills", .partitions = 2});
    o.configs["group.consumer.assignment.interval.ms"] = std::move(interval);
    return o;
}

/// One member of a consumer group.
struct consumer_client {
    group_harness& h;
    std::string id;
    connection_id c;
    std::string group = "g";
    std::int32_t epoch = 0;
    std::optional<std::vector<std::string>> topics{{"orders"}};
    std::optional<std::string> instance{}, regex{}, assignor{};
    std::map<std::string, partitions> has{};  ///< what it was told last
    std::string error{};

    consumer_client(group_harness& harness, std::string member) : h{harness}, id{std::move(member)}, c{h.connect(h.coordinator("g"))} {}
    broker_errc send(const messages::consumer_group_heartbeat_request& r) {
        const auto a = h.ask(c, r, 1);
        error = a.error_message.value_or("");
        if (a.error_code == 0) epoch = a.member_epoch;
        if (a.assignment) {
            has.clear();
            for (const auto& t : a.assignment->topic_partitions)
                has[h.machine.state().find_topic(t.topic_id)->name] = {t.partitions.begin(), t.partitions.end()};
        }
        return static_cast<broker_errc>(a.error_code);
    }
    messages::consumer_group_heartbeat_request request() const {
        messages::consumer_group_heartbeat_request r;
        r.group_id = group;
        r.member_id = id;
        r.instance_id = instance;
        r.member_epoch = epoch;
        return r;
    }
    broker_errc join() {
        epoch = 0;
        auto r = request();
        r.rebalance_timeout_ms = 10'000;
        r.subscribed_topic_names = topics;
        r.subscribed_topic_regex = regex;
        r.server_assignor = assignor;
        r.topic_partitions.emplace();
        has.clear();
        return send(r);
    }
    broker_errc beat() { return send(request()); }
    /// Says what it has: what it was told, when it has given the rest up.
    broker_errc acknowledge() {
        auto r = request();
        r.topic_partitions.emplace();
        for (const auto& [name, which] : has) r.topic_partitions->push_back({h.machine.state().find_topic(name)->id, {which.begin(), which.end()}, {}});
        return send(r);
    }
    broker_errc leave(std::int32_t how = -1) {
        auto r = request();
        r.member_epoch = how;
        return send(r);
    }
};

messages::consumer_group_describe_response::described_group describe(consumer_client& c) {
    messages::consumer_group_describe_request r;
    r.group_ids.push_back(c.group);
    return c.h.ask(c.c, r, 1).groups.at(0);
}

TEST_CASE("three members come to share six partitions: nobody gets what another has not given up") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"}, b{h, "b"}, d{h, "d"};
    CHECK(a.join() == broker_errc::none);
    CHECK(a.epoch == 2);
    CHECK(a.has["orders"] == partitions{0, 1, 2, 3, 4, 5});
    CHECK(describe(a).group_state == "Stable");
    CHECK(b.join() == broker_errc::none);
    CHECK(b.has.empty());
    CHECK(d.join() == broker_errc::none);
    CHECK(describe(a).group_state == "Reconciling");
    CHECK(describe(a).group_epoch == 4);
    // The first is told what to keep, at its old epoch; only when it says that it has given up the rest, others get it.
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.epoch == 2);
    CHECK(a.has["orders"].size() == 2);
    CHECK(b.beat() == broker_errc::none);
    CHECK(b.has.empty());
    CHECK(a.acknowledge() == broker_errc::none);
    CHECK(a.epoch == 4);
    CHECK(b.beat() == broker_errc::none);
    CHECK(d.beat() == broker_errc::none);
    CHECK(b.has["orders"].size() == 2);
    CHECK(d.has["orders"].size() == 2);
    partitions all;
    for (auto* m : {&a, &b, &d}) all.insert(m->has["orders"].begin(), m->has["orders"].end());
    CHECK(all.size() == 6);
    const auto described = describe(a);
    CHECK(described.group_state == "Stable");
    CHECK(described.assignor_name == "uniform");
    REQUIRE(described.members.size() == 3);
    CHECK(described.members[0].member_epoch == 4);
    CHECK(described.members[0].assignment == described.members[0].target_assignment);
    // One leaves: the others take over.
    CHECK(d.leave() == broker_errc::none);
    CHECK(a.beat() == broker_errc::none);
    CHECK(b.beat() == broker_errc::none);
    CHECK(a.has["orders"].size() + b.has["orders"].size() == 6);
    CHECK(b.leave() == broker_errc::none);
    CHECK(a.leave() == broker_errc::none);
    CHECK(describe(a).group_state == "Empty");
}

TEST_CASE("members that come within the assignment interval are assigned together") {
    group_harness h{with_topics("1000")};
    consumer_client a{h, "a"}, b{h, "b"};
    CHECK(a.join() == broker_errc::none);
    h.advance(10ms);
    CHECK(b.join() == broker_errc::none);
    CHECK(describe(a).group_state == "Assigning");
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.has["orders"].size() == 6);
    h.advance(1s);
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.has["orders"].size() == 3);
}

TEST_CASE("epochs fence members, but an answer that was lost may be asked for again") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"};
    CHECK(a.join() == broker_errc::none);
    a.epoch = 77;
    CHECK(a.beat() == broker_errc::fenced_member_epoch);
    CHECK(a.error.find("a greater member epoch (77)") != std::string::npos);
    a.epoch = 1;
    CHECK(a.acknowledge() == broker_errc::fenced_member_epoch);
    // It has not seen epoch 2: its previous one, with nothing that it was not given.
    consumer_client b{h, "b"};
    CHECK(b.join() == broker_errc::none);
    a.epoch = 2;
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.acknowledge() == broker_errc::none);
    CHECK(a.epoch == 3);
    a.epoch = 2;
    CHECK(a.acknowledge() == broker_errc::none);
    CHECK(a.epoch == 3);
    b.id = "stranger";
    CHECK(b.beat() == broker_errc::unknown_member_id);
    b.group = "none";
    CHECK(b.beat() == broker_errc::group_id_not_found);
}

TEST_CASE("a member that is silent, or does not give up in time, is fenced") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"}, b{h, "b"};
    CHECK(a.join() == broker_errc::none);
    CHECK(b.join() == broker_errc::none);
    SECTION("its rebalance timeout is over") {
        CHECK(a.beat() == broker_errc::none);  // is told to give up three
        h.advance(10s);
        CHECK(a.beat() == broker_errc::unknown_member_id);
        CHECK(b.beat() == broker_errc::none);
        CHECK(b.has["orders"].size() == 6);
    }
    SECTION("its session is over") {
        h.advance(44s);
        CHECK(b.beat() == broker_errc::none);
        h.advance(2s);
        CHECK(b.beat() == broker_errc::none);
        CHECK(b.has["orders"].size() == 6);
        h.advance(46s);
        CHECK(describe(a).group_state == "Empty");
    }
}

TEST_CASE("static members may go for a while; somebody else cannot take their name meanwhile") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"}, b{h, "b"};
    a.instance = b.instance = "one";
    CHECK(a.join() == broker_errc::none);
    CHECK(b.join() == broker_errc::unreleased_instance_id);
    CHECK(a.leave(-2) == broker_errc::none);
    CHECK(describe(a).members.at(0).member_epoch == -2);
    CHECK(b.join() == broker_errc::none);
    CHECK(b.has["orders"].size() == 6);
    CHECK(describe(b).group_epoch == 2);  // no rebalance
    a.epoch = 2;
    CHECK(a.beat() == broker_errc::fenced_instance_id);
    CHECK(a.leave() == broker_errc::fenced_instance_id);
    CHECK(b.leave(-2) == broker_errc::none);
    h.advance(46s);
    CHECK(describe(b).group_state == "Empty");
}

TEST_CASE("a subscription by a pattern follows the topics") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"};
    a.topics.reset();
    a.regex = "(orders|new-.*)";
    CHECK(a.join() == broker_errc::none);
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.has["orders"].size() == 6);
    CHECK(a.has.size() == 1);
    h.machine.state().create_topic({.name = "new-one", .partitions = 2});
    h.advance(11s);
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.has["new-one"].size() == 2);
    a.regex = "(";
    a.id = "b";
    CHECK(a.join() == broker_errc::invalid_regular_expression);
    CHECK(a.error == "SubscribedTopicRegex `(` is not a valid regular expression: missing closing ).");
    CHECK(regex_matches("a+", {"a", "aa", "ab", "ba"}) == std::set<std::string>{"a", "aa"});
}

TEST_CASE("subscriptions and topics that change move the group's epoch") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"};
    CHECK(a.join() == broker_errc::none);
    auto r = a.request();
    r.subscribed_topic_names = std::vector<std::string>{"bills"};
    CHECK(a.send(r) == broker_errc::none);
    CHECK(a.has["orders"].empty());  // to be given up first
    CHECK(a.acknowledge() == broker_errc::none);
    CHECK(a.has["bills"].size() == 2);
    CHECK(a.epoch == 3);
    h.machine.state().delete_topic("bills");
    CHECK(a.beat() == broker_errc::none);
    CHECK(describe(a).group_epoch == 4);
}

TEST_CASE("requests that a group does not take") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"};
    a.assignor = "nosuch";
    CHECK(a.join() == broker_errc::unsupported_assignor);
    CHECK(a.error == "ServerAssignor nosuch is not supported. Supported assignors: uniform, range.");
    a.assignor = "range";
    CHECK(a.join() == broker_errc::none);
    CHECK(describe(a).assignor_name == "range");
    const auto refused = [&](auto&& spoil) {
        auto r = a.request();
        r.member_epoch = 0;
        r.rebalance_timeout_ms = 1000;
        r.subscribed_topic_names = a.topics;
        r.topic_partitions.emplace();
        spoil(r);
        const auto code = a.send(r);
        return code == broker_errc::invalid_request ? a.error : "not refused";
    };
    CHECK(refused([](auto& r) { r.member_id = " "; }) == "MemberId can't be empty.");
    CHECK(refused([](auto& r) { r.group_id.clear(); }) == "GroupId can't be empty.");
    CHECK(refused([](auto& r) { r.instance_id = ""; }) == "InstanceId can't be empty.");
    CHECK(refused([](auto& r) { r.rack_id = ""; }) == "RackId can't be empty.");
    CHECK(refused([](auto& r) { r.rebalance_timeout_ms = -1; }) == "RebalanceTimeoutMs must be provided in first request.");
    CHECK(refused([](auto& r) { r.topic_partitions.reset(); }) == "TopicPartitions must be empty when (re-)joining.");
    CHECK(refused([](auto& r) { r.subscribed_topic_names.reset(); }) == "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
    CHECK(refused([](auto& r) { r.member_epoch = -2; }) == "InstanceId can't be null.");
    CHECK(refused([](auto& r) { r.member_epoch = -3; }) == "MemberEpoch is invalid.");
}

TEST_CASE("offsets of a consumer group go with the member's epoch, or an older one for what it has had since") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"}, b{h, "b"};
    CHECK(a.join() == broker_errc::none);
    CHECK(h.commit(a.c, "g", "a", 2, 5, 9) == broker_errc::none);
    CHECK(h.commit(a.c, "g", "a", 3, 5, 9) == broker_errc::stale_member_epoch);
    CHECK(h.commit(a.c, "g", "a", 1, 5, 9) == broker_errc::stale_member_epoch);
    CHECK(h.commit(a.c, "g", "a", 2, 5, 8) == broker_errc::unsupported_version);
    CHECK(h.commit(a.c, "g", "x", 2, 5, 9) == broker_errc::unknown_member_id);
    CHECK(b.join() == broker_errc::none);
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.acknowledge() == broker_errc::none);
    REQUIRE(a.epoch == 3);
    REQUIRE(a.has["orders"].count(0) == 1);
    CHECK(h.commit(a.c, "g", "a", 2, 6, 9) == broker_errc::none);
    messages::offset_fetch_request f;
    auto& g = f.groups.emplace_back();
    g.group_id = "g";
    g.member_id = "a";
    g.member_epoch = 2;
    g.topics.reset();
    CHECK(h.ask(a.c, f, 9).groups.at(0).error_code == number(broker_errc::stale_member_epoch));
    g.member_epoch = 3;
    CHECK(h.ask(a.c, f, 9).groups.at(0).topics.at(0).partitions.at(0).committed_offset == 6);
}

TEST_CASE("another coordinator goes on where the last one was") {
    group_harness h{with_topics()};
    consumer_client a{h, "a"}, b{h, "b"};
    b.topics.reset();
    b.regex = "ord.*";
    CHECK(a.join() == broker_errc::none);
    CHECK(b.join() == broker_errc::none);
    CHECK(b.beat() == broker_errc::none);
    CHECK(a.beat() == broker_errc::none);
    const auto before = describe(a);
    CHECK(before.group_state == "Reconciling");
    const auto was = h.coordinator("g");
    h.log_of("g").set_leader(was % 3 + 1);
    CHECK(a.beat() == broker_errc::not_coordinator);
    a.c = h.connect(h.coordinator("g"));
    b.c = h.connect(h.coordinator("g"));
    CHECK(describe(a) == before);
    CHECK(a.acknowledge() == broker_errc::none);
    CHECK(b.beat() == broker_errc::none);
    CHECK(a.has["orders"].size() == 3);
    CHECK(b.has["orders"].size() == 3);
    CHECK(describe(a).group_state == "Stable");
    h.advance(46s);
    CHECK(describe(a).group_state == "Empty");
}

TEST_CASE("an empty group changes its kind, and keeps its offsets") {
    group_harness h{with_topics()};
    classic_client classic{h};
    settle_alone(classic);
    CHECK(h.commit(classic.c, "g", classic.id, 1, 5) == broker_errc::none);
    consumer_client a{h, "a"};
    CHECK(a.beat() == broker_errc::invalid_request);  // epoch 0 without a subscription
    CHECK(classic.leave().error_code == 0);
    CHECK(a.join() == broker_errc::none);
    CHECK(h.state_of(a.c, "g") == "Dead");
    CHECK(h.committed(a.c, "g") == 5);
    CHECK(a.leave() == broker_errc::none);
    classic_client again{h};
    settle_alone(again);
    CHECK(h.state_of(a.c, "g") == "Stable");
    CHECK(h.committed(a.c, "g") == 5);
    CHECK(describe(a).error_code == number(broker_errc::group_id_not_found));
    h.log_of("g").set_leader(h.coordinator("g"));
    CHECK(h.state_of(a.c, "g") == "Stable");
    CHECK(h.committed(a.c, "g") == 5);
}

protocol::bytes subscription_to(std::vector<std::string> topics) {
    messages::consumer_protocol_subscription s;
    s.topics = std::move(topics);
    protocol::bytes to{std::byte{0}, std::byte{1}};
    REQUIRE(!protocol::encode(s, 1, to));
    return to;
}

partitions assigned_in(const protocol::bytes& embedded) {
    partitions all;
    if (embedded.size() < 2) return all;
    messages::consumer_protocol_assignment a;
    REQUIRE(!protocol::decode(a, protocol::bytes_view{embedded}.subspan(2), 1));
    for (const auto& t : a.assigned_partitions) all.insert(t.partitions.begin(), t.partitions.end());
    return all;
}

/// A member of the classic protocol with metadata that can be read.
struct migrating_client : classic_client {
    using classic_client::classic_client;
    void join() {
        messages::join_group_request r;
        r.group_id = group;
        r.session_timeout_ms = session_ms;
        r.rebalance_timeout_ms = rebalance_ms;
        r.member_id = id;
        r.protocol_type = "consumer";
        r.protocols.push_back({"range", subscription_to({"orders"}), {}});
        h.send(c, r, 9);
        h.advance(0ms);
        if (take_join().error_code != number(broker_errc::member_id_required)) return;
        r.member_id = id;
        h.send(c, r, 9);
        h.advance(0ms);
        if (h.has_answer(c)) take_join();
    }
    partitions sync() {
        send_sync();
        return assigned_in(take_sync().assignment);
    }
};

TEST_CASE("a group moves to the new protocol and back while its members stay") {
    group_harness h{with_topics()};
    migrating_client old{h};
    old.join();
    REQUIRE(old.generation == 1);
    messages::consumer_protocol_assignment all;
    all.assigned_partitions.push_back({"orders", {0, 1, 2, 3, 4, 5}, {}});
    protocol::bytes embedded{std::byte{0}, std::byte{1}};
    REQUIRE(!protocol::encode(all, 1, embedded));
    old.send_sync({{old.id, std::string{reinterpret_cast<const char*>(embedded.data()), embedded.size()}}});
    REQUIRE(old.take_sync().error_code == 0);
    // A member of the new kind comes: half of the partitions are for it, when the old one has given them up.
    consumer_client a{h, "a"};
    CHECK(a.join() == broker_errc::none);
    CHECK(a.has.empty());
    const auto described = describe(a);
    REQUIRE(described.members.size() == 2);
    CHECK(described.members[0].member_type == (described.members[0].member_id == "a" ? 1 : 0));
    CHECK(old.heartbeat() == broker_errc::rebalance_in_progress);
    old.join();
    CHECK(old.joined.error_code == 0);
    CHECK(old.sync().size() == 3);
    CHECK(a.beat() == broker_errc::none);
    CHECK(a.has["orders"].size() == 3);
    CHECK(old.heartbeat() == broker_errc::none);
    CHECK(h.commit(old.c, "g", old.id, old.generation, 9) == broker_errc::none);
    // The coordinator may move meanwhile.
    h.log_of("g").set_leader(h.coordinator("g"));
    h.collect();
    CHECK(old.heartbeat() == broker_errc::none);
    // The new one goes: what is left is a classic group, which rebalances.
    CHECK(a.leave() == broker_errc::none);
    CHECK(h.state_of(old.c, "g") == "PreparingRebalance");
    CHECK(old.heartbeat() == broker_errc::illegal_generation);
    old.join();
    CHECK(old.leads());
    CHECK(h.committed(old.c, "g") == 9);
}

TEST_CASE("where the policy forbids it, the two protocols do not meet") {
    auto o = with_topics();
    o.configs["group.consumer.migration.policy"] = "disabled";
    group_harness h{o};
    migrating_client old{h};
    old.join();
    consumer_client a{h, "a"};
    CHECK(a.join() == broker_errc::group_id_not_found);
    CHECK(a.error == "Cannot upgrade classic group g to consumer group because online upgrade is disabled.");
}

protocol::uuid topic_number(std::uint8_t n) {
    protocol::uuid id;
    id.octets[15] = n;
    return id;
}

std::map<std::string, std::size_t> sizes(const assignments& of) {
    std::map<std::string, std::size_t> n;
    for (const auto& [id, topics] : of) {
        n[id] = 0;
        for (const auto& [topic, which] : topics) n[id] += which.size();
    }
    return n;
}

TEST_CASE("uniform is even and sticky, with equal and with different subscriptions") {
    const auto t1 = topic_number(1), t2 = topic_number(2);
    const assignor_topics topics{{t1, 7}, {t2, 3}};
    assignor_members members{{"a", {{}, {t1, t2}, {}}}, {"b", {{}, {t1, t2}, {}}}, {"c", {{}, {t1, t2}, {}}}};
    auto first = assign_uniform(members, topics);
    CHECK(sizes(first) == std::map<std::string, std::size_t>{{"a", 3}, {"b", 3}, {"c", 4}});
    for (auto& [id, m] : members) m.before = first[id];
    CHECK(assign_uniform(members, topics) == first);
    members["d"].topics = {t1, t2};
    auto second = assign_uniform(members, topics);
    std::size_t kept = 0, total = 0;
    for (const auto& [id, of] : second)
        for (const auto& [topic, which] : of)
            for (const auto p : which) {
                ++total;
                if (first.count(id) && first[id].count(topic) && first[id][topic].count(p)) ++kept;
            }
    CHECK(total == 10);
    CHECK(kept == 8);  // only what the new one gets has moved
    // One subscribes to the second topic alone.
    members = {{"a", {{}, {t1, t2}, {}}}, {"b", {{}, {t2}, {}}}};
    const auto uneven = assign_uniform(members, topics);
    CHECK(uneven.at("a").at(t1).size() == 7);
    CHECK(uneven.at("b").at(t2).size() == 3);
}

TEST_CASE("range gives each topic out in ranges, static members first") {
    const auto t1 = topic_number(1), t2 = topic_number(2);
    const assignor_topics topics{{t1, 5}, {t2, 2}};
    const assignor_members members{{"a", {{}, {t1, t2}, {}}}, {"z", {"instance", {t1, t2}, {}}}};
    const auto result = assign_range(members, topics);
    CHECK(result.at("z").at(t1) == partitions{0, 1, 2});
    CHECK(result.at("a").at(t1) == partitions{3, 4});
    CHECK(result.at("z").at(t2) == partitions{0});
    CHECK(result.at("a").at(t2) == partitions{1});
}

}  // namespace
}  // namespace kafkawire::broker::test
