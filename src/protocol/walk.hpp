// Small things that the walkers over field lists share.
#pragma once
#include <kafkawire/protocol/schema.hpp>

#include <type_traits>

namespace kafkawire::protocol {

/// The field that a tag stands for in that version, or null.
const field_schema* tagged_field(const struct_schema& schema, std::uint32_t tag, std::int16_t version) noexcept;

/// True if the member of `object` has its default; false for a nullable one that differs in being null.
bool is_default(const field_schema& f, const struct_schema& owner, const void* object) noexcept;
/// True if all fields have their defaults and there are no unknown tags.
bool is_default(const struct_schema& schema, const void* object) noexcept;

/// The value of a member: behind the std::optional, if it is one; null if that is empty.
inline const void* value_of(const field_schema& f, const void* object) noexcept {
    void* member = f.get(const_cast<void*>(object));
    return f.optional ? f.optional->value(member) : member;
}

template <class T>
constexpr std::string_view wire_type_name() noexcept {
    if constexpr (std::is_same_v<T, std::int8_t>) return "INT8";
    else if constexpr (std::is_same_v<T, std::int16_t>) return "INT16";
    else if constexpr (std::is_same_v<T, std::uint16_t>) return "UINT16";
    else if constexpr (std::is_same_v<T, std::int32_t>) return "INT32";
    else if constexpr (std::is_same_v<T, std::uint32_t>) return "UINT32";
    else if constexpr (std::is_same_v<T, std::int64_t>) return "INT64";
    else return "FLOAT64";
}

/// What a number means under that field name: the value, with the name of the error, of the API, or the time where the field is one.
std::string number_meaning(std::string_view field, std::int64_t value);
std::string number_meaning(std::string_view field, double value);
/// Text in quotes, bytes by their size.
std::string blob_meaning(kind what, bytes_view data);


}  // namespace kafkawire::protocol
