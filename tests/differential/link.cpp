#include "link.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace differential {

connection::connection(const std::string& address) {
    const auto colon = address.rfind(':');
    if (colon == std::string::npos) throw std::runtime_error("no port in " + address);
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(address.substr(0, colon).c_str(), address.substr(colon + 1).c_str(), &hints, &found) != 0)
        throw std::runtime_error("no address for " + address);
    for (auto* a = found; a && fd_ < 0; a = a->ai_next) {
        fd_ = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd_ >= 0 && connect(fd_, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd_);
            fd_ = -1;
        }
    }
    freeaddrinfo(found);
    if (fd_ < 0) throw std::runtime_error("no connection to " + address);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

connection::~connection() { close(fd_); }

bool connection::send(bytes_view data) {
    while (!data.empty()) {
        const auto n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        data = data.subspan(static_cast<std::size_t>(n));
    }
    return true;
}

no_frame connection::receive(bytes& to, std::chrono::milliseconds limit) {
    std::byte head[4];
    if (const auto why = read_exactly(head, 4, limit); why != no_frame::none) return why;
    std::size_t size = 0;
    for (auto b : head) size = size << 8 | std::to_integer<std::size_t>(b);
    if (size > (std::size_t{64} << 20)) throw std::runtime_error("an answer of " + std::to_string(size) + " bytes");
    to.resize(size);
    return read_exactly(to.data(), size, limit);
}

no_frame connection::read_exactly(std::byte* to, std::size_t n, std::chrono::milliseconds limit) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (n) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd p{fd_, POLLIN, 0};
        if (left.count() <= 0 || poll(&p, 1, static_cast<int>(left.count())) == 0) return no_frame::silent;
        const auto got = recv(fd_, to, n, 0);
        if (got <= 0) return no_frame::closed;
        to += got;
        n -= static_cast<std::size_t>(got);
    }
    return no_frame::none;
}

}  // namespace differential
