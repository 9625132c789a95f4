// Where values lie: each at one place, where its acknowledgement says, in the partition it was sent to; and none is missing.
#include <algorithm>

#include "sim/checks/checks.hpp"

namespace kafkawire::testing::checks {

namespace {

struct placing {
    checker& c;

    void put(std::uint64_t value, place where, id reader, bool in_log, bool visible) {
        const auto sent = c.send_of.find(value);
        std::vector<id> who;
        if (sent != c.send_of.end()) who.push_back(sent->second);
        if (reader != none) who.push_back(reader);
        const auto source = in_log ? std::string{"the log has"} : std::string{"was read:"};
        if (sent == c.send_of.end())
            c.blame("unknown-value", source + " " + c.value_text(value) + " in " + c.at_text(where) + ", which nobody sent", who);
        else if (c.op(sent->second).partition != where.partition)
            c.blame("wrong-partition", source + " " + c.value_text(value) + " in " + c.at_text(where), who);

        const auto [here, first_here] = c.at.try_emplace(where, value);
        if (!first_here && here->second != value)
            c.blame("inconsistent-offsets", c.at_text(where) + " holds " + c.value_text(here->second) + " and " + c.value_text(value), who);
        const auto [known, is_new] = c.values.try_emplace(value, seen{where, reader, in_log, visible, reader != none});
        if (!is_new && !(known->second.where == where)) {
            if (known->second.reader != none) who.push_back(known->second.reader);
            c.blame("duplicate", c.value_text(value) + " lies in " + c.at_text(known->second.where) + " and in " + c.at_text(where), who);
        }
        if (reader != none) known->second.read = true;
    }
};

}  // namespace

void checker::placement() {
    placing p{*this};
    for (const auto& [partition, entries] : h.logs())
        for (const auto& e : entries) p.put(e.value, {partition, e.offset}, none, true, e.visible);
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what != operation::kind::read) continue;
        p.put(o.value, {o.partition, o.offset}, i, false, true);
        const auto sent = send_of.find(o.value);
        if (sent == send_of.end()) continue;
        const auto& s = op(sent->second);
        if (s.result == outcome::ok && o.began > s.ended) {
            // Of the first read only: those that read again from the beginning do not lag.
            if (values.at(o.value).reader == i || values.at(o.value).in_log)
                out.longest_lag = std::max(out.longest_lag, values.at(o.value).reader == i ? o.began - s.ended : 0);
        }
    }
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what != operation::kind::send || o.result != outcome::ok || o.offset < 0 || excused(o)) continue;
        const auto here = at.find({o.partition, o.offset});
        if (here != at.end() && here->second != o.value)
            blame("inconsistent-offsets",
                  at_text({o.partition, o.offset}) + " holds " + value_text(here->second) + ", and " + value_text(o.value) +
                      " was acknowledged there",
                  {i, send_of.count(here->second) ? send_of.at(here->second) : i});
        else if (const auto v = values.find(o.value);
                 v != values.end() && v->second.where.partition == o.partition && v->second.where.offset != o.offset)
            blame("inconsistent-offsets",
                  value_text(o.value) + " was acknowledged at " + std::to_string(o.offset) + " and lies in " + at_text(v->second.where),
                  {i});
    }
}

// Acknowledged is there, failed is not.
void checker::lost() {
    for (id i = 0; i < h.operations().size(); ++i) {
        const auto& o = op(i);
        if (o.what != operation::kind::send) continue;
        const auto v = values.find(o.value);
        const bool found = v != values.end();
        const auto* log = log_of(o.partition);
        if (o.result == outcome::failed && found) {
            // With a transaction, or in the middle of a log that is read as it is: there, but never to be seen.
            if (v->second.in_log && !o.transaction)
                blame("false-failure", value_text(o.value) + " was said not to be persisted, and lies in " + at_text(v->second.where), {i});
            if (v->second.read) {
                std::vector<id> who{i};
                if (v->second.reader != none) who.push_back(v->second.reader);
                blame("aborted-read", value_text(o.value) + " was read although its send failed", std::move(who));
            }
        }
        if (o.result != outcome::ok) continue;
        if (o.transaction) {
            const auto t = of_transaction.find(o.transaction);
            if (t == of_transaction.end() || !t->second.committed()) continue;
        }
        if (log) {
            if (o.offset >= 0 && o.offset < h.log_start(o.partition)) continue;
            if (!found && excused(o)) continue;
            if (!found || !v->second.in_log)
                blame("lost-write", value_text(o.value) + " was acknowledged and is not in the log of " + h.name(o.partition), {i});
            else if (!v->second.visible)
                blame("lost-write", value_text(o.value) + " was committed and counts as aborted in " + at_text(v->second.where), {i});
        }
        if (v != values.end() && v->second.read) continue;
        const auto highest = highest_read.find(o.partition);
        if (highest == highest_read.end() && !options.reading_ended) continue;
        if (!log && highest != highest_read.end() && o.offset >= 0 && o.offset < highest->second && !found)
            blame("lost-write",
                  value_text(o.value) + " was acknowledged at " + std::to_string(o.offset) + " of " + h.name(o.partition) +
                      ", which was read up to " + std::to_string(highest->second) + " without it",
                  {i});
        else if (options.reading_ended && (highest == highest_read.end() || o.offset >= highest->second))
            blame("unseen", value_text(o.value) + " was acknowledged in " + h.name(o.partition) + " and never read", {i});
        else if (options.reading_ended && log)
            blame("unseen", value_text(o.value) + " is in the log of " + h.name(o.partition) + " and was never read", {i});
    }
}

}  // namespace kafkawire::testing::checks
