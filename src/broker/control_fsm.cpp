// What the controls of a cluster do to it: nodes, leaders, logs, coordinators, views, clocks. The part of cluster_fsm behind kw::broker::control.
#include <kafkawire/protocol/messages/16_list_groups.hpp>

#include <algorithm>

#include "broker/cluster_fsm.hpp"
#include "broker/coordinator_lookup.hpp"
#include "broker/frozen_metadata.hpp"
#include "broker/inside.hpp"

namespace kafkawire::broker {
namespace {

std::error_code no_such_node() { return broker_errc::broker_id_not_registered; }

}  // namespace

bool cluster_fsm::is_paused(std::int32_t id) noexcept {
    const auto* n = state_.find_node(id);
    return n && n->is == node::status::paused;
}

void cluster_fsm::close_all_of(std::int32_t node) {
    std::vector<connection_id> all;
    for (const auto& [id, c] : connections_)
        if (c.node == node) all.push_back(id);
    for (const auto id : all) close_connection(id);
}

std::error_code cluster_fsm::node_down(std::int32_t id, moment now) {
    state_.set_now(local(now));
    const auto* n = state_.find_node(id);
    if (!n) return no_such_node();
    close_all_of(id);
    if (n->is != node::status::down) actions_.emplace_back(stop_listening{id});
    state_.set_node_status(id, node::status::down);
    settle();
    return {};
}

std::error_code cluster_fsm::node_killed(std::int32_t id, moment now) {
    state_.set_now(local(now));
    const auto* n = state_.find_node(id);
    if (!n) return no_such_node();
    if (n->is == node::status::down) return {};
    close_all_of(id);
    actions_.emplace_back(stop_listening{id});
    // To the others a dead node is as silent as a paused one, until its session has run out.
    state_.set_node_status(id, node::status::paused);
    const auto changes = state_.find_node(id)->status_changes;
    const auto session = std::chrono::milliseconds{state_.config_number("broker.session.timeout.ms")};
    state_.timers().set(state_.now().steady + session, [this, id, changes] {
        if (const auto* still = state_.find_node(id); still && still->status_changes == changes) state_.set_node_status(id, node::status::down);
    });
    settle();
    return {};
}

std::error_code cluster_fsm::node_paused(std::int32_t id, moment now) {
    state_.set_now(local(now));
    const auto* n = state_.find_node(id);
    if (!n) return no_such_node();
    if (n->is == node::status::down) return broker_errc::broker_not_available;
    state_.set_node_status(id, node::status::paused);
    settle();
    return {};
}

std::error_code cluster_fsm::node_up(std::int32_t id, moment now) {
    state_.set_now(local(now));
    if (!state_.find_node(id)) return no_such_node();
    state_.set_node_status(id, node::status::up);
    actions_.emplace_back(start_listening{id});  // no effect where it listens already
    for (auto& [name, c] : connections_) {
        if (c.node != id) continue;
        actions_.emplace_back(resume_reading{name});
        if (c.is == phase::reading) resumed_.push_back(name);
    }
    std::vector<connection_id> waiting;
    for (const auto& [name, c] : connections_)
        if (c.node == id && c.held) waiting.push_back(name);
    for (const auto name : waiting) {
        auto held = std::exchange(connections_.at(name).held, std::nullopt);
        if (held->how) send_changed(name, std::move(held->what), *held->how);
        else send(name, std::move(held->what));
    }
    settle();
    return {};
}

std::error_code cluster_fsm::close_connections(std::int32_t id, moment now) {
    state_.set_now(local(now));
    if (!state_.find_node(id)) return no_such_node();
    close_all_of(id);
    settle();
    return {};
}

partition* cluster_fsm::find_partition(std::string_view topic, std::int32_t index, std::error_code& why) {
    auto* p = state_.find_partition(topic, index);
    if (!p) why = broker_errc::unknown_topic_or_partition;
    return p;
}

std::error_code cluster_fsm::move_leader(std::string_view topic, std::int32_t index, std::int32_t node, moment now) {
    state_.set_now(local(now));
    std::error_code why;
    auto* p = find_partition(topic, index, why);
    if (!p) return why;
    if (node != -1) {
        if (std::find(p->replicas().begin(), p->replicas().end(), node) == p->replicas().end()) return broker_errc::replica_not_available;
        if (!p->is_up(node)) return broker_errc::broker_not_available;
    }
    p->set_leader(node);
    settle();
    return {};
}

std::error_code cluster_fsm::raise_epoch(std::string_view topic, std::int32_t index, moment now) {
    state_.set_now(local(now));
    std::error_code why;
    auto* p = find_partition(topic, index, why);
    if (!p) return why;
    p->set_leader(p->leader());
    settle();
    return {};
}

std::error_code cluster_fsm::truncate(std::string_view topic, std::int32_t index, std::int64_t offset, moment now) {
    state_.set_now(local(now));
    std::error_code why;
    auto* p = find_partition(topic, index, why);
    if (!p) return why;
    if (offset < p->log().start_offset() || offset > p->log().end_offset()) return broker_errc::offset_out_of_range;
    p->truncate_to(offset);
    settle();
    return {};
}

std::error_code cluster_fsm::move_coordinator(std::string_view internal_topic, std::string_view name, std::int32_t node, moment now) {
    state_.set_now(local(now));
    if (!make_internal_topic(state_, internal_topic)) return broker_errc::coordinator_not_available;
    return move_leader(internal_topic, coordinator_partition(state_, internal_topic, name), node, now);
}

std::error_code cluster_fsm::freeze_metadata(std::int32_t node, moment now) {
    state_.set_now(local(now));
    if (!state_.find_node(node)) return no_such_node();
    frozen_.insert_or_assign(node, metadata_now(state_, node));
    return {};
}

std::error_code cluster_fsm::thaw_metadata(std::int32_t node) {
    if (!state_.find_node(node)) return no_such_node();
    frozen_.erase(node);
    return {};
}

void cluster_fsm::move_wall_clock(std::chrono::nanoseconds by, moment now) {
    wall_shift_ += by;
    state_.set_now(local(now));
}

std::error_code cluster_fsm::advance_clock(std::chrono::nanoseconds by, moment now) {
    // A steady clock never goes back, and what has been waited for cannot be waited for again.
    if (by.count() < 0) return std::make_error_code(std::errc::invalid_argument);
    steady_shift_ += by;
    wall_shift_ += by;
    tick(now);
    return {};
}

cluster_view cluster_fsm::view(moment now) {
    state_.set_now(local(now));
    cluster_view v;
    v.cluster_id = state_.cluster_id();
    v.controller = state_.controller();
    v.at = state_.now();
    for (const auto& n : state_.nodes()) {
        const auto mine = std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) { return c.second.node == n.id; });
        const auto status = n.is == node::status::up ? node_status::up : n.is == node::status::paused ? node_status::paused : node_status::down;
        v.nodes.push_back({n.id, n.host, n.port, status, frozen_.count(n.id) != 0, static_cast<std::size_t>(mine)});
    }
    for (const auto& [name, t] : state_.topics()) {
        auto& to = v.topics.emplace_back(topic_view{name, t.id.to_string(), t.internal, {}});
        for (const auto& p : t.partitions)
            to.partitions.push_back({p->index(), p->leader(), p->leader_epoch(), p->replicas(), p->isr(), p->log().start_offset(), p->high_watermark(),
                                     p->last_stable_offset(), p->log().end_offset(), p->log().size_bytes()});
    }
    for (const auto& n : state_.nodes()) {
        if (n.is != node::status::up) continue;
        const auto listed = ask_inside(state_, n.id, protocol::messages::list_groups_request{});
        if (!listed) break;
        for (const auto& g : listed->groups) v.groups.push_back({g.group_id, g.group_type, g.group_state, n.id});
    }
    std::sort(v.groups.begin(), v.groups.end(), [](const group_view& a, const group_view& b) { return a.name < b.name; });
    return v;
}

}  // namespace kafkawire::broker
