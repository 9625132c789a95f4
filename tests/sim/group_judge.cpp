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

// --- partitions come and go ---

void group_judge::assigned(member& m, partition p) {
    ++assignments;
    if (m.holds.count(p)) blame("two-owners", name(m, p) + "it comes, and was there already");
    for (const auto& [number, other] : members_)
        if (const auto had = other.holds.find(p); !shared && number != m.number && had != other.holds.end() && had->second.gone_by.value_or(now()) >= now() && counted(other) && counted(m))
            blame("two-owners", name(m, p) + "it comes, and member " + std::to_string(number) + " still has it");
    auto& h = m.holds[p];
    h = {};
    h.epoch = ++epochs_;
    h.starts.push_back(committed(p));
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
    at->second.epoch = ++epochs_;
    may_go_back_[p] = true;
    history_.assign(m.number, -1, at->second.epoch, p, to, now());
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
            if (!starts_unknown && std::ranges::find(h.starts, r.offset) == h.starts.end() && !(gaps && std::ranges::any_of(h.starts, [&](auto s) { return s < r.offset; })))
                blame("wrong-start", name(m, p) + "begins at " + std::to_string(r.offset) + ", the group has committed " + std::to_string(h.starts.back()));
            history_.assign(m.number, -1, h.epoch, p, r.offset, now());
        } else if (r.offset < *h.next) {
            blame("repeat", name(m, p) + std::to_string(r.offset) + " comes again, behind " + std::to_string(*h.next - 1));
        } else if (r.offset > *h.next && !gaps) {
            blame("skip", name(m, p) + std::to_string(r.offset) + " comes behind " + std::to_string(*h.next - 1));
        }
        h.next = r.offset + 1;
        h.sought = false;
        history_.read(m.number, h.epoch, poll, p, r.offset, r.value, now());
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

void group_judge::taken(const std::string& id, partition p, std::int64_t offset, const std::set<std::string>& members) {
    ++commits;
    auto* const m = find(id);
    if (!m) return blame("commit-not-owned", "an offset of " + history_.name(p) + " from nobody that we know: " + id);
    const auto done = m->processed.find(p);
    if (done == m->processed.end() || offset > done->second)
        blame("commit-ahead", name(*m, p) + "commits " + std::to_string(offset) + ", has processed " + (done == m->processed.end() ? "nothing" : std::to_string(done->second)));
    for (const auto& [number, other] : members_) {
        const auto has = other.holds.find(p);
        if (number == m->number || has == other.holds.end() || has->second.gone_by.value_or(now()) < now()) continue;
        if (std::ranges::any_of(other.ids, [&](const auto& i) { return members.count(i) != 0; }))
            blame("commit-not-owned", name(*m, p) + "commits " + std::to_string(offset) + ", member " + std::to_string(number) + " has it");
    }
    auto& now_at = committed_[p];
    auto& back = may_go_back_[p];
    if (offset < now_at && !back) blame("commit-back", name(*m, p) + "commits " + std::to_string(offset) + " behind " + std::to_string(now_at));
    if (offset < now_at) back = false;
    now_at = offset;
    auto& most = m->taken[p];
    most = std::max(most, offset);
    for (auto& [number, other] : members_)
        if (const auto at = other.holds.find(p); at != other.holds.end() && !at->second.next) at->second.starts.push_back(offset);
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
