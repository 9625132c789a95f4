// What the examples of this folder have in common: they run against BROKERS, "embedded:1?topics=orders:3" needing none, and fill their topic first.
#pragma once
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>
#include <map>

#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>

using namespace std::chrono_literals;

/// Runs what(client, arguments behind BROKERS) to its end. The program's result.
template <class F>
int run(int argc, char** argv, int count, const char* usage, F what) {
    if (argc != count + 1) return std::cerr << "usage: " << usage << '\n', 2;
    kw::broker::register_embedded_scheme();
    asio::io_context io;
    kw::client client{io, {.bootstrap = argv[1]}};
    int failed = 0;
    asio::co_spawn(io, what(client, std::vector<std::string>(argv + 2, argv + argc)), [&](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const std::exception& e) {
            std::cerr << e.what() << '\n';
            failed = 1;
        }
        client.async_close(asio::detached);
    });
    io.run();
    return failed;
}

inline asio::awaitable<void> fill(kw::client& client, std::string topic, int count) {
    kw::producer producer{client};
    for (int i = 0; i < count; ++i) {
        const auto key = std::to_string(i);
        co_await producer.async_enqueue({.topic = topic, .key = key, .value = "order"}, asio::use_awaitable);
    }
    co_await producer.async_close(10s, asio::use_awaitable);
}

/// Everything that is there has been handed out.
inline bool at_end(const kw::consumer& of) {
    const auto all = of.readings();
    for (const auto& p : all)
        if (p.lag != 0) return false;
    return !all.empty();
}

struct crash : std::runtime_error {
    crash() : std::runtime_error{"crash"} {}
};

/// The work of these examples, done by a process that dies in the middle of it, once.
struct work {
    std::map<std::string, int> done;
    int left_until_crash = 250;

    void operator()(const kw::record_view& r) {
        if (--left_until_crash == 0) throw crash{};
        ++done[std::string{r.key.text()}];
    }
    void report(int of) const {
        int twice = 0;
        for (const auto& [key, times] : done) twice += times > 1;
        std::cout << of - static_cast<int>(done.size()) << " left out, " << twice << " done twice\n";
    }
};
