#include "broker/topic_rules.hpp"

#include <algorithm>

#include "broker/cluster_state.hpp"

namespace kafkawire::broker {
namespace {

bool allowed(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

std::string unified(std::string_view name) {
    std::string result{name};
    std::replace(result.begin(), result.end(), '.', '_');
    return result;
}

}  // namespace

std::optional<std::string> refuse_topic_name(std::string_view name) {
    constexpr std::size_t longest = 249;
    const std::string start = "Topic name is invalid: ";
    if (name.empty()) return start + "the empty string is not allowed";
    if (name == "." || name == "..") return start + "'" + std::string{name} + "' is not allowed";
    if (name.size() > longest) return start + "the length of '" + std::string{name} + "' is longer than the max allowed length 249";
    if (!std::all_of(name.begin(), name.end(), allowed))
        return start + "'" + std::string{name} + "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'";
    return {};
}

std::optional<std::string> colliding_topic(const cluster_state& cluster, std::string_view name) {
    if (name.find_first_of("._") == std::string_view::npos) return {};
    const auto wanted = unified(name);
    for (const auto& [existing, t] : cluster.topics())
        if (existing.size() == wanted.size() && existing != name && unified(existing) == wanted) return existing;
    return {};
}

std::optional<std::string> refuse_replicas(const cluster_state& cluster, const std::vector<std::int32_t>& replicas, std::optional<std::size_t> copies) {
    const std::string start = "The manual partition assignment includes ";
    if (replicas.empty()) return start + "an empty replica list.";
    auto sorted = replicas;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const auto id = sorted[i];
        const auto& nodes = cluster.nodes();
        if (std::none_of(nodes.begin(), nodes.end(), [&](const node& n) { return n.id == id; }))
            return start + "broker " + std::to_string(id) + ", but no such broker is registered.";
        if (i > 0 && sorted[i - 1] == id) return start + "the broker " + std::to_string(id) + " more than once.";
    }
    if (copies && *copies != replicas.size())
        return start + "a partition with " + std::to_string(replicas.size()) + " replica(s), but this is not consistent with previous partitions, which have " +
               std::to_string(*copies) + " replica(s).";
    return {};
}

}  // namespace kafkawire::broker
