// bench-broker: how many records a second the embedded broker takes and gives, each with the CPU that its process used.
//   bench-broker [--records MILLIONS] [--connections N] [--acks N] [--batch RECORDS] [--folder F]     starts the broker in a process of its own
//   bench-broker --serve PORT [--folder F] [--nodes N]                                                runs the broker alone, until it is ended
// The client does what cannot be left out: it sends batches that were built before, of 100-byte values, over a few connections with four
// requests on the way in each, and counts the answers. So the figure is the broker's.
#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <kafkawire/broker.hpp>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/02_list_offsets.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <sys/resource.h>
#include <sys/wait.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <thread>

#include "blocking_connection.hpp"
#include "yardstick.hpp"

namespace {

namespace kw = kafkawire;
namespace messages = kw::protocol::messages;
using clock_type = std::chrono::steady_clock;

struct settings {
    double millions = 20;
    int connections = 3, acks = 1, batch = 9000, nodes = 1, port = 0;
    bool serve = false;
    std::string folder;
};

double cpu_seconds(pid_t process) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/stat", static_cast<int>(process));
    auto* f = std::fopen(path, "r");
    if (!f) return 0;
    unsigned long user = 0, system = 0;
    const int n = std::fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    std::fclose(f);
    return n == 2 ? static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)) : 0;
}

int serve(const settings& s, int tell) {
    asio::io_context io{1};
    kw::broker::options o;
    o.nodes = s.nodes;
    o.folder = s.folder;
    for (int i = 0; s.port && i < s.nodes; ++i) o.ports.push_back(static_cast<std::uint16_t>(s.port + i));
    o.topics = {{.name = "bench", .partitions = 3}};
    kw::broker::cluster cluster{io, o};
    if (const auto ec = cluster.start()) {
        std::fprintf(stderr, "bench-broker: %s\n", ec.message().c_str());
        return 1;
    }
    const auto address = cluster.bootstrap() + '\n';
    if (write(tell, address.data(), address.size()) < 0) return 1;
    asio::signal_set signals{io, SIGINT, SIGTERM};
    signals.async_wait([&](std::error_code, int) { io.stop(); });
    io.run();
    return 0;
}

kw::protocol::bytes make_batch(int records) {
    const auto values = yardstick::make_values();
    kw::protocol::batch_builder b;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    for (int i = 0; i < records; ++i)
        if (b.append(now, nullptr, values[static_cast<std::size_t>(i) % values.size()]) != kw::errc{}) blocking::fail("the batch is too large");
    kw::protocol::bytes_view whole;
    if (b.close(whole)) blocking::fail("no batch");
    return {whole.begin(), whole.end()};
}

void produce(const std::string& address, const settings& s, kw::protocol::bytes_view batch, std::int32_t partition, long requests) {
    blocking::connection c{address};
    messages::produce_request r;
    r.acks = static_cast<std::int16_t>(s.acks);
    r.timeout_ms = 10000;
    r.topic_data.push_back({"bench", {}, {}, {}});
    r.topic_data.back().partition_data.push_back({partition, kw::protocol::raw_records{batch}, {}});
    long sent = 0;
    for (long answered = 0; answered < requests; ++answered) {
        for (; sent < requests && sent < answered + 4; ++sent) c.send(r, 12);
        const auto answer = c.receive<messages::produce_request>(12);
        if (const auto error = answer.responses.at(0).partition_responses.at(0).error_code) blocking::fail("the broker answers error " + std::to_string(error));
    }
}

// Everything that is still there; returns the bytes.
std::size_t fetch(const std::string& address, std::int32_t partition) {
    blocking::connection c{address};
    messages::list_offsets_request first;
    first.replica_id = -1;
    first.topics.push_back({"bench", {{partition, -1, -2, 1, {}}}, {}});
    c.send(first, 7);
    const auto start = c.receive<messages::list_offsets_request>(7).topics.at(0).partitions.at(0).offset;
    messages::fetch_request r;
    r.max_wait_ms = 100;
    r.min_bytes = 1;
    r.topics.push_back({"bench", {}, {}, {}});
    r.topics.back().partitions.emplace_back();
    auto& p = r.topics.back().partitions.back();
    p.partition = partition;
    p.fetch_offset = start;
    p.partition_max_bytes = 8 << 20;
    std::size_t bytes = 0;
    for (;;) {
        c.send(r, 12);
        const auto answer = c.receive<messages::fetch_request>(12);
        const auto& d = answer.responses.at(0).partitions.at(0);
        if (d.error_code != 0) blocking::fail("the broker answers error " + std::to_string(d.error_code));
        if (!d.records || d.records->data.empty()) return bytes;
        kw::protocol::record_batches in{d.records->data, false};
        std::size_t used = 0;
        while (const auto* b = in.next()) {
            p.fetch_offset = b->next_offset();
            used += b->whole.size();
        }
        if (used == 0) blocking::fail("no whole batch came");
        bytes += used;
    }
}

template <class Work>
void measure(const char* what, pid_t broker, double records, double bytes, Work work) {
    const auto broker_before = cpu_seconds(broker), own_before = cpu_seconds(getpid());
    const auto begin = clock_type::now();
    work();
    const auto seconds = std::chrono::duration<double>(clock_type::now() - begin).count();
    std::printf("%-8s %6.2f million records/s  %7.1f MB/s   CPU: broker %3.0f%% (%.3f us/record), client %3.0f%%\n", what, records / seconds / 1e6, bytes / seconds / 1e6,
                100 * (cpu_seconds(broker) - broker_before) / seconds, 1e6 * (cpu_seconds(broker) - broker_before) / records,
                100 * (cpu_seconds(getpid()) - own_before) / seconds);
}

void run(const settings& s, const std::string& address, pid_t broker) {
    const auto batch = make_batch(s.batch);
    const auto requests = std::max(1L, static_cast<long>(s.millions * 1e6 / s.batch / s.connections));
    const auto records = static_cast<double>(requests) * s.connections * s.batch;
    const auto bytes = static_cast<double>(requests) * s.connections * static_cast<double>(batch.size());
    measure("produce", broker, records, bytes, [&] {
        std::vector<std::thread> threads;
        for (int i = 0; i < s.connections; ++i) threads.emplace_back([&, i] { produce(address, s, batch, i % 3, requests); });
        for (auto& t : threads) t.join();
    });
    // What memory has kept of it, read twice.
    const auto kept = fetch(address, 0);
    const auto per_byte = static_cast<double>(s.batch) / static_cast<double>(batch.size());
    measure("fetch", broker, static_cast<double>(kept) * per_byte, static_cast<double>(kept), [&] { fetch(address, 0); });
}

int benchmark(const settings& s) {
    int ends[2];
    if (pipe(ends) != 0) return 1;
    const auto broker = fork();
    if (broker == 0) {
        close(ends[0]);
        std::exit(serve(s, ends[1]));
    }
    close(ends[1]);
    char address[256] = {};
    const auto n = read(ends[0], address, sizeof address - 1);
    int result = 1;
    if (n > 1) {
        try {
            run(s, std::string(address, static_cast<std::size_t>(n) - 1), broker);
            result = 0;
        } catch (const std::exception& e) { std::fprintf(stderr, "bench-broker: %s\n", e.what()); }
    }
    kill(broker, SIGTERM);
    waitpid(broker, nullptr, 0);
    return result;
}

}  // namespace

int main(int argc, char** argv) {
    settings s;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view name{argv[i]}, value{argv[i + 1]};
        const auto number = [&](auto& to) { std::from_chars(value.data(), value.data() + value.size(), to); };
        if (name == "--records") number(s.millions);
        else if (name == "--connections") number(s.connections);
        else if (name == "--acks") number(s.acks);
        else if (name == "--batch") number(s.batch);
        else if (name == "--nodes") number(s.nodes);
        else if (name == "--folder") s.folder = value;
        else if (name == "--serve") s.serve = true, number(s.port);
        else return std::fprintf(stderr, "bench-broker: what is %s?\n", argv[i]), 2;
    }
    return s.serve ? serve(s, STDOUT_FILENO) : benchmark(s);
}
