#include "client/core.hpp"

#include <algorithm>

#include "client/routed_call.hpp"
#include "net/texts.hpp"

namespace kafkawire::client_detail {

namespace {

constexpr std::chrono::milliseconds longest_pause{500};  // between questions for leaders: whoever waits for one is to go on within a second
constexpr std::chrono::seconds series{5};  // refreshes that follow each other within that time belong together

using protocol::messages::metadata_request;
using protocol::messages::metadata_response;

// The client's own question for brokers and topics; the brokers in its answer are learned on the way like those of every Metadata answer.
class refresh_operation final : public operation {
public:
    using handler = unique_function<void(const error&, const metadata_response&)>;

    refresh_operation(metadata_request question, handler done) : message_{std::move(question)}, done_{std::move(done)} {
        request_schema = &protocol::schema_of<metadata_request>();
        request = &message_;
        response_schema = &protocol::schema_of<metadata_response>();
        response = &answer_;
        lenient = true;
    }
    void complete(error why, answer_info) override { done_(why, answer_); }

private:
    metadata_request message_;
    metadata_response answer_;
    handler done_;
};

error simple(errc code, std::string text, std::string hint = {}) {
    error e;
    e.code = code;
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

}  // namespace

core::core(asio::any_io_executor executor, client_options options, const std::vector<bootstrap_address>& bootstrap, std::shared_ptr<net::environment> env,
           std::shared_ptr<net::resolver> names)
    : executor_{std::move(executor)},
      options_{std::move(options)},
      env_{std::move(env)},
      pool_{std::make_shared<pool>(env_, std::move(names), options_, bootstrap, static_cast<pool_watcher&>(*this))},
      refresh_{{.longest_pause = longest_pause, .patience = options_.stall_after.count() > 0 ? options_.stall_after : std::chrono::milliseconds{3'000}, .max_age = options_.metadata_max_age}} {
    timer_ = env_->make_timer([this] {
        try {
            pump();
        } catch (const std::bad_alloc&) {
            // What was to be asked is asked again when its time is over.
            if (!closed_) timer_->set(env_->now() + std::chrono::milliseconds{100});
        }
    });
}

core::~core() {
    try {
        pool_->close(simple(errc::client_closed, {}));
    } catch (const std::bad_alloc&) {
        // Nobody is left who would wait.
    }
}

// Each step may find no memory, and all of it is then done again by who calls again.
void core::close() {
    if (shut_) return;
    closed_ = true;
    timer_->clear();
    while (!waiting_.empty()) {
        auto why = simple(errc::client_closed, {});
        const auto c = std::move(waiting_.front());
        waiting_.erase(waiting_.begin());
        c->finish(std::move(why));
    }
    pool_->close(simple(errc::client_closed, {}));
    asked_.clear();  // they hold us
    const auto kept = std::make_shared<decltype(kept_)>(kept_);
    env_->post([self = shared_from_this(), kept] {
        for (const auto& k : *kept) k->client_closed();
    });
    kept_.clear();
    lease_ = {};
    shut_ = true;
}

void core::close_at_last() noexcept {
    // Once more, if memory ran out in the middle of it.
    for (int i = 0; i < 2 && !shut_; ++i) {
        try {
            close();
        } catch (const std::bad_alloc&) {
        }
    }
}

// --- requests of drivers ---

void core::send(std::int32_t broker_id, lane l, std::shared_ptr<net::call> what) {
    if (const auto at = pool_->brokers().find(broker_id); at || closed_) return pool_->send(at.value_or(0), l, std::move(what));
    refresh_topics();
    auto why = simple(errc::unknown_broker, "the cluster has no broker " + std::to_string(broker_id) + " now", "it may be down; the brokers that are up are in the metadata");
    why.api_key = what->api_key;
    pool_->tell_later(std::move(what), {std::move(why), {}, -1, false, true});
}

void core::withdraw(std::int32_t, lane l, net::call* what) { pool_->withdraw(l, what); }

bool core::open(std::int32_t broker_id, lane l) {
    const auto at = pool_->brokers().find(broker_id);
    if (at) pool_->open(*at, l);
    return at.has_value();
}

unsigned core::lanes_up(std::int32_t broker_id) const {
    const auto at = brokers().find(broker_id);
    return at ? pool_->lanes_up(*at) : 0;
}

void core::throttle(std::int32_t broker_id, std::chrono::milliseconds how_long, lane l) {
    if (const auto at = brokers().find(broker_id)) pool_->throttle(*at, l, how_long);
}

std::optional<net::time_point> core::throttled_until(std::int32_t broker_id, lane l) const {
    const auto at = brokers().find(broker_id);
    return at ? pool_->throttled_until(*at, l) : std::nullopt;
}

std::vector<broker_health> core::health() const {
    std::vector<broker_health> all;
    const auto& entries = brokers().entries();
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto& e = entries[i];
        if (e.gone) continue;
        broker_health h;
        h.id = e.id;
        h.host = e.host;
        h.port = e.port;
        h.rack = e.rack;
        h.state = e.health;
        h.since = e.since;
        h.connections = pool_->lanes_up(i);
        h.throttled_until = pool_->throttled_until(i);
        if (e.last_trouble) h.last_error = *e.last_trouble;
        h.failed_at = e.troubled_at;
        h.certificate_expires = pool_->certificate_expires(i);
        h.own_certificate_expires = pool_->own_certificate_expires();
        h.reload_error = pool_->reload_error();
        all.push_back(std::move(h));
    }
    return all;
}

// --- requests of the application ---

void core::route(const std::shared_ptr<routed_call>& c) {
    if (closed_) return c->finish(simple(errc::client_closed, {}));
    const auto send_to = [&](std::size_t broker) {
        c->tried_.push_back(broker);
        pool_->send(broker, lane::other, c);
    };
    if (const auto id = c->operation_->options.broker) {
        if (const auto at = brokers().find(*id)) {
            if (!brokers().fresh(env_->now(), options_.metadata_max_age)) refresh_topics();
            return send_to(*at);
        }
        return wait_for_brokers(c);
    }
    if (!c->failures_.empty() && std::find(asked_.begin(), asked_.end(), c) != asked_.end()) refresh_error_ = c->failures_.back();
    if (const auto at = pool_->brokers().choose(c->tried_)) return send_to(*at);
    if (c->failures_.size() == 1) return c->finish(c->failures_.front());
    // Where all of them distrust us, or we them, that is what is wrong.
    const auto& all = c->failures_;
    const bool alike = !all.empty() && (all.front().code == errc::authentication_failed || all.front().code == errc::tls_failed) &&
                       std::all_of(all.begin(), all.end(), [&](const error& f) { return f.code == all.front().code; });
    auto why = simple(alike ? errc{all.front().code.value()} : errc::no_broker_available, {}, c->failures_.empty() ? "" : c->failures_.back().hint);
    for (const auto& f : c->failures_) why.text += (why.text.empty() ? "none of " + std::to_string(c->failures_.size()) + " brokers could be asked: " : "; ") + f.broker + ": " + (f.text.empty() ? f.code.message() : f.text);
    if (!c->failures_.empty()) {
        why.in = c->failures_.back().in;
        auto last = c->failures_.back();
        last.hint.clear();  // it stands in front already
        why.cause = std::make_shared<const error>(std::move(last));
    }
    c->finish(std::move(why));
}

void core::forget(const std::shared_ptr<routed_call>& c) {
    std::erase(waiting_, c);
    pool_->withdraw(lane::other, c.get());
}

void core::wait_for_brokers(const std::shared_ptr<routed_call>& c) {
    waiting_.push_back(c);
    refresh_.want(env_->now());
    pump();
}

// --- what is known ---

topic_info& core::want_topic(std::string_view name, bool may_create) {
    const bool first = !topics_.find(name);
    auto& t = topics_.want(name, may_create);
    refresh_.keep_fresh();
    if (closed_ || (t.known && !t.error)) return t;
    // By the timer, so that topics that are wanted one after the other are asked for together.
    if (first) refresh_.want_at_once(env_->now());
    else refresh_.want(env_->now());
    set_timer();
    return t;
}

void core::refresh_topics() {
    if (closed_) return;
    refresh_.want(env_->now());
    set_timer();
}

void core::leader_hint(topic_info& t, std::int32_t partition, std::int32_t leader, std::int32_t leader_epoch) {
    if (topics_.hint(t, partition, leader, leader_epoch)) notify(true, false);
}

void core::node_hint(std::int32_t id, std::string host, std::uint16_t port, std::string rack) {
    if (host.empty() || host.size() > 255 || port == 0 || id < 0) return;
    pool_->brokers().learn_one({id, std::move(host), port, std::move(rack)});
    notify(false, true);
}

void core::learn(const metadata_response& m) {
    if (m.error_code == static_cast<std::int16_t>(broker_errc::rebootstrap_required)) {
        auto why = simple(errc::connection_closed, "the broker says that what is known of the cluster is too old");
        return rebootstrap(why);
    }
    if (topics_.merge(m, nullptr, env_->now())) notify(true, false);
    if (m.brokers.empty()) return;  // a broker that has not found its cluster yet says so
    std::vector<directory::learned> found;
    for (const auto& b : m.brokers) {
        if (b.host.empty() || b.host.size() > 255 || b.port <= 0 || b.port > 65535 || b.node_id < 0) continue;
        found.push_back({b.node_id, b.host, static_cast<std::uint16_t>(b.port), b.rack && b.rack->size() <= 255 ? *b.rack : ""});
    }
    if (found.empty()) return;  // no broker that could be: as good as none
    for (const auto broker : pool_->brokers().learn(found, env_->now())) pool_->forget(broker, simple(errc::connection_closed, "the broker left the cluster"));
}

void core::broker_up(std::size_t) { notify(false, true); }

void core::broker_silent(std::size_t broker, bool yes) {
    if (reports()) {
        const auto& e = brokers().entries()[broker];
        const auto name = net::host_and_port(e.host, e.port);
        reports()->log(yes ? log_level::warning : log_level::info, "connection", yes ? "an answer is due and nothing comes" : "answers come again", {"broker", name});
    }
    // It may be gone for good, and its partitions be elsewhere by now.
    if (yes && !topics_.empty()) refresh_topics();
    notify(false, true);
}

// The bootstrap list is always tried too; what matters here is to stop believing in ids and addresses that lead nowhere.
void core::rebootstrap(const error& why) {
    if (reports()) reports()->log(log_level::warning, "client", why.text);
    for (const auto broker : pool_->brokers().rebootstrap(env_->now())) pool_->forget(broker, why, true);
    if (!topics_.empty()) refresh_topics();
}

// Whoever told us the list may know a newer one by now.
void core::look_for_others() {
    const auto& known = brokers().entries();
    if (!lease_.again || env_->now() < look_again_ || std::any_of(known.begin(), known.end(), [](const auto& e) { return e.up > 0; })) return;
    look_again_ = env_->now() + std::chrono::seconds{1};
    auto servers = lease_.again();
    std::vector<bootstrap_address> list;
    if (servers.empty() || servers == lease_.servers || !parse_bootstrap(servers, list).empty()) return;
    lease_.servers = std::move(servers);
    pool_->brokers().set_bootstrap(list);
    rebootstrap(simple(errc::connection_closed, "the service's brokers are others now"));
}

void core::broker_lost(std::size_t, const error& why, bool) {
    look_for_others();
    const auto alone = brokers().alone_since();
    if (const auto after = options_.rebootstrap_after; alone && after.count() > 0 && env_->now() - *alone >= after) {
        auto because = simple(errc::connection_closed, "no known broker could be reached; the client begins again from the bootstrap list");
        because.cause = std::make_shared<const error>(why);
        rebootstrap(because);
    }
    // Whoever was there may have lost its partitions to somebody else.
    if (!topics_.empty()) refresh_topics();
    notify(false, true);
}

void core::pump() {
    if (closed_) return;
    expire_waiting();
    for (auto todo = refresh_.step(env_->now()); todo != refresh_fsm::action::none; todo = refresh_.step(env_->now()))
        ask(todo == refresh_fsm::action::ask_another);
    set_timer();
}

void core::ask(bool another) {
    std::vector<std::size_t> busy;
    for (const auto& c : asked_)
        if (!c->tried_.empty()) busy.push_back(c->tried_.back());
    if (another) {
        if (!refresh_error_) refresh_error_ = simple(errc::request_timed_out, "no broker has answered the Metadata request yet", "the brokers are overloaded or hang, or the network loses packets");
        if (!pool_->brokers().has_other(busy)) return;
    } else {
        question_ = topics_.request();
        // Nodes can have different views. Who asks again soon has not heard what he needs, so it is the others' turn. But not of those that are
        // down: a dead leader's successor is learned from the others, as soon as they know.
        if (env_->now() - answered_at_ > series || !pool_->brokers().has_other_well(answered_lately_)) answered_lately_.clear();
        busy = answered_lately_;
    }
    auto which = std::make_shared<std::weak_ptr<routed_call>>();
    auto done = [self = weak_from_this(), which](const error& why, const metadata_response& m) {
        if (const auto alive = self.lock()) alive->answered(which->lock(), why, m);
    };
    const auto call = std::make_shared<routed_call>(shared_from_this(), std::make_unique<refresh_operation>(question_, std::move(done)));
    *which = call;
    call->tried_ = std::move(busy);
    asked_.push_back(call);
    route(call);
}

void core::answered(const std::shared_ptr<routed_call>& which, const error& broke, const metadata_response& m) {
    std::erase(asked_, which);
    auto why = broke;
    if (!why && m.error_code != 0) {
        why.code = static_cast<broker_errc>(m.error_code);
        why.api_key = metadata_request::key;
    }
    if (why) {
        if (asked_.empty()) end_refresh(why);
        return;
    }
    answered_lately_.push_back(which->tried_.back());
    answered_at_ = env_->now();
    for (const auto& other : std::exchange(asked_, {})) {
        forget(other);
        other->operation_.reset();
    }
    topics_.merge(m, &question_, env_->now());
    end_refresh({});
}

void core::end_refresh(const error& why) {
    if (why) {
        refresh_error_ = why;
        if (const auto text = reports() ? why.message() : std::string{}; reports()) reports()->log(log_level::warning, "client", "what the cluster looks like could not be learned", {"why", text});
        refresh_.failed(env_->now());
    } else {
        refresh_error_.reset();
        ++refreshes_;
        refresh_.answered(env_->now(), topics_.settled(), topics_.creation_due(), brokers().any_silent());
    }
    notify(true, false);
    for (auto& c : std::exchange(waiting_, {})) {
        const auto id = *c->operation_->options.broker;
        if (why.code == errc::client_closed) {
            c->finish(simple(errc::client_closed, {}));
        } else if (why) {
            auto told = simple(errc::no_broker_available, "the brokers of the cluster could not be asked for, to find broker " + std::to_string(id), why.hint);
            told.cause = std::make_shared<const error>(why);
            c->finish(std::move(told));
        } else if (brokers().find(id)) {
            route(c);
        } else {
            c->finish(simple(errc::unknown_broker, "the cluster has no broker " + std::to_string(id) + " now", "it may be down; the brokers that are up are in the metadata"));
        }
    }
    set_timer();
}

void core::notify(bool topics, bool brokers) {
    topics_news_ |= topics;
    brokers_news_ |= brokers;
    if (news_posted_ || watchers_.empty()) {
        if (watchers_.empty()) topics_news_ = brokers_news_ = false;
        return;
    }
    env_->post([self = weak_from_this()] {
        const auto alive = self.lock();
        if (!alive) return;
        alive->news_posted_ = false;
        const bool of_topics = std::exchange(alive->topics_news_, false), of_brokers = std::exchange(alive->brokers_news_, false);
        for (auto* w : std::vector{alive->watchers_}) {
            const auto still = [&] { return std::find(alive->watchers_.begin(), alive->watchers_.end(), w) != alive->watchers_.end(); };
            if (of_topics && still()) w->topics_changed();
            if (of_brokers && still()) w->brokers_changed();
        }
    });
    news_posted_ = true;
}

void core::set_timer() {
    if (closed_) return;
    auto at = refresh_.next_wakeup();
    for (const auto& c : waiting_) at = at ? std::min(*at, c->deadline) : c->deadline;
    if (at) timer_->set(*at);
    else timer_->clear();
}

void core::expire_waiting() {
    const auto now = env_->now();
    if (std::none_of(waiting_.begin(), waiting_.end(), [&](const auto& c) { return c->deadline <= now; })) return;
    auto late = std::exchange(waiting_, {});
    for (auto& c : late)
        if (c->deadline > now) waiting_.push_back(std::exchange(c, nullptr));
    for (auto& c : late)
        if (c) c->finish(simple(errc::request_timed_out, "the brokers of the cluster were not learned in time"));
}

}  // namespace kafkawire::client_detail
