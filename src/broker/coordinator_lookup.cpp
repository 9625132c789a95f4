#include "broker/coordinator_lookup.hpp"

#include <algorithm>

namespace kafkawire::broker {
namespace {

// The next code point of UTF-8; a byte that is none counts as U+FFFD, as Java's decoder has it.
char32_t next_code_point(std::string_view text, std::size_t& at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(at++);
    if (lead < 0x80) return lead;
    const std::size_t more = lead >= 0xf0 && lead < 0xf5 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc2 ? 1 : 0;
    if (more == 0 || lead >= 0xf5 || at + more > text.size()) return 0xfffd;
    char32_t point = lead & (0x3f >> more);
    for (std::size_t i = 0; i < more; ++i) {
        if ((byte(at + i) & 0xc0) != 0x80) return 0xfffd;
        point = point << 6 | (byte(at + i) & 0x3f);
    }
    at += more;
    return point;
}

}  // namespace

std::int32_t java_hash(std::string_view text) noexcept {
    std::uint32_t hash = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto point = next_code_point(text, at);
        if (point >= 0x10000) {  // two UTF-16 units
            hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
            hash = hash * 31 + (0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            hash = hash * 31 + point;
        }
    }
    return static_cast<std::int32_t>(hash);
}

namespace {

std::string_view prefix_of(std::string_view internal_topic) noexcept { return internal_topic == group_topic ? "offsets.topic." : "transaction.state.log."; }

}  // namespace

std::int32_t coordinator_partition(cluster_state& cluster, std::string_view internal_topic, std::string_view name) {
    const auto* there = cluster.find_topic(internal_topic);
    const auto count = there ? static_cast<std::int64_t>(there->partitions.size()) : cluster.config_number(std::string{prefix_of(internal_topic)} + "num.partitions");
    // Kafka's absolute value of the lowest integer is 0.
    const auto hash = java_hash(name);
    const std::int64_t positive = hash == std::int32_t{-2147483647 - 1} ? 0 : hash < 0 ? -static_cast<std::int64_t>(hash) : hash;
    return static_cast<std::int32_t>(positive % std::max<std::int64_t>(count, 1));
}

topic* make_internal_topic(cluster_state& cluster, std::string_view internal_topic) {
    if (auto* there = cluster.find_topic(internal_topic)) return there;
    const auto prefix = std::string{prefix_of(internal_topic)};
    const auto partitions = static_cast<std::int32_t>(cluster.config_number(prefix + "num.partitions"));
    auto place = cluster.place(partitions, static_cast<std::int32_t>(cluster.config_number(prefix + "replication.factor")));
    if (place.empty()) return nullptr;
    std::map<std::string, std::string> configs{{"cleanup.policy", "compact"}, {"compression.type", "producer"}, {"segment.bytes", cluster.config(prefix + "segment.bytes")}};
    return &cluster.create_topic(std::string{internal_topic}, place, std::move(configs));
}

}  // namespace kafkawire::broker
