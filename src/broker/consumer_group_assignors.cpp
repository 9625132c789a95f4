#include "broker/consumer_group_assignors.hpp"

#include <algorithm>
#include <vector>

namespace kafkawire::broker {
namespace {

using topic_partition = std::pair<protocol::uuid, std::int32_t>;

bool all_subscribe_alike(const assignor_members& members) {
    return std::all_of(members.begin(), members.end(), [&](const auto& m) { return m.second.topics == members.begin()->second.topics; });
}

void give(partition_sets& to, const topic_partition& what) { to[what.first].insert(what.second); }
void take(partition_sets& from, const topic_partition& what) {
    const auto at = from.find(what.first);
    if (at == from.end()) return;
    at->second.erase(what.second);
    if (at->second.empty()) from.erase(at);
}

// Everybody subscribes to the same: shares of equal size, some with one more. Those who have more than their share give the rest up.
assignments uniform_homogeneous(const assignor_members& members, const assignor_topics& topics) {
    const auto& subscribed = members.begin()->second.topics;
    std::set<topic_partition> unassigned;
    for (const auto& topic : subscribed)
        for (std::int32_t p = 0; p < topics.at(topic); ++p) unassigned.emplace(topic, p);
    const auto total = unassigned.size();
    const auto share = total / members.size();
    auto with_one_more = total % members.size();
    assignments result;
    std::vector<std::pair<std::string, std::size_t>> wanting;
    std::size_t left_to_see = members.size();
    for (const auto& [id, m] : members) {
        auto& mine = result[id];
        // Whoever already has one more than the others keeps it, as long as there are enough of those to go round.
        const bool may_have_more = with_one_more > 0;
        auto quota = share + (may_have_more ? 1 : 0);
        for (const auto& [topic, partitions] : m.before) {
            if (subscribed.count(topic) == 0) continue;
            for (const auto p : partitions) {
                if (quota == 0) break;
                if (unassigned.erase({topic, p}) == 0) continue;
                give(mine, {topic, p});
                --quota;
            }
        }
        bool takes_more = may_have_more;
        if (quota > 0 && may_have_more && left_to_see > with_one_more) {
            --quota;
            takes_more = false;
        }
        if (takes_more) --with_one_more;
        if (quota > 0) wanting.emplace_back(id, quota);
        --left_to_see;
    }
    for (const auto& [id, quota] : wanting)
        for (std::size_t i = 0; i < quota && !unassigned.empty(); ++i) give(result[id], unassigned.extract(unassigned.begin()).value());
    return result;
}

// Members subscribe to different topics: what they have stays; the rest goes, topic by topic, to the least loaded subscriber; then load is moved
// from the most to the least loaded subscribers of each topic, until that changes nothing.
class uniform_heterogeneous {
public:
    uniform_heterogeneous(const assignor_members& members, const assignor_topics& topics) {
        for (const auto& [id, m] : members) {
            auto& mine = result_[id];
            for (const auto& topic : m.topics) subscribers_[topic].push_back(id);
            for (const auto& [topic, partitions] : m.before) {
                const auto known = topics.find(topic);
                if (m.topics.count(topic) == 0 || known == topics.end()) continue;
                for (const auto p : partitions)
                    if (p < known->second && owner_.emplace(topic_partition{topic, p}, id).second) {
                        give(mine, {topic, p});
                        ++load_[id];
                    }
            }
        }
        for (const auto& [topic, who] : subscribers_) order_.push_back(topic);
        // The topics with the most partitions for each subscriber first.
        std::stable_sort(order_.begin(), order_.end(), [&](const auto& a, const auto& b) {
            const auto per = [&](const auto& t) { return static_cast<double>(topics.at(t)) / static_cast<double>(subscribers_.at(t).size()); };
            if (per(a) != per(b)) return per(a) > per(b);
            return subscribers_.at(a).size() < subscribers_.at(b).size();
        });
        for (const auto& topic : order_)
            for (std::int32_t p = 0; p < topics.at(topic); ++p)
                if (owner_.count({topic, p}) == 0) assign({topic, p}, least_loaded(topic));
        for (int round = 0; round < 16; ++round) {
            bool moved = false;
            for (const auto& topic : order_) moved = balance(topic, topics.at(topic)) || moved;
            if (!moved) break;
        }
    }
    assignments take_result() { return std::move(result_); }

private:
    const std::string& least_loaded(const protocol::uuid& topic) {
        const auto& who = subscribers_.at(topic);
        return *std::min_element(who.begin(), who.end(), [&](const auto& a, const auto& b) { return load_[a] < load_[b]; });
    }
    void assign(const topic_partition& what, const std::string& to) {
        if (const auto at = owner_.find(what); at != owner_.end()) {
            --load_[at->second];
            take(result_[at->second], what);
        }
        owner_[what] = to;
        ++load_[to];
        give(result_[to], what);
    }
    bool balance(const protocol::uuid& topic, std::int32_t partitions) {
        bool moved = false;
        for (std::int32_t n = 0; n < partitions; ++n) {
            // The most loaded of those that have a partition of this topic to give.
            const topic_partition* from = nullptr;
            for (auto at = owner_.lower_bound({topic, 0}); at != owner_.end() && at->first.first == topic; ++at)
                if (!from || load_[at->second] > load_[owner_.at(*from)]) from = &at->first;
            const auto& to = least_loaded(topic);
            if (!from || load_[owner_.at(*from)] <= load_[to] + 1) break;
            assign(topic_partition{*from}, std::string{to});
            moved = true;
        }
        return moved;
    }

    std::map<protocol::uuid, std::vector<std::string>> subscribers_;
    std::map<topic_partition, std::string> owner_;
    std::map<std::string, std::size_t> load_;
    std::vector<protocol::uuid> order_;
    assignments result_;
};

}  // namespace

assignments assign_uniform(const assignor_members& members, const assignor_topics& topics) {
    if (members.empty()) return {};
    if (all_subscribe_alike(members)) return uniform_homogeneous(members, topics);
    return uniform_heterogeneous{members, topics}.take_result();
}

assignments assign_range(const assignor_members& members, const assignor_topics& topics) {
    // Static members by their instance, before the others by their id: a restart moves nothing.
    std::vector<const assignor_members::value_type*> order;
    for (const auto& m : members) order.push_back(&m);
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
        const auto &x = a->second.instance_id, &y = b->second.instance_id;
        if (x && y) return *x < *y;
        return x.has_value() && !y.has_value();
    });
    std::map<protocol::uuid, std::int32_t> subscribers;
    for (const auto& [id, m] : members)
        for (const auto& topic : m.topics) ++subscribers[topic];
    struct progress {
        std::int32_t next = 0, seen = 0;
    };
    std::map<protocol::uuid, progress> at;
    assignments result;
    for (const auto* member : order) {
        auto& mine = result[member->first];
        for (const auto& topic : member->second.topics) {
            const auto partitions = topics.at(topic), count = subscribers.at(topic);
            auto& p = at[topic];
            const auto size = partitions / count + (p.seen++ < partitions % count ? 1 : 0);
            for (std::int32_t i = 0; i < size; ++i) give(mine, {topic, p.next++});
        }
    }
    return result;
}

}  // namespace kafkawire::broker
