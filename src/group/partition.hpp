// A partition by its topic's name, and lists of them in both forms that are in use.
#pragma once
#include <kafkawire/assignor.hpp>

#include <compare>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace kafkawire::group {

struct topic_partition {
    std::string topic{};
    std::int32_t partition = 0;
    friend auto operator<=>(const topic_partition&, const topic_partition&) = default;
};
using partition_set = std::set<topic_partition>;

/// By topic, in order.
[[nodiscard]] inline std::vector<topic_partitions> by_topic(const partition_set& of) {
    std::vector<topic_partitions> all;
    for (const auto& p : of) {
        if (all.empty() || all.back().topic != p.topic) all.emplace_back().topic = p.topic;
        all.back().partitions.push_back(p.partition);
    }
    return all;
}

}  // namespace kafkawire::group
