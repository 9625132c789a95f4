// Transactions: what read_committed shows is committed, whole, and does not run in circles.
#include <algorithm>

#include "sim/checks/checks.hpp"

namespace kafkawire::testing::checks {

void checker::transactions() {
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what != operation::kind::read || !o.committed_only) continue;
        const auto sent = send_of.find(o.value);
        if (sent == send_of.end() || !op(sent->second).transaction) continue;
        const auto number = op(sent->second).transaction;
        const auto found = of_transaction.find(number);
        const auto& t = found->second;
        if (t.aborted())
            blame("aborted-read", value_text(o.value) + " was read although its transaction was aborted", {sent->second, t.end, i});
        else if (o.transaction == number)
            blame("precommitted-read", "transaction " + std::to_string(number) + " read " + value_text(o.value) + ", which it sent itself",
                  {sent->second, i});
        else if (t.end == none || (t.commit && op(t.end).began > o.ended))
            blame("precommitted-read", value_text(o.value) + " was read before its transaction's commit was asked for", {sent->second, i});
    }
    for (const auto& [number, t] : of_transaction) {
        id shown = none, hidden = none;
        for (const auto s : t.sends) {
            if (op(s).result != outcome::ok || !log_of(op(s).partition)) continue;
            if (op(s).offset >= 0 && op(s).offset < h.log_start(op(s).partition)) continue;
            const auto v = values.find(op(s).value);
            const bool visible = v != values.end() && v->second.in_log && v->second.visible;
            (visible ? shown : hidden) = s;
            if (visible && t.aborted())
                blame("aborted-read",
                      value_text(op(s).value) + " is visible in " + at_text(v->second.where) + " although its transaction was aborted",
                      {s, t.end});
        }
        if (shown != none && hidden != none)
            blame("torn-transaction",
                  "of transaction " + std::to_string(number) + " " + value_text(op(shown).value) + " is visible and " +
                      value_text(op(hidden).value) + " is not",
                  {shown, hidden});
    }
}

namespace {

// Strongly connected components, after Tarjan, without recursion: a history may have millions of transactions.
struct graph {
    std::vector<std::vector<std::uint32_t>> edges;

    [[nodiscard]] std::vector<std::uint32_t> components() const {
        const auto n = static_cast<std::uint32_t>(edges.size());
        constexpr auto unseen = ~0u;
        std::vector<std::uint32_t> index(n, unseen), low(n, 0), component(n, unseen), stack;
        struct frame {
            std::uint32_t node;
            std::size_t next;
        };
        std::vector<frame> calls;
        std::uint32_t counter = 0, made = 0;
        for (std::uint32_t root = 0; root < n; ++root) {
            if (index[root] != unseen) continue;
            calls.push_back({root, 0});
            while (!calls.empty()) {
                auto& [node, next] = calls.back();
                if (next == 0) {
                    index[node] = low[node] = counter++;
                    stack.push_back(node);
                }
                if (next < edges[node].size()) {
                    const auto to = edges[node][next++];
                    if (index[to] == unseen)
                        calls.push_back({to, 0});
                    else if (component[to] == unseen)
                        low[node] = std::min(low[node], index[to]);
                    continue;
                }
                if (low[node] == index[node]) {
                    for (bool more = true; more;) {
                        const auto top = stack.back();
                        stack.pop_back();
                        component[top] = made;
                        more = top != node;
                    }
                    ++made;
                }
                const auto done = node;
                const auto reached = low[node];
                calls.pop_back();
                if (!calls.empty() && component[done] == unseen) low[calls.back().node] = std::min(low[calls.back().node], reached);
            }
        }
        return component;
    }
};

}  // namespace

// ww: the next transaction in a partition's log; wr: a read of what another one wrote. A circle of ww alone is G0, which Kafka allows; one
// with a wr edge is not.
void checker::cycles() {
    if (of_transaction.size() < 2) return;
    std::map<std::int64_t, std::uint32_t> node;
    std::vector<std::int64_t> number;
    for (const auto& [n, t] : of_transaction) {
        node[n] = static_cast<std::uint32_t>(number.size());
        number.push_back(n);
    }
    graph g;
    g.edges.resize(number.size());
    for (const auto& [partition, entries] : h.logs()) {
        std::int64_t before = 0;
        for (const auto& e : entries) {
            const auto sent = send_of.find(e.value);
            if (!e.visible || sent == send_of.end() || !op(sent->second).transaction) continue;
            const auto now = op(sent->second).transaction;
            if (before && before != now) g.edges[node[before]].push_back(node[now]);
            before = now;
        }
    }
    struct read_edge {
        std::uint32_t from, to;
        id by;
    };
    std::vector<read_edge> reads;
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what != operation::kind::read || !o.transaction || !node.count(o.transaction)) continue;
        const auto sent = send_of.find(o.value);
        if (sent == send_of.end()) continue;
        const auto writer = op(sent->second).transaction;
        if (!writer || writer == o.transaction) continue;
        reads.push_back({node[writer], node[o.transaction], i});
        g.edges[node[writer]].push_back(node[o.transaction]);
    }
    const auto component = g.components();
    std::map<std::uint32_t, std::vector<id>> told;
    for (const auto& r : reads)
        if (component[r.from] == component[r.to]) told[component[r.from]].push_back(r.by);
    for (auto& [c, by] : told) {
        std::string members;
        for (std::size_t i = 0; i < number.size(); ++i)
            if (component[i] == c && members.size() < 200) members += (members.empty() ? "" : ", ") + std::to_string(number[i]);
        blame("cycle", "transactions " + members + " depend on each other in a circle", by);
    }
}

}  // namespace kafkawire::testing::checks
