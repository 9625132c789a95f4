// A loop in real time on which a test's coroutines run.
#pragma once

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>

#include <chrono>
#include <exception>

#include "catch.hpp"

struct running {
    asio::io_context io;

    // Runs one to its end, which must come within 20 s; throws what it throws.
    template <class F>
    void run(F f) {
        std::exception_ptr thrown;
        bool ended = false;
        asio::co_spawn(io, std::move(f), [&](std::exception_ptr e) {
            thrown = e;
            ended = true;
            io.stop();
        });
        io.restart();
        io.run_for(std::chrono::seconds{20});
        if (thrown) std::rethrow_exception(thrown);
        REQUIRE(ended);
    }
};
