// kw::detailed(token): the operation completes with kw::error instead of std::error_code.
#pragma once
#include <kafkawire/detail/asio.hpp>
#include <kafkawire/error.hpp>

#include <exception>
#include <utility>

namespace asio {
template <typename Executor>
struct use_awaitable_t;
template <typename Allocator>
class use_future_t;
}  // namespace asio

namespace kafkawire::inline v0_1 {

/// A completion token that wraps another; see detailed().
template <class Token>
struct detailed_t {
    Token token;
};

/// An adaptor for every async_* operation of this library. The operation's `std::error_code` becomes a `kw::error`, with phase, broker,
/// cause and hint: `client.async_request(request, kw::detailed([](kw::error e, auto answer) { ... }))`. With use_awaitable and use_future it
/// throws kw::system_error instead of std::system_error; with as_tuple(use_awaitable) the error is the tuple's first element.
/// Executor, allocator and cancellation slot of the wrapped token are kept.
template <class Token>
[[nodiscard]] constexpr detailed_t<std::decay_t<Token>> detailed(Token&& token) {
    return {std::forward<Token>(token)};
}

namespace detail {

// The story behind the error code with which a handler is being called in this thread, or null. Operations complete with codes, so that any
// token can wrap any other; detailed_handler picks the story up at the end of the chain.
KAFKAWIRE_API const error*& current_error() noexcept;

// Tokens that turn a failure into an exception.
template <class Token>
inline constexpr bool throws = false;
template <class Executor>
inline constexpr bool throws<asio::use_awaitable_t<Executor>> = true;
template <class Allocator>
inline constexpr bool throws<asio::use_future_t<Allocator>> = true;

template <class Handler, bool Throws>
struct detailed_handler {
    Handler handler;

    template <class... Results>
    void operator()(std::error_code code, Results&&... results) {
        error e;
        if (const auto* story = current_error(); story && story->code == code) e = *story;
        else e.code = code;
        if constexpr (Throws) {
            std::exception_ptr thrown;
            if (e) thrown = std::make_exception_ptr(system_error{std::move(e)});
            std::move(handler)(std::move(thrown), std::forward<Results>(results)...);
        } else {
            std::move(handler)(std::move(e), std::forward<Results>(results)...);
        }
    }
};

template <class Initiation, bool Throws>
struct detailed_initiation {
    Initiation initiation;

    auto get_executor() const noexcept
        requires requires(const Initiation& i) { i.get_executor(); }
    {
        return initiation.get_executor();
    }
    template <class Handler, class... Args>
    void operator()(Handler&& handler, Args&&... args) {
        std::move(initiation)(detailed_handler<std::decay_t<Handler>, Throws>{std::forward<Handler>(handler)}, std::forward<Args>(args)...);
    }
};

template <class First, class... Rest>
using signature = void(First, Rest...);

}  // namespace detail
}  // namespace kafkawire::inline v0_1

template <class Token, class... Results>
class asio::async_result<kafkawire::detailed_t<Token>, void(std::error_code, Results...)> {
public:
    template <class Initiation, class Raw, class... Args>
    static auto initiate(Initiation&& initiation, Raw&& raw, Args&&... args) {
        constexpr bool throws = kafkawire::detail::throws<Token>;
        using first = std::conditional_t<throws, std::exception_ptr, kafkawire::error>;
        return asio::async_initiate<Token, kafkawire::detail::signature<first, Results...>>(
            kafkawire::detail::detailed_initiation<std::decay_t<Initiation>, throws>{std::forward<Initiation>(initiation)}, raw.token,
            std::forward<Args>(args)...);
    }
};

template <template <typename, typename> class Associator, class Handler, bool Throws, class Default>
struct asio::associator<Associator, kafkawire::detail::detailed_handler<Handler, Throws>, Default> : Associator<Handler, Default> {
    static auto get(const kafkawire::detail::detailed_handler<Handler, Throws>& h) noexcept { return Associator<Handler, Default>::get(h.handler); }
    static auto get(const kafkawire::detail::detailed_handler<Handler, Throws>& h, const Default& d) noexcept {
        return Associator<Handler, Default>::get(h.handler, d);
    }
};
