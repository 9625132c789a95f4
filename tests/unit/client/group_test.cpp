// Members of a group against the embedded cluster on loopback, with both protocols: who reads what, where reading goes on, what is committed.
#include <kafkawire/producer.hpp>
#include <kafkawire/protocol/messages/37_create_partitions.hpp>
#include <kafkawire/transaction.hpp>

#include <array>
#include <map>
#include <set>

#include "group_rig.hpp"

namespace {

using rig = group_rig;

// One member that reads for as long as it lives, and counts each record by partition and value.
struct reader {
    kw::consumer consumer;
    std::multiset<std::string> seen;
    std::vector<kw::topic_partition> has;
    int assigned = 0, revoked = 0, lost = 0;

    reader(rig& r, const kw::consumer_options& o) : consumer{r.client, o} {
        consumer.on_assigned([this](kw::rebalance_step s) {
            ++assigned;
            for (const auto& p : s.partitions()) has.push_back(p);
        });
        consumer.on_revoked([this](kw::rebalance_step s) {
            ++revoked;
            CHECK(s.deadline());
            for (const auto& p : s.partitions()) std::erase(has, p);
        });
        consumer.on_lost([this](kw::rebalance_step s) {
            ++lost;
            for (const auto& p : s.partitions()) std::erase(has, p);
        });
        asio::co_spawn(r.io, read(), asio::detached);
    }
    asio::awaitable<void> read() {
        for (;;) {
            const auto [ec, batch] = co_await consumer.async_poll(kw::as_tuple(asio::use_awaitable));
            if (ec) co_return;
            for (const auto& r : batch) seen.insert(std::to_string(r.partition) + "/" + std::string{r.value.text()});
        }
    }
};

std::multiset<std::string> all_of(int partitions, int from, int to) {
    std::multiset<std::string> all;
    for (int p = 0; p < partitions; ++p)
        for (int i = from; i < to; ++i) all.insert(std::to_string(p) + "/" + std::to_string(i));
    return all;
}

// How members stand, for a test that has failed.
template <class... Readers>
std::string shown(const Readers&... all) {
    std::string text;
    const auto one = [&](const reader& m) {
        const auto g = *m.consumer.membership();
        text += g.member_id + " " + g.state + ", generation " + std::to_string(g.generation) + ", " + std::to_string(m.seen.size()) + " seen:";
        for (const auto& p : m.consumer.readings())
            text += " " + std::to_string(p.partition) + " " + std::to_string(static_cast<int>(p.state)) + " at " + std::to_string(p.position) + " of " + std::to_string(p.log.high) + (p.why ? " " + p.why->message() : "");
        text += '\n';
    };
    (one(all), ...);
    return text;
}

const auto& both = both_protocols;

}  // namespace

TEST_CASE("a group of one reads all partitions, commits, and its successor goes on there") {
    for (const auto protocol : both) {
        CAPTURE(static_cast<int>(protocol));
        rig r;
        const auto topic = r.kafka.create_topic(3);
        for (int p = 0; p < 3; ++p) r.fill(topic, p, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            kw::consumer consumer{r.client, member_of("billing", {topic}, protocol)};
            std::size_t got = 0;
            while (got < 30) {
                const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                got += batch.size();
                co_await consumer.async_commit(batch, asio::use_awaitable);
            }
            const auto m = *consumer.membership();
            CHECK(m.assignment.size() == 3);
            CHECK(m.generation >= 1);
            CHECK(m.coordinator == 1);
            CHECK_FALSE(m.member_id.empty());
            const std::vector<kw::topic_partition> all{{topic, 0}, {topic, 1}, {topic, 2}};  // GCC 12 cannot write that inside a co_await
            const auto found = co_await consumer.async_committed(all, asio::use_awaitable);
            for (const auto& f : found) CHECK(f.offset == 10);
            co_await consumer.async_close(asio::use_awaitable);
        });
        for (int p = 0; p < 3; ++p) r.fill(topic, p, 10, 11);
        r.run([&]() -> asio::awaitable<void> {
            kw::consumer consumer{r.client, member_of("billing", {topic}, protocol)};
            std::multiset<std::string> seen;
            while (seen.size() < 3) {
                const auto batch = co_await consumer.async_poll(asio::use_awaitable);
                for (const auto& x : batch) seen.insert(std::to_string(x.partition) + "/" + std::string{x.value.text()});
            }
            CHECK(seen == all_of(3, 10, 11));
            co_await consumer.async_close(asio::use_awaitable);
        });
    }
}

TEST_CASE("members come and go: every partition has one reader, and every record is read once") {
    for (const auto protocol : both) {
        CAPTURE(static_cast<int>(protocol));
        rig r;
        const auto topic = r.kafka.create_topic(6);
        for (int p = 0; p < 6; ++p) r.fill(topic, p, 0, 20);
        auto o = member_of("billing", {topic}, protocol);
        o.auto_commit = true;
        o.auto_commit_interval = 20ms;
        std::optional<reader> a, b, c;
        r.run([&]() -> asio::awaitable<void> {
            a.emplace(r, o);
            {
                const bool done = co_await r.until([&] { return a->has.size() == 6 && a->seen.size() == 120; });
                CHECK(done);
            }
            b.emplace(r, o);
            {
                const bool done = co_await r.until([&] { return a->has.size() == 3 && b->has.size() == 3; });
                CHECK(done);
            }
            c.emplace(r, o);
            {
                const bool done = co_await r.until([&] { return a->has.size() == 2 && b->has.size() == 2 && c->has.size() == 2; });
                CHECK(done);
            }
            std::set<kw::topic_partition> all;
            for (auto* m : {&*a, &*b, &*c}) all.insert(m->has.begin(), m->has.end());
            CHECK(all.size() == 6);
        });
        for (int p = 0; p < 6; ++p) r.fill(topic, p, 20, 30);
        r.run([&]() -> asio::awaitable<void> {
            const bool all_seen = co_await r.until([&] { return a->seen.size() + b->seen.size() + c->seen.size() == 180; }, 5s);
            INFO(shown(*a, *b, *c));
            CHECK(all_seen);
            co_await r.sleep(100ms);
            co_await b->consumer.async_close(asio::use_awaitable);
            {
                const bool done = co_await r.until([&] { return a->has.size() + c->has.size() == 6; });
                CHECK(done);
            }
        });
        for (int p = 0; p < 6; ++p) r.fill(topic, p, 30, 31);
        r.run([&]() -> asio::awaitable<void> {
            {
                const bool done = co_await r.until([&] { return a->seen.size() + b->seen.size() + c->seen.size() >= 186; });
                CHECK(done);
            }
            co_await r.sleep(50ms);
            co_await a->consumer.async_close(asio::use_awaitable);
            co_await c->consumer.async_close(asio::use_awaitable);
        });
        auto seen = a->seen;
        seen.merge(b->seen);
        seen.merge(c->seen);
        CHECK(seen == all_of(6, 0, 31));
        CHECK(a->lost + b->lost + c->lost == 0);
    }
}

TEST_CASE("a handler that takes its time holds the step up, and may seek before the first record") {
    for (const auto protocol : both) {
        CAPTURE(static_cast<int>(protocol));
        rig r;
        const auto topic = r.kafka.create_topic(1);
        r.fill(topic, 0, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            kw::consumer consumer{r.client, member_of("billing", {topic}, protocol)};
            bool over = false;
            consumer.on_assigned([&](kw::rebalance_step s) {
                CHECK(s.partitions() == std::vector{kw::topic_partition{topic, 0}});
                CHECK_FALSE(consumer.seek(topic, 0, kw::start_position::at(7)));
                asio::co_spawn(
                    r.io,
                    [&r, &over, step = std::move(s)]() mutable -> asio::awaitable<void> {
                        co_await r.sleep(100ms);
                        over = true;
                        step.finish();
                    },
                    asio::detached);
            });
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            CHECK(over);
            CHECK(batch.begin()->offset == 7);
            co_await consumer.async_close(asio::use_awaitable);
        });
    }
}

TEST_CASE("a member whose group goes on while it takes its partitions reads them all the same") {
    // Its epoch goes up then, and what is committed is asked as of the new one: the coordinator refuses the old one for ever.
    for (const auto protocol : both) {
        CAPTURE(static_cast<int>(protocol));
        rig r;
        const auto topic = r.kafka.create_topic(1), other = r.kafka.create_topic(1);
        r.fill(topic, 0, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            kw::consumer consumer{r.client, member_of("billing", {topic}, protocol)};
            std::vector<kw::rebalance_step> kept;
            consumer.on_assigned([&](kw::rebalance_step s) {
                if (kept.empty()) kept.push_back(std::move(s));
            });
            std::size_t seen = 0;
            asio::co_spawn(
                r.io,
                [&]() -> asio::awaitable<void> {
                    const auto [ec, batch] = co_await consumer.async_poll(kw::as_tuple(asio::use_awaitable));
                    if (!ec) seen = batch.size();
                },
                asio::detached);
            REQUIRE(co_await r.until([&] { return !kept.empty(); }));
            const auto before = consumer.membership()->generation;
            reader second{r, member_of("billing", {other}, protocol)};
            if (protocol == kw::group_protocol::consumer) {
                CHECK(co_await r.until([&] { return consumer.membership()->generation > before; }));
            } else
                co_await r.sleep(200ms);
            kept.front().finish();
            CHECK(co_await r.until([&] { return seen == 10; }, 5s));
            co_await second.consumer.async_close(asio::use_awaitable);
            co_await consumer.async_close(asio::use_awaitable);
        });
    }
}

TEST_CASE("a handler is called once for each step") {
    // The end of one step may begin the next: a cooperative member that gives up and takes in the same rebalance.
    for (const auto protocol : both) {
        CAPTURE(static_cast<int>(protocol));
        rig r;
        const auto topic = r.kafka.create_topic(4);
        r.run([&]() -> asio::awaitable<void> {
            auto options = member_of("billing", {topic}, protocol);
            options.auto_commit = true;
            reader first{r, options};
            REQUIRE(co_await r.until([&] { return first.has.size() == 4; }));
            reader second{r, options};
            CHECK(co_await r.until([&] { return first.has.size() == 2 && second.has.size() == 2; }));
            co_await second.consumer.async_close(asio::use_awaitable);
            CHECK(co_await r.until([&] { return first.has.size() == 4; }));
            co_await first.consumer.async_close(asio::use_awaitable);
            CHECK(first.has.empty());
        });
    }
}

TEST_CASE("a partition that is taken away before it is known where the group was is not read") {
    for (const auto protocol : {kw::group_protocol::classic}) {  // the same steps with both, but the other's heartbeats are seconds apart
        rig r;
        const auto topic = r.kafka.create_topic(2);
        r.fill(topic, 0, 0, 10);
        r.fill(topic, 1, 0, 10);
        r.run([&]() -> asio::awaitable<void> {
            // A transaction that is open keeps the group's offsets back.
            kw::producer_options transactional;
            transactional.transactional_id = "orders";
            kw::producer producer{r.client, transactional};
            const kw::group_metadata group{"billing"};
            kw::transaction tx;
            for (const std::int64_t at : {5, 6}) {
                tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                const std::array<kw::topic_offset, 2> offsets{{{.topic = topic, .partition = 0, .offset = at}, {.topic = topic, .partition = 1, .offset = at}}};
                co_await tx.async_send_offsets(offsets, group, asio::use_awaitable);
                if (at == 5) co_await tx.async_commit(asio::use_awaitable);
            }
            kw::consumer first{r.client, member_of("billing", {topic}, protocol)};
            std::vector<kw::rebalance_step> kept;
            first.on_revoked([&](kw::rebalance_step s) {
                if (kept.empty()) kept.push_back(std::move(s));
            });
            std::multiset<std::string> seen;
            asio::co_spawn(
                r.io,
                [&]() -> asio::awaitable<void> {
                    for (;;) {
                        const auto [ec, batch] = co_await first.async_poll(kw::as_tuple(asio::use_awaitable));
                        if (ec) co_return;
                        for (const auto& x : batch) seen.insert(std::to_string(x.partition) + "/" + std::string{x.value.text()});
                    }
                },
                asio::detached);
            REQUIRE(co_await r.until([&] { return first.membership()->assignment.size() == 2; }));
            co_await r.sleep(200ms);  // it asks, and is told to ask again
            reader second{r, member_of("billing", {topic}, protocol)};
            REQUIRE(co_await r.until([&] { return !kept.empty(); }));
            const auto gone = kept.front().partitions().front().partition;
            co_await tx.async_commit(asio::use_awaitable);
            CHECK(co_await r.until([&] { return seen.size() == 4; }));
            co_await r.sleep(700ms);
            const auto other = std::to_string(1 - gone) + "/";
            CHECK(seen == std::multiset<std::string>{other + "6", other + "7", other + "8", other + "9"});
            kept.clear();
            CHECK(co_await r.until([&] { return second.seen.size() == 4; }));
            CHECK(seen.size() == 4);
            co_await second.consumer.async_close(asio::use_awaitable);
            co_await first.async_close(asio::use_awaitable);
        });
    }
}

TEST_CASE("topics by pattern: new ones are found, excluded ones are not") {
    rig r;
    const auto a = r.kafka.create_topic(1, "orders"), test = r.kafka.create_topic(1, "orders");
    (void)r.kafka.create_topic(1, "bills");
    auto o = member_of("billing", {"^orders.*"}, kw::group_protocol::classic);
    o.exclude_topics = {test};
    kw::client impatient{r.io, {.bootstrap = r.kafka.bootstrap(), .metadata_max_age = 100ms}};
    kw::consumer consumer{impatient, o};
    std::set<std::string> has;
    consumer.on_assigned([&](kw::rebalance_step s) {
        for (const auto& p : s.partitions()) has.insert(p.topic);
    });
    asio::co_spawn(
        r.io,
        [&]() -> asio::awaitable<void> {
            for (;;)
                if (const auto [ec, batch] = co_await consumer.async_poll(kw::as_tuple(asio::use_awaitable)); ec) co_return;
        },
        asio::detached);
    r.run([&]() -> asio::awaitable<void> { {
                const bool done = co_await r.until([&] { return has == std::set{a}; });
                CHECK(done);
            } });
    const auto b = r.kafka.create_topic(1, "orders");
    r.run([&]() -> asio::awaitable<void> {
        {
                const bool done = co_await r.until([&] { return has == std::set{a, b}; });
                CHECK(done);
            }
        co_await consumer.async_close(asio::use_awaitable);
    });
}

TEST_CASE("partitions that are added are found and read") {
    for (const auto protocol : both) {
        CAPTURE(static_cast<int>(protocol));
        rig r;
        const auto topic = r.kafka.create_topic(1);
        kw::client impatient{r.io, {.bootstrap = r.kafka.bootstrap(), .metadata_max_age = 100ms}};
        kw::consumer consumer{impatient, member_of("billing", {topic}, protocol)};
        std::size_t has = 0;
        consumer.on_assigned([&](kw::rebalance_step s) { has += s.partitions().size(); });
        std::multiset<std::string> seen;
        asio::co_spawn(
            r.io,
            [&]() -> asio::awaitable<void> {
                for (;;) {
                    const auto [ec, batch] = co_await consumer.async_poll(kw::as_tuple(asio::use_awaitable));
                    if (ec) co_return;
                    for (const auto& x : batch) seen.insert(std::to_string(x.partition) + "/" + std::string{x.value.text()});
                }
            },
            asio::detached);
        r.run([&]() -> asio::awaitable<void> {
            const bool first = co_await r.until([&] { return has == 1; });
            CHECK(first);
            kw::protocol::messages::create_partitions_request more;
            auto& t = more.topics.emplace_back();
            t.name = topic;
            t.count = 3;
            t.assignments.reset();
            more.timeout_ms = 5'000;
            const auto made = co_await r.client.async_request(more, asio::use_awaitable);
            REQUIRE(made.results.at(0).error_code == 0);
            const bool all = co_await r.until([&] { return consumer.readings().size() == 3; });
            CHECK(all);
        });
        for (int p = 0; p < 3; ++p) r.fill(topic, p, 0, 2);
        r.run([&]() -> asio::awaitable<void> {
            const bool read = co_await r.until([&] { return seen == all_of(3, 0, 2); });
            CHECK(read);
            co_await consumer.async_close(asio::use_awaitable);
        });
    }
}

TEST_CASE("wrong use is told") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    const auto refused = [](auto f) {
        try {
            f();
        } catch (const kw::system_error& e) {
            return e.detail();
        }
        return kw::error{};
    };
    auto o = member_of("billing", {topic}, kw::group_protocol::classic);
    SECTION("a group and partitions by hand") {
        kw::consumer consumer{r.client, o};
        CHECK(refused([&] { consumer.assign(topic, 0); }).code == kw::errc::mixed_assignment);
    }
    SECTION("topics without a group") {
        o.group.clear();
        CHECK(refused([&] { kw::consumer{r.client, o}; }).code == kw::errc::bad_configuration);
    }
    SECTION("committing without a group") {
        kw::consumer consumer{r.client};
        consumer.assign(topic, 0);
        r.run([&]() -> asio::awaitable<void> {
            const auto [ec] = co_await consumer.async_commit(kw::as_tuple(asio::use_awaitable));
            CHECK(ec == kw::errc::no_group);
        });
    }
    SECTION("a strategy that nobody knows") {
        o.assignors = {"rang"};
        const auto why = refused([&] { kw::consumer{r.client, o}; });
        CHECK(why.code == kw::errc::bad_configuration);
        CHECK(why.text.find("rang") != std::string::npos);
        CHECK(why.hint.find("cooperative-sticky") != std::string::npos);
    }
    SECTION("a pattern that cannot be") {
        o.topics = {"^orders-("};
        CHECK(refused([&] { kw::consumer{r.client, o}; }).code == kw::errc::bad_configuration);
    }
}

TEST_CASE("offsets are committed without membership where partitions are assigned by hand") {
    rig r;
    const auto topic = r.kafka.create_topic(1);
    r.fill(topic, 0, 0, 10);
    kw::consumer_options o;
    o.group = "by-hand";
    o.auto_offset_reset = kw::offset_reset::earliest;
    for (const std::int64_t first : {0, 10}) {
        kw::consumer consumer{r.client, o};
        consumer.assign(topic, 0);
        r.run([&]() -> asio::awaitable<void> {
            const auto batch = co_await consumer.async_poll(asio::use_awaitable);
            CHECK(batch.begin()->offset == first);
            co_await consumer.async_commit(asio::use_awaitable);
        });
        r.fill(topic, 0, 10, 20);
    }
}
