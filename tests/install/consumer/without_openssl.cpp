// A library that was built without OpenSSL: who asks for TLS or SCRAM is told so, and what to do; what needs neither is there.
#include <kafkawire/client.hpp>

#include <asio/io_context.hpp>
#include <cstdio>
#include <string>

namespace {

// What becomes of a client with such options; empty: it was made.
std::string refusal(kw::security_protocol protocol, std::optional<kw::sasl_mechanism> mechanism) {
    asio::io_context io;
    kw::client_options o;
    o.bootstrap = "127.0.0.1:1";
    o.security_protocol = protocol;
    o.sasl_mechanism = mechanism;
    if (mechanism) {
        o.sasl_username = "alice";
        o.sasl_password = kw::secret{"canary"};
    }
    try {
        const kw::client client{io, o};
        return {};
    } catch (const kw::system_error& e) {
        if (e.detail().code != kw::errc::bad_configuration) return "another code: " + e.detail().message();
        return e.detail().message();
    }
}

bool said(const std::string& text) {
    std::printf("%s\n", text.c_str());
    return text.find("this library was built without OpenSSL") != text.npos && text.find("-DKAFKAWIRE_WITH_OPENSSL=ON") != text.npos && text.find("canary") == text.npos;
}

}  // namespace

int main() {
    using enum kw::security_protocol;
    using enum kw::sasl_mechanism;
    const bool refused = said(refusal(ssl, {})) && said(refusal(sasl_ssl, plain)) && said(refusal(sasl_plaintext, scram_sha_256)) && said(refusal(sasl_plaintext, scram_sha_512));
    return refused && refusal(plaintext, {}).empty() && refusal(sasl_plaintext, plain).empty() ? 0 : 1;
}
