// Helpers for tests of memberships: a machine that is stepped by hand, what it said last in few words, and ways into each of its states.
#pragma once
#include <algorithm>
#include <functional>
#include <string>

#include "group/classic_membership_fsm.hpp"
#include "group/consumer_membership_fsm.hpp"
#include "group/subscription.hpp"

namespace membership_rig {

using namespace kafkawire;
using namespace std::chrono_literals;
namespace messages = protocol::messages;
using group::time_point;

// The leader gets everything: tests say themselves who has what.
class plain_assignor final : public assignor {
public:
    plain_assignor(std::string name, bool cooperative) : name_{std::move(name)}, cooperative_{cooperative} {}
    [[nodiscard]] std::string_view name() const noexcept override { return name_; }
    [[nodiscard]] rebalance_protocols protocols() const noexcept override { return {true, cooperative_}; }
    [[nodiscard]] group_assignment assign(const group_view& g) override {
        if (fails) throw std::runtime_error("no idea");
        if (how) return how(g);
        group_assignment a(g.members.size());
        for (const auto& t : g.topics)
            for (std::int32_t p = 0; p < t.partitions; ++p) a.front().partitions.push_back({t.name, {p}});
        return a;
    }
    bool fails = false;
    std::function<group_assignment(const group_view&)> how{};

private:
    std::string name_;
    bool cooperative_;
};

inline protocol::bytes assignment(const std::vector<topic_partitions>& of) {
    group::assignment_message m;
    for (const auto& t : of) m.assigned_partitions.push_back({t.topic, t.partitions, {}});
    protocol::bytes b;
    (void)group::write_assignment(m, b);
    return b;
}

// "revoking" of "revoking to join".
inline std::string state_in(std::string_view way) { return std::string{way.substr(0, way.find_first_of(" ,"))}; }

inline std::string text(const std::vector<group::topic_partition>& of) {
    std::string all;
    for (const auto& p : of) all += (all.empty() ? "" : " ") + p.topic + std::to_string(p.partition);
    return all;
}

inline std::string name_of(const group::message& m) {
    static constexpr const char* names[] = {"JoinGroup", "SyncGroup", "Heartbeat", "LeaveGroup", "ConsumerGroupHeartbeat"};
    std::string name = names[m.index()];
    if (const auto* h = std::get_if<messages::consumer_group_heartbeat_request>(&m))
        name += "(" + std::to_string(h->member_epoch) + (h->rebalance_timeout_ms >= 0 ? " all" : "") + (h->topic_partitions ? " has" : "") +
                ")";
    return name;
}

inline std::string describe(const group::action& a) {
    struct {
        std::string operator()(const group::send& s) const { return "send " + name_of(s.what) + (s.apart ? " apart" : ""); }
        std::string operator()(const group::want_coordinator&) const { return "want coordinator"; }
        std::string operator()(const group::doubt_coordinator& d) const { return "doubt " + std::to_string(d.node); }
        std::string operator()(const group::trust_coordinator& d) const { return "trust " + std::to_string(d.node); }
        std::string operator()(const group::watch_topics& w) const {
            std::string all = "watch";
            for (const auto& n : w.names) all += " " + n;
            for (const auto& i : w.ids) all += " #" + std::to_string(i.octets[15]);
            return all;
        }
        std::string operator()(const group::revoke& r) const { return "revoke " + text(r.partitions); }
        std::string operator()(const group::assign& r) const { return "assign [" + text(r.added) + "]"; }
        std::string operator()(const group::lose& r) const { return r.partitions.empty() ? "lose what goes" : "lose " + text(r.partitions); }
        std::string operator()(const group::rebalanced&) const { return "rebalanced"; }
        std::string operator()(const group::trouble&) const { return "trouble"; }
        std::string operator()(const group::membership_failed&) const { return "failed"; }
        std::string operator()(const group::left&) const { return "left"; }
    } in_words;
    return std::visit(in_words, a);
}

inline std::string describe(const group::actions& of) {
    std::string all;
    for (const auto& a : of) all += (all.empty() ? "" : ", ") + describe(a);
    return all;
}

template <class Machine>
struct rig {
    time_point now = time_point{} + 1000h;
    std::unique_ptr<Machine> machine;
    group::actions out{};
    std::uint64_t last_callback = 0, main_request = 0, heartbeat_request = 0;
    group::message last_sent{};

    std::string step(group::event e) {
        out.clear();
        machine->step(std::move(e), now, out);
        for (const auto& a : out) {
            if (const auto* s = std::get_if<group::send>(&a)) {
                (std::holds_alternative<messages::heartbeat_request>(s->what) ? heartbeat_request : main_request) = s->request;
                last_sent = s->what;
            }
            if (const auto* r = std::get_if<group::revoke>(&a)) last_callback = r->callback;
            if (const auto* r = std::get_if<group::assign>(&a)) last_callback = r->callback;
            if (const auto* r = std::get_if<group::lose>(&a)) last_callback = r->callback;
        }
        return describe(out);
    }
    std::string answer(group::answer a, std::int16_t version = 9) { return step(group::answered{main_request, version, std::move(a)}); }
    std::string beat(std::int16_t code) {
        messages::heartbeat_response r;
        r.error_code = code;
        return step(group::answered{heartbeat_request, 4, r});
    }
    std::string beat(broker_errc code) { return beat(static_cast<std::int16_t>(code)); }
    std::string done() { return step(group::callback_done{last_callback}); }
    std::string after(std::chrono::nanoseconds d) {
        now += d;
        return step(group::tick{});
    }
    std::string fail(std::error_code c) { return step(group::request_failed{main_request, error{c}}); }
    std::string state() const { return std::string{machine->view().state}; }
    template <class T>
    const T& sent() const {
        return std::get<T>(last_sent);
    }
};

inline group::membership_settings settings() {
    group::membership_settings s;
    s.group = "g";
    s.member_id = "m";
    return s;
}

inline std::shared_ptr<group::known_topics> topics(std::initializer_list<std::pair<const char*, int>> of) {
    auto all = std::make_shared<group::known_topics>();
    for (const auto& [name, n] : of) {
        auto& t = (*all)[name];
        t.partitions = n;
        t.id.octets[15] = static_cast<std::uint8_t>(name[0]);
    }
    return all;
}

}  // namespace membership_rig
