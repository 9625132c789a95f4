// The connection machine on its way through TLS and SASL, by hand: each step, each way in which it ends, and the renewal of a session.
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/17_sasl_handshake.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>

#include "catch.hpp"
#include "net/connection_fsm.hpp"
#include "net/credentials.hpp"

namespace security_steps {

using namespace kafkawire;
using namespace kafkawire::net;
using namespace std::chrono_literals;
namespace messages = protocol::messages;

struct question final : call {
    std::vector<outcome> told;
    explicit question(time_point by) {
        api_key = messages::metadata_request::key;
        speaks = messages::metadata_request::versions;
        deadline = by;
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation, std::string_view client_id, protocol::scatter& to) override {
        return protocol::encode_request(messages::metadata_request{}, version, correlation, client_id, to);
    }
    void done(outcome o) override { told.push_back(std::move(o)); }
};

// The machine, what its driver would do, and a broker that says what it is told to.
struct bench {
    static connection_settings settings(security_protocol p, sasl_mechanism m) {
        connection_settings s;
        s.host = "broker";
        s.port = 9093;
        s.tls = has_tls(p);
        if (has_sasl(p)) s.sasl = std::make_shared<const sasl_settings>(sasl_settings{m, "alice", secret{"canary-secret"}});
        return s;
    }
    explicit bench(security_protocol p, sasl_mechanism m = sasl_mechanism::plain) : machine{settings(p, m)} {}

    void step(event e) {
        last.clear();
        machine.step(std::move(e), now, last);
        for (auto& a : last) {
            if (auto* t = std::get_if<tell>(&a)) t->whom->done(t->what);
            if (auto* w = std::get_if<write_frame>(&a)) written.push_back(std::move(w->request));
            if (auto* c = std::get_if<announce_closed>(&a)) closed_with = c->why, ended = c->how;
            if (std::holds_alternative<announce_ready>(a)) ++readies;
        }
    }
    template <class T>
    [[nodiscard]] bool did() const {
        return std::any_of(last.begin(), last.end(), [](const action& a) { return std::holds_alternative<T>(a); });
    }
    template <class T>
    [[nodiscard]] bool is() const {
        return std::holds_alternative<T>(machine.where());
    }
    [[nodiscard]] std::int16_t asked() const { return static_cast<std::int16_t>(std::to_integer<int>(written.back().content.own[5])); }
    [[nodiscard]] std::int32_t correlation() const { return std::to_integer<int>(written.back().content.own[11]); }
    // At most `budget` bytes of it.
    template <class Response>
    void answer(const Response& r, std::int16_t version) {
        protocol::scatter s;
        REQUIRE_FALSE(protocol::encode_response(r, version, correlation(), s));
        for (std::size_t at = 0; at < s.own.size() && budget > 0;) {
            const auto to = machine.read_here();
            if (to.empty()) return;
            const auto n = std::min({to.size(), s.own.size() - at, budget});
            budget -= n;
            std::copy_n(s.own.begin() + static_cast<std::ptrdiff_t>(at), n, to.begin());
            step(received{n});
            at += n;
        }
    }
    void connect() {
        step(open_requested{});
        step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
        step(connected{0});
    }
    void versions(std::int16_t sasl_handshake = 1) {
        messages::api_versions_response r;
        r.api_keys.push_back({3, 0, 12, {}});
        if (sasl_handshake >= 0) r.api_keys.push_back({17, 0, sasl_handshake, {}});
        r.api_keys.push_back({18, 0, 4, {}});
        r.api_keys.push_back({36, 0, 2, {}});
        answer(r, 4);
    }
    void mechanism(std::int16_t code = 0) {
        messages::sasl_handshake_response r;
        r.error_code = code;
        r.mechanisms = {"GSSAPI", "PLAIN"};
        answer(r, 1);
    }
    void verdict(std::int16_t code = 0, std::string_view say = {}, std::int64_t lifetime = 0, std::string text = {}) {
        messages::sasl_authenticate_response r;
        r.error_code = code;
        r.error_message = std::move(text);
        for (const char c : say) r.auth_bytes.push_back(static_cast<std::byte>(c));
        r.session_lifetime_ms = lifetime;
        answer(r, 2);
    }
    std::shared_ptr<question> ask() {
        auto q = std::make_shared<question>(now + 30s);
        q->started = now;
        step(send_requested{q});
        return q;
    }
    void give(sasl_material m = {}) { step(identity_gathered{{}, std::move(m)}); }
    void get_ready(std::int64_t lifetime = 0) {
        connect();
        versions();
        give();
        mechanism();
        verdict(0, {}, lifetime);
        REQUIRE(is<ready>());
    }

    connection_fsm machine;
    std::size_t budget = SIZE_MAX;
    time_point now{};
    actions last;
    std::vector<frame> written;
    error closed_with;
    ending ended = ending::unused;
    int readies = 0;
};

}  // namespace security_steps

using namespace security_steps;

TEST_CASE("TLS comes before the first byte of Kafka, SASL before the first request", "[security]") {
    bench b{security_protocol::sasl_ssl};
    const auto q = b.ask();
    b.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
    b.step(connected{0});
    CHECK(b.is<securing>());
    CHECK(b.did<start_tls>());
    CHECK(b.machine.read_here().empty());
    CHECK(b.written.empty());
    b.step(secured{});
    CHECK(b.is<negotiating>());
    b.versions();
    CHECK(b.is<authenticating>());
    CHECK(b.did<gather>());
    b.give();
    CHECK(b.asked() == 17);
    b.mechanism();
    REQUIRE(b.asked() == 36);
    CHECK(b.written.back().confidential);
    b.verdict();
    CHECK(b.is<ready>());
    CHECK(b.readies == 1);
    CHECK(b.asked() == 3);
    b.answer(messages::metadata_response{}, 12);
    REQUIRE(q->told.size() == 1);
    CHECK_FALSE(q->told[0].why);
}

TEST_CASE("without TLS in the middle the states are the same", "[security]") {
    bench b{security_protocol::ssl};
    b.connect();
    b.step(secured{});
    b.versions(-1);
    CHECK(b.is<ready>());
    bench refused{security_protocol::ssl};
    const auto q = refused.ask();
    refused.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
    refused.step(connected{0});
    error why;
    why.code = errc::tls_failed;
    why.in = phase::tls;
    refused.step(insecure{why});
    CHECK(refused.is<closed>());
    CHECK(refused.ended == ending::never_up);
    CHECK(refused.closed_with.broker == "broker:9093");
    REQUIRE(q->told.size() == 1);
    CHECK(q->told[0].why.code == errc::tls_failed);
    CHECK_FALSE(q->told[0].maybe_processed);
    CHECK(refused.written.empty());
}

TEST_CASE("every step of the way has its patience", "[security]") {
    bench tls{security_protocol::ssl};
    tls.connect();
    CHECK(tls.machine.next_wakeup() == tls.now + 10s);
    tls.now += 10s;
    tls.step(tick{});
    CHECK(tls.closed_with.code == errc::tls_failed);
    for (int steps = 0; steps < 3; ++steps) {
        bench b{security_protocol::sasl_plaintext};
        b.connect();
        b.versions();
        if (steps > 0) b.give();
        if (steps > 1) b.mechanism();
        REQUIRE(b.machine.next_wakeup());
        b.now += 10s;
        b.step(tick{});
        CHECK(b.closed_with.code == errc::authentication_failed);
        CHECK(b.closed_with.in == phase::sasl);
    }
}

TEST_CASE("a mechanism that is not offered is not replaced by another", "[security]") {
    bench b{security_protocol::sasl_plaintext, sasl_mechanism::oauthbearer};
    b.connect();
    b.versions();
    b.give({{}, {secret{"canary-token"}, {}}});
    b.mechanism(33);
    CHECK(b.is<closed>());
    CHECK(b.closed_with.code == errc::authentication_failed);
    CHECK(b.closed_with.text == "the listener does not have OAUTHBEARER; it has GSSAPI, PLAIN");
    CHECK(b.written.size() == 2);
    bench none{security_protocol::sasl_plaintext};
    none.connect();
    none.versions(-1);
    none.give();
    CHECK(none.closed_with.code == errc::no_common_version);
    bench plain{security_protocol::sasl_plaintext};
    plain.connect();
    plain.versions();
    plain.give();
    plain.mechanism(34);
    CHECK(plain.closed_with.text == "the listener does not want to know who we are");
}

TEST_CASE("a refusal carries the server's text, and no secret", "[security]") {
    bench b{security_protocol::sasl_plaintext};
    const auto q = b.ask();
    b.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
    b.step(connected{0});
    b.versions();
    b.give();
    b.mechanism();
    b.verdict(58, {}, 0, "Invalid \x01 username");
    REQUIRE(q->told.size() == 1);
    CHECK(q->told[0].why.code == errc::authentication_failed);
    CHECK(q->told[0].why.code != condition::retriable);
    CHECK(q->told[0].why.text == "the broker does not believe us: Invalid ? username");
    CHECK(q->told[0].why.message().find("canary") == std::string::npos);
    // A token is refused in two steps.
    bench t{security_protocol::sasl_plaintext, sasl_mechanism::oauthbearer};
    t.connect();
    t.versions();
    t.give({{}, {secret{"canary-token"}, {}}});
    t.mechanism();
    t.verdict(0, "{\"status\":\"invalid_token\"}");
    CHECK(t.is<authenticating>());
    CHECK(t.written.back().content.own.back() == std::byte{0});  // the tags
    t.verdict(58, {}, 0, "no");
    CHECK(t.closed_with.code == errc::authentication_failed);
    CHECK(t.closed_with.message().find("canary") == std::string::npos);
    CHECK(t.closed_with.message().find("invalid_token") != std::string::npos);
    // No token at all.
    bench n{security_protocol::sasl_plaintext, sasl_mechanism::oauthbearer};
    n.connect();
    n.versions();
    error why;
    why.code = errc::bad_configuration;
    why.text = "the vault is sealed";
    n.step(identity_gathered{why, {}});
    CHECK(n.closed_with.code == errc::authentication_failed);
    CHECK(n.closed_with.text == "there is no token to show: the vault is sealed");
}

TEST_CASE("a fake broker's SCRAM ends before the proof is on the wire", "[security]") {
    for (const auto* say : {"r=abcdef,s=QUJD,i=1", "r=abcdef,s=QUJD,i=2147483647", "r=abc,s=QUJD,i=4096", "r=other,s=QUJD,i=4096", "m=x,r=abcdef,s=QUJD,i=4096"}) {
        bench b{security_protocol::sasl_plaintext, sasl_mechanism::scram_sha_256};
        b.connect();
        b.versions();
        b.give({"abc", {}});
        b.mechanism();
        const auto sent = b.written.size();
        b.verdict(0, say);
        CHECK(b.is<closed>());
        CHECK(b.closed_with.code == errc::authentication_failed);
        CHECK(b.written.size() == sent);
    }
    bench b{security_protocol::sasl_plaintext, sasl_mechanism::scram_sha_256};
    b.connect();
    b.versions();
    b.give({"abc", {}});
    b.mechanism();
    b.verdict(0, "r=abcdef,s=QUJD,i=8192");
    int turns = 0;
    for (; b.did<work_later>(); ++turns) b.step(work_on{});
    CHECK(turns >= 2);
    CHECK(b.asked() == 36);
    b.verdict(0, "v=AAAA");  // it does not know the password
    CHECK(b.closed_with.code == errc::authentication_failed);
    CHECK(b.readies == 0);
}

TEST_CASE("a session is renewed between answers, and nothing is lost or overtakes", "[security]") {
    bench b{security_protocol::sasl_plaintext};
    b.get_ready(10'000);
    CHECK(b.machine.next_wakeup() == b.now + 8500ms);
    const auto first = b.ask();
    const auto of_first = b.correlation();
    b.now += 8500ms;
    b.step(tick{});
    REQUIRE(b.did<gather>());
    const auto second = b.ask();  // the password is not there yet: nothing is held up
    CHECK(b.asked() == 3);
    const auto of_second = b.correlation();
    CHECK(of_second == of_first + 1);
    b.give();
    const auto third = b.ask();
    const auto fourth = b.ask();
    CHECK(b.correlation() == of_second);
    CHECK(b.is<ready>());
    const auto answer_to = [&](std::int32_t which) {
        protocol::scatter s;
        REQUIRE_FALSE(protocol::encode_response(messages::metadata_response{}, 12, which, s));
        for (std::size_t at = 0; at < s.own.size();) {
            const auto to = b.machine.read_here();
            const auto n = std::min(to.size(), s.own.size() - at);
            std::copy_n(s.own.begin() + static_cast<std::ptrdiff_t>(at), n, to.begin());
            b.step(received{n});
            at += n;
        }
    };
    answer_to(of_first);
    CHECK(first->told.size() == 1);
    CHECK(b.is<ready>());
    answer_to(of_second);
    CHECK(second->told.size() == 1);
    CHECK(b.is<authenticating>());
    CHECK(b.machine.up());
    CHECK(b.asked() == 17);
    b.mechanism();
    b.verdict(0, {}, 10'000);
    CHECK(b.is<ready>());
    CHECK(b.readies == 1);  // it is told of once
    CHECK(third->told.empty());
    answer_to(b.correlation() - 1);
    answer_to(b.correlation());
    CHECK(third->told.size() == 1);
    CHECK(fourth->told.size() == 1);
    for (const auto& q : {first, second, third, fourth}) CHECK_FALSE(q->told[0].why);
    CHECK(b.machine.next_wakeup() == b.now + 8500ms);
}

TEST_CASE("a renewal that is refused or cut: what waited was not sent", "[security]") {
    for (int cut_at = 0; cut_at < 3; ++cut_at) {
        bench b{security_protocol::sasl_plaintext};
        b.get_ready(10'000);
        b.now += 9s;
        b.step(tick{});
        b.give();
        const auto waits = b.ask();
        if (cut_at > 0) b.mechanism();
        if (cut_at > 1) b.verdict(58, {}, 0, "revoked");
        else b.step(failed{make_error_code(errc::connection_closed)});
        CHECK(b.ended == ending::cut);
        REQUIRE(waits->told.size() == 1);
        CHECK_FALSE(waits->told[0].maybe_processed);
        CHECK(waits->told[0].connection_failed);
        CHECK(waits->told[0].why.in == phase::sasl);
    }
}

TEST_CASE("a renewal is cut at every byte of its answers: what waited was not sent", "[security]") {
    bool whole = false;
    for (std::size_t bytes = 0; !whole; ++bytes) {
        REQUIRE(bytes < 1'000);
        bench b{security_protocol::sasl_plaintext};
        b.get_ready(10'000);
        b.now += 9s;
        b.step(tick{});
        b.give();
        const auto waits = b.ask();
        b.budget = bytes;
        b.mechanism();
        if (b.asked() == 36) b.verdict(0, {}, 10'000);
        whole = b.is<ready>();
        if (whole) break;
        b.step(failed{make_error_code(errc::connection_closed)});
        CHECK(b.ended == ending::cut);
        REQUIRE(waits->told.size() == 1);
        CHECK(waits->told[0].why);
        CHECK_FALSE(waits->told[0].maybe_processed);
        CHECK(b.asked() != 3);
    }
}

TEST_CASE("an idle connection is closed although its session was renewed meanwhile", "[security]") {
    auto s = bench::settings(security_protocol::sasl_plaintext, sasl_mechanism::plain);
    s.max_idle = 60s;
    bench b{security_protocol::sasl_plaintext};
    b.machine = connection_fsm{std::move(s)};
    b.get_ready(20'000);
    for (int i = 0; i < 10 && !b.is<closed>(); ++i) {
        b.now = b.machine.next_wakeup().value_or(b.now + 1h);
        b.step(tick{});
        if (!b.did<gather>()) continue;
        b.give();
        b.mechanism();
        b.verdict(0, {}, 20'000);
    }
    CHECK(b.is<closed>());
    CHECK(b.ended == ending::unused);
    CHECK(b.now - time_point{} == 60s);
}

TEST_CASE("every event in every state of the way: nothing throws, the call is told once", "[security]") {
    for (int depth = 0; depth < 7; ++depth) {
        for (int which = 0; which < 12; ++which) {
            bench b{security_protocol::sasl_ssl};
            const auto q = b.ask();
            if (depth > 0) b.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
            if (depth > 1) b.step(connected{0});
            if (depth > 2) b.step(secured{});
            if (depth > 3) b.versions();
            if (depth > 4) b.give();
            if (depth > 5) b.mechanism();
            error why;
            why.code = errc::tls_failed;
            const event events[] = {open_requested{}, connected{0}, secured{}, insecure{why}, identity_gathered{}, identity_gathered{why, {}}, work_on{}, received{0}, failed{make_error_code(errc::connection_closed)}, written{true},
                                    tick{}, withdrawn{nullptr}};
            CHECK_NOTHROW(b.step(events[which]));
            b.step(close_requested{{errc::client_closed}});
            CHECK(q->told.size() == 1);
            CHECK(b.is<closed>());
            CHECK_FALSE(b.machine.next_wakeup());
        }
    }
}
