#include "broker/handlers.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::protocol::messages {
struct metadata_request;
struct api_versions_request;
}  // namespace kafkawire::protocol::messages

namespace kafkawire::broker {

namespace messages = protocol::messages;

// One line per API. The message types stay incomplete here, so that adding a message rebuilds its handler alone.
void metadata(cluster_state& cluster, exchange from, const messages::metadata_request& request);
void api_versions(cluster_state& cluster, exchange from, const messages::api_versions_request& request);

namespace {

template <class Request, void (*Handle)(cluster_state&, exchange, const Request&)>
void erased(cluster_state& cluster, exchange from, const void* request) {
    Handle(cluster, std::move(from), *static_cast<const Request*>(request));
}

constexpr std::array table{
    handler{3, erased<messages::metadata_request, metadata>},
    handler{18, erased<messages::api_versions_request, api_versions>},
};
static_assert(std::is_sorted(table.begin(), table.end(), [](const handler& a, const handler& b) { return a.key < b.key; }));

}  // namespace

std::span<const handler> handlers() noexcept { return table; }

const handler* find_handler(std::int16_t key) noexcept {
    const auto at = std::lower_bound(table.begin(), table.end(), key, [](const handler& h, std::int16_t k) { return h.key < k; });
    return at != table.end() && at->key == key ? &*at : nullptr;
}

protocol::version_range offered_versions(const cluster_state&, std::int16_t key) noexcept {
    const auto* api = protocol::find_api(key);
    if (!api || !find_handler(key) || !api->in.broker) return protocol::none();
    auto range = api->kafka_4_3;
    range.highest = std::min(range.highest, api->latest_stable);
    return range;
}

}  // namespace kafkawire::broker
