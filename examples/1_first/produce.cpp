// Sends records three ways: one that is waited for, many that are only counted, and one whose handler is told. `produce BROKERS TOPIC`, for
// example `produce embedded:3?topics=orders:6 orders`, needs no broker.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>

#include <kafkawire/broker.hpp>
#include <kafkawire/producer.hpp>

using namespace std::chrono_literals;

asio::awaitable<void> ship(kw::client& client, std::string topic) {
    kw::producer producer{client};
    const kw::delivery at = co_await producer.async_send({.topic = topic, .key = "42", .value = "paid"}, asio::use_awaitable);
    std::cout << at.topic << '-' << at.partition << " @ " << at.offset << '\n';

    std::size_t acknowledged = 0;
    producer.on_delivery([&](const kw::delivery_report& r) { acknowledged += r.why ? 0 : r.count; });
    for (int i = 0; i < 1000; ++i) {
        const auto value = "order " + std::to_string(i);
        const kw::record order{.topic = topic, .value = value};
        if (producer.try_send(order)) co_await producer.async_enqueue(order, asio::use_awaitable);  // no room now: wait for some
    }
    producer.async_send({.topic = topic, .value = "last"}, [](std::error_code ec, kw::delivery d) { std::cout << "last: " << (ec ? ec.message() : "in " + std::string{d.topic}) << '\n'; });

    const auto left = co_await producer.async_close(10s, asio::use_awaitable);
    std::cout << acknowledged << " acknowledged, " << left << " left\n";
}

int main(int argc, char** argv) {
    if (argc != 3) return std::cerr << "usage: produce BROKERS TOPIC\n", 2;
    kw::broker::register_embedded_scheme();
    asio::io_context io;
    kw::client client{io, {.bootstrap = argv[1]}};
    int failed = 0;
    asio::co_spawn(io, ship(client, argv[2]), [&](std::exception_ptr failure) {
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
