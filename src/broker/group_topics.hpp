// The cluster's topics, as the machines of consumer groups look at them.
#pragma once
#include "broker/cluster_state.hpp"
#include "broker/consumer_group_fsm.hpp"

namespace kafkawire::broker {

class cluster_topics final : public topic_directory {
public:
    explicit cluster_topics(cluster_state& cluster) : cluster_{cluster} {}
    [[nodiscard]] std::optional<entry> find(const std::string& name) const override {
        const auto* t = cluster_.find_topic(name);
        if (!t) return {};
        return entry{t->id, static_cast<std::int32_t>(t->partitions.size())};
    }
    [[nodiscard]] std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (const auto& [name, t] : cluster_.topics()) all.push_back(name);
        return all;
    }
    [[nodiscard]] std::uint64_t version() const override {
        // Ids are chosen by chance: their sum tells whether topics came or went.
        std::uint64_t sum = cluster_.topics().size();
        for (const auto& [name, t] : cluster_.topics())
            for (std::size_t i = 0; i < 8; ++i) sum += static_cast<std::uint64_t>(t.id.octets[i + 8]) << (8 * i);
        return sum;
    }

private:
    cluster_state& cluster_;
};

}  // namespace kafkawire::broker
