#include "broker/listener_words.hpp"

#include <kafkawire/options.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>

namespace kafkawire::broker {

namespace {

constexpr std::size_t longest_file = 1u << 20;

std::string in_quotes(std::string_view text) { return '"' + std::string{text.substr(0, 100)} + '"'; }

std::string small_letters(std::string_view text) {
    std::string s{text};
    for (auto& c : s)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return s;
}

template <class Names>
std::optional<std::int64_t> value_among(const Names& names, std::string_view word) {
    for (const auto& n : names)
        if (n.name == small_letters(word)) return n.value;
    return {};
}

// What the words alone say.
std::string take_words(const listener_words& w, listener_security& to) {
    if (const auto p = value_among(security_protocol_names, w.protocol.empty() ? "plaintext" : w.protocol)) to.protocol = static_cast<security_protocol>(*p);
    else return "security " + in_quotes(w.protocol) + " is none of plaintext, ssl, sasl_plaintext, sasl_ssl";
    if (has_tls(to.protocol) && w.certificate.empty()) return "security " + w.protocol + " needs a certificate";
    if (!has_tls(to.protocol) && !(w.certificate.empty() && w.key.empty() && w.client_ca.empty())) return "a certificate, a key or a client_ca is for security ssl or sasl_ssl";
    const bool of_sasl = !w.mechanisms.empty() || !w.users.empty() || w.test_tokens || !w.session_lifetime.empty();
    if (!has_sasl(to.protocol)) return of_sasl ? "mechanisms, users, test_tokens and session_lifetime are for security sasl_plaintext or sasl_ssl" : "";
    std::string_view rest = w.mechanisms;
    while (!rest.empty()) {
        const auto one = rest.substr(0, rest.find(','));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        const auto m = value_among(sasl_mechanism_names, one);
        if (!m) return "mechanism " + in_quotes(one) + " is none of plain, scram-sha-256, scram-sha-512, oauthbearer";
        to.mechanisms.push_back(static_cast<sasl_mechanism>(*m));
    }
    if (to.mechanisms.empty() && !w.users.empty()) {
        to.mechanisms = {sasl_mechanism::plain};
        if (built_with_openssl()) to.mechanisms.insert(to.mechanisms.end(), {sasl_mechanism::scram_sha_256, sasl_mechanism::scram_sha_512});
    }
    const auto offers = [&](sasl_mechanism m) { return std::find(to.mechanisms.begin(), to.mechanisms.end(), m) != to.mechanisms.end(); };
    if (w.test_tokens && !offers(sasl_mechanism::oauthbearer)) to.mechanisms.push_back(sasl_mechanism::oauthbearer);
    if (offers(sasl_mechanism::oauthbearer) && !w.test_tokens) return "mechanism oauthbearer needs test_tokens: an embedded cluster believes every token";
    const bool passwords = to.mechanisms.size() > (w.test_tokens ? 1u : 0u);
    if (passwords == w.users.empty()) return passwords ? "mechanisms with passwords need users" : "users are for plain, scram-sha-256 and scram-sha-512";
    if (to.mechanisms.empty()) return "security " + w.protocol + " needs users, or test_tokens";
    to.insecure_test_tokens = w.test_tokens;
    if (!w.session_lifetime.empty()) {
        std::int32_t ms = 0;
        const auto* const end = w.session_lifetime.data() + w.session_lifetime.size();
        const auto [at, ec] = std::from_chars(w.session_lifetime.data(), end, ms);
        if (ec != std::errc{} || at != end || ms < 1) return "session_lifetime " + in_quotes(w.session_lifetime) + " is no number of milliseconds";
        to.session_lifetime = std::chrono::milliseconds{ms};
    }
    return {};
}

// Nothing: it cannot be read, or is too long for what it should be.
std::optional<secret> contents_of(const std::string& file) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in{std::fopen(file.c_str(), "rb"), std::fclose};
    if (!in) return {};
    std::string text(longest_file + 1, '\0');
    const auto n = std::fread(text.data(), 1, text.size(), in.get());
    std::optional<secret> got;
    if (!std::ferror(in.get()) && n <= longest_file) got.emplace(std::string_view{text}.substr(0, n));
    for (volatile char& c : text) c = 0;
    return got;
}

std::string read_text(const std::string& file, std::string& to) {
    if (file.empty()) return {};
    const auto got = contents_of(file);
    if (!got) return file + " cannot be read";
    to = got->reveal();
    return {};
}

std::string read_users(const std::string& file, std::vector<user_spec>& to) {
    if (file.empty()) return {};
    const auto got = contents_of(file);
    if (!got) return file + " cannot be read";
    auto rest = got->reveal();
    for (std::size_t line = 1; !rest.empty(); ++line) {
        auto one = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), one.size() + 1));
        if (one.ends_with('\r')) one.remove_suffix(1);
        if (one.empty() || one.starts_with('#')) continue;
        const auto colon = one.find(':');
        if (colon == 0 || colon == one.npos || colon + 1 == one.size()) return file + ':' + std::to_string(line) + ": NAME:PASSWORD would be right";
        to.push_back({std::string{one.substr(0, colon)}, secret{one.substr(colon + 1)}});
    }
    return to.empty() ? file + " names no users" : "";
}

}  // namespace

std::string refuse_listener(const listener_words& w) {
    listener_security s;
    return take_words(w, s);
}

std::string read_listener(const listener_words& w, listener_security& to) {
    listener_security s;
    if (auto wrong = take_words(w, s); !wrong.empty()) return wrong;
    if (auto wrong = read_text(w.certificate, s.certificate); !wrong.empty()) return wrong;
    if (auto wrong = read_text(w.client_ca, s.client_ca); !wrong.empty()) return wrong;
    if (!w.certificate.empty()) {
        auto key = contents_of(w.key.empty() ? w.certificate : w.key);
        if (!key) return w.key + " cannot be read";
        s.key = std::move(*key);
    }
    if (auto wrong = read_users(w.users, s.users); !wrong.empty()) return wrong;
    to = std::move(s);
    return {};
}

}  // namespace kafkawire::broker
