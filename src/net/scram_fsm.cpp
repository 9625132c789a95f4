#include "net/scram_fsm.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "net/base64.hpp"

namespace kafkawire::net {

namespace {

constexpr std::size_t longest_nonce = 1024;

const EVP_MD* digest_of(scram_hash h) { return h == scram_hash::sha256 ? EVP_sha256() : EVP_sha512(); }

std::string hash_of(scram_hash h, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), out.data(), &size, digest_of(h), nullptr);
    return {reinterpret_cast<const char*>(out.data()), size};
}

struct context_deleter {
    void operator()(EVP_MD_CTX* c) const noexcept { EVP_MD_CTX_free(c); }
};
using digest_context = std::unique_ptr<EVP_MD_CTX, context_deleter>;

// HMAC (RFC 2104) under one key, whose part of the work is done once for many texts.
class keyed_hash {
public:
    keyed_hash(scram_hash h, std::string_view key) : digest_{digest_of(h)} {
        for (auto* c : {&inner_, &outer_, &work_}) {
            c->reset(EVP_MD_CTX_new());
            well_ = well_ && *c;
        }
        const auto block = static_cast<std::size_t>(EVP_MD_block_size(digest_));
        std::string pad{key};
        if (pad.size() > block) pad = hash_of(h, key);
        pad.resize(block);
        for (auto& c : pad) c = static_cast<char>(c ^ 0x36);
        well_ = well_ && begin(*inner_, pad);
        for (auto& c : pad) c = static_cast<char>(c ^ 0x36 ^ 0x5c);
        well_ = well_ && begin(*outer_, pad);
        OPENSSL_cleanse(pad.data(), pad.size());
    }
    [[nodiscard]] bool well() const noexcept { return well_; }
    void of(std::string_view text, std::string& into) {
        std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
        unsigned size = 0;
        well_ = well_ && EVP_MD_CTX_copy_ex(work_.get(), inner_.get()) == 1 && EVP_DigestUpdate(work_.get(), text.data(), text.size()) == 1 &&
                EVP_DigestFinal_ex(work_.get(), out.data(), &size) == 1 && EVP_MD_CTX_copy_ex(work_.get(), outer_.get()) == 1 &&
                EVP_DigestUpdate(work_.get(), out.data(), size) == 1 && EVP_DigestFinal_ex(work_.get(), out.data(), &size) == 1;
        into.assign(reinterpret_cast<const char*>(out.data()), size);
    }

private:
    bool begin(EVP_MD_CTX& c, std::string_view pad) const { return EVP_DigestInit_ex(&c, digest_, nullptr) == 1 && EVP_DigestUpdate(&c, pad.data(), pad.size()) == 1; }

    const EVP_MD* digest_;
    digest_context inner_, outer_, work_;
    bool well_ = true;
};

std::string hmac(scram_hash h, std::string_view key, std::string_view text) {
    std::string made;
    keyed_hash{h, key}.of(text, made);
    return made;
}

void mix(std::string& into, std::string_view with) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = static_cast<char>(into[i] ^ with[i]);
}

void wipe(std::string& s) {
    OPENSSL_cleanse(s.data(), s.size());
    s.clear();
}

// saslname (RFC 5802, 5.1): what separates attributes is written in another way.
std::string escaped(std::string_view user) {
    std::string text;
    for (const char c : user) {
        if (c == ',') text += "=2C";
        else if (c == '=') text += "=3D";
        else text += c;
    }
    return text;
}

bool printable(std::string_view nonce) {
    return std::all_of(nonce.begin(), nonce.end(), [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

// The value of the attribute that comes next, which must be `name`; takes it off `rest`.
bool take(std::string_view& rest, char name, std::string_view& value) {
    if (rest.size() < 2 || rest[0] != name || rest[1] != '=') return false;
    const auto comma = std::min(rest.find(','), rest.size());
    value = rest.substr(2, comma - 2);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    return true;
}

// What a server says of itself goes into a text for people only where it cannot do harm there.
std::string shown(std::string_view text) {
    std::string s{text.substr(0, 80)};
    for (auto& c : s)
        if (c < ' ' || c > '~') c = '?';
    return '"' + s + '"';
}

}  // namespace

std::string scram_nonce() {
    std::array<unsigned char, 24> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return {};
    return to_base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

scram_fsm::scram_fsm(scram_hash hash, std::string_view user, secret password, std::string nonce, bool token)
    : hash_{hash}, password_{std::move(password)}, nonce_{std::move(nonce)}, first_bare_{"n=" + escaped(user) + ",r=" + nonce_ + (token ? ",tokenauth=true" : "")},
      first_{"n,," + first_bare_} {
    if (nonce_.empty() || !printable(nonce_)) refuse("there is no nonce to begin with");
}

scram_fsm::~scram_fsm() {
    for (auto* s : {&block_, &values_.salted_password, &values_.client_key, &values_.stored_key, &values_.server_key, &values_.client_proof, &values_.server_signature, &last_}) wipe(*s);
}

bool scram_fsm::refuse(std::string why) {
    state_ = state::refused;
    why_ = std::move(why);
    password_.wipe();
    return false;
}

bool scram_fsm::server_first(std::string_view message) {
    if (state_ != state::started) return refuse("the server began a second time");
    if (message.starts_with("e=")) return refuse("the server refused the user: " + shown(message.substr(2)));
    if (message.starts_with("m=")) return refuse("the server wants an extension of SCRAM that nobody knows");
    auto rest = message;
    std::string_view nonce, salt, count;
    if (!take(rest, 'r', nonce) || !take(rest, 's', salt) || !take(rest, 'i', count) || !rest.empty() || message.ends_with(','))
        return refuse("the server's first message is not of the form r=...,s=...,i=...");
    if (nonce.size() > longest_nonce || !printable(nonce)) return refuse("the server's nonce is too long, or has characters that it may not have");
    if (!nonce.starts_with(nonce_)) return refuse("the server's nonce does not begin with ours: it answers somebody else");
    if (nonce.size() == nonce_.size()) return refuse("the server has added nothing to our nonce");
    auto bytes = from_base64(salt);
    if (!bytes || bytes->empty()) return refuse("the server's salt is no base64");
    const auto [end, ec] = std::from_chars(count.data(), count.data() + count.size(), iterations_);
    if (ec != std::errc{} || end != count.data() + count.size() || count.front() == '0') return refuse("the server's number of iterations is none");
    if (iterations_ < scram_fewest_iterations)
        return refuse("the server asks for " + std::to_string(iterations_) + " iterations, fewer than " + std::to_string(scram_fewest_iterations) + ": the proof would give the password away");
    if (iterations_ > scram_most_iterations)
        return refuse("the server asks for " + std::to_string(iterations_) + " iterations, more than " + std::to_string(scram_most_iterations));
    server_first_ = message;
    full_nonce_ = nonce;
    salt_ = std::move(*bytes);
    state_ = state::deriving;
    return true;
}

// Hi() of RFC 5802, which is PBKDF2 for one block: each U is the HMAC of the one before, all of them mixed.
bool scram_fsm::derive(std::uint32_t iterations) {
    if (state_ != state::deriving) return state_ == state::proving;
    const auto key = password_.reveal();
    if (done_ == 0) {
        block_ = hmac(hash_, key, salt_ + std::string{"\0\0\0\1", 4});
        values_.salted_password = block_;
        done_ = 1;
        if (iterations > 0) --iterations;
    }
    keyed_hash keyed{hash_, key};
    for (; keyed.well() && iterations > 0 && done_ < iterations_; --iterations, ++done_) {
        keyed.of(block_, block_);
        mix(values_.salted_password, block_);
    }
    if (!keyed.well() || block_.empty()) return refuse("OpenSSL cannot compute this hash");
    if (done_ < iterations_) return false;
    prove();
    return true;
}

void scram_fsm::prove() {
    auto& v = values_;
    v.client_key = hmac(hash_, v.salted_password, "Client Key");
    v.stored_key = hash_of(hash_, v.client_key);
    v.server_key = hmac(hash_, v.salted_password, "Server Key");
    const auto without_proof = "c=biws,r=" + full_nonce_;
    const auto all = first_bare_ + ',' + server_first_ + ',' + without_proof;
    v.client_proof = hmac(hash_, v.stored_key, all);
    mix(v.client_proof, v.client_key);
    v.server_signature = hmac(hash_, v.server_key, all);
    last_ = without_proof + ",p=" + to_base64(v.client_proof);
    password_.wipe();
    wipe(block_);
    state_ = state::proving;
}

bool scram_fsm::server_last(std::string_view message) {
    if (state_ != state::proving) return refuse("the server ended what had not begun");
    if (message.starts_with("e=")) return refuse("the server refused the proof: " + shown(message.substr(2)));
    auto rest = message;
    std::string_view signature;
    const auto& ours = values_.server_signature;
    if (!take(rest, 'v', signature) || !rest.empty() || message.ends_with(',')) return refuse("the server's last message is not of the form v=...");
    const auto theirs = from_base64(signature);
    if (!theirs || theirs->size() != ours.size() || CRYPTO_memcmp(theirs->data(), ours.data(), ours.size()) != 0)
        return refuse("the server does not know the password: it may be somebody else's");
    state_ = state::trusted;
    return true;
}

}  // namespace kafkawire::net
