// IncrementalAlterConfigs (KIP-339): sets, removes, appends to and takes from entries of topics and nodes; what is not named stays.
// Each resource is changed as a whole or not at all.
#include <kafkawire/protocol/messages/44_incremental_alter_configs.hpp>

#include "broker/config_changes.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {

void incremental_alter_configs(cluster_state& cluster, exchange from, const protocol::messages::incremental_alter_configs_request& asked) {
    protocol::messages::incremental_alter_configs_response answer;
    std::map<std::pair<std::int8_t, std::string_view>, int> named;
    for (const auto& r : asked.resources) ++named[{r.resource_type, r.resource_name}];
    for (const auto& r : asked.resources) {
        config_changes what{r.resource_type, r.resource_name, {}, false, asked.validate_only};
        for (const auto& c : r.configs) what.changes.push_back({c.name, static_cast<config_change::operation>(c.config_operation), c.value});
        auto why = named[{r.resource_type, r.resource_name}] > 1 ? refusal{broker_errc::invalid_request, "Each resource must appear at most once."}
                                                                 : change_configs(cluster, from.node(), what);
        answer.responses.push_back({code_of(why.code), std::move(why.text), r.resource_type, r.resource_name, {}});
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
