// What a client or a broker needs of the world: clocks, timers, sockets, a resolver, randomness. Everything that kafkawire does outside its own memory
// goes through here. There are two implementations: Asio's (make_asio_environment) and the simulated one, in which a whole cluster runs in
// virtual time. Own ones may be written.
//
// Rules for all of it:
// - One environment belongs to one executor (a thread, or a strand); nothing here is thread-safe.
// - A callback never runs inside the call that it was given to.
// - A callback, and with it everything that it owns, is destroyed as soon as the operation no longer touches the caller's buffers.
//   So buffers are kept alive by capturing their owner.
// - After close() the callbacks of a socket run with an error. After the object's destruction they do not run any more.
#pragma once
#include <kafkawire/detail/function.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace kafkawire::net {

using time_point = std::chrono::steady_clock::time_point;
using wall_time = std::chrono::system_clock::time_point;

/// An IPv4 or IPv6 address; an IPv4 one uses the first four octets. A value.
struct ip_address {
    std::array<std::uint8_t, 16> octets{};
    bool v6 = false;
    std::uint32_t scope = 0;  ///< of a link-local IPv6 address: the interface

    [[nodiscard]] KAFKAWIRE_API std::string to_string() const;
    /// Of "127.0.0.1", "::1", "fe80::1%2"; nothing if the text is no address.
    [[nodiscard]] KAFKAWIRE_API static std::optional<ip_address> parse(std::string_view text);
    friend bool operator==(const ip_address&, const ip_address&) = default;
};

/// An address and a port.
struct endpoint {
    ip_address address;
    std::uint16_t port = 0;

    /// "127.0.0.1:9092", "[::1]:9092"
    [[nodiscard]] KAFKAWIRE_API std::string to_string() const;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// Calls the function that it was made with at the time it is set to. One time at a time; destroying it forgets that.
class timer {
public:
    virtual ~timer() = default;
    /// Replaces the time set before. A time in the past fires soon, not inline.
    virtual void set(time_point at) = 0;
    virtual void clear() = 0;
};

/// A byte stream to one peer. At most one read and one write at a time.
class stream {
public:
    using connect_handler = unique_function<void(std::error_code)>;
    using read_handler = unique_function<void(std::error_code, std::size_t)>;
    using write_handler = unique_function<void(std::error_code)>;

    virtual ~stream() = default;
    /// Connects, without Nagle's delay and with keep-alive where there are such things.
    virtual void async_connect(const endpoint& to, connect_handler done) = 0;
    /// Reads at least one byte straight into `into`. The end of the stream is errc::connection_closed.
    virtual void async_read_some(std::span<std::byte> into, read_handler done) = 0;
    /// Writes all of the parts, in order, without copying them together. `parts` and what they point to must stay until `done`.
    virtual void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) = 0;
    /// What was written is still delivered. Operations under way end with operation_canceled.
    virtual void close() noexcept = 0;
    /// As close(), but what was written and has not left this machine never does, and the peer sees a reset (RFC 9293, 3.10.5): for requests that are
    /// made again elsewhere, and must not arrive behind their successors. Where there is no such thing: close().
    virtual void reset() noexcept { close(); }
};

/// Takes connections on one address. At most one async_accept at a time.
class acceptor {
public:
    /// The accepted connection (null with an error) and who is at its other end.
    using accept_handler = unique_function<void(std::error_code, std::unique_ptr<stream>, endpoint peer)>;

    virtual ~acceptor() = default;
    /// Binds and listens, once; port 0 lets the system choose. Connections queue from now on. Fails at once: address_in_use and the like.
    virtual std::error_code listen(const endpoint& at) = 0;
    /// Where it listens, with the port that was chosen. Before listen() and after close(): nothing but zeros.
    [[nodiscard]] virtual endpoint local() const = 0;
    /// The stream comes connected, set up as async_connect sets one up. After an error other than that of close() it still listens: a
    /// connection was gone before it was taken, or this process has no descriptor left (pause before the next try).
    virtual void async_accept(accept_handler done) = 0;
    /// Gives the address back; connections that were not accepted are closed. Accepted ones live on.
    virtual void close() noexcept = 0;
};

/// Datagrams to and from one peer, from a fresh random port.
class datagram_socket {
public:
    using receive_handler = unique_function<void(std::error_code, std::size_t)>;

    virtual ~datagram_socket() = default;
    /// Fails at once, or a datagram is on its way: none of this waits.
    virtual std::error_code connect(const endpoint& to) = 0;
    virtual std::error_code send(std::span<const std::byte> datagram) = 0;
    virtual void async_receive(std::span<std::byte> into, receive_handler done) = 0;
};

/// Finds the addresses of a host.
class resolver {
public:
    /// One question under way. Destroying it takes the question back: its callback does not run any more.
    class lookup {
    public:
        virtual ~lookup() = default;
    };
    struct answer {
        std::error_code code;               ///< errc::resolve_failed, or none
        std::string text;                   ///< what went wrong, for a person
        std::vector<ip_address> addresses;  ///< best first
    };
    using handler = unique_function<void(answer)>;

    virtual ~resolver() = default;
    [[nodiscard]] virtual std::unique_ptr<lookup> async_resolve(std::string_view host, handler done) = 0;
};

/// The world. Shared by the clients that were given it.
class environment {
public:
    virtual ~environment() = default;
    [[nodiscard]] virtual time_point now() const noexcept = 0;
    [[nodiscard]] virtual wall_time wall_now() const noexcept = 0;
    /// The same, some milliseconds late where that is cheaper: for the timestamps of records.
    [[nodiscard]] virtual wall_time coarse_wall_now() const noexcept { return wall_now(); }
    /// Nobody outside can foresee these; they name queries and spread retries.
    [[nodiscard]] virtual std::uint64_t random() noexcept = 0;
    /// Runs the function soon, on the environment's executor.
    virtual void post(unique_function<void()> what) = 0;
    [[nodiscard]] virtual std::unique_ptr<timer> make_timer(unique_function<void()> on_fire) = 0;
    [[nodiscard]] virtual std::unique_ptr<stream> make_stream() = 0;
    [[nodiscard]] virtual std::unique_ptr<acceptor> make_acceptor() = 0;
    [[nodiscard]] virtual std::unique_ptr<datagram_socket> make_datagram_socket() = 0;
    /// The resolver for those who bring none. Lives as long as the environment.
    [[nodiscard]] virtual resolver& default_resolver() = 0;
};

}  // namespace kafkawire::net
