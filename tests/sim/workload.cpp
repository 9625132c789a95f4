#include "workload.hpp"

#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/22_init_producer_id.hpp>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/use_awaitable.hpp>
#include <algorithm>
#include <cstring>

namespace schedules {

namespace {

std::string name_of(std::int16_t code) {
    const auto* info = kw::find_broker_error(code);
    return info ? std::string{info->name} : std::to_string(code);
}

}  // namespace

std::uint64_t number_in(kw::protocol::bytes_view value) {
    std::uint64_t number = 0;
    if (value.size() >= 8) {
        std::memcpy(&number, value.data(), 8);
        bool right = true;
        for (std::size_t i = 8; i < value.size(); ++i)
            right &= std::to_integer<char>(value[i]) == static_cast<char>('a' + (number + i) % 26);
        if (right) return number;
    }
    return kw::testing::identity({}, value) | 1ull << 63;  // of nobody's making
}

std::string make_value(std::uint64_t number, std::size_t size) {
    std::string v(8 + size, '\0');
    std::memcpy(v.data(), &number, 8);
    for (std::size_t i = 8; i < v.size(); ++i) v[i] = static_cast<char>('a' + (number + i) % 26);
    return v;
}

struct workload::reader {
    std::int32_t number;
    bool committed_only;
    std::array<std::int64_t, partitions> position{};
    std::array<bool, partitions> busy{};
    std::int64_t poll = 0;
};

void workload::blame(std::string what) {
    w_.world.note(what);
    if (trouble.empty()) trouble = std::to_string(std::chrono::duration<double>(w_.world.elapsed()).count()) + " s: " + std::move(what);
}

asio::awaitable<void> workload::pause(std::chrono::nanoseconds d) { (void)co_await w_.app.async_wait(d, as_values); }

// Many ask at a time, one goes: what it learns is for all.
asio::awaitable<void> workload::look_up(kw::client& c) {
    if (looking_up_ || w_.world.elapsed() - looked_up_ < 200ms) co_return;
    looking_up_ = true;
    std::vector<std::string> names{topic};
    auto [ec, m] = co_await c.async_metadata(names, as_values);
    looking_up_ = false;
    looked_up_ = w_.world.elapsed();
    if (ec || m.topics.empty() || m.topics.front().error_code != 0) co_return;
    topic_id_ = m.topics.front().topic_id;
    there_ = static_cast<std::int32_t>(std::min<std::size_t>(m.topics.front().partitions.size(), partitions));
    for (const auto& p : m.topics.front().partitions)
        if (p.partition_index >= 0 && p.partition_index < partitions)
            leader_[static_cast<std::size_t>(p.partition_index)] = p.error_code == 0 ? p.leader_id : -1;
}

// --- producers ---

std::vector<kw::testing::history::id> workload::fill(kw::protocol::batch_builder& b, std::int32_t producer, std::int32_t partition,
                                                     std::int64_t transaction) {
    std::vector<kw::testing::history::id> all;
    const auto p = history.partition(topic, partition);
    for (auto n = 1 + random_.below(6); n > 0; --n) {
        const auto number = next_value_++;
        const auto value = make_value(number, random_.below(100));
        (void)b.append(w_.app.environment()->wall_now().time_since_epoch() / 1ms, "key", value);
        all.push_back(history.send(producer, p, number, w_.now(), transaction));
    }
    return all;
}

// One try. -1 in the answer's place (UNKNOWN_SERVER_ERROR never comes): no answer.
asio::awaitable<std::int16_t> workload::send_batch(std::int32_t partition, kw::protocol::bytes_view batch,
                                                   std::optional<std::string> transactional_id, std::int64_t* base_offset) {
    constexpr std::int16_t no_answer = -1;
    const auto leader = leader_[static_cast<std::size_t>(partition)];
    if (leader < 0) co_return no_answer;
    messages::produce_request r;
    r.transactional_id = std::move(transactional_id);
    r.acks = -1;
    r.timeout_ms = 3000;
    auto& t = r.topic_data.emplace_back();
    t.name = topic;
    t.topic_id = topic_id_;
    auto& p = t.partition_data.emplace_back();
    p.index = partition;
    p.records = kw::protocol::raw_records{batch};
    ++requests;
    auto [ec, a] = co_await w_.client->async_request(std::move(r), leader, as_values);
    if (ec) {
        w_.world.note("produce", std::array<std::int64_t, 2>{partition, ec.value()});
        co_return no_answer;
    }
    if (a.responses.size() != 1 || a.responses.front().partition_responses.size() != 1) {
        blame("a Produce answer without its partition");
        co_return no_answer;
    }
    const auto& answer = a.responses.front().partition_responses.front();
    w_.world.note("produced", std::array<std::int64_t, 3>{partition, answer.error_code, answer.base_offset});
    *base_offset = answer.base_offset;
    co_return answer.error_code;
}

asio::awaitable<void> workload::identify(std::shared_ptr<producer_identity> to, std::optional<std::string> transactional_id,
                                         std::int32_t* coordinator) {
    for (;;) {
        messages::init_producer_id_request r;
        r.transactional_id = transactional_id;
        r.transaction_timeout_ms = 60'000;
        if (coordinator && *coordinator < 0) *coordinator = co_await coordinator_of(*transactional_id);
        kw::request_options o;
        if (coordinator) o.broker = *coordinator;
        ++requests;
        auto [ec, a] = co_await w_.client->async_request(std::move(r), o, as_values);
        if (!ec && a.error_code == 0) {
            *to = {a.producer_id, a.producer_epoch};
            co_return;
        }
        if (!ec && !retriable(a.error_code)) blame("InitProducerId answers " + name_of(a.error_code));
        if (coordinator) *coordinator = -1;
        co_await pause(100ms);
    }
}

asio::awaitable<void> workload::produce_to(std::int32_t producer, std::int32_t partition, std::shared_ptr<producer_identity> identity,
                                           std::chrono::nanoseconds until) {
    kw::protocol::batch_builder batch;
    std::int32_t sequence = 0;
    while (w_.world.elapsed() < until) {
        kw::protocol::batch_options o;
        o.producer_id = identity->id;
        o.producer_epoch = identity->epoch;
        o.base_sequence = sequence;
        batch.start(o);
        const auto sends = fill(batch, producer, partition, 0);
        kw::protocol::bytes_view bytes;
        (void)batch.close(bytes);
        for (;;) {
            std::int64_t base = -1;
            const auto code = co_await send_batch(partition, bytes, {}, &base);
            if (code == 0) {
                for (std::size_t i = 0; i < sends.size(); ++i)
                    history.finish(sends[i], kw::testing::outcome::ok, w_.now(), base + static_cast<std::int64_t>(i));
                auto& t = target_[static_cast<std::size_t>(partition)];
                t = std::max(t, base + static_cast<std::int64_t>(sends.size()));
                break;
            }
            if (code != -1 && !retriable(code)) {
                blame("Produce to partition " + std::to_string(partition) + " answers " + name_of(code));
                for (const auto s : sends) history.finish(s, kw::testing::outcome::unknown, w_.now());
                --producing_;
                co_return;
            }
            co_await pause(random_.between(std::chrono::nanoseconds{50ms}, std::chrono::nanoseconds{200ms}));
            co_await look_up(*w_.client);
        }
        sequence = kw::protocol::add_to_sequence(sequence, static_cast<std::int32_t>(sends.size()));
        co_await pause(random_.between(std::chrono::nanoseconds{100ms}, std::chrono::nanoseconds{3s}));
    }
    --producing_;
}

asio::awaitable<void> workload::start_producer(std::int32_t producer, std::chrono::nanoseconds until) {
    auto identity = std::make_shared<producer_identity>();
    co_await identify(identity, std::nullopt, nullptr);
    co_await look_up(*w_.client);
    producing_ += partitions;
    for (std::int32_t p = 0; p < partitions; ++p)
        asio::co_spawn(w_.app.executor(), produce_to(producer, p, identity, until), asio::detached);
    --producing_;
}

void workload::produce(int producers, std::chrono::nanoseconds until) {
    for (int i = 0; i < producers; ++i) {
        ++producing_;
        asio::co_spawn(w_.app.executor(), start_producer(i + 1, until), asio::detached);
    }
}

bool workload::done() const {
    if (producing_ > 0) return false;
    for (const auto& r : readers_)
        for (std::size_t p = 0; p < partitions; ++p)
            if (r->position[p] < target_[p]) return false;
    return true;
}

std::string workload::waits_for() const {
    if (producing_ > 0) {
        auto text = std::to_string(producing_) + " sends or producers";
        for (kw::testing::history::id i = 0; i < history.operations().size(); ++i)
            if (const auto& o = history.operations()[i]; o.what == kw::testing::operation::kind::send && o.result == kw::testing::outcome::pending) text += "\n    " + history.describe(i);
        return text;
    }
    for (const auto& r : readers_)
        for (std::size_t p = 0; p < partitions; ++p)
            if (r->position[p] < target_[p]) return "reader " + std::to_string(r->number) + ", at " + std::to_string(r->position[p]) + " of " + std::to_string(target_[p]) + " in partition " + std::to_string(p);
    return {};
}

// --- readers ---

messages::fetch_request workload::fetch_request(std::span<const std::pair<std::int32_t, std::int64_t>> from, bool committed_only,
                                                std::int32_t wait_ms) const {
    messages::fetch_request r;
    r.max_wait_ms = wait_ms;
    r.min_bytes = 1;
    r.max_bytes = 1 << 20;
    r.isolation_level = committed_only ? 1 : 0;
    auto& t = r.topics.emplace_back();
    t.topic = topic;
    t.topic_id = topic_id_;
    for (const auto& [partition, offset] : from) {
        auto& p = t.partitions.emplace_back();
        p.partition = partition;
        p.fetch_offset = offset;
        p.partition_max_bytes = 1 << 18;
    }
    return r;
}

// The records of an answer; of aborted transactions none, at read_committed.
void workload::take(const messages::fetch_response::partition_data& p, bool committed_only,
                    kw::unique_function<void(std::int64_t, std::uint64_t)> each) {
    if (!p.records) return;
    std::set<std::int64_t> aborted;  // producers inside an aborted transaction
    auto list = p.aborted_transactions.value_or(std::vector<messages::fetch_response::aborted_transaction>{});
    std::ranges::sort(list, {}, &messages::fetch_response::aborted_transaction::first_offset);
    std::size_t next = 0;
    records_in_.start(p.records->data);
    records_in_.include_control_batches(true);
    while (const auto* r = records_in_.next()) {
        const auto& b = records_in_.batch();
        for (; next < list.size() && list[next].first_offset <= r->offset; ++next) aborted.insert(list[next].producer_id);
        if (b.is_control()) {
            if (const auto c = kw::protocol::parse_control(*r); c && c->type == kw::protocol::control_type::abort)
                aborted.erase(b.producer_id);
            continue;
        }
        if (committed_only && b.is_transactional() && aborted.count(b.producer_id)) continue;
        each(r->offset, number_in(r->value.view()));
    }
    if (records_in_.error()) blame("fetched records are wrong: " + records_in_.error().message());
}

asio::awaitable<void> workload::read_from(std::shared_ptr<reader> r, std::int32_t node) {
    for (;;) {
        // Nobody else may be left who would find the leader that a partition had not when it was last asked for.
        if (std::any_of(leader_.begin(), leader_.end(), [](std::int32_t l) { return l < 1 || l > 3; })) co_await look_up(*w_.client);
        std::vector<std::pair<std::int32_t, std::int64_t>> from;
        for (std::size_t p = 0; p < partitions; ++p)
            if (leader_[p] == node && !r->busy[p]) from.emplace_back(static_cast<std::int32_t>(p), r->position[p]);
        if (from.empty()) {
            co_await pause(500ms);
            continue;
        }
        for (const auto& [p, offset] : from) r->busy[static_cast<std::size_t>(p)] = true;
        ++requests;
        auto request = fetch_request(from, r->committed_only, 1000);
        auto [ec, a] = co_await w_.client->async_request(std::move(request), node, as_values);
        for (const auto& [p, offset] : from) r->busy[static_cast<std::size_t>(p)] = false;
        bool again = static_cast<bool>(ec) || a.error_code != 0;
        const auto poll = ++r->poll;
        for (const auto& t : a.responses)
            for (const auto& p : t.partitions) {
                if (p.error_code != 0) {
                    again = true;
                    if (!retriable(p.error_code))
                        blame("Fetch of partition " + std::to_string(p.partition_index) + " answers " + name_of(p.error_code));
                    continue;
                }
                auto& position = r->position[static_cast<std::size_t>(p.partition_index)];
                const auto asked = position;
                const auto number = history.partition(topic, p.partition_index);
                take(p, r->committed_only, [&](std::int64_t offset, std::uint64_t value) {
                    if (offset < asked) return;  // a batch comes whole
                    history.read(r->number, 1, poll, number, offset, value, w_.now(), r->committed_only);
                });
                if (records_in_.next_offset() > position && p.records && !p.records->data.empty()) position = records_in_.next_offset();
            }
        if (again) {
            co_await pause(100ms);
            co_await look_up(*w_.client);
        }
    }
}

void workload::read(int readers, bool committed_only) {
    for (int i = 0; i < readers; ++i) {
        auto& r = readers_.emplace_back(std::make_shared<reader>());
        r->number = 100 + i;
        r->committed_only = committed_only;
        for (std::int32_t p = 0; p < partitions; ++p) history.assign(r->number, -1, 1, history.partition(topic, p), 0, w_.now());
        for (std::int32_t node = 1; node <= 3; ++node) asio::co_spawn(w_.app.executor(), read_from(r, node), asio::detached);
    }
}

// --- the end ---

asio::awaitable<void> workload::audit_all(bool committed_only, std::map<std::int32_t, std::vector<kw::testing::log_entry>>& to) {
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        std::int64_t position = 0;
        auto& log = to[partition];
        for (int tries = 0;; ++tries) {
            if (tries > 100) {
                blame("the log of partition " + std::to_string(partition) + " cannot be read");
                break;
            }
            co_await look_up(*w_.audit_client);
            if (partition >= there_) break;
            const std::array from{std::pair{partition, position}};
            auto request = fetch_request(from, committed_only, 0);
            auto [ec, a] =
                co_await w_.audit_client->async_request(std::move(request), leader_[static_cast<std::size_t>(partition)], as_values);
            if (ec || a.error_code || a.responses.empty() || a.responses.front().partitions.empty() ||
                a.responses.front().partitions.front().error_code) {
                (void)co_await w_.auditor.async_wait(250ms, as_values);
                continue;
            }
            const auto& p = a.responses.front().partitions.front();
            take(p, committed_only, [&](std::int64_t offset, std::uint64_t value) {
                if (offset >= position) log.push_back({offset, value, true});
            });
            const bool nothing = !p.records || p.records->data.empty();
            if (!nothing) position = std::max(position, records_in_.next_offset());
            if (position >= p.high_watermark || (nothing && committed_only && position >= p.last_stable_offset)) break;
        }
    }
}

void workload::audit() {
    std::map<std::int32_t, std::vector<kw::testing::log_entry>> all, visible;
    bool finished = false;
    const auto work = [&]() -> asio::awaitable<void> {
        co_await audit_all(false, all);
        co_await audit_all(true, visible);
        finished = true;
    };
    asio::co_spawn(w_.auditor.executor(), work, asio::detached);
    if (!w_.world.run_until([&] { return finished; }, 10min)) return blame("the audit does not end");
    for (const auto& [partition, entries] : all) {
        const auto number = history.partition(topic, partition);
        history.log_known(number);
        std::set<std::int64_t> shown;
        for (const auto& e : visible[partition]) shown.insert(e.offset);
        for (auto e : entries) {
            e.visible = shown.count(e.offset) != 0;
            history.log(number, e);
        }
    }
}

}  // namespace schedules
