// Every (state, event) pair of a member of the classic protocol, and every error code at every step.
#include "classic_edges.hpp"
#include "catch.hpp"
#include "classic_ways.hpp"

#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>

using namespace membership_rig;

namespace {

std::map<std::pair<std::string, std::string>, std::string> classic_table() {
    std::map<std::pair<std::string, std::string>, std::string> table;
    std::istringstream lines{classic_edges};
    std::string way;
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        if (line[0] != ' ') {
            way = line;
            continue;
        }
        const auto at = line.find(" -> ");
        table[{way, line.substr(4, at - 4)}] = line.substr(at + 4);
    }
    return table;
}

}  // namespace

TEST_CASE("each event in each state of a classic member does what the table says", "[group][classic]") {
    const auto table = classic_table();
    const bool print = std::getenv("GROUP_PRINT") != nullptr;
    std::size_t pairs = 0, rows = 0;
    for (const auto& way : classic_ways()) {
        if (print) std::cout << way.name << "\n";
        for (const auto& h : classic_happenings()) {
            auto r = make_classic(way.cooperative);
            way.go(r);
            const auto actions = h.happen(r);
            const auto what = r.state() + (actions.empty() ? "" : ": " + actions);
            ++pairs;
            if (print) {
                std::cout << "    " << h.name << " -> " << what << "\n";
                continue;
            }
            INFO(way.name << ", " << h.name);
            const auto row = table.find({way.name, h.name});
            if (row != table.end()) ++rows;
            CHECK((row == table.end() ? state_in(way.name) : row->second) == what);
        }
    }
    if (!print) CHECK(rows == table.size());
    CHECK(pairs == classic_ways().size() * classic_happenings().size());
}

TEST_CASE("every state of a classic member is reached, and every legal edge is of use", "[group][classic]") {
    using fsm = group::classic_membership_fsm;
    std::set<std::size_t> reached;
    for (const auto& way : classic_ways()) {
        auto r = make_classic(way.cooperative);
        way.go(r);
        reached.insert(r.machine->where().index());
        CHECK(r.state() == state_in(way.name));
    }
    CHECK(reached.size() == fsm::state_count);
}

namespace {

struct classic_step {
    const char* name;
    const char* way;
    group::api what;
    bool cooperative = true;
};

// What a member is like after a refusal, by what the refusal means.
std::string consequence(const classic_step& s, group::meaning m) {
    using group::meaning;
    const auto state = state_in(s.way);
    const bool beat = s.what == group::api::heartbeat;
    switch (m) {
        case meaning::fenced:
        case meaning::fatal: return state == "leaving" ? "unjoined" : (std::string{s.way} == "revoking to leave" ? "gone" : "broken");
        case meaning::stale:
        case meaning::forgotten:
            return state == "leaving" ? "unjoined" : (std::string{s.way} == "revoking to leave" ? "revoking" : "joining");
        case meaning::rejoin:
            if (beat && std::string{s.way} == "stable, eager") return "revoking";
            if (beat && (state == "adopting" || state == "revoking")) return state;
            return "joining";
        default: return state;
    }
}

}  // namespace

TEST_CASE("each error code at each step of a classic member has the consequence that its meaning says", "[group][classic]") {
    using group::api;
    using group::meaning;
    const classic_step steps[] = {{"the first JoinGroup", "joining", api::join},
                                  {"a later JoinGroup", "joining again", api::join},
                                  {"SyncGroup", "syncing", api::sync},
                                  {"Heartbeat, assigning", "assigning", api::heartbeat},
                                  {"Heartbeat, adopting", "adopting", api::heartbeat},
                                  {"Heartbeat", "stable", api::heartbeat},
                                  {"Heartbeat, eager", "stable, eager", api::heartbeat, false},
                                  {"Heartbeat, revoking", "revoking to join", api::heartbeat, false},
                                  {"Heartbeat, revoking", "revoking to adopt", api::heartbeat},
                                  {"Heartbeat, closing", "revoking to leave", api::heartbeat},
                                  {"LeaveGroup", "leaving", api::leave}};
    std::vector<std::int16_t> codes{999, -7};
    for (const auto& e : broker_errors())
        if (e.code != 0) codes.push_back(e.code);
    const auto ways = classic_ways();
    for (const auto& s : steps) {
        const auto way = std::find_if(ways.begin(), ways.end(), [&](const auto& w) { return std::string{w.name} == s.way; });
        REQUIRE(way != ways.end());
        for (const auto code : codes) {
            auto r = make_classic(s.cooperative);
            way->go(r);
            const auto before = r.machine->view();
            const auto m = group::meaning_of(s.what, code);
            std::string did;
            switch (s.what) {
                case api::join: did = r.answer(refused<messages::join_group_response>(static_cast<broker_errc>(code))); break;
                case api::sync: did = r.answer(refused<messages::sync_group_response>(static_cast<broker_errc>(code))); break;
                case api::leave: did = r.answer(refused<messages::leave_group_response>(static_cast<broker_errc>(code))); break;
                default: did = r.beat(code);
            }
            INFO(s.name << " answered by " << code << ", which means " << group::name_of(m) << ": " << did);
            if (s.what == api::leave && m == meaning::done) {
                CHECK(r.state() == "unjoined");
                continue;
            }
            CHECK(r.state() == consequence(s, m));
            const auto v = r.machine->view();
            const bool out = m == meaning::stale || m == meaning::forgotten || m == meaning::fenced || m == meaning::fatal;
            CHECK((did.find("lose") != std::string::npos) == (out && (!before.assignment.empty() || before.state == "revoking")));
            if (out) CHECK(v.assignment.empty());
            if (out) CHECK_FALSE(r.machine->committer());
            if (m == meaning::stale) CHECK(v.member == before.member);
            if (m == meaning::forgotten) CHECK(v.member.empty());
            CHECK((did.find("doubt 1") != std::string::npos) == (m == meaning::elsewhere));
            CHECK((did.find("trouble") != std::string::npos) == (m == meaning::told));
            if (m == meaning::again || m == meaning::elsewhere) CHECK(v.assignment == before.assignment);
            CHECK((did.find("failed") != std::string::npos) == (r.state() == "broken"));
            if (r.machine->next_wakeup()) CHECK(*r.machine->next_wakeup() > r.now);
        }
    }
}
