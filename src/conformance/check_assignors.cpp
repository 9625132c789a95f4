// Groups and who was given what by Java's assignors. range and roundrobin must give exactly the same; the sticky ones something that is valid,
// as even, that keeps as much, and (where it keeps no more) has as much near its reader.
#include <kafkawire/assignor.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "conformance/checks.hpp"
#include "group/subscription.hpp"

namespace kafkawire::conformance {

namespace {

using partition_set = std::set<std::pair<std::string, std::int32_t>>;
using assignment_by_member = std::map<std::string, partition_set>;

partition_set partitions_in(const nlohmann::json& pairs) {
    partition_set result;
    for (const auto& pair : pairs) result.emplace(pair.at(0).get<std::string>(), pair.at(1).get<std::int32_t>());
    return result;
}
template <class Topics>
partition_set partitions_in_topics(const Topics& topics) {
    partition_set result;
    for (const auto& t : topics)
        for (const auto p : t.partitions) result.emplace(t.topic, p);
    return result;
}

struct assignor_vector {
    explicit assignor_vector(const nlohmann::json& from) : line{from} {
        for (const auto& [name, t] : line.at("topics").items()) {
            auto& to = topics.emplace_back();
            to.name = name;
            to.partitions = t.at("partitions").get<std::int32_t>();
            if (const auto racks = t.find("replicaRacks"); racks != t.end()) to.replica_racks = racks->get<std::vector<std::vector<std::string>>>();
        }
        for (const auto& [member, pairs] : line.at("assignment").items()) wanted[member] = partitions_in(pairs);
    }

    // Members as a leader sees them: from the bytes of their subscriptions alone, which must say what the line says.
    std::string read_members() {
        for (const auto& m : line.at("members")) {
            const auto id = m.at("memberId").get<std::string>();
            const auto bytes = hex_member(m, "subscriptionHex");
            group::subscription_message s;
            if (const auto error = group::read_subscription(bytes, s)) return "subscription of " + id + ": " + error.message();
            protocol::bytes again;
            if (const auto error = group::write_subscription(s, again)) return "subscription of " + id + ", written: " + error.message();
            if (auto d = difference(bytes, again); !d.empty()) return "subscription of " + id + ", written: " + d;
            auto subscribed = m.at("topics").get<std::vector<std::string>>();  // which the line has in another order
            if (!std::is_permutation(s.topics.begin(), s.topics.end(), subscribed.begin(), subscribed.end())) return "subscription of " + id + ": other topics";
            auto& to = members.emplace_back();
            to.id = id;
            if (!m.at("groupInstanceId").is_null()) to.instance_id = m.at("groupInstanceId").get<std::string>();
            to.topics = std::move(s.topics);
            for (auto& t : s.owned_partitions) to.owned.push_back({std::move(t.topic), std::move(t.partitions)});
            to.generation = s.generation_id;
            to.rack = s.rack_id.value_or("");
            to.user_data = std::move(s.user_data);
            if (to.rack != (m.at("rackId").is_null() ? "" : m.at("rackId").get<std::string>())) return "subscription of " + id + ": another rack";
            if (auto wrong = check_claims(m, to); !wrong.empty()) return wrong;
        }
        return {};
    }

    // What it had: in the user data of an eager sticky member, which must also be what we write; in the owned partitions of a cooperative one.
    std::string check_claims(const nlohmann::json& m, const assignor_member& read) {
        auto& had = owned[read.id] = partitions_in(m.at("ownedPartitions"));
        if (had.empty()) return {};
        auto said = partitions_in_topics(read.owned);
        if (line.at("assignor") == "sticky") {
            group::sticky_user_data data;
            if (!read.user_data) return read.id + " has no user data";
            if (const auto error = group::read_sticky_user_data(*read.user_data, data)) return "user data of " + read.id + ": " + error.message();
            said = partitions_in_topics(data.previous);
            if (data.generation != m.at("generationId")) return "user data of " + read.id + ": another generation";
            protocol::bytes again;
            group::write_sticky_user_data(data, again);
            if (auto d = difference(*read.user_data, again); !d.empty()) return "user data of " + read.id + ", written: " + d;
        } else if (read.generation != m.at("generationId")) {
            return "subscription of " + read.id + ": another generation";
        }
        return said == had ? std::string{} : read.id + ": other owned partitions";
    }

    std::string read_assignments() const {
        for (const auto& [member, hex] : line.at("assignmentHex").items()) {
            group::assignment_message a;
            const auto bytes = hex_member(line.at("assignmentHex"), member.c_str());
            if (const auto error = group::read_assignment(bytes, a)) return "assignment of " + member + ": " + error.message();
            if (partitions_in_topics(a.assigned_partitions) != wanted.at(member)) return "assignment of " + member + ": other partitions";
            protocol::bytes again;
            if (const auto error = group::write_assignment(a, again)) return "assignment of " + member + ", written: " + error.message();
            if (auto d = difference(bytes, again); !d.empty()) return "assignment of " + member + ", written: " + d;
        }
        return {};
    }

    std::string assign() {
        const auto name = line.at("assignor").get<std::string>();
        const auto strategy = make_assignor(name);
        if (!strategy) return "no such assignor";
        const auto result = strategy->assign({members, topics});
        if (result.size() != members.size()) return "assigned to " + std::to_string(result.size()) + " members of " + std::to_string(members.size());
        for (std::size_t m = 0; m < members.size(); ++m) made[members[m].id] = partitions_in_topics(result[m].partitions);
        if (name == "range" || name == "roundrobin") {
            for (const auto& [member, partitions] : wanted)
                if (made[member] != partitions) return "another assignment of " + member;
            return {};
        }
        if (auto wrong = invalid(); !wrong.empty()) return wrong;
        return worse();
    }

private:
    std::string invalid() const {
        partition_set given;
        for (const auto& m : members)
            for (const auto& [topic, partition] : made.at(m.id)) {
                const auto where = topic + "-" + std::to_string(partition) + " of " + m.id;
                if (std::find(m.topics.begin(), m.topics.end(), topic) == m.topics.end()) return where + " is not subscribed to";
                const auto t = std::find_if(topics.begin(), topics.end(), [&](const auto& x) { return x.name == topic; });
                if (t == topics.end() || partition < 0 || partition >= t->partitions) return where + " does not exist";
                if (!given.emplace(topic, partition).second) return where + " is given twice";
            }
        return {};
    }

    struct figures {
        std::size_t assigned = 0, retained = 0, balance = 0, near = 0;
    };
    figures of(const assignment_by_member& a) const {
        figures f;
        for (const auto& m : members) {
            const auto& has = a.at(m.id);
            f.assigned += has.size();
            for (const auto& p : has) {
                f.retained += owned.at(m.id).count(p);
                const auto& racks = std::find_if(topics.begin(), topics.end(), [&](const auto& t) { return t.name == p.first; })->replica_racks;
                const auto at = static_cast<std::size_t>(p.second);
                f.near += !m.rack.empty() && at < racks.size() && std::find(racks[at].begin(), racks[at].end(), m.rack) != racks[at].end();
            }
            for (const auto& other : members) f.balance += other.id < m.id ? static_cast<std::size_t>(std::abs(static_cast<long>(has.size()) - static_cast<long>(a.at(other.id).size()))) : 0;
        }
        return f;
    }

    std::string worse() const {
        const auto theirs = of(wanted), ours = of(made);
        const auto& stats = line.at("stats");
        if (theirs.assigned != stats.at("assigned") || theirs.balance != stats.at("balanceScore") || theirs.retained != stats.at("retained"))
            return "the line's figures are not those of its assignment";
        const auto told = [](const char* what, std::size_t java, std::size_t us) { return std::string{what} + ": " + std::to_string(java) + " in Java, " + std::to_string(us) + " here"; };
        if (ours.assigned < theirs.assigned) return told("assigned", theirs.assigned, ours.assigned);
        if (ours.balance > theirs.balance) return told("balance", theirs.balance, ours.balance);
        if (ours.retained < theirs.retained) return told("retained", theirs.retained, ours.retained);
        if (ours.retained == theirs.retained && ours.near < theirs.near) return told("near", theirs.near, ours.near);
        return {};
    }

    const nlohmann::json& line;
    std::vector<assignor_topic> topics;
    std::vector<assignor_member> members;
    assignment_by_member wanted, made, owned;
};

}  // namespace

std::string check_assignor(const nlohmann::json& line) {
    assignor_vector v{line};
    if (auto wrong = v.read_members(); !wrong.empty()) return wrong;
    if (auto wrong = v.read_assignments(); !wrong.empty()) return wrong;
    return v.assign();
}

}  // namespace kafkawire::conformance
