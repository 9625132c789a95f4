#include "protocol/reader.hpp"

#include "protocol/text.hpp"

namespace kafkawire::protocol {

std::string path_text(const path_link* innermost) {
    std::string text;
    for (auto* link = innermost; link; link = link->parent) {
        std::string piece = link->index >= 0 ? "[" + std::to_string(link->index) + "]" : std::string{link->name};
        // A dot stands between a field and what follows it, unless that is an index.
        if (!text.empty() && text.front() != '[') piece += '.';
        text.insert(0, piece);
    }
    return text;
}

void reader::fail_at(errc code, std::size_t offset, std::string detail) {
    if (failed()) return;
    code_ = code;
    error_offset_ = offset;
    error_path_ = path_text(where);
    detail_ = std::move(detail);
    end_ = at_;
}

void reader::fail_truncated(std::size_t wanted) {
    fail(errc::truncated, counted(wanted, "byte") + " needed, " + std::to_string(left()) + " left");
}

std::uint32_t reader::long_varint() {
    const auto start = offset();
    std::uint32_t value = 0;
    for (int shift = 0; shift < 35; shift += 7) {
        if (left() == 0) {
            fail(errc::truncated, "the bytes end inside a varint");
            return 0;
        }
        const auto octet = static_cast<std::uint8_t>(*at_++);
        if (shift == 28 && octet > 0x0f) {
            fail_at(errc::bad_varint, start, "an unsigned varint of more than 32 bits");
            return 0;
        }
        value |= static_cast<std::uint32_t>(octet & 0x7f) << shift;
        if ((octet & 0x80) == 0) return value;
    }
    fail_at(errc::bad_varint, start, "an unsigned varint that does not end within 5 bytes");
    return 0;
}

bool reader::narrow(std::size_t n, const std::byte*& saved_end) {
    if (left() < n) {
        fail(errc::truncated, "a tagged field of " + counted(n, "byte") + ", " + std::to_string(left()) + " left");
        return false;
    }
    saved_end = end_;
    end_ = at_ + n;
    return true;
}

namespace {

std::size_t smallest_value(kind what, const array_ops* array, const struct_schema* (*schema)(), bool nullable, std::int16_t version, bool flexible) noexcept {
    switch (what) {
        case kind::boolean:
        case kind::int8: return 1;
        case kind::int16:
        case kind::uint16: return 2;
        case kind::int32:
        case kind::uint32: return 4;
        case kind::int64:
        case kind::float64: return 8;
        case kind::uuid: return 16;
        case kind::string: return flexible ? 1 : 2;
        case kind::bytes:
        case kind::records: return flexible ? 1 : 4;
        case kind::array: return array ? (flexible ? 1 : 4) : 0;
        case kind::structure: return nullable ? 1 : smallest(*schema(), version, flexible);
    }
    return 1;
}

}  // namespace

std::size_t smallest(const struct_schema& schema, std::int16_t version, bool flexible) noexcept {
    std::size_t total = flexible ? 1 : 0;
    for (const auto& f : schema.fields) {
        const auto& o = f.options;
        if (!o.in.contains(version) || o.tagged.contains(version)) continue;
        total += smallest_value(f.what, f.array, f.schema, o.nullable.contains(version), version, flexible && o.flexible.contains(version));
    }
    return total;
}

std::size_t smallest_element(const array_ops& ops, std::int16_t version, bool flexible) noexcept {
    // An element without a byte cannot be counted against the bytes left; it is taken as one.
    const auto size = smallest_value(ops.element, nullptr, ops.element_schema, false, version, flexible);
    return size == 0 ? 1 : size;
}

}  // namespace kafkawire::protocol
