#include "broker/config_values.hpp"

namespace kafkawire::broker {
namespace {

using origins = std::vector<config_value::origin>;

// Kafka has some times twice, in milliseconds without a default and in hours with one.
const broker_config* in_hours(std::string_view name) {
    if (name == "log.retention.ms") return find_broker_config("log.retention.hours");
    if (name == "log.roll.ms") return find_broker_config("log.roll.hours");
    if (name == "log.roll.jitter.ms") return find_broker_config("log.roll.jitter.hours");
    return nullptr;
}

// What was set for a broker entry, from what counts most to the default. `node` empty: for all nodes.
origins origins_of(const cluster_state& cluster, const broker_config& entry, const std::string& node) {
    origins result;
    const std::string name{entry.name};
    const auto add = [&](const std::map<std::string, std::string>& in, config_source source) {
        if (const auto at = in.find(name); at != in.end()) result.push_back({name, at->second, source});
    };
    if (!node.empty()) add(cluster.dynamic_configs(node), config_source::node);
    add(cluster.dynamic_configs(""), config_source::all_nodes);
    add(cluster.options().configs, config_source::start);
    if (entry.default_value.data()) {
        result.push_back({name, std::string{entry.default_value}, config_source::by_default});
    } else if (const auto* hours = result.empty() ? nullptr : in_hours(entry.name)) {
        result.push_back({std::string{hours->name}, std::string{hours->default_value}, config_source::by_default});
    }
    return result;
}

void settle(config_value& v) {
    if (v.origins.empty()) return;
    v.value = v.origins.front().value;
    v.source = v.origins.front().source;
}

// What a node is, as its start configuration would say it.
std::optional<std::string> own_value(const cluster_state& cluster, const node& of, std::string_view name) {
    const auto address = [](const std::string& host, std::uint16_t port) { return "PLAINTEXT://" + host + ':' + std::to_string(port); };
    if (name == "broker.id" || name == "node.id") return std::to_string(of.id);
    if (name == "listeners") return address(of.host, of.port);
    if (name == "advertised.listeners") return address(of.told_host(), of.told_port());
    if (name == "process.roles") return "broker,controller";
    if (name == "broker.rack") return of.rack;
    if (name == "log.dirs" && !cluster.options().folder.empty()) return cluster.options().folder;
    return {};
}

}  // namespace

std::vector<config_value> topic_config_values(const cluster_state& cluster, const topic& of) {
    std::vector<config_value> result;
    for (const auto& entry : topic_configs()) {
        config_value v{std::string{entry.name}, std::string{entry.default_value}, entry.type, false, config_source::by_default, {}};
        if (const auto at = of.configs.find(v.name); at != of.configs.end()) v.origins.push_back({v.name, at->second, config_source::topic});
        if (const auto* behind = entry.broker_name.empty() ? nullptr : find_broker_config(entry.broker_name))
            for (auto& o : origins_of(cluster, *behind, {})) v.origins.push_back(std::move(o));
        settle(v);
        result.push_back(std::move(v));
    }
    return result;
}

std::vector<config_value> broker_config_values(const cluster_state& cluster, const node& of) {
    std::vector<config_value> result;
    for (const auto& entry : broker_configs()) {
        config_value v{std::string{entry.name}, {}, entry.type, entry.read_only, config_source::by_default, origins_of(cluster, entry, std::to_string(of.id))};
        if (auto own = own_value(cluster, of, entry.name)) v.origins.insert(v.origins.begin(), {v.name, std::move(own), config_source::start});
        settle(v);
        result.push_back(std::move(v));
    }
    return result;
}

std::vector<config_value> cluster_config_values(const cluster_state& cluster) {
    std::vector<config_value> result;
    for (const auto& [name, value] : cluster.dynamic_configs("")) {
        const auto* entry = find_broker_config(name);
        config_value v{name, value, entry ? entry->type : config_type::string, false, config_source::all_nodes, {}};
        v.origins.push_back({name, value, config_source::all_nodes});
        if (entry && entry->default_value.data()) v.origins.push_back({name, std::string{entry->default_value}, config_source::by_default});
        result.push_back(std::move(v));
    }
    return result;
}

}  // namespace kafkawire::broker
