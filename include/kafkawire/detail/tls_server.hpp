// What a listener with TLS is made of, for the embedded broker.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/security.hpp>

namespace kafkawire::net {

class tls_context;

/// PEM texts: who the listener is, and whom its clients must have been certified by; empty: it does not ask them.
struct tls_identity {
    std::string certificate{};
    secret key{};
    std::string client_ca{};
};
/// Null: `why` says what is wrong.
[[nodiscard]] KAFKAWIRE_API std::shared_ptr<const tls_context> make_tls_listener(const tls_identity& who, error& why);
/// A connection that was accepted, behind TLS: it is agreed on while the first bytes are read; a client that is refused reads as an error.
[[nodiscard]] KAFKAWIRE_API std::unique_ptr<stream> accept_tls(std::shared_ptr<environment> env, std::unique_ptr<stream> below, std::shared_ptr<const tls_context> with);

}  // namespace kafkawire::net
