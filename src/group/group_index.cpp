#include "group/group_index.hpp"

#include <algorithm>

namespace kafkawire::group {

group_index::group_index(const group_view& group) {
    // Only topics that somebody reads count; a topic that is there twice counts once.
    std::unordered_map<std::string_view, const assignor_topic*> known;
    for (const auto& t : group.topics)
        if (t.partitions > 0) known.emplace(t.name, &t);
    std::unordered_map<std::string_view, const assignor_topic*> wanted;
    for (const auto& m : group.members)
        for (const auto& name : m.topics)
            if (const auto t = known.find(name); t != known.end()) wanted.insert(*t);

    for (const auto& [name, t] : wanted) topics.push_back({.name = name, .partitions = t->partitions});
    std::sort(topics.begin(), topics.end(), [](const topic& a, const topic& b) { return a.name < b.name; });
    std::unordered_map<std::string_view, std::int32_t> rack_names;
    for (std::uint32_t t = 0; t < topics.size(); ++t) {
        by_name_.emplace(topics[t].name, t);
        topics[t].first = partitions;
        partitions += static_cast<std::size_t>(topics[t].partitions);
        index_racks(*wanted.at(topics[t].name), topics[t], rack_names);
    }
    members.resize(group.members.size());
    for (std::uint32_t m = 0; m < members.size(); ++m) {
        auto& to = members[m];
        for (const auto& name : group.members[m].topics)
            if (const auto t = find(name); t >= 0) to.topics.push_back(static_cast<std::uint32_t>(t));
        std::sort(to.topics.begin(), to.topics.end());
        to.topics.erase(std::unique(to.topics.begin(), to.topics.end()), to.topics.end());
        for (const auto t : to.topics) topics[t].members.push_back(m);
        if (const auto& rack = group.members[m].rack; !rack.empty())
            to.rack = rack_names.try_emplace(rack, static_cast<std::int32_t>(rack_names.size())).first->second;
    }
    racks = rack_names.size();
}

void group_index::index_racks(const assignor_topic& from, const topic& to, std::unordered_map<std::string_view, std::int32_t>& names) {
    for (std::size_t p = 0; p < static_cast<std::size_t>(to.partitions); ++p) {
        const auto begin = replica_racks_.size();
        if (p < from.replica_racks.size())
            for (const auto& rack : from.replica_racks[p]) replica_racks_.push_back(names.try_emplace(rack, static_cast<std::int32_t>(names.size())).first->second);
        const auto at = replica_racks_.begin() + static_cast<std::ptrdiff_t>(begin);
        std::sort(at, replica_racks_.end());
        replica_racks_.erase(std::unique(at, replica_racks_.end()), replica_racks_.end());
        rack_begin_.push_back(static_cast<std::uint32_t>(replica_racks_.size()));
    }
}

bool group_index::replica_in(std::size_t partition, std::int32_t rack) const noexcept {
    const auto r = racks_of(partition);
    return std::find(r.begin(), r.end(), rack) != r.end();  // a few replicas: nothing to search in
}

std::int64_t group_index::find(std::string_view name) const noexcept {
    const auto t = by_name_.find(name);
    return t == by_name_.end() ? -1 : std::int64_t{t->second};
}

bool group_index::subscribed(std::uint32_t member, std::uint32_t topic) const noexcept {
    const auto& t = members[member].topics;
    return std::binary_search(t.begin(), t.end(), topic);
}

bool group_index::racks_matter(std::span<const std::uint32_t> of_members, std::span<const std::uint32_t> of_topics) const {
    std::vector<bool> there(racks);  // racks that replicas are in
    std::size_t different = 0;
    for (const auto t : of_topics)
        for (std::size_t p = topics[t].first; p < topics[t].first + static_cast<std::size_t>(topics[t].partitions); ++p)
            for (const auto r : racks_of(p)) {
                different += !there[static_cast<std::size_t>(r)];
                there[static_cast<std::size_t>(r)] = true;
            }
    const auto shared = [&](std::uint32_t m) { return members[m].rack >= 0 && there[static_cast<std::size_t>(members[m].rack)]; };
    if (std::none_of(of_members.begin(), of_members.end(), shared)) return false;
    for (const auto t : of_topics)
        for (std::size_t p = topics[t].first; p < topics[t].first + static_cast<std::size_t>(topics[t].partitions); ++p)
            if (racks_of(p).size() != different) return true;
    return false;
}

std::vector<std::uint32_t> group_index::in_order(const group_view& group) const {
    std::vector<std::uint32_t> order(members.size());
    for (std::uint32_t m = 0; m < order.size(); ++m) order[m] = m;
    std::sort(order.begin(), order.end(), [&](std::uint32_t x, std::uint32_t y) {
        const auto &a = group.members[x], &b = group.members[y];
        if (a.instance_id.has_value() != b.instance_id.has_value()) return a.instance_id.has_value();
        if (a.instance_id && *a.instance_id != *b.instance_id) return *a.instance_id < *b.instance_id;
        return a.id != b.id ? a.id < b.id : x < y;
    });
    return order;
}

void assignment_writer::add(std::uint32_t member, std::uint32_t topic, std::int32_t partition) {
    auto& to = result_[member].partitions;
    if (last_[member] != std::int64_t{topic}) {
        to.push_back({std::string{index_.topics[topic].name}, {}});
        last_[member] = std::int64_t{topic};
    }
    to.back().partitions.push_back(partition);
}

}  // namespace kafkawire::group
