// Ways into each state of a member of the classic protocol, and all that can happen there.
#pragma once
#include "membership_rig.hpp"

namespace membership_rig {

using classic_rig = rig<group::classic_membership_fsm>;

struct classic_way {
    const char* name;
    bool cooperative;
    std::function<void(classic_rig&)> go;
};

inline classic_rig make_classic(bool cooperative, group::membership_settings s = settings()) {
    classic_rig r;
    r.machine = std::make_unique<group::classic_membership_fsm>(
        std::move(s), group::strategies{std::make_shared<plain_assignor>(cooperative ? "cooperative" : "eager", cooperative)});
    r.step(group::polled{true});
    return r;
}

inline messages::join_group_response join_answer(const classic_rig& r, std::int32_t generation, bool leads,
                                                 const std::string& member = "me") {
    messages::join_group_response a;
    a.generation_id = generation;
    a.protocol_type = "consumer";
    a.protocol_name = r.machine->cooperative() ? "cooperative" : "eager";
    a.member_id = member;
    a.leader = leads ? member : "another";
    const auto& asked = std::get<messages::join_group_request>(r.last_sent).protocols;
    if (leads && !asked.empty()) {
        a.members.push_back({member, {}, asked.front().metadata, {}});
        a.members.push_back({"another", {}, asked.front().metadata, {}});
    }
    return a;
}

inline messages::sync_group_response sync_answer(const std::vector<topic_partitions>& of) {
    messages::sync_group_response a;
    a.assignment = assignment(of);
    return a;
}

template <class Response>
Response refused(broker_errc code) {
    Response r;
    r.error_code = static_cast<std::int16_t>(code);
    return r;
}

inline void join(classic_rig& r) {
    r.step(group::subscribe{{{"a"}, {}}});
    r.step(group::coordinator_found{1});
}
inline void sync(classic_rig& r, std::int32_t generation = 1) { r.answer(join_answer(r, generation, false)); }
inline void adopt(classic_rig& r) { r.answer(sync_answer({{"a", {0, 1}}})); }
inline void settle(classic_rig& r) {
    join(r);
    sync(r);
    adopt(r);
    r.done();
    r.now += 3s;
    r.step(group::tick{});  // a heartbeat is in flight
}

inline std::vector<classic_way> classic_ways() {
    return {
        {"unjoined", true, [](auto&) {}},
        {"joining", true, [](auto& r) { join(r); }},
        {"joining again", true,
         [](auto& r) {
             settle(r);
             r.beat(broker_errc::rebalance_in_progress);
         }},
        {"assigning", true,
         [](auto& r) {
             join(r);
             r.answer(join_answer(r, 1, true));
             r.after(3s);
         }},
        {"syncing", true,
         [](auto& r) {
             join(r);
             sync(r);
         }},
        {"adopting", true,
         [](auto& r) {
             join(r);
             sync(r);
             adopt(r);
             r.after(3s);
         }},
        {"stable", true, [](auto& r) { settle(r); }},
        {"stable, eager", false, [](auto& r) { settle(r); }},
        {"revoking to join", false,
         [](auto& r) {
             settle(r);
             r.beat(broker_errc::rebalance_in_progress);
             r.after(3s);
         }},
        {"revoking to adopt", true,
         [](auto& r) {
             settle(r);
             r.beat(broker_errc::rebalance_in_progress);
             sync(r, 2);
             r.answer(sync_answer({{"a", {0, 2}}}));
             r.after(3s);
         }},
        {"revoking to leave", true,
         [](auto& r) {
             settle(r);
             r.step(group::leave{{}, r.now + 10s, {}});
             r.beat(broker_errc::none);
             r.after(3s);
         }},
        {"leaving", true,
         [](auto& r) {
             settle(r);
             r.step(group::subscribe{});
             r.done();
         }},
        {"leaving to park", true,
         [](auto& r) {
             settle(r);
             r.step(group::polled{false});
             r.beat(broker_errc::none);
             for (int i = 0; i < 100; ++i) {
                 r.after(3s);
                 r.beat(broker_errc::none);
             }
         }},
        {"parked", true,
         [](auto& r) {
             settle(r);
             r.step(group::polled{false});
             r.beat(broker_errc::none);
             for (int i = 0; i < 100; ++i) {
                 r.after(3s);
                 r.beat(broker_errc::none);
             }
             r.answer(messages::leave_group_response{});
         }},
        {"gone", true,
         [](auto& r) {
             r.step(group::leave{{}, r.now, {}});
         }},
        {"broken", true,
         [](auto& r) {
             join(r);
             r.answer(refused<messages::join_group_response>(broker_errc::invalid_session_timeout));
         }},
    };
}

struct classic_happening {
    const char* name;
    std::function<std::string(classic_rig&)> happen;
};

inline std::vector<classic_happening> classic_happenings() {
    using namespace group;
    return {
        {"subscribe a b",
         [](auto& r) {
             return r.step(subscribe{{{"a", "b"}, {}}});
         }},
        {"subscribe b",
         [](auto& r) {
             return r.step(subscribe{{{"b"}, {}}});
         }},
        {"subscribe nothing", [](auto& r) { return r.step(subscribe{}); }},
        {"metadata",
         [](auto& r) {
             return r.step(metadata_changed{topics({{"a", 3}})});
         }},
        {"coordinator found", [](auto& r) { return r.step(coordinator_found{1}); }},
        {"coordinator moved", [](auto& r) { return r.step(coordinator_found{2}); }},
        {"coordinator lost", [](auto& r) { return r.step(coordinator_lost{}); }},
        {"coordinator failed", [](auto& r) { return r.step(coordinator_failed{error{make_error_code(broker_errc::invalid_group_id)}}); }},
        {"join answered",
         [](auto& r) {
             return std::holds_alternative<messages::join_group_request>(r.last_sent) ? r.answer(join_answer(r, 7, false))
                                                                                      : r.answer(messages::join_group_response{});
         }},
        {"join leads",
         [](auto& r) {
             return std::holds_alternative<messages::join_group_request>(r.last_sent) ? r.answer(join_answer(r, 7, true))
                                                                                      : r.answer(messages::join_group_response{});
         }},
        {"sync answered",
         [](auto& r) {
             return r.answer(sync_answer({{"a", {1, 2}}}));
         }},
        {"heartbeat answered", [](auto& r) { return r.beat(broker_errc::none); }},
        {"heartbeat: rebalance", [](auto& r) { return r.beat(broker_errc::rebalance_in_progress); }},
        {"heartbeat: unknown", [](auto& r) { return r.beat(broker_errc::unknown_member_id); }},
        {"leave answered", [](auto& r) { return r.answer(messages::leave_group_response{}); }},
        {"other protocol's answer", [](auto& r) { return r.answer(messages::consumer_group_heartbeat_response{}); }},
        {"old answer",
         [](auto& r) {
             return r.step(answered{999, 9, sync_answer({{"a", {5}}})});
         }},
        {"request failed", [](auto& r) { return r.fail(make_error_code(errc::connection_closed)); }},
        {"heartbeat failed",
         [](auto& r) {
             return r.step(request_failed{r.heartbeat_request, error{make_error_code(errc::connection_closed)}});
         }},
        {"callback done", [](auto& r) { return r.done(); }},
        {"old callback done", [](auto& r) { return r.step(callback_done{999}); }},
        {"poll waits", [](auto& r) { return r.step(polled{true}); }},
        {"poll over", [](auto& r) { return r.step(polled{false}); }},
        {"commit: rebalance",
         [](auto& r) {
             return r.step(commit_refused{broker_errc::rebalance_in_progress, r.machine->view().generation});
         }},
        {"commit: unknown",
         [](auto& r) {
             return r.step(commit_refused{broker_errc::unknown_member_id, r.machine->view().generation});
         }},
        {"commit, old",
         [](auto& r) {
             return r.step(commit_refused{broker_errc::unknown_member_id, 5});
         }},
        {"rejoin asked", [](auto& r) { return r.step(rejoin_requested{"why not"}); }},
        {"leave",
         [](auto& r) {
             return r.step(leave{{}, r.now + 10s, {}});
         }},
        {"leave untold",
         [](auto& r) {
             return r.step(leave{false, r.now + 10s, {}});
         }},
        {"tick", [](auto& r) { return r.step(tick{}); }},
        {"1 s", [](auto& r) { return r.after(1s); }},
        {"60 s", [](auto& r) { return r.after(60s); }},
        {"1 h", [](auto& r) { return r.after(1h); }},
    };
}

}  // namespace membership_rig
