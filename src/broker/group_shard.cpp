#include "broker/group_shard.hpp"

#include <kafkawire/protocol/messages/offsets_topic.hpp>

#include "broker/coordinator_lookup.hpp"
#include "broker/group_topics.hpp"
#include "broker/witness.hpp"

namespace kafkawire::broker {

namespace messages = protocol::messages;

group_shard::group_shard(cluster_state& cluster, partition& from)
    : cluster_{cluster}, index_{from.index()}, topic_id_{from.topic_id()}, leader_epoch_{from.leader_epoch()} {
    load(from);
    if (witness) witness->begins(*this);
}

void group_shard::end() {
    if (witness) witness->ends(*this);
    for (auto& [name, id] : timers_) cluster_.timers().cancel(id);
    timers_.clear();
    leader_epoch_ = -1;
    group_actions last;
    for (auto& [name, g] : groups_)
        if (g.classic) g.classic->kill(broker_errc::not_coordinator, cluster_.now(), last);
    for (auto& a : last) {
        if (auto* j = std::get_if<give_join_answer>(&a)) j->to(j->answer);
        if (auto* s = std::get_if<give_sync_answer>(&a)) s->to(s->answer);
    }
}

const group* group_shard::find(const std::string& name) const {
    const auto at = groups_.find(name);
    return at == groups_.end() ? nullptr : &at->second;
}

classic_limits group_shard::limits() const {
    return {.max_size = cluster_.config_number("group.max.size"),
            .initial_rebalance_delay = milliseconds{cluster_.config_number("group.initial.rebalance.delay.ms")}};
}

classic_group_fsm& group_shard::make_classic(const std::string& name) {
    auto& g = groups_[name];
    g = {std::make_unique<classic_group_fsm>(name, limits(), cluster_.now()), nullptr};
    return *g.classic;
}

// Reading back.

void group_shard::load(const partition& from) {
    replay(from, [this](const replayed& event) { apply(event); });
    std::vector<std::string> names;
    for (const auto& [name, g] : groups_) names.push_back(name);
    for (const auto& name : names) {
        group_actions out;
        if (auto& g = groups_.at(name); g.classic) {
            g.classic->loaded(cluster_.now(), out);
        } else {
            g.consumer->settle();
            g.consumer->loaded(out);
        }
        carry_out(name, std::move(out));
    }
}

void group_shard::apply(const replayed& event) {
    if (event.end_committed) return offsets_.end_transaction(event.producer_id, *event.end_committed);
    const auto kind = leading_number(event.key);
    if (kind != 0 && kind != messages::offset_commit_key::key) return apply_group(event.key, event.value);
    messages::offset_commit_key key;  // kind 0 is an older name of the same
    messages::offset_commit_value value;
    if (!decode_key(key, event.key) || (event.value && !decode_value(value, *event.value))) return;
    if (event.value && groups_.count(key.group) == 0) make_classic(key.group);
    offsets_.apply(key, event.value ? &value : nullptr, event.offset, event.producer_id);
}

void group_shard::apply_group(const protocol::bytes_view key_bytes, const std::optional<protocol::bytes_view>& value_bytes) {
    const auto kind = leading_number(key_bytes);
    if (kind != messages::group_metadata_key::key) return apply_consumer_group(kind, key_bytes, value_bytes);
    messages::group_metadata_key key;
    messages::group_metadata_value value;
    if (!decode_key(key, key_bytes)) return;
    if (!value_bytes) {
        if (const auto at = groups_.find(key.group); at != groups_.end() && at->second.classic) groups_.erase(at);
        return;
    }
    if (!decode_value(value, *value_bytes)) return;
    classic_group_fsm::snapshot s{value.protocol_type, value.generation, value.protocol, value.leader, value.current_state_timestamp, {}};
    for (auto& m : value.members) {
        classic_member to;
        to.id = m.member_id;
        to.instance_id = m.group_instance_id;
        to.client_id = m.client_id;
        to.client_host = m.client_host;
        to.session_timeout = milliseconds{m.session_timeout};
        to.rebalance_timeout = milliseconds{m.rebalance_timeout == -1 ? m.session_timeout : m.rebalance_timeout};
        to.protocols.push_back({value.protocol.value_or(""), std::move(m.subscription)});
        to.assignment = std::move(m.assignment);
        s.members.push_back(std::move(to));
    }
    groups_[key.group] = {std::make_unique<classic_group_fsm>(key.group, limits(), std::move(s)), nullptr};
}

// Writing.

void group_shard::put_group(group_records& to, const classic_group_fsm& g) const {
    messages::group_metadata_key key;
    key.group = g.name();
    messages::group_metadata_value value;
    value.protocol_type = g.protocol_type().value_or("");
    value.generation = g.generation();
    value.protocol = g.protocol();
    value.leader = g.leader();
    value.current_state_timestamp = g.state_since();
    for (const auto& [id, m] : g.members()) {
        auto& out = value.members.emplace_back();
        out.member_id = id;
        out.group_instance_id = m.instance_id;
        out.client_id = m.client_id;
        out.client_host = m.client_host;
        out.rebalance_timeout = static_cast<std::int32_t>(m.rebalance_timeout.count());
        out.session_timeout = static_cast<std::int32_t>(m.session_timeout.count());
        const auto* metadata = g.protocol() ? m.metadata(*g.protocol()) : nullptr;
        if (metadata) out.subscription = *metadata;
        out.assignment = m.assignment;
    }
    put(to, key, value, 3);
}

void group_shard::put_group_tombstones(group_records& to, const std::string& name) {
    if (const auto& g = groups_.at(name); g.consumer) return put_consumer_group_tombstones(to, *g.consumer);
    messages::group_metadata_key key;
    key.group = name;
    put_tombstone(to, key);
}

void group_shard::forget_group(const std::string& name) {
    groups_.erase(name);
    for (auto at = timers_.begin(); at != timers_.end();) {
        if (at->first.group != name) {
            ++at;
            continue;
        }
        cluster_.timers().cancel(at->second);
        at = timers_.erase(at);
    }
}

void group_shard::carry_out(const std::string& name, group_actions actions, group_records records, stored then) {
    std::vector<stored> answers;
    std::set<store_part> parts;
    for (auto& a : actions) {
        if (auto* set = std::get_if<set_group_timer>(&a)) {
            set_timer({set->kind, name, std::move(set->member)}, set->after, set->keep);
        } else if (auto* cancel = std::get_if<cancel_group_timer>(&a)) {
            cancel_timer({cancel->kind, name, std::move(cancel->member)});
        } else if (auto* join = std::get_if<give_join_answer>(&a)) {
            answers.emplace_back([j = std::move(*join)](broker_errc e) mutable {
                if (e != broker_errc::none) j.answer = {.error = e, .member_id = j.answer.member_id};
                j.to(j.answer);
            });
        } else if (auto* sync = std::get_if<give_sync_answer>(&a)) {
            answers.emplace_back([s = std::move(*sync)](broker_errc e) mutable {
                if (e != broker_errc::none) s.answer = {.error = e};
                s.to(s.answer);
            });
        } else if (std::holds_alternative<store_group>(a)) {
            put_group(records, *groups_.at(name).classic);
        } else if (auto* part = std::get_if<store_part>(&a)) {
            parts.insert(std::move(*part));
        }
    }
    for (const auto& part : parts) put_part(records, *groups_.at(name).consumer, part);
    if (then) answers.push_back(std::move(then));
    write(std::move(records), [answers = std::move(answers)](broker_errc e) mutable {
        for (auto& answer : answers) answer(e);
    });
}

namespace {

// What Kafka tells members when a coordinator's write fails.
broker_errc to_group_error(broker_errc e) noexcept {
    switch (e) {
        case broker_errc::unknown_topic_or_partition:
        case broker_errc::not_enough_replicas:
        case broker_errc::request_timed_out: return broker_errc::coordinator_not_available;
        case broker_errc::not_leader_or_follower:
        case broker_errc::kafka_storage_error: return broker_errc::not_coordinator;
        case broker_errc::message_too_large:
        case broker_errc::record_list_too_large:
        case broker_errc::invalid_fetch_size: return broker_errc::unknown_server_error;
        default: return e;
    }
}

}  // namespace

void group_shard::write(group_records records, stored then, const transaction_of& by) {
    if (records.empty()) return then(broker_errc::none);
    auto* to = cluster_.find_partition(group_topic, index_);
    if (!to || !is_of(*to)) return then(broker_errc::not_coordinator);
    const auto done = append_records(*to, records, cluster_.now(), by);
    if (done.error != broker_errc::none) return then(to_group_error(done.error));
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto kind = leading_number(records[i].key);
        if (kind != messages::offset_commit_key::key) continue;
        replayed event{.offset = done.base_offset + static_cast<std::int64_t>(i), .producer_id = by.producer_id, .key = records[i].key};
        if (records[i].value) event.value = *records[i].value;
        apply(event);
    }
    when_replicated(*to, done.last_offset, [then = std::move(then)](broker_errc e) mutable { then(to_group_error(e)); });
}

// Timers.

void group_shard::set_timer(timer_name name, milliseconds after, bool keep) {
    auto& id = timers_[name];
    if (id && keep) return;
    if (id) cluster_.timers().cancel(id);
    id = cluster_.timers().set(cluster_.now().steady + after, [this, name] { timer_ran(name); });
}

void group_shard::cancel_timer(const timer_name& name) {
    const auto at = timers_.find(name);
    if (at == timers_.end()) return;
    cluster_.timers().cancel(at->second);
    timers_.erase(at);
}

void group_shard::timer_ran(const timer_name& of) {
    const auto name = of;  // the timer's own copy goes with its entry
    timers_.erase(name);
    const auto at = groups_.find(name.group);
    if (at == groups_.end()) return;
    group_actions out;
    if (at->second.classic)
        at->second.classic->expired(name.kind, name.member, cluster_.now(), out);
    else
        at->second.consumer->expired(name.kind, name.member, cluster_topics{cluster_}, out);
    carry_out(name.group, std::move(out));
    downgrade_if_classic(name.group);
}

}  // namespace kafkawire::broker
