#include "sim/checks/checks.hpp"

#include <algorithm>

namespace kafkawire::testing {

namespace checks {

void checker::blame(const char* name, std::string text, std::vector<id> operations) {
    if (out.found[name]++ >= options.most_of_a_kind) return;
    constexpr std::size_t most = 6;
    if (operations.size() > most) operations.resize(most);
    for (const auto i : operations) text += "\n    " + h.describe(i);
    out.violations.push_back({name, std::string{name} + ": " + std::move(text), std::move(operations)});
}

void checker::index() {
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        switch (o.what) {
            case operation::kind::send:
                ++out.sends;
                if (o.result == outcome::ok) ++out.acknowledged;
                if (o.result == outcome::failed) ++out.failed;
                if (o.result == outcome::unknown) ++out.unknown;
                send_of.try_emplace(o.value, i);
                if (o.transaction) of_transaction[o.transaction].sends.push_back(i);
                break;
            case operation::kind::read: {
                ++out.reads;
                auto& highest = highest_read.try_emplace(o.partition, -1).first->second;
                highest = std::max(highest, o.offset);
                break;
            }
            case operation::kind::begin:
                ++out.transactions;
                of_transaction[o.transaction].producer = o.process;
                break;
            case operation::kind::end: {
                auto& t = of_transaction[o.transaction];
                // After an end of which nobody knows the result another one may follow; the last one that is known counts.
                if (t.end != none && o.result != outcome::ok && t.result == outcome::ok) break;
                t.producer = o.process;
                t.end = i;
                t.result = o.result;
                t.commit = o.committed_only;
                break;
            }
            default: break;
        }
    }
}

// Each operation ends, once, in time.
void checker::outcomes() {
    for (const auto i : h.told_twice()) blame("told-twice", "an operation ended a second time", {i});
    constexpr std::int64_t grace = 100'000'000;
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.result == outcome::pending)
            blame("unresolved", "an operation never ended", {i});
        else if (o.deadline < std::numeric_limits<std::int64_t>::max() && o.ended > o.deadline + grace)
            blame("late", "an operation ended " + std::to_string((o.ended - o.deadline) / 1'000'000) + " ms after its deadline", {i});
    }
}

report checker::run() {
    index();
    outcomes();
    placement();
    lost();
    order_of_sends();
    reading();
    groups();
    transactions();
    cycles();
    return std::move(out);
}

}  // namespace checks

report check(const history& h, const check_options& o) { return checks::checker{h, o}.run(); }

std::string report::text() const {
    const auto counts = std::to_string(sends) + " sends (" + std::to_string(acknowledged) + " acknowledged, " + std::to_string(failed) +
                        " failed, " + std::to_string(unknown) + " unknown), " + std::to_string(reads) + " reads, " +
                        std::to_string(transactions) + " transactions";
    if (ok()) return "no violation in " + counts;
    std::string all;
    for (const auto& v : violations) all += v.text + '\n';
    for (const auto& [name, n] : found) all += name + ": " + std::to_string(n) + " in " + counts + '\n';
    return all;
}

}  // namespace kafkawire::testing
