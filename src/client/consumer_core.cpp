#include "client/consumer_core.hpp"

#include <kafkawire/protocol/frame.hpp>

#include <algorithm>

#include "client/group_core.hpp"
#include "client/throttling.hpp"

namespace kafkawire::client_detail {

namespace {

constexpr std::chrono::seconds watch_interval{60};          // between two looks at partitions that may stand still

using protocol::messages::fetch_request;
using protocol::messages::fetch_response;
using protocol::messages::list_offsets_request;
using protocol::messages::list_offsets_response;
using protocol::messages::offset_for_leader_epoch_request;
using protocol::messages::offset_for_leader_epoch_response;

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

class fetch_call final : public net::call {
public:
    fetch_call(const std::shared_ptr<consumer_core>& of, fetch_plan_ptr plan, net::time_point now, std::chrono::milliseconds patience) : of_{of}, plan_{std::move(plan)} {
        api_key = fetch_request::key;
        speaks = plan_->by_name ? protocol::between(0, 12) : fetch_request::versions;
        started = now;
        may_wait = std::chrono::milliseconds{plan_->message.max_wait_ms};
        deadline = now + may_wait + patience;
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation_id, std::string_view client_id, protocol::scatter& to) override {
        if (version < 7 && plan_->incremental) return {errc::not_in_version, 0, {}, "fetch sessions are from version 7 on"};
        return protocol::encode_request(protocol::schema_of<fetch_request>(), &plan_->message, version, correlation_id, client_id, to);
    }
    void done(net::outcome result) override {
        plan_->carrier = nullptr;
        if (const auto of = of_.lock()) of->fetched(*plan_, std::move(result));
    }

private:
    std::weak_ptr<consumer_core> of_;
    fetch_plan_ptr plan_;
};

// Parts of a question topic by topic, as requests have them.
template <class Topics, class Add>
void by_topic(const offset_plan& plan, Topics& topics, std::string std::remove_reference_t<decltype(topics[0])>::*name, Add add) {
    const topic_info* last = nullptr;
    for (const auto& part : plan.parts) {
        if (part.info != last) topics.emplace_back().*name = part.info->name;
        last = part.info;
        add(topics.back().partitions.emplace_back(), part);
    }
}

class offset_operation : public operation {
public:
    offset_operation(std::weak_ptr<consumer_core> of, offset_plan_ptr plan) : of_{std::move(of)}, plan_{std::move(plan)} { options.broker = plan_->broker; }
    void complete(error why, answer_info) override {
        const auto of = of_.lock();
        if (!of) return;
        of->contained([&] {
            std::vector<std::optional<offset_answer>> answers(plan_->parts.size());
            if (!why) read(answers);
            of->told_offsets(*plan_, why, answers);
        });
    }

protected:
    virtual void read(std::vector<std::optional<offset_answer>>& to) = 0;
    void put(std::vector<std::optional<offset_answer>>& to, const std::string& topic, std::int32_t partition, offset_answer a) const {
        for (std::size_t i = 0; i < plan_->parts.size(); ++i)
            if (plan_->parts[i].index == partition && plan_->parts[i].info->name == topic) to[i] = a;
    }
    std::weak_ptr<consumer_core> of_;
    offset_plan_ptr plan_;
};

class list_offsets_operation final : public offset_operation {
public:
    list_offsets_operation(std::weak_ptr<consumer_core> of, offset_plan_ptr plan, bool read_committed, std::int64_t wall_ms, std::chrono::milliseconds patience)
        : offset_operation{std::move(of), std::move(plan)} {
        message_.replica_id = -1;
        message_.isolation_level = read_committed ? 1 : 0;
        message_.timeout_ms = static_cast<std::int32_t>(patience.count());
        by_topic(*plan_, message_.topics, &list_offsets_request::topic::name, [&](auto& p, const offset_plan::part& part) {
            p.partition_index = part.index;
            p.current_leader_epoch = part.leader_epoch;
            switch (part.start.what) {
                case start_position::kind::beginning: p.timestamp = -2; break;
                case start_position::kind::since: p.timestamp = std::max<std::int64_t>(part.start.value, 0); break;
                case start_position::kind::ago: p.timestamp = std::max<std::int64_t>(wall_ms - part.start.value, 0); break;
                default: p.timestamp = -1;
            }
        });
        request_schema = &protocol::schema_of<list_offsets_request>();
        request = &message_;
        response_schema = &protocol::schema_of<list_offsets_response>();
        response = &answer_;
    }

    // Brokers before 0.11 know no isolation: they have no transactions either.
    const void* request_in(std::int16_t version) override {
        if (version < 2) message_.isolation_level = 0;
        return &message_;
    }

private:
    void read(std::vector<std::optional<offset_answer>>& to) override {
        for (const auto& t : answer_.topics)
            for (const auto& p : t.partitions)
                put(to, t.name, p.partition_index, {p.error_code, p.old_style_offsets.empty() ? p.offset : p.old_style_offsets.front(), p.leader_epoch});
    }
    list_offsets_request message_;
    list_offsets_response answer_;
};

class epochs_operation final : public offset_operation {
public:
    epochs_operation(std::weak_ptr<consumer_core> of, offset_plan_ptr plan) : offset_operation{std::move(of), std::move(plan)} {
        message_.replica_id = -1;
        by_topic(*plan_, message_.topics, &offset_for_leader_epoch_request::offset_for_leader_topic::topic, [&](auto& p, const offset_plan::part& part) {
            p.partition = part.index;
            p.current_leader_epoch = part.leader_epoch;
            p.leader_epoch = part.epoch;
        });
        request_schema = &protocol::schema_of<offset_for_leader_epoch_request>();
        request = &message_;
        response_schema = &protocol::schema_of<offset_for_leader_epoch_response>();
        response = &answer_;
    }

private:
    void read(std::vector<std::optional<offset_answer>>& to) override {
        for (const auto& t : answer_.topics)
            for (const auto& p : t.partitions) put(to, t.topic, p.partition, {p.error_code, p.end_offset, p.leader_epoch});
    }
    offset_for_leader_epoch_request message_;
    offset_for_leader_epoch_response answer_;
};

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

void consumer_core::carry_out(send_fetch& a) {
    auto& plan = a.plan;
    const auto c = std::make_shared<fetch_call>(shared_from_this(), plan, client_->env().now(), client_->options().request_timeout);
    plan->carrier = c.get();
    client_->send(plan->broker, fetch_lane_, c);
}

void consumer_core::carry_out(withdraw_fetch& a) {
    if (a.plan->carrier) client_->withdraw(a.plan->broker, fetch_lane_, std::exchange(a.plan->carrier, nullptr));
}

void consumer_core::carry_out(ask_offsets& a) {
    std::unique_ptr<operation> op;
    if (a.plan->epochs) {
        op = std::make_unique<epochs_operation>(weak_from_this(), a.plan);
    } else {
        const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(client_->env().wall_now().time_since_epoch()).count();
        op = std::make_unique<list_offsets_operation>(weak_from_this(), a.plan, options_.isolation == isolation::read_committed, wall, client_->options().request_timeout);
    }
    prepare(*client_, std::move(op))->go();
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

void consumer_core::fetched(fetch_plan& plan, net::outcome result) {
    contained([&] { take_answer(plan, std::move(result)); });
}

void consumer_core::take_answer(fetch_plan& plan, net::outcome result) {
    if (stopped_) return;
    auto& env = client_->env();
    if (result.why.code == errc::client_closed) return stop(result.why);
    fetch_response m;
    if (!result.why) {
        protocol::messages::response_header header;
        std::size_t body_at = 0;
        auto wrong = protocol::decode_response_header(header, result.answer.view(), fetch_request::key, result.version, body_at);
        if (!wrong) wrong = protocol::decode(m, result.answer.view().subspan(body_at), result.version);
        if (wrong) {
            result.why.code = wrong.code;
            result.why.in = phase::request;
            result.why.text = "the answer to Fetch cannot be read: " + wrong.message();
        }
    }
    if (result.why) {
        machine_.lost(plan, result.why, env.now());
    } else {
        if (const auto pause = throttle_of(protocol::schema_of<fetch_response>(), &m, result.version); pause.count() > 0) client_->throttle(plan.broker, pause, fetch_lane_);
        for (const auto& n : m.node_endpoints)
            if (n.port > 0 && n.port <= 65535) client_->node_hint(n.node_id, n.host, static_cast<std::uint16_t>(n.port), n.rack.value_or(""));
        for (const auto& t : m.responses)
            for (const auto& p : t.partitions)
                if (p.current_leader.leader_id >= 0)
                    if (auto* const info = machine_.topic_of(t)) client_->leader_hint(*info, p.partition_index, p.current_leader.leader_id, p.current_leader.leader_epoch);
        machine_.answered(plan, m, result.answer.bytes, result.answer.size, env.now());
    }
    run();
    look();
}

void consumer_core::told_offsets(offset_plan& plan, const error& why, const std::vector<std::optional<offset_answer>>& answers) {
    if (stopped_) return;
    if (why.code == errc::client_closed) return stop(why);
    contained([&] {
        if (why) machine_.offsets_lost(plan, why, client_->env().now());
        else machine_.offsets(plan, answers, client_->env().now());
        run();
        look();
    });
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
    for (auto& plan : machine_.last_words()) {
        const auto c = std::make_shared<fetch_call>(nullptr, plan, client_->env().now(), client_->options().request_timeout);
        client_->send(plan->broker, fetch_lane_, c);
    }
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
