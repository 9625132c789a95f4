// DeleteGroups: groups without members go, with their offsets. The same in all versions; names that come twice count once.
#include <kafkawire/protocol/messages/42_delete_groups.hpp>

#include <algorithm>

#include "broker/group_handlers.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::delete_groups_response;

/// Answers when the last of its groups is done.
struct waiting {
    exchange from;
    delete_groups_response answer;
    std::size_t open = 0;
    void done() {
        if (--open == 0) from.answer(answer);
    }
};

}  // namespace

void delete_groups(cluster_state& cluster, exchange from, const protocol::messages::delete_groups_request& asked) {
    auto w = std::make_shared<waiting>(waiting{std::move(from), {}, 1});
    for (const auto& name : asked.groups_names) {
        const auto same = [&](const auto& r) { return r.group_id == name; };
        if (std::any_of(w->answer.results.begin(), w->answer.results.end(), same)) continue;
        const auto place = w->answer.results.size();
        w->answer.results.emplace_back().group_id = name;
        auto why = broker_errc::none;
        if (auto* shard = shard_of(cluster, w->from, name, why)) {
            ++w->open;
            shard->delete_group(name, [w, place](broker_errc e) {
                w->answer.results[place].error_code = code_of(e);
                w->done();
            });
        } else {
            w->answer.results[place].error_code = code_of(why);
        }
    }
    w->done();
}

}  // namespace kafkawire::broker
