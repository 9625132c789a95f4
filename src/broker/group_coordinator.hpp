// group_coordinator: all nodes' coordinators of groups: which shard serves a request, when a shard begins and ends.
// Owns: the shards, one for each partition of __consumer_offsets that has a leader and was asked for. A node answers for the partitions that it
// leads; when the leadership moves, the shard ends and another begins from what is in the log.
#pragma once
#include <set>

#include "broker/coordinator_lookup.hpp"
#include "broker/group_shard.hpp"

namespace kafkawire::broker {

class group_coordinator {
public:
    /// The cluster must outlive it.
    explicit group_coordinator(cluster_state& cluster) : cluster_{cluster} {}
    ~group_coordinator();
    group_coordinator(const group_coordinator&) = delete;
    group_coordinator& operator=(const group_coordinator&) = delete;

    /// The shard of a group, if that node is its coordinator and has loaded it; else null, and why: NOT_COORDINATOR or
    /// COORDINATOR_LOAD_IN_PROGRESS. Valid during the present event.
    [[nodiscard]] group_shard* find(std::int32_t node, std::string_view group, broker_errc& why);
    /// The shard of one partition of the topic, as above.
    [[nodiscard]] group_shard* find_partition(std::int32_t node, std::int32_t index, broker_errc& why);
    /// All that the node coordinates. `why` is COORDINATOR_LOAD_IN_PROGRESS if one of them still loads.
    [[nodiscard]] std::vector<group_shard*> all_of(std::int32_t node, broker_errc& why);

    /// After a restart: begins with what is in the log, so that members which do not come back are missed.
    void recover();
    /// A transaction's marker was written to a partition of __consumer_offsets: its pending offsets become committed, or go.
    void end_transaction(std::int32_t partition, std::int64_t producer_id, bool commit);
    /// A topic was deleted.
    void topic_deleted(const std::string& name);

    /// For faults: a partition's coordinator takes its time to load (-1: all). Until it is done, requests get COORDINATOR_LOAD_IN_PROGRESS.
    void begin_slow_load(std::int32_t partition) { loading_.insert(partition); }
    void end_slow_load(std::int32_t partition) { loading_.erase(partition); }

private:
    struct served {
        std::unique_ptr<group_shard> shard;
        partition* watched = nullptr;
        partition::watch_id watch = 0;
    };
    group_shard* open(partition& p);
    void leadership_may_have_moved(std::int32_t index);
    void close(std::int32_t index, bool unwatch);
    void arm_expiry();

    cluster_state& cluster_;
    std::map<std::int32_t, served> shards_;
    std::vector<std::unique_ptr<group_shard>> ended_;  // until nobody is in the middle of using one
    std::set<std::int32_t> loading_;
    timers::id expiry_, cleaning_;
};

}  // namespace kafkawire::broker
