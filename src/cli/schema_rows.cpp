#include "cli/schema_rows.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/glossary.hpp>

#include <fmt/format.h>

#include "cli/failure.hpp"
#include "cli/nearest.hpp"
#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

std::string type_name(const field_schema& f) {
    const auto short_name = [](std::string_view n) { return std::string{n.substr(n.rfind(':') == n.npos ? 0 : n.rfind(':') + 1)}; };
    if (f.what == kind::structure) return short_name(f.schema()->name);
    if (f.what != kind::array) return std::string{to_string(f.what)};
    return "[]" + (f.array->element == kind::structure ? short_name(f.array->element_schema()->name) : std::string{to_string(f.array->element)});
}

std::string default_of(const field_schema& f, const void* prototype) {
    void* member = f.get(const_cast<void*>(prototype));
    if (f.optional) {
        member = f.optional->value(member);
        if (!member) return "null";
    }
    switch (f.what) {
        case kind::boolean: return *static_cast<bool*>(member) ? "true" : "false";
        case kind::int8: return std::to_string(*static_cast<std::int8_t*>(member));
        case kind::int16: return std::to_string(*static_cast<std::int16_t*>(member));
        case kind::uint16: return std::to_string(*static_cast<std::uint16_t*>(member));
        case kind::int32: return std::to_string(*static_cast<std::int32_t*>(member));
        case kind::uint32: return std::to_string(*static_cast<std::uint32_t*>(member));
        case kind::int64: return std::to_string(*static_cast<std::int64_t*>(member));
        case kind::float64: return fmt::format("{}", *static_cast<double*>(member));
        case kind::uuid: return "zero";
        case kind::string: return fmt::format("\"{}\"", *static_cast<std::string*>(member));
        case kind::bytes:
        case kind::records: return "empty";
        case kind::array: return "[]";
        case kind::structure: return "";
    }
    return "";
}

void collect(const struct_schema& s, const message_schema& message, int depth, const std::string& path, version_range around, std::vector<schema_row>& to) {
    for (const auto& f : s.fields) {
        const auto in = version_range{std::max(around.lowest, f.options.in.lowest), std::min(around.highest, f.options.in.highest)};
        // What a field means depends on the message where two use a name differently.
        auto meaning = meaning_of(f.name, message.name);
        if (meaning.empty()) meaning = meaning_of(f.name);
        to.push_back({path + std::string{f.name}, depth, std::string{f.name}, type_name(f), default_of(f, s.prototype), std::string{meaning}, f.options, in});
        const struct_schema* inner = f.what == kind::structure ? f.schema() : nullptr;
        if (f.what == kind::array && f.array->element == kind::structure) inner = f.array->element_schema();
        if (inner) collect(*inner, message, depth + 1, path + std::string{f.name} + ".", in, to);
    }
}

}  // namespace

std::vector<schema_row> schema_rows(const message_schema& message) {
    std::vector<schema_row> rows;
    collect(*message.body, message, 0, {}, message.versions, rows);
    return rows;
}

std::string to_text(version_range r, version_range of_message) {
    r.lowest = std::max(r.lowest, of_message.lowest);
    if (r.empty() || r.lowest > of_message.highest) return "-";
    if (r.highest >= of_message.highest) return r.lowest == of_message.highest ? std::to_string(r.lowest) : fmt::format("{}+", r.lowest);
    return r.lowest == r.highest ? std::to_string(r.lowest) : fmt::format("{}-{}", r.lowest, r.highest);
}

std::string full_name(const message_schema& m) {
    if (m.as == role::request) return std::string{m.name} + "Request";
    if (m.as == role::response) return std::string{m.name} + "Response";
    return std::string{m.name};
}

named_message find_message(const std::string& name) {
    const api_info* api = nullptr;
    if (const auto key = number<std::int16_t>(name)) {
        api = find_api(*key);
        if (!api) throw usage_error(fmt::format("there is no API with key {}", *key), fmt::format("keys go from 0 to {}", apis().size() - 1));
        return {api->request, api->response, nullptr};
    }
    api = find_api(std::string_view{name});
    if (api) return {api->request, api->response, nullptr};
    std::vector<std::string> names;
    for (const auto& a : apis()) names.emplace_back(a.name);
    for (const auto* m : messages_list()) {
        if (edit_distance(full_name(*m), name) == 0) {
            if (m->as == role::request) return {m, nullptr, nullptr};
            if (m->as == role::response) return {nullptr, m, nullptr};
            return {nullptr, nullptr, m};
        }
        if (m->as != role::request && m->as != role::response) names.emplace_back(m->name);
    }
    throw usage_error(fmt::format("there is no API or message \"{}\"", name), did_you_mean(name, names, "`kafka-cli explain` lists them all"));
}

}  // namespace kafkawire::cli
