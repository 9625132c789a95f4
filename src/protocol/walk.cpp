#include "protocol/walk.hpp"

#include <kafkawire/error.hpp>
#include <kafkawire/protocol/api.hpp>

#include <cstring>
#include <ctime>

#include "protocol/text.hpp"

namespace kafkawire::protocol {

const field_schema* tagged_field(const struct_schema& schema, std::uint32_t tag, std::int16_t version) noexcept {
    for (const auto& f : schema.fields)
        if (f.options.tag >= 0 && static_cast<std::uint32_t>(f.options.tag) == tag && f.options.tagged.contains(version) && f.options.in.contains(version)) return &f;
    return nullptr;
}

namespace {

std::size_t scalar_size(kind what) noexcept {
    switch (what) {
        case kind::boolean: return sizeof(bool);
        case kind::int8: return 1;
        case kind::int16:
        case kind::uint16: return 2;
        case kind::int32:
        case kind::uint32: return 4;
        case kind::int64:
        case kind::float64: return 8;
        case kind::uuid: return 16;
        default: return 0;
    }
}

}  // namespace

bool is_default(const field_schema& f, const struct_schema& owner, const void* object) noexcept {
    const void* value = value_of(f, object);
    const void* usual = value_of(f, owner.prototype);
    if (!value || !usual) return value == usual;
    switch (f.what) {
        case kind::string: return *static_cast<const std::string*>(value) == *static_cast<const std::string*>(usual);
        case kind::bytes: return *static_cast<const bytes*>(value) == *static_cast<const bytes*>(usual);
        case kind::records: return static_cast<const raw_records*>(value)->data.empty();
        case kind::array: return f.array->size(value) == 0;
        case kind::structure: return is_default(*f.schema(), value);
        default: return std::memcmp(value, usual, scalar_size(f.what)) == 0;
    }
}

bool is_default(const struct_schema& schema, const void* object) noexcept {
    for (const auto& f : schema.fields)
        if (!is_default(f, schema, object)) return false;
    return schema.unknown_tags(const_cast<void*>(object)).empty();
}

std::string number_meaning(std::string_view field, std::int64_t value) {
    auto text = std::to_string(value);
    const auto ends_with = [&](std::string_view tail) { return field.size() >= tail.size() && field.substr(field.size() - tail.size()) == tail; };
    if (field == "errorCode" || ends_with("ErrorCode")) {
        if (const auto* e = find_broker_error(static_cast<std::int16_t>(value))) (text += ' ') += e->name;
    } else if (field == "requestApiKey" || field == "apiKey") {
        if (const auto* a = find_api(static_cast<std::int16_t>(value))) (text += ' ') += a->name;
    } else if ((ends_with("Timestamp") || ends_with("TimestampMs")) && value > 0) {
        const auto iso = iso_time(value);
        if (!iso.empty()) (text += ' ') += iso;
    } else if (field == "isolationLevel") {
        text += value == 0 ? " read uncommitted" : value == 1 ? " read committed" : "";
    } else if (field == "acks") {
        text += value == -1 ? " all in-sync replicas" : value == 0 ? " no answer wanted" : value == 1 ? " the leader alone" : "";
    }
    return text;
}

std::string number_meaning(std::string_view, double value) { return double_text(value); }

std::string blob_meaning(kind what, bytes_view data) {
    if (what != kind::string) return counted(data.size(), "byte");
    std::string text;
    append_json_string(text, {reinterpret_cast<const char*>(data.data()), data.size()});
    return text;
}

}  // namespace kafkawire::protocol
