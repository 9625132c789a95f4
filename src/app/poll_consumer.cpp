// librdkafka's way of reading: everything that the application is told happens in its own calls. Steps of a rebalance wait on the loop until it polls.
#include <kafkawire/app/poll.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>
#include <algorithm>
#include <stdexcept>

namespace kafkawire::inline v0_1 {
namespace app {

struct poll_consumer::state {
    // A read that ends before its time when there is a step to serve.
    struct read_under_way {
        explicit read_under_way(const asio::any_io_executor& on) : timer{on} {}
        asio::cancellation_signal stop;
        asio::steady_timer timer;
    };
    struct waiting_step {
        rebalance_event::kind what;
        rebalance_step step;
    };

    // On the loop.
    std::optional<kafkawire::consumer> reader;
    std::shared_ptr<read_under_way> reading;
    bool incremental = false;
    // Between the loop and the application.
    std::mutex lock;
    std::condition_variable came;
    std::deque<waiting_step> steps;
    // The application's.
    rebalance_callback callback;
    const rebalance_step* in_callback = nullptr;
    bool subscribed = false;

    void put(rebalance_event::kind what, rebalance_step step) {
        {
            const std::lock_guard hold{lock};
            steps.push_back({what, std::move(step)});
            came.notify_all();
        }
        if (reading) reading->stop.emit(asio::cancellation_type::all);
    }
    [[nodiscard]] bool has_steps() {
        const std::lock_guard hold{lock};
        return !steps.empty();
    }
    std::optional<waiting_step> take() {
        const std::lock_guard hold{lock};
        if (steps.empty()) return {};
        auto one = std::move(steps.front());
        steps.pop_front();
        return one;
    }
};

namespace {

void throw_if(error why) {
    if (why) throw system_error{std::move(why)};
}

void throw_if(std::error_code ec, const std::string& topic, std::int32_t partition) {
    if (!ec) return;
    error e;
    e.code = ec;
    e.text = topic + "-" + std::to_string(partition) + ": " + ec.message();
    throw system_error{std::move(e)};
}

const partition_start* find_start(const std::vector<partition_start>& all, const topic_partition& p) {
    const auto at = std::find_if(all.begin(), all.end(), [&](const partition_start& s) { return s.topic == p.topic && s.partition == p.partition; });
    return at == all.end() ? nullptr : &*at;
}

// For a member's partitions: where to begin, and that it is read at all.
void start_reading(consumer& c, const partition_start& p) {
    if (p.from.what != start_position::kind::policy) throw_if(c.seek(p.topic, p.partition, p.from), p.topic, p.partition);
    throw_if(c.resume(p.topic, p.partition), p.topic, p.partition);
}

bool gives_up_some_only(const consumer_options& o) {
    return o.group_protocol == group_protocol::consumer || std::find(o.assignors.begin(), o.assignors.end(), "cooperative-sticky") != o.assignors.end();
}

}  // namespace

poll_consumer::poll_consumer(made, const config::consumer_settings& settings) : host_{std::make_shared<client_detail::hosted_client>(settings.client)}, state_{std::make_shared<state>()} {
    auto o = settings.options;
    // subscribe() and assign() say what is read.
    o.topics.clear();
    host_->loop.run([&] {
        state_->reader.emplace(*host_->client, o);
        state_->incremental = gives_up_some_only(o);
    });
}

poll_consumer::~poll_consumer() {
    {
        const std::lock_guard hold{state_->lock};
        state_->steps.clear();
    }
    client_detail::destroy_on(host_->loop, state_->reader);
}

void poll_consumer::subscribe(std::vector<std::string> topics, rebalance_callback what) {
    state_->callback = std::move(what);
    state_->subscribed = true;
    host_->loop.run([&] {
        auto& r = *state_->reader;
        const auto put = [s = std::weak_ptr{state_}](rebalance_event::kind kind) {
            return [s, kind](rebalance_step step) {
                if (const auto alive = s.lock()) alive->put(kind, std::move(step));
            };
        };
        if (state_->callback) {
            r.on_assigned(put(rebalance_event::assigned));
            r.on_revoked(put(rebalance_event::revoked));
            r.on_lost(put(rebalance_event::lost));
        }
        r.subscribe(std::move(topics));
    });
}

void poll_consumer::unsubscribe() {
    state_->subscribed = false;
    host_->loop.run([&] { state_->reader->unsubscribe(); });
}

void poll_consumer::assign(const std::vector<partition_start>& what) {
    const auto* step = state_->in_callback;
    host_->loop.run([&] {
        auto& r = *state_->reader;
        if (!step) {
            r.unassign_all();
            return r.assign(what);
        }
        for (const auto& p : step->partitions())
            if (!find_start(what, p)) throw_if(r.pause(p.topic, p.partition), p.topic, p.partition);
        for (const auto& p : what) start_reading(r, p);
    });
}

void poll_consumer::incremental_assign(const std::vector<partition_start>& what) {
    host_->loop.run([&] {
        if (!state_->subscribed) return state_->reader->assign(what);
        for (const auto& p : what) start_reading(*state_->reader, p);
    });
}

void poll_consumer::unassign() {
    // What a member gives back goes when its callback has returned.
    if (state_->in_callback) return;
    host_->loop.run([&] {
        if (!state_->subscribed) return state_->reader->unassign_all();
        for (const auto& p : state_->reader->readings()) (void)state_->reader->pause(p.topic, p.partition);
    });
}

void poll_consumer::incremental_unassign(const std::vector<topic_partition>& what) {
    if (state_->in_callback) return;
    host_->loop.run([&] {
        for (const auto& p : what) throw_if(state_->subscribed ? state_->reader->pause(p.topic, p.partition) : state_->reader->unassign(p.topic, p.partition), p.topic, p.partition);
    });
}

// The step is over when the callback has returned, whatever it has done.
void poll_consumer::serve_steps() {
    while (auto one = state_->take()) {
        rebalance_event e{one->what, {}, state_->incremental};
        for (const auto& p : one->step.partitions()) {
            partition_start start;
            start.topic = p.topic;
            start.partition = p.partition;
            e.partitions.push_back(std::move(start));
        }
        struct finally {
            state& s;
            client_detail::loop& loop;
            rebalance_step& step;
            ~finally() {
                s.in_callback = nullptr;
                loop.run([this] { step.finish(); });
            }
        } over{*state_, host_->loop, one->step};
        state_->in_callback = &one->step;
        state_->callback(*this, std::move(e));
    }
}

std::optional<consumer_record> poll_consumer::poll(std::chrono::milliseconds patience) {
    if (state_->in_callback) throw std::logic_error{"kw::app::poll_consumer: the rebalance callback must not poll"};
    constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365};
    const auto by = std::chrono::steady_clock::now() + (patience < std::chrono::milliseconds{0} ? longest : std::min(patience, longest));
    for (;;) {
        serve_steps();
        const auto left = std::max(by - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration{0});
        auto [why, got] = host_->loop.call<consumer_record>([&](auto handler) {
            error interrupted;
            interrupted.code = kafkawire::errc::canceled;
            if (state_->has_steps()) return handler(std::move(interrupted), consumer_record{});
            const auto now = std::make_shared<state::read_under_way>(host_->loop.executor());
            state_->reading = now;
            now->timer.expires_after(left);
            now->timer.async_wait([now](std::error_code ec) {
                if (!ec) now->stop.emit(asio::cancellation_type::all);
            });
            state_->reader->async_read(detailed(asio::bind_cancellation_slot(now->stop.slot(), [now, s = state_, h = std::move(handler)](error failed, consumer_record found) mutable {
                now->timer.cancel();
                s->reading.reset();
                h(std::move(failed), std::move(found));
            })));
        });
        if (!why) return std::move(got);
        if (why.code != kafkawire::errc::canceled) throw system_error{std::move(why)};
        if (!state_->has_steps() && std::chrono::steady_clock::now() >= by) return {};
    }
}

consumer_record poll_consumer::read_message(std::chrono::milliseconds patience) {
    for (;;) {
        if (auto m = poll(patience)) return std::move(*m);
        if (patience < std::chrono::milliseconds{0}) continue;
        error e;
        e.code = kafkawire::errc::request_timed_out;
        e.text = "no message came within " + std::to_string(patience.count()) + " ms";
        throw system_error{std::move(e)};
    }
}

void poll_consumer::commit() {
    auto [why] = host_->loop.call<>([&](auto h) { state_->reader->async_commit(detailed(std::move(h))); });
    throw_if(std::move(why));
}
void poll_consumer::commit(const consumer_record& done) {
    auto [why] = host_->loop.call<>([&](auto h) { state_->reader->async_commit(done, detailed(std::move(h))); });
    throw_if(std::move(why));
}
void poll_consumer::commit(std::vector<committed_offset> offsets) {
    auto [why] = host_->loop.call<>([&](auto h) { state_->reader->async_commit(std::move(offsets), detailed(std::move(h))); });
    throw_if(std::move(why));
}
std::vector<committed_offset> poll_consumer::committed(std::vector<topic_partition> of) {
    auto [why, found] = host_->loop.call<std::vector<committed_offset>>([&](auto h) { state_->reader->async_committed(std::move(of), detailed(std::move(h))); });
    throw_if(std::move(why));
    return std::move(found);
}
void poll_consumer::store_offset(const consumer_record& done) {
    host_->loop.run([&] { throw_if(state_->reader->mark(done), done.topic, done.partition); });
}
void poll_consumer::seek(const std::string& topic, std::int32_t partition, start_position to) {
    host_->loop.run([&] { throw_if(state_->reader->seek(topic, partition, to), topic, partition); });
}
void poll_consumer::pause(const std::vector<topic_partition>& what) {
    host_->loop.run([&] {
        for (const auto& p : what) throw_if(state_->reader->pause(p.topic, p.partition), p.topic, p.partition);
    });
}
void poll_consumer::resume(const std::vector<topic_partition>& what) {
    host_->loop.run([&] {
        for (const auto& p : what) throw_if(state_->reader->resume(p.topic, p.partition), p.topic, p.partition);
    });
}
std::vector<partition_reading> poll_consumer::assignment() {
    std::vector<partition_reading> all;
    host_->loop.run([&] { all = state_->reader->readings(); });
    return all;
}
std::optional<group_membership> poll_consumer::membership() {
    std::optional<group_membership> m;
    host_->loop.run([&] { m = state_->reader->membership(); });
    return m;
}

void poll_consumer::close(std::chrono::milliseconds patience) {
    auto closed = std::make_shared<bool>(false);     // under the lock
    host_->loop.run([&] {
        state_->reader->async_close(patience, [s = state_, closed](std::error_code) {
            const std::lock_guard hold{s->lock};
            *closed = true;
            s->came.notify_all();
        });
    });
    for (;;) {
        {
            std::unique_lock hold{state_->lock};
            state_->came.wait(hold, [&] { return *closed || !state_->steps.empty(); });
            if (state_->steps.empty()) return;
        }
        serve_steps();
    }
}

}  // namespace app
}  // namespace kafkawire::inline v0_1
