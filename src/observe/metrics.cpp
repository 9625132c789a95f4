#include <kafkawire/metrics.hpp>
#include <kafkawire/protocol/api.hpp>

#include <algorithm>

namespace kafkawire::inline v0_1 {

namespace {

template <class Map>
auto& entry(Map& in, std::string_view name) {
    const auto at = in.find(name);
    return at != in.end() ? at->second : in.try_emplace(std::string{name}).first->second;
}

double in_seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

std::string api_label(std::int16_t key) {
    const auto* api = protocol::find_api(key);
    return api ? std::string{api->name} : std::to_string(key);
}

std::string_view fate_of(const connection_seen& c) {
    if (c.to == "ready") return "ready";
    if (c.unused) return "unused";
    if (c.why && (c.why->code == errc::client_closed || c.why->code == errc::canceled)) return "closed";
    return c.from == "ready" ? "lost" : "failed";
}

}  // namespace

void histogram::add(double value) {
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++counts_[static_cast<std::size_t>(at - bounds_.begin())];
    sum_ += value;
    ++count_;
}

client_figures& metrics::figures(std::string_view client) { return entry(clients_, client); }

client_figures metrics::of(std::string_view client) const {
    const std::lock_guard held{lock_};
    const auto at = clients_.find(client);
    return at != clients_.end() ? at->second : client_figures{};
}

void metrics::on_log(const log_line& l) {
    {
        const std::lock_guard held{lock_};
        entry(figures(l.client).log_lines, to_string(l.level)) += 1 + l.left_out;
    }
    if (next_) next_->on_log(l);
}

void metrics::on_request(const request_seen& r) {
    {
        const std::lock_guard held{lock_};
        auto& f = entry(figures(r.client).by_api, api_label(r.api_key));
        ++(r.why ? f.failed : f.answered);
        f.bytes_out += r.bytes_out;
        f.bytes_in += r.bytes_in;
        if (r.bytes_in > 0) f.seconds.add(in_seconds(r.duration));
    }
    if (next_) next_->on_request(r);
}

void metrics::on_connection(const connection_seen& c) {
    {
        const std::lock_guard held{lock_};
        auto& f = figures(c.client);
        if (c.to == "ready") ++entry(f.connected, c.broker);
        if (c.from == "ready") --entry(f.connected, c.broker);
        if (c.to == "ready" || c.to == "closed") ++entry(f.connections, fate_of(c));
    }
    if (next_) next_->on_connection(c);
}

void metrics::on_batch(const batch_seen& b) {
    {
        const std::lock_guard held{lock_};
        auto& f = figures(b.client);
        f.batch_bytes.add(static_cast<double>(b.bytes));
        f.batch_records.add(static_cast<double>(b.records));
        f.queue_seconds.add(in_seconds(b.queued));
        f.records += b.records;
    }
    if (next_) next_->on_batch(b);
}

void metrics::on_retry(const retry_seen& r) {
    {
        const std::lock_guard held{lock_};
        entry(figures(r.client).retries, r.component) += r.count;
    }
    if (next_) next_->on_retry(r);
}

void metrics::on_rebalance(const rebalance_seen& r) {
    {
        const std::lock_guard held{lock_};
        auto& f = figures(r.client);
        ++entry(f.rebalances, to_string(r.what));
        // Which have gone is not said: those that stay are told of again with their next records.
        if (r.what != rebalance_seen::step::assigned) f.lag.clear();
    }
    if (next_) next_->on_rebalance(r);
}

void metrics::on_lag(const lag_seen& l) {
    {
        const std::lock_guard held{lock_};
        figures(l.client).lag[{std::string{l.topic}, l.partition}] = l.lag;
    }
    if (next_) next_->on_lag(l);
}

void metrics::on_error(const error_seen& e) {
    {
        const std::lock_guard held{lock_};
        figures(e.client).errors[{std::string{e.component}, kind_of(e.why.code)}] += e.count;
    }
    if (next_) next_->on_error(e);
}

}  // namespace kafkawire::inline v0_1
