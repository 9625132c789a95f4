#include "broker/cluster_fsm.hpp"

#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <algorithm>
#include <cstring>

#include "broker/fault_messages.hpp"
#include "broker/frozen_metadata.hpp"
#include "broker/handlers.hpp"

namespace kafkawire::broker {
namespace {

constexpr std::size_t size_prefix = 4;
constexpr std::size_t smallest_room = 16u << 10;  // offered to one read
constexpr std::size_t read_ahead = 64u << 10;     // taken from a connection whose request is not answered yet
constexpr std::size_t kept_when_idle = 4u << 20;  // a larger buffer goes when it has been used up
constexpr std::int16_t api_versions_key = 18;

// Leaves the message of an answer: what follows the size, the correlation id and, in flexible versions, the header's tags, of which we send none.
void skip_header(std::vector<protocol::bytes_view>& parts, const protocol::message_schema& schema, std::int16_t version) {
    const bool tags = schema.flexible.contains(version) && schema.key != api_versions_key;  // KIP-511: ApiVersions keeps the old header
    if (!parts.empty()) parts.front() = parts.front().subspan(std::min(parts.front().size(), size_prefix + 4 + (tags ? 1u : 0u)));
}

std::int32_t load_size(const std::byte* at) noexcept {
    std::uint32_t v = 0;
    for (int i = 0; i < 4; ++i) v = (v << 8) | std::to_integer<std::uint32_t>(at[i]);
    return static_cast<std::int32_t>(v);
}

}  // namespace

connection_id cluster_fsm::connected(std::int32_t node, std::string peer, moment now) {
    state_.set_now(local(now));
    connection c;
    c.node = node;
    c.peer = std::move(peer);
    connections_.emplace(++last_connection_, std::move(c));
    // Taken by the system before the node went down.
    if (const auto* n = state_.find_node(node); n && n->is == node::status::down) close_connection(last_connection_);
    return last_connection_;
}

cluster_fsm::room cluster_fsm::prepare(connection_id id) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return {};
    auto& c = found->second;
    const auto have = c.end - c.begin;
    if ((c.is != phase::reading || is_paused(c.node)) && have >= read_ahead) return {};
    auto& in = *c.in;
    if (have == 0) {
        c.begin = c.end = 0;
        if (in.size() > kept_when_idle) in = {};
    }
    if (in.size() - c.end < smallest_room) {
        if (c.begin > 0) {
            std::memmove(in.data(), in.data() + c.begin, have);
            c.begin = 0;
            c.end = have;
        }
        // Room grows with what has come, never with what is claimed.
        if (in.size() - c.end < smallest_room) in.resize(std::max(2 * in.size(), smallest_room * 2));
    }
    return {std::span{in}.subspan(c.end), c.in};
}

void cluster_fsm::received(connection_id id, std::size_t bytes, moment now) {
    state_.set_now(local(now));
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    found->second.end += bytes;
    if (found->second.is == phase::reading) resumed_.push_back(id);
    settle();
}

void cluster_fsm::written(connection_id id, moment now) {
    state_.set_now(local(now));
    const auto found = connections_.find(id);
    if (found == connections_.end() || found->second.is != phase::writing) return;
    proceed(id, found->second);
    settle();
}

// The answer, or a piece of it, has gone out.
void cluster_fsm::proceed(connection_id id, connection& c) {
    const auto later = [&](std::chrono::nanoseconds after, auto what) { state_.timers().set(state_.now().steady + after, std::move(what)); };
    if (c.slow) return later(c.slow->every, [this, id] { send_piece(id); });
    const auto mute = std::exchange(c.mute, {});
    if (mute.count() == 0) {
        c.is = phase::reading;
        return resumed_.push_back(id);
    }
    c.is = phase::handling;
    later(mute, [this, id] {
        const auto found = connections_.find(id);
        if (found == connections_.end()) return;
        found->second.is = phase::reading;
        resumed_.push_back(id);
    });
}

void cluster_fsm::disconnected(connection_id id, moment now) {
    state_.set_now(local(now));
    connections_.erase(id);
    settle();
}

void cluster_fsm::tick(moment now) {
    state_.set_now(local(now));
    while (state_.timers().run_one(local(now).steady)) {}
    settle();
}

void cluster_fsm::take_actions(std::vector<action>& to) {
    to.clear();
    std::swap(to, actions_);
}

// Looks at the connections that may go on, until none is left: handling one request may answer others that waited for it.
void cluster_fsm::settle() {
    while (!resumed_.empty()) {
        const auto id = resumed_.back();
        resumed_.pop_back();
        take_frames(id);
    }
}

void cluster_fsm::take_frames(connection_id id) {
    for (;;) {
        const auto found = connections_.find(id);
        if (found == connections_.end() || found->second.is != phase::reading || is_paused(found->second.node)) return;
        auto& c = found->second;
        const auto have = c.end - c.begin;
        if (have < size_prefix) return;
        const auto size = load_size(c.in->data() + c.begin);
        if (size < 0 || static_cast<std::uint32_t>(size) > state_.options().max_request) return close_connection(id);
        if (have - size_prefix < static_cast<std::size_t>(size)) return;
        const protocol::bytes_view frame{c.in->data() + c.begin + size_prefix, static_cast<std::size_t>(size)};
        c.begin += size_prefix + frame.size();
        c.is = phase::handling;
        const auto keep = c.in;  // the handler may close the connection
        handle(id, c, frame);
    }
}

void cluster_fsm::handle(connection_id id, const connection& c, protocol::bytes_view frame) {
    protocol::messages::request_header header;
    std::size_t body_at = 0;
    if (protocol::decode_request_header(header, frame, body_at)) return close_connection(id);
    const auto key = header.request_api_key;
    const auto version = header.request_api_version;
    exchange from{*this, id, c.node, {key, version, header.correlation_id, std::move(header.client_id)}, c.peer, state_.now()};
    const auto* api = protocol::find_api(key);
    // Who has not said who he is may ask for the versions and say it; anything else closes the connection, as Kafka does.
    if (has_sasl(state_.options().security.protocol) && !c.who.may(key, state_.now().steady)) return;
    if (const auto offered = offered_versions(state_, key); !api || !offered.contains(version)) {
        if (key == api_versions_key) refuse_api_versions(std::move(from));
        return;  // else dropping `from` closes the connection, as Kafka does
    }
    protocol::any_message request{*api->request};
    // Like Kafka, what follows the message is not looked at: librdkafka 2.16 leaves three bytes behind its Metadata request for all topics.
    std::size_t used = 0;
    if (protocol::decode_prefix(*api->request, request.get(), frame.subspan(body_at), version, used)) return;
    if (key == sasl_authenticate_key) return authenticate(std::move(from), request.get());  // nobody else is told: it carries passwords
    const auto body = frame.subspan(body_at, used);
    tell(from, passing::direction::request, *api->request, request.get(), version, size_prefix + frame.size(), {&body, 1});
    if (const auto* f = find_fault(from, *api, request.get())) return meet(*f, std::move(from), *api, request.get(), body);
    dispatch(std::move(from), *api, request.get());
}

void cluster_fsm::dispatch(exchange from, const protocol::api_info& api, const void* request) {
    if (api.key == sasl_handshake_key) return authenticate(std::move(from), request);
    if (api.key == protocol::messages::metadata_request::key)
        if (const auto view = frozen_.find(from.node()); view != frozen_.end())
            return answer_frozen(view->second, std::move(from), *static_cast<const protocol::messages::metadata_request*>(request));
    find_handler(api.key)->handle(state_, std::move(from), request);
}

void cluster_fsm::authenticate(exchange from, const void* request) {
    const auto id = from.connection();
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    auto& who = found->second.who;
    const auto random = [this] { return state_.random().next(); };
    if (from.api_key() == sasl_handshake_key) {
        from.answer(who.handshake(accounts_, *static_cast<const protocol::messages::sasl_handshake_request*>(request)));
    } else {
        from.answer(who.authenticate(accounts_, *static_cast<const protocol::messages::sasl_authenticate_request*>(request), from.version(), state_.now(), random));
    }
    const auto still = connections_.find(id);
    if (still != connections_.end() && still->second.who.failed()) close_connection(id);
}

void cluster_fsm::refuse_api_versions(exchange from) {
    protocol::messages::api_versions_response answer;
    answer.error_code = static_cast<std::int16_t>(broker_errc::unsupported_version);
    const auto range = offered_versions(state_, api_versions_key);
    answer.api_keys.push_back({api_versions_key, range.lowest, range.highest, {}});
    from.answer_as(answer, 0);
}

void cluster_fsm::answer(exchange& to, const protocol::message_schema& schema, const void* response, std::int16_t version, owners keep) {
    const auto id = to.connection();
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    const auto hit = std::exchange(found->second.hit, std::nullopt);
    if (hit && hit->drop_reply) return;
    std::optional<protocol::any_message> changed;
    if (hit) {
        changed = change_answer(*hit, schema, response, version, keep);
        if (changed) response = changed->get();
    }
    write_bytes out{id, {}, std::move(keep)};
    const bool confidential = to.api_key() == sasl_authenticate_key;
    // An answer that cannot be said in this version is a mistake of a handler; the client is told by the connection's end.
    if (protocol::encode_response(schema, response, version, to.correlation_id(), out.content)) return close_connection(id);
    auto body = out.content.parts();
    skip_header(body, schema, version);
    if (!confidential) tell(to, passing::direction::response, schema, response, version, out.content.size(), body);
    if (!hit) return send(id, std::move(out));
    if (hit->reply_delay.count() == 0) return send_changed(id, std::move(out), *hit);
    state_.timers().set(state_.now().steady + hit->reply_delay, [this, id, out = std::move(out), f = *hit]() mutable { send_changed(id, std::move(out), f); });
}

void cluster_fsm::send(connection_id id, write_bytes what) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    auto& c = found->second;
    if (is_paused(c.node)) {
        c.held = connection::given{std::move(what), {}};
        return;
    }
    c.is = phase::writing;
    actions_.emplace_back(std::move(what));
}

void cluster_fsm::finish_without_answer(exchange& of) {
    const auto found = connections_.find(of.connection());
    if (found == connections_.end()) return;
    found->second.hit.reset();
    found->second.is = phase::reading;
    resumed_.push_back(of.connection());
}

void cluster_fsm::close_connection(connection_id id) {
    if (connections_.erase(id)) actions_.emplace_back(broker::close_connection{id});
}

void cluster_fsm::tell(const exchange& of, passing::direction way, const protocol::message_schema& schema, const void* message, std::int16_t version,
                       std::size_t bytes, std::span<const protocol::bytes_view> body) {
    const passing event{way, state_.now(), of.node(), of.connection(), of.api_key(), version, of.correlation_id(), of.client_id(), &schema, message, bytes,
                        way == passing::direction::response ? state_.now().steady - of.arrived().steady : std::chrono::nanoseconds{}};
    history_.add(event, body);
    for (auto& w : watchers_) w(event);
}

std::optional<net::time_point> cluster_fsm::next_wakeup() const {
    const auto next = state_.timers().next();
    if (!next) return {};
    return *next - steady_shift_;
}

}  // namespace kafkawire::broker
