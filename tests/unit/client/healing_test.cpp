// How long a producer needs when a fault is over: from its end to the first acknowledgement in every partition, records in transactions and not.
// In virtual time, three nodes: what is counted here is pauses, probes and retries, to the millisecond and the same in every run. What faults cost
// on real nodes is measured by tests/real/faults; the scenarios are the same.
#include <kafkawire/broker.hpp>
#include <kafkawire/simulation.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <array>
#include <functional>
#include <iostream>

#include "catch.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::int32_t partitions = 6;
constexpr auto as_values = kw::as_tuple(asio::use_awaitable);

struct three_nodes {
    kw::sim::world world;
    kw::sim::host& app;
    std::vector<kw::sim::host*> nodes;
    std::optional<kw::broker::cluster> cluster;

    three_nodes(std::uint64_t seed, const std::string& as_version) : world{seed}, app{world.add_host("app")} {
        kw::broker::options o;
        std::vector<std::shared_ptr<kw::net::environment>> environments;
        for (int i = 1; i <= 3; ++i) {
            auto& h = world.add_host("broker-" + std::to_string(i));
            nodes.push_back(&h);
            environments.push_back(h.environment());
            o.hosts.push_back(h.address().to_string());
            o.ports.push_back(9092);
        }
        o.nodes = 3;
        o.as_version = as_version;
        o.seed = seed;
        o.replication_delay = 2ms;
        o.configs = {{"min.insync.replicas", "2"}};
        o.topics = {{.name = "orders", .partitions = partitions}};
        cluster.emplace(std::move(environments), o);
        REQUIRE_FALSE(cluster->start());
    }
    kw::broker::control control() { return cluster->control(); }
    kw::sim::host& node(std::int32_t n) { return *nodes.at(static_cast<std::size_t>(n - 1)); }
};

// Sends to every partition every 25 ms, as fast as it may after a wait; in transactions with a group's offsets, most of them committed, if it has an id.
class load {
public:
    load(three_nodes& w, const std::string& transactional_id, milliseconds patience)
        : w_{w},
          client_{w.app.executor(), options_of(transactional_id), w.app.environment()},
          options_{.delivery_timeout = patience, .create_topics = false, .transactional_id = transactional_id},
          first_(partitions) {
        make();
        const auto rethrow = [](std::exception_ptr e) {
            if (e) std::rethrow_exception(e);
        };
        if (transactional_id.empty()) asio::co_spawn(w.app.executor(), send_all(), rethrow);
        else asio::co_spawn(w.app.executor(), send_transactions(), rethrow);
    }
    void mark() {
        marked_ = w_.world.now();
        for (auto& f : first_) f.reset();
    }
    [[nodiscard]] bool all() const {
        return std::all_of(first_.begin(), first_.end(), [](const auto& f) { return f.has_value(); });
    }
    [[nodiscard]] milliseconds longest() const {
        milliseconds most{0};
        for (const auto& f : first_) most = std::max(most, f.value_or(1h));
        return most;
    }
    void stop() { stopping_ = true; }
    [[nodiscard]] bool ended() const { return ended_; }
    std::string last_error;

private:
    static kw::client_options options_of(const std::string& id) {
        kw::client_options o;
        o.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092";
        o.client_id = id.empty() ? "plain" : id;
        return o;
    }
    void make() {
        producer_.emplace(client_, options_);
        producer_->on_delivery([this](const kw::delivery_report& d) {
            auto& first = first_[static_cast<std::size_t>(d.partition)];
            if (!d.why && !first) first = std::chrono::duration_cast<milliseconds>(w_.world.now() - marked_);
            if (d.why) last_error = d.why->message();
        });
    }
    asio::awaitable<void> pause(milliseconds d) { co_await w_.app.async_wait(d, asio::use_awaitable); }
    asio::awaitable<void> send_some() {
        for (std::int32_t p = 0; p < partitions && !stopping_; ++p) {
            const kw::record r{.topic = "orders", .value = "forty bytes or so, as many records have", .partition = p};
            if (producer_->try_send(r) == kw::errc::would_wait) (void)co_await producer_->async_enqueue(r, as_values);
        }
        co_await pause(25ms);
    }
    asio::awaitable<void> send_all() {
        while (!stopping_) co_await send_some();
        co_await close();
    }
    asio::awaitable<void> close() {
        (void)co_await producer_->async_close(10s, as_values);
        co_await client_.async_close(asio::use_awaitable);
        ended_ = true;
    }
    asio::awaitable<void> send_transactions() {
        const kw::group_metadata group{"group"};
        for (std::int64_t number = 1; !stopping_; ++number) {
            auto [why, tx] = co_await producer_->async_begin_transaction(5s, as_values);
            if (why) {
                last_error = "begin: " + why.message();
                // A transaction that was open for longer than its timeout has cost its producer the epoch, with coordinators of version 1.
                if (why == kw::condition::fatal) make();
                co_await pause(50ms);
                continue;
            }
            for (int i = 0; i < 4 && !tx.trouble() && !stopping_; ++i) co_await send_some();
            const std::array<kw::topic_offset, 1> offsets{{{.topic = "orders", .partition = 0, .offset = number}}};
            auto [refused] = co_await tx.async_send_offsets(offsets, group, as_values);
            if (refused) last_error = "offsets: " + refused.message();
            if (number % 8 == 0) {
                (void)co_await tx.async_abort(as_values);
                continue;
            }
            auto [failed] = co_await tx.async_commit(as_values);
            if (failed) last_error = "commit: " + failed.message();
            for (int again = 0; failed == kw::condition::maybe_persisted && again < 10; ++again) std::tie(failed) = co_await tx.async_commit(as_values);
        }
        co_await close();
    }

    three_nodes& w_;
    kw::client client_;
    kw::producer_options options_;
    std::optional<kw::producer> producer_;
    kw::net::time_point marked_{};
    std::vector<std::optional<milliseconds>> first_;        // by partition: its first acknowledgement since mark()
    bool stopping_ = false, ended_ = false;
};

struct scenario {
    const char* name;
    milliseconds bar, bar_in_transactions;
    std::function<void(three_nodes&)> play;                 // lets time pass; the fault is over when it returns
};

void wait(three_nodes& w, nanoseconds d) { w.world.run_for(d); }

void pause_nodes(three_nodes& w, std::initializer_list<std::int32_t> which, nanoseconds d) {
    for (const auto n : which) (void)w.control().node_paused(n);
    wait(w, d);
    for (const auto n : which) (void)w.control().node_up(n);
}

void cut_all(three_nodes& w) {
    for (auto* n : w.nodes) w.world.cut_now(w.app, *n);
}

void move_leaders(three_nodes& w) {
    for (nanoseconds left = 20s; left.count() > 0;) {
        for (std::int32_t p = 0; p < partitions; ++p) {
            const auto to = static_cast<std::int32_t>(1 + w.world.random().below(3));
            (void)w.control().move_leader("orders", p, to);
        }
        const auto rest = w.world.random().between(nanoseconds{200ms}, nanoseconds{1700ms});
        wait(w, rest);
        left -= rest;
    }
}

// Where packets were held back, the network itself needs up to a second to send them again.
const std::vector<scenario>& scenarios() {
    static const std::vector<scenario> all{
        {"one node paused for 20 s", 1s, 1s, [](three_nodes& w) { pause_nodes(w, {1}, 20s); }},
        {"two nodes paused for 45 s", 1s, 1s, [](three_nodes& w) { pause_nodes(w, {1, 2}, 45s); }},
        {"two nodes paused for 90 s", 1s, 1s, [](three_nodes& w) { pause_nodes(w, {2, 3}, 90s); }},
        {"all nodes paused for 30 s", 1s, 1s, [](three_nodes& w) { pause_nodes(w, {1, 2, 3}, 30s); }},
        {"leaders moved for 20 s", 1s, 1s, move_leaders},
        {"connections cut", 1s, 1s, cut_all},
        {"connections cut every 0.7 s for 20 s", 1s, 1s,
         [](three_nodes& w) {
             for (int i = 0; i < 28; ++i) {
                 cut_all(w);
                 wait(w, 700ms);
             }
         }},
        {"a node killed: from the end of its session", 1s, 1s,
         [](three_nodes& w) {
             (void)w.control().node_killed(1);
             wait(w, 9s);
         }},
        {"a node killed, and back after 30 s", 1s, 1s,
         [](three_nodes& w) {
             (void)w.control().node_killed(1);
             wait(w, 30s);
             (void)w.control().node_up(1);
         }},
        {"a node killed, and back after 5 s", 1s, 1s,
         [](three_nodes& w) {
             (void)w.control().node_killed(1);
             wait(w, 5s);
             (void)w.control().node_up(1);
         }},
        {"all nodes killed, and back after 60 s", 1s, 1s,
         [](three_nodes& w) {
             for (std::int32_t n = 1; n <= 3; ++n) (void)w.control().node_killed(n);
             wait(w, 60s);
             for (std::int32_t n = 1; n <= 3; ++n) (void)w.control().node_up(n);
         }},
        {"all machines unreachable for 60 s", 2s, 2s,
         [](three_nodes& w) {
             for (auto* n : w.nodes) w.world.partition(w.app, *n);
             wait(w, 60s);
             for (auto* n : w.nodes) w.world.heal(w.app, *n);
         }},
        {"a machine without power for 20 s", 1s, 1s,
         [](three_nodes& w) {
             w.node(1).vanish();
             (void)w.control().node_killed(1);
             wait(w, 20s);
             w.node(1).up();
             (void)w.control().node_up(1);
         }},
        {"a machine unreachable for us for 25 s", 2s, 2s,
         [](three_nodes& w) {
             w.world.partition(w.app, w.node(2));
             wait(w, 25s);
             w.world.heal(w.app, w.node(2));
         }},
        {"answers of a node dropped for 8 s", 2s, 2s,
         [](three_nodes& w) {
             w.world.block(w.node(3), w.app);
             wait(w, 8s);
             w.world.unblock(w.node(3), w.app);
         }},
        {"a half-open connection", 10s, 10s, [](three_nodes& w) { w.world.cut_now(w.app, w.node(1), kw::sim::cut::silence); }},
        {"answers held back for 5 s", 1s, 1s,
         [](three_nodes& w) {
             const auto id = w.control().add({.api = std::int16_t{0}, .reply_delay = 5s});
             wait(w, 20s);
             w.control().remove(id);
             wait(w, 5s);
         }},
        {"every node restarted in turn", 1s, 1s,
         [](three_nodes& w) {
             for (std::int32_t n = 1; n <= 3; ++n) {
                 (void)w.control().node_down(n);
                 wait(w, 6s);
                 (void)w.control().node_up(n);
                 wait(w, 2s);
             }
         }},
    };
    return all;
}

// What one fault costs each of them.
milliseconds heals_within(const scenario& s, std::uint64_t seed, const std::string& as_version, const std::string& id, milliseconds patience) {
    three_nodes w{seed, as_version};
    load l{w, id, patience};
    l.mark();
    REQUIRE(w.world.run_until([&] { return l.all(); }, 10s));
    wait(w, 3s);
    s.play(w);
    l.mark();
    w.world.run_until([&] { return l.all(); }, 60s);
    const auto took = l.longest();
    l.stop();
    CHECK(w.world.run_until([&] { return l.ended(); }, 60s));
    if (took > (id.empty() ? s.bar : s.bar_in_transactions)) UNSCOPED_INFO("last error: " << l.last_error);
    return took;
}

struct figures {
    milliseconds plain{0}, in_transactions{0};
};

// The worst of some seeds; patient or not, and transactions of version 2 or 1, in turn.
figures worst_of(const scenario& s, std::uint64_t seeds) {
    figures worst;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const milliseconds patience = seed / 2 % 2 ? 10s : 120s;
        INFO(s.name << ", seed " << seed << ", " << patience.count() << " ms of patience");
        const auto plain = heals_within(s, seed, "4.3", {}, patience);
        const auto in_transactions = heals_within(s, seed, seed % 2 ? "4.3" : "3.9", "tx", patience);
        CHECK(plain <= s.bar);
        CHECK(in_transactions <= s.bar_in_transactions);
        worst = {std::max(worst.plain, plain), std::max(worst.in_transactions, in_transactions)};
    }
    return worst;
}

}  // namespace

TEST_CASE("after each fault every partition is acknowledged again in time, in virtual time") {
    for (const auto& s : scenarios()) (void)worst_of(s, 2);
}

// The rows of RELIABILITY.md.
TEST_CASE("how long each fault is felt, over many seeds", "[.figures]") {
    for (const auto& s : scenarios()) {
        const auto worst = worst_of(s, 20);
        std::cout << "| " << s.name << " | " << worst.plain.count() << " | " << worst.in_transactions.count() << " | " << s.bar.count() << " |" << std::endl;
    }
}
