#include "group_scenarios.hpp"

#include <testcontainers/proxy.hpp>

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>
#include <thread>

namespace faults {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
namespace kt = kafkawire::testing;

void sleep_for(milliseconds t) { std::this_thread::sleep_for(t); }
milliseconds scaled(const group_stage& s, milliseconds t) { return std::chrono::duration_cast<milliseconds>(t * s.options.scale); }

class measuring {
public:
    measuring(group_stage& s, group_result& to) : s_{s}, to_{to}, began_{clock::now()} {
        (void)s.longest_nap();
        s.each_book([&](group_state& g) {
            g.book.mark(shared_clock());
            to.effects.push_back({.group = g.plan.name, .whole = {}, .healed = {}, .caught_up = -1, .again = g.book.again()});
        });
    }
    // The fault is over; everything that was acknowledged by now is waited for, and then a while.
    void healed(milliseconds limit = 120s) {
        const auto now = clock::now();
        to_.lasted = std::chrono::duration_cast<milliseconds>(now - began_).count();
        s_.each_book([](group_state& g) { g.book.mark_healed(shared_clock()); });
        const auto ends = s_.acknowledged_ends();
        for (const auto until = now + limit;; sleep_for(10ms)) {
            std::size_t i = 0;
            bool all = true;
            std::string lagging;
            s_.each_book([&](group_state& g) {
                auto& e = to_.effects[i++];
                if (e.caught_up < 0 && g.book.caught_up(ends)) e.caught_up = std::chrono::duration_cast<milliseconds>(clock::now() - now).count();
                if (e.caught_up >= 0) return;
                all = false;
                lagging += " " + g.plan.name + ": " + g.book.lagging();
            });
            if (all) break;
            if (clock::now() > until) throw std::runtime_error(to_.scenario + " is over, and some partitions stand:" + lagging);
        }
        sleep_for(std::max<milliseconds>(scaled(s_, 3s), 1s));
        look();
    }

private:
    void look() {
        std::size_t i = 0;
        const auto now = shared_clock();
        s_.each_book([&](group_state& g) {
            auto& e = to_.effects[i++];
            e.whole = g.book.since_mark(now);
            e.healed = g.book.since_healed(now);
            e.again = g.book.again() - e.again;
        });
        to_.nap = s_.longest_nap();
    }
    group_stage& s_;
    group_result& to_;
    clock::time_point began_;
};

int some_node(group_stage& s) { return static_cast<int>(1 + s.random() % static_cast<unsigned>(s.kafka.size())); }
std::vector<int> some_members(group_stage& s, int of_each) {
    std::vector<int> out;
    for (auto& g : s.groups) {
        auto all = s.members(*g);
        std::shuffle(all.begin(), all.end(), s.random);
        for (int i = 0; i < of_each && i < static_cast<int>(all.size()) - 1; ++i) out.push_back(all[static_cast<std::size_t>(i)]);
    }
    return out;
}
std::string named(const std::vector<int>& members) {
    std::string out = "members";
    for (const int m : members) out += " " + std::to_string(m);
    return out;
}
int coordinator(group_stage& s) {
    const auto& g = *s.groups.at(s.random() % s.groups.size());
    for (const auto until = clock::now() + 30s; clock::now() < until; sleep_for(50ms))
        if (const auto node = s.admin.coordinator(g.plan.name); node > 0) return node;
    throw std::runtime_error("nobody coordinates " + g.plan.name);
}
// Until the cluster itself takes records everywhere, and says who coordinates each group.
void wait_for_cluster(group_stage& s) {
    if (!s.admin.ready_after(group_stage::probe, 3, 60s)) throw std::runtime_error("the cluster does not come back");
    for (auto& g : s.groups)
        for (const auto until = clock::now() + 60s; s.admin.coordinator(g->plan.name) < 1; sleep_for(20ms))
            if (clock::now() > until) throw std::runtime_error("nobody coordinates " + g->plan.name);
}

// --- the faults ---

void nothing(group_stage& s, group_result& to) {
    measuring m{s, to};
    sleep_for(scaled(s, 10s));
    m.healed();
}

void kill_members(group_stage& s, group_result& to, int of_each) {
    const auto victims = some_members(s, of_each);
    to.target = named(victims);
    // The broker counts from the last heartbeat, and looks when the time is up.
    to.wait_bar = s.options.session_timeout.count() + 1'000;
    measuring m{s, to};
    for (const int v : victims) s.kill(v);
    sleep_for(s.options.session_timeout);
    m.healed();
    s.complete_groups();
}
void kill_member(group_stage& s, group_result& to) { kill_members(s, to, 1); }
void kill_three_members(group_stage& s, group_result& to) { kill_members(s, to, 3); }

// A member that is killed is there again at once, under another name.
void replace_member(group_stage& s, group_result& to) {
    const auto victims = some_members(s, 1);
    to.target = named(victims);
    to.wait_bar = s.options.session_timeout.count() + 1'000;
    measuring m{s, to};
    for (const int v : victims) s.kill(v);
    s.complete_groups();
    sleep_for(s.options.session_timeout);
    m.healed();
}

void leave_and_join(group_stage& s, group_result& to) {
    measuring m{s, to};
    for (int round = 0; round < 2; ++round) {
        for (const int v : some_members(s, 2))
            if (!s.leave(v)) throw std::runtime_error("member " + std::to_string(v) + " does not leave");
        sleep_for(scaled(s, milliseconds{s.random() % 2'000}));
        s.complete_groups();
        sleep_for(scaled(s, milliseconds{s.random() % 2'000}));
    }
    m.healed();
}

void pause_members(group_stage& s, group_result& to) {
    const auto victims = some_members(s, 2);
    to.target = named(victims);
    to.wait_bar = s.options.session_timeout.count() + 1'000;
    measuring m{s, to};
    for (const int v : victims) s.pause(v);
    sleep_for(s.options.session_timeout + 2s);
    for (const int v : victims) s.resume(v);
    m.healed();
}
// For less than the session timeout: nobody else may have their partitions, which wait.
void pause_members_shortly(group_stage& s, group_result& to) {
    const auto victims = some_members(s, 2);
    to.target = named(victims);
    measuring m{s, to};
    for (const int v : victims) s.pause(v);
    sleep_for(s.options.session_timeout / 2);
    for (const int v : victims) s.resume(v);
    m.healed();
}

void kill_broker(group_stage& s, group_result& to) {
    const int node = some_node(s);
    to.target = "node " + std::to_string(node);
    measuring m{s, to};
    s.kafka.kill(node);
    wait_for_cluster(s);
    m.healed();
    s.kafka.start(node);
}

void kill_coordinator_thrice(group_stage& s, group_result& to) {
    to.wait_bar = 12'000;
    to.target = "nodes";
    measuring m{s, to};
    for (int i = 0; i < 3; ++i) {
        const int node = coordinator(s);
        to.target += " " + std::to_string(node);
        s.kafka.kill(node);
        wait_for_cluster(s);
        sleep_for(scaled(s, 2s));
        s.kafka.start(node);
        for (const auto until = clock::now() + 60s; !s.admin.in_sync(group_stage::topic) || !s.admin.in_sync("__consumer_offsets"); sleep_for(50ms))
            if (clock::now() > until) throw std::runtime_error("the replicas do not get in sync again");
    }
    m.healed();
}

void pause_coordinator(group_stage& s, group_result& to) {
    const int node = coordinator(s);
    to.target = "node " + std::to_string(node);
    measuring m{s, to};
    s.kafka.pause(node);
    sleep_for(std::max<milliseconds>(scaled(s, 15s), 4s));
    s.kafka.resume(node);
    wait_for_cluster(s);
    m.healed();
}

void move_coordinators(group_stage& s, group_result& to) {
    measuring m{s, to};
    const auto until = clock::now() + std::max<milliseconds>(scaled(s, 15s), 3s);
    for (int turn = 1; clock::now() < until; ++turn) {
        s.admin.prefer("__consumer_offsets", 5, turn);
        s.admin.elect("__consumer_offsets", 5);
        sleep_for(milliseconds{500 + s.random() % 2'500});
    }
    wait_for_cluster(s);
    m.healed();
}

void move_leaders(group_stage& s, group_result& to) {
    measuring m{s, to};
    const auto until = clock::now() + std::max<milliseconds>(scaled(s, 15s), 3s);
    for (int turn = 1; clock::now() < until; ++turn) {
        s.admin.prefer(group_stage::topic, s.options.partitions, turn);
        s.admin.elect(group_stage::topic, s.options.partitions);
        sleep_for(milliseconds{500 + s.random() % 1'500});
    }
    wait_for_cluster(s);
    m.healed();
}

void add_partitions(group_stage& s, group_result& to) {
    measuring m{s, to};
    s.add_partitions(2);
    sleep_for(3s);  // the members' metadata_max_age
    m.healed();
}

void cut(group_stage& s, group_result& to) {
    measuring m{s, to};
    for (int n = 1; n <= s.kafka.size(); ++n) s.kafka.proxy(n).cut(s.random() % 2 ? kt::ending::reset : kt::ending::orderly);
    m.healed();
}

void black_hole(group_stage& s, group_result& to) {
    const int node = coordinator(s);
    to.target = "node " + std::to_string(node);
    measuring m{s, to};
    s.kafka.proxy(node).black_hole();
    sleep_for(std::max<milliseconds>(scaled(s, 15s), 3s));
    s.kafka.proxy(node).heal();
    m.healed();
}

// Members of other clients go and come.
void others_leave(group_stage& s, group_result& to) {
    measuring m{s, to};
    for (auto& g : s.groups) {
        const auto others = s.foreigners(*g);
        if (others.empty()) continue;
        const int who = others[s.random() % others.size()];
        to.target = "member " + std::to_string(who);
        if (!s.leave(who)) throw std::runtime_error("member " + std::to_string(who) + " does not leave");
        if (static_cast<int>(s.kcats(*g).size()) < g->plan.kcat) s.start_kcat(*g);
        else s.start_java(*g);
    }
    sleep_for(scaled(s, 5s));
    m.healed();
}

struct scenario {
    std::string name;
    std::function<void(group_stage&, group_result&)> run;
};
const std::vector<scenario>& scenarios() {
    static const std::vector<scenario> all{
        {"nothing", nothing},
        {"leave-and-join", leave_and_join},
        {"kill-member", kill_member},
        {"cut", cut},
        {"add-partitions", add_partitions},
        {"kill-coordinator-thrice", kill_coordinator_thrice},
        {"move-coordinators", move_coordinators},
        {"pause-members", pause_members},
        {"kill-broker", kill_broker},
        {"move-leaders", move_leaders},
        {"pause-members-shortly", pause_members_shortly},
        {"pause-coordinator", pause_coordinator},
        {"replace-member", replace_member},
        {"black-hole", black_hole},
        {"kill-three-members", kill_three_members},
        {"others-leave", others_leave},
    };
    return all;
}

void settle(group_stage& s) {
    s.complete_groups();
    for (const auto until = clock::now() + 120s;; sleep_for(200ms)) {
        if (s.admin.in_sync(group_stage::topic) && s.admin.in_sync(group_stage::probe) && s.admin.in_sync("__consumer_offsets")) break;
        if (clock::now() > until) throw std::runtime_error("the replicas do not get in sync again");
    }
    if (s.kafka.size() > 1) s.admin.elect(group_stage::topic, s.options.partitions);
    group_result none{.scenario = "settling", .effects = {}};
    measuring m{s, none};
    m.healed();
    sleep_for(scaled(s, 3s));
}

}  // namespace

std::vector<std::string> group_scenario_names() {
    std::vector<std::string> out;
    for (const auto& s : scenarios()) out.push_back(s.name);
    return out;
}

group_result play_group_scenario(group_stage& s, const std::string& name) {
    for (const auto& one : scenarios()) {
        if (one.name != name) continue;
        settle(s);
        group_result out{.scenario = name, .effects = {}};
        one.run(s, out);
        return out;
    }
    throw std::invalid_argument("there is no scenario '" + name + "'");
}

std::string missed_bars(const group_result& r, double factor) {
    std::string out;
    const auto at_most = [&](const std::string& what, std::int64_t is, double bar) {
        if (static_cast<double>(is) > bar * factor) out += (out.empty() ? "" : "; ") + what + " " + std::to_string(is) + " ms";
    };
    for (const auto& e : r.effects) {
        at_most(e.group + " stood after the healing:", e.healed.longest_stall, 1'000);
        if (r.wait_bar > 0) at_most(e.group + " waited:", e.whole.longest_wait, static_cast<double>(r.wait_bar));
    }
    return out;
}

std::ostream& operator<<(std::ostream& out, const group_result& r) {
    out << "{\"scenario\":\"" << r.scenario << "\",\"target\":\"" << r.target << "\",\"lasted_ms\":" << r.lasted << ",\"nap_ms\":" << r.nap << ",\"missed\":\""
        << missed_bars(r) << "\",\"groups\":[";
    bool first = true;
    for (const auto& e : r.effects) {
        out << (first ? "" : ",") << "{\"group\":\"" << e.group << "\",\"longest_wait_ms\":" << e.whole.longest_wait << ",\"longest_stall_ms\":" << e.whole.longest_stall
            << ",\"stall_after_healing_ms\":" << e.healed.longest_stall << ",\"of_partition\":" << e.healed.partition << ",\"caught_up_ms\":" << e.caught_up
            << ",\"again\":" << e.again << "}";
        first = false;
    }
    return out << "]}";
}

}  // namespace faults
