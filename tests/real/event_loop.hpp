// Runs a test's coroutine on an event loop of its own.
#pragma once
#include <cstddef>  // before Asio: see kafkawire/detail/asio.hpp

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <exception>

#include "catch.hpp"

/// `f`: asio::awaitable<void>(asio::io_context&). Rethrows what it throws; two minutes are too long.
template <class F>
void run(F f) {
    asio::io_context io;
    std::exception_ptr thrown;
    bool ended = false;
    asio::co_spawn(io, f(io), [&](std::exception_ptr e) {
        thrown = e;
        ended = true;
    });
    io.run_for(std::chrono::minutes{2});
    if (thrown) std::rethrow_exception(thrown);
    REQUIRE(ended);
}
