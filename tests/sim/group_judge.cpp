#include "group_judge.hpp"

#include <algorithm>

namespace schedules {

void group_judge::blame(const std::string& name, std::string text) {
    if (++found_[name] > 3) return;
    text_ += (text_.empty() ? "" : "\n") + name + ": at " + std::to_string(static_cast<double>(now()) * 1e-9) + " s " + std::move(text);
}

std::string group_judge::name(const member& m, partition p) const { return "member " + std::to_string(m.number) + " and " + history_.name(p) + ": "; }

group_judge::member& group_judge::arrives() {
    const auto number = static_cast<std::int32_t>(members_.size() + 1);
    auto& m = members_[number];
    m.number = number;
    return m;
}

void group_judge::goes(member& m) {
    m.gone = true;
    m.holds.clear();
}

std::int64_t group_judge::committed(partition p) const {
    const auto at = committed_.find(p);
    return at == committed_.end() ? 0 : at->second;
}

std::int64_t group_judge::stands(partition p) const {
    if (shared) {
        std::int64_t least = -1;
        for (const auto& [number, m] : members_)
            if (!m.gone) {
                const auto at = m.holds.find(p);
                const auto stands = at == m.holds.end() ? -1 : at->second.next.value_or(0);
                if (stands < 0) return -1;
                least = least < 0 ? stands : std::min(least, stands);
            }
        return least;
    }
    std::int64_t far = -1;
    for (const auto& [number, m] : members_)
        if (const auto at = m.holds.find(p); at != m.holds.end() && at->second.reading && counted(m)) far = std::max(far, at->second.next.value_or(committed(p)));
    return far;
}

std::string group_judge::owners(partition p) const {
    std::string all;
    for (const auto& [number, m] : members_)
        if (const auto at = m.holds.find(p); at != m.holds.end())
            all += " member " + std::to_string(number) + (at->second.reading ? "" : " (not reading)") + (counted(m) ? "" : " (no member any more)") +
                   " at " + (at->second.next ? std::to_string(*at->second.next) : "its start");
    return all.empty() ? " nobody" : all;
}

bool group_judge::overdue(const member& m) const {
    return std::ranges::any_of(m.holds, [&](const auto& h) { return h.second.gone_by.value_or(now()) < now(); });
}

// --- partitions come and go ---

void group_judge::assigned(member& m, partition p, bool former) {
    ++assignments;
    refresh();
    if (m.holds.count(p)) blame("two-owners", name(m, p) + "it comes, and was there already");
    const auto of = topic_ - (former ? 1 : 0);
    for (const auto& [number, other] : members_)
        if (const auto had = other.holds.find(p); !shared && !former && number != m.number && had != other.holds.end() && had->second.gone_by.value_or(now()) >= now() && had->second.losses == other.losses && had->second.first_topic == topic_ && !overdue(other) && counted(other) && counted(m))
            blame("two-owners", name(m, p) + "it comes, and member " + std::to_string(number) + " still has it");
    auto& h = m.holds[p];
    h = {};
    h.epoch = ++epochs_;
    h.starts.push_back(committed(p));
    h.losses = m.losses;
    h.topic = h.first_topic = of;
    h.unclear = former;
    h.lost = cut_[p];
}

void group_judge::may_read(member& m, partition p) {
    if (const auto at = m.holds.find(p); at != m.holds.end()) at->second.reading = true;
}

void group_judge::revoking(member& m, partition p, std::int64_t by) {
    const auto at = m.holds.find(p);
    if (at == m.holds.end()) return blame("not-owned", name(m, p) + "it is revoked, and was not assigned");
    at->second.reading = false;
    at->second.gone_by = by;
}

void group_judge::given_up(member& m, partition p) { m.holds.erase(p); }

void group_judge::sought(member& m, partition p, std::int64_t to) {
    const auto at = m.holds.find(p);
    if (at == m.holds.end()) return;
    at->second.next = to;
    at->second.sought = true;
    at->second.read = false;
    at->second.owed.clear();
    at->second.epoch = ++epochs_;
    allow_back_again(p);
    if (!lossy) history_.assign(m.number, -1, at->second.epoch, p, to, now());
}

void group_judge::paused(member& m, partition p, bool yes) {
    if (const auto at = m.holds.find(p); at != m.holds.end()) at->second.paused = yes;
}

// --- records ---

void group_judge::handed_out(member& m, partition p, std::uint64_t assignment, std::int64_t poll, std::span<const record> records, std::int64_t next) {
    const auto at = m.holds.find(p);
    handed += records.size();
    if (at == m.holds.end() || !at->second.reading || at->second.paused) {
        blame("not-owned", name(m, p) + std::to_string(records.size()) + " records are handed out, " +
                               (at == m.holds.end() ? "and it is not the member's" : at->second.paused ? "and it is paused" : "while it comes or goes"));
        if (at == m.holds.end()) return;
    }
    auto& h = at->second;
    if (h.assignment != 0 && assignment != 0 && h.assignment != assignment) blame("not-owned", name(m, p) + "records of another assignment than before");
    if (assignment != 0) h.assignment = assignment;
    for (const auto& r : records) {
        if (!h.next) {
            if (!starts_unknown && !foreign_.count(p) && std::ranges::find(h.starts, r.offset) == h.starts.end() && !(gaps && std::ranges::any_of(h.starts, [&](auto s) { return s < r.offset; })))
                blame("wrong-start", name(m, p) + "begins at " + std::to_string(r.offset) + ", the group has committed " + std::to_string(h.starts.back()));
            if (!lossy) history_.assign(m.number, -1, h.epoch, p, r.offset, now());
        } else if (r.offset < *h.next) {
            blame("repeat", name(m, p) + std::to_string(r.offset) + " comes again, behind " + std::to_string(*h.next - 1));
        } else if (r.offset > *h.next && !gaps) {
            blame("skip", name(m, p) + std::to_string(r.offset) + " comes behind " + std::to_string(*h.next - 1));
        }
        h.next = r.offset + 1;
        h.sought = false;
        if (lossy) look_at(m, p, h, r);
        else history_.read(m.number, h.epoch, poll, p, r.offset, r.value, now());
        h.read = true;
    }
    if (next < h.next.value_or(0)) blame("repeat", name(m, p) + "reading is to go on at " + std::to_string(next) + ", behind " + std::to_string(*h.next - 1));
    else if (!gaps && h.next && next != *h.next) blame("skip", name(m, p) + "reading is to go on at " + std::to_string(next) + ", behind " + std::to_string(*h.next - 1));
    h.next = std::max(next, h.next.value_or(0));
    m.handed[p] = *h.next;
}

// --- commits ---

void group_judge::processed(member& m, partition p, std::int64_t next) {
    auto& to = m.processed[p];
    to = std::max(to, next);
}

void group_judge::lost(member& m, partition p) {
    given_up(m, p);
    m.under_way[p] = {m.generation, now() + 5'000'000'000};
}

void group_judge::taken(const std::string& id, std::int32_t generation, partition p, std::int64_t offset, const std::set<std::string>& members) {
    ++commits;
    refresh();
    auto* const m = find(id);
    if (!m) return blame("commit-not-owned", "an offset of " + history_.name(p) + " from nobody that we know: " + id);
    const auto done = m->processed.find(p);
    if (const auto had = m->holds.find(p); topic_ > 0 && had != m->holds.end() && had->second.topic != topic_ && !had->second.unclear) {
        if (!by_name && offset > 0) blame("commit-of-former", name(*m, p) + "commits " + std::to_string(offset));
        foreign_.insert(p);
    } else if (by_name && topic_ > 0) {
        foreign_.insert(p);                                 // it may have been on its way since before
    } else if (done == m->processed.end() || offset > done->second)
        blame("commit-ahead", name(*m, p) + "commits " + std::to_string(offset) + ", has processed " + (done == m->processed.end() ? "nothing" : std::to_string(done->second)));
    const auto mine = m->holds.find(p);
    const bool former = mine != m->holds.end() && mine->second.first_topic != topic_;
    const auto late = m->under_way.find(p);
    const bool was_under_way = late != m->under_way.end() && generation == late->second.generation && now() <= late->second.until;
    for (const auto& [number, other] : members_) {
        if (former || was_under_way) break;
        const auto has = other.holds.find(p);
        if (number == m->number || has == other.holds.end() || has->second.gone_by.value_or(now()) < now() || has->second.losses != other.losses || has->second.first_topic != topic_ || overdue(other)) continue;
        if (std::ranges::any_of(other.ids, [&](const auto& i) { return members.count(i) != 0; }))
            blame("commit-not-owned", name(*m, p) + "commits " + std::to_string(offset) + ", member " + std::to_string(number) + " has it");
    }
    auto& now_at = committed_[p];
    auto& back = may_go_back_[p];
    if (offset < now_at && back == 0 && !was_under_way) blame("commit-back", name(*m, p) + "commits " + std::to_string(offset) + " behind " + std::to_string(now_at));
    if (offset < now_at) back = std::max(back - 1, 0);
    now_at = offset;
    auto& most = m->taken[p];
    most = std::max(most, offset);
    for (auto& [number, other] : members_)
        if (const auto at = other.holds.find(p); at != other.holds.end() && !at->second.next) at->second.starts.push_back(offset);
}

// --- what the cluster forgets ---

void group_judge::truncated(partition p, std::int64_t from, std::uint64_t value) {
    cut_[p].insert(from);
    allow_back_again(p);
    auto& seen = seen_[p];
    seen.erase(seen.lower_bound(from), seen.end());
    for (auto& [number, m] : members_) {
        const auto at = m.holds.find(p);
        if (at == m.holds.end()) continue;
        auto& h = at->second;
        h.lost.insert(from);
        h.unsure = value;                                   // of what is fetched, and not handed out yet
        if (h.read && h.next && *h.next > from) h.owed[from] = value;
    }
}

void group_judge::topic_gone(std::uint64_t value) {
    ++topic_;
    topic_value_ = value;
    committed_.clear();
    seen_.clear();
    cut_.clear();
    foreign_.clear();
    for (auto& [number, m] : members_)
        for (auto& [p, h] : m.holds) {
            allow_back(p);
            h.unsure = value;
            h.unclear = !h.read;
            h.starts.push_back(0);
            if (h.unclear) h.assignment = 0;
        }
}

void group_judge::told_truncated(member& m, partition p, std::int64_t to) {
    ++alarms;
    const auto at = m.holds.find(p);
    if (at == m.holds.end()) return;
    auto& h = at->second;
    if (!h.lost.count(to)) blame("false-alarm", name(m, p) + "the log is said to be cut off at " + std::to_string(to));
    h.lost.erase(h.lost.lower_bound(to), h.lost.end());
    h.owed.erase(h.owed.lower_bound(to), h.owed.end());
    h.unsure.reset();
    h.next = to;
    allow_back(p);
}

void group_judge::told_recreated(member& m, partition p) {
    ++alarms;
    const auto at = m.holds.find(p);
    if (at == m.holds.end()) return;
    auto& h = at->second;
    if (!misled && h.topic == topic_ && h.read && !h.unclear) blame("false-alarm", name(m, p) + "the topic is said to be another one");
    const auto was = h;
    h = {};
    h.epoch = ++epochs_;
    h.reading = was.reading;
    h.paused = was.paused;
    h.gone_by = was.gone_by;
    h.losses = was.losses;
    h.first_topic = was.first_topic;
    h.topic = topic_;
    h.starts = {0};
    allow_back(p);
    m.handed.erase(p);
    m.taken.erase(p);
    if (was.topic != topic_) m.processed.erase(p);          // after a lie, commits that are under way are of this very topic
}

void group_judge::told_reset(member& m, partition p, std::int64_t to) {
    ++alarms;
    const auto at = m.holds.find(p);
    if (at == m.holds.end()) return;
    auto& h = at->second;
    const bool all_lost = h.lost.count(0) != 0;             // then nothing is left that would say where they part
    if (!(topic_ > 0 || (!h.lost.empty() && (h.sought || !h.read || all_lost)))) blame("false-alarm", name(m, p) + "its position is moved to " + std::to_string(to));
    if (to != 0) blame("false-alarm", name(m, p) + "its position is moved to " + std::to_string(to) + ", which is not the beginning");
    h.lost.clear();
    h.owed.clear();
    h.unsure.reset();
    h.next = to;
    allow_back(p);
}

// Values go up with time: one that is as high as those that were written after a loss is of the log as it is now.
void group_judge::look_at(const member& m, partition p, holding& h, const record& r) {
    for (const auto& [from, value] : h.owed)
        if (r.offset >= from && r.value >= value) {
            blame("not-told", name(m, p) + std::to_string(r.offset) + " is of a log that was cut off at " + std::to_string(from));
            h.owed.clear();
            break;
        }
    if (h.topic != topic_ && r.value >= topic_value_) {
        if (h.read && !h.unclear) blame("not-told", name(m, p) + std::to_string(r.offset) + " is of another topic of that name");
        h.topic = topic_;
    }
    if (h.unsure && r.value >= *h.unsure) h.unsure.reset();
    if (h.unsure || h.topic != topic_) return;
    const auto [at, fresh] = seen_[p].try_emplace(r.offset, r.value);
    if (!fresh && at->second != r.value)
        blame("wrong-value", name(m, p) + std::to_string(r.offset) + " has the value " + std::to_string(r.value) + ", and had " + std::to_string(at->second));
}

bool group_judge::all_told(partition p) const {
    return std::ranges::all_of(members_, [&](const auto& one) {
        const auto at = one.second.holds.find(p);
        return at == one.second.holds.end() || !at->second.reading || !counted(one.second) || at->second.owed.empty();
    });
}

void group_judge::compare(const std::map<partition, std::vector<kw::testing::log_entry>>& logs) {
    for (const auto& [p, all] : logs)
        for (const auto& e : all) {
            const auto& seen = seen_[p];
            const auto at = seen.find(e.offset);
            if (at != seen.end() && at->second != e.value)
                blame("wrong-value", history_.name(p) + " has " + std::to_string(e.value) + " at " + std::to_string(e.offset) + ", read was " + std::to_string(at->second));
        }
}

void group_judge::told_committed(member& m, partition p, std::int64_t offset) {
    const auto at = m.taken.find(p);
    if (at == m.taken.end() || at->second < offset) blame("false-commit", name(m, p) + std::to_string(offset) + " is told to be committed, and never was");
}

void group_judge::closed_well(member& m, const std::map<partition, std::int64_t>& stood) {
    for (const auto& [p, next] : stood)
        if (committed(p) < next) blame("commit-missing", name(m, p) + "closed at " + std::to_string(next) + ", committed is " + std::to_string(committed(p)));
}

}  // namespace schedules
