// AlterConfigs: replaces all that was set for a topic or a node; what is not named goes back to its default. IncrementalAlterConfigs is the
// better way (KIP-339): this one loses what somebody else set in between.
#include <kafkawire/protocol/messages/33_alter_configs.hpp>

#include "broker/config_changes.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {

void alter_configs(cluster_state& cluster, exchange from, const protocol::messages::alter_configs_request& asked) {
    protocol::messages::alter_configs_response answer;
    std::map<std::pair<std::int8_t, std::string_view>, int> named;
    for (const auto& r : asked.resources) ++named[{r.resource_type, r.resource_name}];
    for (const auto& r : asked.resources) {
        config_changes what{r.resource_type, r.resource_name, {}, true, asked.validate_only};
        for (const auto& c : r.configs) what.changes.push_back({c.name, config_change::operation::set, c.value});
        auto why = named[{r.resource_type, r.resource_name}] > 1 ? refusal{broker_errc::invalid_request, "Each resource must appear at most once."}
                                                                 : change_configs(cluster, from.node(), what);
        answer.responses.push_back({code_of(why.code), std::move(why.text), r.resource_type, r.resource_name, {}});
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
