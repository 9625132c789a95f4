// How a client and its brokers trust each other: what client_options says of TLS and SASL, and where tokens come from.
#pragma once
#include <kafkawire/detail/function.hpp>
#include <kafkawire/error.hpp>
#include <kafkawire/secret.hpp>

#include <chrono>
#include <functional>

namespace kafkawire::inline v0_1 {

/// What a connection is under Kafka's requests. There is no fallback from one to another.
enum class security_protocol : std::uint8_t {
    plaintext,       ///< everybody on the way reads and changes everything
    ssl,             ///< TLS: the broker shows a certificate, and the client too if it has one and is asked
    sasl_plaintext,  ///< a name and a proof of it, over plain text; with plain and oauthbearer everybody on the way reads password or token
    sasl_ssl,        ///< the same inside TLS
};

/// How a client shows who it is. The one that is asked for is used, whatever else a broker offers.
enum class sasl_mechanism : std::uint8_t { plain, scram_sha_256, scram_sha_512, oauthbearer };

/// What a peer's certificate must be good for.
enum class tls_verify : std::uint8_t {
    full,             ///< issued by somebody we trust, valid now, and for the host that was asked for
    insecure_i_know,  ///< anything: somebody in between can read and change everything
};

/// The name of a mechanism in the protocol: "SCRAM-SHA-256".
[[nodiscard]] KAFKAWIRE_API std::string_view to_string(sasl_mechanism m) noexcept;
[[nodiscard]] KAFKAWIRE_API std::string_view to_string(security_protocol p) noexcept;
/// Of sasl_plaintext and sasl_ssl.
[[nodiscard]] constexpr bool has_sasl(security_protocol p) noexcept { return p == security_protocol::sasl_plaintext || p == security_protocol::sasl_ssl; }
[[nodiscard]] constexpr bool has_tls(security_protocol p) noexcept { return p == security_protocol::ssl || p == security_protocol::sasl_ssl; }
/// Whether this library was built with OpenSSL. Without it TLS and SCRAM are refused when a client is made.
[[nodiscard]] KAFKAWIRE_API bool built_with_openssl() noexcept;

/// What OAUTHBEARER shows: a token and how long it is good for. It is used for all connections of a client until four fifths of its time are over, and
/// never in its last 30 seconds.
struct oauth_token {
    secret value;
    std::chrono::system_clock::time_point expires{};
};
/// Completion of a token request, once: an error, or a token. It may be called from inside the source and from any thread. If it is destroyed
/// without being called, the attempt to connect ends by its timeout.
using token_handler = unique_function<void(error why, oauth_token token)>;
/// Where tokens come from: called on the client's executor when one is needed, one call at a time. It may start an operation of its own and let the
/// handler wait for that. An error ends the attempt to connect, which is made again after the backoff.
using token_source = std::function<void(token_handler)>;

/// For tests: tokens that nobody has signed (JWS with "alg":"none"), such as a broker with its default OAUTHBEARER handler takes. `lifetime` counts
/// from each call. The principal must be printable ASCII without a quote or a backslash; else the source answers errc::bad_configuration.
[[nodiscard]] KAFKAWIRE_API token_source unsecured_tokens(std::string principal, std::chrono::seconds lifetime = std::chrono::hours{1});

}  // namespace kafkawire::inline v0_1
