#include "cli/bench_run.hpp"

#include <algorithm>

namespace kafkawire::cli {

namespace {

double seconds(std::chrono::steady_clock::duration d) { return std::chrono::duration<double>(d).count(); }
std::uint64_t now_of(const std::atomic<std::uint64_t>& a) noexcept { return a.load(std::memory_order_relaxed); }

bench_reading since(bench_reading now, const bench_reading& before) {
    now.acknowledged -= before.acknowledged;
    now.failed -= before.failed;
    now.value_bytes -= before.value_bytes;
    now.batches -= before.batches;
    now.wire_bytes -= before.wire_bytes;
    now.requests -= before.requests;
    now.retries -= before.retries;
    return now;
}

}  // namespace

bench_worker::bench_worker(bench_run& run, std::size_t index)
    : run_{run}, index_{index}, turn_{run.values(), run.keys(), index * 1009}, share_{run.plan().records / run.plan().threads} {
    if (index < run.plan().records % run.plan().threads) ++share_;
}

void bench_worker::add_time(std::chrono::nanoseconds t) {
    const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(t.count(), 0));
    const std::lock_guard lock{times_guard_};
    times_.add(ns);
    row_times_.add(ns);
}

void bench_worker::take_times(histogram& all, histogram& since_row) {
    const std::lock_guard lock{times_guard_};
    all.merge(times_);
    since_row.merge(row_times_);
    row_times_.clear();
}

void bench_worker::count(std::uint64_t acknowledged, std::uint64_t failed, const std::error_code& why) {
    bench_counters::add(counters.acknowledged, acknowledged);
    if (failed == 0) return;
    bench_counters::add(counters.failed, failed);
    run_.note_error(why);
}

bench_run::bench_run(const bench_plan& p, client_options cluster)
    : plan_{p},
      cluster_{std::move(cluster)},
      values_{p.payload.empty() ? make_values(10'000, p.size) : read_values(p.payload)},
      keys_{make_keys(p.keys)},
      begin_{static_cast<std::ptrdiff_t>(p.threads), mark{this, &bench_run::start_clock}},
      end_{static_cast<std::ptrdiff_t>(p.threads), mark{this, &bench_run::stop_clock}},
      made_{std::chrono::steady_clock::now()} {
    for (std::size_t i = 0; i < p.threads; ++i) workers_.push_back(p.front ? make_front_worker(*this, i) : make_direct_worker(*this, i));
}

bench_run::~bench_run() {
    stop();
    for (auto& t : threads_)
        if (t.joinable()) t.join();
}

void bench_run::open_front() {
    front_.emplace(cluster_, plan_.sending);
    front_->on_delivery([this](const delivery_report& r) {
        bench_counters::add(r.why ? shared_.failed : shared_.acknowledged, r.count);
        if (r.why) note_error(r.why->code);
    });
}

void bench_run::start() {
    made_ = std::chrono::steady_clock::now();
    if (plan_.front) open_front();
    running_.store(workers_.size());
    for (std::size_t i = 0; i < workers_.size(); ++i) threads_.emplace_back([this, i] { run(i); });
}

void bench_run::run(std::size_t index) noexcept {
    try {
        workers_[index]->work();
    } catch (...) {
        const std::lock_guard lock{guard_};
        if (!thrown_) thrown_ = std::current_exception();
        stop();
    }
    // Who will not come is not waited for.
    if (workers_[index]->meetings < 1) begin_.arrive_and_drop();
    if (workers_[index]->meetings < 2) end_.arrive_and_drop();
    running_.fetch_sub(1, std::memory_order_release);
}

void bench_run::begin_together(bench_worker& w) {
    w.meetings = 1;
    begin_.arrive_and_wait();
}
void bench_run::end_together(bench_worker& w) {
    w.meetings = 2;
    end_.arrive_and_wait();
}

void bench_run::start_clock() noexcept {
    warm_ = sum();
    for (const auto& w : workers_) warm_sent_ += now_of(w->counters.sent);
    cpu_began_ = process_cpu_seconds();
    began_ = std::chrono::steady_clock::now();
    measuring_.store(true, std::memory_order_release);
}

void bench_run::stop_clock() noexcept {
    ended_ = std::chrono::steady_clock::now();
    cpu_ended_ = process_cpu_seconds();
    measuring_.store(false, std::memory_order_release);
}

void bench_run::sent_all() noexcept {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    auto last = last_sent_.load();
    while (last < now && !last_sent_.compare_exchange_weak(last, now)) {
    }
}

void bench_run::note_error(const std::error_code& why) {
    const std::lock_guard lock{guard_};
    if (first_error_.empty()) first_error_ = why.message();
}

bench_reading bench_run::sum() const {
    bench_reading r;
    const auto add = [&r](const bench_counters& c) {
        r.acknowledged += now_of(c.acknowledged);
        r.failed += now_of(c.failed);
        r.value_bytes += now_of(c.value_bytes);
        r.batches += now_of(c.batches);
        r.wire_bytes += now_of(c.wire_bytes);
        r.requests += now_of(c.requests);
        r.retries += now_of(c.retries);
    };
    for (const auto& w : workers_) add(w->counters);
    add(shared_);
    if (front_) {
        const auto s = front_->statistics();
        r.batches += s.batches;
        r.wire_bytes += s.bytes;
        r.requests += s.requests;
        r.retries += s.retries;
    }
    return r;
}

bench_reading bench_run::reading() const {
    if (!measuring()) return {};
    auto r = since(sum(), warm_);
    r.wall = seconds(std::chrono::steady_clock::now() - began_);
    r.cpu = process_cpu_seconds() - cpu_began_;
    return r;
}

histogram bench_run::times_since_row() {
    histogram all, row;
    for (auto& w : workers_) w->take_times(all, row);
    return row;
}

bench_result bench_run::join() {
    for (auto& t : threads_)
        if (t.joinable()) t.join();
    if (thrown_) std::rethrow_exception(thrown_);
    bench_result r;
    r.total = since(sum(), warm_);
    r.total.wall = seconds(ended_ - began_);
    r.total.cpu = cpu_ended_ - cpu_began_;
    for (const auto& w : workers_) r.sent += now_of(w->counters.sent);
    r.sent -= warm_sent_;
    r.warmup_records = warm_sent_;
    r.warmup_seconds = warm_sent_ ? seconds(began_ - made_) : 0;
    r.rss_mb = process_peak_mb();
    r.size = values_.front().size();
    if (plan_.rate && r.sent > 0) {
        r.planned = static_cast<double>(r.sent - 1) / static_cast<double>(*plan_.rate);
        r.sending = seconds(std::chrono::nanoseconds{last_sent_.load()} - began_.time_since_epoch());
    }
    histogram row;
    for (auto& w : workers_) w->take_times(r.times, row);
    r.first_error = first_error_;
    r.degraded = front_ && front_->statistics().degraded;
    for (const auto& w : workers_) r.degraded = r.degraded || w->counters.degraded.load();
    r.interrupted = r.sent < plan_.records;
    return r;
}

}  // namespace kafkawire::cli
