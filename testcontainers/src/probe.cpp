#include "probe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "process.hpp"

namespace kafkawire::testing::detail {
namespace {

using std::chrono::milliseconds;

[[noreturn]] void fail(const std::string& why) { throw std::runtime_error(why); }

// Waits for a readiness of the socket; the limit is for each step, which is enough for a probe.
void wait_for(int fd, short what, milliseconds limit) {
    pollfd p{fd, what, 0};
    int n;
    do n = ::poll(&p, 1, static_cast<int>(limit.count()));
    while (n < 0 && errno == EINTR);
    if (n == 0) fail("no answer within " + std::to_string(limit.count()) + " ms");
}

unique_fd dial(const std::string& ip, std::uint16_t port, milliseconds limit) {
    unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    ::inet_pton(AF_INET, ip.c_str(), &to.sin_addr);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        if (errno != EINPROGRESS) fail(std::strerror(errno));
        wait_for(fd.get(), POLLOUT, limit);
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) fail(std::strerror(error));
    }
    return fd;
}

std::string read_exactly(int fd, std::size_t size, milliseconds limit) {
    std::string out(size, '\0');
    for (std::size_t at = 0; at < size;) {
        wait_for(fd, POLLIN, limit);
        const auto n = ::recv(fd, out.data() + at, size - at, 0);
        if (n == 0) fail("the node closed the connection");
        if (n < 0 && errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
        if (n > 0) at += static_cast<std::size_t>(n);
    }
    return out;
}

struct cursor {
    std::string_view rest;
    std::string_view take(std::size_t n) {
        if (rest.size() < n) fail("an answer that is too short");
        const auto out = rest.substr(0, n);
        rest.remove_prefix(n);
        return out;
    }
    std::int32_t integer(std::size_t bytes) {
        std::uint32_t v = 0;
        for (const char c : take(bytes)) v = v << 8 | static_cast<unsigned char>(c);
        return bytes == 2 ? static_cast<std::int16_t>(v) : static_cast<std::int32_t>(v);
    }
    std::string text() {  // a length of -1 is null
        const auto n = integer(2);
        return n < 0 ? std::string{} : std::string(take(static_cast<std::size_t>(n)));
    }
};

// Sends a request and gives the body of its answer. The first 4 bytes of a frame are its length, of an answer's payload the correlation id.
std::string ask(int fd, std::string_view frame, milliseconds limit) {
    for (std::size_t at = 0; at < frame.size();) {
        wait_for(fd, POLLOUT, limit);
        const auto n = ::send(fd, frame.data() + at, frame.size() - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) fail(std::strerror(errno));
        if (n > 0) at += static_cast<std::size_t>(n);
    }
    const auto head = read_exactly(fd, 4, limit);
    const auto size = cursor{head}.integer(4);
    if (size < 4 || size > 1 << 20) fail("a frame of " + std::to_string(size) + " bytes: not a Kafka broker");
    const auto payload = read_exactly(fd, static_cast<std::size_t>(size), limit);
    if (payload.substr(0, 4) != frame.substr(8, 4)) fail("an answer to another request");
    return payload.substr(4);
}

using namespace std::string_view_literals;
// clang-format off
//                                length      api key  version  correlation id  client id: null
constexpr auto api_versions_v0 = "\0\0\0\x0a" "\0\x12" "\0\0"   "\0\0\0\1"      "\xff\xff"sv;
constexpr auto metadata_v1     = "\0\0\0\x0e" "\0\x03" "\0\1"   "\0\0\0\2"      "\xff\xff" "\0\0\0\0"sv;    // no topics
// clang-format on

probe_result try_probe(const std::string& ip, std::uint16_t port, milliseconds limit) {
    const auto fd = dial(ip, port, limit);
    const auto versions = ask(fd.get(), api_versions_v0, limit);
    if (const auto error = cursor{versions}.integer(2)) fail("ApiVersions was answered by error " + std::to_string(error));

    const auto metadata = ask(fd.get(), metadata_v1, limit);
    cursor c{metadata};
    probe_result result;
    const auto count = c.integer(4);
    for (std::int32_t i = 0; i < count; ++i) {
        seen_broker b;
        b.id = c.integer(4);
        b.host = c.text();
        b.port = c.integer(4);
        (void)c.text();  // rack
        result.brokers.push_back(std::move(b));
    }
    result.controller = c.integer(4);
    return result;
}

}  // namespace

probe_result probe(const std::string& ip, std::uint16_t port, milliseconds limit) {
    try {
        return try_probe(ip, port, limit);
    } catch (const std::exception& e) {
        probe_result result;
        result.error = e.what();
        return result;
    }
}

bool accepts(const std::string& ip, std::uint16_t port, milliseconds limit) {
    try {
        return static_cast<bool>(dial(ip, port, limit));
    } catch (const std::exception&) {
        return false;
    }
}

}  // namespace kafkawire::testing::detail
