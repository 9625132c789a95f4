#include "cli/bench_report.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

#include "cli/text.hpp"

namespace kafkawire::cli {

namespace {

double each(double all, std::uint64_t n) { return n ? all / static_cast<double>(n) : 0; }
double per_second(double n, double seconds) { return n / std::max(seconds, 1e-9); }
double micros(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

rusage usage() noexcept {
    rusage u{};
    ::getrusage(RUSAGE_SELF, &u);
    return u;
}

// 1234567 as 1,234,567.
std::string grouped(double value) {
    auto digits = fmt::format("{:.0f}", value);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
    return digits;
}

const char* name_of(bench_delivery d) { return d == bench_delivery::batch ? "batch" : "record"; }

}  // namespace

double process_cpu_seconds() noexcept {
    const auto u = usage();
    return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

double process_peak_mb() noexcept { return static_cast<double>(usage().ru_maxrss) / 1024; }

bool rate_missed(const bench_plan& p, const bench_result& r) noexcept {
    return p.rate && !r.interrupted && r.rate_kept() < 0.99 && r.sending - r.planned > 0.05;
}

std::string bench_row_heading(bool with_times) {
    return fmt::format("{:>8} {:>12} {:>9} {:>9} {:>8} {:>10} {:>8}{}\n", "SECONDS", "RECORDS/S", "MB/S", "BATCH-KB", "RETRIES",
                       "US/RECORD", "PEAK-MB", with_times ? fmt::format(" {:>10} {:>10}", "P50-US", "P99-US") : "");
}

std::string bench_row(const bench_reading& before, const bench_reading& now, double rss_mb, const histogram* times) {
    const auto seconds = now.wall - before.wall;
    const auto records = now.acknowledged - before.acknowledged;
    const auto batches = now.batches - before.batches;
    auto row = fmt::format("{:>8.0f} {:>12} {:>9.2f} {:>9.1f} {:>8} {:>10.3f} {:>8.0f}", now.wall,
                           grouped(per_second(static_cast<double>(records), seconds)),
                           per_second(static_cast<double>(now.value_bytes - before.value_bytes) / 1e6, seconds),
                           each(static_cast<double>(now.wire_bytes - before.wire_bytes) / 1e3, batches), now.retries - before.retries,
                           each((now.cpu - before.cpu) * 1e6, records), rss_mb);
    if (times) row += fmt::format(" {:>10.1f} {:>10.1f}", micros(times->quantile(0.5)), micros(times->quantile(0.99)));
    if (now.failed > before.failed) row += fmt::format("  {} failed", now.failed - before.failed);
    return row + "\n";
}

std::string bench_summary(const bench_plan& p, const bench_result& r) {
    const auto& t = r.total;
    const auto done = static_cast<double>(t.acknowledged);
    std::string out;
    if (r.warmup_records)
        out += fmt::format("warm-up        {} records in {:.2f} s, in no figure below\n", r.warmup_records, r.warmup_seconds);
    out += fmt::format("records        {} {}, {} failed{}\n", t.acknowledged,
                       p.sending.acks == acks::none ? "written (acks=0)" : "acknowledged", t.failed,
                       r.interrupted ? fmt::format(", interrupted after {} of {}", r.sent, p.records) : "");
    if (!r.first_error.empty()) out += fmt::format("first error    {}\n", r.first_error);
    out += fmt::format("time           {:.3f} s\n", t.wall);
    out += fmt::format("throughput     {} records/s, {:.2f} MB/s of values, {:.2f} MB/s of batches\n", grouped(per_second(done, t.wall)),
                       per_second(static_cast<double>(t.value_bytes) / 1e6, t.wall),
                       per_second(static_cast<double>(t.wire_bytes) / 1e6, t.wall));
    if (r.per_second.size() > 1) {
        auto sorted = r.per_second;
        std::sort(sorted.begin(), sorted.end());
        out += fmt::format("by the second  {} least, {} median, {} most\n", grouped(sorted.front()), grouped(sorted[sorted.size() / 2]),
                           grouped(sorted.back()));
    }
    out += fmt::format("CPU            {:.3f} s, {:.4f} us a record (user and system, whole process)\n", t.cpu,
                       each(t.cpu * 1e6, t.acknowledged));
    out += fmt::format("memory         {:.1f} MB at the peak\n", r.rss_mb);
    out += fmt::format("batches        {}, {:.1f} KB and {:.0f} records each, {} requests, {} retries\n", t.batches,
                       each(static_cast<double>(t.wire_bytes) / 1e3, t.batches), each(done, t.batches), t.requests, t.retries);
    if (r.degraded) out += "degraded       at least once, without idempotence: the brokers are older than Kafka 0.11\n";
    if (p.takes_times() && r.times.count())
        out += fmt::format("latency        p50 {:.1f} us, p90 {:.1f}, p99 {:.1f}, p99.9 {:.1f}, most {:.1f}, {}\n",
                           micros(r.times.quantile(0.5)), micros(r.times.quantile(0.9)), micros(r.times.quantile(0.99)),
                           micros(r.times.quantile(0.999)), micros(r.times.most()), p.rate ? "from when each was due" : "one at a time");
    if (p.rate)
        out += fmt::format("rate           {} a second asked, {:.1f} % kept{}\n", *p.rate, r.rate_kept() * 100,
                           rate_missed(p, r) ? ": missed" : "");
    return out;
}

std::string bench_json(const bench_plan& p, const bench_result& r) {
    const auto& t = r.total;
    std::string out = fmt::format(
        R"({{"client":"kafkawire","op":"{}","n":{},"size":{},"wall":{:.3f},"msgs_s":{:.0f},"cpu":{:.3f},"cpu_us_per_msg":{:.4f},"rss_mb":{:.1f},"failed":{})",
        p.op(), r.sent, r.size, t.wall, per_second(static_cast<double>(t.acknowledged), t.wall), t.cpu, each(t.cpu * 1e6, t.acknowledged),
        r.rss_mb, t.failed);
    if (p.takes_times() && r.times.count())
        out += fmt::format(R"(,"p50_us":{:.1f},"p99_us":{:.1f},"p999_us":{:.1f},"max_us":{:.1f})", micros(r.times.quantile(0.5)),
                           micros(r.times.quantile(0.99)), micros(r.times.quantile(0.999)), micros(r.times.most()));
    out += fmt::format(R"(,"version":"{}","codec":"{}","acks":{},"threads":{},"through":"{}","delivery":"{}")", KAFKAWIRE_VERSION_STRING,
                       protocol::to_string(p.sending.compression), static_cast<int>(p.sending.acks), p.threads, p.front ? "front" : "own",
                       name_of(p.delivery));
    out += fmt::format(R"(,"warmup_s":{:.3f},"warmup_n":{},"batches":{},"batch_bytes":{:.0f},"requests":{},"retries":{})", r.warmup_seconds,
                       r.warmup_records, t.batches, each(static_cast<double>(t.wire_bytes), t.batches), t.requests, t.retries);
    if (p.rate) out += fmt::format(R"(,"rate":{},"rate_kept":{:.4f})", *p.rate, r.rate_kept());
    if (r.degraded) out += R"(,"degraded":true)";
    if (r.interrupted) out += R"(,"interrupted":true)";
    if (!r.first_error.empty()) {
        out += R"(,"first_error":)";
        append_json_string(out, r.first_error);
    }
    return out + "}\n";
}

}  // namespace kafkawire::cli
