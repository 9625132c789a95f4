#include "broker/cluster_state.hpp"

#include <algorithm>
#include <charconv>

#include "broker/configs.hpp"

namespace kafkawire::broker {

cluster_state::cluster_state(broker::options o, moment now) : options_{std::move(o)}, now_{now}, random_{options_.seed} {
    cluster_id_ = options_.cluster_id.empty() ? random_uuid().to_string() : options_.cluster_id;
    for (std::int32_t i = 0; i < options_.nodes; ++i) {
        const auto place = static_cast<std::size_t>(i);
        node n;
        n.id = options_.first_node_id + i;
        n.host = place < options_.hosts.size() ? options_.hosts[place] : options_.host;
        n.port = place < options_.ports.size() ? options_.ports[place] : std::uint16_t{0};
        nodes_.push_back(std::move(n));
    }
    for (const auto& spec : options_.topics) create_topic(spec);
}

cluster_state::~cluster_state() = default;

protocol::uuid cluster_state::random_uuid() noexcept {
    protocol::uuid id;
    for (std::size_t i = 0; i < id.octets.size(); i += 8) {
        auto bits = random_.next();
        for (std::size_t k = 0; k < 8; ++k, bits >>= 8) id.octets[i + k] = static_cast<std::uint8_t>(bits);
    }
    id.octets[6] = static_cast<std::uint8_t>((id.octets[6] & 0x0f) | 0x40);  // version 4, as Java's
    id.octets[8] = static_cast<std::uint8_t>((id.octets[8] & 0x3f) | 0x80);
    return id;
}

node* cluster_state::find_node(std::int32_t id) noexcept {
    const auto at = std::find_if(nodes_.begin(), nodes_.end(), [&](const node& n) { return n.id == id; });
    return at == nodes_.end() ? nullptr : &*at;
}

std::int32_t cluster_state::controller() const noexcept {
    const auto at = std::find_if(nodes_.begin(), nodes_.end(), [](const node& n) { return n.is == node::status::up; });
    return at == nodes_.end() ? -1 : at->id;
}

topic* cluster_state::find_topic(std::string_view name) noexcept {
    const auto at = topics_.find(name);
    return at == topics_.end() ? nullptr : &at->second;
}

topic* cluster_state::find_topic(const protocol::uuid& id) noexcept {
    const auto at = topic_names_.find(id);
    return at == topic_names_.end() ? nullptr : find_topic(at->second);
}

partition* cluster_state::find_partition(std::string_view name, std::int32_t index) noexcept {
    auto* t = find_topic(name);
    return t ? t->find(index) : nullptr;
}

topic& cluster_state::create_topic(const topic_spec& spec) {
    topic t{spec.name, random_uuid(), spec.name == "__consumer_offsets" || spec.name == "__transaction_state", spec.configs, {}};
    const auto nodes = static_cast<std::int32_t>(nodes_.size());
    const auto copies = std::min<std::int32_t>(spec.replication_factor > 0 ? spec.replication_factor : 3, nodes);
    for (std::int32_t i = 0; i < spec.partitions; ++i) {
        std::vector<std::int32_t> replicas;
        for (std::int32_t r = 0; r < copies; ++r) replicas.push_back(nodes_[static_cast<std::size_t>((next_leader_ + r) % nodes)].id);
        next_leader_ = (next_leader_ + 1) % nodes;
        t.partitions.push_back(std::make_unique<partition>(t.name, t.id, i, std::move(replicas)));
    }
    topic_names_.emplace(t.id, t.name);
    return topics_.emplace(spec.name, std::move(t)).first->second;
}

bool cluster_state::valid_topic_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > 249 || name == "." || name == "..") return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

std::string cluster_state::config(std::string_view name) const {
    if (const auto at = options_.configs.find(std::string{name}); at != options_.configs.end()) return at->second;
    const auto* entry = find_broker_config(name);
    return entry ? std::string{entry->default_value} : std::string{};
}

namespace {

std::int64_t number_of(const std::string& text) {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
}

}  // namespace

std::int64_t cluster_state::config_number(std::string_view name) const { return number_of(config(name)); }
bool cluster_state::config_flag(std::string_view name) const { return config(name) == "true"; }

std::string cluster_state::config(const topic& of, std::string_view name) const {
    if (const auto at = of.configs.find(std::string{name}); at != of.configs.end()) return at->second;
    const auto* entry = find_topic_config(name);
    return entry ? config(entry->broker_name) : std::string{};
}

std::int64_t cluster_state::config_number(const topic& of, std::string_view name) const { return number_of(config(of, name)); }

}  // namespace kafkawire::broker
