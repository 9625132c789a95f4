// bench: how fast, how cheap and how late records get to a cluster. What is measured is in bench_direct.cpp; this is around it.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>

#include "cli/bench_consume.hpp"
#include "cli/bench_run.hpp"
#include "cli/session.hpp"
#include "cli/topics.hpp"

namespace kafkawire::cli {

namespace {

using clock = std::chrono::steady_clock;

// The topic, made if that was asked for.
asio::awaitable<topic_view> target(session& s, const bench_plan& p) {
    if (p.create) {
        std::vector<std::string> names{p.topic};
        const auto views = co_await find_topics(s, names);
        if (static_cast<broker_errc>(views.front().error) == broker_errc::unknown_topic_or_partition) {
            const auto code = co_await create_topic(s, p.topic, p.create->first, p.create->second);
            if (code != 0 && static_cast<broker_errc>(code) != broker_errc::topic_already_exists)
                throw from_broker_code(code, fmt::format("cannot create topic \"{}\"", p.topic));
        }
    }
    std::vector<std::string> names{p.topic};
    auto views = co_await need_topics(s, std::move(names));
    co_return std::move(views.front());
}

std::string head_line(const bench_plan& p, const topic_view& t, const context& c) {
    const auto codec = std::string{protocol::to_string(p.sending.compression)};
    return fmt::format(
        "{} at {}: {} partition{}, {} replica{}; acks {}, {}, linger {} ms, {} thread{}{}, told per {}, kafka-cli " KAFKAWIRE_VERSION_STRING
        "\n",
        p.topic, c.brokers, t.partitions.size(), t.partitions.size() == 1 ? "" : "s",
        t.partitions.empty() ? 0 : t.partitions.front().replicas.size(),
        t.partitions.empty() || t.partitions.front().replicas.size() == 1 ? "" : "s",
        p.sending.acks == acks::all      ? "all"
        : p.sending.acks == acks::leader ? "1"
                                         : "0",
        codec == "none" ? "not compressed" : codec, p.sending.linger.count(), p.threads, p.threads == 1 ? "" : "s",
        p.front ? " through one front" : "", p.delivery == bench_delivery::batch ? "batch" : "record");
}

// The line that a terminal shows between the rows; erased before anything else is written.
class progress_line {
public:
    explicit progress_line(bool wanted) : shown_{wanted && ::isatty(2) == 1} {}
    void show(const std::string& text) {
        if (!shown_) return;
        std::fprintf(stderr, "\r\x1b[K%s", text.c_str());
        there_ = true;
    }
    void erase() {
        if (std::exchange(there_, false)) std::fputs("\r\x1b[K", stderr);
    }

private:
    bool shown_, there_ = false;
};

// Watches the threads from the session's own, and prints a row a second.
class watcher {
public:
    watcher(session& s, bench_run& run, const bench_plan& p) : session_{s}, run_{run}, plan_{p}, progress_{!p.json} {}

    asio::awaitable<void> watch() {
        while (!run_.done()) {
            co_await session_.sleep(std::chrono::milliseconds{20});
            const auto now = run_.reading();
            if (now.wall > 0 && now.wall - last_.wall >= 1) row(now);
            if (const auto t = clock::now(); t >= next_progress_) {
                next_progress_ = t + std::chrono::milliseconds{200};
                progress_.show(text_of(now));
            }
        }
        progress_.erase();
    }
    [[nodiscard]] std::vector<double> per_second() const { return per_second_; }

private:
    void row(const bench_reading& now) {
        progress_.erase();
        per_second_.push_back(static_cast<double>(now.acknowledged - last_.acknowledged) / (now.wall - last_.wall));
        if (!plan_.json) {
            auto& out = *session_.ctx().out;
            std::optional<histogram> times;
            if (plan_.takes_times()) times = run_.times_since_row();
            if (rows_++ % 20 == 0) out.write(bench_row_heading(times.has_value()));
            out.write(bench_row(last_, now, process_peak_mb(), times ? &*times : nullptr));
            out.flush();
        }
        last_ = now;
    }
    std::string text_of(const bench_reading& now) const {
        if (now.wall <= 0) return "warming up";
        const auto done = now.acknowledged + now.failed;
        const auto rate = static_cast<double>(done) / now.wall;
        return fmt::format("{} of {}, {:.0f} records/s, {:.0f} s to go", done, plan_.records, rate,
                           rate > 0 ? static_cast<double>(plan_.records - std::min(done, plan_.records)) / rate : 0);
    }

    session& session_;
    bench_run& run_;
    const bench_plan& plan_;
    progress_line progress_;
    bench_reading last_;
    std::vector<double> per_second_;
    std::uint64_t rows_ = 0;
    clock::time_point next_progress_{};
};

void write_hgrm(const bench_plan& p, const histogram& h) {
    if (p.hgrm.empty()) return;
    std::ofstream out{p.hgrm, std::ios::binary};
    out << h.hgrm(1000);
    if (!out.flush()) throw failure{status::failed, "file", fmt::format("cannot write {}: {}", p.hgrm, std::strerror(errno))};
}

asio::awaitable<status> bench(session& s, const bench_plan& p) {
    bench_run run{p, client_options_of(s.ctx())};
    const auto topic = co_await target(s, p);
    auto& out = *s.ctx().out;
    if (!p.json) {
        out.write(head_line(p, topic, s.ctx()));
        out.flush();
    }
    s.on_stop([&run] { run.stop(); });
    watcher w{s, run, p};
    run.start();
    co_await w.watch();
    s.on_stop([] {});
    auto result = run.join();
    result.per_second = w.per_second();
    write_hgrm(p, result.times);
    out.write(p.json ? bench_json(p, result) : bench_summary(p, result));
    if (result.total.failed > 0) {
        note(fmt::format("{} records failed: {}", result.total.failed, result.first_error));
        co_return status::failed;
    }
    if (rate_missed(p, result)) {
        note(fmt::format("the rate was missed: {:.1f} % of {} a second was kept", result.rate_kept() * 100, *p.rate));
        co_return status::failed;
    }
    co_return status::done;
}

void declare_common(command& sub, bench_arguments& a) {
    sub.word("TOPIC", a.topic, "The topic; what is in it stays");
    sub.option("-n,--records", a.records, "How many records are measured");
    sub.option("--size", a.size, "Bytes of each value (default 100); 10000 different ones are made before the clock starts");
    sub.option("--payload", a.payload, "The values are the lines of this file, in turn", "FILE");
    sub.option("--key-space", a.keys, "So many different keys, in turn; without it records have none");
    sub.option("-z,--compression", a.compression, "none (default), gzip, snappy, lz4 or zstd, with a level as in zstd:9", "CODEC[:LEVEL]");
    sub.option("--acks", a.acks, "all (default), 1 (the leader alone) or 0 (nobody)", "N");
    sub.option("--rate", a.rate, "So many records a second, each timed from when it was due");
    sub.option("--warmup", a.warmup, "Sends for that long first; in no figure (default 0)", "TIME");
    sub.option("--create", a.create, "Make the topic if it is missing", "PARTITIONS:REPLICAS");
    sub.option("--hgrm", a.hgrm, "Write the times' percentiles for HdrHistogram's plotters", "FILE");
    sub.flag("--json", a.json, "One line of JSON instead of rows and summary");
}

action does(const std::shared_ptr<bench_arguments>& a, bool latency) {
    return [a, latency](context& c) {
        const auto p = plan_of(*a, latency, c);
        session s{c};
        return s.run([&](session& in) { return bench(in, p); });
    };
}

void add_bench_produce(command parent) {
    auto sub = parent.add("produce", "Throughput, CPU and memory of sending");
    auto a = std::make_shared<bench_arguments>();
    declare_common(sub, *a);
    sub.option("--linger", a->linger, "How long a batch waits for more records (default 5ms)", "TIME");
    sub.option("--batch-bytes", a->batch_bytes, "Size of a batch before compression (default 1000000)");
    sub.option("--send-buffer", a->send_buffer, "Memory of each producer for what is not acknowledged yet (default 67108864)", "BYTES");
    sub.option("--threads", a->threads, "So many threads that send (default 1)");
    sub.option("--through", a->through,
               "own: each thread has a producer of its own (default). front: all share one thread-safe producer, which has a thread itself",
               "HOW");
    sub.option("--delivery", a->delivery,
               "batch: outcomes are told per batch (default). record: to a handler of each record (default with --rate)", "HOW");
    sub.examples(
        "  kafka-cli bench produce test --create 6:1 --records 5000000 --warmup 2s\n"
        "  kafka-cli bench produce test --size 1000 -z zstd --threads 2\n"
        "  kafka-cli bench produce test --through front --threads 4\n"
        "  kafka-cli bench produce test --rate 50000 --records 1000000 --json\n"
        "Exit status 1 if a record failed or the rate was missed.");
    sub.does(does(a, false));
}

void add_bench_latency(command parent) {
    auto sub = parent.add("latency", "How long one record takes from the call to its acknowledgement");
    auto a = std::make_shared<bench_arguments>();
    declare_common(sub, *a);
    sub.option("--linger", a->linger, "How long a batch waits for more records (default 0)", "TIME");
    sub.examples(
        "  kafka-cli bench latency test --records 10000\n"
        "  kafka-cli bench latency test --rate 1000 --warmup 2s --hgrm latency.hgrm\n"
        "Without --rate each record waits for the one before. With it they go when they are due, and a stall counts for all that it holds "
        "up.");
    sub.does(does(a, true));
}

// For other clients that are to send the same bytes.
void add_bench_values(command parent) {
    struct values_arguments {
        std::optional<std::int64_t> records, size;
    };
    auto sub = parent.add("values", "Prints the values that the others send, one a line");
    auto a = std::make_shared<values_arguments>();
    sub.option("-n,--records", a->records, "How many (default 10000)");
    sub.option("--size", a->size, "Bytes of each (default 100)");
    sub.examples(
        "  kafka-cli bench values --size 1000 > values.txt\n"
        "  kafka-cli bench values | kafka-cli produce test");
    sub.does([a](context& c) {
        const auto n = a->records.value_or(10'000), size = a->size.value_or(100);
        if (n < 1 || n > 10'000'000 || size < 1 || size > (1 << 20)) throw usage_error("--records is 1 to 10000000, --size 1 to 1048576");
        for (const auto& v : make_values(static_cast<std::size_t>(n), static_cast<std::size_t>(size))) {
            c.out->write(v);
            c.out->write("\n");
        }
        return status::done;
    });
}

}  // namespace

void add_bench(command root) {
    auto group = root.add("bench", "Measures a cluster, or this client");
    add_bench_produce(group);
    add_bench_consume(group);
    add_bench_latency(group);
    add_bench_values(group);
}

}  // namespace kafkawire::cli
