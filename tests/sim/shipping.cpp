// Consume, transform, produce: members that write each record that they read to another topic, in a transaction with the offsets. Whatever happens
// to them, each record is there once.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

#include "consumers.hpp"

namespace schedules {

asio::awaitable<void> consumers::run_shipping(std::shared_ptr<life> l) {
    // What a former life of it left open keeps the group's offsets back, and so would keep it waiting for itself.
    for (;;) {
        auto [why] = co_await l->producer->async_init_transactions(as_values);
        if (l->over) co_return;
        if (!why) break;
        if (why == kw::condition::fatal || why == kw::errc::client_closed) co_return start_over(l);
        (void)co_await l->at->host->async_wait(50ms, as_values);
        if (l->over) co_return;
    }
    while (!l->over) {
        auto [why, batch] = co_await l->consumer->async_poll(kw::detailed(as_values));
        if (l->over) co_return;
        if (why) {
            if (!co_await goes_on(l, why)) co_return;
            continue;
        }
        hand(*l, batch);
        // As whom this was read: if the group moves on meanwhile, its offsets are refused.
        auto as = l->consumer->group_metadata();
        std::map<std::int32_t, std::int64_t> epochs;
        for (const auto& p : batch.partitions())
            if (const auto held = l->known->holds.find(number_of(p.partition())); held != l->known->holds.end()) epochs[held->first] = held->second.epoch;
        l->shipping = true;
        l->lost = false;
        const auto became = co_await ship(l, batch, std::move(as));
        l->shipping = false;
        if (l->over) co_return;
        if (became == shipment::over) co_return start_over(l);
        if (became == shipment::again)
            for (const auto& p : batch.partitions()) {
                const auto n = number_of(p.partition());
                const auto held = l->known->holds.find(n);
                if (held == l->known->holds.end() || held->second.epoch != epochs[n] || !held->second.reading) continue;
                if (!l->consumer->seek(topic, p.partition(), kw::start_position::at(p.first_offset()))) judge.sought(*l->known, n, p.first_offset());
            }
        auto busy = calm_ ? some(0ns, 5ms) : some(0ns, 200ms);
        busy += slow(*l);
        busy = std::max(busy, rest_until_ - elapsed());
        (void)co_await l->at->host->async_wait(busy, as_values);
    }
}

// With a new producer, as this one cannot go on.
void consumers::start_over(const std::shared_ptr<life>& l) {
    auto& s = *l->at;
    if (l->closing) return;
    end(*l);
    if (!closing_) restart(s, some(10ms, 500ms));
}

asio::awaitable<consumers::shipment> consumers::ship(std::shared_ptr<life> l, const kw::records& batch, kw::group_metadata as) {
    kw::transaction open;
    for (;;) {
        auto [why, begun] = co_await l->producer->async_begin_transaction(as_values);
        if (l->over) co_return shipment::over;
        if (!why) {
            open = std::move(begun);
            break;
        }
        if (why == kw::condition::fatal || why == kw::errc::client_closed) co_return shipment::over;
        (void)co_await l->at->host->async_wait(50ms, as_values);
        if (l->over) co_return shipment::over;
    }
    std::vector<kw::topic_offset> behind;
    for (const auto& p : batch.partitions()) {
        for (const auto& r : p) {
            const auto value = std::make_shared<std::string>(r.value.text());
            l->producer->async_send({.topic = shipped, .key = "key", .value = *value, .partition = p.partition()}, [value](std::error_code, kw::delivery) {});
        }
        behind.push_back({.topic = topic, .partition = p.partition(), .offset = p.next_offset(), .leader_epoch = p.leader_epoch()});
    }
    // Not when all is calm: who ships one record at a time would never come up.
    if (!calm_ && random_.chance(300'000)) {
        const auto time = some(1ms, 600ms);
        (void)co_await l->at->host->async_wait(time, as_values);
        if (l->over) co_return shipment::over;
    }
    auto [refused] = co_await open.async_send_offsets(behind, as, as_values);
    if (l->over) co_return shipment::over;
    w_.world.note("offsets", std::array<std::int64_t, 2>{l->known->number, refused.value()});
    if (refused == kw::condition::fatal) co_return shipment::over;
    // Under KIP-848 a member that is lost and joins again has the same name, and what it had before may be taken for its own.
    if (refused || l->lost) {
        auto [why] = co_await open.async_abort(as_values);
        if (l->over || why == kw::condition::fatal) co_return shipment::over;
        co_return shipment::again;
    }
    for (int tries = 0; tries < 20; ++tries) {
        auto [why] = co_await open.async_commit(as_values);
        if (l->over) co_return shipment::over;
        w_.world.note("commit", std::array<std::int64_t, 2>{l->known->number, why.value()});
        if (!why) {
            for (const auto& p : behind) judge.known_committed(number_of(p.partition), p.offset);
            co_return shipment::done;
        }
        if (why == kw::condition::maybe_persisted) continue;
        co_return why == kw::condition::abortable ? shipment::again : shipment::over;
    }
    co_return shipment::over;
}

// What is on its way is finished first, while the partitions are still ours.
asio::awaitable<void> consumers::wait_for_shipment(std::shared_ptr<life> l, int which, kw::rebalance_step step) {
    while (which == 1 && l->shipping && !l->over) (void)co_await l->at->host->async_wait(5ms, as_values);
    if (l->over || which != 1) co_return;
    for (const auto& p : step.partitions()) judge.given_up(*l->known, number_of(p.partition));
}

// --- the end ---

asio::awaitable<void> consumers::read_shipped(std::map<std::uint64_t, int>& to) {
    kw::consumer all{*w_.audit_client, {.auto_offset_reset = kw::offset_reset::earliest}};
    for (std::int32_t p = 0; p < partitions; ++p) all.assign(shipped, p, kw::start_position::beginning());
    for (int quiet = 0; quiet < 3;) {
        const auto all_read = all.readings();
        quiet = std::ranges::all_of(all_read, [](const auto& r) { return r.lag == 0; }) ? quiet + 1 : 0;
        bool told = false;
        all.async_poll([&](std::error_code, const kw::records& batch) {
            told = true;
            for (const auto& r : batch) ++to[number_in(r.value.view())];
        });
        (void)co_await w_.auditor.async_wait(700ms, as_values);
        while (!told && quiet == 0) (void)co_await w_.auditor.async_wait(100ms, as_values);
        if (!told) break;
    }
    auto [ignored] = co_await all.async_close(as_values);
    (void)ignored;
    (void)co_await w_.auditor.async_wait(100ms, as_values);
}

void consumers::audit_shipped() {
    if (!plan_.ships) return;
    std::map<std::uint64_t, int> times;
    bool finished = false;
    const auto work = [&]() -> asio::awaitable<void> {
        co_await read_shipped(times);
        finished = true;
    };
    asio::co_spawn(w_.auditor.executor(), work, asio::detached);
    if (!w_.world.run_until([&] { return finished; }, 5min)) return judge.blame("stuck", "what was shipped cannot be read");
    for (const auto& o : work_.history.operations()) {
        if (o.what != kw::testing::operation::kind::send) continue;
        const auto at = times.find(o.value);
        const auto n = at == times.end() ? 0 : at->second;
        const auto what = work_.history.name(o.partition) + " at " + std::to_string(o.offset) + " (value " + std::to_string(o.value) + ")";
        if (n > 1) judge.blame("shipped-twice", what + " was shipped " + std::to_string(n) + " times");
        if (n == 0 && o.result == kw::testing::outcome::ok) judge.blame("not-shipped", what);
    }
}

}  // namespace schedules
