#include "scarce_environment.hpp"

#include "allocator.hpp"

namespace scarce {

namespace {

using namespace kafkawire;

// Its result is called, and destroyed, by the world.
template <class... Args>
unique_function<void(Args...)> tested(unique_function<void(Args...)> f) {
    return [f = std::make_unique<unique_function<void(Args...)>>(std::move(f))](Args... args) mutable {
        auto now = std::move(*f);
        const scope under_test{true};
        now(std::forward<Args>(args)...);
    };
}

class timer final : public net::timer {
public:
    explicit timer(std::unique_ptr<net::timer> inner) : inner_{std::move(inner)} {}
    void set(net::time_point at) override {
        point();
        const scope world{false};
        inner_->set(at);
    }
    void clear() override {
        const scope world{false};
        inner_->clear();
    }

private:
    std::unique_ptr<net::timer> inner_;
};

class stream final : public net::stream {
public:
    explicit stream(std::unique_ptr<net::stream> inner) : inner_{std::move(inner)} {}
    void async_connect(const net::endpoint& to, connect_handler done) override {
        point();
        const scope world{false};
        inner_->async_connect(to, tested(std::move(done)));
    }
    void async_read_some(std::span<std::byte> into, read_handler done) override {
        point();
        const scope world{false};
        inner_->async_read_some(into, tested(std::move(done)));
    }
    void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) override {
        point();
        const scope world{false};
        inner_->async_write(parts, tested(std::move(done)));
    }
    void close() noexcept override {
        const scope world{false};
        inner_->close();
    }
    void reset() noexcept override {
        const scope world{false};
        inner_->reset();
    }

private:
    std::unique_ptr<net::stream> inner_;
};

class resolver final : public net::resolver {
public:
    explicit resolver(net::environment& inner) : inner_{inner} {}
    std::unique_ptr<lookup> async_resolve(std::string_view host, handler done) override {
        point();
        const scope world{false};
        return inner_.default_resolver().async_resolve(host, tested(std::move(done)));
    }

private:
    net::environment& inner_;
};

class environment final : public net::environment {
public:
    explicit environment(std::shared_ptr<net::environment> inner) : inner_{std::move(inner)}, names_{*inner_} {}
    net::time_point now() const noexcept override { return inner_->now(); }
    net::wall_time wall_now() const noexcept override { return inner_->wall_now(); }
    std::uint64_t random() noexcept override { return inner_->random(); }
    void post(unique_function<void()> what) override {
        point();
        const scope world{false};
        inner_->post(tested(std::move(what)));
    }
    std::unique_ptr<net::timer> make_timer(unique_function<void()> on_fire) override {
        point();
        const scope world{false};
        return std::make_unique<timer>(inner_->make_timer([f = std::make_unique<unique_function<void()>>(std::move(on_fire))] {
            const scope under_test{true};
            (*f)();
        }));
    }
    std::unique_ptr<net::stream> make_stream() override {
        point();
        const scope world{false};
        return std::make_unique<stream>(inner_->make_stream());
    }
    std::unique_ptr<net::acceptor> make_acceptor() override { return inner_->make_acceptor(); }
    std::unique_ptr<net::datagram_socket> make_datagram_socket() override { return inner_->make_datagram_socket(); }
    net::resolver& default_resolver() override { return names_; }

private:
    std::shared_ptr<net::environment> inner_;
    resolver names_;
};

}  // namespace

std::shared_ptr<kafkawire::net::environment> make_environment(std::shared_ptr<kafkawire::net::environment> inner) { return std::make_shared<environment>(std::move(inner)); }

}  // namespace scarce
