// What a member has finished, and what of that is committed: marks, commits of a record, of a batch, of what has gone meanwhile.
#include <kafkawire/protocol/messages/08_offset_commit.hpp>

#include "group_rig.hpp"

namespace {

std::int64_t committed_of(group_rig& r, const std::string& group, const std::string& topic) {
    std::int64_t found = -2;
    kw::consumer_options o;
    o.group = group;
    kw::consumer who{r.client, o};
    r.run([&]() -> asio::awaitable<void> {
        const std::vector<kw::topic_partition> one{{topic, 0}};
        const auto all = co_await who.async_committed(one, asio::use_awaitable);
        found = all.at(0).offset;
    });
    return found;
}

kw::consumer_options marking(const std::string& topic, kw::group_protocol protocol) {
    auto o = member_of("billing", {topic}, protocol);
    o.auto_commit = true;
    o.auto_mark = false;
    o.auto_commit_interval = 20ms;
    return o;
}

}  // namespace

TEST_CASE("only what is marked is committed, and marks do not go back") {
    for (const auto protocol : both_protocols) {
        CAPTURE(static_cast<int>(protocol));
        group_rig r;
        const auto topic = r.kafka.create_topic(1);
        r.fill(topic, 0, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            kw::consumer consumer{r.client, marking(topic, protocol)};
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            REQUIRE(batch.size() == 10);
            for (const auto& x : batch)
                if (x.offset == 6) CHECK_FALSE(consumer.mark(x));
            for (const auto& x : batch)
                if (x.offset == 2) CHECK_FALSE(consumer.mark(x));
            auto never = kw::consumer_record{*batch.begin()};
            never.offset = 10;
            CHECK(consumer.mark(never) == kw::errc::not_assigned);
            never.partition = 1;
            CHECK(consumer.mark(never) == kw::errc::not_assigned);
            co_await r.sleep(100ms);
            co_await consumer.async_close(asio::use_awaitable);
        });
        CHECK(committed_of(r, "billing", topic) == 7);
        r.run([&]() -> asio::awaitable<void> {
            auto o = marking(topic, protocol);
            o.auto_commit_interval = 1h;                    // what is marked last is committed at the end
            kw::consumer consumer{r.client, o};
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            CHECK(batch.begin()->offset == 7);
            co_await consumer.async_close(asio::use_awaitable);
            CHECK(consumer.mark(batch) == kw::errc::client_closed);
        });
        CHECK(committed_of(r, "billing", topic) == 7);
        r.run([&]() -> asio::awaitable<void> {
            auto o = marking(topic, protocol);
            o.auto_commit_interval = 1h;
            kw::consumer consumer{r.client, o};
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            CHECK_FALSE(consumer.mark(batch));
            co_await consumer.async_close(asio::use_awaitable);
        });
        CHECK(committed_of(r, "billing", topic) == 10);
    }
}

TEST_CASE("what a handler marks before it lets partitions go is committed") {
    for (const auto protocol : both_protocols) {
        CAPTURE(static_cast<int>(protocol));
        group_rig r;
        const auto topic = r.kafka.create_topic(1);
        r.fill(topic, 0, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            auto o = marking(topic, protocol);
            o.auto_commit_interval = 1h;
            kw::consumer consumer{r.client, o};
            kw::records batch;
            consumer.on_revoked([&](kw::rebalance_step) { CHECK_FALSE(consumer.mark(batch)); });
            batch = co_await consumer.async_poll(asio::use_awaitable);
            co_await consumer.async_close(asio::use_awaitable);
        });
        CHECK(committed_of(r, "billing", topic) == 10);
    }
}

TEST_CASE("one record is committed by hand, or what is marked") {
    group_rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 10);
    r.run([&]() -> asio::awaitable<void> {
        auto o = member_of("billing", {topic}, kw::group_protocol::classic);
        {
            kw::consumer consumer{r.client, o};
            const auto x = co_await consumer.async_read(asio::use_awaitable);
            CHECK(consumer.mark(x) == std::errc::operation_not_permitted);
            co_await consumer.async_commit(x, asio::use_awaitable);
            co_await consumer.async_close(asio::use_awaitable);
        }
        o.auto_mark = false;
        kw::consumer consumer{r.client, o};
        const auto batch = co_await consumer.async_poll(asio::use_awaitable);
        CHECK(batch.begin()->offset == 1);
        co_await consumer.async_commit(*batch.begin(), asio::use_awaitable);
        for (const auto& x : batch)
            if (x.offset == 4) CHECK_FALSE(consumer.mark(x));
        co_await consumer.async_commit(asio::use_awaitable);
        co_await consumer.async_close(asio::use_awaitable);
    });
    CHECK(committed_of(r, "billing", topic) == 5);
}

// A commit that the coordinator takes after the member's leave is refused, and what was finished would be read again.
TEST_CASE("nobody leaves while a commit of his is on its way") {
    for (const auto protocol : both_protocols)
        for (const bool by_hand : {false, true}) {
            CAPTURE(static_cast<int>(protocol), by_hand);
            group_rig r;
            const auto topic = r.kafka.create_topic(1);
            r.fill(topic, 0, 0, 10);
            r.kafka.embedded()->control().add({.api = kw::protocol::messages::offset_commit_request::key, .count = 1, .delay = 300ms});
            r.run([&]() -> asio::awaitable<void> {
                auto o = marking(topic, protocol);
                o.auto_commit = !by_hand;
                kw::consumer consumer{r.client, o};
                const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                CHECK(batch.size() == 10);
                if (by_hand) consumer.async_commit(batch, asio::detached);
                else CHECK_FALSE(consumer.mark(batch));
                co_await r.sleep(100ms);
                co_await consumer.async_close(asio::use_awaitable);
            });
            CHECK(committed_of(r, "billing", topic) == 10);
        }
}

// What is committed with a revocation is all that is finished, also of partitions that stay: those have another chance.
TEST_CASE("a commit that is refused while some partitions go is made again for those that stay") {
    group_rig r;
    const auto topic = r.kafka.create_topic(2);
    r.fill(topic, 0, 0, 10);
    r.fill(topic, 1, 0, 10);
    r.run([&]() -> asio::awaitable<void> {
        auto o = marking(topic, kw::group_protocol::classic);
        o.auto_mark = true;
        o.auto_commit_interval = 1s;
        kw::consumer first{r.client, o};
        std::size_t read = 0;
        while (read < 20) read += (co_await first.async_poll(asio::use_awaitable)).size();
        bool gone = false;
        first.on_revoked([&](kw::rebalance_step) { gone = true; });
        asio::co_spawn(r.io, [&]() -> asio::awaitable<void> {
            for (;;) (void)co_await first.async_poll(asio::use_awaitable);
        }, asio::detached);
        const auto refusal = r.kafka.embedded()->control().add({.api = kw::protocol::messages::offset_commit_request::key, .error = kw::broker_errc::cluster_authorization_failed});
        CHECK(refusal);
        kw::consumer second{r.client, o};
        asio::co_spawn(r.io, [&]() -> asio::awaitable<void> {
            for (;;) (void)co_await second.async_poll(asio::use_awaitable);
        }, asio::detached);
        CHECK(co_await r.until([&] { return gone; }));
        r.kafka.embedded()->control().clear_faults();
        CHECK(co_await r.until([&] { return first.membership()->assignment.size() == 1; }));
        const std::vector<kw::topic_partition> stays{first.membership()->assignment.at(0)};
        std::int64_t at = -1;
        for (int tries = 0; at != 10 && tries < 100; ++tries) {
            const auto all = co_await first.async_committed(stays, asio::use_awaitable);
            at = all.at(0).offset;
            co_await r.sleep(50ms);
        }
        CHECK(at == 10);
        co_await second.async_close(asio::use_awaitable);
        co_await first.async_close(asio::use_awaitable);
    });
}

// Others may have them by then, and the member lives on under the next epoch: a commit under that would be taken.
TEST_CASE("after the deadline of a revocation nothing of it is committed or marked, though its handler is not over") {
    for (const auto protocol : both_protocols) {
        CAPTURE(static_cast<int>(protocol));
        group_rig r;
        const auto topic = r.kafka.create_topic(2);
        r.fill(topic, 0, 0, 10);
        r.fill(topic, 1, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            auto o = marking(topic, protocol);
            o.rebalance_timeout = 400ms;                    // the handler has 200 of these
            o.assignors = {"range"};                        // a cooperative member takes no part before its handlers are over
            kw::consumer first{r.client, o};
            std::vector<kw::records> read;
            for (std::size_t n = 0; n < 20; n += read.back().size()) read.push_back(co_await first.async_poll(asio::use_awaitable));
            std::optional<kw::rebalance_step> held;
            first.on_revoked([&](kw::rebalance_step s) { held.emplace(std::move(s)); });
            asio::co_spawn(r.io, [&]() -> asio::awaitable<void> {
                for (;;) (void)co_await first.async_poll(asio::use_awaitable);
            }, asio::detached);
            kw::consumer second{r.client, o};
            asio::co_spawn(r.io, [&]() -> asio::awaitable<void> {
                for (;;) (void)co_await second.async_poll(asio::use_awaitable);
            }, asio::detached);
            CHECK(co_await r.until([&] { return held.has_value(); }));
            const auto gone = held->partitions();
            CHECK(co_await r.until([&] { return second.membership() && !second.membership()->assignment.empty(); }));
            std::size_t refused = 0;
            for (const auto& b : read)
                for (const auto& x : b) {
                    if (std::find(gone.begin(), gone.end(), kw::topic_partition{std::string{x.topic}, x.partition}) == gone.end()) continue;
                    CHECK(first.mark(x) == kw::errc::not_assigned);
                    ++refused;
                }
            CHECK(refused >= 10);
            for (const auto& p : gone) {
                const std::vector<kw::committed_offset> what{{p.topic, p.partition, 3}};
                const auto [why] = co_await first.async_commit(what, kw::as_tuple(asio::use_awaitable));
                CHECK(why);
            }
            first.on_revoked([](kw::rebalance_step) {});
            held->finish();
            co_await second.async_close(asio::use_awaitable);
            co_await first.async_close(asio::use_awaitable);
        });
        CHECK(committed_of(r, "billing", topic) == -1);
    }
}

TEST_CASE("records of an assignment that is over can neither be committed nor marked, even if the partition has come back") {
    group_rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 10);
    r.run([&]() -> asio::awaitable<void> {
        auto o = member_of("billing", {topic}, kw::group_protocol::classic);
        o.auto_mark = false;
        o.auto_commit = true;
        kw::consumer consumer{r.client, o};
        const auto before = co_await consumer.async_poll(asio::use_awaitable);
        consumer.unsubscribe();
        consumer.subscribe({topic});
        const auto again = co_await consumer.async_poll(asio::use_awaitable);
        CHECK(again.begin()->offset == 0);
        CHECK(again.partitions()[0].assignment_epoch() > before.partitions()[0].assignment_epoch());
        CHECK(consumer.mark(before) == kw::errc::not_assigned);
        const auto [ec] = co_await consumer.async_commit(before, kw::as_tuple(asio::use_awaitable));
        CHECK(ec == kw::broker_errc::illegal_generation);
        co_await consumer.async_commit(again, asio::use_awaitable);
        co_await consumer.async_close(asio::use_awaitable);
    });
    CHECK(committed_of(r, "billing", topic) == 10);
}

TEST_CASE("records that a group had read and the cluster has lost since are told when it comes back, also where the log has grown over them again") {
    for (const auto protocol : both_protocols)
        for (const bool grown : {false, true}) {
            CAPTURE(static_cast<int>(protocol), grown);
            group_rig r;
            const auto topic = r.kafka.create_topic(1);
            for (int from = 0; from < 100; from += 10) r.fill(topic, 0, from, from + 10);
            auto o = member_of("billing", {topic}, protocol);
            r.run([&]() -> asio::awaitable<void> {
                kw::consumer consumer{r.client, o};
                std::size_t n = 0;
                while (n < 100) {
                    const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                    n += batch.size();
                    co_await consumer.async_commit(batch, asio::use_awaitable);
                }
                co_await consumer.async_close(asio::use_awaitable);
            });
            CHECK(!r.kafka.embedded()->control().truncate(topic, 0, 60));
            if (grown) r.fill(topic, 0, 1000, 1100);
            r.run([&]() -> asio::awaitable<void> {
                kw::consumer consumer{r.client, o};
                auto [why, none] = co_await consumer.async_poll(kw::detailed(kw::as_tuple(asio::use_awaitable)));
                INFO(why.message());
                CHECK(why.code == kw::errc::log_truncated);
                CHECK(why.text.find(topic + "-0 at offset 100: the log has lost what was read behind offset 60") == 0);
                CHECK(none.empty());
                CHECK(consumer.position(topic, 0) == 60);
                if (!grown) r.fill(topic, 0, 1000, 1010);
                const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                CHECK(batch.begin()->offset == 60);
                CHECK(batch.begin()->value.text() == "1000");
                co_await consumer.async_commit(batch, asio::use_awaitable);
                co_await consumer.async_close(asio::use_awaitable);
            });
            CHECK(committed_of(r, "billing", topic) >= 70);
        }
}

TEST_CASE("marks need a group") {
    group_rig r;
    kw::consumer consumer{r.client};
    kw::consumer_record x;
    CHECK(consumer.mark(x) == kw::errc::no_group);
    kw::consumer_options o;
    o.auto_mark = false;
    CHECK(validate(o).code == kw::errc::bad_configuration);
}
