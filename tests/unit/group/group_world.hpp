// A group in one thread and virtual time: members (our machines, each with a driver of a few lines), the network between, and the embedded
// broker's own machine of the group as the coordinator. Every message may be late, lost, or answered by an error; members join, leave,
// crash and are slow; the coordinator moves. All by a seed.
//
// What is watched, at every step: no partition is taken by a member while another, whom the coordinator still counts as its owner, reads
// it or has time left to give it up; in one generation nobody is given what another has; no machine spins or throws. And at the end, when the faults are over: everybody
// is stable, every partition is read by exactly one member, and everybody reads what the coordinator has given out.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <sstream>

#include "broker/classic_group_fsm.hpp"
#include "broker/consumer_group_fsm.hpp"
#include "group/classic_membership_fsm.hpp"
#include "group/consumer_membership_fsm.hpp"
#include "group/coordinator_fsm.hpp"

namespace group_world {

using namespace kafkawire;
using namespace std::chrono_literals;
using group::milliseconds;
using group::time_point;

class chance {
public:
    explicit chance(std::uint64_t seed) : state_{seed * 0x9e3779b97f4a7c15u + 1} {}
    std::uint64_t next() {
        auto z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    int below(int n) { return static_cast<int>(next() % static_cast<std::uint64_t>(n)); }
    bool one_in(int n) { return n > 0 && below(n) == 0; }
    milliseconds up_to(milliseconds t) { return milliseconds{below(static_cast<int>(t.count()) + 1)}; }

private:
    std::uint64_t state_;
};

// As even as can be, keeps what it can; cooperative: what another still has is left out. Independent of the assignors of the library.
class even_assignor final : public assignor {
public:
    even_assignor(std::string name, bool cooperative) : name_{std::move(name)}, cooperative_{cooperative} {}
    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] rebalance_protocols protocols() const noexcept override { return {true, cooperative_}; }
    [[nodiscard]] group_assignment assign(const group_view& g) override {
        using place = std::pair<std::string, std::int32_t>;
        std::map<place, std::pair<std::size_t, std::int32_t>> owner;  // and the generation that it claims
        std::map<place, std::size_t> to;
        std::vector<std::size_t> count(g.members.size());
        for (std::size_t i = 0; i < g.members.size(); ++i)
            for (const auto& t : g.members[i].owned)
                for (const auto p : t.partitions) {
                    const auto at = owner.find({t.topic, p});
                    if (at == owner.end() || at->second.second < g.members[i].generation)
                        owner[{t.topic, p}] = {i, g.members[i].generation};
                }
        const auto wants = [&](std::size_t i, const std::string& t) {
            return std::find(g.members[i].topics.begin(), g.members[i].topics.end(), t) != g.members[i].topics.end();
        };
        std::size_t all = 0;
        for (const auto& t : g.topics) all += static_cast<std::size_t>(t.partitions);
        const auto fair = (all + g.members.size() - 1) / std::max<std::size_t>(g.members.size(), 1);
        std::vector<place> rest;
        for (const auto& t : g.topics)
            for (std::int32_t p = 0; p < t.partitions; ++p) {
                const auto at = owner.find({t.name, p});
                if (at != owner.end() && wants(at->second.first, t.name) && count[at->second.first] < fair)
                    ++count[to[{t.name, p}] = at->second.first];
                else
                    rest.push_back({t.name, p});
            }
        for (const auto& p : rest) {
            std::optional<std::size_t> least;
            for (std::size_t i = 0; i < g.members.size(); ++i)
                if (wants(i, p.first) && (!least || count[i] < count[*least])) least = i;
            if (least) ++count[to[p] = *least];
        }
        group_assignment result(g.members.size());
        for (const auto& [p, i] : to) {
            const auto at = owner.find(p);
            if (cooperative_ && at != owner.end() && at->second.first != i) continue;
            result[i].partitions.push_back({p.first, {p.second}});
        }
        return result;
    }

private:
    std::string name_;
    bool cooperative_;
};

enum class kind { eager, cooperative, consumer };

struct faults {
    int lose_request = 0, lose_answer = 0, refuse = 0, late = 0;  // one in so many; 0: never
    int slow_callback = 0;
};

struct world;

// One of our members with its driver.
struct member {
    world& in;
    int number;
    bool alive = true, closing = false, finished = false, broken = false;
    error why{};
    std::unique_ptr<group::membership> machine;
    group::coordinator::coordinator_fsm finder;
    std::set<std::string> topics{};
    std::optional<std::string> instance{};
    std::set<group::topic_partition> reading{};
    std::map<group::topic_partition, group::revoke> giving_up{};  // until the application is done with it
    std::uint64_t calls_running = 0;
    std::deque<std::uint64_t> callbacks{};
    std::map<std::uint64_t, int> in_flight{};  // request -> connection
    int connection = 0, connection_apart = 0;
    std::uint64_t timer = 0;
    std::optional<time_point> timer_at{};
    int requests = 0;
    bool hangs = false;  // does not poll any more

    member(world& w, int n, kind k, std::optional<std::string> instance, bool old);
    void step(group::event e);
    void find(group::coordinator::event e);
    void run(group::actions& out);
    void run(group::coordinator::actions& out);
    void call(std::uint64_t callback);
    void arm();
    void crash();
};

struct world {
    using moment = broker::moment;
    struct connection {
        int id;
        member* of;
        std::int32_t node;
        bool open = true, busy = false;
        struct waiting {
            std::uint64_t request;
            group::message what;
            std::int16_t version;
        };
        std::deque<waiting> queue{};
        std::map<std::uint64_t, bool> unanswered{};
    };

    kind speaks;
    chance random;
    faults wrong{};
    time_point now{};
    std::map<std::pair<time_point, std::uint64_t>, std::function<void()>> agenda{};
    std::uint64_t next_event = 1;
    group::known_topics topics{};
    std::vector<std::unique_ptr<member>> members{};
    std::map<int, connection> connections{};
    int next_connection = 1;
    std::vector<std::string> violations{};
    std::vector<std::string> story{};
    bool telling = false;

    // The coordinator.
    std::int32_t node = 1;
    bool loading = false;
    broker::classic_limits limits{.initial_rebalance_delay = 500ms, .new_member_join_timeout = 60'000ms};
    broker::consumer_limits consumer_limits{.session_timeout = 10'000ms, .assignment_interval = 100ms, .regex_refresh = 600'000ms};
    std::unique_ptr<broker::classic_group_fsm> classic;
    std::unique_ptr<broker::consumer_group_fsm> consumer;
    std::optional<broker::classic_group_fsm::snapshot> stored{};
    std::map<std::pair<broker::group_timer, std::string>, std::pair<time_point, std::uint64_t>> group_timers{};
    int fresh_ids = 0;
    std::map<std::pair<std::int32_t, group::topic_partition>, int> given{};  // in a generation, to whom
    struct directory final : broker::topic_directory {
        world* of = nullptr;
        std::optional<entry> find(const std::string& name) const override {
            const auto at = of->topics.find(name);
            if (at == of->topics.end()) return {};
            return entry{at->second.id, at->second.partitions};
        }
        std::vector<std::string> names() const override {
            std::vector<std::string> all;
            for (const auto& t : of->topics) all.push_back(t.first);
            return all;
        }
        std::uint64_t version() const override { return of->topics.size(); }
    } directory{};

    world(kind k, std::uint64_t seed) : speaks{k}, random{seed} {
        directory.of = this;
        now += 1000h;
        if (k == kind::consumer)
            consumer = std::make_unique<broker::consumer_group_fsm>("g", consumer_limits);
        else
            classic = std::make_unique<broker::classic_group_fsm>("g", limits, at());
    }

    [[nodiscard]] moment at() const {
        return {now, net::wall_time{std::chrono::duration_cast<net::wall_time::duration>(now.time_since_epoch())}};
    }
    std::pair<time_point, std::uint64_t> later(std::chrono::nanoseconds after, std::function<void()> what) {
        const std::pair key{now + std::max(after, std::chrono::nanoseconds{0}), next_event++};
        agenda.emplace(key, std::move(what));
        return key;
    }
    void violation(std::string what) {
        violations.push_back(std::to_string((now - time_point{} - 1000h) / 1ms) + " ms: " + std::move(what));
    }
    void tell(const std::function<std::string()>& what) {
        if (telling) story.push_back(std::to_string((now - time_point{} - 1000h) / 1ms) + " ms: " + what());
    }
    void run_for(std::chrono::nanoseconds d) {
        const auto until = now + d;
        while (!agenda.empty() && agenda.begin()->first.first <= until && violations.empty()) {
            auto at_front = agenda.begin();
            now = at_front->first.first;
            auto what = std::move(at_front->second);
            agenda.erase(at_front);
            what();
        }
        now = until;
    }

    void set_topic(const std::string& name, int partitions) {
        auto& t = topics[name];
        if (t.id.is_zero()) {
            for (std::size_t i = 0; i < 16; ++i)
                t.id.octets[i] = static_cast<std::uint8_t>(1 + (std::hash<std::string>{}(name) >> (i % 8)) % 255);
        }
        t.partitions = partitions;
        for (auto& m : members) later(random.up_to(500ms), [this, p = m.get()] { give_metadata(*p); });
    }
    void give_metadata(member& m) {
        if (m.alive) m.step(group::metadata_changed{std::make_shared<group::known_topics>(topics)});
    }
    member& add(std::set<std::string> wants, std::optional<std::string> instance = {}, bool old = false) {
        members.push_back(std::make_unique<member>(*this, static_cast<int>(members.size()), speaks, std::move(instance), old));
        auto& m = *members.back();
        m.topics = wants;
        m.step(group::polled{true});
        m.step(group::subscribe{{std::move(wants), {}}});
        return m;
    }
    [[nodiscard]] std::vector<member*> living() const {
        std::vector<member*> all;
        for (const auto& m : members)
            if (m->alive && !m->finished) all.push_back(m.get());
        return all;
    }

    // The network.

    int connect(member& m, std::int32_t to) {
        const auto id = next_connection++;
        connections.emplace(id, connection{id, &m, to});
        return id;
    }
    void cut(int id) {
        const auto c = connections.find(id);
        if (c == connections.end() || !c->second.open) return;
        c->second.open = false;
        auto& m = *c->second.of;
        for (const auto& [request, unused] : std::exchange(c->second.unanswered, {})) {
            later(random.up_to(20ms), [&m, request = request] {
                if (m.alive && m.in_flight.erase(request) != 0)
                    m.step(group::request_failed{request, error{make_error_code(errc::connection_closed)}});
            });
        }
    }
    void send(member& m, const group::send& s) {
        auto& id = s.apart ? m.connection_apart : m.connection;
        const auto known = connections.find(id);
        if (known == connections.end() || !known->second.open || known->second.node != s.node) id = connect(m, s.node);
        auto& c = connections.at(id);
        m.in_flight[s.request] = id;
        c.unanswered[s.request] = true;
        if (++m.requests > 4000) violation("member " + std::to_string(m.number) + " sends too much");
        later(s.timeout, [this, &m, request = s.request, id] {
            if (!m.alive || m.in_flight.count(request) == 0) return;
            m.in_flight.erase(request);
            connections.at(id).unanswered.erase(request);
            const auto cut_too = id;
            m.step(group::request_failed{request, error{make_error_code(errc::request_timed_out)}});
            cut(cut_too);
        });
        if (random.one_in(wrong.lose_request)) {
            later(random.up_to(300ms), [this, id] { cut(id); });
            return;
        }
        const auto delay = random.one_in(wrong.late) ? random.up_to(3'000ms) : random.up_to(20ms);
        const std::int16_t version = 5;
        later(delay, [this, id, request = s.request, what = s.what] {
            auto& to = connections.at(id);
            // Sent is sent: what was on its way when the connection broke may be served all the same.
            if (!to.open && random.one_in(2)) return;
            to.queue.push_back({request, what, version});
            serve(id);
        });
    }
    // One request of a connection at a time.
    void serve(int id) {
        auto& c = connections.at(id);
        if (c.busy || c.queue.empty()) return;
        c.busy = true;
        auto next = std::move(c.queue.front());
        c.queue.pop_front();
        handle(id, next.request, next.what);
    }
    template <class Response>
    void reply(int id, std::uint64_t request, Response r) {
        auto& c = connections.at(id);
        if (random.one_in(wrong.refuse)) refuse(r);
        c.busy = false;
        later(0ms, [this, id] { serve(id); });
        if (!c.open) return;
        if (random.one_in(wrong.lose_answer)) return cut(id);
        const auto delay = random.one_in(wrong.late) ? random.up_to(3'000ms) : random.up_to(20ms);
        later(delay, [this, id, request, r] {
            auto& to = connections.at(id);
            auto& m = *to.of;
            if (!to.open || to.unanswered.erase(request) == 0 || !m.alive || m.in_flight.erase(request) == 0) return;
            m.step(group::answered{request, 5, r});
        });
    }
    // What the coordinator did is done; what it says is not true.
    template <class Response>
    void refuse(Response& r) {
        static constexpr broker_errc classic_codes[] = {
            broker_errc::coordinator_load_in_progress, broker_errc::coordinator_not_available, broker_errc::not_coordinator,
            broker_errc::rebalance_in_progress,        broker_errc::illegal_generation,        broker_errc::unknown_member_id,
            broker_errc::unknown_server_error,         broker_errc::request_timed_out};
        static constexpr broker_errc consumer_codes[] = {broker_errc::coordinator_load_in_progress,
                                                         broker_errc::coordinator_not_available,
                                                         broker_errc::not_coordinator,
                                                         broker_errc::fenced_member_epoch,
                                                         broker_errc::unknown_member_id,
                                                         broker_errc::unknown_server_error,
                                                         broker_errc::network_exception,
                                                         broker_errc::topic_authorization_failed};
        const auto i = static_cast<std::size_t>(random.below(8));
        r = {};
        r.error_code = static_cast<std::int16_t>(speaks == kind::consumer ? consumer_codes[i] : classic_codes[i]);
    }

    // The coordinator's handlers, as the broker has them.

    void handle(int id, std::uint64_t request, group::message& what) {
        const auto on_node = connections.at(id).node;
        auto why = broker_errc::none;
        if (on_node != node)
            why = broker_errc::not_coordinator;
        else if (loading)
            why = broker_errc::coordinator_load_in_progress;
        std::visit([&](auto& m) { serve_one(id, request, m, why); }, what);
    }
    void serve_one(int id, std::uint64_t request, group::messages::join_group_request& m, broker_errc why);
    void serve_one(int id, std::uint64_t request, group::messages::sync_group_request& m, broker_errc why);
    void serve_one(int id, std::uint64_t request, group::messages::heartbeat_request& m, broker_errc why);
    void serve_one(int id, std::uint64_t request, group::messages::leave_group_request& m, broker_errc why);
    void serve_one(int id, std::uint64_t request, group::messages::consumer_group_heartbeat_request& m, broker_errc why);
    void carry_out(broker::group_actions& out);
    void store();
    void move_coordinator(milliseconds load);
    [[nodiscard]] bool is_in_group(const std::string& id) const;
    [[nodiscard]] bool counts_as_owner(const member& m, const group::topic_partition& p) const;
    void taken(member& by, const std::vector<group::topic_partition>& added);
    [[nodiscard]] std::set<group::topic_partition> granted_to(const std::string& id) const;
    /// Why the group is not settled; empty: it is.
    [[nodiscard]] std::string unsettled() const;
};

}  // namespace group_world
