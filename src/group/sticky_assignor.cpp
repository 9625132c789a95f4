// sticky and cooperative-sticky: the same balance; they differ in where members say what they had, and in what may be given at once.
#include <algorithm>

#include "group/assignors.hpp"
#include "group/sticky_balance.hpp"
#include "group/subscription.hpp"

namespace kafkawire::group {

namespace {

group_assignment written(const group_index& index, const std::vector<std::uint32_t>& owner) {
    assignment_writer result{index, index.members.size()};
    for (std::uint32_t t = 0; t < index.topics.size(); ++t)
        for (std::int32_t p = 0; p < index.topics[t].partitions; ++p)
            if (const auto m = owner[index.topics[t].first + static_cast<std::size_t>(p)]; m != nobody) result.add(m, t, p);
    return result.take();
}

// An eager member has given up everything before it joins: what it had is in its user data alone. Unreadable user data claims nothing.
class sticky_assignor final : public assignor {
public:
    std::string_view name() const noexcept override { return "sticky"; }

    std::optional<protocol::bytes> user_data(const member_state& self) override {
        if (self.generation < 0) return std::nullopt;
        sticky_user_data data;
        for (const auto& t : self.partitions) data.previous.push_back({t.topic, t.partitions});
        data.generation = self.generation;
        protocol::bytes written;
        write_sticky_user_data(data, written);
        return written;
    }

    group_assignment assign(const group_view& group) override {
        const group_index index{group};
        claims_table claims{index};
        for (std::uint32_t m = 0; m < group.members.size(); ++m) {
            sticky_user_data data;
            if (!group.members[m].user_data || read_sticky_user_data(*group.members[m].user_data, data)) continue;
            for (const auto& t : data.previous)
                for (const auto p : t.partitions) claims.add(index, m, t.topic, p, data.generation);
        }
        return written(index, balance(index, claims.homes(index)));
    }
};

// A cooperative member reads on while it joins. So what it has may be given to another only in the round after it gave it up: until then it is
// nobody's. A member of an older generation, which another has followed as the owner, holds up only what neither of them keeps.
class cooperative_sticky_assignor final : public assignor {
public:
    std::string_view name() const noexcept override { return "cooperative-sticky"; }
    rebalance_protocols protocols() const noexcept override { return {.eager = true, .cooperative = true}; }

    // For members whose subscriptions have no field for it yet.
    std::optional<protocol::bytes> user_data(const member_state& self) override {
        protocol::bytes written;
        write_cooperative_user_data(self.generation, written);
        return written;
    }

    group_assignment assign(const group_view& group) override {
        const group_index index{group};
        claims_table claims{index};
        for (std::uint32_t m = 0; m < group.members.size(); ++m) {
            auto generation = group.members[m].generation;
            if (generation < 0 && group.members[m].user_data)
                if (read_cooperative_user_data(*group.members[m].user_data, generation)) generation = -1;
            for (const auto& t : group.members[m].owned)
                for (const auto p : t.partitions) claims.add(index, m, t.topic, p, generation);
        }
        auto owner = balance(index, claims.homes(index));
        for (std::size_t p = 0; p < owner.size(); ++p)
            if (held_by_another(claims.of_partition[p], owner[p])) owner[p] = nobody;
        return written(index, owner);
    }

private:
    static bool held_by_another(const std::vector<partition_claim>& claims, std::uint32_t owner) noexcept {
        const auto own = std::find_if(claims.begin(), claims.end(), [&](const auto& c) { return c.member == owner; });
        return std::any_of(claims.begin(), claims.end(),
                           [&](const auto& c) { return c.member != owner && (own == claims.end() || c.generation >= own->generation); });
    }
};

}  // namespace

std::unique_ptr<assignor> make_sticky_assignor() { return std::make_unique<sticky_assignor>(); }
std::unique_ptr<assignor> make_cooperative_sticky_assignor() { return std::make_unique<cooperative_sticky_assignor>(); }

}  // namespace kafkawire::group
