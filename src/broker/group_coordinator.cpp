#include "broker/group_coordinator.hpp"

#include <algorithm>

namespace kafkawire::broker {

group_coordinator::~group_coordinator() {
    cluster_.timers().cancel(expiry_);
    cluster_.timers().cancel(cleaning_);
}

group_shard* group_coordinator::find(std::int32_t node, std::string_view group, broker_errc& why) {
    return find_partition(node, coordinator_partition(cluster_, group_topic, group), why);
}

group_shard* group_coordinator::find_partition(std::int32_t node, std::int32_t index, broker_errc& why) {
    auto* p = cluster_.find_partition(group_topic, index);
    why = broker_errc::none;
    if (!p || p->leader() != node) {
        why = broker_errc::not_coordinator;
        return nullptr;
    }
    if (loading_.count(index) != 0 || loading_.count(-1) != 0) {
        why = broker_errc::coordinator_load_in_progress;
        return nullptr;
    }
    return open(*p);
}

std::vector<group_shard*> group_coordinator::all_of(std::int32_t node, broker_errc& why) {
    std::vector<group_shard*> all;
    why = broker_errc::none;
    const auto* t = cluster_.find_topic(group_topic);
    if (!t) return all;
    for (const auto& p : t->partitions) {
        auto one = broker_errc::none;
        if (auto* s = find_partition(node, p->index(), one)) all.push_back(s);
        if (one == broker_errc::coordinator_load_in_progress) why = one;
    }
    return all;
}

void group_coordinator::recover() {
    const auto* t = cluster_.find_topic(group_topic);
    if (!t) return;
    for (const auto& p : t->partitions)
        if (p->leader() >= 0 && p->log().end_offset() > p->log().start_offset()) open(*p);
}

group_shard* group_coordinator::open(partition& p) {
    const auto index = p.index();
    if (const auto at = shards_.find(index); at != shards_.end()) {
        if (at->second.shard->is_of(p)) return at->second.shard.get();
        close(index, true);
    }
    served s;
    s.shard = std::make_unique<group_shard>(cluster_, p);
    s.watched = &p;
    s.watch = p.watch([this, index] { leadership_may_have_moved(index); });
    arm_expiry();
    return shards_.insert_or_assign(index, std::move(s)).first->second.shard.get();
}

// Called for every append too. A partition that is gone has taken its watch with it.
void group_coordinator::leadership_may_have_moved(std::int32_t index) {
    const auto at = shards_.find(index);
    if (at == shards_.end()) return;
    auto* p = cluster_.find_partition(group_topic, index);
    if (p && at->second.shard->is_of(*p)) return;
    close(index, p == at->second.watched);
    if (p && p->leader() >= 0) {
        // The new coordinator begins at once, so that members which do not come back are missed. Not in the middle of the election, though.
        cluster_.timers().set(cluster_.now().steady, [this, index] {
            auto* now = cluster_.find_partition(group_topic, index);
            if (now && now->leader() >= 0) open(*now);
        });
    }
}

// Whoever is in the middle of a call to the shard finishes it first: waiters are told at once, memory goes later.
void group_coordinator::close(std::int32_t index, bool unwatch) {
    auto node = shards_.extract(index);
    if (!node) return;
    if (unwatch) node.mapped().watched->unwatch(node.mapped().watch);
    node.mapped().shard->end();
    ended_.push_back(std::move(node.mapped().shard));
    if (!cleaning_) {
        cleaning_ = cluster_.timers().set(cluster_.now().steady, [this] {
            cleaning_ = {};
            std::exchange(ended_, {}).clear();
        });
    }
}

void group_coordinator::end_transaction(std::int32_t partition, std::int64_t producer_id, bool commit) {
    if (const auto at = shards_.find(partition); at != shards_.end()) at->second.shard->end_transaction(producer_id, commit);
}

void group_coordinator::topic_deleted(const std::string& name) {
    if (name == group_topic) return;
    for (auto& [index, s] : shards_) s.shard->forget_topic(name);
}

void group_coordinator::arm_expiry() {
    if (expiry_) return;
    const milliseconds interval{cluster_.config_number("offsets.retention.check.interval.ms")};
    expiry_ = cluster_.timers().set(cluster_.now().steady + std::max(interval, milliseconds{1}), [this] {
        expiry_ = {};
        for (auto& [index, s] : shards_) s.shard->expire_offsets();
        if (!shards_.empty()) arm_expiry();
    });
}

}  // namespace kafkawire::broker
