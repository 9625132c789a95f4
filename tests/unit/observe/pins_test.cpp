// Held to a release, a client speaks nothing newer, whatever brokers offer: seen in what the embedded broker was asked.
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/32_describe_configs.hpp>
#include <kafkawire/protocol/messages/42_delete_groups.hpp>
#include <kafkawire/protocol/messages/60_describe_cluster.hpp>
#include <kafkawire/protocol/releases.hpp>
#include <kafkawire/transaction.hpp>

#include "broker/kafka_versions.hpp"
#include "seen_rig.hpp"

using namespace seeing;
using namespace kw::protocol::messages;
using kw::protocol::highest_version;
using kw::protocol::parse_release;
using kw::protocol::release;

namespace {

kw::broker::options as(std::string version) {
    kw::broker::options o;
    o.as_version = std::move(version);
    o.topics = {{.name = "orders", .partitions = 2}};
    return o;
}

// Everything that a client's parts ask for: administration, producers, a group, a transaction with offsets.
void use_all(rig& r, const kw::client_options& o) {
    r.produce_and_read(o);
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, o};
        const auto ask = [&](auto request) -> asio::awaitable<void> {
            auto [ec, answer] = co_await client.async_request(std::move(request), kw::as_tuple(asio::use_awaitable));
            if (ec) CHECK(ec == kw::errc::no_common_version);
        };
        create_topics_request topics;
        topics.topics.emplace_back().name = "more";
        topics.topics.back().num_partitions = 1;
        topics.topics.back().replication_factor = 1;
        co_await ask(std::move(topics));
        describe_configs_request configs;
        configs.resources.emplace_back().resource_type = 2;
        configs.resources.back().resource_name = "orders";
        co_await ask(std::move(configs));
        delete_groups_request groups;
        groups.groups_names.emplace_back("nobody");
        co_await ask(std::move(groups));
        describe_cluster_request cluster;
        co_await ask(std::move(cluster));
        api_versions_request versions;
        co_await ask(std::move(versions));
        kw::producer_options sending;
        sending.transactional_id = "t";
        kw::producer producer{client, sending};
        auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
        const kw::record record{.topic = "orders", .value = "paid", .partition = 0};
        co_await producer.async_send(record, asio::use_awaitable);
        const kw::topic_offset offset{.topic = "orders", .partition = 0, .offset = 1};
        const kw::group_metadata group{"other"};
        const std::vector<kw::topic_offset> offsets{offset};
        co_await tx.async_send_offsets(offsets, group, asio::use_awaitable);
        co_await tx.async_commit(asio::use_awaitable);
        co_await producer.async_close(5s, asio::use_awaitable);
    });
}

// The highest version that was asked of each API.
std::map<std::int16_t, std::int16_t> asked_of(rig& r) {
    std::map<std::int16_t, std::int16_t> all;
    for (const auto& p : r.kafka->control().history())
        if (p.way == kw::broker::passing::direction::request) all[p.api_key] = std::max(all.try_emplace(p.api_key, p.version).first->second, p.version);
    return all;
}

}  // namespace

TEST_CASE("what a release speaks is what its brokers say", "[pins]") {
    // The broker's tables were made from answers of real ones.
    for (const auto* name : {"2.8", "3.9", "4.3"}) {
        const auto* known = kw::broker::find_kafka_release(name);
        REQUIRE(known);
        for (const auto& api : kw::protocol::apis()) {
            CAPTURE(name, api.name);
            const auto theirs = kw::broker::versions_in(*known, api.key);
            const auto ours = highest_version(*parse_release(name), api.key);
            const bool among_brokers = api.key >= 4 && api.key <= 7;
            if (among_brokers || api.key == 56 || !kw::protocol::is_known_to_releases(api.key)) continue;
            if (api.key == 71 || api.key == 72) continue;  // telemetry: for brokers that are set up to take it
            CHECK(ours == (theirs.highest < theirs.lowest ? -1 : theirs.highest));
        }
    }
    // Versions only grow.
    std::int16_t before = -1;
    for (const auto* text : {"0.8.2", "0.9.0.0", "0.10.0", "0.10.1.1", "0.10.2.2", "0.11.0", "1.0", "1.1.1.0", "2.0", "2.8.2", "3.0", "3.9.1", "4.0", "4.3"}) {
        const auto now = highest_version(*parse_release(text), 1);
        CHECK(now >= before);
        before = now;
    }
    CHECK(highest_version({0, 9, 0}, 18) == -1);
    CHECK(highest_version({0, 10, 0}, 18) == 0);
    CHECK(highest_version({0, 10, 2}, 0) == 2);
    CHECK(highest_version({0, 10, 2}, 3) == 2);
    CHECK(highest_version({1, 1, 0}, 1) == 7);
    CHECK(kw::protocol::first_release_with(0, 3) == release{0, 11, 0});
    CHECK_FALSE(kw::protocol::first_release_with(0, 99));
}

TEST_CASE("releases in both forms", "[pins]") {
    const auto is = [](std::string_view text) {
        const auto r = parse_release(text);
        return r ? r->to_string() : "none";
    };
    CHECK(is("0.10.2.0") == "0.10.2");
    CHECK(is("0.10.2.2") == "0.10.2");
    CHECK(is("0.11") == "0.11.0");
    CHECK(is("1.1.1.0") == "1.1");
    CHECK(is("2.8") == "2.8");
    CHECK(is("2.8.2") == "2.8");
    CHECK(is("3.9.1") == "3.9");
    CHECK(is("0.1.1.0") == "0.8.2");
    CHECK(is("9.0") == "4.3");
    for (const auto* bad : {"", "2", "2.", ".8", "2.8.", "2.8.x", "2.8.1.1.1", "1000.1", "-1.0", "2,8", "2.8 "}) CHECK(is(bad) == "none");
    kw::client_options o;
    o.broker_version = "2.x";
    INFO(validate(o).message());
    CHECK(validate(o).message().find("broker_version is \"2.x\": a release of Kafka would be right, as 2.8, 3.9.1 or 0.10.2.0") != std::string::npos);
}

TEST_CASE("held to a release, no API is spoken in a newer version, and all goes well", "[pins]") {
    struct one {
        const char *broker, *held_to;
    };
    for (const auto& [broker, held_to] : {one{"3.9", "0.11.0.0"}, one{"3.9", "1.1.1.0"}, one{"3.9", "2.0"}, one{"3.9", "2.4"}, one{"4.3", "2.8"}, one{"4.3", "3.9.1"}, one{"2.8", "4.3"}}) {
        CAPTURE(broker, held_to);
        rig r{as(broker)};
        r.kafka->control().keep_history(10'000);
        auto o = r.client({});
        o.broker_version = held_to;
        use_all(r, o);
        const auto asked = asked_of(r);
        CHECK(asked.size() > 15);
        const auto held = *parse_release(held_to);
        for (const auto& [key, version] : asked) {
            CAPTURE(key);
            CHECK(version <= highest_version(held, key));
        }
        if (std::string_view{broker} == "2.8") continue;
        // It is the release that holds it back: without, newer ones are spoken.
        rig free{as(broker)};
        free.kafka->control().keep_history(10'000);
        use_all(free, free.client({}));
        for (const std::int16_t key : {0, 1, 3}) CHECK(asked_of(free).at(key) > asked.at(key));
    }
}

TEST_CASE("a broker before 0.10 is not asked what it speaks", "[pins]") {
    for (const auto* held_to : {"0.9.0.1", "0.8.2.2"}) {
        rig r{as("3.9")};
        auto o = r.client({});
        o.broker_version = held_to;
        r.run([&]() -> asio::awaitable<void> {
            kw::client client{r.io, o};
            const auto answer = co_await client.async_metadata(asio::use_awaitable);
            CHECK(answer.brokers.size() == 1);
            CHECK(answer.info.version == 0);
            create_topics_request topics;
            auto [why, none] = co_await client.async_request(std::move(topics), kw::detailed(kw::as_tuple(asio::use_awaitable)));
            CHECK(why.code == kw::errc::no_common_version);
            CHECK(why.text.find("broker_version (version=) holds the client to Kafka " + parse_release(held_to)->to_string() + ", whose brokers do not have CreateTopics") != std::string::npos);
            CHECK(why.hint.find("it needs Kafka 0.10.1") != std::string::npos);
        });
        const auto asked = asked_of(r);
        CHECK(asked.count(18) == 0);
        CHECK(asked.at(3) == 0);
    }
}

TEST_CASE("a release that the brokers have left behind is told as that", "[pins]") {
    rig r{as("4.3")};
    auto o = r.client({});
    o.broker_version = "0.10.2.0";
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, o};
        create_topics_request topics;
        auto [why, none] = co_await client.async_request(std::move(topics), kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(why.code == kw::errc::no_common_version);
        CHECK(why.text.find("have CreateTopics up to v1") != std::string::npos);
        CHECK(why.hint.find("it needs Kafka 0.11.0: name that") != std::string::npos);
    });
}
