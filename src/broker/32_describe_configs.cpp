// DescribeConfigs: the configuration of topics and nodes, each entry with where its value comes from. A node is asked by its number and answers
// for itself alone; without a number, what was set for all nodes.
// Version 1 adds synonyms (all that was set, what counts first) and where a value comes from; version 3 types. Entries have no documentation here.
#include <kafkawire/protocol/messages/32_describe_configs.hpp>

#include <algorithm>
#include <charconv>

#include "broker/config_values.hpp"
#include "broker/error_code.hpp"
#include "broker/handlers.hpp"
#include "broker/topic_rules.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::describe_configs_request;
using protocol::messages::describe_configs_response;

enum : std::int8_t { topic_resource = 2, broker_resource = 4, logger_resource = 8, metrics_resource = 16, group_resource = 32 };

describe_configs_response::resource_result entry(const config_value& v, std::int16_t version, bool synonyms) {
    describe_configs_response::resource_result to;
    to.name = v.name;
    to.value = v.value;
    to.read_only = v.read_only;
    if (version == 0) to.is_default = v.source == config_source::by_default;
    to.config_source = static_cast<std::int8_t>(v.source);
    to.config_type = static_cast<std::int8_t>(v.type);
    to.documentation.reset();
    if (synonyms)
        for (const auto& o : v.origins) to.synonyms.push_back({o.name, o.value, static_cast<std::int8_t>(o.source), {}});
    return to;
}

// Kafka's general text for requests that make no sense.
constexpr std::string_view strange_request =
    "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.";

// Groups have no configuration of their own here: all have Kafka's defaults.
refusal describe_group(const std::string& name, std::vector<config_value>& to) {
    if (name.empty()) return {broker_errc::invalid_request, "Group name must not be empty"};
    for (const auto& [entry, value] : {std::pair{"consumer.heartbeat.interval.ms", "5000"}, std::pair{"consumer.session.timeout.ms", "45000"}})
        to.push_back({entry, value, config_type::int_number, false, config_source::by_default, {{entry, value, config_source::by_default}}});
    return {};
}

refusal describe_topic(cluster_state& cluster, const std::string& name, std::vector<config_value>& to) {
    if (auto why = refuse_topic_name(name)) return {broker_errc::invalid_topic_exception, std::move(why)};
    const auto* t = cluster.find_topic(name);
    if (!t) return {broker_errc::unknown_topic_or_partition, {}};
    to = topic_config_values(cluster, *t);
    return {};
}

refusal describe_broker(cluster_state& cluster, const std::string& name, std::int32_t asked_node, std::vector<config_value>& to) {
    if (name.empty()) {
        to = cluster_config_values(cluster);
        return {};
    }
    std::int32_t id = 0;
    const auto [end, ec] = std::from_chars(name.data(), name.data() + name.size(), id);
    if (ec != std::errc{} || end != name.data() + name.size()) return {broker_errc::invalid_request, "Broker id must be an integer, but it is: " + name};
    if (id != asked_node)
        return {broker_errc::invalid_request, "Unexpected broker id, expected " + std::to_string(asked_node) + " or empty string, but received " + name};
    if (const auto* n = cluster.find_node(id)) to = broker_config_values(cluster, *n);
    return {};
}

}  // namespace

void describe_configs(cluster_state& cluster, exchange from, const describe_configs_request& asked) {
    describe_configs_response answer;
    for (const auto& r : asked.resources) {
        auto& to = answer.results.emplace_back();
        to.resource_type = r.resource_type;
        to.resource_name = r.resource_name;
        std::vector<config_value> values;
        refusal why;
        if (r.resource_type == topic_resource) why = describe_topic(cluster, r.resource_name, values);
        else if (r.resource_type == broker_resource) why = describe_broker(cluster, r.resource_name, from.node(), values);
        else if (r.resource_type == group_resource) why = describe_group(r.resource_name, values);
        else why = {broker_errc::invalid_request, std::string{strange_request}};
        to.error_code = code_of(why.code);
        to.error_message = why.text.value_or("");
        for (const auto& v : values) {
            const auto& keys = r.configuration_keys;
            if (keys && !keys->empty() && !std::count(keys->begin(), keys->end(), v.name)) continue;
            to.configs.push_back(entry(v, from.version(), asked.include_synonyms));
        }
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
