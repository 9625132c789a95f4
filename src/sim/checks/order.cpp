// The order of a producer's records in each partition, and the order in which consumers read, epoch by epoch.
#include <algorithm>

#include "sim/checks/checks.hpp"

namespace kafkawire::testing::checks {

void checker::order_of_sends() {
    struct last {
        std::int64_t offset = -1;
        id send = none;
    };
    std::map<std::pair<std::int32_t, std::int32_t>, last> before;  // by producer and partition
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what != operation::kind::send) continue;
        // Where it lies; what was acknowledged and is not known to lie anywhere, where it was said to lie.
        const auto v = values.find(o.value);
        const auto offset = v != values.end() && v->second.where.partition == o.partition ? v->second.where.offset
                            : o.result == outcome::ok && !excused(o)                      ? o.offset
                                                                                          : -1;
        if (offset < 0) continue;
        auto& b = before[{o.process, o.partition}];
        if (offset < b.offset)
            blame("nonmonotonic-send",
                  "producer " + std::to_string(o.process) + " sent " + value_text(o.value) + " to " + h.name(o.partition) +
                      " later, and it lies before, at " + std::to_string(offset),
                  {b.send, i});
        if (offset > b.offset) b = {offset, i};
    }
}

namespace {

// One consumer reading one partition under one assignment.
struct stream_key {
    std::int32_t process, partition;
    std::int64_t epoch;
    auto operator<=>(const stream_key&) const = default;
};
struct stream_state {
    std::int64_t next = -1;  // -1: wherever it begins
    id last = none;
    std::size_t cursor = 0;  // into the offsets of the partition
    bool began = false;
};

// What there is to be read of a partition, in order: from the log, else whatever anybody read or was acknowledged.
struct offsets_of {
    std::vector<std::int64_t> all, visible;
};

}  // namespace

void checker::reading() {
    std::map<std::int32_t, offsets_of> there;
    for (const auto& [partition, entries] : h.logs())
        for (const auto& e : entries) {
            there[partition].all.push_back(e.offset);
            if (e.visible) there[partition].visible.push_back(e.offset);
        }
    for (const auto& o : h.operations()) {
        if (o.what != operation::kind::read || log_of(o.partition)) continue;
        there[o.partition].all.push_back(o.offset);
        if (o.committed_only) there[o.partition].visible.push_back(o.offset);
    }
    for (auto& [partition, t] : there)
        for (auto* list : {&t.all, &t.visible}) {
            if (!std::ranges::is_sorted(*list)) std::ranges::sort(*list);
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }

    std::map<stream_key, stream_state> streams;
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what == operation::kind::assign) {
            auto& s = streams[{o.process, o.partition, o.epoch}];
            s.next = o.offset;
            s.last = i;
            continue;
        }
        if (o.what != operation::kind::read) continue;
        auto& s = streams[{o.process, o.partition, o.epoch}];
        const bool same_poll = s.began && op(s.last).poll == o.poll;
        const auto which = [&](const char* inside, const char* between) { return same_poll ? inside : between; };
        std::vector<id> who;
        if (s.last != none) who.push_back(s.last);
        who.push_back(i);
        const auto story = "consumer " + std::to_string(o.process) + " in epoch " + std::to_string(o.epoch) + " read " +
                           h.name(o.partition) + " at " + std::to_string(o.offset) + ", ";
        if (s.next >= 0 && o.offset < s.next) {
            blame(which("int-nonmonotonic-poll", "nonmonotonic-poll"), story + "expected " + std::to_string(s.next) + " or above", who);
        } else if (s.next >= 0) {
            const auto& list = o.committed_only ? there[o.partition].visible : there[o.partition].all;
            while (s.cursor < list.size() && list[s.cursor] < s.next) ++s.cursor;
            if (s.cursor < list.size() && list[s.cursor] < o.offset) {
                const auto v = at.find({o.partition, list[s.cursor]});
                blame(
                    which("int-poll-skip", "poll-skip"),
                    story + "and passed over " + std::to_string(list[s.cursor]) + (v == at.end() ? "" : " (" + value_text(v->second) + ")"),
                    who);
            }
        }
        if (o.offset + 1 > s.next) s.next = o.offset + 1;
        s.last = i;
        s.began = true;
    }
}

}  // namespace kafkawire::testing::checks
