#include "ports.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>

namespace kafkawire::testing::detail {
namespace {

// A name in the abstract socket namespace has one owner and vanishes with it: a lock that needs no cleaning up.
unique_fd claim(std::uint16_t port) {
    unique_fd fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const auto text = "kafkawire-port-" + std::to_string(port);
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) != 0) return {};
    return fd;
}

bool is_free(std::uint16_t port) {
    const unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

reserved_port::reserved_port() {
    int first_ephemeral = 32768;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first_ephemeral;
    if (first_ephemeral < 12000) first_ephemeral = 32768;
    std::random_device random;
    std::uniform_int_distribution<int> any(10240, first_ephemeral - 1);
    for (int attempt = 0; attempt < 1000; ++attempt) {
        const auto port = static_cast<std::uint16_t>(any(random));
        auto held = claim(port);
        if (!held || !is_free(port)) continue;
        claim_ = std::move(held);
        number_ = port;
        return;
    }
    throw std::runtime_error("no free TCP port found on 127.0.0.1");
}

}  // namespace kafkawire::testing::detail
