#include "cli/security.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace kafkawire::cli {

namespace {

constexpr std::size_t longest_secret = 64u << 10;

// The first line of a file; of a token, which may be broken into lines, all of it.
secret read_secret(const std::string& file, std::string_view option) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw usage_error(fmt::format("{} {} cannot be opened", option, file), "it names a file whose first line is the secret");
    std::string text(longest_secret, '\0');
    std::size_t have = 0;
    for (ssize_t n = 1; n > 0 && have < text.size(); have += n > 0 ? static_cast<std::size_t>(n) : 0) n = ::read(fd, text.data() + have, text.size() - have);
    ::close(fd);
    const secret whole{std::string_view{text}.substr(0, have)};
    for (volatile char& c : text) c = 0;
    const auto line = whole.reveal().substr(0, whole.reveal().find_first_of("\r\n"));
    if (line.empty()) throw usage_error(fmt::format("{} {} has nothing in its first line", option, file), "it names a file whose first line is the secret");
    return secret{line};
}

secret ask_for(const std::string& what) {
    const int tty = ::open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (tty < 0) return {};
    termios before{};
    const bool is_terminal = ::tcgetattr(tty, &before) == 0;
    if (is_terminal) {
        auto silent = before;
        silent.c_lflag &= static_cast<tcflag_t>(~ECHO);
        ::tcsetattr(tty, TCSAFLUSH, &silent);
    }
    [[maybe_unused]] const auto shown = ::write(tty, what.data(), what.size());
    std::array<char, 1024> line{};
    const auto n = ::read(tty, line.data(), line.size());
    if (is_terminal) ::tcsetattr(tty, TCSAFLUSH, &before);
    [[maybe_unused]] const auto ended = ::write(tty, "\n", 1);
    ::close(tty);
    std::string_view text{line.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
    secret answer{text.substr(0, text.find_first_of("\r\n"))};
    for (volatile char& c : line) c = 0;
    return answer;
}

secret from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? secret{value} : secret{};
}

void set(client_options& o, std::string_view name, const std::string& value, std::string_view flag) {
    if (value.empty()) return;
    if (const auto wrong = set_option(o, name, value)) throw usage_error(fmt::format("{}: {}", flag, wrong.text), wrong.hint.empty() ? "see kafka-cli --help" : wrong.hint);
}

}  // namespace

void declare_security(command root, security_words& w) {
    root.option("--security-protocol", w.protocol, "plaintext, ssl, sasl_plaintext or sasl_ssl; not given: as --tls and --sasl need it, with TLS", "NAME");
    root.flag("--tls", w.tls, "Connect with TLS; the system's certificate authorities are trusted");
    root.option("--tls-ca", w.ca, "Trust these authorities instead: PEM (means --tls)", "FILE");
    root.option("--tls-cert", w.certificate, "Our own certificate, PEM (means --tls)", "FILE");
    root.option("--tls-key", w.key, "Its private key, PEM, if it is not in the same file", "FILE");
    root.option("--tls-key-password-file", w.key_password_file, "Of an encrypted key (or KAFKAWIRE_TLS_KEY_PASSWORD)", "FILE");
    root.flag("--tls-insecure-i-know", w.insecure, "Take whoever answers for the broker (means --tls)");
    root.option("--sasl-mechanism", w.mechanism, "plain, scram-sha-256, scram-sha-512 or oauthbearer", "NAME");
    root.option("--sasl-username", w.user, "Who we are", "NAME");
    root.option("--sasl-password-file", w.password_file, "Its first line is the password (or KAFKAWIRE_SASL_PASSWORD; else it is asked for)", "FILE");
    root.option("--sasl-token-file", w.token_file, "Its first line is the token of oauthbearer (or KAFKAWIRE_SASL_TOKEN)", "FILE");
    root.flag("--sasl-test-tokens", w.test_tokens, "Make tokens for oauthbearer that nobody has signed, for test brokers");
}

void apply_security(const security_words& w, client_options& o) {
    const bool tls = w.tls || w.insecure || !w.ca.empty() || !w.certificate.empty();
    const bool sasl = !w.mechanism.empty() || !w.user.empty() || !w.password_file.empty() || !w.token_file.empty() || w.test_tokens;
    if (!w.protocol.empty()) set(o, "security_protocol", w.protocol, "--security-protocol");
    else if (sasl && !has_sasl(o.security_protocol)) o.security_protocol = security_protocol::sasl_ssl;  // over plain text only for who says so
    else if (tls && !has_tls(o.security_protocol)) o.security_protocol = has_sasl(o.security_protocol) ? security_protocol::sasl_ssl : security_protocol::ssl;
    if (!w.ca.empty()) o.tls_ca_file = w.ca;
    if (!w.certificate.empty()) o.tls_certificate_file = w.certificate;
    if (!w.key.empty()) o.tls_key_file = w.key;
    if (w.insecure) o.tls_verify = tls_verify::insecure_i_know;
    if (!w.key_password_file.empty()) o.tls_key_password = read_secret(w.key_password_file, "--tls-key-password-file");
    else if (o.tls_key_password.empty() && has_tls(o.security_protocol) && (!o.tls_certificate_file.empty() || !o.tls_certificate_pem.empty())) o.tls_key_password = from_environment("KAFKAWIRE_TLS_KEY_PASSWORD");
    set(o, "sasl_mechanism", w.mechanism, "--sasl-mechanism");
    if (!w.user.empty()) o.sasl_username = w.user;
    if (w.test_tokens) o.sasl_unsecured_tokens = true;
    if (!has_sasl(o.security_protocol) || !o.sasl_mechanism) return;
    if (*o.sasl_mechanism == sasl_mechanism::oauthbearer) {
        if (!w.token_file.empty()) o.sasl_token = read_secret(w.token_file, "--sasl-token-file");
        else if (!o.sasl_unsecured_tokens && o.sasl_token.empty()) o.sasl_token = from_environment("KAFKAWIRE_SASL_TOKEN");
        return;
    }
    const auto& user = o.sasl_username;
    if (!w.password_file.empty()) o.sasl_password = read_secret(w.password_file, "--sasl-password-file");
    if (o.sasl_password.empty()) o.sasl_password = from_environment("KAFKAWIRE_SASL_PASSWORD");
    if (o.sasl_password.empty() && !user.empty()) o.sasl_password = ask_for("Password of " + user + ": ");
    if (o.sasl_password.empty() && !user.empty()) throw usage_error("there is no password for " + user, "write it into a file for --sasl-password-file, or set KAFKAWIRE_SASL_PASSWORD");
}

}  // namespace kafkawire::cli
