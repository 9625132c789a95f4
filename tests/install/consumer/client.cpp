// A program that uses the client: asks a port where nobody listens, and wants a clear error, soon.
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>
#include <cstdio>
#include <string>

#include <kafkawire/client.hpp>

#if defined(__linux__) && !defined(ASIO_HAS_STD_ALIGNED_ALLOC)
#error "this program, whose first include is Asio's, would give memory back in another way than kafkawire takes it"
#endif

int main() {
    asio::io_context io;
    asio::ip::tcp::acceptor taken{io, {asio::ip::address_v4::loopback(), 0}};
    const auto port = std::to_string(taken.local_endpoint().port());
    taken.close();  // now nobody listens there

    kw::client_options options;
    options.bootstrap = "127.0.0.1:" + port;
    options.request_timeout = std::chrono::milliseconds{2000};
    kw::client client{io, options};
    std::string story;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            try {
                auto cluster = co_await client.async_metadata(kw::detailed(asio::use_awaitable));
            } catch (const std::exception& e) {
                story = e.what();
            }
            client.async_close(asio::detached);
        },
        asio::detached);
    io.run();
    std::printf("kafkawire %s: %s\n", kafkawire::version(), story.c_str());
    return story.find(port) != std::string::npos ? 0 : 1;
}
