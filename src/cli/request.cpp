// request: any request to a broker, as JSON; its answer as JSON.
#include <kafkawire/json.hpp>
#include <kafkawire/protocol/api.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/message_json.hpp"
#include "cli/schema_rows.hpp"
#include "cli/session.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

struct request_arguments {
    std::string api;
    std::optional<std::string> body;
    std::optional<std::int64_t> version, broker;
};

asio::awaitable<status> request(session& s, const request_arguments& a) {
    const auto found = find_message(a.api);
    if (!found.request) throw usage_error(fmt::format("\"{}\" is no request", a.api), "`kafka-cli explain` lists the APIs");
    const auto& schema = *found.request;
    request_options options;
    if (a.broker) options.broker = static_cast<std::int32_t>(*a.broker);
    if (a.version && (*a.version < schema.versions.lowest || *a.version > schema.versions.highest))
        throw usage_error(fmt::format("{} has no version {}", full_name(schema), *a.version), fmt::format("it has {}-{}", schema.versions.lowest, schema.versions.highest));
    const auto body_text = a.body.value_or("{}");
    const auto text = body_text == "-" || body_text.starts_with('@') ? read_all(body_text == "-" ? body_text : body_text.substr(1)) : body_text;
    auto doc = nlohmann::json::parse(text, nullptr, false);
    if (!doc.is_object()) throw usage_error("the request's body is no JSON object", fmt::format("`kafka-cli explain {}` shows the fields", full_name(schema)));
    // JSON is read by a version's rules, so the version must be known before.
    const auto version = a.version ? static_cast<std::int16_t>(*a.version) : co_await s.version_of(schema.key, options.broker, fmt::format("cannot send {}", schema.name));
    options.version = version;
    if (schema.key == 18 && version >= 3) {
        // Brokers refuse an ApiVersions request that does not say whose it is.
        if (!doc.contains("clientSoftwareName")) doc["clientSoftwareName"] = "kafka-cli";
        if (!doc.contains("clientSoftwareVersion")) doc["clientSoftwareVersion"] = KAFKAWIRE_VERSION_STRING;
    }
    any_message message{schema};
    json::byte_store store;
    if (const auto e = json::read_json(schema, message.get(), version, doc, store))
        throw failure{status::usage, "bad_json", fmt::format("not a {} v{}: {}", full_name(schema), version, e.message()), fmt::format("`kafka-cli explain {} {}` shows the fields", full_name(schema), version)};
    if (schema.key == 0 && doc.value("acks", 0) == 0) throw usage_error("a Produce request with acks=0 has no answer", "use acks 1 or -1 here");
    const auto answer = co_await s.ask_any(std::move(message), options, fmt::format("cannot send {}", schema.name));
    const auto body = message_json(answer.message.schema(), answer.message.get(), answer.info.version);
    note(fmt::format("{} v{}, answered by {}", schema.name, answer.info.version, answer.info.broker));
    s.ctx().out->write((s.ctx().format == output_format::text ? body.dump(2) : body.dump()) + "\n");
    co_return status::done;
}

}  // namespace

void add_request(command root) {
    auto sub = root.add("request", "Sends any request as JSON and prints the answer as JSON");
    auto a = std::make_shared<request_arguments>();
    sub.word("API", a->api, "Metadata, 3, ...");
    sub.word("JSON", a->body, "The request, @FILE, or - for standard input; default {}, every field its default");
    sub.option("--version", a->version, "Its version; default: the highest that both sides speak");
    sub.option("--broker", a->broker, "The broker's id; default: any");
    sub.examples("  kafka-cli request ApiVersions\n"
                 "  kafka-cli request Metadata '{\"topics\":[{\"name\":\"orders\"}]}' --version 12\n"
                 "  kafka-cli request DescribeConfigs '{\"resources\":[{\"resourceType\":4,\"resourceName\":\"1\",\"configurationKeys\":null}]}' --broker 1");
    sub.does([a](context& c) {
        session s{c};
        return s.run([a](session& in) { return request(in, *a); });
    });
}

}  // namespace kafkawire::cli
