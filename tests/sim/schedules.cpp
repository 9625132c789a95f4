#include "schedule.hpp"

#include <algorithm>
#include <array>

#include "consumers.hpp"
#include "handlers.hpp"
#include "liar.hpp"
#include "losses.hpp"
#include "storm.hpp"
#include "workload.hpp"

namespace schedules {

namespace {

struct plan {
    int idempotent = 0, transactional = 0, producers = 0, with_transactions = 0;
    int readers = 1;
    weather sky{};
    bool rough = false;  // kw::producers that are short of memory, whose sends are canceled, and that are destroyed
    int truncations = 0, recreations = 0;  // of logs, of the topic; nobody reads until the audit then
    std::uint32_t lies = 0;                // a node more, which answers Metadata wrongly in so many of a million cases
};

// 45 s of work with faults, then calm until everything is acknowledged and read, then the audit: at least 60 s in all.
result run(settings& s, const plan& p) {
    constexpr auto stormy = 45s;
    // Transactions of version 1 and of version 2, in turn.
    cluster_world w{s, {.as_version = p.with_transactions && s.seed % 2 ? "3.9" : "4.3"}};
    std::optional<liar> liar;
    if (p.lies) {
        liar.emplace(w, p.lies);
        w.trust("liar");
    }
    workload work{w};
    storm faults{w, stormy, p.sky};
    losses lost{w, work, stormy, p.truncations, p.recreations};
    const bool lossy = p.truncations + p.recreations > 0;
    if (!lossy) work.read(p.readers, true);
    if (p.idempotent) work.produce(p.idempotent, stormy);
    if (p.transactional) work.produce_in_transactions(p.transactional, stormy);
    if (p.producers) work.send(p.producers, stormy, {.rough = p.rough, .lossy = lossy, .misled = p.lies > 0});
    if (p.with_transactions) work.send_in_transactions(p.with_transactions, stormy);
    result r;
    try {
        w.world.run_for(stormy);
        faults.calm();
        if (liar) {
            // What it said last of the epochs must not keep anybody from the leaders that come now.
            liar->leave();
            for (std::int32_t i = 0; i < partitions; ++i) (void)w.cluster->control().move_leader(topic, i, 1 + (i + static_cast<std::int32_t>(s.seed)) % 3);
        }
        if (!w.world.run_until([&] { return work.done(); }, 180s))
            work.trouble += " not everything was acknowledged and read 180 s after the last fault: " + work.waits_for();
        if (w.world.elapsed() < 60s) w.world.run_for(60s - w.world.elapsed());
        work.audit();
        work.audit_transactions();
    } catch (const kw::sim::stalled& e) {
        work.trouble = e.what();
    }
    const auto found = kw::testing::check(work.history, {.reading_ended = !lossy});
    r.hash = w.world.trace_hash();
    r.events = w.world.count().events;
    r.faults = faults.fired() + lost.happened() + (liar ? liar->lies() : 0);
    r.sends = found.sends;
    r.acknowledged = found.acknowledged;
    r.reads = found.reads;
    r.transactions = found.transactions;
    r.requests = work.requests;
    r.virtual_seconds = std::chrono::duration<double>(w.world.elapsed()).count();
    r.problem = work.trouble;
    for (const auto& [name, n] : found.found) r.violations += (r.violations.empty() ? "" : " ") + name;
    if (!found.ok()) r.problem += (r.problem.empty() ? "" : "\n") + found.text();
    return r;
}

// From the last fault, or event of a member, until everything is read within a second: a killed member's session, and a second. Before, the question of
// a new member whose answer is lost may have to be given up: FindCoordinator, or in classic groups JoinGroup, which waits for the others. A lie is
// believed for a minute, a former topic of which a node that lags has told for six seconds.
std::chrono::nanoseconds settles_within(const consumers::plan& p, bool misled) {
    constexpr auto session = 6s, rebalance = 8s, request = 5s;
    if (p.lies) return 100s;
    const auto doubt = misled ? 6s : 0s;
    if (p.by_hand) return session + 1s + doubt;
    // Whoever's JoinGroup was lost asks again after a rebalance and a request; a cooperative group then settles in two rounds, heard of by heartbeats.
    return (p.new_protocol ? session : rebalance) + request + 3s + doubt;
}

struct group_schedule {
    consumers::plan members{};
    weather sky{.faults = 10, .groups = true};
    std::int32_t partitions_at_first = partitions;
};

// 45 s in which members and the network have their troubles, then 30 s in which records are still written, and all must be read in time.
result run_group(settings& s, const group_schedule& p) {
    constexpr auto stormy = 45s;
    cluster_world w{s, {.as_version = s.seed % 3 || p.members.new_protocol ? "4.3" : s.seed % 2 ? "3.9" : "2.8", .count = p.partitions_at_first, .configs = consumers::configs(), .shipped = p.members.ships}};
    workload work{w};
    consumers group{w, work, stormy, p.members};
    const bool lossy = group.judge.lossy;
    group.judge.by_name = !p.members.new_protocol && s.seed % 3 == 0;  // brokers before 4.1
    storm faults{w, stormy, p.sky};
    result r;
    try {
        w.world.run_for(stormy);
        faults.calm();
        group.calm();
        w.world.run_for(22s);
        group.rest(7500ms);
        if (!w.world.run_until([&] { return group.done(); }, 180s)) group.judge.blame("stuck", "180 s after the last fault: " + group.waits_for());
        if (group.settled_after > settles_within(p.members, group.judge.misled)) group.judge.blame("stuck", std::to_string(group.settled_after / 1ms) + " ms until everything was read in time");
        group.close();
        if (!w.world.run_until([&] { return group.closed(); }, 15s)) group.judge.blame("late", "members do not close");
        work.audit();
        group.audit_read();
        group.audit_shipped();
    } catch (const kw::sim::stalled& e) {
        work.trouble = e.what();
    }
    const auto found = kw::testing::check(work.history, {.reading_ended = !lossy});
    r.hash = w.world.trace_hash();
    r.events = w.world.count().events;
    r.faults = faults.fired() + group.struck;
    r.sends = found.sends;
    r.acknowledged = found.acknowledged;
    r.settled = std::chrono::duration<double>(group.settled_after).count();
    r.reads = lossy ? group.judge.handed : found.reads;
    r.requests = group.judge.assignments;
    r.transactions = group.judge.commits;
    r.virtual_seconds = std::chrono::duration<double>(w.world.elapsed()).count();
    r.problem = work.trouble;
    const auto add = [&](const auto& all, const std::string& text) {
        for (const auto& [name, n] : all) r.violations += (r.violations.empty() ? "" : " ") + name;
        if (!all.empty()) r.problem += (r.problem.empty() ? "" : "\n") + text;
    };
    add(group.judge.found(), group.judge.text());
    add(found.found, found.text().substr(0, 1000));
    return r;
}

constexpr std::array<schedule, 19> list = {{
    {"produce", "two idempotent producers on six partitions, a reader, 6 faults",
     [](settings& s) { return run(s, {.idempotent = 2, .sky = {6}}); }},
    {"heavy", "the same under 20 faults", [](settings& s) { return run(s, {.idempotent = 2, .sky = {20}}); }},
    {"transactions", "three transactional producers and an idempotent one, a reader at read_committed, 6 faults",
     [](settings& s) { return run(s, {.idempotent = 1, .transactional = 3, .sky = {6}}); }},
    {"producer", "two kw::producers on six partitions, patient or not, a reader, 6 faults",
     [](settings& s) { return run(s, {.producers = 2, .sky = {6}}); }},
    {"producer-heavy", "the same under 20 faults", [](settings& s) { return run(s, {.producers = 2, .sky = {20}}); }},
    {"producer-wide", "two kw::producers that are short of memory, canceled and destroyed; 12 faults of every kind",
     [](settings& s) {
         return run(s, {.producers = 2, .sky = {12, true}, .rough = true});
     }},
    {"producer-truncated", "two kw::producers on logs that lose their ends, as after unclean elections; 6 losses and 8 faults",
     [](settings& s) { return run(s, {.producers = 2, .sky = {8}, .truncations = 6}); }},
    {"producer-recreated", "two kw::producers on a topic that is deleted and made again with more or fewer partitions, 3 times; 8 faults",
     [](settings& s) { return run(s, {.producers = 2, .sky = {8}, .recreations = 3}); }},
    {"producer-misled", "two kw::producers beside a node that answers Metadata with nonsense of every kind for 45 s; 6 faults",
     [](settings& s) { return run(s, {.producers = 2, .sky = {6}, .lies = 600'000}); }},
    {"producer-transactions", "three kw::producers with transactions and offsets, committed, aborted, dropped, and taken over, a reader at read_committed, 20 faults",
     [](settings& s) { return run(s, {.with_transactions = 3, .sky = {.faults = 20, .transactions = true}}); }},
    {"consumer-classic", "four members of a group of the classic protocol, any strategies, that come, crash, leave, stand still; 12 such events and 10 faults",
     [](settings& s) { return run_group(s, {}); }},
    {"consumer-groups", "the same under KIP-848, with partitions added",
     [](settings& s) {
         return run_group(s, {.members = {.new_protocol = true, .growth = 2}, .partitions_at_first = 4});
     }},
    {"consume-transform-produce", "four members, classic or KIP-848, that write what they read to another topic in transactions with their offsets; 10 events and 12 faults",
     [](settings& s) {
         return run_group(s, {.members = {.events = 10, .new_protocol = s.seed % 2 == 0, .ships = true}, .sky = {.faults = 12, .transactions = true, .groups = true}});
     }},
    {"consumer-assigned", "three consumers without a group, each of all partitions, that seek, pause, drop and take partitions; 12 such events and 20 faults of every kind",
     [](settings& s) {
         return run_group(s, {.members = {.slots = 3, .by_hand = true}, .sky = {.faults = 20, .wide = true, .groups = true}});
     }},
    {"consumer-truncated", "consumers by hand, of a classic group or of KIP-848, on logs that lose their ends; 5 losses, 6 events and 6 faults",
     [](settings& s) { return run_group(s, {.members = {.events = 6, .new_protocol = s.seed % 3 == 0, .by_hand = s.seed % 3 == 1, .truncations = 5}, .sky = {.faults = 6, .groups = true}}); }},
    {"consumer-recreated", "the same, by names or patterns, on a topic that is deleted and made again with more or fewer partitions, twice",
     [](settings& s) { return run_group(s, {.members = {.events = 6, .new_protocol = s.seed % 3 == 0, .by_hand = s.seed % 3 == 1, .recreations = 2}, .sky = {.faults = 6, .groups = true}}); }},
    {"consumer-misled", "the same beside a node that answers Metadata with nonsense of every kind for 45 s; 6 events and 6 faults",
     [](settings& s) { return run_group(s, {.members = {.events = 6, .new_protocol = s.seed % 3 == 0, .by_hand = s.seed % 3 == 1, .lies = 600'000}, .sky = {.faults = 6, .groups = true}}); }},
    {"consumer-twins", "a classic group or one of KIP-848 in which members begin whose instance id another one has that lives, 3 times; 6 events and 6 faults",
     [](settings& s) { return run_group(s, {.members = {.events = 6, .new_protocol = s.seed % 2 == 0, .twins = 3}, .sky = {.faults = 6, .groups = true}}); }},
    {"handlers", "three consumer servers whose handlers fail, are slow and lose their calls, in any order and with every last resort, crash, stop and stand still; 9 such events and 8 faults", run_handlers},
}};

}  // namespace

std::span<const schedule> all() { return list; }
const schedule* find(std::string_view name) {
    const auto at = std::ranges::find(list, name, &schedule::name);
    return at == list.end() ? nullptr : &*at;
}

}  // namespace schedules
