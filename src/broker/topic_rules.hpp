// Which topics may be made: Kafka's checks, with its words, because clients show them to people.
#pragma once
#include <kafkawire/version.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kafkawire::broker {

class cluster_state;

/// Why a topic cannot be called so; nothing: it can.
[[nodiscard]] std::optional<std::string> refuse_topic_name(std::string_view name);
/// Names that differ only in '.' and '_' would have the same metrics: the existing topic of such a name, if there is one.
[[nodiscard]] std::optional<std::string> colliding_topic(const cluster_state& cluster, std::string_view name);
/// Why these replicas cannot be a partition's; `copies`: of the partitions before it.
[[nodiscard]] std::optional<std::string> refuse_replicas(const cluster_state& cluster, const std::vector<std::int32_t>& replicas, std::optional<std::size_t> copies);

}  // namespace kafkawire::broker
