#include "net/tls_session.hpp"

#include <kafkawire/environment.hpp>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <new>

namespace kafkawire::net {

namespace {

template <auto Free>
struct freer {
    template <class T>
    void operator()(T* p) const noexcept {
        Free(p);
    }
};
using x509_ptr = std::unique_ptr<X509, freer<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freer<EVP_PKEY_free>>;
struct bio_freer {
    void operator()(BIO* b) const noexcept { BIO_free(b); }
};
using bio_ptr = std::unique_ptr<BIO, bio_freer>;

SSL* as_ssl(void* p) { return static_cast<SSL*>(p); }
SSL_CTX* as_context(void* p) { return static_cast<SSL_CTX*>(p); }
BIO* as_bio(void* p) { return static_cast<BIO*>(p); }

// The first of OpenSSL's complaints, which is what led to the others. Empties its list, so that nobody else reads it.
std::string complaint() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return {};
    if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
    if (const char* reason = ERR_reason_error_string(code)) return reason;
    return "error " + std::to_string(code);
}

error wrong(std::string text, std::string hint = {}) {
    error e;
    e.code = errc::bad_configuration;
    e.in = phase::tls;
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

std::optional<std::chrono::system_clock::time_point> not_after(const X509* c) {
    std::tm t{};
    if (!c || ASN1_TIME_to_tm(X509_get0_notAfter(c), &t) != 1) return {};
    return std::chrono::system_clock::from_time_t(timegm(&t));
}

std::string day_of(const ASN1_TIME* at) {
    std::tm t{};
    char text[40] = "";
    if (ASN1_TIME_to_tm(at, &t) == 1) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &t);
    return text;
}

// Which names and addresses a certificate is for.
std::string subjects_of(X509* c) {
    std::string all;
    auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(c, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && i < 16; ++i) {
        const auto* n = sk_GENERAL_NAME_value(names, i);
        std::string one;
        if (n->type == GEN_DNS) {
            one.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(n->d.dNSName)), static_cast<std::size_t>(ASN1_STRING_length(n->d.dNSName)));
        } else if (n->type == GEN_IPADD) {
            ip_address a;
            const auto size = static_cast<std::size_t>(ASN1_STRING_length(n->d.iPAddress));
            a.v6 = size == 16;
            if (size == 4 || size == 16) std::copy_n(ASN1_STRING_get0_data(n->d.iPAddress), size, a.octets.begin());
            one = a.to_string();
        }
        for (auto& ch : one)
            if (ch < ' ' || ch > '~') ch = '?';
        if (!one.empty()) all += (all.empty() ? "" : ", ") + one.substr(0, 100);
    }
    GENERAL_NAMES_free(names);
    return all.empty() ? "no name" : all;
}

int give_password(char* to, int size, int, void* from) {
    const auto& password = *static_cast<const secret*>(from);
    const auto text = password.reveal();
    if (text.size() > static_cast<std::size_t>(size)) return -1;
    std::copy(text.begin(), text.end(), to);
    return static_cast<int>(text.size());
}

// OpenSSL forgets a certificate that it has refused; the story needs it.
int keep_culprit(int well, X509_STORE_CTX* checking) {
    if (well) return 1;
    auto* s = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checking, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto** culprit = static_cast<void**>(SSL_get_app_data(s));
    auto* c = X509_STORE_CTX_get_current_cert(checking);
    if (culprit && !*culprit && c && X509_up_ref(c) == 1) *culprit = c;
    return 0;
}

// Each certificate of a text goes to `take`; how many there were, -1: one that cannot be read.
template <class F>
int each_certificate(BIO* from, F take) {
    int n = 0;
    while (x509_ptr c{PEM_read_bio_X509_AUX(from, nullptr, nullptr, nullptr)}) {
        if (!take(c.get(), n)) return -1;
        ++n;
    }
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    return at_end ? n : -1;
}

bio_ptr of_text(std::string_view text) { return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))}; }

error trust(SSL_CTX* c, const tls_settings& s) {
    if (s.ca_file.empty() && s.ca_folder.empty() && s.ca_pem.empty()) {
        if (SSL_CTX_set_default_verify_paths(c) != 1) return wrong("the system's certificate authorities cannot be read: " + complaint());
        return {};
    }
    if (!s.ca_file.empty() && SSL_CTX_load_verify_locations(c, s.ca_file.c_str(), nullptr) != 1)
        return wrong("tls_ca_file: " + s.ca_file + " cannot be read as certificates: " + complaint(), "it holds PEM: -----BEGIN CERTIFICATE-----");
    if (!s.ca_folder.empty() && SSL_CTX_load_verify_locations(c, nullptr, s.ca_folder.c_str()) != 1)
        return wrong("tls_ca_folder: " + s.ca_folder + " cannot be read: " + complaint());
    if (!s.ca_pem.empty()) {
        const auto from = of_text(s.ca_pem);
        const int n = each_certificate(from.get(), [&](X509* one, int) { return X509_STORE_add_cert(SSL_CTX_get_cert_store(c), one) == 1; });
        if (n <= 0) return wrong("tls_ca_pem: there is no certificate in it that can be read", "it is PEM: -----BEGIN CERTIFICATE-----");
    }
    return {};
}

error identify(SSL_CTX* c, const tls_settings& s) {
    if (s.certificate_file.empty() && s.certificate_pem.empty()) {
        if (!s.key_file.empty() || !s.key_pem.empty()) return wrong("there is a private key without a certificate", "set tls_certificate_file or tls_certificate_pem too");
        return {};
    }
    const bool in_file = !s.certificate_file.empty();
    const auto named = in_file ? "tls_certificate_file: " + s.certificate_file : std::string{"tls_certificate_pem"};
    const bio_ptr chain = in_file ? bio_ptr{BIO_new_file(s.certificate_file.c_str(), "r")} : of_text(s.certificate_pem);
    if (!chain) return wrong(named + " cannot be opened: " + complaint());
    const int n = each_certificate(chain.get(), [&](X509* one, int number) {
        return number == 0 ? SSL_CTX_use_certificate(c, one) == 1 : SSL_CTX_add1_chain_cert(c, one) == 1;
    });
    if (n <= 0) return wrong(named + " holds no certificate that can be read", "it is PEM, the certificate itself first");
    // The key may stand beside the certificate.
    const bool key_here = s.key_file.empty() && s.key_pem.empty();
    const auto key_named = !s.key_file.empty() ? "tls_key_file: " + s.key_file : !s.key_pem.empty() ? std::string{"tls_key_pem"} : named;
    bio_ptr from;
    if (!s.key_file.empty()) from.reset(BIO_new_file(s.key_file.c_str(), "r"));
    else if (!s.key_pem.empty()) from = of_text(s.key_pem.reveal());
    else from = in_file ? bio_ptr{BIO_new_file(s.certificate_file.c_str(), "r")} : of_text(s.certificate_pem);
    if (!from) return wrong(key_named + " cannot be opened: " + complaint());
    auto password = s.key_password;
    const key_ptr key{PEM_read_bio_PrivateKey(from.get(), nullptr, give_password, &password)};
    if (!key) {
        const auto what = complaint();
        return wrong(key_named + " holds no private key that can be read: " + what,
                     key_here ? "set tls_key_file" : s.key_password.empty() ? "an encrypted key needs tls_key_password" : "is tls_key_password right?");
    }
    if (SSL_CTX_use_PrivateKey(c, key.get()) != 1 || SSL_CTX_check_private_key(c) != 1) {
        ERR_clear_error();
        return wrong(key_named + " is not the key of the certificate");
    }
    return {};
}

}  // namespace

tls_context::~tls_context() { SSL_CTX_free(as_context(context_)); }

std::shared_ptr<const tls_context> tls_context::make(const tls_settings& s, error& why) {
    ERR_clear_error();
    std::shared_ptr<tls_context> made{new tls_context};
    auto* c = SSL_CTX_new(s.server ? TLS_server_method() : TLS_client_method());
    made->context_ = c;
    if (!c) throw std::bad_alloc{};
    made->server_ = s.server;
    made->verify_ = s.verify;
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(c, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    const bool checks = s.server ? s.need_client_certificate : s.verify == tls_verify::full;
    SSL_CTX_set_verify(c, !checks ? SSL_VERIFY_NONE : SSL_VERIFY_PEER | (s.server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), keep_culprit);
    if (checks) why = trust(c, s);
    if (!why) why = identify(c, s);
    if (!why && s.server && !SSL_CTX_get0_certificate(c)) why = wrong("a server needs a certificate");
    if (why) return nullptr;
    made->expires_ = not_after(SSL_CTX_get0_certificate(c));
    return made;
}

tls_session::tls_session(std::shared_ptr<const tls_context> with, std::string_view host, std::chrono::system_clock::time_point at) : with_{std::move(with)}, host_{host} {
    if (host_.ends_with('.')) host_.pop_back();
    auto* s = SSL_new(as_context(with_->context_));
    auto* in = BIO_new(BIO_s_mem());
    auto* out = BIO_new(BIO_s_mem());
    if (!s || !in || !out) {
        SSL_free(s);
        BIO_free(in);
        BIO_free(out);
        throw std::bad_alloc{};
    }
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(s, in, out);
    session_ = s;
    in_ = in;
    out_ = out;
    SSL_set_app_data(s, &culprit_);
    X509_VERIFY_PARAM_set_time(SSL_get0_param(s), std::chrono::system_clock::to_time_t(at));
    if (with_->server_) {
        SSL_set_accept_state(s);
        return;
    }
    SSL_set_connect_state(s);
    // A name is told to the server (SNI); an address is not, and a certificate has it among its addresses.
    auto* const judged = SSL_get0_param(s);
    bool known = false;
    if (const auto address = ip_address::parse(host_)) {
        known = X509_VERIFY_PARAM_set1_ip(judged, address->octets.data(), address->v6 ? 16 : 4) == 1;
    } else if (!host_.empty()) {
        SSL_set_hostflags(s, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        known = X509_VERIFY_PARAM_set1_host(judged, host_.data(), host_.size()) == 1 && SSL_set_tlsext_host_name(s, host_.c_str()) == 1;
    }
    if (known) return;
    // Without a name OpenSSL would take a certificate for anybody.
    ERR_clear_error();
    why_.code = errc::tls_failed;
    why_.in = phase::tls;
    why_.text = "no certificate can be for a host of this name";
}

tls_session::~tls_session() {
    SSL_free(as_ssl(session_));
    X509_free(static_cast<X509*>(culprit_));
}

void tls_session::fail(std::string_view doing) {
    if (why_) return;
    auto* s = as_ssl(session_);
    const auto last = ERR_peek_error();
    const auto reason = ERR_GET_REASON(last);
    const auto said = complaint();
    why_.code = errc::tls_failed;
    why_.in = phase::tls;
    const auto verdict = SSL_get_verify_result(s);
    auto* theirs = static_cast<X509*>(culprit_);
    if (!established_ && verdict != X509_V_OK && !with_->server_) {
        const std::string of = "the certificate of " + host_;
        if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
            why_.text = "the certificate is for " + (theirs ? subjects_of(theirs) : std::string{"somebody else"}) + ", not for " + host_;
            why_.hint = "connect by a name that the certificate has, or give the broker one for this name; brokers say in advertised.listeners how they are reached";
        } else if (verdict == X509_V_ERR_CERT_HAS_EXPIRED) {
            why_.text = of + " has expired" + (theirs ? ", on " + day_of(X509_get0_notAfter(theirs)) : std::string{});
            why_.hint = "the broker needs a new one; is this machine's clock right?";
        } else if (verdict == X509_V_ERR_CERT_NOT_YET_VALID) {
            why_.text = of + " is valid from " + (theirs ? day_of(X509_get0_notBefore(theirs)) : std::string{"later"}) + " on";
            why_.hint = "is this machine's clock right?";
        } else {
            why_.text = of + " is not trusted: " + X509_verify_cert_error_string(verdict);
            why_.hint = "tls_ca_file names the authority that issued it; without one the system's are trusted";
        }
    } else if (reason == SSL_R_WRONG_VERSION_NUMBER && !established_) {
        why_.text = "what answers there does not speak TLS";
        why_.hint = "use security_protocol plaintext or sasl_plaintext, or the port of a TLS listener";
    } else if (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION) {
        why_.text = "the peer has no TLS 1.2 or newer";
        why_.hint = "older ones are not secure, and are never used; brokers say in ssl.enabled.protocols what they have";
    } else if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED || (reason == SSL_R_SSLV3_ALERT_BAD_CERTIFICATE && with_->expires_ == std::nullopt)) {
        why_.text = "the broker wants a certificate from us";
        why_.hint = "set tls_certificate_file and tls_key_file";
    } else if (said.empty()) {
        why_.text = "the peer hung up while " + std::string{doing};
        why_.hint = established_ ? "" : "a listener that wants plain text, or one that refuses us without saying why: its log may";
    } else {
        why_.text = std::string{doing} + ": " + said;
    }
}

tls_session::progress tls_session::handshake() {
    if (why_) return progress::failed;
    if (established_) return progress::done;
    ERR_clear_error();
    auto* s = as_ssl(session_);
    const int r = SSL_do_handshake(s);
    if (r == 1) {
        established_ = true;
        return progress::done;
    }
    if (SSL_get_error(s, r) == SSL_ERROR_WANT_READ && !ended_) return progress::wants_bytes;
    fail("TLS was being agreed on");
    return progress::failed;
}

void tls_session::incoming(std::span<const std::byte> bytes) {
    if (BIO_write(as_bio(in_), bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size())) throw std::bad_alloc{};
}

std::size_t tls_session::outgoing_size() const noexcept { return BIO_ctrl_pending(as_bio(out_)); }

std::size_t tls_session::outgoing(std::span<std::byte> into) {
    const int n = BIO_read(as_bio(out_), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1u << 30)));
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

std::size_t tls_session::read(std::span<std::byte> into) {
    if (why_ || over_ || into.empty()) return 0;
    ERR_clear_error();
    auto* s = as_ssl(session_);
    std::size_t n = 0;
    const bool read = SSL_read_ex(s, into.data(), into.size(), &n) == 1;
    established_ = established_ || SSL_is_init_finished(s);  // a server needs no handshake() of its own
    if (read) return n;
    const auto what = SSL_get_error(s, 0);
    if (what == SSL_ERROR_ZERO_RETURN) over_ = true;
    else if (what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE) over_ = ended_;
    else fail("the connection was being read");
    return 0;
}

bool tls_session::write(std::span<const std::byte> plain) {
    auto* s = as_ssl(session_);
    while (!plain.empty() && !why_) {
        ERR_clear_error();
        std::size_t n = 0;
        if (SSL_write_ex(s, plain.data(), plain.size(), &n) == 1) plain = plain.subspan(n);
        else fail("the connection was being written to");
    }
    return !why_;
}

void tls_session::close() {
    if (why_ || !established_) return;
    ERR_clear_error();
    SSL_shutdown(as_ssl(session_));
    ERR_clear_error();
}

std::optional<std::chrono::system_clock::time_point> tls_session::peer_expires() const { return not_after(SSL_get0_peer_certificate(as_ssl(session_))); }

std::string tls_session::cipher() const {
    const auto* s = as_ssl(session_);
    return std::string{SSL_get_version(s)} + ", " + SSL_get_cipher_name(s);
}

}  // namespace kafkawire::net
