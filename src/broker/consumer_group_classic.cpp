// Members of a consumer group that speak the classic protocol: while a group is upgraded or downgraded online, both kinds share it. To such a
// member its epoch is a generation; it is told of a new target by its heartbeat, joins, and gets its assignment by SyncGroup.
#include <kafkawire/protocol/codec.hpp>
#include <kafkawire/protocol/messages/consumer_protocol.hpp>

#include <algorithm>

#include "broker/consumer_group_fsm.hpp"

namespace kafkawire::broker {

namespace messages = protocol::messages;

namespace {

using e = broker_errc;

std::int16_t version_of(protocol::bytes_view embedded) noexcept {
    if (embedded.size() < 2) return -1;
    return static_cast<std::int16_t>(std::to_integer<unsigned>(embedded[0]) << 8 | std::to_integer<unsigned>(embedded[1]));
}

// A version, then the message; versions that are not known yet begin as the last known one does.
template <class Message>
std::optional<Message> decode_embedded(protocol::bytes_view from) {
    const auto version = version_of(from);
    if (version < 0) return {};
    Message m;
    std::size_t used = 0;
    const auto known = std::min(version, Message::versions.highest);
    if (protocol::decode_prefix(protocol::schema_of<Message>(), &m, from.subspan(2), known, used)) return {};
    return m;
}

bool has_protocol(const classic_part& of, const std::string& name) {
    return std::any_of(of.protocols.begin(), of.protocols.end(), [&](const classic_protocol& p) { return p.name == name; });
}

}  // namespace

protocol::bytes embedded_assignment(const std::vector<std::pair<std::string, std::vector<std::int32_t>>>& partitions, protocol::bytes_view subscription) {
    const auto version = std::clamp<std::int16_t>(version_of(subscription), 0, messages::consumer_protocol_assignment::versions.highest);
    messages::consumer_protocol_assignment a;
    for (const auto& [topic, indexes] : partitions) a.assigned_partitions.push_back({topic, indexes, {}});
    protocol::bytes to{std::byte{0}, static_cast<std::byte>(version)};
    static_cast<void>(protocol::encode(a, version, to));
    return to;
}

bool consumer_group_fsm::only_classic() const {
    return !members_.empty() && std::all_of(members_.begin(), members_.end(), [](const auto& m) { return m.second.classic.has_value(); });
}

bool consumer_group_fsm::supports_classic(const classic_join& j) const {
    if (j.protocol_type != "consumer") return false;
    return std::any_of(j.protocols.begin(), j.protocols.end(), [&](const classic_protocol& p) {
        return std::all_of(members_.begin(), members_.end(), [&](const auto& m) { return !m.second.classic || has_protocol(*m.second.classic, p.name); });
    });
}

// Which member joins, as in join_or_find().
broker_errc consumer_group_fsm::find_classic(const classic_join& j, const std::string& id, consumer_member& member, std::string& replaces) const {
    const auto known = members_.find(id);
    member.id = id;
    const auto by_instance = j.instance_id ? static_members_.find(*j.instance_id) : static_members_.end();
    if (by_instance == static_members_.end()) {
        if (j.instance_id && !j.member_id.empty()) return e::unknown_member_id;
        if (known != members_.end()) member = known->second;
        return e::none;
    }
    const auto& present = members_.at(by_instance->second);
    if (!j.member_id.empty() && present.id != id) return e::fenced_instance_id;
    member = present;
    if (!j.member_id.empty()) return e::none;
    replaces = present.id;
    member.id = id;
    member.epoch = member.previous_epoch = 0;
    return e::none;
}

join_answer consumer_group_fsm::join_classic(const classic_join& j, const topic_directory& topics, const moment& now, group_actions& out) {
    const auto id = j.member_id.empty() ? j.fresh_id : j.member_id;
    if (static_cast<std::int64_t>(members_.size()) >= limits_.max_size && members_.count(id) == 0) return {.error = e::group_max_size_reached};
    if (!supports_classic(j)) return {.error = e::inconsistent_group_protocol};
    if (j.member_id.empty() && !j.instance_id && j.must_know_id) return {.error = e::member_id_required, .member_id = id};
    consumer_member before;
    std::string replaces;
    if (const auto wrong = find_classic(j, id, before, replaces); wrong != e::none) return {.error = wrong};
    const auto subscription = decode_embedded<messages::consumer_protocol_subscription>(j.protocols.front().metadata);
    if (!subscription) return {.error = e::unknown_server_error};
    auto after = before;
    if (j.instance_id) after.instance_id = j.instance_id;
    if (subscription->rack_id) after.rack_id = subscription->rack_id;
    after.rebalance_timeout_ms = static_cast<std::int32_t>(j.rebalance_timeout.count());
    after.topics = {subscription->topics.begin(), subscription->topics.end()};
    after.regex = "";
    after.client_id = j.client_id;
    after.client_host = j.client_host;
    after.classic = classic_part{static_cast<std::int32_t>(j.session_timeout.count()), j.protocols};
    partition_sets owned;
    for (const auto& t : subscription->owned_partitions)
        if (const auto known = topics.find(t.topic)) owned[known->id].insert(t.partitions.begin(), t.partitions.end());
    take_part(before, after, replaces, owned, topics, now, out);
    out.emplace_back(cancel_group_timer{group_timer::rejoin, id});
    out.emplace_back(set_group_timer{group_timer::resync, id, j.rebalance_timeout});
    return {.member_id = id, .generation = after.epoch, .protocol_type = "consumer", .protocol_name = j.protocols.front().name};
}

const consumer_member* consumer_group_fsm::classic_member_of(const std::string& id, const std::optional<std::string>& instance, std::int32_t generation, broker_errc& wrong) const {
    auto known = members_.find(id);
    if (instance) {
        const auto by_instance = static_members_.find(*instance);
        if (by_instance != static_members_.end() && by_instance->second != id) return wrong = e::fenced_instance_id, nullptr;
        if (by_instance == static_members_.end()) known = members_.end();
    }
    if (known == members_.end() || !known->second.classic) return wrong = e::unknown_member_id, nullptr;
    if (known->second.epoch != generation) return wrong = e::illegal_generation, nullptr;
    wrong = e::none;
    return &known->second;
}

sync_answer consumer_group_fsm::sync_classic(const classic_sync& s, const topic_directory& topics, group_actions& out) {
    auto wrong = e::none;
    const auto* m = classic_member_of(s.member_id, s.instance_id, s.generation, wrong);
    if (!m) return {.error = wrong};
    const auto& best = m->classic->protocols.front();
    if ((s.protocol_type && *s.protocol_type != "consumer") || (s.protocol_name && *s.protocol_name != best.name)) return {.error = e::inconsistent_group_protocol};
    if (assignment_epoch_ > m->epoch && m->is != consumer_member::status::unrevoked_partitions) {
        out.emplace_back(set_group_timer{group_timer::rejoin, m->id, milliseconds{m->rebalance_timeout_ms}, true});
        return {.error = e::rebalance_in_progress};
    }
    out.emplace_back(cancel_group_timer{group_timer::resync, m->id});
    set_session(*m, out);
    std::vector<std::pair<std::string, std::vector<std::int32_t>>> mine;
    for (const auto& name : topics.names()) {
        const auto known = topics.find(name);
        const auto at = m->assigned.find(known->id);
        if (at == m->assigned.end()) continue;
        auto& to = mine.emplace_back(name, std::vector<std::int32_t>{}).second;
        for (const auto& [p, since] : at->second) to.push_back(p);
    }
    return {.protocol_type = s.protocol_type, .protocol_name = s.protocol_name, .assignment = embedded_assignment(mine, best.metadata)};
}

broker_errc consumer_group_fsm::heartbeat_classic(const std::string& id, const std::optional<std::string>& instance, std::int32_t generation, group_actions& out) {
    auto wrong = e::none;
    const auto* m = classic_member_of(id, instance, generation, wrong);
    if (!m) return wrong;
    set_session(*m, out);
    using status = consumer_member::status;
    const auto waits = [&] {  // for what others have not given up
        const auto target = targets_.find(id);
        if (target == targets_.end()) return false;
        for (const auto& [topic, which] : target->second) {
            const auto mine = m->assigned.find(topic);
            for (const auto p : which)
                if ((mine == m->assigned.end() || mine->second.count(p) == 0) && is_owned(topic, p)) return true;
        }
        return false;
    };
    if (m->epoch >= assignment_epoch_ && m->is != status::unrevoked_partitions && (m->is != status::unreleased_partitions || waits())) return e::none;
    out.emplace_back(set_group_timer{group_timer::rejoin, id, milliseconds{m->rebalance_timeout_ms}, true});
    return e::rebalance_in_progress;
}

// Members of both kinds may be taken out of the group so.
std::vector<broker_errc> consumer_group_fsm::leave_classic(std::span<const classic_group_fsm::leaver> who, const topic_directory& topics, group_actions& out) {
    std::vector<broker_errc> codes;
    std::set<std::string> gone;
    for (const auto& l : who) {
        auto id = l.member_id;
        auto code = e::none;
        if (l.instance_id) {
            const auto known = static_members_.find(*l.instance_id);
            if (known == static_members_.end())
                code = e::unknown_member_id;
            else if (!id.empty() && known->second != id)
                code = e::fenced_instance_id;
            else
                id = known->second;
        } else if (members_.count(id) == 0) {
            code = e::unknown_member_id;
        }
        if (code == e::none) gone.insert(id);
        codes.push_back(code);
    }
    if (!gone.empty()) fence(gone, topics, out);
    return codes;
}

std::unique_ptr<consumer_group_fsm> consumer_group_fsm::from_classic(const classic_group_fsm& g, consumer_limits limits, const topic_directory& topics,
                                                                    std::string& wrong, group_actions& out) {
    const auto malformed = "Cannot upgrade classic group " + g.name() + " to consumer group because the embedded consumer protocol is malformed.";
    auto to = std::make_unique<consumer_group_fsm>(g.name(), std::move(limits));
    to->epoch_ = to->assignment_epoch_ = g.generation();
    for (const auto& [id, from] : g.members()) {
        const auto* metadata = g.protocol() ? from.metadata(*g.protocol()) : nullptr;
        const auto subscription = metadata ? decode_embedded<messages::consumer_protocol_subscription>(*metadata) : std::nullopt;
        const auto assignment = from.assignment.empty() ? messages::consumer_protocol_assignment{} : decode_embedded<messages::consumer_protocol_assignment>(from.assignment);
        if (!subscription || !assignment) return wrong = malformed, nullptr;
        if (!from.assignment.empty() && assignment->user_data && !assignment->user_data->empty())
            return wrong = "Cannot upgrade classic group " + g.name() + " to consumer group because an unsupported custom assignor is in use. Please refer to the "
                           "documentation or switch to a default assignor before re-attempting the upgrade.",
                   nullptr;
        consumer_member m;
        m.id = id;
        m.instance_id = from.instance_id;
        m.rack_id = subscription->rack_id;
        m.client_id = from.client_id;
        m.client_host = from.client_host;
        m.topics = {subscription->topics.begin(), subscription->topics.end()};
        m.rebalance_timeout_ms = static_cast<std::int32_t>(from.rebalance_timeout.count());
        m.classic = classic_part{static_cast<std::int32_t>(from.session_timeout.count()), from.protocols};
        m.epoch = m.previous_epoch = g.generation();
        auto& target = to->targets_[id];
        for (const auto& t : assignment->assigned_partitions)
            if (const auto known = topics.find(t.topic))
                for (const auto p : t.partitions)
                    if (target[known->id].insert(p).second) m.assigned[known->id][p] = g.generation();
        to->set_session(m, out);
        to->install(std::move(m));
        for (const auto what : {store_part::kind::member, store_part::kind::target, store_part::kind::current}) out.emplace_back(store_part{what, id});
    }
    to->hash_ = to->hash_of_topics(topics);
    out.emplace_back(store_part{store_part::kind::epoch, {}});
    out.emplace_back(store_part{store_part::kind::target_epoch, {}});
    to->settle();
    return to;
}

classic_group_fsm::snapshot consumer_group_fsm::to_classic(const topic_directory& topics, const moment& now) const {
    classic_group_fsm::snapshot s;
    s.protocol_type = "consumer";
    s.generation = epoch_;
    s.state_since = now.wall_ms();
    for (const auto& [id, from] : members_) {
        if (!from.classic) continue;
        classic_member m;
        m.id = id;
        m.instance_id = from.instance_id;
        m.client_id = from.client_id;
        m.client_host = from.client_host;
        m.rebalance_timeout = milliseconds{from.rebalance_timeout_ms};
        m.session_timeout = milliseconds{from.classic->session_timeout_ms};
        m.protocols = from.classic->protocols;
        std::vector<std::pair<std::string, std::vector<std::int32_t>>> mine;
        if (const auto target = targets_.find(id); target != targets_.end())
            for (const auto& name : topics.names())
                if (const auto at = target->second.find(topics.find(name)->id); at != target->second.end()) mine.emplace_back(name, std::vector<std::int32_t>{at->second.begin(), at->second.end()});
        m.assignment = embedded_assignment(mine, m.protocols.front().metadata);
        s.members.push_back(std::move(m));
    }
    // The one protocol that all have; the rebalance that follows votes anew.
    if (!s.members.empty())
        for (const auto& p : s.members.front().protocols)
            if (!s.protocol && std::all_of(s.members.begin(), s.members.end(), [&](const classic_member& m) { return m.metadata(p.name) != nullptr; })) s.protocol = p.name;
    return s;
}

}  // namespace kafkawire::broker
