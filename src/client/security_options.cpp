// What must hold between the options that say whom to trust and who we are. Who asks for something that would not happen is told so: a password
// that is never used, a certificate over plain text, are mistakes that nobody would see.
#include <kafkawire/options.hpp>

#include <initializer_list>

namespace kafkawire::inline v0_1 {

namespace {

struct given {
    std::string_view name;
    bool set;
};

std::string_view first_of(std::initializer_list<given> all) {
    for (const auto& one : all)
        if (one.set) return one.name;
    return {};
}

error check_tls(const client_options& o) {
    const auto protocol = std::string{to_string(o.security_protocol)};
    const auto asked = first_of({{"tls_ca_file", !o.tls_ca_file.empty()},
                                 {"tls_ca_folder", !o.tls_ca_folder.empty()},
                                 {"tls_ca_pem", !o.tls_ca_pem.empty()},
                                 {"tls_certificate_file", !o.tls_certificate_file.empty()},
                                 {"tls_certificate_pem", !o.tls_certificate_pem.empty()},
                                 {"tls_key_file", !o.tls_key_file.empty()},
                                 {"tls_key_pem", !o.tls_key_pem.empty()},
                                 {"tls_key_password", !o.tls_key_password.empty()}});
    if (!has_tls(o.security_protocol)) {
        if (asked.empty()) return {};
        return configuration_error(std::string{asked} + " is set, and security_protocol is " + protocol + ", which has no TLS", has_sasl(o.security_protocol) ? "sasl_ssl would be right" : "ssl would be right");
    }
    if (!built_with_openssl()) return configuration_error("security_protocol is " + protocol + ", and this library was built without OpenSSL", "build it with -DKAFKAWIRE_WITH_OPENSSL=ON");
    if (!o.tls_certificate_file.empty() && !o.tls_certificate_pem.empty()) return configuration_error("tls_certificate_file and tls_certificate_pem are both set", "one of them would be right");
    if (!o.tls_key_file.empty() && !o.tls_key_pem.empty()) return configuration_error("tls_key_file and tls_key_pem are both set", "one of them would be right");
    const bool certificate = !o.tls_certificate_file.empty() || !o.tls_certificate_pem.empty();
    const auto of_key = first_of({{"tls_key_file", !o.tls_key_file.empty()}, {"tls_key_pem", !o.tls_key_pem.empty()}, {"tls_key_password", !o.tls_key_password.empty()}});
    if (!certificate && !of_key.empty()) return configuration_error(std::string{of_key} + " is set, and there is no certificate", "set tls_certificate_file or tls_certificate_pem too");
    const auto of_trust = first_of({{"tls_ca_file", !o.tls_ca_file.empty()}, {"tls_ca_folder", !o.tls_ca_folder.empty()}, {"tls_ca_pem", !o.tls_ca_pem.empty()}});
    if (o.tls_verify == tls_verify::insecure_i_know && !of_trust.empty())
        return configuration_error("tls_verify is insecure_i_know, and " + std::string{of_trust} + " is set, which would not be looked at", "tls_verify full would be right");
    return {};
}

error check_sasl(const client_options& o) {
    const auto protocol = std::string{to_string(o.security_protocol)};
    const bool source = static_cast<bool>(o.token_source);
    const auto asked = first_of({{"sasl_mechanism", o.sasl_mechanism.has_value()},
                                 {"sasl_username", !o.sasl_username.empty()},
                                 {"sasl_password", !o.sasl_password.empty()},
                                 {"sasl_token", !o.sasl_token.empty()},
                                 {"sasl_unsecured_tokens", o.sasl_unsecured_tokens},
                                 {"token_source", source}});
    if (!has_sasl(o.security_protocol)) {
        if (asked.empty()) return {};
        return configuration_error(std::string{asked} + " is set, and security_protocol is " + protocol + ", which has no SASL", has_tls(o.security_protocol) ? "sasl_ssl would be right" : "sasl_ssl would be right, or sasl_plaintext where the network is trusted");
    }
    if (!o.sasl_mechanism) return configuration_error("security_protocol is " + protocol + ", and no sasl_mechanism is set", "plain, scram-sha-256, scram-sha-512 or oauthbearer would be right: one that the listener offers");
    const auto mechanism = "sasl_mechanism is " + std::string{to_string(*o.sasl_mechanism)};
    const bool scram = *o.sasl_mechanism == sasl_mechanism::scram_sha_256 || *o.sasl_mechanism == sasl_mechanism::scram_sha_512;
    if (*o.sasl_mechanism == sasl_mechanism::oauthbearer) {
        if (!o.sasl_password.empty()) return configuration_error(mechanism + ", and sasl_password is set, which it has no use for", "plain or scram-sha-512 would be right for a password");
        const int sources = source + !o.sasl_token.empty() + o.sasl_unsecured_tokens;
        if (sources != 1) return configuration_error(mechanism + (sources ? ", and there is more than one source of tokens" : ", and there are no tokens"), "one of token_source, sasl_token and sasl_unsecured_tokens would be right");
        if (o.sasl_unsecured_tokens && o.sasl_username.empty()) return configuration_error("sasl_unsecured_tokens is set, and sasl_username is not", "it is the subject of the tokens");
        if (!o.sasl_unsecured_tokens && !o.sasl_username.empty()) return configuration_error(mechanism + ", and sasl_username is set, which it has no use for: a token says whose it is", "leave it out");
        return {};
    }
    if (source || !o.sasl_token.empty() || o.sasl_unsecured_tokens) return configuration_error(mechanism + ", and there are tokens, which it has no use for", "oauthbearer would be right");
    if (o.sasl_username.empty() || o.sasl_password.empty())
        return configuration_error(mechanism + ", and " + (o.sasl_username.empty() ? "sasl_username" : "sasl_password") + " is not set", "it needs both sasl_username and sasl_password");
    if (o.sasl_username.find('\0') != std::string::npos || o.sasl_password.reveal().find('\0') != std::string_view::npos)
        return configuration_error("sasl_username or sasl_password has a NUL inside", "no mechanism can say that");
    if (scram && !built_with_openssl()) return configuration_error(mechanism + ", and this library was built without OpenSSL", "build it with -DKAFKAWIRE_WITH_OPENSSL=ON");
    return {};
}

}  // namespace

error validate(const client_options& o) {
    if (auto wrong = check_options(options_of<client_options>(), &o)) return wrong;
    if (auto wrong = check_tls(o)) return wrong;
    return check_sasl(o);
}

std::string warning_of(const client_options& o) {
    if (o.security_protocol == security_protocol::sasl_plaintext && o.sasl_mechanism) {
        if (*o.sasl_mechanism == sasl_mechanism::plain) return "sasl_plaintext with plain: everybody between here and the brokers can read the password";
        if (*o.sasl_mechanism == sasl_mechanism::oauthbearer) return "sasl_plaintext with oauthbearer: everybody between here and the brokers can read the token";
        return "sasl_plaintext: the password is not sent, but everybody between here and the brokers can read and change all else";
    }
    if (has_tls(o.security_protocol) && o.tls_verify == tls_verify::insecure_i_know) return "tls_verify is insecure_i_know: whoever answers is taken for the broker";
    return {};
}

}  // namespace kafkawire::inline v0_1
