// DNS messages, as much of RFC 1035 and 3596 as finding addresses takes: one question, answers of A, AAAA and CNAME. Pure functions.
// Answers come from the network: every length and pointer is checked, pointers only lead backwards, work is bounded by the message.
#pragma once
#include <kafkawire/environment.hpp>

namespace kafkawire::net::dns {

enum class record_type : std::uint16_t { a = 1, cname = 5, aaaa = 28 };

/// A query for one name; nothing if the name cannot be said (an empty or over-long label, more than 253 characters).
[[nodiscard]] std::optional<std::vector<std::byte>> make_query(std::uint16_t id, std::string_view name, record_type what);

/// What an answer says.
struct reply {
    enum class kind {
        ignore,      ///< not an answer to this question: somebody else's, forged or damaged
        addresses,   ///< possibly none (the name exists without such a record)
        no_name,     ///< the name does not exist
        truncated,   ///< ask again over TCP
        failure,     ///< this server cannot tell
    } what = kind::ignore;
    std::vector<ip_address> addresses;
    int rcode = 0;
};
[[nodiscard]] reply read_reply(std::span<const std::byte> message, std::uint16_t id, std::string_view name, record_type what);

}  // namespace kafkawire::net::dns
