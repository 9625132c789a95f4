// A producer on three real nodes, under faults: numbered records at a steady rate, at one or more delivery timeouts at a time, while nodes
// are killed, paused and restarted, connections cut, black-holed and half-opened, answers dropped and leaders moved. Then the topics are
// read back by a Fetch loop of our own and by Kafka's console consumer, and everything is compared with what the producers were told
// (ledger.hpp).
//
//   real-producer-faults --seed 7 --minutes 30 --rate 8000          all scenarios in an order of the seed's, round after round
//   real-producer-faults --scale 0.15 --rounds 1                    each once, and short
//   real-producer-faults --transactions 1 ...                       and one load more for each timeout, in transactions; every 40th has its
//                                                                   transactional id taken by another producer
//   real-producer-faults --transaction-version 1 ...                on a cluster as before KIP-890
//
// Prints a line of JSON for each fault, one for each kind of fault, one for each topic and one at the end. Exit status 0: nothing lost,
// doubled, reordered, misplaced, wrongly told or told late; and with --bars 5 no bar of scenarios.hpp missed five times.
#include <sys/resource.h>
#include <testcontainers/proxy.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>

#include "ledger.hpp"
#include "scenarios.hpp"
#include "topic_reader.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct arguments {
    std::uint64_t seed = 1;
    double minutes = 0, scale = 1, rate = 8'000;
    int rounds = 1;
    std::int32_t partitions = 6;
    std::vector<std::int64_t> timeouts{120, 10};  // seconds
    std::vector<std::string> scenarios;           // none: all
    std::string compression = "none";
    bool transactions = false;
    int transaction_version = 2;
    double bars = 0;  // a bar that is missed by this factor fails the run; 0: bars are told only
};

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in{text};
    for (std::string one; std::getline(in, one, ',');) out.push_back(one);
    return out;
}

arguments parse(int argc, char** argv) {
    arguments a;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i], value = argv[i + 1];
        if (name == "--seed")
            a.seed = std::stoull(value);
        else if (name == "--minutes")
            a.minutes = std::stod(value);
        else if (name == "--scale")
            a.scale = std::stod(value);
        else if (name == "--rate")
            a.rate = std::stod(value);
        else if (name == "--rounds")
            a.rounds = std::stoi(value);
        else if (name == "--partitions")
            a.partitions = std::stoi(value);
        else if (name == "--compression")
            a.compression = value;
        else if (name == "--transactions")
            a.transactions = value == "1";
        else if (name == "--transaction-version")
            a.transaction_version = std::stoi(value);
        else if (name == "--bars")
            a.bars = std::stod(value);
        else if (name == "--scenarios")
            a.scenarios = split(value);
        else if (name == "--timeouts") {
            a.timeouts.clear();
            for (const auto& t : split(value)) a.timeouts.push_back(std::stoll(t));
        } else
            throw std::invalid_argument("there is no option " + name);
    }
    if (argc % 2 == 0) throw std::invalid_argument("an option without a value");
    return a;
}

// One load and its book.
struct part {
    std::string topic;
    faults::ledger book;
    std::size_t left_over = 0;
    std::string statistics;
    std::int64_t worst_nap = 0;  // ms
};

std::string counts_of(const faults::findings& f) {
    std::string out = "{";
    for (const auto& [name, n] : f.counts()) out += (out.size() > 1 ? ",\"" : "\"") + name + "\":" + std::to_string(n);
    return out + "}";
}
void show(const std::string& who, const faults::findings& f) {
    for (const auto& e : f.examples()) std::cerr << who << ": " << e << "\n";
}

// The worst of each scenario over all its rounds.
struct worst {
    int times = 0, missed = 0;
    std::int64_t cluster = 0, over_cluster = 0, all = 0, wait = 0, cpu = 0;
    void take(const faults::result& r) {
        ++times;
        missed += !faults::missed_bars(r).empty();
        cluster = std::max(cluster, r.cluster);
        for (const auto& e : r.effects) {
            all = std::max(all, e.all);
            over_cluster = std::max(over_cluster, e.all - std::max<std::int64_t>(r.cluster, 0));
            wait = std::max(wait, e.longest_wait);
            cpu = std::max(cpu, e.cpu);
        }
    }
};
void show(const std::map<std::string, worst>& all) {
    for (const auto& [name, w] : all)
        std::cout << "{\"worst_of\":\"" << name << "\",\"times\":" << w.times << ",\"missed\":" << w.missed
                  << ",\"cluster_ms\":" << w.cluster << ",\"all_ms\":" << w.all << ",\"over_cluster_ms\":" << w.over_cluster
                  << ",\"longest_wait_ms\":" << w.wait << ",\"cpu_ms\":" << w.cpu << "}" << std::endl;
}

// Reads a topic twice; whether all is well. Writes one line.
bool judge(const kafkawire::testing::kafka_cluster& kafka, part& p, double scale) {
    faults::findings told, ours, javas;
    p.book.check_telling(told);
    const auto sink = [&](std::int32_t partition, std::int64_t offset, std::string_view value) { p.book.read(partition, offset, value); };
    p.book.begin_reading();
    faults::read_by_fetch(kafka, p.topic, true, sink);
    const auto by_fetch = p.book.end_reading(ours);
    p.book.begin_reading();
    faults::read_by_java(kafka, p.topic, true, scale < 0.5 ? 5s : 15s, sink);
    const auto by_java = p.book.end_reading(javas);
    const auto& t = p.book.totals();
    show(p.topic + ", told", told);
    show(p.topic + ", read by Fetch", ours);
    show(p.topic + ", read by Java", javas);
    const bool same = by_fetch == by_java;
    std::cout << "{\"topic\":\"" << p.topic << "\",\"sent\":" << t.sent << ",\"acknowledged\":" << t.acknowledged
              << ",\"not_persisted\":" << t.not_persisted << ",\"maybe_persisted\":" << t.maybe_persisted
              << ",\"maybe_there\":" << t.maybe_there << ",\"acknowledged_without_offset\":" << t.without_offset
              << ",\"longest_ms\":" << t.longest_ms << ",\"latest_after_deadline_ms\":" << t.latest_ms << ",\"longest_nap_ms\":" << p.worst_nap << ",\"left_over\":" << p.left_over
              << "," << p.statistics << ",\"read\":" << by_fetch.records << ",\"java_read\":" << by_java.records << ",\"checksum\":\""
              << std::hex << by_fetch.checksum << "\",\"java_checksum\":\"" << by_java.checksum << std::dec
              << "\",\"told\":" << counts_of(told) << ",\"found\":" << counts_of(ours) << ",\"java_found\":" << counts_of(javas) << "}"
              << std::endl;
    // A thread that the machine does not run cannot tell anybody anything: that much lateness is not the producer's, and is shown all the same.
    const bool in_time = told.none() || (told.counts().size() == 1 && told.of("late") && t.latest_ms <= 100 + p.worst_nap);
    return same && in_time && ours.none() && javas.none() && p.left_over == 0 && t.acknowledged > 0;
}

// The order of a round: the seed's, but for a short run's single one.
std::vector<std::string> order(const arguments& a, std::mt19937_64& random) {
    auto names = a.scenarios.empty() ? faults::scenario_names() : a.scenarios;
    if (a.scenarios.empty() && a.scale < 0.5) std::erase(names, "pause-two-long");
    if (a.minutes > 0) std::shuffle(names.begin(), names.end(), random);
    return names;
}

// The cluster and all that runs on it.
struct stage {
    kafkawire::testing::kafka_cluster kafka;
    faults::cluster_admin admin{kafka};
    std::vector<std::unique_ptr<part>> parts;
    std::vector<std::unique_ptr<faults::load>> loads;  // in the order of the parts

    explicit stage(kafkawire::testing::kafka_cluster k) : kafka{std::move(k)} {}
    void add(const arguments& a, std::int64_t seconds, bool transactional, std::uint64_t run) {
        const auto topic = (transactional ? "transactions-" : "load-") + std::to_string(seconds) + "s-" + std::to_string(parts.size());
        parts.push_back(std::make_unique<part>(part{topic, {run, a.partitions, std::chrono::seconds{seconds}}, 0, {}, 0}));
        admin.create(topic, a.partitions);
        const faults::load_options options{kafka.bootstrap_servers(),
                                           topic,
                                           a.partitions,
                                           std::chrono::seconds{seconds},
                                           a.rate,
                                           run,
                                           a.compression,
                                           transactional ? "id-of-" + topic : ""};
        loads.push_back(std::make_unique<faults::load>(options, parts.back()->book));
    }
    void heal() {
        for (int n = 1; n <= kafka.size(); ++n) {
            kafka.proxy(n).heal();
            if (kafka.state(n) == kafkawire::testing::node_state::paused) kafka.resume(n);
            if (kafka.state(n) == kafkawire::testing::node_state::down) kafka.start(n);
        }
    }
};

struct outcome {
    bool well = true;
    std::size_t faults = 0;
    std::int64_t seconds = 0;
    std::uint64_t acknowledged = 0;
};

// The faults, for as long or as often as was asked for.
void play(const arguments& a, stage& s, std::mt19937_64& random, outcome& to) {
    const auto began = clock_type::now();
    const auto over = [&] { return a.minutes > 0 && clock_type::now() - began > std::chrono::duration<double>(a.minutes * 60); };
    const std::string probe = "probe";
    s.admin.create(probe, 3);
    faults::rig rig{s.kafka, s.admin, s.loads, probe, a.partitions, random, a.scale};
    std::map<std::string, worst> worsts;
    try {
        for (int round = 0; a.minutes > 0 ? !over() : round < a.rounds; ++round)
            for (const auto& name : order(a, random)) {
                if (over()) break;
                const auto r = faults::play(rig, name);
                std::cout << r << std::endl;
                worsts[name].take(r);
                ++to.faults;
                if (const auto missed = a.bars > 0 ? faults::missed_bars(r, a.bars) : ""; !missed.empty()) {
                    std::cerr << name << ": " << missed << "\n";
                    to.well = false;
                }
            }
    } catch (const std::runtime_error& e) {
        std::cerr << e.what() << std::endl;  // a load or the cluster is stuck: the ledger still is compared
        to.well = false;
    }
    s.heal();
    to.seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_type::now() - began).count();
    show(worsts);
}

bool judge_group(stage& s, std::size_t i) {
    const auto is = s.admin.committed_offset(s.loads[i]->group(), s.parts[i]->topic, 0);
    const bool right = s.loads[i]->group_offsets().contains(is);
    std::cout << "{\"group\":\"" << s.loads[i]->group() << "\",\"offset\":" << is << ",\"right\":" << (right ? "true" : "false") << "}"
              << std::endl;
    return right;
}

int run(const arguments& a) {
    std::mt19937_64 random{a.seed};
    auto image = kafkawire::testing::kafka_image{}.nodes(3).with_proxies();
    if (a.transaction_version != 2) image.with_format_argument("--feature").with_format_argument("transaction.version=" + std::to_string(a.transaction_version));
    stage s{image.start()};
    for (const auto seconds : a.timeouts) {
        s.add(a, seconds, false, random());
        if (a.transactions) s.add(a, seconds, true, random());
    }
    for (auto& l : s.loads) l->start();
    outcome o;
    play(a, s, random, o);
    for (std::size_t i = 0; i < s.loads.size(); ++i) {
        s.parts[i]->left_over = s.loads[i]->finish();
        s.parts[i]->statistics = s.loads[i]->statistics();
        s.parts[i]->worst_nap = s.loads[i]->worst_nap().count();
        o.acknowledged += s.parts[i]->book.totals().acknowledged;
        if (!s.loads[i]->options().transactional_id.empty()) o.well = judge_group(s, i) && o.well;
    }
    for (auto& p : s.parts) o.well = judge(s.kafka, *p, a.scale) && o.well;
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    std::cout << "{\"seed\":" << a.seed << ",\"seconds\":" << o.seconds << ",\"faults\":" << o.faults
              << ",\"acknowledged\":" << o.acknowledged << ",\"rss_mb\":" << used.ru_maxrss / 1024
              << ",\"ok\":" << (o.well ? "true" : "false") << "}" << std::endl;
    std::cout << (o.well ? "1 passed, 0 failed" : "0 passed, 1 failed") << std::endl;
    return o.well ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(parse(argc, argv));
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 2;
    }
}
