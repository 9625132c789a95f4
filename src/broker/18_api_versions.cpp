// ApiVersions: what this cluster offers, and its finalized features.
// A version that is not offered is answered in version 0 with UNSUPPORTED_VERSION and the range of ApiVersions itself, so that the client can
// ask again (KIP-511). From version 3 the client says its name; a name that is not of [a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])? is an
// INVALID_REQUEST. Version 3 adds the features; version 4 allows features whose lowest version is 0 (KAFKA-17011).
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <algorithm>

#include "broker/handlers.hpp"
#include "broker/sasl_server.hpp"

namespace kafkawire::broker {
namespace {

using protocol::messages::api_versions_response;

bool valid_software_word(std::string_view word) {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
    return !word.empty() && plain(word.front()) && plain(word.back()) &&
           std::all_of(word.begin(), word.end(), [&](char c) { return plain(c) || c == '-' || c == '.'; });
}

void add_features(const kafka_release& of, std::int16_t version, api_versions_response& to) {
    if (of.metadata_version.empty()) return;
    struct feature {
        std::string_view name;
        std::int16_t lowest, highest, finalized;  // finalized 0: not
    };
    const std::array features{feature{"group.version", 0, 1, of.group_version},
                              feature{"metadata.version", of.metadata_version.lowest, of.metadata_version.highest, of.metadata_version.highest},
                              feature{"transaction.version", 0, 2, of.transaction_version}};
    for (const auto& f : features) {
        if (f.lowest > 0 || version >= 4) to.supported_features.push_back({std::string{f.name}, f.lowest, f.highest, {}});
        if (f.finalized > 0) to.finalized_features.push_back({std::string{f.name}, f.finalized, f.finalized, {}});
    }
    to.finalized_features_epoch = 1;
}

}  // namespace

void api_versions(cluster_state& cluster, exchange from, const protocol::messages::api_versions_request& request) {
    api_versions_response answer;
    const auto version = from.version();
    if (version >= 3 && (!valid_software_word(request.client_software_name) || !valid_software_word(request.client_software_version))) {
        answer.error_code = static_cast<std::int16_t>(broker_errc::invalid_request);
        from.answer(answer);
        return;
    }
    for (const auto& h : handlers()) {
        auto range = offered_versions(cluster, h.key);
        // Kafka 4 names Produce's oldest versions, although it serves them no more: librdkafka tells by them which codecs a broker knows.
        if (h.key == 0 && !range.empty()) range.lowest = 0;
        if (!range.empty()) answer.api_keys.push_back({h.key, range.lowest, range.highest, {}});
    }
    for (const auto key : {sasl_handshake_key, sasl_authenticate_key})
        if (const auto range = offered_versions(cluster, key); !range.empty()) answer.api_keys.push_back({key, range.lowest, range.highest, {}});
    std::sort(answer.api_keys.begin(), answer.api_keys.end(), [](const auto& a, const auto& b) { return a.api_key < b.api_key; });
    if (version >= 3) add_features(cluster.release(), version, answer);
    from.answer(answer);
}

}  // namespace kafkawire::broker
