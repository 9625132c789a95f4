#include "cli/throwaway_certificates.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

#ifdef KAFKAWIRE_WITH_OPENSSL
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#endif

#include "cli/failure.hpp"

namespace kafkawire::cli {

#ifdef KAFKAWIRE_WITH_OPENSSL

namespace {

constexpr long an_hour = 3600, thirty_days = 30 * 24 * an_hour;

template <class T>
T* made(T* p) {
    if (!p) throw failure{status::failed, "openssl", "OpenSSL makes no certificate"};
    return p;
}

struct certificate_freer {
    void operator()(X509* c) const { X509_free(c); }
};
struct private_key_freer {
    void operator()(EVP_PKEY* k) const { EVP_PKEY_free(k); }
};
struct identity {
    std::unique_ptr<EVP_PKEY, private_key_freer> key;
    std::unique_ptr<X509, certificate_freer> certificate;
};

void add_extension(X509* c, X509* issuer, int what, const std::string& how) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, c, nullptr, nullptr, 0);
    auto* const e = made(X509V3_EXT_conf_nid(nullptr, &context, what, how.c_str()));
    X509_add_ext(c, e, -1);
    X509_EXTENSION_free(e);
}

// Null issuer: it vouches for itself.
identity issue(const std::string& name, const identity* issuer, int what, const std::string& how, const std::string& subjects) {
    identity made_one{std::unique_ptr<EVP_PKEY, private_key_freer>{made(EVP_EC_gen("P-256"))}, std::unique_ptr<X509, certificate_freer>{made(X509_new())}};
    auto* const c = made_one.certificate.get();
    X509_set_version(c, 2);
    std::uint64_t serial = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(c), serial >> 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -an_hour);
    X509_gmtime_adj(X509_getm_notAfter(c), thirty_days);
    X509_set_pubkey(c, made_one.key.get());
    auto* const subject = X509_get_subject_name(c);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
    auto* const by = issuer ? issuer->certificate.get() : c;
    X509_set_issuer_name(c, X509_get_subject_name(by));
    add_extension(c, by, what, how);
    if (!issuer) add_extension(c, by, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!subjects.empty()) add_extension(c, by, NID_subject_alt_name, subjects);
    made(X509_sign(c, issuer ? issuer->key.get() : made_one.key.get(), EVP_sha256()) ? c : nullptr);
    return made_one;
}

void write_pem(const std::string& file, const identity& who, bool with_key) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, with_key ? 0600 : 0644);
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> out{fd < 0 ? nullptr : ::fdopen(fd, "w"), std::fclose};
    bool good = out && PEM_write_X509(out.get(), who.certificate.get());
    if (good && with_key) good = PEM_write_PrivateKey(out.get(), who.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    if (!good || std::fflush(out.get()) != 0) throw failure{status::failed, "io", fmt::format("cannot write {}: {}", file, std::strerror(errno)), "check the path and its permissions"};
}

}  // namespace

throwaway_certificates make_throwaway_certificates(const std::string& folder, const std::vector<std::string>& addresses) {
    const throwaway_certificates files{folder + "/ca.pem", folder + "/broker.pem", folder + "/client.pem"};
    const auto there = [](const std::string& file) { return ::access(file.c_str(), R_OK) == 0; };
    if (there(files.authority) && there(files.broker) && there(files.client)) return files;
    if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) throw failure{status::failed, "io", fmt::format("cannot make the folder {}: {}", folder, std::strerror(errno)), "check the path and its permissions"};
    std::string subjects = "DNS:localhost";
    for (const auto& a : addresses) subjects += ",IP:" + a;
    const auto authority = issue("kafka-cli throwaway authority", nullptr, NID_basic_constraints, "critical,CA:TRUE", {});
    write_pem(files.broker, issue("kafka-cli broker", &authority, NID_ext_key_usage, "serverAuth", subjects), true);
    write_pem(files.client, issue("kafka-cli client", &authority, NID_ext_key_usage, "clientAuth", {}), true);
    write_pem(files.authority, authority, false);
    return files;
}

#else

throwaway_certificates make_throwaway_certificates(const std::string&, const std::vector<std::string>&) {
    throw usage_error("certificates cannot be made: kafka-cli was built without OpenSSL", "build it with -DKAFKAWIRE_WITH_OPENSSL=ON");
}

#endif

}  // namespace kafkawire::cli
