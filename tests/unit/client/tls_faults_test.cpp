// What a client makes of peers whose TLS is too old, and of handshakes that are cut (reliability.md, S2): told with phase tls within its time, tried again
// after pauses, nothing of SASL on the wire before TLS stands, well again when the peer is.
#include <kafkawire/client.hpp>

#include <asio/co_spawn.hpp>
#include <openssl/ssl.h>

#include "catch.hpp"
#include "certificates.hpp"
#include "peer.hpp"

using namespace std::chrono_literals;

namespace {

const certificates::authority& issuer() {
    static const certificates::authority a{"our authority", std::chrono::system_clock::now()};
    return a;
}

// A server that has TLS 1.1 and nothing newer, on loopback.
class old_tls_server {
public:
    explicit old_tls_server(asio::io_context& io) : context_{SSL_CTX_new(TLS_server_method())}, server_{io, [this](peers::session& s) { serve(s); }} {
        const auto id = issuer().issue({.name = "broker", .addresses = {"127.0.0.1"}});
        SSL_CTX_set_security_level(context_, 0);
        SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context_, TLS1_1_VERSION);
        auto* const key_bio = BIO_new_mem_buf(id.key.data(), static_cast<int>(id.key.size()));
        auto* const certificate_bio = BIO_new_mem_buf(id.certificate.data(), static_cast<int>(id.certificate.size()));
        auto* const key = PEM_read_bio_PrivateKey(key_bio, nullptr, nullptr, nullptr);
        auto* const certificate = PEM_read_bio_X509(certificate_bio, nullptr, nullptr, nullptr);
        REQUIRE(SSL_CTX_use_certificate(context_, certificate) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey(context_, key) == 1);
        X509_free(certificate);
        EVP_PKEY_free(key);
        BIO_free(certificate_bio);
        BIO_free(key_bio);
    }
    ~old_tls_server() { SSL_CTX_free(context_); }
    [[nodiscard]] std::string address() const { return server_.address(); }
    [[nodiscard]] int connections() const { return server_.connections; }
    void stop() { server_.stop(); }
    std::size_t got = 0;                                    // bytes, of all connections
    bool choose_it = false;                                 // the server's hello names 1.1, as of one that has not read the client's

private:
    struct one {
        SSL* ssl = nullptr;
        std::array<char, 4096> room{};
        ~one() { SSL_free(ssl); }
    };
    void serve(peers::session& s) {
        auto state = std::make_shared<one>();
        state->ssl = SSL_new(context_);
        SSL_set_bio(state->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(state->ssl);
        read(s.shared_from_this(), state);
    }
    void read(const std::shared_ptr<peers::session>& s, const std::shared_ptr<one>& state) {
        s->socket.async_read_some(asio::buffer(state->room), [this, s, state](asio::error_code ec, std::size_t n) {
            if (ec) return;
            got += n;
            if (choose_it) {
                // ServerHello of version 3.2: 32 bytes of random, no session id, a cipher of that time, no compression.
                std::string hello{"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02", 11};
                hello += std::string(32, 'r') + std::string{"\x00\x00\x2f\x00", 4};
                s->send(hello);
                return read(s, state);
            }
            BIO_write(SSL_get_rbio(state->ssl), state->room.data(), static_cast<int>(n));
            const int r = SSL_do_handshake(state->ssl);
            CHECK(r != 1);
            std::string out(4096, '\0');
            if (const int m = BIO_read(SSL_get_wbio(state->ssl), out.data(), 4096); m > 0) s->send(std::string_view{out}.substr(0, static_cast<std::size_t>(m)));
            if (SSL_get_error(state->ssl, r) != SSL_ERROR_WANT_READ) return s->hang_up();
            read(s, state);
        });
    }
    SSL_CTX* context_;
    peers::server server_;
};

kw::client_options secured(const certificates::authority& trusted) {
    kw::client_options o;
    o.security_protocol = kw::security_protocol::sasl_ssl;
    o.sasl_mechanism = kw::sasl_mechanism::plain;
    o.sasl_username = "alice";
    o.sasl_password = kw::secret{"canary-p4ss"};
    o.tls_ca_pem = trusted.certificate();
    return o;
}

}  // namespace

TEST_CASE("a peer that has no TLS newer than 1.1 is refused by that name, within its time and without hammering, and gets nothing of SASL", "[security]") {
    for (const bool chooses : {false, true}) {
        CAPTURE(chooses);
        asio::io_context io;
        old_tls_server server{io};
        server.choose_it = chooses;
        auto o = secured(issuer());
        o.bootstrap = server.address();
        o.connect_timeout = 500ms;
        o.request_timeout = 2s;
        kw::error why;
        const auto began = std::chrono::steady_clock::now();
        kw::client client{io, o};
        client.async_metadata(kw::detailed([&](kw::error e, auto) {
            why = std::move(e);
            io.stop();
        }));
        io.run_for(10s);
        INFO(why.message());
        CHECK(std::chrono::steady_clock::now() - began < 2500ms);
        CHECK(why.code == kw::errc::tls_failed);
        CHECK(why.in == kw::phase::tls);
        CHECK(why.message().find("TLS 1.2") != std::string::npos);
        CHECK(server.connections() >= 1);
        CHECK(server.connections() <= 12);
        // Hellos, and an alert each.
        CHECK(server.got < static_cast<std::size_t>(server.connections()) * 2048);
    }
}
