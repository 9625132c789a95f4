#include "group/sticky_balance.hpp"

#include <algorithm>
#include <queue>

namespace kafkawire::group {

void claims_table::add(const group_index& index, std::uint32_t member, std::string_view topic, std::int32_t partition, std::int32_t generation) {
    const auto t = index.find(topic);
    if (t < 0 || partition < 0 || partition >= index.topics[static_cast<std::size_t>(t)].partitions) return;
    auto& claims = of_partition[index.topics[static_cast<std::size_t>(t)].first + static_cast<std::size_t>(partition)];
    // Members are added one after the other: if it is there already, it is the last.
    if (claims.empty() || claims.back().member != member) claims.push_back({member, generation});
}

std::vector<std::uint32_t> claims_table::homes(const group_index& index) const {
    std::vector<std::uint32_t> result(of_partition.size(), nobody);
    for (std::uint32_t t = 0; t < index.topics.size(); ++t)
        for (std::size_t p = index.topics[t].first; p < index.topics[t].first + static_cast<std::size_t>(index.topics[t].partitions); ++p) {
            const partition_claim* best = nullptr;
            for (const auto& c : of_partition[p])
                if ((!best || c.generation > best->generation) && index.subscribed(c.member, t)) best = &c;
            if (best) result[p] = best->member;
        }
    return result;
}

namespace {

class balancer {
public:
    // give_up_far: what has no replica near its home is shared out anew, instead of staying unless it can be exchanged.
    balancer(const group_index& index, const std::vector<std::uint32_t>& homes, bool give_up_far)
        : index_{index}, homes_{homes}, give_up_far_{give_up_far}, owner_(index.partitions, nobody), topic_of_(index.partitions), held_(index.members.size()) {
        std::vector<std::uint32_t> everybody(index.members.size()), all(index.topics.size());
        for (std::uint32_t m = 0; m < everybody.size(); ++m) everybody[m] = m;
        for (std::uint32_t t = 0; t < all.size(); ++t) {
            all[t] = t;
            for (std::size_t p = first(t); p < end(t); ++p) topic_of_[p] = t;
        }
        racks_ = index.racks_matter(everybody, all);
    }

    [[nodiscard]] bool racks_matter() const noexcept { return racks_; }
    [[nodiscard]] std::size_t count_near() const {
        std::size_t n = 0;
        for (std::size_t p = 0; p < owner_.size(); ++p) n += owner_[p] != nobody && near(owner_[p], p);
        return n;
    }
    [[nodiscard]] const std::vector<std::uint32_t>& owners() const noexcept { return owner_; }

    void run() {
        index_slots();
        if (same_subscriptions()) {
            keep_quota();
            if (racks_) place_near();
        } else {
            keep_all();
        }
        place_the_rest();
        // Bringing home exchanges the loads of two members, who then stand otherwise to the rest. It leaves the sum of squared loads as it is, and
        // leveling lessens it: so this ends.
        do {
            level();
            if (racks_) bring_near();
            bring_home();
        } while (level_once());
    }

private:
    [[nodiscard]] std::size_t first(std::uint32_t t) const noexcept { return index_.topics[t].first; }
    [[nodiscard]] std::size_t end(std::uint32_t t) const noexcept { return first(t) + static_cast<std::size_t>(index_.topics[t].partitions); }
    [[nodiscard]] std::size_t load(std::uint32_t m) const noexcept { return held_[m].size(); }
    [[nodiscard]] bool near(std::uint32_t m, std::size_t p) const noexcept { return !racks_ || index_.members[m].rack < 0 || index_.replica_in(p, index_.members[m].rack); }
    [[nodiscard]] bool at_home(std::size_t p) const noexcept { return owner_[p] == homes_[p]; }

    // How many partitions of a topic each of its members holds: one number for each pair, topic by topic.
    void index_slots() {
        slot_begin_.push_back(0);
        for (const auto& t : index_.topics) slot_begin_.push_back(slot_begin_.back() + t.members.size());
        holding_.resize(slot_begin_.back());
    }
    [[nodiscard]] std::size_t slot(std::uint32_t m, std::uint32_t t) const noexcept {
        const auto& members = index_.topics[t].members;
        return slot_begin_[t] + static_cast<std::size_t>(std::lower_bound(members.begin(), members.end(), m) - members.begin());
    }

    void take(std::uint32_t m, std::size_t p) {
        owner_[p] = m;
        held_[m].push_back(static_cast<std::uint32_t>(p));
        ++holding_[slot(m, topic_of_[p])];
    }
    void give_up(std::size_t p) {
        const auto m = owner_[p];
        auto& held = held_[m];
        held.erase(std::find(held.begin(), held.end(), static_cast<std::uint32_t>(p)));
        --holding_[slot(m, topic_of_[p])];
        owner_[p] = nobody;
    }
    void move(std::size_t p, std::uint32_t to) {
        give_up(p);
        take(to, p);
    }

    [[nodiscard]] bool same_subscriptions() const {
        const auto& members = index_.members;
        return std::all_of(members.begin(), members.end(), [&](const auto& m) { return m.topics == members.front().topics; });
    }

    // All read the same, so all loads are known before: nobody keeps more, and as many as may have one more than the others do so if they had it.
    void keep_quota() {
        if (index_.members.empty()) return;
        even_ = index_.partitions / index_.members.size();
        one_more_ = index_.partitions % index_.members.size();
        std::vector<std::vector<std::size_t>> had(index_.members.size());
        for (std::size_t p = 0; p < owner_.size(); ++p)
            if (const auto home = homes_[p]; home != nobody && near(home, p)) had[home].push_back(p);
        if (!give_up_far_)  // behind the others, so that these stay if not all can
            for (std::size_t p = 0; p < owner_.size(); ++p)
                if (const auto home = homes_[p]; home != nobody && !near(home, p)) had[home].push_back(p);
        for (std::uint32_t m = 0; m < had.size(); ++m) {
            auto most = even_;
            if (had[m].size() > even_ && one_more_ > 0) {
                ++most;
                --one_more_;
            }
            for (std::size_t i = 0; i < std::min(most, had[m].size()); ++i) take(m, had[m][i]);
        }
    }

    // Before anybody takes what is far from it: what has the fewest readers near it goes first, to the lightest of those, while these have room.
    // Members that do not say where they are take what is left: nothing is gained by giving them what is near to another.
    void place_near() {
        by_load lightest;
        lightest.of_rack.resize(index_.racks + 1);
        std::vector<std::size_t> readers(index_.racks + 1);
        for (std::uint32_t m = 0; m < held_.size(); ++m) {
            const auto queue = static_cast<std::size_t>(index_.members[m].rack + 1);
            lightest.of_rack[queue].push({load(m), m});
            ++readers[queue];
        }
        std::vector<std::pair<std::size_t, std::size_t>> order;  // readers near it, partition
        for (std::size_t p = 0; p < owner_.size(); ++p) {
            if (owner_[p] != nobody) continue;
            std::size_t near_it = 0;
            for (const auto r : index_.racks_of(p)) near_it += readers[static_cast<std::size_t>(r) + 1];
            if (near_it > 0) order.push_back({near_it, p});
        }
        std::sort(order.begin(), order.end());
        for (const auto& [near_it, p] : order) {
            by_load::entry best{0, nobody};
            for (const auto r : index_.racks_of(p))
                if (const auto& q = lightest.of_rack[static_cast<std::size_t>(r) + 1]; !q.empty() && (best.second == nobody || q.top() < best)) best = q.top();
            if (best.first > even_ || (best.first == even_ && one_more_ == 0)) continue;
            if (best.first == even_) --one_more_;
            auto& q = lightest.of_rack[static_cast<std::size_t>(index_.members[best.second].rack + 1)];
            q.pop();
            take(best.second, p);
            q.push({best.first + 1, best.second});
        }
    }

    void keep_all() {
        for (std::size_t p = 0; p < owner_.size(); ++p)
            if (const auto home = homes_[p]; home != nobody && (!give_up_far_ || near(home, p) || !anybody_near(p))) take(home, p);
    }
    [[nodiscard]] bool anybody_near(std::size_t p) const {
        const auto& members = index_.topics[topic_of_[p]].members;
        return std::any_of(members.begin(), members.end(), [&](auto m) { return near(m, p); });
    }

    // The lightest members of one topic, by rack, while its partitions are placed: nothing else changes their loads meanwhile.
    struct by_load {
        using entry = std::pair<std::size_t, std::uint32_t>;  // load, member
        std::vector<std::priority_queue<entry, std::vector<entry>, std::greater<>>> of_rack;  // the first: of those that do not say
    };

    void place_the_rest() {
        std::vector<std::uint32_t> order(index_.topics.size());
        for (std::uint32_t t = 0; t < order.size(); ++t) order[t] = t;
        std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return index_.topics[a].members.size() < index_.topics[b].members.size(); });
        // First what nobody had, then what somebody gives up: of a cooperative group the latter is nobody's for a round, and that should not hit
        // the same members all.
        for (const bool had : {false, true})
            for (const auto t : order) {
                bool any = false;
                for (std::size_t p = first(t); p < end(t) && !any; ++p) any = to_place(p, had);
                if (any) place_topic(t, had);
            }
    }
    [[nodiscard]] bool to_place(std::size_t p, bool had) const noexcept { return owner_[p] == nobody && (homes_[p] != nobody) == had; }

    void place_topic(std::uint32_t t, bool had) {
        by_load lightest;
        lightest.of_rack.resize(racks_ ? index_.racks + 1 : 1);
        const auto queue_of = [&](std::uint32_t m) { return racks_ ? static_cast<std::size_t>(index_.members[m].rack + 1) : 0; };
        for (const auto m : index_.topics[t].members) lightest.of_rack[queue_of(m)].push({load(m), m});
        for (std::size_t p = first(t); p < end(t); ++p) {
            if (!to_place(p, had)) continue;
            by_load::entry best{0, nobody};
            const auto offer = [&](std::size_t queue) {
                if (const auto& q = lightest.of_rack[queue]; !q.empty() && (best.second == nobody || q.top() < best)) best = q.top();
            };
            offer(0);
            if (racks_) {
                for (const auto r : index_.racks_of(p)) offer(static_cast<std::size_t>(r) + 1);
                // No reader near it, or only such as have plenty: the lightest of all.
                const auto near_one = best;
                for (std::size_t q = 1; q < lightest.of_rack.size(); ++q) offer(q);
                if (near_one.second != nobody && near_one.first <= best.first + 1) best = near_one;
            }
            auto& q = lightest.of_rack[queue_of(best.second)];
            q.pop();
            take(best.second, p);
            q.push({best.first + 1, best.second});
        }
    }

    // ---- level: the lightest member takes, until nobody can ----

    void level() {
        while (level_once()) {}
    }

    // Every member as the taker, the lightest first. Whoever finds nothing is done for this time; a later move may bring something near it.
    bool level_once() {
        using entry = std::pair<std::size_t, std::uint32_t>;
        std::priority_queue<entry, std::vector<entry>, std::greater<>> lightest;
        std::priority_queue<entry> heaviest;
        std::vector<bool> settled(held_.size());
        for (std::uint32_t m = 0; m < held_.size(); ++m) {
            lightest.push({load(m), m});
            heaviest.push({load(m), m});
        }
        bool moved = false;
        while (!lightest.empty()) {
            const auto [least, to] = lightest.top();
            lightest.pop();
            if (settled[to] || load(to) != least) continue;  // of the past
            while (load(heaviest.top().second) != heaviest.top().first) heaviest.pop();
            const auto from = heaviest.top().first < least + 2 ? nobody : find_way(to, heaviest.top().first);
            if (from == nobody) {
                settled[to] = true;
                continue;
            }
            pass_on(from, to);
            moved = true;
            for (const auto m : {from, to}) {
                lightest.push({load(m), m});
                heaviest.push({load(m), m});
            }
        }
        return moved;
    }

    struct step {
        bool reached = false;
        bool moves_kept = false;        // the partition that it would give has its home here
        std::uint32_t next = nobody;    // the member that takes
        std::uint32_t topic = nobody;   // of what it takes
    };

    // Who gives to `to`: with two more than it, rather what need not stay than what is kept, and of those the heaviest. Or nobody. Searches from the
    // taker; beyond its neighbours only over partitions that need not stay.
    std::uint32_t find_way(std::uint32_t to, std::size_t most) {
        steps_.resize(held_.size());
        topic_seen_.resize(index_.topics.size());
        for (const auto m : reached_) steps_[m] = {};
        for (const auto t : topics_reached_) topic_seen_[t] = false;
        reached_.assign(1, to);
        topics_reached_.clear();
        steps_[to].reached = true;
        auto best = nobody, best_kept = nobody;
        for (std::size_t i = 0; i < reached_.size(); ++i) {
            const auto m = reached_[i];
            if (load(m) >= load(to) + 2) {
                auto& candidate = steps_[m].moves_kept ? best_kept : best;
                if (candidate == nobody || load(m) > load(candidate)) candidate = m;
                if (best != nobody && load(best) == most) break;
            }
            if (steps_[m].moves_kept) continue;
            for (const auto t : index_.members[m].topics) {
                if (topic_seen_[t]) continue;
                topic_seen_[t] = true;
                topics_reached_.push_back(t);
                reach_givers(m, t, m == to);
            }
        }
        return best != nobody ? best : best_kept;
    }

    void reach_givers(std::uint32_t taker, std::uint32_t t, bool straight) {
        const auto& members = index_.topics[t].members;
        for (std::size_t i = 0; i < members.size(); ++i) {
            const auto m = members[i];
            if (holding_[slot_begin_[t] + i] == 0 || (steps_[m].reached && !steps_[m].moves_kept)) continue;
            const bool kept = at_home(choose(m, taker, t));
            if (kept && (!straight || steps_[m].reached)) continue;
            reached_.push_back(m);  // a second time, if it was reached at a higher price before: then it is looked at again
            steps_[m] = {true, kept, taker, t};
        }
    }

    // Which partition of a topic a member gives to another: one that comes home, then one that has no home here, then one that comes near.
    [[nodiscard]] std::size_t choose(std::uint32_t from, std::uint32_t to, std::uint32_t t) const {
        const auto worth = [&](std::size_t p) {
            const int nearer = racks_ ? int{near(to, p)} - int{near(from, p)} : 0;
            return (homes_[p] == to ? 8 : 0) + (homes_[p] == from ? 0 : 4) + nearer;
        };
        auto best = nobody;
        int most = 0;
        for (const auto p : held_[from]) {
            if (topic_of_[p] != t) continue;
            if (const auto w = worth(p); best == nobody || w > most) {
                best = p;
                most = w;
            }
        }
        return best;
    }

    // From giver to taker along the way that was found. What each passes on was held before, so the order does not matter.
    void pass_on(std::uint32_t from, std::uint32_t to) {
        for (auto m = from; m != to;) {
            const auto next = steps_[m].next;
            move(choose(m, next, steps_[m].topic), next);
            m = next;
        }
    }

    // ---- what can be better without changing loads ----

    // A partition to `to`, which gives one of its own in turn: to the first's owner, or to anybody who then has as many as that had. Only if
    // that is worth more than nothing; worth(p, to) is of a move.
    template <class Worth>
    bool trade(std::size_t p, std::uint32_t to, Worth worth) {
        const auto from = owner_[p];
        const int gain = worth(p, to);
        if (load(from) == load(to) + 1) {
            if (gain > 0) move(p, to);
            return gain > 0;
        }
        if (load(from) != load(to) && load(from) + 1 != load(to)) return false;
        std::size_t best = nobody;
        int most = 0;
        for (const auto q : held_[to])
            if (index_.subscribed(from, topic_of_[q]))
                if (const auto whole = gain + worth(q, from); whole > most) {
                    best = q;
                    most = whole;
                }
        if (best == nobody) return false;
        move(p, to);
        move(best, from);
        return true;
    }

    [[nodiscard]] int worth(std::size_t p, std::uint32_t to) const {
        const auto from = owner_[p];
        const int nearer = racks_ ? int{near(to, p)} - int{near(from, p)} : 0;
        return 4 * (int{homes_[p] == to} - int{homes_[p] == from}) + nearer;
    }

    void bring_near() {
        std::size_t budget = 20'000'000;  // looks at a partition: what is far away then may stay so
        for (std::size_t p = 0; p < owner_.size(); ++p) {
            if (owner_[p] == nobody || near(owner_[p], p)) continue;
            for (const auto m : index_.topics[topic_of_[p]].members) {
                if (budget < load(m) + 1) return;
                budget -= load(m) + 1;
                if (m != owner_[p] && near(m, p) && trade(p, m, [&](auto q, auto to) { return worth(q, to); })) break;
            }
        }
    }

    void bring_home() {
        for (std::size_t p = 0; p < owner_.size(); ++p)
            if (homes_[p] != nobody && owner_[p] != nobody && !at_home(p)) trade(p, homes_[p], [&](auto q, auto to) { return worth(q, to); });
    }

    const group_index& index_;
    const std::vector<std::uint32_t>& homes_;
    bool give_up_far_;
    std::vector<std::uint32_t> owner_;
    std::vector<std::uint32_t> topic_of_;
    std::vector<std::vector<std::uint32_t>> held_;  // of each member its partitions
    std::vector<std::size_t> slot_begin_;
    std::vector<std::uint32_t> holding_;
    bool racks_ = false;
    std::size_t even_ = 0, one_more_ = 0;           // if all read the same: what each gets, and how many get one more

    std::vector<step> steps_;
    std::vector<bool> topic_seen_;
    std::vector<std::uint32_t> reached_, topics_reached_;
};

}  // namespace

// Giving up what is far only pays if more is near then. Without that question a member of a cooperative group could be told to give up, round by
// round, what then comes to another that is as far away: the group would never settle.
std::vector<std::uint32_t> balance(const group_index& index, const std::vector<std::uint32_t>& homes) {
    balancer staying{index, homes, false};
    staying.run();
    if (!staying.racks_matter()) return staying.owners();
    balancer moving{index, homes, true};
    moving.run();
    return moving.count_near() > staying.count_near() ? moving.owners() : staying.owners();
}

}  // namespace kafkawire::group
