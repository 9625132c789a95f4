// Every (state, event) pair of a member of the consumer protocol, and every error code at every step.
#include "consumer_edges.hpp"
#include "catch.hpp"
#include "consumer_ways.hpp"

#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>

using namespace membership_rig;

namespace {

std::map<std::pair<std::string, std::string>, std::string> consumer_table() {
    std::map<std::pair<std::string, std::string>, std::string> table;
    std::istringstream lines{consumer_edges};
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

TEST_CASE("each event in each state of a consumer member does what the table says", "[group][consumer]") {
    const auto table = consumer_table();
    const bool print = std::getenv("GROUP_PRINT") != nullptr;
    std::size_t pairs = 0, rows = 0;
    for (const auto& way : consumer_ways()) {
        if (print) std::cout << way.name << "\n";
        for (const auto& h : consumer_happenings()) {
            auto r = make_consumer();
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
    CHECK(pairs == consumer_ways().size() * consumer_happenings().size());
}

TEST_CASE("every state of a consumer member is reached", "[group][consumer]") {
    std::set<std::size_t> reached;
    for (const auto& way : consumer_ways()) {
        auto r = make_consumer();
        way.go(r);
        reached.insert(r.machine->where().index());
        CHECK(r.state() == state_in(way.name));
    }
    CHECK(reached.size() == group::consumer_membership_fsm::state_count);
}

TEST_CASE("each error code in each state of a consumer member has the consequence that its meaning says", "[group][consumer]") {
    using group::meaning;
    std::vector<std::int16_t> codes{999, -7};
    for (const auto& e : broker_errors())
        if (e.code != 0) codes.push_back(e.code);
    for (const auto& way : consumer_ways()) {
        const std::string name = way.name, state = state_in(name);
        if (state == "unjoined" || state == "parked" || state == "gone" || state == "broken") continue;
        for (const auto code : codes) {
            auto r = make_consumer();
            way.go(r);
            const auto before = r.machine->view();
            const auto m = group::meaning_of(group::api::consumer_heartbeat, code);
            const auto did = r.answer(beat_answer(0, {}, static_cast<broker_errc>(code)));
            INFO(name << " answered by " << code << ", which means " << group::name_of(m) << ": " << did);
            const auto v = r.machine->view();
            if (state == "leaving") {
                const bool repeats = m == meaning::again || m == meaning::elsewhere;
                CHECK(r.state() == (repeats ? "leaving" : name == "leaving" ? "unjoined" : "parked"));
                continue;
            }
            const bool closing = name == "revoking to leave";
            const bool ends = m == meaning::fenced || m == meaning::fatal, starts = m == meaning::stale || m == meaning::forgotten;
            CHECK(r.state() == (ends ? (closing ? "gone" : "broken") : starts ? (closing ? "revoking" : "joining") : state));
            CHECK((did.find("lose") != std::string::npos) == ((ends || starts) && (!before.assignment.empty() || state == "revoking")));
            if (ends || starts) CHECK(v.assignment.empty());
            if (ends || starts) CHECK_FALSE(r.machine->committer());
            if (!ends && !starts) CHECK(v.assignment == before.assignment);
            CHECK(v.member == before.member);
            CHECK((did.find("doubt 1") != std::string::npos) == (m == meaning::elsewhere));
            CHECK((did.find("failed") != std::string::npos) == (r.state() == "broken"));
            if (r.machine->next_wakeup()) CHECK(*r.machine->next_wakeup() > r.now);
        }
    }
}
