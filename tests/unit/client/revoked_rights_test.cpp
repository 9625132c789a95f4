// Rights that are taken away and given back while a client works (reliability.md, S4), in virtual time: what is refused is told within moments and with
// names, is not asked for again and again, keeps nothing else back, and works again when it may.
#include <kafkawire/broker.hpp>
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/simulation.hpp>

#include <functional>
#include <map>
#include <numeric>

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

    explicit working(bool idempotent = true, kw::group_protocol as = kw::group_protocol::classic) {
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
        reading.group_protocol = as;
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

    /// For that long requests are answered so; then ten seconds more. How often that was.
    std::int64_t refuse(const kw::broker::fault& f) { return refuse(std::vector{f}, 20s).front(); }
    std::vector<std::int64_t> refuse(const std::vector<kw::broker::fault>& all, std::chrono::seconds how_long) {
        world.run_for(5s);
        CHECK(sends.empty());
        CHECK(polls.empty());
        CHECK(commits.empty());
        began = world.now();
        before = of;
        auto control = cluster->control();
        std::vector<kw::broker::fault_id> ids;
        for (const auto& f : all) ids.push_back(control.add(f));
        world.run_for(how_long);
        meanwhile = of;
        std::vector<std::int64_t> hits;
        for (const auto id : ids) {
            hits.push_back(control.hits(id));
            control.remove(id);
        }
        ended = world.now();
        world.run_for(10s);
        return hits;
    }
    /// The first was told in time, and none once it was over, of that code, with all of these names.
    void check_told(const std::vector<trouble>& told, broker_errc code, std::initializer_list<std::string_view> names, std::chrono::milliseconds soon = 1s) const {
        REQUIRE_FALSE(told.empty());
        CHECK(told.front().at - began < soon);
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

namespace {

// What needs a right to the group: OffsetCommit, OffsetFetch, FindCoordinator, JoinGroup, Heartbeat, SyncGroup, ConsumerGroupHeartbeat.
std::vector<kw::broker::fault> without_group() {
    std::vector<kw::broker::fault> all;
    for (const std::int16_t api : {8, 9, 10, 11, 12, 14, 68}) all.push_back({.api = api, .error = broker_errc::group_authorization_failed});
    return all;
}

}  // namespace

// The coordinator knows the member until its session is over, and it may read until then; behind that it may only ask.
TEST_CASE("the right to the group is taken away: polls say so by its name, however often they are made no more is asked, and the member comes back", "[security][sim]") {
    for (const auto as : {kw::group_protocol::classic, kw::group_protocol::consumer})
        for (const auto how_long : {20s, 80s}) {
            CAPTURE(static_cast<int>(as), how_long.count());
            working w{true, as};
            const auto hits = w.refuse(without_group(), how_long);
            // The next heartbeat says it; that of KIP-848 is the broker's, every five seconds.
            w.check_told(w.polls, broker_errc::group_authorization_failed, {"the group billing is not open to this user", "an ACL must allow Read on the group"},
                         as == kw::group_protocol::classic ? 1500ms : 5500ms);
            // Every half a second, the longest pause, spread by a fifth.
            CHECK(w.polls.size() >= static_cast<std::size_t>(how_long / 1s) * 5 / 4);
            CHECK(w.polls.size() <= static_cast<std::size_t>(how_long / 1s) * 5 / 2);
            const auto asked = std::accumulate(hits.begin() + 1, hits.end(), std::int64_t{0});  // without the commits, which the application makes
            CHECK(asked <= how_long / 1s * 5 / 2);
            const bool lost = how_long > 45s;
            CHECK(w.flowed("orders", &working::numbers::read) >= (lost ? 700 : 390));
            CHECK(w.flowed("orders", &working::numbers::read) <= (lost ? 1000 : 410));
            if (!lost) w.check_told(w.commits, broker_errc::group_authorization_failed, {"billing"});
            CHECK(hits.front() <= static_cast<std::int64_t>(w.commits.size()) + 2);
            w.check_recovered();
            // What could not be committed comes again, but only to a member that was lost.
            CHECK((w.of["orders"].repeated > 0) == lost);
            CHECK(w.consumer->membership()->losses == (lost ? 1 : 0));
            CHECK(w.sends.empty());
        }
}

TEST_CASE("who comes without the right to the group is told its name, waits, and is in when it may", "[security][sim]") {
    for (const auto as : {kw::group_protocol::classic, kw::group_protocol::consumer}) {
        CAPTURE(static_cast<int>(as));
        working w{true, as};
        w.world.run_for(5s);
        auto control = w.cluster->control();
        const auto id = control.add({.api = 10, .error = broker_errc::group_authorization_failed});
        kw::client newcomer{w.app.executor(), {.bootstrap = "broker:9092"}, w.app.environment()};
        kw::consumer_options reading;
        reading.group = "late";
        reading.group_protocol = as;
        reading.topics = {"orders"};
        reading.auto_offset_reset = kw::offset_reset::earliest;
        kw::consumer late{newcomer, reading};
        std::vector<kw::error> told;
        std::size_t got = 0;
        std::function<void()> poll = [&] {
            late.async_poll(kw::detailed([&](kw::error why, kw::records batch) {
                if (why.code == kw::errc::client_closed) return;
                if (why) told.push_back(std::move(why));
                got += batch.size();
                poll();
            }));
        };
        poll();
        w.world.run_for(20s);
        CHECK(got == 0);
        CHECK(told.size() >= 30);
        CHECK(told.size() <= 50);
        CHECK(control.hits(id) <= 50);
        for (const auto& why : told) {
            INFO(why.message());
            CHECK(why.code == broker_errc::group_authorization_failed);
            CHECK(why.message().find("the group late is not open to this user") != std::string::npos);
        }
        // Questions of one's own end, too.
        std::optional<kw::error> answer;
        late.async_committed({{"orders", 0}}, kw::detailed([&](kw::error why, std::vector<kw::committed_offset>) { answer = std::move(why); }));
        w.world.run_for(2s);
        REQUIRE(answer);
        CHECK(answer->code == broker_errc::group_authorization_failed);
        control.remove(id);
        w.world.run_for(5s);
        CHECK(got > 400);
        CHECK(w.polls.empty());
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
