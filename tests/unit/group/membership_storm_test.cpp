// Members of ours and the embedded broker's machine of the group, with everything that can go wrong between them: see group_world.hpp.
#include "catch.hpp"
#include "group_world.hpp"

#include <cstdlib>
#include <iostream>

namespace group_world {

namespace {

struct outcome {
    std::string wrong{};
    std::uint64_t rebalances = 0, losses = 0;
    int settled_after = 0;  // seconds without faults
};

void one_change(world& w, bool statics) {
    const std::set<std::string> both{"a", "b"}, one{"a"};
    const auto living = w.living();
    auto* some = living.empty() ? nullptr : living[static_cast<std::size_t>(w.random.below(static_cast<int>(living.size())))];
    switch (w.random.below(9)) {
        case 0:
        case 1:
            if (living.size() < 50)
                w.add(both, statics && w.random.one_in(2) ? std::optional{"i" + std::to_string(w.members.size())} : std::nullopt);
            break;
        case 2:
            if (some && living.size() > 2) {
                some->crash();
                if (some->instance && w.random.one_in(2))  // and is started again under its name
                    w.later(w.random.up_to(8'000ms), [&w, both, as = some->instance] { w.add(both, as); });
            }
            break;
        case 3:
            if (some && living.size() > 2) {
                some->closing = true;
                some->step(group::leave{{}, w.now + 5'000ms, "it is over"});
            }
            break;
        case 4: w.move_coordinator(w.random.up_to(3'000ms)); break;
        case 5:
            if (some && !some->closing) {
                some->topics = some->topics == both ? one : both;
                some->step(group::subscribe{{some->topics, {}}});
            }
            break;
        case 6:
            if (w.topics.at("a").partitions < 30) w.set_topic("a", w.topics.at("a").partitions + 3);
            break;
        case 7:  // stops polling, and comes back
            if (some && !some->closing) {
                some->step(group::polled{false});
                w.later(w.random.up_to(60'000ms), [some] { some->step(group::polled{true}); });
            }
            break;
        case 8:
            if (some)
                for (auto& [id, c] : w.connections)
                    if (c.of == some && c.open) {
                        w.cut(id);
                        break;
                    }
            break;
    }
}

outcome storm(kind k, std::uint64_t seed, bool statics, bool tell = false) {
    world w{k, seed};
    w.telling = tell;
    w.set_topic("a", 6 + w.random.below(10));
    w.set_topic("b", w.random.below(5));
    const int at_first = 2 + w.random.below(seed % 10 == 0 ? 40 : 6);
    for (int i = 0; i < at_first; ++i) w.later(w.random.up_to(2'000ms), [&] { w.add({"a", "b"}); });
    w.run_for(3s);
    if (seed % 5 != 0)
        w.wrong = {.lose_request = 20 + w.random.below(200),
                   .lose_answer = 20 + w.random.below(200),
                   .refuse = 20 + w.random.below(200),
                   .late = 10 + w.random.below(50),
                   .slow_callback = 20 + w.random.below(100)};
    const int changes = 5 + w.random.below(20);
    for (int i = 0; i < changes && w.violations.empty(); ++i) {
        w.run_for(w.random.up_to(6'000ms));
        one_change(w, statics);
    }
    w.run_for(5s);
    w.wrong = {};
    for (auto* m : w.living()) m->step(group::polled{true});
    outcome o;
    for (int i = 1; i <= 120; ++i) {
        w.run_for(1s);
        if (!w.unsettled().empty()) o.settled_after = i;
    }
    for (const auto& v : w.violations) o.wrong += v + "\n";
    for (const auto& m : w.members)
        if (m->broken) o.wrong += "member " + std::to_string(m->number) + " is broken: " + m->why.message() + "\n";
    if (o.wrong.empty()) o.wrong = w.unsettled();
    for (const auto& m : w.members) {
        o.rebalances += m->machine->view().rebalances;
        o.losses += m->machine->view().losses;
    }
    if (tell)
        for (const auto& line : w.story) std::cout << line << "\n";
    return o;
}

// GROUP_SEED=n runs that one and tells its story; GROUP_STORMS=n that many of each kind.
void storms(kind k, bool statics, const char* name) {
    if (const char* one = std::getenv("GROUP_SEED")) {
        const auto o = storm(k, std::strtoull(one, nullptr, 10), statics, true);
        std::cout << name << ": " << o.wrong << "\n";
        return;
    }
    const char* many = std::getenv("GROUP_STORMS");
    const auto n = many ? std::strtoull(many, nullptr, 10) : 150;
    std::uint64_t rebalances = 0, losses = 0;
    int bad = 0, longest = 0;
    for (std::uint64_t seed = 1; seed <= n && bad < 3; ++seed) {
        const auto o = storm(k, seed, statics);
        rebalances += o.rebalances;
        losses += o.losses;
        longest = std::max(longest, o.settled_after);
        if (o.wrong.empty()) continue;
        ++bad;
        std::cout << name << " seed " << seed << ":\n" << o.wrong.substr(0, 2000) << std::flush;
    }
    std::cout << name << ": " << n << " groups, " << rebalances << " assignments taken, " << losses << " times lost, settled at the latest "
              << longest << " s after the last fault\n";
    CHECK(bad == 0);
    CHECK(rebalances > n * 10);
    CHECK(losses > 0);
}

}  // namespace

TEST_CASE("storms over eager groups", "[group][storm]") { storms(kind::eager, false, "eager"); }
TEST_CASE("storms over cooperative groups", "[group][storm]") { storms(kind::cooperative, false, "cooperative"); }
TEST_CASE("storms over groups of the consumer protocol", "[group][storm]") { storms(kind::consumer, false, "consumer"); }
TEST_CASE("storms over cooperative groups with static members", "[group][storm]") {
    storms(kind::cooperative, true, "cooperative, static");
}
TEST_CASE("storms over groups of the consumer protocol with static members", "[group][storm]") {
    storms(kind::consumer, true, "consumer, static");
}

}  // namespace group_world
