// Members of groups, for tests: requests in few words.
#pragma once
#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>
#include <kafkawire/protocol/messages/12_heartbeat.hpp>
#include <kafkawire/protocol/messages/13_leave_group.hpp>
#include <kafkawire/protocol/messages/14_sync_group.hpp>
#include <kafkawire/protocol/messages/15_describe_groups.hpp>

#include "broker/coordinator_lookup.hpp"
#include "broker/group_coordinator.hpp"
#include "broker_fixture.hpp"

namespace kafkawire::broker::test {

namespace messages = protocol::messages;
using namespace std::chrono_literals;

inline std::int16_t number(broker_errc e) { return static_cast<std::int16_t>(e); }
inline protocol::bytes bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span{text});
    return {view.begin(), view.end()};
}

/// A cluster whose group coordinators are there.
struct group_harness : harness {
    explicit group_harness(options o = {}) : harness{std::move(o)} { make_internal_topic(machine.state(), group_topic); }

    [[nodiscard]] std::int32_t coordinator(std::string_view group) {
        auto& state = machine.state();
        return state.find_partition(group_topic, coordinator_partition(state, group_topic, group))->leader();
    }
    [[nodiscard]] partition& log_of(std::string_view group) {
        auto& state = machine.state();
        return *state.find_partition(group_topic, coordinator_partition(state, group_topic, group));
    }
    std::string state_of(connection_id c, const std::string& group) {
        messages::describe_groups_request r;
        r.groups.push_back(group);
        return ask(c, r, 5).groups.at(0).group_state;
    }
    broker_errc commit(connection_id c, const std::string& group, const std::string& member, std::int32_t generation, std::int64_t offset, std::int16_t version = 8,
                       std::string metadata = "note") {
        messages::offset_commit_request r;
        r.group_id = group;
        r.member_id = member;
        r.generation_id_or_member_epoch = generation;
        auto& t = r.topics.emplace_back();
        t.name = "orders";
        auto& p = t.partitions.emplace_back();
        p.committed_offset = offset;
        p.committed_leader_epoch = 4;
        p.committed_metadata = std::move(metadata);
        return static_cast<broker_errc>(ask(c, r, version).topics.at(0).partitions.at(0).error_code);
    }
    messages::offset_fetch_response fetch(connection_id c, const std::string& group, bool stable = false) {
        messages::offset_fetch_request r;
        r.group_id = group;
        r.topics.emplace().push_back({"orders", {0}, {}});
        r.require_stable = stable;
        return ask(c, r, 7);
    }
    std::int64_t committed(connection_id c, const std::string& group) { return fetch(c, group).topics.at(0).partitions.at(0).committed_offset; }
};

/// One member of a classic group, on a connection of its own.
struct classic_client {
    group_harness& h;
    std::string group;
    connection_id c;
    std::string id{};
    std::optional<std::string> instance{};
    std::vector<std::string> protocols{"range"};
    std::int32_t session_ms = 10'000, rebalance_ms = 20'000;
    std::int32_t generation = -1;
    messages::join_group_response joined{};

    explicit classic_client(group_harness& harness, std::string name = "g") : h{harness}, group{std::move(name)}, c{h.connect(h.coordinator(group))} {}
    void send_join(std::int16_t version = 9) {
        messages::join_group_request r;
        r.group_id = group;
        r.session_timeout_ms = session_ms;
        r.rebalance_timeout_ms = rebalance_ms;
        r.member_id = id;
        r.group_instance_id = instance;
        r.protocol_type = "consumer";
        for (const auto& p : protocols) r.protocols.push_back({p, bytes_of("metadata of " + p), {}});
        h.send(c, r, version);
    }
    messages::join_group_response take_join(std::int16_t version = 9) {
        joined = h.take<messages::join_group_response>(c, version);
        if (!joined.member_id.empty()) id = joined.member_id;
        if (joined.error_code == 0) generation = joined.generation_id;
        return joined;
    }
    /// Gets an id, and asks to join with it.
    void start_join() {
        send_join();
        CHECK(take_join().error_code == number(broker_errc::member_id_required));
        send_join();
    }
    [[nodiscard]] bool waits() const { return !h.has_answer(c); }
    [[nodiscard]] bool leads() const { return joined.leader == id; }
    void send_sync(const std::map<std::string, std::string>& assignments = {}) {
        messages::sync_group_request r;
        r.group_id = group;
        r.generation_id = generation;
        r.member_id = id;
        r.group_instance_id = instance;
        r.protocol_type = "consumer";
        r.protocol_name = joined.protocol_name;
        for (const auto& [member, what] : assignments) r.assignments.push_back({member, bytes_of(what), {}});
        h.send(c, r, 5);
    }
    messages::sync_group_response take_sync() { return h.take<messages::sync_group_response>(c, 5); }
    broker_errc heartbeat() {
        messages::heartbeat_request r;
        r.group_id = group;
        r.generation_id = generation;
        r.member_id = id;
        r.group_instance_id = instance;
        return static_cast<broker_errc>(h.ask(c, r, 4).error_code);
    }
    messages::leave_group_response leave() {
        messages::leave_group_request r;
        r.group_id = group;
        r.members.push_back({id, instance, {}, {}});
        return h.ask(c, r, 5);
    }
};

/// A stable group of one.
inline void settle_alone(classic_client& m) {
    if (m.instance) {
        m.send_join();
    } else {
        m.start_join();
    }
    m.h.advance(0ms);
    REQUIRE(m.take_join().error_code == 0);
    m.send_sync({{m.id, "all"}});
    REQUIRE(m.take_sync().error_code == 0);
}

/// A stable group of two; `a` leads.
inline void settle_two(classic_client& a, classic_client& b) {
    settle_alone(a);
    b.start_join();
    REQUIRE(a.heartbeat() == broker_errc::rebalance_in_progress);
    a.send_join();
    REQUIRE(a.take_join().error_code == 0);
    REQUIRE(b.take_join().error_code == 0);
    REQUIRE(a.leads());
    b.send_sync();
    CHECK(b.waits());
    a.send_sync({{a.id, "left"}, {b.id, "right"}});
    REQUIRE(a.take_sync().assignment == bytes_of("left"));
    REQUIRE(b.take_sync().assignment == bytes_of("right"));
}

}  // namespace kafkawire::broker::test
