#include "net/sasl_fsm.hpp"

namespace kafkawire::net {

namespace {

// About as many as a few milliseconds have room for, so that the loop serves others in between.
constexpr std::uint32_t iterations_at_a_time = 4096;

}  // namespace

std::string harmless(std::string_view text) {
    std::string s{text.substr(0, 300)};
    for (auto& c : s)
        if (c < ' ' || c > '~') c = '?';
    return s;
}

sasl_fsm::sasl_fsm(const sasl_settings& s, sasl_material m) : mechanism_{s.mechanism} {
    switch (mechanism_) {
        case sasl_mechanism::plain: {
            std::string all;  // authorization identity, user, password (RFC 4616)
            all.reserve(s.user.size() + s.password.reveal().size() + 2);
            all.append(1, '\0').append(s.user).append(1, '\0').append(s.password.reveal());
            say(all);
            for (volatile char& c : all) c = 0;
            break;
        }
        case sasl_mechanism::oauthbearer: {
            const auto token = m.token.value.reveal();
            if (token.empty() || token.find_first_of(std::string_view{"\0\1\r\n", 4}) != std::string_view::npos) {
                refuse("the token is empty, or has characters that no token has");
                break;
            }
            std::string all;  // RFC 7628, 3.1
            all.reserve(token.size() + 24);
            all.append("n,,\1auth=Bearer ").append(token).append("\1\1");
            say(all);
            for (volatile char& c : all) c = 0;
            break;
        }
        default:
            scram_.emplace(mechanism_ == sasl_mechanism::scram_sha_256 ? scram_hash::sha256 : scram_hash::sha512, s.user, s.password, std::move(m.nonce));
            if (scram_->where() == scram_fsm::state::refused) refuse(scram_->why());
            else say(scram_->first());
    }
}

sasl_fsm::next sasl_fsm::say(std::string_view what) {
    out_ = secret{what};
    return next_ = next::send;
}

sasl_fsm::next sasl_fsm::refuse(std::string why) {
    out_.wipe();
    why_ = std::move(why);
    return next_ = next::refused;
}

sasl_fsm::next sasl_fsm::answered(std::string_view bytes) {
    if (next_ != next::send) return refuse("the server answered what nobody had asked");
    out_.wipe();
    if (scram_) return answered_scram(bytes);
    if (mechanism_ == sasl_mechanism::oauthbearer) return answered_token(bytes);
    return next_ = next::trusted;
}

// A token is refused in two steps: the reason, which wants an answer of one byte, and only then the error (RFC 7628, 3.2.3).
sasl_fsm::next sasl_fsm::answered_token(std::string_view bytes) {
    if (token_refused_) return refuse(std::move(why_));
    if (bytes.empty()) return next_ = next::trusted;
    token_refused_ = true;
    why_ = "the broker refused the token: " + harmless(bytes);
    return say("\1");
}

sasl_fsm::next sasl_fsm::answered_scram(std::string_view bytes) {
    if (scram_->where() == scram_fsm::state::started) return scram_->server_first(bytes) ? next_ = next::work : refuse(scram_->why());
    return scram_->server_last(bytes) ? next_ = next::trusted : refuse(scram_->why());
}

sasl_fsm::next sasl_fsm::work() {
    if (next_ != next::work) return next_;
    if (scram_->derive(iterations_at_a_time)) return say(scram_->last());
    return scram_->where() == scram_fsm::state::refused ? refuse(scram_->why()) : next::work;
}

}  // namespace kafkawire::net
