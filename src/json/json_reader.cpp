// read_json(): a walk over the field list that takes values out of JSON.
#include <kafkawire/json.hpp>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "protocol/reader.hpp"
#include "protocol/walk.hpp"

namespace kafkawire::json {

using namespace protocol;

namespace {

class json_reader {
public:
    json_reader(std::int16_t version, byte_store& store, wire_error& error) : store_{store}, error_{error}, version_{version} {}

    void structure(const struct_schema& schema, void* object, const nlohmann::json& from) {
        if (!from.is_object()) return wrong("an object", from);
        const auto* outer = where_;
        for (const auto& [name, value] : from.items()) {
            const path_link here{outer, name};
            where_ = &here;
            if (const auto* f = find(schema, name)) field(*f, object, value);
            if (error_) return;
        }
        where_ = outer;
    }

private:
    void fail(std::string detail) {
        if (!error_) error_ = {errc::bad_json, 0, path_text(where_), std::move(detail)};
    }
    void wrong(std::string_view wanted, const nlohmann::json& got) {
        auto shown = got.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
        if (shown.size() > 40) shown = shown.substr(0, 40) + "...";
        fail(std::string{wanted} + " is wanted here, not " + shown);
    }

    const field_schema* find(const struct_schema& schema, std::string_view name) {
        std::vector<std::string_view> known;
        for (const auto& f : schema.fields) {
            const bool here = f.options.in.contains(version_);
            if (f.name == name) {
                if (!here) fail("version " + std::to_string(version_) + " does not have this field");
                return here ? &f : nullptr;
            }
            if (here) known.push_back(f.name);
        }
        const auto near = nearest_name(name, known);
        fail("no such field" + (near.empty() ? std::string{} : "; did you mean " + std::string{near} + "?"));
        return nullptr;
    }

    void field(const field_schema& f, void* object, const nlohmann::json& from) {
        void* member = f.get(object);
        if (from.is_null()) {
            if (!f.options.nullable.contains(version_)) return fail("null, which version " + std::to_string(version_) + " does not allow here");
            return f.optional->reset(member);
        }
        if (f.optional) member = f.optional->emplace(member);
        if (f.what == kind::structure) return structure(*f.schema(), member, from);
        if (f.what == kind::array) return array(*f.array, member, from);
        scalar(f.what, member, from);
    }

    void array(const array_ops& ops, void* vector, const nlohmann::json& from) {
        if (!from.is_array()) return wrong("an array", from);
        const auto* outer = where_;
        path_link here{outer, {}, 0};
        where_ = &here;
        ops.resize(vector, 0);  // a default may be there
        ops.resize(vector, from.size());
        auto* element = static_cast<std::byte*>(ops.data(vector));
        for (const auto& value : from) {
            if (ops.element == kind::structure) structure(*ops.element_schema(), element, value);
            else scalar(ops.element, element, value);
            if (error_) return;
            element += ops.element_size;
            ++here.index;
        }
        where_ = outer;
    }

    void scalar(kind what, void* to, const nlohmann::json& from) {
        switch (what) {
            case kind::boolean:
                if (!from.is_boolean()) return wrong("true or false", from);
                *static_cast<bool*>(to) = from.get<bool>();
                return;
            case kind::int8: return integer<std::int8_t>(to, from);
            case kind::int16: return integer<std::int16_t>(to, from);
            case kind::uint16: return integer<std::uint16_t>(to, from);
            case kind::int32: return integer<std::int32_t>(to, from);
            case kind::uint32: return integer<std::uint32_t>(to, from);
            case kind::int64: return integer<std::int64_t>(to, from);
            case kind::float64: return number(*static_cast<double*>(to), from);
            case kind::uuid: {
                const auto value = from.is_string() ? uuid::from_string(from.get_ref<const std::string&>()) : std::nullopt;
                if (!value) return wrong("a UUID in 22 characters of URL-safe base64", from);
                *static_cast<uuid*>(to) = *value;
                return;
            }
            case kind::string:
                if (!from.is_string()) return wrong("a string", from);
                *static_cast<std::string*>(to) = from.get_ref<const std::string&>();
                return;
            case kind::bytes:
            case kind::records: {
                auto data = from.is_string() ? from_base64(from.get_ref<const std::string&>()) : std::nullopt;
                if (!data) return wrong("base64", from);
                if (what == kind::bytes) *static_cast<bytes*>(to) = std::move(*data);
                else static_cast<raw_records*>(to)->data = store_.keep(std::move(*data));
                return;
            }
            default: return;
        }
    }

    template <class T>
    void integer(void* to, const nlohmann::json& from) {
        constexpr auto lowest = static_cast<std::int64_t>(std::numeric_limits<T>::min());
        constexpr auto highest = static_cast<std::uint64_t>(std::numeric_limits<T>::max());
        const bool fits = from.is_number_unsigned() ? from.get<std::uint64_t>() <= highest
                                                    : from.is_number_integer() && from.get<std::int64_t>() >= lowest &&
                                                          (from.get<std::int64_t>() < 0 || static_cast<std::uint64_t>(from.get<std::int64_t>()) <= highest);
        if (!fits) return wrong("an integer from " + std::to_string(lowest) + " to " + std::to_string(highest), from);
        *static_cast<T*>(to) = from.is_number_unsigned() ? static_cast<T>(from.get<std::uint64_t>()) : static_cast<T>(from.get<std::int64_t>());
    }

    void number(double& to, const nlohmann::json& from) {
        if (from.is_number()) {
            to = from.get<double>();
        } else {
            const auto text = from.is_string() ? from.get_ref<const std::string&>() : std::string{};
            if (text == "NaN") to = std::numeric_limits<double>::quiet_NaN();
            else if (text == "Infinity") to = std::numeric_limits<double>::infinity();
            else if (text == "-Infinity") to = -std::numeric_limits<double>::infinity();
            else wrong("a number, \"NaN\", \"Infinity\" or \"-Infinity\"", from);
        }
    }

    byte_store& store_;
    wire_error& error_;
    std::int16_t version_;
    const path_link* where_ = nullptr;
};

}  // namespace

wire_error read_json(const message_schema& schema, void* message, std::int16_t version, const nlohmann::json& from, byte_store& store) {
    if (!schema.versions.contains(version))
        return {errc::unsupported_version, 0, {}, std::string{schema.name} + " has versions " + std::to_string(schema.versions.lowest) + " to " +
                                                      std::to_string(schema.versions.highest) + ", not " + std::to_string(version)};
    wire_error error;
    json_reader{version, store, error}.structure(*schema.body, message, from);
    return error;
}

}  // namespace kafkawire::json
