#include "client/readiness.hpp"

#include <algorithm>

#include "net/texts.hpp"

namespace kafkawire::client_detail {

readiness::readiness(core& c, std::unique_ptr<waiting_operation> what, std::chrono::milliseconds within)
    : core_{&c}, operation_{std::move(what)}, within_{std::clamp(within, std::chrono::milliseconds{0}, std::chrono::milliseconds{std::numeric_limits<std::int32_t>::max()})} {}

readiness::~readiness() {
    if (core_) core_->unwatch(*this);
}

// Where no memory is left, that is what is told.
void readiness::go() {
    const auto out_of_memory = [self = shared_from_this()] { self->finish(error{std::make_error_code(std::errc::not_enough_memory)}); };
    try {
        begin();
    } catch (const std::bad_alloc&) {
        core_->env().post(out_of_memory);
    }
}

void readiness::begin() {
    if (core_->is_closed()) {
        error why;
        why.code = errc::client_closed;
        return finish(std::move(why));
    }
    core_->keep(shared_from_this());
    core_->watch(*this);
    refreshes_before_ = core_->refreshes();
    timer_ = core_->env().make_timer([this] { give_up(); });
    timer_->set(core_->env().now() + within_);
    core_->refresh_topics();
}

void readiness::look() {
    const auto keep = shared_from_this();
    if (!core_) return;
    error why;
    try {
        why = missing();
        if (why && why.in == phase::none) core_->refresh_topics();  // it is the cluster's view that is not good yet
    } catch (const std::bad_alloc&) {
        return finish(error{std::make_error_code(std::errc::not_enough_memory)});
    }
    // What no waiting will mend is told at once: nor will it make a wrong password right.
    const auto distrusted = [](const error& e) { return e.code == errc::authentication_failed || e.code == errc::tls_failed; };
    if (why && why.cause && distrusted(*why.cause)) {
        why.code = why.cause->code;
        return finish(std::move(why));
    }
    if (!why || (why.code.category() == broker_category() && why.code != condition::retriable)) finish(std::move(why));
}

void readiness::give_up() {
    const auto keep = shared_from_this();
    error why;
    try {
        why = missing();
        if (why) why.text += " after " + net::text_of(within_);
    } catch (const std::bad_alloc&) {
        why = error{std::make_error_code(std::errc::not_enough_memory)};
    }
    finish(std::move(why));
}

error readiness::missing() {
    if (core_->refreshes() == refreshes_before_) {
        error e;
        e.code = errc::no_broker_available;
        e.text = "no broker has told what the cluster looks like";
        if (const auto* last = core_->last_metadata_error()) {
            e.in = last->in;
            e.hint = last->hint;
            e.cause = std::make_shared<const error>(*last);
        }
        return e;
    }
    error first;
    core_->topics().each([&](const topic_info& t) {
        auto e = missing_of(t);  // for all of them, since it connects
        if (e && !first) first = std::move(e);
    });
    return first;
}

error readiness::missing_of(const topic_info& t) {
    error e;
    if (t.error || !t.known) {
        e.code = t.error ? t.error : make_error_code(errc::no_broker_available);
        e.text = "topic " + t.name + ": " + (t.error ? t.error.message() : "the cluster has not been asked for it yet");
        return e;
    }
    std::vector<std::int32_t> leaders;
    for (const auto& p : t.partitions) {
        if (p.leader < 0) {
            e.code = broker_errc::leader_not_available;
            e.text = "topic " + t.name + ": partition " + std::to_string(&p - t.partitions.data()) + " has no leader";
        } else if (std::find(leaders.begin(), leaders.end(), p.leader) == leaders.end()) {
            leaders.push_back(p.leader);
        }
    }
    for (const auto id : leaders) {
        if (core_->lanes_up(id) > 0) continue;
        if (!core_->open(id, lane::other) && !e) {
            e.code = errc::unknown_broker;
            e.text = "topic " + t.name + ": its leader, broker " + std::to_string(id) + ", is not in the metadata now";
        } else if (!e) {
            e = unreachable(id, t);
        }
    }
    return e;
}

error readiness::unreachable(std::int32_t broker_id, const topic_info& t) const {
    const auto& b = core_->brokers().entries()[*core_->brokers().find(broker_id)];
    error e;
    e.code = errc::no_broker_available;
    e.in = phase::connect;
    e.broker = net::host_and_port(b.host, b.port) + " (id " + std::to_string(broker_id) + ')';
    e.text = "topic " + t.name + ": a leader of its partitions could not be reached";
    if (b.last_trouble) {
        e.in = b.last_trouble->in == phase::none ? phase::connect : b.last_trouble->in;
        e.hint = b.last_trouble->hint;
        e.cause = b.last_trouble;
    }
    return e;
}

void readiness::cancel() {
    // Not inline: we are called from inside the cancellation slot that telling would empty.
    if (!core_) return;
    core_->env().post([self = shared_from_this()] {
        error why;
        why.code = errc::canceled;
        self->finish(std::move(why));
    });
}

void readiness::client_closed() {
    error why;
    why.code = errc::client_closed;
    finish(std::move(why));
}

void readiness::finish(error why) {
    const auto keep = shared_from_this();
    if (auto* c = std::exchange(core_, nullptr)) {
        c->unwatch(*this);
        c->let_go(this);
    }
    if (timer_) timer_->clear();
    if (auto op = std::exchange(operation_, nullptr)) op->complete(std::move(why));
}

}  // namespace kafkawire::client_detail
