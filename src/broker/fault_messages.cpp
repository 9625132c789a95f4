#include "broker/fault_messages.hpp"

#include <algorithm>
#include <array>

namespace kafkawire::broker {
namespace {

using protocol::field_schema;
using protocol::kind;
using protocol::struct_schema;
using protocol::uuid;

// Walkers only read what they are given as const; the field list has no const form of its accessors.
void* open(const void* object) noexcept { return const_cast<void*>(object); }

// The member's value; null: it is a std::optional without one.
void* value_of(const field_schema& f, void* object) {
    auto* member = f.get(object);
    return f.optional ? f.optional->value(member) : member;
}
void* value_made(const field_schema& f, void* object) {
    if (auto* there = value_of(f, object)) return there;
    return f.optional->emplace(f.get(object));
}

std::byte* element(const field_schema& f, void* vector, std::size_t i) { return static_cast<std::byte*>(f.array->data(vector)) + i * f.array->element_size; }

// Fields that say which item an element is about, under all names that Kafka has for the same thing.
using words = std::span<const std::string_view>;
constexpr std::array<std::string_view, 4> topic_names{"name", "topic", "topicName", "topics"};
constexpr std::array<std::string_view, 3> partition_names{"index", "partitionIndex", "partition"};
constexpr std::array<std::string_view, 5> other_names{"topicId", "groupId", "transactionalId", "resourceType", "resourceName"};
constexpr std::array<std::string_view, 4> key_names{"key", "coordinatorKeys", "group", "memberId"};

bool is_one_of(std::string_view name, words of) { return std::find(of.begin(), of.end(), name) != of.end(); }
bool same_thing(std::string_view a, std::string_view b) {
    if (a == b) return is_one_of(a, topic_names) || is_one_of(a, partition_names) || is_one_of(a, other_names) || is_one_of(a, key_names);
    for (const auto of : {words{topic_names}, words{partition_names}, words{key_names}})
        if (is_one_of(a, of) && is_one_of(b, of)) return true;
    return false;
}

void copy_scalar(kind what, const void* from, void* to) {
    switch (what) {
        case kind::int8: *static_cast<std::int8_t*>(to) = *static_cast<const std::int8_t*>(from); break;
        case kind::int16: *static_cast<std::int16_t*>(to) = *static_cast<const std::int16_t*>(from); break;
        case kind::int32: *static_cast<std::int32_t*>(to) = *static_cast<const std::int32_t*>(from); break;
        case kind::uuid: *static_cast<uuid*>(to) = *static_cast<const uuid*>(from); break;
        case kind::string: *static_cast<std::string*>(to) = *static_cast<const std::string*>(from); break;
        default: break;
    }
}

// AddPartitionsToTxn has a name of its own for it.
bool is_error_code(const field_schema& f) { return f.name == "errorCode" || f.name == "partitionErrorCode"; }

bool has_error_code(const struct_schema& s, std::int16_t version) {
    return std::any_of(s.fields.begin(), s.fields.end(), [&](const field_schema& f) {
        if (!f.options.in.contains(version)) return false;
        return is_error_code(f) || (f.what == kind::array && f.array->element == kind::structure && has_error_code(*f.array->element_schema(), version));
    });
}

void mirror(const struct_schema& asked, const void* request, const struct_schema& told, void* response, std::int16_t version);

// One element of the answer for each element of the request's array: structures by their names, plain values as the name that fits.
void mirror_array(const field_schema& from, void* asked, const field_schema& to, void* response, std::int16_t version) {
    auto* list = value_made(to, response);
    const auto count = from.array->size(asked);
    to.array->resize(list, count);
    const auto& told = *to.array->element_schema();
    for (std::size_t i = 0; i < count; ++i) {
        const auto* one = element(from, asked, i);
        auto* other = element(to, list, i);
        if (from.array->element == kind::structure) {
            mirror(*from.array->element_schema(), one, told, other, version);
            continue;
        }
        const auto name = std::find_if(told.fields.begin(), told.fields.end(), [&](const field_schema& f) {
            return f.what == from.array->element && f.options.in.contains(version) && !is_error_code(f) && f.name != "errorMessage";
        });
        if (name != told.fields.end()) copy_scalar(name->what, one, value_made(*name, other));
    }
}

// The array of the request that an array of the answer is about: of the same name, else the first one.
const field_schema* counterpart(const struct_schema& asked, const field_schema& of, std::int16_t version) {
    const field_schema* first = nullptr;
    for (const auto& f : asked.fields) {
        if (f.what != kind::array || !f.options.in.contains(version)) continue;
        if (f.name == of.name) return &f;
        if (!first) first = &f;
    }
    return first;
}

void mirror(const struct_schema& asked, const void* request, const struct_schema& told, void* response, std::int16_t version) {
    for (const auto& to : told.fields) {
        if (!to.options.in.contains(version)) continue;
        if (to.what == kind::array) {
            if (to.array->element != kind::structure || !has_error_code(*to.array->element_schema(), version)) continue;
            const auto* from = counterpart(asked, to, version);
            if (!from) continue;
            if (auto* list = value_of(*from, open(request))) mirror_array(*from, list, to, response, version);
            continue;
        }
        const auto from = std::find_if(asked.fields.begin(), asked.fields.end(), [&](const field_schema& f) {
            return f.what == to.what && f.options.in.contains(version) && same_thing(f.name, to.name);
        });
        if (from == asked.fields.end()) continue;
        if (const auto* v = value_of(*from, open(request))) copy_scalar(to.what, v, value_made(to, response));
    }
}

int put_codes(const struct_schema& s, void* object, std::int16_t version, std::int16_t code, bool here, bool below) {
    int places = 0;
    for (const auto& f : s.fields) {
        if (!f.options.in.contains(version)) continue;
        if (is_error_code(f) && f.what == kind::int16) {
            if (!here) continue;
            *static_cast<std::int16_t*>(f.get(object)) = code;
            ++places;
        } else if (below && f.what == kind::array && f.array->element == kind::structure) {
            auto* list = value_of(f, object);
            for (std::size_t i = 0; list && i < f.array->size(list); ++i) places += put_codes(*f.array->element_schema(), element(f, list, i), version, code, true, true);
        }
    }
    return places;
}

bool names(const field_schema& f, kind what, const void* value, std::string_view name, const uuid& id) {
    if (what == kind::string) return is_one_of(f.name, topic_names) && *static_cast<const std::string*>(value) == name;
    return what == kind::uuid && id != uuid{} && *static_cast<const uuid*>(value) == id;
}

bool names_topic(const struct_schema& s, void* object, std::string_view name, const uuid& id) {
    for (const auto& f : s.fields) {
        auto* v = value_of(f, object);
        if (!v) continue;
        if (f.what == kind::structure) {
            if (names_topic(*f.schema(), v, name, id)) return true;
        } else if (f.what == kind::array) {
            for (std::size_t i = 0; i < f.array->size(v); ++i) {
                auto* one = element(f, v, i);
                if (f.array->element == kind::structure ? names_topic(*f.array->element_schema(), one, name, id) : names(f, f.array->element, one, name, id)) return true;
            }
        } else if (names(f, f.what, v, name, id)) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool names_topic(const protocol::message_schema& schema, const void* message, std::string_view name, const uuid& id) {
    return names_topic(*schema.body, open(message), name, id);
}

protocol::any_message blank_answer(const protocol::api_info& api, const void* request, std::int16_t version) {
    protocol::any_message answer{*api.response};
    mirror(*api.request->body, request, *api.response->body, answer.get(), version);
    return answer;
}

int set_error_codes(const protocol::message_schema& schema, void* response, std::int16_t version, std::int16_t code, error_place where) {
    const bool is_fetch = schema.key == 1 && where == error_place::everywhere;
    const auto below = is_fetch ? put_codes(*schema.body, response, version, code, false, true) : 0;
    // A client that sees a code at the top of a Fetch answer looks at nothing below it.
    if (below > 0) return below;
    return put_codes(*schema.body, response, version, code, where != error_place::items, where != error_place::top);
}

bool set_throttle_time(const protocol::message_schema& schema, void* response, std::int16_t version, std::int32_t milliseconds) {
    for (const auto& f : schema.body->fields)
        if (f.name == "throttleTimeMs" && f.what == kind::int32 && f.options.in.contains(version)) {
            *static_cast<std::int32_t*>(f.get(response)) = milliseconds;
            return true;
        }
    return false;
}

std::optional<protocol::any_message> copy_of(const protocol::message_schema& schema, const void* message, std::int16_t version, protocol::bytes& bytes) {
    bytes.clear();
    protocol::any_message copy{schema};
    if (protocol::encode(schema, message, version, bytes) || protocol::decode(schema, copy.get(), bytes, version)) return {};
    return copy;
}

std::optional<protocol::any_message> change_answer(const fault& f, const protocol::message_schema& schema, const void* response, std::int16_t version,
                                                   owners& keep) {
    if (!f.error && f.throttle.count() == 0) return {};
    auto bytes = std::make_shared<protocol::bytes>();
    auto changed = copy_of(schema, response, version, *bytes);
    if (!changed) return {};
    keep.push_back(std::move(bytes));
    if (f.error) set_error_codes(schema, changed->get(), version, static_cast<std::int16_t>(*f.error), f.error_at);
    if (f.throttle.count() > 0) set_throttle_time(schema, changed->get(), version, static_cast<std::int32_t>(f.throttle.count()));
    return changed;
}

bool has_answer(const protocol::message_schema& request, const void* message) {
    if (request.key != 0) return true;
    for (const auto& f : request.body->fields)
        if (f.name == "acks") return *static_cast<const std::int16_t*>(f.get(open(message))) != 0;
    return true;
}

}  // namespace kafkawire::broker
