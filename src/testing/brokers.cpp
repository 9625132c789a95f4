// The helpers of testing.hpp: blocking steps on the caller's io_context, each a few requests by kw::client.
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/batch_builder.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <kafkawire/testing.hpp>

#include <algorithm>
#include <cstdlib>
#include <deque>

namespace kafkawire::testing {

namespace {

namespace messages = protocol::messages;

std::string name_of(std::int16_t code) {
    const auto* info = find_broker_error(code);
    return info ? std::string{info->name} : "error " + std::to_string(code);
}
bool retriable(std::int16_t code) {
    const auto* info = find_broker_error(code);
    return info && info->retriable;
}

}  // namespace

struct brokers::state {
    state(asio::io_context& i, brokers_options o) : io{i}, options{std::move(o)} {}

    asio::io_context& io;
    brokers_options options;
    std::optional<broker::cluster> cluster;
    std::string bootstrap;
    std::optional<kafkawire::client> client;
    std::deque<std::string> seen;

    // Kept as they are seen: decoded messages live no longer than the call.
    void remember(const broker::passing& p) {
        if (options.remembered_requests == 0) return;
        std::string json;
        if (const auto wrong = protocol::write_json(*p.schema, p.message, p.version, json)) json = wrong.message();
        constexpr std::size_t most = 300;
        if (json.size() > most) json = json.substr(0, most) + "...";
        const auto* api = protocol::find_api(p.api_key);
        const bool asked = p.way == broker::passing::direction::request;
        seen.push_back("node " + std::to_string(p.node) + (asked ? " < " : " > ") +
                       (api ? std::string{api->name} : std::to_string(p.api_key)) + " v" + std::to_string(p.version) + " (" +
                       std::to_string(p.correlation_id) + ", " + std::string{p.client_id} + ") " + json);
        if (seen.size() > options.remembered_requests) seen.pop_front();
    }
    [[nodiscard]] std::string story() const {
        std::string all;
        for (const auto& line : seen) all += "\n    " + line;
        return all.empty() ? all : "\nthe last requests and answers:" + all;
    }
    [[noreturn]] void fail(const std::string& what) const { throw failure{what + story()}; }

    bool run_until(const std::function<bool()>& done, std::chrono::steady_clock::time_point by) {
        io.restart();
        while (!done()) {
            if (std::chrono::steady_clock::now() >= by) return false;
            if (io.stopped()) io.restart();
            io.run_one_for(std::chrono::milliseconds{20});
        }
        return true;
    }
    [[nodiscard]] std::chrono::steady_clock::time_point limit() const { return std::chrono::steady_clock::now() + options.timeout; }

    // One request, waited for. Nothing if it failed in a way that another try may mend.
    template <class Request>
    std::optional<answer<typename Request::response>> ask(Request request, const request_options& where, std::string& why) {
        std::optional<std::error_code> ended;
        std::optional<answer<typename Request::response>> got;
        client->async_request(std::move(request), where, detailed([&](const error& e, answer<typename Request::response> a) {
                                  ended = e.code;
                                  if (e)
                                      why = e.message();
                                  else
                                      got = std::move(a);
                              }));
        // The operation has a deadline of its own, so this ends, and the lambda's captures outlive it.
        while (!ended) run_until([&] { return ended.has_value(); }, limit());
        return got;
    }

    struct topic_view {
        protocol::uuid id;
        std::vector<std::int32_t> leaders;
    };
    topic_view look_up(const std::string& topic) {
        std::string why = "it has no leaders";
        for (const auto by = limit(); std::chrono::steady_clock::now() < by; pause()) {
            messages::metadata_request r;
            r.topics->emplace_back().name = topic;
            r.allow_auto_topic_creation = false;
            const auto m = ask(std::move(r), {}, why);
            if (!m || m->topics.size() != 1) continue;
            const auto& t = m->topics.front();
            if (t.error_code) {
                why = name_of(t.error_code);
                continue;
            }
            topic_view v{t.topic_id, std::vector<std::int32_t>(t.partitions.size(), -1)};
            for (const auto& p : t.partitions)
                if (p.partition_index >= 0 && static_cast<std::size_t>(p.partition_index) < v.leaders.size() && !p.error_code)
                    v.leaders[static_cast<std::size_t>(p.partition_index)] = p.leader_id;
            if (std::ranges::find(v.leaders, -1) == v.leaders.end() && !v.leaders.empty()) return v;
        }
        fail("topic " + topic + " cannot be used: " + why);
    }
    void pause() {
        run_until([] { return false; }, std::chrono::steady_clock::now() + std::chrono::milliseconds{20});
    }
    void write(const std::string& topic, std::int32_t partition, std::span<record* const> records);
    std::int64_t read(const std::string& topic, std::int32_t partition, std::int64_t from, bool committed_only, std::vector<record>& to,
                      bool& at_end);
};

brokers::brokers(asio::io_context& io, const brokers_options& o) : state_{std::make_unique<state>(io, o)} {
    auto& s = *state_;
    const char* outside = o.ignore_environment ? nullptr : std::getenv("KAFKAWIRE_TEST_BROKERS");
    if (outside && *outside) {
        s.bootstrap = outside;
    } else {
        s.cluster.emplace(io, o.embedded);
        s.cluster->watch([&s](const broker::passing& p) { s.remember(p); });
        if (const auto ec = s.cluster->start()) throw failure{"the embedded cluster does not start: " + ec.message()};
        s.bootstrap = s.cluster->bootstrap();
    }
    client_options c;
    c.bootstrap = s.bootstrap;
    c.client_id = "kafkawire-testing";
    c.request_timeout = std::min(o.timeout, std::chrono::milliseconds{10'000});
    s.client.emplace(io, c);
}

brokers::~brokers() = default;

std::string brokers::bootstrap() const { return state_->bootstrap; }
bool brokers::is_embedded() const noexcept { return state_->cluster.has_value(); }
broker::cluster* brokers::embedded() noexcept { return state_->cluster ? &*state_->cluster : nullptr; }

std::string brokers::last_requests() const {
    std::string all;
    for (const auto& line : state_->seen) all += line + '\n';
    return all;
}

bool brokers::run_until(const std::function<bool()>& done) { return state_->run_until(done, state_->limit()); }
void brokers::run_for(std::chrono::nanoseconds d) {
    state_->run_until([] { return false; },
                      std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::steady_clock::duration>(d));
}

std::string brokers::create_topic(std::int32_t partitions, std::string_view prefix, const std::map<std::string, std::string>& configs) {
    const auto name = unique_topic(prefix);
    messages::create_topics_request r;
    auto& t = r.topics.emplace_back();
    t.name = name;
    t.num_partitions = partitions;
    t.replication_factor = -1;
    for (const auto& [key, value] : configs) {
        auto& c = t.configs.emplace_back();
        c.name = key;
        c.value = value;
    }
    std::string why;
    const auto a = state_->ask(std::move(r), {}, why);
    if (!a) state_->fail("topic " + name + " is not created: " + why);
    if (a->topics.size() != 1 || a->topics.front().error_code)
        state_->fail("topic " + name + " is not created: " +
                     (a->topics.empty() ? "an answer without it"
                                        : name_of(a->topics.front().error_code) + ", " + a->topics.front().error_message.value_or("")));
    (void)state_->look_up(name);
    return name;
}

// --- writing ---

void brokers::state::write(const std::string& topic, std::int32_t partition, std::span<record* const> records) {
    protocol::batch_builder batch;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    for (auto* r : records) {
        std::vector<protocol::header_view> headers;
        for (const auto& [key, value] : r->headers) headers.push_back({key, value});
        const auto bytes = [](const std::optional<std::string>& s) {
            return s ? protocol::nullable_bytes{*s} : protocol::nullable_bytes{};
        };
        if (r->timestamp < 0) r->timestamp = now;
        if (const auto e = batch.append(r->timestamp, bytes(r->key), bytes(r->value), headers); e != errc{})
            fail("a record cannot be written: " + make_error_code(e).message());
    }
    protocol::bytes_view bytes;
    if (const auto e = batch.close(bytes)) fail("a batch cannot be written");
    std::string why;
    for (const auto by = limit(); std::chrono::steady_clock::now() < by; pause()) {
        const auto t = look_up(topic);
        if (partition < 0 || static_cast<std::size_t>(partition) >= t.leaders.size())
            fail("topic " + topic + " has no partition " + std::to_string(partition));
        messages::produce_request r;
        r.acks = -1;
        r.timeout_ms = 10'000;
        auto& to = r.topic_data.emplace_back();
        to.name = topic;
        to.topic_id = t.id;
        auto& p = to.partition_data.emplace_back();
        p.index = partition;
        p.records = protocol::raw_records{bytes};
        const auto a = ask(std::move(r), {.broker = t.leaders[static_cast<std::size_t>(partition)]}, why);
        // Without an answer nobody knows whether it is there: another try might write it twice, which a test would take for a fault of its
        // own.
        if (!a) fail("records for " + topic + " were not acknowledged: " + why);
        if (a->responses.empty() || a->responses.front().partition_responses.empty()) fail("an answer to Produce without the partition");
        const auto& result = a->responses.front().partition_responses.front();
        if (result.error_code == 0) {
            for (std::size_t i = 0; i < records.size(); ++i) records[i]->offset = result.base_offset + static_cast<std::int64_t>(i);
            return;
        }
        why = name_of(result.error_code) + " " + result.error_message.value_or("");
        if (!retriable(result.error_code)) break;
    }
    fail("records for " + topic + "-" + std::to_string(partition) + " are refused: " + why);
}

std::vector<record> brokers::produce(const std::string& topic, std::vector<record> records) {
    const auto count = static_cast<std::int32_t>(state_->look_up(topic).leaders.size());
    std::map<std::int32_t, std::vector<record*>> by_partition;
    std::int32_t turn = 0;
    for (auto& r : records) {
        if (r.partition < 0) r.partition = turn++ % count;
        by_partition[r.partition].push_back(&r);
    }
    for (const auto& [partition, of_it] : by_partition) state_->write(topic, partition, of_it);
    return records;
}

// --- reading ---

namespace {

record owned(const protocol::record_view& r, std::int32_t partition) {
    record o;
    const auto text = [](const protocol::nullable_bytes& b) { return b.is_null() ? std::nullopt : std::optional{std::string{b.text()}}; };
    o.key = text(r.key);
    o.value = text(r.value);
    for (const auto& h : r.headers) o.headers.emplace_back(h.key, h.value.text());
    o.partition = partition;
    o.offset = r.offset;
    o.timestamp = r.timestamp;
    return o;
}

// Steps over the records of aborted transactions, as a consumer does: the list says where each begins, its marker where it ends.
class abort_filter {
public:
    abort_filter(const messages::fetch_response::partition_data& p, bool on) : on_{on} {
        if (p.aborted_transactions) list_ = *p.aborted_transactions;
        std::ranges::sort(list_, {}, &messages::fetch_response::aborted_transaction::first_offset);
    }
    bool hides(const protocol::record_batch& b, const protocol::record_view& r) {
        for (; next_ < list_.size() && list_[next_].first_offset <= r.offset; ++next_) aborted_.push_back(list_[next_].producer_id);
        const auto at = std::ranges::find(aborted_, b.producer_id);
        if (b.is_control()) {
            if (const auto c = protocol::parse_control(r); c && c->type == protocol::control_type::abort && at != aborted_.end())
                aborted_.erase(at);
            return true;
        }
        return on_ && b.is_transactional() && at != aborted_.end();
    }

private:
    bool on_;
    std::vector<messages::fetch_response::aborted_transaction> list_;
    std::size_t next_ = 0;
    std::vector<std::int64_t> aborted_;
};

}  // namespace

// One Fetch; the offset to go on at.
std::int64_t brokers::state::read(const std::string& topic, std::int32_t partition, std::int64_t from, bool committed_only,
                                  std::vector<record>& to, bool& at_end) {
    const auto t = look_up(topic);
    messages::fetch_request r;
    r.max_bytes = 32 << 20;
    r.isolation_level = committed_only ? 1 : 0;
    auto& in = r.topics.emplace_back();
    in.topic = topic;
    in.topic_id = t.id;
    auto& p = in.partitions.emplace_back();
    p.partition = partition;
    p.fetch_offset = from;
    p.partition_max_bytes = 16 << 20;
    std::string why;
    const auto a = ask(std::move(r), {.broker = t.leaders[static_cast<std::size_t>(partition)]}, why);
    if (!a || a->error_code || a->responses.empty() || a->responses.front().partitions.empty()) return pause(), from;
    const auto& got = a->responses.front().partitions.front();
    if (got.error_code == static_cast<std::int16_t>(broker_errc::offset_out_of_range) && got.log_start_offset > from)
        return got.log_start_offset;
    if (got.error_code) {
        if (!retriable(got.error_code))
            fail("partition " + std::to_string(partition) + " of " + topic + " cannot be read: " + name_of(got.error_code));
        return pause(), from;
    }
    std::int64_t next = from;
    if (got.records && !got.records->data.empty()) {
        abort_filter aborted{got, committed_only};
        protocol::record_reader reader{got.records->data};
        reader.include_control_batches(true);
        while (const auto* record = reader.next())
            if (!aborted.hides(reader.batch(), *record) && record->offset >= from) to.push_back(owned(*record, partition));
        if (reader.error())
            fail("partition " + std::to_string(partition) + " of " + topic + " holds what cannot be read: " + reader.error().message());
        next = std::max(next, reader.next_offset());
    }
    at_end = next >= (committed_only ? got.last_stable_offset : got.high_watermark);
    return next;
}

std::vector<record> brokers::read_all(const std::string& topic, bool committed_only) {
    std::vector<record> all;
    const auto count = static_cast<std::int32_t>(state_->look_up(topic).leaders.size());
    for (std::int32_t partition = 0; partition < count; ++partition) {
        bool at_end = false;
        const auto by = state_->limit();
        for (std::int64_t offset = 0; !at_end;) {
            offset = state_->read(topic, partition, offset, committed_only, all, at_end);
            if (!at_end && std::chrono::steady_clock::now() > by)
                state_->fail("partition " + std::to_string(partition) + " of " + topic + " is not read to its end");
        }
    }
    return all;
}

namespace {

bool is_as(const record& expected, const record& r) {
    return expected.key == r.key && expected.value == r.value && (expected.headers.empty() || expected.headers == r.headers) &&
           (expected.partition < 0 || expected.partition == r.partition) && (expected.offset < 0 || expected.offset == r.offset) &&
           (expected.timestamp < 0 || expected.timestamp == r.timestamp);
}

}  // namespace

std::string brokers::expect_records(const std::string& topic, const std::vector<record>& expected) {
    std::vector<record> there;
    const auto by = state_->limit();
    do {
        there = read_all(topic);
        if (there.size() >= expected.size()) break;
        run_for(std::chrono::milliseconds{20});
    } while (std::chrono::steady_clock::now() < by);

    // Each expected record takes the first one like it that stands behind all taken before in its partition.
    std::vector<bool> taken(there.size(), false);
    std::map<std::int32_t, std::int64_t> reached;
    std::string wrong;
    for (const auto& e : expected) {
        std::size_t found = there.size(), misplaced = there.size();
        for (std::size_t i = 0; i < there.size() && found == there.size(); ++i) {
            if (taken[i] || !is_as(e, there[i])) continue;
            const auto at = reached.find(there[i].partition);
            (at == reached.end() || there[i].offset > at->second ? found : misplaced) = i;
        }
        if (found != there.size()) {
            taken[found] = true;
            reached[there[found].partition] = there[found].offset;
        } else if (misplaced != there.size()) {
            taken[misplaced] = true;
            wrong += "\n  in the wrong order: " + there[misplaced].text();
        } else {
            wrong += "\n  missing: " + e.text();
        }
    }
    for (std::size_t i = 0; i < there.size(); ++i)
        if (!taken[i]) wrong += "\n  not expected: " + there[i].text();
    if (wrong.empty()) return {};
    return "topic " + topic + " has " + std::to_string(there.size()) + " records, " + std::to_string(expected.size()) +
           " were expected:" + wrong + state_->story();
}

}  // namespace kafkawire::testing
