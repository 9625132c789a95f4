// credentials: what all connections of a client show, and whom they trust. Reads certificates (again, when their files have changed), asks the
// application for tokens, one call at a time. Always held by a shared_ptr.
// Owns: the certificates as they were read last, the token that is good now. Never: gives a token away that is about to expire.
#pragma once
#include <kafkawire/environment.hpp>

#include <filesystem>

#include "net/tls_session.hpp"

namespace kafkawire::net {

class credentials : public std::enable_shared_from_this<credentials> {
public:
    struct settings {
        tls_settings tls{};
        std::chrono::milliseconds reload{60'000};           ///< 0: certificates are read once
        token_source tokens{};
    };

    credentials(std::shared_ptr<environment> env, settings s) : env_{std::move(env)}, settings_{std::move(s)} {}

    /// For a new connection. Null: `why` says which file or option is wrong. Files that cannot be read when they have changed are tried again later;
    /// until then what was read before serves.
    [[nodiscard]] std::shared_ptr<const tls_context> tls(error& why);
    /// Of our own certificate, as it was read last.
    [[nodiscard]] std::optional<wall_time> own_certificate_expires() const noexcept { return context_ ? context_->expires() : std::nullopt; }
    /// Why changed files could not be read; empty when all is well.
    [[nodiscard]] const error& reload_error() const noexcept { return reload_error_; }

    using token_taker = unique_function<void(error why, oauth_token token)>;
    /// Told later, never inside this.
    void async_token(token_taker done);
    /// The broker did not believe us: the next one who asks gets another token.
    void forget_token() { token_.reset(); }

private:
    struct stamp {
        std::filesystem::file_time_type changed{};
        std::uintmax_t size = 0;
        friend bool operator==(const stamp&, const stamp&) = default;
    };
    [[nodiscard]] std::vector<stamp> stamps() const;
    void ask();
    void got(std::uint64_t which, error why, oauth_token token);

    std::shared_ptr<environment> env_;
    settings settings_;
    std::shared_ptr<const tls_context> context_;
    std::vector<stamp> stamps_;                             // of the files that context_ was made from
    time_point looked_{};
    error reload_error_;

    std::optional<oauth_token> token_;
    wall_time renew_at_{};
    std::vector<token_taker> takers_;
    std::uint64_t asked_ = 0;                               // times; what comes of an earlier one is too late
    std::optional<time_point> asking_since_;
};

}  // namespace kafkawire::net
