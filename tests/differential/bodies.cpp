#include "bodies.hpp"

#include <kafkawire/json.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <nlohmann/json.hpp>

#include "batches.hpp"

namespace differential {

using namespace kafkawire::protocol;

namespace {

std::string base64(bytes_view data) {
    static constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < data.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (i + j < data.size() ? std::to_integer<std::uint32_t>(data[i + j]) : 0);
        for (std::size_t j = 0; j < 4; ++j) out += i + j > data.size() ? '=' : digits[group >> (18 - 6 * j) & 63];
    }
    return out;
}

// A message without an API key, with its version in front: what travels inside JoinGroup and SyncGroup.
std::string inner_message(const document& d) {
    const auto* schema = find_data_message(d.at("message").get<std::string>());
    if (!schema) throw std::runtime_error("there is no message " + d.at("message").dump());
    const auto version = d.at("version").get<std::int16_t>();
    any_message message{*schema};
    kafkawire::json::byte_store store;
    if (const auto e = kafkawire::json::read_json(*schema, message.get(), version, nlohmann::json::parse(d.at("body").dump()), store))
        throw std::runtime_error(e.message());
    bytes out{static_cast<std::byte>(version >> 8), static_cast<std::byte>(version & 0xff)};
    if (const auto e = encode(*schema, message.get(), version, out)) throw std::runtime_error(e.message());
    return base64(out);
}

}  // namespace

document filled(const document& body, const names& with, std::string& missing) {
    if (body.is_string()) {
        const auto& text = body.get_ref<const std::string&>();
        if (!text.starts_with('$')) return body;
        auto value = with.value_of(text);
        if (!value && missing.empty()) missing = text;
        return value.value_or(nullptr);
    }
    if (body.is_array()) {
        auto out = document::array();
        for (const auto& each : body) out.push_back(filled(each, with, missing));
        return out;
    }
    if (!body.is_object()) return body;
    if (body.size() == 1 && body.contains("utf8")) {
        const auto& text = body.at("utf8").get_ref<const std::string&>();
        return base64(std::as_bytes(std::span{text}));
    }
    if (body.size() == 1 && body.contains("hex")) return base64(kafkawire::json::from_hex(body.at("hex").get<std::string>()).value());
    auto out = document::object();
    for (const auto& [name, value] : body.items()) {
        out[name] = filled(value, with, missing);
        const bool batches = name == "records" && out[name].is_structured();
        if (batches && missing.empty()) out[name] = base64(build_batches(out[name], with.first_time()));
    }
    return out.contains("message") && out.contains("body") ? document(inner_message(out)) : out;
}

void cut_to_version(document& body, const struct_schema& schema, std::int16_t version) {
    if (!body.is_object()) return;
    for (const auto& f : schema.fields) {
        const auto at = body.find(std::string{f.name});
        if (at == body.end()) continue;
        if (!f.options.in.contains(version)) {
            body.erase(at);
            continue;
        }
        if (f.what == kind::structure) cut_to_version(*at, *f.schema(), version);
        if (f.what == kind::array && f.array->element == kind::structure && at->is_array())
            for (auto& each : *at) cut_to_version(each, *f.array->element_schema(), version);
    }
}

void open_records(document& answer) {
    if (answer.is_array())
        for (auto& each : answer) open_records(each);
    if (!answer.is_object()) return;
    for (auto& [name, value] : answer.items()) {
        if (name == "records" && value.is_string())
            value = describe_batches(kafkawire::json::from_base64(value.get<std::string>()).value());
        else
            open_records(value);
    }
}

}  // namespace differential
