// Clusters of former years through the client as it is used: made and filled in every codec, read back by us and by Java's own consumer of that release,
// a group that goes on where it was, and what such a cluster cannot have, told with what to do. And the same, in short, held to a release (version=).
#include <kafkawire/consumer.hpp>
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/16_list_groups.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>
#include <kafkawire/protocol/releases.hpp>
#include <kafkawire/tokens.hpp>
#include <kafkawire/transaction.hpp>

#include <testcontainers/kafka_cluster.hpp>

#include <algorithm>
#include <sstream>

#include "real/event_loop.hpp"

using namespace std::chrono_literals;
using kw::protocol::compression;
namespace messages = kw::protocol::messages;

namespace {

auto detailed = kw::detailed(kw::as_tuple(asio::use_awaitable));

struct release {
    std::string version;
    bool sequences;                                         // 0.11: format 2, idempotence, headers, transactions
    bool zstd;                                              // 2.1
    std::vector<std::string> pins;                          // version=, in its forms of three and four numbers
};

bool says(const kw::error& e, std::string_view what) { return e.message().find(what) != std::string::npos; }

asio::awaitable<void> create(kw::client& client, std::string name) {
    messages::create_topics_request wanted;
    auto& t = wanted.topics.emplace_back();
    t.name = std::move(name);
    t.num_partitions = 1;
    t.replication_factor = 1;
    wanted.timeout_ms = 10'000;
    auto answer = co_await client.async_request(std::move(wanted), kw::detailed(asio::use_awaitable));
    REQUIRE(answer.topics.size() == 1);
    CHECK(answer.topics[0].error_code == 0);
}

// A hundred records with keys and times, as one batch; what is to be read is added to `sent`.
asio::awaitable<void> write(kw::client& client, const release& r, const std::string& topic, compression codec, std::vector<std::string>& sent) {
    kw::producer producer{client, {.linger = 50ms, .compression = codec}};
    const auto first = sent.size();
    for (int i = 0; i < 100; ++i) sent.push_back(std::string{to_string(codec)} + " record " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '.'));
    std::vector<kw::record> records;
    for (auto i = first; i < sent.size(); ++i)
        records.push_back({.topic = topic, .key = "key", .value = sent[i], .timestamp = kw::timestamp{std::chrono::milliseconds{1'700'000'000'000 + static_cast<std::int64_t>(i)}}});
    auto [why, result] = co_await producer.async_send_batch(records, detailed);
    INFO(to_string(codec) << ": " << why.message());
    CHECK(!why);
    CHECK(result.acknowledged == 100);
    CHECK((producer.degraded() == nullptr) == r.sequences);
    const auto at = co_await producer.async_send(records[0], asio::use_awaitable);
    CHECK(at.offset == static_cast<std::int64_t>(sent.size()));
    sent.push_back(sent[first]);
    co_await producer.async_close(5s, asio::use_awaitable);
}

// What a member of the group reads until there are `n`, committed.
asio::awaitable<void> read(kw::client& client, const std::string& topic, std::size_t n, std::vector<std::string>& got, std::int64_t& begun) {
    kw::consumer_options o;
    o.group = "readers of " + topic;
    o.topics = {topic};
    o.auto_offset_reset = kw::offset_reset::earliest;
    kw::consumer consumer{client, o};
    begun = -1;
    while (got.size() < n) {
        const auto batch = co_await consumer.async_poll(asio::use_awaitable);
        for (const auto& r : batch) {
            if (begun < 0) begun = r.offset;
            CHECK(r.key.text() == "key");
            CHECK(r.timestamp >= kw::timestamp{1'700'000'000'000ms});
            got.emplace_back(r.value.text());
        }
        co_await consumer.async_commit(batch, asio::use_awaitable);
    }
    co_await consumer.async_close(asio::use_awaitable);
}

// Ten records in two requests, read by a member of a group of its own that commits, and nothing more for the next member.
asio::awaitable<void> work_held_to(asio::io_context& io, const std::string& brokers, const std::string& pin, const std::string& topic) {
    INFO("version=" << pin);
    kw::client_options held;
    held.bootstrap = brokers;
    held.broker_version = pin;
    kw::client client{io, held};
    const bool sequences = *kw::protocol::parse_release(pin) >= kw::protocol::release{0, 11, 0};
    kw::producer producer{client, {.linger = 0ms, .compression = compression::gzip}};
    for (int i = 0; i < 10; ++i) {
        const auto value = pin + " record " + std::to_string(i);
        const kw::record one{.topic = topic, .key = "key", .value = value, .timestamp = kw::timestamp{1'700'000'000'000ms}};
        const auto at = co_await producer.async_send(one, asio::use_awaitable);
        CHECK(at.offset == i);
    }
    CHECK((producer.degraded() == nullptr) == sequences);
    co_await producer.async_close(5s, asio::use_awaitable);
    std::vector<std::string> got;
    std::int64_t begun = -1;
    co_await read(client, topic, 10, got, begun);
    CHECK(begun == 0);
    CHECK(got.back() == pin + " record 9");
    kw::consumer_options o;
    o.group = "readers of " + topic;
    kw::consumer asks{client, o};
    const std::vector<kw::topic_partition> all{{topic, 0}};
    const auto committed = co_await asks.async_committed(all, asio::use_awaitable);
    REQUIRE(committed.size() == 1);
    CHECK(committed[0].offset == 10);
}

asio::awaitable<kw::error> send(kw::client& client, const kw::producer_options& options, kw::record r) {
    kw::producer producer{client, options};
    auto [why, at] = co_await producer.async_send(r, detailed);
    co_return why;
}

// What it cannot have.
asio::awaitable<void> ask_too_much(kw::client& client, const release& r, const std::string& topic) {
    const std::vector<kw::header_view> headers{{"trace", "7"}};
    if (!r.zstd) {
        kw::producer_options o;
        o.compression = compression::zstd;
        kw::record plain;
        plain.topic = topic;
        plain.value = "v";
        const auto why = co_await send(client, o, plain);
        INFO(why.message());
        CHECK(why.code == kw::errc::not_in_version);
        CHECK(says(why, "zstd"));
    }
    if (r.sequences) co_return;
    kw::record one;
    one.topic = topic;
    one.value = "v";
    kw::producer_options explicit_one;
    explicit_one.idempotence = kw::toggle::on;
    const auto idempotent = co_await send(client, explicit_one, one);
    INFO(idempotent.message());
    CHECK(idempotent.code == kw::condition::not_persisted);
    CHECK(says(idempotent, "idempotence = off"));
    one.headers = headers;
    const kw::producer_options plain_options;
    const auto headed = co_await send(client, plain_options, one);
    INFO(headed.message());
    CHECK(headed.code == kw::errc::not_in_version);
    CHECK(says(headed, "headers"));
    kw::producer_options transactional;
    transactional.transactional_id = "pay";
    kw::producer producer{client, transactional};
    auto [why, t] = co_await producer.async_begin_transaction(detailed);
    INFO(why.message());
    CHECK(says(why, "Kafka 0.11"));
}

asio::awaitable<void> groups_and_topics(kw::client& client, const std::string& topic) {
    messages::list_groups_request all;
    bool listed = false;
    auto groups = co_await client.async_request(all, kw::detailed(asio::use_awaitable));
    for (const auto& g : groups.groups) listed |= g.group_id == "readers of " + topic;
    CHECK(listed);
    messages::delete_topics_request gone;
    gone.topic_names.push_back(topic);
    gone.timeout_ms = 10'000;
    const kw::request_options by_name{.version = std::int16_t{0}};  // which all of them have; from 6 on the names stand in another list
    auto deleted = co_await client.async_request(gone, by_name, kw::detailed(asio::use_awaitable));
    REQUIRE(deleted.responses.size() == 1);
    CHECK(deleted.responses[0].error_code == 0);
}

void there_and_back(const release& r) {
    // Before 1.0 brokers delete no topics unless they are told to.
    auto kafka = kw::testing::kafka_image{}.version(r.version).with_property("delete.topic.enable", "true").start();
    std::vector<std::string> sent;
    const std::string topic = "codecs";
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        kw::client client{io, {.bootstrap = kafka.bootstrap_servers()}};
        co_await create(client, topic);
        for (const auto codec : {compression::none, compression::gzip, compression::snappy, compression::lz4, compression::zstd})
            if (codec != compression::zstd || r.zstd) co_await write(client, r, topic, codec, sent);
        std::vector<std::string> got;
        std::int64_t begun = -1;
        co_await read(client, topic, sent.size(), got, begun);
        CHECK(begun == 0);
        CHECK((got == sent));
        // And on from there.
        const auto before = sent.size();
        co_await write(client, r, topic, compression::gzip, sent);
        got.clear();
        co_await read(client, topic, sent.size() - before, got, begun);
        CHECK(begun == static_cast<std::int64_t>(before));
        CHECK((got == std::vector<std::string>{sent.begin() + static_cast<std::ptrdiff_t>(before), sent.end()}));
        co_await ask_too_much(client, r, topic);
        for (const auto& pin : r.pins) {
            co_await create(client, "held-to-" + pin);
            co_await work_held_to(io, kafka.bootstrap_servers(), pin, "held-to-" + pin);
        }
    });
    const auto java = kafka.run_java_tool("console-consumer", {kw::testing::java_tool_bootstrap_option(kafka.version(), "console-consumer"), kafka.internal_bootstrap_servers(),
                                                               "--topic", topic, "--from-beginning", "--max-messages", std::to_string(sent.size())}, {}, 3min);
    INFO(java.err);
    std::vector<std::string> lines;
    std::istringstream in{java.out};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    CHECK((lines == sent));
    run([&](asio::io_context& io) -> asio::awaitable<void> {
        kw::client client{io, {.bootstrap = kafka.bootstrap_servers()}};
        co_await groups_and_topics(client, topic);
    });
}

}  // namespace

TEST_CASE("a cluster of 0.10.2.2 is written, read and read in a group, and what it cannot have is told", "[real][old]") {
    there_and_back({"0.10.2.2", false, false, {"0.10.2.2", "0.10.2"}});
}
TEST_CASE("a cluster of 2.8.2 is written, read and read in a group", "[real][old]") { there_and_back({"2.8.2", true, true, {"2.8.2", "1.1.1.0", "0.10.2.0"}}); }
TEST_CASE("a cluster of 3.9.1 is written, read and read in a group", "[real][old]") { there_and_back({"3.9.1", true, true, {"3.9.1", "1.1.1.0", "0.10.2.0"}}); }
