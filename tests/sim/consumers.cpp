#include "consumers.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>

namespace schedules {

namespace {
constexpr auto patience = 5s;  // client_options::request_timeout of the members
}  // namespace


std::map<std::string, std::string> consumers::configs() {
    return {{"group.consumer.min.session.timeout.ms", "6000"},
            {"group.consumer.session.timeout.ms", "6000"},
            {"group.consumer.min.heartbeat.interval.ms", "500"},
            {"group.consumer.heartbeat.interval.ms", "1000"}};
}

consumers::consumers(cluster_world& w, workload& work, std::chrono::nanoseconds until, const plan& p)
    : judge{work.history}, w_{w}, work_{work}, random_{w.world.random().fork()}, plan_{p}, until_{until} {
    kw::broker::witness = this;
    for (std::int32_t i = 0; i < partitions; ++i) (void)number_of(i);  // so that both numbers are the same
    judge.find = [this](const std::string& id) { return who_is(id); };
    judge.counted = [this](const group_judge::member& m) { return is_counted(m); };
    judge.now = [this] { return elapsed().count(); };
    judge.refresh = [this] {
        for (auto& l : lives_)
            if (!l->over) l->note_id();
    };
    judge.shared = p.by_hand;
    judge.starts_unknown = p.ships;
    const auto view = w.cluster->control().view();
    count_ = static_cast<std::int32_t>(view.find_topic(topic)->partitions.size());
    static const std::vector<std::vector<std::string>> lists{{"cooperative-sticky"}, {"cooperative-sticky"}, {"range"}, {"cooperative-sticky", "range"}, {"sticky"}, {"roundrobin", "range"}};
    strategies_ = lists[random_.below(lists.size())];
    statics_ = random_.chance(250'000);
    slots_.reserve(static_cast<std::size_t>(p.slots));
    for (int i = 0; i < p.slots; ++i) {
        auto& h = w.world.add_host("member-" + std::to_string(i + 1));
        w.members.push_back(&h);
        slots_.push_back({i + 1, &h});
    }
    for (auto& s : slots_) restart(s, some(0s, random_.chance(500'000) ? 1s : 15s));
    for (int i = 0; i < p.events; ++i) later(some(2s, until - 1s), [this] { strike(); });
    for (int i = 0; i < p.twins; ++i) later(some(2s, until - 15s), [this] { begin_twin(); });
    if (p.twins) statics_ = true;
    if (lossy()) {
        losses_.emplace(w, work, until, p.truncations, p.recreations);
        losses_->on_truncated = [this](std::int32_t partition, std::int64_t from) {
            if (partition < partitions) judge.truncated(number_of(partition), from, next_value_);
            forget(partition, from);
        };
        losses_->on_gone = [this] {
            judge.topic_gone(next_value_);
            for (std::int32_t i = 0; i < partitions; ++i) forget(i, 0);
        };
        losses_->on_made = [this](std::int32_t count) {
            count_ = std::min(count, partitions);
            // Whoever hears of the new topic first, and then a node that lags, takes the former one for the latest.
            if (!w_.lagging.empty()) judge.misled = true;
            disturbed();
        };
        by_pattern_ = p.recreations && random_.chance(500'000);
    }
    judge.lossy = lossy();
    judge.misled = p.lies > 0;
    if (p.lies) liar_.emplace(w, p.lies);
    for (int i = 0; i < p.growth; ++i) later(some(2s, until - 1s), [this] { asio::co_spawn(w_.auditor.executor(), grow(), asio::detached); });
    kw::producer_options o;
    o.delivery_timeout = 120s;
    o.linger = 5ms;
    o.compression = static_cast<kw::protocol::compression>(random_.below(5));
    if (lossy()) o.delivery_timeout = 20s;
    o.create_topics = false;                                // one that was deleted is made anew by us alone, who say when
    auto c = cluster_world::options_of("writer");
    c.metadata_max_age = 1s;                                // partitions are added
    writer_.emplace(w.auditor.executor(), c, w.auditor.environment());
    producer_.emplace(*writer_, o);
    asio::co_spawn(w.auditor.executor(), write(until + 30s), asio::detached);
    look();
}

consumers::~consumers() {
    kw::broker::witness = nullptr;
    producer_.reset();
    writer_.reset();
    for (auto& l : lives_) {
        l->consumer.reset();
        l->producer.reset();
        l->client.reset();
    }
}

// --- who is who ---

group_judge::member* consumers::who_is(const std::string& id) {
    for (auto& l : lives_)
        if (l->known->ids.count(id)) return l->known;
    return nullptr;
}

// A static member that does not join again in time keeps its name, and its partitions are given by what it said when it joined last.
bool consumers::is_passed_over(const group_judge::member& m, const kw::broker::group& in) { return m.is_static && m.generation < in.classic->generation(); }

bool consumers::is_counted(const group_judge::member& m) {
    if (plan_.by_hand) return !m.gone;
    const auto known = [&](const auto& members) { return std::ranges::any_of(members, [&](const auto& one) { return m.ids.count(one.first) != 0; }); };
    return std::ranges::any_of(shards_, [&](const auto* shard) {
        const auto* g = shard->find(readers);
        return g && ((g->classic && known(g->classic->members()) && !is_passed_over(m, *g)) || (g->consumer && known(g->consumer->members())));
    });
}

// Under KIP-848 partitions go by their topic's id, and a member may hear late of one whose topic has been deleted.
bool consumers::is_of_former(const group_judge::member& m, std::int32_t partition) {
    if (plan_.recreations == 0) return false;
    const auto view = w_.cluster->control().view();
    const auto* t = view.find_topic(topic);
    const auto id = t ? kw::protocol::uuid::from_string(t->id).value_or(kw::protocol::uuid{}) : kw::protocol::uuid{};
    for (const auto* shard : shards_) {
        const auto* g = shard->find(readers);
        if (!g || !g->consumer) continue;
        for (const auto& [name, member] : g->consumer->members()) {
            if (!m.ids.count(name) || member.classic) continue;
            const auto has = member.assigned.find(id);
            return has == member.assigned.end() || !has->second.count(partition);
        }
    }
    return false;
}

void consumers::taken(const kw::broker::committer& who, const std::vector<kw::broker::offset_commit>& what, const kw::broker::group& in) {
    if (who.group != readers) return;
    std::set<std::string> ids;
    if (in.classic)
        for (const auto& [id, m] : in.classic->members())
            if (const auto* who_has_it = who_is(id); !who_has_it || !is_passed_over(*who_has_it, in)) ids.insert(id);
    if (in.consumer)
        for (const auto& [id, m] : in.consumer->members()) ids.insert(id);
    if (who.transaction.producer_id >= 0) return;  // not before its transaction is committed
    for (const auto& o : what) judge.taken(who.member_id, who.generation, number_of(o.partition), o.offset, ids);
}

// --- lives ---

kw::consumer_options consumers::options_of(const slot& s) {
    kw::consumer_options o;
    if (!plan_.by_hand) {
        o.group = readers;
        o.topics = {by_pattern_ ? "^ord[a-z]+" : topic};
    }
    o.auto_offset_reset = kw::offset_reset::earliest;
    o.assignors = strategies_;
    if (strategies_.size() > 1 && random_.chance(400'000)) std::ranges::reverse(o.assignors);
    if (plan_.by_hand) o.isolation = random_.chance(500'000) ? kw::isolation::read_committed : kw::isolation::read_uncommitted;
    if (plan_.new_protocol) {
        o.group_protocol = kw::group_protocol::consumer;
        o.server_assignor = random_.chance(300'000) ? "range" : "";
    }
    if (statics_ && !plan_.by_hand && s.number % 2 == 0) o.group_instance_id = "instance-" + std::to_string(s.number);
    o.session_timeout = 6s;
    o.heartbeat_interval = std::chrono::milliseconds{random_.between(std::int64_t{300}, std::int64_t{2000})};
    o.max_poll_interval = random_.chance(300'000) ? 0s : std::chrono::milliseconds{random_.between(std::int64_t{9000}, std::int64_t{13'000})};
    o.rebalance_timeout = 8s;
    o.auto_commit_interval = std::chrono::milliseconds{random_.between(std::int64_t{100}, std::int64_t{5000})};
    o.max_poll_records = static_cast<std::uint32_t>(random_.below(3) ? 0 : 1 + random_.below(20));
    o.fetch_max_wait = std::chrono::milliseconds{random_.between(std::int64_t{50}, std::int64_t{500})};
    return o;
}

void consumers::restart(slot& s, std::chrono::nanoseconds after) {
    later(after, [this, &s] {
        if (!s.now && !closing_) start(s);
    });
}

void consumers::start(slot& s) {
    auto l = std::make_shared<life>(s, judge.arrives());
    lives_.push_back(l);
    s.now = l;
    l->style = static_cast<life::way>(random_.below(5));
    if (plan_.ships || (plan_.by_hand && l->style == life::way::automatic)) l->style = life::way::each_batch;
    auto o = options_of(s);
    l->known->is_static = !o.group_instance_id.empty();
    o.auto_commit = l->is_automatic() && !plan_.by_hand;
    auto c = cluster_world::options_of(s.host->name().c_str());
    c.request_timeout = patience;
    c.metadata_max_age = 3s;
    if (plan_.lies) c.bootstrap += ",liar:9092";
    l->client.emplace(s.host->executor(), c, s.host->environment());
    l->consumer.emplace(*l->client, o);
    const auto tell = [this, weak = std::weak_ptr{l}](int which) {
        return [this, weak, which](kw::rebalance_step step) {
            if (const auto alive = weak.lock()) told(*alive, which, std::move(step));
        };
    };
    if (!plan_.by_hand) {
        l->consumer->on_assigned(tell(0));
        l->consumer->on_revoked(tell(1));
        l->consumer->on_lost(tell(2));
    }
    l->consumer->on_reset([this, weak = std::weak_ptr{l}](const kw::position_reset& r) {
        if (const auto alive = weak.lock(); alive && !alive->over) judge.told_reset(*alive->known, number_of(r.partition), r.to);
    });
    l->consumer->on_standstill([this](const kw::reading_standstill& stands) {
        judge.blame("standstill", stands.topic + "-" + std::to_string(stands.partition) + " at " + std::to_string(stands.position) + ", " + stands.state);
    });
    if (plan_.ships) {
        kw::producer_options p;
        p.transactional_id = "pipe-" + std::to_string(s.number);
        p.transaction_timeout = random_.chance(500'000) ? 60s : 10s;
        p.delivery_timeout = random_.chance(500'000) ? 10s : 30s;
        l->producer.emplace(*l->client, p);
    }
    if (plan_.by_hand)
        for (std::int32_t p = 0; p < (plan_.recreations ? partitions : count_); ++p) assign(*l, p);
    disturbed();
    w_.world.note("member begins", std::array<std::int64_t, 2>{l->known->number, static_cast<std::int64_t>(l->style)});
    asio::co_spawn(s.host->executor(), plan_.ships ? run_shipping(l) : run(l), [this](std::exception_ptr failure) {
        try {
            if (failure) std::rethrow_exception(failure);
        } catch (const std::exception& e) {
            judge.blame("exception", e.what());
        }
    });
}

// From some place that there is; the first one from the beginning, so that somebody reads everything.
void consumers::assign(life& l, std::int32_t partition) {
    const auto n = number_of(partition);
    const auto end = end_.count(n) ? end_[n] : 0;
    const auto from = l.at->number != 1 && random_.chance(300'000) ? static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(end) + 1)) : 0;
    l.consumer->assign(topic, partition, from == 0 && random_.chance(500'000) ? kw::start_position::beginning() : kw::start_position::at(from));
    judge.assigned(*l.known, n);
    judge.sought(*l.known, n, from);
    judge.may_read(*l.known, n);
}

void consumers::drop_and_assign(const std::shared_ptr<life>& l) {
    if (l->known->holds.empty()) return;
    const auto p = l->known->holds.begin()->first;
    (void)l->consumer->unassign(topic, p);
    judge.given_up(*l->known, p);
    later(some(0ms, 2s), [this, l, p] {
        if (l->over || l->closing || l->known->holds.count(p)) return;
        assign(*l, p);
        disturbed();
    });
}

// At once, wherever it is: as a process that is killed.
void consumers::end(life& l) {
    if (std::exchange(l.over, true)) return;
    const auto keep = l.shared_from_this();
    l.note_id();
    if (l.consumer->statistics().standstills) judge.blame("standstill", "member " + std::to_string(l.known->number) + " found some");
    judge.goes(*l.known);
    l.consumer.reset();
    l.producer.reset();
    l.client.reset();
    if (l.at->now == keep) l.at->now.reset();
    disturbed();
    w_.world.note("member ends", std::array<std::int64_t, 1>{l.known->number});
}

void consumers::told(life& l, int which, kw::rebalance_step step) {
    if (l.over) return;
    l.note_id();
    if (elapsed() < rest_until_) judge.blame("unrest", "member " + std::to_string(l.known->number) + " is told that partitions come or go: " + step.why().message());
    for (const auto& p : step.partitions()) {
        const auto n = number_of(p.partition);
        w_.world.note("told", std::array<std::int64_t, 3>{l.known->number, which, p.partition});
        if (which == 0) judge.assigned(*l.known, n, is_of_former(*l.known, p.partition));
        if (which == 1) judge.revoking(*l.known, n, (*step.deadline() - w_.world.now()).count() + elapsed().count());
        if (which == 2) judge.lost(*l.known, n);
    }
    if (which == 2) l.lost = true;
    if (plan_.ships && which != 0) return asio::co_spawn(l.at->host->executor(), wait_for_shipment(l.shared_from_this(), which, std::move(step)), asio::detached);
    const bool slowly = random_.chance(300'000);
    if (slowly) return asio::co_spawn(l.at->host->executor(), take_time(l.shared_from_this(), which, std::move(step)), asio::detached);
    for (const auto& p : step.partitions()) {
        const auto n = number_of(p.partition);
        if (which == 0 && !plan_.ships && random_.chance(60'000)) {
            const auto to = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(judge.committed(n)) + 1));
            if (!l.consumer->seek(topic, p.partition, kw::start_position::at(to))) judge.sought(*l.known, n, to);
        }
        if (which == 0) judge.may_read(*l.known, n);
        if (which == 1) judge.given_up(*l.known, n);
    }
}

// A step that takes its time; one that gives partitions up may commit first.
asio::awaitable<void> consumers::take_time(std::shared_ptr<life> l, int which, kw::rebalance_step step) {
    const bool revoked = which == 1;
    const auto time = random_.chance(100'000) && !calm_ ? std::min(some(1s, 5s), std::max<std::chrono::nanoseconds>(until_ - elapsed(), 400ms)) : some(1ms, 400ms);
    (void)co_await l->at->host->async_wait(time, as_values);
    if (l->over || which == 2) co_return;
    if (revoked && !l->is_automatic() && random_.chance(500'000)) {
        std::vector<kw::committed_offset> all;
        std::map<std::int32_t, std::int64_t> what;
        for (const auto& p : step.partitions())
            if (const auto at = l->known->processed.find(number_of(p.partition)); at != l->known->processed.end()) {
                const auto held = l->known->holds.find(at->first);
                if (held == l->known->holds.end() || held->second.next != at->second) continue;  // of an earlier assignment, or before a seek
                kw::committed_offset c;
                c.topic = topic;
                c.partition = p.partition;
                c.offset = at->second;
                what[at->first] = at->second;
                all.push_back(std::move(c));
            }
        auto told = watch_commit(l, what);
        auto [ec] = co_await l->consumer->async_commit(std::move(all), as_values);
        told(ec);
        if (l->over) co_return;
    }
    for (const auto& p : step.partitions()) {
        if (revoked) judge.given_up(*l->known, number_of(p.partition));
        else judge.may_read(*l->known, number_of(p.partition));
    }
}

// --- reading and committing ---

void consumers::hand(life& l, const kw::records& batch) {
    ++l.polls;
    std::vector<group_judge::record> some_of_them;
    for (const auto& p : batch.partitions()) {
        some_of_them.clear();
        for (const auto& r : p) some_of_them.push_back({r.offset, number_in(r.value.view())});
        judge.handed_out(*l.known, number_of(p.partition()), p.assignment_epoch(), l.polls, some_of_them, p.next_offset());
    }
}

// What a commit is told is held against what the coordinator has taken, and its time against the deadline.
std::function<void(std::error_code)> consumers::watch_commit(const std::shared_ptr<life>& l, std::map<std::int32_t, std::int64_t> what) {
    const auto began = elapsed();
    auto* const h = l->at;
    h->bad_days += h->paused ? 1 : 0;
    return [this, l, h, began, of = judge.topic(), days = h->bad_days, what = std::move(what)](std::error_code ec) {
        const auto took = elapsed() - began;
        if (took > patience + 100ms && h->bad_days == days) judge.blame("late", "a commit of member " + std::to_string(l->known->number) + " took " + std::to_string(took / 1ms) + " ms");
        if (!ec && of == judge.topic())
            for (const auto& [p, offset] : what) judge.told_committed(*l->known, p, offset);
    };
}

asio::awaitable<void> consumers::commit(std::shared_ptr<life> l, kw::records done) {
    std::map<std::int32_t, std::int64_t> what;
    for (const auto& p : done.partitions()) {
        what[number_of(p.partition())] = p.next_offset();
        judge.processed(*l->known, number_of(p.partition()), p.next_offset());
    }
    auto told = watch_commit(l, what);
    auto [ec] = co_await l->consumer->async_commit(done, as_values);
    told(ec);
}

// Everything that was handed out, and nobody waits for it.
void consumers::commit_aside(const std::shared_ptr<life>& l, const kw::records& done) {
    std::map<std::int32_t, std::int64_t> what;
    for (const auto& p : done.partitions())
        if (const auto held = l->known->holds.find(number_of(p.partition())); held != l->known->holds.end() && held->second.next == p.next_offset() && !held->second.sought && l->consumer->position(topic, p.partition()) == p.next_offset()) what[held->first] = p.next_offset();
    l->consumer->async_commit(watch_commit(l, what));
}

// After an error of a poll. False: this consumer is at its end.
asio::awaitable<bool> consumers::goes_on(std::shared_ptr<life> l, const kw::error& why) {
    w_.world.note("poll", std::array<std::int64_t, 2>{l->known->number, why.code.value()});
    told_error(*l, why);
    if (l->closing) co_return false;
    const auto m = l->consumer->membership();
    const int most = plan_.lies ? 5000 : 300;               // a lie may be a thousand partitions, each of which is missed
    if (++l->errors > most) judge.blame("errors", "member " + std::to_string(l->known->number) + " is told of errors without end: " + why.code.message());
    if ((m && m->state == "broken") || why.code == kw::errc::client_closed || l->errors > most) {  // for good
        auto& s = *l->at;
        end(*l);
        // Whoever has lost its place to another of its instance id must not take it back.
        if (!s.now)
            for (const auto& other : lives_)
                if (other->at == &s && !other->over) s.now = other;
        if (!closing_ && !s.now) restart(s, some(10ms, 500ms));
        co_return false;
    }
    (void)co_await l->at->host->async_wait(10ms, as_values);
    co_return !l->over;
}

asio::awaitable<void> consumers::run(std::shared_ptr<life> l) {
    using way = life::way;
    auto& host = *l->at->host;
    while (!l->over) {
        kw::error ec;
        kw::records batch;
        if (l->is_automatic())
            for (const auto& [p, next] : l->known->handed) judge.processed(*l->known, p, next);
        if (l->style == way::each_record) {
            auto [why, r] = co_await l->consumer->async_read(kw::detailed(as_values));
            if (l->over) co_return;
            ec = std::move(why);
            if (!ec) {
                const auto n = number_of(r.partition);
                const group_judge::record one{r.offset, number_in(std::as_bytes(std::span{*r.value}))};
                judge.handed_out(*l->known, n, 0, ++l->polls, {&one, 1}, r.offset + 1);
                judge.processed(*l->known, n, r.offset + 1);
                if (!plan_.by_hand && random_.chance(200'000)) {
                    std::vector<kw::committed_offset> all(1);
                    all[0].topic = topic;
                    all[0].partition = r.partition;
                    all[0].offset = r.offset + 1;
                    // Some think about it first, and their partition may have gone by then. When it has come again it is their own fault.
                    const auto epoch = l->known->holds.count(n) ? l->known->holds[n].epoch : 0;
                    if (random_.chance(300'000)) {
                        const auto time = calm_ ? some(1ms, 100ms) : some(1ms, 3s);
                        (void)co_await host.async_wait(time, as_values);
                        if (l->over) co_return;
                        const auto held = l->known->holds.find(n);
                        if (lossy() || l->closing || (held != l->known->holds.end() && held->second.epoch != epoch)) continue;
                    }
                    auto told = watch_commit(l, {{n, r.offset + 1}});
                    auto [refused] = co_await l->consumer->async_commit(std::move(all), as_values);
                    told(refused);
                }
            }
        } else {
            const auto most = l->style == way::automatic_one_by_one ? std::size_t{1} : std::size_t{l->consumer->options().max_poll_records};
            auto [why, got] = co_await l->consumer->async_poll(most, kw::detailed(as_values));
            if (l->over) co_return;
            ec = std::move(why);
            batch = std::move(got);
            if (!ec) hand(*l, batch);
        }
        if (ec) {
            if (!co_await goes_on(l, ec)) co_return;
            continue;
        }
        auto busy = calm_ ? some(0ns, 5ms) : random_.chance(700'000) ? some(0ns, 30ms) : some(0ns, 300ms);
        busy += slow(*l);
        busy = std::max(busy, rest_until_ - elapsed());
        (void)co_await host.async_wait(busy, as_values);
        if (l->over) co_return;
        if (plan_.by_hand) continue;
        if (l->style == way::each_batch) co_await commit(l, std::move(batch));
        if (l->over) co_return;
        if (l->style != way::aside) continue;
        for (const auto& p : batch.partitions()) judge.processed(*l->known, number_of(p.partition()), p.next_offset());
        if (random_.chance(300'000)) commit_aside(l, batch);
    }
}

// --- what they read ---

asio::awaitable<void> consumers::write(std::chrono::nanoseconds until) {
    ++writing_;
    while (elapsed() < until) {
        for (auto n = 1 + random_.below(5); n > 0; --n) {
            const auto partition = static_cast<std::int32_t>(random_.below(static_cast<std::uint64_t>(count_)));
            const auto number = number_of(partition);
            const auto value = std::make_shared<std::string>(make_value(next_value_, random_.below(80)));
            const auto id = work_.history.send(1, number, next_value_++, w_.now());
            ++writing_;
            producer_->async_send({.topic = topic, .key = "key", .value = *value, .partition = partition}, [this, id, number, value, partition, began = elapsed().count()](std::error_code ec, kw::delivery d) {
                --writing_;
                using kw::testing::outcome;
                work_.history.finish(id, !ec ? outcome::ok : ec == kw::condition::not_persisted ? outcome::failed : outcome::unknown, w_.now(), ec ? -1 : d.offset);
                if (ec || (lossy() && (began <= lost_at_[number] || partition >= count_))) return;
                auto& end = end_[number];
                end = std::max(end, d.offset + 1);
                acknowledged_[number].emplace_back(elapsed().count(), end);
            });
        }
        (void)co_await w_.auditor.async_wait(some(1ms, elapsed() < until_ ? 400ms : 250ms), as_values);
    }
    --writing_;
}

// --- the end ---

void consumers::calm() {
    calm_ = true;
    if (liar_) liar_->leave();
    disturbed();
    for (auto& s : slots_) {
        s.host->resume();
        if (s.paused) ++s.bad_days;
        s.paused = false;
    }
}

// What was acknowledged a second ago is read by now.
void consumers::look() {
    if (closing_) return;
    later(100ms, [this] { look(); });
    if (!calm_ || rest_until_ > 0s) return;  // who has rested is behind, and slow to come up
    for (auto& [p, list] : acknowledged_) {
        std::int64_t must = -1;
        for (auto i = list.rbegin(); i != list.rend() && must < 0; ++i)
            if (i->first <= (elapsed() - 1s).count()) must = i->second;
        const auto stands = judge.stands(p);
        if (stands >= must && stands >= 0 && judge.all_told(p)) continue;
        behind_ = elapsed();
        w_.world.note("behind", std::array<std::int64_t, 3>{p, stands, must});
    }
    settled_after = std::max(behind_ - disturbed_, std::chrono::nanoseconds{0});
}

// A lie that is believed may come out a minute later, and the group is given out anew then.
void consumers::rest(std::chrono::nanoseconds how_long) {
    const auto now = elapsed();
    if (plan_.by_hand || judge.misled || now < disturbed_ + 8s || now < behind_ + 3s || std::ranges::any_of(slots_, [](const slot& s) { return !s.now; })) return;
    rest_until_ = now + how_long;
}

bool consumers::done() const {
    if (!calm_ || writing_ > 0 || elapsed() < until_ + 31s) return false;
    return std::ranges::all_of(end_, [&](const auto& e) { return judge.stands(e.first) >= e.second && judge.all_told(e.first); }) &&
           std::ranges::none_of(lives_, [&](const auto& l) { return has_twin(*l); });
}

std::string consumers::waits_for() const {
    if (writing_ > 0) return std::to_string(writing_) + " records that are written";
    for (const auto& [p, end] : end_)
        if (judge.stands(p) < end || !judge.all_told(p)) return work_.history.name(p) + " ends at " + std::to_string(end) + ", it is with" + judge.owners(p) + (judge.all_told(p) ? "" : ", not told of its loss");
    for (const auto& l : lives_)
        if (has_twin(*l)) return "member " + std::to_string(l->known->number) + " or another one of its instance id to be fenced";
    return {};
}

void consumers::audit_read() {
    if (lossy()) judge.compare(work_.history.logs());
}

void consumers::close() {
    closing_ = true;
    for (auto& s : slots_)
        if (s.now && !s.now->closing) close_life(s);
}

bool consumers::closed() const {
    return std::ranges::all_of(slots_, [](const slot& s) { return !s.now; });
}

}  // namespace schedules
