// The assignment of a consumer group: the target for all, and each member's way to it.
#include <algorithm>

#include "broker/consumer_group_fsm.hpp"

namespace kafkawire::broker {
namespace {

using status_of = consumer_member::status;

const std::set<std::int32_t> empty_set;

// Those of `owned` (what the member says it has; nothing said: everything) that are in `of`.
bool still_has(const std::optional<partition_sets>& owned, const owned_partitions& of) {
    if (!owned) return true;
    for (const auto& [topic, partitions] : *owned) {
        const auto at = of.find(topic);
        if (at == of.end()) continue;
        for (const auto p : partitions)
            if (at->second.count(p) != 0) return true;
    }
    return false;
}

void advance(consumer_member& m, status_of to, std::int32_t epoch, owned_partitions assigned, owned_partitions revoking) {
    m.is = to;
    m.previous_epoch = m.epoch;
    m.epoch = epoch;
    m.assigned = std::move(assigned);
    m.revoking = std::move(revoking);
}

}  // namespace

void consumer_group_fsm::maybe_assign(const topic_directory& topics, const moment& now, group_actions& out) {
    if (assignment_epoch_ >= epoch_) return;
    // Members that come one after the other are assigned together.
    if (assignment_time_ != 0 && limits_.assignment_interval.count() != 0 && now.wall_ms() < assignment_time_ + limits_.assignment_interval.count()) return;
    assignor_members spec;
    assignor_topics known;
    for (const auto& name : subscribed_names())
        if (const auto t = topics.find(name)) known[t->id] = t->partitions;
    for (const auto& [id, m] : members_) {
        auto& to = spec[id];
        to.instance_id = m.instance_id;
        to.topics = subscribed_ids(m, topics);
        if (const auto at = targets_.find(id); at != targets_.end()) to.before = at->second;
    }
    auto result = assignor() == "range" ? assign_range(spec, known) : assign_uniform(spec, known);
    for (const auto& [id, m] : members_) {
        auto& mine = result[id];
        const auto at = targets_.find(id);
        if (at != targets_.end() && at->second == mine) continue;
        targets_[id] = std::move(mine);
        out.emplace_back(store_part{store_part::kind::target, id});
    }
    assignment_epoch_ = epoch_;
    assignment_time_ = now.wall_ms();
    out.emplace_back(store_part{store_part::kind::target_epoch, {}});
}

void consumer_group_fsm::reconcile(consumer_member& m, bool subscription_changed, const std::optional<partition_sets>& owned, const topic_directory& topics) const {
    if (!subscription_changed && m.is == status_of::stable && m.epoch == assignment_epoch_) return;
    const auto subscribed = subscribed_ids(m, topics);
    switch (m.is) {
        case status_of::stable:
            if (m.epoch != assignment_epoch_)
                next_assignment(m, owned, subscribed);
            else
                drop_unsubscribed(m, owned, subscribed);
            break;
        case status_of::unrevoked_partitions:
            if (!still_has(owned, m.revoking))
                next_assignment(m, owned, subscribed);
            else if (subscription_changed)
                drop_unsubscribed(m, owned, subscribed);
            break;
        case status_of::unreleased_partitions: next_assignment(m, owned, subscribed); break;
    }
}

// What stays, what must be given up, what can be taken and what others still have.
void consumer_group_fsm::next_assignment(consumer_member& m, const std::optional<partition_sets>& owned, const std::set<protocol::uuid>& subscribed) const {
    owned_partitions kept, revoked;
    partition_sets wanted;
    bool unreleased = false;
    const auto target_of = [&](const protocol::uuid& topic) -> const std::set<std::int32_t>& {
        if (subscribed.count(topic) == 0) return empty_set;
        const auto mine = targets_.find(m.id);
        if (mine == targets_.end()) return empty_set;
        const auto at = mine->second.find(topic);
        return at == mine->second.end() ? empty_set : at->second;
    };
    for (const auto& [topic, partitions] : m.assigned) {
        const auto& target = target_of(topic);
        for (const auto& [p, since] : partitions) (target.count(p) != 0 ? kept : revoked)[topic][p] = since;
    }
    if (const auto mine = targets_.find(m.id); mine != targets_.end()) {
        for (const auto& [topic, unused] : mine->second) {
            const auto held = m.assigned.find(topic);
            const auto giving_up = m.revoking.find(topic);
            for (const auto p : target_of(topic)) {
                if (held != m.assigned.end() && held->second.count(p) != 0) continue;
                const bool own = giving_up != m.revoking.end() && giving_up->second.count(p) != 0;
                if (is_owned(topic, p) && !own)
                    unreleased = true;
                else
                    wanted[topic].insert(p);
            }
        }
    }
    if (!revoked.empty() && still_has(owned, revoked)) return advance(m, status_of::unrevoked_partitions, m.epoch, std::move(kept), std::move(revoked));
    for (const auto& [topic, partitions] : wanted)
        for (const auto p : partitions) kept[topic][p] = assignment_epoch_;
    advance(m, unreleased ? status_of::unreleased_partitions : status_of::stable, assignment_epoch_, std::move(kept), {});
}

// The subscription changed, and the target is not there yet: what is no longer subscribed to goes at once.
void consumer_group_fsm::drop_unsubscribed(consumer_member& m, const std::optional<partition_sets>& owned, const std::set<protocol::uuid>& subscribed) const {
    owned_partitions kept, revoked = m.revoking;
    bool any = false;
    for (const auto& [topic, partitions] : m.assigned) {
        if (subscribed.count(topic) != 0) {
            kept[topic] = partitions;
            continue;
        }
        any = true;
        revoked[topic].insert(partitions.begin(), partitions.end());
    }
    if (!any) return;
    if (still_has(owned, revoked)) return advance(m, status_of::unrevoked_partitions, m.epoch, std::move(kept), std::move(revoked));
    advance(m, m.is, m.epoch, std::move(kept), m.revoking);
}

std::set<protocol::uuid> consumer_group_fsm::subscribed_ids(const consumer_member& m, const topic_directory& topics) const {
    std::set<protocol::uuid> ids;
    const auto add = [&](const std::set<std::string>& names) {
        for (const auto& name : names)
            if (const auto t = topics.find(name)) ids.insert(t->id);
    };
    add(m.topics);
    if (m.has_regex())
        if (const auto r = resolved_.find(*m.regex); r != resolved_.end()) add(r->second.topics);
    return ids;
}

std::set<std::string> consumer_group_fsm::subscribed_names() const {
    std::set<std::string> names;
    for (const auto& [name, n] : names_) names.insert(name);
    for (const auto& [regex, r] : resolved_) names.insert(r.topics.begin(), r.topics.end());
    return names;
}

// Tells whether the group's topics have changed: FNV-1a over names, ids and numbers of partitions. Kafka has another function (XXH3) there;
// nobody but the coordinator itself reads it.
std::int64_t consumer_group_fsm::hash_of_topics(const topic_directory& topics) const {
    std::uint64_t hash = 0xcbf29ce484222325u;
    bool any = false;
    const auto mix = [&](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3u; };
    for (const auto& name : subscribed_names()) {
        const auto t = topics.find(name);
        if (!t) continue;
        any = true;
        for (const auto c : name) mix(static_cast<std::uint8_t>(c));
        for (const auto o : t->id.octets) mix(o);
        for (int i = 0; i < 32; i += 8) mix(static_cast<std::uint8_t>(static_cast<std::uint32_t>(t->partitions) >> i));
    }
    return any ? static_cast<std::int64_t>(hash) : 0;
}

bool consumer_group_fsm::is_owned(const protocol::uuid& topic, std::int32_t partition) const { return owners_.count({topic, partition}) != 0; }

bool consumer_group_fsm::is_subscribed_to(const std::string& topic) const {
    if (names_.count(topic) != 0) return true;
    return std::any_of(resolved_.begin(), resolved_.end(), [&](const auto& r) { return r.second.topics.count(topic) != 0; });
}

std::string consumer_group_fsm::assignor() const {
    const auto most = std::max_element(assignors_.begin(), assignors_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == assignors_.end() ? limits_.default_assignor : most->first;
}

// What is counted from the members.

void consumer_group_fsm::count(const consumer_member& m, int by) {
    const auto change = [by](std::map<std::string, int>& in, const std::string& name) {
        const auto at = in.emplace(name, 0).first;
        if ((at->second += by) <= 0) in.erase(at);
    };
    for (const auto& name : m.topics) change(names_, name);
    if (m.has_regex()) change(regexes_, *m.regex);
    if (m.assignor) change(assignors_, *m.assignor);
}

void consumer_group_fsm::own(const consumer_member& m, bool add) {
    for (const auto* owned : {&m.assigned, &m.revoking})
        for (const auto& [topic, partitions] : *owned)
            for (const auto& [p, since] : partitions) {
                if (add) {
                    ++owners_[{topic, p}];
                } else if (const auto at = owners_.find({topic, p}); at != owners_.end() && --at->second <= 0) {
                    owners_.erase(at);
                }
            }
}

void consumer_group_fsm::install(consumer_member m) {
    uninstall(m.id);
    count(m, 1);
    own(m, true);
    if (m.instance_id) static_members_[*m.instance_id] = m.id;
    auto id = m.id;
    members_.insert_or_assign(std::move(id), std::move(m));
}

void consumer_group_fsm::uninstall(const std::string& id) {
    const auto at = members_.find(id);
    if (at == members_.end()) return;
    count(at->second, -1);
    own(at->second, false);
    if (at->second.instance_id) {
        const auto known = static_members_.find(*at->second.instance_id);
        if (known != static_members_.end() && known->second == id) static_members_.erase(known);
    }
    members_.erase(at);
}

// Read back from the log.

void consumer_group_fsm::restore_epoch(std::int32_t epoch, std::int64_t hash) {
    epoch_ = epoch;
    hash_ = hash;
}

void consumer_group_fsm::restore_target_epoch(std::int32_t epoch, std::int64_t time) {
    assignment_epoch_ = epoch;
    assignment_time_ = time;
}

void consumer_group_fsm::restore_member(consumer_member m) {
    if (const auto at = members_.find(m.id); at != members_.end()) {
        m.epoch = at->second.epoch;
        m.previous_epoch = at->second.previous_epoch;
        m.is = at->second.is;
        m.assigned = at->second.assigned;
        m.revoking = at->second.revoking;
    }
    install(std::move(m));
}

void consumer_group_fsm::restore_progress(const std::string& id, const consumer_member& from) {
    consumer_member m;
    if (const auto at = members_.find(id); at != members_.end()) m = at->second;
    m.id = id;
    m.epoch = from.epoch;
    m.previous_epoch = from.previous_epoch;
    m.is = from.is;
    m.assigned = from.assigned;
    m.revoking = from.revoking;
    install(std::move(m));
}

void consumer_group_fsm::restore_target(const std::string& id, partition_sets target) { targets_[id] = std::move(target); }
void consumer_group_fsm::restore_regex(const std::string& regex, resolved_regex r) { resolved_[regex] = std::move(r); }

void consumer_group_fsm::forget(const store_part& what) {
    switch (what.what) {
        case store_part::kind::member: uninstall(what.name); break;
        case store_part::kind::target: targets_.erase(what.name); break;
        case store_part::kind::regex: resolved_.erase(what.name); break;
        case store_part::kind::current:
            if (const auto at = members_.find(what.name); at != members_.end()) {
                auto m = at->second;
                m.epoch = m.previous_epoch = 0;
                m.is = consumer_member::status::stable;
                m.assigned.clear();
                m.revoking.clear();
                install(std::move(m));
            }
            break;
        case store_part::kind::target_epoch: assignment_epoch_ = 0; break;
        case store_part::kind::epoch: epoch_ = 0; break;
    }
}

}  // namespace kafkawire::broker
