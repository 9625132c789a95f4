// Consumer groups (KIP-848) in a shard: their heartbeats, and their records in the log.
#include <kafkawire/protocol/messages/consumer_group_log.hpp>

#include "broker/group_shard.hpp"
#include "broker/group_topics.hpp"

namespace kafkawire::broker {

namespace messages = protocol::messages;
using part = store_part::kind;

consumer_limits group_shard::consumer_group_limits() const {
    consumer_limits l;
    l.max_size = cluster_.config_number("group.consumer.max.size");
    l.session_timeout = milliseconds{cluster_.config_number("group.consumer.session.timeout.ms")};
    l.assignment_interval = milliseconds{cluster_.config_number("group.consumer.assignment.interval.ms")};
    if (const auto refresh = cluster_.config_number("group.consumer.regex.refresh.interval.ms"); refresh > 0) l.regex_refresh = milliseconds{refresh};
    const auto assignors = cluster_.config("group.consumer.assignors");
    l.default_assignor = assignors.substr(0, assignors.find(','));
    return l;
}

void group_shard::consumer_heartbeat(const std::string& name, const broker::consumer_heartbeat& h, unique_function<void(const heartbeat_answer&)> then) {
    const auto refuse = [&](std::string why) { then({.error = {broker_errc::group_id_not_found, std::move(why)}}); };
    const auto at = groups_.find(name);
    const bool there = at != groups_.end();
    if (!there && h.epoch != 0) return refuse("Consumer group " + name + " not found.");
    if (there && at->second.classic && h.epoch != 0) return refuse("Group " + name + " is not a consumer group.");
    // Until the heartbeat is accepted, a new group does not exist, and an empty classic one stays what it is.
    std::unique_ptr<consumer_group_fsm> fresh;
    group_actions out;
    if (there && at->second.classic && !at->second.is_empty()) {
        group_error wrong;
        fresh = upgraded(name, wrong, out);
        if (wrong) return then({.error = std::move(wrong)});
    } else if (!there || at->second.classic) {
        fresh = std::make_unique<consumer_group_fsm>(name, consumer_group_limits());
    }
    auto& machine = fresh ? *fresh : *at->second.consumer;
    const cluster_topics topics{cluster_};
    auto answer = machine.heartbeat(h, topics, cluster_.now(), out);
    if (answer.error) return then(answer);
    group_records records;
    if (fresh) {
        if (there) {
            // Those who wait come again, and find the other kind of group.
            at->second.classic->kill(broker_errc::rebalance_in_progress, cluster_.now(), out);
            put_group_tombstones(records, name);
            forget_group(name);
        }
        groups_[name] = {nullptr, std::move(fresh)};
    }
    carry_out(name, std::move(out), std::move(records), [answer = std::move(answer), then = std::move(then)](broker_errc e) mutable {
        if (e != broker_errc::none) answer = {.error = {e}};
        then(answer);
    });
    // Kafka does this in the background: the answer does not wait for it.
    const auto still = groups_.find(name);
    if (still == groups_.end() || !still->second.consumer) return;
    group_actions later;
    still->second.consumer->resolve_regexes(topics, cluster_.now(), later);
    carry_out(name, std::move(later));
}

void group_shard::consumer_leave(const std::string& name, const std::string& member, const std::optional<std::string>& instance, std::int32_t epoch,
                                 unique_function<void(const heartbeat_answer&)> then) {
    const auto at = groups_.find(name);
    if (at == groups_.end()) return then({.error = {broker_errc::group_id_not_found, "Group " + name + " not found."}});
    if (!at->second.consumer) return then({.error = {broker_errc::group_id_not_found, "Group " + name + " is not a consumer group."}});
    group_actions out;
    auto answer = at->second.consumer->leave(member, instance, epoch, cluster_topics{cluster_}, out);
    carry_out(name, std::move(out), {}, [answer = std::move(answer), then = std::move(then)](broker_errc e) mutable {
        if (e != broker_errc::none) answer = {.error = {e}};
        then(answer);
    });
    downgrade_if_classic(name);
}

// From one protocol to the other while members are there (group.consumer.migration.policy).

bool group_shard::may_migrate(std::string_view direction) const {
    const auto policy = cluster_.config("group.consumer.migration.policy");
    return policy == "bidirectional" || policy == direction;
}

std::unique_ptr<consumer_group_fsm> group_shard::upgraded(const std::string& name, group_error& error, group_actions& out) const {
    const auto& from = *groups_.at(name).classic;
    const auto cannot = [&](std::string_view why) {
        error = {broker_errc::group_id_not_found, "Cannot upgrade classic group " + name + " to consumer group because " + std::string{why} + "."};
        return nullptr;
    };
    auto limits = consumer_group_limits();
    if (!may_migrate("upgrade")) return cannot("online upgrade is disabled");
    if (!from.uses_consumer_protocol()) return cannot("the group does not use the consumer embedded protocol");
    if (static_cast<std::int64_t>(from.members().size()) > limits.max_size) return cannot("the group size exceeds the consumer group maximum size");
    std::string wrong;
    auto to = consumer_group_fsm::from_classic(from, std::move(limits), cluster_topics{cluster_}, wrong, out);
    if (!to) error = {broker_errc::group_id_not_found, std::move(wrong)};
    return to;
}

void group_shard::join_consumer_group(const std::string& name, classic_join request, join_waiter to) {
    if (request.member_id.empty()) request.fresh_id = cluster_.random_uuid().to_string();
    group_actions out;
    auto answer = groups_.at(name).consumer->join_classic(request, cluster_topics{cluster_}, cluster_.now(), out);
    out.emplace_back(give_join_answer{std::move(to), std::move(answer)});
    carry_out(name, std::move(out));
    downgrade_if_classic(name);
}

// The last member of the new protocol has gone: the others go on as a classic group, which rebalances.
void group_shard::downgrade_if_classic(const std::string& name) {
    const auto at = groups_.find(name);
    if (at == groups_.end() || !at->second.consumer || !at->second.consumer->only_classic() || !may_migrate("downgrade")) return;
    const auto size = static_cast<std::int64_t>(at->second.consumer->members().size());
    if (size > cluster_.config_number("group.max.size")) return;
    const auto& now = cluster_.now();
    auto classic = std::make_unique<classic_group_fsm>(name, limits(), at->second.consumer->to_classic(cluster_topics{cluster_}, now));
    group_records records;
    put_group_tombstones(records, name);
    forget_group(name);
    put_group(records, *classic);
    group_actions out;
    classic->loaded(now, out);
    classic->start_rebalance("the group was downgraded", now, out);
    groups_[name] = {std::move(classic), nullptr};
    carry_out(name, std::move(out), std::move(records));
}

// Writing.

namespace {

template <class Key>
Key key_of(const std::string& group) {
    Key key;
    key.group_id = group;
    return key;
}
template <class Key>
Key key_of(const std::string& group, const std::string& member) {
    auto key = key_of<Key>(group);
    key.member_id = member;
    return key;
}

using progress_value = messages::consumer_group_current_member_assignment_value;

std::vector<progress_value::topic_partitions> to_log(const owned_partitions& from) {
    std::vector<progress_value::topic_partitions> all;
    for (const auto& [topic, partitions] : from) {
        auto& to = all.emplace_back();
        to.topic_id = topic;
        for (const auto& [p, since] : partitions) {
            to.partitions.push_back(p);
            to.assignment_epochs->push_back(since);
        }
    }
    return all;
}

owned_partitions from_log(const std::vector<progress_value::topic_partitions>& from, std::int32_t epoch) {
    owned_partitions all;
    for (const auto& t : from)
        for (std::size_t i = 0; i < t.partitions.size(); ++i) {
            const bool said = t.assignment_epochs && i < t.assignment_epochs->size();
            all[t.topic_id][t.partitions[i]] = said ? (*t.assignment_epochs)[i] : epoch;
        }
    return all;
}

messages::consumer_group_member_metadata_value to_log(const consumer_member& m) {
    messages::consumer_group_member_metadata_value value;
    value.instance_id = m.instance_id;
    value.rack_id = m.rack_id;
    value.client_id = m.client_id;
    value.client_host = m.client_host;
    value.subscribed_topic_names = {m.topics.begin(), m.topics.end()};
    value.subscribed_topic_regex = m.regex;
    value.rebalance_timeout_ms = m.rebalance_timeout_ms;
    value.server_assignor = m.assignor;
    value.classic_member_metadata.reset();
    if (m.classic) {
        auto& to = value.classic_member_metadata.emplace();
        to.session_timeout_ms = m.classic->session_timeout_ms;
        for (const auto& p : m.classic->protocols) to.supported_protocols.push_back({p.name, p.metadata, {}});
    }
    return value;
}

// A record if there is something to say, else a tombstone.
template <class Key, class Value>
void put_or_bury(group_records& to, const Key& key, const std::optional<Value>& value) {
    if (value)
        put(to, key, *value, 0);
    else
        put_tombstone(to, key);
}

}  // namespace

void group_shard::put_part(group_records& to, const consumer_group_fsm& g, const store_part& what) const {
    const auto known = g.members().find(what.name);
    const auto* member = known == g.members().end() ? nullptr : &known->second;
    switch (what.what) {
        case part::epoch: {
            messages::consumer_group_metadata_value value;
            value.epoch = g.epoch();
            value.metadata_hash = g.metadata_hash();
            return put(to, key_of<messages::consumer_group_metadata_key>(g.name()), value, 0);
        }
        case part::target_epoch: {
            messages::consumer_group_target_assignment_metadata_value value;
            value.assignment_epoch = g.assignment_epoch();
            value.assignment_timestamp = g.assignment_time();
            return put(to, key_of<messages::consumer_group_target_assignment_metadata_key>(g.name()), value, 0);
        }
        case part::member: {
            std::optional<messages::consumer_group_member_metadata_value> value;
            if (member) value = to_log(*member);
            return put_or_bury(to, key_of<messages::consumer_group_member_metadata_key>(g.name(), what.name), value);
        }
        case part::target: {
            std::optional<messages::consumer_group_target_assignment_member_value> value;
            if (const auto at = g.targets().find(what.name); at != g.targets().end()) {
                value.emplace();
                for (const auto& [topic, partitions] : at->second) value->topic_partitions.push_back({topic, {partitions.begin(), partitions.end()}, {}});
            }
            return put_or_bury(to, key_of<messages::consumer_group_target_assignment_member_key>(g.name(), what.name), value);
        }
        case part::current: {
            std::optional<progress_value> value;
            if (member) {
                value.emplace();
                value->member_epoch = member->epoch;
                value->previous_member_epoch = member->previous_epoch;
                value->state = static_cast<std::int8_t>(member->is);
                value->assigned_partitions = to_log(member->assigned);
                value->partitions_pending_revocation = to_log(member->revoking);
            }
            return put_or_bury(to, key_of<messages::consumer_group_current_member_assignment_key>(g.name(), what.name), value);
        }
        case part::regex: {
            auto key = key_of<messages::consumer_group_regular_expression_key>(g.name());
            key.regular_expression = what.name;
            std::optional<messages::consumer_group_regular_expression_value> value;
            if (const auto at = g.regexes().find(what.name); at != g.regexes().end()) {
                value.emplace();
                value->topics = {at->second.topics.begin(), at->second.topics.end()};
                value->version = static_cast<std::int64_t>(at->second.version);
                value->timestamp = at->second.timestamp;
            }
            return put_or_bury(to, key, value);
        }
    }
}

void group_shard::put_consumer_group_tombstones(group_records& to, const consumer_group_fsm& g) const {
    for (const auto& [id, m] : g.members()) put_tombstone(to, key_of<messages::consumer_group_current_member_assignment_key>(g.name(), id));
    for (const auto& [id, m] : g.members()) put_tombstone(to, key_of<messages::consumer_group_target_assignment_member_key>(g.name(), id));
    put_tombstone(to, key_of<messages::consumer_group_target_assignment_metadata_key>(g.name()));
    for (const auto& [id, m] : g.members()) put_tombstone(to, key_of<messages::consumer_group_member_metadata_key>(g.name(), id));
    for (const auto& [regex, r] : g.regexes()) {
        auto key = key_of<messages::consumer_group_regular_expression_key>(g.name());
        key.regular_expression = regex;
        put_tombstone(to, key);
    }
    put_tombstone(to, key_of<messages::consumer_group_metadata_key>(g.name()));
}

// Reading back.

consumer_group_fsm* group_shard::restored_consumer(const std::string& name, bool make) {
    const auto at = groups_.find(name);
    if (at != groups_.end() && at->second.consumer) return at->second.consumer.get();
    if (!make || (at != groups_.end() && !at->second.classic->is_simple())) return nullptr;
    groups_[name] = {nullptr, std::make_unique<consumer_group_fsm>(name, consumer_group_limits())};
    return groups_[name].consumer.get();
}

void group_shard::apply_consumer_group(std::int16_t kind, protocol::bytes_view key_bytes, const std::optional<protocol::bytes_view>& value_bytes) {
    // Decodes, and calls one of two functions with the group: with the value, or where it is a tombstone.
    const auto with = [&]<class Key, class Value>(Key key, Value value, auto&& name_of, part what, auto&& restore) {
        if (kind != Key::key || !decode_key(key, key_bytes) || (value_bytes && !decode_value(value, *value_bytes))) return;
        auto* g = restored_consumer(key.group_id, value_bytes.has_value());
        if (!g) return;
        if (value_bytes)
            restore(*g, key, value);
        else if (what == part::epoch)
            groups_.erase(key.group_id);
        else
            g->forget({what, name_of(key)});
    };
    const auto none = [](const auto&) { return std::string{}; };
    const auto member = [](const auto& key) { return key.member_id; };
    using fsm = consumer_group_fsm;
    with(messages::consumer_group_metadata_key{}, messages::consumer_group_metadata_value{}, none, part::epoch,
         [](fsm& g, auto&, auto& v) { g.restore_epoch(v.epoch, v.metadata_hash); });
    with(messages::consumer_group_target_assignment_metadata_key{}, messages::consumer_group_target_assignment_metadata_value{}, none, part::target_epoch,
         [](fsm& g, auto&, auto& v) { g.restore_target_epoch(v.assignment_epoch, v.assignment_timestamp); });
    with(messages::consumer_group_member_metadata_key{}, messages::consumer_group_member_metadata_value{}, member, part::member, [](fsm& g, auto& key, auto& v) {
        consumer_member m;
        m.id = key.member_id;
        m.instance_id = v.instance_id;
        m.rack_id = v.rack_id;
        m.client_id = v.client_id;
        m.client_host = v.client_host;
        m.topics = {v.subscribed_topic_names.begin(), v.subscribed_topic_names.end()};
        m.regex = v.subscribed_topic_regex;
        m.rebalance_timeout_ms = v.rebalance_timeout_ms;
        m.assignor = v.server_assignor;
        if (v.classic_member_metadata && !v.classic_member_metadata->supported_protocols.empty()) {
            m.classic = classic_part{v.classic_member_metadata->session_timeout_ms, {}};
            for (auto& p : v.classic_member_metadata->supported_protocols) m.classic->protocols.push_back({p.name, p.metadata});
        }
        g.restore_member(std::move(m));
    });
    with(messages::consumer_group_target_assignment_member_key{}, messages::consumer_group_target_assignment_member_value{}, member, part::target,
         [](fsm& g, auto& key, auto& v) {
             partition_sets target;
             for (const auto& t : v.topic_partitions) target[t.topic_id] = {t.partitions.begin(), t.partitions.end()};
             g.restore_target(key.member_id, std::move(target));
         });
    with(messages::consumer_group_current_member_assignment_key{}, progress_value{}, member, part::current, [](fsm& g, auto& key, auto& v) {
        consumer_member m;
        m.epoch = v.member_epoch;
        m.previous_epoch = v.previous_member_epoch;
        m.is = v.state == 1 || v.state == 2 ? static_cast<consumer_member::status>(v.state) : consumer_member::status::stable;
        m.assigned = from_log(v.assigned_partitions, v.member_epoch);
        m.revoking = from_log(v.partitions_pending_revocation, v.member_epoch);
        g.restore_progress(key.member_id, m);
    });
    with(messages::consumer_group_regular_expression_key{}, messages::consumer_group_regular_expression_value{},
         [](const auto& key) { return key.regular_expression; }, part::regex, [](fsm& g, auto& key, auto& v) {
             g.restore_regex(key.regular_expression, {{v.topics.begin(), v.topics.end()}, static_cast<std::uint64_t>(v.version), v.timestamp});
         });
}

}  // namespace kafkawire::broker
