#include <kafkawire/protocol/schema.hpp>

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/codec.hpp>

#include <algorithm>
#include <set>

#include "protocol/reader.hpp"

namespace kafkawire::protocol {

std::string_view to_string(kind k) noexcept {
    switch (k) {
        case kind::boolean: return "bool";
        case kind::int8: return "int8";
        case kind::int16: return "int16";
        case kind::uint16: return "uint16";
        case kind::int32: return "int32";
        case kind::uint32: return "uint32";
        case kind::int64: return "int64";
        case kind::float64: return "float64";
        case kind::uuid: return "uuid";
        case kind::string: return "string";
        case kind::bytes: return "bytes";
        case kind::records: return "records";
        case kind::structure: return "struct";
        case kind::array: return "array";
    }
    return "?";
}

namespace {

// The largest ratio of an array inside `schema`, over the versions of its message.
std::size_t expansion(const struct_schema& schema, const message_schema& message) {
    std::size_t worst = 1;
    for (const auto& f : schema.fields) {
        const struct_schema* inner = nullptr;
        if (f.what == kind::structure) inner = f.schema();
        if (f.what == kind::array) {
            if (f.array->element == kind::structure) inner = f.array->element_schema();
            for (auto v = message.versions.lowest; v <= message.versions.highest; ++v) {
                if (!f.options.in.contains(v)) continue;
                const auto each = smallest_element(*f.array, v, message.flexible.contains(v));
                worst = std::max(worst, (f.array->element_size + each - 1) / each);
            }
        }
        if (inner) worst = std::max(worst, expansion(*inner, message));
    }
    return worst;
}

}  // namespace

std::size_t max_expansion() {
    static const std::size_t worst = [] {
        // An unknown tagged field takes two bytes at least.
        std::size_t w = sizeof(raw_tag) / 2;
        for (const auto* m : messages_list()) w = std::max(w, expansion(*m->body, *m));
        return w;
    }();
    return worst;
}

}  // namespace kafkawire::protocol
