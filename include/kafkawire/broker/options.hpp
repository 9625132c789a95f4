// What an embedded cluster is made with.
#pragma once
#include <kafkawire/version.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace kafkawire::broker {

/// A topic that is there from the start.
struct topic_spec {
    std::string name{};
    std::int32_t partitions = 1;
    std::int16_t replication_factor = -1;        ///< -1: min(3, nodes)
    std::map<std::string, std::string> configs{};  ///< Kafka's names: "max.message.bytes", "cleanup.policy", ...
};

/// The defaults make a cluster of one node in memory, on a free port of the loopback interface, that behaves as Kafka 4.3 does.
struct options {
    std::int32_t nodes = 1;                      ///< numbered from first_node_id on
    std::int32_t first_node_id = 1;
    std::string host = "127.0.0.1";              ///< an IP address: what the nodes listen on, and tell clients
    std::vector<std::string> hosts{};              ///< of the nodes, in order, where they have one each; missing ones: `host`
    std::vector<std::uint16_t> ports{};            ///< of the nodes, in order; missing ones and 0: the system chooses
    std::string cluster_id{};                      ///< empty: made from the seed
    std::string as_version = "4.3";              ///< offers the APIs and versions of that Kafka; "4.3", "3.9" or "2.8"
    std::string folder{};                          ///< keep everything here, across restarts; empty: in memory
    std::uint64_t max_bytes = 1u << 30;          ///< of records in memory, over all partitions; the oldest go first
    std::uint32_t max_request = 100u << 20;      ///< socket.request.max.bytes: a longer frame closes the connection
    std::chrono::nanoseconds replication_delay{0};  ///< after which the other replicas have what the leader has; 0: at once
    std::uint64_t seed = 0;                      ///< of ids and choices; the same seed and requests give the same answers. 0: chosen by chance
    std::vector<topic_spec> topics{};
    std::map<std::string, std::string> configs{};  ///< of the brokers, Kafka's names: "auto.create.topics.enable", "num.partitions", ...
};

}  // namespace kafkawire::broker
