// The join phase of a classic group: who may join, when the phase is over, and what its members are told.
#include <algorithm>

#include "broker/classic_group_fsm.hpp"

namespace kafkawire::broker {
namespace {

void refuse(join_waiter to, broker_errc why, std::string member_id, group_actions& out) {
    out.emplace_back(give_join_answer{std::move(to), {.error = why, .member_id = std::move(member_id)}});
}

}  // namespace

void classic_group_fsm::join(classic_join request, join_waiter to, const moment& now, group_actions& out) {
    if (!accepts(request.member_id)) {
        remove(request.member_id);
        return refuse(std::move(to), broker_errc::group_max_size_reached, {}, out);
    }
    if (request.member_id.empty())
        join_new(request, std::move(to), now, out);
    else
        join_known(request, std::move(to), now, out);
}

// Only those count who wait, while members are to join: a group over its limit shrinks in its next rebalance.
bool classic_group_fsm::accepts(const std::string& id) const {
    if (is<empty>() || is<dead>()) return true;
    const auto known = members_.find(id);
    if (is<preparing_rebalance>()) return (known != members_.end() && known->second.joining) || static_cast<std::int64_t>(waiting_for_join()) < limits_.max_size;
    return known != members_.end() || static_cast<std::int64_t>(members_.size()) < limits_.max_size;
}

void classic_group_fsm::join_new(classic_join& request, join_waiter to, const moment& now, group_actions& out) {
    if (is<dead>()) return refuse(std::move(to), broker_errc::coordinator_not_available, {}, out);
    if (!supports(request)) return refuse(std::move(to), broker_errc::inconsistent_group_protocol, {}, out);
    auto id = std::move(request.fresh_id);
    if (request.instance_id) {
        const auto taken = static_members_.find(*request.instance_id);
        if (taken == static_members_.end()) return add_member(request, std::move(id), std::move(to), now, out);
        request.fresh_id = std::move(id);
        return replace_static_member(request, taken->second, std::move(to), now, out);
    }
    if (!request.must_know_id) return add_member(request, std::move(id), std::move(to), now, out);
    // The id is kept until a session is over, so that a member that never comes back is not counted for long.
    promised_.insert(id);
    out.emplace_back(set_group_timer{group_timer::heartbeat, id, request.session_timeout});
    refuse(std::move(to), broker_errc::member_id_required, std::move(id), out);
}

void classic_group_fsm::join_known(classic_join& request, join_waiter to, const moment& now, group_actions& out) {
    const auto id = request.member_id;
    if (is<dead>()) return refuse(std::move(to), broker_errc::coordinator_not_available, id, out);
    if (!supports(request)) return refuse(std::move(to), broker_errc::inconsistent_group_protocol, id, out);
    if (promised_.count(id) != 0) {
        if (request.instance_id) return refuse(std::move(to), broker_errc::unknown_server_error, {}, out);
        return add_member(request, id, std::move(to), now, out);
    }
    if (const auto wrong = check_member(id, request.instance_id); wrong != broker_errc::none) {
        out.emplace_back(give_join_answer{std::move(to), {.error = wrong, .member_id = id, .protocol_name = {}}});
        return;
    }
    auto& member = members_.at(id);
    const bool same = member.protocols == request.protocols;
    // A member that repeats itself is told again what it was told; anything new from it, and the leader's wish, make a new generation.
    if (is<completing_rebalance>() && same) {
        out.emplace_back(give_join_answer{std::move(to), present_generation(id, leader_ == id)});
    } else if (is<stable>() && same && leader_ != id) {
        out.emplace_back(give_join_answer{std::move(to), present_generation(id, false)});
    } else if (is<empty>()) {
        refuse(std::move(to), broker_errc::unknown_member_id, id, out);
    } else {
        update_member(member, request, std::move(to));
        rebalance_or_complete("a member joins again", now, out);
    }
}

void classic_group_fsm::add_member(classic_join& request, std::string id, join_waiter to, const moment& now, group_actions& out) {
    classic_member m;
    m.id = id;
    m.instance_id = request.instance_id;
    m.client_id = std::move(request.client_id);
    m.client_host = std::move(request.client_host);
    m.is_new = true;
    if (m.instance_id) static_members_[*m.instance_id] = id;
    if (members_.empty()) protocol_type_ = request.protocol_type;
    if (!leader_) leader_ = id;
    promised_.erase(id);
    auto& member = members_.insert_or_assign(id, std::move(m)).first->second;
    update_member(member, request, std::move(to));
    if (auto* preparing = std::get_if<preparing_rebalance>(&state_); preparing && preparing->first) preparing->first->member_added = true;
    out.emplace_back(set_group_timer{group_timer::heartbeat, std::move(id), limits_.new_member_join_timeout});
    rebalance_or_complete("a member joins", now, out);
}

// A static member that was restarted comes without its id: it takes the old one's place, who is told so if it still waits.
void classic_group_fsm::replace_static_member(classic_join& request, std::string old_id, join_waiter to, const moment& now, group_actions& out) {
    const auto leader_before = leader_;
    auto taken = members_.extract(old_id);
    auto& old = taken.mapped();
    if (old.joining)
        out.emplace_back(give_join_answer{std::exchange(old.joining, nullptr), {.error = broker_errc::fenced_instance_id, .member_id = old_id, .protocol_name = {}}});
    if (old.syncing) out.emplace_back(give_sync_answer{std::exchange(old.syncing, nullptr), {.error = broker_errc::fenced_instance_id}});
    out.emplace_back(cancel_group_timer{group_timer::heartbeat, old_id});
    const auto id = request.fresh_id;
    old.id = id;
    old.is_new = false;
    taken.key() = id;
    auto& member = members_.insert(std::move(taken)).position->second;
    if (leader_ == old_id) leader_ = id;
    static_members_[*request.instance_id] = id;
    if (auto* waiting = not_synced(); waiting && waiting->erase(old_id)) waiting->insert(id);
    restart_session(member, out);
    update_member(member, request, std::move(to));
    if (is<stable>()) {
        if (protocol_ != select_protocol()) return rebalance_or_complete("a static member's protocols change the group's", now, out);
        // Nothing changes for the others: no rebalance. The new id must survive a move of the coordinator.
        out.emplace_back(store_group{});
        auto answer = present_generation(id, request.can_skip_assignment && leader_ == id);
        if (request.can_skip_assignment)
            answer.skip_assignment = leader_ == id;
        else
            answer.leader = leader_before.value_or("");  // an old client that leads would assign anew, and nobody would ask for it
        out.emplace_back(give_join_answer{std::exchange(member.joining, nullptr), std::move(answer)});
    } else if (is<completing_rebalance>()) {
        prepare_rebalance("a static member was replaced", now, out);
    } else {
        complete_join_if_all(now, out);
    }
}

void classic_group_fsm::update_member(classic_member& member, classic_join& request, join_waiter to) {
    member.protocols = std::move(request.protocols);
    member.rebalance_timeout = request.rebalance_timeout;
    member.session_timeout = request.session_timeout;
    member.joining = std::move(to);
}

void classic_group_fsm::rebalance_or_complete(std::string_view why, const moment& now, group_actions& out) {
    if (is<preparing_rebalance>())
        complete_join_if_all(now, out);
    else
        prepare_rebalance(why, now, out);
}

void classic_group_fsm::prepare_rebalance(std::string_view why, const moment& now, group_actions& out) {
    if (is<completing_rebalance>()) {
        for (auto& [id, m] : members_) m.assignment.clear();
        answer_all_syncs(broker_errc::rebalance_in_progress, out);
    }
    out.emplace_back(cancel_group_timer{group_timer::sync, {}});
    if (is<empty>()) {
        const auto delay = limits_.initial_rebalance_delay;
        transition(preparing_rebalance{{{delay, std::max(rebalance_timeout() - delay, milliseconds{0}), false}}}, why, now);
        out.emplace_back(set_group_timer{group_timer::join, {}, delay});
        return;
    }
    transition(preparing_rebalance{}, why, now);
    if (all_joined())
        complete_join(now, out);
    else
        out.emplace_back(set_group_timer{group_timer::join, {}, rebalance_timeout()});
}

void classic_group_fsm::complete_join_if_all(const moment& now, group_actions& out) {
    const auto* preparing = std::get_if<preparing_rebalance>(&state_);
    if (preparing && !preparing->first && all_joined()) complete_join(now, out);
}

void classic_group_fsm::initial_delay_over(const moment& now, group_actions& out) {
    auto& first = *std::get<preparing_rebalance>(state_).first;
    if (!first.member_added || first.remaining == milliseconds{0}) return complete_join(now, out);
    first.member_added = false;
    const auto delay = std::min(limits_.initial_rebalance_delay, first.remaining);
    first.remaining = std::max(first.remaining - first.delay, milliseconds{0});
    first.delay = delay;
    out.emplace_back(set_group_timer{group_timer::join, {}, delay});
}

void classic_group_fsm::complete_join(const moment& now, group_actions& out) {
    out.emplace_back(cancel_group_timer{group_timer::join, {}});
    std::vector<std::string> gone;
    for (const auto& [id, m] : members_)
        if (!m.joining && !m.instance_id) gone.push_back(id);
    for (const auto& id : gone) {
        remove(id);
        out.emplace_back(cancel_group_timer{group_timer::heartbeat, id});
    }
    if (!members_.empty() && !elect_joined_leader()) {
        // Only static members, and none of them came: they keep their places for another timeout.
        out.emplace_back(set_group_timer{group_timer::join, {}, rebalance_timeout()});
        return;
    }
    ++generation_;
    if (members_.empty()) {
        protocol_.reset();
        transition(empty{}, "no members are left", now);
        out.emplace_back(store_group{});
        return;
    }
    protocol_ = select_protocol();
    completing_rebalance next;
    for (const auto& [id, m] : members_) next.not_synced.insert(id);
    transition(std::move(next), "all members have joined", now);
    for (auto& [id, m] : members_) {
        if (m.joining) out.emplace_back(give_join_answer{std::exchange(m.joining, nullptr), present_generation(id, leader_ == id)});
        restart_session(m, out);
        m.is_new = false;
    }
    out.emplace_back(set_group_timer{group_timer::sync, {}, rebalance_timeout()});
}

// The leader must be somebody who waits, as somebody has to work out the assignments.
bool classic_group_fsm::elect_joined_leader() {
    if (!leader_) return false;
    if (members_.at(*leader_).joining) return true;
    for (const auto& [id, m] : members_) {
        if (!m.joining) continue;
        leader_ = id;
        return true;
    }
    return false;
}

bool classic_group_fsm::supports(const classic_join& request) const {
    if (is<empty>()) return !request.protocol_type.empty() && !request.protocols.empty();
    if (protocol_type_ != request.protocol_type) return false;
    return std::any_of(request.protocols.begin(), request.protocols.end(), [&](const classic_protocol& p) {
        return std::all_of(members_.begin(), members_.end(), [&](const auto& m) { return m.second.metadata(p.name) != nullptr; });
    });
}

// Every member votes for its best among those that all have; of equals the first by name.
std::string classic_group_fsm::select_protocol() const {
    std::map<std::string, std::size_t> support, votes;
    for (const auto& [id, m] : members_) {
        std::set<std::string_view> seen;
        for (const auto& p : m.protocols)
            if (seen.insert(p.name).second) ++support[p.name];
    }
    for (const auto& [id, m] : members_)
        for (const auto& p : m.protocols)
            if (support[p.name] == members_.size()) {
                ++votes[p.name];
                break;
            }
    const auto most = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    return most == votes.end() ? std::string{} : most->first;
}

join_answer classic_group_fsm::present_generation(const std::string& member, bool with_members) const {
    join_answer a{.member_id = member, .generation = generation_, .protocol_type = protocol_type_, .protocol_name = protocol_, .leader = leader_.value_or("")};
    if (with_members) a.members = joined_members();
    return a;
}

std::vector<joined_member> classic_group_fsm::joined_members() const {
    std::vector<joined_member> all;
    for (const auto& [id, m] : members_) {
        const auto* metadata = protocol_ ? m.metadata(*protocol_) : nullptr;
        all.push_back({id, m.instance_id, metadata ? *metadata : protocol::bytes{}});
    }
    return all;
}

}  // namespace kafkawire::broker
