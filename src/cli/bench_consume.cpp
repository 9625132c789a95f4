#include "cli/bench_consume.hpp"

#include <fmt/format.h>
#include <kafkawire/consumer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "cli/bench_report.hpp"
#include "cli/configuration.hpp"
#include "cli/duration.hpp"
#include "cli/failure.hpp"
#include "cli/session.hpp"
#include "cli/topics.hpp"

namespace kafkawire::cli {

namespace {

using clock = std::chrono::steady_clock;

struct consume_arguments {
    std::string topic;
    std::optional<std::int64_t> records, fetch_bytes, partition_bytes, fetch_buffer;
    std::optional<std::string> from, timeout, group, protocol, assignor;
    bool uncommitted = false, no_crc = false, json = false;
};

struct consume_plan {
    std::string topic;
    std::uint64_t records = 1'000'000;
    consumer_options reading;
    bool from_end = false, json = false;
    std::chrono::milliseconds patience{30'000};
};

struct consume_result {
    std::uint64_t records = 0, value_bytes = 0, polls = 0, failed = 0;
    double wall = 0, cpu = 0;
    double joining = 0;                  // seconds until a member had its partitions; not part of the others
    std::string first_error;
};

consume_plan plan_of(const consume_arguments& a, const context& c) {
    consume_plan p;
    if (const auto* configured = configured_consumer(c)) p.reading = configured->options;
    p.topic = a.topic;
    const auto positive = [](const char* name, const std::optional<std::int64_t>& v, std::int64_t most, auto& to) {
        if (!v) return;
        if (*v < 1 || *v > most) throw usage_error(fmt::format("{} {} is out of range", name, *v), fmt::format("it is 1 to {}", most));
        to = static_cast<std::remove_reference_t<decltype(to)>>(*v);
    };
    positive("--records", a.records, 1'000'000'000'000, p.records);
    positive("--fetch-bytes", a.fetch_bytes, 1 << 30, p.reading.fetch_max_bytes);
    positive("--partition-bytes", a.partition_bytes, 1 << 30, p.reading.partition_bytes);
    positive("--fetch-buffer", a.fetch_buffer, std::int64_t{1} << 40, p.reading.fetch_buffer);
    if (a.from && *a.from != "start" && *a.from != "end") throw usage_error(fmt::format("--from {} is none of start, end", *a.from));
    p.from_end = a.from && *a.from == "end";
    if (a.timeout) {
        const auto d = parse_duration(*a.timeout);
        if (!d || d->count() < 1) throw usage_error(fmt::format("--idle {} is no length of time", *a.timeout), "for example --idle 30s");
        p.patience = *d;
    }
    if (a.uncommitted) p.reading.isolation = isolation::read_uncommitted;
    if (a.no_crc) p.reading.check_crcs = false;
    p.reading.auto_commit = false;
    p.reading.auto_mark = true;
    p.reading.group.clear();
    p.reading.group_instance_id.clear();
    p.reading.topics.clear();
    p.json = a.json;
    if (a.group) {
        p.reading.group = *a.group;
        p.reading.topics = {a.topic};
        p.reading.auto_offset_reset = p.from_end ? offset_reset::latest : offset_reset::earliest;
        p.reading.auto_commit = true;
        if (a.protocol && *a.protocol != "classic" && *a.protocol != "consumer") throw usage_error(fmt::format("--protocol {} is neither classic nor consumer", *a.protocol));
        if (a.protocol && *a.protocol == "consumer") p.reading.group_protocol = group_protocol::consumer;
        if (a.assignor && p.reading.group_protocol == group_protocol::classic) p.reading.assignors = {*a.assignor};
        else if (a.assignor) p.reading.server_assignor = *a.assignor;
    } else if (a.protocol || a.assignor) {
        throw usage_error("--protocol and --assignor are a group member's", "give -g too");
    }
    if (auto wrong = validate(p.reading)) throw usage_error(wrong.text);
    return p;
}

// Reads until it has what it is to have. Every record is walked: its value's length is added up, as an application would at least look at it.
class reading_run {
public:
    reading_run(session& s, const consume_plan& p) : session_{s}, plan_{p} {}

    asio::awaitable<consume_result> run(std::size_t partitions) {
        consume_result r;
        consumer in{session_.cluster(), plan_.reading};
        asio::steady_timer idle{session_.io()};
        auto cpu = process_cpu_seconds();
        auto began = clock::now();
        if (plan_.reading.group.empty()) {
            std::vector<partition_start> what(partitions);
            for (std::size_t i = 0; i < partitions; ++i) {
                what[i].topic = plan_.topic;
                what[i].partition = static_cast<std::int32_t>(i);
                what[i].from = plan_.from_end ? start_position::end() : start_position::beginning();
            }
            in.assign(std::move(what));
        } else {
            // The group's making is told apart: it is the coordinator's time.
            in.on_assigned([&, first = true](rebalance_step) mutable {
                if (!std::exchange(first, false)) return;
                r.joining = std::chrono::duration<double>(clock::now() - began).count();
                cpu = process_cpu_seconds();
                began = clock::now();
            });
        }
        watch(idle, in);
        while (r.records < plan_.records && !session_.stopping() && !gave_up_) {
            error why;
            records got;
            co_await poll(in, why, got);
            if (why.code == errc::client_closed) break;
            ++r.polls;
            if (why) {
                ++r.failed;
                if (r.first_error.empty()) r.first_error = why.message();
                if (r.failed > 100) break;
                continue;
            }
            for (const auto& record : got) {
                r.value_bytes += record.value.size();
                ++r.records;
            }
            moved_ = true;
        }
        r.wall = std::chrono::duration<double>(clock::now() - began).count();
        r.cpu = process_cpu_seconds() - cpu;
        idle.cancel();
        if (!plan_.reading.group.empty() && !gave_up_) co_await in.async_close(std::chrono::seconds{5}, asio::use_awaitable);
        if (gave_up_ && r.first_error.empty()) r.first_error = "no record came for " + std::to_string(plan_.patience.count()) + " ms";
        co_return r;
    }

private:
    static asio::awaitable<void> poll(consumer& in, error& why, records& got) {
        try {
            got = co_await in.async_poll(detailed(asio::use_awaitable));
        } catch (const system_error& e) {
            why = e.detail();
        }
    }
    void watch(asio::steady_timer& t, consumer& in) {
        t.expires_after(plan_.patience);
        t.async_wait([this, &t, &in](std::error_code ec) {
            if (ec) return;
            if (std::exchange(moved_, false)) return watch(t, in);
            gave_up_ = true;
            in.async_close([](std::error_code) {});
        });
    }

    session& session_;
    const consume_plan& plan_;
    bool moved_ = true, gave_up_ = false;
};

double of_each(double all, std::uint64_t n) { return n ? all / static_cast<double>(n) : 0; }

std::string json_of(const consume_plan& p, const consume_result& r, std::size_t partitions) {
    std::string text = fmt::format(
        R"({{"client":"kafkawire","op":"consume","n":{},"size":{:.0f},"wall":{:.3f},"msgs_s":{:.0f},"cpu":{:.3f},"cpu_us_per_msg":{:.4f},"rss_mb":{:.1f},"failed":{})",
        r.records, of_each(static_cast<double>(r.value_bytes), r.records), r.wall, static_cast<double>(r.records) / std::max(r.wall, 1e-9), r.cpu,
        of_each(r.cpu * 1e6, r.records), process_peak_mb(), r.failed);
    text += fmt::format(R"(,"version":"{}","partitions":{},"polls":{},"check_crcs":{},"isolation":"{}")", KAFKAWIRE_VERSION_STRING, partitions, r.polls,
                        p.reading.check_crcs, p.reading.isolation == isolation::read_committed ? "read_committed" : "read_uncommitted");
    if (!p.reading.group.empty()) text += fmt::format(R"(,"group":true,"joining":{:.3f})", r.joining);
    if (r.records < p.records) text += R"(,"interrupted":true)";
    return text + "}\n";
}

asio::awaitable<status> consume(session& s, const consume_plan& p) {
    std::vector<std::string> names{p.topic};
    const auto topics = co_await need_topics(s, std::move(names));
    const auto partitions = topics.front().partitions.size();
    reading_run run{s, p};
    s.on_stop([] {});
    const auto r = co_await run.run(partitions);
    auto& out = *s.ctx().out;
    if (p.json) {
        out.write(json_of(p, r, partitions));
    } else {
        out.write(fmt::format("{} records of {:.0f} bytes in {:.2f} s: {:.0f} a second, {:.1f} MB/s; {:.3f} us CPU each, {:.0f} MB memory at most, {} polls\n", r.records,
                              of_each(static_cast<double>(r.value_bytes), r.records), r.wall, static_cast<double>(r.records) / std::max(r.wall, 1e-9),
                              static_cast<double>(r.value_bytes) / 1e6 / std::max(r.wall, 1e-9), of_each(r.cpu * 1e6, r.records), process_peak_mb(), r.polls));
        if (!p.reading.group.empty()) out.write(fmt::format("Before that the group took {:.2f} s to assign partitions\n", r.joining));
    }
    if (r.records >= p.records && r.failed == 0) co_return status::done;
    if (!r.first_error.empty()) note(r.first_error);
    co_return status::failed;
}

}  // namespace

void add_bench_consume(command parent) {
    auto sub = parent.add("consume", "Throughput, CPU and memory of reading");
    auto a = std::make_shared<consume_arguments>();
    sub.word("TOPIC", a->topic, "The topic; all of its partitions are read");
    sub.option("-n,--records", a->records, "How many records are read (default 1000000)");
    sub.option("--from", a->from, "start (default) or end", "WHERE");
    sub.option("-g,--group", a->group, "As a member of this group, which commits what it has read", "NAME");
    sub.option("--protocol", a->protocol, "With -g: classic (default) or consumer (KIP-848)", "NAME");
    sub.option("--assignor", a->assignor, "With -g: the strategy", "NAME");
    sub.option("--fetch-bytes", a->fetch_bytes, "The most that one answer may bring (default 52428800)");
    sub.option("--partition-bytes", a->partition_bytes, "The same of one partition (default 1048576)");
    sub.option("--fetch-buffer", a->fetch_buffer, "Memory for what is fetched and not read yet (default 67108864)");
    sub.flag("--read-uncommitted", a->uncommitted, "Records of open and of aborted transactions too");
    sub.flag("--no-crc", a->no_crc, "Checksums are not compared");
    sub.option("--idle", a->timeout, "Give up when no record comes for that long (default 30s)", "TIME");
    sub.flag("--json", a->json, "One line of JSON instead of a sentence");
    sub.examples(
        "  kafka-cli bench consume test --records 5000000\n"
        "  kafka-cli bench consume test --partition-bytes 262144 --json\n"
        "  kafka-cli bench consume test -g bench-1 --records 5000000\n"
        "Exit status 1 if a record could not be read, or not all came.");
    sub.does([a](context& c) {
        const auto p = plan_of(*a, c);
        session s{c};
        return s.run([&](session& in) { return consume(in, p); });
    });
}

}  // namespace kafkawire::cli
