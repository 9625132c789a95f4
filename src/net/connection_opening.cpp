// A connection on its way to being ready: from a name to a socket, TLS, and the versions that the broker speaks.
#include "net/connection_fsm.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <algorithm>
#include <utility>

namespace kafkawire::net {

namespace {

using protocol::messages::api_versions_request;
using protocol::messages::api_versions_response;

constexpr std::int16_t unsupported_version = 35;
constexpr const char* advertised_hint =
    "the cluster tells clients of this address: is that broker up, and is what its advertised.listeners says reachable from here? `kafka-cli doctor` looks at each";

// The first address keeps its place, then the families take turns, so that one dead family costs one stagger (RFC 8305, 4).
std::vector<endpoint> interleave(const std::vector<ip_address>& addresses, std::uint16_t port) {
    std::vector<endpoint> first, second, mixed;
    for (const auto& a : addresses) (a.v6 == addresses.front().v6 ? first : second).push_back({a, port});
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) mixed.push_back(first[i]);
        if (i < second.size()) mixed.push_back(second[i]);
    }
    return mixed;
}

}  // namespace

// --- from a name to a socket ---

void connection_fsm::on(open_requested&, time_point now, actions& out) {
    if (!std::holds_alternative<idle>(state_)) return;
    if (settings_.not_before && now < *settings_.not_before) return transition(backing_off{*settings_.not_before}, "an earlier connection failed");
    start_resolving(now, out);
}

void connection_fsm::on(hurried&, time_point now, actions& out) {
    if (std::holds_alternative<backing_off>(state_)) start_resolving(now, out);
}

void connection_fsm::start_resolving(time_point now, actions& out) {
    transition(resolving{now + settings_.connect_timeout}, "somebody wants to send");
    out.push_back(start_resolve{settings_.host});
}

void connection_fsm::on(resolved& e, time_point now, actions& out) {
    auto* r = std::get_if<resolving>(&state_);
    if (!r) return;  // gave up meanwhile
    if (e.why || e.addresses.empty()) {
        return close(problem(errc::resolve_failed, phase::resolve, e.text.empty() ? "no address for " + settings_.host : std::move(e.text),
                             settings_.advertised ? advertised_hint : "check the host name; `getent hosts " + settings_.host + "` should print its address"),
                     out);
    }
    auto candidates = interleave(e.addresses, settings_.port);
    std::reverse(candidates.begin(), candidates.end());
    connecting to{r->give_up, std::move(candidates), {}, now, {}, {}};
    transition(std::move(to), "the name has an address");
    next_attempt(std::get<connecting>(state_), now, out);
}

void connection_fsm::next_attempt(connecting& c, time_point now, actions& out) {
    const auto to = c.candidates.back();
    c.candidates.pop_back();
    c.open.push_back({next_attempt_++, to});
    c.next_start = now + settings_.stagger;
    out.push_back(open_socket{c.open.back().id, to});
}

void connection_fsm::on(connect_failed& e, time_point now, actions& out) {
    auto* c = std::get_if<connecting>(&state_);
    if (!c) return;
    const auto at = std::find_if(c->open.begin(), c->open.end(), [&](const auto& a) { return a.id == e.attempt; });
    if (at == c->open.end()) return;
    if (!c->failures.empty()) c->failures += "; ";
    c->failures += at->to.to_string() + ": " + e.why.message();
    c->last = e.why;
    out.push_back(drop_socket{e.attempt});
    c->open.erase(at);
    if (!c->candidates.empty()) return next_attempt(*c, now, out);
    if (!c->open.empty()) return;
    auto why = problem(errc::connect_failed, phase::connect, c->failures, settings_.advertised ? advertised_hint : "is a broker listening there? Check host and port, and that the broker is up");
    auto cause = problem(c->last, phase::connect, {});
    why.cause = std::make_shared<const error>(std::move(cause));
    close(std::move(why), out);
}

void connection_fsm::on(connected& e, time_point now, actions& out) {
    auto* c = std::get_if<connecting>(&state_);
    if (!c) return;
    const auto winner = std::find_if(c->open.begin(), c->open.end(), [&](const auto& a) { return a.id == e.attempt; });
    if (winner == c->open.end()) return;
    for (const auto& a : c->open)
        if (a.id != e.attempt) out.push_back(drop_socket{a.id});
    out.push_back(keep_socket{e.attempt});
    if (settings_.tls) {
        transition(securing{now + settings_.connect_timeout, winner->to}, "the socket is up");
        return out.push_back(start_tls{settings_.host});
    }
    first_words(winner->to, now, out);
}

void connection_fsm::on(secured&, time_point now, actions& out) {
    const auto* s = std::get_if<securing>(&state_);
    if (s) first_words(s->peer, now, out);
}

void connection_fsm::on(insecure& e, time_point, actions& out) {
    if (std::holds_alternative<securing>(state_)) refuse_peer(std::move(e.why), out);
}

void connection_fsm::refuse_peer(error why, actions& out) {
    why.broker = peer();
    close(std::move(why), out);
}

// --- the first question ---

void connection_fsm::first_words(endpoint peer, time_point now, actions& out) {
    auto version = api_versions_request::versions.highest;
    if (settings_.held_to) {
        const auto theirs = protocol::highest_version(*settings_.held_to, api_versions_request::key);
        // Brokers of that time hang up when they are asked. What they speak is what their release does.
        if (theirs < 0) return take_versions_of_release(now, out);
        version = std::min(version, theirs);
    }
    ask_versions(peer, version, now + settings_.connect_timeout, now, out);
}

void connection_fsm::take_versions_of_release(time_point now, actions& out) {
    versions_ = {};
    for (const auto& api : protocol::apis())
        if (const auto highest = protocol::highest_version(*settings_.held_to, api.key); highest >= 0) versions_.apis.push_back({api.key, protocol::between(0, highest)});
    versions_known(now, out);
}

// What is newer than the release is as if it were not there. An API that no release has for clients is left as it is.
void connection_fsm::hold_versions() {
    const auto release = settings_.held_to;
    if (!release) return;
    std::erase_if(versions_.apis, [&](const auto& a) { return protocol::is_known_to_releases(a.key) && protocol::highest_version(*release, a.key) < 0; });
    for (auto& a : versions_.apis)
        if (protocol::is_known_to_releases(a.key)) a.versions.highest = std::min(a.versions.highest, protocol::highest_version(*release, a.key));
    if (*release < protocol::release{4, 0, 0}) versions_.transaction_version = 0;  // what it finalized with 4.0 needs requests of 4.0
}

void connection_fsm::ask_versions(endpoint peer, std::int16_t version, time_point give_up, time_point now, actions& out) {
    transition(negotiating{give_up, peer, version, {}, {now}}, version == api_versions_request::versions.highest ? "the socket is up" : "the broker is older, or is taken for older");
    api_versions_request request;
    request.client_software_name = "kafkawire";
    request.client_software_version = KAFKAWIRE_VERSION_STRING;
    frame f;
    if (auto e = protocol::encode_request(request, version, next_correlation_++, settings_.client_id, f.content))
        return close(problem(e.code, phase::api_versions, e.message()), out);
    out.push_back(write_frame{std::move(f)});
}

void connection_fsm::got_versions(time_point now, actions& out) {
    auto& n = std::get<negotiating>(state_);
    const auto bytes = n.in.body.view();
    // The error code comes first in every version. A broker that does not know ours answers UNSUPPORTED_VERSION in the form of version 0,
    // with its own range of ApiVersions if it is 2.4 or later.
    const bool refused = bytes.size() >= 6 && std::to_integer<int>(bytes[4]) == 0 && std::to_integer<int>(bytes[5]) == unsupported_version;
    const auto version = refused ? std::int16_t{0} : n.version;
    api_versions_response answer;
    if (auto e = protocol::decode(answer, bytes.subspan(4), version)) {
        if (refused && n.version > 0) return ask_versions(n.peer, 0, n.give_up, now, out);
        auto why = problem(errc::not_kafka, phase::api_versions, "the answer to ApiVersions is not one", "check that this port is a Kafka listener");
        auto cause = problem(e.code, phase::api_versions, e.message());
        why.cause = std::make_shared<const error>(std::move(cause));
        return close(std::move(why), out);
    }
    if (refused) {
        std::int16_t next = 0;
        for (const auto& api : answer.api_keys)
            if (api.api_key == api_versions_request::key) next = std::min(api.max_version, api_versions_request::versions.highest);
        if (n.version <= 0) return close(problem(errc::no_common_version, phase::api_versions, "the broker refuses ApiVersions v0, which every broker speaks"), out);
        return ask_versions(n.peer, next > 0 && next < n.version ? next : std::int16_t{0}, n.give_up, now, out);
    }
    if (answer.error_code != 0) {
        const auto code = make_error_code(static_cast<broker_errc>(answer.error_code));
        return close(problem(code, phase::api_versions, "the broker refuses to tell its versions: " + code.message()), out);
    }
    versions_.apis.clear();
    for (const auto& api : answer.api_keys) versions_.apis.push_back({api.api_key, protocol::between(api.min_version, api.max_version)});
    std::sort(versions_.apis.begin(), versions_.apis.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    versions_.features_epoch = answer.finalized_features_epoch;
    versions_.transaction_version = 0;
    for (const auto& f : answer.finalized_features)
        if (f.name == "transaction.version") versions_.transaction_version = f.max_version_level;
    hold_versions();
    versions_known(now, out);
}

void connection_fsm::versions_known(time_point now, actions& out) {
    if (settings_.sasl) {
        authenticating next;
        next.give_up = now + settings_.connect_timeout;
        next.moved = {now};
        transition(std::move(next), "the versions are known");
        return out.push_back(gather{settings_.sasl->mechanism});
    }
    transition(ready{{}, {}, {now}}, "the versions are known");
    out.push_back(announce_ready{});
    send_waiting(now, out);
}

}  // namespace kafkawire::net
