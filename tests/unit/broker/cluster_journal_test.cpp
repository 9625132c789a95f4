
#include <kafkawire/protocol/batch_builder.hpp>

#include "broker_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

const moment start{net::time_point{std::chrono::hours{1}}, net::wall_time{std::chrono::hours{24 * 365 * 50}}};

options with_nodes(std::int32_t n, std::uint64_t seed) {
    options o;
    o.nodes = n;
    o.seed = seed;
    return o;
}

TEST_CASE("topics, their configuration and the cluster's are there again after a restart, deleted ones are not") {
    const auto files = std::make_shared<memory_storage>();
    std::string cluster_id;
    protocol::uuid orders;
    {
        cluster_state before{with_nodes(3, 1), start, files};
        cluster_id = before.cluster_id();
        orders = before.create_topic({.name = "orders", .partitions = 2, .replication_factor = 2, .configs = {{"retention.ms", "7"}}}).id;
        before.create_topic({.name = "gone"});
        before.delete_topic("gone");
        before.add_partitions(*before.find_topic("orders"), before.place(1, 2));
        before.set_topic_configs(*before.find_topic("orders"), {{"max.message.bytes", "99"}});
        before.set_dynamic_configs("", {{"log.retention.ms", "55"}});
        before.take_producer_ids(1000);
        CHECK(!before.storage_error());
    }
    cluster_state after{with_nodes(3, 2), start, files};
    CHECK(!after.storage_error());
    CHECK(after.cluster_id() == cluster_id);
    CHECK(after.topics().size() == 1);
    auto* t = after.find_topic("orders");
    REQUIRE(t);
    CHECK(t->id == orders);
    CHECK(t->partitions.size() == 3);
    CHECK(t->partitions[2]->replicas().size() == 2);
    CHECK(t->configs == std::map<std::string, std::string>{{"max.message.bytes", "99"}});
    CHECK(after.config(*t, "retention.ms") == "55");
    CHECK(after.first_free_producer_id() == 1000);
}

TEST_CASE("a journal whose last write was torn comes back without that write") {
    const auto files = std::make_shared<memory_storage>();
    {
        cluster_state before{with_nodes(1, 1), start, files};
        before.create_topic({.name = "a"});
        before.create_topic({.name = "b"});
    }
    std::error_code ec;
    auto log = files->open("__cluster_metadata-0/00000000000000000000.log", ec, true);
    REQUIRE(log);
    REQUIRE(!log->truncate(log->size() - 1));
    cluster_state after{with_nodes(1, 2), start, files};
    CHECK(!after.storage_error());
    CHECK(after.find_topic("a"));
    CHECK(!after.find_topic("b"));
}

TEST_CASE("a journal with a record that nobody can read is an error, not half a cluster") {
    const auto files = std::make_shared<memory_storage>();
    {
        protocol::batch_builder batch;
        REQUIRE(batch.append(0, {}, "no record") == errc{});
        protocol::bytes_view bytes;
        REQUIRE(!batch.close(bytes));
        std::error_code ec;
        REQUIRE(!files->open("__cluster_metadata-0/00000000000000000000.log", ec)->append(bytes));
    }
    cluster_state after{with_nodes(1, 1), start, files};
    CHECK(after.storage_error() == errc::bad_record);
}

}  // namespace
}  // namespace kafkawire::broker::test
