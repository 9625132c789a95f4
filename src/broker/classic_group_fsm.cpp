#include "broker/classic_group_fsm.hpp"

#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/consumer_protocol.hpp>

#include <algorithm>
#include <stdexcept>

namespace kafkawire::broker {

const protocol::bytes* classic_member::metadata(std::string_view name) const noexcept {
    const auto at = std::find_if(protocols.begin(), protocols.end(), [&](const classic_protocol& p) { return p.name == name; });
    return at == protocols.end() ? nullptr : &at->metadata;
}

classic_group_fsm::classic_group_fsm(std::string name, classic_limits limits, snapshot from)
    : name_{std::move(name)}, limits_{limits}, state_since_{from.state_since}, generation_{from.generation}, protocol_{std::move(from.protocol)},
      leader_{std::move(from.leader)} {
    if (!from.protocol_type.empty()) protocol_type_ = std::move(from.protocol_type);
    for (auto& m : from.members) {
        if (m.instance_id) static_members_[*m.instance_id] = m.id;
        if (!leader_) leader_ = m.id;
        auto id = m.id;
        members_.insert_or_assign(std::move(id), std::move(m));
    }
    if (!members_.empty()) state_ = stable{};
}

std::string_view classic_group_fsm::name_of(const state& s) noexcept {
    static constexpr std::array<std::string_view, 5> names{"Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"};
    return names[s.index()];
}

void classic_group_fsm::transition(state to, std::string_view, const moment& now) {
    if (!legal[state_.index()][to.index()]) throw std::logic_error("classic_group_fsm: illegal transition");
    state_ = std::move(to);
    state_since_ = now.wall_ms();
}

void classic_group_fsm::sync(classic_sync request, sync_waiter to, const moment& now, group_actions& out) {
    const auto refuse = [&](broker_errc why) { out.emplace_back(give_sync_answer{std::move(to), {.error = why}}); };
    const auto differ = [](const std::optional<std::string>& a, const std::optional<std::string>& b) { return a && b && *a != *b; };
    if (is<dead>()) return refuse(broker_errc::coordinator_not_available);
    if (const auto wrong = check_member(request.member_id, request.instance_id); wrong != broker_errc::none) return refuse(wrong);
    if (request.generation != generation_) return refuse(broker_errc::illegal_generation);
    if (differ(request.protocol_type, protocol_type_) || differ(request.protocol_name, protocol_)) return refuse(broker_errc::inconsistent_group_protocol);
    if (is<empty>()) return refuse(broker_errc::unknown_member_id);
    if (is<preparing_rebalance>()) return refuse(broker_errc::rebalance_in_progress);
    auto* waiting = not_synced();
    if (waiting->erase(request.member_id); waiting->empty()) out.emplace_back(cancel_group_timer{group_timer::sync, {}});
    auto& member = members_.at(request.member_id);
    if (is<stable>()) {
        out.emplace_back(give_sync_answer{std::move(to), {.protocol_type = protocol_type_, .protocol_name = protocol_, .assignment = member.assignment}});
        return;
    }
    member.syncing = std::move(to);
    if (leader_ == request.member_id) accept_assignments(request, now, out);
}

void classic_group_fsm::accept_assignments(classic_sync& request, const moment& now, group_actions& out) {
    for (auto& [id, m] : members_) {
        const auto given = request.assignments.find(id);
        m.assignment = given == request.assignments.end() ? protocol::bytes{} : std::move(given->second);
    }
    transition(stable{std::move(std::get<completing_rebalance>(state_).not_synced)}, "the leader has assigned", now);
    out.emplace_back(store_group{});
    answer_all_syncs(broker_errc::none, out);
}

void classic_group_fsm::answer_all_syncs(broker_errc error, group_actions& out) {
    for (auto& [id, m] : members_) {
        if (!m.syncing) continue;
        sync_answer a{.error = error, .assignment = m.assignment};
        if (error == broker_errc::none) {
            a.protocol_type = protocol_type_;
            a.protocol_name = protocol_;
        }
        out.emplace_back(give_sync_answer{std::exchange(m.syncing, nullptr), std::move(a)});
        restart_session(m, out);
    }
}

broker_errc classic_group_fsm::heartbeat(const std::string& id, const std::optional<std::string>& instance, std::int32_t generation, group_actions& out) {
    if (is<dead>()) return broker_errc::coordinator_not_available;
    if (const auto wrong = check_member(id, instance); wrong != broker_errc::none) return wrong;
    if (generation != generation_) return broker_errc::illegal_generation;
    if (is<empty>()) return broker_errc::unknown_member_id;
    restart_session(members_.at(id), out);
    return is<preparing_rebalance>() ? broker_errc::rebalance_in_progress : broker_errc::none;
}

std::vector<broker_errc> classic_group_fsm::leave(std::span<const leaver> who, const moment& now, group_actions& out) {
    std::vector<broker_errc> codes;
    for (const auto& l : who) {
        auto code = broker_errc::none;
        if (l.member_id.empty()) {  // an administrator removes a static member by its instance
            const auto known = l.instance_id ? static_members_.find(*l.instance_id) : static_members_.end();
            if (known == static_members_.end())
                code = broker_errc::unknown_member_id;
            else
                remove_and_answer(std::string{known->second}, out);
        } else if (promised_.count(l.member_id) != 0) {
            remove(l.member_id);
            out.emplace_back(cancel_group_timer{group_timer::heartbeat, l.member_id});
        } else if (code = check_member(l.member_id, l.instance_id); code == broker_errc::none) {
            remove_and_answer(l.member_id, out);
        }
        codes.push_back(code);
    }
    if (std::find(codes.begin(), codes.end(), broker_errc::none) != codes.end() && !is<empty>()) rebalance_or_complete("members leave", now, out);
    return codes;
}

void classic_group_fsm::expired(group_timer kind, const std::string& member, const moment& now, group_actions& out) {
    if (is<dead>()) return;
    if (kind == group_timer::heartbeat) return member_late(member, now, out);
    if (kind == group_timer::sync) return sync_late(now, out);
    const auto* preparing = std::get_if<preparing_rebalance>(&state_);
    if (kind != group_timer::join || !preparing) return;
    if (preparing->first)
        initial_delay_over(now, out);
    else
        complete_join(now, out);
}

void classic_group_fsm::member_late(const std::string& id, const moment& now, group_actions& out) {
    if (promised_.count(id) != 0) {
        remove(id);
    } else {
        const auto known = members_.find(id);
        if (known == members_.end()) return;
        // Whoever waits for an answer cannot send heartbeats; a new member has its own, longer time.
        const auto& m = known->second;
        if (!m.is_new && (m.joining || m.syncing)) return;
        remove_and_answer(id, out);
        if (is<stable>() || is<completing_rebalance>()) return rebalance_or_complete("a member's session is over", now, out);
    }
    if (is<preparing_rebalance>() && all_joined()) complete_join(now, out);
}

void classic_group_fsm::sync_late(const moment& now, group_actions& out) {
    auto* waiting = not_synced();
    if (!waiting || waiting->empty()) return;
    for (const auto& id : std::set<std::string>{*waiting}) remove_and_answer(id, out);
    prepare_rebalance("members did not ask for their assignments", now, out);
}

void classic_group_fsm::loaded(const moment& now, group_actions& out) {
    for (const auto& [id, m] : members_) restart_session(m, out);
    if (static_cast<std::int64_t>(members_.size()) > limits_.max_size) prepare_rebalance("the group is over its limit", now, out);
}

void classic_group_fsm::kill(broker_errc why, const moment& now, group_actions& out) {
    for (auto& [id, m] : members_) {
        if (m.joining) out.emplace_back(give_join_answer{std::exchange(m.joining, nullptr), {.error = why, .member_id = id}});
        if (m.syncing) out.emplace_back(give_sync_answer{std::exchange(m.syncing, nullptr), {.error = why}});
    }
    transition(dead{}, "the coordinator lets it go", now);
}

broker_errc classic_group_fsm::check_commit(const std::string& id, const std::optional<std::string>& instance, std::int32_t generation, bool transactional) const {
    if (is<dead>()) return broker_errc::coordinator_not_available;
    if (generation < 0 && is<empty>()) return broker_errc::none;  // who assigns itself, or an administrator
    if (generation >= 0 || !id.empty() || instance) {
        if (const auto wrong = check_member(id, instance); wrong != broker_errc::none) return wrong;
        if (generation != generation_) return broker_errc::illegal_generation;
    } else if (!transactional && !is<empty>()) {
        return broker_errc::unknown_member_id;
    }
    if (!transactional && is<completing_rebalance>()) return broker_errc::rebalance_in_progress;
    return broker_errc::none;
}

void classic_group_fsm::committed(const std::string& id, group_actions& out) const {
    if (!is<stable>() && !is<preparing_rebalance>()) return;
    if (const auto known = members_.find(id); known != members_.end()) restart_session(known->second, out);
}

void classic_group_fsm::remove(const std::string& id) {
    if (const auto known = members_.find(id); known != members_.end()) {
        if (known->second.instance_id) static_members_.erase(*known->second.instance_id);
        members_.erase(known);
    }
    if (leader_ == id) {
        leader_.reset();
        if (!members_.empty()) leader_ = members_.begin()->first;
    }
    promised_.erase(id);
    if (auto* waiting = not_synced()) waiting->erase(id);
}

void classic_group_fsm::remove_and_answer(const std::string& id, group_actions& out) {
    auto& m = members_.at(id);
    out.emplace_back(cancel_group_timer{group_timer::heartbeat, id});
    if (m.joining) out.emplace_back(give_join_answer{std::exchange(m.joining, nullptr), {.error = broker_errc::unknown_member_id}});
    if (m.syncing) out.emplace_back(give_sync_answer{std::exchange(m.syncing, nullptr), {.error = broker_errc::unknown_member_id}});
    remove(id);
}

broker_errc classic_group_fsm::check_member(const std::string& id, const std::optional<std::string>& instance) const {
    if (instance) {
        const auto known = static_members_.find(*instance);
        if (known == static_members_.end()) return broker_errc::unknown_member_id;
        if (known->second != id) return broker_errc::fenced_instance_id;
    }
    return members_.count(id) != 0 ? broker_errc::none : broker_errc::unknown_member_id;
}

std::size_t classic_group_fsm::waiting_for_join() const {
    return static_cast<std::size_t>(std::count_if(members_.begin(), members_.end(), [](const auto& m) { return static_cast<bool>(m.second.joining); }));
}

bool classic_group_fsm::all_joined() const { return promised_.empty() && waiting_for_join() == members_.size(); }

milliseconds classic_group_fsm::rebalance_timeout() const {
    milliseconds longest{0};
    for (const auto& [id, m] : members_) longest = std::max(longest, m.rebalance_timeout);
    return longest;
}

void classic_group_fsm::restart_session(const classic_member& m, group_actions& out) const {
    out.emplace_back(set_group_timer{group_timer::heartbeat, m.id, m.session_timeout});
}

std::set<std::string>* classic_group_fsm::not_synced() {
    if (auto* s = std::get_if<completing_rebalance>(&state_)) return &s->not_synced;
    if (auto* s = std::get_if<stable>(&state_)) return &s->not_synced;
    return nullptr;
}

std::optional<std::set<std::string>> classic_group_fsm::subscribed_topics() const {
    if (!uses_consumer_protocol()) return {};
    if (members_.empty()) return std::set<std::string>{};
    if (!protocol_) return {};
    std::set<std::string> topics;
    for (const auto& [id, m] : members_) {
        const auto* metadata = m.metadata(*protocol_);
        if (!metadata || metadata->size() < 2) return {};
        // The version comes first; what later ones append is of no interest here.
        protocol::messages::consumer_protocol_subscription subscription;
        std::size_t used = 0;
        if (protocol::decode_prefix(protocol::schema_of<protocol::messages::consumer_protocol_subscription>(), &subscription,
                                    protocol::bytes_view{*metadata}.subspan(2), 0, used))
            return {};
        topics.insert(subscription.topics.begin(), subscription.topics.end());
    }
    return topics;
}

bool classic_group_fsm::is_subscribed_to(const std::string& topic) const {
    const auto topics = subscribed_topics();
    return topics ? topics->count(topic) != 0 : uses_consumer_protocol();
}

}  // namespace kafkawire::broker
