#include "broker/consumer_group_fsm.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "broker/consumer_group_regex.hpp"

namespace kafkawire::broker {
namespace {

using part_kind = store_part::kind;

void store(group_actions& out, part_kind what, std::string name = {}) { out.emplace_back(store_part{what, std::move(name)}); }

constexpr milliseconds regex_batch_interval{10'000};  // expressions are resolved no more often, whatever members ask for

group_error unknown_member(const std::string& member, const std::string& group) {
    return {broker_errc::unknown_member_id, "Member " + member + " is not a member of group " + group + "."};
}

}  // namespace

bool consumer_member::same_subscription(const consumer_member& o) const noexcept {
    return instance_id == o.instance_id && rack_id == o.rack_id && client_id == o.client_id && client_host == o.client_host && topics == o.topics && regex == o.regex &&
           rebalance_timeout_ms == o.rebalance_timeout_ms && assignor == o.assignor && classic == o.classic;
}

bool consumer_member::same_progress(const consumer_member& o) const noexcept {
    return epoch == o.epoch && previous_epoch == o.previous_epoch && is == o.is && assigned == o.assigned && revoking == o.revoking;
}

std::string_view consumer_group_fsm::state_name() const noexcept {
    static constexpr std::array<std::string_view, 5> names{"Empty", "Assigning", "Reconciling", "Stable", "Dead"};
    return names[static_cast<std::size_t>(is_)];
}

void consumer_group_fsm::transition(status to, std::string_view) {
    if (!legal[static_cast<std::size_t>(is_)][static_cast<std::size_t>(to)]) throw std::logic_error("consumer_group_fsm: illegal transition");
    is_ = to;
}

void consumer_group_fsm::settle() {
    if (is_ == status::dead) return;
    if (members_.empty()) return transition(status::empty, "no members");
    if (epoch_ > assignment_epoch_) return transition(status::assigning, "the target is of an older epoch");
    const bool there = std::all_of(members_.begin(), members_.end(),
                                   [&](const auto& m) { return m.second.is == consumer_member::status::stable && m.second.epoch == assignment_epoch_; });
    transition(there ? status::stable : status::reconciling, "members are at their targets, or not");
}

// Events.

heartbeat_answer consumer_group_fsm::heartbeat(const consumer_heartbeat& h, const topic_directory& topics, const moment& now, group_actions& out) {
    consumer_member before;
    std::string replaces;
    auto answer = join_or_find(h, before, replaces);
    if (answer.error) return answer;
    auto after = before;
    if (h.instance_id) after.instance_id = h.instance_id;
    if (h.rack_id) after.rack_id = h.rack_id;
    if (h.rebalance_timeout_ms != -1) after.rebalance_timeout_ms = h.rebalance_timeout_ms;
    if (h.assignor) after.assignor = h.assignor;
    if (h.topics) after.topics = {h.topics->begin(), h.topics->end()};
    if (h.regex) after.regex = h.regex;
    after.client_id = h.client_id;
    after.client_host = h.client_host;
    after.classic.reset();
    if (after.regex != before.regex && after.has_regex() && regexes_.count(*after.regex) == 0) {
        if (const auto wrong = regex_error(*after.regex)) {
            answer.error = {broker_errc::invalid_regular_expression, "SubscribedTopicRegex `" + *after.regex + "` is not a valid regular expression: " + *wrong + "."};
            return answer;
        }
    }
    take_part(before, after, replaces, h.owned, topics, now, out);
    const bool full = h.rebalance_timeout_ms != -1 && (h.topics || h.regex) && h.owned;
    answer.epoch = after.epoch;
    if (h.epoch == 0 || full || after.assigned != before.assigned) answer.assignment = after.assigned;
    return answer;
}

// What a heartbeat and a classic member's join have in common: from the member as it was to the member as it is now.
void consumer_group_fsm::take_part(const consumer_member& before, consumer_member& after, const std::string& replaces, const std::optional<partition_sets>& owned,
                                   const topic_directory& topics, const moment& now, group_actions& out) {
    if (!replaces.empty()) replace_static(replaces, before, out);
    const bool is_new = members_.count(before.id) == 0;
    const bool names_changed = after.topics != before.topics;
    bool regex_resolved = false;
    const bool regex_changed = update_regex(before, after, regex_resolved, out);
    if (is_new || !after.same_subscription(before)) store(out, part_kind::member, after.id);
    if (is_new || !after.same_subscription(before)) install(after);
    const auto hash = hash_of_topics(topics);
    if (names_changed || regex_resolved || hash != hash_) bump(hash, out);
    maybe_assign(topics, now, out);
    reconcile(after, names_changed || regex_changed, owned, topics);
    if (!after.same_progress(before)) {
        store(out, part_kind::current, after.id);
        install(after);
        if (after.is == consumer_member::status::unrevoked_partitions && !after.classic)  // classic ones have their time to join again
            out.emplace_back(set_group_timer{group_timer::rebalance, after.id, milliseconds{after.rebalance_timeout_ms}});
        else
            out.emplace_back(cancel_group_timer{group_timer::rebalance, after.id});
    }
    set_session(after, out);
    settle();
}

// The member that a heartbeat comes from, or the one that begins with it; `replaces`: a static one that went and is back under a new id.
heartbeat_answer consumer_group_fsm::join_or_find(const consumer_heartbeat& h, consumer_member& member, std::string& replaces) const {
    heartbeat_answer answer;
    answer.member_id = h.member_id;
    const auto known = members_.find(h.member_id);
    if (static_cast<std::int64_t>(members_.size()) >= limits_.max_size && known == members_.end()) {
        answer.error = {broker_errc::group_max_size_reached, "The consumer group has reached its maximum capacity of " + std::to_string(limits_.max_size) + " members."};
        return answer;
    }
    if (!h.instance_id) {
        if (known != members_.end()) {
            member = known->second;
            answer.error = check_epoch(member, h);
        } else if (h.epoch == 0) {
            member.id = h.member_id;
        } else {
            answer.error = unknown_member(h.member_id, name_);
        }
        return answer;
    }
    const auto by_instance = static_members_.find(*h.instance_id);
    if (by_instance == static_members_.end()) {
        if (h.epoch != 0)
            answer.error = {broker_errc::unknown_member_id, "Instance id " + *h.instance_id + " is unknown."};
        else if (known != members_.end())
            member = known->second;
        else
            member.id = h.member_id;
        return answer;
    }
    const auto& present = members_.at(by_instance->second);
    if (h.epoch != 0) {
        if (present.id != h.member_id)
            answer.error = {broker_errc::fenced_instance_id,
                            "Static member " + h.member_id + " with instance id " + *h.instance_id + " was fenced by member " + present.id + "."};
        else
            answer.error = check_epoch(present, h);
        member = present;
        return answer;
    }
    if (present.epoch != -2 && !present.classic) {
        answer.error = {broker_errc::unreleased_instance_id, "Static member " + h.member_id + " with instance id " + *h.instance_id +
                                                                 " cannot join the group because the instance id is owned by " + present.id + " member."};
        return answer;
    }
    member = present;
    replaces = present.id;
    member.id = h.member_id;
    member.epoch = member.previous_epoch = 0;
    return answer;
}

group_error consumer_group_fsm::check_epoch(const consumer_member& m, const consumer_heartbeat& h) const {
    if (h.epoch == 0) return {};
    const auto say = [&](const char* which) {
        return group_error{broker_errc::fenced_member_epoch, std::string{"The consumer group member has a "} + which + " member epoch (" + std::to_string(h.epoch) +
                                                                 ") than the one known by the group coordinator (" + std::to_string(m.epoch) +
                                                                 "). The member must abandon all its partitions and rejoin."};
    };
    if (h.epoch > m.epoch) return say("greater");
    if (h.epoch == m.epoch) return {};
    // The answer that raised its epoch was lost: it may go on if it has nothing that it was not given.
    const auto has = [&](const auto& topic) {
        const auto mine = m.assigned.find(topic.first);
        return mine != m.assigned.end() && std::all_of(topic.second.begin(), topic.second.end(), [&](auto p) { return mine->second.count(p) != 0; });
    };
    const bool subset = h.owned && std::all_of(h.owned->begin(), h.owned->end(), has);
    return h.epoch == m.previous_epoch && subset ? group_error{} : say("smaller");
}

heartbeat_answer consumer_group_fsm::leave(const std::string& id, const std::optional<std::string>& instance, std::int32_t epoch, const topic_directory& topics,
                                           group_actions& out) {
    heartbeat_answer answer{.member_id = id, .epoch = epoch};
    const auto by_instance = instance ? static_members_.find(*instance) : static_members_.end();
    if (instance) {
        if (by_instance == static_members_.end())
            answer.error = {broker_errc::unknown_member_id, "Instance id " + *instance + " is unknown."};
        else if (by_instance->second != id)
            answer.error = {broker_errc::fenced_instance_id, "Static member " + id + " with instance id " + *instance + " was fenced by member " + by_instance->second + "."};
    } else if (members_.count(id) == 0) {
        answer.error = unknown_member(id, name_);
    }
    if (answer.error) return answer;
    if (!instance || epoch != -2) {
        fence({id}, topics, out);
        return answer;
    }
    // It keeps its assignment for when it is back, until its session is over.
    auto m = members_.at(id);
    m.epoch = -2;
    m.revoking.clear();
    for (auto& [topic, partitions] : m.assigned)
        for (auto& [p, since] : partitions) since = 0;
    install(std::move(m));
    store(out, part_kind::current, id);
    settle();
    return answer;
}

void consumer_group_fsm::expired(group_timer kind, const std::string& id, const topic_directory& topics, group_actions& out) {
    const auto known = members_.find(id);
    if (known == members_.end()) return;
    if (kind == group_timer::rebalance && known->second.is != consumer_member::status::unrevoked_partitions) return;
    fence({id}, topics, out);
}

void consumer_group_fsm::fence(const std::set<std::string>& who, const topic_directory& topics, group_actions& out) {
    for (const auto& id : who) {
        const auto m = members_.at(id);
        uninstall(id);
        targets_.erase(id);
        for (const auto what : {part_kind::current, part_kind::target, part_kind::member}) store(out, what, id);
        if (m.has_regex() && regexes_.count(*m.regex) == 0 && resolved_.erase(*m.regex) != 0) store(out, part_kind::regex, *m.regex);
        cancel_timers(id, out);
    }
    bump(hash_of_topics(topics), out);
    settle();
}

// A static member that is back has a new id, and everything else of the old one.
void consumer_group_fsm::replace_static(const std::string& old_id, const consumer_member& with, group_actions& out) {
    const auto old = old_id;
    auto target = targets_.extract(old);
    uninstall(old);
    cancel_timers(old, out);
    for (const auto what : {part_kind::current, part_kind::target, part_kind::member}) store(out, what, old);
    install(with);
    if (target) {
        target.key() = with.id;
        targets_.insert(std::move(target));
    }
    for (const auto what : {part_kind::member, part_kind::target, part_kind::current}) store(out, what, with.id);
}

// Returns whether the expression changed; `resolved`: the topics of what the member is subscribed to now are known already.
bool consumer_group_fsm::update_regex(const consumer_member& before, const consumer_member& after, bool& resolved, group_actions& out) {
    if (before.regex == after.regex) return false;
    if (before.has_regex()) {
        const auto n = regexes_.find(*before.regex);
        if (n != regexes_.end() && n->second == 1 && members_.count(before.id) != 0 && resolved_.erase(*before.regex) != 0) store(out, part_kind::regex, *before.regex);
    }
    resolved = after.has_regex() ? resolved_.count(*after.regex) != 0 : before.has_regex();
    return true;
}

void consumer_group_fsm::resolve_regexes(const topic_directory& topics, const moment& now, group_actions& out) {
    if (regexes_.empty()) return;
    std::int64_t last = std::numeric_limits<std::int64_t>::min() / 2;
    std::uint64_t version = std::numeric_limits<std::uint64_t>::max();
    for (const auto& [regex, r] : resolved_) {
        last = std::max(last, r.timestamp);
        version = std::min(version, r.version);
    }
    const auto age = now.wall_ms() - last;
    if (age <= regex_batch_interval.count()) return;
    if (regexes_.size() == resolved_.size() && version == topics.version() && age <= limits_.regex_refresh.count()) return;
    const auto names = topics.names();
    bool changed = false;
    for (const auto& [regex, subscribers] : regexes_) {
        resolved_regex now_resolved{regex_matches(regex, names), topics.version(), now.wall_ms()};
        auto& present = resolved_[regex];
        changed = changed || present.topics != now_resolved.topics;
        present = std::move(now_resolved);
        store(out, part_kind::regex, regex);
    }
    const auto hash = hash_of_topics(topics);
    if (changed || hash != hash_) bump(hash, out);
    settle();
}

void consumer_group_fsm::loaded(group_actions& out) {
    for (const auto& [id, m] : members_) {
        set_session(m, out);
        if (m.is == consumer_member::status::unrevoked_partitions)
            out.emplace_back(set_group_timer{group_timer::rebalance, id, milliseconds{m.rebalance_timeout_ms}});
    }
}

void consumer_group_fsm::bump(std::int64_t hash, group_actions& out) {
    hash_ = hash;
    ++epoch_;
    store(out, part_kind::epoch);
}

void consumer_group_fsm::set_session(const consumer_member& m, group_actions& out) const {
    out.emplace_back(set_group_timer{group_timer::session, m.id, m.classic ? milliseconds{m.classic->session_timeout_ms} : limits_.session_timeout});
}

void consumer_group_fsm::cancel_timers(const std::string& id, group_actions& out) {
    for (const auto kind : {group_timer::session, group_timer::rebalance, group_timer::rejoin, group_timer::resync}) out.emplace_back(cancel_group_timer{kind, id});
}

// Commits and fetches.

group_error consumer_group_fsm::check_commit(const std::string& id, std::int32_t epoch, bool transactional, std::int16_t version) const {
    if (epoch < 0 && members_.empty()) return {};
    if (transactional && epoch == -1 && id.empty()) return {};
    const auto known = members_.find(id);
    if (known == members_.end()) return unknown_member(id, name_);
    const auto& m = known->second;
    if (!transactional && !m.classic && version < 9)
        return {broker_errc::unsupported_version, "OffsetCommit version 9 or above must be used by members using the consumer group protocol"};
    if (epoch > m.epoch)
        return {m.classic ? broker_errc::illegal_generation : broker_errc::stale_member_epoch,
                "Received member epoch " + std::to_string(epoch) + " is newer than current member epoch " + std::to_string(m.epoch) + "."};
    return {};
}

// An older epoch will do for partitions that the member has had since then.
group_error consumer_group_fsm::check_commit_of(const std::string& id, std::int32_t epoch, const std::string& topic, const protocol::uuid& topic_id,
                                                std::int32_t partition) const {
    const auto known = members_.find(id);
    if (known == members_.end() || epoch >= known->second.epoch) return {};
    const auto refused = known->second.classic ? broker_errc::illegal_generation : broker_errc::stale_member_epoch;
    for (const auto* owned : {&known->second.assigned, &known->second.revoking}) {
        const auto t = owned->find(topic_id);
        if (t == owned->end()) continue;
        const auto p = t->second.find(partition);
        if (p == t->second.end()) continue;
        if (epoch >= p->second) return {};
        return {refused, "Received member epoch " + std::to_string(epoch) + " is older than assignment epoch " + std::to_string(p->second) +
                                                     " for partition " + topic + "-" + std::to_string(partition) + "."};
    }
    return {refused, "Partition " + topic + "-" + std::to_string(partition) + " is not assigned or pending revocation for member."};
}

group_error consumer_group_fsm::check_fetch(const std::optional<std::string>& id, std::int32_t epoch) const {
    if (!id && epoch < 0) return {};
    const auto known = id ? members_.find(*id) : members_.end();
    if (known == members_.end()) return unknown_member(id.value_or("null"), name_);
    if (epoch == known->second.epoch) return {};
    return {known->second.classic ? broker_errc::illegal_generation : broker_errc::stale_member_epoch,
            "The received member epoch " + std::to_string(epoch) + " does not match the expected member epoch " + std::to_string(known->second.epoch) + "."};
}

}  // namespace kafkawire::broker
