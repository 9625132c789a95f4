// Unknown tagged fields by path.
#include <kafkawire/json.hpp>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "protocol/reader.hpp"
#include "protocol/walk.hpp"

namespace kafkawire::json {

using namespace protocol;

namespace {

// "name[3]" off the front of a path: the name, and the index or -1. False if it is not that.
bool next_step(std::string_view& path, std::string_view& name, std::int64_t& index) {
    const auto dot = std::min(path.find('.'), path.size());
    auto step = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    index = -1;
    if (const auto open = step.find('['); open != std::string_view::npos) {
        if (step.back() != ']') return false;
        const auto digits = step.substr(open + 1, step.size() - open - 2);
        const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
        if (ec != std::errc{} || end != digits.data() + digits.size() || index < 0) return false;
        step = step.substr(0, open);
    }
    name = step;
    return !name.empty();
}

void collect(const struct_schema& schema, const void* object, const path_link* where, nlohmann::json& to) {
    for (const auto& t : schema.unknown_tags(const_cast<void*>(object))) to.push_back({{"path", path_text(where)}, {"tag", t.tag}, {"hex", to_hex(t.data)}});
    for (const auto& f : schema.fields) {
        const void* value = value_of(f, object);
        if (!value) continue;
        const path_link here{where, f.name};
        if (f.what == kind::structure) collect(*f.schema(), value, &here, to);
        if (f.what != kind::array || f.array->element != kind::structure) continue;
        const auto* element = static_cast<const std::byte*>(f.array->data(const_cast<void*>(value)));
        const auto count = f.array->size(value);
        for (std::size_t i = 0; i < count; ++i, element += f.array->element_size) {
            const path_link at{&here, {}, static_cast<std::int64_t>(i)};
            collect(*f.array->element_schema(), element, &at, to);
        }
    }
}

}  // namespace

wire_error add_unknown_tag(const message_schema& schema, void* message, std::string_view path, std::uint32_t tag, bytes data) {
    const wire_error no_such_place{errc::bad_json, 0, std::string{path}, "no struct of the message is there"};
    const auto* here = schema.body;
    void* object = message;
    while (!path.empty()) {
        std::string_view name;
        std::int64_t index = -1;
        if (!next_step(path, name, index)) return no_such_place;
        const auto f = std::find_if(here->fields.begin(), here->fields.end(), [&](const field_schema& each) { return each.name == name; });
        if (f == here->fields.end()) return no_such_place;
        void* value = const_cast<void*>(value_of(*f, object));
        if (!value) return no_such_place;
        if (f->what == kind::structure && index < 0) {
            here = f->schema();
            object = value;
        } else if (f->what == kind::array && f->array->element == kind::structure && index >= 0 && static_cast<std::size_t>(index) < f->array->size(value)) {
            here = f->array->element_schema();
            object = static_cast<std::byte*>(f->array->data(value)) + static_cast<std::size_t>(index) * f->array->element_size;
        } else {
            return no_such_place;
        }
    }
    auto& tags = here->unknown_tags(object);
    const auto at = std::upper_bound(tags.begin(), tags.end(), tag, [](std::uint32_t t, const raw_tag& r) { return t < r.tag; });
    tags.insert(at, raw_tag{tag, std::move(data)});
    return {};
}

nlohmann::json unknown_tags(const message_schema& schema, const void* message) {
    auto all = nlohmann::json::array();
    collect(*schema.body, message, nullptr, all);
    return all;
}

}  // namespace kafkawire::json
