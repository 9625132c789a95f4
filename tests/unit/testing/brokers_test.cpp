// The helpers for test authors, as a test author uses them.
#include "catch.hpp"

#include <kafkawire/testing.hpp>

#include <set>

using namespace kafkawire;
using kafkawire::testing::record;

TEST_CASE("Topic names do not repeat", "[testing]") {
    std::set<std::string> all;
    for (int i = 0; i < 100; ++i) all.insert(kafkawire::testing::unique_topic("orders"));
    CHECK(all.size() == 100);
    CHECK(all.begin()->substr(0, 7) == "orders-");
}

TEST_CASE("Records go in and come out", "[testing]") {
    asio::io_context io;
    kafkawire::testing::brokers kafka{io, {.embedded = {.nodes = 3}}};
    CHECK(kafka.is_embedded() == (kafka.embedded() != nullptr));
    const auto topic = kafka.create_topic(3);
    CHECK(kafka.read_all(topic).empty());
    const auto sent = kafka.produce(topic, {{.key = "a", .value = "1"},
                                            {.value = "2", .headers = {{"trace", "7"}}},
                                            {.key = "c"},
                                            {.key = "d", .value = "4", .partition = 0}});
    CHECK(sent[0].partition == 0);
    CHECK(sent[1].partition == 1);
    CHECK(sent[3].offset == 1);
    const auto all = kafka.read_all(topic);
    REQUIRE(all.size() == 4);
    CHECK(all[1].key == "d");
    CHECK(all[2].headers == sent[1].headers);
    CHECK_FALSE(all[3].value);
    CHECK(kafka.expect_records(topic, {{.key = "c"}, {.key = "a", .value = "1"}, {.key = "d", .value = "4"}, {.value = "2"}}).empty());
}

TEST_CASE("What is not as expected is told, with the last requests", "[testing]") {
    asio::io_context io;
    kafkawire::testing::brokers kafka{io, {.timeout = std::chrono::milliseconds{500}}};
    const auto topic = kafka.create_topic();
    (void)kafka.produce(topic, {{.value = "1"}, {.value = "2"}});
    const auto story = kafka.expect_records(topic, {{.value = "2"}, {.value = "1"}});
    CHECK(story.find("in the wrong order: partition 0 at 0: key null, value 1") != std::string::npos);
    const auto other = kafka.expect_records(topic, {{.value = "1"}, {.value = "3"}});
    CHECK(other.find("missing: key null, value 3") != std::string::npos);
    CHECK(other.find("not expected: partition 0 at 1: key null, value 2") != std::string::npos);
    CHECK(kafka.expect_records(topic, {{.value = "1"}, {.value = "2"}, {.value = "3"}}).find("missing: key null, value 3") !=
          std::string::npos);
    if (kafka.is_embedded()) {
        CHECK(other.find("Fetch v") != std::string::npos);
        CHECK(kafka.last_requests().find("Fetch v") != std::string::npos);
    }
    CHECK_THROWS_AS(kafka.produce(topic, {{.value = "x", .partition = 7}}), kafkawire::testing::failure);
    CHECK_THROWS_AS(kafka.read_all("no-such-topic"), kafkawire::testing::failure);
}
