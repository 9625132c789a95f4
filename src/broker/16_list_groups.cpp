// ListGroups: the groups that the asked node coordinates; a client asks all nodes.
// From version 4 on with their states, and filtered by them; from version 5 on the same with their types. Filters ignore case.
#include <kafkawire/protocol/messages/16_list_groups.hpp>

#include <algorithm>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

std::string lower(std::string_view text, bool trim) {
    while (trim && !text.empty() && text.front() <= ' ') text.remove_prefix(1);
    while (trim && !text.empty() && text.back() <= ' ') text.remove_suffix(1);
    std::string s{text};
    std::transform(s.begin(), s.end(), s.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return s;
}

}  // namespace

void list_groups(cluster_state& cluster, exchange from, const protocol::messages::list_groups_request& asked) {
    std::set<std::string> states, types;
    for (const auto& s : asked.states_filter) states.insert(lower(s, true));
    for (const auto& t : asked.types_filter) types.insert(lower(t, false));
    protocol::messages::list_groups_response answer;
    auto why = broker_errc::none;
    for (const auto* shard : cluster.groups().all_of(from.node(), why)) {
        for (const auto& [name, g] : shard->groups()) {
            if (!states.empty() && states.count(lower(g.state_name(), false)) == 0) continue;
            if (!types.empty() && types.count(std::string{g.type()}) == 0) continue;
            auto& to = answer.groups.emplace_back();
            to.group_id = name;
            to.protocol_type = g.protocol_type();
            to.group_state = g.state_name();
            to.group_type = g.type();
        }
    }
    if (why != broker_errc::none) answer = {};
    answer.error_code = code_of(why);
    from.answer(answer);
}

}  // namespace kafkawire::broker
