#include "cli/message_json.hpp"

#include <kafkawire/protocol/api.hpp>

#include <fmt/format.h>

#include "cli/failure.hpp"
#include "cli/schema_rows.hpp"

namespace kafkawire::cli {

using namespace protocol;

ordered_json message_json(const message_schema& schema, const void* message, std::int16_t version) {
    std::string text;
    if (const auto e = write_json(schema, message, version, text)) throw failure{status::failed, "json_failed", e.message()};
    return ordered_json::parse(text);
}

ordered_json frame_json(const outcome& o) {
    ordered_json header{{"type", std::string(o.as.schema->as == role::request ? "request" : "response")},
                        {"api", std::string{o.as.schema->name}},
                        {"apiKey", o.as.schema->key},
                        {"apiVersion", o.as.version},
                        {"headerVersion", o.as.header_version}};
    const auto own = message_json(*o.as.header, o.header->get(), o.as.header_version);
    header["correlationId"] = own.at("correlationId");
    if (own.contains("clientId")) header["clientId"] = own.at("clientId");
    return {{"header", header}, {"payload", message_json(*o.as.schema, o.body->get(), o.as.version)}};
}

std::pair<const message_schema*, std::int16_t> golden_message(const ordered_json& line) {
    const auto name = line.at("api").get<std::string>(), type = line.at("type").get<std::string>();
    const auto version = line.at("version").get<std::int16_t>();
    // A key outlives its name: ListClientMetricsResources became ListConfigResources.
    const auto* by_name = find_api(std::string_view{name});
    const bool keyed = (type == "request" || type == "response") && !by_name && line.contains("key") && line["key"].is_number_integer();
    const auto found = find_message(keyed ? line["key"].dump() : name);
    const auto* schema = type == "request" ? found.request : type == "response" ? found.response : found.data;
    if (!schema) throw usage_error(fmt::format("\"{}\" has no type \"{}\"", name, type), "types are request and response; header, data, coordinator-key and coordinator-value for messages without a key");
    if (!schema->versions.contains(version)) throw usage_error(fmt::format("{} has no version {}", full_name(*schema), version), fmt::format("it has {}-{}", schema->versions.lowest, schema->versions.highest));
    return {schema, version};
}

void for_each_line(const std::string& text, const std::function<void(std::size_t, const ordered_json&)>& f) {
    std::size_t n = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto one = std::string_view{text}.substr(at, end - at);
        at = end + 1;
        ++n;
        if (one.find_first_not_of(" \t\r") == one.npos) continue;
        auto doc = ordered_json::parse(one, nullptr, false);
        if (!doc.is_object()) throw failure{status::failed, "bad_json", fmt::format("line {} is no JSON object", n), "one object a line, as in {\"api\":\"Metadata\",\"type\":\"request\",\"version\":12,...}"};
        f(n, doc);
    }
}

}  // namespace kafkawire::cli
