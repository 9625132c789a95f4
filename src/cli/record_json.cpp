#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/record.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

void append_number(std::string& to, std::string_view name, std::int64_t value) {
    to += ",\"";
    to += name;
    to += "\":";
    char text[24];
    to.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// "name":"text", or "name_base64":"..." for bytes that are not UTF-8, or "name":null.
void append_blob(std::string& to, std::string_view name, const std::optional<std::string_view>& value) {
    to += '"';
    to += name;
    if (!value) {
        to += "\":null";
    } else if (is_utf8(*value)) {
        to += "\":";
        append_json_string(to, *value);
    } else {
        to += "_base64\":\"";
        to += to_base64(*value);
        to += '"';
    }
}

failure bad(std::string_view what) {
    return {status::failed, "bad_json", fmt::format("not a record: {}", what), "one JSON object a line, as `kafka-cli consume --output json` prints it"};
}

std::optional<std::string> blob(const nlohmann::json& object, const std::string& name) {
    if (const auto at = object.find(name + "_base64"); at != object.end() && !at->is_null()) {
        if (!at->is_string()) throw bad(name + "_base64 is no string");
        auto bytes = from_base64(at->get_ref<const std::string&>());
        if (!bytes) throw bad(name + "_base64 is no base64");
        return bytes;
    }
    const auto at = object.find(name);
    if (at == object.end() || at->is_null()) return {};
    if (at->is_string()) return at->get<std::string>();
    // What a person writes by hand, {"value":{"id":7}}, is meant as the JSON text itself.
    return at->dump();
}

std::optional<std::int64_t> whole(const nlohmann::json& object, const char* name) {
    const auto at = object.find(name);
    if (at == object.end() || at->is_null()) return {};
    if (!at->is_number_integer() || (at->is_number_unsigned() && at->get<std::uint64_t>() > 0x7fffffffffffffffull)) throw bad(fmt::format("{} is no 64-bit number", name));
    return at->get<std::int64_t>();
}

}  // namespace

void append_json(std::string& to, const shown_record& r) {
    to += "{\"topic\":";
    append_json_string(to, r.topic);
    append_number(to, "partition", r.partition);
    append_number(to, "offset", r.offset);
    if (r.timestamp < 0) {
        to += ",\"timestamp\":null,\"timestamp_ms\":";
        to += std::to_string(r.timestamp);
        to += ",\"timestamp_type\":null";
    } else {
        to += ",\"timestamp\":\"" + iso_time(r.timestamp) + '"';
        append_number(to, "timestamp_ms", r.timestamp);
        to += r.log_append_time ? ",\"timestamp_type\":\"log_append_time\"" : ",\"timestamp_type\":\"create_time\"";
    }
    to += ',';
    append_blob(to, "key", r.key);
    to += ',';
    append_blob(to, "value", r.value);
    to += ",\"headers\":[";
    for (std::size_t i = 0; i < r.headers.size(); ++i) {
        to += i ? ",{" : "{";
        append_blob(to, "key", r.headers[i].key);
        to += ',';
        append_blob(to, "value", r.headers[i].value);
        to += '}';
    }
    to += ']';
    if (r.leader_epoch >= 0) append_number(to, "leader_epoch", r.leader_epoch);
    if (r.producer_id >= 0) {
        append_number(to, "producer_id", r.producer_id);
        append_number(to, "producer_epoch", r.producer_epoch);
        append_number(to, "sequence", r.sequence);
    }
    if (r.transactional) to += ",\"transactional\":true";
    if (!r.control.empty()) {
        to += ",\"control\":";
        append_json_string(to, r.control);
    }
    to += '}';
}

new_record record_from_json(std::string_view line) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    if (!object.is_object()) throw bad("it is no JSON object");
    new_record r;
    r.key = blob(object, "key");
    r.value = blob(object, "value");
    if (const auto ms = whole(object, "timestamp_ms")) {
        // -1 is what a record of the oldest format shows, which has no time.
        if (*ms >= 0) r.timestamp = ms;
    } else if (const auto at = object.find("timestamp"); at != object.end() && at->is_string()) {
        r.timestamp = parse_time(at->get_ref<const std::string&>(), 0);
        if (!r.timestamp) throw bad(fmt::format("\"{}\" is no time", at->get_ref<const std::string&>()));
    } else if (at != object.end() && at->is_number_integer()) {
        r.timestamp = at->get<std::int64_t>();
    }
    if (const auto p = whole(object, "partition")) {
        if (*p < 0 || *p > 0x7fffffff) throw bad("partition is out of range");
        r.partition = static_cast<std::int32_t>(*p);
    }
    const auto headers = object.find("headers");
    if (headers == object.end() || headers->is_null()) return r;
    if (headers->is_object()) {
        for (const auto& [k, v] : headers->items()) r.headers.push_back({k, v.is_null() ? std::optional<std::string>{} : v.is_string() ? v.get<std::string>() : v.dump()});
        return r;
    }
    if (!headers->is_array()) throw bad("headers is no list");
    for (const auto& h : *headers) {
        if (!h.is_object()) throw bad("a header is no object");
        auto key = blob(h, "key");
        if (!key) throw bad("a header has no key");
        r.headers.push_back({std::move(*key), blob(h, "value")});
    }
    return r;
}

}  // namespace kafkawire::cli
