#include "handlers.hpp"

#include <kafkawire/consumer.hpp>

#include <algorithm>

#include "consumers.hpp"

namespace schedules {

namespace {
constexpr auto stop_timeout = 5s;
constexpr auto written_until = 30s;
}  // namespace

handlers::handlers(cluster_world& w, std::chrono::nanoseconds until) : w_{w}, random_{w.world.random().fork()}, until_{until} {
    kw::broker::witness = this;
    options_.retry_interval = std::chrono::milliseconds{random_.between(50, 1500)};
    options_.stop_timeout = stop_timeout;
    options_.parallel = static_cast<std::uint32_t>(1 + random_.below(4));
    options_.order = random_.chance(300'000) ? kw::app::handler_order::partition : kw::app::handler_order::key;
    options_.max_pending = static_cast<std::uint32_t>(10 + random_.below(200));
    batched_ = random_.chance(300'000);
    if (batched_) {
        options_.batch = static_cast<std::uint32_t>(1 + random_.below(10));
        options_.batch_flush = std::chrono::milliseconds{random_.between(10, 800)};
    }
    switch (random_.below(6)) {
        case 0: break;
        case 1: options_.max_retry = -1; break;
        case 2: options_.max_retry = 2; break;
        case 3:
            options_.max_retry = 1;
            options_.after_last_try = kw::app::last_resort::dead_letter;
            options_.dead_letter_topic = shipped;
            break;
        case 4:
            options_.max_retry = -1;
            options_.after_last_try = kw::app::last_resort::retry_topic;
            options_.retry_topic = shipped;
            break;
        default:
            options_.max_retry = 2;
            options_.after_last_try = kw::app::last_resort::stop;
    }
    slots_.resize(3);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        auto& h = w.world.add_host("member-" + std::to_string(i + 1));
        w.members.push_back(&h);
        hosts_.push_back(&h);
        const auto first = some(0s, 8s);
        w.world.after(first, [this, i] { start(i); });
    }
    for (int i = 0; i < 9; ++i) {
        const auto when = some(2s, until - 1s);
        w.world.after(when, [this] { strike(); });
    }
    kw::producer_options o;
    o.delivery_timeout = 120s;
    o.linger = 5ms;
    writer_.emplace(w.auditor.executor(), cluster_world::options_of("writer"), w.auditor.environment());
    producer_.emplace(*writer_, o);
    write();
}

handlers::~handlers() {
    kw::broker::witness = nullptr;
    producer_.reset();
    writer_.reset();
    for (auto& l : lives_) end(*l);
}

// Some records now and then, under one of a few keys or none, each told where it is.
void handlers::write() {
    if (elapsed() >= written_until) return;
    for (auto n = 1 + random_.below(6); n > 0; --n) {
        const auto number = next_value_++;
        const auto value = std::make_shared<std::string>(make_value(number, 24));
        const auto key = std::make_shared<std::string>(std::to_string(random_.below(6)));
        kw::record r{.topic = topic, .value = *value};
        if (*key != "0") r.key = *key;
        else r.partition = static_cast<std::int32_t>(random_.below(partitions));
        ++sent;
        ++writing_;
        producer_->async_send(r, [this, number, value, key](std::error_code ec, const kw::delivery& d) {
            --writing_;
            if (ec || d.offset < 0) return;
            ++acknowledged;
            auto& m = records_[{d.partition, d.offset}];
            m.value = number;
            m.acknowledged = true;
        });
    }
    const auto pause = some(20ms, 400ms);
    w_.world.after(pause, [this] { write(); });
}

void handlers::start(std::size_t slot) {
    if (stopping_ || (slots_[slot] && !slots_[slot]->ended)) return;
    auto l = std::make_shared<life>();
    l->number = static_cast<int>(lives_.size());
    l->slot = slot;
    l->host = hosts_[slot];
    slots_[slot] = l;
    lives_.push_back(l);
    auto c = cluster_world::options_of("member");
    c.request_timeout = 5s;
    l->client.emplace(l->host->executor(), c, l->host->environment());
    kw::consumer_options o;
    o.group = readers;
    o.topics = {topic};
    o.auto_offset_reset = kw::offset_reset::earliest;
    o.session_timeout = 6s;
    o.heartbeat_interval = 1s;
    o.rebalance_timeout = 6s;
    o.auto_commit_interval = std::chrono::milliseconds{random_.between(50, 2000)};
    if (w_.world.seed() % 2) o.assignors = {"range"};
    if (w_.world.seed() % 5 == 0) o.group_protocol = kw::group_protocol::consumer;
    kw::producer_options send;
    send.delivery_timeout = 20s;
    const std::weak_ptr<life> weak = l;
    l->server.emplace(*l->client, o, kw::app::on_call([this, weak](kw::app::call k) {
                          if (const auto alive = weak.lock()) handle(alive, std::move(k));
                      }, batched_),
                      options_, send);
    l->server->async_run([this, weak](std::error_code why) {
        if (const auto alive = weak.lock()) stopped_one(alive, why);
    });
}

// The process is gone: what its functions were doing has not been done.
void handlers::end(life& l) {
    if (l.over) return;
    l.over = l.ended = true;
    l.server.reset();
    l.client.reset();
}

void handlers::stop(const life_pointer& l) {
    if (!l || l->over || l->stopping) return;
    l->stopping = true;
    l->server->stop();
}

void handlers::stopped_one(const life_pointer& l, std::error_code why) {
    if (l->over) return;
    const auto n = l->server->statistics();
    away += n.to_dead_letters + n.to_retry_topic;
    if (n.running == 0 && n.failures != l->failures)
        blame("numbers", "member " + std::to_string(l->number) + " counts " + std::to_string(n.failures) + " failures, and there were " + std::to_string(l->failures));
    if (n.retries > n.failures) blame("numbers", "more retries than failures");
    // A fault may have the coordinator refuse a member for good.
    if (why && why.category() != kw::broker_category() && options_.after_last_try != kw::app::last_resort::stop) blame("ended", "a server ended with " + why.message());
    if (why && why.category() != kw::broker_category() && why != std::errc::io_error && why != kw::app::errc::handler_gone) blame("ended", "a server ended with " + why.message() + ", which no handler said");
    l->ended = true;
    w_.world.after(0s, [this, l] { end(*l); });
    const auto rest = some(1ms, 4s);
    w_.world.after(rest, [this, slot = l->slot] { start(slot); });
}

void handlers::strike() {
    const auto slot = random_.below(slots_.size());
    const auto what = random_.below(6);
    const auto l = slots_[slot];
    if (!l || l->ended || l->stopping || elapsed() >= until_) return;
    ++struck;
    if (what < 2) {
        end(*l);
        const auto rest = some(1ms, 6s);
        w_.world.after(rest, [this, slot] { start(slot); });
    } else if (what < 4) {
        stop(l);
    } else {
        const auto d = std::min(some(100ms, 12s), until_ - elapsed());
        l->host->pause();
        w_.world.after(d, [h = l->host] { h->resume(); });
    }
}

// A function, called. It takes it at once or later, fails, or loses its call.
void handlers::handle(const life_pointer& l, kw::app::call c) {
    if (l->over) return;
    ++calls;
    std::vector<place> places;
    const bool whole = options_.parallel == 1 || options_.order == kw::app::handler_order::partition;
    const auto index = c.message().partition;
    const auto reading = l->server->reader().reading(topic, index);
    std::int64_t before = -1;
    for (const auto& r : c.messages()) {
        if (r.partition != index || r.offset <= before) blame("batch", "messages of a call are not in their order");
        before = r.offset;
        if (!reading || (!whole && r.key.is_null())) continue;
        place p{r.partition, reading->assignment_epoch, whole ? std::string{} : std::string{r.key.text()}};
        const auto [at, fresh] = l->begun.try_emplace(p, -1);
        const bool again = c.attempt() > 1;
        if (again ? r.offset > at->second : r.offset <= at->second)
            blame("order", "partition " + std::to_string(r.partition) + " key '" + p.key + "': " + std::to_string(r.offset) + " after " + std::to_string(at->second));
        at->second = std::max(at->second, r.offset);
        if (std::find(places.begin(), places.end(), p) == places.end()) {
            if (l->running[p]++ > 0) blame("order", "two calls at a time for key '" + p.key + "' of partition " + std::to_string(p.partition));
            places.push_back(std::move(p));
        }
    }
    // 0: well; 1: an error; 2: the call is lost.
    const int how = calm_ ? 0 : random_.chance(250'000) ? 1 : random_.chance(50'000) ? 2 : 0;
    auto takes = some(0s, 30ms);
    if (!calm_ && random_.chance(30'000)) takes = some(500ms, 9s);
    auto kept = std::make_shared<kw::app::call>(std::move(c));
    l->host->async_wait(takes, [this, weak = std::weak_ptr{l}, kept, places = std::move(places), how](std::error_code) {
        if (const auto alive = weak.lock()) finish(alive, kept, places, how);
    });
}

void handlers::finish(const life_pointer& l, const std::shared_ptr<kw::app::call>& c, const std::vector<place>& places, int how) {
    if (l->over) return;
    for (const auto& p : places) --l->running[p];
    for (const auto& r : c->messages()) {
        auto& m = records_[{r.partition, r.offset}];
        m.value = number_in(r.value.view());
        if (how == 0) m.handled = true;
        else if (options_.max_retry != 0 && c->attempt() > options_.max_retry && options_.after_last_try != kw::app::last_resort::stop) m.excused = true;
    }
    if (how != 0) {
        ++l->failures;
        ++failed;
    }
    if (how == 2) {
        auto lost = std::move(*c);
        return;
    }
    kw::error e;
    if (how == 1) e.code = std::make_error_code(std::errc::io_error);
    c->done(std::move(e));
}

// What is committed is done, all of it.
void handlers::taken(const kw::broker::committer& who, const std::vector<kw::broker::offset_commit>& what, const kw::broker::group&) {
    if (who.group != readers) return;
    for (const auto& o : what) {
        ++commits;
        for (auto at = records_.lower_bound({o.partition, 0}); at != records_.end() && at->first.first == o.partition && at->first.second < o.offset; ++at)
            if (!at->second.handled && !at->second.excused)
                blame("confirmed-before-done", "partition " + std::to_string(o.partition) + " is committed to " + std::to_string(o.offset) + ", and " +
                                                   std::to_string(at->first.second) + " was not handled");
    }
}

std::string handlers::waits_for() const {
    for (const auto& [where, m] : records_)
        if (m.acknowledged && !m.handled && !m.excused)
            return "the record at " + std::to_string(where.second) + " of partition " + std::to_string(where.first) + " is not handled";
    return {};
}

void handlers::stop() {
    stopping_ = true;
    for (auto& l : slots_) stop(l);
}
bool handlers::stopped() const {
    return std::all_of(slots_.begin(), slots_.end(), [](const auto& l) { return !l || l->ended; });
}

void handlers::audit() {
    // Everything went well at the end: all that was acknowledged is committed.
    std::map<std::int32_t, std::int64_t> ends;
    for (const auto& [where, m] : records_)
        if (m.acknowledged) ends[where.first] = where.second + 1;
    kw::consumer look{*w_.audit_client, {.group = readers}};
    std::vector<kw::topic_partition> of;
    for (const auto& [p, end] : ends) of.push_back({topic, p});
    bool told = false;
    look.async_committed(of, [&](std::error_code ec, const std::vector<kw::committed_offset>& all) {
        told = true;
        if (ec) return blame("audit", ec.message());
        for (const auto& c : all)
            if (c.offset < ends[c.partition])
                blame("not-committed", "partition " + std::to_string(c.partition) + " is committed to " + std::to_string(c.offset) + " of " + std::to_string(ends[c.partition]));
    });
    if (!w_.world.run_until([&] { return told; }, 60s)) blame("audit", "what is committed cannot be asked for");
    // What was sent away is there.
    std::map<std::uint64_t, int> there;
    kw::consumer other{*w_.audit_client, {.auto_offset_reset = kw::offset_reset::earliest}};
    for (std::int32_t p = 0; p < partitions; ++p) other.assign(shipped, p, kw::start_position::beginning());
    const auto tries = std::to_string(options_.max_retry < 0 ? 1 : options_.max_retry + 1);
    kw::unique_function<void()> read = [&] {
        other.async_poll([&](std::error_code ec, const kw::records& batch) {
            for (const auto& r : batch) {
                ++there[number_in(r.value.view())];
                std::string said;
                for (const auto& h : r.headers)
                    if (h.key == kw::app::failure_header::tries) said = h.value.text();
                if (said != tries) blame("tries", "a message was tried " + tries + " times and says '" + said + '\'');
            }
            if (ec != kw::errc::client_closed) read();
        });
    };
    read();
    const auto read_all = [&] {
        const auto all = other.readings();
        return std::all_of(all.begin(), all.end(), [](const auto& r) { return r.lag == 0; });
    };
    if (!w_.world.run_until(read_all, 60s)) blame("audit", "the other topic cannot be read");
    bool closed = false;
    other.async_close([&](std::error_code) { closed = true; });
    w_.world.run_until([&] { return closed; }, 20s);
    w_.world.run_for(100ms);
    std::uint64_t copies = 0;
    for (const auto& [value, n] : there) copies += static_cast<std::uint64_t>(n);
    if (copies < away) blame("numbers", std::to_string(away) + " messages were counted as sent away, and " + std::to_string(copies) + " are there");
    const bool sends = options_.after_last_try == kw::app::last_resort::dead_letter || options_.after_last_try == kw::app::last_resort::retry_topic;
    if (!sends && copies > 0) blame("numbers", "messages in a topic that nothing is sent to");
    if (!sends) return;
    for (const auto& [where, m] : records_)
        if (m.acknowledged && !m.handled && !there.contains(m.value))
            blame("lost", "the record at " + std::to_string(where.second) + " of partition " + std::to_string(where.first) + " was neither handled nor sent away");
}

result run_handlers(settings& s) {
    constexpr auto stormy = 40s;
    cluster_world w{s, {.as_version = s.seed % 5 == 0 || s.seed % 3 ? "4.3" : "3.9", .configs = consumers::configs(), .shipped = true}};
    result r;
    {
        handlers all{w, stormy};
        storm faults{w, stormy, {.faults = 8, .groups = true}};
        try {
            w.world.run_for(stormy);
            faults.calm();
            all.calm();
            if (!w.world.run_until([&] { return all.done(); }, 180s)) all.found["stuck"] = 1, all.problems += "stuck: 180 s after the last fault: " + all.waits_for() + '\n';
            w.world.run_for(25s);  // what a member handled that is gone comes again: a session, a rebalance, a rest before the next life
            all.stop();
            if (!w.world.run_until([&] { return all.stopped(); }, 20s)) all.found["late"] = 1, all.problems += "late: the servers do not stop\n";
            all.audit();
        } catch (const kw::sim::stalled& e) {
            r.problem = e.what();
        }
        r.hash = w.world.trace_hash();
        r.events = w.world.count().events;
        r.faults = faults.fired() + all.struck + all.failed;
        r.sends = all.sent;
        r.acknowledged = all.acknowledged;
        r.reads = all.calls;
        r.transactions = all.away;
        r.requests = all.commits;
        r.virtual_seconds = std::chrono::duration<double>(w.world.elapsed()).count();
        r.problem += all.problems;
        for (const auto& [name, n] : all.found) r.violations += (r.violations.empty() ? "" : " ") + name;
    }
    return r;
}

}  // namespace schedules
