#include "cli/fetcher.hpp"

#include <asio/co_spawn.hpp>
#include <fmt/format.h>

#include "cli/text.hpp"

namespace kafkawire::cli {

using namespace protocol;

namespace {

std::string_view control_name(const record_view& r) {
    const auto c = parse_control(r);
    if (!c) return "unknown";
    switch (c->type) {
        case control_type::abort: return "abort";
        case control_type::commit: return "commit";
        case control_type::leader_change: return "leader_change";
        case control_type::snapshot_header: return "snapshot_header";
        case control_type::snapshot_footer: return "snapshot_footer";
        case control_type::kraft_version: return "kraft_version";
        case control_type::kraft_voters: return "kraft_voters";
    }
    return "unknown";
}

// Which producers' records are to be stepped over: those of aborted transactions, from their first offset to their abort marker.
class aborted {
public:
    explicit aborted(const messages::fetch_response::partition_data& answer) {
        if (answer.aborted_transactions) list_ = *answer.aborted_transactions;
        std::sort(list_.begin(), list_.end(), [](const auto& a, const auto& b) { return a.first_offset < b.first_offset; });
    }
    bool hides(const record_batch& b) {
        while (at_ < list_.size() && list_[at_].first_offset <= b.last_offset) active_.insert(list_[at_++].producer_id);
        return b.is_transactional() && active_.contains(b.producer_id);
    }
    void ended(std::int64_t producer_id) { active_.erase(producer_id); }

private:
    std::vector<messages::fetch_response::aborted_transaction> list_;
    std::size_t at_ = 0;
    std::set<std::int64_t> active_;
};

}  // namespace

fetcher::fetcher(session& s, fetch_plan plan, std::vector<reading_partition> partitions, std::function<bool(const shown_record&)> take)
    : session_{s}, plan_{plan}, partitions_{std::move(partitions)}, take_{std::move(take)}, last_progress_{std::chrono::steady_clock::now()}, changed_{s.io()} {
    changed_.expires_at(asio::steady_timer::time_point::max());
    for (auto& p : partitions_) p.done = p.stop_at && p.position >= *p.stop_at;
    // Control records are always read, since abort markers end what they abort; take_ sees them only if asked for.
    reader_.include_control_batches(true);
}

bool fetcher::all_done() const {
    return std::all_of(partitions_.begin(), partitions_.end(), [](const auto& p) { return p.done; });
}

void fetcher::stop() {
    enough_ = true;
    changed_.cancel();
}

void fetcher::check_caught_up() {
    if (caught_up_ || !on_caught_up) return;
    for (const auto& p : partitions_)
        if (!p.done && (p.end < 0 || p.position < p.end)) return;
    caught_up_ = true;
    on_caught_up();
}

asio::awaitable<void> fetcher::run() {
    start_loops();
    while (!enough_ && !failed_ && !thrown_ && !all_done()) {
        std::error_code ignored;
        if (refresh_needed_) {
            refresh_needed_ = false;
            co_await session_.sleep(std::chrono::milliseconds{100});
            co_await refresh();
            start_loops();
            continue;
        }
        co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    enough_ = true;
    if (thrown_) std::rethrow_exception(thrown_);
    if (failed_) throw *failed_;
}

void fetcher::start_loops() {
    for (const auto& p : partitions_) {
        if (p.done) continue;
        if (p.leader < 0) {
            refresh_needed_ = true;
            continue;
        }
        if (!loops_.insert(p.leader).second) continue;
        asio::co_spawn(session_.io(), loop(p.leader), [this, leader = p.leader](std::exception_ptr e) {
            loops_.erase(leader);
            try {
                if (e) std::rethrow_exception(e);
            } catch (const failure& f) {
                if (!failed_) failed_ = f;
            } catch (...) {
                thrown_ = std::current_exception();
            }
            changed_.cancel();
        });
    }
    if (refresh_needed_) changed_.cancel();
}

asio::awaitable<void> fetcher::loop(std::int32_t leader) {
    while (!enough_ && !failed_ && !thrown_) {
        std::vector<reading_partition*> mine;
        for (auto& p : partitions_)
            if (!p.done && p.leader == leader) mine.push_back(&p);
        if (mine.empty()) break;
        const bool well = co_await fetch_from(leader, std::move(mine));
        changed_.cancel();
        if (!well) break;  // the next metadata starts a loop again, here or elsewhere
    }
}

// False: leaders have moved, or this one cannot be reached.
asio::awaitable<bool> fetcher::fetch_from(std::int32_t leader, std::vector<reading_partition*> from) {
    messages::fetch_request request;
    request.max_wait_ms = plan_.max_wait_ms;
    request.min_bytes = 1;
    request.max_bytes = plan_.fetch_bytes;
    request.isolation_level = plan_.read_committed ? 1 : 0;
    for (const auto* p : from) {
        if (request.topics.empty() || request.topics.back().topic != p->topic) {
            request.topics.emplace_back();
            request.topics.back().topic = p->topic;
            request.topics.back().topic_id = p->topic_id;
        }
        messages::fetch_request::fetch_partition one;
        one.partition = p->id;
        one.fetch_offset = p->position;
        one.partition_max_bytes = plan_.partition_bytes;
        request.topics.back().partitions.push_back(std::move(one));
    }
    request_options options;
    options.broker = leader;
    // Topic ids came with version 13; a broker that has none for a topic must be asked by name.
    const bool named = std::any_of(from.begin(), from.end(), [](const auto* p) { return p->topic_id.is_zero(); });
    const auto doing = fmt::format("cannot fetch from \"{}\"", from.front()->topic);
    bool unreachable = false;
    try {
        auto version = co_await session_.version_of(messages::fetch_request::key, leader, doing);
        if (named) version = std::min<std::int16_t>(version, 12);
        options.version = version;
        const auto a = co_await session_.cluster().async_request(std::move(request), options, detailed(asio::use_awaitable));
        if (enough_) co_return false;
        if (a.error_code != 0) throw from_broker_code(a.error_code, doing);
        bool moved = false;
        for (const auto& t : a.responses)
            for (const auto& d : t.partitions)
                for (auto* p : from) {
                    if (p->id != d.partition_index || (version >= 13 ? p->topic_id != t.topic_id : p->topic != t.topic)) continue;
                    if (d.error_code != 0) {
                        check_error(*p, d.error_code);
                        moved = true;
                        continue;
                    }
                    last_progress_ = std::chrono::steady_clock::now();
                    if (!enough_ && !p->done && !hand_on(*p, d)) stop();
                }
        if (on_answer) on_answer();
        check_caught_up();
        refresh_needed_ |= moved;
        co_return !moved;
    } catch (const system_error& e) {
        if (e.code() != condition::retriable || std::chrono::steady_clock::now() - last_progress_ > session_.ctx().timeout) throw from_error(e.detail(), doing);
        unreachable = true;
    } catch (const failure& f) {
        // Asking for the versions found nobody there: that passes as an unreachable leader does.
        if (f.retriable && std::chrono::steady_clock::now() - last_progress_ <= session_.ctx().timeout) unreachable = true;
        else throw;
    }
    refresh_needed_ |= unreachable;
    co_return false;
}

void fetcher::check_error(reading_partition& p, std::int16_t code) {
    const auto name = fmt::format("{}-{}", p.topic, p.id);
    if (static_cast<broker_errc>(code) == broker_errc::offset_out_of_range) {
        auto f = from_broker_code(code, fmt::format("{}: offset {}", name, p.position));
        throw f;
    }
    const auto ec = make_error_code(static_cast<broker_errc>(code));
    const bool passes = ec == condition::retriable || static_cast<broker_errc>(code) == broker_errc::unknown_topic_id;
    if (!passes || std::chrono::steady_clock::now() - last_progress_ > session_.ctx().timeout) throw from_broker_code(code, name);
    p.leader = -1;
}

// False: the receiver has enough.
bool fetcher::hand_on(reading_partition& p, const messages::fetch_response::partition_data& answer) {
    // Behind the last stable offset lie transactions that are still open. Brokers before 0.11 know of neither and say -1.
    p.end = plan_.read_committed && answer.last_stable_offset >= 0 ? answer.last_stable_offset : answer.high_watermark;
    if (!answer.records || answer.records->data.empty()) return true;
    aborted hidden{answer};
    reader_.start(answer.records->data);
    shown_record out;
    out.topic = p.topic;
    out.partition = p.id;
    out.log_start = answer.log_start_offset;
    out.last_stable = answer.last_stable_offset;
    out.high_watermark = answer.high_watermark;
    bool any = false;
    while (const auto* r = reader_.next()) {
        any = true;
        const auto& batch = reader_.batch();
        if (p.stop_at && r->offset >= *p.stop_at) {
            p.done = true;
            return true;
        }
        const bool old = r->offset < p.position;
        out.control = batch.is_control() ? control_name(*r) : std::string_view{};
        if (plan_.read_committed) {
            if (out.control == "abort") hidden.ended(batch.producer_id);
            else if (hidden.hides(batch)) {
                p.position = std::max(p.position, r->offset + 1);
                continue;
            }
        }
        if (old) continue;
        p.position = r->offset + 1;
        if (batch.is_control() && !plan_.control) continue;
        out.offset = r->offset;
        out.timestamp = r->timestamp;
        out.log_append_time = r->timestamps == timestamp_type::log_append;
        out.key = shown(r->key);
        out.value = shown(r->value);
        out.headers.clear();
        for (const auto& h : r->headers) out.headers.push_back({h.key, shown(h.value)});
        out.leader_epoch = r->leader_epoch;
        out.producer_id = batch.producer_id;
        out.producer_epoch = batch.producer_epoch;
        out.sequence = r->sequence;
        out.transactional = batch.is_transactional();
        out.compression = to_string(batch.codec());
        p.given = r->offset + 1;
        if (!take_(out)) return false;
    }
    // Compaction may have taken the last records of a batch: what follows begins behind the batch.
    p.position = std::max(p.position, reader_.next_offset());
    if (const auto& e = reader_.error()) {
        failure f{status::failed, e.code == errc::bad_crc ? "bad_crc" : "bad_record", fmt::format("{}-{} at offset {}: {}", p.topic, p.id, p.position, e.message()),
                  fmt::format("what came before it is good; -o {} reads on behind the batch, if the rest is whole", e.last_offset >= 0 ? e.last_offset + 1 : p.position + 1)};
        f.code = static_cast<int>(e.code);
        throw f;
    }
    if (!any && reader_.next_offset() < 0 && reader_.cut_bytes() > 0) {
        // Brokers before 0.10.1 cut a batch that is larger than asked for: ask for more.
        if (plan_.partition_bytes >= plan_.fetch_bytes) throw failure{status::failed, "limit_exceeded", fmt::format("{}-{} has a batch at offset {} that is larger than {} bytes", p.topic, p.id, p.position, plan_.fetch_bytes)};
        plan_.partition_bytes = plan_.fetch_bytes;
    }
    if (p.stop_at && p.position >= *p.stop_at) p.done = true;
    return true;
}

asio::awaitable<void> fetcher::refresh() {
    std::vector<std::string> names;
    for (const auto& p : partitions_)
        if (!p.done && (names.empty() || names.back() != p.topic)) names.push_back(p.topic);
    try {
        const auto views = co_await find_topics(session_, std::move(names));
        for (auto& p : partitions_)
            for (const auto& t : views) {
                if (t.name != p.topic) continue;
                if (!t.id.is_zero() && !p.topic_id.is_zero() && t.id != p.topic_id)
                    throw failure{status::failed, "UNKNOWN_TOPIC_ID", fmt::format("topic \"{}\" was deleted and made again", p.topic), "start again to read the new one"};
                if (const auto* v = t.find(p.id)) p.leader = v->leader;
            }
    } catch (const failure& f) {
        if (f.name == "UNKNOWN_TOPIC_ID" || std::chrono::steady_clock::now() - last_progress_ > session_.ctx().timeout) throw;
    }
    for (const auto& p : partitions_)
        if (!p.done && p.leader < 0) {
            refresh_needed_ = true;
            if (std::chrono::steady_clock::now() - last_progress_ > session_.ctx().timeout)
                throw failure{status::failed, "LEADER_NOT_AVAILABLE", fmt::format("{}-{} has no leader", p.topic, p.id), "are enough brokers up?"};
        }
}

}  // namespace kafkawire::cli
