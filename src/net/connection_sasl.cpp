// connection_fsm's way from a connection that speaks Kafka to one that the broker believes: SaslHandshake, then SaslAuthenticate as often as the
// mechanism wants (KIP-43, KIP-152), and again before the session is over (KIP-368).
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/17_sasl_handshake.hpp>
#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>

#include <algorithm>

#include "net/connection_fsm.hpp"

namespace kafkawire::net {

namespace {

using protocol::messages::sasl_authenticate_request;
using protocol::messages::sasl_authenticate_response;
using protocol::messages::sasl_handshake_request;
using protocol::messages::sasl_handshake_response;

constexpr std::int16_t unsupported_sasl_mechanism = 33, illegal_sasl_state = 34, sasl_authentication_failed = 58;

std::span<const std::byte> body_of(const incoming& in, std::int16_t key, std::int16_t version) {
    protocol::messages::response_header header;
    std::size_t at = 0;
    if (protocol::decode_response_header(header, in.body.view(), key, version, at)) return {};
    return in.body.view().subspan(at);
}

void wipe(protocol::bytes& what) {
    volatile std::byte* at = what.data();
    for (std::size_t i = 0; i < what.size(); ++i) at[i] = std::byte{0};
}

}  // namespace

// First, or again: what was to be got for it is there.
void connection_fsm::on(identity_gathered& e, time_point now, actions& out) {
    auto* a = std::get_if<authenticating>(&state_);
    auto* r = std::get_if<ready>(&state_);
    if (a ? a->at != authenticating::step::gathering : !r || !r->gathering) return;
    if (e.why) {
        auto why = problem(errc::authentication_failed, phase::sasl, "there is no token to show: " + (e.why.text.empty() ? e.why.code.message() : e.why.text), e.why.hint);
        why.cause = std::make_shared<const error>(std::move(e.why));
        return close(std::move(why), out);
    }
    auto exchange = std::make_unique<sasl_fsm>(*settings_.sasl, std::move(e.what));
    if (exchange->where() == sasl_fsm::next::refused) return close(problem(errc::authentication_failed, phase::sasl, exchange->why()), out);
    if (a) {
        a->exchange = std::move(exchange);
        return ask_for_mechanism(now, out);
    }
    r->gathering = false;
    r->renewal = std::move(exchange);
    if (r->flight.empty()) renew(now, out);
}

void connection_fsm::renew(time_point now, actions& out) {
    auto& r = std::get<ready>(state_);
    authenticating next;
    next.give_up = now + settings_.connect_timeout;
    next.exchange = std::move(r.renewal);
    next.moved = {now};
    next.again = true;
    next.prompt = r.prompt;
    next.used = r.moved.last;
    transition(std::move(next), "the session is nearly over");
    ask_for_mechanism(now, out);
}

void connection_fsm::ask_for_mechanism(time_point now, actions& out) {
    auto& a = std::get<authenticating>(state_);
    // Before version 1 (Kafka 1.0) what follows is no Kafka request, and a refusal is a closed connection.
    const auto* theirs = versions_.find(sasl_handshake_request::key);
    const auto* then = versions_.find(sasl_authenticate_request::key);
    if (!theirs || theirs->highest < 1 || !then) {
        return close(problem(errc::no_common_version, phase::sasl, "the broker does not have SaslAuthenticate", "Kafka 1.0 and later have it"), out);
    }
    sasl_handshake_request request;
    if (next_correlation_ == INT32_MAX) next_correlation_ = 0;
    request.mechanism = to_string(settings_.sasl->mechanism);
    a.at = authenticating::step::handshake;
    a.version = 1;
    a.in = {};
    a.moved.last = now;
    frame f;
    if (auto e = protocol::encode_request(request, a.version, next_correlation_++, settings_.client_id, f.content)) return close(problem(e.code, phase::sasl, e.message()), out);
    out.push_back(write_frame{std::move(f)});
}

void connection_fsm::got_mechanism(time_point now, actions& out) {
    auto& a = std::get<authenticating>(state_);
    sasl_handshake_response answer;
    if (auto e = protocol::decode(answer, body_of(a.in, sasl_handshake_request::key, a.version), a.version))
        return close(problem(e.code, phase::sasl, "the answer to SaslHandshake cannot be read: " + e.message()), out);
    const auto ours = std::string{to_string(settings_.sasl->mechanism)};
    if (answer.error_code == 0) return say_who_we_are(now, out);
    auto why = problem(errc::authentication_failed, phase::sasl, {});
    const auto code = make_error_code(static_cast<broker_errc>(answer.error_code));
    if (answer.error_code == unsupported_sasl_mechanism) {
        std::string offered;
        for (std::size_t i = 0; i < answer.mechanisms.size() && i < 20; ++i) offered += (i ? ", " : "") + harmless(answer.mechanisms[i]);
        why.text = "the listener does not have " + ours + "; it has " + (offered.empty() ? "no mechanism" : offered);
        why.hint = "no other one is tried by itself: set sasl_mechanism, or ask for sasl.enabled.mechanisms on the broker";
    } else if (answer.error_code == illegal_sasl_state) {
        why.text = "the listener does not want to know who we are";
        why.hint = "use the port of a listener with SASL, or a security_protocol without";
    } else {
        why.text = "the broker refused " + ours + ": " + code.message();
    }
    auto cause = problem(code, phase::sasl, {});
    why.cause = std::make_shared<const error>(std::move(cause));
    close(std::move(why), out);
}

void connection_fsm::say_who_we_are(time_point now, actions& out) {
    auto& a = std::get<authenticating>(state_);
    const auto* theirs = versions_.find(sasl_authenticate_request::key);
    a.at = authenticating::step::exchange;
    a.version = std::min(theirs->highest, sasl_authenticate_request::versions.highest);
    a.in = {};
    a.moved.last = now;
    if (next_correlation_ == INT32_MAX) next_correlation_ = 0;
    const auto shown = a.exchange->outgoing();
    sasl_authenticate_request request;
    request.auth_bytes.reserve(shown.size());
    for (const char c : shown) request.auth_bytes.push_back(static_cast<std::byte>(c));
    frame f;
    f.confidential = true;
    f.content.own.reserve(shown.size() + settings_.client_id.size() + 64);  // so that growing leaves no copies behind
    auto e = protocol::encode_request(request, a.version, next_correlation_++, settings_.client_id, f.content);
    wipe(request.auth_bytes);
    if (e) return close(problem(e.code, phase::sasl, e.message()), out);
    out.push_back(write_frame{std::move(f)});
}

void connection_fsm::got_verdict(time_point now, actions& out) {
    auto& a = std::get<authenticating>(state_);
    sasl_authenticate_response answer;
    if (auto e = protocol::decode(answer, body_of(a.in, sasl_authenticate_request::key, a.version), a.version))
        return close(problem(e.code, phase::sasl, "the answer to SaslAuthenticate cannot be read: " + e.message()), out);
    if (answer.error_code != 0) {
        const auto code = make_error_code(static_cast<broker_errc>(answer.error_code));
        const auto said = answer.error_message && !answer.error_message->empty() ? harmless(*answer.error_message) : code.message();
        auto why = problem(errc::authentication_failed, phase::sasl, "the broker does not believe us: " + said,
                           answer.error_code == sasl_authentication_failed ? "are user and password (or token) right, and does the broker know them for " + std::string{to_string(settings_.sasl->mechanism)} + "?" : "");
        // What the mechanism itself was told says more.
        auto cause = problem(code, phase::sasl, a.exchange->why());
        why.cause = std::make_shared<const error>(std::move(cause));
        return close(std::move(why), out);
    }
    session_ms_ = std::max<std::int64_t>(0, answer.session_lifetime_ms);
    const auto bytes = std::string_view{reinterpret_cast<const char*>(answer.auth_bytes.data()), answer.auth_bytes.size()};
    a.in = {};
    go_on_with(a.exchange->answered(bytes), now, out);
}

void connection_fsm::on(work_on&, time_point now, actions& out) {
    auto* a = std::get_if<authenticating>(&state_);
    if (a && a->at == authenticating::step::working) go_on_with(a->exchange->work(), now, out);
}

void connection_fsm::go_on_with(sasl_fsm::next what, time_point now, actions& out) {
    auto& a = std::get<authenticating>(state_);
    switch (what) {
        case sasl_fsm::next::send: return say_who_we_are(now, out);
        case sasl_fsm::next::trusted: return authenticated(now, out);
        case sasl_fsm::next::work: a.at = authenticating::step::working; return out.push_back(work_later{});
        case sasl_fsm::next::refused: return close(problem(errc::authentication_failed, phase::sasl, a.exchange->why()), out);
    }
}

void connection_fsm::authenticated(time_point now, actions& out) {
    auto& a = std::get<authenticating>(state_);
    const bool again = a.again;
    ready next;
    next.moved.last = again ? a.used : now;
    next.prompt = a.prompt;
    next.answered = again;
    // A session that seems to have no end within a century has none.
    constexpr std::int64_t century = 100LL * 365 * 24 * 3'600'000;
    if (session_ms_ > 0 && session_ms_ < century) next.renew_at = now + std::chrono::milliseconds{session_ms_ * settings_.renew_after / 1000};
    transition(std::move(next), again ? "the broker believes us again" : "the broker believes us");
    if (!again) out.push_back(announce_ready{});
    send_waiting(now, out);
}

}  // namespace kafkawire::net
