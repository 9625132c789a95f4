#include "client/topic_table.hpp"

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;
using protocol::messages::metadata_request;
using protocol::messages::metadata_response;

namespace {

const net::time_point t0{};
const protocol::uuid first_id{{1}}, second_id{{2}};

// A topic whose partitions have these leaders, all at one epoch.
metadata_response says(std::string name, std::vector<std::int32_t> leaders, std::int32_t epoch, protocol::uuid id = first_id) {
    metadata_response m;
    auto& t = m.topics.emplace_back();
    t.name = std::move(name);
    t.topic_id = id;
    for (std::size_t i = 0; i < leaders.size(); ++i) {
        auto& p = t.partitions.emplace_back();
        p.partition_index = static_cast<std::int32_t>(i);
        p.leader_id = leaders[i];
        p.leader_epoch = epoch;
        p.error_code = leaders[i] < 0 ? 5 : 0;
    }
    return m;
}
metadata_response refuses(std::string name, broker_errc why, protocol::uuid id = {}) {
    auto m = says(std::move(name), {}, 0, id);
    m.topics[0].error_code = static_cast<std::int16_t>(why);
    return m;
}
std::vector<std::int32_t> leaders(const topic_info& t) {
    std::vector<std::int32_t> v;
    for (const auto& p : t.partitions) v.push_back(p.leader);
    return v;
}
using list = std::vector<std::int32_t>;

}  // namespace

TEST_CASE("a topic is interned once, and learned from an answer; what nobody wants is passed over") {
    topic_table t;
    auto& a = t.want("a", false);
    CHECK(&t.want("a", true) == &a);
    CHECK_FALSE(a.known);
    CHECK_FALSE(t.settled());
    for (int i = 0; i < 1000; ++i) t.want("t" + std::to_string(i), false);
    CHECK(&t.want("a", false) == &a);
    CHECK(a.name == "a");
    CHECK(t.merge(says("a", {1, 2}, 0), nullptr, t0));
    CHECK(a.known);
    CHECK(a.id == first_id);
    CHECK(leaders(a) == list{1, 2});
    const auto changes = a.changes;
    CHECK_FALSE(t.merge(says("a", {1, 2}, 0), nullptr, t0));
    CHECK_FALSE(t.merge(says("stranger", {1}, 0), nullptr, t0));
    CHECK(a.changes == changes);
    CHECK_FALSE(t.find("stranger"));
}

TEST_CASE("nothing goes back to an older leader epoch, whoever says so") {
    topic_table t;
    auto& a = t.want("a", false);
    t.merge(says("a", {1, 1}, 5), nullptr, t0);
    SECTION("a node that lags behind") {
        CHECK_FALSE(t.merge(says("a", {2, 2}, 4), nullptr, t0));
        CHECK(leaders(a) == list{1, 1});
    }
    SECTION("a node that has not heard of the leader's broker") {
        CHECK_FALSE(t.merge(says("a", {-1, 1}, 5), nullptr, t0));
        CHECK(leaders(a) == list{1, 1});
    }
    SECTION("a node that knows fewer partitions, or not even the topic") {
        CHECK_FALSE(t.merge(says("a", {1}, 5), nullptr, t0));
        CHECK(a.partitions.size() == 2);
        CHECK(t.merge(refuses("a", broker_errc::unknown_topic_or_partition), nullptr, t0));
        CHECK(a.error == broker_errc::unknown_topic_or_partition);
        CHECK(leaders(a) == list{1, 1});
        CHECK(a.known);
        CHECK(t.merge(says("a", {1, 1}, 5), nullptr, t0));
        CHECK_FALSE(a.error);
    }
    SECTION("an election without a winner is news, and so is its end") {
        CHECK(t.merge(says("a", {-1, 1}, 6), nullptr, t0));
        CHECK(leaders(a) == list{-1, 1});
        CHECK(a.partitions[0].error == broker_errc::leader_not_available);
        CHECK_FALSE(t.settled());
        CHECK(t.merge(says("a", {3, 1}, 7), nullptr, t0));
        CHECK(a.partitions[0].error == broker_errc{});
        CHECK(t.settled());
    }
    SECTION("unless everybody says so for a minute: the cluster was restored from a copy") {
        CHECK_FALSE(t.merge(says("a", {2, 2}, 1), nullptr, t0));
        CHECK_FALSE(t.merge(says("a", {2, 2}, 1), nullptr, t0 + 59s));
        CHECK(t.merge(says("a", {2, 2}, 1), nullptr, t0 + 60s));
        CHECK(leaders(a) == list{2, 2});
    }
    SECTION("a minute that begins again whenever the newer epoch is confirmed") {
        CHECK_FALSE(t.merge(says("a", {2, 2}, 1), nullptr, t0));
        CHECK_FALSE(t.merge(says("a", {1, 1}, 5), nullptr, t0 + 40s));
        CHECK_FALSE(t.merge(says("a", {2, 2}, 1), nullptr, t0 + 61s));
        CHECK(leaders(a) == list{1, 1});
    }
}

TEST_CASE("a topic that was made again starts afresh, and its former id is not believed any more") {
    topic_table t;
    auto& a = t.want("a", false);
    t.merge(says("a", {1, 2, 3}, 9), nullptr, t0);
    CHECK(t.merge(says("a", {4}, 0, second_id), nullptr, t0));
    CHECK(a.id == second_id);
    CHECK(leaders(a) == list{4});
    CHECK(a.partitions[0].leader_epoch == 0);
    CHECK_FALSE(t.merge(says("a", {1, 2, 3}, 9, first_id), nullptr, t0));
    CHECK(leaders(a) == list{4});
    SECTION("unless nobody says anything else for a while, more than once") {
        CHECK_FALSE(t.merge(says("a", {1, 2, 3}, 9, first_id), nullptr, t0 + 4s));
        SECTION("nobody does") {
            CHECK(t.merge(says("a", {1, 2, 3}, 9, first_id), nullptr, t0 + 5s));
            CHECK(a.id == first_id);
            CHECK(leaders(a) == list{1, 2, 3});
            CHECK_FALSE(t.merge(says("a", {4}, 0, second_id), nullptr, t0 + 5s));
        }
        SECTION("somebody does") {
            CHECK_FALSE(t.merge(says("a", {4}, 0, second_id), nullptr, t0 + 5s));
            for (const auto later : {6s, 9s, 10s}) CHECK_FALSE(t.merge(says("a", {1, 2, 3}, 9, first_id), nullptr, t0 + later));
            CHECK(a.id == second_id);
        }
    }
    SECTION("two answers are not enough, however late") {
        CHECK_FALSE(t.merge(says("a", {1, 2, 3}, 9, first_id), nullptr, t0 + 300s));
        CHECK(a.id == second_id);
    }
    SECTION("brokers without ids: after it was gone, lower epochs and fewer partitions are another topic's") {
        auto& b = t.want("b", false);
        t.merge(says("b", {1, 2}, 9, {}), nullptr, t0);
        CHECK_FALSE(t.merge(says("b", {2, 1}, 3, {}), nullptr, t0));
        t.merge(refuses("b", broker_errc::unknown_topic_or_partition), nullptr, t0);
        t.merge(says("b", {3}, 0, {}), nullptr, t0);
        CHECK(leaders(b) == list{3});
    }
    SECTION("brokers without epochs are always believed") {
        auto& b = t.want("b", false);
        t.merge(says("b", {1}, -1, {}), nullptr, t0);
        CHECK(t.merge(says("b", {2}, -1, {}), nullptr, t0));
        CHECK(leaders(b) == list{2});
    }
}

TEST_CASE("fewer partitions than are known are believed when nobody has said more for a minute") {
    topic_table t;
    auto& a = t.want("a", false);
    t.merge(says("a", {1, 2, 3}, 9), nullptr, t0);
    t.merge(says("a", {1, 2}, 9), nullptr, t0 + 1s);
    CHECK(leaders(a) == list{1, 2, 3});
    t.merge(says("a", {1, 2, 3}, 9), nullptr, t0 + 2s);
    t.merge(says("a", {1, 2}, 9), nullptr, t0 + 61s);
    CHECK(leaders(a) == list{1, 2, 3});
    CHECK(t.merge(says("a", {1, 2}, 9), nullptr, t0 + 121s));
    CHECK(leaders(a) == list{1, 2});
}

TEST_CASE("a refusal lasts until somebody asks anew; a code that Metadata has no business with is asked about again") {
    topic_table t;
    auto& a = t.want("a", false);
    t.merge(says("a", {1}, 5), nullptr, t0);
    CHECK(t.settled());
    t.merge(refuses("a", broker_errc::topic_authorization_failed), nullptr, t0);
    CHECK(a.error);
    CHECK(t.settled());
    t.merge(refuses("a", broker_errc::invalid_principal_type), nullptr, t0);
    CHECK(a.error == broker_errc::invalid_principal_type);
    CHECK_FALSE(t.settled());
    t.merge(says("a", {1}, 5), nullptr, t0);
    CHECK(t.settled());
}

TEST_CASE("hints of brokers count if they are newer") {
    topic_table t;
    auto& a = t.want("a", false);
    CHECK_FALSE(t.hint(a, 0, 2, 7));
    t.merge(says("a", {1}, 5), nullptr, t0);
    CHECK_FALSE(t.hint(a, 0, 2, 4));
    CHECK_FALSE(t.hint(a, 0, 2, 5));
    CHECK_FALSE(t.hint(a, 1, 2, 6));
    CHECK_FALSE(t.hint(a, -1, 2, 6));
    CHECK_FALSE(t.hint(a, 0, -1, -1));
    CHECK(t.hint(a, 0, 2, 6));
    CHECK(leaders(a) == list{2});
    CHECK_FALSE(t.merge(says("a", {1}, 5), nullptr, t0));  // the node that is asked has not heard of it yet
    CHECK(leaders(a) == list{2});
}

TEST_CASE("only topics that are missing and may be created are asked for in a question that creates") {
    topic_table t;
    t.want("old", true);
    t.want("forbidden", false);
    auto& fresh = t.want("fresh", true);
    const auto question = t.request();
    CHECK_FALSE(question.allow_auto_topic_creation);
    CHECK(question.topics->size() == 3);
    auto m = says("old", {1}, 0);
    for (const auto* n : {"fresh", "forbidden"}) m.topics.push_back(refuses(n, broker_errc::unknown_topic_or_partition).topics[0]);
    t.merge(m, &question, t0);
    REQUIRE(t.creation_due());
    const auto create = t.request();
    CHECK(create.allow_auto_topic_creation);
    REQUIRE(create.topics->size() == 1);
    CHECK((*create.topics)[0].name == "fresh");
    t.merge(refuses("fresh", broker_errc::unknown_topic_or_partition), &create, t0);  // it is being made
    CHECK_FALSE(t.creation_due());
    CHECK_FALSE(t.settled());
    CHECK_FALSE(t.request().allow_auto_topic_creation);
    t.merge(says("fresh", {1}, 0, second_id), nullptr, t0);
    CHECK(fresh.known);
}

TEST_CASE("what nobody can wait for settles: names that cannot be, topics that are forbidden") {
    topic_table t;
    for (const auto* n : {"", ".", "..", "a b", "a/b", "\xc3\xa4"}) CHECK(t.want(n, true).error == broker_errc::invalid_topic_exception);
    CHECK(t.want(std::string(250, 'x'), true).error == broker_errc::invalid_topic_exception);
    CHECK_FALSE(t.want(std::string(249, 'x'), false).error);
    CHECK(t.request().topics->size() == 1);
    CHECK_FALSE(t.merge(says("a b", {1}, 0), nullptr, t0));
    t.merge(refuses(std::string(249, 'x'), broker_errc::topic_authorization_failed), nullptr, t0);
    CHECK(t.settled());
}

TEST_CASE("an answer that leaves a topic out says that it does not exist; impossible indexes are passed over") {
    topic_table t;
    auto& a = t.want("a", false);
    const auto question = t.request();
    t.merge(metadata_response{}, &question, t0);
    CHECK(a.error == broker_errc::unknown_topic_or_partition);
    auto m = says("a", {1, 1, 1}, 0);
    m.topics[0].partitions[1].partition_index = 2'000'000'000;
    m.topics[0].partitions[2].partition_index = -5;
    m.topics.emplace_back().name.reset();
    t.merge(m, &question, t0);
    CHECK(leaders(a) == list{1, -1, -1});
}

TEST_CASE("replicas are kept for who asks where they are; a leader that is heard of elsewhere leaves them") {
    topic_table t;
    auto& a = t.want("a", false);
    auto m = says("a", {1, 2}, 1);
    m.topics[0].partitions[0].replica_nodes = {1, 2};
    m.topics[0].partitions[1].replica_nodes = {2, 3};
    CHECK(t.merge(m, nullptr, t0));
    CHECK(a.partitions[0].replicas == list{1, 2});
    CHECK(a.partitions[1].replicas == list{2, 3});
    CHECK_FALSE(t.merge(m, nullptr, t0));
    CHECK(t.hint(a, 1, 3, 2));
    CHECK(a.partitions[1].replicas == list{2, 3});
    m.topics[0].partitions[0].replica_nodes = {1, 3};       // reassigned
    CHECK(t.merge(m, nullptr, t0));
    CHECK(a.partitions[0].replicas == list{1, 3});
}
