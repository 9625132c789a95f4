// What a group's leader is told of racks (KIP-881): its assignor sees members' own, and those of every partition's replicas.
#include <kafkawire/assignor.hpp>

#include "client/core.hpp"
#include "group_rig.hpp"

namespace {

struct seen {
    std::vector<std::vector<std::string>> replicas;
    std::vector<std::string> members;
};
seen last;

// Gives all to the first member, and remembers what it was shown.
class looking_assignor final : public kw::assignor {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "looking"; }
    [[nodiscard]] kw::group_assignment assign(const kw::group_view& group) override {
        last = {};
        for (const auto& m : group.members) last.members.push_back(m.rack);
        kw::group_assignment all(group.members.size());
        for (const auto& t : group.topics) {
            last.replicas = t.replica_racks;
            auto& to = all[0].partitions.emplace_back();
            to.topic = t.name;
            for (std::int32_t p = 0; p < t.partitions; ++p) to.partitions.push_back(p);
        }
        return all;
    }
};

}  // namespace

TEST_CASE("the leader's assignor is shown the racks of replicas and of members") {
    kw::register_assignor("looking", [] { return std::make_unique<looking_assignor>(); });
    group_rig r{2};
    const auto topic = r.kafka.create_topic(2);
    r.run([&]() -> asio::awaitable<void> {
        const std::vector<std::string> names{topic};
        (void)co_await r.client.async_metadata(names, asio::use_awaitable);
        // The embedded brokers have no racks of their own: as if an answer had told theirs.
        const auto core = kw::client_detail::core_of(r.client);
        for (const auto& b : r.client.brokers()) core->node_hint(b.id, b.host, b.port, b.id == 1 ? "north" : "south");
        auto o = member_of("billing", {topic}, kw::group_protocol::classic);
        o.assignors = {"looking"};
        o.rack = "south";
        kw::consumer consumer{r.client, o};
        std::size_t has = 0;
        consumer.on_assigned([&](kw::rebalance_step s) { has += s.partitions().size(); });
        const bool assigned = co_await r.until([&] { return has == 2; });
        REQUIRE(assigned);
        CHECK(last.members == std::vector<std::string>{"south"});
        REQUIRE(last.replicas.size() == 2);
        for (const auto& racks : last.replicas) {
            CHECK_FALSE(racks.empty());
            for (const auto& rack : racks) CHECK((rack == "north" || rack == "south"));
        }
        co_await consumer.async_close(asio::use_awaitable);
    });
}
