// partition: a log and who leads it. One object stands for all replicas; what a replica lacks is a number (how far it has copied), so that a
// crash of a leader can lose what was not replicated, as it would in Kafka: what only the leader had is cut off when another one leads.
// Owns: the log, leadership, watermarks, who waits for progress. Never: answers a request, checks a batch (see append_check.hpp).
//
// Replicas copy at once, unless the cluster has a replication delay; then each append reaches the other replicas that are up after that time,
// and the high watermark follows. A replica that goes down leaves the in-sync replicas (the last one stays in, as in Kafka, and leads again when
// it is back); one that comes up copies and joins them again.
#pragma once
#include <kafkawire/detail/function.hpp>
#include <kafkawire/error.hpp>

#include <map>
#include <string>
#include <vector>

#include "broker/log.hpp"
#include "broker/producer_state.hpp"
#include "broker/timers.hpp"

namespace kafkawire::broker {

/// What all partitions of a cluster use together. Lives longer than all of them.
struct partition_world {
    explicit partition_world(std::uint64_t max_bytes) : budget{max_bytes} {}
    memory_budget budget;
    broker::timers* timers = nullptr;
    const moment* now = nullptr;
    std::chrono::nanoseconds replication_delay{0};
    /// Called when a partition has got another leader, a new epoch or none; for coordinators, which follow their partitions.
    std::vector<unique_function<void(class partition&)>> leadership_watchers{};
    /// Called when a partition's log has reached the size that it was to be looked at again; see partition::look_again_at().
    unique_function<void(class partition&)> grown{};
};

class partition {
public:
    partition(partition_world& world, std::string topic, protocol::uuid topic_id, std::int32_t index, std::vector<std::int32_t> replicas);
    ~partition();
    partition(const partition&) = delete;
    partition& operator=(const partition&) = delete;

    [[nodiscard]] const std::string& topic() const noexcept { return topic_; }
    [[nodiscard]] const protocol::uuid& topic_id() const noexcept { return topic_id_; }
    [[nodiscard]] std::int32_t index() const noexcept { return index_; }
    [[nodiscard]] const std::vector<std::int32_t>& replicas() const noexcept { return replicas_; }
    [[nodiscard]] const std::vector<std::int32_t>& isr() const noexcept { return isr_; }
    /// -1: none.
    [[nodiscard]] std::int32_t leader() const noexcept { return leader_; }
    [[nodiscard]] std::int32_t leader_epoch() const noexcept { return leader_epoch_; }
    [[nodiscard]] const broker::log& log() const noexcept { return log_; }
    [[nodiscard]] broker::log& log() noexcept { return log_; }
    /// Behind the last record that all in-sync replicas have: consumers see what lies before it.
    [[nodiscard]] std::int64_t high_watermark() const noexcept { return high_watermark_; }
    /// Behind the last record that read-committed consumers see: at most the high watermark.
    [[nodiscard]] std::int64_t last_stable_offset() const noexcept { return producers_.last_stable_offset(high_watermark_); }
    /// Who writes here, and their transactions. Whoever appends a batch with a producer id tells it (check(), then appended()).
    [[nodiscard]] producer_state& producers() noexcept { return producers_; }
    [[nodiscard]] const producer_state& producers() const noexcept { return producers_; }

    // Appending. The offsets and the leader epoch are written into the log's copy of the batch; everything else is taken as it is.

    /// What an append did. error: none, not_leader_or_follower (nobody leads) or kafka_storage_error; nothing was appended unless none.
    struct appended {
        broker_errc error = broker_errc::none;
        std::int64_t base_offset = -1;
        std::int64_t last_offset = -1;
    };
    /// Appends one whole batch of format 2 as the leader, moves the watermarks, calls the watchers. For the cluster's own parts (coordinators
    /// build their batches with protocol::batch_builder) and for batches from clients that have been checked.
    appended append(protocol::bytes_view batch) { return append(batch, {}); }
    /// The same with changes to the header; its leader_epoch is filled in here.
    appended append(protocol::bytes_view batch, log::changes how);
    /// The same, but nobody sees it before progressed() is called: for batches of a transaction, which producers() must know of first, or
    /// read-committed consumers would be shown them.
    appended append_unseen(protocol::bytes_view batch, log::changes how);
    /// Calls `then` once all in-sync replicas have the record at `last_offset` (perhaps at once, before this returns): none; or when that
    /// cannot happen any more because the leader changed: not_leader_or_follower. Dropped with the partition without a call.
    using wait_id = std::pair<std::int64_t, std::uint64_t>;
    wait_id when_replicated(std::int64_t last_offset, unique_function<void(broker_errc)> then);
    /// Nobody waits for that any more. False if it has been called.
    bool stop_waiting(const wait_id& id) { return waiting_.erase(id) != 0; }

    // The partition's life.

    /// Makes `node` the leader (-1: nobody) in a new epoch, in good order: it has copied everything. Tells who waits.
    void set_leader(std::int32_t node);
    /// A node's replica cannot be reached any more. Another in-sync one that is up leads then, without what it had not copied; none: nobody
    /// does, or with `unclean` any that is up. No effect for nodes that have no replica here.
    void replica_down(std::int32_t node, bool unclean);
    /// The replica is back: it copies what it lacks and is in sync again, after the replication delay.
    void replica_up(std::int32_t node, bool unclean);
    /// The replica does not copy for a while, but is taken for alive: what waits for it, waits.
    void replica_paused(std::int32_t node);
    [[nodiscard]] bool is_up(std::int32_t node) const noexcept;
    /// Other replicas than before (reassignment): the new ones have copied everything; the first one leads if the leader is no longer among them.
    void set_replicas(std::vector<std::int32_t> replicas);
    /// Forgets what lies at and behind `offset`, on all replicas, in a new epoch: what an unclean election leaves.
    void truncate_to(std::int64_t offset);
    /// Moves the start of the log up, to the high watermark at most (DeleteRecords, retention).
    broker_errc raise_start(std::int64_t offset);
    /// After a restart: the log has been read from files. Watermarks follow, and the leadership begins in an epoch above all that are in the log.
    void recovered();

    /// The cluster wants to know when the log has so many bytes: for compaction and retention.
    void look_again_at(std::size_t bytes) noexcept { look_again_at_ = bytes; }

    /// Calls `what` whenever the watermarks, the start of the log or the leadership change, until it is dropped. `what` may drop itself and others.
    using watch_id = std::uint64_t;
    watch_id watch(unique_function<void()> what);
    void unwatch(watch_id id);
    /// After a change: moves the watermarks, serves when_replicated() and calls the watchers.
    void progressed();

private:
    struct replica {
        enum class status : std::uint8_t { up, paused, down };
        std::int32_t node = -1;
        status is = status::up;
        std::int64_t copied = 0;  // it has everything before this offset
    };
    struct step {
        net::time_point at;
        std::int64_t end;
    };

    [[nodiscard]] replica* find(std::int32_t node) noexcept;
    void elect(bool unclean);
    void lead(std::int32_t node);
    void replicate();
    void copy_up_to(std::int64_t end);
    void arm();
    void leave_isr(std::int32_t node);
    void move_watermarks();
    void rebuild_producers();
    void refuse_waiting();

    partition_world* world_;
    std::string topic_;
    protocol::uuid topic_id_;
    std::int32_t index_;
    std::vector<std::int32_t> replicas_, isr_;
    std::vector<replica> states_;  // of replicas_, in their order
    std::int32_t leader_;
    std::int32_t leader_epoch_ = 0;
    broker::log log_;
    producer_state producers_;
    std::int64_t high_watermark_ = 0;
    std::size_t look_again_at_ = 1u << 20;
    std::int64_t known_start_ = 0;  // of the log, as producers_ knows it
    std::deque<step> on_the_way_;  // what the other replicas will have copied, and when
    timers::id timer_;
    std::map<wait_id, unique_function<void(broker_errc)>> waiting_;  // by the offset that the high watermark must pass
    std::uint64_t last_wait_ = 0;
    std::map<watch_id, unique_function<void()>> watchers_;
    watch_id last_watch_ = 0;
};

}  // namespace kafkawire::broker
