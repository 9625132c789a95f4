#include "client/core.hpp"

#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/frame.hpp>

#include <algorithm>

#include "net/texts.hpp"

namespace kafkawire::client_detail {

namespace {

using protocol::messages::metadata_request;
using protocol::messages::metadata_response;

// The client's own question for the brokers; its answer is learned on the way like every Metadata answer.
class refresh_operation final : public operation {
public:
    explicit refresh_operation(unique_function<void(error)> done) : done_{std::move(done)} {
        request_schema = &protocol::schema_of<metadata_request>();
        request = &message_;
        response_schema = &protocol::schema_of<metadata_response>();
        response = &answer_;
    }
    void complete(error why, answer_info) override { done_(std::move(why)); }

private:
    metadata_request message_;
    metadata_response answer_;
    unique_function<void(error)> done_;
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
      names_{std::move(names)},
      directory_{bootstrap, {options_.reconnect_backoff, std::max(options_.reconnect_backoff, options_.reconnect_backoff_max)}, env_->random()} {
    timer_ = env_->make_timer([this] { expire(); });
}

void core::route(const std::shared_ptr<routed_call>& c) {
    if (closed_) return c->finish(simple(errc::client_closed, {}));
    if (const auto id = c->operation_->options.broker) {
        if (const auto at = directory_.find(*id)) {
            if (!directory_.fresh(env_->now(), options_.metadata_max_age)) refresh();
            return send(*at, c);
        }
        return wait_for_brokers(c);
    }
    if (const auto at = directory_.choose(c->tried_)) return send(*at, c);
    if (c->failures_.size() == 1) return c->finish(c->failures_.front());
    auto why = simple(errc::no_broker_available, {}, c->failures_.empty() ? "" : c->failures_.back().hint);
    for (const auto& f : c->failures_) why.text += (why.text.empty() ? "none of " + std::to_string(c->failures_.size()) + " brokers could be asked: " : "; ") + f.broker + ": " + (f.text.empty() ? f.code.message() : f.text);
    if (!c->failures_.empty()) {
        why.in = c->failures_.back().in;
        auto last = c->failures_.back();
        last.hint.clear();  // it stands in front already
        why.cause = std::make_shared<const error>(std::move(last));
    }
    c->finish(std::move(why));
}

void core::send(std::size_t broker, const std::shared_ptr<routed_call>& c) {
    c->tried_.push_back(broker);
    connection_to(broker).send(c);
}

net::connection& core::connection_to(std::size_t broker) {
    if (connections_.size() <= broker) connections_.resize(broker + 1);
    auto& c = connections_[broker];
    if (c) return *c;
    const auto& e = directory_.entries()[broker];
    net::connection_settings settings;
    settings.host = e.host;
    settings.port = e.port;
    settings.client_id = options_.client_id;
    settings.connect_timeout = options_.connect_timeout;
    settings.max_response = options_.max_response;
    settings.max_in_flight = options_.max_in_flight;
    settings.not_before = e.not_before;
    settings.last_failure = e.last_error;
    directory_.opening(broker);
    // The connection outlives us at most by what is under way in the environment, so its watcher must not keep us, nor trust that we are there.
    const auto self = weak_from_this();
    c = std::make_shared<net::connection>(env_, names_, std::move(settings),
                                          net::connection::observer{
                                              [self, broker] {
                                                  if (const auto alive = self.lock()) alive->directory_.ready(broker);
                                              },
                                              [self, broker](const error& why, bool was_ready) {
                                                  const auto alive = self.lock();
                                                  if (!alive) return;
                                                  if (!alive->closed_) alive->directory_.closed(broker, why, was_ready, alive->env_->now(), alive->env_->random());
                                                  alive->connections_[broker].reset();
                                              },
                                          });
    return *c;
}

// --- what is known of the brokers ---

void core::learn(const metadata_response& m) {
    if (m.brokers.empty()) return;  // a broker that has not found its cluster yet says so
    std::vector<directory::learned> found;
    for (const auto& b : m.brokers) {
        if (b.host.empty() || b.port <= 0 || b.port > 65535 || b.node_id < 0) continue;
        found.push_back({b.node_id, b.host, static_cast<std::uint16_t>(b.port), b.rack.value_or("")});
    }
    for (const auto broker : directory_.learn(found, env_->now())) {
        if (broker >= connections_.size() || !connections_[broker]) continue;
        const auto c = connections_[broker];
        if (c->machine().load() == 0) c->close(simple(errc::connection_closed, "the broker left the cluster"));
    }
}

void core::refresh() {
    if (refreshing_ || closed_) return;
    refreshing_ = true;
    auto done = [self = weak_from_this()](const error& why) {
        if (const auto alive = self.lock()) alive->refreshed(why);
    };
    route(std::make_shared<routed_call>(shared_from_this(), std::make_unique<refresh_operation>(std::move(done))));
}

void core::refreshed(const error& why) {
    refreshing_ = false;
    for (auto& c : std::exchange(waiting_, {})) {
        const auto id = *c->operation_->options.broker;
        if (!why && directory_.find(id)) {
            send(*directory_.find(id), c);
            continue;
        }
        if (why.code == errc::client_closed) {
            c->finish(simple(errc::client_closed, {}));
            continue;
        }
        auto told = why ? simple(errc::no_broker_available, "the brokers of the cluster could not be asked for, to find broker " + std::to_string(id), why.hint)
                        : simple(errc::unknown_broker, "the cluster has no broker " + std::to_string(id) + " now", "it may be down; the brokers that are up are in the metadata");
        if (why) told.cause = std::make_shared<const error>(why);
        c->finish(std::move(told));
    }
    set_timer();
}

void core::wait_for_brokers(const std::shared_ptr<routed_call>& c) {
    waiting_.push_back(c);
    set_timer();
    refresh();
}

void core::set_timer() {
    std::optional<net::time_point> at;
    for (const auto& c : waiting_) at = at ? std::min(*at, c->deadline) : c->deadline;
    if (at) timer_->set(*at);
    else timer_->clear();
}

void core::expire() {
    const auto now = env_->now();
    auto late = std::exchange(waiting_, {});
    for (auto& c : late)
        if (c->deadline > now) waiting_.push_back(std::exchange(c, nullptr));
    set_timer();
    for (auto& c : late)
        if (c) c->finish(simple(errc::request_timed_out, "the brokers of the cluster were not learned in time"));
}

void core::close() {
    if (std::exchange(closed_, true)) return;
    timer_->clear();
    for (auto& c : std::exchange(waiting_, {})) c->finish(simple(errc::client_closed, {}));
    for (auto& c : std::vector{connections_})
        if (c) c->close(simple(errc::client_closed, {}));
    held_.reset();
}

// --- one call ---

routed_call::routed_call(std::shared_ptr<core> c, std::unique_ptr<operation> what) : core_{std::move(c)}, operation_{std::move(what)} {
    api_key = operation_->request_schema->key;
    const auto& o = operation_->options;
    speaks = o.version ? protocol::only(*o.version) : operation_->request_schema->versions;
    expects_reply = operation_->expects_reply;
    started = core_->env().now();
    const std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};
    deadline = started + std::clamp(o.timeout.value_or(core_->options().request_timeout), std::chrono::milliseconds{0}, longest);
}

protocol::wire_error routed_call::encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) {
    if (!operation_) return {errc::canceled, 0, {}, "canceled"};
    const auto write = [&](const void* message, protocol::scatter& into) {
        return protocol::encode_request(*operation_->request_schema, message, version, correlation_id, client_id, into);
    };
    protocol::scatter frame;
    if (operation_->lenient && version < 4) {
        auto copy = *static_cast<const metadata_request*>(operation_->request);
        copy.allow_auto_topic_creation = true;
        if (auto e = write(&copy, frame)) return e;
    } else if (auto e = write(operation_->request, frame)) {
        return e;
    }
    // Borrowed records are copied here, once: a cancelled call hands its memory back at once, while the socket may still be writing. The
    // producer has calls of its own that own their batches and copy nothing.
    if (!frame.splices.empty()) {
        protocol::scatter whole;
        whole.own.reserve(frame.size());
        for (const auto part : frame.parts()) whole.own.insert(whole.own.end(), part.begin(), part.end());
        frame = std::move(whole);
    }
    to = std::move(frame);
    return {};
}

void routed_call::done(net::outcome result) {
    if (!operation_) return;  // canceled meanwhile
    if (result.why && may_go_elsewhere(result)) {
        failures_.push_back(std::move(result.why));
        return core_->route(shared_from_this());
    }
    answer_info info;
    info.version = result.version;
    const auto& e = core_->brokers().entries()[tried_.back()];
    info.broker = net::host_and_port(e.host, e.port);
    info.bytes = result.answer.bytes;
    auto why = result.why ? std::move(result.why) : read_answer(result);
    if (why.code) {
        why.attempt = static_cast<int>(tried_.size());
        why.api_key = api_key;
    }
    finish(std::move(why), std::move(info));
}

// A request that certainly was not sent may be sent to somebody else. To one that was told which broker to ask, only a connection that had
// been working counts as an accident worth a second try.
bool routed_call::may_go_elsewhere(const net::outcome& result) const {
    if (result.maybe_processed || !result.connection_failed || result.why.code == errc::client_closed) return false;
    if (!operation_->options.broker) return true;
    return result.why.in == phase::request && tried_.size() == 1;
}

error routed_call::read_answer(const net::outcome& result) {
    if (!expects_reply) return {};
    protocol::messages::response_header header;
    std::size_t body_at = 0;
    auto wrong = protocol::decode_response_header(header, result.answer.view(), api_key, result.version, body_at);
    if (!wrong) wrong = protocol::decode(*operation_->response_schema, operation_->response, result.answer.view().subspan(body_at), result.version);
    if (!wrong) {
        if (api_key == metadata_request::key) core_->learn(*static_cast<const metadata_response*>(operation_->response));
        return {};
    }
    auto e = simple(wrong.code, "the answer cannot be read: " + wrong.message(), "please report this, with the broker's version");
    e.in = phase::request;
    e.api_version = result.version;
    const auto& b = core_->brokers().entries()[tried_.back()];
    e.broker = net::host_and_port(b.host, b.port);
    return e;
}

void routed_call::go() { core_->route(shared_from_this()); }

void routed_call::cancel() {
    // Not inline: we are called from inside the cancellation slot that telling would empty.
    core_->env().post([self = shared_from_this()] {
        if (!self->operation_) return;
        auto& c = *self->core_;
        std::erase(c.waiting_, self);
        if (!self->tried_.empty() && self->tried_.back() < c.connections_.size() && c.connections_[self->tried_.back()])
            c.connections_[self->tried_.back()]->withdraw(self.get());
        self->finish(simple(errc::canceled, {}));
    });
}

void routed_call::finish(error why, answer_info info) {
    if (auto op = std::exchange(operation_, nullptr)) {
        const auto keep = shared_from_this();
        op->complete(std::move(why), std::move(info));
    }
}

}  // namespace kafkawire::client_detail
