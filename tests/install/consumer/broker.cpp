// A program that uses the embedded cluster: two clients name the same address and see the same two nodes.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include <kafkawire/broker.hpp>
#include <kafkawire/client.hpp>

int main() {
    asio::io_context io;
    kw::broker::register_embedded_scheme();
    const auto address = "embedded:2?topics=orders:6";
    kw::client one{io, {.bootstrap = address}}, other{io, {.bootstrap = address}};
    int seen = 0;
    for (auto* client : {&one, &other})
        asio::co_spawn(
            io,
            [&, client]() -> asio::awaitable<void> {
                const std::vector<std::string> topics{"orders"};
                auto cluster = co_await client->async_metadata(topics, kw::detailed(asio::use_awaitable));
                seen += static_cast<int>(10 * cluster.brokers.size() + cluster.topics.at(0).partitions.size());
                if (seen == 52) std::printf("%s\n", kw::broker::embedded_control(address, io.get_executor())->view().cluster_id.c_str());
                client->async_close(asio::detached);
            },
            asio::detached);
    io.run();
    std::printf("%d\n", seen);
    return seen == 52 && !kw::broker::embedded_control(address, io.get_executor()) ? 0 : 1;
}
