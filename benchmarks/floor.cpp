// The floor under every figure of the client: one thread, one blocking socket, one real broker; batches are encoded, summed (and
// compressed) and sent with acks=all by an idempotent producer, then fetched, checked and walked. No client logic. Prints a line of JSON
// for each way: CPU (user + system) and wall time per record.
//
//   bench-floor HOST:PORT [codec] [records] [batch bytes] [partitions] [file of values, one a line]
// The broker must lead all partitions: a cluster of one node.
#include <sys/resource.h>
#include <unistd.h>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "blocking_connection.hpp"
#include "yardstick.hpp"

namespace {

using namespace kafkawire::protocol;
using namespace kafkawire::protocol::messages;

using blocking::connection;
using blocking::fail;

struct clocks {
    static double cpu() {
        rusage u{};
        getrusage(RUSAGE_SELF, &u);
        const auto s = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
        return s(u.ru_utime) + s(u.ru_stime);
    }
    static double wall() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
    double cpu_start = cpu(), wall_start = wall();
};

struct job {
    std::string topic;
    compression codec = compression::none;
    std::size_t records = 5'000'000, batch_bytes = 1'000'000;
    std::int32_t partitions = 6;
    std::vector<std::string> values;  // sent in turn
};

void report(const char* what, const job& j, const clocks& since, std::size_t records, std::size_t bytes) {
    const auto n = static_cast<double>(records);
    std::printf(R"({"floor":"%s","codec":"%s","records":%zu,"cpu_us_per_record":%.4f,"wall_us_per_record":%.4f,"bytes_per_record":%.1f})"
                "\n",
                what, std::string{to_string(j.codec)}.c_str(), records, (clocks::cpu() - since.cpu_start) * 1e6 / n,
                (clocks::wall() - since.wall_start) * 1e6 / n, static_cast<double>(bytes) / n);
}

fetch_request fetch_all(const job& j, std::int32_t wait_ms) {
    fetch_request request;
    request.max_wait_ms = wait_ms;
    request.min_bytes = 1;
    request.max_bytes = 50 << 20;
    auto& topic = request.topics.emplace_back();
    topic.topic = j.topic;
    for (std::int32_t p = 0; p < j.partitions; ++p) {
        auto& partition = topic.partitions.emplace_back();
        partition.partition = p;
        partition.partition_max_bytes = 1 << 20;
    }
    return request;
}

// Metadata names the leaders a little before they take office.
bool readable(connection& from, const job& j) {
    const auto answer = from.call(fetch_all(j, 0), from.version<fetch_request>(12));
    for (const auto& t : answer.responses)
        for (const auto& p : t.partitions)
            if (p.error_code != 0) return false;
    return !answer.responses.empty();
}

void make_topic(connection& to, const job& j) {
    create_topics_request create;
    auto& topic = create.topics.emplace_back();
    topic.name = j.topic;
    topic.num_partitions = j.partitions;
    topic.replication_factor = 1;
    const auto made = to.call(create, to.version<create_topics_request>());
    if (made.topics.size() != 1 || made.topics[0].error_code != 0) fail("the topic could not be created");
    metadata_request ask;
    ask.topics->emplace_back().name = j.topic;
    ask.allow_auto_topic_creation = false;
    for (int i = 0; i < 100; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{100})) {
        const auto m = to.call(ask, to.version<metadata_request>(12));
        if (m.brokers.size() > 1) fail("the floor wants a cluster of one node");
        if (m.topics.empty() || m.topics[0].error_code != 0) continue;
        std::size_t led = 0;
        for (const auto& p : m.topics[0].partitions) led += p.error_code == 0 && p.leader_id >= 0;
        if (led == static_cast<std::size_t>(j.partitions) && readable(to, j)) return;
    }
    fail("the topic has no leaders");
}

// Five requests in flight, one partition each, as an idempotent producer may have.
void produce(connection& to, const job& j) {
    init_producer_id_request init;
    init.transactional_id.reset();
    init_producer_id_response producer;
    // A broker that has just started says for a moment that it cannot.
    for (int i = 0; i < 100; ++i, std::this_thread::sleep_for(std::chrono::milliseconds{100}))
        if (producer = to.call(init, to.version<init_producer_id_request>(4)); producer.error_code == 0) break;
    if (producer.error_code != 0) fail("no producer id, error " + std::to_string(producer.error_code));
    const auto version = to.version<produce_request>(12);
    const auto& values = j.values;
    std::vector<std::int32_t> sequences(static_cast<std::size_t>(j.partitions), 0);
    produce_request request;
    request.acks = -1;
    request.timeout_ms = 30'000;
    auto& topic = request.topic_data.emplace_back();
    topic.name = j.topic;
    auto& data = topic.partition_data.emplace_back();
    batch_builder batch;
    std::size_t sent = 0, value = 0, bytes = 0, in_flight = 0;
    const auto acknowledge = [&] {
        const auto answer = to.receive<produce_request>(version);
        if (const auto code = answer.responses.at(0).partition_responses.at(0).error_code)
            fail("produce failed with error " + std::to_string(code));
        --in_flight;
    };
    const clocks start;
    for (std::int32_t p = 0; sent < j.records; p = (p + 1) % j.partitions) {
        auto& sequence = sequences[static_cast<std::size_t>(p)];
        batch.start(
            {.codec = j.codec, .producer_id = producer.producer_id, .producer_epoch = producer.producer_epoch, .base_sequence = sequence});
        for (; batch.size() + values[value].size() + 28 < j.batch_bytes && sent < j.records; ++sent) {
            if (batch.append(1'700'000'000'000, nullptr, values[value]) != kafkawire::errc{}) fail("a record does not fit");
            if (++value == values.size()) value = 0;
        }
        sequence = add_to_sequence(sequence, batch.count());
        bytes_view closed;
        if (auto e = batch.close(closed)) fail(std::string{e.what});
        bytes += closed.size();
        data.index = p;
        data.records = raw_records{closed};
        if (in_flight == 5) acknowledge();
        to.send(request, version);
        ++in_flight;
    }
    while (in_flight) acknowledge();
    report("produce", j, start, sent, bytes);
}

void consume(connection& from, const job& j) {
    const auto version = from.version<fetch_request>(12);
    auto request = fetch_all(j, 500);
    auto& topic = request.topics.front();
    record_reader reader;
    std::size_t records = 0, bytes = 0, values = 0;
    const clocks start;
    for (int empty = 0; records < j.records && empty < 20;) {
        const auto answer = from.call(request, version);
        const auto before = records;
        for (const auto& t : answer.responses)
            for (const auto& p : t.partitions) {
                if (p.error_code != 0) fail("fetch failed with error " + std::to_string(p.error_code));
                reader.start(p.records ? p.records->data : bytes_view{});
                bytes += p.records ? p.records->data.size() : 0;
                for (const auto& r : reader) {
                    values += r.value.size();
                    ++records;
                }
                if (reader.error()) fail(reader.error().message());
                if (reader.next_offset() >= 0)
                    topic.partitions.at(static_cast<std::size_t>(p.partition_index)).fetch_offset = reader.next_offset();
            }
        empty = records == before ? empty + 1 : 0;
    }
    if (records != j.records || values != records * j.values.front().size())
        fail("read " + std::to_string(records) + " of " + std::to_string(j.records) + " records");
    report("fetch", j, start, records, bytes);
}

}  // namespace

int main(int argc, char** argv) try {
    const std::string address = argc > 1 ? argv[1] : "";
    job j;
    if (argc > 2) {
        const auto codec = compression_from(argv[2]);
        if (!codec) fail("no such codec: " + std::string{argv[2]});
        j.codec = *codec;
    }
    if (argc > 3) j.records = std::stoull(argv[3]);
    if (argc > 4) j.batch_bytes = std::stoull(argv[4]);
    if (argc > 5) j.partitions = std::stoi(argv[5]);
    if (argc > 6) {
        std::ifstream in{argv[6]};
        for (std::string line; std::getline(in, line);) j.values.push_back(line);
        if (j.values.empty()) fail(std::string{"no values in "} + argv[6]);
    } else {
        j.values = yardstick::make_values(j.codec == compression::none ? 1'000 : 10'000);
    }
    if (address.empty() || j.partitions < 1 || j.batch_bytes < 1000) {
        std::fputs("usage: bench-floor HOST:PORT [codec] [records] [batch bytes] [partitions] [values]\n", stderr);
        return 2;
    }
    j.topic = "floor-" + std::to_string(getpid()) + "-" + std::to_string(static_cast<long long>(clocks::wall() * 1000));
    connection broker{address};
    make_topic(broker, j);
    produce(broker, j);
    consume(broker, j);
    delete_topics_request remove;
    remove.topic_names.push_back(j.topic);
    (void)broker.call(remove, broker.version<delete_topics_request>(5));
    return 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "bench-floor: %s\n", e.what());
    return 1;
}
