// TLS and SASL between the client and the embedded broker: each way in, each way to be refused, renewal under load, secrets that nobody may see.
#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/simulation.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "catch.hpp"
#include "unit/running.hpp"
#include "certificates.hpp"
#include "security.hpp"

namespace security {

using namespace std::chrono_literals;
using kw::sasl_mechanism;
using kw::security_protocol;
using secured::all_mechanisms;
using secured::leaks;

constexpr std::string_view password = "canary-p4ss,=word", wrong_password = "canary-wr0ng";

const certificates::authority& ours() {
    static const certificates::authority a{"our authority", std::chrono::system_clock::now()};
    return a;
}

kw::broker::listener_security listener(security_protocol p) {
    kw::broker::listener_security s;
    s.protocol = p;
    if (kw::has_tls(p)) {
        const auto id = ours().issue({.name = "broker", .hosts = {"localhost"}, .addresses = {"127.0.0.1"}});
        s.certificate = id.certificate;
        s.key = kw::secret{id.key};
    }
    if (kw::has_sasl(p)) {
        s.mechanisms = all_mechanisms;
        s.users = {{"alice", kw::secret{password}}};
        s.insecure_test_tokens = true;
    }
    return s;
}

kw::client_options client_of(security_protocol p, sasl_mechanism m = sasl_mechanism::plain) {
    auto o = secured::client_of(p, m, ours().certificate(), password);
    o.request_timeout = 5s;
    return o;
}

kw::broker::options cluster_with(kw::broker::listener_security s) {
    kw::broker::options o;
    o.topics = {{.name = "orders", .partitions = 2}};
    o.security = std::move(s);
    return o;
}

struct rig : running {
    std::optional<kw::broker::cluster> kafka;

    explicit rig(kw::broker::listener_security s) {
        kafka.emplace(io, cluster_with(std::move(s)));
        REQUIRE_FALSE(kafka->start());
    }
    // What becomes of a first request; and how long it took.
    kw::error refusal(kw::client_options o, std::string bootstrap = {}) {
        o.bootstrap = bootstrap.empty() ? kafka->bootstrap() : bootstrap;
        kw::error why;
        const auto began = std::chrono::steady_clock::now();
        run([&]() -> asio::awaitable<void> {
            kw::client client{io, o};
            auto [e, answer] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
            why = e;
            for (const auto& h : client.health()) CHECK_FALSE(leaks(h.last_error.message()));
        });
        CHECK(std::chrono::steady_clock::now() - began < 4s);
        INFO(why.message());
        CHECK_FALSE(leaks(why.message()));
        return why;
    }
};

void produce_and_read(rig& r, kw::client_options o) {
    o.bootstrap = r.kafka->bootstrap();
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, o};
        kw::producer producer{client};
        std::string value(20'000, 'v');  // more than one TLS record
        for (int i = 0; i < 5; ++i) {
            const auto key = std::to_string(i);
            const kw::record record{.topic = "orders", .key = key, .value = value};
            co_await producer.async_send(record, asio::use_awaitable);
        }
        kw::consumer_options reading;
        reading.group = "billing";
        reading.topics = {"orders"};
        reading.auto_offset_reset = kw::offset_reset::earliest;
        kw::consumer consumer{client, reading};
        int seen = 0;
        while (seen < 5) {
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            for (const auto& record : batch) seen += record.value.size() == value.size();
            co_await consumer.async_commit(batch, asio::use_awaitable);
        }
        co_await consumer.async_close(asio::use_awaitable);
        const auto health = client.health();
        const bool shown = std::any_of(health.begin(), health.end(), [](const auto& h) { return h.certificate_expires.has_value(); });
        CHECK(shown == kw::has_tls(o.security_protocol));
    });
}

struct folder {
    std::filesystem::path at = std::filesystem::temp_directory_path() / ("kafkawire-security-" + std::to_string(::getpid()));
    folder() { std::filesystem::create_directories(at); }
    ~folder() { std::filesystem::remove_all(at); }
    [[nodiscard]] std::string put(const std::string& name, const std::string& text) const {
        std::ofstream{at / name} << text;
        return (at / name).string();
    }
};

}  // namespace security

using namespace security;

TEST_CASE("every security.protocol with every mechanism: records and a group", "[security]") {
    for (const auto p : {security_protocol::plaintext, security_protocol::ssl}) {
        CAPTURE(kw::to_string(p));
        rig r{listener(p)};
        produce_and_read(r, client_of(p));
    }
    for (const auto p : {security_protocol::sasl_plaintext, security_protocol::sasl_ssl}) {
        for (const auto m : all_mechanisms) {
            CAPTURE(kw::to_string(p), kw::to_string(m));
            rig r{listener(p)};
            produce_and_read(r, client_of(p, m));
        }
    }
}

TEST_CASE("who is not known is told so, soon, and nothing else is tried", "[security]") {
    for (const auto m : {sasl_mechanism::plain, sasl_mechanism::scram_sha_256, sasl_mechanism::scram_sha_512}) {
        rig r{listener(security_protocol::sasl_ssl)};
        auto o = client_of(security_protocol::sasl_ssl, m);
        o.sasl_password = kw::secret{wrong_password};
        auto why = r.refusal(o);
        CHECK(why.code == kw::errc::authentication_failed);
        CHECK(why.in == kw::phase::sasl);
        CHECK(why.code != kw::condition::retriable);
        o.sasl_username = "nobody";
        CHECK(r.refusal(o).code == kw::errc::authentication_failed);
    }
    rig r{listener(security_protocol::sasl_plaintext)};
    auto o = client_of(security_protocol::sasl_plaintext, sasl_mechanism::oauthbearer);
    o.token_source = nullptr;
    o.sasl_token = kw::secret{"canary.token.x"};
    CHECK(r.refusal(o).code == kw::errc::authentication_failed);
    o.sasl_token = {};
    o.token_source = [](kw::token_handler done) { done({}, {kw::secret{"canary"}, std::chrono::system_clock::now() + 10s}); };
    CHECK(r.refusal(o).message().find("has expired, or is about to") != std::string::npos);
    o.token_source = [](kw::token_handler) { throw std::runtime_error{"no token today"}; };
    CHECK(r.refusal(o).message().find("no token today") != std::string::npos);

    // What the listener does not offer is not replaced by what it does: the password stays here.
    auto only_plain = listener(security_protocol::sasl_plaintext);
    only_plain.mechanisms = {sasl_mechanism::plain};
    rig strip{only_plain};
    int asked_who = 0;
    strip.kafka->watch([&](const kw::broker::passing& p) { asked_who += p.api_key == 36; });
    const auto why = strip.refusal(client_of(security_protocol::sasl_plaintext, sasl_mechanism::scram_sha_512));
    CHECK(why.code == kw::errc::authentication_failed);
    CHECK(why.message().find("the listener does not have SCRAM-SHA-512; it has PLAIN") != std::string::npos);
    CHECK(asked_who == 0);
}

TEST_CASE("a broker whose certificate is not good gets nothing", "[security]") {
    const auto now = std::chrono::system_clock::now();
    const certificates::authority strangers{"strangers", now};
    const auto with = [](const certificates::identity& id) {
        auto s = listener(security_protocol::sasl_ssl);
        s.certificate = id.certificate;
        s.key = kw::secret{id.key};
        return s;
    };
    const auto refused = [&](const certificates::identity& id, std::string_view text) {
        rig r{with(id)};
        int sasl = 0;
        r.kafka->watch([&](const kw::broker::passing&) { ++sasl; });
        const auto why = r.refusal(client_of(security_protocol::sasl_ssl));
        INFO(why.message());
        CHECK(why.code == kw::errc::tls_failed);
        CHECK(why.in == kw::phase::tls);
        CHECK(why.message().find(text) != std::string::npos);
        CHECK(sasl == 0);
    };
    refused(strangers.issue({.name = "broker", .addresses = {"127.0.0.1"}}), "is not trusted");
    refused(ours().issue({.name = "broker", .hosts = {"kafka.example"}}), "the certificate is for kafka.example, not for 127.0.0.1");
    refused(ours().issue({.name = "broker", .addresses = {"127.0.0.1"}, .from = now - 48h, .to = now - 24h}), "has expired");
    refused(ours().issue({.name = "broker", .addresses = {"127.0.0.1"}, .use = "clientAuth"}), "is not trusted");
    // By its name it is good, and a listener that wants no certificate from us gets none.
    rig r{listener(security_protocol::ssl)};
    const auto port = r.kafka->bootstrap().substr(r.kafka->bootstrap().rfind(':'));
    auto o = client_of(security_protocol::ssl);
    o.tls_verify = kw::tls_verify::insecure_i_know;
    o.tls_ca_pem.clear();
    CHECK_FALSE(r.refusal(o));
    CHECK_FALSE(r.refusal(client_of(security_protocol::ssl), "localhost" + port));
}

TEST_CASE("client certificates: wanted, shown, a stranger's, an encrypted key", "[security]") {
    auto s = listener(security_protocol::ssl);
    s.client_ca = ours().certificate();
    rig r{s};
    auto o = client_of(security_protocol::ssl);
    CHECK(r.refusal(o).code == kw::errc::tls_failed);
    const auto id = ours().issue({.name = "alice"});
    o.tls_certificate_pem = id.certificate;
    o.tls_key_pem = kw::secret{certificates::encrypted(id.key, std::string{password})};
    o.tls_key_password = kw::secret{password};
    CHECK_FALSE(r.refusal(o));
    const certificates::authority strangers{"strangers", std::chrono::system_clock::now()};
    const auto stranger = strangers.issue({.name = "mallory"});
    o.tls_certificate_pem = stranger.certificate;
    o.tls_key_pem = kw::secret{stranger.key};
    o.tls_key_password = {};
    CHECK(r.refusal(o).code == kw::errc::tls_failed);
    o.tls_key_pem = kw::secret{id.key};
    o.bootstrap = r.kafka->bootstrap();
    try {
        kw::client client{r.io, o};
        FAIL("a key of another certificate was taken");
    } catch (const kw::system_error& e) {
        CHECK(e.detail().code == kw::errc::bad_configuration);
        CHECK_FALSE(leaks(e.what()));
    }
}

TEST_CASE("the wrong kind of listener says what it is", "[security]") {
    rig tls{listener(security_protocol::ssl)}, plain{listener(security_protocol::plaintext)}, sasl{listener(security_protocol::sasl_plaintext)};
    const auto told = tls.refusal(client_of(security_protocol::plaintext));
    INFO(told.message());
    CHECK(told.message().find("TLS") != std::string::npos);
    const auto other = plain.refusal(client_of(security_protocol::sasl_ssl));
    INFO(other.message());
    CHECK(other.code == kw::errc::tls_failed);
    CHECK(plain.refusal(client_of(security_protocol::sasl_plaintext)).code == kw::errc::no_common_version);
    const auto wants = sasl.refusal(client_of(security_protocol::plaintext));
    INFO(wants.message());
    CHECK(wants.code == kw::errc::connection_closed);
    CHECK(wants.hint.find("SASL") != std::string::npos);
}

TEST_CASE("changed certificates are read again for the next connection", "[security]") {
    const folder here;
    auto s = listener(security_protocol::ssl);
    s.client_ca = ours().certificate();
    rig r{s};
    const auto now = std::chrono::system_clock::now();
    const auto first = ours().issue({.name = "alice", .to = now + 24h}), second = ours().issue({.name = "alice", .to = now + 48h});
    auto o = client_of(security_protocol::ssl);
    o.bootstrap = r.kafka->bootstrap();
    o.tls_ca_pem.clear();
    o.tls_ca_file = here.put("ca.pem", ours().certificate());
    o.tls_certificate_file = here.put("me.pem", first.certificate + first.key);
    o.tls_reload = 1ms;
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, o};
        co_await client.async_metadata(asio::use_awaitable);
        const auto expires = [&] { return client.health().at(0).own_certificate_expires.value(); };
        CHECK(expires() < now + 25h);
        const auto control = r.kafka->control();
        static_cast<void>(here.put("me.pem", "half a fi"));
        static_cast<void>(r.kafka->control().close_connections(1));
        asio::steady_timer pause{r.io, 5ms};
        co_await pause.async_wait(asio::use_awaitable);
        co_await client.async_metadata(asio::use_awaitable);  // with what was read before
        CHECK(expires() < now + 25h);
        static_cast<void>(here.put("me.pem", second.certificate + second.key));
        co_await client.async_metadata(asio::use_awaitable);  // on the same connection
        CHECK(expires() < now + 25h);
        static_cast<void>(r.kafka->control().close_connections(1));
        pause.expires_after(5ms);
        co_await pause.async_wait(asio::use_awaitable);
        co_await client.async_metadata(asio::use_awaitable);
        CHECK(expires() > now + 47h);
    });
}

namespace {

struct simulated {
    kw::sim::world world;
    kw::sim::host& node = world.add_host("broker");
    kw::sim::host& app = world.add_host("app");
    std::optional<kw::broker::cluster> cluster;
    std::optional<kw::client> client;
    std::optional<kw::producer> producer;
    int handshakes = 0, sent = 0, acknowledged = 0, refused = 0;
    std::vector<std::int64_t> next_offset = std::vector<std::int64_t>(2);
    kw::error last;

    simulated(std::uint64_t seed, sasl_mechanism m, std::chrono::milliseconds lifetime) : world{seed} {
        auto s = listener(security_protocol::sasl_plaintext);
        s.session_lifetime = lifetime;
        s.mechanisms = {sasl_mechanism::plain, sasl_mechanism::scram_sha_256};
        auto o = cluster_with(std::move(s));
        o.hosts = {node.address().to_string()};
        o.ports = {9092};
        cluster.emplace(std::vector<std::shared_ptr<kw::net::environment>>{node.environment()}, o);
        REQUIRE_FALSE(cluster->start());
        cluster->watch([&](const kw::broker::passing& p) {
            CHECK(p.api_key != 36);
            handshakes += p.api_key == 17 && p.way == kw::broker::passing::direction::request;
        });
        auto c = client_of(security_protocol::sasl_plaintext, m);
        c.bootstrap = "broker:9092";
        client.emplace(app.executor(), c, app.environment());
        producer.emplace(*client, kw::producer_options{.linger = 0ms});
    }
    ~simulated() {
        producer.reset();
        client.reset();
        cluster.reset();
    }
    void send() {
        auto key = std::make_unique<const std::string>(std::to_string(sent++));  // lives until it is told
        const kw::record record{.topic = "orders", .key = *key, .value = "v"};
        producer->async_send(record, kw::detailed([this, kept = std::move(key)](kw::error why, kw::delivery at) {
            if (why.code == kw::errc::client_closed) return;
            if (why) {
                ++refused;
                last = std::move(why);
                return;
            }
            ++acknowledged;
            // In order, none twice, none left out.
            CHECK(at.offset == next_offset[static_cast<std::size_t>(at.partition)]++);
        }));
        world.after(7ms, [this] { send(); });
    }
};

}  // namespace

TEST_CASE("sessions of 5 s under load: every record in order and once", "[security][sim]") {
    for (const auto m : {sasl_mechanism::plain, sasl_mechanism::scram_sha_256}) {
        std::uint64_t before = 0;
        for (int round = 0; round < (m == sasl_mechanism::plain ? 1 : 2); ++round) {
            simulated s{42, m, 5s};
            s.send();
            s.world.run_for(60s);
            CHECK(s.acknowledged > 5'000);
            CHECK(s.sent - s.acknowledged < 50);
            CHECK(s.refused == 0);
            CHECK(s.handshakes > 12);  // on each connection every 4 to 4.5 s
            // The same seed gives the same bytes.
            if (round == 1) CHECK(s.world.trace_hash() == before);
            before = s.world.trace_hash();
        }
    }
}

TEST_CASE("a password that changes under load is told, and well again with the next", "[security][sim]") {
    simulated s{7, sasl_mechanism::plain, 5s};
    s.send();
    s.world.run_for(10s);
    const auto before = s.handshakes;
    s.cluster->control().set_password("alice", kw::secret{wrong_password});
    s.world.run_for(60s);
    CHECK(s.handshakes - before < 60 * 20);
    const auto health = s.client->health();
    CHECK(std::any_of(health.begin(), health.end(), [](const auto& h) { return h.last_error.code == kw::errc::authentication_failed; }));
    for (const auto& h : health) CHECK_FALSE(leaks(h.last_error.message()));
    s.cluster->control().set_password("alice", kw::secret{password});
    s.world.run_for(60s);
    CHECK(s.refused == 0);  // within the delivery timeout
    CHECK(s.sent - s.acknowledged < 50);
}

TEST_CASE("options that cannot be together are refused with what would be right", "[security]") {
    const auto refused = [](auto change, std::string_view text) {
        kw::client_options o;
        change(o);
        const auto why = kw::validate(o);
        INFO(why.message());
        CHECK(why.code == kw::errc::bad_configuration);
        CHECK(why.message().find(text) != std::string::npos);
        CHECK_FALSE(leaks(why.message()));
    };
    using o = kw::client_options;
    const kw::secret canary{"canary"};
    refused([&](o& c) { c.sasl_password = canary; }, "sasl_password is set, and security_protocol is plaintext, which has no SASL");
    refused([](o& c) { c.tls_ca_file = "ca.pem"; }, "tls_ca_file is set, and security_protocol is plaintext, which has no TLS");
    refused([](o& c) { c.security_protocol = security_protocol::sasl_ssl; }, "no sasl_mechanism is set");
    refused([](o& c) { c.security_protocol = security_protocol::sasl_ssl, c.sasl_mechanism = sasl_mechanism::plain, c.sasl_username = "a"; }, "sasl_password is not set");
    refused([](o& c) { c.security_protocol = security_protocol::sasl_ssl, c.sasl_mechanism = sasl_mechanism::oauthbearer; }, "there are no tokens");
    refused([&](o& c) { c.security_protocol = security_protocol::sasl_ssl, c.sasl_mechanism = sasl_mechanism::oauthbearer, c.sasl_token = canary, c.token_source = kw::unsecured_tokens("a"); }, "more than one source");
    refused([&](o& c) { c.security_protocol = security_protocol::sasl_ssl, c.sasl_mechanism = sasl_mechanism::oauthbearer, c.sasl_password = canary; }, "which it has no use for");
    refused([&](o& c) { c.security_protocol = security_protocol::ssl, c.tls_key_pem = canary; }, "there is no certificate");
    refused([](o& c) { c.security_protocol = security_protocol::ssl, c.tls_verify = kw::tls_verify::insecure_i_know, c.tls_ca_file = "x"; }, "which would not be looked at");
    kw::client_options c;
    CHECK_FALSE(kw::set_option(c, "security.protocol", "SASL_SSL"));
    CHECK_FALSE(kw::set_option(c, "sasl.mechanism", "SCRAM-SHA-512"));
    CHECK_FALSE(kw::set_option(c, "sasl.username", "alice"));
    CHECK_FALSE(kw::set_option(c, "sasl.password", "canary"));
    CHECK_FALSE(kw::validate(c));
    CHECK(c.sasl_password.reveal() == "canary");
    for (const auto& option : kw::options_of<kw::client_options>()) CHECK_FALSE(leaks(kw::option_text(option, &c)));
    CHECK(kw::set_option(c, "sasl.mechanism", "GSSAPI").text == "sasl_mechanism is \"GSSAPI\"; plain, scram-sha-256, scram-sha-512 or oauthbearer would be right");
    CHECK(kw::warning_of(c).empty());
    c.security_protocol = security_protocol::sasl_plaintext;
    CHECK_FALSE(kw::warning_of(c).empty());
}
