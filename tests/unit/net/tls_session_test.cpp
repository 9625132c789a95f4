// TLS over memory: two sessions of ours, and every way in which one should not trust the other. The certificates are made by OpenSSL's own functions.
#include "net/tls_session.hpp"

#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "catch.hpp"
#include "certificates.hpp"

namespace {

using namespace kafkawire;
using namespace kafkawire::net;
using namespace std::chrono_literals;
using clock = std::chrono::system_clock;

const auto now = clock::from_time_t(1'790'000'000);

const certificates::authority& ours() {
    static const certificates::authority a{"our authority", now};
    return a;
}

tls_settings server_with(const certificates::wish& w, const certificates::authority& by = ours()) {
    const auto id = by.issue(w);
    tls_settings s;
    s.server = true;
    s.certificate_pem = id.certificate;
    s.key_pem = secret{id.key};
    return s;
}
certificates::wish for_host(std::string host) { return {.name = "broker", .hosts = {std::move(host)}}; }

tls_settings trusting(const certificates::authority& whom = ours()) {
    tls_settings s;
    s.ca_pem = whom.certificate();
    return s;
}

std::shared_ptr<const tls_context> context(const tls_settings& s) {
    error why;
    auto c = tls_context::make(s, why);
    INFO(why.message());
    REQUIRE(c);
    return c;
}

struct pair_of {
    std::optional<tls_session> client, server;
    bool client_up = false, server_up = false;

    pair_of(const tls_settings& c, const tls_settings& s, std::string host = "broker-1", clock::time_point at = now) {
        client.emplace(context(c), host, at);
        server.emplace(context(s), "", at);
    }
    static bool move(tls_session& from, tls_session& to, std::size_t at_a_time) {
        std::vector<std::byte> some(at_a_time);
        const auto n = from.outgoing(some);
        to.incoming(std::span{some}.first(n));
        return n > 0;
    }
    // Until both are up, or nobody has anything to say.
    void shake(std::size_t at_a_time = 4096) {
        for (bool moved = true; moved;) {
            client_up = client->handshake() == tls_session::progress::done;
            server_up = server->handshake() == tls_session::progress::done;
            moved = move(*client, *server, at_a_time);
            moved = move(*server, *client, at_a_time) || moved;
        }
    }
};

std::string refused(const tls_settings& c, const tls_settings& s, std::string host = "broker-1", clock::time_point at = now) {
    pair_of p{c, s, std::move(host), at};
    p.shake();
    CHECK_FALSE(p.client_up);
    CHECK(p.client->why().code == errc::tls_failed);
    CHECK(p.client->why().in == phase::tls);
    return p.client->why().text + " | " + p.client->why().hint;
}

bool has(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return true;
    WARN(text << " has no \"" << part << '"');
    return false;
}

std::span<const std::byte> bytes_of(const std::string& s) { return std::as_bytes(std::span{s}); }

}  // namespace

TEST_CASE("two sessions agree, whatever pieces the bytes come in, and what one writes the other reads") {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
        pair_of p{trusting(), server_with(for_host("broker-1"))};
        p.shake(piece);
        REQUIRE(p.client_up);
        REQUIRE(p.server_up);
        CHECK(p.client->cipher().starts_with("TLSv1.3"));
        CHECK(p.client->peer_expires() == now + 24h);
        CHECK_FALSE(p.server->peer_expires());
        std::string sent(100'000, 'x'), got;
        for (std::size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 7 + i / 256);
        REQUIRE(p.client->write(bytes_of(sent)));
        std::vector<std::byte> some(5000);
        while (pair_of::move(*p.client, *p.server, piece))
            while (const auto n = p.server->read(some)) got.append(reinterpret_cast<const char*>(some.data()), n);
        CHECK(got == sent);
        p.client->close();
        while (pair_of::move(*p.client, *p.server, piece)) {}
        CHECK(p.server->read(some) == 0);
        CHECK(p.server->over());
        CHECK_FALSE(p.server->failed());
    }
}

TEST_CASE("a certificate must be for the host: by name, by wildcard, by address") {
    const auto takes = [](certificates::wish w, std::string host) {
        pair_of p{trusting(), server_with(w), std::move(host)};
        p.shake();
        return p.client_up;
    };
    CHECK(takes(for_host("broker-1"), "broker-1."));
    CHECK(takes({.hosts = {"other", "broker-1"}}, "broker-1"));
    CHECK(takes(for_host("*.kafka.example"), "b1.kafka.example"));
    CHECK(takes({.addresses = {"10.0.0.1", "::1"}}, "::1"));
    CHECK(takes({.addresses = {"10.0.0.1"}}, "10.0.0.1"));
    CHECK_FALSE(takes(for_host("*.kafka.example"), "a.b1.kafka.example"));
    CHECK(takes({.name = "broker-1"}, "broker-1"));  // as old certificates have it
    CHECK_FALSE(takes({.name = "broker-1", .hosts = {"other"}}, "broker-1"));  // but not where others are said
    const auto told = refused(trusting(), server_with({.hosts = {"b1.example"}, .addresses = {"10.0.0.9"}}));
    CHECK(has(told, "the certificate is for b1.example, 10.0.0.9, not for broker-1"));
    CHECK(has(told, "advertised.listeners"));
    CHECK(has(refused(trusting(), server_with(for_host("10.0.0.1")), "10.0.0.1"), "not for 10.0.0.1"));  // an address that poses as a name
}

TEST_CASE("a host without a name that a certificate could have is trusted with none") {
    for (const std::string_view host : {std::string_view{}, std::string_view{"."}, std::string_view{"broker-1\0.elsewhere", 19}})
        CHECK(has(refused(trusting(), server_with(for_host("broker-1")), std::string{host}), "no certificate can be for a host of this name"));
}

TEST_CASE("who issued it, when it is valid and what for") {
    const certificates::authority theirs{"their authority", now};
    CHECK(has(refused(trusting(), server_with(for_host("broker-1"), theirs)), "is not trusted: "));
    CHECK(has(refused(trusting(), server_with(for_host("broker-1"), theirs)), "tls_ca_file"));
    CHECK(has(refused({}, server_with(for_host("broker-1"))), "is not trusted: "));  // the system does not know us
    auto old = for_host("broker-1");
    old.from = now - 48h;
    old.to = now - 1h;
    CHECK(has(refused(trusting(), server_with(old)), "has expired, on 2026-09-21 13:1"));
    CHECK(has(refused(trusting(), server_with(for_host("broker-1")), "broker-1", now + 25h), "has expired"));
    CHECK(has(refused(trusting(), server_with(for_host("broker-1")), "broker-1", now - 2h), "is valid from"));
    auto client_only = for_host("broker-1");
    client_only.use = "clientAuth";
    CHECK(has(refused(trusting(), server_with(client_only)), "is not trusted: "));
    // Unless the user says that he knows.
    auto blind = trusting();
    blind.verify = tls_verify::insecure_i_know;
    pair_of p{blind, server_with(old, theirs), "another"};
    p.shake();
    CHECK(p.client_up);
}

TEST_CASE("client certificates: wanted, shown, refused; encrypted keys") {
    auto wanting = server_with(for_host("broker-1"));
    wanting.need_client_certificate = true;
    wanting.ca_pem = ours().certificate();
    {
        pair_of p{trusting(), wanting};
        p.shake();
        std::vector<std::byte> some(100);
        CHECK_FALSE(p.server_up);
        CHECK(p.client->read(some) == 0);  // TLS 1.3: the client is up before it is refused
        REQUIRE(p.client->failed());
        CHECK(has(p.client->why().text, "wants a certificate from us"));
        CHECK(has(p.client->why().hint, "tls_certificate_file"));
    }
    const auto id = ours().issue({.name = "a client", .use = "clientAuth"});
    auto known = trusting();
    known.certificate_pem = id.certificate;
    known.key_pem = secret{certificates::encrypted(id.key, "open sesame")};
    known.key_password = secret{"open sesame"};
    {
        pair_of p{known, wanting};
        p.shake();
        CHECK(p.client_up);
        CHECK(p.server_up);
        CHECK(p.server->peer_expires() == now + 24h);
        CHECK(context(known)->expires() == now + 24h);
    }
    error why;
    known.key_password = secret{"wrong"};
    CHECK_FALSE(tls_context::make(known, why));
    CHECK(has(why.hint, "is tls_key_password right?"));
    CHECK_FALSE(has(why.message(), "wrong"));
    known.key_password = {};
    CHECK_FALSE(tls_context::make(known, why));
    CHECK(has(why.hint, "an encrypted key needs tls_key_password"));
    known.key_pem = secret{ours().issue({}).key};
    CHECK_FALSE(tls_context::make(known, why));
    CHECK(has(why.text, "tls_key_pem is not the key of the certificate"));
    known.key_pem = {};
    CHECK_FALSE(tls_context::make(known, why));
    CHECK(has(why.hint, "set tls_key_file"));
}

TEST_CASE("files: what is not there or is no certificate is told by its option and its name") {
    const auto folder = std::filesystem::temp_directory_path() / ("kafkawire-tls-" + std::to_string(reinterpret_cast<std::uintptr_t>(&now)));
    std::filesystem::create_directory(folder);
    const auto write = [&](const char* name, const std::string& text) {
        std::ofstream{folder / name} << text;
        return (folder / name).string();
    };
    tls_settings s;
    error why;
    s.ca_file = (folder / "none.pem").string();
    CHECK_FALSE(tls_context::make(s, why));
    CHECK(why.code == errc::bad_configuration);
    CHECK(has(why.text, "tls_ca_file: " + s.ca_file));
    s.ca_file = write("text.pem", "no certificate\n");
    CHECK_FALSE(tls_context::make(s, why));
    s.ca_file = write("ca.pem", "a comment\n" + ours().certificate());
    CHECK(tls_context::make(s, why = {}));
    const auto id = ours().issue({});
    s.certificate_file = write("client.pem", id.certificate + id.key);  // both in one file
    CHECK(tls_context::make(s, why = {}));
    s.certificate_file = write("half.pem", id.certificate.substr(0, 200));
    CHECK_FALSE(tls_context::make(s, why));
    CHECK(has(why.text, "tls_certificate_file: " + s.certificate_file));
    s.certificate_file.clear();
    s.key_file = write("key.pem", id.key);
    CHECK_FALSE(tls_context::make(s, why));
    CHECK(has(why.text, "a private key without a certificate"));
    std::filesystem::remove_all(folder);
}

TEST_CASE("peers that speak something else, hang up, or speak an old TLS") {
    const auto told = [](const std::string& bytes, bool then_ends) {
        tls_session c{context(trusting()), "broker-1", now};
        CHECK(c.handshake() == tls_session::progress::wants_bytes);
        c.incoming(bytes_of(bytes));
        if (then_ends) c.ended();
        CHECK(c.handshake() == tls_session::progress::failed);
        return c.why().text + " | " + c.why().hint;
    };
    CHECK(has(told("HTTP/1.1 400 Bad Request\r\n", false), "does not speak TLS"));
    CHECK(has(told(std::string("\0\0\0\x08\0\0\0\0\0\0\0\0", 12), false), "does not speak TLS"));
    CHECK(has(told("", true), "hung up while TLS was being agreed on"));
    // Any byte of a flight may be the last.
    const auto settings = server_with(for_host("broker-1"));
    for (const std::size_t cut : {1u, 5u, 6u, 50u, 127u, 128u, 500u}) {
        pair_of p{trusting(), settings};
        p.client->handshake();
        pair_of::move(*p.client, *p.server, 4096);
        p.server->handshake();
        std::vector<std::byte> flight(cut);
        p.client->incoming(std::span{flight}.first(p.server->outgoing(flight)));
        p.client->ended();
        CAPTURE(cut);
        CHECK(p.client->handshake() == tls_session::progress::failed);
        CHECK(p.client->why().code == errc::tls_failed);
    }
}

TEST_CASE("a byte that was changed on the way ends the session, and none of its record is given") {
    pair_of p{trusting(), server_with(for_host("broker-1"))};
    p.shake();
    REQUIRE(p.client->write(bytes_of("transfer 100")));
    std::vector<std::byte> some(4096);
    const auto n = p.client->outgoing(some);
    some[n / 2] ^= std::byte{1};
    p.server->incoming(std::span{some}.first(n));
    CHECK(p.server->read(some) == 0);
    CHECK(p.server->failed());
    CHECK(p.server->why().code == errc::tls_failed);
}
