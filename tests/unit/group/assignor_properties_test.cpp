// The laws of assignments over random groups that live through several generations. Some thousand groups here; "[.soak]" runs 100,000
// (KAFKAWIRE_GROUPS) from the seed KAFKAWIRE_SEED on.
#include "group/sticky_balance.hpp"
#include "group/subscription.hpp"

#include <cstdio>
#include <cstdlib>

#include "catch.hpp"
#include "random_groups.hpp"

using namespace kafkawire;
using namespace random_groups;

namespace {

// What members had, as the strategy wants to be told.
void tell(assignor& strategy, assignor_member& m, const std::vector<topic_partitions>& had, std::int32_t generation) {
    m.user_data = strategy.user_data({m.topics, had, generation});
    if (!strategy.protocols().cooperative) return;
    m.owned = had;
    m.generation = generation;
}

std::size_t kept(const std::map<std::string, partition_set>& before, const world& w, const group_assignment& a) {
    std::size_t n = 0;
    for (std::size_t m = 0; m < a.size(); ++m)
        if (const auto had = before.find(w.members[m].id); had != before.end())
            for (const auto& p : set_of(a[m].partitions)) n += had->second.count(p);
    return n;
}

// What cannot be beaten if all read the same and racks say nothing: nobody can keep more than an even part, some of them one more.
std::size_t most_that_can_stay(const std::map<std::string, partition_set>& before, const world& w) {
    std::size_t all = 0;
    std::set<std::string> there;
    for (const auto& t : w.topics)
        if (reads(w.members[0], t.name)) {
            all += static_cast<std::size_t>(std::max(0, t.partitions));
            there.insert(t.name);
        }
    const auto even = all / w.members.size();
    auto one_more = all % w.members.size();
    std::size_t n = 0;
    for (const auto& m : w.members) {
        const auto had = before.find(m.id);
        if (had == before.end()) continue;
        const auto still = static_cast<std::size_t>(std::count_if(had->second.begin(), had->second.end(), [&](const auto& p) { return there.count(p.first) != 0; }));
        n += std::min(still, even);
        if (still > even && one_more > 0) {
            ++n;
            --one_more;
        }
    }
    return n;
}

// A partition that went away though its owner before, still subscribed, has less than the new one: that move was for nothing.
std::string needless_move(const std::map<std::string, partition_set>& before, const world& w, const group_assignment& a) {
    for (std::size_t m = 0; m < a.size(); ++m)
        for (const auto& p : set_of(a[m].partitions))
            for (std::size_t o = 0; o < a.size(); ++o) {
                const auto had = before.find(w.members[o].id);
                if (o == m || had == before.end() || !had->second.count(p) || !reads(w.members[o], p.first)) continue;
                if (set_of(a[o].partitions).size() < set_of(a[m].partitions).size()) return p.first + "-" + std::to_string(p.second) + " left " + w.members[o].id;
            }
    return {};
}

// One group through several generations with the eager strategy.
std::string live_eager(std::uint64_t seed) {
    world w{seed};
    const auto strategy = make_assignor("sticky");
    std::map<std::string, partition_set> before;
    for (std::int32_t generation = 1; generation <= 5; ++generation) {
        const auto a = strategy->assign({w.members, w.topics});
        if (auto wrong = broken_law(w, a, true); !wrong.empty()) return wrong;
        if (auto wrong = uneven(w, a); !wrong.empty()) return wrong;
        if (!w.racks) {
            if (auto wrong = needless_move(before, w, a); !wrong.empty()) return wrong;
            if (w.uniform && kept(before, w, a) < most_that_can_stay(before, w)) return "more could have stayed";
        }
        before.clear();
        for (std::size_t m = 0; m < a.size(); ++m) {
            before[w.members[m].id] = set_of(a[m].partitions);
            tell(*strategy, w.members[m], a[m].partitions, generation);
        }
        if (!w.racks && strategy->assign({w.members, w.topics}) != a) return "nothing has changed, and something moved";
        w.change();
    }
    return {};
}

// One round of the cooperative strategy: nobody is given what another still owns.
std::string taken_too_early(const world& w, const group_assignment& a) {
    std::map<std::pair<std::string, std::int32_t>, std::string> owner;
    for (const auto& m : w.members)
        for (const auto& p : set_of(m.owned)) owner[p] = m.id;
    for (std::size_t m = 0; m < a.size(); ++m)
        for (const auto& p : set_of(a[m].partitions))
            if (const auto o = owner.find(p); o != owner.end() && o->second != w.members[m].id) return p.first + "-" + std::to_string(p.second) + " is still " + o->second + "'s";
    return {};
}

std::string live_cooperative(std::uint64_t seed) {
    world w{seed};
    const auto strategy = make_assignor("cooperative-sticky");
    std::int32_t generation = 0;
    for (int change = 0; change < 5; ++change) {
        bool settled = false;
        const int rounds = w.racks ? 8 : 4;  // with racks each further round must bring more near its reader
        for (int round = 0; round < rounds && !settled; ++round) {
            const auto a = strategy->assign({w.members, w.topics});
            if (auto wrong = broken_law(w, a, false); !wrong.empty()) return wrong;
            if (auto wrong = taken_too_early(w, a); !wrong.empty()) return wrong;
            ++generation;
            settled = true;
            for (std::size_t m = 0; m < a.size(); ++m) {
                const auto has = set_of(a[m].partitions);
                for (const auto& p : set_of(w.members[m].owned)) settled = settled && has.count(p) != 0;
                tell(*strategy, w.members[m], a[m].partitions, generation);
            }
            if (settled) {
                if (auto wrong = broken_law(w, a, true); !wrong.empty()) return wrong;
                if (auto wrong = uneven(w, a); !wrong.empty()) return wrong;
            }
        }
        if (!settled) return std::to_string(rounds) + " rounds, and still something is given up";
        w.change();
    }
    return {};
}

// Members that claim what does not exist, what others have, twice, of any generation; unreadable user data.
std::string live_with_liars(std::uint64_t seed) {
    world w{seed};
    for (const auto* name : {"sticky", "cooperative-sticky"}) {
        const auto strategy = make_assignor(name);
        for (auto& m : w.members) {
            std::vector<topic_partitions> claims;
            for (int i = w.below(6); i > 0; --i) {
                topic_partitions t;
                t.topic = w.chance(3) || w.topics.empty() ? "t" + std::to_string(w.below(9)) : w.topics[static_cast<std::size_t>(w.below(static_cast<int>(w.topics.size())))].name;
                for (int n = w.below(9); n > 0; --n) t.partitions.push_back(w.chance(9) ? INT32_MIN + w.below(3) : w.chance(9) ? INT32_MAX : w.below(12));
                claims.push_back(std::move(t));
            }
            const std::int32_t generation = w.chance(5) ? INT32_MAX : w.below(4) - 1;
            tell(*strategy, m, claims, generation);
            if (w.chance(6)) m.user_data = protocol::bytes(static_cast<std::size_t>(w.below(40)), static_cast<std::byte>(w.below(256)));
            if (m.generation >= 0 && w.chance(9)) m.generation = -w.below(99);
        }
        const auto a = strategy->assign({w.members, w.topics});
        const bool eager = !strategy->protocols().cooperative;
        if (auto wrong = broken_law(w, a, eager); !wrong.empty()) return wrong;
        if (eager)
            if (auto wrong = uneven(w, a); !wrong.empty()) return wrong;
        if (strategy->assign({w.members, w.topics}) != a) return "the same twice, and another result";
    }
    return {};
}

std::string live_by_order(std::uint64_t seed) {
    world w{seed};
    for (int change = 0; change < 5; ++change) {
        for (const auto* name : {"range", "roundrobin"}) {
            const auto a = make_assignor(name)->assign({w.members, w.topics});
            if (auto wrong = broken_law(w, a, true); !wrong.empty()) return name + (": " + wrong);
            // The order in which the coordinator lists members must not matter.
            auto turned = w.members;
            std::rotate(turned.begin(), turned.begin() + static_cast<std::ptrdiff_t>(turned.size() / 2), turned.end());
            const auto b = make_assignor(name)->assign({turned, w.topics});
            for (std::size_t m = 0; m < b.size(); ++m)
                if (b[m] != a[(m + b.size() / 2) % b.size()]) return std::string{name} + " depends on the order of members";
        }
        w.change();
    }
    return {};
}

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

void run_groups(std::string (*live)(std::uint64_t), std::uint64_t groups, std::uint64_t first = 1) {
    for (std::uint64_t seed = first; seed < first + groups; ++seed)
        if (const auto wrong = live(seed); !wrong.empty()) {
            INFO("seed " << seed);
            FAIL_CHECK(wrong);
            break;
        }
}

}  // namespace

TEST_CASE("sticky over random groups: complete, even, and what can stay stays") { run_groups(live_eager, 2'000); }
TEST_CASE("cooperative-sticky over random groups: nothing changes hands early, and it settles") { run_groups(live_cooperative, 2'000); }
TEST_CASE("the sticky ones with members that lie") { run_groups(live_with_liars, 2'000); }
TEST_CASE("range and roundrobin over random groups: complete, whatever the order of members") { run_groups(live_by_order, 2'000); }

TEST_CASE("100,000 random groups with each of them", "[.soak]") {
    const std::pair<const char*, std::string (*)(std::uint64_t)> lives[] = {
        {"sticky", live_eager}, {"cooperative-sticky", live_cooperative}, {"members that lie", live_with_liars}, {"range and roundrobin", live_by_order}};
    const auto groups = number_in("KAFKAWIRE_GROUPS", 100'000), first = number_in("KAFKAWIRE_SEED", 1);
    for (const auto& [name, live] : lives) {
        run_groups(live, groups, first);
        std::printf("%llu random groups from seed %llu on: %s\n", static_cast<unsigned long long>(groups), static_cast<unsigned long long>(first), name);
        std::fflush(stdout);
    }
}
