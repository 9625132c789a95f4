// Lists of strategies: which are wrong, which go together, how a group moves from one to another, and what is told when it cannot.
#include "group/compatibility.hpp"

#include <algorithm>
#include <stdexcept>

#include "catch.hpp"

namespace compatibility_tests {

using namespace kafkawire;
using kafkawire::group::common_strategy;
using kafkawire::group::incompatible;
using kafkawire::group::make_strategies;
using names = std::vector<std::string>;
using described = protocol::messages::describe_groups_response::described_group;

struct named final : assignor {
    std::string_view own;
    rebalance_protocols can;
    named(std::string_view n, rebalance_protocols c) : own{n}, can{c} {}
    std::string_view name() const noexcept override { return own; }
    rebalance_protocols protocols() const noexcept override { return can; }
    group_assignment assign(const group_view& g) override { return group_assignment(g.members.size()); }
};

TEST_CASE("a list of strategies that is right, and whether it is cooperative") {
    std::vector<std::shared_ptr<assignor>> made;
    CHECK_FALSE(make_strategies(names{"cooperative-sticky", "range"}, made));
    REQUIRE(made.size() == 2);
    CHECK(made[1]->name() == "range");
    CHECK_FALSE(kafkawire::group::cooperative(made));
    CHECK_FALSE(make_strategies(names{"cooperative-sticky"}, made));
    CHECK(kafkawire::group::cooperative(made));
}

TEST_CASE("a list of strategies that is wrong says what is") {
    register_assignor("only-cooperative", [] { return std::make_unique<named>("only-cooperative", rebalance_protocols{false, true}); });
    register_assignor("two-faced", [] { return std::make_unique<named>("another", rebalance_protocols{}); });
    register_assignor("neither", [] { return std::make_unique<named>("neither", rebalance_protocols{false, false}); });
    register_assignor("broken", []() -> std::unique_ptr<assignor> { throw std::runtime_error{"no table of tenants"}; });
    std::vector<std::shared_ptr<assignor>> made;
    const auto told = [&](const names& list, const char* words) {
        const auto e = make_strategies(list, made);
        CHECK(e.code == errc::bad_configuration);
        INFO(e.message());
        CHECK(e.message().find(words) != std::string::npos);
        CHECK(made.empty());
    };
    told({}, "at least one");
    told({"range", "range"}, "twice");
    told({"stick"}, "cooperative-sticky");
    told({"range", "only-cooperative"}, "'range' can only be eager and 'only-cooperative' only cooperative");
    told({"two-faced"}, "calls itself 'another'");
    told({"neither"}, "neither eager nor cooperative");
    told({"broken"}, "no table of tenants");
}

TEST_CASE("names of the library cannot be taken, others are listed") {
    CHECK_THROWS_AS(register_assignor("range", [] { return make_assignor("sticky"); }), std::invalid_argument);
    CHECK_THROWS_AS(register_assignor("", [] { return make_assignor("sticky"); }), std::invalid_argument);
    CHECK_THROWS_AS(register_assignor("x", nullptr), std::invalid_argument);
    const auto all = assignor_names();
    for (const auto* name : {"range", "roundrobin", "sticky", "cooperative-sticky"}) {
        CHECK(std::find(all.begin(), all.end(), name) != all.end());
        REQUIRE(make_assignor(name));
        CHECK(make_assignor(name)->name() == name);
    }
    CHECK_FALSE(make_assignor("nobody's"));
}

TEST_CASE("what a coordinator chooses: common to all, then by votes, then by name") {
    CHECK(common_strategy(std::vector<names>{{"range"}, {"range", "sticky"}}) == "range");
    CHECK(common_strategy(std::vector<names>{{"a", "b"}, {"b", "a"}, {"b", "a"}}) == "b");
    CHECK(common_strategy(std::vector<names>{{"b", "a"}, {"a", "b"}}) == "a");
    CHECK(common_strategy(std::vector<names>{{"c", "a"}, {"a", "b"}, {"b", "a"}}) == "a");  // a vote goes to the first that all have
    CHECK_FALSE(common_strategy(std::vector<names>{{"range"}, {"sticky"}}));
    CHECK_FALSE(common_strategy({}));
}

TEST_CASE("a group moves from range to cooperative-sticky: in every step there is a strategy") {
    const names old{"range"}, both{"cooperative-sticky", "range"}, new_one{"cooperative-sticky"};
    for (std::size_t done = 0; done <= 5; ++done) {
        std::vector<names> group(5, old);
        std::fill_n(group.begin(), done, both);
        CHECK(common_strategy(group) == (done == 5 ? "cooperative-sticky" : "range"));
        std::fill(group.begin(), group.end(), both);
        std::fill_n(group.begin(), done, new_one);
        CHECK(common_strategy(group) == "cooperative-sticky");
    }
}

TEST_CASE("the error of incompatible strategies names what the others have") {
    described g;
    g.protocol_type = "consumer";
    g.protocol_data = "roundrobin";
    g.members.resize(3);
    g.members[0].client_id = "billing-1";
    g.members[0].client_host = "/10.0.0.7";
    const auto e = incompatible("billing", names{"range", "sticky"}, &g);
    CHECK(e.code == broker_errc::inconsistent_group_protocol);
    CHECK(e.text == "the group 'billing' uses the strategy 'roundrobin' (3 members, among them 'billing-1' at /10.0.0.7), and this consumer has only range, sticky");
    CHECK(e.hint.find("list 'roundrobin' as well") == 0);

    g.protocol_type = "connect";
    CHECK(incompatible("billing", names{"range"}, &g).text.find("of the type 'connect'") != std::string::npos);
    g.protocol_type = "consumer";
    g.protocol_data.clear();
    CHECK(incompatible("billing", names{"range"}, &g).text.find("(3 members") != std::string::npos);
    CHECK(incompatible("billing", names{"range"}, nullptr).text.find("no strategy in common") != std::string::npos);
    g.error_code = 16;
    CHECK(incompatible("billing", names{"range"}, &g).text.find("3 members") == std::string::npos);
}

}  // namespace compatibility_tests
