// Rights that are taken away and given back while a client works (reliability.md, S4), in virtual time: what is refused is told within moments and with
// names, is not asked for again and again, keeps nothing else back, and works again when it may.
#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/simulation.hpp>

#include <map>

#include "catch.hpp"

namespace revoked_rights {

using namespace std::chrono_literals;

namespace {

using kw::broker_errc;

// One broker, a producer that writes numbers to two topics every 50 ms, and a member that reads one of them and commits what it read.
struct working {
    kw::sim::world world{11};
    kw::sim::host& node = world.add_host("broker");
    kw::sim::host& app = world.add_host("app");
    std::optional<kw::broker::cluster> cluster;
    std::optional<kw::client> client;
    std::optional<kw::producer> producer;
    std::optional<kw::consumer> consumer;

    struct numbers {
        int sent = 0, acknowledged = 0, refused = 0, read = 0, repeated = 0;
        std::vector<std::string> accepted;                  // in the order of their offsets
    };
    std::map<std::string, numbers, std::less<>> of;
    struct trouble {
        kw::net::time_point at;
        kw::error why;
    };
    std::vector<trouble> sends, polls, commits;
    int commits_done = 0;

    explicit working(bool idempotent = true) {
        kw::broker::options o;
        o.nodes = 1;
        o.hosts = {node.address().to_string()};
        o.ports = {9092};
        o.topics = {{.name = "orders", .partitions = 1}, {.name = "payments", .partitions = 1}};
        cluster.emplace(std::vector<std::shared_ptr<kw::net::environment>>{node.environment()}, o);
        REQUIRE_FALSE(cluster->start());
        client.emplace(app.executor(), kw::client_options{.bootstrap = "broker:9092", .metadata_max_age = 2s}, app.environment());
        producer.emplace(*client, kw::producer_options{.idempotence = idempotent ? kw::toggle::on : kw::toggle::off, .linger = 0ms});
        kw::consumer_options reading;
        reading.group = "billing";
        reading.topics = {"orders"};
        reading.auto_offset_reset = kw::offset_reset::earliest;
        reading.heartbeat_interval = 1s;
        consumer.emplace(*client, reading);
        // In turn, so that each has requests of its own: a fault hits whole requests.
        write("orders");
        world.after(25ms, [this] { write("payments"); });
        poll();
    }
    ~working() {
        consumer.reset();
        producer.reset();
        client.reset();
        cluster.reset();
    }
    void write(const std::string& topic) {
        auto& t = of[topic];
        auto value = std::make_unique<const std::string>(std::to_string(t.sent++));
        const kw::record r{.topic = topic, .value = *value};
        producer->async_send(r, kw::detailed([this, &t, kept = std::move(value)](kw::error why, kw::delivery at) {
            if (why.code == kw::errc::client_closed || why.code == kw::errc::send_withdrawn || why.code == kw::errc::delivery_unknown) return;
            if (why) {
                ++t.refused;
                sends.push_back({world.now(), std::move(why)});
                return;
            }
            ++t.acknowledged;
            t.accepted.resize(std::max<std::size_t>(t.accepted.size(), static_cast<std::size_t>(at.offset) + 1));
            t.accepted[static_cast<std::size_t>(at.offset)] = *kept;
        }));
        world.after(50ms, [this, topic] { write(topic); });
    }
    void poll() {
        consumer->async_poll(kw::detailed([this](kw::error why, kw::records batch) {
            if (why.code == kw::errc::client_closed || why.code == kw::errc::canceled) return;
            if (why) polls.push_back({world.now(), std::move(why)});
            for (const auto& r : batch) {
                auto& t = of.find(r.topic)->second;
                // In order and without a gap; what could not be committed may come again.
                if (r.offset < t.read) ++t.repeated;
                else CHECK(r.offset == t.read++);
            }
            if (!batch.empty()) commit(batch);
            poll();
        }));
    }
    void commit(const kw::records& batch) {
        consumer->async_commit(batch, kw::detailed([this](kw::error why) {
            if (why.code == kw::errc::client_closed || why.code == kw::errc::canceled) return;
            if (why) commits.push_back({world.now(), std::move(why)});
            else ++commits_done;
        }));
    }

    /// For twenty seconds requests are answered so; then ten seconds more. How often that was.
    std::int64_t refuse(const kw::broker::fault& f) {
        world.run_for(5s);
        CHECK(sends.empty());
        CHECK(polls.empty());
        CHECK(commits.empty());
        began = world.now();
        before = of;
        const auto id = cluster->control().add(f);
        world.run_for(20s);
        meanwhile = of;
        const auto hits = cluster->control().hits(id);
        cluster->control().remove(id);
        ended = world.now();
        world.run_for(10s);
        return hits;
    }
    /// The first was told within a second, all in time, of that code, with all of these names.
    void check_told(const std::vector<trouble>& told, broker_errc code, std::initializer_list<std::string_view> names) const {
        REQUIRE_FALSE(told.empty());
        CHECK(told.front().at - began < 1s);
        CHECK(told.back().at - ended < 2s);
        for (const auto& t : told) {
            INFO(t.why.message());
            CHECK(t.why.code == code);
            for (const auto name : names) CHECK(t.why.message().find(name) != std::string::npos);
            if (t.why.code != code) return;
        }
    }
    [[nodiscard]] int flowed(std::string_view topic, int numbers::* what) const { return meanwhile.find(topic)->second.*what - before.find(topic)->second.*what; }
    /// All is as if nothing had been.
    void check_recovered() {
        const auto at = of;
        world.run_for(5s);
        for (const auto& [name, t] : of) {
            INFO(name);
            CHECK(t.acknowledged - at.find(name)->second.acknowledged >= 95);
            if (name == "orders") {
                CHECK(t.read - at.find(name)->second.read >= 95);
                CHECK(t.read >= t.acknowledged - 5);
            }
            // Each that was acknowledged stands where it was told to, and no place has two.
            CHECK(static_cast<int>(t.accepted.size()) == t.acknowledged);
        }
    }
    kw::net::time_point began, ended;
    std::map<std::string, numbers, std::less<>> before, meanwhile;
};

}  // namespace

TEST_CASE("the right to write is taken away: each send is told by the topic's name, others go on, and it works again when it may", "[security][sim]") {
    for (const bool idempotent : {true, false}) {
        CAPTURE(idempotent);
        working w{idempotent};
        const auto hits = w.refuse({.api = 0, .topic = "orders", .error = broker_errc::topic_authorization_failed, .error_at = kw::broker::error_place::items});
        w.check_told(w.sends, broker_errc::topic_authorization_failed, {"orders-0"});
        CHECK(w.flowed("orders", &working::numbers::acknowledged) <= 1);
        CHECK(w.flowed("orders", &working::numbers::refused) >= 390);  // each at once, and not at its delivery timeout
        CHECK(hits <= w.flowed("orders", &working::numbers::sent) + 2);
        CHECK(w.flowed("payments", &working::numbers::sent) >= 390);
        w.check_recovered();
        CHECK(w.polls.empty());
    }
}

TEST_CASE("the right to read is taken away: told by the partition's name once a second, and it goes on where it was", "[security][sim]") {
    working w;
    const auto hits = w.refuse({.api = 1, .topic = "orders", .error = broker_errc::topic_authorization_failed, .error_at = kw::broker::error_place::items});
    w.check_told(w.polls, broker_errc::topic_authorization_failed, {"orders-0", "offset"});
    CHECK(w.polls.size() >= 10);
    CHECK(w.polls.size() <= 42);
    CHECK(hits <= 90);
    CHECK(w.flowed("orders", &working::numbers::acknowledged) >= 390);
    CHECK(w.flowed("payments", &working::numbers::acknowledged) >= 390);
    w.check_recovered();
    CHECK(w.of["orders"].repeated == 0);
    CHECK(w.sends.empty());
}

TEST_CASE("the right to commit is taken away: each commit is told at once, reading goes on, and the next one holds for all", "[security][sim]") {
    struct way {
        broker_errc code;
        std::string_view name;
    };
    for (const auto& how : {way{broker_errc::topic_authorization_failed, "orders"}, way{broker_errc::group_authorization_failed, "billing"}}) {
        CAPTURE(how.name);
        working w;
        const auto hits = w.refuse({.api = 8, .topic = "orders", .error = how.code, .error_at = kw::broker::error_place::items});
        w.check_told(w.commits, how.code, {how.name});
        CHECK(w.flowed("orders", &working::numbers::read) >= 390);
        CHECK(hits <= static_cast<std::int64_t>(w.commits.size()) + 2);
        CHECK(w.polls.empty());
        w.check_recovered();
        CHECK(w.of["orders"].repeated == 0);
        const auto done = w.commits_done;
        w.world.run_for(1s);
        CHECK(w.commits_done > done);
    }
}

TEST_CASE("a topic that may not even be described any more: who has not used it is told its name at once, who has goes on", "[security][sim]") {
    working w;
    auto control = w.cluster->control();
    w.world.run_for(5s);
    const auto id = control.add({.api = 3, .topic = "orders", .error = broker_errc::topic_authorization_failed, .error_at = kw::broker::error_place::items});
    std::optional<kw::error> told;
    kw::client newcomer{w.app.executor(), {.bootstrap = "broker:9092"}, w.app.environment()};
    kw::producer late{newcomer};
    late.async_send({.topic = "orders", .value = "v"}, kw::detailed([&](kw::error why, kw::delivery) { told = std::move(why); }));
    w.world.run_for(1s);
    REQUIRE(told);
    INFO(told->message());
    CHECK(told->code == broker_errc::topic_authorization_failed);
    CHECK(told->message().find("orders") != std::string::npos);
    w.world.run_for(20s);
    CHECK(control.hits(id) <= 60);
    CHECK(w.sends.empty());
    control.remove(id);
    w.world.run_for(5s);
    told.reset();
    // Refused as the topic is known, which is asked for again then.
    late.async_send({.topic = "orders", .value = "v"}, kw::detailed([&](kw::error why, kw::delivery) { told = std::move(why); }));
    w.world.run_for(1s);
    REQUIRE(told);
    CHECK(*told);
    told.reset();
    late.async_send({.topic = "orders", .value = "v"}, kw::detailed([&](kw::error why, kw::delivery) { told = std::move(why); }));
    w.world.run_for(5s);
    REQUIRE(told);
    INFO(told->message());
    CHECK_FALSE(*told);
}

}  // namespace revoked_rights
