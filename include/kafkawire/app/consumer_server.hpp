// kw::app::consumer_server: calls a function for what a group reads, and confirms what it has taken.
//
//   kw::app::consumer_server server{client, {.group = "billing", .topics = {"orders"}},
//                                   kw::app::on_message([](const kw::record_view& r) { bill(r.value.text()); }), {.max_retry = 3}};
//   server.on_error([](const kw::app::service_error& e) { std::cerr << e.why.message() << '\n'; });
//   server.async_run([](std::error_code ec) { ... });   // until stop(), or until a handler's last try failed where that is to stop it
//
// kw::app::services holds several, with one stream of errors and one clean stop, also on a signal.
//
// - A message is handled at least once. It is confirmed (marked, and committed every auto_commit_interval, when its partition goes, and at the end)
//   when it and all before it in its partition are done: taken by the function, brought to the retry or dead-letter topic, or given up as the
//   options say. So after a crash messages behind the first one that was not done come again.
// - Order: see handler_options::order. It holds while the partition stays with this member.
// - A slow function does not cost the membership: heartbeats go on, max_poll_interval is switched off. But a plain function that blocks holds up
//   the executor that it runs on: give such ones a pool with run_on().
// - When partitions are revoked, what runs may end until shortly before the group goes on without us; nothing new is begun. What is not done by then
//   is not confirmed.
// - Belongs to its client's executor, as a kw::consumer, and is destroyed before the client; only stop() and handlers' done() may be called from other
//   threads.
#pragma once
#include <kafkawire/app/handler.hpp>
#include <kafkawire/app/handler_options.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer_options.hpp>

namespace kafkawire::inline v0_1 {
namespace app {

/// Headers of a message that went to a retry or dead-letter topic. Its key, value, timestamp and own headers are kept.
namespace failure_header {
inline constexpr std::string_view error = "kafkawire-error";                        ///< why, of the last try: kw::error::message()
inline constexpr std::string_view failed_at = "kafkawire-failed-at";                ///< when, milliseconds since 1970
inline constexpr std::string_view tries = "kafkawire-tries";                        ///< how often altogether, those before it came from a retry topic included
inline constexpr std::string_view group = "kafkawire-group";                        ///< whose handler
inline constexpr std::string_view topic = "kafkawire-original-topic";               ///< where it was first
inline constexpr std::string_view partition = "kafkawire-original-partition";
inline constexpr std::string_view offset = "kafkawire-original-offset";
}  // namespace failure_header

/// Something that went wrong: with the client, with a function, or on the way to a retry or dead-letter topic.
struct service_error {
    enum class source : std::uint8_t { client, handler, sending };
    std::string service{};                           ///< the name that services know it by; empty: none
    source from = source::client;
    error why;
    std::string topic{};                             ///< of a handler's: of the first message; empty: of none in particular
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    int attempt = 0;                                 ///< of a handler's: which try it was
};

/// What a server has done so far. Messages, but for failures and retries, which are calls.
struct service_statistics {
    std::uint64_t arrived = 0, handled = 0;
    std::uint64_t failures = 0, retries = 0;
    std::uint64_t given_up = 0, to_retry_topic = 0, to_dead_letters = 0;
    std::size_t running = 0;                         ///< calls, now
};

/// A partition that is handled now. A view for those who watch.
struct claim {
    std::string topic;
    std::int32_t partition = -1;
    std::int64_t initial_offset = -1;                ///< of the first message since it was assigned; -1: none came yet
    std::int64_t confirmed = -1;                     ///< up to before this offset; -1: nothing since it was assigned
    std::int64_t high_watermark = -1;                ///< behind the last record that is replicated, as last told
    std::int64_t lag = -1;
};
/// A member's session and what it holds. A copy.
struct session {
    std::string member_id;
    std::int32_t generation = -1;
    std::vector<claim> claims;                       ///< by topic and partition

    /// That of a message's partition, while the session is there; null: it has gone to another member meanwhile.
    [[nodiscard]] const claim* find(std::string_view topic, std::int32_t partition) const noexcept {
        for (const auto& c : claims)
            if (c.topic == topic && c.partition == partition) return &c;
        return nullptr;
    }
};

namespace detail {
class service_core;
KAFKAWIRE_API void run(service_core& c, unique_function<void(error)> over);
KAFKAWIRE_API void cancel(const std::weak_ptr<service_core>& c);
KAFKAWIRE_API const asio::any_io_executor& executor_of(const service_core& c) noexcept;
struct initiate_run {
    std::shared_ptr<service_core> core;
    using executor_type = asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return executor_of(*core); }
    template <class Handler>
    void operator()(Handler&& h) const {
        auto kept = std::make_shared<client_detail::kept_handler<std::decay_t<Handler>>>(std::decay_t<Handler>(std::forward<Handler>(h)), get_executor());
        if (auto slot = asio::get_associated_cancellation_slot(kept->handler); slot.is_connected())
            slot.assign([c = std::weak_ptr{core}](asio::cancellation_type) { cancel(c); });
        run(*core, [kept](error why) { kept->tell(std::move(why)); });
    }
};
}  // namespace detail

/// See the top of this file. Movable.
class KAFKAWIRE_API consumer_server {
public:
    /// Joins nothing yet. auto_commit is switched on, auto_mark and max_poll_interval off. `send`: how messages go to the retry or dead-letter topic, where
    /// handler_options::compression counts more than its own. Throws kw::system_error (errc::bad_configuration): options that cannot be, no group, a
    /// batch handler without handler_options::batch.
    consumer_server(client& c, const consumer_options& read, handler what, const handler_options& how = {}, const producer_options& send = {});
    /// Ends at once: what is in hand is not confirmed, and the group is not left, which misses the member after session_timeout. async_run() completes
    /// with errc::client_closed. See stop().
    ~consumer_server();
    consumer_server(consumer_server&&) noexcept;
    consumer_server& operator=(consumer_server&&) noexcept;

    /// Told of all that goes wrong, on the client's executor: it must not wait. Replaces the function before.
    void on_error(unique_function<void(const service_error&)> what);
    /// Functions run there from now on, a thread pool's for example, up to handler_options::parallel at a time; so they may wait. Bodies of coroutines
    /// stay on the client's executor. It must outlive the calls that run there.
    void run_on(asio::any_io_executor pool);
    /// Joins the group and handles until it is stopped. Once; a second time completes with app::errc::stopped. Completion: void(std::error_code): none
    /// after stop(), which may have been called before; the handler's error where last_resort::stop has stopped it; the coordinator's where the group
    /// will not have this member (another one has its instance id, rights are missing, ...); errc::canceled: cancellation (any type) is a stop(). What
    /// work was in hand is finished and committed by then, and the group left.
    template <class Token>
    auto async_run(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(detail::initiate_run{core_}, token);
    }
    /// Begins nothing new, waits for what runs (handler_options::stop_timeout, or `patience`), commits and leaves. Any thread; soon, not inline.
    void stop();
    void stop(std::chrono::milliseconds patience);

    [[nodiscard]] service_statistics statistics() const noexcept;
    [[nodiscard]] app::session session() const;
    /// For what this class does not show, as readings().
    [[nodiscard]] const kafkawire::consumer& reader() const noexcept;

private:
    friend class services;
    std::shared_ptr<detail::service_core> core_;
};

/// Several servers in one program. Belongs to one executor, that of the servers' clients; only stop() may be called from other threads.
class KAFKAWIRE_API services {
public:
    explicit services(asio::any_io_executor executor);
    /// Ends all of them at once, as their destructors do.
    ~services();
    services(const services&) = delete;

    /// From now on the server is one of these, under that name. Before async_run().
    void add(std::string name, consumer_server server);
    /// Told of what goes wrong with any of them, on the executor: it must not wait. Replaces the function before.
    void on_error(unique_function<void(const service_error&)> what);
    /// Stops all of them when the process gets one of these signals; a second one has the default effect. Throws std::system_error for what is no signal.
    void stop_on_signals(std::vector<int> signals);
    /// Runs all of them. Once. Completion: void(std::error_code), when the last one has ended: none, or the first error that stopped one; the others go
    /// on when one has stopped. Cancellation (any type) is a stop(), and completes with errc::canceled.
    template <class Token>
    auto async_run(Token&& token) {
        return asio::async_initiate<Token, void(std::error_code)>(initiate{this}, token);
    }
    /// consumer_server::stop() of all of them. Any thread; soon, not inline.
    void stop();
    /// Null: there is none of that name.
    [[nodiscard]] const consumer_server* find(std::string_view name) const noexcept;

private:
    struct state;
    struct initiate {
        services* of;
        using executor_type = asio::any_io_executor;
        [[nodiscard]] executor_type get_executor() const noexcept { return of->executor(); }
        template <class Handler>
        void operator()(Handler&& h) const {
            auto kept = std::make_shared<client_detail::kept_handler<std::decay_t<Handler>>>(std::decay_t<Handler>(std::forward<Handler>(h)), get_executor());
            if (auto slot = asio::get_associated_cancellation_slot(kept->handler); slot.is_connected())
                slot.assign([s = std::weak_ptr{of->state_}](asio::cancellation_type) { cancel(s); });
            of->run([kept](error why) { kept->tell(std::move(why)); });
        }
    };
    [[nodiscard]] asio::any_io_executor executor() const noexcept;
    void run(unique_function<void(error)> over);
    static void cancel(const std::weak_ptr<state>& s);
    std::shared_ptr<state> state_;
};

}  // namespace app
}  // namespace kafkawire::inline v0_1
