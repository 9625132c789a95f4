// Consumer groups on three real nodes, under faults: members of ours as processes that are killed and paused, of Java and of librdkafka beside them, brokers
// that are killed, coordinators that move, partitions that are added. What each member was given is compared with what the producer was acknowledged and
// with what was committed (delivery_book.hpp).
//
//   real-group-faults --seed 7 --minutes 30 --rate 6000 --java 2 --kcat 2 --pipelines 4     all scenarios, round after round
//   real-group-faults --scale 0.2 --scenarios kill-member,kill-broker                        these, once, and short
//   real-group-faults --version 0.10.2.2 --nodes 1 --consumer 0 --scenarios leave-and-join   a plain group on an old broker
//
// Prints a line of JSON for each fault, one for each kind of fault, one for each group and one at the end. Exit status 0: no violation, nobody died, all that
// was acknowledged was read, and with --bars 5 no bar of group_scenarios.hpp missed five times.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <sstream>
#include <stdexcept>

#include "group_scenarios.hpp"

namespace {

using clock_type = std::chrono::steady_clock;

struct arguments {
    faults::stage_options stage;
    double minutes = 0, bars = 0;
    int rounds = 1, classic = 10, consumer = 10, java = 0, kcat = 0, pipelines = 0, auto_commit = 3;
    std::vector<std::string> scenarios;
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
        if (name == "--seed") a.stage.seed = std::stoull(value);
        else if (name == "--minutes") a.minutes = std::stod(value);
        else if (name == "--scale") a.stage.scale = std::stod(value);
        else if (name == "--rate") a.stage.rate = std::stod(value);
        else if (name == "--pipeline-rate") a.stage.pipeline_rate = std::stod(value);
        else if (name == "--partitions") a.stage.partitions = std::stoi(value);
        else if (name == "--session-timeout") a.stage.session_timeout = std::chrono::milliseconds{std::stoll(value)};
        else if (name == "--version") a.stage.version = value;
        else if (name == "--nodes") a.stage.nodes = std::stoi(value);
        else if (name == "--rounds") a.rounds = std::stoi(value);
        else if (name == "--classic") a.classic = std::stoi(value);
        else if (name == "--consumer") a.consumer = std::stoi(value);
        else if (name == "--java") a.java = std::stoi(value);
        else if (name == "--kcat") a.kcat = std::stoi(value);
        else if (name == "--pipelines") a.pipelines = std::stoi(value);
        else if (name == "--auto-commit") a.auto_commit = std::stoi(value);
        else if (name == "--bars") a.bars = std::stod(value);
        else if (name == "--scenarios") a.scenarios = split(value);
        else throw std::invalid_argument("there is no option " + name);
    }
    if (argc % 2 == 0) throw std::invalid_argument("an option without a value");
    if (a.classic > 0) a.stage.groups.push_back({.name = "classic", .ours = a.classic, .java = a.java, .kcat = a.kcat, .auto_commit = a.auto_commit});
    if (a.consumer > 0) a.stage.groups.push_back({.name = "consumer", .consumer_protocol = true, .ours = a.consumer, .auto_commit = a.auto_commit});
    if (a.pipelines > 0) {
        a.stage.groups.push_back({.name = "pipeline", .ours = a.pipelines, .pipeline = true});
        a.stage.groups.push_back({.name = "new-pipeline", .consumer_protocol = true, .ours = a.pipelines, .pipeline = true});
    }
    char self[4096];
    const auto n = ::readlink("/proc/self/exe", self, sizeof self);
    if (n <= 0) throw std::runtime_error("where this program is cannot be found out");
    a.stage.program.assign(self, static_cast<std::size_t>(n));
    return a;
}

struct worst {
    int times = 0, missed = 0;
    std::int64_t wait = 0, stall = 0, healed = 0, caught_up = 0;
    std::uint64_t again = 0;
};

int run(const arguments& a) {
    faults::group_stage s{a.stage};
    s.begin();
    const auto began = clock_type::now();
    const auto over = [&] { return a.minutes > 0 && clock_type::now() - began > std::chrono::duration<double>(a.minutes * 60); };
    std::map<std::pair<std::string, std::string>, worst> worsts;
    bool well = true;
    std::size_t faults = 0;
    try {
        for (int round = 0; a.minutes > 0 ? !over() : round < a.rounds; ++round) {
            auto names = a.scenarios.empty() ? faults::group_scenario_names() : a.scenarios;
            if (a.scenarios.empty() && a.java + a.kcat == 0) std::erase(names, "others-leave");
            if (round > 0) std::shuffle(names.begin(), names.end(), s.random);
            for (const auto& name : names) {
                if (over()) break;
                const auto r = faults::play_group_scenario(s, name);
                std::cout << r << std::endl;
                ++faults;
                for (const auto& e : r.effects) {
                    auto& w = worsts[{name, e.group}];
                    ++w.times;
                    w.wait = std::max(w.wait, e.whole.longest_wait);
                    w.stall = std::max(w.stall, e.whole.longest_stall);
                    w.healed = std::max(w.healed, e.healed.longest_stall);
                    w.missed += e.healed.longest_stall > 1'000 || (r.wait_bar > 0 && e.whole.longest_wait > r.wait_bar);
                    w.caught_up = std::max(w.caught_up, e.caught_up);
                    w.again += e.again;
                }
                if (const auto missed = a.bars > 0 ? faults::missed_bars(r, a.bars) : ""; !missed.empty()) {
                    std::cerr << name << ": " << missed << "\n";
                    well = false;
                }
            }
        }
    } catch (const std::runtime_error& e) {
        std::cerr << e.what() << "\n" << s.stories() << std::endl;
        well = false;
    }
    for (const auto& [who, w] : worsts)
        std::cout << "{\"worst_of\":\"" << who.first << "\",\"group\":\"" << who.second << "\",\"times\":" << w.times << ",\"missed\":" << w.missed << ",\"longest_wait_ms\":" << w.wait
                  << ",\"longest_stall_ms\":" << w.stall << ",\"stall_after_healing_ms\":" << w.healed << ",\"caught_up_ms\":" << w.caught_up << ",\"again\":" << w.again << "}" << std::endl;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_type::now() - began).count();
    well = s.finish() && well;
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    std::cout << "{\"seed\":" << a.stage.seed << ",\"seconds\":" << seconds << ",\"faults\":" << faults << ",\"rss_mb\":" << used.ru_maxrss / 1024
              << ",\"ok\":" << (well ? "true" : "false") << "}" << std::endl;
    std::cout << (well ? "1 passed, 0 failed" : "0 passed, 1 failed") << std::endl;
    return well ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 3 && std::string{argv[1]} == "--member") {
            const auto o = faults::member_options_of(argv[2]);
            return o.output.empty() ? faults::run_member(o) : faults::run_pipeline(o);
        }
        return run(parse(argc, argv));
    } catch (const std::exception& e) {
        std::cerr << e.what() << "\n";
        return 2;
    }
}
