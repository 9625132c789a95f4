// Turns describe() lists into the tables of schema.hpp, at compile time. Included by the source file of each message only (and by programs
// that declare messages of their own): KAFKAWIRE_MESSAGE(metadata_request, "Metadata", request) makes schema_of<metadata_request>().
#pragma once
#include <kafkawire/protocol/schema.hpp>

#include <type_traits>
#include <utility>

namespace kafkawire::protocol::detail {

template <class T>
struct optional_of {
    using type = T;
    static constexpr bool value = false;
};
template <class T>
struct optional_of<std::optional<T>> {
    using type = T;
    static constexpr bool value = true;
};
template <class T>
struct vector_of {
    static constexpr bool value = false;
};
template <class T>
struct vector_of<std::vector<T>> {
    using type = T;
    static constexpr bool value = !std::is_same_v<T, std::byte>;
};

template <class M>
struct member_of;
template <class Class, class Value>
struct member_of<Value Class::*> {
    using type = Class;
    using value = Value;
};

template <class T>
constexpr kind kind_of() noexcept {
    if constexpr (std::is_same_v<T, bool>) return kind::boolean;
    else if constexpr (std::is_same_v<T, std::int8_t>) return kind::int8;
    else if constexpr (std::is_same_v<T, std::int16_t>) return kind::int16;
    else if constexpr (std::is_same_v<T, std::uint16_t>) return kind::uint16;
    else if constexpr (std::is_same_v<T, std::int32_t>) return kind::int32;
    else if constexpr (std::is_same_v<T, std::uint32_t>) return kind::uint32;
    else if constexpr (std::is_same_v<T, std::int64_t>) return kind::int64;
    else if constexpr (std::is_same_v<T, double>) return kind::float64;
    else if constexpr (std::is_same_v<T, uuid>) return kind::uuid;
    else if constexpr (std::is_same_v<T, std::string>) return kind::string;
    else if constexpr (std::is_same_v<T, bytes>) return kind::bytes;
    else if constexpr (std::is_same_v<T, raw_records>) return kind::records;
    else if constexpr (vector_of<T>::value) return kind::array;
    else {
        static_assert(std::is_class_v<T>, "a member of a type that the wire does not have");
        return kind::structure;
    }
}

template <class T>
const struct_schema* struct_schema_of();

// How many initialisers an aggregate takes, that is, how many members it has.
struct anything {
    template <class T>
    operator T() const;
};
template <class T, std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
    return requires { T{(static_cast<void>(I), anything{})...}; };
}
template <class T, std::size_t N>
constexpr std::size_t member_count() {
    if constexpr (!takes<T>(std::make_index_sequence<N + 1>{})) return N;
    else return member_count<T, N + 1>();
}

/// True if every member of T but unknown_tags stands in its describe() list, in any order.
template <class T>
inline constexpr bool complete = takes<T>(std::make_index_sequence<decltype(describe(type<T>{}))::size + 1>{}) &&
                                 !takes<T>(std::make_index_sequence<decltype(describe(type<T>{}))::size + 2>{});

template <class T>
inline constexpr array_ops array_ops_of = {
    kind_of<T>(), sizeof(T),
    [] {
        if constexpr (kind_of<T>() == kind::structure) return &struct_schema_of<T>;
        else return static_cast<const struct_schema* (*)()>(nullptr);
    }(),
    [](const void* v) noexcept { return static_cast<const std::vector<T>*>(v)->size(); },
    [](void* v, std::size_t n) { static_cast<std::vector<T>*>(v)->resize(n); },
    [](void* v) noexcept -> void* { return static_cast<std::vector<T>*>(v)->data(); },
};

template <class T>
inline constexpr optional_ops optional_ops_of = {
    [](void* o) noexcept -> void* {
        auto& opt = *static_cast<std::optional<T>*>(o);
        return opt ? std::addressof(*opt) : nullptr;
    },
    // With a T to move from: clang takes a nested struct with member initialisers for not default-constructible in an optional of its own class.
    [](void* o) -> void* { return std::addressof(static_cast<std::optional<T>*>(o)->emplace(T{})); },
    [](void* o) noexcept { static_cast<std::optional<T>*>(o)->reset(); },
};

template <auto Member>
constexpr field_schema field_schema_of(std::string_view name, const field_options& options) {
    using owner = typename member_of<decltype(Member)>::type;
    using declared = typename member_of<decltype(Member)>::value;
    using value = typename optional_of<declared>::type;
    field_schema f{name, options, kind_of<value>(), [](void* o) noexcept -> void* { return std::addressof(static_cast<owner*>(o)->*Member); }, nullptr, nullptr, nullptr};
    if constexpr (optional_of<declared>::value) f.optional = &optional_ops_of<value>;
    if constexpr (kind_of<value>() == kind::array) f.array = &array_ops_of<typename vector_of<value>::type>;
    if constexpr (kind_of<value>() == kind::structure) f.schema = &struct_schema_of<value>;
    return f;
}

template <auto... Members>
constexpr auto field_table(const field_list<Members...>& list) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return std::array<field_schema, sizeof...(Members)>{field_schema_of<Members>(list.names[I], list.options[I])...};
    }(std::index_sequence_for<decltype(Members)...>{});
}
constexpr std::array<field_schema, 0> field_table(const field_list<>&) { return {}; }

// "metadata_request::topic" out of the compiler's name of this function.
template <class T>
constexpr std::string_view name_of() {
    constexpr std::string_view whole = __PRETTY_FUNCTION__;
    constexpr std::string_view mark = "messages::";
    constexpr auto at = whole.find("T = ");
    constexpr auto rest = whole.substr(at + 4, whole.find_first_of(";]", at) - at - 4);
    constexpr auto from = rest.find(mark);
    return from == std::string_view::npos ? rest : rest.substr(from + mark.size());
}

template <class T>
inline constexpr auto fields_of = field_table(describe(type<T>{}));

template <class T>
const struct_schema* struct_schema_of() {
    static_assert(complete<T>, "a member of this struct is missing from its describe() list, or unknown_tags is not its last member");
    static const T prototype{};
    static const struct_schema s{name_of<T>(), fields_of<T>, &prototype,
                                 [](void* o) noexcept -> tagged_fields& { return static_cast<T*>(o)->unknown_tags; }, sizeof(T)};
    return &s;
}

template <class T>
message_schema message_schema_of(std::string_view name, role as, std::int16_t key) {
    return {struct_schema_of<T>(), as, key, name, T::versions, T::flexible, []() -> void* { return new T{}; },
            [](void* m) noexcept { delete static_cast<T*>(m); }};
}

template <class T>
constexpr std::int16_t key_of() {
    if constexpr (requires { T::key; }) return T::key;
    else return -1;
}

}  // namespace kafkawire::protocol::detail

/// Defines schema_of<messages::MESSAGE>(). At namespace kafkawire::protocol, in the message's source file.
#define KAFKAWIRE_MESSAGE(MESSAGE, NAME, ROLE)                                                                        \
    template <>                                                                                                       \
    KAFKAWIRE_API const message_schema& schema_of<messages::MESSAGE>() noexcept {                                     \
        static const message_schema schema =                                                                          \
            detail::message_schema_of<messages::MESSAGE>(NAME, role::ROLE, detail::key_of<messages::MESSAGE>());      \
        return schema;                                                                                                \
    }
