// What a consumer tells those who look: rebalances and their phases, positions that the log has moved, partitions that stand still.
#include <kafkawire/protocol/messages/21_delete_records.hpp>

#include "client/consumer_core.hpp"
#include "group_rig.hpp"
#include "quick_world.hpp"

TEST_CASE("a rebalance is told when it is over, with how long its phases took") {
    for (const auto protocol : both_protocols) {
        CAPTURE(static_cast<int>(protocol));
        group_rig r;
        const auto topic = r.kafka.create_topic(2);
        r.run([&]() -> asio::awaitable<void> {
            kw::consumer consumer{r.client, member_of("billing", {topic}, protocol)};
            std::vector<kw::rebalance_report> told;
            consumer.on_rebalanced([&](const kw::rebalance_report& what) { told.push_back(what); });
            consumer.on_assigned([&](kw::rebalance_step s) {
                asio::co_spawn(
                    r.io, [&r, step = std::move(s)]() mutable -> asio::awaitable<void> {
                        co_await r.sleep(50ms);
                        step.finish();
                    },
                    asio::detached);
            });
            consumer.async_poll([](std::error_code, kw::records) {});
            const bool done = co_await r.until([&] { return !told.empty() && told.back().assignment.size() == 2; });
            REQUIRE(done);
            const auto& last = told.back();
            CHECK(last.generation == consumer.membership()->generation);
            CHECK(last.took.adopting >= 45ms);
            CHECK(last.took.whole >= last.took.adopting);
            CHECK(last.took.whole == consumer.membership()->last_rebalance.whole);
            co_await consumer.async_close(asio::use_awaitable);
        });
    }
}

TEST_CASE("a position that retention has passed is told with both offsets") {
    group_rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 20);
    r.run([&]() -> asio::awaitable<void> {
        kw::protocol::messages::delete_records_request gone;
        auto& t = gone.topics.emplace_back();
        t.name = topic;
        auto& p = t.partitions.emplace_back();
        p.partition_index = 0;
        p.offset = 12;
        gone.timeout_ms = 5'000;
        const auto cut = co_await r.client.async_request(gone, asio::use_awaitable);
        REQUIRE(cut.topics.at(0).partitions.at(0).error_code == 0);
        kw::consumer_options o;
        o.auto_offset_reset = kw::offset_reset::earliest;
        kw::consumer consumer{r.client, o};
        std::vector<kw::position_reset> told;
        consumer.on_reset([&](const kw::position_reset& what) { told.push_back(what); });
        consumer.assign(topic, 0, kw::start_position::at(5));
        const auto batch = co_await consumer.async_poll(asio::use_awaitable);
        CHECK(batch.begin()->offset == 12);
        REQUIRE(told.size() == 1);
        CHECK(told[0].topic == topic);
        CHECK(told[0].partition == 0);
        CHECK(told[0].from == 5);
        CHECK(told[0].to == 12);
        CHECK(consumer.statistics().resets == 1);
        CHECK(consumer.statistics().records == 8);
        // Where the application itself says where, nothing was moved.
        CHECK_FALSE(consumer.seek(topic, 0, kw::start_position::beginning()));
        (void)co_await consumer.async_poll(asio::use_awaitable);
        CHECK(told.size() == 1);
    });
}

TEST_CASE("a partition that stands still is found and told; one that only waits is not") {
    quick_world w{{"orders"}};
    kw::consumer_options o;
    o.auto_offset_reset = kw::offset_reset::earliest;
    const auto core = std::make_shared<kw::client_detail::consumer_core>(kw::client_detail::core_of(*w.client), o);
    std::vector<kw::reading_standstill> told;
    core->standstill_handler = [&](const kw::reading_standstill& what) { told.push_back(what); };
    core->assign({kw::partition_start{"orders", 0, kw::start_position::beginning()}});
    w.world.run_for(10min);
    CHECK(told.empty());
    SECTION("planted: somebody has forgotten to let it go") {
        core->hold("orders", 0);
        w.world.run_for(5min);
        REQUIRE_FALSE(told.empty());
        CHECK(told[0].topic == "orders");
        CHECK(told[0].state == "fetching, held");
        CHECK(core->statistics().standstills == told.size());
        const auto before = told.size();
        core->release("orders", 0);
        w.world.run_for(5min);
        CHECK(told.size() == before);
    }
    SECTION("paused, or with its broker gone, it only waits") {
        CHECK_FALSE(core->pause("orders", 0, true));
        w.world.run_for(5min);
        CHECK_FALSE(core->pause("orders", 0, false));
        w.cluster->close();
        w.world.run_for(10min);
        CHECK(told.empty());
        CHECK(core->statistics().standstills == 0);
    }
    kw::error over;
    over.code = kw::errc::client_closed;
    core->stop(over);
}
