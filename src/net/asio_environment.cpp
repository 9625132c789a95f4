// Asio's clocks, timers and sockets behind the environment's interface. No decisions.
#include <kafkawire/asio_environment.hpp>
#include <kafkawire/error.hpp>

#include <asio/basic_datagram_socket.hpp>
#include <asio/basic_socket_acceptor.hpp>
#include <asio/basic_stream_socket.hpp>
#include <asio/basic_waitable_timer.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/post.hpp>
#include <asio/write.hpp>
#include <time.h>

#include <algorithm>
#include <random>

#include "net/system_resolver.hpp"

namespace kafkawire::net {

namespace {

using asio::any_io_executor;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, any_io_executor>;
using udp_socket = asio::basic_datagram_socket<asio::ip::udp, any_io_executor>;
using tcp_acceptor = asio::basic_socket_acceptor<asio::ip::tcp, any_io_executor>;
using steady_timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, any_io_executor>;

template <class Protocol>
typename Protocol::endpoint to_asio(const endpoint& e) {
    if (!e.address.v6) {
        asio::ip::address_v4::bytes_type b;
        std::copy_n(e.address.octets.begin(), b.size(), b.begin());
        return {asio::ip::address_v4{b}, e.port};
    }
    asio::ip::address_v6::bytes_type b;
    std::copy_n(e.address.octets.begin(), b.size(), b.begin());
    return {asio::ip::address_v6{b, e.address.scope}, e.port};
}

endpoint from_asio(const asio::ip::tcp::endpoint& e) {
    endpoint to{.address = {}, .port = e.port()};
    if (e.address().is_v6()) {
        const auto v6 = e.address().to_v6();
        std::ranges::copy(v6.to_bytes(), to.address.octets.begin());
        to.address.v6 = true;
        to.address.scope = static_cast<std::uint32_t>(v6.scope_id());
    } else {
        std::ranges::copy(e.address().to_v4().to_bytes(), to.address.octets.begin());
    }
    return to;
}

std::error_code ours(const asio::error_code& ec) {
    if (ec == asio::error::eof) return errc::connection_closed;
    // Asio 1.22 has a category of its own for the system's errors, which std::errc does not compare equal with.
    if (ec.category() == asio::system_category()) return {ec.value(), std::system_category()};
    return ec;
}

class asio_timer final : public timer {
public:
    asio_timer(any_io_executor ex, unique_function<void()> on_fire) : shared_{std::make_shared<shared>(std::move(on_fire))}, timer_{std::move(ex)} {}
    ~asio_timer() override { shared_->alive = false; }
    void set(time_point at) override {
        timer_.expires_at(at);
        // A wait that expired before it was replaced still runs: the number tells it that it is the past.
        timer_.async_wait([s = shared_, number = ++shared_->latest](const asio::error_code& ec) {
            if (!ec && s->alive && number == s->latest) s->on_fire();
        });
    }
    void clear() override {
        ++shared_->latest;
        timer_.cancel();
    }

private:
    struct shared {
        explicit shared(unique_function<void()> f) : on_fire{std::move(f)} {}
        unique_function<void()> on_fire;
        std::uint64_t latest = 0;
        bool alive = true;
    };
    std::shared_ptr<shared> shared_;
    steady_timer timer_;
};

// The parts of a gathering write as Asio wants them: made into buffers as it walks, so that nothing is copied or allocated.
class gathered {
public:
    using value_type = asio::const_buffer;
    class const_iterator {
    public:
        using value_type = asio::const_buffer;
        using difference_type = std::ptrdiff_t;
        using pointer = const asio::const_buffer*;
        using reference = asio::const_buffer;
        using iterator_category = std::random_access_iterator_tag;

        const_iterator() = default;
        explicit const_iterator(const std::span<const std::byte>* at) : at_{at} {}
        asio::const_buffer operator*() const { return {at_->data(), at_->size()}; }
        const_iterator& operator++() { return ++at_, *this; }
        const_iterator operator++(int) { return const_iterator{at_++}; }
        const_iterator& operator--() { return --at_, *this; }
        const_iterator operator--(int) { return const_iterator{at_--}; }
        const_iterator& operator+=(std::ptrdiff_t n) { return at_ += n, *this; }
        const_iterator operator+(std::ptrdiff_t n) const { return const_iterator{at_ + n}; }
        std::ptrdiff_t operator-(const const_iterator& o) const { return at_ - o.at_; }
        bool operator==(const const_iterator&) const = default;

    private:
        const std::span<const std::byte>* at_ = nullptr;
    };
    explicit gathered(std::span<const std::span<const std::byte>> parts) : parts_{parts} {}
    [[nodiscard]] const_iterator begin() const { return const_iterator{parts_.data()}; }
    [[nodiscard]] const_iterator end() const { return const_iterator{parts_.data() + parts_.size()}; }

private:
    std::span<const std::span<const std::byte>> parts_;
};

void set_up(tcp_socket& socket) {
    asio::error_code ignored;  // without them the connection works, a little worse
    socket.set_option(asio::ip::tcp::no_delay{true}, ignored);
    socket.set_option(asio::socket_base::keep_alive{true}, ignored);
}

class asio_stream final : public stream {
public:
    explicit asio_stream(any_io_executor ex) : asio_stream{tcp_socket{std::move(ex)}} {}
    explicit asio_stream(tcp_socket connected) : shared_{std::make_shared<shared>(std::move(connected))} {}
    ~asio_stream() override {
        shared_->alive = false;
        close();
    }
    void async_connect(const endpoint& to, connect_handler done) override {
        shared_->socket.async_connect(to_asio<asio::ip::tcp>(to), [s = shared_, done = std::move(done)](const asio::error_code& ec) mutable {
            if (!s->alive) return;
            set_up(s->socket);
            done(ours(ec));
        });
    }
    void async_read_some(std::span<std::byte> into, read_handler done) override {
        shared_->socket.async_read_some(asio::mutable_buffer{into.data(), into.size()},
                                        [s = shared_, done = std::move(done)](const asio::error_code& ec, std::size_t n) mutable {
                                            if (s->alive) done(ours(ec), n);
                                        });
    }
    void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) override {
        asio::async_write(shared_->socket, gathered{parts}, [s = shared_, done = std::move(done)](const asio::error_code& ec, std::size_t) mutable {
            if (s->alive) done(ours(ec));
        });
    }
    void close() noexcept override {
        asio::error_code ignored;
        shared_->socket.close(ignored);
    }
    void reset() noexcept override {
        asio::error_code ignored;
        shared_->socket.set_option(asio::socket_base::linger{true, 0}, ignored);
        close();
    }

private:
    struct shared {
        explicit shared(tcp_socket s) : socket{std::move(s)} {}
        tcp_socket socket;
        bool alive = true;
    };
    std::shared_ptr<shared> shared_;
};

class asio_acceptor final : public acceptor {
public:
    explicit asio_acceptor(any_io_executor ex) : shared_{std::make_shared<shared>(tcp_acceptor{std::move(ex)})} {}
    ~asio_acceptor() override {
        shared_->alive = false;
        close();
    }
    std::error_code listen(const endpoint& at) override {
        const auto where = to_asio<asio::ip::tcp>(at);
        auto& a = shared_->acceptor;
        asio::error_code ec;
        a.open(where.protocol(), ec);
        // A server that starts again finds connections of its former life in TIME_WAIT: they are no reason to refuse the port.
        if (!ec) a.set_option(asio::socket_base::reuse_address{true}, ec);
        if (!ec) a.bind(where, ec);
        if (!ec) a.listen(asio::socket_base::max_listen_connections, ec);
        if (ec) close();
        return ours(ec);
    }
    endpoint local() const override {
        asio::error_code ec;
        const auto at = shared_->acceptor.local_endpoint(ec);
        return ec ? endpoint{} : from_asio(at);
    }
    void async_accept(accept_handler done) override {
        shared_->acceptor.async_accept([s = shared_, done = std::move(done)](const asio::error_code& ec, tcp_socket taken) mutable {
            if (!s->alive) return;
            if (ec) return done(ours(ec), nullptr, {});
            asio::error_code gone;  // a peer that has left again has no address; the first read will tell
            const auto peer = taken.remote_endpoint(gone);
            set_up(taken);
            done({}, std::make_unique<asio_stream>(std::move(taken)), gone ? endpoint{} : from_asio(peer));
        });
    }
    void close() noexcept override {
        asio::error_code ignored;
        shared_->acceptor.close(ignored);
    }

private:
    struct shared {
        explicit shared(tcp_acceptor a) : acceptor{std::move(a)} {}
        tcp_acceptor acceptor;
        bool alive = true;
    };
    std::shared_ptr<shared> shared_;
};

class asio_datagram_socket final : public datagram_socket {
public:
    explicit asio_datagram_socket(any_io_executor ex) : shared_{std::make_shared<shared>(udp_socket{std::move(ex)})} {}
    ~asio_datagram_socket() override {
        shared_->alive = false;
        asio::error_code ignored;
        shared_->socket.close(ignored);
    }
    std::error_code connect(const endpoint& to) override {
        asio::error_code ec;
        shared_->socket.connect(to_asio<asio::ip::udp>(to), ec);
        if (!ec) shared_->socket.non_blocking(true, ec);
        return ours(ec);
    }
    std::error_code send(std::span<const std::byte> datagram) override {
        asio::error_code ec;
        shared_->socket.send(asio::const_buffer{datagram.data(), datagram.size()}, 0, ec);
        return ours(ec);
    }
    void async_receive(std::span<std::byte> into, receive_handler done) override {
        shared_->socket.async_receive(asio::mutable_buffer{into.data(), into.size()},
                                      [s = shared_, done = std::move(done)](const asio::error_code& ec, std::size_t n) mutable {
                                          if (s->alive) done(ours(ec), n);
                                      });
    }

private:
    struct shared {
        explicit shared(udp_socket s) : socket{std::move(s)} {}
        udp_socket socket;
        bool alive = true;
    };
    std::shared_ptr<shared> shared_;
};

class asio_environment final : public environment {
public:
    explicit asio_environment(any_io_executor ex) : executor_{std::move(ex)}, resolver_{*this} {}
    time_point now() const noexcept override { return std::chrono::steady_clock::now(); }
    wall_time wall_now() const noexcept override { return std::chrono::system_clock::now(); }
    wall_time coarse_wall_now() const noexcept override {
#ifdef CLOCK_REALTIME_COARSE
        timespec t{};
        if (clock_gettime(CLOCK_REALTIME_COARSE, &t) == 0)
            return wall_time{std::chrono::duration_cast<wall_time::duration>(std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec})};
#endif
        return wall_now();
    }
    std::uint64_t random() noexcept override {
        std::random_device device;
        return static_cast<std::uint64_t>(device()) << 32 | device();
    }
    void post(unique_function<void()> what) override { asio::post(executor_, std::move(what)); }
    std::unique_ptr<timer> make_timer(unique_function<void()> on_fire) override { return std::make_unique<asio_timer>(executor_, std::move(on_fire)); }
    std::unique_ptr<stream> make_stream() override { return std::make_unique<asio_stream>(executor_); }
    std::unique_ptr<acceptor> make_acceptor() override { return std::make_unique<asio_acceptor>(executor_); }
    std::unique_ptr<datagram_socket> make_datagram_socket() override { return std::make_unique<asio_datagram_socket>(executor_); }
    resolver& default_resolver() override { return resolver_; }

private:
    any_io_executor executor_;
    system_resolver resolver_;
};

}  // namespace

std::shared_ptr<environment> make_asio_environment(any_io_executor executor) { return std::make_shared<asio_environment>(std::move(executor)); }

}  // namespace kafkawire::net
