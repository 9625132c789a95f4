// Every message format and codec that we write, judged by a real broker and by its own Java consumer; and what those write, read by us.
// Kafka 0.10.2 keeps messages of formats 0 and 1 as they are; 3.9 still takes the old requests and has all codecs.
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <chrono>
#include <sstream>
#include <thread>

#include "blocking_connection.hpp"
#include "catch.hpp"
#include "testcontainers/kafka_cluster.hpp"
#include "testcontainers/shared_cluster.hpp"

using namespace kafkawire::protocol;
using namespace kafkawire::protocol::messages;
namespace kt = kafkawire::testing;

namespace {

constexpr int records_each = 200;

std::string value_of(int magic, compression codec, int i) {
    return "format " + std::to_string(magic) + " " + std::string{to_string(codec)} + " record " + std::to_string(i) + std::string(static_cast<std::size_t>(i), '.');
}

// Old brokers make a topic when they are asked for it, and say so with an error first.
void wait_for_topic(blocking::connection& broker, const std::string& topic) {
    metadata_request ask;
    ask.topics->emplace_back().name = topic;
    for (int i = 0; i < 200; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{100})) {
        const auto m = broker.call(ask, broker.version<metadata_request>(4));
        if (m.topics.size() == 1 && m.topics[0].error_code == 0 && m.topics[0].partitions.at(0).error_code == 0) return;
    }
    FAIL("the topic has no leader");
}

std::int16_t produce(blocking::connection& broker, std::int16_t version, const std::string& topic, bytes_view batch) {
    produce_request request;
    request.acks = -1;
    request.timeout_ms = 10'000;
    auto& t = request.topic_data.emplace_back();
    t.name = topic;
    t.partition_data.emplace_back().records = raw_records{batch};
    for (int i = 0;; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{100})) {
        const auto code = broker.call(request, version).responses.at(0).partition_responses.at(0).error_code;
        if (code != 6 || i == 50) return code;  // 6: the leader has not taken office yet
    }
}

std::vector<std::string> fetch(blocking::connection& broker, std::int16_t version, const std::string& topic, int& magic) {
    fetch_request request;
    request.max_wait_ms = 500;
    request.min_bytes = 1;
    auto& t = request.topics.emplace_back();
    t.topic = topic;
    auto& p = t.partitions.emplace_back();
    p.partition_max_bytes = 1 << 20;
    record_reader reader;
    std::vector<std::string> out;
    for (int empty = 0; empty < 3;) {
        const auto answer = broker.call(request, version);
        const auto& data = answer.responses.at(0).partitions.at(0);
        REQUIRE(data.error_code == 0);
        reader.start(data.records ? data.records->data : bytes_view{});
        const auto before = out.size();
        for (const auto& r : reader) {
            if (r.offset < p.fetch_offset) continue;  // a compressed batch comes whole
            CHECK(r.offset == static_cast<std::int64_t>(out.size()));
            magic = reader.batch().magic;
            out.emplace_back(r.value.text());
        }
        INFO(reader.error().message());
        REQUIRE(!reader.error());
        if (reader.next_offset() >= 0) p.fetch_offset = reader.next_offset();
        empty = out.size() == before ? empty + 1 : 0;
    }
    return out;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

struct way {
    int magic;
    std::int16_t produce_version;
    compression codec;
};

void there_and_back(kt::kafka_cluster& kafka, const std::vector<way>& ways, const std::vector<std::pair<std::int16_t, int>>& fetches) {
    blocking::connection broker{kafka.address(1)};
    const auto topic = kt::unique_topic("formats");
    wait_for_topic(broker, topic);
    std::vector<std::string> sent;
    batch_builder builder;
    for (const auto& w : ways) {
        builder.start({.magic = static_cast<std::int8_t>(w.magic), .codec = w.codec});
        for (int i = 0; i < records_each; ++i) {
            sent.push_back(value_of(w.magic, w.codec, i));
            REQUIRE(builder.append(1'700'000'000'000 + i, i % 3 ? nullable_bytes{"key"} : nullable_bytes{}, sent.back()) == kafkawire::errc{});
        }
        bytes_view batch;
        REQUIRE(!builder.close(batch));
        INFO("format " << w.magic << " in " << to_string(w.codec));
        REQUIRE(produce(broker, w.produce_version, topic, batch) == 0);
    }
    for (const auto& [version, expected_magic] : fetches) {
        int magic = -1;
        INFO("Fetch version " << version);
        CHECK((fetch(broker, version, topic, magic) == sent));
        CHECK(magic == expected_magic);
    }
    const auto java = kafka.run_java_tool("console-consumer", {kt::java_tool_bootstrap_option(kafka.version(), "console-consumer"), kafka.internal_bootstrap_servers(),
                                                               "--topic", topic, "--from-beginning", "--max-messages", std::to_string(sent.size())});
    INFO(java.err);
    CHECK((lines_of(java.out) == sent));
}

// What Java's producer writes with each codec.
void from_java(kt::kafka_cluster& kafka, const std::vector<std::string>& codecs, std::int16_t fetch_version, int expected_magic) {
    blocking::connection broker{kafka.address(1)};
    for (const auto& codec : codecs) {
        const auto topic = kt::unique_topic("java");
        wait_for_topic(broker, topic);
        std::string text;
        std::vector<std::string> sent;
        for (int i = 0; i < records_each; ++i) text += sent.emplace_back(value_of(9, compression::none, i)) + "\n";
        const auto java = kafka.run_java_tool("console-producer", {kt::java_tool_bootstrap_option(kafka.version(), "console-producer"), kafka.internal_bootstrap_servers(),
                                                                   "--topic", topic, "--compression-codec", codec}, text);
        INFO(codec << ": " << java.err);
        int magic = -1;
        CHECK((fetch(broker, fetch_version, topic, magic) == sent));
        CHECK(magic == expected_magic);
    }
}

}  // namespace

TEST_CASE("messages of formats 0 and 1 are taken by a broker of their time and its Java consumer, and theirs by us", "[real][record_formats]") {
    auto kafka = kt::kafka_image{}.version("0.10.2.2").start();
    std::vector<way> ways;
    for (const auto codec : {compression::none, compression::gzip, compression::snappy, compression::lz4}) {
        ways.push_back({0, 1, codec});
        ways.push_back({1, 2, codec});
    }
    there_and_back(kafka, ways, {{1, 0}, {3, 1}});
    from_java(kafka, {"none", "gzip", "snappy", "lz4"}, 3, 1);
}

TEST_CASE("batches of all formats and codecs are taken by Kafka 3.9 and its Java consumer, and theirs by us", "[real][record_formats]") {
    auto kafka = kt::kafka_image{}.version("3.9.1").start();
    std::vector<way> ways;
    for (const auto codec : {compression::none, compression::gzip, compression::snappy, compression::lz4, compression::zstd}) {
        if (codec != compression::zstd) {
            ways.push_back({0, 1, codec});
            ways.push_back({1, 2, codec});
        }
        ways.push_back({2, 8, codec});
    }
    there_and_back(kafka, ways, {{12, 2}});
    from_java(kafka, {"gzip", "snappy", "lz4", "zstd"}, 12, 2);
}
