// Functions that handle messages, in any of the forms that people write them in.
//
//   auto a = kw::app::on_message([](const kw::record_view& r) { store(r.value.text()); });                       // an exception: it failed
//   auto b = kw::app::on_message([](const kw::record_view& r) -> std::error_code { return store(r); });          // a code: it failed
//   auto c = kw::app::on_message([](kw::record_view r) -> asio::awaitable<void> { co_await store(r); });         // a coroutine
//   auto d = kw::app::on_batch([](std::span<const kw::record_view> batch) { store_all(batch); });                // many at a time
//   auto e = kw::app::on_call([](kw::app::call c) { start(std::move(c)); });                                     // tells later: c.done()
//
// A message is confirmed only when its function has taken it: returned, completed, or called done() without an error.
//
// - Views stay valid until the function has returned, the coroutine has ended, or the call is done.
// - A coroutine runs on the server's executor; its function takes the record by value (a coroutine's reference parameter may outlive what it is of).
//   Include <asio/awaitable.hpp> and <asio/co_spawn.hpp> for one.
// - A handler is a cheap copy of one function: given to several servers it is called by all of them.
#pragma once
#include <kafkawire/detail/asio.hpp>
#include <kafkawire/detail/function.hpp>
#include <kafkawire/records.hpp>

#include <exception>
#include <vector>

namespace kafkawire::inline v0_1 {
namespace app {

/// What can go wrong in these layers, beside what client and brokers say.
enum class errc {
    handler_failed = 1,   ///< the function threw something; the text says what
    handler_gone,         ///< a call was dropped without done()
    handler_slow,         ///< told, not failed: the function takes longer than max_processing_time
    given_up,             ///< told: a message was confirmed although no try could handle it; the cause is the last one's error
    stopped,              ///< it was asked to stop
};
KAFKAWIRE_API const std::error_category& category() noexcept;  ///< named "kafkawire.app"
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), category()}; }

/// The error that an exception means: that of a kw::system_error as it is, the code of a std::system_error, else errc::handler_failed with its text.
[[nodiscard]] KAFKAWIRE_API error error_of(std::exception_ptr what);

/// One call of a handler: its messages, and where to tell how it went. Movable. Dropped without done(): it failed (errc::handler_gone).
class call {
public:
    /// What is called, and who is told: for the servers, which make calls.
    call(std::vector<record_view> messages, std::vector<std::shared_ptr<const void>> keep, int attempt, asio::any_io_executor executor, unique_function<void(error)> told)
        : messages_{std::move(messages)}, keep_{std::move(keep)}, attempt_{attempt}, executor_{std::move(executor)}, told_{std::move(told)} {}
    call(call&&) noexcept = default;
    call& operator=(call&& o) noexcept {
        drop();
        messages_ = std::move(o.messages_);
        keep_ = std::move(o.keep_);
        attempt_ = o.attempt_;
        executor_ = std::move(o.executor_);
        told_ = std::move(o.told_);
        return *this;
    }
    ~call() { drop(); }

    [[nodiscard]] std::span<const record_view> messages() const noexcept { return messages_; }
    [[nodiscard]] const record_view& message() const noexcept { return messages_.front(); }
    /// 1 for the first try.
    [[nodiscard]] int attempt() const noexcept { return attempt_; }
    /// The server's.
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }
    /// How it went; an empty error is success. From any thread; the second time does nothing.
    void done(error why = {}) {
        if (auto told = std::move(told_)) told(std::move(why));
    }

private:
    void drop() {
        if (told_) done(error{.code = make_error_code(errc::handler_gone), .text = "the handler dropped its call without done()"});
    }
    std::vector<record_view> messages_;
    std::vector<std::shared_ptr<const void>> keep_;
    int attempt_;
    asio::any_io_executor executor_;
    unique_function<void(error)> told_;
};

/// See the top of this file. Made by on_message(), on_batch() and on_call(); copies share the function.
class handler {
public:
    handler(bool batched, unique_function<void(call)> what) : batched_{batched}, call_{std::make_shared<unique_function<void(call)>>(std::move(what))} {}
    [[nodiscard]] bool batched() const noexcept { return batched_; }
    void operator()(call c) const { (*call_)(std::move(c)); }

private:
    bool batched_;
    std::shared_ptr<unique_function<void(call)>> call_;
};

namespace detail {

// asio::awaitable, without its header.
template <class R>
concept awaits = requires {
    typename R::value_type;
    typename R::executor_type;
    &R::await_ready;
};
template <class V>
error as_error(V&& v) {
    if constexpr (std::is_convertible_v<V, error>) return std::forward<V>(v);
    else if constexpr (std::is_convertible_v<V, std::error_code>) return error{.code = v};
    else return {};
}

// Calls `f` with what it takes, which is the call's own, and tells how it went.
template <class F, class Argument>
void run(F& f, const Argument& with, call c) {
    using result = std::invoke_result_t<F&, const Argument&>;
    if constexpr (awaits<result>) {
        const auto ex = c.executor();
        auto kept = std::make_shared<call>(std::move(c));
        try {
            co_spawn(ex, f(with), [kept](std::exception_ptr why, auto... results) {
                if (why) return kept->done(error_of(why));
                error e;
                ((e = as_error(std::move(results))), ...);
                kept->done(std::move(e));
            });
        } catch (...) {
            kept->done(error_of(std::current_exception()));
        }
    } else {
        error e;
        try {
            if constexpr (std::is_void_v<result>) f(with);
            else e = as_error(f(with));
        } catch (...) {
            e = error_of(std::current_exception());
        }
        c.done(std::move(e));
    }
}

}  // namespace detail

/// A function for each message: void, std::error_code, kw::error, or asio::awaitable of these, of (const kw::record_view&) or (kw::record_view).
template <class F>
    requires std::is_invocable_v<F&, const record_view&>
[[nodiscard]] handler on_message(F f) {
    return {false, [f = std::move(f)](call c) mutable {
                const auto& message = c.message();
                detail::run(f, message, std::move(c));
            }};
}
/// A function for many messages of one partition: up to handler_options::batch, or what came within batch_flush. An error has all of them handed out again.
template <class F>
    requires std::is_invocable_v<F&, std::span<const record_view>>
[[nodiscard]] handler on_batch(F f) {
    return {true, [f = std::move(f)](call c) mutable {
                const auto messages = c.messages();
                detail::run(f, messages, std::move(c));
            }};
}
/// A function that is given the call itself, and tells later.
template <class F>
    requires std::is_invocable_v<F&, call>
[[nodiscard]] handler on_call(F f, bool batched = false) {
    return {batched, std::move(f)};
}

}  // namespace app
}  // namespace kafkawire::inline v0_1

template <>
struct std::is_error_code_enum<kafkawire::app::errc> : std::true_type {};

namespace kw = kafkawire;
