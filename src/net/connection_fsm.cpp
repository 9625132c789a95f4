#include "net/connection_fsm.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "net/texts.hpp"

namespace kafkawire::net {

namespace {

constexpr std::uint32_t max_handshake_response = 64u << 10;  // the longest real answer is below 2 KiB

std::uint32_t big_endian_u32(std::span<const std::byte> b) {
    std::uint32_t v = 0;
    for (std::size_t i = 0; i < 4; ++i) v = v << 8 | std::to_integer<std::uint32_t>(b[i]);
    return v;
}

}  // namespace

const protocol::version_range* broker_versions::find(std::int16_t key) const noexcept {
    const auto at = std::lower_bound(apis.begin(), apis.end(), key, [](const range& r, std::int16_t k) { return r.key < k; });
    return at != apis.end() && at->key == key ? &at->versions : nullptr;
}

std::string_view name_of(const state& s) noexcept {
    constexpr std::array<std::string_view, 9> names = {"idle", "backing_off", "resolving", "connecting", "securing", "negotiating", "authenticating", "ready", "closed"};
    return names[s.index()];
}

std::string connection_fsm::peer() const { return host_and_port(settings_.host, settings_.port); }

std::size_t connection_fsm::load() const noexcept {
    const auto* r = std::get_if<ready>(&state_);
    return waiting_.size() + (r ? r->flight.size() : 0);
}

bool connection_fsm::prompt() const noexcept {
    const auto* r = std::get_if<ready>(&state_);
    return r && r->prompt;
}

bool connection_fsm::up() const noexcept {
    const auto* a = std::get_if<authenticating>(&state_);
    return std::holds_alternative<ready>(state_) || (a && a->again);
}

void connection_fsm::step(event e, time_point now, actions& out) {
    std::visit([&](auto& what) { on(what, now, out); }, e);
}

std::optional<time_point> connection_fsm::next_wakeup() const noexcept {
    auto at = earliest_;
    const auto or_at = [&](time_point t) { at = at ? std::min(*at, t) : t; };
    if (const auto t = silent_at()) or_at(*t);
    if (const auto t = unused_at()) or_at(*t);
    if (auto* b = std::get_if<backing_off>(&state_)) or_at(b->until);
    if (auto* r = std::get_if<resolving>(&state_)) or_at(r->give_up);
    if (auto* t = std::get_if<securing>(&state_)) or_at(t->give_up);
    if (auto* n = std::get_if<negotiating>(&state_)) or_at(n->give_up);
    if (auto* a = std::get_if<authenticating>(&state_)) or_at(a->give_up);
    if (auto* ok = std::get_if<ready>(&state_); ok && ok->renew_at && !ok->gathering && !ok->renewal) or_at(*ok->renew_at);
    if (auto* c = std::get_if<connecting>(&state_)) or_at(c->candidates.empty() ? c->give_up : std::min(c->give_up, c->next_start));
    return at;
}

std::span<std::byte> connection_fsm::read_here() noexcept {
    auto* const in = reading();
    if (!in) return {};
    if (in->have < in->head.size()) return std::span{in->head}.subspan(in->have);
    return std::span{in->body.bytes.get(), in->body.size}.subspan(in->have - 4);
}

incoming* connection_fsm::reading() noexcept {
    if (auto* n = std::get_if<negotiating>(&state_)) return &n->in;
    if (auto* a = std::get_if<authenticating>(&state_)) return &a->in;
    if (auto* r = std::get_if<ready>(&state_)) return &r->in;
    return nullptr;
}

// --- requests and answers ---

void connection_fsm::on(send_requested& e, time_point now, actions& out) {
    if (auto* c = std::get_if<closed>(&state_)) {
        out.push_back(tell{std::move(e.what), {c->why, {}, -1, false, true}});
        return;
    }
    earliest_ = earliest_ ? std::min(*earliest_, e.what->deadline) : e.what->deadline;
    waiting_.push_back(std::move(e.what));
    if (std::holds_alternative<idle>(state_)) {
        open_requested open;
        return on(open, now, out);
    }
    if (std::holds_alternative<ready>(state_)) send_waiting(now, out);
}

// So that what follows does not find no memory when it is half done.
void connection_fsm::make_room(actions& out) {
    if (out.capacity() - out.size() < 4) out.reserve(2 * out.size() + 8);
}

void connection_fsm::send_waiting(time_point now, actions& out) {
    auto& r = std::get<ready>(state_);
    if (r.renewal) {
        if (r.flight.empty()) renew(now, out);
        return;
    }
    while (!waiting_.empty() && r.flight.size() < settings_.max_in_flight) {
        make_room(out);
        const auto next = waiting_.front();  // it goes when it has another place
        if (next->deadline <= now) {
            auto why = late(*next, {});
            out.push_back(tell{next, {std::move(why), {}, -1, false}});
        } else {
            put_on_wire(next, now, out);
        }
        waiting_.pop_front();
    }
    if (waiting_.empty() && r.flight.empty()) earliest_.reset();
}

void connection_fsm::put_on_wire(std::shared_ptr<call> what, time_point now, actions& out) {
    const auto refuse = [&](error why) {
        why.api_key = what->api_key;
        out.push_back(tell{std::move(what), {std::move(why), {}, -1, false}});
    };
    const auto* theirs = versions_.find(what->api_key);
    const auto version = theirs ? std::min(theirs->highest, what->speaks.highest) : std::int16_t{-1};
    if (!theirs || version < std::max(theirs->lowest, what->speaks.lowest)) return refuse(no_common_version(*what, theirs));
    const auto correlation = next_correlation_;
    frame f;
    if (auto e = what->encode(version, correlation, settings_.client_id, f.content)) {
        auto why = problem(e.code, phase::request, api_name(what->api_key) + " v" + std::to_string(version) + " cannot be written: " + e.message());
        why.api_version = version;
        return refuse(std::move(why));
    }
    next_correlation_ = next_correlation_ == INT32_MAX ? 0 : next_correlation_ + 1;
    f.owner = what;
    f.answered = what->expects_reply;
    auto& r = std::get<ready>(state_);
    if (r.flight.empty() && !r.writing) r.moved.last = now;  // silence begins with the request
    r.writing = true;
    if (what->expects_reply) r.flight.push_back({correlation, version, what->deadline, what->api_key, what->may_wait, what});
    out.push_back(write_frame{std::move(f)});
    if (!what->expects_reply) out.push_back(tell{std::move(what), {{}, {}, version, false}});
}

// False: the frame's size or correlation id cannot be right, and the connection was closed.
bool connection_fsm::head_is_sound(incoming& in, std::size_t had, actions& out) {
    auto* r = std::get_if<ready>(&state_);
    const auto in_phase = present();
    if (had < 4 && in.have >= 4) {
        const auto size = big_endian_u32(in.head);
        const auto limit = r ? settings_.max_response : std::min(max_handshake_response, settings_.max_response);
        if (size < 4 || size > limit) {
            if (std::holds_alternative<negotiating>(state_)) {
                if (auto who = stranger(std::span{in.head}.first(in.have))) return close(std::move(who), out), false;
            }
            const auto claim = std::to_string(static_cast<std::int32_t>(size));
            if (size < 4 || size > INT32_MAX) return close(problem(errc::bad_length, in_phase, "a frame of " + claim + " bytes was announced"), out), false;
            return close(problem(errc::frame_too_large, in_phase, "a frame of " + claim + " bytes was announced, " + std::to_string(limit) + " are allowed",
                                 r ? "raise max_response if answers may be that large" : "check that this port is a Kafka listener"),
                         out),
                   false;
        }
    }
    if (had < 8 && in.have >= 8) {
        // A broker answers in the order of the requests. Anything else means that we no longer know which answer is whose.
        const auto correlation = static_cast<std::int32_t>(big_endian_u32(std::span{in.head}.subspan(4)));
        const auto* a = std::get_if<authenticating>(&state_);
        const bool asked = r ? !r->flight.empty() : !a || a->at == authenticating::step::handshake || a->at == authenticating::step::exchange;
        const auto expected = r ? (asked ? r->flight.front().correlation : -1) : next_correlation_ - 1;
        if (!asked || correlation != expected) {
            if (!r && !a) return close(problem(errc::not_kafka, in_phase, "the answer to ApiVersions belongs to no request", "check that this port is a Kafka listener"), out), false;
            return close(problem(errc::unexpected_correlation_id, in_phase,
                                 "an answer with correlation id " + std::to_string(correlation) + ", expected was " + (asked ? std::to_string(expected) : "none")),
                         out),
                   false;
        }
        // Not filled: a page that no byte reaches costs nothing, so a false size within the limit costs nothing either.
        const auto size = big_endian_u32(in.head);
        in.body = {std::shared_ptr<std::byte[]>(new std::byte[size]), size};
        std::copy_n(in.head.begin() + 4, 4, in.body.bytes.get());
    }
    return true;
}

void connection_fsm::on(received& e, time_point now, actions& out) {
    auto* const to = reading();
    if (!to) return;
    auto* r = std::get_if<ready>(&state_);
    auto& in = *to;
    auto& m = *moved();
    make_room(out);
    if (r && in.have == 0 && now - m.last < settings_.stall_after) r->prompt = true;
    m.last = now;
    if (std::exchange(m.silent, false)) out.push_back(announce_silent{false});
    const auto had = in.have;
    in.have += e.bytes;
    if (had < in.head.size() && !head_is_sound(in, had, out)) return;
    if (in.have < in.head.size() || in.have < in.body.size + 4) return;
    if (settings_.reports) out.push_back(show_answer{in.body});
    if (std::holds_alternative<negotiating>(state_)) return got_versions(now, out);
    if (const auto* a = std::get_if<authenticating>(&state_)) return a->at == authenticating::step::handshake ? got_mechanism(now, out) : got_verdict(now, out);
    got_answer(out);
    send_waiting(now, out);
}

void connection_fsm::got_answer(actions& out) {
    make_room(out);
    auto& r = std::get<ready>(state_);
    auto first = std::move(r.flight.front());
    r.flight.pop_front();
    r.answered = true;
    if (first.whose) out.push_back(tell{std::move(first.whose), {{}, std::move(r.in.body), first.version, true}});
    r.in = {};
}

void connection_fsm::on(withdrawn& e, time_point, actions&) {
    std::erase_if(waiting_, [&](const auto& c) { return c.get() == e.what; });
    if (auto* r = std::get_if<ready>(&state_))
        for (auto& f : r->flight)
            if (f.whose.get() == e.what) f.whose.reset();  // its answer still has to be read, or the next one could not be told from it
}

// What the system takes off our hands is movement too: a large request may need longer than the patience with an answer.
void connection_fsm::on(written& e, time_point now, actions&) {
    auto* r = std::get_if<ready>(&state_);
    if (!r) return;
    r->moved.last = now;
    r->writing = !e.all;
}

// --- time ---

movement* connection_fsm::moved() noexcept {
    if (auto* n = std::get_if<negotiating>(&state_)) return &n->moved;
    if (auto* a = std::get_if<authenticating>(&state_)) return &a->moved;
    if (auto* r = std::get_if<ready>(&state_)) return &r->moved;
    return nullptr;
}

// A broker answers one request of a connection after the other, so only the first one's right to wait counts.
std::optional<time_point> connection_fsm::silent_at() const noexcept {
    if (settings_.stall_after.count() <= 0) return {};
    if (auto* n = std::get_if<negotiating>(&state_); n && !n->moved.silent) return n->moved.last + settings_.stall_after;
    if (auto* a = std::get_if<authenticating>(&state_); a && !a->moved.silent && (a->at == authenticating::step::handshake || a->at == authenticating::step::exchange))
        return a->moved.last + settings_.stall_after;
    auto* r = std::get_if<ready>(&state_);
    if (!r || r->moved.silent || (r->flight.empty() && !r->writing)) return {};
    return r->moved.last + settings_.stall_after * (r->prompt ? 1 : settings_.patience) + (r->flight.empty() ? std::chrono::milliseconds{0} : r->flight.front().may_wait);
}

std::optional<time_point> connection_fsm::unused_at() const noexcept {
    auto* r = std::get_if<ready>(&state_);
    if (!r || settings_.max_idle.count() <= 0 || !r->flight.empty() || r->writing || !waiting_.empty()) return {};
    return r->moved.last + settings_.max_idle;
}

void connection_fsm::on(tick&, time_point now, actions& out) {
    if (auto* b = std::get_if<backing_off>(&state_); b && now >= b->until) start_resolving(now, out);
    const auto patience = text_of(settings_.connect_timeout);
    if (auto* r = std::get_if<resolving>(&state_); r && now >= r->give_up)
        return close(problem(errc::connect_timed_out, phase::resolve, "the name was not resolved within " + patience, "do the name servers of /etc/resolv.conf answer?"), out);
    if (auto* c = std::get_if<connecting>(&state_)) {
        if (now >= c->give_up) {
            std::string tried = c->failures;
            for (const auto& a : c->open) tried += (tried.empty() ? "" : "; ") + a.to.to_string() + ": no answer";
            return close(problem(errc::connect_timed_out, phase::connect, "not connected within " + patience + " (" + tried + ")", "a firewall may drop the packets, or the address is wrong"), out);
        }
        if (!c->candidates.empty() && now >= c->next_start) next_attempt(*c, now, out);
    }
    if (auto* n = std::get_if<negotiating>(&state_); n && now >= n->give_up) {
        return close(problem(errc::request_timed_out, phase::api_versions, "no answer to ApiVersions within " + patience,
                             "something takes connections there and says nothing: a listener that wants TLS, another service, or a broker that hangs"),
                     out);
    }
    if (auto* t = std::get_if<securing>(&state_); t && now >= t->give_up) {
        return close(problem(errc::tls_failed, phase::tls, "TLS was not agreed on within " + patience,
                             "something takes connections there and says nothing: a listener that wants plain text, another service, or a broker that hangs"),
                     out);
    }
    if (auto* a = std::get_if<authenticating>(&state_); a && now >= a->give_up) {
        const bool ours = a->at == authenticating::step::gathering;
        return close(problem(errc::authentication_failed, phase::sasl, (ours ? "the token source gave no token within " : "the broker has not said within ") + patience + (ours ? "" : " whether it believes us"),
                             ours ? "" : "a broker that asks somebody else who we are may wait for him"),
                     out);
    }
    if (auto* ok = std::get_if<ready>(&state_); ok && ok->renew_at && now >= *ok->renew_at && !ok->gathering && !ok->renewal) {
        ok->gathering = true;
        out.push_back(gather{settings_.sasl->mechanism});
    }
    if (const auto at = unused_at(); at && now >= *at)
        return close(problem(errc::connection_closed, phase::request, "nobody has used the connection for " + text_of(settings_.max_idle)), out, true);
    if (const auto at = silent_at(); at && now >= *at) {
        moved()->silent = true;
        out.push_back(announce_silent{true});
    }
    if (earliest_ && now >= *earliest_) expire(now, out);
}

void connection_fsm::expire(time_point now, actions& out) {
    auto* r = std::get_if<ready>(&state_);
    if (r) {
        // One late answer closes the connection: the answers behind it could not be told apart from it.
        const auto overdue = std::find_if(r->flight.begin(), r->flight.end(), [&](const auto& f) { return now >= f.deadline; });
        if (overdue != r->flight.end()) {
            auto why = problem(errc::request_timed_out, phase::request, "no answer to " + api_name(overdue->key) + " in time", "the broker is overloaded or hangs, or the network lost the answer");
            why.api_key = overdue->key;
            why.api_version = overdue->version;
            return close(std::move(why), out);
        }
    }
    earliest_.reset();
    const auto keep = [&](time_point t) { earliest_ = earliest_ ? std::min(*earliest_, t) : t; };
    for (auto& c : waiting_) {
        if (c->deadline > now) {
            keep(c->deadline);
            continue;
        }
        make_room(out);
        auto why = late(*c, std::chrono::duration_cast<std::chrono::milliseconds>(now - c->started));
        out.push_back(tell{std::exchange(c, nullptr), {std::move(why), {}, -1, false}});
    }
    std::erase(waiting_, nullptr);
    if (r)
        for (const auto& f : r->flight) keep(f.deadline);
}

// --- the end ---

void connection_fsm::on(failed& e, time_point, actions& out) {
    auto* n = std::get_if<negotiating>(&state_);
    auto* r = std::get_if<ready>(&state_);
    const bool sasl = std::holds_alternative<authenticating>(state_);
    const auto* from = reading();
    if (!from) return;
    if (e.story) return refuse_peer(*e.story, out);
    const auto& in = *from;
    const bool hung_up = e.why == errc::connection_closed || e.why == std::errc::connection_reset || e.why == std::errc::broken_pipe;
    const auto in_phase = present();
    if (!hung_up) return close(problem(e.why, in_phase, "the connection broke: " + e.why.message()), out);
    if (in.have > 0) {
        if (n) {
            if (auto who = stranger(std::span{in.head}.first(std::min(in.have, in.head.size())))) return close(std::move(who), out);
        }
        const auto of = in.have >= 4 ? std::to_string(big_endian_u32(in.head) + std::size_t{4}) : "an unknown number";
        return close(problem(errc::closed_mid_frame, in_phase, "the peer hung up after " + std::to_string(in.have) + " of " + of + " bytes of a response",
                             "the broker died or a proxy cut the connection; its log may say why"),
                     out);
    }
    if (n) {
        return close(problem(errc::connection_closed, in_phase, "the peer hung up when asked for its versions",
                             settings_.held_to ? "the port may want TLS or SASL, be no Kafka listener, or belong to a broker before 0.10: broker_version (version=) 0.9.0 would be right then"
                                                : "the port may want TLS or SASL, be no Kafka listener, or belong to a broker before 0.10, which needs broker_version (version=), as 0.9.0"),
                     out);
    }
    if (sasl) return close(problem(errc::connection_closed, in_phase, "the peer hung up while it was shown who we are", "the broker's log may say why"), out);
    const bool stranger_to_it = r && !r->answered && !r->flight.empty() && !settings_.sasl;
    close(problem(errc::connection_closed, in_phase, "the peer closed the connection", stranger_to_it ? "a listener that wants SASL does so with whoever does not say who he is" : ""), out);
}

void connection_fsm::on(close_requested& e, time_point, actions& out) { close(std::move(e.why), out); }

void connection_fsm::close(error why, actions& out, bool unused) {
    if (std::holds_alternative<closed>(state_)) return;
    const auto about = [&](error e, std::int16_t key, std::int16_t version) {
        // What befell another request of the connection is told as what it is: this one did nothing wrong.
        if (e.api_key != -1 && e.api_key != key) {
            auto other = problem(errc::connection_closed, phase::request, "the connection was given up because of another request on it");
            other.cause = std::make_shared<const error>(std::move(e));
            e = std::move(other);
        }
        e.api_key = key;
        e.api_version = version;
        return e;
    };
    // All of it is made before anything changes: where memory runs out in between, nobody may be forgotten.
    auto* const r = std::get_if<ready>(&state_);
    actions last;
    // The sockets go first: when a call is told, nothing touches what it owns any more.
    const bool given_up = up() && !unused && why.code != errc::client_closed;
    last.push_back(announce_closed{why, unused ? ending::unused : up() ? ending::cut : ending::never_up, given_up});
    if (r)
        for (const auto& f : r->flight)
            if (f.whose) last.push_back(tell{f.whose, {about(why, f.key, f.version), {}, f.version, true, true}});
    for (const auto& c : waiting_)
        if (c) last.push_back(tell{c, {about(why, c->api_key, -1), {}, -1, false, true}});
    out.reserve(out.size() + last.size());
    closed end{why, {}};
    if (auto* in = reading()) end.half_read = std::move(in->body);
    transition(std::move(end), why.text);
    std::move(last.begin(), last.end(), std::back_inserter(out));
    waiting_.clear();
    earliest_.reset();
}

void connection_fsm::transition(state to, std::string_view why) {
    // Without a state, as memory ran out on the way to one, all that is left is to close.
    const bool none = state_.valueless_by_exception();
    if (none ? !std::holds_alternative<closed>(to) : !legal[state_.index()][to.index()]) {
        throw std::logic_error("connection_fsm: " + std::string{none ? "no state" : name_of(state_)} + " -> " + std::string{name_of(to)} + ": " + std::string{why});
    }
    state_ = std::move(to);
}

// --- telling what happened ---

error connection_fsm::no_common_version(const call& c, const protocol::version_range* theirs) const {
    const auto name = api_name(c.api_key);
    const auto because = [&](std::string text, std::string hint) { return problem(errc::no_common_version, phase::request, std::move(text), std::move(hint)); };
    if (const auto held = settings_.held_to) {
        const auto most = protocol::highest_version(*held, c.api_key);
        const bool ours = protocol::is_known_to_releases(c.api_key) && (most < 0 || most < c.speaks.lowest || (theirs && most < theirs->lowest));
        const auto needed = ours ? protocol::first_release_with(c.api_key, std::max({std::int16_t{0}, c.speaks.lowest, theirs ? theirs->lowest : std::int16_t{0}})) : std::nullopt;
        if (ours)
            return because("broker_version (version=) holds the client to Kafka " + held->to_string() + ", whose brokers " + (most < 0 ? "do not have " + name : "have " + name + " up to v" + std::to_string(most)),
                           needed ? "it needs Kafka " + needed->to_string() + ": name that, if the brokers are that new, or leave the version out" : "leave the version out, if the brokers are from 0.10 on");
    }
    if (!theirs) return because("the broker does not have " + name, "it is too old or too new for it, or another kind of node");
    return because("the broker speaks " + name + ' ' + range_text(*theirs) + ", asked for was " + range_text(c.speaks), c.speaks.lowest == c.speaks.highest ? "ask for one of the broker's versions" : "");
}

phase connection_fsm::present() const noexcept {
    if (std::holds_alternative<connecting>(state_)) return phase::connect;
    if (std::holds_alternative<securing>(state_)) return phase::tls;
    if (std::holds_alternative<authenticating>(state_)) return phase::sasl;
    if (std::holds_alternative<negotiating>(state_)) return phase::api_versions;
    if (std::holds_alternative<ready>(state_)) return phase::request;
    return phase::resolve;
}

error connection_fsm::problem(std::error_code code, phase in, std::string text, std::string hint) const {
    error e;
    e.code = code;
    e.in = in;
    e.broker = peer();
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

// For a call that was not sent: where the connection stood says why.
error connection_fsm::late(const call& c, std::chrono::milliseconds waited) const {
    const auto spent = waited.count() > 0 ? " within " + text_of(waited) : std::string{};
    const auto at = present();
    auto e = problem(errc::request_timed_out, at, {});
    e.api_key = c.api_key;
    if (std::holds_alternative<backing_off>(state_)) {
        e.in = settings_.last_failure ? settings_.last_failure->in : phase::connect;
        e.text = "not sent" + spent + ": the broker could not be reached and is not tried again yet";
    } else if (at == phase::request) {
        e.text = "not sent" + spent + ": the requests before it have no answers yet";
    } else {
        e.text = "not sent" + spent + ": the connection is not up (" + std::string{name_of(state_)} + ')';
    }
    if (const auto* connect = std::get_if<connecting>(&state_); connect && connect->last) {
        e.cause = std::make_shared<const error>(problem(connect->last, phase::connect, connect->failures));
    } else {
        e.cause = settings_.last_failure;
    }
    return e;
}

// Who else answers like that? Empty if nobody that we know.
error connection_fsm::stranger(std::span<const std::byte> head) const {
    std::string shown;
    for (const auto b : head) shown.push_back(static_cast<char>(b));
    const auto because = [&](std::string text, std::string hint) { return problem(errc::not_kafka, phase::api_versions, std::move(text), std::move(hint)); };
    if (shown.starts_with("HTTP")) return because("an HTTP server answers there, not a Kafka broker", "check the port; brokers usually listen on 9092");
    if (shown.starts_with("SSH-")) return because("an SSH server answers there, not a Kafka broker", "check the port; brokers usually listen on 9092");
    if (shown.size() >= 2 && (shown[0] == 0x15 || shown[0] == 0x16) && shown[1] == 0x03)
        return because("the port speaks TLS and got plain text", "use the listener's TLS settings, or the port of a plaintext listener");
    const bool printable = shown.size() >= 4 && std::all_of(shown.begin(), shown.end(), [](unsigned char c) { return (c >= ' ' && c < 0x7f) || c == '\r' || c == '\n'; });
    if (!printable) return {};
    std::erase_if(shown, [](char c) { return c == '\r' || c == '\n'; });
    return because("another service answers there, beginning with \"" + shown + '"', "check the port; brokers usually listen on 9092");
}

}  // namespace kafkawire::net
