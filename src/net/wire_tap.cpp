#include "net/wire_tap.hpp"

#include <kafkawire/protocol/messages/36_sasl_authenticate.hpp>

#include <algorithm>

namespace kafkawire::net {

namespace {

constexpr auto confidential_key = protocol::messages::sasl_authenticate_request::key;

std::uint32_t number_at(std::span<const std::byte> b, std::size_t at, std::size_t size) {
    std::uint32_t v = 0;
    for (std::size_t i = at; i < at + size; ++i) v = v << 8 | std::to_integer<std::uint32_t>(b[i]);
    return v;
}

}  // namespace

void wire_tap::stands_in(std::string_view state) {
    if (state == state_ || state == "closed") return;  // that has a report of its own, with its reason
    if (state == "ready" && !std::exchange(was_up_, true)) to_->log(log_level::info, "connection", "the connection is up", {"broker", broker_});
    to_->tell(connection_seen{{}, broker_, std::exchange(state_, state), state, nullptr, false});
}

void wire_tap::writes(const frame& f, time_point now) {
    // Every frame begins so: size, key, version, correlation id.
    const auto parts = f.content.parts();
    if (parts.empty() || parts.front().size() < 12) return;
    const auto head = parts.front();
    under_way u;
    u.key = static_cast<std::int16_t>(number_at(head, 4, 2));
    u.version = static_cast<std::int16_t>(number_at(head, 6, 2));
    u.correlation = static_cast<std::int32_t>(number_at(head, 8, 4));
    u.since = now;
    for (const auto p : parts) u.bytes += p.size();
    if (to_->wants_bytes() && !f.confidential && u.key != confidential_key) {
        u.copy.reserve(u.bytes);
        for (const auto p : parts) u.copy.insert(u.copy.end(), p.begin(), p.end());
        u.copy.erase(u.copy.begin(), u.copy.begin() + 4);
    }
    if (f.answered) return flight_.push_back(std::move(u));
    to_->tell(report_of(u));
}

request_seen wire_tap::report_of(const under_way& u) const {
    request_seen r;
    r.broker = broker_;
    r.api_key = u.key;
    r.api_version = u.version;
    r.correlation_id = u.correlation;
    r.bytes_out = u.bytes;
    r.request = u.copy;
    return r;
}

void wire_tap::has_read(const response& answer, time_point now) {
    if (flight_.empty()) return;
    const auto u = std::move(flight_.front());
    flight_.pop_front();
    auto r = report_of(u);
    r.duration = now - u.since;
    r.bytes_in = answer.size + 4;
    if (!u.copy.empty()) r.answer = answer.view();
    to_->tell(r);
}

void wire_tap::not_sent(const call& c, const error& why) {
    request_seen r;
    r.broker = broker_;
    r.api_key = c.api_key;
    r.why = &why;
    to_->tell(r);
}

void wire_tap::ended(const error& why, ending how, time_point now) {
    for (const auto& u : std::exchange(flight_, {})) {
        auto r = report_of(u);
        r.duration = now - u.since;
        r.why = &why;
        to_->tell(r);
    }
    const bool unused = how == ending::unused;
    const bool wanted = unused || why.code == errc::client_closed || why.code == errc::canceled;
    to_->tell(connection_seen{{}, broker_, std::exchange(state_, "closed"), "closed", &why, unused});
    if (wanted) return;
    to_->failed("connection", why);
    const bool grave = why.in == phase::tls || why.in == phase::sasl;
    to_->log(grave ? log_level::error : log_level::warning, "connection", how == ending::cut ? "the connection was lost" : "the connection could not be made",
             std::array{log_field{"broker", broker_}, log_field{"why", why.message()}});
}

}  // namespace kafkawire::net
