#include "client/pool.hpp"

#include <algorithm>
#include <utility>

#include "net/texts.hpp"

namespace kafkawire::client_detail {

namespace {
constexpr std::chrono::minutes longest_throttle{10};        // whatever a broker claims
constexpr int most_patience = 8;
}  // namespace

pool::pool(std::shared_ptr<net::environment> env, std::shared_ptr<net::resolver> names, const client_options& options, const std::vector<bootstrap_address>& bootstrap,
           pool_watcher& watcher)
    : env_{std::move(env)},
      names_{std::move(names)},
      options_{options},
      held_to_{protocol::parse_release(options.broker_version)},
      directory_{bootstrap, {options.reconnect_backoff, std::max(options.reconnect_backoff, options.reconnect_backoff_max)}, env_->random()},
      watcher_{&watcher} {
    if (options_.observer) reports_ = std::make_shared<net::reporter>(options_.observer, options_.name.empty() ? options_.client_id : options_.name, env_);
    learn_who_we_are();
    timer_ = env_->make_timer([this] {
        try {
            tick();
        } catch (const std::bad_alloc&) {
            timer_->set(env_->now() + std::chrono::milliseconds{100});
        }
    });
}

void pool::learn_who_we_are() {
    const auto& o = options_;
    if (reports_)
        if (const auto warning = warning_of(o); !warning.empty()) reports_->log(log_level::warning, "client", warning);
    if (o.security_protocol == security_protocol::plaintext) return;
    net::credentials::settings s;
    s.reload = o.tls_reload;
    s.tls.verify = o.tls_verify;
    s.tls.ca_file = o.tls_ca_file;
    s.tls.ca_folder = o.tls_ca_folder;
    s.tls.ca_pem = o.tls_ca_pem;
    s.tls.certificate_file = o.tls_certificate_file;
    s.tls.certificate_pem = o.tls_certificate_pem;
    s.tls.key_file = o.tls_key_file;
    s.tls.key_pem = o.tls_key_pem;
    s.tls.key_password = o.tls_key_password;
    if (has_sasl(o.security_protocol)) {
        s.tokens = o.token_source;
        if (o.sasl_unsecured_tokens) s.tokens = unsecured_tokens(o.sasl_username);
        if (!o.sasl_token.empty()) s.tokens = [token = o.sasl_token](token_handler done) { done({}, {token, net::wall_time::max()}); };
        sasl_ = std::make_shared<const net::sasl_settings>(net::sasl_settings{o.sasl_mechanism.value_or(sasl_mechanism::plain), o.sasl_username, o.sasl_password});
    }
    with_ = std::make_shared<net::credentials>(env_, std::move(s));
    if (!has_tls(o.security_protocol)) return;
    error why;
    if (!with_->tls(why)) throw system_error{std::move(why)};
}

pool::slot& pool::at(std::size_t broker, lane l) {
    if (slots_.size() <= broker) slots_.resize(broker + 1);
    auto& of = slots_[broker];
    const auto i = static_cast<std::size_t>(l);
    while (of.size() <= i) of.emplace_back();
    return of[i];
}

lane pool::take_lane(std::optional<lane> preferred) {
    if (preferred && !taken_[static_cast<std::size_t>(*preferred)]) {
        taken_[static_cast<std::size_t>(*preferred)] = true;
        return *preferred;
    }
    std::size_t i = common_lanes;
    while (i < taken_.size() && taken_[i]) ++i;
    if (i == taken_.size()) taken_.push_back(false);
    taken_[i] = true;
    return static_cast<lane>(i);
}

void pool::give_lane(lane l) {
    const auto i = static_cast<std::size_t>(l);
    taken_[i] = false;
    error why;
    why.code = errc::client_closed;
    why.text = "whoever asked is gone";
    for (std::size_t broker = 0; broker < slots_.size(); ++broker) {
        if (slots_[broker].size() <= i) continue;
        auto& s = slots_[broker][i];
        for (auto& c : std::exchange(s.held, {})) tell_later(std::move(c), {why, {}, -1, false, true});
        s.throttled_until.reset();
        s.patience = 1;
        close_link(broker, l, why);
    }
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
        if (of_broker.size() <= static_cast<std::size_t>(l)) continue;
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
    if (told_posted_) return;
    env_->post([self = shared_from_this()] { self->flush_told(); });
    told_posted_ = true;
}

void pool::flush_told() {
    told_posted_ = false;
    while (!told_.empty()) {  // one that is told may withdraw another
        auto next = std::move(told_.front());
        told_.pop_front();
        try {
            next.whom->done(std::move(next.what));
        } catch (...) {
            if (!told_.empty()) {
                env_->post([self = shared_from_this()] { self->flush_told(); });
                told_posted_ = true;
            }
            throw;
        }
    }
}

// --- connections ---

net::connection_settings pool::settings_for(std::size_t broker) const {
    const auto& e = directory_.entries()[broker];
    net::connection_settings settings;
    settings.host = e.host;
    settings.port = e.port;
    settings.advertised = !e.bootstrap;
    settings.client_id = options_.client_id;
    settings.connect_timeout = options_.connect_timeout;
    settings.max_response = options_.max_response;
    settings.max_in_flight = options_.max_in_flight;
    settings.tls = has_tls(options_.security_protocol);
    settings.sasl = sasl_;
    settings.held_to = held_to_;
    settings.reports = reports_;
    // Spread, so that connections that were made together do not all pause together.
    if (sasl_) settings.renew_after = 800 + static_cast<int>(env_->random() % 100);
    return settings;
}

net::connection& pool::connection_to(std::size_t broker, lane l) {
    auto& s = at(broker, l);
    if (s.link) return *s.link;
    const auto& e = directory_.entries()[broker];
    auto settings = settings_for(broker);
    settings.max_idle = options_.connections_max_idle;
    settings.stall_after = options_.stall_after;
    settings.patience = s.patience;
    settings.not_before = e.not_before;
    settings.last_failure = e.last_error ? e.last_error : e.last_trouble;
    // The connection outlives us at most by what is under way in the environment, so its watcher must not keep us, nor trust that we are there.
    const auto self = weak_from_this();
    net::connection::observer watcher;
    watcher.on_ready = [self, broker, l] {
        if (const auto alive = self.lock()) alive->link_ready(broker, l);
    };
    watcher.on_closed = [self, broker, l](const error& why, net::ending how) {
        if (const auto alive = self.lock()) alive->link_closed(broker, l, why, how);
    };
    watcher.on_silent = [self, broker, l](bool yes) {
        if (const auto alive = self.lock()) alive->link_silent(broker, l, yes);
    };
    s.link = std::make_shared<net::connection>(env_, names_, std::move(settings), std::move(watcher), with_);
    directory_.opening(broker, env_->now());
    return *s.link;
}

void pool::link_ready(std::size_t broker, lane l) {
    auto& s = at(broker, l);
    s.ready_at = env_->now();
    if (s.link) {
        // A broker that lags behind tells an older state.
        const auto& told = s.link->machine().versions();
        if (told.features_epoch >= features_.epoch) features_ = {told.features_epoch, told.transaction_version};
        s.certificate_expires = s.link->peer_certificate_expires();
    }
    directory_.ready(broker, env_->now());
    // The broker is back for the other lanes too; not if it only takes connections to cut them.
    if (directory_.entries()[broker].short_lives == 0)
        for (auto& other : slots_[broker])
            if (const auto link = other.link; link && link != s.link) link->hurry();
    if (watcher_) watcher_->broker_up(broker);
}

void pool::link_closed(std::size_t broker, lane l, const error& why, net::ending how) {
    auto& s = at(broker, l);
    const auto link = std::exchange(s.link, nullptr);
    const auto now = env_->now();
    if (with_ && why.code == errc::authentication_failed) with_->forget_token();
    if (how == net::ending::unused) directory_.let_go(broker, true, now);
    else directory_.closed(broker, why, how == net::ending::cut, now - s.ready_at, now, env_->random());
    link_silent(broker, l, false);
    if (watcher_ && how != net::ending::unused) watcher_->broker_lost(broker, why, how == net::ending::cut);
}

// Its slot is free at once: what the closing stirs up must not meet a connection that is on its way out.
void pool::close_link(std::size_t broker, lane l, const error& why) {
    const auto link = at(broker, l).link;
    if (!link) return;
    auto last = why;  // the slot is left when nothing is missing any more
    at(broker, l).link.reset();
    const bool was_ready = link->machine().up();
    link->forget_watcher();
    directory_.let_go(broker, was_ready, env_->now());
    link_silent(broker, l, false);
    link->close(std::move(last));
}

void pool::forget(std::size_t broker, const error& why, bool even_busy) {
    if (broker >= slots_.size()) return;
    for (std::size_t i = 0; i < slots_[broker].size(); ++i) {
        auto& s = slots_[broker][i];
        if (s.link && (even_busy || s.link->machine().load() == 0)) close_link(broker, static_cast<lane>(i), why);
    }
}

void pool::close(const error& why) {
    watcher_ = nullptr;
    for (std::size_t broker = 0; broker < watched_.size(); ++broker) drop_probe(broker);
    for (std::size_t broker = 0; broker < slots_.size(); ++broker) {
        for (auto& s : slots_[broker])
            for (; !s.held.empty(); s.held.pop_front()) tell_later(s.held.front(), {why, {}, -1, false, true});
        forget(broker, why, true);
    }
    timer_->clear();
}

unsigned pool::lanes_up(std::size_t broker) const {
    if (broker >= slots_.size()) return 0;
    return static_cast<unsigned>(std::count_if(slots_[broker].begin(), slots_[broker].end(),
                                               [](const slot& s) { return s.link && s.link->machine().up(); }));
}

std::optional<net::wall_time> pool::certificate_expires(std::size_t broker) const {
    std::optional<net::wall_time> first;
    if (broker >= slots_.size()) return first;
    for (const auto& s : slots_[broker])
        if (s.certificate_expires && (!first || *s.certificate_expires < *first)) first = s.certificate_expires;
    return first;
}

// --- silence ---

pool::watched& pool::watch_of(std::size_t broker) {
    if (watched_.size() <= broker) watched_.resize(broker + 1);
    return watched_[broker];
}

void pool::link_silent(std::size_t broker, lane l, bool yes) {
    if (std::exchange(at(broker, l).silent, yes) == yes) return;
    const auto& links = slots_[broker];
    const bool any = std::any_of(links.begin(), links.end(), [](const slot& s) { return s.silent; });
    directory_.silent(broker, any, env_->now());
    if (any == yes && watcher_) watcher_->broker_silent(broker, yes);
    if (yes) return look_after(broker, watch_of(broker).machine.silent(env_->now()));
    if (any) return;
    watch_of(broker).machine.speaks();
    drop_probe(broker);
    set_timer();
}

void pool::look_after(std::size_t broker, stall_fsm::action what) {
    if (what == stall_fsm::action::probe) probe(broker);
    if (what == stall_fsm::action::give_up) give_up_silent(broker);
    set_timer();
}

void pool::probe(std::size_t broker) {
    drop_probe(broker);
    if (!watcher_) return;
    auto& w = watch_of(broker);
    auto settings = settings_for(broker);
    settings.connect_timeout = w.machine.pause();
    const auto self = weak_from_this();
    net::connection::observer watcher;
    watcher.on_ready = [self, broker] {
        const auto alive = self.lock();
        if (!alive) return;
        alive->watch_of(broker).machine.answered(alive->env_->now());
        alive->set_timer();
    };
    watcher.on_closed = [self, broker](const error&, net::ending) {
        const auto alive = self.lock();
        if (!alive) return;
        alive->watch_of(broker).machine.probe_failed();
        alive->set_timer();
    };
    w.probe = std::make_shared<net::connection>(env_, names_, std::move(settings), std::move(watcher), with_);
    w.probe->open();
}

void pool::drop_probe(std::size_t broker) {
    const auto probe = std::exchange(watch_of(broker).probe, nullptr);
    if (!probe) return;
    probe->forget_watcher();
    error why;
    why.code = errc::canceled;
    probe->close(std::move(why));
}

void pool::give_up_silent(std::size_t broker) {
    const auto& e = directory_.entries()[broker];
    error why;
    why.code = errc::connection_closed;
    why.in = phase::request;
    why.broker = net::host_and_port(e.host, e.port);
    why.text = "the connection was dead: it was silent while the broker answered on another one";
    why.hint = "something between here and the broker holds packets back or has forgotten the connection";
    for (std::size_t i = 0; i < slots_[broker].size(); ++i) {
        auto& s = slots_[broker][i];
        if (!s.silent || !s.link) continue;
        s.patience = s.link->machine().prompt() ? 2 : std::min(s.patience * 2, most_patience);
        s.link->close(why);  // we are told of it like of a cut
    }
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
    if (broker >= slots_.size() || slots_[broker].size() <= static_cast<std::size_t>(l)) return {};
    const auto& until = slots_[broker][static_cast<std::size_t>(l)].throttled_until;
    return until && env_->now() < *until ? until : std::nullopt;
}

std::optional<net::time_point> pool::throttled_until(std::size_t broker) const {
    std::optional<net::time_point> latest;
    if (broker >= slots_.size()) return latest;
    for (std::size_t i = 0; i < slots_[broker].size(); ++i)
        if (const auto until = throttled_until(broker, static_cast<lane>(i)); until && (!latest || *latest < *until)) latest = until;
    return latest;
}

void pool::tick() {
    const auto now = env_->now();
    for (std::size_t broker = 0; broker < watched_.size(); ++broker) look_after(broker, watched_[broker].machine.step(now));
    release_held();
}

void pool::release_held() {
    const auto now = env_->now();
    for (std::size_t broker = 0; broker < slots_.size(); ++broker) {
        for (std::size_t i = 0; i < slots_[broker].size(); ++i) {
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
    for (const auto& w : watched_)
        if (const auto t = w.machine.next_wakeup()) or_at(*t);
    if (next) timer_->set(*next);
    else timer_->clear();
}

}  // namespace kafkawire::client_detail
