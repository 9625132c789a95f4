// Real Kafka's listeners: the four security protocols with the four mechanisms, client certificates, everything that is to be refused, and sessions that
// are renewed every few seconds under load. One node with a listener for each way in. Slow: label "real".
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/detached.hpp>
#include <asio/steady_timer.hpp>
#include <testcontainers/kafka_cluster.hpp>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "certificates.hpp"
#include "real/event_loop.hpp"
#include "security.hpp"

namespace real_security {

using namespace std::chrono_literals;
using kw::sasl_mechanism;
using kw::security_protocol;
using secured::all_mechanisms;
using secured::leaks;

constexpr std::string_view password = "canary-alice", wrong_password = "canary-wrong";

// A value of several lines in a properties file.
std::string in_one_line(const std::string& pem) {
    std::string s;
    for (const char c : pem) s += c == '\n' ? "\\n" : std::string(1, c);
    return s;
}

struct cluster {
    certificates::authority ours{"our authority", std::chrono::system_clock::now()}, strangers{"strangers", std::chrono::system_clock::now()};
    std::optional<kw::testing::kafka_cluster> kafka;

    cluster() {
        const auto now = std::chrono::system_clock::now();
        kw::testing::kafka_image image;
        const auto tls = [&](const std::string& name, const certificates::identity& id, bool wants_certificate = false) {
            const auto prefix = "listener.name." + name + ".ssl.";
            image.with_property(prefix + "keystore.type", "PEM").with_property(prefix + "keystore.certificate.chain", in_one_line(id.certificate)).with_property(prefix + "keystore.key", in_one_line(id.key));
            image.with_property(prefix + "truststore.type", "PEM").with_property(prefix + "truststore.certificates", in_one_line(ours.certificate()));
            image.with_property(prefix + "client.auth", wants_certificate ? "required" : "none");
        };
        const auto sasl = [&](const std::string& name, bool only_plain = false) {
            const auto prefix = "listener.name." + name + '.', module = std::string{"org.apache.kafka.common.security."};
            image.with_property(prefix + "sasl.enabled.mechanisms", only_plain ? "PLAIN" : "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER");
            image.with_property(prefix + "plain.sasl.jaas.config", module + "plain.PlainLoginModule required user_alice=\"" + std::string{password} + "\";");
            if (only_plain) return;
            image.with_property(prefix + "scram-sha-256.sasl.jaas.config", module + "scram.ScramLoginModule required;");
            image.with_property(prefix + "scram-sha-512.sasl.jaas.config", module + "scram.ScramLoginModule required;");
            image.with_property(prefix + "oauthbearer.sasl.jaas.config", module + "oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";");
        };
        const auto good = ours.issue({.name = "broker", .hosts = {"localhost"}, .addresses = {"127.0.0.1"}});
        image.with_listener("TLS", "SSL").with_listener("MUTUAL", "SSL").with_listener("OTHERHOST", "SSL").with_listener("EXPIRED", "SSL");
        image.with_listener("SP", "SASL_PLAINTEXT").with_listener("SS", "SASL_SSL").with_listener("ONLYPLAIN", "SASL_PLAINTEXT");
        tls("tls", good);
        tls("mutual", good, true);
        tls("otherhost", ours.issue({.name = "broker", .hosts = {"kafka.example"}}));
        tls("expired", ours.issue({.name = "broker", .addresses = {"127.0.0.1"}, .from = now - 48h, .to = now - 24h}));
        tls("ss", good);
        sasl("sp");
        sasl("ss");
        sasl("onlyplain", true);
        image.with_property("connections.max.reauth.ms", "5000");
        for (const auto* hash : {"SCRAM-SHA-256", "SCRAM-SHA-512"})
            image.with_format_argument("--add-scram").with_format_argument(std::string{hash} + "=[name=alice,password=" + std::string{password} + "]");
        kafka.emplace(image.start());
    }

    [[nodiscard]] kw::client_options options(security_protocol p, const std::string& listener, sasl_mechanism m = sasl_mechanism::plain) const {
        auto o = secured::client_of(p, m, ours.certificate(), password);
        o.bootstrap = listener.empty() ? kafka->bootstrap_servers() : kafka->listener_servers(listener);
        return o;
    }
};

// kafka-cli, if it was built: its output, both streams, and its status.
std::optional<std::pair<std::string, int>> run_cli(const std::string& words) {
    const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "kafka-cli";
    if (!std::filesystem::exists(program)) return {};
    auto* const from = ::popen((program.string() + ' ' + words + " 2>&1 < /dev/null").c_str(), "r");
    if (!from) return {};
    std::string all;
    std::array<char, 4096> some{};
    for (std::size_t n = 0; (n = std::fread(some.data(), 1, some.size(), from)) > 0 && all.size() < 1'000'000;) all.append(some.data(), n);
    return std::pair{all, ::pclose(from)};
}

// Records, a group, a transaction.
asio::awaitable<void> use(asio::io_context& io, kw::client_options o, std::string name) {
    kw::client client{io, o};
    const auto topic = "topic-" + name;
    {
        kw::producer producer{client};
        for (int i = 0; i < 10; ++i) {
            const auto value = std::to_string(i);
            const kw::record record{.topic = topic, .value = value, .partition = 0};
            co_await producer.async_send(record, asio::use_awaitable);
        }
        co_await producer.async_close(5s, asio::use_awaitable);
    }
    {
        kw::producer_options with;
        with.transactional_id = "tx-" + name;
        kw::producer producer{client, with};
        auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
        const kw::record record{.topic = topic, .value = "10", .partition = 0};
        co_await producer.async_send(record, asio::use_awaitable);
        co_await tx.async_commit(asio::use_awaitable);
        co_await producer.async_close(5s, asio::use_awaitable);
    }
    kw::consumer_options reading;
    reading.group = "group-" + name;
    reading.topics = {topic};
    reading.auto_offset_reset = kw::offset_reset::earliest;
    kw::consumer consumer{client, reading};
    int next = 0;
    while (next < 11) {
        const auto batch = co_await consumer.async_poll(asio::use_awaitable);
        for (const auto& r : batch) CHECK(r.value.text() == std::to_string(next++));
        co_await consumer.async_commit(batch, asio::use_awaitable);
    }
    co_await consumer.async_close(asio::use_awaitable);
    for (const auto& h : client.health()) CHECK_FALSE(h.last_error);
}

asio::awaitable<kw::error> refusal(asio::io_context& io, kw::client_options o) {
    kw::client client{io, o};
    const auto began = std::chrono::steady_clock::now();
    auto [why, answer] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
    CHECK(std::chrono::steady_clock::now() - began < 5s);
    CHECK_FALSE(leaks(why.message()));
    co_return why;
}

// Sends and reads for `how_long`; on how many connections that broke.
asio::awaitable<void> load(asio::io_context& io, kw::client_options o, std::string name, std::chrono::seconds how_long, int& running) {
    kw::client client{io, o};
    kw::producer producer{client};
    const auto topic = "load-" + name;
    const auto end = std::chrono::steady_clock::now() + how_long;
    std::int64_t sent = 0;
    asio::steady_timer pause{io};
    while (std::chrono::steady_clock::now() < end) {
        for (int i = 0; i < 20; ++i, ++sent) {
            const auto value = std::to_string(sent);
            const kw::record record{.topic = topic, .value = value, .partition = 0};
            co_await producer.async_enqueue(record, asio::use_awaitable);
        }
        pause.expires_after(5ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
    const auto left = co_await producer.async_flush(10s, asio::use_awaitable);
    CHECK(left == 0);
    CHECK(sent > 1'000);
    kw::consumer_options reading;
    reading.auto_offset_reset = kw::offset_reset::earliest;
    kw::consumer consumer{client, reading};
    consumer.assign(topic, 0, kw::start_position::at(0));
    std::int64_t next = 0;
    while (next < sent) {
        const auto batch = co_await consumer.async_poll(asio::use_awaitable);
        for (const auto& r : batch) {
            if (r.value.text() != std::to_string(next)) FAIL_CHECK("expected " << next << ", read " << r.value.text());
            ++next;
        }
    }
    // The broker closes a session that is over with the next request: a connection that was never lost has renewed its own.
    for (const auto& h : client.health()) {
        INFO(h.last_error.message());
        CHECK_FALSE(h.last_error);
    }
    --running;
}

}  // namespace real_security

TEST_CASE("real listeners: all protocols and mechanisms, refusals, renewal under load", "[real][security]") {
    using namespace real_security;
    const cluster c;
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        co_await use(io, c.options(security_protocol::plaintext, ""), "plaintext");
        co_await use(io, c.options(security_protocol::ssl, "TLS"), "ssl");
        const auto id = c.ours.issue({.name = "alice"});
        auto mutual = c.options(security_protocol::ssl, "MUTUAL");
        mutual.tls_certificate_pem = id.certificate;
        mutual.tls_key_pem = kw::secret{certificates::encrypted(id.key, std::string{password})};
        mutual.tls_key_password = kw::secret{password};
        co_await use(io, mutual, "mutual");
        for (const auto m : all_mechanisms) {
            const std::string name{kw::to_string(m)};
            INFO(name);
            co_await use(io, c.options(security_protocol::sasl_plaintext, "SP", m), "sp-" + name);
            co_await use(io, c.options(security_protocol::sasl_ssl, "SS", m), "ss-" + name);
        }

        const auto check = [&](kw::client_options o, kw::errc code, std::string text) -> asio::awaitable<void> {
            const auto why = co_await refusal(io, o);
            INFO(why.message());
            CHECK(why.code == code);
            CHECK(why.message().find(text) != std::string::npos);
        };
        for (const auto m : {sasl_mechanism::plain, sasl_mechanism::scram_sha_256, sasl_mechanism::scram_sha_512}) {
            auto wrong = c.options(security_protocol::sasl_ssl, "SS", m);
            wrong.sasl_password = kw::secret{wrong_password};
            co_await check(wrong, kw::errc::authentication_failed, "the broker does not believe us: Authentication failed");
        }
        auto token = c.options(security_protocol::sasl_ssl, "SS", sasl_mechanism::oauthbearer);
        token.token_source = nullptr;
        token.sasl_token = kw::secret{"canary.token.x"};
        co_await check(token, kw::errc::authentication_failed, "");
        co_await check(c.options(security_protocol::sasl_plaintext, "ONLYPLAIN", sasl_mechanism::scram_sha_512), kw::errc::authentication_failed, "the listener does not have SCRAM-SHA-512; it has PLAIN");
        auto strange = c.options(security_protocol::ssl, "TLS");
        strange.tls_ca_pem = c.strangers.certificate();
        co_await check(strange, kw::errc::tls_failed, "is not trusted");
        co_await check(c.options(security_protocol::ssl, "OTHERHOST"), kw::errc::tls_failed, "the certificate is for kafka.example, not for 127.0.0.1");
        co_await check(c.options(security_protocol::ssl, "EXPIRED"), kw::errc::tls_failed, "has expired");
        co_await check(c.options(security_protocol::ssl, "MUTUAL"), kw::errc::tls_failed, "");
        const auto plain_to_tls = co_await refusal(io, c.options(security_protocol::plaintext, "TLS"));
        CHECK(plain_to_tls.message().find("TLS") != std::string::npos);
        co_await check(c.options(security_protocol::ssl, "SP"), kw::errc::tls_failed, "");
        co_await check(c.options(security_protocol::plaintext, "SP"), kw::errc::connection_closed, "SASL");
        const auto sasl_to_tls = co_await refusal(io, c.options(security_protocol::sasl_plaintext, "SS"));
        CHECK(sasl_to_tls.message().find("TLS") != std::string::npos);
        auto to_plain = c.options(security_protocol::sasl_plaintext, "SP");
        to_plain.bootstrap = c.kafka->bootstrap_servers();
        co_await check(to_plain, kw::errc::authentication_failed, "does not want to know who we are");

        const auto folder = std::filesystem::temp_directory_path() / ("kafkawire-real-security-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder);
        std::ofstream{folder / "ca.pem"} << c.ours.certificate();
        std::ofstream{folder / "right"} << password << '\n';
        std::ofstream{folder / "wrong"} << wrong_password << '\n';
        const auto words = "-b " + c.kafka->listener_servers("SS") + " --tls-ca " + (folder / "ca.pem").string() + " --sasl-mechanism scram-sha-512 --sasl-username alice topics list --sasl-password-file ";
        if (const auto right = run_cli(words + (folder / "right").string())) {
            INFO(right->first);
            CHECK(right->second == 0);
            CHECK(right->first.find("topic-ssl") != std::string::npos);
            const auto wrong = run_cli(words + (folder / "wrong").string());
            INFO(wrong->first);
            CHECK(wrong->second != 0);
            CHECK(wrong->first.find("the broker does not believe us") != std::string::npos);
            CHECK_FALSE(leaks(wrong->first));
        }
        std::filesystem::remove_all(folder);

        int running = 0;
        for (const auto m : all_mechanisms) {
            ++running;
            asio::co_spawn(io, load(io, c.options(m == sasl_mechanism::plain ? security_protocol::sasl_plaintext : security_protocol::sasl_ssl, m == sasl_mechanism::plain ? "SP" : "SS", m), std::string{kw::to_string(m)}, 12s, running),
                           [&](std::exception_ptr e) {
                               if (e) {
                                   --running;
                                   FAIL_CHECK("a load ended early");
                               }
                           });
        }
        asio::steady_timer pause{io};
        while (running > 0) {
            pause.expires_after(50ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
    });
}
