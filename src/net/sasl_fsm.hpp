// sasl_fsm: the client's side of one SASL exchange, whichever the mechanism: what SaslAuthenticate carries there and back.
// Owns: what it was given to show, until it is shown. Never: sends anything, goes over to another mechanism, shows a secret in a text.
// Driver: connection_fsm sends outgoing() and feeds the answers back; while it says work, work() is to be called from time to time.
#pragma once
#include "net/scram_fsm.hpp"

#include <kafkawire/security.hpp>

#include <optional>

namespace kafkawire::net {

/// Who a client is, but for its tokens.
struct sasl_settings {
    sasl_mechanism mechanism = sasl_mechanism::plain;
    std::string user{};
    secret password{};
};

/// What only the driver can get for one exchange: something that nobody can foresee, and a token for oauthbearer.
struct sasl_material {
    std::string nonce{};
    oauth_token token{};
};

class sasl_fsm {
public:
    enum class next : std::uint8_t {
        send,     ///< outgoing() is to be sent, and its answer to be given
        work,     ///< there is to be computed: work()
        trusted,  ///< the exchange is over, each side has shown what it had to
        refused,  ///< see why()
    };

    sasl_fsm(const sasl_settings& s, sasl_material m);

    /// Where it stands. Begins with send, or refused.
    [[nodiscard]] next where() const noexcept { return next_; }
    /// What is to be sent now.
    [[nodiscard]] std::string_view outgoing() const noexcept { return out_.reveal(); }
    /// The server's answer; it had no error code.
    next answered(std::string_view bytes);
    /// A few milliseconds' worth.
    next work();
    /// One sentence without a full stop, and without a secret.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }

private:
    next say(std::string_view what);
    next refuse(std::string why);
    next answered_token(std::string_view bytes);
    next answered_scram(std::string_view bytes);

    sasl_mechanism mechanism_;
    secret out_;
    std::optional<scram_fsm> scram_;
    bool token_refused_ = false;
    next next_ = next::refused;
    std::string why_;
};

/// What a peer says of itself, for a text that people read: cut, and without what could do harm there.
[[nodiscard]] std::string harmless(std::string_view text);

}  // namespace kafkawire::net
