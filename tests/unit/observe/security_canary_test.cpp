// No secret in anything that is to be seen: logs, debug output, metrics, errors, health, under each mechanism, whether it goes well or not.
#include <kafkawire/metrics.hpp>
#include <kafkawire/observe.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "certificates.hpp"
#include "security.hpp"
#include "seen_rig.hpp"

using namespace seeing;
using kw::sasl_mechanism;
using kw::security_protocol;

namespace {

constexpr std::string_view password = "canary-p4ss,=word";

const certificates::authority& authority() {
    static const certificates::authority a{"our authority", std::chrono::system_clock::now()};
    return a;
}

kw::broker::options secured_cluster(security_protocol p) {
    kw::broker::options o;
    o.topics = {{.name = "orders", .partitions = 2}};
    o.security.protocol = p;
    if (kw::has_tls(p)) {
        const auto id = authority().issue({.name = "broker", .hosts = {"localhost"}, .addresses = {"127.0.0.1"}});
        o.security.certificate = id.certificate;
        o.security.key = kw::secret{id.key};
    }
    o.security.mechanisms = secured::all_mechanisms;
    o.security.users = {{"alice", kw::secret{password}}};
    o.security.insecure_test_tokens = true;
    return o;
}

// Everything that can be seen of a client, in one text.
struct witness {
    std::shared_ptr<memory> remembered = std::make_shared<memory>();
    std::shared_ptr<kw::metrics> figures = std::make_shared<kw::metrics>();
    std::string text;
    int hidden = 0;

    std::shared_ptr<kw::observer> all() {
        remembered->bytes = true;
        return kw::all_of({remembered, figures, std::make_shared<kw::debug_printer>([this](std::string_view line) {
                               text += std::string{line} + '\n';
                               hidden += line.find("(hidden)") != line.npos;
                           })});
    }
    [[nodiscard]] std::string whole() {
        auto s = text + figures->page();
        for (const auto& l : remembered->lines) s += l + '\n';
        for (const auto& f : remembered->failures) s += f.component + f.why.message() + '\n';
        for (const auto& c : remembered->connections) s += c.why + '\n';
        return s;
    }
};

}  // namespace

TEST_CASE("nothing that is to be seen has a secret in it", "[canary]") {
    for (const auto p : {security_protocol::sasl_plaintext, security_protocol::sasl_ssl}) {
        for (const auto m : secured::all_mechanisms) {
            CAPTURE(kw::to_string(p), kw::to_string(m));
            rig r{secured_cluster(p)};
            witness w;
            auto o = secured::client_of(p, m, authority().certificate(), password);
            o.bootstrap = r.kafka->bootstrap();
            o.observer = w.all();
            r.produce_and_read(o);
            CHECK(w.hidden > 0);  // SASL was spoken, and seen
            const auto good = w.whole();
            CHECK(good.size() > 5'000);
            CHECK_FALSE(secured::leaks(good));
            for (const auto* sasl : w.remembered->of(36)) {
                CHECK(sasl->request_bytes == 0);
                CHECK(sasl->answer_bytes == 0);
                CHECK(sasl->in > 8);
            }
            CHECK_FALSE(w.remembered->of(36).empty());

            witness bad;
            o.observer = bad.all();
            if (m == sasl_mechanism::oauthbearer) {
                o.token_source = [](kw::token_handler done) { done({}, {kw::secret{"canary.token.x"}, std::chrono::system_clock::now() + 1h}); };
            } else {
                o.sasl_password = kw::secret{"canary-wr0ng"};
            }
            r.run([&]() -> asio::awaitable<void> {
                kw::client client{r.io, o};
                auto [why, answer] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
                CHECK(why.code == kw::errc::authentication_failed);
                CHECK_FALSE(secured::leaks(why.message()));
                for (const auto& h : client.health()) CHECK_FALSE(secured::leaks(h.last_error.message()));
            });
            const auto refused = bad.whole();
            CHECK(refused.find("error connection: the connection could not be made") != std::string::npos);
            CHECK(refused.find("kafkawire_errors_total{client=\"kafkawire\",component=\"connection\",kind=\"authentication_failed\"}") != std::string::npos);
            CHECK_FALSE(secured::leaks(refused));
        }
    }
}

TEST_CASE("the pass phrase of a key is not seen either, nor is a wrong one", "[canary]") {
    rig r{secured_cluster(security_protocol::ssl)};
    const auto id = authority().issue({.name = "client"});
    for (const bool right : {true, false}) {
        witness w;
        kw::client_options o;
        o.bootstrap = r.kafka->bootstrap();
        o.security_protocol = security_protocol::ssl;
        o.tls_ca_pem = authority().certificate();
        o.tls_certificate_pem = id.certificate;
        o.tls_key_pem = kw::secret{certificates::encrypted(id.key, "canary-phrase")};
        o.tls_key_password = kw::secret{right ? "canary-phrase" : "canary-other"};
        o.observer = w.all();
        if (right) {
            r.produce_and_read(o);
        } else {
            try {
                const kw::client client{r.io, o};
                FAIL("a key that cannot be read was taken");
            } catch (const kw::system_error& e) {
                CHECK_FALSE(secured::leaks(e.what()));
            }
        }
        CHECK_FALSE(secured::leaks(w.whole()));
    }
}

TEST_CASE("certificates that cannot be read again are told in health and in the log, and the old ones serve on", "[canary]") {
    rig r{secured_cluster(security_protocol::ssl)};
    const auto file = std::filesystem::temp_directory_path() / ("kafkawire-reload-" + std::to_string(::getpid()) + ".pem");
    const auto put = [&](const std::string& text) { std::ofstream{file} << text; };
    put(authority().certificate());
    const auto seen = std::make_shared<memory>();
    kw::client_options o;
    o.bootstrap = r.kafka->bootstrap();
    o.security_protocol = security_protocol::ssl;
    o.tls_ca_file = file.string();
    o.tls_reload = 1ms;
    o.reconnect_backoff = o.reconnect_backoff_max = 1ms;
    o.observer = seen;
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, o};
        co_await client.async_metadata(asio::use_awaitable);
        REQUIRE_FALSE(client.health().empty());
        CHECK_FALSE(client.health().front().reload_error);
        put("no certificate at all");
        asio::steady_timer pause{r.io, 20ms};
        co_await pause.async_wait(asio::use_awaitable);
        const auto again = [&]() -> asio::awaitable<void> {
            r.kafka->control().close_connections(1);
            for (int i = 0; i < 100; ++i) {
                auto [ec, answer] = co_await client.async_metadata(kw::as_tuple(asio::use_awaitable));
                if (!ec) co_return;
            }
            FAIL("no connection came up again");
        };
        co_await again();
        const auto why = client.health().front().reload_error;
        CHECK(why.code == kw::errc::bad_configuration);
        CHECK(why.message().find("kafkawire-reload-") != std::string::npos);
        CHECK(seen->lines_with("warning client: changed certificates cannot be read, and those before them serve on (why=") == 1);
        put(authority().certificate() + "\n");
        pause.expires_after(20ms);
        co_await pause.async_wait(asio::use_awaitable);
        co_await again();
        CHECK_FALSE(client.health().front().reload_error);
    });
    std::filesystem::remove(file);
}
