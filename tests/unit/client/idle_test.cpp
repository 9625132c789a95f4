// What a consumer costs that has nothing to read: how often its event loop wakes up, in virtual time.
#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/simulation.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/co_spawn.hpp>
#include <asio/use_awaitable.hpp>
#include <map>
#include <set>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
namespace net = kw::net;

struct counted {
    std::set<net::time_point> awake, with_bytes;   // when anything ran; when bytes went or came
    std::map<int, int> requests;                   // by API key
};

// The host's own environment, which notes what happens.
class watched_environment final : public net::environment {
public:
    watched_environment(std::shared_ptr<net::environment> of, counted& c) : of_{std::move(of)}, c_{c} {}
    net::time_point now() const noexcept override { return of_->now(); }
    net::wall_time wall_now() const noexcept override { return of_->wall_now(); }
    std::uint64_t random() noexcept override { return of_->random(); }
    void post(kw::unique_function<void()> what) override {
        of_->post([this, w = std::move(what)]() mutable {
            c_.awake.insert(now());
            w();
        });
    }
    std::unique_ptr<net::timer> make_timer(kw::unique_function<void()> on_fire) override {
        return of_->make_timer([this, w = std::move(on_fire)]() mutable {
            c_.awake.insert(now());
            w();
        });
    }
    std::unique_ptr<net::stream> make_stream() override { return std::make_unique<watched_stream>(*this, of_->make_stream()); }
    std::unique_ptr<net::acceptor> make_acceptor() override { return of_->make_acceptor(); }
    std::unique_ptr<net::datagram_socket> make_datagram_socket() override { return of_->make_datagram_socket(); }
    net::resolver& default_resolver() override { return of_->default_resolver(); }

private:
    class watched_stream final : public net::stream {
    public:
        watched_stream(watched_environment& e, std::unique_ptr<net::stream> of) : e_{e}, of_{std::move(of)} {}
        void async_connect(const net::endpoint& to, connect_handler done) override { of_->async_connect(to, std::move(done)); }
        void async_read_some(std::span<std::byte> into, read_handler done) override {
            of_->async_read_some(into, [&e = e_, d = std::move(done)](std::error_code ec, std::size_t n) mutable {
                e.bytes();
                d(ec, n);
            });
        }
        void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) override {
            e_.bytes();
            // length, then the API's key: an idle client writes one request at a time
            REQUIRE(parts.front().size() >= 6);
            ++e_.c_.requests[std::to_integer<int>(parts.front()[4]) << 8 | std::to_integer<int>(parts.front()[5])];
            of_->async_write(parts, [&e = e_, d = std::move(done)](std::error_code ec) mutable {
                e.bytes();
                d(ec);
            });
        }
        void close() noexcept override { of_->close(); }

    private:
        watched_environment& e_;
        std::unique_ptr<net::stream> of_;
    };
    void bytes() {
        c_.awake.insert(now());
        c_.with_bytes.insert(now());
    }
    std::shared_ptr<net::environment> of_;
    counted& c_;
};

constexpr int fetch = 1, heartbeat = 12, consumer_group_heartbeat = 68;

// Six partitions of one broker that nobody writes to, for ten minutes.
void idles(kw::consumer_options options, int heartbeats_a_minute) {
    kw::sim::world world{11};
    auto& app = world.add_host("app");
    auto& host = world.add_host("broker-1");
    kw::broker::options o;
    o.hosts.push_back(host.address().to_string());
    o.ports.push_back(9092);
    o.topics = {{.name = "orders", .partitions = 6}};
    kw::broker::cluster cluster{{host.environment()}, o};
    REQUIRE_FALSE(cluster.start());

    counted c;
    const auto environment = std::make_shared<watched_environment>(app.environment(), c);
    kw::client_options where;
    where.bootstrap = "broker-1:9092";
    int polled = 0;  // told once more, when the consumer has gone
    {
        kw::client client{app.executor(), where, environment};
        kw::consumer consumer{client, options};
        if (options.group.empty())
            for (std::int32_t p = 0; p < 6; ++p) consumer.assign("orders", p);
        consumer.async_poll([&](std::error_code, kw::records) { ++polled; });
        world.run_for(60s);
        REQUIRE(consumer.readings().size() == 6);
        for (const auto& r : consumer.readings()) REQUIRE(r.state == kw::partition_reading::status::fetching);
        c = {};
        world.run_for(600s);
        CHECK(polled == 0);
        int other = 0;
        for (const auto& [key, n] : c.requests)
            if (key != fetch && key != heartbeat && key != consumer_group_heartbeat) other += n;
        int silent = 0;
        for (const auto& t : c.awake) silent += !c.with_bytes.contains(t);
        CAPTURE(c.requests[fetch], c.requests[heartbeat], c.requests[consumer_group_heartbeat], other, silent, c.awake.size());
        CHECK(c.requests[fetch] > 1000);                        // fetch_max_wait is half a second
        CHECK(c.requests[fetch] <= 1205);
        CHECK(c.requests[heartbeat] + c.requests[consumer_group_heartbeat] <= 10 * heartbeats_a_minute + 2);
        // A question and its answer are two wake-ups.
        CHECK(2 * other + silent <= 10 * 6);
    }
    world.run_for(1s);
}

}  // namespace

TEST_CASE("a consumer that has nothing to read wakes up for its long polls and at most six times a minute besides") { idles({}, 0); }

TEST_CASE("a member of a group, for its heartbeats too") {
    kw::consumer_options o;
    o.group = "idlers";
    o.topics = {"orders"};
    o.auto_commit = true;
    o.max_poll_interval = 1h;
    for (const auto protocol : {kw::group_protocol::classic, kw::group_protocol::consumer}) {
        o.group_protocol = protocol;
        CAPTURE(static_cast<int>(protocol));
        idles(o, 20);
    }
}
