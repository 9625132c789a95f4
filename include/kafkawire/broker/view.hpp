// An embedded cluster as it is at one moment, for those who control it: plain values.
#pragma once
#include <kafkawire/broker/observing.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace kafkawire::broker {

enum class node_status : std::uint8_t { up, paused, down };

struct node_view {
    std::int32_t id = 0;
    std::string host;
    std::uint16_t port = 0;
    node_status status = node_status::up;
    bool metadata_frozen = false;
    std::size_t connections = 0;
};

struct partition_view {
    std::int32_t index = 0;
    std::int32_t leader = -1;                      ///< -1: none
    std::int32_t leader_epoch = 0;
    std::vector<std::int32_t> replicas, in_sync;
    std::int64_t start_offset = 0;
    std::int64_t high_watermark = 0;
    std::int64_t last_stable_offset = 0;
    std::int64_t end_offset = 0;                   ///< of the leader's log
    std::size_t bytes = 0;
};

struct topic_view {
    std::string name;
    std::string id;                                ///< in the form of 22 characters
    bool internal = false;
    std::vector<partition_view> partitions;        ///< by index
};

struct group_view {
    std::string name;
    std::string type;                              ///< "classic", "consumer", ...
    std::string state;                             ///< "Stable", "PreparingRebalance", "Empty", ...
    std::int32_t coordinator = -1;                 ///< the node
};

struct cluster_view {
    std::string cluster_id;
    std::int32_t controller = -1;
    moment at;                                     ///< as the cluster's clocks have it
    std::vector<node_view> nodes;                  ///< by id
    std::vector<topic_view> topics;                ///< by name, internal ones too

    std::vector<group_view> groups;                ///< by name; those whose coordinator is up

    // Not of a temporary: what they point to would be gone before a loop over it begins.
    const group_view* find_group(std::string_view name) const&& = delete;
    const topic_view* find_topic(std::string_view name) const&& = delete;
    [[nodiscard]] const group_view* find_group(std::string_view name) const& noexcept {
        for (const auto& g : groups)
            if (g.name == name) return &g;
        return nullptr;
    }
    [[nodiscard]] const topic_view* find_topic(std::string_view name) const& noexcept {
        for (const auto& t : topics)
            if (t.name == name) return &t;
        return nullptr;
    }
};

}  // namespace kafkawire::broker
