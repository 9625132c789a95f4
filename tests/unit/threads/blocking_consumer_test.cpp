// kw::blocking::consumer against the embedded cluster: reading with patience, committing, going on where a group was.
#include "catch.hpp"
#include "kafka_thread.hpp"

using namespace std::chrono_literals;
using threads::kafka_thread;

namespace {

void fill(kafka_thread& kafka, int from, int to) {
    kw::blocking::producer producer{kafka.client()};
    for (int i = from; i < to; ++i) {
        const auto value = std::to_string(i);
        producer.send({.topic = "t", .value = value, .partition = 0});
    }
}

kw::consumer_options billing() {
    kw::consumer_options o;
    o.group = "billing";
    o.topics = {"t"};
    o.auto_offset_reset = kw::offset_reset::earliest;
    return o;
}

std::vector<std::string> read(kw::blocking::consumer& from, std::size_t count) {
    std::vector<std::string> all;
    for (int tries = 0; all.size() < count && tries < 100; ++tries) {
        const auto batch = from.poll(1s);
        for (const auto& r : batch) all.emplace_back(r.value.text());
    }
    return all;
}

}  // namespace

TEST_CASE("a blocking consumer reads, commits, and the next one goes on there") {
    kafka_thread kafka{1};
    fill(kafka, 0, 5);
    {
        kw::blocking::consumer consumer{kafka.client(), billing()};
        CHECK(read(consumer, 5) == std::vector<std::string>{"0", "1", "2", "3", "4"});
        consumer.commit();
        const std::vector<kw::topic_partition> which{{"t", 0}};
        CHECK(consumer.committed(which).at(0).offset == 5);
        consumer.close();
        CHECK_THROWS_AS(consumer.poll(1s), kw::system_error);
    }
    fill(kafka, 5, 8);
    kw::blocking::consumer consumer{kafka.client(), billing()};
    const auto one = consumer.read(30s);
    REQUIRE(one);
    CHECK(one->value == "5");
    consumer.commit(*one);
    const auto rest = consumer.poll(30s);
    CHECK(rest.size() == 2);
    consumer.commit(rest);
    CHECK(consumer.with([](kw::consumer& c) { return c.position("t", 0); }) == 8);
    consumer.close();
}

TEST_CASE("patience ends a poll with nothing, and loses nothing") {
    kafka_thread kafka{1};
    kw::blocking::consumer consumer{kafka.client()};
    consumer.with([](kw::consumer& c) { c.assign("t", 0, kw::start_position::beginning()); });
    const auto began = std::chrono::steady_clock::now();
    CHECK(consumer.poll(100ms).empty());
    CHECK(std::chrono::steady_clock::now() - began >= 100ms);
    CHECK_FALSE(consumer.read(0ms));
    fill(kafka, 0, 50);
    std::vector<std::string> all;
    for (int tries = 0; all.size() < 50 && tries < 5000; ++tries) {
        const auto batch = consumer.poll(1ms);               // many of these end while records are on their way
        for (const auto& r : batch) all.emplace_back(r.value.text());
    }
    REQUIRE(all.size() == 50);
    for (int i = 0; i < 50; ++i) CHECK(all[static_cast<std::size_t>(i)] == std::to_string(i));
}

TEST_CASE("what goes wrong with a blocking consumer is thrown with its story") {
    kafka_thread kafka{1};
    kw::blocking::consumer consumer{kafka.client()};
    try {
        consumer.commit();
        FAIL("committed without a group");
    } catch (const kw::system_error& e) {
        CHECK(e.code() == kw::errc::no_group);
        CHECK(e.detail().hint.find("consumer_options") != std::string::npos);
    }
    CHECK_THROWS_AS(consumer.with([](kw::consumer& c) { c.subscribe({"t"}); }), kw::system_error);
    kw::error why;
    kw::consumer_options o;
    o.auto_offset_reset = kw::offset_reset::none;
    kw::blocking::consumer picky{kafka.client(), o};
    picky.with([](kw::consumer& c) { c.assign("t", 0); });
    CHECK(picky.poll(30s, why).empty());
    CHECK(why.code == kw::errc::no_offset);
    CHECK(why.text.find("t-0") != std::string::npos);
}

TEST_CASE("a blocking consumer and a blocking producer share a client and its thread") {
    kafka_thread kafka{1};
    kw::blocking::client client{kafka.client()};
    kw::blocking::consumer consumer{client};
    kw::blocking::producer producer{client};
    consumer.with([](kw::consumer& c) { c.assign("t", 0, kw::start_position::beginning()); });
    producer.send({.topic = "t", .value = "x", .partition = 0});
    const auto one = consumer.read(30s);
    REQUIRE(one);
    CHECK(one->value == "x");
}
