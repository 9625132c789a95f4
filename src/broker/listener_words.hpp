// What is said of a listener's TLS and SASL in an address or on a command line: words, and files for all that is longer or secret.
#pragma once
#include <kafkawire/broker/options.hpp>

#include <string>

namespace kafkawire::broker {

/// As they were given; what is empty was not.
struct listener_words {
    std::string protocol{};        ///< "sasl_ssl"
    std::string certificate{};     ///< a file, PEM
    std::string key{};             ///< a file, PEM; not given: it stands in the certificate's
    std::string client_ca{};       ///< a file, PEM: clients must show a certificate of that authority
    std::string mechanisms{};      ///< "plain,scram-sha-512"; not given: all that have passwords
    std::string users{};           ///< a file with a NAME:PASSWORD in each line
    std::string session_lifetime{};  ///< milliseconds
    bool test_tokens = false;      ///< tokens that nobody has signed are believed; offers OAUTHBEARER
};

/// What is wrong with the words, for a person; empty: nothing. Pure: no file is looked at.
[[nodiscard]] std::string refuse_listener(const listener_words& w);
/// Reads the files. What is wrong with them, or with the words; empty: nothing, and `to` is what they say.
[[nodiscard]] std::string read_listener(const listener_words& w, listener_security& to);

}  // namespace kafkawire::broker
