#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>
#include <kafkawire/protocol/messages/32_describe_configs.hpp>
#include <kafkawire/protocol/messages/37_create_partitions.hpp>
#include <kafkawire/protocol/messages/44_incremental_alter_configs.hpp>
#include <kafkawire/protocol/messages/75_describe_topic_partitions.hpp>

#include "broker_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

namespace messages = protocol::messages;

messages::create_topics_request make(std::string name, std::int32_t partitions, std::int16_t copies, std::map<std::string, std::string> configs = {}) {
    messages::create_topics_request r;
    auto& t = r.topics.emplace_back();
    t.name = std::move(name);
    t.num_partitions = partitions;
    t.replication_factor = copies;
    for (auto& [n, v] : configs) t.configs.push_back({n, v, {}});
    return r;
}

TEST_CASE("a topic is made once, with what was asked") {
    harness h{{.nodes = 3}};
    const auto c = h.connect();
    const auto made = h.ask(c, make("orders", 4, 2, {{"retention.ms", "1000"}}), 7);
    REQUIRE(made.topics.size() == 1);
    CHECK(made.topics[0].error_code == 0);
    CHECK(made.topics[0].num_partitions == 4);
    CHECK(made.topics[0].replication_factor == 2);
    CHECK(!made.topics[0].topic_id.is_zero());
    const auto retention = std::find_if(made.topics[0].configs->begin(), made.topics[0].configs->end(), [](const auto& e) { return e.name == "retention.ms"; });
    REQUIRE(retention != made.topics[0].configs->end());
    CHECK(retention->value == "1000");
    CHECK(retention->config_source == 1);
    const auto again = h.ask(c, make("orders", 4, 2), 7);
    CHECK(again.topics[0].error_code == 36);
    CHECK(again.topics[0].error_message == "Topic 'orders' already exists.");
}

TEST_CASE("what cannot be made is refused with Kafka's code") {
    struct row {
        messages::create_topics_request asked;
        std::int16_t code;
    };
    const row rows[] = {{make("", 1, 1), 17},     {make("..", 1, 1), 17},      {make("a b", 1, 1), 17},  {make(std::string(250, 'a'), 1, 1), 17}, {make("a", 0, 1), 37},
                        {make("a", -2, 1), 37},   {make("a", 1, 0), 38},       {make("a", 1, 2), 38},    {make("a", 1, 1, {{"retention.ms", "x"}}), 40},
                        {make("a", 1, 1, {{"no.such.entry", "1"}}), 40},       {make("a", 1, 1, {{"cleanup.policy", "keep"}}), 40}};
    for (const auto& r : rows) {
        harness h;
        const auto answer = h.ask(h.connect(), r.asked, 7);
        REQUIRE(answer.topics.size() == 1);
        INFO(r.asked.topics[0].name << ": " << answer.topics[0].error_message.value_or("none"));
        CHECK(answer.topics[0].error_code == r.code);
        CHECK(h.machine.state().topics().empty());
    }
}

TEST_CASE("names that differ in dots and underscores collide, and validate_only makes nothing") {
    harness h;
    const auto c = h.connect();
    auto only = make("a.b", 1, 1);
    only.validate_only = true;
    CHECK(h.ask(c, only, 7).topics[0].error_code == 0);
    CHECK(h.machine.state().topics().empty());
    CHECK(h.ask(c, make("a.b", 1, 1), 7).topics[0].error_code == 0);
    CHECK(h.ask(c, make("a_b", 1, 1), 7).topics[0].error_code == 17);
}

TEST_CASE("a topic goes by name or by id, and is not found afterwards") {
    harness h;
    const auto c = h.connect();
    const auto id = h.ask(c, make("a", 1, 1), 7).topics[0].topic_id;
    static_cast<void>(h.ask(c, make("b", 1, 1), 7));
    messages::delete_topics_request r;
    r.topics.push_back({{}, id, {}});
    r.topics.push_back({"b", {}, {}});
    r.topics.push_back({"c", {}, {}});
    const auto answer = h.ask(c, r, 6);
    std::map<std::string, std::int16_t> codes;
    for (const auto& t : answer.responses) codes[t.name.value_or("?")] = t.error_code;
    CHECK(codes == std::map<std::string, std::int16_t>{{"a", 0}, {"b", 0}, {"c", 3}});
    h.advance(std::chrono::milliseconds{1});
    CHECK(h.machine.state().topics().empty());
}

TEST_CASE("partitions can be added, never taken away") {
    harness h{{.nodes = 2}};
    const auto c = h.connect();
    static_cast<void>(h.ask(c, make("a", 2, 2), 7));
    const auto grow = [&](std::int32_t count) {
        messages::create_partitions_request r;
        r.topics.push_back({"a", count, std::nullopt, {}});
        return h.ask(c, r, 3).results.at(0).error_code;
    };
    CHECK(grow(2) == 37);
    CHECK(grow(1) == 37);
    CHECK(grow(5) == 0);
    CHECK(h.machine.state().find_topic("a")->partitions.size() == 5);
}

TEST_CASE("an entry is set, appended to, and removed, and described with where it comes from") {
    harness h;
    const auto c = h.connect();
    static_cast<void>(h.ask(c, make("a", 1, 1), 7));
    const auto alter = [&](std::int8_t operation, std::string name, std::optional<std::string> value) {
        messages::incremental_alter_configs_request r;
        auto& res = r.resources.emplace_back();
        res.resource_type = 2;
        res.resource_name = "a";
        res.configs.push_back({std::move(name), operation, std::move(value), {}});
        return h.ask(c, r, 1).responses.at(0).error_code;
    };
    const auto value_of = [&](std::string name) {
        messages::describe_configs_request r;
        r.resources.push_back({2, "a", std::vector{std::move(name)}, {}});
        r.include_synonyms = true;
        return h.ask(c, r, 4).results.at(0).configs.at(0);
    };
    CHECK(value_of("retention.ms").config_source == 5);
    CHECK(alter(0, "retention.ms", "5") == 0);
    CHECK(value_of("retention.ms").value == "5");
    CHECK(value_of("retention.ms").config_source == 1);
    CHECK(alter(1, "retention.ms", std::nullopt) == 0);
    CHECK(value_of("retention.ms").value == "604800000");
    CHECK(alter(2, "cleanup.policy", "compact") == 0);
    CHECK(value_of("cleanup.policy").value == "delete,compact");
    CHECK(alter(2, "retention.ms", "5") == 40);
    CHECK(alter(0, "retention.ms", std::nullopt) == 42);
    CHECK(alter(0, "", std::nullopt) == 42);  // found by fuzzing: a null value was overlooked where the name is empty
    CHECK(value_of("max.message.bytes").synonyms.at(0).name == "message.max.bytes");
}

TEST_CASE("partitions are described a page at a time") {
    harness h;
    const auto c = h.connect();
    static_cast<void>(h.ask(c, make("a", 3, 1), 7));
    static_cast<void>(h.ask(c, make("b", 3, 1), 7));
    messages::describe_topic_partitions_request r;
    r.response_partition_limit = 4;
    const auto first = h.ask(c, r, 0);
    REQUIRE(first.next_cursor);
    CHECK(first.next_cursor->topic_name == "b");
    CHECK(first.next_cursor->partition_index == 1);
    r.cursor = messages::describe_topic_partitions_request::cursor_value{"b", 1, {}};
    const auto second = h.ask(c, r, 0);
    REQUIRE(second.topics.size() == 1);
    CHECK(second.topics[0].partitions.size() == 2);
    CHECK(!second.next_cursor);
}

}  // namespace
}  // namespace kafkawire::broker::test
