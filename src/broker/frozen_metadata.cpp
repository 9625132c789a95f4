#include "broker/frozen_metadata.hpp"

#include <algorithm>

#include "broker/inside.hpp"

namespace kafkawire::broker {
namespace {

using request = protocol::messages::metadata_request;
using response = protocol::messages::metadata_response;

response::topic unknown(const request::topic& t) {
    response::topic to;
    to.name = t.name;
    to.topic_id = t.topic_id;
    to.error_code = static_cast<std::int16_t>(t.name ? broker_errc::unknown_topic_or_partition : broker_errc::unknown_topic_id);
    return to;
}

}  // namespace

response metadata_now(cluster_state& cluster, std::int32_t node) {
    request all;
    all.topics.reset();
    all.allow_auto_topic_creation = false;
    return ask_inside(cluster, node, all).value_or(response{});
}

void answer_frozen(const response& seen, exchange from, const request& asked) {
    auto answer = seen;
    const bool all = !asked.topics || (from.version() == 0 && asked.topics->empty());
    if (!all) {
        answer.topics.clear();
        for (const auto& t : *asked.topics) {
            const auto at = std::find_if(seen.topics.begin(), seen.topics.end(), [&](const auto& s) { return t.name ? s.name == t.name : s.topic_id == t.topic_id; });
            answer.topics.push_back(at == seen.topics.end() ? unknown(t) : *at);
        }
    }
    from.answer(answer);
}

}  // namespace kafkawire::broker
