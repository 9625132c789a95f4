#include "client/consumer_core.hpp"

#include <algorithm>

#include "client/group_core.hpp"

namespace kafkawire::client_detail {

namespace {

constexpr std::chrono::seconds watch_interval{60};          // between two looks at partitions that may stand still

fetch_settings settings_of(const consumer_options& o, const client_options& c) {
    fetch_settings s;
    s.open.check_crcs = o.check_crcs;
    s.open.read_committed = o.isolation == isolation::read_committed;
    s.open.limits.max_decompressed_batch = o.max_decompressed_batch;
    // What is around the records must not make an answer longer than the client takes.
    const auto most = static_cast<std::int32_t>(std::min<std::uint32_t>(std::max<std::uint32_t>(c.max_response - c.max_response / 16, 512), 0x7fffffff));
    s.min_bytes = static_cast<std::int32_t>(o.fetch_min_bytes);
    s.max_bytes = std::min(static_cast<std::int32_t>(o.fetch_max_bytes), most);
    s.partition_bytes = std::min(static_cast<std::int32_t>(o.partition_bytes), most);
    s.most_partition_bytes = most;
    s.max_wait = o.fetch_max_wait;
    s.rack = o.rack;
    switch (o.auto_offset_reset) {
        case offset_reset::earliest: s.policy = start_position::beginning(); break;
        case offset_reset::latest: s.policy = start_position::end(); break;
        case offset_reset::by_duration: s.policy = start_position::ago(o.reset_duration); break;
        case offset_reset::none: s.policy = start_position::policy(); break;
    }
    s.retry_backoff = o.retry_backoff;
    s.retry_backoff_max = std::max(o.retry_backoff, o.retry_backoff_max);
    s.replica_age = c.metadata_max_age;
    s.overdue = o.fetch_max_wait + c.request_timeout + watch_interval;
    return s;
}

}  // namespace

consumer_core::consumer_core(std::shared_ptr<core> client, const consumer_options& options)
    : client_{std::move(client)},
      options_{options},
      share_{std::make_shared<fetch_share>(static_cast<std::size_t>(options.fetch_buffer))},
      machine_{settings_of(options, client_->options()), share_, client_->env().random()} {
    timer_ = client_->env().make_timer([this] {
        const auto self = shared_from_this();
        timer_at_.reset();
        if (exhausted_) return tell_exhausted();
        contained([this] {
            run();
            look();
        });
    });
    watch_timer_ = client_->env().make_timer([this] {
        const auto self = shared_from_this();
        contained([this] { watch(); });
    });
    watch_timer_->set(client_->env().now() + watch_interval);
    if (!options_.group.empty()) group_ = std::make_unique<group_core>(*this);
    fetch_lane_ = client_->take_lane(lane::fetch);
    client_->watch(*this);
}

void consumer_core::start() {
    if (group_ && !options_.topics.empty()) group_->subscribe(options_.topics, options_.exclude_topics);
}

consumer_core::~consumer_core() {
    client_->unwatch(*this);
    client_->give_lane(fetch_lane_);
    share_->nobody_waits();
}

// --- partitions ---

void consumer_core::assign(std::vector<partition_start> what) {
    if (stopped_) return;
    if (group_) return group_->assign_by_hand(what);
    for (const auto& w : what) assign_at(w);
}

std::error_code consumer_core::changed(bool found) {
    if (!found) return errc::not_assigned;
    soon();
    return {};
}

std::error_code consumer_core::unassign(std::string_view topic, std::int32_t partition) { return changed(machine_.unassign(topic, partition)); }

void consumer_core::unassign_all() {
    std::vector<std::pair<std::string, std::int32_t>> all;
    machine_.each([&](const reading_partition& p) { all.emplace_back(*p.topic, p.index); });
    for (const auto& [topic, index] : all) machine_.unassign(topic, index);
    soon();
}

std::error_code consumer_core::seek(std::string_view topic, std::int32_t partition, start_position to) {
    if (group_) group_->sought(topic, partition);
    return changed(machine_.seek(topic, partition, to));
}
std::error_code consumer_core::pause(std::string_view topic, std::int32_t partition, bool yes) { return changed(machine_.pause(topic, partition, yes)); }

std::error_code consumer_core::skip(std::string_view topic, std::int32_t partition) {
    if (!machine_.find(topic, partition)) return errc::not_assigned;
    if (!machine_.skip(topic, partition)) return std::make_error_code(std::errc::invalid_argument);
    soon();
    return {};
}

// --- for the group ---

void consumer_core::assign_at(const partition_start& what) {
    machine_.assign(client_->want_topic(what.topic, options_.create_topics), what.partition, what.from, what.leader_epoch);
    soon();
}

void consumer_core::assign_held(const std::string& topic, std::int32_t partition, const protocol::uuid& only) {
    machine_.assign(client_->want_topic(topic, options_.create_topics), partition, start_position::policy());
    (void)machine_.only_of(topic, partition, only);
    (void)machine_.hold(topic, partition, true);
}

bool consumer_core::undecided(const std::string& topic, std::int32_t partition) const {
    const auto* const p = machine_.find(topic, partition);
    return p && p->undecided;
}

void consumer_core::decide(const std::string& topic, std::int32_t partition, std::int64_t offset, std::int32_t leader_epoch) {
    if (offset >= 0) (void)machine_.seek(topic, partition, start_position::at(offset), leader_epoch);
}

void consumer_core::release(const std::string& topic, std::int32_t partition) {
    if (machine_.release(topic, partition)) soon();
}

void consumer_core::fail(const std::string& topic, std::int32_t partition, const error& why) {
    if (machine_.give_up(topic, partition, why)) soon();
}

// --- carrying out ---

void consumer_core::run() {
    if (stopped_) return;
    used_before_ = share_->used();
    machine_.run(client_->env().now(), actions_);
    while (!actions_.empty()) {
        running_.clear();
        std::swap(running_, actions_);
        for (auto& a : running_) std::visit([this](auto& x) { carry_out(x); }, a);
    }
    running_.clear();
    const auto at = machine_.next_wakeup();
    if (!at || (timer_at_ && *timer_at_ <= *at)) return;  // firing for nothing costs one look
    timer_at_ = at;
    timer_->set(*at);
}

// Records may be dropped on any thread: that comes back to ours by the executor.
void consumer_core::carry_out(await_room&) {
    share_->call_when_freed([self = weak_from_this(), ex = client_->executor()] {
        asio::post(ex, [self] {
            if (const auto alive = self.lock()) alive->contained([&] { alive->run(); });
        });
    });
    if (share_->used() < used_before_) soon();  // just before somebody waited
}

template <class What>
void consumer_core::tell(unique_function<void(const What&)> consumer_core::*handler, What what) {
    if (!(this->*handler)) return;
    client_->env().post([self = weak_from_this(), handler, what = std::move(what)] {
        const auto alive = self.lock();
        if (!alive) return;
        auto& place = (*alive).*handler;
        auto f = std::exchange(place, nullptr);             // it may put another one there
        if (f) f(what);
        if (!place) place = std::move(f);
    });
}
template void consumer_core::tell(unique_function<void(const rebalance_report&)> consumer_core::*, rebalance_report);

void consumer_core::carry_out(tell_cut& a) {
    if (group_) group_->cut(*a.topic, a.index, a.from);
}

void consumer_core::carry_out(tell_reset& a) {
    ++statistics_.resets;
    machine_.each([&](const reading_partition& p) {
        if (p.number != a.number) return;
        if (group_) group_->cut(*p.topic, p.index, 0);
        tell(&consumer_core::reset_handler, position_reset{*p.topic, p.index, a.from, a.to});
    });
}

// After a run() no partition may stand still. Twice in a row, for a minute, is no accident.
void consumer_core::watch() {
    if (stopped_) return;
    if (const auto step = unheard_step.exchange(0); step != 0 && group_) group_->step_over(step);
    run();
    const auto now = client_->env().now();
    std::set<std::uint64_t> standing;
    machine_.each([&](const reading_partition& p) {
        if (!machine_.stands_still(p, now) || (p.held && group_ && group_->busy())) return;
        standing.insert(p.number);
        if (!standing_.contains(p.number)) return;
        standing.erase(p.number);                           // told again if it goes on
        ++statistics_.standstills;
        tell(&consumer_core::standstill_handler, reading_standstill{*p.topic, p.index, p.position, std::string{name_of(p.state)} + (p.held ? ", held" : p.strange() ? ", of another topic" : "")});
    });
    standing_ = std::move(standing);
    watch_timer_->set(now + watch_interval);
}

// --- what happens ---

void consumer_core::topics_changed() {
    contained([this] {
        // Who has never been let in waits for nothing that will come by itself: nor will it make a wrong password right.
        const auto* const last = client_->last_metadata_error();
        if (last && client_->refreshes() == 0 && (last->code == errc::authentication_failed || last->code == errc::tls_failed)) distrust_ = *last;
        else distrust_.reset();
        if (group_) group_->topics_changed();
        run();
        look();
    });
}

void consumer_core::out_of_memory() noexcept {
    exhausted_ = stopped_ = true;
    if (group_) group_->halt();
    try {
        timer_->set(client_->env().now());
    } catch (const std::bad_alloc&) {
        // Whoever asks next is told, and the others with him.
    }
}

// One by one: for whom there is no memory even now it is tried again.
void consumer_core::tell_exhausted() {
    try {
        error why;
        why.code = std::make_error_code(std::errc::not_enough_memory);
        why.text = "there was no memory left for the consumer, which has ended";
        watch_timer_->clear();
        share_->nobody_waits();
        if (group_) group_->stop(why);
        while (!reads_.empty()) {
            const auto next = std::move(reads_.front());
            reads_.pop_front();
            next->complete(why, {});
        }
    } catch (const std::bad_alloc&) {
        timer_->set(client_->env().now() + std::chrono::milliseconds{100});
    }
}

// --- reading ---

void consumer_core::soon() {
    if (soon_posted_) return;
    client_->env().post([self = weak_from_this()] {
        const auto alive = self.lock();
        if (!alive) return;
        alive->soon_posted_ = false;
        if (alive->exhausted_) return alive->tell_exhausted();
        alive->contained([&] {
            alive->run();
            alive->look();
        });
    });
    soon_posted_ = true;
}

void consumer_core::read(std::shared_ptr<read_operation> what) {
    if (group_ && !stopped_) group_->polled(true);
    reads_.push_back(std::move(what));
    contained([this] { soon(); });                          // it is ours now: nothing is thrown about it any more
}

// Gives what there is to those who wait. A handler may do anything, even destroy the consumer, or run its loop.
void consumer_core::look() {
    if (looking_) return soon();
    const auto self = shared_from_this();
    looking_ = true;
    struct at_end {
        bool& b;
        ~at_end() { b = false; }
    } end{looking_};
    while (!reads_.empty()) {
        if (group_ && !stopped_ && machine_.ready()) group_->catch_up();
        if (reads_.empty()) break;
        auto next = reads_.front();
        error why;
        records got;
        if (stopped_ || next->canceled.load()) {
            why.code = exhausted_ ? std::make_error_code(std::errc::not_enough_memory) : stopped_ ? make_error_code(errc::client_closed) : make_error_code(errc::canceled);
        } else if (group_ && group_->failure()) {
            why = group_->failure();
        } else if (distrust_) {
            why = *std::exchange(distrust_, std::nullopt);
        } else if (auto trouble = group_ ? group_->next_trouble() : std::nullopt) {
            why = std::move(*trouble);
        } else {
            if (!machine_.ready()) break;
            auto t = machine_.take(next->most, client_->env().now());
            run();  // the next Fetch goes before this one is read
            if (t.why) why = *t.why;
            else if (t.parts.empty()) continue;  // nothing to show in it: look again
            else {
                if (group_) group_->gave(t.parts);
                if (client_->reports()) show_lag(t.parts);
                got = records{std::move(t.parts)};
                statistics_.records += got.size();
            }
            // A malformed record is found by walking: one that is asked for alone is walked here.
            if (next->most == 1 && !why && got.begin() == got.end()) continue;
        }
        reads_.pop_front();
        if (why && client_->reports() && why.code != errc::canceled && why.code != errc::client_closed) show_failure(why);
        next->complete(std::move(why), std::move(got));
        if (!reads_.empty()) return soon();  // not all in one breath
    }
}

void consumer_core::show_lag(const std::vector<partition_records>& given) {
    for (const auto& g : given) {
        const auto* const p = machine_.find(g.topic(), g.partition());
        const auto end = !p ? -1 : options_.isolation == isolation::read_committed ? p->last_stable : p->high_watermark;
        if (end >= 0) client_->reports()->tell(lag_seen{{}, g.topic(), g.partition(), std::max<std::int64_t>(end - p->position, 0)});
    }
}

void consumer_core::show_failure(const error& why) {
    auto& to = *client_->reports();
    to.failed("consumer", why);
    const auto text = why.message();
    to.log(log_level::warning, "consumer", "reading has failed", {"why", text});
}

void consumer_core::cancel(const std::shared_ptr<read_operation>& what) {
    const auto at = std::find(reads_.begin(), reads_.end(), what);
    if (at == reads_.end()) return;
    reads_.erase(at);
    error why;
    why.code = errc::canceled;
    what->complete(std::move(why), {});
}

void consumer_core::close(std::chrono::milliseconds patience, unique_function<void()> over) {
    if (group_ && !stopped_) {
        const std::chrono::milliseconds longest{std::numeric_limits<std::int32_t>::max()};
        const auto deadline = client_->env().now() + std::clamp(patience, std::chrono::milliseconds{0}, longest);
        return group_->leave(options_.leave_on_close, deadline, [self = shared_from_this(), told = std::move(over)]() mutable {
            self->end();
            told();
        });
    }
    end();
    over();
}

void consumer_core::end() {
    if (stopped_) return;
    for (auto& plan : machine_.last_words()) send(plan, nullptr);
    error why;
    why.code = errc::client_closed;
    why.text = "the consumer was closed";
    stop(why);
}

void consumer_core::stop(const error& why) {
    if (std::exchange(stopped_, true) && !exhausted_) return;
    timer_->clear();
    watch_timer_->clear();
    share_->nobody_waits();
    if (group_) group_->stop(why);
    if (reads_.empty()) return;
    client_->env().post([reads = std::exchange(reads_, {}), why] {
        for (const auto& r : reads) r->complete(why, {});
    });
}

}  // namespace kafkawire::client_detail
