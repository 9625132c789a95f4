// Changing what is configured: one resource at a time, checked as a whole before any of it counts. Used by AlterConfigs and
// IncrementalAlterConfigs.
#pragma once
#include "broker/cluster_state.hpp"
#include "broker/error_code.hpp"

namespace kafkawire::broker {

struct config_change {
    enum class operation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };
    std::string name;
    operation what = operation::set;
    std::optional<std::string> value;
};
struct config_changes {
    std::int8_t resource_type = 0;
    std::string resource_name;
    std::vector<config_change> changes;
    bool replace_all = false;    ///< entries that are not named go back to their defaults
    bool validate_only = false;
};

/// Makes the changes, or says why not; then nothing has changed. `asked_node`: who was asked.
[[nodiscard]] refusal change_configs(cluster_state& cluster, std::int32_t asked_node, const config_changes& what);

}  // namespace kafkawire::broker
