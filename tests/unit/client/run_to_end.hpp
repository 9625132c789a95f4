// Runs a coroutine beside an embedded cluster on one io_context.
#pragma once
#include <kafkawire/testing.hpp>

#include <asio/co_spawn.hpp>

#include "catch.hpp"

/// Until it ends: what it throws is thrown here, and one that does not end in the cluster's time fails the test.
template <class F>
void run_to_end(asio::io_context& io, kw::testing::brokers& kafka, F f) {
    bool ended = false;
    std::exception_ptr thrown;
    asio::co_spawn(io, std::move(f), [&](std::exception_ptr e) {
        ended = true;
        thrown = e;
    });
    const bool in_time = kafka.run_until([&] { return ended; });
    if (thrown) std::rethrow_exception(thrown);
    INFO(kafka.last_requests());
    REQUIRE(in_time);
}
