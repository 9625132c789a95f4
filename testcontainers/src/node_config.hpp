// The configuration files of a cluster, as text. Pure functions.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <kafkawire/version.hpp>

namespace kafkawire::testing::detail {

using properties = std::vector<std::pair<std::string, std::string>>;

struct node_plan {
    int id = 0;
    std::uint16_t client_port = 0;      // where the node listens for clients
    std::uint16_t advertised_port = 0;  // where clients are told to go: the same, or the proxy in front of it
    std::uint16_t internal_port = 0;    // replication, and tools that are to see past the proxies
    std::uint16_t controller_port = 0;  // KRaft only
    struct listener {
        std::string name, protocol;
        std::uint16_t port = 0;
    };
    std::vector<listener> more;         // beside these, for clients
    std::filesystem::path folder;
    properties overrides;
};

struct cluster_plan {
    std::string version;
    std::string cluster_id;
    std::vector<node_plan> nodes;
    std::uint16_t zookeeper_port = 0;  // 0: KRaft
    std::filesystem::path folder;
};

inline constexpr auto host = "127.0.0.1";

// server.properties of a node: short waits and small internal topics, replicated over all nodes. A later line for a key wins in
// Java's format, so the overrides stand last.
std::string node_properties(const cluster_plan& cluster, const node_plan& node);
std::string zookeeper_properties(const cluster_plan& cluster);
// meta.properties, as `kafka-storage format` writes it: the node's identity.
std::string meta_properties(const cluster_plan& cluster, const node_plan& node, const std::string& directory_id);

// The logging configuration's file name, its content, and the JVM option that selects it; Kafka 4 has log4j 2, earlier ones log4j 1.
// A server logs what it does on its output; a tool warns on its error output, since its output is data.
enum class logs_of { server, tool };
struct logging_plan {
    std::string file, content, option;
};
logging_plan logging(const std::string& version, logs_of whom);

}  // namespace kafkawire::testing::detail
