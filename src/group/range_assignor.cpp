// range: each topic is divided among its members in order, neighbouring partitions together; where the division leaves a rest, the first members
// have one more. With racks (KIP-881) a first pass gives members what has a replica near them, within what the division allows; topics with the
// same members and as many partitions go through it in step, so that partition n of all of them stays with one member.
#include <algorithm>
#include <map>

#include "group/assignors.hpp"
#include "group/group_index.hpp"

namespace kafkawire::group {

namespace {

constexpr std::uint32_t unowned = 0xffffffff;

// What one topic still has to give: each member its even part, and some of them one more.
struct range_share {
    std::vector<std::uint32_t> members;  // in order
    std::vector<std::int32_t> given;     // to each of them
    std::int32_t part = 0, one_more = 0;

    range_share(std::vector<std::uint32_t> in_order, std::int32_t partitions) : members{std::move(in_order)}, given(members.size()) {
        part = partitions / static_cast<std::int32_t>(members.size());
        one_more = partitions % static_cast<std::int32_t>(members.size());
    }
    [[nodiscard]] std::int32_t room(std::size_t at) const noexcept { return std::max(0, part + (one_more > 0 ? 1 : 0) - given[at]); }
    void give(std::size_t at, std::int32_t n) {
        given[at] += n;
        if (given[at] > part) --one_more;
    }
};

class range_assignment {
public:
    explicit range_assignment(const group_view& group) : index_{group}, order_{index_.in_order(group)}, owner_(index_.partitions, unowned) {
        std::vector<std::uint32_t> place(order_.size());
        for (std::uint32_t i = 0; i < order_.size(); ++i) place[order_[i]] = i;
        for (const auto& t : index_.topics) {
            auto members = t.members;
            std::sort(members.begin(), members.end(), [&](auto a, auto b) { return place[a] < place[b]; });
            shares_.emplace_back(std::move(members), t.partitions);
        }
    }

    group_assignment make() {
        std::vector<bool> matters(index_.topics.size());
        for (std::uint32_t t = 0; t < matters.size(); ++t) matters[t] = index_.racks_matter(index_.topics[t].members, std::span{&t, 1});
        if (std::find(matters.begin(), matters.end(), true) != matters.end()) near_first(matters);
        for (std::uint32_t t = 0; t < index_.topics.size(); ++t) divide(t);
        assignment_writer result{index_, index_.members.size()};
        for (std::uint32_t t = 0; t < index_.topics.size(); ++t)
            for (std::int32_t p = 0; p < index_.topics[t].partitions; ++p) result.add(owner_[at(t, p)], t, p);
        return result.take();
    }

private:
    [[nodiscard]] std::size_t at(std::uint32_t topic, std::int32_t partition) const noexcept { return index_.topics[topic].first + static_cast<std::size_t>(partition); }
    [[nodiscard]] std::int32_t rack_of(std::uint32_t member) const noexcept { return index_.members[member].rack; }

    void near_first(const std::vector<bool>& matters) {
        // In step go topics with the same members; where none of those says a rack, all of theirs are one class, in which nothing is done.
        std::map<std::pair<std::vector<std::uint32_t>, std::int32_t>, std::vector<std::uint32_t>> classes;
        for (std::uint32_t t = 0; t < index_.topics.size(); ++t) {
            const auto& members = index_.topics[t].members;
            if (std::any_of(members.begin(), members.end(), [&](auto m) { return rack_of(m) >= 0; })) classes[{members, index_.topics[t].partitions}].push_back(t);
        }
        for (const auto& [key, topics] : classes) {
            if (topics.size() > 1) near_in_step(topics);
            else if (matters[topics[0]]) near_alone(topics[0]);
        }
    }

    // Each member in order takes the first partitions near it. Those of a rack, and all, are walked once each: what was taken stays taken.
    void near_alone(std::uint32_t topic) {
        std::map<std::int32_t, std::vector<std::int32_t>> of_rack;
        for (std::int32_t p = 0; p < index_.topics[topic].partitions; ++p) {
            for (const auto r : index_.racks_of(at(topic, p))) of_rack[r].push_back(p);
            of_rack[-1].push_back(p);  // near to a member that does not say where it is
        }
        std::map<std::int32_t, std::size_t> walked;
        auto& share = shares_[topic];
        for (std::size_t i = 0; i < share.members.size(); ++i) {
            const auto rack = rack_of(share.members[i]);
            const auto& near = of_rack[rack];
            auto& next = walked[rack];
            std::int32_t taken = 0;
            for (const auto most = share.room(i); taken < most && next < near.size(); ++next)
                if (auto& owner = owner_[at(topic, near[next])]; owner == unowned) {
                    owner = share.members[i];
                    ++taken;
                }
            if (taken > 0) share.give(i, taken);
        }
    }

    // Partition n of all topics goes to the first member that is near it in each of them. Whoever has its part is out for good.
    void near_in_step(const std::vector<std::uint32_t>& topics) {
        const auto& members = shares_[topics[0]].members;
        std::map<std::int32_t, std::vector<std::size_t>> of_rack;
        for (std::size_t i = members.size(); i-- > 0;) of_rack[rack_of(members[i])].push_back(i);  // the first at the back
        for (std::int32_t p = 0; p < index_.topics[topics[0]].partitions; ++p) {
            auto first = members.size();
            const auto offer = [&](std::int32_t rack) {
                const auto waiting = of_rack.find(rack);
                if (waiting == of_rack.end()) return;
                auto& queue = waiting->second;
                while (!queue.empty() && shares_[topics[0]].room(queue.back()) == 0) queue.pop_back();
                if (!queue.empty()) first = std::min(first, queue.back());
            };
            offer(-1);
            for (const auto rack : index_.racks_of(at(topics[0], p)))
                if (std::all_of(topics.begin() + 1, topics.end(), [&](auto t) { return index_.replica_in(at(t, p), rack); })) offer(rack);
            if (first == members.size()) continue;
            for (const auto t : topics) {
                owner_[at(t, p)] = members[first];
                shares_[t].give(first, 1);
            }
        }
    }

    // What nobody has yet, in order, to the members that have room, in order.
    void divide(std::uint32_t topic) {
        auto& share = shares_[topic];
        std::int32_t p = 0;
        for (std::size_t i = 0; i < share.members.size(); ++i) {
            std::int32_t taken = 0;
            for (const auto most = share.room(i); taken < most && p < index_.topics[topic].partitions; ++p)
                if (auto& owner = owner_[at(topic, p)]; owner == unowned) {
                    owner = share.members[i];
                    ++taken;
                }
            if (taken > 0) share.give(i, taken);
        }
    }

    group_index index_;
    std::vector<std::uint32_t> order_;
    std::vector<std::uint32_t> owner_;
    std::vector<range_share> shares_;  // of each topic
};

class range_assignor final : public assignor {
public:
    std::string_view name() const noexcept override { return "range"; }
    group_assignment assign(const group_view& group) override { return range_assignment{group}.make(); }
};

}  // namespace

std::unique_ptr<assignor> make_range_assignor() { return std::make_unique<range_assignor>(); }

}  // namespace kafkawire::group
