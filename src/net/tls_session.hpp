// tls_session: TLS over memory (OpenSSL), from the first flight to the last byte. Takes what came from the peer, gives what is to go there.
// Owns: the session's keys. Never: touches a socket, waits, goes on with a peer that was not verified.
// Driver: tls_stream.cpp puts it between a stream and whoever reads and writes.
#pragma once
#include <kafkawire/security.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace kafkawire::net {

struct tls_settings {
    bool server = false;
    kafkawire::tls_verify verify = kafkawire::tls_verify::full;            ///< of a client
    bool need_client_certificate = false;             ///< of a server
    // Whom to trust: files, folders (c_rehash's) and PEM texts together; none of them: the system's.
    std::string ca_file{}, ca_folder{}, ca_pem{};
    // Who we are: PEM, the certificate first, then those that lead to the authority.
    std::string certificate_file{}, certificate_pem{};
    std::string key_file{};
    secret key_pem{};
    secret key_password{};                            ///< of an encrypted key
};

/// Certificates and rules that connections share. Does not change; read again, it is a new one. May be used by several threads.
class tls_context {
public:
    /// Null if the settings cannot be: `why` is errc::bad_configuration and names the file or the option.
    [[nodiscard]] static std::shared_ptr<const tls_context> make(const tls_settings& s, error& why);
    /// When our own certificate expires; nothing without one.
    [[nodiscard]] std::optional<std::chrono::system_clock::time_point> expires() const noexcept { return expires_; }
    ~tls_context();

private:
    friend class tls_session;
    tls_context() = default;
    void* context_ = nullptr;                         // SSL_CTX
    bool server_ = false;
    tls_verify verify_ = tls_verify::full;
    std::optional<std::chrono::system_clock::time_point> expires_;
};

class tls_session {
public:
    /// `host`: what the client wanted to reach, name or address; it is what the certificate must be for. `at`: the wall clock, which certificates are
    /// judged by. Throws std::bad_alloc.
    tls_session(std::shared_ptr<const tls_context> with, std::string_view host, std::chrono::system_clock::time_point at);
    ~tls_session();
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;

    enum class progress : std::uint8_t { done, wants_bytes, failed };
    /// Goes as far as the bytes reach. Whatever it says, outgoing() may have something.
    progress handshake();

    /// What the peer has sent.
    void incoming(std::span<const std::byte> bytes);
    /// The peer sends nothing more.
    void ended() noexcept { ended_ = true; }
    /// Moves up to into.size() bytes for the peer there; how many.
    [[nodiscard]] std::size_t outgoing(std::span<std::byte> into);
    [[nodiscard]] std::size_t outgoing_size() const noexcept;

    /// Plain bytes that have come; 0: none until more is incoming, or it has ended: see failed() and over().
    [[nodiscard]] std::size_t read(std::span<std::byte> into);
    /// Takes all of it, to be outgoing. False: failed.
    bool write(std::span<const std::byte> plain);
    /// Says goodbye.
    void close();

    [[nodiscard]] bool over() const noexcept { return over_; }                 ///< the peer has said goodbye, or hung up
    [[nodiscard]] bool failed() const noexcept { return static_cast<bool>(why_); }
    /// The story: phase tls, errc::tls_failed, what the peer or its certificate did wrong and what would help.
    [[nodiscard]] const error& why() const noexcept { return why_; }
    /// When the peer's certificate expires; nothing if it showed none.
    [[nodiscard]] std::optional<std::chrono::system_clock::time_point> peer_expires() const;
    /// "TLSv1.3, TLS_AES_256_GCM_SHA384"
    [[nodiscard]] std::string cipher() const;

private:
    void fail(std::string_view doing);

    std::shared_ptr<const tls_context> with_;
    void* session_ = nullptr;                         // SSL, which owns both buffers
    void* in_ = nullptr;                              // BIO
    void* out_ = nullptr;                             // BIO
    std::string host_;
    void* culprit_ = nullptr;                         // X509: the certificate that was refused
    bool ended_ = false, over_ = false, established_ = false;
    error why_;
};

}  // namespace kafkawire::net
