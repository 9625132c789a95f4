#include "broker/sasl_server.hpp"

#ifdef KAFKAWIRE_WITH_OPENSSL
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#endif

#include <algorithm>
#include <charconv>

namespace kafkawire::broker {

namespace {

constexpr std::int16_t unsupported_sasl_mechanism = 33, illegal_sasl_state = 34, sasl_authentication_failed = 58;
constexpr std::size_t longest_word = 4096;

bool is_scram(sasl_mechanism m) { return m == sasl_mechanism::scram_sha_256 || m == sasl_mechanism::scram_sha_512; }

// Takes "x=..." up to the next comma off the front.
std::optional<std::string> attribute(std::string_view& rest, char name) {
    if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return {};
    const auto end = std::min(rest.find(','), rest.size());
    std::string value{rest.substr(2, end - 2)};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return value;
}

std::string unescaped(std::string_view name) {
    std::string s;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name.substr(i, 3) == "=2C") s += ',', i += 2;
        else if (name.substr(i, 3) == "=3D") s += '=', i += 2;
        else s += name[i];
    }
    return s;
}

// JOSE's base64 (RFC 7515, 2).
std::optional<std::string> from_base64url(std::string_view text) {
    std::string bytes;
    std::uint32_t held = 0;
    int bits = 0;
    for (const char c : text) {
        const int v = c >= 'A' && c <= 'Z' ? c - 'A' : c >= 'a' && c <= 'z' ? c - 'a' + 26 : c >= '0' && c <= '9' ? c - '0' + 52 : c == '-' ? 62 : c == '_' ? 63 : -1;
        if (v < 0) return {};
        held = (held << 6 | static_cast<std::uint32_t>(v)) & 0xffff;
        bits += 6;
        if (bits >= 8) bytes.push_back(static_cast<char>(held >> (bits -= 8) & 0xff));
    }
    return bytes;
}

// The value of "name": in a flat JSON object, without its quotes. Enough for tokens that tests make.
std::string_view claim(std::string_view json, std::string_view name) {
    const auto key = '"' + std::string{name} + "\":";
    const auto at = json.find(key);
    if (at == std::string_view::npos) return {};
    json.remove_prefix(at + key.size());
    if (json.starts_with('"')) return json.substr(1, std::min(json.find('"', 1), json.size()) - 1);
    return json.substr(0, json.find_first_of(",}"));
}

#ifdef KAFKAWIRE_WITH_OPENSSL
const EVP_MD* hash_of(sasl_mechanism m) { return m == sasl_mechanism::scram_sha_256 ? EVP_sha256() : EVP_sha512(); }
const unsigned char* octets(std::string_view s) { return reinterpret_cast<const unsigned char*>(s.data()); }

std::string keyed(const EVP_MD* hash, std::string_view key, std::string_view text) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    HMAC(hash, key.data(), static_cast<int>(key.size()), octets(text), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size);
    out.resize(size);
    return out;
}
std::string hashed(const EVP_MD* hash, std::string_view text) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(out.data()), &size, hash, nullptr);
    out.resize(size);
    return out;
}
std::string base64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets(bytes), static_cast<int>(bytes.size()))));
    return out;
}
std::string from_base64(std::string_view text) {
    std::string out(text.size() / 4 * 3 + 3, '\0');
    const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets(text), static_cast<int>(text.size()));
    const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
    out.resize(n < 0 || static_cast<std::size_t>(n) < padding ? 0 : static_cast<std::size_t>(n) - padding);
    return out;
}
bool alike(std::string_view a, std::string_view b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }
#endif

}  // namespace

std::string refuse_security(const options& o) {
    const auto& s = o.security;
    if (has_tls(s.protocol) && !built_with_openssl()) return "an embedded cluster cannot have TLS: this library was built without OpenSSL";
    if (!has_sasl(s.protocol)) return {};
    if (s.mechanisms.empty()) return "an embedded cluster with SASL offers at least one mechanism";
    for (const auto m : s.mechanisms) {
        if (is_scram(m) && !built_with_openssl()) return "an embedded cluster cannot offer SCRAM: this library was built without OpenSSL";
        if (m != sasl_mechanism::oauthbearer) continue;
        if (!s.insecure_test_tokens) return "an embedded cluster believes every token: it offers OAUTHBEARER only with insecure_test_tokens";
        const auto away = [](const std::string& host) { return !host.starts_with("127.") && host != "::1"; };
        if (away(o.host) || std::any_of(o.hosts.begin(), o.hosts.end(), away)) return "an embedded cluster believes every token: it offers OAUTHBEARER only on the loopback interface";
    }
    return {};
}

accounts::accounts(listener_security s) : security_{std::move(s)} {
    for (const auto& u : security_.users) passwords_.insert_or_assign(u.name, u.password);
}

bool accounts::offers(sasl_mechanism m) const noexcept { return std::find(security_.mechanisms.begin(), security_.mechanisms.end(), m) != security_.mechanisms.end(); }

const secret* accounts::password_of(std::string_view user) const noexcept {
    const auto found = passwords_.find(user);
    return found == passwords_.end() ? nullptr : &found->second;
}

void accounts::set_password(std::string_view user, const secret& password) {
    if (password.empty()) passwords_.erase(std::string{user});
    else passwords_.insert_or_assign(std::string{user}, password);
    std::erase_if(keys_, [&](const auto& k) { return k.first.second == user; });
}

const accounts::scram_keys* accounts::scram(sasl_mechanism m, std::string_view user, const std::function<std::uint64_t()>& random) {
    const auto* password = password_of(user);
    if (!password) return nullptr;
    const std::pair key{m, std::string{user}};
    if (const auto found = keys_.find(key); found != keys_.end()) return &found->second;
    scram_keys k;
#ifdef KAFKAWIRE_WITH_OPENSSL
    for (int i = 0; i < 3; ++i) {
        const auto word = random();
        for (int b = 0; b < 8; ++b) k.salt.push_back(static_cast<char>(word >> (8 * b) & 0xff));
    }
    const auto* hash = hash_of(m);
    const auto text = password->reveal();
    std::string salted(static_cast<std::size_t>(EVP_MD_get_size(hash)), '\0');
    PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), octets(k.salt), static_cast<int>(k.salt.size()), static_cast<int>(security_.scram_iterations), hash,
                      static_cast<int>(salted.size()), reinterpret_cast<unsigned char*>(salted.data()));
    k.stored_key = hashed(hash, keyed(hash, salted, "Client Key"));
    k.server_key = keyed(hash, salted, "Server Key");
#else
    static_cast<void>(random);
#endif
    return &keys_.emplace(key, std::move(k)).first->second;
}

// In the middle of an exchange nothing else is answered; before the first, the versions; after a session's end, only the next exchange.
bool sasl_session::may(std::int16_t key, net::time_point now) const noexcept {
    if (key == sasl_authenticate_key) return mechanism_.has_value();
    if (mechanism_) return false;
    if (key == sasl_handshake_key) return true;
    if (!believed_) return key == 18;
    return !expires_ || now < *expires_;
}

protocol::messages::sasl_handshake_response sasl_session::handshake(const accounts& known, const protocol::messages::sasl_handshake_request& request) {
    protocol::messages::sasl_handshake_response answer;
    for (const auto m : known.security().mechanisms) {
        answer.mechanisms.emplace_back(to_string(m));
        if (to_string(m) == request.mechanism) mechanism_ = m;
    }
    if (!mechanism_) {
        answer.error_code = unsupported_sasl_mechanism;
        failed_ = true;
    }
    nonce_.clear();
    refused_token_.clear();
    return answer;
}

protocol::messages::sasl_authenticate_response sasl_session::authenticate(accounts& known, const protocol::messages::sasl_authenticate_request& request, std::int16_t version, moment now,
                                                                          const std::function<std::uint64_t()>& random) {
    protocol::messages::sasl_authenticate_response answer;
    answer.error_message.reset();
    const auto before = user_;
    std::string_view bytes{reinterpret_cast<const char*>(request.auth_bytes.data()), request.auth_bytes.size()};
    if (bytes.size() > 64 * longest_word) bytes = {};
    verdict v;
    if (!mechanism_) v = {.why = "SaslHandshake comes first"};
    else if (*mechanism_ == sasl_mechanism::plain) v = plain(known, bytes);
    else if (*mechanism_ == sasl_mechanism::oauthbearer) v = token(bytes, now.wall);
    else v = nonce_.empty() ? scram_first(known, bytes, random) : scram_last(known, bytes);
    if (v.why.empty() && v.believed && believed_ && before != user_) v = {.why = "Cannot change principals during re-authentication"};
    if (!v.why.empty()) {
        answer.error_code = mechanism_ ? sasl_authentication_failed : illegal_sasl_state;
        answer.error_message = v.why;
        failed_ = true;
        return answer;
    }
    for (const char c : v.say) answer.auth_bytes.push_back(static_cast<std::byte>(c));
    if (!v.believed) return answer;
    believed_ = true;
    mechanism_.reset();
    expires_.reset();
    auto lifetime = known.security().session_lifetime;
    if (v.until) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*v.until - now.wall);
        if (lifetime.count() == 0 || left < lifetime) lifetime = left;
    }
    if (lifetime.count() > 0 && version >= 1) {
        expires_ = now.steady + lifetime;
        answer.session_lifetime_ms = lifetime.count();
    }
    return answer;
}

sasl_session::verdict sasl_session::plain(const accounts& known, std::string_view bytes) {
    const auto first = bytes.find('\0');
    const auto second = first == std::string_view::npos ? first : bytes.find('\0', first + 1);
    if (second == std::string_view::npos) return {.why = "Invalid SASL/PLAIN response"};
    const auto user = bytes.substr(first + 1, second - first - 1);
    const auto* password = known.password_of(user);
    if (!password || !password->same_as(secret{bytes.substr(second + 1)})) return {.why = "Authentication failed: Invalid username or password"};
    user_ = user;
    return {.believed = true};
}

sasl_session::verdict sasl_session::scram_first(accounts& known, std::string_view bytes, const std::function<std::uint64_t()>& random) {
    const verdict refused{.why = "Authentication failed during authentication due to invalid credentials with SASL mechanism " + std::string{to_string(*mechanism_)}};
    if (!bytes.starts_with("n,,") || bytes.size() > longest_word) return refused;
    auto rest = bytes.substr(3);
    first_bare_ = rest;
    const auto user = attribute(rest, 'n');
    const auto nonce = attribute(rest, 'r');
    if (!user || !nonce || nonce->empty()) return refused;
    user_ = unescaped(*user);
    const auto* keys = known.scram(*mechanism_, user_, random);
    if (!keys) return refused;
#ifdef KAFKAWIRE_WITH_OPENSSL
    nonce_ = *nonce + std::to_string(random());
    server_first_ = "r=" + nonce_ + ",s=" + base64(keys->salt) + ",i=" + std::to_string(known.security().scram_iterations);
#endif
    return {.say = server_first_};
}

sasl_session::verdict sasl_session::scram_last(accounts& known, std::string_view bytes) {
    const verdict refused{.why = "Authentication failed during authentication due to invalid credentials with SASL mechanism " + std::string{to_string(*mechanism_)}};
#ifdef KAFKAWIRE_WITH_OPENSSL
    const auto* keys = known.scram(*mechanism_, user_, [] { return std::uint64_t{}; });
    const auto proof_at = bytes.rfind(",p=");
    if (!keys || proof_at == std::string_view::npos || bytes.substr(0, proof_at) != "c=biws,r=" + nonce_) return refused;
    const auto* hash = hash_of(*mechanism_);
    const auto all = first_bare_ + ',' + server_first_ + ',' + std::string{bytes.substr(0, proof_at)};
    auto key = from_base64(bytes.substr(proof_at + 3));
    const auto signature = keyed(hash, keys->stored_key, all);
    if (key.size() != signature.size()) return refused;
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<char>(key[i] ^ signature[i]);
    if (!alike(hashed(hash, key), keys->stored_key)) return refused;
    nonce_.clear();
    return {.believed = true, .say = "v=" + base64(keyed(hash, keys->server_key, all))};
#else
    static_cast<void>(known);
    static_cast<void>(bytes);
    return refused;
#endif
}

// A token is refused in two steps, as RFC 7628 has it: the reason first, the error when the client has answered that.
sasl_session::verdict sasl_session::token(std::string_view bytes, net::wall_time now) {
    if (!refused_token_.empty()) return {.why = refused_token_};
    const auto refuse = [&](std::string why) {
        refused_token_ = std::move(why);
        return verdict{.say = "{\"status\":\"invalid_token\"}"};
    };
    constexpr std::string_view before = "n,,\1auth=Bearer ";
    if (!bytes.starts_with(before) || !bytes.ends_with("\1\1")) return {.why = "Invalid OAUTHBEARER client first message"};
    auto text = bytes.substr(before.size(), bytes.size() - before.size() - 2);
    const auto first = text.find('.');
    const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
    if (second == std::string_view::npos) return refuse("{\"status\":\"invalid_token\"}");
    const auto claims = from_base64url(text.substr(first + 1, second - first - 1));
    if (!claims) return refuse("{\"status\":\"invalid_token\"}");
    const auto subject = claim(*claims, "sub");
    const auto until = claim(*claims, "exp");
    std::int64_t seconds = 0;
    const auto [end, ec] = std::from_chars(until.data(), until.data() + until.size(), seconds);
    if (subject.empty() || ec != std::errc{} || seconds < 0 || seconds > 100'000'000'000) return refuse("{\"status\":\"invalid_token\"}");
    static_cast<void>(end);
    const auto expires = net::wall_time{} + std::chrono::seconds{std::min<std::int64_t>(seconds, 9'000'000'000)};
    if (expires <= now) return refuse("{\"status\":\"invalid_token\"}");
    user_ = subject;
    return {.believed = true, .until = expires};
}

}  // namespace kafkawire::broker
