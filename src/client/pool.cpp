#include "client/pool.hpp"

#include <algorithm>
#include <utility>

#include "net/texts.hpp"

namespace kafkawire::client_detail {

namespace {
constexpr std::chrono::minutes longest_throttle{10};        // whatever a broker claims
}  // namespace

pool::pool(std::shared_ptr<net::environment> env, std::shared_ptr<net::resolver> names, const client_options& options, const std::vector<bootstrap_address>& bootstrap,
           pool_watcher& watcher)
    : env_{std::move(env)},
      names_{std::move(names)},
      options_{options},
      directory_{bootstrap, {options.reconnect_backoff, std::max(options.reconnect_backoff, options.reconnect_backoff_max)}, env_->random()},
      watcher_{&watcher} {
    timer_ = env_->make_timer([this] { release_held(); });
}

pool::slot& pool::at(std::size_t broker, lane l) {
    if (slots_.size() <= broker) slots_.resize(broker + 1);
    return slots_[broker][static_cast<std::size_t>(l)];
}

void pool::send(std::size_t broker, lane l, std::shared_ptr<net::call> what) {
    if (!watcher_) {
        error why;
        why.code = errc::client_closed;
        return tell_later(std::move(what), {std::move(why), {}, -1, false, true});
    }
    auto& s = at(broker, l);
    if (!s.held.empty() || (s.throttled_until && env_->now() < *s.throttled_until)) {
        s.held.push_back(std::move(what));
        return set_timer();
    }
    connection_to(broker, l).send(std::move(what));
}

void pool::withdraw(lane l, net::call* what) {
    std::erase_if(told_, [&](const told& t) { return t.whom.get() == what; });
    for (auto& of_broker : slots_) {
        auto& s = of_broker[static_cast<std::size_t>(l)];
        std::erase_if(s.held, [&](const auto& c) { return c.get() == what; });
        if (const auto link = s.link) link->withdraw(what);
    }
}

void pool::open(std::size_t broker, lane l) {
    if (watcher_) connection_to(broker, l).open();
}

void pool::tell_later(std::shared_ptr<net::call> whom, net::outcome what) {
    told_.push_back({std::move(whom), std::move(what)});
    if (told_.size() == 1) env_->post([self = shared_from_this()] { self->flush_told(); });
}

void pool::flush_told() {
    while (!told_.empty()) {  // one that is told may withdraw another
        auto next = std::move(told_.front());
        told_.pop_front();
        next.whom->done(std::move(next.what));
    }
}

// --- connections ---

net::connection& pool::connection_to(std::size_t broker, lane l) {
    auto& link = at(broker, l).link;
    if (link) return *link;
    const auto& e = directory_.entries()[broker];
    net::connection_settings settings;
    settings.host = e.host;
    settings.port = e.port;
    settings.client_id = options_.client_id;
    settings.connect_timeout = options_.connect_timeout;
    settings.max_response = options_.max_response;
    settings.max_in_flight = options_.max_in_flight;
    settings.not_before = e.not_before;
    settings.last_failure = e.last_error ? e.last_error : e.last_trouble;
    directory_.opening(broker, env_->now());
    // The connection outlives us at most by what is under way in the environment, so its watcher must not keep us, nor trust that we are there.
    const auto self = weak_from_this();
    link = std::make_shared<net::connection>(env_, names_, std::move(settings),
                                             net::connection::observer{
                                                 [self, broker, l] {
                                                     if (const auto alive = self.lock()) alive->link_ready(broker, l);
                                                 },
                                                 [self, broker, l](const error& why, bool was_ready) {
                                                     if (const auto alive = self.lock()) alive->link_closed(broker, l, why, was_ready);
                                                 },
                                             });
    return *link;
}

void pool::link_ready(std::size_t broker, lane l) {
    at(broker, l).ready_at = env_->now();
    directory_.ready(broker, env_->now());
    if (watcher_) watcher_->broker_up(broker);
}

void pool::link_closed(std::size_t broker, lane l, const error& why, bool was_ready) {
    auto& s = at(broker, l);
    const auto link = std::exchange(s.link, nullptr);
    const auto now = env_->now();
    directory_.closed(broker, why, was_ready, now - s.ready_at, now, env_->random());
    if (watcher_) watcher_->broker_lost(broker, why, was_ready);
}

// Its slot is free at once: what the closing stirs up must not meet a connection that is on its way out.
void pool::close_link(std::size_t broker, lane l, const error& why) {
    const auto link = std::exchange(at(broker, l).link, nullptr);
    if (!link) return;
    const bool was_ready = std::holds_alternative<net::ready>(link->machine().where());
    link->forget_watcher();
    directory_.let_go(broker, was_ready, env_->now());
    link->close(why);
}

void pool::forget(std::size_t broker, const error& why, bool even_busy) {
    if (broker >= slots_.size()) return;
    for (std::size_t i = 0; i < lanes; ++i) {
        auto& s = slots_[broker][i];
        if (s.link && (even_busy || s.link->machine().load() == 0)) close_link(broker, static_cast<lane>(i), why);
    }
}

void pool::close(const error& why) {
    if (!std::exchange(watcher_, nullptr)) return;
    timer_->clear();
    for (std::size_t broker = 0; broker < slots_.size(); ++broker) {
        for (auto& s : slots_[broker])
            for (auto& c : std::exchange(s.held, {})) tell_later(std::move(c), {why, {}, -1, false, true});
        forget(broker, why, true);
    }
}

unsigned pool::lanes_up(std::size_t broker) const {
    if (broker >= slots_.size()) return 0;
    return static_cast<unsigned>(std::count_if(slots_[broker].begin(), slots_[broker].end(),
                                               [](const slot& s) { return s.link && std::holds_alternative<net::ready>(s.link->machine().where()); }));
}

// --- a broker that wants to be left alone ---

void pool::throttle(std::size_t broker, lane l, std::chrono::milliseconds how_long) {
    if (how_long.count() <= 0 || !watcher_) return;
    auto& s = at(broker, l);
    const auto until = env_->now() + std::min<std::chrono::milliseconds>(how_long, longest_throttle);
    s.throttled_until = s.throttled_until ? std::max(*s.throttled_until, until) : until;
    set_timer();
}

std::optional<net::time_point> pool::throttled_until(std::size_t broker, lane l) const {
    if (broker >= slots_.size()) return {};
    const auto& until = slots_[broker][static_cast<std::size_t>(l)].throttled_until;
    return until && env_->now() < *until ? until : std::nullopt;
}

void pool::release_held() {
    const auto now = env_->now();
    for (std::size_t broker = 0; broker < slots_.size(); ++broker) {
        for (std::size_t i = 0; i < lanes; ++i) {
            const auto l = static_cast<lane>(i);
            const bool over = !at(broker, l).throttled_until || now >= *at(broker, l).throttled_until;
            auto held = std::exchange(at(broker, l).held, {});
            if (over) at(broker, l).throttled_until.reset();
            for (auto& c : held) {
                if (now >= c->deadline) {
                    const auto& e = directory_.entries()[broker];
                    error why;
                    why.code = errc::request_timed_out;
                    why.in = phase::request;
                    why.broker = net::host_and_port(e.host, e.port);
                    why.api_key = c->api_key;
                    why.text = "not sent: the broker asked to be left alone for a while (throttled)";
                    why.hint = "a quota of the cluster is used up";
                    tell_later(std::move(c), {std::move(why), {}, -1, false});
                } else if (over) {
                    connection_to(broker, l).send(std::move(c));
                } else {
                    at(broker, l).held.push_back(std::move(c));
                }
            }
        }
    }
    set_timer();
}

void pool::set_timer() {
    std::optional<net::time_point> next;
    const auto or_at = [&](net::time_point t) { next = next ? std::min(*next, t) : t; };
    for (const auto& of_broker : slots_) {
        for (const auto& s : of_broker) {
            if (s.held.empty()) continue;
            or_at(*s.throttled_until);
            for (const auto& c : s.held) or_at(c->deadline);
        }
    }
    if (next) timer_->set(*next);
    else timer_->clear();
}

}  // namespace kafkawire::client_detail
