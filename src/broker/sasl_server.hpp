// The broker's side of SASL: whom it knows, and where one connection stands between a stranger and somebody it believes.
// Owns: passwords and what SCRAM keeps instead of them; of a connection, the exchange that is under way. Never: does I/O, reads a clock, tells in a
// failure whether the name or the password was wrong.
// Its SCRAM is written against OpenSSL's PBKDF2, not with the client's parts, so that each of the two is a judge of the other.
#pragma once
#include <kafkawire/broker/options.hpp>
#include <kafkawire/protocol/messages/17_sasl_handshake.hpp>
#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>

#include <functional>
#include <map>
#include <optional>

#include "broker/clock.hpp"

namespace kafkawire::broker {

inline constexpr std::int16_t sasl_handshake_key = 17, sasl_authenticate_key = 36;

/// Empty: listeners can be like that.
[[nodiscard]] std::string refuse_security(const options& o);

class accounts {
public:
    explicit accounts(listener_security s);

    [[nodiscard]] const listener_security& security() const noexcept { return security_; }
    [[nodiscard]] bool offers(sasl_mechanism m) const noexcept;
    [[nodiscard]] const secret* password_of(std::string_view user) const noexcept;
    void set_password(std::string_view user, const secret& password);

    /// What SCRAM keeps of a password.
    struct scram_keys {
        std::string salt, stored_key, server_key;
    };
    /// Null: no such user.
    [[nodiscard]] const scram_keys* scram(sasl_mechanism m, std::string_view user, const std::function<std::uint64_t()>& random);

private:
    listener_security security_;
    std::map<std::string, secret, std::less<>> passwords_;
    std::map<std::pair<sasl_mechanism, std::string>, scram_keys> keys_;
};

class sasl_session {
public:
    /// Whether a request of that API may be answered now.
    [[nodiscard]] bool may(std::int16_t key, net::time_point now) const noexcept;
    [[nodiscard]] protocol::messages::sasl_handshake_response handshake(const accounts& known, const protocol::messages::sasl_handshake_request& request);
    [[nodiscard]] protocol::messages::sasl_authenticate_response authenticate(accounts& known, const protocol::messages::sasl_authenticate_request& request, std::int16_t version,
                                                                              moment now, const std::function<std::uint64_t()>& random);
    /// The connection is to be closed when the answer has gone out.
    [[nodiscard]] bool failed() const noexcept { return failed_; }

private:
    struct verdict {
        bool believed = false, done = false;
        std::string say{};                                  // to the client
        std::string why{};                                  // it is not believed
        std::optional<net::wall_time> until{};              // no longer than that
    };
    verdict plain(const accounts& known, std::string_view bytes);
    verdict scram_first(accounts& known, std::string_view bytes, const std::function<std::uint64_t()>& random);
    verdict scram_last(accounts& known, std::string_view bytes);
    verdict token(std::string_view bytes, net::wall_time now);

    std::optional<sasl_mechanism> mechanism_;               // between SaslHandshake and the end of the exchange
    bool believed_ = false, failed_ = false;
    std::optional<net::time_point> expires_;
    std::string user_;                                      // who was believed, or wants to be
    std::string nonce_, without_proof_, first_bare_, server_first_;  // of SCRAM
    std::string refused_token_;                             // why
};

}  // namespace kafkawire::broker
