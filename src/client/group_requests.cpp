// What a group's driver asks for: the application's commits and questions, requests to the coordinator, topics that a pattern means.
#include <algorithm>

#include "client/coordinator_call.hpp"
#include "client/group_core.hpp"
#include "group/compatibility.hpp"

namespace kafkawire::client_detail {

namespace {

using std::chrono::milliseconds;

error group_error(std::error_code code, std::string text = {}, std::string hint = {}) {
    error e;
    e.code = code;
    e.text = std::move(text);
    e.hint = std::move(hint);
    return e;
}

// FindCoordinator, to any broker.
class lookup final : public operation {
public:
    using asked = group::messages::find_coordinator_request;
    lookup(std::weak_ptr<consumer_core> of, group::coordinator::ask what) : of_{std::move(of)}, number_{what.request}, message_{std::move(what.what)} {
        request_schema = &protocol::schema_of<asked>();
        request = &message_;
        response_schema = &protocol::schema_of<asked::response>();
        response = &answer_;
        options.timeout = what.timeout;
    }
    const void* request_in(std::int16_t version) override {
        fitted_ = message_;
        group::coordinator::fit(fitted_, version);
        return &fitted_;
    }
    void complete(error why, answer_info info) override;

private:
    std::weak_ptr<consumer_core> of_;
    std::uint64_t number_;
    asked message_, fitted_;                                // as for all versions, and as for one: it may be asked of several brokers
    asked::response answer_;
};

// A question that a function hears the answer of, if there is still a group that wants to know.
template <class Request>
class question_to_cluster final : public operation {
public:
    using asked = Request;
    using listener = unique_function<void(group_core& by, error, const typename asked::response&)>;
    question_to_cluster(std::weak_ptr<consumer_core> of, asked what, listener tell) : of_{std::move(of)}, message_{std::move(what)}, tell_{std::move(tell)} {
        request_schema = &protocol::schema_of<asked>();
        request = &message_;
        response_schema = &protocol::schema_of<typename asked::response>();
        response = &answer_;
    }
    void complete(error why, answer_info) override {
        const auto alive = of_.lock();
        if (!alive || !alive->group() || alive->group()->stopped()) return;
        alive->contained([&] { tell_(*alive->group(), std::move(why), answer_); });
    }

private:
    std::weak_ptr<consumer_core> of_;
    asked message_;
    typename asked::response answer_;
    listener tell_;
};

// Metadata of all topics, or of some that are known by their ids only.
using topic_question = question_to_cluster<protocol::messages::metadata_request>;
using group_question = question_to_cluster<protocol::messages::describe_groups_request>;

}  // namespace

// --- calls ---

void commit_call::go() {
    const auto of = of_.lock();
    if (of && of->group()) of->group()->commit(shared_from_this());
    else if (of) finish(group_error(errc::no_group, "offsets are committed for a group", "name one in consumer_options"));
    else finish(group_error(errc::client_closed));
}

void commit_call::cancel() {
    // Not inline: we are called from inside the slot that telling would empty.
    if (const auto of = of_.lock())
        of->client().env().post([self = shared_from_this()] {
            const auto alive = self->of_.lock();
            if (alive && alive->group()) alive->group()->cancel(*self);
        });
}

void commit_call::finish(error why) {
    if (!why) why = std::move(gone_);
    if (const auto who = std::exchange(who_, nullptr)) who->complete(std::move(why));
}

void committed_call::go() {
    const auto of = of_.lock();
    if (!of || (of->group() && of->group()->stopped())) return finish(group_error(errc::client_closed));
    if (!of->group()) return finish(group_error(errc::no_group, "offsets are committed for a group", "name one in consumer_options"));
    group::partition_set all;
    for (const auto& p : what_) all.insert({p.topic, p.partition});
    if (all.empty()) return finish({});
    id_ = of->group()->committed(std::move(all), [self = shared_from_this()](error why, std::vector<committed_offset> found) { self->finish(std::move(why), std::move(found)); });
}

void committed_call::cancel() {
    // Not inline: we are called from inside the slot that telling would empty.
    if (const auto of = of_.lock())
        of->client().env().post([self = shared_from_this()] {
            const auto alive = self->of_.lock();
            if (alive && alive->group() && self->id_ != 0) alive->group()->cancel_committed(self->id_);
        });
}

void committed_call::finish(error why, std::vector<committed_offset> found) {
    const auto who = std::exchange(who_, nullptr);
    if (!who) return;
    // In the order in which they were asked for.
    std::vector<committed_offset> sorted;
    if (!why)
        for (const auto& p : what_)
            for (const auto& f : found)
                if (f.topic == p.topic && f.partition == p.partition) {
                    sorted.push_back(f);
                    break;
                }
    who->complete(std::move(why), std::move(sorted));
}

void lookup::complete(error why, answer_info info) {
    const auto of = of_.lock();
    if (!of || !of->group()) return;
    // Where it is stands in the answer: no Metadata request is needed to find it.
    const auto learn = [&](std::int32_t id, const std::string& host, std::int32_t port) {
        if (id >= 0 && port > 0 && port <= 65535 && !of->client().brokers().find(id)) of->client().node_hint(id, host, static_cast<std::uint16_t>(port), {});
    };
    if (!why && info.version < 4 && answer_.error_code == 0) learn(answer_.node_id, answer_.host, answer_.port);
    for (const auto& c : answer_.coordinators)
        if (!why && c.error_code == 0) learn(c.node_id, c.host, c.port);
    of->group()->looked_up(number_, std::move(why), info.version, std::move(answer_));
}

// --- requests ---

void group_core::carry_out(group::coordinator::ask& a) { prepare(client(), std::make_unique<lookup>(consumer_.weak_from_this(), std::move(a)))->go(); }

void group_core::looked_up(std::uint64_t request, error why, std::int16_t version, group::messages::find_coordinator_response what) {
    if (why) happened(group::coordinator::event{group::coordinator::request_failed{request, std::move(why)}});
    else happened(group::coordinator::event{group::coordinator::answered{request, version, std::move(what)}});
}

void group_core::carry_out(group::coordinator::found& a) {
    happened(group::event{group::coordinator_found{a.where.node}});
    happened(group::commits::event{group::commits::coordinator_found{a.where.node}});
    happened(group::fetches::event{group::fetches::coordinator_found{a.where.node}});
}

void group_core::carry_out(group::coordinator::lost&) {
    happened(group::event{group::coordinator_lost{}});
    happened(group::commits::event{group::commits::coordinator_lost{}});
    happened(group::fetches::event{group::fetches::coordinator_lost{}});
}

void group_core::carry_out(group::coordinator::refused& a) {
    happened(group::event{group::coordinator_failed{a.why, a.for_good}});
    happened(group::commits::event{group::commits::coordinator_failed{a.why}});
    happened(group::fetches::event{group::fetches::coordinator_failed{a.why}});
}

void group_core::carry_out(group::send& a) {
    using call = coordinator_call<consumer_core, group::message>;
    const auto on = a.apart ? lane::other : lane_;
    const bool joins = std::holds_alternative<group::messages::join_group_request>(a.what);
    auto c = std::make_shared<call>(consumer_.weak_from_this(), a.node, on, std::move(a.what), group::fit, [request = a.request](consumer_core& to, call::reply r) {
        if (!to.group()) return;
        if (r.what) to.group()->happened(group::event{group::answered{request, r.version, std::move(*r.what)}});
        else to.group()->happened(group::event{group::request_failed{request, std::move(r.why)}});
    });
    c->started = now();
    c->deadline = now() + a.timeout;
    if (joins) c->may_wait = a.timeout;                     // for the slowest member
    client().send(a.node, on, std::move(c));
}

// Not on the connection of the membership: a JoinGroup may hold that up for minutes.
void group_core::carry_out(group::commits::send& a) {
    using message = std::variant<group::messages::offset_commit_request>;
    using call = coordinator_call<consumer_core, message>;
    const auto fit = [](message& m, std::int16_t version) { group::commits::fit(std::get<0>(m), version); };
    auto c = std::make_shared<call>(consumer_.weak_from_this(), a.node, lane::other, message{std::move(a.what)}, fit, [request = a.request](consumer_core& to, call::reply r) {
        if (!to.group()) return;
        if (r.what) to.group()->happened(group::commits::event{group::commits::answered{request, r.version, std::move(std::get<0>(*r.what))}});
        else to.group()->happened(group::commits::event{group::commits::request_failed{request, std::move(r.why)}});
    });
    c->speaks = a.versions;
    c->started = now();
    c->deadline = now() + client().options().request_timeout;
    client().send(a.node, lane::other, std::move(c));
}

void group_core::carry_out(group::fetches::send& a) {
    using message = std::variant<group::messages::offset_fetch_request>;
    using call = coordinator_call<consumer_core, message>;
    const auto fit = [](message& m, std::int16_t version) { group::fetches::fit(std::get<0>(m), version); };
    auto c = std::make_shared<call>(consumer_.weak_from_this(), a.node, lane::other, message{std::move(a.what)}, fit, [request = a.request](consumer_core& to, call::reply r) {
        if (!to.group()) return;
        if (r.what) to.group()->happened(group::fetches::event{group::fetches::answered{request, r.version, std::move(std::get<0>(*r.what))}});
        else to.group()->happened(group::fetches::event{group::fetches::request_failed{request, std::move(r.why)}});
    });
    c->speaks = a.versions;
    c->started = now();
    c->deadline = now() + client().options().request_timeout;
    client().send(a.node, lane::other, std::move(c));
}

// --- what is subscribed to ---

namespace {
[[noreturn]] void mixed() {
    throw system_error{group_error(errc::mixed_assignment, "this consumer's partitions come from its group or are assigned by hand, not both", "make two consumers, or unsubscribe() first")};
}
}  // namespace

void group_core::assign_by_hand(const std::vector<partition_start>& what) {
    if (source_ == source::group) mixed();
    if (std::exchange(source_, source::hand) != source::hand) happened(group::commits::event{group::commits::member_changed{group::commits::identity{}, std::nullopt}});
    std::vector<group::topic_partition> ask;
    for (const auto& w : what) {
        if (w.from.what == start_position::kind::policy) {
            consumer_.assign_held(w.topic, w.partition);
            ask.push_back({w.topic, w.partition});
        } else {
            consumer_.assign_at(w);
        }
        sought(w.topic, w.partition);
        owned_.insert({w.topic, w.partition});
    }
    read_from(ask, 1);
}

namespace {

// The patterns among these, as one expression for the coordinator.
std::optional<std::string> take_patterns(std::vector<std::string>& topics, const std::vector<std::string>& exclude) {
    if (!exclude.empty())
        throw system_error{group_error(errc::bad_configuration, "match_patterns is broker, and there are topics to exclude: brokers exclude none", "let the client match them, or write a narrower pattern")};
    std::vector<std::string> patterns;
    std::erase_if(topics, [&](const std::string& t) {
        if (!t.starts_with('^')) return false;
        patterns.push_back(t);
        return true;
    });
    if (patterns.size() < 2) return patterns.empty() ? std::nullopt : std::optional{patterns[0]};
    std::string all;
    for (const auto& p : patterns) all += (all.empty() ? "(?:" : "|(?:") + p + ')';
    return all;
}

}  // namespace

void group_core::unsubscribe() {
    if (source_ != source::group) return;
    pattern_ = {};
    look_again_.reset();
    subscribed_.clear();
    missing_.keep({});
    source_ = source::nobody;
    happened(group::event{group::subscribe{}});
}

void group_core::subscribe(std::vector<std::string> topics, std::vector<std::string> exclude) {
    if (source_ == source::hand) mixed();
    regex_.reset();
    if (consumer_.options().match_patterns == pattern_side::broker) regex_ = take_patterns(topics, exclude);
    pattern_ = topic_pattern{topics, exclude};
    source_ = source::group;
    for (const auto& n : pattern_.names()) (void)client().want_topic(n, consumer_.options().create_topics);
    look_again_ = now() + client().options().metadata_max_age;
    if (pattern_.open()) return look_for_matches();
    subscribed_ = pattern_.names();
    happened(group::event{group::subscribe{{subscribed_, regex_}}});
    tell_topics();
}

// From time to time: nobody tells us of partitions that were added.
void group_core::look_again() {
    look_again_ = now() + client().options().metadata_max_age;
    client().refresh_topics();
    if (pattern_.open()) look_for_matches();
}

// All topics of the cluster: a new one may match.
void group_core::look_for_matches() {
    if (stopped_ || std::exchange(looking_, true)) return;
    look_again_.reset();
    topic_question::asked all;
    all.topics.reset();
    all.allow_auto_topic_creation = true;                   // of no effect when all are asked for, and all that versions before 4 can say
    auto tell = [](group_core& self, error why, const topic_question::asked::response& what) {
        self.looking_ = false;
        if (!self.pattern_.open()) return;
        const auto& o = self.client().options();
        self.look_again_ = self.now() + (why ? std::min(milliseconds{1'000}, o.metadata_max_age) : o.metadata_max_age);
        if (why) return self.set_timer();
        auto now = self.pattern_.names();
        for (const auto& t : what.topics)
            if (t.error_code == 0 && t.name && !t.is_internal && self.pattern_.matches(*t.name)) now.insert(*t.name);
        for (const auto& n : now) (void)self.client().want_topic(n, false);
        if (now == self.subscribed_) return self.set_timer();
        self.subscribed_ = std::move(now);
        self.happened(group::event{group::subscribe{{self.subscribed_, {}}}});
        self.tell_topics();
    };
    prepare(client(), std::make_unique<topic_question>(consumer_.weak_from_this(), std::move(all), std::move(tell)))->go();
}

void group_core::carry_out(group::watch_topics& a) {
    watched_ = std::move(a);
    for (const auto& n : watched_.names) (void)client().want_topic(n, false);
    ask_for_ids(watched_.ids);
    tell_topics();
}

// With the new protocol an assignment names topics by their ids; those of a pattern on the broker's side are news to us.
void group_core::ask_for_ids(const std::set<protocol::uuid>& ids) {
    topic_question::asked some;
    client().topics().each([&](const topic_info& t) { asked_ids_.insert(t.id); });
    for (const auto& id : ids) {
        if (!asked_ids_.insert(id).second) continue;
        some.topics->emplace_back().topic_id = id;
    }
    if (some.topics->empty()) return;
    auto tell = [ids](group_core& self, error, const topic_question::asked::response& what) {
        for (const auto& id : ids) self.asked_ids_.erase(id);  // what is still not known is asked for again when it is wanted again
        for (const auto& t : what.topics)
            if (t.error_code == 0 && t.name) {
                (void)self.client().want_topic(*t.name, false);
                self.watched_.names.insert(*t.name);
            }
        self.tell_topics();
    };
    prepare(client(), std::make_unique<topic_question>(consumer_.weak_from_this(), std::move(some), std::move(tell)))->go();
}

void group_core::topics_changed() {
    if (!stopped_) tell_topics();
}

std::vector<std::vector<std::string>> group_core::racks_of(const topic_info& t) const {
    std::vector<std::vector<std::string>> racks(t.partitions.size());
    for (std::size_t i = 0; i < racks.size(); ++i)
        for (const auto id : t.partitions[i].replicas)
            if (const auto at = racks_.find(id); at != racks_.end()) racks[i].push_back(at->second);
    return racks;
}

void group_core::tell_topics() {
    auto all = std::make_shared<group::known_topics>();
    // A leader needs the racks of replicas (KIP-881). Those of a broker that is down are kept: it will come back.
    for (const auto& b : client().brokers().entries())
        if (b.id >= 0 && !b.rack.empty()) racks_[b.id] = b.rack;
    const bool any_rack = consumer_.options().group_protocol == group_protocol::classic && !racks_.empty();
    missing_.keep(pattern_.names());
    client().topics().each([&](const topic_info& t) {
        if (pattern_.names().contains(t.name)) missing_.said(t.name, t.error, now());
        if (!subscribed_.contains(t.name) && !watched_.names.contains(t.name)) return;
        const bool missing = t.error == broker_errc::unknown_topic_or_partition;
        if (!t.known && !missing) return;                   // not known yet
        group::known_topic k;
        k.id = t.id;
        k.partitions = missing ? 0 : static_cast<std::int32_t>(t.partitions.size());
        if (any_rack && !missing) k.racks = racks_of(t);
        (*all)[t.name] = std::move(k);
    });
    tell_missing();
    if (known_ && *known_ == *all) return set_timer();
    known_ = all;
    happened(group::event{group::metadata_changed{std::move(all)}});
}

void group_core::tell_missing() {
    while (auto why = missing_.next(now())) {
        group::trouble t{std::move(*why), true};
        carry_out(t);
    }
}

// The coordinator has said that this member has no strategy in common with the others; what they have it is asked for. If it does not say, the
// story is told without.
void group_core::name_the_others(error why) {
    group_question::asked m;
    m.groups.push_back(consumer_.options().group);
    auto tell = [first = std::move(why)](group_core& self, error, const group_question::asked::response& what) mutable {
        const auto& o = self.consumer_.options();
        auto story = group::incompatible(o.group, o.assignors, what.groups.size() == 1 ? &what.groups[0] : nullptr);
        story.broker = first.broker;
        story.api_version = first.api_version;
        story.cause = std::make_shared<const error>(std::move(first));
        self.fail(std::move(story));
    };
    auto asks = std::make_unique<group_question>(consumer_.weak_from_this(), std::move(m), std::move(tell));
    if (const auto* k = std::get_if<group::coordinator::known>(&coordinator_.where())) asks->options.broker = k->where.node;
    prepare(client(), std::move(asks))->go();
}

}  // namespace kafkawire::client_detail
