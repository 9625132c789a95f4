// --tls... and --sasl...: whom kafka-cli trusts, and who it says that it is. A password stands in a file, in the environment, or is asked for on the
// terminal; never on the command line, which everybody on the machine can read.
#pragma once
#include <kafkawire/options.hpp>

#include "cli/command.hpp"

namespace kafkawire::cli {

struct security_words {
    std::string protocol, ca, certificate, key, key_password_file, mechanism, user, password_file, token_file;
    bool tls = false, insecure = false, test_tokens = false;
};

void declare_security(command root, security_words& words);
/// Lays what was said over what the configuration has. Raises a usage failure for what cannot be; may ask for a password.
void apply_security(const security_words& words, client_options& to);

}  // namespace kafkawire::cli
