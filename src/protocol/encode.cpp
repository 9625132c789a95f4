// Encoding: one walk that only counts and checks, one that writes. The first refuses what the version cannot say, so the second cannot fail.
#include <kafkawire/protocol/codec.hpp>

#include <bit>
#include <cstring>
#include <limits>

#include "protocol/reader.hpp"
#include "protocol/walk.hpp"

namespace kafkawire::protocol {

namespace {

constexpr std::size_t varint_size(std::uint32_t v) noexcept { return (static_cast<std::size_t>(std::bit_width(v | 1)) + 6) / 7; }

/// Counts. `foreign` are the bytes that a scatter would splice in.
struct counting_sink {
    static constexpr bool checks = true;
    std::size_t size = 0;
    std::size_t foreign = 0;
    void raw(const void*, std::size_t n) noexcept { size += n; }
    void records(bytes_view data) noexcept { foreign += data.size(); }
    void integers(std::span<const std::int32_t> values) noexcept { size += 4 * values.size(); }
    void unsigned_varint(std::uint32_t v) noexcept { size += varint_size(v); }
};

/// Writes into room that was measured before.
struct writing_sink {
    static constexpr bool checks = false;
    std::byte* at;
    const std::byte* begin;
    scatter* splices;  ///< null: records are copied
    void raw(const void* data, std::size_t n) noexcept {
        if (n == 0) return;
        std::memcpy(at, data, n);
        at += n;
    }
    void records(bytes_view data) {
        if (splices && !data.empty()) splices->splices.push_back({static_cast<std::size_t>(at - begin), data});
        else raw(data.data(), data.size());
    }
    void integers(std::span<const std::int32_t> values) noexcept {
        for (const auto value : values) {
            const auto swapped = __builtin_bswap32(static_cast<std::uint32_t>(value));
            std::memcpy(at, &swapped, 4);
            at += 4;
        }
    }
    void unsigned_varint(std::uint32_t v) noexcept {
        while (v >= 0x80) {
            *at++ = static_cast<std::byte>(v | 0x80);
            v >>= 7;
        }
        *at++ = static_cast<std::byte>(v);
    }
};

template <class Sink>
class encoder {
public:
    encoder(Sink& out, std::int16_t version, bool flexible, wire_error& error) : out_{out}, error_{error}, version_{version}, flexible_{flexible} {}

    void structure(const struct_schema& schema, const void* object) {
        const auto* outer = where_;
        std::uint32_t tags = 0;
        for (const auto& f : schema.fields) {
            const path_link here{outer, f.name};
            where_ = &here;
            if (!f.options.in.contains(version_)) {
                if constexpr (Sink::checks)
                    if (!f.options.ignorable && !is_default(f, schema, object))
                        fail(errc::not_in_version, "version " + std::to_string(version_) + " does not have this field, and its value is not the default");
            } else if (f.options.tagged.contains(version_)) {
                if (!is_default(f, schema, object)) ++tags;
            } else {
                field(f, object);
            }
            if (failed()) break;
        }
        where_ = outer;
        const auto& unknown = schema.unknown_tags(const_cast<void*>(object));
        if (flexible_) tagged(schema, object, unknown, tags);
        else if (!unknown.empty()) fail(errc::not_in_version, "version " + std::to_string(version_) + " has no tagged fields");
    }

    const path_link* where_ = nullptr;

private:
    [[nodiscard]] bool failed() const noexcept { return Sink::checks && error_; }
    void fail(errc code, std::string detail) {
        if (Sink::checks && !error_) error_ = {code, 0, path_text(where_), std::move(detail)};
    }

    void field(const field_schema& f, const void* object) {
        const void* value = value_of(f, object);
        const bool compact = flexible_ && f.options.flexible.contains(version_);
        const bool nullable = f.options.nullable.contains(version_);
        if (!value && !nullable) return fail(errc::bad_value, "null, which version " + std::to_string(version_) + " cannot say here");
        switch (f.what) {
            case kind::structure:
                if (nullable && f.options.tagged.contains(version_)) out_.unsigned_varint(value ? 1 : 0);
                else if (nullable) fixed<std::int8_t>(value ? 1 : -1);
                if (value) structure(*f.schema(), value);
                return;
            case kind::array: return array(*f.array, value, compact);
            case kind::string:
            case kind::bytes:
            case kind::records: return blob(f.what, value, compact);
            default: return scalar(f.what, value);
        }
    }

    void scalar(kind what, const void* value) {
        switch (what) {
            case kind::boolean: return fixed<std::int8_t>(*static_cast<const bool*>(value) ? 1 : 0);
            case kind::int8: return out_.raw(value, 1);
            case kind::int16:
            case kind::uint16: return fixed(*static_cast<const std::uint16_t*>(value));
            case kind::int32:
            case kind::uint32: return fixed(*static_cast<const std::uint32_t*>(value));
            case kind::int64: return fixed(static_cast<std::uint64_t>(*static_cast<const std::int64_t*>(value)));
            case kind::float64: return fixed(std::bit_cast<std::uint64_t>(*static_cast<const double*>(value)));
            case kind::uuid: return out_.raw(value, 16);
            default: return;
        }
    }

    template <class T>
    void fixed(T value) {
        if constexpr (sizeof(T) == 8) value = __builtin_bswap64(value);
        else if constexpr (sizeof(T) == 4) value = __builtin_bswap32(value);
        else if constexpr (sizeof(T) == 2) value = __builtin_bswap16(value);
        out_.raw(&value, sizeof(T));
    }

    void length(kind what, std::size_t n, bool null, bool compact) {
        constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
        if (compact) {
            if (n >= most) fail(errc::bad_length, std::to_string(n) + " does not fit the wire");
            return out_.unsigned_varint(null ? 0 : static_cast<std::uint32_t>(n + 1));
        }
        if (what == kind::string) {
            if (n > 0x7fff) fail(errc::bad_length, "a string of " + std::to_string(n) + " bytes; version " + std::to_string(version_) + " can say 32767");
            return fixed(static_cast<std::uint16_t>(null ? 0xffff : n));
        }
        if (n > most) fail(errc::bad_length, std::to_string(n) + " does not fit the wire");
        fixed(static_cast<std::uint32_t>(null ? 0xffffffff : n));
    }

    void blob(kind what, const void* value, bool compact) {
        bytes_view data;
        if (value) {
            if (what == kind::string) data = std::as_bytes(std::span{*static_cast<const std::string*>(value)});
            else if (what == kind::bytes) data = *static_cast<const bytes*>(value);
            else data = static_cast<const raw_records*>(value)->data;
        }
        length(what, data.size(), !value, compact);
        if (what == kind::records) out_.records(data);
        else out_.raw(data.data(), data.size());
    }

    void array(const array_ops& ops, const void* value, bool compact) {
        const auto count = value ? ops.size(value) : 0;
        length(kind::array, count, !value, compact);
        if (count == 0) return;
        if (ops.element == kind::int32) return out_.integers({static_cast<const std::int32_t*>(ops.data(const_cast<void*>(value))), count});
        const auto* outer = where_;
        path_link here{outer, {}, 0};
        where_ = &here;
        const auto* element = static_cast<const std::byte*>(ops.data(const_cast<void*>(value)));
        const auto* schema = ops.element == kind::structure ? ops.element_schema() : nullptr;
        for (std::size_t i = 0; i < count && !failed(); ++i, element += ops.element_size) {
            here.index = static_cast<std::int64_t>(i);
            if (schema) structure(*schema, element);
            else if (ops.element == kind::string || ops.element == kind::bytes) blob(ops.element, element, compact);
            else scalar(ops.element, element);
        }
        where_ = outer;
    }

    // Known and unknown tags go out together, by ascending tag.
    void tagged(const struct_schema& schema, const void* object, const tagged_fields& unknown, std::uint32_t known) {
        out_.unsigned_varint(known + static_cast<std::uint32_t>(unknown.size()));
        if (known == 0 && unknown.empty()) return;
        auto next_unknown = unknown.begin();
        std::int64_t previous = -1;
        for (;;) {
            const field_schema* f = known ? next_known(schema, object, previous) : nullptr;
            if (next_unknown != unknown.end() && (!f || next_unknown->tag <= static_cast<std::uint32_t>(f->options.tag))) {
                const auto& u = *next_unknown++;
                if (static_cast<std::int64_t>(u.tag) <= previous || tagged_field(schema, u.tag, version_))
                    return fail(errc::bad_tag, "unknown tag " + std::to_string(u.tag) + " is out of order, there twice, or known in this version");
                out_.unsigned_varint(u.tag);
                out_.unsigned_varint(static_cast<std::uint32_t>(u.data.size()));
                out_.raw(u.data.data(), u.data.size());
                previous = u.tag;
            } else if (f) {
                out_.unsigned_varint(static_cast<std::uint32_t>(f->options.tag));
                tagged_value(*f, object);
                previous = f->options.tag;
            } else {
                return;
            }
            if (failed()) return;
        }
    }

    const field_schema* next_known(const struct_schema& schema, const void* object, std::int64_t after) const noexcept {
        const field_schema* next = nullptr;
        for (const auto& f : schema.fields) {
            if (f.options.tag <= after || !f.options.in.contains(version_) || !f.options.tagged.contains(version_)) continue;
            if ((!next || f.options.tag < next->options.tag) && !is_default(f, schema, object)) next = &f;
        }
        return next;
    }

    void tagged_value(const field_schema& f, const void* object) {
        const auto* outer = where_;
        const path_link here{outer, f.name};
        where_ = &here;
        counting_sink inner;
        encoder<counting_sink> counter{inner, version_, flexible_, error_};
        counter.where_ = outer;
        counter.measure_field(f, object);
        out_.unsigned_varint(static_cast<std::uint32_t>(inner.size + inner.foreign));
        if (!failed()) field(f, object);
        where_ = outer;
    }

public:
    void measure_field(const field_schema& f, const void* object) { field(f, object); }

private:
    Sink& out_;
    wire_error& error_;
    std::int16_t version_;
    bool flexible_;
};

wire_error count(const message_schema& schema, const void* message, std::int16_t version, counting_sink& sink) {
    if (!schema.versions.contains(version))
        return {errc::unsupported_version, 0, {}, std::string{schema.name} + " has versions " + std::to_string(schema.versions.lowest) + " to " +
                                                      std::to_string(schema.versions.highest) + ", not " + std::to_string(version)};
    wire_error error;
    encoder<counting_sink>{sink, version, schema.flexible.contains(version), error}.structure(*schema.body, message);
    return error;
}

wire_error write(const message_schema& schema, const void* message, std::int16_t version, bytes& to, scatter* splices) {
    counting_sink counted;
    if (auto error = count(schema, message, version, counted)) return error;
    const auto before = to.size();
    to.resize(before + counted.size + (splices ? 0 : counted.foreign));
    writing_sink sink{to.data() + before, to.data(), splices};
    wire_error none;
    encoder<writing_sink>{sink, version, schema.flexible.contains(version), none}.structure(*schema.body, message);
    return {};
}

}  // namespace

wire_error encode(const message_schema& schema, const void* message, std::int16_t version, bytes& to) {
    return write(schema, message, version, to, nullptr);
}

wire_error encode(const message_schema& schema, const void* message, std::int16_t version, scatter& to) {
    return write(schema, message, version, to.own, &to);
}

wire_error measure(const message_schema& schema, const void* message, std::int16_t version, std::size_t& size) {
    counting_sink counted;
    auto error = count(schema, message, version, counted);
    size = counted.size + counted.foreign;
    return error;
}

std::size_t scatter::size() const noexcept {
    auto total = own.size();
    for (const auto& s : splices) total += s.data.size();
    return total;
}

std::vector<bytes_view> scatter::parts() const {
    std::vector<bytes_view> result;
    result.reserve(2 * splices.size() + 1);
    std::size_t from = 0;
    for (const auto& s : splices) {
        if (s.at > from) result.push_back(bytes_view{own}.subspan(from, s.at - from));
        result.push_back(s.data);
        from = s.at;
    }
    if (from < own.size()) result.push_back(bytes_view{own}.subspan(from));
    return result;
}

}  // namespace kafkawire::protocol
