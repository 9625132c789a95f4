#include "scenarios.hpp"

#include <testcontainers/proxy.hpp>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <thread>

namespace faults {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
namespace kt = kafkawire::testing;

void sleep_for(milliseconds t) { std::this_thread::sleep_for(t); }
milliseconds scaled(const rig& r, milliseconds t) { return std::chrono::duration_cast<milliseconds>(t * r.scale); }

// One fault under way: the measurements at its beginning, at its end, and after it.
class measuring {
public:
    measuring(rig& r, result& to) : r_{r}, to_{to}, began_{clock::now()} {
        for (auto& l : r.loads) l->mark();
        cut_before_ = cut();
        for (auto& l : r.loads) to.effects.push_back({.timeout = l->options().delivery_timeout.count()});
    }
    // The fault is over. What is counted from its end is counted from now.
    void over() {
        to_.lasted = std::chrono::duration_cast<milliseconds>(clock::now() - began_).count();
        for (std::size_t i = 0; i < r_.loads.size(); ++i) {
            to_.effects[i].cpu = r_.loads[i]->look().cpu.count();
            r_.loads[i]->mark_end();
        }
    }
    // Until each partition has been acknowledged since the last mark.
    void wait_for_all(milliseconds limit) {
        for (const auto until = clock::now() + limit;; sleep_for(20ms)) {
            bool all = true;
            for (auto& l : r_.loads) {
                const auto w = l->look();
                all = all && std::all_of(w.first.begin(), w.first.end(), [](const auto& f) { return f.has_value(); });
            }
            if (all) return;
            if (clock::now() > until)
                throw std::runtime_error(to_.scenario + " is over, and some partition is not acknowledged for " +
                                         std::to_string(limit.count()) + " ms");
        }
    }
    void healed() {
        to_.cut = cut() - cut_before_;
        for (std::size_t i = 0; i < r_.loads.size(); ++i) {
            const auto w = r_.loads[i]->look();
            auto& e = to_.effects[i];
            for (const auto& f : w.first) {
                if (!f) continue;
                e.first = e.first < 0 ? f->count() : std::min(e.first, f->count());
                e.all = std::max(e.all, f->count());
            }
            for (const auto& t : w.longest_wait) e.longest_wait = std::max(e.longest_wait, t.count());
            e.acknowledged = w.after.acknowledged - w.before.acknowledged;
            e.not_persisted = w.after.not_persisted - w.before.not_persisted;
            e.maybe_persisted = w.after.maybe_persisted - w.before.maybe_persisted;
            e.longest_nap = w.longest_nap.count();
            e.last_error = w.last_error;
        }
    }

private:
    [[nodiscard]] std::uint64_t cut() const {
        std::uint64_t n = 0;
        for (int i = 1; i <= r_.kafka.size(); ++i) n += r_.kafka.proxy(i).counts().cut;
        return n;
    }
    rig& r_;
    result& to_;
    clock::time_point began_;
    std::uint64_t cut_before_ = 0;
};

// After the fault's end: when the cluster is back, beside when the load is.
void heal(rig& r, result& to, measuring& m) {
    m.over();
    std::optional<milliseconds> ready;
    std::thread probe{[&] { ready = r.admin.ready_after(r.probe_topic, 3, 60s); }};
    try {
        m.wait_for_all(120s);
    } catch (...) {
        probe.join();
        throw;
    }
    m.healed();
    probe.join();
    to.cluster = ready ? ready->count() : -1;
}

int some_node(rig& r) { return static_cast<int>(1 + r.random() % static_cast<unsigned>(r.kafka.size())); }
std::pair<int, int> two_nodes(rig& r) {
    const int spared = some_node(r);
    return {spared % 3 + 1, (spared + 1) % 3 + 1};
}
int some_leader(rig& r) {
    const auto leaders = r.admin.leaders(r.loads.front()->options().topic);
    return leaders.at(r.random() % leaders.size());
}

// --- the faults; each says what it aims at in `to.target` ---

void kill_leader(rig& r, result& to) {
    const int node = some_leader(r);
    to.target = "node " + std::to_string(node);
    to.from_start = true;
    measuring m{r, to};
    r.kafka.kill(node);
    m.over();  // what counts is from the kill on: the cluster has to find new leaders
    std::optional<milliseconds> ready;
    std::thread probe{[&] { ready = r.admin.ready_after(r.probe_topic, 3, 60s); }};
    m.wait_for_all(120s);
    m.healed();
    probe.join();
    to.cluster = ready ? ready->count() : -1;
    sleep_for(scaled(r, milliseconds{r.random() % 10'000}));
    r.kafka.start(node);
}

void pause_one(rig& r, result& to) {
    const int node = some_node(r);
    to.target = "node " + std::to_string(node);
    measuring m{r, to};
    r.kafka.pause(node);
    sleep_for(scaled(r, 20s));
    r.kafka.resume(node);
    heal(r, to, m);
}

void pause_two_for(rig& r, result& to, milliseconds how_long) {
    const auto [a, b] = two_nodes(r);
    to.target = "nodes " + std::to_string(a) + " and " + std::to_string(b);
    measuring m{r, to};
    r.kafka.pause(a);
    r.kafka.pause(b);
    sleep_for(how_long);
    r.kafka.resume(a);
    r.kafka.resume(b);
    heal(r, to, m);
}
void pause_two(rig& r, result& to) { pause_two_for(r, to, std::max<milliseconds>(scaled(r, 45s), 13s)); }
void pause_two_long(rig& r, result& to) { pause_two_for(r, to, scaled(r, 90s)); }

void cut(rig& r, result& to) {
    measuring m{r, to};
    for (int n = 1; n <= r.kafka.size(); ++n) r.kafka.proxy(n).cut(r.random() % 2 ? kt::ending::reset : kt::ending::orderly);
    heal(r, to, m);
}

void cuts(rig& r, result& to) {
    measuring m{r, to};
    const auto until = clock::now() + scaled(r, 20s);
    while (clock::now() < until) {
        for (int n = 1; n <= r.kafka.size(); ++n) r.kafka.proxy(n).cut(kt::ending::reset);
        sleep_for(700ms);
    }
    heal(r, to, m);
}

// Every answer breaks off somewhere, so that what the broker has done is not known here.
void cut_in_answers(rig& r, result& to) {
    measuring m{r, to};
    // More than the answer to ApiVersions has, or no connection would ever be of use.
    for (int n = 1; n <= r.kafka.size(); ++n) r.kafka.proxy(n).cut_after(kt::flow::to_client, 1500 + r.random() % 5000, kt::ending::reset);
    sleep_for(scaled(r, 10s));
    for (int n = 1; n <= r.kafka.size(); ++n) r.kafka.proxy(n).heal();
    heal(r, to, m);
}

void drop_answers(rig& r, result& to) {
    const int node = some_leader(r);
    to.target = "node " + std::to_string(node);
    measuring m{r, to};
    r.kafka.proxy(node).drop(kt::flow::to_client);
    sleep_for(std::max<milliseconds>(scaled(r, 8s), 2s));
    r.kafka.proxy(node).heal();
    heal(r, to, m);
}

void black_hole(rig& r, result& to) {
    const int node = some_leader(r);
    to.target = "node " + std::to_string(node);
    measuring m{r, to};
    r.kafka.proxy(node).black_hole();
    sleep_for(std::max<milliseconds>(scaled(r, 25s), 4s));
    r.kafka.proxy(node).heal();
    heal(r, to, m);
}

// The node's side of the connections is gone without a word, and new ones would work: the client has to find it out.
void half_open(rig& r, result& to) {
    const int node = some_leader(r);
    to.target = "node " + std::to_string(node);
    to.from_start = true;
    measuring m{r, to};
    r.kafka.proxy(node).half_open(kt::side::client);
    heal(r, to, m);
    r.kafka.proxy(node).heal();
}

void move_leaders(rig& r, result& to) {
    measuring m{r, to};
    const auto until = clock::now() + scaled(r, 20s);
    for (int turn = 1; clock::now() < until; ++turn) {
        // The probe's topic moves too: a new leader has to wait until its followers have found it, and that is the cluster's time.
        r.admin.prefer(r.probe_topic, 3, turn);
        r.admin.elect(r.probe_topic, 3);
        for (auto& l : r.loads) {
            r.admin.prefer(l->options().topic, r.partitions, turn);
            r.admin.elect(l->options().topic, r.partitions);
        }
        sleep_for(milliseconds{200 + r.random() % 1500});
    }
    heal(r, to, m);
}

void rolling_restart(rig& r, result& to) {
    measuring m{r, to};
    const int nodes = r.scale < 0.5 ? 1 : r.kafka.size();  // the short run has no time for all
    for (int n = 1; n <= nodes; ++n) {
        r.kafka.restart(n);
        for (const auto until = clock::now() + 30s; !r.admin.in_sync(r.loads.front()->options().topic) && clock::now() < until;)
            sleep_for(100ms);
    }
    heal(r, to, m);
}

struct scenario {
    std::string name;
    std::function<void(rig&, result&)> run;
};
const std::vector<scenario>& scenarios() {
    static const std::vector<scenario> all{
        {"cut", cut},
        {"half-open", half_open},
        {"kill-leader", kill_leader},
        {"cuts-every-0.7-s", cuts},
        {"pause-two", pause_two},
        {"drop-answers", drop_answers},
        {"move-leaders", move_leaders},
        {"cut-in-answers", cut_in_answers},
        {"pause-one", pause_one},
        {"black-hole", black_hole},
        {"rolling-restart", rolling_restart},
        {"pause-two-long", pause_two_long},
    };
    return all;
}

// The next fault begins with all nodes up, all replicas in sync, and leaders spread over the nodes.
void settle(rig& r) {
    for (const auto until = clock::now() + 120s;; sleep_for(200ms)) {
        bool whole = r.admin.in_sync(r.probe_topic);
        for (auto& l : r.loads) whole = whole && r.admin.in_sync(l->options().topic);
        if (whole) break;
        if (clock::now() > until) throw std::runtime_error("the replicas do not get in sync again");
    }
    r.admin.elect(r.probe_topic, 3);
    for (auto& l : r.loads) r.admin.elect(l->options().topic, r.partitions);
    result none{.scenario = "settling"};
    measuring m{r, none};
    m.wait_for_all(120s);
    sleep_for(scaled(r, 2s));
}

}  // namespace

std::vector<std::string> scenario_names() {
    std::vector<std::string> out;
    for (const auto& s : scenarios()) out.push_back(s.name);
    return out;
}

result play(rig& r, const std::string& name) {
    for (const auto& s : scenarios()) {
        if (s.name != name) continue;
        settle(r);
        result out{.scenario = name, .target = "all"};
        s.run(r, out);
        return out;
    }
    throw std::invalid_argument("there is no scenario '" + name + "'");
}

std::string missed_bars(const result& r, double factor) {
    std::string out;
    const auto at_most = [&](const std::string& what, std::int64_t is, double bar) {
        if (static_cast<double>(is) > bar * factor) out += (out.empty() ? "" : "; ") + what + " " + std::to_string(is) + " ms";
    };
    for (const auto& e : r.effects) {
        const auto with = " at " + std::to_string(e.timeout / 1000) + " s:";
        const auto own = static_cast<double>(std::max<std::int64_t>(r.cluster, 0));
        if (r.scenario == "half-open")
            at_most("found out" + with, e.all, 10'000);
        else if (r.scenario == "kill-leader")
            at_most("failover" + with, e.all, std::max(12'000.0, own + 1'000));
        else
            at_most("healing" + with, e.all, own + 1'000);
        if (r.scenario == "cuts-every-0.7-s") at_most("a partition's wait" + with, e.longest_wait, 1'000);
        if (r.scenario.starts_with("pause-two"))
            at_most("CPU" + with, e.cpu, 5'000 * std::max(1.0, static_cast<double>(r.lasted) / 90'000));
    }
    return out;
}

std::ostream& operator<<(std::ostream& out, const result& r) {
    out << "{\"scenario\":\"" << r.scenario << "\",\"target\":\"" << r.target << "\",\"lasted_ms\":" << r.lasted
        << ",\"cluster_ms\":" << r.cluster << ",\"cut\":" << r.cut << ",\"missed\":\"" << missed_bars(r) << "\",\"loads\":[";
    for (std::size_t i = 0; i < r.effects.size(); ++i) {
        const auto& e = r.effects[i];
        auto error = e.last_error.substr(0, 300);
        std::replace_if(
            error.begin(), error.end(), [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; }, '\'');
        out << (i ? "," : "") << "{\"timeout_ms\":" << e.timeout << ",\"first_ms\":" << e.first << ",\"all_ms\":" << e.all
            << ",\"longest_wait_ms\":" << e.longest_wait << ",\"cpu_ms\":" << e.cpu << ",\"acknowledged\":" << e.acknowledged
            << ",\"not_persisted\":" << e.not_persisted << ",\"maybe_persisted\":" << e.maybe_persisted
            << ",\"longest_nap_ms\":" << e.longest_nap << ",\"last_error\":\"" << error << "\"}";
    }
    return out << "]}";
}

}  // namespace faults
