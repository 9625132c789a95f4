#include "broker/config_changes.hpp"

#include <algorithm>
#include <charconv>

#include "broker/config_rules.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

using entries = std::map<std::string, std::string>;
using operation = config_change::operation;

enum : std::int8_t { topic_resource = 2, broker_resource = 4 };

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= list.size() && !list.empty();) {
        const auto comma = std::min(list.find(',', at), list.size());
        parts.push_back(list.substr(at, comma - at));
        at = comma + 1;
    }
    return parts;
}

std::string joined(const std::vector<std::string>& parts) {
    std::string list;
    for (const auto& p : parts) list += (list.empty() ? "" : ",") + p;
    return list;
}

// One change to one entry. `present`: its value before, the default included.
refusal apply(entries& to, const config_change& c, config_type type, const std::string& present) {
    if (c.what == operation::set) {
        to[c.name] = *c.value;
        return {};
    }
    if (c.what == operation::remove) {
        to.erase(c.name);
        return {};
    }
    if (type != config_type::list)
        return {broker_errc::invalid_config,
                std::string{"Can't "} + (c.what == operation::append ? "APPEND" : "SUBTRACT") + " to key " + c.name + " because its type is not LIST."};
    auto parts = split(present);
    for (auto& p : split(*c.value)) {
        const auto at = std::find(parts.begin(), parts.end(), p);
        if (c.what == operation::subtract && at != parts.end()) parts.erase(at);
        else if (c.what == operation::append && at == parts.end()) parts.push_back(std::move(p));
    }
    to[c.name] = joined(parts);
    return {};
}

refusal check_shape(const config_changes& what) {
    std::optional<std::string> nulls;                       // names may be empty
    std::map<std::string_view, int> named;
    for (const auto& c : what.changes) {
        if (++named[c.name] > 1) return {broker_errc::invalid_request, "Error due to duplicate config keys"};
        if (static_cast<std::int8_t>(c.what) < 0 || c.what > operation::subtract) return {broker_errc::invalid_request, "Unknown operation type."};
        if (c.what != operation::remove && !c.value) nulls = nulls ? *nulls + ", " + c.name : c.name;
    }
    if (nulls) return {broker_errc::invalid_request, "Null value not supported for : " + *nulls};
    return {};
}

refusal change_topic(cluster_state& cluster, const config_changes& what) {
    if (what.resource_name.empty()) return {broker_errc::invalid_request, "Default topic resources are not allowed."};
    if (auto why = refuse_topic_name(what.resource_name)) return {broker_errc::invalid_topic_exception, std::move(why)};
    auto* t = cluster.find_topic(what.resource_name);
    auto after = t && !what.replace_all ? t->configs : entries{};
    for (const auto& c : what.changes) {
        const auto* entry = find_topic_config(c.name);
        // A list that was not set is appended to as its default is.
        const auto present = t ? cluster.config(*t, c.name) : std::string{};
        if (auto why = apply(after, c, entry ? entry->type : config_type::string, present)) return why;
    }
    if (auto why = refuse_topic_configs(after)) return {broker_errc::invalid_config, std::move(why)};
    if (!t) return {broker_errc::unknown_topic_or_partition, "The topic '" + what.resource_name + "' does not exist."};
    if (!what.validate_only) cluster.set_topic_configs(*t, std::move(after));
    return {};
}

refusal change_broker(cluster_state& cluster, std::int32_t asked_node, const config_changes& what) {
    if (!what.resource_name.empty()) {
        std::int32_t id = 0;
        const auto& text = what.resource_name;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (ec != std::errc{} || end != text.data() + text.size()) return {broker_errc::invalid_request, "Node id must be an integer, but it is: " + text};
        if (id != asked_node) return {broker_errc::invalid_request, "Unexpected broker id, expected " + std::to_string(asked_node) + ", but received " + text};
    }
    const auto before = cluster.dynamic_configs(what.resource_name);
    auto after = what.replace_all ? entries{} : before;
    std::string fixed;
    for (const auto& c : what.changes) {
        const auto* entry = find_broker_config(c.name);
        if (entry && entry->read_only) fixed += (fixed.empty() ? "" : ", ") + c.name;
        if (auto why = apply(after, c, entry ? entry->type : config_type::string, cluster.config(c.name))) return why;
    }
    if (!fixed.empty()) return {broker_errc::invalid_request, "Cannot update these configs dynamically: [" + fixed + "]"};
    for (const auto& [name, value] : after)
        if (const auto* entry = find_broker_config(name))
            if (auto why = refuse_broker_config(*entry, value)) return {broker_errc::invalid_request, std::move(why)};
    if (!what.validate_only) cluster.set_dynamic_configs(what.resource_name, std::move(after));
    return {};
}

}  // namespace

refusal change_configs(cluster_state& cluster, std::int32_t asked_node, const config_changes& what) {
    if (auto why = check_shape(what)) return why;
    if (what.resource_type == topic_resource) return change_topic(cluster, what);
    if (what.resource_type == broker_resource) return change_broker(cluster, asked_node, what);
    return {broker_errc::invalid_request, "Unknown resource type " + std::to_string(what.resource_type)};
}

}  // namespace kafkawire::broker
