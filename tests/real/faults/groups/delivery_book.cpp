#include "delivery_book.hpp"

#include <algorithm>

namespace faults {

namespace {
constexpr std::int64_t milli = 1'000'000;
constexpr std::size_t most_examples = 40;
}  // namespace

void acknowledged_log::acknowledged(std::int32_t partition, std::uint64_t index, nanoseconds_of_clock at) {
    if (first_ == 0) first_ = at;
    auto& t = times_[static_cast<std::size_t>(partition)];
    if (index >= t.size()) t.resize(index + 1);
    if (t[index] == 0) ++count_;
    t[index] = static_cast<std::uint32_t>((at - first_) / milli + 1);
}

nanoseconds_of_clock acknowledged_log::at(std::int32_t partition, std::uint64_t index) const noexcept {
    const auto& t = times_[static_cast<std::size_t>(partition)];
    if (index >= t.size() || t[index] == 0) return 0;
    return first_ + static_cast<std::int64_t>(t[index] - 1) * milli;
}

std::vector<std::uint64_t> acknowledged_log::ends() const {
    std::vector<std::uint64_t> out;
    for (const auto& t : times_) out.push_back(t.size());
    return out;
}

group_book::group_book(const acknowledged_log& log) : log_{log}, parts_(log.partitions()) {}

void group_book::violated(const std::string& rule, int member, std::int32_t partition, std::int64_t offset, const std::string& more) {
    ++violations_[rule];
    if (examples_.size() < most_examples)
        examples_.push_back(rule + ": member " + std::to_string(member) + ", partition " + std::to_string(partition) + ", offset " +
                            std::to_string(offset) + (more.empty() ? "" : ": " + more));
}

void group_book::assigned(int member, std::int32_t partition, nanoseconds_of_clock at) {
    auto& p = parts_[static_cast<std::size_t>(partition)];
    auto& h = holdings_[{member, partition}];
    h.epoch = 0;
    h.next = -1;
    // What was committed later may have come too late for this assignment's question.
    h.floor = p.committed_at < at ? p.committed : -1;
    p.owner = member;
    p.owned_since = at;
}

void group_book::delivered(int member, std::int32_t partition, std::uint64_t epoch, std::int64_t offset, std::uint64_t index,
                           std::uint64_t count, nanoseconds_of_clock at) {
    auto& p = parts_[static_cast<std::size_t>(partition)];
    auto& h = holdings_[{member, partition}];
    if (h.next < 0 || h.epoch != epoch) {
        if (offset < h.floor) violated("below_committed", member, partition, offset, std::to_string(h.floor) + " was committed");
        h.epoch = epoch;
    } else if (offset > h.next)
        violated("skipped", member, partition, offset, "it was at " + std::to_string(h.next));
    else if (offset < h.next)
        violated("repeated", member, partition, offset, "it was at " + std::to_string(h.next));
    h.next = offset + static_cast<std::int64_t>(count);
    h.given_to = std::max(h.given_to, h.next);
    if (p.owner >= 0 && p.owner != member && p.owned_since < at) former_ += count;
    for (std::uint64_t i = 0; i < count; ++i) take(p, member, partition, offset + static_cast<std::int64_t>(i), index + i, at);
}

void group_book::delivered_by_foreign(int member, std::int32_t partition, std::int64_t offset, std::uint64_t index, nanoseconds_of_clock at) {
    ++foreign_;
    auto& p = parts_[static_cast<std::size_t>(partition)];
    auto& h = holdings_[{member, partition}];
    if (h.next != offset) {
        // Who it took the partition over from has committed before it let go.
        if (offset < p.committed && p.owner != member) violated("below_committed", member, partition, offset, std::to_string(p.committed) + " was committed");
        p.owner = member;
        p.owned_since = at;
    }
    h.next = offset + 1;
    h.given_to = std::max(h.given_to, h.next);
    take(p, member, partition, offset, index, at);
}

void group_book::foreign_leaves(int member) {
    for (const auto& [where, h] : holdings_)
        if (where.first == member && h.next >= 0) taken_along_.emplace(where.second, h.next);
}

// Acknowledged, not given, and not gone with another client's member: that has the offset behind the record before it.
bool group_book::missing(const part& p, std::int32_t partition, std::uint64_t index) const {
    if (log_.at(partition, index) == 0 || (index < p.offsets.size() && p.offsets[index] != 0)) return false;
    return index == 0 || index > p.offsets.size() || p.offsets[index - 1] == 0 || !taken_along_.contains({partition, p.offsets[index - 1]});
}

void group_book::altered(int member, std::int32_t partition, std::int64_t offset) { violated("altered", member, partition, offset, ""); }

void group_book::committed(int member, std::int32_t partition, std::int64_t offset, nanoseconds_of_clock at) {
    ++commits_;
    auto& p = parts_[static_cast<std::size_t>(partition)];
    if (const auto& h = holdings_[{member, partition}]; offset > h.given_to)
        violated("committed_ahead", member, partition, offset, "it was given what is below " + std::to_string(h.given_to));
    if (offset <= p.committed) return;
    p.committed = offset;
    p.committed_at = at;
}

void group_book::take(part& p, int member, std::int32_t partition, std::int64_t offset, std::uint64_t index, nanoseconds_of_clock at) {
    if (index >= p.offsets.size()) p.offsets.resize(index + 1);
    const auto place = static_cast<std::size_t>(offset);
    if (place >= p.numbers.size()) p.numbers.resize(place + 1);
    if (p.numbers[place] == 0) p.numbers[place] = static_cast<std::uint32_t>(index) + 1;
    else if (p.numbers[place] != static_cast<std::uint32_t>(index) + 1)
        violated("misplaced", member, partition, offset, "numbers " + std::to_string(p.numbers[place] - 1) + " and " + std::to_string(index));
    if (p.offsets[index] != 0) {
        if (p.offsets[index] != static_cast<std::uint32_t>(offset) + 1)
            violated("misplaced", member, partition, offset, "number " + std::to_string(index) + " was at " + std::to_string(p.offsets[index] - 1));
        ++again_;
        return;
    }
    p.offsets[index] = static_cast<std::uint32_t>(offset) + 1;
    ++unique_;
    if (const auto acknowledged = log_.at(partition, index)) waited(p, acknowledged, at);
    p.progress = std::max(p.progress, at);
}

void group_book::waited(part& p, nanoseconds_of_clock acknowledged, nanoseconds_of_clock at) {
    for (auto* m : {&p.marked, &p.healed}) {
        if (m->from == 0 || at <= m->from) continue;
        const auto since = std::max(acknowledged, m->from);
        m->wait = std::max(m->wait, at - since);
        m->stall = std::max(m->stall, at - std::max(since, p.progress));
    }
}

void group_book::mark(nanoseconds_of_clock now) {
    for (auto& p : parts_) {
        p.marked = {now, 0, 0};
        p.healed = {};
    }
}
void group_book::mark_healed(nanoseconds_of_clock now) {
    for (auto& p : parts_) p.healed = {now, 0, 0};
}

void group_book::raise_low(part& p, std::int32_t partition) {
    const auto end = log_.end(partition);
    const auto given = [&](std::uint64_t i) { return i < p.offsets.size() && p.offsets[i] != 0; };
    while (p.low < end && !missing(p, partition, p.low)) {
        // One that is not told yet may still be acknowledged: the mark stays below it, unless those behind it are told.
        if (!given(p.low) && log_.at(partition, p.low) == 0 && p.low + 100'000 > end) break;
        ++p.low;
    }
}

waiting group_book::sum(measure part::*which, nanoseconds_of_clock now) {
    waiting w;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        auto& p = parts_[i];
        const auto number = static_cast<std::int32_t>(i);
        raise_low(p, number);
        auto m = p.*which;
        if (m.from == 0) continue;
        // A wait that has not ended.
        for (auto n = p.low; n < log_.end(number); ++n) {
            if (!missing(p, number, n)) continue;
            const auto since = std::max(log_.at(number, n), m.from);
            m.wait = std::max(m.wait, now - since);
            m.stall = std::max(m.stall, now - std::max(since, p.progress));
            break;
        }
        w.longest_wait = std::max(w.longest_wait, m.wait / milli);
        if (m.stall / milli > w.longest_stall) {
            w.longest_stall = m.stall / milli;
            w.partition = number;
        }
    }
    return w;
}
waiting group_book::since_mark(nanoseconds_of_clock now) { return sum(&part::marked, now); }
waiting group_book::since_healed(nanoseconds_of_clock now) { return sum(&part::healed, now); }

bool group_book::caught_up() { return lagging().empty(); }

bool group_book::caught_up(const std::vector<std::uint64_t>& ends) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        auto& p = parts_[i];
        const auto number = static_cast<std::int32_t>(i);
        raise_low(p, number);
        for (auto n = p.low; n < ends[i]; ++n)
            if (missing(p, number, n)) return false;
    }
    return true;
}

std::string group_book::lagging() {
    std::string out;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        auto& p = parts_[i];
        const auto number = static_cast<std::int32_t>(i);
        raise_low(p, number);
        for (auto n = p.low; n < log_.end(number); ++n) {
            if (!missing(p, number, n)) continue;
            out += (out.empty() ? "" : ", ") + std::to_string(number) + " from " + std::to_string(n) + " of " + std::to_string(log_.end(number));
            break;
        }
    }
    return out;
}

void group_book::finish() {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const auto number = static_cast<std::int32_t>(i);
        for (std::uint64_t n = 0; n < log_.end(number); ++n)
            if (missing(parts_[i], number, n)) violated("lost", -1, number, -1, "number " + std::to_string(n));
    }
}

}  // namespace faults
