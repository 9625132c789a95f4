// Messages as Kafka's own JSON converters write them.
#include <kafkawire/protocol/codec.hpp>

#include "protocol/reader.hpp"
#include "protocol/text.hpp"
#include "protocol/walk.hpp"

namespace kafkawire::protocol {

namespace {

class json_writer {
public:
    json_writer(std::string& to, std::int16_t version, wire_error& error) : to_{to}, error_{error}, version_{version} {}

    void structure(const struct_schema& schema, const void* object) {
        const auto* outer = where_;
        to_ += '{';
        bool first = true;
        for (const auto& f : schema.fields) {
            const path_link here{outer, f.name};
            where_ = &here;
            const bool usual = is_default(f, schema, object);
            if (!f.options.in.contains(version_)) {
                if (!f.options.ignorable && !usual)
                    return fail(errc::not_in_version, "version " + std::to_string(version_) + " does not have this field, and its value is not the default");
                continue;
            }
            if (f.options.tagged.contains(version_) && usual) continue;
            if (!first) to_ += ',';
            first = false;
            append_json_string(to_, f.name);
            to_ += ':';
            field(f, object);
            if (error_) return;
        }
        where_ = outer;
        to_ += '}';
    }

private:
    void fail(errc code, std::string detail) {
        if (!error_) error_ = {code, 0, path_text(where_), std::move(detail)};
    }

    void field(const field_schema& f, const void* object) {
        const void* value = value_of(f, object);
        if (!value) {
            if (!f.options.nullable.contains(version_)) return fail(errc::bad_value, "null, which version " + std::to_string(version_) + " cannot say here");
            to_ += "null";
            return;
        }
        if (f.what == kind::structure) return structure(*f.schema(), value);
        if (f.what == kind::array) return array(*f.array, value);
        scalar(f.what, value);
    }

    void array(const array_ops& ops, const void* vector) {
        const auto* outer = where_;
        path_link here{outer, {}, 0};
        where_ = &here;
        to_ += '[';
        const auto* element = static_cast<const std::byte*>(ops.data(const_cast<void*>(vector)));
        const auto count = ops.size(vector);
        for (std::size_t i = 0; i < count && !error_; ++i, element += ops.element_size) {
            here.index = static_cast<std::int64_t>(i);
            if (i != 0) to_ += ',';
            if (ops.element == kind::structure) structure(*ops.element_schema(), element);
            else scalar(ops.element, element);
        }
        to_ += ']';
        where_ = outer;
    }

    void scalar(kind what, const void* value) {
        switch (what) {
            case kind::boolean: to_ += *static_cast<const bool*>(value) ? "true" : "false"; return;
            case kind::int8: to_ += std::to_string(*static_cast<const std::int8_t*>(value)); return;
            case kind::int16: to_ += std::to_string(*static_cast<const std::int16_t*>(value)); return;
            case kind::uint16: to_ += std::to_string(*static_cast<const std::uint16_t*>(value)); return;
            case kind::int32: to_ += std::to_string(*static_cast<const std::int32_t*>(value)); return;
            case kind::uint32: to_ += std::to_string(*static_cast<const std::uint32_t*>(value)); return;
            case kind::int64: to_ += std::to_string(*static_cast<const std::int64_t*>(value)); return;
            case kind::float64: return number(*static_cast<const double*>(value));
            case kind::uuid: return append_json_string(to_, static_cast<const uuid*>(value)->to_string());
            case kind::string: return append_json_string(to_, *static_cast<const std::string*>(value));
            case kind::bytes: return base64(*static_cast<const bytes*>(value));
            case kind::records: return base64(static_cast<const raw_records*>(value)->data);
            default: return;
        }
    }

    void number(double value) {
        const auto text = double_text(value);
        // JSON has no word for what is not a number; Kafka's converters quote it.
        if (text.back() == 'y' || text.back() == 'N') append_json_string(to_, text);
        else to_ += text;
    }

    void base64(bytes_view data) {
        to_ += '"';
        append_base64(to_, data);
        to_ += '"';
    }

    std::string& to_;
    wire_error& error_;
    std::int16_t version_;
    const path_link* where_ = nullptr;
};

}  // namespace

wire_error write_json(const message_schema& schema, const void* message, std::int16_t version, std::string& to) {
    if (!schema.versions.contains(version))
        return {errc::unsupported_version, 0, {}, std::string{schema.name} + " has no version " + std::to_string(version)};
    wire_error error;
    const auto before = to.size();
    json_writer{to, version, error}.structure(*schema.body, message);
    if (error) to.resize(before);
    return error;
}

}  // namespace kafkawire::protocol
