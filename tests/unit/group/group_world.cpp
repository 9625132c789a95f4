#include "group_world.hpp"

#include <algorithm>

#include "group/subscription.hpp"

namespace group_world {

namespace messages = kafkawire::protocol::messages;

namespace {

group::membership_settings settings_of(world& w, int n, std::optional<std::string> instance) {
    group::membership_settings s;
    s.group = "g";
    s.instance = std::move(instance);
    s.member_id = "member-" + std::to_string(n);
    s.session_timeout = 10'000ms;
    s.heartbeat_interval = 1'000ms;
    s.rebalance_timeout = 20'000ms;
    s.processing_deadline = 30'000ms;
    s.request_timeout = 5'000ms;
    s.seed = w.random.next();
    return s;
}

std::unique_ptr<group::membership> machine_of(kind k, group::membership_settings s, bool old) {
    if (k == kind::consumer) return std::make_unique<group::consumer_membership_fsm>(std::move(s));
    group::strategies use;
    if (k == kind::cooperative) use.push_back(std::make_shared<even_assignor>("even-cooperative", true));
    if (k == kind::eager || old) use.push_back(std::make_shared<even_assignor>("even", false));
    return std::make_unique<group::classic_membership_fsm>(std::move(s), std::move(use));
}

std::string text(const std::vector<group::topic_partition>& of) {
    std::string all;
    for (const auto& p : of) all += " " + p.topic + "-" + std::to_string(p.partition);
    return all;
}

}  // namespace

member::member(world& w, int n, kind k, std::optional<std::string> of, bool old)
    : in{w},
      number{n},
      machine{machine_of(k, settings_of(w, n, of), old)},
      finder{{.group = "g", .seed = w.random.next()}},
      instance{std::move(of)} {}

void member::step(group::event e) {
    if (!alive) return;
    group::actions out;
    const auto before = std::string{machine->view().state};
    machine->step(std::move(e), in.now, out);
    const auto next = machine->next_wakeup();
    in.tell([&] {
        return "  member " + std::to_string(number) + " " + before + " -> " + std::string{machine->view().state} + " generation " +
               std::to_string(machine->view().generation);
    });
    if (next && *next <= in.now)
        in.violation("member " + std::to_string(number) + " wants to be woken at once, in state " + std::string{machine->view().state});
    run(out);
    arm();
}

void member::find(group::coordinator::event e) {
    group::coordinator::actions out;
    finder.step(std::move(e), in.now, out);
    run(out);
    arm();
}

void member::arm() {
    if (!alive) return;
    auto next = machine->next_wakeup();
    if (const auto other = finder.next_wakeup(); other && (!next || *other < *next)) next = other;
    if (next == timer_at) return;
    timer_at = next;
    const auto mine = ++timer;
    if (!next) return;
    in.later(*next - in.now, [this, mine] {
        if (mine != timer || !alive) return;
        timer_at.reset();
        find(group::coordinator::tick{});
        step(group::tick{});
    });
}

void member::run(group::coordinator::actions& out) {
    for (auto& a : out) {
        if (auto* q = std::get_if<group::coordinator::ask>(&a)) {
            in.later(in.random.up_to(20ms), [this, request = q->request] {
                if (!alive) return;
                messages::find_coordinator_response r;
                auto& c = r.coordinators.emplace_back();
                c.key = "g";
                c.node_id = in.random.one_in(in.wrong.refuse) ? 1 + in.random.below(3) : in.node;
                c.host = "broker";
                c.port = 9092;
                if (in.random.one_in(in.wrong.refuse)) c.error_code = static_cast<std::int16_t>(broker_errc::coordinator_not_available);
                if (in.random.one_in(in.wrong.lose_answer))
                    return find(group::coordinator::request_failed{request, error{make_error_code(errc::connection_closed)}});
                find(group::coordinator::answered{request, 4, std::move(r)});
            });
        } else if (auto* f = std::get_if<group::coordinator::found>(&a)) {
            step(group::coordinator_found{f->where.node});
        } else if (std::get_if<group::coordinator::lost>(&a)) {
            step(group::coordinator_lost{});
        } else if (auto* r = std::get_if<group::coordinator::refused>(&a)) {
            step(group::coordinator_failed{r->why});
        }
    }
}

void member::run(group::actions& out) {
    for (auto& a : out) {
        if (auto* s = std::get_if<group::send>(&a)) {
            in.tell([&] {
                return "  member " + std::to_string(number) + " sends " + std::to_string(s->what.index()) + (s->apart ? " apart" : "");
            });
            in.send(*this, *s);
        } else if (std::get_if<group::want_coordinator>(&a)) {
            find(group::coordinator::wanted{});
        } else if (auto* d = std::get_if<group::doubt_coordinator>(&a)) {
            find(group::coordinator::doubted{d->node, d->why});
        } else if (auto* t = std::get_if<group::trust_coordinator>(&a)) {
            find(group::coordinator::trusted{t->node});
        } else if (std::get_if<group::watch_topics>(&a)) {
            in.later(in.random.up_to(100ms), [this] { in.give_metadata(*this); });
        } else if (auto* r = std::get_if<group::revoke>(&a)) {
            in.tell([&] { return "  member " + std::to_string(number) + " gives up" + text(r->partitions); });
            for (const auto& p : r->partitions) {
                if (reading.erase(p) == 0) in.violation("member " + std::to_string(number) + " gives up what it does not have");
                giving_up[p] = {r->callback, {}, r->deadline};
            }
            call(r->callback);
        } else if (auto* n = std::get_if<group::assign>(&a)) {
            in.tell([&] { return "  member " + std::to_string(number) + " takes" + text(n->added); });
            in.taken(*this, n->added);
            call(n->callback);
        } else if (auto* l = std::get_if<group::lose>(&a)) {
            in.tell([&] { return "  member " + std::to_string(number) + " loses" + text(l->partitions) + ": " + l->why.message(); });
            for (const auto& p : l->partitions)
                if (reading.erase(p) == 0) in.violation("member " + std::to_string(number) + " loses what it does not have");
            call(l->callback);
        } else if (auto* f = std::get_if<group::membership_failed>(&a)) {
            broken = true;
            why = f->why;
        } else if (std::get_if<group::left>(&a)) {
            finished = true;
        }
    }
}

// The application hears of things one after the other, and takes its time.
void member::call(std::uint64_t callback) {
    callbacks.push_back(callback);
    if (callbacks.size() > 1) return;
    const auto next = [](member* m, auto& self) -> void {
        const auto takes = m->in.random.one_in(m->in.wrong.slow_callback) ? m->in.random.up_to(25'000ms) : m->in.random.up_to(200ms);
        m->in.later(takes, [m, self] {
            if (!m->alive) return;
            const auto done = m->callbacks.front();
            m->callbacks.pop_front();
            if (!m->callbacks.empty()) self(m, self);
            std::erase_if(m->giving_up, [&](const auto& p) { return p.second.callback == done; });
            m->step(group::callback_done{done});
        });
    };
    next(this, next);
}

void member::crash() {
    alive = false;
    reading.clear();
    for (auto& [id, c] : in.connections)
        if (c.of == this) c.open = false;
}

// The coordinator.

void world::carry_out(broker::group_actions& out) {
    auto list = std::move(out);
    for (auto& a : list) {
        if (auto* t = std::get_if<broker::set_group_timer>(&a)) {
            const std::pair key{t->kind, t->member};
            const auto known = group_timers.find(key);
            if (known != group_timers.end()) {
                if (t->keep) continue;
                agenda.erase(known->second);
            }
            group_timers[key] = later(t->after, [this, key] {
                group_timers.erase(key);
                broker::group_actions more;
                tell([&] { return "timer of the group " + std::to_string(static_cast<int>(key.first)) + " " + key.second; });
                if (classic)
                    classic->expired(key.first, key.second, at(), more);
                else
                    consumer->expired(key.first, key.second, directory, more);
                carry_out(more);
            });
        } else if (auto* c = std::get_if<broker::cancel_group_timer>(&a)) {
            if (const auto known = group_timers.find({c->kind, c->member}); known != group_timers.end()) {
                agenda.erase(known->second);
                group_timers.erase(known);
            }
        } else if (auto* j = std::get_if<broker::give_join_answer>(&a)) {
            if (j->to) j->to(j->answer);
        } else if (auto* s = std::get_if<broker::give_sync_answer>(&a)) {
            if (s->to) s->to(s->answer);
        } else if (std::get_if<broker::store_group>(&a)) {
            store();
        }
    }
}

// What a successor would find in the log.
void world::store() {
    broker::classic_group_fsm::snapshot s;
    s.protocol_type = classic->protocol_type().value_or("");
    s.generation = classic->generation();
    s.protocol = classic->protocol();
    s.leader = classic->leader();
    for (const auto& [id, m] : classic->members()) {
        auto& to = s.members.emplace_back();
        to.id = m.id;
        to.instance_id = m.instance_id;
        to.rebalance_timeout = m.rebalance_timeout;
        to.session_timeout = m.session_timeout;
        to.protocols = m.protocols;
        to.assignment = m.assignment;
    }
    stored = std::move(s);
}

void world::move_coordinator(milliseconds load) {
    node = node % 3 + 1;
    tell([&] { return "the coordinator is node " + std::to_string(node); });
    broker::group_actions out;
    for (const auto& [key, when] : group_timers) agenda.erase(when);
    group_timers.clear();
    if (classic) {
        classic->kill(broker_errc::not_coordinator, at(), out);
        carry_out(out);
        for (const auto& [key, when] : group_timers) agenda.erase(when);
        group_timers.clear();
        broker::classic_group_fsm::snapshot copy;
        if (stored) {
            std::swap(copy, *stored);
            classic = std::make_unique<broker::classic_group_fsm>("g", limits, std::move(copy));
            store();
        } else {
            classic = std::make_unique<broker::classic_group_fsm>("g", limits, at());
        }
    }
    loading = true;
    later(load, [this] {
        if (!std::exchange(loading, false)) return;
        broker::group_actions more;
        if (classic)
            classic->loaded(at(), more);
        else
            consumer->loaded(more);
        carry_out(more);
    });
}

void world::serve_one(int id, std::uint64_t request, messages::join_group_request& m, broker_errc why) {
    const auto answer = [this, id, request](const broker::join_answer& a) {
        tell([&] {
            return "the coordinator answers a JoinGroup: " + std::to_string(static_cast<int>(a.error)) + " generation " +
                   std::to_string(a.generation) + " member " + a.member_id;
        });
        messages::join_group_response r;
        r.error_code = static_cast<std::int16_t>(a.error);
        r.generation_id = a.generation;
        r.protocol_type = a.protocol_type;
        r.protocol_name = a.protocol_name;
        r.leader = a.leader;
        r.skip_assignment = a.skip_assignment;
        r.member_id = a.member_id;
        for (const auto& j : a.members) {
            auto& to = r.members.emplace_back();
            to.member_id = j.id;
            to.group_instance_id = j.instance_id;
            to.metadata = j.metadata;
        }
        reply(id, request, std::move(r));
    };
    if (why != broker_errc::none) return answer({.error = why});
    broker::classic_join j;
    j.member_id = m.member_id;
    j.instance_id = m.group_instance_id;
    j.rebalance_timeout = milliseconds{m.rebalance_timeout_ms};
    j.session_timeout = milliseconds{m.session_timeout_ms};
    j.protocol_type = m.protocol_type;
    for (const auto& p : m.protocols) j.protocols.push_back({p.name, p.metadata});
    j.fresh_id = "id-" + std::to_string(connections.at(id).of->number) + "-" + std::to_string(++fresh_ids);
    j.must_know_id = true;
    j.can_skip_assignment = true;
    broker::group_actions out;
    classic->join(std::move(j), answer, at(), out);
    carry_out(out);
}

void world::serve_one(int id, std::uint64_t request, messages::sync_group_request& m, broker_errc why) {
    const auto answer = [this, id, request](const broker::sync_answer& a) {
        messages::sync_group_response r;
        r.error_code = static_cast<std::int16_t>(a.error);
        r.protocol_type = a.protocol_type;
        r.protocol_name = a.protocol_name;
        r.assignment = a.assignment;
        reply(id, request, std::move(r));
    };
    if (why != broker_errc::none) return answer({.error = why});
    broker::classic_sync s;
    s.member_id = m.member_id;
    s.instance_id = m.group_instance_id;
    s.generation = m.generation_id;
    s.protocol_type = m.protocol_type;
    s.protocol_name = m.protocol_name;
    for (const auto& a : m.assignments) s.assignments[a.member_id] = a.assignment;
    broker::group_actions out;
    classic->sync(std::move(s), answer, at(), out);
    carry_out(out);
}

void world::serve_one(int id, std::uint64_t request, messages::heartbeat_request& m, broker_errc why) {
    messages::heartbeat_response r;
    broker::group_actions out;
    if (why == broker_errc::none) why = classic->heartbeat(m.member_id, m.group_instance_id, m.generation_id, out);
    if (why == broker_errc::coordinator_load_in_progress) why = broker_errc::none;
    carry_out(out);
    r.error_code = static_cast<std::int16_t>(why);
    reply(id, request, r);
}

void world::serve_one(int id, std::uint64_t request, messages::leave_group_request& m, broker_errc why) {
    messages::leave_group_response r;
    r.error_code = static_cast<std::int16_t>(why);
    if (why == broker_errc::none) {
        std::vector<broker::classic_group_fsm::leaver> who;
        for (const auto& l : m.members) who.push_back({l.member_id, l.group_instance_id});
        broker::group_actions out;
        const auto codes = classic->leave(who, at(), out);
        carry_out(out);
        for (std::size_t i = 0; i < who.size(); ++i) {
            auto& to = r.members.emplace_back();
            to.member_id = who[i].member_id;
            to.group_instance_id = who[i].instance_id;
            to.error_code = static_cast<std::int16_t>(codes[i]);
        }
    }
    reply(id, request, r);
}

void world::serve_one(int id, std::uint64_t request, messages::consumer_group_heartbeat_request& m, broker_errc why) {
    messages::consumer_group_heartbeat_response r;
    if (why != broker_errc::none) {
        r.error_code = static_cast<std::int16_t>(why);
        return reply(id, request, r);
    }
    broker::group_actions out;
    broker::heartbeat_answer a;
    if (m.member_epoch < 0) {
        a = consumer->leave(m.member_id, m.instance_id, m.member_epoch, directory, out);
    } else {
        broker::consumer_heartbeat h;
        h.member_id = m.member_id;
        h.epoch = m.member_epoch;
        h.instance_id = m.instance_id;
        h.rack_id = m.rack_id;
        h.rebalance_timeout_ms = m.rebalance_timeout_ms;
        h.topics = m.subscribed_topic_names;
        h.regex = m.subscribed_topic_regex;
        h.assignor = m.server_assignor;
        if (m.topic_partitions) {
            h.owned.emplace();
            for (const auto& t : *m.topic_partitions) (*h.owned)[t.topic_id].insert(t.partitions.begin(), t.partitions.end());
        }
        a = consumer->heartbeat(h, directory, at(), out);
        if (!a.error) consumer->resolve_regexes(directory, at(), out);
    }
    carry_out(out);
    tell([&] {
        return "the coordinator answers member " + m.member_id + " epoch " + std::to_string(m.member_epoch) + ": " +
               std::to_string(static_cast<int>(a.error.code)) + " epoch " + std::to_string(a.epoch) +
               (a.assignment ? " with an assignment" : "");
    });
    r.error_code = static_cast<std::int16_t>(a.error.code);
    if (a.error) return reply(id, request, r);
    r.member_id = a.member_id;
    r.member_epoch = a.epoch;
    r.heartbeat_interval_ms = 1000;
    if (a.assignment) {
        r.assignment.emplace();
        for (const auto& [topic, partitions] : *a.assignment) {
            auto& to = r.assignment->topic_partitions.emplace_back();
            to.topic_id = topic;
            for (const auto& [p, since] : partitions) to.partitions.push_back(p);
        }
    }
    reply(id, request, r);
}

// What is watched.

bool world::is_in_group(const std::string& id) const {
    return classic ? classic->members().count(id) != 0 : consumer->members().count(id) != 0;
}

// Whom the coordinator counts as in the group, in its present generation: then nobody else may have what it has.
bool world::counts_as_owner(const member& m, const group::topic_partition& p) const {
    const auto v = m.machine->view();
    if (classic) return classic->members().count(v.member) != 0 && !classic->members().at(v.member).instance_id;
    const auto known = consumer->members().find(v.member);
    if (known == consumer->members().end()) return false;
    const auto id = topics.at(p.topic).id;
    for (const auto* of : {&known->second.assigned, &known->second.revoking})
        if (const auto t = of->find(id); t != of->end() && t->second.count(p.partition) != 0) return true;
    return false;
}

void world::taken(member& by, const std::vector<group::topic_partition>& added) {
    const auto v = by.machine->view();
    for (const auto& p : added) {
        if (!by.reading.insert(p).second) violation("member " + std::to_string(by.number) + " takes what it has");
        if (!topics.count(p.topic) || p.partition >= topics.at(p.topic).partitions)
            violation("member " + std::to_string(by.number) + " takes what is not there");
        for (const auto* other : living()) {
            if (other == &by || !counts_as_owner(by, p)) continue;
            // While it is being given up, it is not free, whatever the coordinator has been told.
            const auto going = other->giving_up.find(p);
            const auto now_is = other->machine->view();
            const bool gives_up =
                going != other->giving_up.end() && now < going->second.deadline && now_is.state == "revoking" && is_in_group(now_is.member);
            if (!gives_up && !(other->reading.count(p) != 0 && counts_as_owner(*other, p))) continue;
            violation(p.topic + "-" + std::to_string(p.partition) + " is taken by member " + std::to_string(by.number) + " while member " +
                      std::to_string(other->number) + " has it (generations " + std::to_string(v.generation) + " and " +
                      std::to_string(other->machine->view().generation) + ")");
        }
    }
    if (!classic) return;
    for (const auto& p : v.assignment) {
        const auto [at_place, fresh] = given.emplace(std::pair{v.generation, p}, by.number);
        if (fresh || at_place->second == by.number) continue;
        // The next process of a static member has what the one before had.
        const auto& before = *members[static_cast<std::size_t>(at_place->second)];
        if (!before.alive && before.instance && before.instance == by.instance)
            at_place->second = by.number;
        else
            violation(p.topic + "-" + std::to_string(p.partition) + " belongs to members " + std::to_string(at_place->second) + " and " +
                      std::to_string(by.number) + " in generation " + std::to_string(v.generation));
    }
}

// What the coordinator says that a member has.
std::set<group::topic_partition> world::granted_to(const std::string& id) const {
    std::set<group::topic_partition> all;
    if (classic) {
        const auto known = classic->members().find(id);
        group::assignment_message a;
        if (known == classic->members().end() || group::read_assignment(known->second.assignment, a)) return all;
        for (const auto& t : a.assigned_partitions)
            for (const auto p : t.partitions) all.insert({t.topic, p});
        return all;
    }
    const auto known = consumer->members().find(id);
    if (known == consumer->members().end()) return all;
    for (const auto& [topic, t] : topics)
        if (const auto at_topic = known->second.assigned.find(t.id); at_topic != known->second.assigned.end())
            for (const auto& [p, since] : at_topic->second) all.insert({topic, p});
    return all;
}

std::string world::unsettled() const {
    std::map<group::topic_partition, int> readers;
    std::set<std::string> wanted;
    std::ostringstream what;
    for (const auto* m : living()) {
        const auto v = m->machine->view();
        if (m->hangs) continue;
        if (m->closing) what << "member " << m->number << " has not left: " << v.state << "\n";
        if (v.state != "stable") what << "member " << m->number << " is " << v.state << " (" << v.last_error.message() << ")\n";
        if (v.assignment != std::vector<group::topic_partition>(m->reading.begin(), m->reading.end()))
            what << "member " << m->number << " reads something else than it has\n";
        if (const auto granted = granted_to(v.member); granted != m->reading)
            what << "member " << m->number << " has something else than the coordinator gave it\n";
        for (const auto& p : m->reading) ++readers[p];
        wanted.insert(m->topics.begin(), m->topics.end());
    }
    for (const auto& t : wanted)
        for (std::int32_t p = 0; topics.count(t) && p < topics.at(t).partitions; ++p)
            if (const auto n = readers[{t, p}]; n != 1) what << t << "-" << p << " has " << n << " readers\n";
    return what.str();
}

}  // namespace group_world
