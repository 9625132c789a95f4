#include "cli/broker_trace.hpp"

#include <kafkawire/protocol/codec.hpp>

#include <fmt/format.h>

#include "cli/duration.hpp"
#include "cli/message_json.hpp"

namespace kafkawire::cli {

namespace {

constexpr std::size_t longest_value = 120;

// A record batch in base64 helps nobody who reads along.
void shorten(ordered_json& j) {
    if (j.is_string()) {
        if (const auto& s = j.get_ref<const std::string&>(); s.size() > longest_value) j = fmt::format("<{} characters>", s.size());
        return;
    }
    if (j.is_structured())
        for (auto& inner : j) shorten(inner);
}

// A message that cannot be said in its version is a mistake, which the trace is there to show.
ordered_json payload(const broker::passing& p) {
    std::string text;
    if (const auto wrong = protocol::write_json(*p.schema, p.message, p.version, text)) return ordered_json{{"error", wrong.message()}};
    return ordered_json::parse(text, nullptr, false);
}

bool is_request(const broker::passing& p) noexcept { return p.way == broker::passing::direction::request; }

std::int64_t microseconds(std::chrono::nanoseconds t) noexcept { return std::chrono::duration_cast<std::chrono::microseconds>(t).count(); }

}  // namespace

std::string trace_line(const broker::passing& p) {
    auto fields = payload(p);
    shorten(fields);
    const auto at = iso_time(p.at.wall_ms()).substr(11, 12);
    const auto took = is_request(p) ? std::string{} : fmt::format(" after {} us", microseconds(p.took));
    return fmt::format("{} node {} #{} {} {} {} v{} {}{} {}\n", at, p.node, p.connection, p.client_id.empty() ? "-" : p.client_id, is_request(p) ? '>' : '<',
                       p.schema->name, p.version, p.correlation_id, took, fields.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::string trace_json(const broker::passing& p) {
    ordered_json line{{"t", iso_time(p.at.wall_ms())}, {"conn", p.connection}, {"node", p.node}, {"bytes", p.bytes}};
    if (!is_request(p)) line["latency_us"] = microseconds(p.took);
    line["header"] = {{"type", is_request(p) ? "request" : "response"}, {"api", std::string{p.schema->name}}, {"apiKey", p.api_key},
                      {"apiVersion", p.version}, {"correlationId", p.correlation_id}, {"clientId", std::string{p.client_id}}};
    line["payload"] = payload(p);
    return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kafkawire::cli
