// The faults, one after the other, and what each of them cost.
#pragma once

#include <testcontainers/kafka_cluster.hpp>

#include <chrono>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "cluster_admin.hpp"
#include "load.hpp"

namespace faults {

/// What the scenarios work on.
struct rig {
    kafkawire::testing::kafka_cluster& kafka;
    cluster_admin& admin;
    std::vector<std::unique_ptr<load>>& loads;
    std::string probe_topic;
    std::int32_t partitions;  ///< of each load's topic
    std::mt19937_64& random;
    double scale = 1;  ///< of how long faults last: 1 in the long run, less in the short one
};

/// What one load felt of one fault. Times in milliseconds; -1: did not happen.
struct effect {
    std::int64_t timeout = 0;       ///< the load's delivery timeout
    std::int64_t first = -1;        ///< from the fault's end to the first acknowledgement of any partition
    std::int64_t all = -1;          ///< to that of the last partition
    std::int64_t longest_wait = 0;  ///< of one partition, over the fault and the healing
    std::int64_t cpu = 0;           ///< of the producer's thread, while the fault lasted
    std::uint64_t acknowledged = 0, not_persisted = 0, maybe_persisted = 0;
    std::int64_t longest_nap = 0;
    std::string last_error{};
};

struct result {
    std::string scenario, target{};
    std::int64_t lasted = 0;    ///< the fault
    std::int64_t cluster = -1;  ///< from the fault's end until the cluster itself took records in all partitions
    bool from_start = false;    ///< `first` and `all` count from the fault's beginning, which has no end of its own
    std::uint64_t cut = 0;      ///< connections that the proxies ended
    std::vector<effect> effects{};
};

/// The names, in the order in which a short run has them.
[[nodiscard]] std::vector<std::string> scenario_names();
/// Waits until the cluster is whole and every partition is acknowledged, then has the fault. Throws std::runtime_error if the cluster or a
/// load does not come back within two minutes, std::invalid_argument for a name that there is not.
result play(rig& r, const std::string& name);

/// What of it missed the bar, in words; empty if nothing did. With a factor above 1 the bars are that much longer. The bars: all partitions
/// are acknowledged within 1 s of the fault's end, or of the cluster's own recovery; a half-open connection is found out within 10 s; a
/// killed leader costs 12 s, or what the cluster needs and 1 s; with connections cut every 0.7 s no partition waits above 1 s; two paused
/// nodes cost at most 5 s of CPU in 90 s.
[[nodiscard]] std::string missed_bars(const result& r, double factor = 1);

/// As one line of JSON.
std::ostream& operator<<(std::ostream& out, const result& r);

}  // namespace faults
