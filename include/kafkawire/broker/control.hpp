// kw::broker::control: what a test does to an embedded cluster: faults in its answers, nodes that go, leaders that move, clocks that jump; and what
// it sees of it.
//
//   kw::broker::cluster kafka{io, {.nodes = 3, .topics = {{.name = "orders", .partitions = 6}}}};
//   auto control = kafka.control();
//   auto failing = control.add({.api = 0, .count = 2, .error = kw::broker_errc::not_leader_or_follower});
//   control.node_down(2);
//   ...
//   assert(control.hits(failing) == 2);
//
// Everything happens at once, before the call returns, and the same calls at the same times with the same requests do the same: no call looks
// at a clock or a source of chance of its own. Use a control where its cluster is used, but not from a watcher. Once the cluster is closed or
// gone, calls answer errc::connection_closed, zero or nothing.
//
// Errors of calls that name something: broker_errc::broker_id_not_registered (there is no such node), unknown_topic_or_partition,
// replica_not_available (the node has no replica there), broker_not_available (the node is down), offset_out_of_range.
#pragma once
#include <kafkawire/secret.hpp>
#include <kafkawire/broker/faults.hpp>
#include <kafkawire/broker/view.hpp>

#include <memory>
#include <vector>

namespace kafkawire::broker {

/// See the top of this file. Copies control the same cluster.
class KAFKAWIRE_API control {
public:
    // Faults; see faults.hpp.

    /// From now on. Throws kw::system_error (errc::bad_configuration) for a fault that contradicts itself or does nothing.
    fault_id add(const fault& f);
    /// False: it is not there. What it has hit already goes on.
    bool remove(fault_id id);
    void clear_faults();
    /// All that were added and not removed, in their order.
    [[nodiscard]] std::vector<fault_count> faults() const;
    /// How often it has hit; 0 if it is not there.
    [[nodiscard]] std::int64_t hits(fault_id id) const;
    /// The same by name: all faults of that name together.
    [[nodiscard]] std::int64_t hits(std::string_view name) const;

    // Nodes.

    /// In good order: connections are closed, nothing listens, other in-sync replicas lead at once, without what they had not copied.
    std::error_code node_down(std::int32_t node);
    /// The same by surprise: the others believe the node alive, and its partitions are led by nobody who answers, until broker.session.timeout.ms
    /// has passed. Files keep what had been synced.
    std::error_code node_killed(std::int32_t node);
    /// The process is stopped (SIGSTOP): connections stay, new ones are accepted, nothing is read or answered. After broker.session.timeout.ms
    /// others lead. Answers that were on their way come when it is up again.
    std::error_code node_paused(std::int32_t node);
    /// Back from any of these, on the same port. It copies what it lacks; what it led stays with others.
    std::error_code node_up(std::int32_t node);
    /// All clients of the node lose their connections; they may come back at once.
    std::error_code close_connections(std::int32_t node);

    // Partitions.

    /// A new leader, in a new epoch, which has copied everything; -1: none.
    std::error_code move_leader(std::string_view topic, std::int32_t partition, std::int32_t node);
    /// The same leader in a new epoch.
    std::error_code raise_epoch(std::string_view topic, std::int32_t partition);
    /// All replicas forget what lies at and behind `offset`, acknowledged or not, in a new epoch: what an unclean election leaves.
    std::error_code truncate(std::string_view topic, std::int32_t partition, std::int64_t offset);
    /// The node coordinates the group (and all others of the same partition of __consumer_offsets), the transactional id (of __transaction_state).
    std::error_code move_group_coordinator(std::string_view group, std::int32_t node);
    std::error_code move_transaction_coordinator(std::string_view transactional_id, std::int32_t node);

    // What nodes know.

    /// From now on the node answers Metadata as it would at this moment, whatever happens; so views differ by node. It makes no topics.
    std::error_code freeze_metadata(std::int32_t node);
    std::error_code thaw_metadata(std::int32_t node);

    // Clocks, of the whole cluster. The wall clock stamps records; the steady one ends waiting.

    /// The wall clock alone jumps, forward or back.
    void move_wall_clock(std::chrono::nanoseconds by);
    /// Who connects, or shows again who he is, needs that password from now on; an empty one: he is known no more.
    void set_password(std::string_view user, const secret& password);
    /// Both advance; what was to happen meanwhile happens now. std::errc::invalid_argument if `by` is negative.
    std::error_code advance_clock(std::chrono::nanoseconds by);

    // What is to be seen.

    [[nodiscard]] cluster_view view() const;
    /// The last messages that passed, oldest first: at most as many as were to be kept, 200 unless keep_history() says otherwise.
    [[nodiscard]] std::vector<passed> history() const;
    void keep_history(std::size_t messages);
    /// Of each API that was used, by ascending key.
    [[nodiscard]] std::vector<api_traffic> traffic() const;

private:
    friend class cluster;
    explicit control(std::weak_ptr<void> driver) : driver_{std::move(driver)} {}
    struct access;
    std::weak_ptr<void> driver_;  // a cluster::driver
};

}  // namespace kafkawire::broker
