// Decoding and annotating: one walk over the field list, with or without notes.
#include <kafkawire/protocol/annotate.hpp>

#include "protocol/reader.hpp"
#include "protocol/text.hpp"
#include "protocol/walk.hpp"

namespace kafkawire::protocol {

namespace {

// An array that takes no more than this is allocated at once; a larger one is walked without allocating first.
constexpr std::size_t unchecked_room = 4096;

/// Notes nothing; costs nothing.
struct no_notes {
    static constexpr bool on = false;
    void operator()(std::size_t, std::string_view, const std::string&) const noexcept {}
};

/// Collects annotations.
struct all_notes {
    static constexpr bool on = true;
    const reader* in;
    std::vector<annotation>* values;
    void operator()(std::size_t from, std::string_view type, std::string meaning) const {
        if (in->failed()) return;
        values->push_back({from, in->offset() - from, path_text(in->where), std::string{type}, std::move(meaning)});
    }
};

template <class Notes>
class decoder {
public:
    decoder(reader& in, std::int16_t version, bool flexible, Notes notes) : in_{in}, version_{version}, flexible_{flexible}, notes_{notes} {}

    /// Reads a struct into `object`, or steps over it if that is null.
    void structure(const struct_schema& schema, void* object) {
        const auto* outer = in_.where;
        for (const auto& f : schema.fields) {
            if (!f.options.in.contains(version_) || f.options.tagged.contains(version_)) continue;
            const path_link here{outer, f.name};
            in_.where = &here;
            field(f, object);
            if (in_.failed()) break;
        }
        in_.where = outer;
        if (flexible_ && !in_.failed()) tagged(schema, object);
    }

private:
    void field(const field_schema& f, void* object) {
        void* member = object ? f.get(object) : nullptr;
        const bool compact = flexible_ && f.options.flexible.contains(version_);
        const bool nullable = f.options.nullable.contains(version_);
        switch (f.what) {
            case kind::string:
            case kind::bytes:
            case kind::records: return blob(f, member, compact, nullable);
            case kind::array: return array(f, member, compact, nullable);
            case kind::structure: {
                if (nullable) {
                    const auto from = in_.offset();
                    // Kafka says "is there one" in two ways: -1 and 1 in a byte or, of a tagged field, 0 and 1 in a varint.
                    const bool as_tag = f.options.tagged.contains(version_);
                    const bool present = as_tag ? in_.unsigned_varint() != 0 : in_.fixed<std::int8_t>() >= 0;
                    if (in_.failed()) return;
                    notes_(from, as_tag ? "UNSIGNED_VARINT (presence)" : "INT8 (presence)", present ? "present" : "null");
                    if (!present) {
                        if (member) f.optional->reset(member);
                        return;
                    }
                }
                if (member && f.optional) member = f.optional->emplace(member);
                return structure(*f.schema(), member);
            }
            default: return scalar(f.what, f.name, member);
        }
    }

    // `name` only helps the notes.
    void scalar(kind what, std::string_view name, void* to) {
        switch (what) {
            case kind::boolean: {
                const auto from = in_.offset();
                const bool value = in_.fixed<std::int8_t>() != 0;
                if (to) *static_cast<bool*>(to) = value;
                if constexpr (Notes::on) notes_(from, "BOOLEAN", value ? "true" : "false");
                return;
            }
            case kind::int8: return number<std::int8_t>(name, to);
            case kind::int16: return number<std::int16_t>(name, to);
            case kind::uint16: return number<std::uint16_t>(name, to);
            case kind::int32: return number<std::int32_t>(name, to);
            case kind::uint32: return number<std::uint32_t>(name, to);
            case kind::int64: return number<std::int64_t>(name, to);
            case kind::float64: return number<double>(name, to);
            case kind::uuid: {
                const auto from = in_.offset();
                const auto octets = in_.take(16);
                if (in_.failed()) return;
                uuid value;
                std::memcpy(value.octets.data(), octets.data(), 16);
                if (to) *static_cast<uuid*>(to) = value;
                if constexpr (Notes::on) notes_(from, "UUID", value.to_string());
                return;
            }
            default: return;
        }
    }

    template <class T>
    void number(std::string_view name, void* to) {
        const auto from = in_.offset();
        const auto value = in_.fixed<T>();
        if (to) *static_cast<T*>(to) = value;
        if constexpr (Notes::on) {
            if constexpr (std::is_floating_point_v<T>) notes_(from, wire_type_name<T>(), number_meaning(name, value));
            else notes_(from, wire_type_name<T>(), number_meaning(name, static_cast<std::int64_t>(value)));
        }
    }

    // The length or count of a value: -1 for null (where that is allowed).
    std::int64_t length(kind what, bool compact, bool nullable) {
        const auto from = in_.offset();
        std::int64_t n = 0;
        if (compact) n = static_cast<std::int64_t>(in_.unsigned_varint()) - 1;
        else if (what == kind::string) n = in_.fixed<std::int16_t>();
        else n = in_.fixed<std::int32_t>();
        if (in_.failed()) return 0;
        const char* thing = what == kind::array ? "count" : "length";
        if (n < -1) in_.fail_at(errc::bad_length, from, std::string{"a "} + thing + " of " + std::to_string(n));
        else if (n == -1 && !nullable) in_.fail_at(errc::bad_value, from, "null, which version " + std::to_string(version_) + " does not allow here");
        if constexpr (Notes::on)
            notes_(from, compact ? (what == kind::array ? "UNSIGNED_VARINT (count + 1)" : "UNSIGNED_VARINT (length + 1)") : what == kind::string ? "INT16 (length)" : what == kind::array ? "INT32 (count)" : "INT32 (length)",
                   n < 0 ? "null" : std::string{thing} + " " + std::to_string(n));
        return in_.failed() ? 0 : n;
    }

    void blob(const field_schema& f, void* member, bool compact, bool nullable) {
        const auto n = length(f.what, compact, nullable);
        if (in_.failed()) return;
        if (n < 0) {
            if (member) f.optional->reset(member);
            return;
        }
        if (member && f.optional) member = f.optional->emplace(member);
        content(f.what, member, static_cast<std::size_t>(n));
    }

    void content(kind what, void* to, std::size_t n) {
        const auto from = in_.offset();
        if (in_.left() < n) {
            in_.fail(errc::truncated, counted(n, "byte") + " announced, " + std::to_string(in_.left()) + " left");
            return;
        }
        const auto data = in_.take(n);
        if (to) {
            if (what == kind::string) static_cast<std::string*>(to)->assign(reinterpret_cast<const char*>(data.data()), n);
            else if (what == kind::bytes) static_cast<bytes*>(to)->assign(data.begin(), data.end());
            else static_cast<raw_records*>(to)->data = data;
        }
        if constexpr (Notes::on)
            if (n > 0) notes_(from, what == kind::string ? "STRING" : what == kind::bytes ? "BYTES" : "RECORDS", blob_meaning(what, data));
    }

    void array(const field_schema& f, void* member, bool compact, bool nullable) {
        const auto from = in_.offset();
        const auto n = length(kind::array, compact, nullable);
        if (in_.failed()) return;
        if (n < 0) {
            if (member) f.optional->reset(member);
            return;
        }
        if (member && f.optional) member = f.optional->emplace(member);
        const auto& ops = *f.array;
        const auto count = static_cast<std::size_t>(n);
        const auto each = smallest_element(ops, version_, compact);
        if (count > in_.left() / each) {
            in_.fail_at(errc::bad_length, from, counted(count, "element") + " of at least " + counted(each, "byte") + " announced, " +
                                                    counted(in_.left(), "byte") + " left");
            return;
        }
        if (!member) return elements(ops, nullptr, count, compact);
        if (!checked_ && count * ops.element_size > unchecked_room) {
            // What the count claims would cost more than it is worth believing: see first whether the elements are there.
            const auto* mark = in_.mark();
            decoder<no_notes> dry{in_, version_, flexible_, {}};
            dry.elements(ops, nullptr, count, compact);
            if (in_.failed()) return;
            in_.rewind(mark);
            checked_ = true;
            ops.resize(member, count);
            elements(ops, ops.data(member), count, compact);
            checked_ = false;
            return;
        }
        ops.resize(member, count);
        elements(ops, ops.data(member), count, compact);
    }

public:
    void elements(const array_ops& ops, void* first, std::size_t count, bool compact) {
        // Lists of broker and partition numbers are most of what Metadata holds.
        if (!Notes::on && ops.element == kind::int32) return integers(static_cast<std::int32_t*>(first), count);
        const auto* outer = in_.where;
        path_link here{outer, {}, 0};
        in_.where = &here;
        auto* to = static_cast<std::byte*>(first);
        for (std::size_t i = 0; i < count && !in_.failed(); ++i) {
            here.index = static_cast<std::int64_t>(i);
            if (ops.element == kind::structure) structure(*ops.element_schema(), to);
            else if (ops.element == kind::string || ops.element == kind::bytes) content(ops.element, to, static_cast<std::size_t>(length(ops.element, compact, false)));
            else scalar(ops.element, outer ? outer->name : std::string_view{}, to);
            if (to) to += ops.element_size;
        }
        in_.where = outer;
    }

private:
    void integers(std::int32_t* to, std::size_t count) {
        const auto data = in_.take(4 * count);
        if (!to || in_.failed()) return;
        for (std::size_t i = 0; i < count; ++i) {
            std::uint32_t value;
            std::memcpy(&value, data.data() + 4 * i, 4);
            to[i] = static_cast<std::int32_t>(__builtin_bswap32(value));
        }
    }

    void tagged(const struct_schema& schema, void* object) {
        const auto start = in_.offset();
        const auto count = in_.unsigned_varint();
        if constexpr (Notes::on) notes_(start, "UNSIGNED_VARINT (tag buffer)", count == 0 ? "no tagged fields" : counted(count, "tagged field"));
        if (in_.failed() || count == 0) return;
        if (count > in_.left() / 2) return in_.fail_at(errc::bad_length, start, counted(count, "tagged field") + " announced, " + counted(in_.left(), "byte") + " left");
        std::int64_t previous = -1;
        std::uint32_t unknown = 0;
        for (std::uint32_t i = 0; i < count && !in_.failed(); ++i) {
            const auto from = in_.offset();
            const auto tag = in_.unsigned_varint();
            if constexpr (Notes::on) notes_(from, "UNSIGNED_VARINT (tag)", "tag " + std::to_string(tag));
            const auto size_at = in_.offset();
            const auto size = in_.unsigned_varint();
            if constexpr (Notes::on) notes_(size_at, "UNSIGNED_VARINT (size)", counted(size, "byte"));
            if (in_.failed()) return;
            if (static_cast<std::int64_t>(tag) <= previous) return in_.fail_at(errc::bad_tag, from, "tag " + std::to_string(tag) + " after tag " + std::to_string(previous) + ": tags ascend and stand once");
            previous = tag;
            if (const auto* f = tagged_field(schema, tag, version_)) known_tag(*f, object, size);
            else if (++unknown > decode_limits{}.max_tagged_fields) return in_.fail_at(errc::limit_exceeded, from, "more than " + std::to_string(decode_limits{}.max_tagged_fields) + " unknown tagged fields");
            else unknown_tag(schema, object, tag, size);
        }
    }

    void known_tag(const field_schema& f, void* object, std::uint32_t size) {
        const auto* outer = in_.where;
        const path_link here{outer, f.name};
        in_.where = &here;
        const std::byte* saved = nullptr;
        if (in_.narrow(size, saved)) {
            field(f, object);
            if (!in_.failed() && in_.left() != 0) in_.fail(errc::bad_tag, "the tagged field leaves " + std::to_string(in_.left()) + " of its " + counted(size, "byte"));
            if (!in_.failed()) in_.widen(saved);
        }
        in_.where = outer;
    }

    void unknown_tag(const struct_schema& schema, void* object, std::uint32_t tag, std::uint32_t size) {
        const auto from = in_.offset();
        const auto data = in_.take(size);
        if (in_.failed()) return;
        if (object) schema.unknown_tags(object).push_back({tag, bytes(data.begin(), data.end())});
        if constexpr (Notes::on)
            if (size > 0) notes_(from, "BYTES", "unknown tagged field " + std::to_string(tag));
    }

    reader& in_;
    std::int16_t version_;
    bool flexible_;
    bool checked_ = false;  // the array being read was walked before: no need to do so again for those inside it
    Notes notes_;
};

wire_error unsupported(const message_schema& schema, std::int16_t version) {
    return {errc::unsupported_version, 0, {}, std::string{schema.name} + " has versions " + std::to_string(schema.versions.lowest) + " to " +
                                                  std::to_string(schema.versions.highest) + ", not " + std::to_string(version)};
}

}  // namespace

wire_error decode_prefix(const message_schema& schema, void* message, bytes_view from, std::int16_t version, std::size_t& used) {
    used = 0;
    if (!schema.versions.contains(version)) return unsupported(schema, version);
    reader in{from};
    decoder<no_notes>{in, version, schema.flexible.contains(version), {}}.structure(*schema.body, message);
    used = in.offset();
    return in.error();
}

wire_error decode(const message_schema& schema, void* message, bytes_view from, std::int16_t version) {
    std::size_t used = 0;
    auto error = decode_prefix(schema, message, from, version, used);
    if (!error && used != from.size()) return {errc::trailing_bytes, used, {}, counted(from.size() - used, "byte") + " left after the message"};
    return error;
}

annotated annotate(const message_schema& schema, bytes_view from, std::int16_t version) {
    annotated result;
    if (!schema.versions.contains(version)) {
        result.error = unsupported(schema, version);
        return result;
    }
    reader in{from};
    decoder<all_notes>{in, version, schema.flexible.contains(version), {&in, &result.values}}.structure(*schema.body, nullptr);
    result.used = in.offset();
    result.error = in.error();
    return result;
}

}  // namespace kafkawire::protocol
