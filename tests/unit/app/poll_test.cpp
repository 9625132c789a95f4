// librdkafka's way: properties, delivery reports, a rebalance callback that assigns with its own offsets.
#include <kafkawire/app/poll.hpp>
#include <kafkawire/broker.hpp>

#include <asio/io_context.hpp>
#include <set>
#include <thread>

#include "catch.hpp"

using namespace std::chrono_literals;
namespace app = kw::app;

namespace {

struct cluster_of_its_own {
    asio::io_context io;
    kw::broker::cluster cluster;
    std::thread thread;
    explicit cluster_of_its_own(const kw::broker::options& o) : cluster{io.get_executor(), o} {
        REQUIRE_FALSE(cluster.start());
        thread = std::thread{[this] { io.run(); }};
    }
    ~cluster_of_its_own() {
        asio::post(io, [this] { cluster.close(); });
        thread.join();
    }
    std::string address() const { return cluster.bootstrap(); }
};

app::properties reading(const std::string& address, const std::string& group, app::properties more = {}) {
    more.insert({{"bootstrap.servers", address}, {"group.id", group}, {"auto.offset.reset", "earliest"}, {"enable.auto.commit", "false"}});
    return more;
}

}  // namespace

TEST_CASE("poll style: reports go to the call's own receiver or to the stream of events") {
    cluster_of_its_own kafka{{.topics = {{.name = "test", .partitions = 3}}}};
    app::poll_producer p{{"bootstrap.servers", kafka.address()}, {"message.send.max.retries", "5"}};
    const kw::header_view trace{"trace", "7"};
    for (const auto* word : {"Welcome", "to", "the", "Confluent", "Kafka", "Golang", "client"}) CHECK_FALSE(p.produce({.topic = "test", .key = "asd", .value = word, .headers = {&trace, 1}, .tag = 9}));
    std::vector<std::string> values;
    std::set<std::int32_t> partitions;
    for (int i = 0; i < 7; ++i) {
        const auto e = p.poll(10s);
        REQUIRE(e);
        CHECK_FALSE(e->why);
        CHECK(e->offset == i);
        CHECK(e->message.headers.at(0).value == "7");
        CHECK(e->message.tag == 9);
        values.push_back(e->message.value.value_or(""));
        partitions.insert(e->partition);
    }
    CHECK(values == std::vector<std::string>{"Welcome", "to", "the", "Confluent", "Kafka", "Golang", "client"});
    CHECK(partitions.size() == 1);
    CHECK_FALSE(p.poll(0ms));

    const auto mine = std::make_shared<app::report_queue>();
    CHECK_FALSE(p.produce({.topic = "test", .value = "mine"}, mine));
    CHECK_FALSE(p.produce({.topic = "test", .value = std::string_view{"x"}, .partition = 7}, mine));
    const auto first = mine->poll(10s);
    REQUIRE(first);
    CHECK(first->message.value == "mine");
    const auto wrong = mine->poll(app::for_ever);
    CHECK(wrong->why.code == kw::errc::unknown_partition);
    CHECK(p.size() == 0);
    CHECK(p.flush(10s) == 0);
    CHECK(p.statistics().acknowledged == 8);

    CHECK_THROWS_WITH((app::poll_producer{{"bootstrap.servers", kafka.address()}, {"acks", "3"}, {"mesage.send.max.retries", "5"}}),
                      Catch::Contains("acks is \"3\"") && Catch::Contains("did you mean message.send.max.retries?"));
}

TEST_CASE("poll style: a producer that nobody lets in says so in its stream, once, while messages wait") {
    kw::broker::options o;
    o.topics = {{.name = "orders"}};
    o.security.protocol = kw::security_protocol::sasl_plaintext;
    o.security.mechanisms = {kw::sasl_mechanism::plain};
    o.security.users = {{"alice", kw::secret{"right"}}};
    cluster_of_its_own kafka{o};
    app::poll_producer p{{"bootstrap.servers", kafka.address()}, {"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanisms", "PLAIN"}, {"sasl.username", "alice"}, {"sasl.password", "wrong"}};
    CHECK_FALSE(p.produce({.topic = "orders", .value = "paid"}));
    const auto e = p.poll(20s);
    REQUIRE(e);
    CHECK(e->message.topic.empty());
    CHECK(e->why.code == kw::errc::authentication_failed);
    CHECK_FALSE(p.poll(1s));
    CHECK(p.flush(100ms) == 1);
}

TEST_CASE("poll style: a producer takes no more than it has room for, and says what is left") {
    app::poll_producer p{kw::config::read_properties(std::map<std::string, std::string>{{"bootstrap.servers", "127.0.0.1:1"}, {"message.timeout.ms", "60000"}}).producers.at(""), 2};
    CHECK_FALSE(p.produce({.topic = "test", .value = "1"}));
    CHECK_FALSE(p.produce({.topic = "test", .value = "2"}));
    CHECK(p.produce({.topic = "test", .value = "3"}) == kw::errc::would_wait);
    CHECK(p.flush(50ms) == 2);
    CHECK(p.size() == 2);
}

TEST_CASE("poll style: a rebalance callback assigns with its own offsets, and gives back") {
    cluster_of_its_own kafka{{.topics = {{.name = "test", .partitions = 2}}}};
    {
        app::poll_producer p{{"bootstrap.servers", kafka.address()}};
        for (int i = 0; i < 10; ++i) REQUIRE_FALSE(p.produce({.topic = "test", .value = "m", .partition = i % 2}));
        REQUIRE(p.flush(10s) == 0);
    }
    for (const auto* strategy : {"range", "cooperative-sticky"}) {
        INFO(strategy);
        app::poll_consumer c{reading(kafka.address(), std::string{"own-offsets-"} + strategy, {{"partition.assignment.strategy", strategy}})};
        std::vector<std::string> told;
        c.subscribe({"test"}, [&](app::poll_consumer& self, app::rebalance_event e) {
            told.push_back((e.what == e.assigned ? "+" : e.what == e.revoked ? "-" : "!") + std::to_string(e.partitions.size()));
            CHECK(e.incremental == (std::string_view{strategy} == "cooperative-sticky"));
            if (e.what != e.assigned) return self.unassign();
            CHECK_THROWS_AS(self.poll(0ms), std::logic_error);
            // Only one of the two, from its fourth message on.
            std::erase_if(e.partitions, [](const auto& p) { return p.partition != 1; });
            for (auto& p : e.partitions) p.from = kw::start_position::at(3);
            self.assign(e.partitions);
        });
        const auto a = c.read_message(20s), b = c.read_message(20s);
        CHECK(a.partition == 1);
        CHECK(a.offset == 3);
        CHECK(b.offset == 4);
        CHECK_THROWS_WITH(c.read_message(300ms), Catch::Contains("no message came within 300 ms"));
        CHECK_FALSE(c.poll(0ms));
        c.commit(a);
        CHECK(c.committed({{"test", 1}}).at(0).offset == 4);
        c.seek("test", 1, kw::start_position::beginning());
        CHECK(c.read_message(10s).offset == 0);
        c.pause({{"test", 1}});
        CHECK_FALSE(c.poll(300ms));
        c.resume({{"test", 1}});
        CHECK(c.read_message(10s).offset == 1);
        CHECK(c.assignment().size() == 2);
        REQUIRE(c.membership());
        CHECK(c.membership()->generation >= 1);
        c.close();
        CHECK(told == std::vector<std::string>{"+2", "-2"});
    }
}

TEST_CASE("poll style: at least once by hand, at most once by itself, partitions by hand") {
    cluster_of_its_own kafka{{.topics = {{.name = "test", .partitions = 1}}}};
    {
        app::poll_producer p{{"bootstrap.servers", kafka.address()}};
        for (int i = 0; i < 5; ++i) REQUIRE_FALSE(p.produce({.topic = "test", .value = "m"}));
        REQUIRE(p.flush(10s) == 0);
    }
    const auto first_of = [&](app::properties p, bool store = false) {
        app::poll_consumer c{p};
        c.subscribe({"test"});
        const auto m = c.read_message(20s);
        if (store) c.store_offset(m);
        c.close();
        return m.offset;
    };
    CHECK(first_of(reading(kafka.address(), "by-hand")) == 0);
    CHECK(first_of(reading(kafka.address(), "by-hand")) == 0);
    auto automatic = reading(kafka.address(), "automatic");
    automatic["enable.auto.commit"] = "true";
    CHECK(first_of(automatic) == 0);
    CHECK(first_of(automatic) == 1);
    automatic["enable.auto.offset.store"] = "false";
    CHECK(first_of(automatic) == 2);
    CHECK(first_of(automatic, true) == 2);
    CHECK(first_of(automatic, true) == 3);

    app::poll_consumer c{reading(kafka.address(), "hands")};
    std::vector<kw::partition_start> start(1);
    start[0].topic = "test";
    start[0].from = kw::start_position::at(2);
    c.assign(start);
    CHECK(c.read_message(20s).offset == 2);
    c.commit();
    CHECK(c.committed({{"test", 0}}).at(0).offset == 3);
    c.unassign();
    CHECK(c.assignment().empty());
    CHECK_FALSE(c.poll(100ms));
}

TEST_CASE("poll style: partitions that go to another member are given back in the poll") {
    cluster_of_its_own kafka{{.topics = {{.name = "test", .partitions = 2}}}};
    int came = 0, gone = 0;
    app::poll_consumer a{reading(kafka.address(), "two", {{"partition.assignment.strategy", "range"}})};
    a.subscribe({"test"}, [&](app::poll_consumer&, app::rebalance_event e) { (e.what == e.assigned ? came : gone) += static_cast<int>(e.partitions.size()); });
    const auto until = [](auto&& done, auto&&... polled) {
        const auto by = std::chrono::steady_clock::now() + 20s;
        while (!done() && std::chrono::steady_clock::now() < by) ((void)polled.poll(50ms), ...);
        return done();
    };
    REQUIRE(until([&] { return came == 2; }, a));
    app::poll_consumer b{reading(kafka.address(), "two", {{"partition.assignment.strategy", "range"}})};
    b.subscribe({"test"});
    REQUIRE(until([&] { return came == 3 && gone == 2 && b.assignment().size() == 1; }, a, b));
    b.close();
    a.close();
}
