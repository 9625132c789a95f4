// What members and administrators ask of a shard.
#include <kafkawire/protocol/messages/offsets_topic.hpp>

#include <algorithm>

#include "broker/group_shard.hpp"
#include "broker/group_topics.hpp"
#include "broker/witness.hpp"

namespace kafkawire::broker {

namespace messages = protocol::messages;

void group_shard::join(const std::string& name, classic_join request, join_waiter to) {
    auto at = groups_.find(name);
    group_records records;
    if (at != groups_.end() && at->second.consumer) {
        if (!at->second.is_empty()) return join_consumer_group(name, std::move(request), std::move(to));
        // A consumer group without members becomes a classic one; its offsets stay.
        put_group_tombstones(records, name);
        forget_group(name);
        at = groups_.end();
    }
    const bool is_new = at == groups_.end();
    if (is_new && !request.member_id.empty()) return to({.error = broker_errc::unknown_member_id, .member_id = request.member_id});
    auto& machine = is_new ? make_classic(name) : *at->second.classic;
    group_actions out;
    machine.join(std::move(request), std::move(to), cluster_.now(), out);
    const bool stores = std::any_of(out.begin(), out.end(), [](const group_action& a) { return std::holds_alternative<store_group>(a); });
    if (is_new && !stores) {
        // A new group is in the log from its first member on, as an empty one.
        messages::group_metadata_key key;
        key.group = name;
        messages::group_metadata_value value;
        value.protocol.reset();
        value.leader.reset();
        value.current_state_timestamp = machine.state_since();
        put(records, key, value, 3);
    }
    carry_out(name, std::move(out), std::move(records));
}

void group_shard::sync(const std::string& name, classic_sync request, sync_waiter to) {
    const auto at = groups_.find(name);
    if (at == groups_.end() || at->second.is_empty()) return to({.error = broker_errc::unknown_member_id});
    group_actions out;
    if (at->second.consumer) {
        auto answer = at->second.consumer->sync_classic(request, cluster_topics{cluster_}, out);
        out.emplace_back(give_sync_answer{std::move(to), std::move(answer)});
        return carry_out(name, std::move(out));
    }
    at->second.classic->sync(std::move(request), std::move(to), cluster_.now(), out);
    carry_out(name, std::move(out));
}

broker_errc group_shard::heartbeat(const std::string& name, const std::string& member, const std::optional<std::string>& instance, std::int32_t generation) {
    const auto at = groups_.find(name);
    if (at == groups_.end()) return broker_errc::unknown_member_id;
    group_actions out;
    const auto code = at->second.classic ? at->second.classic->heartbeat(member, instance, generation, out)
                                         : at->second.consumer->heartbeat_classic(member, instance, generation, out);
    carry_out(name, std::move(out));
    return code;
}

void group_shard::leave(const std::string& name, const std::vector<classic_group_fsm::leaver>& who, unique_function<void(const left&)> then) {
    const auto at = groups_.find(name);
    left result;
    if (at == groups_.end()) {
        result.members.assign(who.size(), broker_errc::unknown_member_id);
        return then(result);
    }
    group_actions out;
    result.members = at->second.classic ? at->second.classic->leave(who, cluster_.now(), out) : at->second.consumer->leave_classic(who, cluster_topics{cluster_}, out);
    carry_out(name, std::move(out), {}, [result, then = std::move(then)](broker_errc e) mutable {
        if (e != broker_errc::none) result = {e, {}};
        then(result);
    });
    downgrade_if_classic(name);
}

namespace {

// Java counts UTF-16 units.
std::int64_t utf16_length(std::string_view text) noexcept {
    std::int64_t n = 0;
    for (const auto c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xc0) != 0x80) n += byte >= 0xf0 ? 2 : 1;
    }
    return n;
}

}  // namespace

void group_shard::commit(const committer& who, const std::vector<offset_commit>& what, unique_function<void(const commit_result&)> then) {
    const bool transactional = who.transaction.producer_id >= 0;
    commit_result result;
    auto at = groups_.find(who.group);
    if (at == groups_.end()) {
        if (who.generation >= 0) {
            result.error = !transactional && who.version >= 9 ? group_error{broker_errc::group_id_not_found, "Group " + who.group + " not found."}
                                                              : group_error{broker_errc::illegal_generation};
            return then(result);
        }
        make_classic(who.group);
        at = groups_.find(who.group);
    }
    result.error = check_commit(who, at->second);
    if (result.error) return then(result);
    group_actions out;
    if (!transactional && at->second.classic) at->second.classic->committed(who.member_id, out);
    carry_out(who.group, std::move(out));
    group_records records;
    const auto now = cluster_.now().wall_ms();
    const auto longest = cluster_.config_number("offset.metadata.max.bytes");
    for (const auto& o : what) {
        if (o.metadata && utf16_length(*o.metadata) > longest) {
            result.offsets.push_back(broker_errc::offset_metadata_too_large);
            continue;
        }
        if (at->second.consumer) {
            // One that the member must not commit refuses them all.
            result.error = at->second.consumer->check_commit_of(who.member_id, who.generation, o.topic, o.topic_id, o.partition);
            if (result.error && transactional) result.error.code = broker_errc::illegal_generation;
            if (result.error) return then({std::move(result.error), {}});
        }
        committed_offset value{.offset = o.offset, .leader_epoch = o.leader_epoch, .metadata = o.metadata.value_or(""), .commit_time = now, .topic_id = o.topic_id};
        if (who.retention_ms >= 0) value.expire_time = now + who.retention_ms;
        group_offsets::put_record(records, who.group, o.topic, o.partition, &value);
        result.offsets.push_back(broker_errc::none);
    }
    if (witness) witness->taken(who, what, at->second);
    write(std::move(records), [result, then = std::move(then)](broker_errc e) mutable {
        if (e != broker_errc::none) result = {{e}, {}};
        then(result);
    }, who.transaction);
}

group_error group_shard::check_commit(const committer& who, const group& g) const {
    const bool transactional = who.transaction.producer_id >= 0;
    if (g.classic) return {g.classic->check_commit(who.member_id, who.instance_id, who.generation, transactional)};
    auto error = g.consumer->check_commit(who.member_id, who.generation, transactional, who.version);
    if (transactional && error.code == broker_errc::stale_member_epoch) error.code = broker_errc::illegal_generation;
    return error;
}

group_error group_shard::check_fetch(const std::string& name, const std::optional<std::string>& member, std::int32_t epoch) const {
    const auto* g = find(name);
    return g && g->consumer ? g->consumer->check_fetch(member, epoch) : group_error{};
}

void group_shard::delete_offsets(const std::string& name, const std::vector<topic_partition>& which, unique_function<void(const delete_result&)> then) {
    const auto at = groups_.find(name);
    delete_result result;
    if (at == groups_.end()) {
        result.error = broker_errc::group_id_not_found;
        return then(result);
    }
    const auto& g = at->second;
    if (g.classic && !g.is_empty() && !g.classic->uses_consumer_protocol()) {
        result.error = broker_errc::non_empty_group;
        return then(result);
    }
    group_records records;
    for (const auto& [topic, partition] : which) {
        const bool subscribed = g.is_subscribed_to(topic);
        result.partitions.push_back(subscribed ? broker_errc::group_subscribed_to_topic : broker_errc::none);
        if (!subscribed && (offsets_.find(name, topic, partition) || offsets_.is_pending(name, topic, partition)))
            group_offsets::put_record(records, name, topic, partition, nullptr);
    }
    write(std::move(records), [result, then = std::move(then)](broker_errc e) mutable {
        if (e != broker_errc::none) result = {e, {}};
        then(result);
    });
}

void group_shard::delete_group(const std::string& name, stored then) {
    const auto at = groups_.find(name);
    if (at == groups_.end()) return then(broker_errc::group_id_not_found);
    if (!at->second.is_empty()) return then(broker_errc::non_empty_group);
    group_records records;
    offsets_.put_tombstones(records, name);
    put_group_tombstones(records, name);
    forget_group(name);
    write(std::move(records), std::move(then));
}

void group_shard::forget_topic(const std::string& topic) {
    group_records records;
    for (const auto& name : offsets_.groups()) {
        const auto& topics = *offsets_.of(name);
        const auto at = topics.find(topic);
        if (at == topics.end()) continue;
        for (const auto& [partition, offset] : at->second) group_offsets::put_record(records, name, topic, partition, nullptr);
    }
    write(std::move(records), [](broker_errc) {});
}

// A classic group's offsets age from the moment on when it became empty; those that nobody of a living group subscribes to, and those of
// simple consumers, from their commit.
bool group_shard::is_expired(const group& g, const committed_offset& o, std::int64_t now, std::int64_t retention) const {
    if (o.expire_time) return now >= *o.expire_time;
    auto since = o.commit_time;
    if (g.classic && g.classic->protocol_type()) {
        if (g.is_empty()) {
            if (g.classic->state_since() >= 0) since = g.classic->state_since();
        } else if (!g.classic->is<classic_group_fsm::stable>() || !g.classic->subscribed_topics()) {
            return false;
        }
    }
    return now - since >= retention;
}

void group_shard::expire_offsets() {
    const auto retention = cluster_.config_number("offsets.retention.minutes") * 60'000;
    const auto now = cluster_.now().wall_ms();
    group_records records;
    std::vector<std::string> unused;
    for (const auto& [name, g] : groups_) {
        bool all = true;
        if (const auto* topics = offsets_.of(name))
            for (const auto& [topic, partitions] : *topics)
                for (const auto& [partition, offset] : partitions) {
                    const bool gone = !g.is_subscribed_to(topic) && is_expired(g, offset, now, retention) && !offsets_.is_pending(name, topic, partition);
                    if (gone) group_offsets::put_record(records, name, topic, partition, nullptr);
                    all = all && gone;
                }
        if (all && g.is_empty() && !offsets_.has_open_transactions(name)) unused.push_back(name);
    }
    for (const auto& name : unused) {
        put_group_tombstones(records, name);
        forget_group(name);
    }
    write(std::move(records), [](broker_errc) {});
}

}  // namespace kafkawire::broker
