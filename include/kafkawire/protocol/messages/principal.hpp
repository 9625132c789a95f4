// Who a request was forwarded for, inside Envelope.
#pragma once
#include <kafkawire/protocol/schema.hpp>

namespace kafkawire::protocol::messages {

struct default_principal_data {
    static constexpr version_range versions = between(0, 0), flexible = all();

    std::string type;
    std::string name;
    bool token_authenticated = false;
    tagged_fields unknown_tags;
    friend bool operator==(const default_principal_data&, const default_principal_data&) = default;
};

constexpr auto describe(type<default_principal_data>) {
    using m = default_principal_data;
    return fields(
        field<&m::type>("type"),
        field<&m::name>("name"),
        field<&m::token_authenticated>("tokenAuthenticated"));
}

}  // namespace kafkawire::protocol::messages
