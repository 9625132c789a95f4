// A component from a configuration: producers, consumers, servers by name; metadata of the calling context; brokers that are found by others.
#include <kafkawire/app/component.hpp>
#include <kafkawire/broker.hpp>
#include <kafkawire/config/discovery.hpp>

#include <asio/io_context.hpp>
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <unistd.h>

#include "catch.hpp"

using namespace std::chrono_literals;
namespace app = kw::app;

namespace {

struct kafka_in_a_thread {
    asio::io_context io;
    kw::broker::cluster cluster;
    std::thread thread;
    explicit kafka_in_a_thread(const kw::broker::options& o) : cluster{io.get_executor(), o} {
        REQUIRE_FALSE(cluster.start());
        thread = std::thread{[this] { io.run(); }};
    }
    ~kafka_in_a_thread() {
        asio::post(io, [this] { cluster.close(); });
        thread.join();
    }
    std::string address() const { return cluster.bootstrap(); }
};

kw::config::settings toml(const std::string& address, const std::string& rest) {
    return kw::config::read_toml("[kafka]\nbrokers = [\"" + address + "\"]\n[kafka.client]\ntimeout = \"3s\"\n" + rest, "test.toml");
}

}  // namespace

TEST_CASE("a component hands out producers and consumers by the names of its configuration") {
    kafka_in_a_thread kafka{{.topics = {{.name = "orders", .partitions = 4}}}};
    std::atomic<int> asked{0};
    app::component c{toml(kafka.address(), R"(
[kafka.producers.p1]
topic = "orders"
balancer = "always-three"
batchTimeout = "10ms"
[kafka.producers.p2]
batchTimeout = "5ms"
async = true
[kafka.consumers.c1]
topic = "orders"
groupID = "group-1"
[kafka.consumers.c2]
topic = "orders"
partition = 3
startOffset = 1
readLagInterval = "1m"
)"),
                     {{"always-three", [&](const kw::partitioner_settings&) {
                           return kw::make_partitioner([&](const kw::partition_context&) {
                               ++asked;
                               return 3;
                           });
                       }}}};
    CHECK(c.producers() == std::vector<std::string>{"p1", "p2"});
    CHECK(c.consumers() == std::vector<std::string>{"c1", "c2"});
    auto& p1 = c.producer("p1");
    CHECK(&p1 == &c.producer("p1"));
    CHECK(p1.write_messages({{.key = "Key-A", .value = "Hello World!"}, {.key = "Key-B", .value = "One!"}}).acknowledged == 2);
    const auto at = p1.send({.value = "Two!"});
    CHECK(at.partition == 3);
    CHECK(at.offset == 2);
    CHECK(asked == 3);

    std::atomic<int> told{0};
    c.producer("p2").on_success([&](const app::message& m, app::position where) { told += m.topic == "orders" && m.value == "later" && where.partition == 0; });
    c.producer("p2").on_error([&](const app::message& m, const kw::error&) { told += m.value == "nowhere" ? 10 : 0; });
    CHECK(c.producer("p2").write_messages({{.topic = "orders", .value = "later", .partition = 0}, {.topic = "orders", .value = "nowhere", .partition = 9}}).acknowledged == 0);
    CHECK(c.producer("p2").flush(10s) == 0);
    CHECK(told == 11);

    auto& c2 = c.consumer("c2");
    CHECK(c2.read_message(20s).value == "One!");
    CHECK(c2.stats().lag == 1);
    CHECK(c2.read_message(20s).value == "Two!");
    CHECK(c2.lag() == 0);
    CHECK(c2.stats().lag == 1);  // measured once a minute
    auto& c1 = c.consumer("c1");
    std::multiset<std::string> values;
    for (int i = 0; i < 4; ++i) {
        const auto m = c1.fetch_message(20s);
        c1.commit_messages(m);
        values.insert(m.value.value_or(""));
    }
    CHECK(values == std::multiset<std::string>{"Hello World!", "One!", "Two!", "later"});
    CHECK(c1.membership()->state == "stable");
    CHECK(c.close() == 0);
    CHECK_THROWS_AS(p1.send({.value = "too late"}), kw::system_error);
    CHECK_THROWS_AS(c1.fetch_message(1s), kw::system_error);

    CHECK_THROWS_WITH(c.producer("p3"), Catch::Contains("there is no producer p3 in the configuration: there are p1, p2") && Catch::Contains("did you mean p1?"));
    CHECK_THROWS_WITH(app::component{toml(kafka.address(), "[kafka.producers.p]\nbalancer = \"unheard-of\"\n")}, Catch::Contains("producer p: balancer is \"unheard-of\", and nobody has registered that"));
    CHECK_THROWS_WITH(app::component{toml(kafka.address(), "[kafka.consumers.c]\nbatchSze = 3\n")}, Catch::Contains("test.toml:6: there is no key in [kafka.consumers.c] batchSze") && Catch::Contains("consumer c has no topic"));
    c.run();  // nothing is served
}

TEST_CASE("a component runs consumer servers, whose functions may wait and write") {
    kafka_in_a_thread kafka{{.topics = {{.name = "orders", .partitions = 2}, {.name = "billed", .partitions = 1}}}};
    app::component c{toml(kafka.address(), R"(
[kafka.producers.p1]
topic = "billed"
batchTimeout = "1ms"
[kafka.consumers.c1]
topic = "orders"
groupID = "group-1"
retry_interval = "10ms"
max_retry = 1
[kafka.consumers.c2]
topic = "orders"
groupID = "group-2"
batch = 100
batch_flush = "20ms"
[kafkaConsumerServers.s1]
consumerName = "c1"
[kafkaConsumerServers.s2]
consumerName = "c2"
)")};
    app::writer w{{.brokers = kafka.address(), .topic = "orders", .batch_timeout = 1ms}};
    w.write_messages({{.value = "paid"}, {.value = "broken"}, {.value = "shipped"}});
    std::atomic<int> billed{0}, batched{0}, failed{0}, given_up{0};
    c.serve("s1", app::on_message([&](const kw::record_view& r) {
                if (r.value.text() == "broken") throw std::runtime_error{"cannot be billed"};
                c.producer("p1").write_messages({{.value = r.value}});
                if (++billed + batched + given_up == 6) c.stop();
            }));
    c.serve("s2", app::on_batch([&](std::span<const kw::record_view> all) {
                batched += static_cast<int>(all.size());
                if (billed + batched + given_up == 6) c.stop();
            }));
    CHECK_THROWS_WITH(c.serve("s1", app::on_message([](const kw::record_view&) {})), Catch::Contains("server s1 has a handler already"));
    CHECK_THROWS_WITH(c.serve("s3", app::on_message([](const kw::record_view&) {})), Catch::Contains("there is no server s3 in the configuration: there are s1, s2"));
    c.on_error([&](const app::service_error& e) {
        failed += e.service == "s1" && e.why.text == "cannot be billed";
        if (e.why.code == app::make_error_code(app::errc::given_up) && ++given_up + billed + batched == 6) c.stop();
    });
    c.stop_on_signals({SIGUSR2});
    c.run();
    CHECK(billed == 2);
    CHECK(batched == 3);
    CHECK(failed == 2);
    CHECK(given_up == 1);
    CHECK(c.statistics("s1")->handled == 2);
    CHECK(c.statistics("s2")->handled == 3);
    CHECK_FALSE(c.statistics("s3"));
    CHECK(c.producer("p1").stats().messages == 2);
}

TEST_CASE("one handler for all services, configuration under a made-up address, and a view of session and claims") {
    kafka_in_a_thread kafka{{.topics = {{.name = "a", .partitions = 1}, {.name = "b", .partitions = 1}}}};
    auto made = kw::config::read_consumer_address(kafka.address() + "?topics=b&group=two&initial=oldest").consumers.at("");
    made.client.client_id = "newClientID";
    kw::config::register_address("fake_address", made);
    const auto s = kw::config::read_addresses("- name: one\n  address: " + kafka.address() + "?topics=a&group=one&initial=oldest&fetchMax=1500&fetchDefault=1500\n- name: two\n  address: fake_address\n", "trpc_go.yaml");
    app::component c{s};
    app::writer w{{.brokers = kafka.address(), .batch_timeout = 1ms}};
    const std::string large(2'000, 'x');
    w.write_messages({{.topic = "a", .value = large}, {.topic = "a", .value = "1"}, {.topic = "b", .value = "2"}});
    std::atomic<int> sum{0}, refused{0};
    const auto end = [&] {
        if (sum == 3 && refused == 1) c.stop();
    };
    std::mutex lock;
    std::string seen;
    c.on_error([&](const app::service_error& e) {
        refused += e.why.code == kw::errc::limit_exceeded && e.offset == 0;
        end();
    });
    c.serve_all(app::on_message([&](const kw::record_view& r) {
        if (r.topic == "b") {
            const auto view = c.session_of("two");
            const auto& mine = *view->find(r.topic, r.partition);
            const std::lock_guard hold{lock};
            seen = view->member_id.substr(0, 11) + " " + std::to_string(view->generation) + " " + std::to_string(mine.initial_offset) + " " + std::to_string(mine.high_watermark);
        }
        sum += std::stoi(std::string{r.value.text()});
        end();
    }));
    c.run();
    CHECK(sum == 3);
    CHECK(refused == 1);
    CHECK(seen == "newClientID 1 0 1");
    {
        // Of a batch the others are handled.
        app::component batches{kw::config::read_consumer_address(kafka.address() + "?topics=a&group=three&initial=oldest&batch=2&batchFlush=100&fetchMax=1500&fetchDefault=1500", "c")};
        std::vector<std::string> got;
        std::atomic<int> too_large{0};
        batches.on_error([&](const app::service_error& e) { too_large += e.why.code == kw::errc::limit_exceeded && e.offset == 0; });
        batches.serve_all(app::on_batch([&](std::span<const kw::record_view> all) {
            for (const auto& r : all) got.emplace_back(r.value.text());
            batches.stop();
        }));
        batches.run();
        CHECK(got == std::vector<std::string>{"1"});
        CHECK(too_large == 1);
        CHECK(batches.statistics("c")->handled == 2);
    }
    auto no_batch = kw::config::read_consumer_address(kafka.address() + "?topics=b&group=two", "c");
    app::component wrong{no_batch};
    CHECK_THROWS_WITH(wrong.serve("c", app::on_batch([](std::span<const kw::record_view>) {})), Catch::Contains("batch is 0"));
}

TEST_CASE("metadata of the calling context goes along as headers and comes back; a record's own headers win unless told otherwise") {
    const app::metadata along{{"trace", "7f"}, {"user", "ann"}};
    const std::array<kw::header_view, 2> own{{{"user", "bob"}, {"kind", "x"}}};
    const auto text = [&](app::metadata_clash rule) {
        std::string s;
        for (const auto& h : app::merge_metadata(own, along, rule)) s += std::string{h.key} + "=" + std::string{h.value.text()} + " ";
        return s;
    };
    CHECK(text(app::metadata_clash::record_wins) == "user=bob kind=x trace=7f ");
    CHECK(text(app::metadata_clash::metadata_wins) == "kind=x trace=7f user=ann ");
    CHECK(text(app::metadata_clash::keep_both) == "user=bob kind=x trace=7f user=ann ");
    CHECK_THROWS_WITH(text(app::metadata_clash::refuse), Catch::Contains("the record has a header \"user\", and so has the caller's metadata"));
    CHECK(app::current_metadata().empty());
    {
        const app::metadata_scope outer{along};
        const app::metadata_scope inner{{{"a", "b"}}};
        CHECK(app::current_metadata().size() == 1);
    }
    CHECK(app::current_metadata().empty());

    kafka_in_a_thread kafka{{.topics = {{.name = "a", .partitions = 1}, {.name = "b", .partitions = 1}}}};
    // What comes in is passed on by whoever writes while he handles it.
    app::component c{kw::config::read_addresses("- name: out\n  target: kafka://" + kafka.address() + "?topic=b&trpcMeta=true\n- name: in\n  address: " + kafka.address() + "?topics=a&group=g&initial=oldest&trpcMeta=true\n" +
                                                    "- name: first\n  target: kafka://" + kafka.address() + "?topic=a&trpcMeta=true\n- name: deaf\n  target: kafka://" + kafka.address() + "?topic=a\n",
                                                "x.yaml")};
    {
        const app::metadata_scope scope{along};
        c.producer("first").write_messages({{.value = "1", .headers = own}});
        c.producer("deaf").write_messages({{.value = "2"}});
    }
    app::writer strict{{.brokers = kafka.address(), .topic = "a"}};
    strict.pass_metadata(app::metadata_clash::refuse);
    {
        const app::metadata_scope scope{along};
        CHECK_THROWS_WITH(strict.write_messages({{.value = "nowhere", .headers = own}}), Catch::Contains("the record has a header \"user\""));
    }
    std::atomic<int> done{0};
    c.serve("in", app::on_message([&](const kw::record_view& r) {
                c.producer("out").send({.value = r.value});
                if (++done == 2) c.stop();
            }));
    c.run();
    app::reader r{{.brokers = kafka.address(), .topic = "b", .min_bytes = 1}};
    CHECK(app::metadata_of(r.read_message(10s)) == app::metadata{{"kind", "x"}, {"trace", "7f"}, {"user", "bob"}});
    CHECK(app::metadata_of(r.read_message(10s)).empty());
}

TEST_CASE("where a clash of the caller's metadata and a record's header is an error, it says which and what to do, and nothing of the call is sent", "[faq]") {
    kafka_in_a_thread kafka{{.topics = {{.name = "a", .partitions = 1}}}};
    app::component c{kw::config::read_addresses("- name: out\n  target: kafka://" + kafka.address() + "?topic=a&trpcMeta=true\n", "x.yaml")};
    auto& out = c.producer("out");
    const std::array<kw::header_view, 1> own{{{"user", "bob"}}};
    const app::metadata_scope scope{{{"trace", "7f"}, {"user", "ann"}}};
    out.pass_metadata(app::metadata_clash::refuse);
    for (const bool alone : {true, false}) {
        try {
            if (alone) out.send({.value = "1", .headers = own});
            else out.write_messages({{.value = "1"}, {.value = "2", .headers = own}});
            FAIL("two headers of one name");
        } catch (const kw::system_error& e) {
            CHECK(e.code() == kw::errc::bad_configuration);
            CHECK(e.detail().text == "the record has a header \"user\", and so has the caller's metadata");
            CHECK(e.detail().hint == "give one of them another name, or say who wins: kw::app::metadata_clash");
        }
    }
    CHECK(out.send({.value = "3"}).offset == 0);
    // The rule is the writer's, and can be another one from then on.
    out.pass_metadata(app::metadata_clash::keep_both);
    CHECK(out.send({.value = "4", .headers = own}).offset == 1);
    app::reader r{{.brokers = kafka.address(), .topic = "a", .min_bytes = 1}};
    CHECK(app::metadata_of(r.read_message(10s)) == app::metadata{{"trace", "7f"}, {"user", "ann"}});
    const auto both = r.read_message(10s);
    CHECK(both.headers.size() == 3);
    CHECK(app::metadata_of(both).at("user") == "ann");
}

TEST_CASE("a client whose service moves finds it in the file that has changed") {
    const auto path = std::filesystem::temp_directory_path() / ("kafkawire-brokers-" + std::to_string(::getpid()));
    auto before = std::make_unique<kafka_in_a_thread>(kw::broker::options{.topics = {{.name = "a", .partitions = 1}}});
    std::ofstream{path} << before->address() << '\n';
    auto s = kw::config::read_producer_address("kafka://" + path.string() + "?topic=a&discover=file");
    REQUIRE(s.ok());
    s.producers.at("").client.request_timeout = 2s;
    app::writer w{s.producers.at("")};
    CHECK(w.send({.value = "1"}).offset == 0);
    before.reset();
    kafka_in_a_thread after{{.topics = {{.name = "a", .partitions = 1}}}};
    std::ofstream{path} << "# moved\n" << after.address() << '\n';
    CHECK(w.send({.value = "2"}).offset == 0);
    std::filesystem::remove(path);
}
