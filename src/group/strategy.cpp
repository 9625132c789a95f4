#include "group/strategy.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "group/membership_errors.hpp"
#include "group/subscription.hpp"

namespace kafkawire::group {
namespace {

error assignor_wrong(const assignor& by, std::string what) {
    return told_by_us(make_error_code(errc::bad_configuration), "the assignor \"" + std::string{by.name()} + "\" " + std::move(what));
}

// Nothing that the leader sends may take a partition away from two, or give one that is not there.
std::string what_is_wrong(const std::vector<assignor_member>& members, const known_topics& topics, const group_assignment& given) {
    if (given.size() != members.size())
        return "gave " + std::to_string(given.size()) + " assignments to " + std::to_string(members.size()) + " members";
    std::map<std::pair<std::string_view, std::int32_t>, std::size_t> owners;
    for (std::size_t i = 0; i < given.size(); ++i) {
        const auto& m = members[i];
        const std::set<std::string_view> wanted{m.topics.begin(), m.topics.end()};
        for (const auto& t : given[i].partitions) {
            const auto known = topics.find(t.topic);
            for (const auto p : t.partitions) {
                const auto named = t.topic + "-" + std::to_string(p);
                if (wanted.count(t.topic) == 0) return "gave " + named + " to member " + m.id + ", which is not subscribed to the topic";
                if (known == topics.end() || p < 0 || p >= known->second.partitions)
                    return "gave " + named + " to member " + m.id + ", but there is no such partition";
                const auto [at, fresh] = owners.emplace(std::pair<std::string_view, std::int32_t>{t.topic, p}, i);
                if (!fresh) return "gave " + named + " to member " + m.id + " and to member " + members[at->second].id;
            }
        }
    }
    return {};
}

bool withholds(const std::vector<assignor_member>& members, const known_topics& topics, const group_assignment& given) {
    std::set<std::pair<std::string_view, std::int32_t>> divided;
    for (const auto& to : given)
        for (const auto& t : to.partitions)
            for (const auto p : t.partitions) divided.emplace(t.topic, p);
    return std::any_of(members.begin(), members.end(), [&](const auto& m) {
        return std::any_of(m.owned.begin(), m.owned.end(), [&](const auto& t) {
            const auto known = topics.find(t.topic);
            return known != topics.end() && std::any_of(t.partitions.begin(), t.partitions.end(), [&](auto p) {
                       return p >= 0 && p < known->second.partitions && divided.count({t.topic, p}) == 0;
                   });
        });
    });
}

}  // namespace

bool all_cooperative(const strategies& of) noexcept {
    return std::all_of(of.begin(), of.end(), [](const auto& s) { return s->protocols().cooperative; });
}

assignor* find(const strategies& in, std::string_view name) noexcept {
    const auto at = std::find_if(in.begin(), in.end(), [&](const auto& s) { return s->name() == name; });
    return at == in.end() ? nullptr : at->get();
}

protocol::bytes make_metadata(assignor& by, const std::set<std::string>& topics, const holding& has, const std::string& rack) {
    subscription_message m;
    m.topics.assign(topics.begin(), topics.end());
    const auto given = by_topic(has.given);
    m.user_data = by.user_data({m.topics, given, has.given_generation});
    for (auto& t : by_topic(has.owned)) {
        auto& o = m.owned_partitions.emplace_back();
        o.topic = std::move(t.topic);
        o.partitions = std::move(t.partitions);
    }
    m.generation_id = has.generation;
    if (!rack.empty()) m.rack_id = rack;
    protocol::bytes to;
    (void)write_subscription(m, to);  // fails for names longer than the wire can say alone: the coordinator refuses an empty subscription
    return to;
}

std::vector<std::string> topics_of(protocol::bytes_view subscription) {
    subscription_message m;
    if (read_subscription(subscription, m)) return {};
    return std::move(m.topics);
}

division assign_all(assignor& by, const std::vector<protocol::messages::join_group_response::member>& members,
                       const known_topics& topics, error& wrong) {
    std::vector<assignor_member> in;
    in.reserve(members.size());
    for (const auto& m : members) {
        subscription_message s;
        if (read_subscription(m.metadata, s)) s = {};
        auto& to = in.emplace_back();
        to.id = m.member_id;
        to.instance_id = m.group_instance_id;
        to.topics = std::move(s.topics);
        for (auto& t : s.owned_partitions) to.owned.push_back({std::move(t.topic), std::move(t.partitions)});
        to.generation = s.generation_id;
        to.rack = s.rack_id.value_or(std::string{});
        to.user_data = std::move(s.user_data);
    }
    std::vector<assignor_topic> of;
    for (const auto& [name, t] : topics)
        if (t.partitions > 0) of.push_back({name, t.partitions, t.racks});
    group_assignment given;
    try {
        given = by.assign({in, of});
    } catch (const std::exception& e) {
        wrong = assignor_wrong(by, std::string{"failed: "} + e.what());
        return {};
    }
    if (auto what = what_is_wrong(in, topics, given); !what.empty()) {
        wrong = assignor_wrong(by, std::move(what));
        return {};
    }
    division result;
    result.withholds = withholds(in, topics, given);
    result.all.reserve(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        assignment_message m;
        for (auto& t : given[i].partitions) {
            auto& a = m.assigned_partitions.emplace_back();
            a.topic = std::move(t.topic);
            a.partitions = std::move(t.partitions);
        }
        m.user_data = std::move(given[i].user_data);
        auto& to = result.all.emplace_back();
        to.member_id = in[i].id;
        (void)write_assignment(m, to.assignment);  // as above
    }
    return result;
}

std::optional<partition_set> read_assignment(assignor& by, protocol::bytes_view from, std::int32_t generation,
                                             const std::set<std::string>& topics, error& wrong) {
    assignment_message m;
    if (group::read_assignment(from, m)) return {};
    partition_set all;
    for (const auto& t : m.assigned_partitions)
        for (const auto p : t.partitions)
            if (p >= 0) all.insert({t.topic, p});
    const std::vector<std::string> names{topics.begin(), topics.end()};
    const auto given = by_topic(all);
    const auto data = m.user_data.value_or(protocol::bytes{});
    try {
        by.assigned({names, given, generation}, data);
    } catch (const std::exception& e) {
        wrong = assignor_wrong(by, std::string{"failed when it was told what is assigned: "} + e.what());
    }
    return all;
}

}  // namespace kafkawire::group
