// What is said of a group: which partitions, where it goes on in them, who a member is, and how partitions come and go.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/error.hpp>

#include <compare>
#include <utility>

namespace kafkawire::inline v0_1 {

/// A consumer's membership of its group, for KIP-447: offsets from somebody who is no member any more are refused. Without a member id there is
/// no such check, as for partitions that were assigned by hand.
struct group_metadata {
    // A constructor, since GCC 12 destroys an aggregate with owning members twice when it is written inside a co_await.
    group_metadata(std::string group_id, std::int32_t generation_id = -1, std::string member = {}, std::optional<std::string> instance = {})
        : group{std::move(group_id)}, generation{generation_id}, member_id{std::move(member)}, group_instance_id{std::move(instance)} {}

    std::string group;
    std::int32_t generation;                       ///< or the member epoch, of a group with the new protocol
    std::string member_id;
    std::optional<std::string> group_instance_id;
};

/// Where a group is to go on: `offset` is that of the next record to be read. Views only; whoever takes it copies it.
struct topic_offset {
    std::string_view topic{};
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::int32_t leader_epoch = -1;                ///< of the last record that was read; -1: not known
    std::string_view metadata{};                   ///< whatever the application likes to keep beside it
};

/// A partition by its topic's name. A value.
struct topic_partition {
    std::string topic{};
    std::int32_t partition = 0;
    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};

/// What a group has committed of a partition.
struct committed_offset {
    std::string topic{};
    std::int32_t partition = 0;
    std::int64_t offset = -1;                      ///< of the next record to be read; -1: nothing is committed
    std::int32_t leader_epoch = -1;
    std::string metadata{};
};

/// Partitions that come to a member or go, as its handler is told (kw::consumer::on_assigned() and the like). The step is over when the object is
/// destroyed: a plain function just returns, one that has something to wait for keeps it until then. Movable; may be dropped on any thread.
class rebalance_step {
public:
    rebalance_step(std::vector<topic_partition> partitions, std::optional<net::time_point> deadline, error why, unique_function<void()> over)
        : partitions_{std::move(partitions)}, deadline_{deadline}, why_{std::move(why)}, over_{std::move(over)} {}
    rebalance_step(rebalance_step&& other) noexcept
        : partitions_{std::move(other.partitions_)}, deadline_{other.deadline_}, why_{std::move(other.why_)}, over_{std::move(other.over_)} {}
    rebalance_step& operator=(rebalance_step&& other) noexcept {
        if (this == &other) return *this;
        finish();
        partitions_ = std::move(other.partitions_);
        deadline_ = other.deadline_;
        why_ = std::move(other.why_);
        over_ = std::move(other.over_);
        return *this;
    }
    ~rebalance_step() { finish(); }

    /// Sorted. What is new, or what goes; not what stays. None: the group was rebalanced, and nothing changed for this member.
    [[nodiscard]] const std::vector<topic_partition>& partitions() const noexcept { return partitions_; }
    /// When partitions are revoked: by then the group goes on without us, finished or not. By the environment's steady clock.
    [[nodiscard]] const std::optional<net::time_point>& deadline() const noexcept { return deadline_; }
    /// When partitions are lost: how. Empty else.
    [[nodiscard]] const error& why() const noexcept { return why_; }
    /// The step is over now. Further calls do nothing.
    void finish() {
        if (auto over = std::exchange(over_, nullptr)) over();
    }

private:
    std::vector<topic_partition> partitions_;
    std::optional<net::time_point> deadline_;
    error why_;
    unique_function<void()> over_;                 // empty: it was called, or moved away
};
/// Called on the consumer's executor, one step after the other: the next comes when this one is over.
using rebalance_handler = unique_function<void(rebalance_step)>;

/// Where the time of a rebalance went.
struct rebalance_durations {
    std::chrono::nanoseconds revoking{};           ///< giving partitions up, the application's handler included
    std::chrono::nanoseconds joining{};            ///< waiting for the group's other members
    std::chrono::nanoseconds assigning{};          ///< the leader: for metadata, and working it out
    std::chrono::nanoseconds syncing{};            ///< waiting for the leader
    std::chrono::nanoseconds adopting{};           ///< the application's handler
    std::chrono::nanoseconds whole{};
};

/// A rebalance that a member has been through: over when it reads what it was given.
struct rebalance_report {
    std::int32_t generation = -1;                  ///< or the member's epoch (KIP-848)
    rebalance_durations took;
    std::vector<topic_partition> assignment;       ///< all that it has now, sorted
};

/// A member as it stands. For people who look, and for dashboards.
struct group_membership {
    std::string state;                             ///< of the protocol's machine: "stable", "joining", ...
    std::string member_id;                         ///< empty: not a member yet
    std::int32_t generation = -1;                  ///< or the member's epoch (KIP-848); -1: not a member
    std::int32_t coordinator = -1;                 ///< the broker; -1: not known now
    bool leader = false;                           ///< works out the assignments (classic protocol)
    std::string strategy;                          ///< that the group has chosen (classic protocol)
    std::vector<topic_partition> assignment;       ///< sorted
    std::optional<net::time_point> last_heartbeat; ///< that was answered
    rebalance_durations last_rebalance;
    std::uint64_t rebalances = 0, losses = 0;      ///< so far
    error last_error;                              ///< of a request to the coordinator; empty since it answered well
    error last_commit_error;                       ///< of an automatic commit; empty if none has failed so far
};

}  // namespace kafkawire::inline v0_1
