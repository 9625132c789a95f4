#include <kafkawire/app/simple.hpp>

#include <atomic>
#include <condition_variable>

namespace kafkawire::inline v0_1 {
namespace app {

namespace {

client_options at_brokers(std::string brokers) {
    client_options o;
    o.bootstrap = std::move(brokers);
    return o;
}
consumer_options in_group(std::string topic, std::string group, start_from from) {
    consumer_options o;
    if (group.empty()) throw system_error{configuration_error("group is empty", "give the consumer a group, in which it commits")};
    o.group = std::move(group);
    o.topics = {std::move(topic)};
    o.auto_offset_reset = from == start_from::oldest ? offset_reset::earliest : offset_reset::latest;
    return o;
}
// It joins when there are handlers to be told.
consumer_options without_topics(consumer_options o) {
    o.topics.clear();
    return o;
}

}  // namespace

simple_consumer::simple_consumer(std::string brokers, std::string topic, std::string group, start_from from)
    : simple_consumer{at_brokers(std::move(brokers)), in_group(std::move(topic), std::move(group), from)} {}
simple_consumer::simple_consumer(const client_options& client, const consumer_options& options) : consumer_{client, without_topics(options)} {
    consumer_.with([&](consumer& c) {
        const auto tell = [this](bool assigned) {
            return [this, assigned](rebalance_step step) {
                const std::lock_guard hold{lock_};
                for (const auto& one : step.partitions()) {
                    std::erase(held_, one);
                    if (assigned) held_.push_back(one);
                }
                if (told_) told_(assigned, step.partitions());
            };
        };
        c.on_assigned(tell(true));
        c.on_revoked(tell(false));
        c.on_lost(tell(false));
        c.subscribe(options.topics, options.exclude_topics);
    });
}
simple_consumer::~simple_consumer() = default;

std::optional<consumer_record> simple_consumer::message(std::chrono::milliseconds patience) {
    try {
        return consumer_.read(patience);
    } catch (const system_error& e) {
        if (e.code() == kafkawire::errc::client_closed) throw;
        const std::lock_guard hold{lock_};
        if (errors_.size() >= 1'000) errors_.erase(errors_.begin());
        errors_.push_back(e.detail());
        return {};
    }
}

std::optional<error> simple_consumer::error() {
    const std::lock_guard hold{lock_};
    if (errors_.empty()) return {};
    auto e = std::move(errors_.front());
    errors_.erase(errors_.begin());
    return e;
}

void simple_consumer::commit(const consumer_record& done) { consumer_.commit(done); }
void simple_consumer::on_rebalance(std::function<void(bool, const std::vector<topic_partition>&)> what) {
    const std::lock_guard hold{lock_};
    told_ = std::move(what);
    if (told_ && !held_.empty()) told_(true, held_);
}
void simple_consumer::close(std::chrono::milliseconds patience) { consumer_.close(patience); }

simple_producer::simple_producer(std::string brokers) : simple_producer{at_brokers(std::move(brokers)), {}} {}
simple_producer::simple_producer(const client_options& client, const producer_options& options) : producer_{client, options} {}
position simple_producer::send(std::string_view topic, nullable_bytes key, nullable_bytes value) {
    const auto at = producer_.send({.topic = topic, .key = key, .value = value});
    return {at.partition, at.offset};
}

struct simple_async_producer::state {
    std::function<void(const message&, position)> success;
    std::function<void(const message&, const error&)> failure;
    std::optional<producer> sender;              // on the loop
    std::size_t most = 0;
    std::atomic<std::size_t> pending{0};
    std::mutex lock;
    std::condition_variable told;

    void tell(const message& m, const error& why, position at) {
        if (!why && success) success(m, at);
        if (why && failure) failure(m, why);
        if (--pending == 0) {
            const std::lock_guard hold{lock};
            told.notify_all();
        }
    }
};

simple_async_producer::simple_async_producer(std::string brokers) : simple_async_producer{at_brokers(std::move(brokers)), {}} {}
simple_async_producer::simple_async_producer(const client_options& client, const producer_options& options, std::size_t max_pending)
    : host_{std::make_shared<client_detail::hosted_client>(client)}, state_{std::make_shared<state>()} {
    state_->most = max_pending;
    host_->loop.run([&] { state_->sender.emplace(*host_->client, options); });
}
simple_async_producer::~simple_async_producer() { client_detail::destroy_on(host_->loop, state_->sender); }

void simple_async_producer::on_success(std::function<void(const message&, position)> what) { state_->success = std::move(what); }
void simple_async_producer::on_error(std::function<void(const message&, const kafkawire::error&)> what) { state_->failure = std::move(what); }
std::size_t simple_async_producer::pending() const noexcept { return state_->pending; }

bool simple_async_producer::send(message m) {
    if (++state_->pending > state_->most) {
        --state_->pending;
        return false;
    }
    struct parcel {
        message what;
        std::vector<header_view> headers;
    };
    auto p = std::make_shared<parcel>(parcel{std::move(m), {}});
    asio::post(host_->loop.executor(), [s = state_, p] {
        if (!s->sender) {
            kafkawire::error e;
            e.code = kafkawire::errc::client_closed;
            return s->tell(p->what, e, {});
        }
        const auto bytes = [](const std::optional<std::string>& text) { return text ? nullable_bytes{*text} : nullable_bytes{}; };
        for (const auto& h : p->what.headers) p->headers.push_back({h.key, bytes(h.value)});
        s->sender->async_send({.topic = p->what.topic, .key = bytes(p->what.key), .value = bytes(p->what.value), .headers = p->headers},
                              detailed([s, p](kafkawire::error why, const delivery& at) { s->tell(p->what, why, {at.partition, at.offset}); }));
    });
    return true;
}

std::size_t simple_async_producer::flush(std::chrono::milliseconds patience) {
    host_->loop.refuse_here();
    // Batches go at once; what is told is waited for here.
    asio::post(host_->loop.executor(), [s = state_, patience] {
        if (s->sender) s->sender->async_flush(patience, [](std::error_code, std::size_t) {});
    });
    std::unique_lock hold{state_->lock};
    state_->told.wait_for(hold, patience, [&] { return state_->pending == 0; });
    return state_->pending;
}

std::size_t simple_async_producer::close(std::chrono::milliseconds patience) {
    const auto left = flush(patience);
    client_detail::destroy_on(host_->loop, state_->sender);
    return left;
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
