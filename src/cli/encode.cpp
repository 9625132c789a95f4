// encode: JSON to the bytes of the protocol.
#include <kafkawire/json.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

#include "cli/command.hpp"
#include "cli/message_json.hpp"
#include "cli/schema_rows.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

struct encode_arguments {
    std::optional<std::string> input, api;
    std::optional<std::int64_t> version, correlation_id;
    bool request = false, response = false, frame = false, base64 = false, raw = false, lines = false;
};

failure bad_json(const message_schema& m, std::int16_t version, const wire_error& e) {
    failure f{status::failed, e.code == errc::bad_json ? "bad_json" : "encode_failed", fmt::format("not a {} v{}: {}", full_name(m), version, e.message()),
              fmt::format("`kafka-cli explain {} {}` shows the fields", full_name(m), version)};
    f.code = static_cast<int>(e.code);
    f.api = fmt::format("{} v{}", m.name, version);
    return f;
}

bytes flat(const scatter& s) {
    bytes all;
    all.reserve(s.size());
    for (const auto part : s.parts()) all.insert(all.end(), part.begin(), part.end());
    return all;
}

bytes encode_document(const message_schema& m, std::int16_t version, const nlohmann::json& doc, const encode_arguments& a, const std::string& client_id) {
    any_message message{m};
    json::byte_store store;
    if (const auto e = json::read_json(m, message.get(), version, doc, store)) throw bad_json(m, version, e);
    scatter to;
    wire_error e;
    const auto correlation = static_cast<std::int32_t>(a.correlation_id.value_or(1));
    if (!a.frame) e = encode(m, message.get(), version, to);
    else if (m.as == role::request) e = encode_request(m, message.get(), version, correlation, client_id, to);
    else if (m.as == role::response) e = encode_response(m, message.get(), version, correlation, to);
    else throw usage_error(fmt::format("{} has no frame", full_name(m)), "frames are for requests and responses");
    if (e) throw bad_json(m, version, e);
    return flat(to);
}

const message_schema& chosen(const named_message& found, const encode_arguments& a) {
    if (found.data) return *found.data;
    if (!found.response) return *found.request;
    if (!found.request) return *found.response;
    if (a.request == a.response) throw usage_error(fmt::format("is it a {} request or a response?", found.request->name), "add --request or --response");
    return a.request ? *found.request : *found.response;
}

status encode_one(const encode_arguments& a, context& c) {
    if (!a.api) throw usage_error("encode needs to know the message", "add --api NAME --version N and --request or --response");
    const auto& m = chosen(find_message(*a.api), a);
    const auto version = a.version.value_or(m.versions.lowest == m.versions.highest ? m.versions.lowest : -1);
    if (!a.version && version < 0) throw usage_error(fmt::format("which version of {}?", full_name(m)), fmt::format("add --version {}..{}", m.versions.lowest, m.versions.highest));
    if (version < m.versions.lowest || version > m.versions.highest)
        throw usage_error(fmt::format("{} has no version {}", full_name(m), version), fmt::format("it has {}-{}", m.versions.lowest, m.versions.highest));
    if (a.correlation_id && (*a.correlation_id < -0x80000000ll || *a.correlation_id > 0x7fffffff)) throw usage_error("a correlation id has 32 bits");
    const auto input = a.input.value_or("-");
    const auto text = input == "-" || input.starts_with('@') ? read_all(input == "-" ? input : input.substr(1)) : input;
    nlohmann::json doc;
    std::string why = "it is no JSON object";
    try {
        doc = nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error& e) {
        why = fmt::format("the text ends being JSON at byte {}", e.byte);
    }
    if (!doc.is_object()) throw failure{status::failed, "bad_json", fmt::format("cannot encode: {}", why), "`kafka-cli decode` prints the form that encode takes; a file is given as @PATH"};
    const auto data = encode_document(m, static_cast<std::int16_t>(version), doc, a, c.client_id);
    if (a.raw) c.out->write(as_text(data));
    else if (c.format == output_format::json)
        c.out->write(ordered_json{{"api", std::string{m.name}}, {"version", version}, {"hex", to_hex(data)}}.dump() + "\n");
    else c.out->write((a.base64 ? to_base64(as_text(data)) : to_hex(data)) + "\n");
    return status::done;
}

status encode_lines(const encode_arguments& a, context& c) {
    std::size_t bad = 0;
    const auto input = a.input.value_or("-");
    for_each_line(read_all(input.starts_with('@') ? input.substr(1) : input), [&](std::size_t n, const ordered_json& line) {
        auto result = line;
        result.erase("hex");
        try {
            const auto [schema, version] = golden_message(line);
            result["hex"] = to_hex(encode_document(*schema, version, nlohmann::json(line.at("json")), a, c.client_id));
        } catch (const failure& f) {
            ++bad;
            note(fmt::format("line {}: {}", n, f.message));
            result["error"] = ordered_json::parse(to_json(f)).at("error");
        } catch (const nlohmann::json::exception& e) {
            ++bad;
            note(fmt::format("line {}: {}", n, e.what()));
            result["error"] = {{"name", "bad_line"}, {"message", e.what()}};
        }
        c.out->write(result.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n");
        c.out->flush_point();
    });
    return bad ? status::failed : status::done;
}

}  // namespace

void add_encode(command root) {
    auto sub = root.add("encode", "JSON to the bytes of the protocol");
    auto a = std::make_shared<encode_arguments>();
    sub.word("JSON", a->input, "The message as decode prints it, @FILE, or - for standard input (the default)");
    sub.option("--api", a->api, "What it is: Metadata, 3, ConsumerProtocolSubscription", "NAME");
    sub.option("--version", a->version, "Its version");
    sub.flag("--request", a->request, "It is a request");
    sub.flag("--response", a->response, "It is a response");
    sub.flag("--frame", a->frame, "With size and header, as it goes over the wire; the client id is --client-id");
    sub.option("--correlation-id", a->correlation_id, "The frame's correlation id (default 1)");
    sub.flag("--base64", a->base64, "Print base64 instead of hexadecimal");
    sub.flag("--raw", a->raw, "Write the bytes themselves");
    sub.flag("--jsonl", a->lines, "Lines of {\"api\",\"type\",\"version\",\"json\"} get their \"hex\"");
    sub.examples("  kafka-cli encode --api Metadata --version 12 --request '{\"topics\":[{\"name\":\"orders\"}]}'\n"
                 "  kafka-cli encode --api ApiVersions --version 4 --request --frame '{}' --raw | nc localhost 9092 | kafka-cli decode -\n"
                 "  kafka-cli encode --jsonl < golden.jsonl");
    sub.does([a](context& c) { return a->lines ? encode_lines(*a, c) : encode_one(*a, c); });
}

}  // namespace kafkawire::cli
