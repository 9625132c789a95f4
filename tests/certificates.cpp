#include "certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <stdexcept>

namespace certificates {

namespace {

using std::chrono::system_clock;

template <class T>
T* sound(T* p) {
    if (!p) throw std::runtime_error{"OpenSSL makes no certificate"};
    return p;
}

struct x509_freer {
    void operator()(X509* c) const { X509_free(c); }
};
struct key_freer {
    void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
using x509_ptr = std::unique_ptr<X509, x509_freer>;
using key_ptr = std::unique_ptr<EVP_PKEY, key_freer>;

std::string text_of(BIO* b) {
    char* at = nullptr;
    const auto size = BIO_get_mem_data(b, &at);
    std::string text{at, static_cast<std::size_t>(size)};
    BIO_free(b);
    return text;
}

std::string pem_of(X509* c) {
    auto* b = sound(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(b, c);
    return text_of(b);
}

std::string pem_of(EVP_PKEY* k) {
    auto* b = sound(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(b, k, nullptr, nullptr, 0, nullptr, nullptr);
    return text_of(b);
}

void extend(X509* c, X509* issuer, int what, const std::string& how) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, c, nullptr, nullptr, 0);
    auto* e = sound(X509V3_EXT_conf_nid(nullptr, &context, what, how.c_str()));
    X509_add_ext(c, e, -1);
    X509_EXTENSION_free(e);
}

x509_ptr blank(EVP_PKEY* key, const std::string& name, X509* issuer, system_clock::time_point from, system_clock::time_point to) {
    static long serial = 1;
    x509_ptr c{sound(X509_new())};
    X509_set_version(c.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c.get()), serial++);
    ASN1_TIME_set(X509_getm_notBefore(c.get()), system_clock::to_time_t(from));
    ASN1_TIME_set(X509_getm_notAfter(c.get()), system_clock::to_time_t(to));
    X509_set_pubkey(c.get(), key);
    auto* subject = X509_get_subject_name(c.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
    X509_set_issuer_name(c.get(), issuer ? X509_get_subject_name(issuer) : subject);
    return c;
}

}  // namespace

struct authority::keys {
    key_ptr key;
    x509_ptr certificate;
};

authority::authority(std::string name, system_clock::time_point now) : keys_{std::make_unique<keys>()}, now_{now} {
    keys_->key.reset(sound(EVP_EC_gen("P-256")));
    const auto years = std::chrono::hours{24 * 365 * 5};
    keys_->certificate = blank(keys_->key.get(), name, nullptr, now - years, now + years);
    auto* c = keys_->certificate.get();
    extend(c, c, NID_basic_constraints, "critical,CA:TRUE");
    extend(c, c, NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(c, keys_->key.get(), EVP_sha256());
    pem_ = pem_of(c);
}

authority::~authority() = default;

identity authority::issue(const wish& w) const {
    const key_ptr key{sound(EVP_EC_gen("P-256"))};
    const bool no_time = w.to == system_clock::time_point{};
    auto* issuer = keys_->certificate.get();
    const auto c = blank(key.get(), w.name, issuer, no_time ? now_ - std::chrono::hours{1} : w.from, no_time ? now_ + std::chrono::hours{24} : w.to);
    extend(c.get(), issuer, NID_ext_key_usage, w.use);
    std::string subjects;
    for (const auto& h : w.hosts) subjects += (subjects.empty() ? "DNS:" : ",DNS:") + h;
    for (const auto& a : w.addresses) subjects += (subjects.empty() ? "IP:" : ",IP:") + a;
    if (!subjects.empty()) extend(c.get(), issuer, NID_subject_alt_name, subjects);
    X509_sign(c.get(), keys_->key.get(), EVP_sha256());
    return {pem_of(c.get()), pem_of(key.get())};
}

std::string encrypted(const std::string& key, const std::string& password) {
    auto* in = sound(BIO_new_mem_buf(key.data(), static_cast<int>(key.size())));
    const key_ptr k{sound(PEM_read_bio_PrivateKey(in, nullptr, nullptr, nullptr))};
    BIO_free(in);
    auto* out = sound(BIO_new(BIO_s_mem()));
    PEM_write_bio_PKCS8PrivateKey(out, k.get(), EVP_aes_256_cbc(), password.data(), static_cast<int>(password.size()), nullptr, nullptr);
    return text_of(out);
}

}  // namespace certificates
