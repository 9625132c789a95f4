// A loop that blocking calls and threads of the application work with: its own thread, or an io_context that somebody else runs.
#pragma once
#include <kafkawire/client.hpp>

#include <asio/io_context.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

namespace kafkawire::client_detail {

/// Waited for by one thread and told by another, once. Telling is the last thing that the other does with it.
class KAFKAWIRE_API signal {
public:
    void tell();
    void wait();

private:
    std::mutex lock_;
    std::condition_variable changed_;
    bool told_ = false;
};

/// What an operation completed with. Lives on the stack of the thread that waits.
template <class... Results>
class outcome {
public:
    void complete(error why, Results... results) {
        why_ = std::move(why);
        results_.emplace(std::move(results)...);
        done_.tell();
    }
    void fail(std::exception_ptr thrown) {
        thrown_ = std::move(thrown);
        done_.tell();
    }
    /// Waits. Rethrows what the start of the operation threw.
    error wait() {
        done_.wait();
        if (thrown_) std::rethrow_exception(thrown_);
        return std::move(why_);
    }
    std::tuple<Results...>& results() { return *results_; }

private:
    signal done_;
    error why_;
    std::optional<std::tuple<Results...>> results_;
    std::exception_ptr thrown_;
};

/// The handler of an operation that a thread waits for. One that is destroyed without being called, as its io_context was, says so.
template <class... Results>
class outcome_handler {
public:
    explicit outcome_handler(outcome<Results...>& to) noexcept : to_{&to} {}
    outcome_handler(outcome_handler&& o) noexcept : to_{std::exchange(o.to_, nullptr)} {}
    outcome_handler& operator=(outcome_handler&&) = delete;
    ~outcome_handler() {
        if (!to_) return;
        error e;
        e.code = errc::client_closed;
        e.text = "the event loop dropped the operation: its io_context ended";
        to_->complete(std::move(e), Results{}...);
    }
    void operator()(error why, Results... results) { std::exchange(to_, nullptr)->complete(std::move(why), std::move(results)...); }
    /// Without effect if it was moved from: then its successor tells.
    void fail(std::exception_ptr thrown) {
        if (auto* const to = std::exchange(to_, nullptr)) to->fail(std::move(thrown));
    }

private:
    outcome<Results...>* to_;
};

/// Thread-safe but for its destructor.
class KAFKAWIRE_API loop {
public:
    /// Starts a thread of the name "kafkawire". Throws std::system_error where none can be started.
    loop();
    /// Uses `io` through a strand: it may be run by several threads.
    explicit loop(asio::io_context& io);
    /// A thread of its own ends, and what is left on it is destroyed.
    ~loop();
    loop(const loop&) = delete;
    loop& operator=(const loop&) = delete;

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    [[nodiscard]] asio::io_context& context() const noexcept { return *io_; }
    /// Whether it is this object's own thread that runs it.
    [[nodiscard]] bool own() const noexcept { return thread_.joinable(); }
    /// Throws kw::system_error in a thread that runs the loop: waiting for it there would never end.
    void refuse_here() const;

    /// Starts an operation on the loop with start(handler), and waits for its results: (kw::error, Results...).
    template <class... Results, class Start>
    [[nodiscard]] std::tuple<error, Results...> call(Start start) const {
        refuse_here();
        outcome<Results...> o;
        asio::post(executor_, [h = outcome_handler<Results...>{o}, &start]() mutable {
            // The handler may be gone before start() throws: then it has been told.
            try {
                start(std::move(h));
            } catch (...) {
                h.fail(std::current_exception());
            }
        });
        auto why = o.wait();
        return std::tuple_cat(std::tuple{std::move(why)}, std::move(o.results()));
    }
    /// Runs a function on the loop and waits; what it throws is thrown here.
    template <class F>
    void run(F&& f) {
        (void)call<>([&](auto h) {
            try {
                f();
            } catch (...) {
                return h.fail(std::current_exception());
            }
            h(error{});
        });
    }

private:
    std::unique_ptr<asio::io_context> made_;
    asio::io_context* io_;
    asio::any_io_executor executor_;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
    std::thread thread_;
};

/// A client on a loop, and what lives as long as it.
struct KAFKAWIRE_API hosted_client {
    explicit hosted_client(const client_options& options);
    hosted_client(asio::io_context& io, const client_options& options);
    ~hosted_client();

    client_detail::loop loop;
    std::optional<kafkawire::client> client;
};

/// Destroys an object where its executor is; with a loop of its own, waits until that has happened.
template <class T>
void destroy_on(loop& l, std::optional<T>& object) {
    if (!object) return;
    if (l.own()) {
        l.run([&] { object.reset(); });
        return;
    }
    asio::post(l.executor(), [o = std::move(*object)]() mutable { (void)o; });
    object.reset();
}

}  // namespace kafkawire::client_detail
