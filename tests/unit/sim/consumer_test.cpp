// kw::consumer and the embedded cluster in virtual time: what an idle one costs, what faults of the network and of brokers do to reading.
#include "catch.hpp"

#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/simulation.hpp>

#include <deque>
#include <map>
#include <set>

using namespace kafkawire;
using namespace std::chrono_literals;

namespace {

// Counts how often what lives in it is woken by a timer.
class counting_environment final : public net::environment {
public:
    explicit counting_environment(std::shared_ptr<net::environment> real) : real_{std::move(real)} {}
    std::size_t fired = 0, posted = 0;

    net::time_point now() const noexcept override { return real_->now(); }
    net::wall_time wall_now() const noexcept override { return real_->wall_now(); }
    std::uint64_t random() noexcept override { return real_->random(); }
    void post(unique_function<void()> what) override {
        ++posted;
        real_->post(std::move(what));
    }
    std::unique_ptr<net::timer> make_timer(unique_function<void()> on_fire) override {
        return real_->make_timer([this, f = std::move(on_fire)]() mutable {
            ++fired;
            f();
        });
    }
    std::unique_ptr<net::stream> make_stream() override { return real_->make_stream(); }
    std::unique_ptr<net::acceptor> make_acceptor() override { return real_->make_acceptor(); }
    std::unique_ptr<net::datagram_socket> make_datagram_socket() override { return real_->make_datagram_socket(); }
    net::resolver& default_resolver() override { return real_->default_resolver(); }

private:
    std::shared_ptr<net::environment> real_;
};

struct reading_world {
    explicit reading_world(std::uint64_t seed = 1) : world{seed}, app{world.add_host("app")}, env{std::make_shared<counting_environment>(app.environment())} {
        broker::options o;
        std::vector<std::shared_ptr<net::environment>> environments;
        for (int i = 1; i <= 3; ++i) {
            auto& h = world.add_host("broker-" + std::to_string(i));
            nodes.push_back(&h);
            environments.push_back(h.environment());
            o.hosts.push_back(h.address().to_string());
            o.ports.push_back(9092);
        }
        o.nodes = 3;
        o.seed = seed;
        o.topics = {{.name = "orders", .partitions = 6}};
        cluster.emplace(std::move(environments), o);
        REQUIRE_FALSE(cluster->start());
        client.emplace(app.executor(), client_options{.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092", .request_timeout = 5s}, env);
    }
    ~reading_world() {
        consumer.reset();
        producer.reset();
        client.reset();
        cluster.reset();
    }
    void read(consumer_options o = {}) {
        consumer.emplace(*client, o);
        for (int p = 0; p < 6; ++p) consumer->assign("orders", p, start_position::beginning());
        poll();
    }
    void poll() {
        consumer->async_poll(detailed([this](error why, records got) {
            if (why.code == errc::client_closed) return;
            if (why) told.push_back(why);
            for (const auto& p : got.partitions()) {
                for (const auto& r : p) {
                    auto& n = next[r.partition];
                    if (r.value.text() != std::to_string(n)) wrong.push_back(std::to_string(r.partition) + ": " + std::string{r.value.text()} + " instead of " + std::to_string(n));
                    n = std::atoi(std::string{r.value.text()}.c_str()) + 1;
                    ++count;
                }
            }
            poll();
        }));
    }
    // The next number into that partition.
    void send(std::int32_t partition) {
        if (!producer) producer.emplace(*client, producer_options{.linger = 1ms});
        const auto& value = values.emplace_back(std::to_string(sent[partition]++));
        producer->async_enqueue({.topic = "orders", .value = value, .partition = partition}, [](std::error_code) {});
    }
    std::size_t all_sent() const {
        std::size_t n = 0;
        for (const auto& [p, k] : sent) n += static_cast<std::size_t>(k);
        return n;
    }

    sim::world world;
    sim::host& app;
    std::shared_ptr<counting_environment> env;
    std::vector<sim::host*> nodes;
    std::optional<broker::cluster> cluster;
    std::optional<kafkawire::client> client;
    std::optional<kafkawire::producer> producer;
    std::optional<kafkawire::consumer> consumer;
    std::map<std::int32_t, int> sent, next;
    std::deque<std::string> values;  // borrowed until they are accepted
    std::vector<std::string> wrong;
    std::vector<error> told;
    std::size_t count = 0;
};

}  // namespace

TEST_CASE("An idle consumer wakes for its long polls and for hardly anything else", "[sim][consumer]") {
    reading_world w;
    w.read();
    w.world.run_for(10s);
    const auto fetches = [&] {
        for (const auto& t : w.cluster->control().traffic())
            if (t.api_key == 1) return t.requests;
        return std::uint64_t{0};
    };
    const auto fired = w.env->fired, posted = w.env->posted;
    const auto before = fetches();
    w.world.run_for(10min);
    const auto polls = fetches() - before;
    CHECK(polls >= 3000);
    CHECK(polls <= 3 * 2 * 600 + 3);
    INFO("timers fired " << w.env->fired - fired << ", posts " << w.env->posted - posted << ", polls " << polls);
    CHECK(w.env->fired - fired <= 60);
    CHECK(w.env->posted - posted <= 60);
}

TEST_CASE("Records come once and in order, whatever happens to brokers and network", "[sim][consumer]") {
    const auto seed = GENERATE(range(1u, 31u));
    reading_world w{seed};
    auto& random = w.world.random();
    auto control = w.cluster->control();
    w.read({.partition_bytes = static_cast<std::uint32_t>(random.between(200, 5000)), .fetch_max_wait = std::chrono::milliseconds{random.between(10, 500)}});
    for (int step = 0; step < 60; ++step) {
        const auto many = random.below(20);
        for (std::uint64_t i = 0; i < many; ++i) w.send(static_cast<std::int32_t>(random.below(6)));
        const auto node = static_cast<std::int32_t>(random.below(3));
        auto& host = *w.nodes[static_cast<std::size_t>(node)];
        const auto partition = static_cast<std::int32_t>(random.below(6));
        const auto other = static_cast<std::int32_t>(random.below(3));
        switch (random.below(8)) {
            case 0: w.world.cut_now(w.app, host); break;
            case 1: w.world.cut_after(host, w.app, random.below(3000)); break;
            case 2: (void)control.move_leader("orders", partition, other + 1); break;
            case 3:
                w.world.partition(w.app, host);
                w.world.after(std::chrono::milliseconds{random.between(10, 4000)}, [&] { w.world.heal(w.app, host); });
                break;
            case 4: control.add({.api = 1, .node = node + 1, .count = 2, .drop_reply = true}); break;
            case 5: control.add({.api = 1, .count = 3, .error = broker_errc::not_leader_or_follower}); break;
            case 6: (void)control.close_connections(node + 1); break;
            default: break;
        }
        w.world.run_for(std::chrono::milliseconds{random.between(1, 700)});
    }
    control.clear_faults();
    w.world.heal_all();
    const auto healed = w.world.run_until([&] { return w.count == w.all_sent(); }, 60s);
    INFO("seed " << seed);
    CHECK(healed);
    CHECK(w.count == w.all_sent());
    CHECK(w.wrong == std::vector<std::string>{});
    for (const auto& e : w.told) FAIL_CHECK(e.message());
}

TEST_CASE("A topic that is not there is told after a while, and read when it is", "[sim][consumer]") {
    reading_world w;
    w.consumer.emplace(*w.client);
    w.consumer->assign("missing", 0, start_position::beginning());
    w.consumer->assign("orders", 9, start_position::beginning());
    w.poll();
    w.world.run_for(9s);
    CHECK(w.told.empty());
    w.world.run_for(3s);
    std::set<std::string> codes;
    for (const auto& e : w.told) codes.insert(e.code.message());
    CHECK(codes == std::set<std::string>{make_error_code(broker_errc::unknown_topic_or_partition).message(), make_error_code(errc::unknown_partition).message()});
    w.world.run_for(60s);
    CHECK(w.told.size() < 20);
}
