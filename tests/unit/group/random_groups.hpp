// Random groups that live on: members join, leave, change what they read and where they stand; topics come, grow and go; some come back with
// what they had long ago. Also the laws that any assignment must keep, checked in the plainest way, which shares nothing with the assignors.
#pragma once
#include <kafkawire/assignor.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

namespace random_groups {

using kafkawire::group_assignment;
using kafkawire::assignor_member;
using kafkawire::assignor_topic;

using partition_set = std::set<std::pair<std::string, std::int32_t>>;

inline partition_set set_of(const std::vector<kafkawire::topic_partitions>& topics) {
    partition_set s;
    for (const auto& t : topics)
        for (const auto p : t.partitions) s.emplace(t.topic, p);
    return s;
}

inline bool reads(const assignor_member& m, const std::string& topic) { return std::find(m.topics.begin(), m.topics.end(), topic) != m.topics.end(); }

struct world {
    explicit world(std::uint64_t seed) : random{seed}, uniform{chance(2)}, racks{chance(3)} {
        const int n = 1 + below(6);
        for (int i = 0; i < n; ++i) add_topic();
        const int m = 1 + below(9);
        for (int i = 0; i < m; ++i) join();
    }

    int below(int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); }
    bool chance(int one_in) { return below(one_in) == 0; }
    std::string any_rack() { return racks && !chance(4) ? std::string(1, static_cast<char>('a' + below(3))) : std::string{}; }

    void add_topic() {
        assignor_topic t;
        t.name = "t" + std::to_string(next_topic++);
        t.partitions = chance(8) ? 0 : below(9);
        topics.push_back(t);
        set_racks(topics.back());
    }
    void set_racks(assignor_topic& t) {
        t.replica_racks.clear();
        if (!racks || chance(5)) return;
        for (std::int32_t p = 0; p < t.partitions; ++p) {
            auto& r = t.replica_racks.emplace_back();
            for (int i = below(3); i >= 0; --i) r.push_back(std::string(1, static_cast<char>('a' + below(3))));
        }
    }
    void choose_topics(assignor_member& m) {
        m.topics.clear();
        if (uniform) {
            for (const auto& t : topics) m.topics.push_back(t.name);
            return;
        }
        for (const auto& t : topics)
            if (!chance(3)) m.topics.push_back(t.name);
        if (chance(6)) m.topics.push_back("missing");
        if (chance(9) && !m.topics.empty()) m.topics.push_back(m.topics.front());
    }
    void join() {
        assignor_member m;
        m.id = "m" + std::to_string(random() % 1000) + "-" + std::to_string(next_member++);
        m.rack = any_rack();
        if (chance(5)) m.instance_id = "i" + m.id;
        choose_topics(m);
        members.push_back(std::move(m));
    }

    // Something happens between two assignments.
    void change() {
        switch (below(8)) {
            case 0: join(); break;
            case 1:
                if (members.size() > 1) members.erase(members.begin() + below(static_cast<int>(members.size())));
                break;
            case 2:
                if (!members.empty()) choose_topics(members[static_cast<std::size_t>(below(static_cast<int>(members.size())))]);
                break;
            case 3:
                add_topic();
                if (uniform)
                    for (auto& m : members) choose_topics(m);
                break;
            case 4:
                if (!topics.empty()) {
                    auto& t = topics[static_cast<std::size_t>(below(static_cast<int>(topics.size())))];
                    t.partitions += 1 + below(3);
                    set_racks(t);
                }
                break;
            case 5:
                if (topics.size() > 1) topics.erase(topics.begin() + below(static_cast<int>(topics.size())));
                break;
            case 6:
                for (auto& m : members) m.rack = any_rack();
                break;
            default:
                for (int i = below(5); i >= 0; --i) join();
        }
        std::shuffle(members.begin(), members.end(), random);
    }

    std::mt19937_64 random;
    bool uniform, racks;
    std::vector<assignor_topic> topics;
    std::vector<assignor_member> members;
    int next_topic = 0, next_member = 0;
};

/// What is wrong with an assignment, in words; empty: nothing. `complete`: every partition that somebody reads has an owner.
inline std::string broken_law(const world& w, const group_assignment& a, bool complete) {
    if (a.size() != w.members.size()) return "another number of members";
    partition_set given;
    for (std::size_t m = 0; m < a.size(); ++m)
        for (const auto& t : a[m].partitions)
            for (const auto p : t.partitions) {
                const auto where = t.topic + "-" + std::to_string(p) + " of " + w.members[m].id;
                const auto topic = std::find_if(w.topics.begin(), w.topics.end(), [&](const auto& x) { return x.name == t.topic; });
                if (topic == w.topics.end() || p < 0 || p >= topic->partitions) return where + " does not exist";
                if (!reads(w.members[m], t.topic)) return where + " is not read there";
                if (!given.emplace(t.topic, p).second) return where + " is given twice";
            }
    if (!complete) return {};
    for (const auto& t : w.topics) {
        if (std::none_of(w.members.begin(), w.members.end(), [&](const auto& m) { return reads(m, t.name); })) continue;
        for (std::int32_t p = 0; p < t.partitions; ++p)
            if (!given.count({t.name, p})) return t.name + "-" + std::to_string(p) + " is nobody's";
    }
    return {};
}

/// Two members of which one has at least two more than the other, and something that the other reads: then the loads could be more even.
inline std::string uneven(const world& w, const group_assignment& a) {
    const auto n = a.size();
    std::vector<partition_set> has;
    for (const auto& m : a) has.push_back(set_of(m.partitions));
    std::vector<std::vector<bool>> gives(n, std::vector<bool>(n));
    for (std::size_t x = 0; x < n; ++x)
        for (const auto& p : has[x])
            for (std::size_t y = 0; y < n; ++y)
                if (reads(w.members[y], p.first)) gives[x][y] = true;
    for (std::size_t x = 0; x < n; ++x)
        for (std::size_t y = 0; y < n; ++y)
            if (gives[x][y] && has[x].size() >= has[y].size() + 2) return w.members[x].id + " could give to " + w.members[y].id;
    return {};
}

}  // namespace random_groups
