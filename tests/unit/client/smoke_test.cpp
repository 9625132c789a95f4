// The shortest use of a client, with a callback and with a coroutine.
#include <kafkawire/client.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include "catch.hpp"

TEST_CASE("a refused port is told to a callback, with phase, cause and hint") {
    asio::io_context io;
    kw::client client{io, {.bootstrap = "localhost:1"}};
    kw::error told;
    client.async_metadata(kw::detailed([&](kw::error e, auto) {
        told = std::move(e);
        client.async_close(asio::detached);
    }));
    CHECK_FALSE(told);
    io.run();
    CHECK(told.code == kw::errc::connect_failed);
    CHECK(told.in == kw::phase::connect);
    CHECK(told.cause);
    CHECK_FALSE(told.hint.empty());
}

TEST_CASE("a coroutine gets an exception, or the error as a value") {
    asio::io_context io;
    kw::client client{io, {.bootstrap = "localhost:1,localhost:2"}};
    kw::error thrown, given;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            try {
                (void)co_await client.async_metadata(kw::detailed(asio::use_awaitable));
            } catch (const kw::system_error& e) {
                thrown = e.detail();
            }
            auto [e, m] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
            given = e;
            client.async_close(asio::detached);
        },
        asio::detached);
    io.run();
    CHECK(thrown.code == kw::errc::no_broker_available);
    CHECK(given.code == kw::errc::no_broker_available);
    CHECK(given.cause);
}
