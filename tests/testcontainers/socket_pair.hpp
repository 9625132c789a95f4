// A client and a server, by plain sockets, for looking at a proxy from both sides. Every wait has a limit, so that no test hangs.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include "catch.hpp"

namespace sockets {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

inline sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(port);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

// What a read ended with.
struct outcome {
    std::string bytes;
    bool eof = false, reset = false;  // neither: the time was up, or all that was wanted is there
};

class stream {
public:
    explicit stream(int fd) : fd_(fd) {}
    stream(stream&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
    ~stream() { close(); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }
    void shutdown() { ::shutdown(fd_, SHUT_WR); }
    int fd() const { return fd_; }

    // False if the connection is gone.
    bool write(const std::string& bytes) {
        return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }
    // As many bytes as go without waiting.
    std::size_t write_most(std::size_t limit) {
        std::size_t total = 0;
        const std::string block(65536, 'x');
        while (total < limit) {
            const auto n = ::send(fd_, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n <= 0) break;
            total += static_cast<std::size_t>(n);
        }
        return total;
    }
    outcome read(std::size_t want, std::chrono::milliseconds limit = 5s) {
        outcome out;
        const auto deadline = steady::now() + limit;
        while (out.bytes.size() < want) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady::now()).count();
            pollfd p{fd_, POLLIN, 0};
            if (left <= 0 || ::poll(&p, 1, static_cast<int>(left)) <= 0) return out;
            std::array<char, 65536> buffer;
            const auto n = ::recv(fd_, buffer.data(), std::min(buffer.size(), want - out.bytes.size()), 0);
            out.eof = n == 0;
            out.reset = n < 0 && errno == ECONNRESET;
            if (n <= 0) return out;
            out.bytes.append(buffer.data(), static_cast<std::size_t>(n));
        }
        return out;
    }
    // Until the end of the stream.
    outcome read_end(std::chrono::milliseconds limit = 5s) { return read(std::size_t(1) << 40, limit); }

private:
    int fd_;
};

class server {
public:
    server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        auto here = loopback(0);
        REQUIRE(::bind(fd_, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
        REQUIRE(::listen(fd_, 16) == 0);
        socklen_t size = sizeof here;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&here), &size);
        address_ = "127.0.0.1:" + std::to_string(ntohs(here.sin_port));
    }
    ~server() { ::close(fd_); }
    const std::string& address() const { return address_; }
    bool someone_waits(std::chrono::milliseconds limit) {
        pollfd p{fd_, POLLIN, 0};
        return ::poll(&p, 1, static_cast<int>(limit.count())) > 0;
    }
    stream accept() {
        REQUIRE(someone_waits(5s));
        return stream{::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC)};
    }

private:
    int fd_;
    std::string address_;
};

// A connection to a port of 127.0.0.1, or errno in `error`.
inline stream connect(std::uint16_t port, int* error = nullptr) {
    stream s{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto to = loopback(port);
    const int failed = ::connect(s.fd(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 ? 0 : errno;
    if (error) {
        *error = failed;
    } else {
        REQUIRE(failed == 0);
    }
    return s;
}

}  // namespace sockets
