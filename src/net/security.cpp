#include <kafkawire/security.hpp>

#include <algorithm>
#include <array>

#include "net/base64.hpp"

namespace kafkawire::inline v0_1 {

std::string_view to_string(sasl_mechanism m) noexcept {
    constexpr std::array<std::string_view, 4> names = {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"};
    return names[static_cast<std::size_t>(m) % names.size()];
}

std::string_view to_string(security_protocol p) noexcept {
    constexpr std::array<std::string_view, 4> names = {"plaintext", "ssl", "sasl_plaintext", "sasl_ssl"};
    return names[static_cast<std::size_t>(p) % names.size()];
}

bool built_with_openssl() noexcept {
#ifdef KAFKAWIRE_WITH_OPENSSL
    return true;
#else
    return false;
#endif
}

token_source unsecured_tokens(std::string principal, std::chrono::seconds lifetime) {
    return [principal = std::move(principal), lifetime](token_handler done) {
        const bool plain = !principal.empty() && std::all_of(principal.begin(), principal.end(), [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
        if (!plain) {
            error why;
            why.code = errc::bad_configuration;
            why.text = "the principal of an unsecured token is printable ASCII without quotes and backslashes";
            return done(std::move(why), {});
        }
        // JOSE has base64 of its own: two other characters, no padding (RFC 7515, 2).
        const auto encoded = [](std::string_view text) {
            auto s = net::to_base64(text);
            std::replace(s.begin(), s.end(), '+', '-');
            std::replace(s.begin(), s.end(), '/', '_');
            while (s.ends_with('=')) s.pop_back();
            return s;
        };
        const auto now = std::chrono::system_clock::now();
        const auto seconds = [](auto t) { return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(t.time_since_epoch()).count()); };
        const auto claims = "{\"sub\":\"" + principal + "\",\"iat\":" + seconds(now) + ",\"exp\":" + seconds(now + lifetime) + '}';
        done({}, {secret{encoded("{\"alg\":\"none\"}") + '.' + encoded(claims) + '.'}, now + lifetime});
    };
}

}  // namespace kafkawire::inline v0_1
