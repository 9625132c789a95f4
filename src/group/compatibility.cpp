#include "group/compatibility.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace kafkawire::group {

namespace {

error wrong_list(std::string text, std::string hint = {}) {
    error e;
    e.code = make_error_code(errc::bad_configuration);
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

std::string listed(std::span<const std::string> names) {
    std::string text;
    for (const auto& n : names) (text += text.empty() ? "" : ", ") += n;
    return text;
}

// "3 members, among them 'billing-1' at /10.0.0.7"
std::string who_is_there(const std::vector<protocol::messages::describe_groups_response::described_group_member>& members) {
    auto text = std::to_string(members.size()) + (members.size() == 1 ? " member" : " members");
    if (!members.empty()) text += std::string{members.size() == 1 ? ": " : ", among them "} + "'" + members.front().client_id + "' at " + members.front().client_host;
    return text;
}

}  // namespace

error make_strategies(std::span<const std::string> names, std::vector<std::shared_ptr<assignor>>& to) {
    to.clear();
    if (names.empty()) return wrong_list("a consumer of a group needs at least one strategy");
    std::vector<std::shared_ptr<assignor>> made;
    std::set<std::string_view> seen;
    std::string only_eager, only_cooperative;
    for (const auto& name : names) {
        if (!seen.insert(name).second) return wrong_list("the strategy '" + name + "' is listed twice");
        std::shared_ptr<assignor> one;
        try {
            one = make_assignor(name);
        } catch (const std::exception& e) {
            return wrong_list("the strategy '" + name + "' cannot be made: " + e.what());
        }
        if (!one) return wrong_list("there is no strategy '" + name + "'", "there are " + listed(assignor_names()));
        if (one->name() != name) return wrong_list("the strategy that was registered as '" + name + "' calls itself '" + std::string{one->name()} + "'");
        const auto can = one->protocols();
        if (!can.eager && !can.cooperative) return wrong_list("the strategy '" + name + "' is neither eager nor cooperative");
        if (!can.cooperative) only_eager = name;
        if (!can.eager) only_cooperative = name;
        made.push_back(std::move(one));
    }
    if (!only_eager.empty() && !only_cooperative.empty())
        return wrong_list("'" + only_eager + "' can only be eager and '" + only_cooperative + "' only cooperative: a consumer cannot be both");
    to = std::move(made);
    return {};
}

bool cooperative(std::span<const std::shared_ptr<assignor>> list) noexcept {
    return std::all_of(list.begin(), list.end(), [](const auto& a) { return a->protocols().cooperative; });
}

std::optional<std::string> common_strategy(std::span<const std::vector<std::string>> lists) {
    std::map<std::string_view, std::size_t> in_lists;
    for (const auto& list : lists)
        for (const auto& name : std::set<std::string_view>{list.begin(), list.end()}) ++in_lists[name];
    std::map<std::string_view, std::size_t> votes;
    for (const auto& list : lists) {
        const auto choice = std::find_if(list.begin(), list.end(), [&](const auto& name) { return in_lists[name] == lists.size(); });
        if (choice != list.end()) ++votes[*choice];
    }
    const auto most = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == votes.end()) return std::nullopt;
    return std::string{most->first};
}

error incompatible(std::string_view group, std::span<const std::string> own, const protocol::messages::describe_groups_response::described_group* said) {
    error e;
    e.code = make_error_code(broker_errc::inconsistent_group_protocol);
    e.in = phase::request;
    e.api_key = 11;
    const auto name = "the group '" + std::string{group} + "'";
    const bool known = said && said->error_code == 0;
    if (known && !said->protocol_type.empty() && said->protocol_type != "consumer") {
        e.text = name + " is of the type '" + said->protocol_type + "', not one of consumers: " + who_is_there(said->members);
        e.hint = "use another group id";
    } else if (known && !said->protocol_data.empty()) {
        e.text = name + " uses the strategy '" + said->protocol_data + "' (" + who_is_there(said->members) + "), and this consumer has only " + listed(own);
        e.hint = "list '" + said->protocol_data + "' as well, behind the one that the group shall change to; when all members list both, take it out again";
    } else {
        e.text = "the members of " + name + (known && !said->members.empty() ? " (" + who_is_there(said->members) + ")" : "") + " have no strategy in common with this consumer, which has " + listed(own);
        e.hint = "give all members of the group at least one strategy in common; a group that is described while it is stable names its own";
    }
    return e;
}

}  // namespace kafkawire::group
