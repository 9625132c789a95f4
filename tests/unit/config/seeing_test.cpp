// debug and version, from each dialect: what they do to the client's options.
#include <kafkawire/config.hpp>
#include <kafkawire/observe.hpp>

#include <cstdlib>

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::config;

TEST_CASE("debug gives a client the observer that prints its requests", "[config]") {
    const auto on = [](const client_options& o) { return o.observer && o.observer == debug_to_stderr(); };
    const auto properties = read_properties({{"bootstrap.servers", "h:1"}, {"debug", "broker,topic"}});
    CHECK(on(properties.client));
    CHECK(on(properties.producers.at("").client));
    CHECK(on(properties.consumers.at("").client));
    CHECK_FALSE(read_properties({{"bootstrap.servers", "h:1"}}).client.observer);

    constexpr std::string_view text = R"([kafka]
brokers = ["h:1"]
debug = true
[kafka.producers.p1]
topic = "t"
[kafka.consumers.c1]
topic = "t"
groupID = "g"
debug = false
)";
    auto toml = read_toml(text, "x.toml");
    REQUIRE(toml.ok());
    CHECK(on(toml.producers.at("p1").client));
    CHECK(toml.producers.at("p1").client.name == "producer p1");
    CHECK_FALSE(toml.consumers.at("c1").client.observer);
    CHECK(toml.consumers.at("c1").client.name == "consumer c1");
    // What is laid over it counts.
    const property off{"debug", "false", "-X"};
    apply_properties(toml, {&off, 1});
    CHECK_FALSE(toml.producers.at("p1").client.observer);

    const auto server = read_toml(std::string{"[kafka]\nbrokers=['h:1']\n[kafka.consumers.c1]\ntopic='t'\ngroupID='g'\n[kafka.consumers.c2]\ntopic='t'\ngroupID='g'\n[kafkaConsumerServers.s1]\nconsumerName='c1'\ndebug=true\n"}, "x.toml");
    REQUIRE(server.ok());
    CHECK(on(server.consumers.at("c1").client));
    CHECK_FALSE(server.consumers.at("c2").client.observer);

    const char* const variables[] = {"KAFKAWIRE_BOOTSTRAP_SERVERS=h:1", "KAFKAWIRE_DEBUG=1", nullptr};
    CHECK(on(read_environment(variables).producers.at("").client));
}

TEST_CASE("KAFKAWIRE_DEBUG switches it on whatever the configuration says", "[config]") {
    ::setenv("KAFKAWIRE_DEBUG", "1", 1);
    const auto address = read_consumer_address("h:1?topics=t&group=g");
    const auto toml = read_toml("[kafka]\nbrokers=['h:1']\n[kafka.producers.p]\ntopic='t'\n", "");
    ::unsetenv("KAFKAWIRE_DEBUG");
    CHECK(address.consumers.at("").client.observer == debug_to_stderr());
    CHECK(toml.producers.at("p").client.observer == debug_to_stderr());
    CHECK_FALSE(read_consumer_address("h:1?topics=t&group=g").consumers.at("").client.observer);
}

TEST_CASE("an observer of the program's own is left where it is", "[config]") {
    auto s = read_properties({{"bootstrap.servers", "h:1"}, {"debug", "all"}});
    const auto own = std::make_shared<debug_printer>();
    s.client.observer = own;
    const property more{"client.id", "me", "-X"};
    apply_properties(s, {&more, 1});
    CHECK(s.client.observer == own);
}

TEST_CASE("a release is held to by version=, by broker_version, and by librdkafka's two properties together", "[config]") {
    CHECK(read_consumer_address("h:1?topics=t&group=g&version=2.8").consumers.at("").client.broker_version == "2.8");
    CHECK(read_consumer_address("h:1?topics=t&group=g").consumers.at("").client.broker_version.empty());
    CHECK(read_properties({{"broker_version", "0.10.2.0"}}).producers.at("").client.broker_version == "0.10.2.0");
    CHECK(read_toml("[kafka]\nbrokers=['h:1']\nbrokerVersion='2.8.2'\n[kafka.producers.p]\ntopic='t'\n", "").producers.at("p").client.broker_version == "2.8.2");
    // Where brokers are asked, the fallback is not needed.
    CHECK(read_properties({{"broker.version.fallback", "0.9.0.1"}}).client.broker_version.empty());
    CHECK(read_properties({{"broker.version.fallback", "0.9.0.1"}, {"api.version.request", "false"}}).client.broker_version == "0.9.0.1");
    CHECK(read_properties({{"api.version.request", "false"}}).client.broker_version == "0.10.0");
    CHECK(read_properties({{"api.version.request", "false"}, {"broker_version", "2.8"}}).client.broker_version == "2.8");
    const auto wrong = read_consumer_address("h:1?topics=t&group=g&version=two");
    REQUIRE(wrong.problems.size() == 1);
    CHECK(wrong.problems[0].message() == "version is \"two\": a release of Kafka would be right, as 2.8, 3.9.1 or 0.10.2.0");
}
