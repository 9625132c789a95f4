// Encoding and decoding of the messages that matter: Metadata of 1,000 partitions, Produce and Fetch with a megabyte of records.
#include <benchmark/benchmark.h>
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>

#include "yardstick.hpp"

namespace {

using namespace kafkawire::protocol;
using namespace kafkawire::protocol::messages;

const std::vector<std::byte>& megabyte() {
    static const std::vector<std::byte> records(1'000'000, std::byte{1});
    return records;
}

metadata_response metadata() {
    metadata_response m;
    m.cluster_id = "MkU3OEVBNTcwNTJENDM2Qk";
    for (int b = 0; b < 3; ++b) {
        auto& broker = m.brokers.emplace_back();
        broker.node_id = b;
        broker.host = "broker-" + std::to_string(b) + ".example.org";
        broker.port = 9092;
    }
    for (int t = 0; t < 10; ++t) {
        auto& topic = m.topics.emplace_back();
        topic.name = "topic-of-some-length-" + std::to_string(t);
        topic.topic_id.octets[15] = static_cast<std::uint8_t>(t + 1);
        for (int p = 0; p < 100; ++p) {
            auto& partition = topic.partitions.emplace_back();
            partition.partition_index = p;
            partition.leader_id = p % 3;
            partition.leader_epoch = 5;
            partition.replica_nodes = {0, 1, 2};
            partition.isr_nodes = {0, 1, 2};
        }
    }
    return m;
}
produce_request produce() {
    produce_request m;
    m.acks = -1;
    m.timeout_ms = 30'000;
    auto& topic = m.topic_data.emplace_back();
    topic.name = "orders";
    auto& partition = topic.partition_data.emplace_back();
    partition.records = raw_records{megabyte()};
    return m;
}
fetch_response fetch() {
    fetch_response m;
    auto& topic = m.responses.emplace_back();
    topic.topic_id.octets[15] = 1;
    for (int p = 0; p < 6; ++p) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition_index = p;
        partition.high_watermark = 1'000'000;
        partition.records = raw_records{bytes_view{megabyte()}.first(p == 0 ? megabyte().size() : 0)};
    }
    return m;
}

void finish(benchmark::State& state, std::size_t before, std::size_t size) {
    state.counters["allocations"] = static_cast<double>(yardstick::allocations - before) / static_cast<double>(state.iterations());
    state.counters["bytes"] = static_cast<double>(size);
}

// Encoded as it is sent: records stay where they lie.
template <class Message>
void encode_message(benchmark::State& state, const Message& m, std::int16_t version) {
    scatter to;
    const auto before = yardstick::allocations;
    for (auto _ : state) {
        to.own.clear();
        to.splices.clear();
        if (encode(m, version, to)) std::abort();
        benchmark::DoNotOptimize(to.own.data());
    }
    finish(state, before, to.size());
}
template <class Message>
void decode_message(benchmark::State& state, const Message& m, std::int16_t version) {
    bytes from;
    if (encode(m, version, from)) std::abort();
    const auto before = yardstick::allocations;
    for (auto _ : state) {
        Message out;
        if (decode(out, from, version)) std::abort();
        benchmark::DoNotOptimize(&out);
    }
    finish(state, before, from.size());
}

void metadata_encode(benchmark::State& state) { encode_message(state, metadata(), 12); }
void metadata_decode(benchmark::State& state) { decode_message(state, metadata(), 12); }
void produce_encode(benchmark::State& state) { encode_message(state, produce(), 11); }
void produce_decode(benchmark::State& state) { decode_message(state, produce(), 11); }
void fetch_encode(benchmark::State& state) { encode_message(state, fetch(), 16); }
void fetch_decode(benchmark::State& state) { decode_message(state, fetch(), 16); }
BENCHMARK(metadata_encode);
BENCHMARK(metadata_decode);
BENCHMARK(produce_encode);
BENCHMARK(produce_decode);
BENCHMARK(fetch_encode);
BENCHMARK(fetch_decode);

}  // namespace

BENCHMARK_MAIN();
