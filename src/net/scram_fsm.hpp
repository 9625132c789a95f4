// scram_fsm: the client's side of one SCRAM exchange (RFC 5802, 7677), from the user's name to the server's proof that it knows the password too.
// Owns: the password, the nonces, what is derived from them. Never: sends anything, shows a secret in a text, trusts a server that has not shown
// its proof, works long inside one call.
// Driver: the connection sends first() and last() in SaslAuthenticate and feeds the answers back; between them it calls derive() until that is done.
//
//   started -> deriving -> proving -> trusted
//                   (any) -> refused
//
// Kafka takes user names and passwords as they are, without SASLprep, and binds no channel ("n,,").
#pragma once
#include <kafkawire/secret.hpp>

#include <cstdint>
#include <string>

namespace kafkawire::net {

enum class scram_hash : std::uint8_t { sha256, sha512 };

/// What a server asks for that a client does not do: less than this is cheap to guess passwords with (RFC 7677, 4), more keeps a loop busy.
inline constexpr std::uint32_t scram_fewest_iterations = 4096, scram_most_iterations = 1'000'000;

class scram_fsm {
public:
    enum class state : std::uint8_t { started, deriving, proving, trusted, refused };

    /// `nonce`: printable characters without a comma that nobody can foresee; see scram_nonce(). `token`: user and password are those of a delegation
    /// token (KIP-48).
    scram_fsm(scram_hash hash, std::string_view user, secret password, std::string nonce, bool token = false);

    /// client-first-message.
    [[nodiscard]] const std::string& first() const noexcept { return first_; }
    /// Takes server-first-message. False: refused, see why().
    bool server_first(std::string_view message);
    /// Works for so many iterations at most; true when last() is ready. A thousand take about half a millisecond.
    bool derive(std::uint32_t iterations);
    /// client-final-message, with the proof.
    [[nodiscard]] const std::string& last() const noexcept { return last_; }
    /// Takes server-final-message. False: refused, see why(): whoever is there does not know the password.
    bool server_last(std::string_view message);

    [[nodiscard]] state where() const noexcept { return state_; }
    /// One sentence without a full stop, and without a secret.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }

    /// The values on the way, for golden vectors.
    struct derived {
        std::string salted_password, client_key, stored_key, server_key, client_proof, server_signature;
    };
    [[nodiscard]] const derived& values() const noexcept { return values_; }

    ~scram_fsm();
    scram_fsm(scram_fsm&&) noexcept = default;
    scram_fsm& operator=(scram_fsm&&) noexcept = default;

private:
    bool refuse(std::string why);
    void prove();

    scram_hash hash_;
    secret password_;
    std::string nonce_, first_bare_, first_, server_first_, last_;
    std::string salt_, full_nonce_;
    std::uint32_t iterations_ = 0, done_ = 0;
    std::string block_;                                  // U of the iteration done last
    derived values_;
    state state_ = state::started;
    std::string why_;
};

/// 24 random bytes of OpenSSL's, in base64. Empty if there are none: then nobody may be authenticated.
[[nodiscard]] std::string scram_nonce();

}  // namespace kafkawire::net
