// kafkawire-sim: runs schedules, counts, and replays one.
//
//   kafkawire-sim                                       what schedules there are
//   kafkawire-sim --seeds 1..1000 --schedule produce    1,000 runs; without --schedule: the seeds are dealt to all of them in turn
//   kafkawire-sim --seed 17 --schedule produce --trace  one run, every event in a line
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "schedule.hpp"

namespace {

struct options {
    std::uint64_t first = 0, last = 0;
    const schedules::schedule* only = nullptr;
    unsigned jobs = 1;
    bool trace = false;
    bool twice = false;     // run each seed twice and compare the hashes
    bool per_seed = false;  // print a line for each
    std::string mutant, expect;
};

[[noreturn]] void usage(const std::string& wrong) {
    if (!wrong.empty()) std::cerr << "kafkawire-sim: " << wrong << "\n\n";
    std::cerr << "usage: kafkawire-sim --seeds A..B [--schedule NAME] [--jobs N] [--twice] [--per-seed]\n"
                 "       kafkawire-sim --seed N --schedule NAME [--trace]\n"
                 "       kafkawire-sim --seeds A..B --schedule NAME --mutant NAME --expect CHECK   ends well when a checker has found the "
                 "broken rule\n\n"
                 "schedules:\n";
    for (const auto& s : schedules::all()) std::cerr << "  " << s.name << ": " << s.text << '\n';
    std::exit(wrong.empty() ? 0 : 2);
}

std::uint64_t number(std::string_view text) {
    std::uint64_t n = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size()) usage("not a number: " + std::string{text});
    return n;
}

options parse(int argc, char** argv) {
    options o;
    for (int i = 1; i < argc; ++i) {
        const std::string_view a = argv[i];
        const auto value = [&]() -> std::string_view {
            if (++i == argc) usage(std::string{a} + " needs a value");
            return argv[i];
        };
        if (a == "--seed")
            o.first = o.last = number(value());
        else if (a == "--seeds") {
            const auto v = value();
            const auto dots = v.find("..");
            if (dots == std::string_view::npos) usage("--seeds A..B");
            o.first = number(v.substr(0, dots));
            o.last = number(v.substr(dots + 2));
        } else if (a == "--schedule") {
            const auto v = value();
            o.only = schedules::find(v);
            if (!o.only) usage("no schedule " + std::string{v});
        } else if (a == "--jobs")
            o.jobs = static_cast<unsigned>(std::max<std::uint64_t>(1, number(value())));
        else if (a == "--trace")
            o.trace = true;
        else if (a == "--twice")
            o.twice = true;
        else if (a == "--per-seed")
            o.per_seed = true;
        else if (a == "--mutant")
            o.mutant = value();
        else if (a == "--expect")
            o.expect = value();
        else if (a == "--help")
            usage({});
        else
            usage("unknown: " + std::string{a});
    }
    if (o.last == 0) usage({});
    return o;
}

struct totals {
    std::uint64_t runs = 0, faults = 0, sends = 0, acknowledged = 0, reads = 0, transactions = 0, requests = 0, events = 0, hash = 0;
    std::uint64_t few_faults = 0, few_records = 0, failed = 0, differed = 0;
    double virtual_seconds = 0;
    std::string first_caught;
    std::map<std::string, std::uint64_t> violations;
    std::vector<std::pair<double, std::uint64_t>> settled;  // seconds, and whose seed
};

const schedules::schedule& schedule_of(const options& o, std::uint64_t seed) {
    return o.only ? *o.only : schedules::all()[seed % schedules::all().size()];
}

void add(totals& t, const schedules::result& r, std::uint64_t seed) {
    ++t.runs;
    t.faults += r.faults;
    t.sends += r.sends;
    t.acknowledged += r.acknowledged;
    t.reads += r.reads;
    t.transactions += r.transactions;
    t.requests += r.requests;
    t.events += r.events;
    t.virtual_seconds += r.virtual_seconds;
    t.hash ^= (r.hash + seed) * 0x9fb21c651e98df25;  // in any order of the seeds the same
    if (r.settled >= 0) t.settled.emplace_back(r.settled, seed);
    if (r.faults < 3) ++t.few_faults;
    if (r.acknowledged < 200) ++t.few_records;
    if (!r.problem.empty()) ++t.failed;
    if (!r.violations.empty()) ++t.violations[r.violations];
}

void run_all(const options& o, totals& t) {
    std::atomic<std::uint64_t> next{o.first};
    std::atomic<bool> stop{false};
    std::mutex lock;
    const auto work = [&] {
        for (std::uint64_t seed; !stop && (seed = next++) <= o.last;) {
            const auto& s = schedule_of(o, seed);
            const auto run = [&] {
                schedules::settings settings;
                settings.seed = seed;
                settings.mutant = o.mutant;
                return s.run(settings);
            };
            const auto r = run();
            const bool same = !o.twice || run().hash == r.hash;
            const std::lock_guard hold{lock};
            add(t, r, seed);
            if (!same) ++t.differed;
            if (o.per_seed || !same)
                std::printf("seed %" PRIu64 " %.*s: hash %016" PRIx64 "%s, %" PRIu64 " events, %" PRIu64 " faults, %" PRIu64 " of %" PRIu64
                            " acknowledged, %.1f s\n",
                            seed, static_cast<int>(s.name.size()), s.name.data(), r.hash, same ? "" : " DIFFERS the second time", r.events,
                            r.faults, r.acknowledged, r.sends, r.virtual_seconds);
            if (r.problem.empty()) continue;
            if (!o.mutant.empty()) {
                if (r.violations.find(o.expect) == std::string::npos) continue;
                t.first_caught = "seed " + std::to_string(seed) + ", after " + std::to_string(t.runs) + " runs: " + r.violations;
                stop = true;
                continue;
            }
            std::cout << "FAILED seed " << seed << ", schedule " << s.name << ": " << r.problem << "\n  replay: kafkawire-sim --seed "
                      << seed << " --schedule " << s.name << " --trace\n";
            if (t.failed >= 10) stop = true;  // the rest would say the same
        }
    };
    std::vector<std::thread> others;
    for (unsigned i = 1; i < o.jobs; ++i) others.emplace_back(work);
    work();
    for (auto& other : others) other.join();
}

int replay(const options& o) {
    schedules::settings settings;
    settings.seed = o.first;
    settings.mutant = o.mutant;
    settings.trace = [](std::string_view line) { std::cout << line << '\n'; };
    const auto r = schedule_of(o, o.first).run(settings);
    std::printf("hash %016" PRIx64 ", %" PRIu64 " events, %" PRIu64 " faults, %" PRIu64 " of %" PRIu64 " acknowledged\n", r.hash, r.events,
                r.faults, r.acknowledged, r.sends);
    if (!r.problem.empty()) std::cout << r.problem << '\n';
    return r.problem.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const auto o = parse(argc, argv);
    if (o.trace) return replay(o);
    const auto start = std::chrono::steady_clock::now();
    totals t;
    run_all(o, t);
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!o.mutant.empty()) {
        std::cout << (t.first_caught.empty() ? "0 passed, 1 failed\n" : "1 passed, 0 failed\n") << "mutant " << o.mutant << ": "
                  << (t.first_caught.empty() ? "NOT caught in " + std::to_string(t.runs) + " runs"
                                             : "caught by " + o.expect + " at " + t.first_caught)
                  << '\n';
        return t.first_caught.empty() ? 1 : 0;
    }
    std::printf("%" PRIu64 " schedules, %" PRIu64 " faults fired, %" PRIu64 " of %" PRIu64 " records acknowledged, %" PRIu64
                " read, %" PRIu64 " transactions, %" PRIu64 " requests, %" PRIu64 " events\n",
                t.runs, t.faults, t.acknowledged, t.sends, t.reads, t.transactions, t.requests, t.events);
    const auto cpu = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
    std::printf(
        "%.0f virtual seconds in %.2f s (%.2f s of CPU): %.0f schedules/s (%.0f per second of CPU), %.0f times real time; hash of all "
        "%016" PRIx64 "\n",
        t.virtual_seconds, seconds, cpu, static_cast<double>(t.runs) / seconds, static_cast<double>(t.runs) / cpu,
        t.virtual_seconds / seconds, t.hash);
    // What had too little in it to prove anything does not count as passed in silence.
    std::printf("%" PRIu64 " with fewer than 3 faults, %" PRIu64 " with fewer than 200 acknowledged records%s\n", t.few_faults,
                t.few_records, o.twice ? (", " + std::to_string(t.differed) + " that differed the second time").c_str() : "");
    if (!t.settled.empty()) {
        std::sort(t.settled.begin(), t.settled.end());
        const auto at = [&](std::size_t percent) { return t.settled[(t.settled.size() - 1) * percent / 100].first; };
        std::printf("settled after the last fault: p50 %.1f s, p90 %.1f s, p99 %.1f s, worst %.1f s (seed %" PRIu64 ")\n", at(50), at(90), at(99), t.settled.back().first, t.settled.back().second);
    }
    for (const auto& [names, n] : t.violations) std::printf("  %" PRIu64 " runs with: %s\n", n, names.c_str());
    std::printf("%" PRIu64 " passed, %" PRIu64 " failed\n", t.runs - t.failed, t.failed + t.differed);
    return t.failed || t.differed ? 1 : 0;
}
