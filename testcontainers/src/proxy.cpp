#include "testcontainers/proxy.hpp"

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <functional>
#include <future>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "ports.hpp"
#include "proxy_link.hpp"

namespace kafkawire::testing {
namespace {

using detail::proxy_clock;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in parse_address(const std::string& text) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    const auto colon = text.rfind(':');
    std::uint16_t port = 0;
    if (colon != std::string::npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    if (port == 0 || ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &out.sin_addr) != 1)
        throw std::invalid_argument("a proxy's target is an IPv4 address and a port, not '" + text + "'");
    out.sin_port = htons(port);
    return out;
}

}  // namespace

struct proxy::impl {
    std::unique_ptr<detail::reserved_port> reserved;  // if the port is of our own choice
    std::uint16_t port = 0;
    detail::unique_fd listener, wake;
    detail::proxy_rules rules;
    proxy_counts counts;
    std::list<detail::proxy_link> links;
    std::mutex mutex;  // guards `calls`; all else belongs to the thread once it runs
    std::list<std::packaged_task<void()>> calls;
    bool ended = false;
    std::thread thread;

    impl(const std::string& target, std::uint16_t wanted) : port(wanted) {
        rules.target = parse_address(target);
        if (port == 0) {
            reserved = std::make_unique<detail::reserved_port>();
            port = reserved->number();
        }
        wake = detail::unique_fd{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
        if (!wake) fail("eventfd");
        listen();
        thread = std::thread([this] { loop(); });
    }

    ~impl() {
        call([this] { ended = true; });
        thread.join();
    }

    void listen() {
        listener = detail::unique_fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        const int on = 1;  // a port that was refused for a while has connections in TIME_WAIT
        ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_port = htons(port);
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 || ::listen(listener.get(), 128) != 0)
            fail("proxy: listen");
    }

    // Runs a function in the proxy's thread and waits for it; what it throws comes back to the caller.
    void call(std::function<void()> f) {
        std::packaged_task<void()> task(std::move(f));
        auto done = task.get_future();
        {
            const std::lock_guard lock(mutex);
            calls.push_back(std::move(task));
        }
        const std::uint64_t one = 1;
        (void)!::write(wake.get(), &one, sizeof one);
        done.get();
    }

    void run_calls() {
        std::uint64_t ignored;
        (void)!::read(wake.get(), &ignored, sizeof ignored);
        for (;;) {
            std::list<std::packaged_task<void()>> next;
            {
                const std::lock_guard lock(mutex);
                if (calls.empty()) return;
                next.splice(next.begin(), calls, calls.begin());
            }
            next.front()();
        }
    }

    void accept_all() {
        for (;;) {
            detail::unique_fd peer{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            if (!peer) return;
            links.emplace_back(std::move(peer), rules, counts);
        }
    }

    void loop() {
        std::vector<pollfd> fds;
        while (!ended) {
            auto now = proxy_clock::now();
            fds.assign({{wake.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}});
            auto next = proxy_clock::time_point::max();
            for (auto& l : links) {
                l.add_to(fds, now);
                next = std::min(next, l.next_due(now));
            }
            timespec limit{};
            if (next != proxy_clock::time_point::max()) {
                const auto left = std::max(proxy_clock::duration::zero(), next - now);
                limit.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
                limit.tv_nsec = std::chrono::nanoseconds(left).count() % 1'000'000'000;
            }
            if (::ppoll(fds.data(), fds.size(), next == proxy_clock::time_point::max() ? nullptr : &limit, nullptr) < 0) continue;
            now = proxy_clock::now();
            for (auto& l : links) l.step(fds, now);
            // Only now: calls and new connections change the rules and the list that this round was built on.
            if (fds[0].revents) run_calls();
            if (fds[1].revents && listener) accept_all();
            links.remove_if([](const detail::proxy_link& l) { return l.finished(); });
        }
        links.clear();
    }

    detail::flow_rules& at(flow f) { return rules.flows[static_cast<std::size_t>(f)]; }
    void each(const std::function<void(detail::proxy_link&)>& f) {
        for (auto& l : links) f(l);
    }
    void set_refuse(bool on) {
        rules.refuse = on;
        if (on) {
            listener.reset();
        } else if (!listener) {
            listen();
        }
    }
    void set_ignore(bool on) {
        rules.ignore_new = on;
        if (!on) each([](auto& l) { l.dial(); });
    }
};

proxy::proxy(const std::string& target, std::uint16_t port) : impl_(std::make_unique<impl>(target, port)) {}
proxy::~proxy() = default;

std::uint16_t proxy::port() const { return impl_->port; }
std::string proxy::address() const { return "127.0.0.1:" + std::to_string(impl_->port); }
void proxy::target(const std::string& address) {
    impl_->call([this, to = parse_address(address)] { impl_->rules.target = to; });
}
void proxy::delay(flow f, std::chrono::milliseconds by) {
    impl_->call([=, this] { impl_->at(f).delay = by; });
}
void proxy::throttle(flow f, double bytes_per_second) {
    impl_->call([=, this] { impl_->at(f).rate = bytes_per_second; });
}
void proxy::hold(flow f, bool on) {
    impl_->call([=, this] { impl_->at(f).hold = on; });
}
void proxy::black_hole(bool on) {
    impl_->call([=, this] { impl_->at(flow::to_server).hold = impl_->at(flow::to_client).hold = on; });
}
void proxy::drop(flow f, bool on) {
    impl_->call([=, this] {
        impl_->at(f).drop = on;
        impl_->each([](auto& l) { l.reset_if_lossy(); });
    });
}
void proxy::cut(ending how) {
    impl_->call([=, this] { impl_->each([=](auto& l) { l.cut(how); }); });
}
void proxy::cut_after(flow f, std::uint64_t bytes, ending how) {
    impl_->call([=, this] {
        const detail::flow_rules::cut rule{bytes, how};
        impl_->at(f).cut_after = rule;
        impl_->each([&](auto& l) { l.cut_after(f, rule); });
    });
}
void proxy::half_open(side stays) {
    impl_->call([=, this] { impl_->each([=](auto& l) { l.half_open(stays); }); });
}
void proxy::refuse(bool on) {
    impl_->call([=, this] { impl_->set_refuse(on); });
}
void proxy::ignore_new(bool on) {
    impl_->call([=, this] { impl_->set_ignore(on); });
}
void proxy::heal() {
    impl_->call([this] {
        impl_->rules.flows = {};
        impl_->each([](auto& l) {
            l.lift_cuts();
            l.reset_if_lossy();
            l.reset_if_half_open();
        });
        impl_->set_refuse(false);
        impl_->set_ignore(false);
    });
}
proxy_counts proxy::counts() const {
    proxy_counts out;
    impl_->call([&] { out = impl_->counts; });
    return out;
}

}  // namespace kafkawire::testing
