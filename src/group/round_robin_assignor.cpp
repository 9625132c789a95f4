// roundrobin: all partitions in the order of topic and number, each to the next member, in a circle, that is subscribed.
#include <algorithm>

#include "group/assignors.hpp"
#include "group/group_index.hpp"

namespace kafkawire::group {

namespace {

class round_robin_assignor final : public assignor {
public:
    std::string_view name() const noexcept override { return "roundrobin"; }

    group_assignment assign(const group_view& group) override {
        const group_index index{group};
        const auto order = index.in_order(group);
        std::vector<std::uint32_t> place(order.size());
        for (std::uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
        assignment_writer result{index, order.size()};
        std::uint32_t turn = 0;  // the place in the circle whose turn it is
        for (std::uint32_t t = 0; t < index.topics.size(); ++t) {
            // The places of those that are subscribed: found once per topic, so that nobody else is asked for each partition.
            std::vector<std::uint32_t> places;
            for (const auto m : index.topics[t].members) places.push_back(place[m]);
            std::sort(places.begin(), places.end());
            auto at = std::lower_bound(places.begin(), places.end(), turn);
            for (std::int32_t p = 0; p < index.topics[t].partitions; ++p) {
                if (at == places.end()) at = places.begin();
                result.add(order[*at], t, p);
                turn = *at++ + 1;
            }
        }
        return result.take();
    }
};

}  // namespace

std::unique_ptr<assignor> make_round_robin_assignor() { return std::make_unique<round_robin_assignor>(); }

}  // namespace kafkawire::group
