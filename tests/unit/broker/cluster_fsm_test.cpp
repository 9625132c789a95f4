#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include "broker_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

namespace messages = protocol::messages;

messages::api_versions_request hello() {
    messages::api_versions_request r;
    r.client_software_name = "test";
    r.client_software_version = "1.0";
    return r;
}

TEST_CASE("ApiVersions offers what is handled, and the features from version 3 on") {
    harness h;
    const auto c = h.connect();
    const auto answer = h.ask(c, hello(), 4);
    CHECK(answer.error_code == 0);
    CHECK(!answer.api_keys.empty());
    CHECK(answer.finalized_features_epoch >= 0);
    CHECK(h.ask(c, messages::api_versions_request{}, 0).finalized_features.empty());
}

TEST_CASE("an unknown version of ApiVersions is answered in version 0, of anything else with a closed connection") {
    harness h;
    const auto c = h.connect();
    const unsigned char wild[] = {0, 0, 0, 14, 0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 2, 3};
    h.send_bytes(c, std::as_bytes(std::span{wild}));
    const auto answer = h.take<messages::api_versions_response>(c, 0);
    CHECK(answer.error_code == 35);
    REQUIRE(answer.api_keys.size() == 1);
    CHECK(answer.api_keys[0].api_key == 18);
    CHECK(!h.is_closed(c));
    const unsigned char unknown[] = {0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 7, 0xff, 0xff};
    h.send_bytes(c, std::as_bytes(std::span{unknown}));
    CHECK(h.is_closed(c));
}

TEST_CASE("a frame that claims too much, or less than nothing, closes the connection before anything is allocated") {
    for (const std::uint32_t size : {0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        harness h;
        const auto c = h.connect();
        const unsigned char claim[] = {static_cast<unsigned char>(size >> 24), static_cast<unsigned char>(size >> 16), static_cast<unsigned char>(size >> 8),
                                       static_cast<unsigned char>(size)};
        h.send_bytes(c, std::as_bytes(std::span{claim}));
        CHECK(h.is_closed(c));
    }
}

TEST_CASE("bytes behind a request are passed over") {
    harness h;
    const auto c = h.connect();
    // What librdkafka 2.16 sends for the metadata of all topics.
    const unsigned char all[] = {0, 0, 0, 25, 0, 3, 0, 13, 0, 0, 0, 3, 0, 7, 'r', 'd', 'k', 'a', 'f', 'k', 'a', 0, 0, 0, 0, 0, 1, 0, 0};
    h.send_bytes(c, std::as_bytes(std::span{all}));
    CHECK(h.take<messages::metadata_response>(c, 13).brokers.size() == 1);
    CHECK(!h.is_closed(c));
}

TEST_CASE("Metadata names the nodes, and makes a topic that it was asked for") {
    harness h{{.nodes = 3}};
    const auto c = h.connect();
    messages::metadata_request r;
    r.topics.emplace().push_back({{}, "orders", {}});
    r.allow_auto_topic_creation = true;
    const auto first = h.ask(c, r, 13);
    CHECK(first.brokers.size() == 3);
    REQUIRE(first.topics.size() == 1);
    const auto second = h.ask(c, r, 13);
    REQUIRE(second.topics.size() == 1);
    CHECK(second.topics[0].error_code == 0);
    REQUIRE(second.topics[0].partitions.size() == 1);
    CHECK(second.topics[0].partitions[0].replica_nodes.size() == 3);
}

TEST_CASE("Metadata by id: a name beside it, which may be empty, does not count") {
    harness h;
    const auto c = h.connect();
    messages::metadata_request make;
    make.topics.emplace().push_back({{}, "orders", {}});
    make.allow_auto_topic_creation = true;
    h.ask(c, make, 13);
    messages::metadata_request by_id;
    by_id.topics.emplace().push_back({h.ask(c, make, 13).topics.at(0).topic_id, "", {}});
    const auto answer = h.ask(c, by_id, 13);
    REQUIRE(answer.topics.size() == 1);
    CHECK(answer.topics[0].error_code == 0);
    CHECK(answer.topics[0].name == "orders");
}

TEST_CASE("a cluster that passes for an older Kafka offers no more than that") {
    const auto highest_metadata = [](std::string as) {
        harness h{{.as_version = std::move(as)}};
        for (const auto& a : h.ask(h.connect(), messages::api_versions_request{}, 0).api_keys)
            if (a.api_key == 3) return a.max_version;
        return std::int16_t{-1};
    };
    CHECK(highest_metadata("4.3") == 13);
    CHECK(highest_metadata("3.9") == 12);
    CHECK(highest_metadata("2.8") == 11);
    harness old{{.as_version = "2.8"}};
    CHECK(old.ask(old.connect(), hello(), 3).finalized_features.empty());
}

TEST_CASE("requests that come in one piece are answered one after the other, in order") {
    harness h;
    const auto c = h.connect();
    protocol::bytes both;
    for (int i = 1; i <= 2; ++i) {
        protocol::scatter frame;
        REQUIRE(!protocol::encode_request(hello(), 3, i, "test", frame));
        for (const auto part : frame.parts()) both.insert(both.end(), part.begin(), part.end());
    }
    h.send_bytes(c, both);
    CHECK(h.answers[c].size() == 2);
}

}  // namespace
}  // namespace kafkawire::broker::test
