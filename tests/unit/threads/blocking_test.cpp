#include <atomic>

#include "catch.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using threads::kafka_thread;

TEST_CASE("a blocking producer sends, one by one and many at once, and the records are where it says") {
    kafka_thread kafka{2};
    kw::blocking::producer producer{kafka.client()};
    const std::array headers{kw::header_view{"h", "1"}, kw::header_view{"n", nullptr}};
    const auto at = producer.send({.topic = "t", .key = "k", .value = "v", .headers = headers, .partition = 1, .timestamp = kw::timestamp{5ms}});
    CHECK(at.topic == "t");
    CHECK(at.partition == 1);
    CHECK(at.offset == 0);
    CHECK(producer.send({.topic = "t", .partition = 1}).offset == 1);
    std::vector<std::string> values;
    for (int i = 0; i < 1000; ++i) values.push_back("value " + std::to_string(i));
    std::vector<kw::record> records;
    for (const auto& v : values) records.push_back({.topic = "t", .value = v, .partition = 0});
    CHECK(producer.send_batch(records).acknowledged == 1000);
    producer.enqueue({.topic = "t", .value = "last", .partition = 1});
    CHECK(producer.flush(10s) == 0);
    CHECK(producer.statistics().acknowledged == 1003);
    CHECK(producer.close(10s) == 0);
    kw::error why;
    producer.send({.topic = "t"}, why);
    CHECK(why);

    const auto log = kafka.read();
    REQUIRE(log[0].size() == 1000);
    for (std::size_t i = 0; i < 1000; ++i) CHECK(log[0][i].value == values[i]);
    REQUIRE(log[1].size() == 3);
    CHECK(log[1][0].key == "k");
    CHECK(log[1][0].value == "v");
    CHECK(log[1][0].headers == std::vector<std::string>{"h=1", "n="});
    CHECK(log[1][0].timestamp == 5);
    CHECK((log[1][1].null_key && log[1][1].null_value));
    CHECK(log[1][2].value == "last");
}

TEST_CASE("what goes wrong is thrown with its story") {
    kafka_thread kafka{1, {{"auto.create.topics.enable", "false"}}};
    kw::blocking::producer producer{kafka.client(), {.delivery_timeout = 300ms}};
    try {
        producer.send({.topic = "nowhere", .value = "x"});
        FAIL("a topic that is not there took a record");
    } catch (const kw::system_error& e) {
        INFO(e.what());
        CHECK(e.code() == kw::condition::not_persisted);
        CHECK(e.detail().code == e.code());
        CHECK(std::string{e.what()}.find("nowhere") != std::string::npos);
    }
    CHECK_THROWS_AS((kw::blocking::producer{kafka.client(), {.linger = -1ms}}), kw::system_error);
    CHECK_THROWS_AS((kw::blocking::producer{{.bootstrap = ""}}), kw::system_error);
    const std::array both{kw::record{.topic = "t", .value = "good"}, kw::record{.topic = "t", .value = "bad", .partition = 7}};
    kw::error why;
    const auto result = producer.send_batch(both, why);
    CHECK(why.code == kw::errc::unknown_partition);
    CHECK(result.acknowledged == 1);
    CHECK(result.not_persisted == 1);
    CHECK_THROWS_AS(producer.send_batch(both), kw::system_error);
}

TEST_CASE("several threads share a blocking producer, and producers a client") {
    kafka_thread kafka{3};
    std::optional<kw::blocking::client> client{std::in_place, kafka.client()};
    kw::blocking::producer one{*client}, two{*client, {.linger = 0ms}};
    CHECK(client->metadata({"t"}).topics.size() == 1);
    CHECK(!client->brokers().empty());
    client.reset();  // the producers keep what they need of it
    std::vector<std::thread> senders;
    std::atomic<int> acknowledged{0};
    for (int t = 0; t < 4; ++t)
        senders.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) acknowledged += (t % 2 ? one : two).send({.topic = "t", .value = std::to_string(i)}).offset >= 0;
        });
    for (auto& s : senders) s.join();
    CHECK(acknowledged == 200);
    std::size_t found = 0;
    for (const auto& p : kafka.read()) found += p.size();
    CHECK(found == 200);
}

TEST_CASE("a blocking producer runs on an io_context that is given, and refuses to wait in its thread") {
    kafka_thread kafka{1};
    asio::io_context io;
    auto work = asio::make_work_guard(io);
    std::thread one{[&] { io.run(); }}, two{[&] { io.run(); }};
    {
        kw::blocking::producer producer{io, kafka.client()};
        CHECK(producer.send({.topic = "t", .value = "x"}).offset == 0);
        std::atomic<bool> refused{false};
        kw::client_detail::signal done;
        asio::post(io, [&] {
            try {
                producer.send({.topic = "t", .value = "y"});
            } catch (const kw::system_error& e) {
                refused = e.code() == std::errc::resource_deadlock_would_occur;
            }
            done.tell();
        });
        done.wait();
        CHECK(refused);
        kw::blocking::producer moved{std::move(producer)};
        CHECK(moved.send({.topic = "t", .value = "z"}).offset == 1);
        moved = kw::blocking::producer{io, kafka.client()};
        CHECK(moved.send({.topic = "t", .value = "z"}).offset == 2);
    }
    work.reset();
    one.join();
    two.join();
}

TEST_CASE("deliveries of a blocking producer are told batch by batch") {
    kafka_thread kafka{1};
    kw::blocking::producer producer{kafka.client()};
    std::atomic<std::size_t> told{0};
    producer.on_delivery([&](const kw::delivery_report& r) { told += r.why ? 0 : r.count; });
    producer.warm_up({"t"});
    for (int i = 0; i < 100; ++i) producer.enqueue({.topic = "t", .value = "x"});
    CHECK(producer.flush(10s) == 0);
    CHECK(told == 100);
}
