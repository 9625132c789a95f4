// What the faults need of the cluster beside its processes: topics, leaders, leaders that move. Asks the nodes past the proxies, over plain
// sockets: nothing of the client under test takes part.
#pragma once

#include <testcontainers/kafka_cluster.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <kafkawire/protocol/messages/03_metadata.hpp>

#include "blocking_connection.hpp"

namespace faults {

/// Failures throw std::runtime_error. Nodes that are paused or down are not asked.
class cluster_admin {
public:
    explicit cluster_admin(const kafkawire::testing::kafka_cluster& kafka);

    /// A topic with three replicas, its leaders spread over the nodes; returns when they have taken office.
    void create(const std::string& topic, std::int32_t partitions);
    /// The leader of each partition as a running node sees it; -1: none.
    [[nodiscard]] std::vector<std::int32_t> leaders(const std::string& topic);
    /// Whether all replicas of all partitions are in sync.
    [[nodiscard]] bool in_sync(const std::string& topic);
    /// Puts the replicas of each partition into the order (p + turn) modulo 3, so that a vote moves its leader; no data moves.
    void prefer(const std::string& topic, std::int32_t partitions, int turn);
    /// Has each partition led by its first replica.
    void elect(const std::string& topic, std::int32_t partitions);
    /// Returns when the new ones have leaders.
    void add_partitions(const std::string& topic, std::int32_t total);
    /// The node that coordinates a group, as a running node sees it; -1: none.
    [[nodiscard]] std::int32_t coordinator(const std::string& group);
    /// What a group has committed for a partition, transactions that are still open waited for; -1: nothing.
    [[nodiscard]] std::int64_t committed_offset(const std::string& group, const std::string& topic, std::int32_t partition);
    /// The node's listener behind the proxies.
    [[nodiscard]] const std::string& address(std::int32_t node) const { return addresses_.at(static_cast<std::size_t>(node - 1)); }

    /// From now: after how long each partition of the topic takes a record with acks=all. A cluster that comes back from a fault
    /// needs time of its own, in which no client can be acknowledged; this is that time. Nothing: not within the limit.
    [[nodiscard]] std::optional<std::chrono::milliseconds> ready_after(const std::string& topic, std::int32_t partitions,
                                                                       std::chrono::milliseconds limit);

private:
    [[nodiscard]] kafkawire::protocol::messages::metadata_response::topic describe(const std::string& topic);
    [[nodiscard]] const std::string& any() const;

    const kafkawire::testing::kafka_cluster& kafka_;
    std::vector<std::string> addresses_;
};

}  // namespace faults
