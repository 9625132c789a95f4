// kw::transaction against the embedded cluster on loopback, with transactions of version 1 (as Kafka 3.9) and 2 (as 4.3).
#include "transaction_cluster.hpp"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

namespace transactions {

TEST_CASE("what is committed is seen, what is aborted is not") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as, 3};
        kw::producer producer{r.client, {.transactional_id = "tx"}};
        r.run([&]() -> asio::awaitable<void> {
            for (int round = 0; round < 4; ++round) {
                auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                CHECK(!tx.trouble());
                for (int i = 0; i < 30; ++i) {
                    const auto value = (round % 2 ? "aborted " : "committed ") + std::to_string(round) + '-' + std::to_string(i);
                    co_await producer.async_enqueue({.topic = r.topic, .value = value, .partition = i % 3}, asio::use_awaitable);
                }
                if (round % 2) co_await tx.async_abort(asio::use_awaitable);
                else co_await tx.async_commit(asio::use_awaitable);
                CHECK(tx.trouble().code == kw::errc::no_transaction);
            }
        });
        const auto seen = r.values();
        CHECK(seen.size() == 60);
        for (const auto& v : seen) CHECK(v.substr(0, 9) == "committed");
        CHECK(r.values(false).size() >= 60);
        CHECK(r.stable());
    }
}

TEST_CASE("which requests a transaction takes follows the cluster's version") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, {.transactional_id = "tx"}};
        r.control.keep_history(1000);
        r.run([&]() -> asio::awaitable<void> {
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "1", .partition = 0}, asio::use_awaitable);
            const kw::topic_offset read[] = {{.topic = r.topic, .partition = 0, .offset = 7}};
            co_await tx.async_send_offsets(read, kw::group_metadata{"readers"}, asio::use_awaitable);
            co_await tx.async_commit(asio::use_awaitable);
        });
        std::map<std::int16_t, int> asked;
        for (const auto& t : r.control.traffic()) asked[t.api_key] = static_cast<int>(t.requests);
        CHECK(asked[22] == 1);
        CHECK(asked[24] == (as == "3.9" ? 1 : 0));
        CHECK(asked[25] == (as == "3.9" ? 1 : 0));
        CHECK(asked[28] == 1);
        CHECK(asked[26] == 1);
    }
}

TEST_CASE("offsets are committed with the transaction and only with it") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as, 3};
        kw::producer producer{r.client, {.transactional_id = "tx"}};
        const auto round = [&](std::int64_t offset, bool commit) {
            r.run([&]() -> asio::awaitable<void> {
                auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                producer.async_send({.topic = r.topic, .value = "1"}, asio::detached);
                const kw::topic_offset read[] = {{.topic = r.topic, .partition = 0, .offset = offset, .leader_epoch = 0, .metadata = "m"}};
                co_await tx.async_send_offsets(read, kw::group_metadata{"readers"}, asio::use_awaitable);
                if (commit) co_await tx.async_commit(asio::use_awaitable);
                else co_await tx.async_abort(asio::use_awaitable);
            });
        };
        round(7, false);
        CHECK(r.committed("readers") == -1);
        round(8, true);
        CHECK(r.committed("readers") == 8);
        round(9, false);
        CHECK(r.committed("readers") == 8);
    }
}

TEST_CASE("offsets of somebody who is no member of the group are refused, and the transaction with them") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, {.transactional_id = "tx"}};
        r.run([&]() -> asio::awaitable<void> {
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "zombie"}, asio::use_awaitable);
            const kw::topic_offset read[] = {{.topic = r.topic, .partition = 0, .offset = 7}};
            auto [why] = co_await tx.async_send_offsets(read, kw::group_metadata{"readers", 3, "who", "static"}, detailed);
            CHECK(why.code == kw::errc::transaction_aborted);
            REQUIRE(why.cause);
            CHECK(why.cause->code.category() == kw::broker_category());
            UNSCOPED_INFO(why.message());
            CHECK(tx.trouble().code == kw::condition::abortable);
            auto [refused] = co_await tx.async_commit(as_values);
            CHECK(refused == kw::errc::transaction_aborted);
            auto next = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "member"}, asio::use_awaitable);
            co_await next.async_commit(asio::use_awaitable);
        });
        CHECK(r.values() == std::multiset<std::string>{"member"});
        CHECK(r.committed("readers") == -1);
    }
}

TEST_CASE("a second producer of the same transactional id fences the first") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer zombie{r.client, {.transactional_id = "tx"}}, heir{r.client, {.transactional_id = "tx"}};
        r.run([&]() -> asio::awaitable<void> {
            auto old = co_await zombie.async_begin_transaction(asio::use_awaitable);
            co_await zombie.async_send({.topic = r.topic, .value = "old 1", .partition = 0}, asio::use_awaitable);
            auto tx = co_await heir.async_begin_transaction(asio::use_awaitable);
            co_await heir.async_send({.topic = r.topic, .value = "new", .partition = 0}, asio::use_awaitable);
            co_await tx.async_commit(asio::use_awaitable);
            (void)co_await zombie.async_send({.topic = r.topic, .value = "old 2", .partition = 0}, as_values);
            auto [why] = co_await old.async_commit(detailed);
            UNSCOPED_INFO(why.message());
            // What told it first: the leader, which says only that the epoch is old, or the coordinator.
            CHECK((why.code == kw::condition::fenced || why.code == kw::errc::transaction_aborted));
            auto [again, none] = co_await zombie.async_begin_transaction(as_values);
            CHECK(again == kw::broker_errc::producer_fenced);
            CHECK(again == kw::condition::fenced);
            CHECK(again == kw::condition::fatal);
            auto [sent, d] = co_await zombie.async_send({.topic = r.topic, .value = "old 3"}, as_values);
            CHECK(sent == kw::broker_errc::producer_fenced);
            auto another = co_await heir.async_begin_transaction(asio::use_awaitable);
            co_await another.async_commit(asio::use_awaitable);
        });
        CHECK(r.values() == std::multiset<std::string>{"new"});
        CHECK(r.stable());
    }
}

TEST_CASE("whoever takes the place of a transactional id ends what was left open there, before its own first transaction") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer zombie{r.client, {.transactional_id = "tx"}}, heir{r.client, {.transactional_id = "tx"}}, none{r.client};
        r.run([&]() -> asio::awaitable<void> {
            auto old = co_await zombie.async_begin_transaction(asio::use_awaitable);
            co_await zombie.async_send({.topic = r.topic, .value = "old", .partition = 0}, asio::use_awaitable);
            const kw::topic_offset read[] = {{.topic = r.topic, .partition = 0, .offset = 7}};
            co_await old.async_send_offsets(read, kw::group_metadata{"readers"}, asio::use_awaitable);
            CHECK_FALSE(r.stable());
            co_await heir.async_init_transactions(asio::use_awaitable);
            co_await heir.async_init_transactions(1s, asio::use_awaitable);
            CHECK(r.stable());
            auto [why] = co_await old.async_commit(detailed);
            CHECK(why);
            auto tx = co_await heir.async_begin_transaction(asio::use_awaitable);
            co_await heir.async_init_transactions(asio::use_awaitable);
            co_await tx.async_commit(asio::use_awaitable);
            auto [refused] = co_await none.async_init_transactions(as_values);
            CHECK(refused == kw::errc::no_transaction);
        });
        CHECK(r.values().empty());
        CHECK(r.committed("readers") == -1);
    }
}

TEST_CASE("a transaction that is destroyed is aborted, and the next begin waits for that") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, {.transactional_id = "tx"}};
        r.run([&]() -> asio::awaitable<void> {
            std::vector<std::error_code> told;
            {
                auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                co_await producer.async_send({.topic = r.topic, .value = "lost", .partition = 0}, asio::use_awaitable);
                producer.async_send({.topic = r.topic, .value = "dropped", .partition = 1}, [&](std::error_code ec, kw::delivery) { told.push_back(ec); });
            }
            auto [outside, d] = co_await producer.async_send({.topic = r.topic, .value = "outside"}, as_values);
            CHECK(outside == kw::errc::no_transaction);
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            CHECK((told.size() == 1 && (!told[0] || told[0] == kw::errc::transaction_aborted)));
            co_await producer.async_send({.topic = r.topic, .value = "kept", .partition = 0}, asio::use_awaitable);
            co_await tx.async_commit(asio::use_awaitable);
        });
        CHECK(r.values() == std::multiset<std::string>{"kept"});
        CHECK(r.stable());
    }
}

TEST_CASE("a producer that is destroyed, or closed, aborts what is open") {
    for (const std::string as : versions)
        for (const int how : {0, 1, 2}) {
            INFO(as << ", " << how);
            rig r{as};
            kw::transaction outlives;
            {
                kw::producer producer{r.client, {.transactional_id = "tx"}};
                r.run([&]() -> asio::awaitable<void> {
                    auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                    co_await producer.async_send({.topic = r.topic, .value = "lost", .partition = 0}, asio::use_awaitable);
                    if (how == 2) producer.async_send({.topic = r.topic, .value = "lost", .partition = 0}, asio::detached);
                    if (how == 1) {
                        CHECK(co_await producer.async_close(10s, asio::use_awaitable) == 0);
                        CHECK(r.stable());
                        auto [ec] = co_await tx.async_commit(as_values);
                        CHECK(ec == kw::errc::client_closed);
                    }
                    outlives = std::move(tx);
                });
            }
            CHECK(outlives.trouble().code == kw::errc::client_closed);
            CHECK(r.kafka.run_until([&] { return r.stable(); }));
            CHECK(r.values().empty());
        }
}

TEST_CASE("a send that fails fails its transaction; what was not taken at all, or taken back, does not") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, {.batch_bytes = 2000, .send_buffer = 4000, .transactional_id = "tx"}};
        r.run([&]() -> asio::awaitable<void> {
            const std::string giant(10'000, 'x'), large(1500, 'x');
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            co_await producer.async_send({.topic = r.topic, .value = "torn"}, asio::use_awaitable);
            auto [too_large, d] = co_await producer.async_send({.topic = r.topic, .value = giant}, as_values);
            CHECK(too_large == kw::errc::record_too_large);
            auto [later, d2] = co_await producer.async_send({.topic = r.topic, .value = "torn"}, as_values);
            CHECK(later == kw::errc::transaction_aborted);
            auto [why] = co_await tx.async_commit(detailed);
            CHECK(why.code == kw::errc::transaction_aborted);
            REQUIRE(why.cause);
            CHECK(why.cause->code == kw::errc::record_too_large);

            tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            CHECK(producer.try_send({.topic = r.topic, .value = giant}) == kw::errc::record_too_large);
            asio::cancellation_signal stop;
            std::error_code back;
            for (int i = 0; i < 2; ++i) producer.async_send({.topic = r.topic, .value = large, .partition = 0}, asio::detached);
            producer.async_send({.topic = r.topic, .value = large, .partition = 0},
                                asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec, kw::delivery) { back = ec; }));
            stop.emit(asio::cancellation_type::terminal);
            co_await tx.async_commit(asio::use_awaitable);
            CHECK(back == kw::errc::send_withdrawn);
        });
        CHECK(r.values().size() == 2);
    }
}

TEST_CASE("a commit takes along what still waits for room when it is called") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, {.batch_bytes = 1000, .send_buffer = 4000, .transactional_id = "tx"}};
        const std::string value(100, 'v');
        const std::vector<kw::record> records(300, kw::record{.topic = r.topic, .value = value});
        r.run([&]() -> asio::awaitable<void> {
            for (const bool commit : {true, false}) {
                auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
                kw::batch_result result;
                std::error_code told;
                bool ended = false;
                producer.async_send_batch(records, [&](std::error_code ec, kw::batch_result b) {
                    told = ec;
                    result = b;
                    ended = true;
                });
                if (commit) co_await tx.async_commit(asio::use_awaitable);
                else co_await tx.async_abort(asio::use_awaitable);
                CHECK(ended);
                if (commit) CHECK(result.acknowledged == 300);
                else CHECK(told == kw::condition::not_persisted);
                CHECK(result.acknowledged + result.not_persisted == 300);
            }
        });
        CHECK(r.values().size() == 300);
    }
}

TEST_CASE("one transaction at a time, and each only for itself") {
    rig r;
    kw::producer producer{r.client, {.transactional_id = "tx"}}, plain{r.client};
    r.run([&]() -> asio::awaitable<void> {
        auto [none, t0] = co_await plain.async_begin_transaction(detailed);
        CHECK(none.code == kw::errc::no_transaction);
        CHECK(none.message().find("transactional_id") != std::string::npos);
        CHECK(producer.try_send({.topic = r.topic, .value = "x"}) == kw::errc::no_transaction);
        auto first = co_await producer.async_begin_transaction(asio::use_awaitable);
        auto [busy, t1] = co_await producer.async_begin_transaction(as_values);
        CHECK(busy == std::errc::operation_in_progress);
        co_await first.async_commit(asio::use_awaitable);
        co_await first.async_commit(asio::use_awaitable);  // says again what became of it
        auto [ended] = co_await first.async_abort(as_values);
        CHECK(ended == kw::errc::no_transaction);
        auto second = co_await producer.async_begin_transaction(asio::use_awaitable);
        CHECK(first.trouble().code == kw::errc::no_transaction);
        auto [of_before] = co_await first.async_abort(as_values);
        CHECK(of_before == kw::errc::no_transaction);
        CHECK(!second.trouble());
        first = std::move(second);
        CHECK(second.trouble().code == kw::errc::no_transaction);
        CHECK_THROWS_AS((void)second.async_commit(asio::detached), std::logic_error);
        co_await first.async_abort(asio::use_awaitable);
        co_await first.async_abort(asio::use_awaitable);
    });
}

TEST_CASE("a begin is canceled without effect; a commit that is canceled before it was sent aborts") {
    for (const std::string as : versions) {
        INFO(as);
        rig r{as};
        kw::producer producer{r.client, {.transactional_id = "tx"}};
        r.run([&]() -> asio::awaitable<void> {
            std::vector<std::error_code> told;
            asio::cancellation_signal stop;
            const auto note = [&](std::error_code ec) { told.push_back(ec); };
            producer.async_begin_transaction(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec, kw::transaction t) {
                told.push_back(ec);
                CHECK(t.trouble().code == kw::errc::no_transaction);
            }));
            stop.emit(asio::cancellation_type::terminal);
            co_await r.sleep(1ms);
            auto tx = co_await producer.async_begin_transaction(asio::use_awaitable);
            CHECK((told.size() == 1 && told[0] == kw::errc::canceled));
            r.control.add({.name = "slow", .api = 0, .reply_delay = 100ms});
            producer.async_send({.topic = r.topic, .value = "x"}, asio::detached);
            tx.async_commit(asio::bind_cancellation_slot(stop.slot(), note));
            stop.emit(asio::cancellation_type::terminal);
            co_await tx.async_abort(asio::use_awaitable);
            CHECK((told.size() == 2 && told[1] == kw::errc::transaction_aborted));
        });
        CHECK(r.values().empty());
        CHECK(r.stable());
    }
}

TEST_CASE("transactions need what they need: other options are refused with name, value and what would be right") {
    const auto refusal = [](const kw::producer_options& o) {
        asio::io_context io;
        kw::client client{io};
        try {
            kw::producer p{client, o};
        } catch (const kw::system_error& e) {
            CHECK(e.code() == kw::errc::bad_configuration);
            return std::string{e.what()};
        }
        return std::string{};
    };
    CHECK(refusal({.transactional_id = "tx"}).empty());
    const auto idempotence = refusal({.idempotence = kw::toggle::off, .transactional_id = "tx"});
    CHECK(idempotence.find("idempotence is off") != std::string::npos);
    CHECK(idempotence.find("\"tx\"") != std::string::npos);
    const auto acks = refusal({.acks = kw::acks::leader, .transactional_id = "tx"});
    CHECK(acks.find("acks is 1") != std::string::npos);
    CHECK(acks.find("all") != std::string::npos);
    CHECK(refusal({.in_flight = 6, .transactional_id = "tx"}).find("in_flight is 6") != std::string::npos);
    CHECK(refusal({.transactional_id = std::string(40'000, 'x')}).find("32767") != std::string::npos);
    CHECK(refusal({.transactional_id = "tx", .transaction_timeout = 0ms}).find("transaction_timeout is 0") != std::string::npos);
}

}  // namespace transactions
