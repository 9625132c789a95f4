// group_shard: the groups and offsets of one partition of __consumer_offsets, while its leader is the same: what Kafka calls a coordinator shard.
// Owns: the group machines, the offsets, their timers. Everything is written to the partition before anybody is told, and is read back from it
// by the next shard, wherever that is.
// Never: knows connections or requests' bytes.
#pragma once
#include <functional>
#include <memory>

#include "broker/classic_group_fsm.hpp"
#include "broker/cluster_state.hpp"
#include "broker/consumer_group_fsm.hpp"
#include "broker/group_offsets.hpp"

namespace kafkawire::broker {

/// Called once what an operation wrote is safe (none), or cannot become so.
using stored = unique_function<void(broker_errc)>;

/// An offset that a client commits.
struct offset_commit {
    std::string topic;
    protocol::uuid topic_id;
    std::int32_t partition = 0;
    std::int64_t offset = -1;
    std::int32_t leader_epoch = -1;
    std::optional<std::string> metadata;
};
/// Who commits, and to what. For simple consumers and administrators the member is empty and the generation -1.
struct committer {
    std::string group;
    std::string member_id;
    std::optional<std::string> instance_id;
    std::int32_t generation = -1;           ///< or the member's epoch
    std::int64_t retention_ms = -1;         ///< of requests before version 5; -1: the group's
    std::int16_t version = 9;               ///< of the request
    transaction_of transaction{};           ///< pending until that producer's transaction ends
};

/// One of the two kinds.
struct group {
    std::unique_ptr<classic_group_fsm> classic;
    std::unique_ptr<consumer_group_fsm> consumer;
    [[nodiscard]] std::string_view type() const noexcept { return classic ? "classic" : "consumer"; }
    [[nodiscard]] std::string_view state_name() const noexcept { return classic ? classic->state_name() : consumer->state_name(); }
    [[nodiscard]] std::string protocol_type() const { return classic ? classic->protocol_type().value_or("") : "consumer"; }
    [[nodiscard]] bool is_empty() const noexcept { return classic ? classic->is<classic_group_fsm::empty>() : consumer->is() == consumer_group_fsm::status::empty; }
    [[nodiscard]] bool is_subscribed_to(const std::string& topic) const { return classic ? classic->is_subscribed_to(topic) : consumer->is_subscribed_to(topic); }
};

class group_shard {
public:
    /// Reads what the partition holds. The cluster must outlive the shard.
    group_shard(cluster_state& cluster, partition& from);
    ~group_shard() { end(); }
    /// Somebody else is the coordinator now: refuses who waits with NOT_COORDINATOR, and does nothing any more.
    void end();
    group_shard(const group_shard&) = delete;
    group_shard& operator=(const group_shard&) = delete;

    [[nodiscard]] std::int32_t partition_index() const noexcept { return index_; }
    /// Still belongs to this leadership of this partition.
    [[nodiscard]] bool is_of(const partition& p) const noexcept { return p.topic_id() == topic_id_ && p.leader_epoch() == leader_epoch_; }
    [[nodiscard]] const std::map<std::string, group>& groups() const noexcept { return groups_; }
    [[nodiscard]] const group_offsets& offsets() const noexcept { return offsets_; }
    [[nodiscard]] const group* find(const std::string& name) const;

    void join(const std::string& name, classic_join request, join_waiter to);
    void sync(const std::string& name, classic_sync request, sync_waiter to);
    [[nodiscard]] broker_errc heartbeat(const std::string& name, const std::string& member, const std::optional<std::string>& instance, std::int32_t generation);
    struct left {
        broker_errc error = broker_errc::none;  ///< then there are no members
        std::vector<broker_errc> members{};
    };
    void leave(const std::string& name, const std::vector<classic_group_fsm::leaver>& who, unique_function<void(const left&)> then);

    void consumer_heartbeat(const std::string& name, const broker::consumer_heartbeat& h, unique_function<void(const heartbeat_answer&)> then);
    void consumer_leave(const std::string& name, const std::string& member, const std::optional<std::string>& instance, std::int32_t epoch,
                        unique_function<void(const heartbeat_answer&)> then);

    /// One code per offset; or one for all, if the group refuses.
    struct commit_result {
        group_error error{};
        std::vector<broker_errc> offsets{};
    };
    void commit(const committer& who, const std::vector<offset_commit>& what, unique_function<void(const commit_result&)> then);
    /// Whether a member may read offsets; only consumer groups refuse.
    [[nodiscard]] group_error check_fetch(const std::string& name, const std::optional<std::string>& member, std::int32_t epoch) const;
    /// A producer's transaction has ended with a marker in this partition.
    void end_transaction(std::int64_t producer_id, bool commit) { offsets_.end_transaction(producer_id, commit); }

    struct topic_partition {
        std::string topic;
        std::int32_t partition;
    };
    struct delete_result {
        broker_errc error = broker_errc::none;
        std::vector<broker_errc> partitions{};
    };
    void delete_offsets(const std::string& name, const std::vector<topic_partition>& which, unique_function<void(const delete_result&)> then);
    void delete_group(const std::string& name, stored then);
    /// A topic is gone: so are its offsets.
    void forget_topic(const std::string& topic);
    /// Drops offsets that are older than the retention time, and groups that nothing is left of.
    void expire_offsets();

private:
    struct timer_name {
        group_timer kind;
        std::string group, member;
        friend auto operator<=>(const timer_name&, const timer_name&) = default;
    };
    void load(const partition& from);
    void apply(const replayed& event);
    void apply_group(const protocol::bytes_view key, const std::optional<protocol::bytes_view>& value);
    [[nodiscard]] classic_limits limits() const;
    classic_group_fsm& make_classic(const std::string& name);
    void apply_consumer_group(std::int16_t kind, protocol::bytes_view key, const std::optional<protocol::bytes_view>& value);
    [[nodiscard]] consumer_limits consumer_group_limits() const;
    consumer_group_fsm* restored_consumer(const std::string& name, bool make);
    void put_part(group_records& to, const consumer_group_fsm& g, const store_part& what) const;
    void put_consumer_group_tombstones(group_records& to, const consumer_group_fsm& g) const;
    [[nodiscard]] group_error check_commit(const committer& who, const group& g) const;
    void join_consumer_group(const std::string& name, classic_join request, join_waiter to);
    [[nodiscard]] bool may_migrate(std::string_view direction) const;
    /// A classic group with members becomes a consumer group; the error says why it cannot.
    [[nodiscard]] std::unique_ptr<consumer_group_fsm> upgraded(const std::string& name, group_error& error, group_actions& out) const;
    void downgrade_if_classic(const std::string& name);
    void carry_out(const std::string& name, group_actions actions, group_records records = {}, stored then = {});
    void write(group_records records, stored then, const transaction_of& by = {});
    void put_group(group_records& to, const classic_group_fsm& g) const;
    void put_group_tombstones(group_records& to, const std::string& name);
    void forget_group(const std::string& name);
    void set_timer(timer_name name, milliseconds after, bool keep);
    void cancel_timer(const timer_name& name);
    void timer_ran(const timer_name& name);
    [[nodiscard]] bool is_expired(const group& g, const committed_offset& o, std::int64_t now_ms, std::int64_t retention_ms) const;

    cluster_state& cluster_;
    std::int32_t index_;
    protocol::uuid topic_id_;
    std::int32_t leader_epoch_;
    std::map<std::string, group> groups_;
    group_offsets offsets_;
    std::map<timer_name, timers::id> timers_;
};

}  // namespace kafkawire::broker
