#include "losses.hpp"

#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/messages/20_delete_topics.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <limits>

namespace schedules {

losses::losses(cluster_world& w, workload& work, std::chrono::nanoseconds until, int truncations, int recreations)
    : w_{w}, work_{work}, random_{w.world.random().fork()} {
    const auto some_time = [&] { return random_.between(std::chrono::nanoseconds{2s}, until - 10s); };
    for (int i = 0; i < truncations; ++i) w.world.after(some_time(), [this] { truncate(); });
    if (truncations > 0) look();
    for (int i = 0; i < recreations; ++i)
        w.world.after(some_time(), [this] { asio::co_spawn(w_.auditor.executor(), recreate(), asio::detached); });
}

void losses::look() {
    const auto view = w_.cluster->control().view();
    if (const auto* t = view.find_topic(topic))
        for (std::size_t p = 0; p < t->partitions.size() && p < ends_.size(); ++p)
            if (const auto end = t->partitions[p].end_offset; ends_[p].empty() || ends_[p].back() < end) ends_[p].push_back(end);
    w_.world.after(150ms, [this] { look(); });
}

// Most often the last few batches, sometimes all of them: then the brokers know nothing of any producer any more. With another leader as with the same.
void losses::truncate() {
    auto control = w_.cluster->control();
    const auto view = control.view();
    const auto* t = view.find_topic(topic);
    if (!t) return;
    const auto index = static_cast<std::int32_t>(random_.below(std::min<std::size_t>(t->partitions.size(), partitions)));
    const auto& p = t->partitions[static_cast<std::size_t>(index)];
    auto& ends = ends_[static_cast<std::size_t>(index)];
    const bool all = random_.chance(250'000);
    const auto few = 1 + random_.below(12);
    const bool elsewhere = random_.chance(500'000);
    const auto node = static_cast<std::int32_t>(1 + random_.below(3));
    while (!ends.empty() && ends.back() >= p.end_offset) ends.pop_back();
    const auto from = all || ends.size() < few ? p.start_offset : ends[ends.size() - few];
    if (from == p.end_offset || control.truncate(topic, index, from)) return;
    while (!ends.empty() && ends.back() > from) ends.pop_back();
    if (elsewhere) (void)control.move_leader(topic, index, node);
    work_.history.forgotten(work_.history.partition(topic, index), from, p.end_offset, w_.now());
    w_.world.note("truncated", std::array<std::int64_t, 3>{index, from, p.end_offset});
    on_truncated(index, from);
    ++happened_;
}

// By its id: a request that is held up, and comes after the next topic of that name, must not delete that one.
asio::awaitable<void> losses::remove() {
    const std::vector<std::string> names{topic};
    kw::protocol::uuid id;
    bool lost = false;                                      // an answer, so that it may be done
    for (int tries = 0; tries < 100; ++tries) {
        if (id.is_zero()) {
            auto [ec, known] = co_await w_.audit_client->async_metadata(names, as_values);
            if (!ec && known.topics.size() == 1 && known.topics.front().error_code == 0) id = known.topics.front().topic_id;
        }
        if (id.is_zero()) {
            (void)co_await w_.auditor.async_wait(50ms, as_values);
            continue;
        }
        kw::protocol::messages::delete_topics_request m;
        auto& t = m.topics.emplace_back();
        t.name.reset();
        t.topic_id = id;
        m.timeout_ms = 5000;
        kw::request_options o;
        o.broker = next_node();
        auto [ec, a] = co_await w_.audit_client->async_request(std::move(m), o, as_values);
        const auto code = ec || a.responses.empty() ? kw::broker_errc::unknown_server_error : static_cast<kw::broker_errc>(a.responses.front().error_code);
        if (code == kw::broker_errc::none || (lost && code == kw::broker_errc::unknown_topic_id)) co_return;
        if (code == kw::broker_errc::unknown_topic_id) id = {};  // a node that lags behind has told the former one's
        lost = lost || ec;
        (void)co_await w_.auditor.async_wait(50ms, as_values);
    }
    work_.trouble += " the topic could not be deleted";
}

asio::awaitable<void> losses::create(std::int32_t count) {
    for (int tries = 0; tries < 100; ++tries) {
        kw::protocol::messages::create_topics_request m;
        auto& t = m.topics.emplace_back();
        t.name = topic;
        t.num_partitions = count;
        t.replication_factor = 3;
        m.timeout_ms = 5000;
        kw::request_options o;
        o.broker = next_node();
        auto [ec, a] = co_await w_.audit_client->async_request(std::move(m), o, as_values);
        const auto code = ec || a.topics.empty() ? kw::broker_errc::unknown_server_error : static_cast<kw::broker_errc>(a.topics.front().error_code);
        // There already: by an attempt of before, or made by a broker for a producer that asked.
        if (code == kw::broker_errc::none || code == kw::broker_errc::topic_already_exists) co_return;
        (void)co_await w_.auditor.async_wait(50ms, as_values);
    }
    work_.trouble += " the topic could not be made again";
}

// What was told before it was gone for certain may be missing, wherever it lay.
asio::awaitable<void> losses::recreate() {
    if (std::exchange(recreating_, true)) co_return;
    const auto count = static_cast<std::int32_t>(random_.between(std::int64_t{2}, std::int64_t{9}));
    const auto gone_for = random_.chance(500'000) ? std::chrono::nanoseconds{0} : random_.between(std::chrono::nanoseconds{1ms}, std::chrono::nanoseconds{3s});
    on_going();
    co_await remove();
    on_gone();
    for (std::int32_t p = 0; p < partitions; ++p)
        work_.history.forgotten(work_.history.partition(topic, p), 0, std::numeric_limits<std::int64_t>::max(), w_.now());
    w_.world.note("topic deleted");
    if (gone_for > 0ns) (void)co_await w_.auditor.async_wait(gone_for, as_values);
    co_await create(count);
    on_made(count);
    w_.world.note("topic made again", std::array<std::int64_t, 1>{count});
    ++happened_;
    recreating_ = false;
}

}  // namespace schedules
