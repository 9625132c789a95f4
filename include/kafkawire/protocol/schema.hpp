// How a message is declared: a plain struct whose member initialisers are the protocol's defaults, and beside it a list of its fields in
// the specification's own words. Decoder, encoder, exact size, JSON, annotated dump and `explain` all walk that one list.
//
//   struct heartbeat_request {
//       static constexpr std::int16_t key = 12;
//       static constexpr version_range versions = between(0, 4), flexible = since(4);
//       std::string group_id;
//       std::int32_t generation_id = 0;
//       tagged_fields unknown_tags;
//   };
//   constexpr auto describe(type<heartbeat_request>) {
//       using m = heartbeat_request;
//       return fields(field<&m::group_id>("groupId"), field<&m::generation_id>("generationId"));
//   }
//
// The list is in wire order. A struct inside a message is declared the same way, with a describe() of its own.
// This header is light; what turns the list into a table is schema_table.hpp, included only by the message's source file.
#pragma once
#include <kafkawire/protocol/types.hpp>

namespace kafkawire::protocol {

/// Names a type without making one.
template <class T>
struct type {};

/// What the specification says of a field beyond its name and type. Named after the words of Kafka's schema files.
struct field_options {
    version_range in = all();          ///< versions that have the field
    version_range nullable = none();   ///< versions in which it may be null; the member is then a std::optional
    version_range tagged = none();     ///< versions in which it is a tagged field, written only if it is not the default
    int tag = -1;                      ///< its tag there
    bool ignorable = false;            ///< a value that the version cannot say is silently left out instead of refused
    version_range flexible = all();    ///< none(): keeps the old form in flexible versions too (the client id of the request header)
};

template <auto Member>
struct field_entry {
    std::string_view name;
    field_options options;
};

template <auto... Members>
struct field_list {
    static constexpr std::size_t size = sizeof...(Members);
    std::array<std::string_view, size> names;
    std::array<field_options, size> options;
};
template <>
struct field_list<> {
    static constexpr std::size_t size = 0;
};

/// One field: the member, its name in the schema files (first letter lower case), its options.
template <auto Member>
constexpr field_entry<Member> field(std::string_view name, field_options options = {}) noexcept {
    return {name, options};
}
template <auto... Members>
constexpr field_list<Members...> fields(field_entry<Members>... f) noexcept {
    if constexpr (sizeof...(Members) == 0)
        return {};
    else
        return {{f.name...}, {f.options...}};
}

/// What a field holds.
enum class kind : std::uint8_t { boolean, int8, int16, uint16, int32, uint32, int64, float64, uuid, string, bytes, records, structure, array };
/// The specification's name: "int32", "[]", "struct" ...
KAFKAWIRE_API std::string_view to_string(kind k) noexcept;

struct struct_schema;

/// How to work with a std::vector<E> without knowing E.
struct array_ops {
    kind element;                              ///< never array
    std::size_t element_size;                  ///< sizeof(E)
    const struct_schema* (*element_schema)();  ///< of a structure; null function otherwise
    std::size_t (*size)(const void* vector) noexcept;
    void (*resize)(void* vector, std::size_t n);
    void* (*data)(void* vector) noexcept;
};

/// How to work with a std::optional<T> without knowing T.
struct optional_ops {
    void* (*value)(void* optional) noexcept;  ///< null if empty
    void* (*emplace)(void* optional);
    void (*reset)(void* optional) noexcept;
};

/// One field, erased: what the walkers see. Constant data.
struct field_schema {
    std::string_view name;
    field_options options;
    kind what;
    void* (*get)(void* object) noexcept;       ///< the member of an object
    const optional_ops* optional;              ///< null: the member is not a std::optional
    const array_ops* array;                    ///< for kind::array
    const struct_schema* (*schema)();          ///< for kind::structure
};

/// One struct, erased. Constant data, alive as long as the program.
struct struct_schema {
    std::string_view name;                     ///< the C++ name: "metadata_request", "metadata_request::topic"
    std::span<const field_schema> fields;      ///< in wire order
    const void* prototype;                     ///< an object of defaults
    tagged_fields& (*unknown_tags)(void* object) noexcept;
    std::size_t size;                          ///< sizeof
};

/// What a message is for. `data` travels inside other fields; record keys and values in the internal topics, where `key` is the record type.
enum class role : std::uint8_t { request, response, header, data, record_key, record_value };

/// A whole message, erased: its struct, its versions and how to make one.
struct message_schema {
    const struct_schema* body;
    role as;
    std::int16_t key;                          ///< API key, or record type; -1: none
    std::string_view name;                     ///< as in the schema files, without Request or Response: "Metadata"; for data the whole name
    version_range versions;                    ///< all that this library speaks
    version_range flexible;
    void* (*create)();
    void (*destroy)(void* message) noexcept;
};

/// The table of a message. Defined for every message of this library in its own source file.
template <class Message>
KAFKAWIRE_API const message_schema& schema_of() noexcept;

}  // namespace kafkawire::protocol
