#include "ledger.hpp"

#include <algorithm>

#include "numbered_record.hpp"

namespace faults {

void findings::add(const std::string& name, const std::string& what) {
    if (++counts_[name] <= 5) examples_.push_back(name + ": " + what);
}

std::size_t findings::of(const std::string& name) const {
    const auto at = counts_.find(name);
    return at == counts_.end() ? 0 : at->second;
}

ledger::ledger(std::uint64_t run, std::int32_t partitions, std::chrono::milliseconds timeout)
    : run_{run}, timeout_{timeout}, sends_(static_cast<std::size_t>(partitions)) {}

std::string ledger::name(std::int32_t partition, std::uint64_t index) const {
    return "record " + std::to_string(index) + " of partition " + std::to_string(partition);
}

std::uint64_t ledger::send(std::int32_t partition, std::uint32_t now_ms) {
    auto& all = sends_[static_cast<std::size_t>(partition)];
    all.push_back({now_ms, pending});
    ++totals_.sent;
    return all.size() - 1;
}

void ledger::tell(std::int32_t partition, std::uint64_t index, verdict v, std::int64_t offset, std::uint32_t now_ms) {
    if (partition < 0 || partition >= partitions() || index >= sends_[static_cast<std::size_t>(partition)].size())
        return telling_.add("told-twice", name(partition, index) + " was never sent, and told");
    auto& e = sends_[static_cast<std::size_t>(partition)][index];
    if (e.state != pending) return telling_.add("told-twice", name(partition, index));
    const auto took = now_ms - e.sent_ms;
    const auto behind = static_cast<std::int64_t>(took) - timeout_.count();
    totals_.longest_ms = std::max(totals_.longest_ms, took);
    totals_.latest_ms = std::max(totals_.latest_ms, behind);
    if (behind > 100) telling_.add("late", name(partition, index) + ", " + std::to_string(behind) + " ms after its deadline");
    switch (v) {
        case verdict::acknowledged:
            ++totals_.acknowledged;
            if (offset < 0 || offset >= first_mark) ++totals_.without_offset;
            e.state = offset < 0 || offset >= first_mark ? somewhere : static_cast<std::uint32_t>(offset);
            break;
        case verdict::not_persisted:
            ++totals_.not_persisted;
            e.state = absent;
            break;
        case verdict::maybe_persisted:
            ++totals_.maybe_persisted;
            e.state = unknown;
            break;
    }
}

void ledger::begin_reading() {
    reading_ = {};
    sums_ = {};
    sums_.in_partition.resize(sends_.size());
    totals_.maybe_there = 0;
    views_.assign(sends_.size(), {});
    for (std::size_t p = 0; p < sends_.size(); ++p) views_[p].seen.resize(sends_[p].size());
}

void ledger::read(std::int32_t partition, std::int64_t offset, std::string_view value) {
    const auto where = "at offset " + std::to_string(offset) + " of partition " + std::to_string(partition);
    if (partition < 0 || partition >= partitions()) return reading_.add("wrong-partition", where);
    const auto p = static_cast<std::size_t>(partition);
    auto& v = views_[p];
    const auto n = read_value(run_, value, scratch_);
    ++sums_.records;
    ++sums_.in_partition[p];
    sums_.checksum += mix(static_cast<std::uint64_t>(partition), static_cast<std::uint64_t>(offset), std::hash<std::string_view>{}(value));
    if (offset <= v.last_offset) reading_.add("wrong-offset", where + ": read after offset " + std::to_string(v.last_offset));
    v.last_offset = std::max(v.last_offset, offset);
    if (!n || n->partition >= partitions() || n->index >= sends_[static_cast<std::size_t>(n->partition)].size())
        return reading_.add("unknown-value", where + ": '" + std::string{value.substr(0, 80)} + "'");
    if (n->partition != partition) return reading_.add("wrong-partition", name(n->partition, n->index) + " is " + where);
    if (v.seen[n->index]) return reading_.add("duplicated", name(partition, n->index) + " is again " + where);
    v.seen[n->index] = true;
    if (n->index < v.next_index)
        reading_.add("reordered", name(partition, n->index) + " is " + where + ", behind " + name(partition, v.next_index - 1));
    v.next_index = std::max(v.next_index, n->index + 1);
    check_one(partition, n->index, offset);
}

void ledger::check_one(std::int32_t partition, std::uint64_t index, std::int64_t offset) {
    const auto state = sends_[static_cast<std::size_t>(partition)][index].state;
    const auto here = name(partition, index) + " is at offset " + std::to_string(offset);
    if (state == absent)
        reading_.add("false-failure", here + ", and was said not to be persisted");
    else if (state == aborted)
        reading_.add("aborted-seen", here);
    else if (state == unknown)
        ++totals_.maybe_there;
    else if (state < first_mark && state != static_cast<std::uint64_t>(offset))
        reading_.add("wrong-offset", here + ", and was acknowledged at " + std::to_string(state));
}

reading ledger::end_reading(findings& wrong) {
    for (std::size_t p = 0; p < sends_.size(); ++p)
        for (std::size_t i = 0; i < sends_[p].size(); ++i) {
            const auto state = sends_[p][i].state;
            if ((state < first_mark || state == somewhere) && !views_[p].seen[i])
                reading_.add("lost", name(static_cast<std::int32_t>(p), i) +
                                         (state < first_mark ? ", acknowledged at offset " + std::to_string(state) : ""));
        }
    check_torn();
    views_.clear();
    wrong = std::move(reading_);
    return std::move(sums_);
}

void ledger::apply(const transaction_range& t, std::size_t partition, findings& wrong) {
    for (auto i = t.first[partition]; i < t.last[partition]; ++i) {
        auto& state = sends_[partition][i].state;
        const bool acknowledged = state < first_mark || state == somewhere;
        if (state == pending) continue;
        if (t.end == fate::committed && !acknowledged) wrong.add("committed-failure", name(static_cast<std::int32_t>(partition), i));
        if (t.end == fate::aborted && state != absent) state = aborted;
        if (t.end == fate::unknown && state != absent) state = unknown;
    }
}

void ledger::check_telling(findings& wrong) {
    wrong = telling_;
    for (std::size_t p = 0; p < sends_.size(); ++p)
        for (std::size_t i = 0; i < sends_[p].size(); ++i)
            if (sends_[p][i].state == pending) wrong.add("unresolved", name(static_cast<std::int32_t>(p), i));
    for (const auto& t : transactions_)
        for (std::size_t p = 0; p < sends_.size(); ++p) apply(t, p, wrong);
}

// Of a transaction that ended in an unknown way all or nothing is visible.
void ledger::check_torn() {
    for (const auto& t : transactions_) {
        if (t.end != fate::unknown) continue;
        std::size_t seen = 0, all = 0;
        for (std::size_t p = 0; p < sends_.size(); ++p)
            for (auto i = t.first[p]; i < t.last[p]; ++i) ++all, seen += views_[p].seen[i];
        if (seen && seen != all)
            reading_.add("torn",
                         std::to_string(seen) + " of " + std::to_string(all) + " records, the first of them " + name(0, t.first[0]));
    }
}

std::size_t ledger::transactions(fate f) const {
    return static_cast<std::size_t>(std::count_if(transactions_.begin(), transactions_.end(), [f](const auto& t) { return t.end == f; }));
}

}  // namespace faults
