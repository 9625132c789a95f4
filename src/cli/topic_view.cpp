// What the cluster says of topics and where their logs stand.
#include <kafkawire/protocol/messages/02_list_offsets.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "cli/nearest.hpp"
#include "cli/session.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

topic_view view_of(const messages::metadata_response::topic& t) {
    topic_view v;
    v.name = t.name.value_or("");
    v.id = t.topic_id;
    v.internal = t.is_internal;
    v.error = t.error_code;
    for (const auto& p : t.partitions)
        v.partitions.push_back({p.partition_index, p.leader_id, p.leader_epoch, p.error_code, p.replica_nodes, p.isr_nodes, p.offline_replicas});
    std::sort(v.partitions.begin(), v.partitions.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return v;
}

bool is(std::int16_t code, broker_errc e) { return static_cast<broker_errc>(code) == e; }

}  // namespace

const topic_view::partition* topic_view::find(std::int32_t partition_id) const noexcept {
    for (const auto& p : partitions)
        if (p.id == partition_id) return &p;
    return nullptr;
}

asio::awaitable<std::vector<topic_view>> all_topics(session& s) {
    messages::metadata_request request;
    request.topics = std::nullopt;
    request.allow_auto_topic_creation = true;  // of no effect when all are asked for, and all that versions before 4 can say
    const auto a = co_await s.ask(std::move(request), {}, "cannot list topics");
    std::vector<topic_view> views;
    for (const auto& t : a.topics) views.push_back(view_of(t));
    std::sort(views.begin(), views.end(), [](const auto& x, const auto& y) { return x.name < y.name; });
    co_return views;
}

asio::awaitable<std::vector<topic_view>> find_topics(session& s, std::vector<std::string> names) {
    std::vector<topic_view> views;
    // Before version 4 asking for a topic makes it, if the broker is set up to: a typo would. Asking for all makes none.
    const auto version = co_await s.version_of(messages::metadata_request::key, {}, "cannot ask for the topic");
    if (version < 4) {
        const auto all = co_await all_topics(s);
        for (const auto& n : names) {
            topic_view v;
            v.name = n;
            v.error = static_cast<std::int16_t>(broker_errc::unknown_topic_or_partition);
            for (const auto& t : all)
                if (t.name == n) v = t;
            views.push_back(std::move(v));
        }
        co_return views;
    }
    try {
        const auto a = co_await s.cluster().async_metadata(names, detailed(asio::use_awaitable));
        for (const auto& n : names) {
            topic_view v;
            v.name = n;
            v.error = static_cast<std::int16_t>(broker_errc::unknown_topic_or_partition);
            for (const auto& t : a.topics)
                if (t.name == n) v = view_of(t);
            views.push_back(std::move(v));
        }
    } catch (const system_error& e) {
        throw from_error(e.detail(), "cannot ask for the topic");
    }
    co_return views;
}

asio::awaitable<failure> unknown_topic(session& s, std::string name) {
    auto f = from_broker_code(static_cast<std::int16_t>(broker_errc::unknown_topic_or_partition), fmt::format("topic \"{}\"", name));
    f.message = fmt::format("there is no topic \"{}\"", name);
    f.api = "Metadata";
    try {
        std::vector<std::string> names;
        for (const auto& t : co_await all_topics(s)) names.push_back(t.name);
        f.hint = did_you_mean(name, names, fmt::format("kafka-cli topics create {} makes it; kafka-cli topics list shows all", name));
    } catch (const failure&) {
        // The list is only for the hint.
    }
    co_return f;
}

asio::awaitable<std::vector<topic_view>> need_topics(session& s, std::vector<std::string> names) {
    const auto give_up = std::chrono::steady_clock::now() + s.ctx().timeout;
    int unknown = 0;
    for (;;) {
        auto views = co_await find_topics(s, names);
        std::string waiting;
        for (const auto& v : views) {
            if (is(v.error, broker_errc::unknown_topic_or_partition)) {
                // A broker learns of a new topic a moment later than others; once more is enough for that.
                if (++unknown > 3) {
                    auto f = co_await unknown_topic(s, v.name);
                    throw f;
                }
                waiting = v.name;
            } else if (is(v.error, broker_errc::leader_not_available)) {
                waiting = v.name;
            } else if (v.error != 0) {
                throw from_broker_code(v.error, fmt::format("topic \"{}\"", v.name));
            }
        }
        if (waiting.empty()) co_return views;
        if (std::chrono::steady_clock::now() > give_up)
            throw failure{status::failed, "LEADER_NOT_AVAILABLE", fmt::format("topic \"{}\" has no leader", waiting), "are enough brokers up? `kafka-cli topics describe` shows its replicas"};
        co_await s.sleep(std::chrono::milliseconds{100});
    }
}

namespace {

// Asks one leader. Gives what it answered; partitions whose leadership moved are left for the next round.
asio::awaitable<void> ask_leader(session& s, std::int32_t leader, const offsets_query& query, const std::vector<partition_key>& wanted, std::map<partition_key, std::int64_t>& found) {
    constexpr std::string_view doing = "cannot ask for offsets";
    messages::list_offsets_request request;
    request.replica_id = -1;
    // A broker that cannot be asked so (0.10) has no transactions.
    if (query.read_committed && co_await s.version_of(messages::list_offsets_request::key, leader, std::string{doing}) >= 2) request.isolation_level = 1;
    for (const auto& [topic, partition] : wanted) {
        if (request.topics.empty() || request.topics.back().name != topic) {
            request.topics.emplace_back();
            request.topics.back().name = topic;
        }
        messages::list_offsets_request::partition p;
        p.partition_index = partition;
        p.timestamp = query.time;
        request.topics.back().partitions.push_back(std::move(p));
    }
    request_options options;
    options.broker = leader;
    const auto a = co_await s.ask(std::move(request), options, std::string{doing});
    for (const auto& t : a.topics)
        for (const auto& p : t.partitions) {
            const auto ec = make_error_code(static_cast<broker_errc>(p.error_code));
            if (p.error_code != 0 && ec != condition::retriable) throw from_broker_code(p.error_code, fmt::format("offsets of {}-{}", t.name, p.partition_index));
            if (p.error_code != 0) continue;
            found[{t.name, p.partition_index}] = a.info.version == 0 ? (p.old_style_offsets.empty() ? -1 : p.old_style_offsets.front()) : p.offset;
        }
}

}  // namespace

asio::awaitable<std::map<partition_key, std::int64_t>> list_offsets(session& s, const std::vector<topic_view>& topics, offsets_query query) {
    std::map<partition_key, std::int64_t> found;
    auto views = topics;
    const auto give_up = std::chrono::steady_clock::now() + s.ctx().timeout;
    std::sort(query.partitions.begin(), query.partitions.end());
    for (;;) {
        std::map<std::int32_t, std::vector<partition_key>> by_leader;
        std::string leaderless;
        for (const auto& key : query.partitions) {
            if (found.contains(key)) continue;
            const topic_view::partition* p = nullptr;
            for (const auto& t : views)
                if (t.name == key.first) p = t.find(key.second);
            if (p && p->leader >= 0) by_leader[p->leader].push_back(key);
            else leaderless = fmt::format("{}-{}", key.first, key.second);
        }
        for (const auto& [leader, keys] : by_leader) {
            try {
                co_await ask_leader(s, leader, query, keys, found);
            } catch (const failure& f) {
                // A leader that just died has a successor soon.
                if (!f.retriable || std::chrono::steady_clock::now() > give_up) throw;
            }
        }
        if (found.size() >= query.partitions.size()) co_return found;
        if (std::chrono::steady_clock::now() > give_up)
            throw failure{status::failed, "LEADER_NOT_AVAILABLE", leaderless.empty() ? "the leaders of some partitions keep moving" : fmt::format("{} has no leader", leaderless), "are enough brokers up?"};
        co_await s.sleep(std::chrono::milliseconds{100});
        std::vector<std::string> names;
        for (const auto& t : topics) names.push_back(t.name);
        views = co_await find_topics(s, std::move(names));
    }
}

}  // namespace kafkawire::cli
