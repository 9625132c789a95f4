#include "net/credentials.hpp"

#include <exception>
#include <utility>

namespace kafkawire::net {

namespace {
constexpr std::chrono::seconds skew{30};                    // a clock may be wrong by so much, and a token be on its way for so long
constexpr std::chrono::seconds patience_with_source{30};    // whoever asks then asks the source once more
}  // namespace

std::vector<credentials::stamp> credentials::stamps() const {
    std::vector<stamp> all;
    for (const auto* name : {&settings_.tls.ca_file, &settings_.tls.ca_folder, &settings_.tls.certificate_file, &settings_.tls.key_file}) {
        auto& s = all.emplace_back();
        if (name->empty()) continue;
        std::error_code ec;
        const auto changed = std::filesystem::last_write_time(*name, ec);
        if (!ec) s.changed = changed;
        const auto size = std::filesystem::is_regular_file(*name, ec) ? std::filesystem::file_size(*name, ec) : 0;
        if (!ec) s.size = size;
    }
    return all;
}

std::shared_ptr<const tls_context> credentials::tls(error& why) {
    const auto now = env_->now();
    if (context_ && (settings_.reload.count() <= 0 || now - looked_ < settings_.reload)) return context_;
    looked_ = now;
    auto are = stamps();
    if (context_ && are == stamps_) return context_;
    error wrong;
    if (auto fresh = tls_context::make(settings_.tls, wrong)) {
        context_ = std::move(fresh);
        stamps_ = std::move(are);
        reload_error_ = {};
        return context_;
    }
    reload_error_ = wrong;
    if (!context_) why = std::move(wrong);
    return context_;
}

void credentials::async_token(token_taker done) {
    takers_.push_back(std::move(done));
    if (token_ && env_->wall_now() < renew_at_) {
        env_->post([self = shared_from_this()] {
            for (auto& t : std::exchange(self->takers_, {}))
                if (self->token_) t({}, *self->token_);
                else self->takers_.push_back(std::move(t));
            if (!self->takers_.empty()) self->ask();
        });
        return;
    }
    // The source may have forgotten us.
    if (asking_since_ && env_->now() - *asking_since_ < patience_with_source) return;
    ask();
}

void credentials::ask() {
    asking_since_ = env_->now();
    const auto which = ++asked_;
    token_handler answer = [env = env_, self = weak_from_this(), which](error why, oauth_token token) {
        env->post([self, which, why = std::move(why), token = std::move(token)]() mutable {
            if (const auto alive = self.lock()) alive->got(which, std::move(why), std::move(token));
        });
    };
    env_->post([self = shared_from_this(), which, answer = std::move(answer)]() mutable {
        error why;
        try {
            return self->settings_.tokens(std::move(answer));
        } catch (const std::exception& e) {
            why.text = e.what();
        }
        why.code = errc::authentication_failed;
        why.in = phase::sasl;
        self->got(which, std::move(why), {});
    });
}

void credentials::got(std::uint64_t which, error why, oauth_token token) {
    if (which != asked_ || !asking_since_) return;
    asking_since_.reset();
    const auto now = env_->wall_now();
    if (!why && token.expires <= now + skew) {
        why.code = errc::authentication_failed;
        why.in = phase::sasl;
        why.text = "the token source gave a token that has expired, or is about to";
        why.hint = "it is to be good for longer than 30 s; is this machine's clock right?";
    }
    if (!why) {
        constexpr auto longest = std::chrono::hours{24 * 3650};
        const auto good_for = std::min<wall_time::duration>(token.expires - now, longest);
        renew_at_ = now + std::min(good_for * 4 / 5, good_for - wall_time::duration{skew});
        token_ = token;
    }
    for (auto& t : std::exchange(takers_, {})) t(why, token);
}

}  // namespace kafkawire::net
