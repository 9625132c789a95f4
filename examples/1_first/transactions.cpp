// Books payments: each makes a record in two topics, or in none. `transactions BROKERS FROM TO`, for example
// `transactions "embedded:3?topics=accounts:3,receipts:3" accounts receipts`, needs no broker.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>

#include <kafkawire/broker.hpp>
#include <kafkawire/transaction.hpp>

using namespace std::chrono_literals;

// What this does not bring to its end (an exception, a return) is aborted by the end of `tx`.
asio::awaitable<void> book(kw::producer& producer, std::string accounts, std::string receipts, int amount) {
    kw::transaction tx = co_await producer.async_begin_transaction(asio::use_awaitable);
    const auto minus = std::to_string(-amount), text = "paid " + std::to_string(amount);
    co_await producer.async_enqueue({.topic = accounts, .key = "alice", .value = minus}, asio::use_awaitable);
    if (amount > 100) throw std::runtime_error{"too much at a time"};
    co_await producer.async_enqueue({.topic = receipts, .key = "alice", .value = text}, asio::use_awaitable);
    co_await tx.async_commit(asio::use_awaitable);  // waits for both
}

asio::awaitable<void> run(kw::client& client, std::string accounts, std::string receipts) {
    kw::producer_options options;
    options.transactional_id = "bookkeeper-1";  // of its own for each process that runs at a time; the next one of that name fences this one
    kw::producer producer{client, options};
    for (const int amount : {10, 1000, 20}) {
        try {
            co_await book(producer, accounts, receipts, amount);
            std::cout << amount << ": committed\n";
        } catch (const std::system_error& e) {
            std::cout << amount << ": " << e.what() << '\n';
            if (e.code() == kw::condition::fatal) throw;  // a new producer is needed, or another one has the work
        } catch (const std::exception& e) {
            std::cout << amount << ": aborted, " << e.what() << '\n';
        }
    }
    co_await producer.async_close(10s, asio::use_awaitable);
}

int main(int argc, char** argv) {
    if (argc != 4) return std::cerr << "usage: transactions BROKERS ACCOUNTS RECEIPTS\n", 2;
    kw::broker::register_embedded_scheme();
    asio::io_context io;
    kw::client client{io, {.bootstrap = argv[1]}};
    int failed = 0;
    asio::co_spawn(io, run(client, argv[2], argv[3]), [&](std::exception_ptr failure) {
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
