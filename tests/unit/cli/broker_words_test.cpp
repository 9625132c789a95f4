// What is said of an embedded cluster on the command line and over its control socket: options, topics, faults.
#include "cli/broker_faults.hpp"
#include "cli/broker_options.hpp"
#include "cli/failure.hpp"
#include "catch.hpp"

namespace kafkawire::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

std::string refused(const char* text) {
    try {
        (void)parse_fault(ordered_json::parse(text));
    } catch (const failure& f) {
        CHECK(f.exit == status::usage);
        return f.message + (f.hint.empty() ? "" : "; " + f.hint);
    }
    return {};
}

TEST_CASE("a fault is read from JSON: names or numbers, times with or without a unit") {
    const auto f = parse_fault(ordered_json::parse(
        R"({"name":"n","api":"Produce","versions":"3-9","node":2,"connection":7,"client_id":"c","topic":42,"chance":0.5,"after":3,"count":1,"delay":"2s",
            "error":"NOT_LEADER_OR_FOLLOWER","carry_out":true,"error_at":"items","throttle":250,"reply_delay":"10ms","cut":0,"trickle":4,"trickle_every":"5ms"})"));
    CHECK(f.name == "n");
    CHECK(f.api == 0);
    CHECK(f.versions == protocol::between(3, 9));
    CHECK(f.node == 2);
    CHECK(f.connection == 7u);
    CHECK(f.topic == "42");
    CHECK(f.chance == 0.5);
    CHECK(f.after == 3);
    CHECK(f.delay == 2s);
    CHECK(f.error == broker_errc::not_leader_or_follower);
    CHECK(f.error_at == broker::error_place::items);
    CHECK(f.throttle == 250ms);
    CHECK(f.cut == 0u);
    CHECK(f.trickle_every == 5ms);
    CHECK(parse_fault(ordered_json::parse(R"({"api":3,"versions":9,"error":6})")).versions == protocol::only(9));
    CHECK(parse_fault(ordered_json::parse(R"({"versions":"9+","garbage":"frame"})")).versions->highest == protocol::no_upper_version);
}

TEST_CASE("a fault that says no such thing is refused, with the nearest name") {
    CHECK(refused(R"({"api":"Prodce","close":true})") == "api: there is no \"Prodce\"; did you mean Produce?");
    CHECK(refused(R"({"error":"NOT_CONTROLER"})") == "error: there is no \"NOT_CONTROLER\"; did you mean NOT_CONTROLLER?");
    CHECK(refused(R"({"dely":"1s"})") == "a fault has no member \"dely\"; did you mean delay?");
    CHECK(refused(R"({"delay":"soon"})").find("delay: \"soon\" is no length of time") == 0);
    CHECK(refused(R"({"delay":-1})").find("no length of time") != std::string::npos);
    CHECK(refused(R"({"close":1})").find("true or false") != std::string::npos);
    CHECK(refused(R"({"versions":"9-3","close":true})").find("no range") != std::string::npos);
    CHECK(refused(R"({"error_at":"tops","error":3})").find("did you mean top?") != std::string::npos);
    CHECK(refused(R"({"node":99999999999,"close":true})").find("in range") != std::string::npos);
    CHECK(refused(R"({"chance":"x","close":true})").find("a number") != std::string::npos);
    CHECK(refused(R"({"api":3})").find("nothing would happen") != std::string::npos);
    CHECK(refused(R"([])").find("a JSON object") != std::string::npos);
}

TEST_CASE("sizes and topics in words") {
    CHECK(parse_bytes("512") == 512u);
    CHECK(parse_bytes("2k") == 2048u);
    CHECK(parse_bytes("3M") == 3u << 20);
    CHECK(parse_bytes("1G") == 1u << 30);
    CHECK(!parse_bytes(""));
    CHECK(!parse_bytes("k"));
    CHECK(!parse_bytes("99999999999999G"));
    const auto t = parse_topic("orders:6:2,cleanup.policy=compact");
    CHECK(t.name == "orders");
    CHECK(t.partitions == 6);
    CHECK(t.replication_factor == 2);
    CHECK(t.configs.at("cleanup.policy") == "compact");
    CHECK(parse_topic("a").partitions == 1);
    CHECK_THROWS_AS(parse_topic("a:1:1:1"), failure);
    CHECK_THROWS_AS(parse_topic("a,nothing"), failure);
}

}  // namespace
}  // namespace kafkawire::cli
