// What the tests of secured connections share, on the embedded broker and on real ones: options of a client for each way in, and the search for
// secrets in what is said.
#pragma once

#include <kafkawire/client.hpp>
#include <kafkawire/tokens.hpp>

#include <string>
#include <string_view>

namespace secured {

inline constexpr auto all_mechanisms = {kafkawire::sasl_mechanism::plain, kafkawire::sasl_mechanism::scram_sha_256, kafkawire::sasl_mechanism::scram_sha_512,
    kafkawire::sasl_mechanism::oauthbearer};

// alice's client: whom it trusts, and her password or an unsecured token.
inline kafkawire::client_options client_of(kafkawire::security_protocol p, kafkawire::sasl_mechanism m, const std::string& authority, std::string_view password) {
    kafkawire::client_options o;
    o.security_protocol = p;
    if (kafkawire::has_tls(p)) o.tls_ca_pem = authority;
    if (!kafkawire::has_sasl(p)) return o;
    o.sasl_mechanism = m;
    if (m == kafkawire::sasl_mechanism::oauthbearer) {
        o.token_source = kafkawire::unsecured_tokens("alice");
    } else {
        o.sasl_username = "alice";
        o.sasl_password = kafkawire::secret{password};
    }
    return o;
}

// Whether a text gives a secret of the tests away ("canary..."), as it is or in base64 at any of the three places in a group of bytes.
inline bool leaks(std::string_view text) {
    for (const std::string_view s : {"canary", "Y2FuYXJ5", "NhbmFyeS", "jYW5hcnk"})
        if (text.find(s) != text.npos) return true;
    return false;
}

}  // namespace secured
