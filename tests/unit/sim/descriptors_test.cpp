// A client whose machine has no sockets left, in virtual time.
#include "catch.hpp"

#include <kafkawire/broker.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/simulation.hpp>

using namespace kafkawire;
using namespace std::chrono_literals;

namespace {

// The host's environment, but for connections: while `none` they fail at once, and every try is counted.
class poor_environment final : public net::environment {
public:
    explicit poor_environment(std::shared_ptr<net::environment> inner) : inner_{std::move(inner)} {}
    net::time_point now() const noexcept override { return inner_->now(); }
    net::wall_time wall_now() const noexcept override { return inner_->wall_now(); }
    std::uint64_t random() noexcept override { return inner_->random(); }
    void post(unique_function<void()> what) override { inner_->post(std::move(what)); }
    std::unique_ptr<net::timer> make_timer(unique_function<void()> f) override { return inner_->make_timer(std::move(f)); }
    std::unique_ptr<net::stream> make_stream() override { return std::make_unique<stream>(*this); }
    std::unique_ptr<net::acceptor> make_acceptor() override { return inner_->make_acceptor(); }
    std::unique_ptr<net::datagram_socket> make_datagram_socket() override { return inner_->make_datagram_socket(); }
    net::resolver& default_resolver() override { return inner_->default_resolver(); }

    bool none = false;
    int tries = 0, open = 0;

private:
    class stream final : public net::stream {
    public:
        explicit stream(poor_environment& of) : of_{of}, inner_{of.inner_->make_stream()} { ++of_.open; }
        ~stream() override { --of_.open; }
        void async_connect(const net::endpoint& to, connect_handler done) override {
            ++of_.tries;
            if (!of_.none) return inner_->async_connect(to, std::move(done));
            of_.inner_->post([alive = std::weak_ptr{alive_}, done = std::move(done)]() mutable {
                if (!alive.expired()) done(std::make_error_code(std::errc::too_many_files_open));
            });
        }
        void async_read_some(std::span<std::byte> into, read_handler done) override { inner_->async_read_some(into, std::move(done)); }
        void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) override { inner_->async_write(parts, std::move(done)); }
        void close() noexcept override { inner_->close(); }

    private:
        poor_environment& of_;
        std::unique_ptr<net::stream> inner_;
        std::shared_ptr<int> alive_ = std::make_shared<int>();
    };
    std::shared_ptr<net::environment> inner_;
};

}  // namespace

TEST_CASE("a client without sockets tries seldom, and goes on as soon as there are some") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        sim::world world{seed};
        auto& app = world.add_host("app");
        broker::options o;
        std::vector<std::shared_ptr<net::environment>> environments;
        std::vector<sim::host*> nodes;
        for (int i = 1; i <= 3; ++i) {
            auto& h = world.add_host("broker-" + std::to_string(i));
            nodes.push_back(&h);
            environments.push_back(h.environment());
            o.hosts.push_back(h.address().to_string());
            o.ports.push_back(9092);
        }
        o.nodes = 3;
        o.topics = {{.name = "orders", .partitions = 6}};
        broker::cluster cluster{std::move(environments), o};
        REQUIRE_FALSE(cluster.start());
        const auto env = std::make_shared<poor_environment>(app.environment());
        client c{app.executor(), {.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092"}, env};
        producer p{c};
        int told = 0, good = 0;
        const auto send = [&] {
            for (int i = 0; i < 6; ++i)
                p.async_send({.topic = "orders", .value = "x", .partition = i}, [&](std::error_code ec, delivery) {
                    ++told;
                    good += !ec;
                });
        };
        send();
        world.run_for(5s);
        REQUIRE(good == 6);
        const auto usual = env->open;
        env->none = true;
        env->tries = 0;
        for (auto* n : nodes) world.cut_now(app, *n);
        constexpr int seconds = 30;
        for (int i = 0; i < seconds; ++i) {
            if (i % 10 == 0) send();
            world.run_for(1s);
        }
        CHECK(told == 6);
        CHECK(env->tries <= 20 * 3 * seconds);
        env->none = false;
        const auto from = world.now();
        CHECK(world.run_until([&] { return told == 24; }, 10s));
        CHECK(good == 24);
        // The longest pause, spread by a fifth, and the round trips of a new connection.
        CHECK(world.now() - from < std::chrono::milliseconds{c.options().reconnect_backoff_max} * 6 / 5 + 500ms);
        world.run_for(5s);
        CHECK(env->open <= usual + 1);
    }
}
