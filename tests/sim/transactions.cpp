// The workload's transactional producers: each begins, sends to a few partitions, commits or aborts, and begins again. As KIP-890 has it
// (transaction version 2): partitions are added by the Produce itself and every end raises the epoch.
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/messages/26_end_txn.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

#include "workload.hpp"

namespace schedules {

using kw::testing::outcome;

asio::awaitable<std::int32_t> workload::coordinator_of(std::string transactional_id) {
    for (;;) {
        messages::find_coordinator_request r;
        r.key_type = 1;
        r.coordinator_keys.push_back(transactional_id);
        ++requests;
        auto [ec, a] = co_await w_.client->async_request(std::move(r), as_values);
        // A broker without FindCoordinator: whoever is asked says whether it is the one.
        if (ec == kw::errc::no_common_version) co_return static_cast<std::int32_t>(1 + random_.below(3));
        if (!ec && a.coordinators.size() == 1 && a.coordinators.front().error_code == 0) co_return a.coordinators.front().node_id;
        co_await pause(100ms);
    }
}

asio::awaitable<void> workload::run_transactions(std::int32_t producer, std::chrono::nanoseconds until) {
    const auto transactional_id = "tx-" + std::to_string(producer);
    auto identity = std::make_shared<producer_identity>();
    std::int32_t coordinator = -1;
    co_await identify(identity, transactional_id, &coordinator);
    co_await look_up(*w_.client);
    kw::protocol::batch_builder batch;
    while (w_.world.elapsed() < until) {
        const auto number = next_transaction_++;
        history.begin(producer, number, w_.now());
        std::array<std::int32_t, partitions> sequence{};
        std::map<std::int32_t, std::int64_t> behind;  // by partition: after its last record
        bool broken = false;
        for (auto n = 1 + random_.below(4); n > 0 && !broken; --n) {
            const auto partition = static_cast<std::int32_t>(random_.below(partitions));
            kw::protocol::batch_options o;
            o.producer_id = identity->id;
            o.producer_epoch = identity->epoch;
            o.base_sequence = sequence[static_cast<std::size_t>(partition)];
            o.transactional = true;
            batch.start(o);
            const auto sends = fill(batch, producer, partition, number);
            kw::protocol::bytes_view bytes;
            (void)batch.close(bytes);
            for (;;) {
                std::int64_t base = -1;
                const auto code = co_await send_batch(partition, bytes, transactional_id, &base);
                if (code == 0) {
                    for (std::size_t i = 0; i < sends.size(); ++i)
                        history.finish(sends[i], outcome::ok, w_.now(), base + static_cast<std::int64_t>(i));
                    behind[partition] = base + static_cast<std::int64_t>(sends.size());
                    break;
                }
                if (code != -1 && !retriable(code)) {  // the transaction has timed out, say: it is begun anew
                    for (const auto s : sends) history.finish(s, outcome::unknown, w_.now());
                    broken = true;
                    break;
                }
                co_await pause(random_.between(std::chrono::nanoseconds{50ms}, std::chrono::nanoseconds{200ms}));
                co_await look_up(*w_.client);
            }
            sequence[static_cast<std::size_t>(partition)] += static_cast<std::int32_t>(sends.size());
        }
        const bool commit = !broken && random_.chance(750'000);
        const auto end = history.end(producer, number, commit, w_.now());
        // A new identity ends whatever the old one has left open; nothing of it can be committed afterwards.
        outcome ended = broken ? outcome::ok : outcome::pending;
        while (ended == outcome::pending) {
            messages::end_txn_request r;
            r.transactional_id = transactional_id;
            r.producer_id = identity->id;
            r.producer_epoch = identity->epoch;
            r.committed = commit;
            ++requests;
            if (coordinator < 0) coordinator = co_await coordinator_of(transactional_id);
            auto [ec, a] = co_await w_.client->async_request(std::move(r), coordinator, as_values);
            w_.world.note("end", std::array<std::int64_t, 4>{number, commit, ec.value(), a.error_code});
            if (!ec && a.error_code == 0) {
                ended = outcome::ok;
                if (a.info.version >= 5) *identity = {a.producer_id, a.producer_epoch};
            } else if (!ec && !retriable(a.error_code)) {
                ended = outcome::unknown;
                broken = true;
            } else {
                coordinator = -1;
                co_await pause(100ms);
            }
        }
        if (broken) co_await identify(identity, transactional_id, &coordinator);
        history.finish(end, ended, w_.now());
        if (commit && ended == outcome::ok)
            for (const auto& [partition, offset] : behind)
                target_[static_cast<std::size_t>(partition)] = std::max(target_[static_cast<std::size_t>(partition)], offset);
        co_await pause(random_.between(std::chrono::nanoseconds{50ms}, std::chrono::nanoseconds{1500ms}));
    }
    --producing_;
}

void workload::produce_in_transactions(int producers, std::chrono::nanoseconds until) {
    for (int i = 0; i < producers; ++i) {
        ++producing_;
        asio::co_spawn(w_.app.executor(), run_transactions(50 + i, until), asio::detached);
    }
}

}  // namespace schedules
