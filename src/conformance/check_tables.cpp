// The table of APIs and the table of broker errors.
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include "conformance/checks.hpp"

namespace kafkawire::conformance {

using namespace protocol;

std::string check_api(const nlohmann::json& line) {
    const auto* api = find_api(line.at("key").get<std::int16_t>());
    if (!api) return "no such key";
    const auto flexible_from = [](const message_schema& m) { return m.flexible.empty() ? -1 : m.flexible.lowest; };
    nlohmann::json ours{{"api", api->name}, {"key", api->key}, {"removed", api->kafka_4_3.empty()}, {"listeners", nlohmann::json::array()}};
    if (api->in.broker) ours["listeners"].push_back("BROKER");
    if (api->in.controller) ours["listeners"].push_back("CONTROLLER");
    if (!api->kafka_4_3.empty()) {
        ours["lowest"] = api->kafka_4_3.lowest;
        ours["highest"] = api->kafka_4_3.highest;
        ours["highestStable"] = api->latest_stable;
        ours["latestVersionUnstable"] = api->latest_stable < api->kafka_4_3.highest;
        ours["requestFlexibleFrom"] = flexible_from(*api->request);
        ours["responseFlexibleFrom"] = flexible_from(*api->response);
        for (auto v = api->kafka_4_3.lowest; v <= api->kafka_4_3.highest; ++v) {
            ours["requestHeaderVersions"].push_back(request_header_version(api->key, v));
            ours["responseHeaderVersions"].push_back(response_header_version(api->key, v));
        }
    }
    auto wanted = line;
    if (wanted.contains("listeners")) std::sort(wanted["listeners"].begin(), wanted["listeners"].end());
    return json_difference(wanted, ours);
}

std::string check_broker_error(const nlohmann::json& line) {
    const auto code = line.at("code").get<std::int16_t>();
    const auto* e = find_broker_error(code);
    if (!e) return "no such code";
    if (auto d = json_difference({{"code", code}, {"name", line.at("name")}, {"retriable", line.at("retriable")}},
                            nlohmann::json{{"code", e->code}, {"name", e->name}, {"retriable", e->retriable}});
        !d.empty())
        return d;
    if (find_broker_error(e->name) != e) return "not found by its name";
    // Texts are each client's own; that there is one is not.
    return e->text.empty() ? "it has no text" : std::string{};
}

}  // namespace kafkawire::conformance
