// Names for functions that find brokers: what stands for them in an address, and what is told when they cannot.
#include <kafkawire/bootstrap.hpp>
#include <kafkawire/config.hpp>
#include <kafkawire/config/discovery.hpp>

#include <asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::config;

namespace {

// What opening an address tells of its brokers, or what is wrong with it.
std::string found_by(const std::string& address) {
    asio::io_context io;
    std::string_view rest;
    const auto scheme = net::find_bootstrap_scheme(address, rest);
    if (!scheme) return "no scheme";
    try {
        return scheme->open(rest, io.get_executor(), {}).servers;
    } catch (const system_error& e) {
        return e.detail().text + (e.detail().hint.empty() ? "" : "; " + e.detail().hint);
    }
}

struct folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("kafkawire-discovery-" + std::to_string(::getpid()));
    folder() { std::filesystem::create_directories(path); }
    ~folder() { std::filesystem::remove_all(path); }
};

}  // namespace

TEST_CASE("a service is found by the function of that name") {
    register_discovery("fixed", [](const service_name& s) { return s.name_space == "Development" ? s.name + "-1:9093, " + s.name + "-2:9094" : ""; });
    const auto names = discovery_names();
    CHECK(std::find(names.begin(), names.end(), "fixed") != names.end());

    const auto consumer = read_consumer_address("orders?topics=a&group=g&discover=fixed&namespace=Development");
    REQUIRE(consumer.ok());
    CHECK(consumer.consumers.at("").client.bootstrap == "discover:fixed/Development/orders");
    CHECK(found_by(consumer.consumers.at("").client.bootstrap) == "orders-1:9093,orders-2:9094");
    const auto producer = read_producer_address("kafka://orders?topic=a&discover=fixed&namespace=Development");
    CHECK(found_by(producer.producers.at("").client.bootstrap) == "orders-1:9093,orders-2:9094");
    const auto other = read_properties(std::map<std::string, std::string>{{"discover", "fixed"}, {"service", "orders"}, {"service_namespace", "Development"}});
    REQUIRE(other.ok());
    CHECK(found_by(other.client.bootstrap) == "orders-1:9093,orders-2:9094");
    CHECK(other.producers.at("").client.bootstrap == other.client.bootstrap);

    CHECK(found_by(discovery_address("fixed", "orders", "Production")) == "service orders of Production cannot be found by fixed: it has no brokers");
    CHECK(found_by(discovery_address("fixd", "orders")) == "discover is \"fixd\", and nobody has registered that: there are dns, file, fixed; did you mean fixed?");
    CHECK(found_by(discovery_address("polaris", "orders")).ends_with("the program registers it with kw::config::register_discovery()"));
    CHECK(read_properties(std::map<std::string, std::string>{{"discover", "fixed"}}).error().text.starts_with("discover is \"fixed\", and service is not set"));
    CHECK_THROWS_AS(register_discovery("a/b", {}), std::invalid_argument);
    CHECK(check_bootstrap("discover:fixed") == "discover:NAME/NAMESPACE/SERVICE would be right; the namespace may be empty");
}

TEST_CASE("dns and file are there already") {
    CHECK(found_by(discovery_address("dns", "kafka.example.org:9093,b")) == "kafka.example.org:9093,b");
    CHECK(found_by(discovery_address("dns", "kafka,b:9093", "prod.example.org")) == "kafka.prod.example.org:9092,b.prod.example.org:9093");
    const folder here;
    std::ofstream{here.path / "orders"} << "# ours\na:9092, b:9093\n\nc  # the new one\r\n";
    CHECK(found_by(discovery_address("file", (here.path / "orders").string())) == "a:9092,b:9093,c");
    CHECK(found_by(discovery_address("file", "orders", here.path.string())) == "a:9092,b:9093,c");
    CHECK(found_by(discovery_address("file", "orders", "/no/such 100%/folder")) == "service orders of /no/such 100%/folder cannot be found by file: /no/such 100%/folder/orders cannot be read");
    std::ofstream{here.path / "orders"} << "a:b:c";
    CHECK(found_by(discovery_address("file", "orders", here.path.string())).starts_with("service orders of " + here.path.string() + " cannot be found by file: "));
}

TEST_CASE("an address may stand for a producer that the program has made up") {
    producer_settings made;
    made.client.bootstrap = "127.0.0.1:9092";
    made.sending.topic = "test_topic";
    register_address("kafka://fake_producer", made);
    const auto s = read_producer_address("kafka://fake_producer", "p");
    REQUIRE(s.ok());
    CHECK(s.producers.at("p").sending.topic == "test_topic");
    CHECK(s.producers.at("p").client.bootstrap == "127.0.0.1:9092");
}
