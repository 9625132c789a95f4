// What is configured, entry by entry, and where each value comes from.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "broker/cluster_state.hpp"
#include "broker/configs.hpp"

namespace kafkawire::broker {

/// As the wire numbers them; the lower wins.
enum class config_source : std::int8_t { topic = 1, node = 2, all_nodes = 3, start = 4, by_default = 5 };

struct config_value {
    struct origin {
        std::string name;
        std::optional<std::string> value;
        config_source source;
    };
    std::string name;
    std::optional<std::string> value;
    config_type type;
    bool read_only = false;
    config_source source = config_source::by_default;
    std::vector<origin> origins;  ///< all that was set, the one that counts first
};

/// All entries of a topic, by name.
[[nodiscard]] std::vector<config_value> topic_config_values(const cluster_state& cluster, const topic& of);
/// All entries of a node, by name.
[[nodiscard]] std::vector<config_value> broker_config_values(const cluster_state& cluster, const node& of);
/// Those that were set for all nodes while the cluster runs.
[[nodiscard]] std::vector<config_value> cluster_config_values(const cluster_state& cluster);

}  // namespace kafkawire::broker
