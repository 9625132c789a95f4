// What producers and consumers stand on, against a cluster in virtual time: lanes, topics, silence, throttling, outages.
#include "client/core.hpp"

#include "catch.hpp"

#include <kafkawire/broker.hpp>
#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/simulation.hpp>

#include <map>
#include <set>

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;
using protocol::messages::metadata_request;

namespace {

// A Metadata request for the brokers only, as a driver would send one.
struct question final : net::call {
    sim::world& world;
    std::optional<net::outcome> told;
    net::time_point at{};
    question(sim::world& w, std::chrono::milliseconds within) : world{w} {
        api_key = metadata_request::key;
        speaks = metadata_request::versions;
        started = w.now();
        deadline = started + within;
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override {
        return protocol::encode_request(metadata_request{}, version, correlation_id, client_id, to);
    }
    void done(net::outcome result) override {
        REQUIRE_FALSE(told);
        told = std::move(result);
        at = world.now();
    }
    [[nodiscard]] sim::duration took() const { return at - started; }
};

struct counting_watcher final : metadata_watcher {
    int topics = 0, brokers = 0;
    void topics_changed() override { ++topics; }
    void brokers_changed() override { ++brokers; }
};

struct rig {
    explicit rig(std::uint64_t seed = 1, client_options with = {}) : world{seed}, app{world.add_host("app")}, options{std::move(with)} {
        for (int i = 1; i <= 3; ++i) nodes.push_back(&world.add_host("broker-" + std::to_string(i)));
        start_cluster({9092, 9092, 9092});
        options.bootstrap = "broker-1:9092,broker-2:9092,broker-3:9092";
        start_core();
    }
    ~rig() {
        if (client) client->close();
        cluster.reset();
    }
    void start_cluster(std::vector<std::uint16_t> ports) {
        broker::options o;
        std::vector<std::shared_ptr<net::environment>> environments;
        for (auto* n : nodes) {
            environments.push_back(n->environment());
            o.hosts.push_back(n->address().to_string());
        }
        o.ports = std::move(ports);
        o.nodes = 3;
        o.topics = {{.name = "orders", .partitions = 6}};
        cluster.emplace(std::move(environments), o);
        cluster->watch([this](const broker::passing& p) {
            if (p.way != broker::passing::direction::request) return;
            ++requests;
            ++per_node[p.node];
            if (p.api_key == metadata_request::key) ++metadata;
            connections.insert(p.connection);
        });
        REQUIRE_FALSE(cluster->start());
    }
    void start_core() {
        if (client) client->close();
        std::vector<bootstrap_address> list;
        REQUIRE(parse_bootstrap(options.bootstrap, list).empty());
        client = std::make_shared<core>(app.executor(), options, list, app.environment(), nullptr);
    }
    std::shared_ptr<question> ask(std::int32_t broker, lane l = lane::produce, std::chrono::milliseconds within = 30s) {
        auto q = std::make_shared<question>(world, within);
        client->send(broker, l, q);
        REQUIRE_FALSE(q->told);
        return q;
    }
    bool wait(const std::shared_ptr<question>& q, sim::duration at_most = 60s) {
        return world.run_until([&] { return q->told.has_value(); }, at_most);
    }
    topic_info& learn(std::string_view name = "orders", bool may_create = false) {
        auto& t = client->want_topic(name, may_create);
        world.run_until([&] { return t.known; }, 30s);
        return t;
    }
    sim::world world;
    sim::host& app;
    client_options options;
    std::vector<sim::host*> nodes;
    std::optional<broker::cluster> cluster;
    std::shared_ptr<core> client;
    int requests = 0, metadata = 0;
    std::map<std::int32_t, int> per_node;
    std::set<broker::connection_id> connections;
};

}  // namespace

TEST_CASE("Each broker has one connection for each lane, made when it is needed", "[sim][core]") {
    rig r;
    r.learn();
    const auto before = r.connections.size();
    for (int i = 0; i < 3; ++i)
        for (const auto l : {lane::produce, lane::fetch, lane::coordinator}) {
            const auto q = r.ask(2, l);
            REQUIRE(r.wait(q));
            CHECK_FALSE(q->told->why);
        }
    CHECK(r.connections.size() == before + 3);
    CHECK(r.client->lanes_up(2) >= 3);
    CHECK(r.client->lanes_up(3) <= 1);
    // What waits on one lane holds nobody up on another.
    r.cluster->control().add({.api = metadata_request::key, .node = 2, .count = 1, .delay = 2s});
    const auto slow = r.ask(2, lane::fetch), quick = r.ask(2, lane::produce);
    REQUIRE(r.wait(quick));
    CHECK_FALSE(slow->told);
    REQUIRE(r.wait(slow));
    CHECK_FALSE(slow->told->why);
}

TEST_CASE("A call to a broker that nobody knows is told so later; a withdrawn call is told nothing", "[sim][core]") {
    rig r;
    const auto unknown = r.ask(2);
    REQUIRE(r.wait(unknown));
    CHECK(unknown->told->why.code == errc::unknown_broker);
    CHECK(unknown->told->connection_failed);
    CHECK_FALSE(unknown->told->maybe_processed);
    r.learn();
    const auto withdrawn = r.ask(77);
    r.client->withdraw(77, lane::produce, withdrawn.get());
    const auto on_its_way = r.ask(2);
    r.world.run_for(100us);
    r.client->withdraw(2, lane::produce, on_its_way.get());
    r.client->throttle(3, 1s);
    const auto held = r.ask(3);
    r.client->withdraw(3, lane::produce, held.get());
    r.world.run_for(60s);
    for (const auto& q : {withdrawn, on_its_way, held}) CHECK_FALSE(q->told);
    const auto after = r.ask(2), late = r.ask(1);
    r.client->close();
    CHECK_FALSE(after->told);
    r.world.run_for(1ms);
    REQUIRE(after->told);
    CHECK(after->told->why.code == errc::client_closed);
    const auto closed = r.ask(2);
    r.world.run_for(1ms);
    REQUIRE(closed->told);
    CHECK(closed->told->why.code == errc::client_closed);
}

TEST_CASE("Connections that are not used are closed after nine minutes, and made again", "[sim][core]") {
    rig r{1, {.metadata_max_age = 1h}};
    r.learn();
    REQUIRE(r.wait(r.ask(2)));
    r.world.run_for(8min);
    CHECK(r.client->lanes_up(2) >= 1);
    r.world.run_for(2min);
    CHECK(r.client->lanes_up(2) == 0);
    CHECK_FALSE(r.client->brokers().entries()[*r.client->brokers().find(2)].last_trouble);
    const auto q = r.ask(2);
    REQUIRE(r.wait(q));
    CHECK_FALSE(q->told->why);
    CHECK(q->took() < 1s);
}

TEST_CASE("Topics are learned, created where that is allowed, and watched", "[sim][core]") {
    rig r;
    counting_watcher w;
    r.client->watch(w);
    auto& orders = r.client->want_topic("orders", false);
    auto& made = r.client->want_topic("made", true);
    auto& missing = r.client->want_topic("missing", false);
    CHECK(w.topics == 0);
    r.world.run_for(3s);
    CHECK(orders.known);
    CHECK(orders.partitions.size() == 6);
    CHECK_FALSE(orders.id.is_zero());
    CHECK(made.known);
    CHECK_FALSE(missing.known);
    CHECK(missing.error == broker_errc::unknown_topic_or_partition);
    CHECK(w.topics > 0);
    CHECK_FALSE(r.client->last_metadata_error());
    const auto seen = r.metadata;
    r.world.run_for(10min);  // nobody asks for the missing one again and again
    CHECK(r.metadata - seen < 20);
    r.client->unwatch(w);
    const auto told = w.topics;
    r.client->refresh_topics();
    r.world.run_for(3s);
    CHECK(w.topics == told);
}

TEST_CASE("A refresh passes over a broker that is silent, and finds the new leaders of one that is gone", "[sim][core]") {
    rig r{static_cast<std::uint64_t>(GENERATE(range(1, 6)))};
    auto& orders = r.learn();
    const auto victim = GENERATE(0, 1, 2);
    REQUIRE(r.wait(r.ask(victim + 1)));
    const bool paused = GENERATE(true, false);
    const auto start = r.world.now();
    if (paused) CHECK_FALSE(r.cluster->control().node_paused(victim + 1));
    else CHECK_FALSE(r.cluster->control().node_killed(victim + 1));
    const auto q = r.ask(victim + 1);
    const auto led_by_victim = [&] {
        return std::any_of(orders.partitions.begin(), orders.partitions.end(), [&](const partition_info& p) { return p.leader == victim + 1 || p.leader < 0; });
    };
    while (led_by_victim() && r.world.now() - start < 60s) {
        r.client->refresh_topics();  // as somebody does whose records do not get through
        r.world.run_for(200ms);
    }
    CHECK_FALSE(led_by_victim());
    CHECK(r.world.now() - start < 15s);  // the cluster's own time to notice is 9 s
}

TEST_CASE("Nodes with old views never take a leader back", "[sim][core]") {
    rig r;
    auto& orders = r.learn();
    auto control = r.cluster->control();
    REQUIRE_FALSE(control.freeze_metadata(1));
    REQUIRE_FALSE(control.freeze_metadata(2));
    const auto to = orders.partitions[0].leader == 3 ? 2 : 3;
    REQUIRE_FALSE(control.move_leader("orders", 0, to));
    std::int32_t epoch = -1;
    const auto start = r.world.now();
    std::optional<sim::duration> healed;
    for (int i = 0; i < 50; ++i) {
        r.client->refresh_topics();
        r.world.run_for(500ms);
        CHECK(orders.partitions[0].leader_epoch >= epoch);
        epoch = orders.partitions[0].leader_epoch;
        if (orders.partitions[0].leader == to && !healed) healed = r.world.now() - start;
        if (healed) CHECK(orders.partitions[0].leader == to);
    }
    REQUIRE(healed);
    CHECK(*healed <= 10s);
}

TEST_CASE("A hint moves a leader at once, and where the leader is may come with it", "[sim][core]") {
    rig r;
    counting_watcher w;
    auto& orders = r.learn();
    r.world.run_for(1s);
    r.client->watch(w);
    const auto epoch = orders.partitions[0].leader_epoch;
    r.client->leader_hint(orders, 0, 9, epoch);  // no news
    r.world.run_for(1ms);
    CHECK(w.topics == 0);
    r.client->leader_hint(orders, 0, 9, epoch + 1);
    r.client->node_hint(9, r.nodes[1]->address().to_string(), 9092, "");
    CHECK(w.topics == 0);
    r.world.run_for(1ms);
    CHECK(w.topics == 1);
    CHECK(orders.partitions[0].leader == 9);
    const auto q = r.ask(9);
    REQUIRE(r.wait(q));
    CHECK_FALSE(q->told->why);
}

TEST_CASE("A broker that asks for a pause gets it on that lane, and calls time out in it", "[sim][core]") {
    rig r;
    r.learn();
    REQUIRE(r.wait(r.ask(2)));
    r.client->throttle(2, 5s);
    REQUIRE(r.client->throttled_until(2));
    CHECK_FALSE(r.client->throttled_until(2, lane::fetch));
    const auto held = r.ask(2), impatient = r.ask(2, lane::produce, 2s), other_lane = r.ask(2, lane::fetch), other_broker = r.ask(3);
    REQUIRE(r.wait(held));
    CHECK_FALSE(held->told->why);
    CHECK(held->took() >= 5s);
    CHECK(held->took() < 5100ms);
    REQUIRE(impatient->told);
    CHECK(impatient->told->why.code == errc::request_timed_out);
    CHECK(impatient->took() == 2s);
    CHECK_FALSE(impatient->told->maybe_processed);
    CHECK(other_lane->took() < 1s);
    CHECK(other_broker->took() < 1s);
    CHECK_FALSE(r.client->throttled_until(2));
}

TEST_CASE("The application's requests obey a throttled answer too", "[sim][core]") {
    rig r;
    r.client->close();
    kafkawire::client c{r.app.executor(), {.bootstrap = "broker-1:9092"}, r.app.environment()};
    std::vector<sim::duration> at;
    c.async_request(metadata_request{}, 1, [](std::error_code ec, const auto&) { CHECK_FALSE(ec); });
    r.world.run_for(1s);
    r.cluster->control().add({.api = metadata_request::key, .count = 1, .throttle = 3s});
    const auto start = r.world.now();
    const kafkawire::request_options here{.broker = 1};
    c.async_request(metadata_request{}, here, [&](std::error_code ec, const auto&) {
        CHECK_FALSE(ec);
        at.push_back(r.world.now() - start);
        c.async_request(metadata_request{}, here, [&](std::error_code again, const auto&) {
            CHECK_FALSE(again);
            at.push_back(r.world.now() - start);
        });
    });
    r.world.run_for(10s);
    REQUIRE(at.size() == 2);
    CHECK(at[0] < at[1]);
    CHECK(at[1] >= 3s);
    CHECK(at[1] < 4s);
}

TEST_CASE("A half-open connection is found out within ten seconds, several times in a row", "[sim][core]") {
    rig r{static_cast<std::uint64_t>(GENERATE(range(1, 6)))};
    r.learn();
    for (int i = 0; i < 3; ++i) {
        REQUIRE(r.wait(r.ask(2)));
        REQUIRE(r.world.cut_now(r.app, *r.nodes[1], sim::cut::silence) > 0);
        const auto q = r.ask(2);
        REQUIRE(r.wait(q));
        CHECK(q->told->connection_failed);
        CHECK(q->told->maybe_processed);
        CHECK(q->took() >= 3s);
        CHECK(q->took() < 6s);
        const auto again = r.ask(2);
        REQUIRE(r.wait(again));
        CHECK_FALSE(again->told->why);
        CHECK(again->took() < 1s);
    }
}

TEST_CASE("A broker that takes long for an answer is not cut off again and again", "[sim][core]") {
    rig r;
    r.learn();
    REQUIRE(r.wait(r.ask(2, lane::other)));
    r.cluster->control().add({.api = metadata_request::key, .node = 2, .reply_delay = 9s});
    int cut = 0;
    for (int i = 0; i < 20; ++i) {
        const auto q = r.ask(2);
        REQUIRE(r.wait(q));
        if (q->told->why) ++cut;
    }
    CHECK(cut <= 2);
}

TEST_CASE("A black hole for a while: what waits gets through soon after it ends", "[sim][core]") {
    rig r{static_cast<std::uint64_t>(GENERATE(range(1, 6)))};
    r.learn();
    REQUIRE(r.wait(r.ask(2)));
    r.world.partition(r.app, *r.nodes[1]);
    const auto q = r.ask(2);
    r.world.run_for(20s);
    CHECK_FALSE(q->told);
    r.world.heal(r.app, *r.nodes[1]);
    const auto healed = r.world.now();
    REQUIRE(r.wait(q));
    const auto again = r.ask(2);
    REQUIRE(r.wait(again));
    CHECK_FALSE(again->told->why);
    CHECK(again->at - healed < 10s);
}

TEST_CASE("Paused brokers: nothing is closed before its time, and hardly anything is done", "[sim][core]") {
    rig r;
    r.learn();
    for (const int id : {1, 2, 3}) REQUIRE(r.wait(r.ask(id)));
    const auto connections = r.world.count().connections;
    const auto events = r.world.count().events;
    r.nodes[0]->pause();
    r.nodes[1]->pause();
    const auto first = r.ask(1, lane::produce, 40s), second = r.ask(2, lane::produce, 40s);
    r.world.run_for(29s);
    CHECK_FALSE(first->told);
    CHECK_FALSE(second->told);
    CHECK(r.world.count().connections - connections <= 29);  // one a second: while a broker is silent its partitions may be given to others at any time
    r.nodes[0]->resume();
    r.world.run_for(1s);
    REQUIRE(first->told);
    CHECK_FALSE(first->told->why);
    r.world.run_for(60s);
    CHECK(second->told->why);
    CHECK(r.world.count().connections - connections <= 40);
    CHECK(r.world.count().events - events < 20'000);
}

TEST_CASE("Nothing wakes an idle client but the age of what it knows", "[sim][core]") {
    rig r;
    r.learn();
    for (const int id : {1, 2, 3}) REQUIRE(r.wait(r.ask(id)));
    r.world.run_for(10s);
    const auto events = r.world.count().events;
    const auto asked = r.metadata;
    r.world.run_for(60min);
    CHECK(r.metadata - asked >= 11);
    CHECK(r.metadata - asked <= 13);
    CHECK(r.world.count().events - events < 6 * 60);
}

TEST_CASE("In an outage no broker is asked more than a few times a second, and all is well soon after it", "[sim][core]") {
    rig r{static_cast<std::uint64_t>(GENERATE(1, 2, 3))};
    auto& orders = r.learn();
    const auto how = GENERATE(0, 1, 2);  // refused; no answer; names do not resolve either
    for (auto* n : r.nodes) {
        if (how == 1) r.world.partition(r.app, *n);
        else r.world.refuse(*n);
        r.world.cut_now(r.app, *n);
        if (how == 2) r.world.fail_name(n->name());
    }
    const auto connects = r.world.count().connections + r.world.count().refused;
    // Somebody whose records do not get through: he tries again at once, and asks where else to go.
    std::vector<std::shared_ptr<question>> tries(3);
    const auto until = r.world.now() + 10min;
    while (r.world.now() < until) {
        for (int id = 1; id <= 3; ++id) {
            auto& q = tries[static_cast<std::size_t>(id - 1)];
            if (!q || q->told) q = r.ask(id);
        }
        r.client->refresh_topics();
        r.world.run_for(50ms);
    }
    CHECK((r.world.count().connections + r.world.count().refused - connects) / (3.0 * 600) < 4);
    CHECK(r.client->last_metadata_error());
    for (auto* n : r.nodes) {
        r.world.heal(r.app, *n);
        r.world.refuse(*n, false);
        r.world.set_name(n->name(), {n->address()});
    }
    const auto changes = orders.changes;
    const auto metadata = r.metadata;
    r.client->refresh_topics();
    const auto healed = r.world.now();
    REQUIRE(r.world.run_until([&] { return r.metadata > metadata && !r.client->last_metadata_error(); }, 30s));
    CHECK(r.world.now() - healed < 10s);
    CHECK(orders.changes == changes);
    r.world.run_for(1s);
    const auto q = r.ask(2);
    REQUIRE(r.wait(q));
    CHECK_FALSE(q->told->why);
}

TEST_CASE("All brokers have moved to new ports but one that the bootstrap list names", "[sim][core]") {
    rig r;
    r.learn();
    for (const int id : {1, 2, 3}) REQUIRE(r.wait(r.ask(id)));
    r.cluster.reset();
    const bool late = GENERATE(false, true);
    if (late) {  // and there was nobody at all for two minutes
        for (int i = 0; i < 120; ++i) {
            r.client->refresh_topics();
            r.world.run_for(1s);
        }
        for (const int id : {1, 2, 3}) CHECK_FALSE(r.client->brokers().find(id));
    }
    r.start_cluster({9092, 19092, 29092});
    const auto start = r.world.now();
    for (const int id : {1, 2, 3}) {
        std::shared_ptr<question> q;
        do {
            q = r.ask(id);
            REQUIRE(r.wait(q));
            if (q->told->why) r.client->refresh_topics();
            r.world.run_for(100ms);
        } while (q->told->why && r.world.now() - start < 30s);
        CHECK_FALSE(q->told->why);
    }
    CHECK(r.world.now() - start < 5s);
}

TEST_CASE("A broker that says rebootstrap is obeyed", "[sim][core]") {
    rig r;
    r.learn();
    REQUIRE(r.wait(r.ask(2)));
    r.cluster->control().add({.api = metadata_request::key, .count = 1, .error = broker_errc::rebootstrap_required, .error_at = broker::error_place::top});
    r.client->refresh_topics();
    CHECK(r.world.run_until([&] { return !r.client->brokers().find(2); }, 5s));
    CHECK(r.world.run_until([&] { return r.client->brokers().find(2).has_value(); }, 5s));
    const auto q = r.ask(2);
    REQUIRE(r.wait(q));
    CHECK_FALSE(q->told->why);
}

TEST_CASE("Names fail, lead to a dead address, lead elsewhere: the client follows", "[sim][core]") {
    rig r;
    r.client->close();
    const auto dead = *net::ip_address::parse("10.9.9.9");
    r.options.bootstrap = "kafka:9092";
    r.start_core();
    if (GENERATE(true, false)) r.world.fail_name("kafka");
    else r.world.set_name("kafka", {dead});
    auto& orders = r.client->want_topic("orders", false);
    r.world.run_for(60s);
    CHECK_FALSE(orders.known);
    REQUIRE(r.client->last_metadata_error());
    if (GENERATE(true, false)) r.world.set_name("kafka", {r.nodes[1]->address()});
    else r.world.set_name("kafka", {dead, r.nodes[2]->address()});
    const auto start = r.world.now();
    REQUIRE(r.world.run_until([&] { return orders.known; }, 30s));
    CHECK(r.world.now() - start < 12s);  // a connect to the dead address may be under way, for 10 s
}

namespace {
struct ready_waiter final : waiting_operation {
    std::optional<error>& to;
    explicit ready_waiter(std::optional<error>& t) : to{t} {}
    void complete(error why) override { to = std::move(why); }
};
}  // namespace

TEST_CASE("async_ready says when the leaders of all topics in use can be reached, or what is missing", "[sim][core]") {
    rig r;
    std::optional<error> told;
    const auto ready = [&](std::chrono::milliseconds within, sim::duration at_most = 60s) {
        told.reset();
        prepare_ready(*r.client, std::make_unique<ready_waiter>(told), within)->go();
        CHECK_FALSE(told);
        const auto start = r.world.now();
        REQUIRE(r.world.run_until([&] { return told.has_value(); }, at_most));
        CHECK(r.world.now() - start <= within);
        return told->code;
    };
    SECTION("no topics: a broker answers") {
        CHECK_FALSE(ready(10s));
        CHECK(r.client->brokers().find(2));
    }
    SECTION("topics: their leaders are connected to") {
        r.client->want_topic("orders", false);
        r.client->want_topic("made", true);
        CHECK_FALSE(ready(10s));
        for (const int id : {1, 2, 3}) CHECK(r.client->lanes_up(id) > 0);
    }
    SECTION("a topic that does not exist is waited for, and found missing") {
        r.client->want_topic("orders", false);
        r.client->want_topic("missing", false);
        CHECK(ready(5s) == broker_errc::unknown_topic_or_partition);
        CHECK(told->text.find("missing") != std::string::npos);
        CHECK(told->text.find("5 s") != std::string::npos);
    }
    SECTION("what no waiting will mend is told at once") {
        r.client->want_topic("not a topic", false);
        CHECK(ready(1min, 2s) == broker_errc::invalid_topic_exception);
    }
    SECTION("nobody there: why, down to the refused connection") {
        for (auto* n : r.nodes) r.world.refuse(*n);
        CHECK(ready(5s) == errc::no_broker_available);
        REQUIRE(told->cause);
        INFO(told->message());
        CHECK(told->message().find("refused") != std::string::npos);
        for (auto* n : r.nodes) r.world.refuse(*n, false);
        CHECK_FALSE(ready(5s));
    }
    SECTION("names that lead nowhere") {
        for (auto* n : r.nodes) r.world.fail_name(n->name());
        CHECK(ready(5s) == errc::no_broker_available);
        CHECK(told->in == phase::resolve);
    }
    SECTION("brokers that say nothing") {
        for (auto* n : r.nodes) n->pause();
        CHECK(ready(5s) == errc::no_broker_available);
        CHECK(told->cause);
    }
    SECTION("a leader that cannot be reached, by id and address") {
        r.learn();
        r.world.run_for(10s);
        r.cluster->control().node_paused(3);
        r.world.refuse(*r.nodes[2]);
        r.world.cut_now(r.app, *r.nodes[2]);
        CHECK(ready(3s) == errc::no_broker_available);
        INFO(told->message());
        CHECK(told->broker.find("(id 3)") != std::string::npos);
        REQUIRE(told->cause);
        CHECK_FALSE(ready(30s));  // others lead when the cluster has noticed
    }
    SECTION("canceled") {
        for (auto* n : r.nodes) n->pause();
        const auto op = prepare_ready(*r.client, std::make_unique<ready_waiter>(told), 10s);
        op->go();
        r.world.run_for(1s);
        op->cancel();
        CHECK_FALSE(told);
        r.world.run_for(1ms);
        REQUIRE(told);
        CHECK(told->code == errc::canceled);
    }
    SECTION("closed meanwhile, and before") {
        for (auto* n : r.nodes) n->pause();
        prepare_ready(*r.client, std::make_unique<ready_waiter>(told), 10s)->go();
        r.client->close();
        CHECK_FALSE(told);
        r.world.run_for(1ms);
        REQUIRE(told);
        CHECK(told->code == errc::client_closed);
        told.reset();
        prepare_ready(*r.client, std::make_unique<ready_waiter>(told), 10s)->go();
        CHECK(told->code == errc::client_closed);
    }
    SECTION("the client is gone before anything could be told") {
        prepare_ready(*r.client, std::make_unique<ready_waiter>(told), 10s)->go();
        r.client->close();
        r.client.reset();
    }
}

TEST_CASE("health tells of each broker how it is, since when, and what was wrong last", "[sim][core]") {
    rig r;
    using status = broker_health::status;
    const auto of = [&](std::int32_t id) {
        for (auto& h : r.client->health())
            if (h.id == id) return h;
        return broker_health{};
    };
    CHECK(r.client->health().size() == 3);
    for (const auto& h : r.client->health()) CHECK(h.state == status::unused);
    r.learn();
    REQUIRE(r.wait(r.ask(2)));
    const auto up = r.world.now();
    r.world.run_for(1s);
    CHECK(of(2).state == status::up);
    CHECK(of(2).since <= up);
    CHECK(of(2).connections >= 1);
    CHECK_FALSE(of(2).throttled_until);
    r.client->throttle(2, 2s);
    CHECK(of(2).throttled_until == r.world.now() + 2s);
    r.world.run_for(3s);
    r.nodes[1]->pause();
    const auto q = r.ask(2);
    r.world.run_for(4s);
    CHECK(of(2).state == status::silent);
    CHECK(r.world.now() - of(2).since <= 1s);
    r.nodes[1]->resume();
    r.world.run_for(1s);
    CHECK(of(2).state == status::up);
    CHECK_FALSE(of(2).failed_at);
    r.world.refuse(*r.nodes[1]);
    r.world.cut_now(r.app, *r.nodes[1]);
    r.world.run_for(1s);
    const auto refused = r.ask(2);
    REQUIRE(r.wait(refused));
    CHECK(of(2).state == status::down);
    CHECK(of(2).connections == 0);
    CHECK(of(2).last_error.code == errc::connect_failed);
    REQUIRE(of(2).failed_at);
    r.world.refuse(*r.nodes[1], false);
    r.world.run_for(2s);
    REQUIRE(r.wait(r.ask(2)));
    CHECK(of(2).state == status::up);
    CHECK(of(2).last_error.code == errc::connect_failed);
}
