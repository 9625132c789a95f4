#include <kafkawire/app/poll.hpp>
#include <kafkawire/observer.hpp>

#include <atomic>

#include "app/settings.hpp"

namespace kafkawire::inline v0_1 {
namespace app {

std::optional<delivery_event> report_queue::poll(std::chrono::milliseconds patience) {
    std::unique_lock hold{lock_};
    const auto any = [this] { return !events_.empty(); };
    if (patience < std::chrono::milliseconds{0}) came_.wait(hold, any);
    else if (!came_.wait_for(hold, patience, any)) return {};
    auto e = std::move(events_.front());
    events_.pop_front();
    return e;
}

std::size_t report_queue::size() const {
    const std::lock_guard hold{lock_};
    return events_.size();
}

void report_queue::push(delivery_event e) {
    const std::lock_guard hold{lock_};
    events_.push_back(std::move(e));
    came_.notify_one();
}

struct poll_producer::state {
    std::optional<producer> sender;                  // on the loop
    std::string topic;
    std::size_t most = 0;
    std::atomic<std::size_t> pending{0};
    report_queue events;
    std::mutex lock;
    std::condition_variable told;
    // On the loop.
    std::string last_trouble;
    std::chrono::steady_clock::time_point told_of_it_at{};

    // Of the producer as a whole; of the same at most as often as of a line of the log.
    void tell(error why) {
        const auto now = std::chrono::steady_clock::now();
        auto text = why.message();
        if (text == last_trouble && now - told_of_it_at < log_pause) return;
        last_trouble = std::move(text);
        told_of_it_at = now;
        events.push({message{}, -1, -1, std::move(why)});
    }
    void tell(const std::shared_ptr<report_queue>& to, delivery_event e) {
        (to ? *to : events).push(std::move(e));
        if (--pending > 0) return;
        const std::lock_guard hold{lock};
        told.notify_all();
    }
};

namespace {

// Messages wait for long while nobody lets the producer in: somebody should know why. Another observer hears all that it would hear without us.
class doorkeeper final : public observer {
public:
    doorkeeper(std::shared_ptr<observer> next, std::function<void(const error&)> tell) : next_{std::move(next)}, tell_{std::move(tell)} {}
    [[nodiscard]] bool wants_bytes() const noexcept override { return next_ && next_->wants_bytes(); }
    void on_connection(const connection_seen& c) override {
        if (c.to == "closed" && c.why && (c.why->code == kafkawire::errc::authentication_failed || c.why->code == kafkawire::errc::tls_failed)) tell_(*c.why);
        if (next_) next_->on_connection(c);
    }
    void on_log(const log_line& l) override { if (next_) next_->on_log(l); }
    void on_request(const request_seen& r) override { if (next_) next_->on_request(r); }
    void on_batch(const batch_seen& b) override { if (next_) next_->on_batch(b); }
    void on_retry(const retry_seen& r) override { if (next_) next_->on_retry(r); }
    void on_rebalance(const rebalance_seen& r) override { if (next_) next_->on_rebalance(r); }
    void on_lag(const lag_seen& l) override { if (next_) next_->on_lag(l); }
    void on_error(const error_seen& e) override { if (next_) next_->on_error(e); }

private:
    const std::shared_ptr<observer> next_;
    const std::function<void(const error&)> tell_;
};

}  // namespace

poll_producer::poll_producer(made, const config::producer_settings& settings, std::size_t max_pending) : state_{std::make_shared<state>()} {
    auto options = settings.client;
    options.observer = std::make_shared<doorkeeper>(std::move(options.observer), [s = std::weak_ptr{state_}](const error& why) {
        if (const auto alive = s.lock()) alive->tell(why);
    });
    host_ = std::make_shared<client_detail::hosted_client>(options);
    state_->most = max_pending;
    state_->topic = settings.sending.topic;
    host_->loop.run([&] { state_->sender.emplace(*host_->client, detail::producer_options_of(settings)); });
}
poll_producer::~poll_producer() { client_detail::destroy_on(host_->loop, state_->sender); }

std::error_code poll_producer::produce(const record& r, std::shared_ptr<report_queue> reports) {
    if (++state_->pending + state_->events.size() > state_->most) {
        --state_->pending;
        return kafkawire::errc::would_wait;
    }
    struct letter {
        message what;
        std::vector<header_view> headers;
        record copy;
    };
    const auto text = [](const nullable_bytes& b) { return b.is_null() ? std::optional<std::string>{} : std::optional{std::string{b.text()}}; };
    const auto bytes = [](const std::optional<std::string>& t) { return t ? nullable_bytes{*t} : nullable_bytes{}; };
    auto l = std::make_shared<letter>();
    auto& m = l->what;
    m = {std::string{r.topic.empty() ? std::string_view{state_->topic} : r.topic}, text(r.key), text(r.value), {}, r.tag};
    for (const auto& h : r.headers) m.headers.push_back({std::string{h.key}, text(h.value)});
    for (const auto& h : m.headers) l->headers.push_back({h.key, bytes(h.value)});
    l->copy = {.topic = m.topic, .key = bytes(m.key), .value = bytes(m.value), .headers = l->headers, .partition = r.partition, .timestamp = r.timestamp};
    asio::post(host_->loop.executor(), [s = state_, l, reports = std::move(reports)] {
        if (!s->sender) {
            error e;
            e.code = kafkawire::errc::client_closed;
            return s->tell(reports, {std::move(l->what), -1, -1, std::move(e)});
        }
        s->sender->async_send(l->copy, detailed([s, l, reports](error why, const delivery& at) { s->tell(reports, {std::move(l->what), at.partition, at.offset, std::move(why)}); }));
    });
    return {};
}

std::optional<delivery_event> poll_producer::poll(std::chrono::milliseconds patience) { return state_->events.poll(patience); }

std::size_t poll_producer::flush(std::chrono::milliseconds patience) {
    host_->loop.refuse_here();
    constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 24};
    const auto within = patience < std::chrono::milliseconds{0} ? longest : std::min(patience, longest);
    asio::post(host_->loop.executor(), [s = state_, within] {
        if (s->sender) s->sender->async_flush(within, [](std::error_code, std::size_t) {});
    });
    std::unique_lock hold{state_->lock};
    state_->told.wait_for(hold, within, [&] { return state_->pending == 0; });
    return state_->pending;
}

std::size_t poll_producer::size() const { return state_->pending + state_->events.size(); }

producer_statistics poll_producer::statistics() const {
    producer_statistics p;
    host_->loop.run([&] { p = state_->sender->statistics(); });
    return p;
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
