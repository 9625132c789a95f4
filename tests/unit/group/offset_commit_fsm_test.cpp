// Commits of a group: order, merging, retries, members that move on, partitions that are lost; and every error code of OffsetCommit.
#include "group/offset_commit_fsm.hpp"

#include "catch.hpp"

namespace commit_tests {

using namespace kafkawire;
using namespace kafkawire::group::commits;
using kafkawire::group::partition_set;
using kafkawire::group::topic_partition;
using namespace std::chrono_literals;
namespace offsets = kafkawire::group::offsets;

namespace {

const topic_partition commit_p0{"t", 0}, commit_p1{"t", 1}, commit_q0{"u", 0};

// The machine with a coordinator and a member, and what it has said since the last look.
struct commit_rig {
    offset_commit_fsm fsm{{.group = "g"}};
    time_point now{};
    actions out;

    explicit commit_rig(bool ready = true) {
        if (!ready) return;
        step(member_changed{identity{"m", std::nullopt, 5}, partition_set{commit_p0, commit_p1, commit_q0}});
        step(coordinator_found{1});
        out.clear();
    }
    void step(event e) { fsm.step(std::move(e), now, out); }
    void commit(call_id call, std::map<topic_partition, position> what, bool waited_for = true, std::optional<time_point> deadline = {}) {
        step(commit_requested{call, std::move(what), waited_for, deadline});
    }
    template <class Action>
    std::vector<Action> take() {
        std::vector<Action> all;
        actions rest;
        for (auto& a : out)
            if (auto* x = std::get_if<Action>(&a)) all.push_back(std::move(*x));
            else rest.push_back(std::move(a));
        out = std::move(rest);
        return all;
    }
    send sent() {
        auto all = take<send>();
        REQUIRE(all.size() == 1);
        return all[0];
    }
    complete completed() {
        auto all = take<complete>();
        REQUIRE(all.size() == 1);
        return all[0];
    }
    // An answer that says `code` of every partition.
    static messages::offset_commit_response answer_to(const send& s, std::int16_t code) {
        messages::offset_commit_response r;
        for (const auto& t : s.what.topics) {
            auto& to = r.topics.emplace_back();
            to.name = t.name;
            for (const auto& p : t.partitions) to.partitions.push_back({p.partition_index, code, {}});
        }
        return r;
    }
    void answer(const send& s, broker_errc code) { step(answered{s.request, 9, answer_to(s, static_cast<std::int16_t>(code))}); }
    void answer(const send& s) { step(answered{s.request, 9, answer_to(s, 0)}); }
    void wake() {
        const auto at = fsm.next_wakeup();
        REQUIRE(at);
        now = *at;
        step(tick{});
    }
    std::string_view state_name() const { return name_of(fsm.where()); }
};

std::int64_t offset_in(const send& s, const topic_partition& where) {
    for (const auto& t : s.what.topics)
        for (const auto& p : t.partitions)
            if (t.name == where.topic && p.partition_index == where.partition) return p.committed_offset;
    return -1;
}

constexpr auto every_code_from = -1, every_code_to = 140;

}  // namespace

TEST_CASE("commit: with its id a topic is never taken for another one of its name") {
    commit_rig r;
    protocol::uuid id;
    id.octets[0] = 7;
    r.commit(1, {{commit_p0, {10, 3, "", id}}});
    const auto s = r.sent();
    CHECK(s.versions.contains(10));
    CHECK(s.what.topics[0].topic_id == id);
    auto by_id = commit_rig::answer_to(s, 0);
    by_id.topics[0].name.clear();  // from version 10 on an answer has no names
    by_id.topics[0].topic_id = id;
    r.step(answered{s.request, 10, by_id});
    CHECK_FALSE(r.completed().why);
    // One whose id is not known makes all go by their names.
    r.commit(2, {{commit_p0, {11, 3, "", id}}, {commit_q0, {7}}});
    CHECK_FALSE(r.sent().versions.contains(10));
}

TEST_CASE("commit: a call is one request, and completes with it") {
    commit_rig r;
    r.commit(1, {{commit_p0, {10, 3, "note"}}, {commit_q0, {7}}});
    const auto s = r.sent();
    CHECK(s.node == 1);
    CHECK(s.what.group_id == "g");
    CHECK(s.what.member_id == "m");
    CHECK(s.what.generation_id_or_member_epoch == 5);
    REQUIRE(s.what.topics.size() == 2);
    CHECK(s.what.topics[0].partitions[0].committed_leader_epoch == 3);
    CHECK(s.what.topics[0].partitions[0].committed_metadata == "note");
    CHECK(offset_in(s, commit_q0) == 7);
    CHECK_FALSE(s.versions.contains(10));
    r.answer(s);
    const auto c = r.completed();
    CHECK(c.call == 1);
    CHECK_FALSE(c.why);
    CHECK(c.partitions.size() == 2);
    CHECK(r.state_name() == "idle");
    CHECK_FALSE(r.fsm.next_wakeup());
}

TEST_CASE("commit: a call for nothing completes at once") {
    commit_rig r;
    r.commit(1, {});
    CHECK_FALSE(r.completed().why);
    CHECK(r.out.empty());
}

TEST_CASE("commit: one request at a time, and the newest position where nobody waits") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}}, false);
    const auto first = r.sent();
    r.commit(2, {{commit_p0, {2}}}, false);
    r.commit(3, {{commit_p0, {3}}, {commit_p1, {30}}}, false);
    CHECK(r.take<send>().empty());
    r.answer(first);
    CHECK(r.completed().call == 1);
    const auto second = r.sent();
    CHECK(offset_in(second, commit_p0) == 3);
    CHECK(offset_in(second, commit_p1) == 30);
    r.answer(second);
    CHECK(r.take<complete>().size() == 2);
    CHECK(r.fsm.waiting() == 0);
}

TEST_CASE("commit: a position that somebody waits for is sent before a newer one") {
    commit_rig r;
    r.commit(1, {{commit_q0, {0}}});
    const auto busy = r.sent();
    r.commit(2, {{commit_p0, {2}}}, true);
    r.commit(3, {{commit_p0, {3}}, {commit_p1, {30}}}, true);
    r.answer(busy);
    r.completed();
    const auto second = r.sent();
    CHECK(offset_in(second, commit_p0) == 2);
    CHECK(offset_in(second, commit_p1) == 30);  // the rest of the third call need not wait
    r.answer(second);
    CHECK(r.completed().call == 2);
    const auto third = r.sent();
    CHECK(offset_in(third, commit_p0) == 3);
    CHECK(offset_in(third, commit_p1) == -1);
    r.answer(third);
    CHECK(r.completed().call == 3);
}

TEST_CASE("commit: a position that goes back is committed as it was said") {
    commit_rig r;
    r.commit(1, {{commit_p0, {100}}}, false);
    r.answer(r.sent());
    r.completed();
    r.commit(2, {{commit_p0, {50}}}, false);
    CHECK(offset_in(r.sent(), commit_p0) == 50);
}

TEST_CASE("commit: without a coordinator it is asked for once") {
    commit_rig r{false};
    r.commit(1, {{commit_p0, {1}}});
    r.commit(2, {{commit_p1, {1}}});
    CHECK(r.take<want_coordinator>().size() == 1);
    CHECK(r.state_name() == "looking");
    r.step(coordinator_found{4});
    const auto s = r.sent();
    CHECK(s.node == 4);
    CHECK(s.what.generation_id_or_member_epoch == -1);  // no member: partitions assigned by hand
    CHECK(s.what.member_id.empty());
    r.answer(s);
    CHECK(r.take<complete>().size() == 2);
}

TEST_CASE("commit: a coordinator that cannot be found for good ends all calls") {
    commit_rig r{false};
    r.commit(1, {{commit_p0, {1}}});
    error why;
    why.code = make_error_code(broker_errc::group_authorization_failed);
    r.step(coordinator_failed{why});
    CHECK(r.completed().why.code == broker_errc::group_authorization_failed);
    CHECK(r.state_name() == "idle");
}

TEST_CASE("commit: every error code of the answer does what the table says") {
    for (int code = every_code_from; code <= every_code_to; ++code) {
        if (code == 0) continue;
        INFO("code " << code);
        commit_rig r;
        r.commit(1, {{commit_p0, {1}}});
        const auto s = r.sent();
        r.answer(s, static_cast<broker_errc>(code));
        switch (offsets::meaning_of(offsets::api::commit, static_cast<std::int16_t>(code))) {
            case offsets::meaning::again:
                CHECK(r.state_name() == "pausing");
                CHECK(r.take<complete>().empty());
                r.wake();
                r.answer(r.sent());
                CHECK_FALSE(r.completed().why);
                break;
            case offsets::meaning::elsewhere: {
                const auto doubted = r.take<doubt_coordinator>();
                REQUIRE(doubted.size() == 1);
                CHECK(doubted[0].node == 1);
                CHECK(r.take<want_coordinator>().size() == 1);
                CHECK(r.state_name() == "looking");
                r.step(coordinator_found{2});
                const auto again = r.sent();
                CHECK(again.node == 2);
                r.answer(again);
                CHECK_FALSE(r.completed().why);
                break;
            }
            case offsets::meaning::renew: {
                const auto refused = r.take<member_refused>();
                REQUIRE(refused.size() == 1);
                CHECK(static_cast<int>(refused[0].code) == code);
                CHECK(refused[0].generation == 5);
                CHECK(r.state_name() == "renewing");
                r.step(member_changed{identity{"m", std::nullopt, 6}, partition_set{commit_p0}});
                const auto again = r.sent();
                CHECK(again.what.generation_id_or_member_epoch == 6);
                r.answer(again);
                CHECK_FALSE(r.completed().why);
                break;
            }
            case offsets::meaning::gone: {
                CHECK(r.take<member_refused>().size() == 1);
                const auto c = r.completed();
                CHECK(c.why.code.value() == code);
                CHECK(c.why.api_key == 8);
                break;
            }
            case offsets::meaning::refused: {
                const auto c = r.completed();
                CHECK(c.why.code.value() == code);
                CHECK(c.why.code.category() == broker_category());
                CHECK(r.state_name() == "idle");
                break;
            }
            default: FAIL_CHECK("a commit cannot mean that");
        }
    }
}

TEST_CASE("commit: what the codes of OffsetCommit mean") {
    using offsets::meaning;
    const auto means = [](broker_errc c) { return offsets::meaning_of(offsets::api::commit, static_cast<std::int16_t>(c)); };
    for (const auto c : {broker_errc::coordinator_not_available, broker_errc::not_coordinator, broker_errc::request_timed_out}) CHECK(means(c) == meaning::elsewhere);
    for (const auto c : {broker_errc::coordinator_load_in_progress, broker_errc::unknown_topic_or_partition, broker_errc::unknown_topic_id}) CHECK(means(c) == meaning::again);
    for (const auto c : {broker_errc::rebalance_in_progress, broker_errc::illegal_generation, broker_errc::stale_member_epoch}) CHECK(means(c) == meaning::renew);
    for (const auto c : {broker_errc::unknown_member_id, broker_errc::fenced_member_epoch, broker_errc::fenced_instance_id}) CHECK(means(c) == meaning::gone);
    for (const auto c : {broker_errc::offset_metadata_too_large, broker_errc::invalid_commit_offset_size, broker_errc::topic_authorization_failed,
                         broker_errc::group_authorization_failed, broker_errc::invalid_group_id, broker_errc::unsupported_version, broker_errc::group_id_not_found})
        CHECK(means(c) == meaning::refused);
    CHECK(offsets::meaning_of(offsets::api::commit, 0) == meaning::done);
    CHECK(offsets::meaning_of(offsets::api::commit, 31'000) == meaning::refused);
}

TEST_CASE("commit: partitions of one call can end differently") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}, {commit_p1, {2}}, {commit_q0, {3}}});
    const auto s = r.sent();
    auto a = commit_rig::answer_to(s, 0);
    a.topics[0].partitions[1].error_code = static_cast<std::int16_t>(broker_errc::coordinator_load_in_progress);
    a.topics[1].partitions[0].error_code = static_cast<std::int16_t>(broker_errc::topic_authorization_failed);
    r.step(answered{s.request, 9, a});
    CHECK(r.take<complete>().empty());
    r.wake();
    const auto again = r.sent();
    CHECK(offset_in(again, commit_p1) == 2);
    CHECK(offset_in(again, commit_p0) == -1);
    r.answer(again);
    const auto c = r.completed();
    CHECK(c.why.code == broker_errc::topic_authorization_failed);
    CHECK_FALSE(c.why.hint.empty());
    CHECK_FALSE(c.partitions.at(commit_p0));
    CHECK_FALSE(c.partitions.at(commit_p1));
    CHECK(c.partitions.at(commit_q0));
}

TEST_CASE("commit: an answer that leaves a partition out, or brings others, is asked again") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}});
    const auto s = r.sent();
    messages::offset_commit_response a;
    auto& t = a.topics.emplace_back();
    t.name = "other";
    t.partitions.push_back({0, 0, {}});
    r.step(answered{s.request, 9, a});
    CHECK(r.state_name() == "pausing");
    CHECK(r.take<complete>().empty());
}

TEST_CASE("commit: no answer means another try at whoever is the coordinator then") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}});
    const auto s = r.sent();
    error why;
    why.code = make_error_code(errc::connection_closed);
    r.step(request_failed{s.request, why});
    CHECK(r.take<doubt_coordinator>().size() == 1);
    r.step(coordinator_found{1});
    const auto again = r.sent();
    r.step(answered{s.request, 9, commit_rig::answer_to(s, 0)});  // of the old request: nobody asks for it any more
    CHECK(r.take<complete>().empty());
    r.answer(again);
    CHECK_FALSE(r.completed().why);
}

TEST_CASE("commit: a closed client ends the call") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}});
    const auto s = r.sent();
    error why;
    why.code = make_error_code(errc::client_closed);
    r.step(request_failed{s.request, why});
    CHECK(r.completed().why.code == errc::client_closed);
}

TEST_CASE("commit: what is not owned is left out and told") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}, {{"foreign", 0}, {2}}});
    const auto s = r.sent();
    CHECK(offset_in(s, {"foreign", 0}) == -1);
    r.answer(s);
    const auto c = r.completed();
    CHECK(c.why.code == broker_errc::illegal_generation);
    CHECK_FALSE(c.partitions.at(commit_p0));
}

TEST_CASE("commit: a partition that is lost while its commit waits is not committed when it comes back") {
    commit_rig r;
    r.step(coordinator_lost{});
    r.commit(1, {{commit_p0, {100}}, {commit_p1, {7}}});
    r.step(member_changed{identity{"m", std::nullopt, 5}, partition_set{commit_p1}});
    r.step(member_changed{identity{"m", std::nullopt, 6}, partition_set{commit_p0, commit_p1}});
    r.step(coordinator_found{1});
    const auto s = r.sent();
    CHECK(offset_in(s, commit_p0) == -1);
    CHECK(offset_in(s, commit_p1) == 7);
    r.answer(s);
    CHECK(r.completed().partitions.at(commit_p0).code == broker_errc::illegal_generation);
}

TEST_CASE("commit: a partition that is lost while its commit is on its way: the answer is the truth, and there is no second try") {
    for (const bool well : {true, false}) {
        commit_rig r;
        r.commit(1, {{commit_p0, {100}}});
        const auto s = r.sent();
        r.step(member_changed{identity{"m", std::nullopt, 5}, partition_set{}});
        r.step(member_changed{identity{"m", std::nullopt, 6}, partition_set{commit_p0}});
        CHECK(r.take<complete>().empty());
        if (well) {
            r.answer(s);
            CHECK_FALSE(r.completed().why);
        } else {
            r.answer(s, broker_errc::coordinator_load_in_progress);
            CHECK(r.completed().why.code == broker_errc::illegal_generation);
        }
        CHECK(r.take<send>().empty());
    }
}

TEST_CASE("commit: a member that has moved on already is not asked to") {
    for (const auto code : {broker_errc::stale_member_epoch, broker_errc::unknown_member_id, broker_errc::illegal_generation}) {
        commit_rig r;
        r.commit(1, {{commit_p0, {1}}});
        const auto s = r.sent();
        r.step(member_changed{identity{"m", std::nullopt, 6}, partition_set{commit_p0}});
        r.answer(s, code);
        CHECK(r.take<member_refused>().empty());
        CHECK(r.sent().what.generation_id_or_member_epoch == 6);
    }
}

TEST_CASE("commit: a member that does not move on is tried again all the same, after a second") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}});
    r.answer(r.sent(), broker_errc::stale_member_epoch);
    CHECK(r.fsm.next_wakeup() == r.now + 1s);
    r.wake();
    r.answer(r.sent());
    CHECK_FALSE(r.completed().why);
}

TEST_CASE("commit: whoever is no member now waits until it is") {
    commit_rig r;
    r.step(member_changed{std::nullopt, partition_set{commit_p0}});
    r.commit(1, {{commit_p0, {1}}});
    CHECK(r.out.empty());
    CHECK(r.state_name() == "renewing");
    CHECK_FALSE(r.fsm.next_wakeup());
    r.step(member_changed{identity{"n", "instance", 1}, partition_set{commit_p0}});
    const auto s = r.sent();
    CHECK(s.what.member_id == "n");
    CHECK(s.what.group_instance_id == "instance");
}

TEST_CASE("commit: a deadline ends the call and names the cause") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}}, true, r.now + 250ms);
    int sends = 0;
    while (r.fsm.waiting() != 0) {
        for (const auto& s : r.take<send>()) {
            ++sends;
            r.answer(s, broker_errc::coordinator_load_in_progress);
        }
        if (r.fsm.waiting() != 0) r.wake();
    }
    const auto c = r.completed();
    CHECK(sends >= 2);
    CHECK(c.why.code == errc::request_timed_out);
    REQUIRE(c.why.cause);
    CHECK(c.why.cause->code == broker_errc::coordinator_load_in_progress);
    CHECK(r.now == time_point{} + 250ms);
    CHECK(r.state_name() == "idle");
}

TEST_CASE("commit: after a newer position whose call is over before its answer, an older one is not tried again") {
    for (const bool canceled : {false, true}) {
        CAPTURE(canceled);
        commit_rig r;
        r.commit(1, {{commit_p0, {13}}}, false);
        const auto first = r.sent();
        r.commit(2, {{commit_p0, {15}}}, true, r.now + 5s);
        r.step(request_failed{first.request, error{errc::connection_closed}});
        if (r.state_name() == "pausing") r.wake();
        auto second = r.take<send>();
        if (second.empty()) {
            r.step(coordinator_found{1});
            second = r.take<send>();
        }
        REQUIRE(second.size() == 1);
        CHECK(offset_in(second[0], commit_p0) == 15);
        r.now += 5s;
        if (canceled) r.step(cancel_requested{2});
        else r.step(tick{});
        CHECK(r.completed().call == 2);
        r.step(request_failed{second[0].request, error{errc::connection_closed}});
        r.now += 2s;
        r.step(tick{});
        auto third = r.take<send>();
        if (third.empty()) {
            r.step(coordinator_found{1});
            third = r.take<send>();
        }
        REQUIRE(third.size() == 1);
        CHECK(offset_in(third[0], commit_p0) == 15);
        r.answer(third[0]);
        CHECK(r.completed().call == 1);
    }
}

TEST_CASE("commit: pauses grow to their limit") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}});
    std::chrono::nanoseconds last{};
    for (int i = 0; i < 8; ++i) {
        r.answer(r.sent(), broker_errc::coordinator_load_in_progress);
        const auto pause = *r.fsm.next_wakeup() - r.now;
        if (i == 0) CHECK(pause <= 120ms);
        CHECK(pause <= 1'200ms);
        last = pause;
        r.wake();
    }
    CHECK(last >= 800ms);
}

TEST_CASE("commit: a canceled call lets the others go on") {
    commit_rig r;
    r.commit(1, {{commit_p0, {1}}});
    r.commit(2, {{commit_p0, {2}}});
    const auto s = r.sent();
    r.step(cancel_requested{1});
    CHECK(r.completed().why.code == errc::canceled);
    r.answer(s);
    CHECK(offset_in(r.sent(), commit_p0) == 2);
}

TEST_CASE("commit: what older versions cannot say is taken out") {
    messages::offset_commit_request m;
    m.group_instance_id = "i";
    fit(m, 7);
    CHECK(m.group_instance_id);
    fit(m, 6);
    CHECK_FALSE(m.group_instance_id);
}

}  // namespace commit_tests
