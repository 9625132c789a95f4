// What a client makes of peers whose TLS is too old, and of handshakes that are cut (reliability.md, S2): told with phase tls within its time, tried again
// after pauses, nothing of SASL on the wire before TLS stands, well again when the peer is.
#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/simulation.hpp>

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

namespace {

// A broker behind TLS and SASL in virtual time, and a client that asks for its metadata.
struct secured_world {
    kw::sim::world world{5};
    kw::sim::host& node = world.add_host("broker");
    kw::sim::host& app = world.add_host("app");
    certificates::authority authority{"virtual authority", app.environment()->wall_now()};
    std::optional<kw::broker::cluster> cluster;
    std::optional<kw::client> client;
    std::uint64_t to_broker = 0, to_client = 0;
    bool leaked = false;

    secured_world() {
        kw::broker::options o;
        o.nodes = 1;
        o.hosts = {node.address().to_string()};
        o.ports = {9092};
        o.topics = {{.name = "orders", .partitions = 1}};
        const auto now = app.environment()->wall_now();
        const auto id = authority.issue({.name = "broker", .hosts = {"broker"}, .addresses = {node.address().to_string()}, .from = now - 24h, .to = now + 24h});
        o.security.protocol = kw::security_protocol::sasl_ssl;
        o.security.certificate = id.certificate;
        o.security.key = kw::secret{id.key};
        o.security.mechanisms = {kw::sasl_mechanism::plain};
        o.security.users = {{"alice", kw::secret{"canary-p4ss"}}};
        cluster.emplace(std::vector<std::shared_ptr<kw::net::environment>>{node.environment()}, o);
        REQUIRE_FALSE(cluster->start());
        world.observe([this](const kw::sim::event& e) {
            if (e.what != kw::sim::event::kind::bytes) return;
            (e.from_client ? to_broker : to_client) += e.data.size();
            const std::string_view text{reinterpret_cast<const char*>(e.data.data()), e.data.size()};
            leaked |= text.find("canary") != std::string_view::npos || text.find("alice") != std::string_view::npos;
        });
        auto c = secured(authority);
        c.bootstrap = "broker:9092";
        c.connect_timeout = 3s;
        c.request_timeout = 10s;
        client.emplace(app.executor(), c, app.environment());
    }
    ~secured_world() {
        client.reset();
        cluster.reset();
    }
    struct verdict {
        kw::error why;
        kw::sim::duration took{};
    };
    verdict ask() {
        std::optional<kw::error> told;
        const auto began = world.now();
        client->async_metadata(kw::detailed([&](kw::error e, auto) { told = std::move(e); }));
        REQUIRE(world.run_until([&] { return told.has_value(); }, 60s));
        return {*told, world.now() - began};
    }
    // Where it was, with whom, and nothing that is secret.
    static void check_story(const kw::error& why) {
        CHECK(why.in == kw::phase::tls);
        CHECK(why.message().starts_with("tls broker:9092"));
        CHECK(why.message().find("canary") == std::string::npos);
    }
};

}  // namespace

TEST_CASE("a handshake that is cut, at any byte and in any way, is told where it was within its time, and the next request gets its answer", "[security][sim]") {
    std::uint64_t theirs = 0, ours = 0;
    {
        secured_world w;
        CHECK_FALSE(w.ask().why);
        theirs = w.to_client;
        ours = w.to_broker;
        CHECK(theirs > 1000);
    }
    for (const auto how : {kw::sim::cut::reset, kw::sim::cut::end, kw::sim::cut::silence})
        for (const bool from_broker : {true, false}) {
            // The last hundreds are of Kafka, behind TLS.
            for (std::uint64_t n = 0; n < (from_broker ? theirs : ours) - 50; n += n < 12 ? 1 : 61) {
                CAPTURE(static_cast<int>(how), from_broker, n);
                secured_world w;
                w.world.cut_after(from_broker ? w.node : w.app, from_broker ? w.app : w.node, n, how);
                // There is one broker, and nobody else to ask.
                const auto v = w.ask();
                INFO(v.why.message());
                CHECK(v.why);
                // The broker's part of the handshake is some 700 bytes: certificates differ by a few.
                if (n < (from_broker ? 600u : 100u)) w.check_story(v.why);
                else CHECK((v.why.in == kw::phase::tls || v.why.in == kw::phase::api_versions || v.why.in == kw::phase::sasl || v.why.in == kw::phase::request));
                // Behind the handshakes a request waits until the connection is known to be dead.
                CHECK(v.took < (how != kw::sim::cut::silence ? 1s : v.why.in == kw::phase::request ? 5100ms : 3100ms));
                CHECK(w.world.count().cut == 1);
                const auto then = w.ask();
                INFO(then.why.message());
                CHECK_FALSE(then.why);
                CHECK(then.took < 1s);
                CHECK(w.world.count().connections <= 3);
                CHECK_FALSE(w.leaked);
            }
        }
}

TEST_CASE("handshakes that are cut each time: requests are told so, connections keep pauses between them, and what waited to be sent goes when it is over", "[security][sim]") {
    for (const auto how : {kw::sim::cut::reset, kw::sim::cut::end}) {
        CAPTURE(static_cast<int>(how));
        secured_world w;
        bool cutting = true;
        std::function<void()> again = [&] {
            if (!cutting) return;
            w.world.cut_after(w.node, w.app, 200, how);
            w.world.after(1ms, [&] { again(); });
        };
        again();
        kw::producer producer{*w.client};
        std::optional<kw::error> sent;
        producer.async_send({.topic = "orders", .value = "v"}, kw::detailed([&](kw::error why, kw::delivery) { sent = std::move(why); }));
        const auto until = w.world.now() + 20s;
        int told = 0;
        while (w.world.now() < until) {
            const auto v = w.ask();
            INFO(v.why.message());
            w.check_story(v.why);
            CHECK(v.took < 2s);
            ++told;
            w.world.run_for(100ms);
        }
        CHECK(told >= 10);
        CHECK(w.world.count().connections >= 10);
        CHECK(w.world.count().connections <= 100);
        CHECK_FALSE(sent);
        cutting = false;
        w.world.run_for(10ms);
        w.world.cut_after(w.node, w.app, std::uint64_t{1} << 40);
        w.world.run_for(2s);
        CHECK_FALSE(w.ask().why);
        REQUIRE(sent);
        INFO(sent->message());
        CHECK_FALSE(*sent);
        CHECK_FALSE(w.leaked);
    }
}

TEST_CASE("a peer that stands still within the handshake costs connect_timeout, is asked again after pauses, and is served when it moves", "[security][sim]") {
    secured_world w;
    w.node.pause();  // its kernel takes connections and bytes all the same
    int told = 0;
    for (const auto until = w.world.now() + 30s; w.world.now() < until; ++told) {
        const auto v = w.ask();
        INFO(v.why.message());
        w.check_story(v.why);
        CHECK(v.took < 4s);
        w.world.run_for(100ms);
    }
    CHECK(told >= 7);
    CHECK(w.world.count().connections <= 12);
    w.node.resume();
    const auto then = w.ask();
    INFO(then.why.message());
    CHECK_FALSE(then.why);
    CHECK(then.took < 2s);
    CHECK_FALSE(w.leaked);
}
