// A TCP proxy that misbehaves on request: it stands between a client and a broker, in a thread of its own in the test process, and
// delays, throttles, withholds, loses and cuts what passes. Every change applies to the connections that are open as well, and
// is in force when the call returns.
//
//     kw::testing::proxy p{"127.0.0.1:9092"};
//     client.connect(p.address());
//     p.cut_after(flow::to_client, 10, ending::reset);    // the answer breaks off in the middle of its header
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <kafkawire/version.hpp>

namespace kafkawire::testing {

enum class flow { to_server, to_client };  // the way that bytes go
enum class side { client, server };
enum class ending {
    orderly,  // FIN: the peer reads an end of stream
    reset     // RST: the peer's next call fails, after it has read what came before
};

// Counted since the proxy was made. `received` is what was read from the sender, `forwarded` what was given to the receiver.
struct proxy_counts {
    std::uint64_t accepted = 0;     // connections
    std::uint64_t open = 0;         // of them, now
    std::uint64_t unreachable = 0;  // of them, those for which the target could not be reached; the client saw a reset
    std::uint64_t cut = 0;          // of them, ended by a rule
    struct bytes {
        std::uint64_t received = 0, forwarded = 0, dropped = 0;
    } to_server, to_client;
};

// Safe to use from several threads. Functions that take a flow rule that direction of every connection, present and future, each
// connection for itself. Destroying the proxy resets its connections.
class proxy {
public:
    // Listens on 127.0.0.1, on a free port or the given one, and forwards to `target` ("ip:port"). Throws std::invalid_argument for a
    // target that is not an IPv4 address with a port, std::system_error if it cannot listen.
    explicit proxy(const std::string& target, std::uint16_t port = 0);
    proxy(const proxy&) = delete;
    proxy& operator=(const proxy&) = delete;
    ~proxy();

    std::string address() const;  // "127.0.0.1:port", for the client
    std::uint16_t port() const;
    // Where connections made from now on go.
    void target(const std::string& address);

    // Every byte (and the end of the stream) arrives that much later; order and rate stay. Zero ends it.
    void delay(flow f, std::chrono::milliseconds by);
    // At most so many bytes a second: 1 is a trickle, a byte at a time. Zero ends it.
    void throttle(flow f, double bytes_per_second);
    // Black hole: nothing is read and nothing is passed on, not even an end of the stream, as when packets are lost on the way. The sender
    // soon finds its buffers full. Nothing is lost for good: when the hold ends, what was sent arrives.
    void hold(flow f, bool on = true);
    void black_hole(bool on = true);  // hold, both ways
    // Reads and throws away: the sender believes that it was heard. No network lets later bytes follow lost ones, so
    // a connection that has lost any is reset when the drop ends.
    void drop(flow f, bool on = true);

    // Ends all connections now.
    void cut(ending how);
    // Ends each connection as soon as it has passed so many bytes in that direction, counted from now, or from its beginning. Exactly so
    // many are passed. Holds for every connection to come, until lifted by heal() or replaced.
    void cut_after(flow f, std::uint64_t bytes, ending how);
    // Closes one side of every open connection and leaves `stays` in the belief that it still is there, as after a crash
    // of its peer: what it sends is swallowed, and nothing ever comes. Reset by heal().
    void half_open(side stays);

    // Connecting is refused (the port is closed); open connections stay.
    void refuse(bool on = true);
    // Connecting succeeds and then nothing happens: the target hears of it only when this ends.
    void ignore_new(bool on = true);

    // Ends all of the above.
    void heal();

    proxy_counts counts() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace kafkawire::testing
