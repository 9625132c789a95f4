#include "client/group_core.hpp"

#include <algorithm>
#include <cstring>

#include "group/classic_membership_fsm.hpp"
#include "group/compatibility.hpp"
#include "group/consumer_membership_fsm.hpp"

namespace kafkawire::client_detail {

namespace {

group::membership_settings settings_of(const consumer_options& o, const client_options& c, net::environment& env) {
    group::membership_settings s;
    s.group = o.group;
    if (!o.group_instance_id.empty()) s.instance = o.group_instance_id;
    s.rack = o.rack;
    protocol::uuid id;
    for (std::size_t i = 0; i < id.octets.size(); i += 8) {
        const auto some = env.random();
        std::memcpy(&id.octets[i], &some, 8);
    }
    s.member_id = id.to_string();
    s.server_assignor = o.server_assignor;
    s.session_timeout = o.session_timeout;
    s.heartbeat_interval = o.heartbeat_interval;
    s.rebalance_timeout = o.rebalance_timeout;
    s.processing_deadline = o.max_poll_interval;
    s.request_timeout = c.request_timeout;
    s.retry_backoff = o.retry_backoff;
    s.retry_backoff_max = std::max(o.retry_backoff, o.retry_backoff_max);
    s.join_backoff = o.join_backoff;
    s.seed = env.random();
    return s;
}

group::strategies strategies_of(const consumer_options& o) {
    group::strategies all;
    if (auto wrong = group::make_strategies(o.assignors, all)) throw system_error{std::move(wrong)};
    return all;
}

std::unique_ptr<group::membership> make_membership(const consumer_options& o, const client_options& c, net::environment& env) {
    if (o.group_protocol == group_protocol::consumer) return std::make_unique<group::consumer_membership_fsm>(settings_of(o, c, env));
    return std::make_unique<group::classic_membership_fsm>(settings_of(o, c, env), strategies_of(o));
}

template <class Settings>
Settings retrying(const consumer_options& o, net::environment& env) {
    Settings s;
    s.group = o.group;
    s.retry_backoff = o.retry_backoff;
    s.retry_backoff_max = std::max(o.retry_backoff, o.retry_backoff_max);
    s.seed = env.random();
    return s;
}

group::commits::settings commit_settings_of(const consumer_options& o, net::environment& env) {
    auto s = retrying<group::commits::settings>(o, env);
    s.retention = o.retention_time;
    return s;
}

group::fetches::settings fetch_settings_of(const consumer_options& o, net::environment& env) {
    auto s = retrying<group::fetches::settings>(o, env);
    s.require_stable = o.isolation == isolation::read_committed;
    return s;
}

std::vector<topic_partition> in_public(const std::vector<group::topic_partition>& from) {
    std::vector<topic_partition> to;
    to.reserve(from.size());
    for (const auto& p : from) to.push_back({p.topic, p.partition});
    return to;
}

}  // namespace

// --- the machines ---

group_core::group_core(consumer_core& of)
    : consumer_{of},
      lane_{of.client().take_lane()},
      coordinator_{retrying<group::coordinator::settings>(of.options(), of.client().env())},
      membership_{make_membership(of.options(), of.client().options(), of.client().env())},
      commits_{commit_settings_of(of.options(), of.client().env())},
      fetches_{fetch_settings_of(of.options(), of.client().env())} {
    timer_ = client().env().make_timer([this] {
        const auto keep = consumer_.shared_from_this();
        consumer_.contained([this] { tick(); });
    });
    happened(group::commits::event{group::commits::member_changed{std::nullopt, group::partition_set{}}});
}

group_core::~group_core() { client().give_lane(lane_); }

core& group_core::client() noexcept { return consumer_.client(); }
net::time_point group_core::now() noexcept { return client().env().now(); }

void group_core::happened(group::event e) {
    if (stopped_) return;
    consumer_.contained([&] {
        const bool polls = std::holds_alternative<group::polled>(e);
        membership_->step(std::move(e), now(), member_actions_);
        if (!polls) follow_epoch();
        run();
    });
}
void group_core::happened(group::coordinator::event e) {
    if (stopped_) return;
    consumer_.contained([&] {
        coordinator_.step(std::move(e), now(), coordinator_actions_);
        run();
    });
}
void group_core::happened(group::commits::event e) {
    if (stopped_) return;
    consumer_.contained([&] {
        commits_.step(std::move(e), now(), commit_actions_);
        run();
    });
}
void group_core::happened(group::fetches::event e) {
    if (stopped_) return;
    consumer_.contained([&] {
        fetches_.step(std::move(e), now(), fetch_actions_);
        run();
    });
}

namespace {
template <class Core, class Actions>
bool carry_out_all(Actions& from, Core carry_out) {
    if (from.empty()) return false;
    auto now = std::exchange(from, {});
    for (auto& a : now) std::visit(carry_out, a);
    return true;
}
}  // namespace

void group_core::run() {
    if (busy_) return;                                      // whoever is at it goes on with these
    busy_ = true;
    const auto each = [this](auto& a) {
        if (!stopped_) carry_out(a);
    };
    while (carry_out_all(coordinator_actions_, each) || carry_out_all(member_actions_, each) || carry_out_all(commit_actions_, each) || carry_out_all(fetch_actions_, each)) {
    }
    busy_ = false;
    set_timer();
}

void group_core::set_timer() {
    std::optional<net::time_point> at;
    for (const auto& t : {coordinator_.next_wakeup(), membership_->next_wakeup(), commits_.next_wakeup(), fetches_.next_wakeup(), missing_.next_wakeup(), look_again_, ask_again_, next_commit_, leave_by_})
        if (t && (!at || *t < *at)) at = t;
    if (at && !stopped_) timer_->set(*at);
    else timer_->clear();
}

void group_core::tick() {
    if (stopped_) return;
    const auto t = now();
    if (look_again_ && *look_again_ <= t) look_again();
    if (ask_again_ && *ask_again_ <= t) {
        ask_again_.reset();
        const auto again = std::exchange(refused_, {});
        read_from({again.begin(), again.end()}, 1);
    }
    if (next_commit_ && *next_commit_ <= t) commit_finished();
    if (leave_by_ && *leave_by_ <= t) return end_leaving();
    tell_missing();
    coordinator_.step(group::coordinator::tick{}, t, coordinator_actions_);
    membership_->step(group::tick{}, t, member_actions_);
    follow_epoch();
    commits_.step(group::commits::tick{}, t, commit_actions_);
    fetches_.step(group::fetches::tick{}, t, fetch_actions_);
    run();
}

void group_core::catch_up() {
    const auto at = membership_->next_wakeup();
    if (at && *at <= now()) tick();
}

// --- rebalances ---

void group_core::begin(rebalancing what) {
    // Already now: what comes behind in the queue must not let a record through.
    if (what.which == revoked)
        for (const auto& p : what.partitions) {
            consumer_.hold(p.topic, p.partition);
            going_.insert(p);
            asked_for_.erase(p);
        }
    if (what.which == lost) {
        forget(what.partitions);
        lose_what_goes(what.why);
        // What the application has not been told of yet has neither come nor gone for it.
        for (std::size_t i = !steps_.empty() && steps_.front().shown ? 1 : 0; i < steps_.size(); ++i)
            if (steps_[i].which == assigned)
                std::erase_if(steps_[i].partitions, [&](const auto& p) { return std::erase(what.partitions, p) > 0; });
    }
    if (what.which == lost && what.partitions.empty()) return;  // none but such as were being given up
    steps_.push_back(std::move(what));
    if (steps_.size() == 1) ask_application();
}

// The group does not wait for what is being revoked any more: nothing of it can be committed, and others may have it. A commit that is tried again
// until the revocation's deadline would only keep back what comes next.
void group_core::lose_what_goes(const error& why) {
    std::vector<group::topic_partition> all;
    for (auto& s : steps_) {
        if (s.which != revoked) continue;
        all.insert(all.end(), s.partitions.begin(), s.partitions.end());
        if (s.shown) continue;
        s.which = lost;
        s.deadline.reset();
        s.why = why;
    }
    if (!all.empty()) forget(all);
}

void group_core::forget(const std::vector<group::topic_partition>& which) {
    for (const auto& p : which) {
        (void)consumer_.unassign(p.topic, p.partition);
        owned_.erase(p);
        going_.erase(p);
        asked_for_.erase(p);
        refused_.erase(p);
        forget_positions(p);
    }
    tell_member();
}

void group_core::ask_application() {
    if (steps_.empty() || stopped_ || std::exchange(steps_.front().asked, true)) return;
    auto& s = steps_.front();
    if (s.which == assigned) {
        const auto ids = membership_->topic_ids();
        for (const auto& p : s.partitions) {
            owned_.insert(p);
            const auto id = ids.find(p.topic);
            consumer_.assign_held(p.topic, p.partition, id == ids.end() ? protocol::uuid{} : id->second);
        }
    }
    tell_member();
    if (s.which != revoked || !commit_before(s)) tell_application();
}

void group_core::tell_application() {
    auto& s = steps_.front();
    // Told from a destructor, on any thread.
    auto over = [of = consumer_.weak_from_this(), ex = client().executor(), callback = s.callback] {
        try {
            asio::post(ex, [of, callback] {
                const auto alive = of.lock();
                if (alive && alive->group()) alive->contained([&] { alive->group()->step_over(callback); });
            });
        } catch (const std::bad_alloc&) {
            if (const auto alive = of.lock()) alive->unheard_step.store(callback);
        }
    };
    // The handler runs from the loop, not inside a machine's step; one that is not there is over at once.
    client().env().post([of = consumer_.weak_from_this(), posted = s, over = std::move(over)]() mutable {
        const auto alive = of.lock();
        if (alive && alive->group()) alive->group()->call_handler(std::move(posted), std::move(over));
    });
}

// A process that stood still meanwhile is told what is true now: what was lost before it heard of it has neither come nor gone.
void group_core::call_handler(rebalancing of, unique_function<void()> over) {
    if (!steps_.empty() && steps_.front().callback == of.callback) {
        steps_.front().shown = true;
        of = steps_.front();
    }
    if (client().reports()) show(of);
    auto& place = handlers_[of.which];
    auto handler = std::exchange(place, nullptr);           // it may put another one there
    if (handler) handler(rebalance_step{in_public(of.partitions), of.deadline, of.why, std::move(over)});
    else over();
    if (!place) place = std::move(handler);
}

void group_core::show(const rebalancing& s) {
    auto& to = *client().reports();
    const auto what = static_cast<rebalance_seen::step>(s.which);
    const auto& group = consumer_.options().group;
    to.tell(rebalance_seen{{}, group, what, s.partitions.size()});
    std::string text{"partitions are "};
    text += to_string(what);
    const auto count = std::to_string(s.partitions.size()), why = s.why ? s.why.message() : std::string{"the group has shared them out anew"};
    to.log(what == rebalance_seen::step::lost ? log_level::warning : log_level::info, "group", text, std::array{log_field{"group", group}, log_field{"partitions", count}, log_field{"why", why}});
}

void group_core::step_over(std::uint64_t callback) {
    if (stopped_ || steps_.empty() || steps_.front().callback != callback || std::exchange(steps_.front().told, true)) return;
    // The handler may have waited for somebody to finish, who has marked that.
    if (steps_.front().which != revoked || !commit_before(steps_.front())) end_step();
}

// What is finished is committed first, while we may.
bool group_core::commit_before(rebalancing& step) {
    auto what = last_commit_of(step.partitions);
    if (what.empty()) return false;
    step.commit = next_call_++;
    next_commit_.reset();
    happened(group::commits::event{group::commits::commit_requested{step.commit, std::move(what), true, step.deadline}});
    return true;
}

void group_core::end_step() {
    const auto s = std::move(steps_.front());
    steps_.pop_front();
    if (s.which == revoked) forget(s.partitions);
    if (s.which == assigned) read_from(s.partitions, s.epoch);
    happened(group::event{group::callback_done{s.callback}});
    ask_application();
}

// With the new protocol a heartbeat may bring another epoch and nothing else: what is sent under the old one would be refused for ever.
void group_core::follow_epoch() {
    if (consumer_.options().group_protocol != group_protocol::consumer || source_ != source::group) return;
    // What is being given up by a member that is lost must not be committed by the one that it is afterwards: that waits until the loss's turn has come.
    if (std::any_of(steps_.begin(), steps_.end(), [](const rebalancing& r) { return r.which == lost && !r.asked; })) return;
    const auto who = membership_->committer();
    if (who && who->generation != told_epoch_) tell_member();
}

// As who commits are sent, and of what.
void group_core::tell_member() {
    const auto who = membership_->committer();
    group::commits::member_changed change;
    group::fetches::member_changed asks;
    if (who) {
        change.as = group::commits::identity{who->member, who->instance, who->generation};
        if (consumer_.options().group_protocol == group_protocol::consumer) asks.as = {who->member, who->generation};
    }
    told_epoch_ = who ? who->generation : -1;
    change.owned = owned_;
    happened(group::commits::event{std::move(change)});
    happened(group::fetches::event{std::move(asks)});
}

// Where the group was, unless the application has sought another place meanwhile.
void group_core::read_from(const std::vector<group::topic_partition>& which, std::uint64_t assignment) {
    group::partition_set ask;
    for (const auto& p : which) {
        if (!owned_.contains(p) || going_.contains(p)) continue;
        if (consumer_.undecided(p.topic, p.partition)) ask.insert(p);
        else consumer_.release(p.topic, p.partition);
    }
    if (ask.empty()) return;
    for (const auto& p : ask) asked_for_[p] = next_question_;
    question q{next_question_++, assignment, [this](error, std::vector<committed_offset> found) {
                   for (auto& f : found) {
                       if (consumer_.undecided(f.topic, f.partition)) consumer_.decide(f.topic, f.partition, f.offset, f.leader_epoch);
                       consumer_.release(f.topic, f.partition);
                   }
               }};
    const auto id = q.id;
    questions_.push_back(std::move(q));
    happened(group::fetches::event{group::fetches::fetch_requested{id, std::move(ask), {}}});
}

void group_core::carry_out(group::fetches::complete& a) {
    const auto at = std::find_if(questions_.begin(), questions_.end(), [&](const question& q) { return q.id == a.question; });
    if (at == questions_.end()) return;
    auto q = std::move(*at);
    questions_.erase(at);
    std::vector<committed_offset> found;
    group::partition_set again;
    for (auto& [p, c] : a.partitions) {
        if (q.assignment != 0) {
            // An answer from before a revocation, or of an assignment before this one, says where somebody else was.
            const auto asked = asked_for_.find(p);
            if (asked == asked_for_.end() || asked->second != q.id) continue;
            asked_for_.erase(asked);
        }
        if (c.why && q.assignment != 0) {
            if (c.why.code == condition::retriable) {
                again.insert(p);
                continue;
            }
            // Told, and asked again: to begin anywhere else would be a leap that nobody has asked for.
            consumer_.fail(p.topic, p.partition, c.why);
            refused_.insert(p);
            ask_again_ = now() + std::max(consumer_.options().retry_backoff, consumer_.options().retry_backoff_max);
            continue;
        }
        found.push_back({p.topic, p.partition, c.offset, c.leader_epoch, std::move(c.metadata)});
    }
    q.tell(std::move(a.why), std::move(found));
    if (!again.empty()) read_from({again.begin(), again.end()}, q.assignment);
}

void group_core::carry_out(group::membership_failed& a) {
    if (a.why.code == broker_errc::inconsistent_group_protocol) return name_the_others(std::move(a.why));
    // What older brokers do not know.
    const bool old = a.why.code == errc::no_common_version || a.why.code == errc::unsupported_version || a.why.code == errc::unknown_api;
    if (regex_ && (a.why.code == errc::not_in_version)) {
        a.why.text = "the coordinator cannot look for topics by pattern: " + a.why.text;
        a.why.hint = "Kafka 4.0 and later can; let the client do it (match_patterns)";
    } else if (old && consumer_.options().group_protocol == group_protocol::consumer) {
        a.why.text = "the coordinator does not speak the protocol of group_protocol consumer: " + a.why.text;
        a.why.hint = "Kafka 4.0 and later do; use group_protocol classic";
    }
    fail(std::move(a.why));
}

void group_core::fail(error why) {
    failure_ = std::move(why);
    consumer_.group_spoke();
}

void group_core::carry_out(group::trouble& a) {
    constexpr std::size_t most = 16;                        // nobody polls: the first ones tell enough
    if (!a.tell || troubles_.size() == most || (!troubles_.empty() && troubles_.back().text == a.why.text)) return;
    troubles_.push_back(std::move(a.why));
    consumer_.group_spoke();
}

std::optional<error> group_core::next_trouble() {
    if (troubles_.empty()) return std::nullopt;
    auto first = std::move(troubles_.front());
    troubles_.pop_front();
    return first;
}

// --- the end ---

void group_core::leave(std::optional<bool> tell, net::time_point deadline, unique_function<void()> over) {
    if (stopped_ || left_) return over();
    when_left_ = std::move(over);
    leave_by_ = deadline;
    // What a member has finished is committed when its partitions are revoked.
    for (auto& [p, at] : std::exchange(fresh_, {})) finished_[p] = done_[p] = at;
    if (source_ != source::group) commit_finished();
    happened(group::event{group::leave{tell, deadline, "the consumer was closed"}});
}

void group_core::carry_out(group::left&) {
    left_ = true;
    end_leaving();
}

void group_core::end_leaving() {
    const bool done = left_ && commits_.waiting() == 0;
    if (!when_left_ || (!done && now() < *leave_by_)) return;
    leave_by_.reset();
    auto over = std::exchange(when_left_, nullptr);
    over();
}

void group_core::stop(const error& why) {
    stopped_ = true;
    timer_->clear();
    while (!calls_.empty()) {
        const auto next = std::move(calls_.back());
        calls_.pop_back();
        next->finish(why);
    }
    while (!questions_.empty()) {
        auto next = std::move(questions_.back());
        questions_.pop_back();
        if (next.assignment == 0) next.tell(why, {});
    }
    steps_.clear();
    if (auto over = std::exchange(when_left_, nullptr)) over();
}

// --- what can be seen ---

namespace {
rebalance_durations in_public(const group::phase_durations& d) { return {d.revoking, d.joining, d.assigning, d.syncing, d.adopting, d.whole}; }
}  // namespace

void group_core::carry_out(group::rebalanced& a) {
    rebalance_report r{a.generation, in_public(a.took), {}};
    r.assignment = in_public(membership_->view().assignment);
    consumer_.tell(&consumer_core::rebalanced_handler, std::move(r));
}

group_membership group_core::view() const {
    const auto v = membership_->view();
    group_membership m;
    m.state = v.state;
    m.member_id = v.member;
    m.generation = v.generation;
    if (const auto* k = std::get_if<group::coordinator::known>(&coordinator_.where())) m.coordinator = k->where.node;
    m.leader = v.leader;
    m.strategy = v.protocol;
    m.assignment = in_public(v.assignment);
    m.last_heartbeat = v.last_heartbeat;
    m.last_rebalance = in_public(v.last_rebalance);
    m.rebalances = v.rebalances;
    m.losses = v.losses;
    m.last_error = v.last_error;
    m.last_commit_error = last_commit_error_;
    return m;
}

group_metadata group_core::metadata() const {
    const auto who = membership_->committer();
    if (!who) return group_metadata{consumer_.options().group};
    return group_metadata{who->group, who->generation, who->member, who->instance};
}

}  // namespace kafkawire::client_detail
