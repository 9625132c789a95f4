// Ways into each state of a member of the consumer protocol (KIP-848), and all that can happen there.
#pragma once
#include "membership_rig.hpp"

namespace membership_rig {

using consumer_rig = rig<group::consumer_membership_fsm>;

struct consumer_way {
    const char* name;
    std::function<void(consumer_rig&)> go;
};

inline consumer_rig make_consumer(group::membership_settings s = settings()) {
    consumer_rig r;
    r.machine = std::make_unique<group::consumer_membership_fsm>(std::move(s));
    r.step(group::polled{true});
    r.step(group::metadata_changed{topics({{"a", 6}, {"b", 6}})});
    return r;
}

// The topic's id ends with the first letter of its name.
inline messages::consumer_group_heartbeat_response beat_answer(std::int32_t epoch, std::optional<std::vector<topic_partitions>> of = {},
                                                               broker_errc code = broker_errc::none) {
    messages::consumer_group_heartbeat_response a;
    a.error_code = static_cast<std::int16_t>(code);
    a.member_epoch = epoch;
    a.heartbeat_interval_ms = 5000;
    if (of) {
        a.assignment.emplace();
        for (const auto& t : *of) {
            auto& to = a.assignment->topic_partitions.emplace_back();
            to.topic_id.octets[15] = static_cast<std::uint8_t>(t.topic[0]);
            to.partitions = t.partitions;
        }
    }
    return a;
}
using given = std::vector<topic_partitions>;

inline void join(consumer_rig& r) {
    r.step(group::subscribe{{{"a"}, {}}});
    r.step(group::coordinator_found{1});
}
inline void settle(consumer_rig& r) {
    join(r);
    r.answer(beat_answer(1, given{{"a", {0, 1}}}));
    r.done();
    r.answer(beat_answer(1));
    r.after(5s);  // a heartbeat is in flight
}

inline std::vector<consumer_way> consumer_ways() {
    const auto to_park = [](consumer_rig& r) {
        settle(r);
        r.answer(beat_answer(1));
        r.step(group::polled{false});
        for (int i = 0; i < 60; ++i) {
            r.after(5s);
            if (r.state() == "stable") r.answer(beat_answer(1));
        }
    };
    return {
        {"unjoined", [](auto&) {}},
        {"joining", [](auto& r) { join(r); }},
        {"stable", [](auto& r) { settle(r); }},
        {"stable with nothing yet",
         [](auto& r) {
             join(r);
             r.answer(beat_answer(1));
             r.after(5s);
         }},
        {"stable, names unknown",
         [](auto& r) {
             settle(r);
             r.answer(beat_answer(2, given{{"a", {0, 1}}, {"c", {3}}}));
             r.answer(beat_answer(2));
             r.after(5s);
         }},
        {"revoking to reconcile",
         [](auto& r) {
             settle(r);
             r.answer(beat_answer(2, given{{"a", {0}}}));
             r.after(5s);
         }},
        {"revoking to leave",
         [](auto& r) {
             settle(r);
             r.step(group::leave{{}, r.now + 10s, {}});
             r.answer(beat_answer(1));
             r.after(5s);
         }},
        {"adopting",
         [](auto& r) {
             join(r);
             r.answer(beat_answer(1, given{{"a", {0, 1}}}));
             r.after(5s);
         }},
        {"acknowledging",
         [](auto& r) {
             join(r);
             r.answer(beat_answer(1, given{{"a", {0, 1}}}));
             r.done();
         }},
        {"leaving",
         [](auto& r) {
             settle(r);
             r.step(group::subscribe{});
             r.done();
         }},
        {"leaving to park", to_park},
        {"parked",
         [to_park](auto& r) {
             to_park(r);
             r.answer(beat_answer(-1));
         }},
        {"gone",
         [](auto& r) {
             r.step(group::leave{{}, r.now, {}});
         }},
        {"broken",
         [](auto& r) {
             join(r);
             r.answer(beat_answer(0, {}, broker_errc::unsupported_assignor));
         }},
    };
}

struct consumer_happening {
    const char* name;
    std::function<std::string(consumer_rig&)> happen;
};

inline std::vector<consumer_happening> consumer_happenings() {
    using namespace group;
    return {
        {"subscribe a b",
         [](auto& r) {
             return r.step(subscribe{{{"a", "b"}, {}}});
         }},
        {"subscribe regex",
         [](auto& r) {
             return r.step(subscribe{{{}, "b.*"}});
         }},
        {"subscribe nothing", [](auto& r) { return r.step(subscribe{}); }},
        {"metadata",
         [](auto& r) {
             return r.step(metadata_changed{topics({{"a", 6}, {"c", 6}})});
         }},
        {"coordinator found", [](auto& r) { return r.step(coordinator_found{1}); }},
        {"coordinator moved", [](auto& r) { return r.step(coordinator_found{2}); }},
        {"coordinator lost", [](auto& r) { return r.step(coordinator_lost{}); }},
        {"coordinator failed", [](auto& r) { return r.step(coordinator_failed{error{make_error_code(broker_errc::invalid_group_id)}}); }},
        {"answered", [](auto& r) { return r.answer(beat_answer(2)); }},
        {"gives more",
         [](auto& r) {
             return r.answer(beat_answer(2, given{{"a", {0, 1, 2}}}));
         }},
        {"takes and gives",
         [](auto& r) {
             return r.answer(beat_answer(2, given{{"a", {1, 2}}}));
         }},
        {"gives nothing", [](auto& r) { return r.answer(beat_answer(2, given{})); }},
        {"gives an unknown topic",
         [](auto& r) {
             return r.answer(beat_answer(2, given{{"a", {0, 1}}, {"z", {0}}}));
         }},
        {"no epoch", [](auto& r) { return r.answer(beat_answer(0)); }},
        {"fenced epoch", [](auto& r) { return r.answer(beat_answer(0, {}, broker_errc::fenced_member_epoch)); }},
        {"other protocol's answer", [](auto& r) { return r.answer(messages::heartbeat_response{}); }},
        {"old answer",
         [](auto& r) {
             return r.step(answered{999, 1, beat_answer(9, given{})});
         }},
        {"request failed", [](auto& r) { return r.fail(make_error_code(errc::connection_closed)); }},
        {"callback done", [](auto& r) { return r.done(); }},
        {"old callback done", [](auto& r) { return r.step(callback_done{999}); }},
        {"poll waits", [](auto& r) { return r.step(polled{true}); }},
        {"poll over", [](auto& r) { return r.step(polled{false}); }},
        {"commit: stale",
         [](auto& r) {
             return r.step(commit_refused{broker_errc::stale_member_epoch, r.machine->view().generation});
         }},
        {"commit, old",
         [](auto& r) {
             return r.step(commit_refused{broker_errc::unknown_member_id, 77});
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
