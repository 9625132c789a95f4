// kw::producer with transactions in the world of schedules: each of them is committed, aborted, dropped, or left open while another producer
// takes its transactional id. What is told must be true, and a transaction be seen as a whole or not at all, its offsets included.
#include <kafkawire/protocol/messages/09_offset_fetch.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>

#include "workload.hpp"

namespace schedules {

namespace {

using kw::testing::outcome;

// A commit that is not confirmed: whether it certainly was not done.
outcome outcome_of_commit(std::error_code ec) {
    if (!ec) return outcome::ok;
    return ec == kw::condition::maybe_persisted ? outcome::unknown : outcome::failed;
}

}  // namespace

// One producer, the transaction that it has open, and what it may be told.
struct workload::transaction_run {
    std::int32_t process = 0;
    std::chrono::milliseconds patience{}, lifetime{};  // delivery_timeout, transaction_timeout
    std::optional<kw::producer> producer;
    kw::transaction open;
    std::int64_t number = 0;                           // of the open transaction
    std::map<std::int32_t, std::int64_t> behind;       // by partition: after its last record
    int missing = 0;                                   // records of it that were told as failed
    bool newer = false;                                // another one has begun since
};

void workload::send_in(const std::shared_ptr<transaction_run>& t) {
    const auto partition = static_cast<std::int32_t>(random_.below(partitions));
    auto held = std::make_shared<const std::string>(make_value(next_value_++, random_.below(100)));
    const auto id = history.send(t->process, history.partition(topic, partition), next_value_ - 1, w_.now(), t->number);
    history.deadline(id, w_.now() + std::chrono::nanoseconds{t->patience}.count());
    ++producing_;
    t->producer->async_send({.topic = topic, .key = "key", .value = *held, .partition = partition},
                            [this, id, partition, held, t, number = t->number](std::error_code ec, kw::delivery d) {
                                --producing_;
                                if (ec && (ec == kw::condition::not_persisted) == (ec == kw::condition::maybe_persisted))
                                    blame("a send in a transaction ends in no class: " + ec.message());
                                const auto what = !ec ? outcome::ok : ec == kw::condition::not_persisted ? outcome::failed : outcome::unknown;
                                history.finish(id, what, w_.now(), ec ? -1 : d.offset);
                                if (ec && number == t->number) ++t->missing;
                                if (!ec && number == t->number) t->behind[partition] = std::max(t->behind[partition], d.offset + 1);
                            });
}

// A producer can fence itself: an InitProducerId that was given up and comes late makes a newer one of it, and so does one with id and epoch, if an
// AddPartitionsToTxn that came late has opened a transaction (version 1). Both are rare; and the coordinator cannot tell us from another.
void workload::ended_alone(const transaction_run& t, std::error_code why) {
    if (t.newer || t.lifetime < 30s) return;  // by its heir, or by its transaction's timeout
    if (why != kw::condition::fenced) blame("a producer cannot go on: " + why.message());
    if (++ended_alone_ > 6) blame("producers that nobody has replaced are fenced again and again");
}

// True if a transaction is open now; false: the producer is of no use any more, or the time is over.
asio::awaitable<bool> workload::begin_in(std::shared_ptr<transaction_run> t, std::chrono::nanoseconds until) {
    for (;;) {
        const auto asked = w_.world.elapsed();
        auto [ec, begun] = co_await t->producer->async_begin_transaction(as_values);
        if (w_.world.elapsed() > asked + t->patience + 100ms) blame("a begin ended after its deadline");
        if (!ec) {
            t->open = std::move(begun);
            t->number = next_transaction_++;
            t->behind.clear();
            t->missing = 0;
            history.begin(t->process, t->number, w_.now());
            co_return true;
        }
        if (ec == std::errc::operation_in_progress) blame("a begin finds an open transaction");
        if (ec == kw::condition::fatal) {
            ended_alone(*t, ec);
            co_return false;
        }
        if (w_.world.elapsed() >= until) co_return false;
        co_await pause(100ms);
    }
}

asio::awaitable<void> workload::commit_in(std::shared_ptr<transaction_run> t, bool offsets) {
    // Asked again it is the same commit: it may have been done since it was asked for first.
    const auto end = history.end(t->process, t->number, true, w_.now());
    outcome told = outcome::unknown;
    for (int tries = 0; tries < 3 && told == outcome::unknown; ++tries) {
        const auto asked = w_.world.elapsed();
        auto [ec] = co_await t->open.async_commit(as_values);
        told = outcome_of_commit(ec);
        if (w_.world.elapsed() > asked + t->patience + 100ms) blame("a commit ended after its deadline");
        w_.world.note("commit", std::array<std::int64_t, 3>{t->number, ec.value(), static_cast<int>(told)});
        if (told == outcome::ok && t->missing > 0) blame("a transaction was committed without " + std::to_string(t->missing) + " of its records");
        if (told == outcome::ok && t->newer) blame("a producer that was replaced has committed");
        if (told == outcome::failed && ec != kw::condition::abortable && ec != kw::condition::fatal) blame("a commit ends in no class: " + ec.message());
        if (ec == kw::condition::fatal) ended_alone(*t, ec);
    }
    history.finish(end, told, w_.now());
    auto& group = offsets_[t->process / 1000];
    if (offsets && told == outcome::ok) group = {t->number};  // and of those that were not known before, none comes later
    if (offsets && told == outcome::unknown) group.insert(t->number);
    if (told != outcome::ok) co_return;
    for (const auto& [partition, offset] : t->behind) {
        auto& target = target_[static_cast<std::size_t>(partition)];
        target = std::max(target, offset);
    }
}

// It was aborted by somebody: nothing of it may ever be seen.
void workload::not_committed(const transaction_run& t) {
    history.finish(history.end(t.process, t.number, false, w_.now()), outcome::ok, w_.now());
}

// One transaction. False: its producer is left with it as it is.
asio::awaitable<bool> workload::one_transaction(std::shared_ptr<transaction_run> t, std::string group) {
    for (auto rounds = random_.below(4); rounds > 0; --rounds) {
        for (auto n = 1 + random_.below(6); n > 0; --n) send_in(t);
        if (random_.chance(500'000)) co_await pause(random_.between(std::chrono::nanoseconds{1ms}, std::chrono::nanoseconds{400ms}));
    }
    bool offsets = false;
    if (random_.chance(400'000)) {
        const kw::topic_offset read[] = {{.topic = topic, .partition = 0, .offset = t->number}};
        const kw::group_metadata of{group};
        auto [ec] = co_await t->open.async_send_offsets(read, of, as_values);
        offsets = !ec;
        if (ec && ec != kw::condition::abortable && ec != kw::condition::fatal && ec != kw::errc::request_timed_out)
            blame("offsets are refused: " + ec.message());
    }
    const auto fate = random_.below(100);
    if (fate < 60) {
        co_await commit_in(t, offsets);
    } else if (fate < 75) {
        const auto asked = w_.world.elapsed();
        not_committed(*t);
        auto [ec] = co_await t->open.async_abort(as_values);
        if (w_.world.elapsed() > asked + t->patience + 100ms) blame("an abort ended after its deadline");
        if (ec && ec != kw::condition::fatal && ec != kw::errc::request_timed_out) blame("an abort is refused: " + ec.message());
    } else if (fate < 90) {
        not_committed(*t);
        t->open = {};
    } else {
        co_return false;
    }
    co_return true;
}

asio::awaitable<void> workload::replace_and_commit(std::shared_ptr<transaction_run> zombie) {
    zombie->newer = true;
    send_in(zombie);
    co_await commit_in(zombie, false);
    // Where it has not learned yet that it was replaced, it may have to fence itself before its next one: nobody but itself.
    const auto patience = w_.world.elapsed() + 5s;
    const bool again = co_await begin_in(zombie, patience);
    if (again) {
        send_in(zombie);
        co_await commit_in(zombie, false);
    }
    --producing_;
}

asio::awaitable<void> workload::run_transactional_producer(std::int32_t slot, std::chrono::nanoseconds until) {
    constexpr std::array<std::chrono::milliseconds, 3> patiences{120s, 10s, 3s};
    const auto id = "tx-" + std::to_string(50 + slot), group = "group-" + std::to_string(slot);
    std::shared_ptr<transaction_run> zombie;
    co_await look_up(*w_.client);
    for (std::int32_t instance = 0; instance == 0 || zombie || w_.world.elapsed() < until; ++instance) {
        auto t = std::make_shared<transaction_run>();
        t->process = slot * 1000 + instance;
        t->patience = patiences[static_cast<std::size_t>(random_.below(patiences.size()))];
        t->lifetime = random_.chance(800'000) ? 60s : 5s;
        kw::producer_options o;
        o.transactional_id = id;
        o.transaction_timeout = t->lifetime;
        o.delivery_timeout = t->patience;
        o.batch_bytes = static_cast<std::uint32_t>(300 + random_.below(2000));
        o.linger = std::chrono::milliseconds{random_.below(20)};
        o.compression = static_cast<kw::protocol::compression>(random_.below(5));
        t->producer.emplace(*w_.client, o);
        bool left_open = false;
        for (auto n = 1 + random_.below(8); n > 0 && !left_open; --n) {
            if (!co_await begin_in(t, zombie ? std::chrono::nanoseconds::max() : until)) break;
            if (zombie) {
                ++producing_;
                asio::co_spawn(w_.app.executor(), replace_and_commit(std::exchange(zombie, nullptr)), asio::detached);
            }
            left_open = !co_await one_transaction(t, group);
            co_await pause(random_.between(std::chrono::nanoseconds{1ms}, std::chrono::nanoseconds{800ms}));
        }
        if (left_open) {
            zombie = t;
        } else if (random_.chance(500'000)) {
            auto [ec, left] = co_await t->producer->async_close(150s, as_values);
            if (ec || left) blame("a transactional producer could not close in 150 s: " + ec.message());
        }  // else: dropped with what is on its way
        if (!left_open) t->producer.reset();
    }
    --producing_;
}

void workload::send_in_transactions(int producers, std::chrono::nanoseconds until) {
    for (int i = 0; i < producers; ++i) {
        ++producing_;
        offsets_[i] = {-1};
        asio::co_spawn(w_.app.executor(), run_transactional_producer(i, until), asio::detached);
    }
}

// What the groups have committed is of the last transaction that was, or of one of which nobody knows.
asio::awaitable<void> workload::audit_offsets(std::int32_t slot) {
    const auto& may_be = offsets_[slot];
    for (int tries = 0; tries < 100; ++tries) {
        for (std::int32_t node = 1; node <= 3; ++node) {
            messages::offset_fetch_request m;
            m.group_id = "group-" + std::to_string(slot);
            m.topics.emplace().push_back({topic, {0}, {}});
            m.require_stable = true;
            kw::request_options o;
            o.version = 7;
            o.broker = node;
            auto [ec, a] = co_await w_.audit_client->async_request(std::move(m), o, as_values);
            if (ec || a.error_code != 0 || a.topics.empty() || a.topics.front().partitions.front().error_code != 0) continue;
            const auto offset = a.topics.front().partitions.front().committed_offset;
            if (may_be.count(offset) == 0)
                blame("group " + std::to_string(slot) + " has committed " + std::to_string(offset) + ", which no transaction that was committed has sent last");
            co_return;
        }
        (void)co_await w_.auditor.async_wait(1s, as_values);
    }
    blame("the offsets of group " + std::to_string(slot) + " cannot be read");
}

void workload::audit_transactions() {
    for (const auto& [slot, may_be] : offsets_) {
        bool finished = false;
        const auto one = [&, number = slot]() -> asio::awaitable<void> {
            co_await audit_offsets(number);
            finished = true;
        };
        asio::co_spawn(w_.auditor.executor(), one, asio::detached);
        if (!w_.world.run_until([&] { return finished; }, 10min)) return blame("the audit of offsets does not end");
    }
}

}  // namespace schedules
