// Lists the topics of a cluster: one request, one answer, no thread.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <iostream>

#include <kafkawire/client.hpp>

asio::awaitable<void> list_topics(kw::client& client) {
    kw::protocol::messages::metadata_request request;
    request.topics.reset();  // null asks for all topics
    auto cluster = co_await client.async_request(request, kw::detailed(asio::use_awaitable));
    for (const auto& topic : cluster.topics) std::cout << *topic.name << " with " << topic.partitions.size() << " partitions\n";
}

int main(int argc, char** argv) {
    asio::io_context io;
    kw::client client{io, {.bootstrap = argc > 1 ? argv[1] : "localhost:9092"}};
    int status = 0;
    asio::co_spawn(io, list_topics(client), [&](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const std::exception& e) {
            std::cerr << e.what() << '\n';  // what happened, where, why, and what to do about it
            status = 1;
        }
        client.async_close(asio::detached);
    });
    io.run();
    return status;
}
