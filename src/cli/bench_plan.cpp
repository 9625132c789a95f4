#include "cli/bench_plan.hpp"

#include <fmt/format.h>

#include <tuple>

#include "cli/configuration.hpp"
#include "cli/duration.hpp"
#include "cli/nearest.hpp"

namespace kafkawire::cli {

namespace {

std::uint64_t at_least_one(const std::optional<std::int64_t>& given, std::uint64_t otherwise, const char* name, std::int64_t highest) {
    if (!given) return otherwise;
    if (*given < 1 || *given > highest)
        throw usage_error(fmt::format("{} {} is out of range", name, *given), fmt::format("it is 1 to {}", highest));
    return static_cast<std::uint64_t>(*given);
}

std::chrono::milliseconds length_of(const std::optional<std::string>& given, std::chrono::milliseconds otherwise, const char* name,
                                    const char* example) {
    if (!given) return otherwise;
    const auto t = parse_duration(*given);
    if (!t || t->count() < 0)
        throw usage_error(fmt::format("{} {} is no length of time", name, *given), fmt::format("for example {} {}", name, example));
    return *t;
}

std::size_t choice(const std::string& given, std::vector<std::string> names, const char* name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (given == names[i]) return i;
    std::string list;
    for (const auto& n : names) list += (list.empty() ? "" : ", ") + n;
    throw usage_error(fmt::format("{} {} is none of {}", name, given, list),
                      did_you_mean(given, names, fmt::format("write {} {}, for example", name, names.front())));
}

void plan_sending(const bench_arguments& a, bench_plan& p, const context& c) {
    auto& s = p.sending;
    if (const auto* configured = configured_producer(c)) s = configured->options;
    if (a.compression) std::tie(s.compression, s.compression_level) = parse_compression(*a.compression);
    const auto acknowledged_by = a.acks.value_or(std::to_string(static_cast<int>(s.acks)));
    if (acknowledged_by == "all" || acknowledged_by == "-1")
        s.acks = acks::all;
    else if (acknowledged_by == "1")
        s.acks = acks::leader;
    else if (acknowledged_by == "0")
        s.acks = acks::none;
    else
        throw usage_error(fmt::format("--acks {} is none of all, 1, 0", acknowledged_by),
                          "all waits for the replicas in sync, 1 for the leader, 0 for nobody");
    const bool said = is_configured(c, "producer", "linger");
    s.linger = length_of(a.linger, said ? s.linger : std::chrono::milliseconds{p.latency ? 0 : 5}, "--linger", "5ms");
    if (a.batch_bytes) s.batch_bytes = static_cast<std::uint32_t>(at_least_one(a.batch_bytes, 0, "--batch-bytes", 1 << 30));
    s.request_bytes = std::max(s.request_bytes, s.batch_bytes);
    if (a.send_buffer) s.send_buffer = at_least_one(a.send_buffer, 0, "--send-buffer", std::int64_t{1} << 40);
    if (const auto e = validate(s))
        throw usage_error(e.text.empty() ? e.message() : e.text, e.hint.empty() ? "see kafka-cli bench produce --help" : e.hint);
}

}  // namespace

bench_plan plan_of(const bench_arguments& a, bool latency, const context& c) {
    bench_plan p;
    p.topic = a.topic;
    p.latency = latency;
    p.json = a.json || c.format == output_format::json;
    if (a.rate) p.rate = at_least_one(a.rate, 0, "--rate", 1'000'000'000);
    p.one_at_a_time = latency && !p.rate;
    p.records = at_least_one(a.records, latency ? (p.rate ? *p.rate * 10 : 10'000) : 1'000'000, "--records", 1'000'000'000'000);
    p.threads = at_least_one(a.threads, 1, "--threads", 256);
    if (p.threads > p.records) throw usage_error(fmt::format("{} threads have nothing to do with {} records", p.threads, p.records));
    p.warmup = length_of(a.warmup, std::chrono::milliseconds{0}, "--warmup", "5s");
    p.size = a.size ? at_least_one(a.size, 100, "--size", 1 << 30) : 100;
    p.keys = a.keys ? at_least_one(a.keys, 0, "--key-space", 100'000'000) : 0;
    if (a.payload && a.size) throw usage_error("--payload has the values; --size is for values that are made");
    p.payload = a.payload.value_or("");
    // At a rate people want to know how long each record took; at full speed a handler for each is a cost of its own.
    p.front = choice(a.through.value_or("own"), {"own", "front"}, "--through") == 1;
    const auto told = a.delivery.value_or(latency || (p.rate && !p.front) ? "record" : "batch");
    p.delivery = choice(told, {"batch", "record"}, "--delivery") == 0 ? bench_delivery::batch : bench_delivery::record;
    if (p.front && p.delivery == bench_delivery::record)
        throw usage_error("--through front tells per batch", "leave --delivery away, or give each thread its own producer");
    if (a.create) p.create = parse_create(*a.create);
    p.hgrm = a.hgrm.value_or("");
    plan_sending(a, p, c);
    if (p.takes_times() && p.sending.acks == acks::none)
        throw usage_error("--acks 0 has no answers whose time could be taken", "measure with --acks 1 or all");
    if (!p.hgrm.empty() && !p.takes_times())
        throw usage_error("--hgrm needs times of records", "they are taken with --rate, and by bench latency");
    return p;
}

}  // namespace kafkawire::cli
