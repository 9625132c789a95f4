#include <kafkawire/observe.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <algorithm>
#include <array>

namespace kafkawire::inline v0_1 {

namespace {

constexpr std::size_t shown_of_records = 48;               // characters of base64

// What says who somebody is, wherever it stands. A field of that name that is no secret is hidden as well.
constexpr std::array<std::string_view, 5> secret_fields{"authBytes", "hmac", "salt", "saltedPassword", "requestData"};
// What configurations are set to may be a password: of AlterConfigs and IncrementalAlterConfigs, and of what brokers tell of theirs.
constexpr std::array<std::int16_t, 3> apis_with_values{32, 33, 44};
constexpr std::int16_t sasl_authenticate = 36;

// The text behind `"NAME":` where it is a string, replaced. A quote inside of a string has a backslash before it, so that no string can look like a name.
template <class F>
void each_string_of(std::string& json, std::string_view name, F replace) {
    const auto key = '"' + std::string{name} + "\":\"";
    for (std::size_t at = 0; (at = json.find(key, at)) != std::string::npos;) {
        at += key.size();
        auto end = at;
        while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2 : 1;
        end = std::min(end, json.size());
        const auto shown = replace(std::string_view{json}.substr(at, end - at));
        if (shown) json.replace(at, end - at, *shown);
        at += shown ? shown->size() : end - at;
    }
}

void hide(std::string& json, std::string_view field) {
    each_string_of(json, field, [](std::string_view) { return std::optional<std::string>{"(hidden)"}; });
}

std::string without_secrets(std::int16_t key, std::string json) {
    for (const auto field : secret_fields) hide(json, field);
    if (std::find(apis_with_values.begin(), apis_with_values.end(), key) != apis_with_values.end()) hide(json, "value");
    for (const std::string_view field : {"records", "metrics"})
        each_string_of(json, field, [](std::string_view text) -> std::optional<std::string> {
            if (text.size() <= shown_of_records) return {};
            const auto bytes = text.size() / 4 * 3 - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
            return std::string{text.substr(0, shown_of_records)} + "... " + std::to_string(bytes) + " bytes";
        });
    return json;
}

}  // namespace

std::string frame_text(std::int16_t api_key, std::int16_t version, bool answer, std::span<const std::byte> frame) {
    if (api_key == sasl_authenticate) return "(hidden)";
    const auto* api = protocol::find_api(api_key);
    if (!api) return "(" + std::to_string(frame.size()) + " bytes of an unknown API)";
    if (frame.empty()) return "(nothing)";
    const auto& schema = answer ? *api->response : *api->request;
    std::size_t body_at = 0;
    protocol::wire_error wrong;
    if (answer) {
        protocol::messages::response_header header;
        wrong = protocol::decode_response_header(header, frame, api_key, version, body_at);
    } else {
        protocol::messages::request_header header;
        wrong = protocol::decode_request_header(header, frame, body_at);
    }
    protocol::any_message message{schema};
    if (!wrong) wrong = protocol::decode(schema, message.get(), frame.subspan(body_at), version);
    std::string json;
    if (!wrong) wrong = protocol::write_json(schema, message.get(), version, json);
    if (wrong) return "(" + std::to_string(frame.size()) + " bytes that cannot be read: " + wrong.message() + ')';
    return without_secrets(api_key, std::move(json));
}

}  // namespace kafkawire::inline v0_1
