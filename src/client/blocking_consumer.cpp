// kw::blocking::consumer: the asynchronous one, on a loop, for threads that wait.
#include <kafkawire/blocking.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/steady_timer.hpp>

namespace kafkawire::blocking {

namespace {

void check(std::tuple<error>&& outcome) {
    if (auto& why = std::get<0>(outcome)) throw system_error{std::move(why)};
}

// Ends a read that has waited long enough. Shared by the two that may be first.
struct alarm {
    explicit alarm(const asio::any_io_executor& on) : timer{on} {}
    asio::cancellation_signal stop;
    asio::steady_timer timer;
};

// Starts a read with start(token), which ends by `patience`.
template <class Result, class Start>
std::tuple<error, Result> read_for(client_detail::loop& loop, std::chrono::milliseconds patience, Start start) {
    constexpr std::chrono::milliseconds longest = std::chrono::hours{24 * 365};
    return loop.call<Result>([&](auto handler) {
        const auto bell = std::make_shared<alarm>(loop.executor());
        bell->timer.expires_after(std::clamp(patience, std::chrono::milliseconds{0}, longest));
        bell->timer.async_wait([bell](std::error_code ec) {
            if (!ec) bell->stop.emit(asio::cancellation_type::all);
        });
        start(detailed(asio::bind_cancellation_slot(bell->stop.slot(), [bell, h = std::move(handler)](error failed, Result found) mutable {
            bell->timer.cancel();
            h(std::move(failed), std::move(found));
        })));
    });
}

}  // namespace

consumer::consumer(const client_options& client, const consumer_options& options) : host_{std::make_shared<client_detail::hosted_client>(client)} { make(options); }
consumer::consumer(asio::io_context& io, const client_options& client, const consumer_options& options)
    : host_{std::make_shared<client_detail::hosted_client>(io, client)} {
    make(options);
}
consumer::consumer(client& of, const consumer_options& options) : host_{of.host_} { make(options); }

consumer::~consumer() {
    if (host_) client_detail::destroy_on(host_->loop, consumer_);
}

consumer& consumer::operator=(consumer&& other) noexcept {
    if (this == &other) return *this;
    if (host_) client_detail::destroy_on(host_->loop, consumer_);
    host_ = std::move(other.host_);
    consumer_ = std::move(other.consumer_);
    other.consumer_.reset();
    return *this;
}

void consumer::make(const consumer_options& options) {
    host_->loop.run([&] { consumer_.emplace(*host_->client, options); });
}

records consumer::poll(std::chrono::milliseconds patience, error& why) {
    auto [e, got] = read_for<records>(host_->loop, patience, [&](auto token) { consumer_->async_poll(std::move(token)); });
    if (e.code == errc::canceled) e = {};                   // the time was over
    why = std::move(e);
    return std::move(got);
}

records consumer::poll(std::chrono::milliseconds patience) {
    error why;
    auto got = poll(patience, why);
    if (why) throw system_error{std::move(why)};
    return got;
}

std::optional<consumer_record> consumer::read(std::chrono::milliseconds patience) {
    auto [why, got] = read_for<consumer_record>(host_->loop, patience, [&](auto token) { consumer_->async_read(std::move(token)); });
    if (why.code == errc::canceled) return std::nullopt;
    if (why) throw system_error{std::move(why)};
    return std::move(got);
}

void consumer::commit() {
    check(host_->loop.call<>([&](auto handler) { consumer_->async_commit(detailed(std::move(handler))); }));
}
void consumer::commit(const records& done) {
    check(host_->loop.call<>([&](auto handler) { consumer_->async_commit(done, detailed(std::move(handler))); }));
}
void consumer::commit(const consumer_record& done) {
    check(host_->loop.call<>([&](auto handler) { consumer_->async_commit(done, detailed(std::move(handler))); }));
}
void consumer::commit(std::vector<committed_offset> offsets) {
    check(host_->loop.call<>([&](auto handler) { consumer_->async_commit(std::move(offsets), detailed(std::move(handler))); }));
}

std::vector<committed_offset> consumer::committed(std::vector<topic_partition> of) {
    auto [why, found] = host_->loop.call<std::vector<committed_offset>>([&](auto handler) { consumer_->async_committed(std::move(of), detailed(std::move(handler))); });
    if (why) throw system_error{std::move(why)};
    return std::move(found);
}

void consumer::close(std::chrono::milliseconds patience) {
    check(host_->loop.call<>([&](auto handler) { consumer_->async_close(patience, detailed(std::move(handler))); }));
}

}  // namespace kafkawire::blocking
