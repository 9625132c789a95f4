#include "proxy_link.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

namespace kafkawire::testing::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_queued = 4 << 20;  // per direction; beyond it the sender has to wait, as in a real pipe
constexpr auto never = proxy_clock::time_point::max();

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void close_with_reset(unique_fd& fd) {
    if (!fd) return;
    const linger at_once{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    fd.reset();
}

// Whether all that was written to the socket has reached the peer's kernel.
bool delivered(const unique_fd& fd) {
    int left = 0;
    return !fd || ::ioctl(fd.get(), SIOCOUTQ, &left) != 0 || left == 0;
}

}  // namespace

proxy_link::proxy_link(unique_fd client, const proxy_rules& rules, proxy_counts& counts)
    : all_rules_(rules), counts_(counts), client_(std::move(client)) {
    ++counts_.accepted;
    ++counts_.open;
    no_delay(client_.get());
    for (flow f : {flow::to_server, flow::to_client}) at(f).refilled = proxy_clock::now();
    if (!rules.ignore_new) dial();
    for (flow f : {flow::to_server, flow::to_client})
        if (auto& c = rules.flows[static_cast<std::size_t>(f)].cut_after) cut_after(f, *c);
}

proxy_link::~proxy_link() {
    if (state_ != state::closed) reset();
    --counts_.open;
}

void proxy_link::dial() {
    if (state_ != state::ignored) return;
    state_ = state::connecting;
    server_ = unique_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    no_delay(server_.get());
    if (::connect(server_.get(), reinterpret_cast<const sockaddr*>(&all_rules_.target), sizeof all_rules_.target) != 0 &&
        errno != EINPROGRESS) {
        ++counts_.unreachable;
        reset();
    }
}

void proxy_link::finish_connecting(short events) {
    if (!(events & (POLLOUT | POLLERR | POLLHUP))) return;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(server_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        ++counts_.unreachable;
        return reset();
    }
    state_ = state::open;
}

bool proxy_link::wants_read(flow f) const {
    const auto& p = at(f);
    return state_ == state::open && socket(source(f)) && !p.read_end && !rules(f).hold && p.queued < most_queued;
}

// When the head of the queue may go, or nothing if there is none or it is held.
std::optional<proxy_clock::time_point> proxy_link::due(flow f, proxy_clock::time_point now) const {
    const auto& p = at(f);
    if (p.queue.empty() || rules(f).hold || state_ != state::open) return std::nullopt;
    auto when = p.queue.front().due;
    if (rules(f).rate > 0 && !p.queue.front().bytes.empty()) {
        const auto held = p.allowance + rules(f).rate * std::chrono::duration<double>(now - p.refilled).count();
        if (held < 1)
            when =
                std::max(when, now + std::chrono::ceil<proxy_clock::duration>(std::chrono::duration<double>((1 - held) / rules(f).rate)));
    }
    return when;
}

bool proxy_link::may_write(flow f, proxy_clock::time_point now) const {
    const auto when = due(f, now);
    return when && *when <= now;
}

proxy_clock::time_point proxy_link::next_due(proxy_clock::time_point now) const {
    if (state_ == state::flushing) return std::min(deadline_, now + 1ms);
    if (state_ == state::ending) return deadline_;
    auto next = never;
    for (flow f : {flow::to_server, flow::to_client})
        if (auto when = due(f, now); when && *when > now) next = std::min(next, *when);  // what is due already waits for its socket
    return next;
}

void proxy_link::add_to(std::vector<pollfd>& fds, proxy_clock::time_point now) {
    place_ = fds.size();
    for (side s : {side::client, side::server}) {
        const flow reads = s == side::client ? flow::to_server : flow::to_client;
        const flow writes = s == side::client ? flow::to_client : flow::to_server;
        short events = 0;
        if (wants_read(reads)) events |= POLLIN;
        if (may_write(writes, now)) events |= POLLOUT;
        if (state_ == state::connecting && s == side::server) events |= POLLOUT;
        if (state_ == state::ending || state_ == state::half_open) events |= POLLIN;
        fds.push_back({events ? socket(s).get() : -1, events, 0});
    }
}

void proxy_link::step(const std::vector<pollfd>& fds, proxy_clock::time_point now) {
    const short events[2] = {fds[place_].revents, fds[place_ + 1].revents};
    switch (state_) {
        case state::ignored:
        case state::closed: return;
        case state::connecting: return finish_connecting(events[1]);
        case state::flushing:
            if ((delivered(client_) && delivered(server_)) || now >= deadline_) reset();
            return;
        case state::ending:
            if (events[0]) swallow(side::client);
            if (events[1]) swallow(side::server);
            if ((!client_ && !server_) || now >= deadline_) reset();
            return;
        case state::half_open:
            if (events[0]) swallow(side::client);
            if (events[1]) swallow(side::server);
            if (!client_ && !server_) reset();
            return;
        case state::open: break;
    }
    for (flow f : {flow::to_server, flow::to_client}) {
        const auto from = static_cast<std::size_t>(source(f));
        if (wants_read(f) && (events[from] & (POLLIN | POLLERR | POLLHUP))) read(f, now);
        refill(f, now);
        if (may_write(f, now)) write(f, now);
        if (state_ != state::open) return;
    }
    if (at(flow::to_server).sent_end && at(flow::to_client).sent_end) {
        client_.reset();
        server_.reset();
        state_ = state::closed;
    }
}

void proxy_link::refill(flow f, proxy_clock::time_point now) {
    auto& p = at(f);
    const auto rate = rules(f).rate;
    // At most 50 ms' worth is saved up, so that a quiet time does not end in a burst.
    if (rate > 0)
        p.allowance = std::min(p.allowance + rate * std::chrono::duration<double>(now - p.refilled).count(), std::max(1.0, rate / 20));
    p.refilled = now;
}

void proxy_link::read(flow f, proxy_clock::time_point now) {
    auto& p = at(f);
    std::vector<char> bytes(65536);
    const auto n = ::recv(socket(source(f)).get(), bytes.data(), bytes.size(), 0);
    if (n < 0) {
        if (!would_block()) reset();  // a reset on one side is a reset on the other
        return;
    }
    p.read_end = n == 0;
    counted(f).received += static_cast<std::uint64_t>(n);
    if (rules(f).drop) {
        counted(f).dropped += static_cast<std::uint64_t>(n);
        p.lost = true;
        return;
    }
    bytes.resize(static_cast<std::size_t>(n));
    p.queued += bytes.size();
    p.queue.push_back({std::move(bytes), 0, now + rules(f).delay});
}

void proxy_link::write(flow f, proxy_clock::time_point now) {
    auto& p = at(f);
    auto& to = socket(sink(f));
    while (may_write(f, now)) {
        auto& head = p.queue.front();
        if (head.bytes.empty()) {
            ::shutdown(to.get(), SHUT_WR);
            p.sent_end = true;
            p.queue.pop_front();
            continue;
        }
        auto size = head.bytes.size() - head.at;
        if (rules(f).rate > 0) size = std::min(size, static_cast<std::size_t>(p.allowance));
        if (p.cut) size = std::min<std::size_t>(size, p.cut->bytes);
        const auto n = ::send(to.get(), head.bytes.data() + head.at, size, MSG_NOSIGNAL);
        if (n < 0) {
            if (!would_block()) reset();
            return;
        }
        const auto sent = static_cast<std::size_t>(n);
        counted(f).forwarded += sent;
        head.at += sent;
        p.queued -= sent;
        p.allowance -= rules(f).rate > 0 ? static_cast<double>(sent) : 0;
        if (head.at == head.bytes.size()) p.queue.pop_front();
        if (p.cut && (p.cut->bytes -= sent) == 0) return cut(p.cut->how);
    }
}

void proxy_link::swallow(side s) {
    std::array<char, 65536> bytes;
    const auto n = ::recv(socket(s).get(), bytes.data(), bytes.size(), 0);
    if (n > 0) counted(s == side::client ? flow::to_server : flow::to_client).dropped += static_cast<std::uint64_t>(n);
    if (n == 0 || (n < 0 && !would_block())) socket(s).reset();
}

void proxy_link::reset() {
    close_with_reset(client_);
    close_with_reset(server_);
    state_ = state::closed;
}

void proxy_link::cut(ending how) {
    if (state_ == state::closed || state_ == state::flushing || state_ == state::ending) return;
    ++counts_.cut;
    if (how == ending::reset) {
        state_ = state::flushing;
        deadline_ = proxy_clock::now() + 200ms;
        return;
    }
    for (auto* fd : {&client_, &server_})
        if (*fd) ::shutdown(fd->get(), SHUT_WR);
    state_ = state::ending;
    deadline_ = proxy_clock::now() + 10s;
}

void proxy_link::cut_after(flow f, flow_rules::cut c) {
    at(f).cut = c;
    if (c.bytes == 0) cut(c.how);
}

void proxy_link::lift_cuts() {
    for (auto& p : pipes_) p.cut.reset();
}

void proxy_link::half_open(side stays) {
    if (state_ != state::open && state_ != state::connecting) return;
    auto& gone = socket(stays == side::client ? side::server : side::client);
    gone.reset();
    if (stays == side::client || state_ == state::open) state_ = state::half_open;
    if (state_ != state::half_open) reset();  // there never was a server to stay
}

void proxy_link::reset_if_lossy() {
    for (flow f : {flow::to_server, flow::to_client})
        if (at(f).lost && !rules(f).drop) reset();
}

void proxy_link::reset_if_half_open() {
    if (state_ == state::half_open) reset();
}

}  // namespace kafkawire::testing::detail
