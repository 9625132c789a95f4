// A Kafka connection without a client: one blocking socket, requests out, responses in, in order. For the floor benchmark and for tests that
// want a certain version of a request.
#pragma once
#include <kafkawire/protocol/byte_buffer.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace blocking {

using namespace kafkawire::protocol;

[[noreturn]] inline void fail(const std::string& why) { throw std::runtime_error{why}; }

class connection {
public:
    /// "host:port". Asks for the versions that the broker speaks. Throws std::runtime_error, as everything here does; also when nothing comes
    /// for `patience`. Zero: for ever.
    explicit connection(const std::string& address, std::chrono::milliseconds patience = std::chrono::milliseconds{0}) {
        const auto colon = address.rfind(':');
        if (colon == std::string::npos) fail("no port in " + address);
        const auto host = address.substr(0, colon), port = address.substr(colon + 1);
        addrinfo hints{}, *found = nullptr;
        hints.ai_socktype = SOCK_STREAM;
        if (getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) fail("no address for " + host);
        for (auto* a = found; a && fd_ < 0; a = a->ai_next) {
            fd_ = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
            if (fd_ >= 0 && connect(fd_, a->ai_addr, a->ai_addrlen) != 0) {
                close(fd_);
                fd_ = -1;
            }
        }
        freeaddrinfo(found);
        if (fd_ < 0) fail("no connection to " + host + ":" + port);
        const timeval limit{patience.count() / 1000, patience.count() % 1000 * 1000};
        setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const int on = 1;
        setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const auto answer = call(messages::api_versions_request{}, 0);
        for (const auto& k : answer.api_keys) versions_.emplace_back(k.api_key, version_range{k.min_version, k.max_version});
    }
    ~connection() { close(fd_); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    /// The highest version that the broker and we speak, at most `cap`.
    template <class Request>
    std::int16_t version(std::int16_t cap = no_upper_version) const {
        for (const auto& [key, range] : versions_)
            if (key == Request::key) return std::min({range.highest, Request::versions.highest, cap});
        fail("the broker does not know API " + std::to_string(Request::key));
    }
    template <class Request>
    void send(const Request& request, std::int16_t version) {
        frame_.own.clear();
        frame_.splices.clear();
        if (auto e = encode_request(request, version, correlation_++, "floor", frame_)) fail(e.message());
        iov_.clear();
        for (const auto& part : frame_.parts()) iov_.push_back({const_cast<std::byte*>(part.data()), part.size()});
        for (std::size_t i = 0; i < iov_.size();) {
            auto n = writev(fd_, iov_.data() + i, static_cast<int>(std::min<std::size_t>(iov_.size() - i, 64)));
            if (n <= 0) fail("the connection broke while writing");
            while (i < iov_.size() && static_cast<std::size_t>(n) >= iov_[i].iov_len) n -= static_cast<ssize_t>(iov_[i++].iov_len);
            if (n) iov_[i] = {static_cast<std::byte*>(iov_[i].iov_base) + n, iov_[i].iov_len - static_cast<std::size_t>(n)};
        }
    }
    /// The next response; its records are views until the next one is read.
    template <class Request>
    typename Request::response receive(std::int16_t version) {
        std::byte size[4];
        read_all(size, 4);
        std::size_t n = 0;
        for (auto b : size) n = n << 8 | std::to_integer<std::size_t>(b);
        if (n > (std::size_t{200} << 20)) fail("a response of " + std::to_string(n) + " bytes");
        in_.clear();
        read_all(in_.room(n), n);
        in_.set_size(n);
        messages::response_header header;
        std::size_t body = 0;
        if (auto e = decode_response_header(header, in_.view(), Request::key, version, body)) fail(e.message());
        typename Request::response out;
        if (auto e = decode(out, in_.view().subspan(body), version)) fail(e.message());
        return out;
    }
    template <class Request>
    typename Request::response call(const Request& request, std::int16_t version) {
        send(request, version);
        return receive<Request>(version);
    }

private:
    void read_all(std::byte* to, std::size_t n) {
        while (n) {
            const auto got = recv(fd_, to, n, MSG_WAITALL);
            if (got <= 0) fail("the connection broke while reading");
            to += got;
            n -= static_cast<std::size_t>(got);
        }
    }
    int fd_ = -1;
    std::int32_t correlation_ = 0;
    std::vector<std::pair<std::int16_t, version_range>> versions_;
    scatter frame_;
    std::vector<iovec> iov_;
    byte_buffer in_;
};

}  // namespace blocking
