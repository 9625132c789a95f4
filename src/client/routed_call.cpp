#include "client/routed_call.hpp"

#include <kafkawire/protocol/frame.hpp>

#include <algorithm>

#include "client/throttling.hpp"
#include "net/texts.hpp"

namespace kafkawire::client_detail {

using protocol::messages::metadata_request;

routed_call::routed_call(std::shared_ptr<core> c, std::unique_ptr<operation> what) : core_{std::move(c)}, operation_{std::move(what)} {
    api_key = operation_->request_schema->key;
    const auto& o = operation_->options;
    speaks = o.version ? protocol::only(*o.version) : operation_->request_schema->versions;
    expects_reply = operation_->expects_reply;
    started = core_->env().now();
    const std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};
    // What these are asked for, a broker has at hand. All others may take what time they need, within their deadline.
    constexpr std::int16_t prompt[] = {2, 3, 9, 10, 12, 15, 16, 18, 60};  // offsets, metadata, coordinators, heartbeats, groups, versions, the cluster
    if (std::find(std::begin(prompt), std::end(prompt), api_key) == std::end(prompt)) may_wait = longest;
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
    } else if (auto e = write(operation_->request_in(version), frame)) {
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

// Where no memory is left, that is what is told.
void routed_call::done(net::outcome result) {
    if (!operation_) return;  // canceled meanwhile
    try {
        take(result);
    } catch (const std::bad_alloc&) {
        if (operation_) finish(error{std::make_error_code(std::errc::not_enough_memory)});
        else throw;  // of its handler
    }
}

void routed_call::take(net::outcome& result) {
    if (result.why && may_go_elsewhere(result)) {
        if (core_->reports()) core_->reports()->tell(retry_seen{{}, "client", 1, &result.why});
        failures_.push_back(std::move(result.why));
        return core_->route(shared_from_this());
    }
    answer_info info;
    info.version = result.version;
    if (!tried_.empty()) {
        const auto& e = core_->brokers().entries()[tried_.back()];
        info.broker = net::host_and_port(e.host, e.port);
    }
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
        if (const auto pause = throttle_of(*operation_->response_schema, operation_->response, result.version); pause.count() > 0)
            core_->pool_->throttle(tried_.back(), lane::other, pause);
        if (api_key == metadata_request::key) core_->learn(*static_cast<const protocol::messages::metadata_response*>(operation_->response));
        return {};
    }
    error e;
    e.code = wrong.code;
    e.text = "the answer cannot be read: " + wrong.message();
    e.hint = "please report this, with the broker's version";
    e.in = phase::request;
    e.api_version = result.version;
    const auto& b = core_->brokers().entries()[tried_.back()];
    e.broker = net::host_and_port(b.host, b.port);
    return e;
}

void routed_call::go() {
    try {
        core_->route(shared_from_this());
    } catch (const std::bad_alloc&) {
        core_->forget(shared_from_this());
        core_->pool_->tell_later(shared_from_this(), {error{std::make_error_code(std::errc::not_enough_memory)}, {}, -1, false, false});
    }
}

void routed_call::cancel() {
    // Not inline: we are called from inside the cancellation slot that telling would empty.
    core_->env().post([self = shared_from_this()] {
        if (!self->operation_) return;
        self->core_->forget(self);
        error why;
        why.code = errc::canceled;
        self->finish(std::move(why));
    });
}

void routed_call::finish(error why, answer_info info) {
    if (auto op = std::exchange(operation_, nullptr)) {
        const auto keep = shared_from_this();
        if (why && core_->reports() && why.code != errc::client_closed && why.code != errc::canceled) core_->reports()->failed("request", why);
        op->complete(std::move(why), std::move(info));
    }
}

}  // namespace kafkawire::client_detail
