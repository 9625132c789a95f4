// What a group has committed: answers, retries, and every error code of OffsetFetch, of the whole and of a partition.
#include "group/offset_fetch_fsm.hpp"

#include <kafkawire/protocol/codec.hpp>

#include "catch.hpp"

namespace fetch_tests {

using namespace kafkawire;
using namespace kafkawire::group::fetches;
using kafkawire::group::topic_partition;
using namespace std::chrono_literals;
namespace offsets = kafkawire::group::offsets;

namespace {

const topic_partition fetch_p0{"t", 0}, fetch_p1{"t", 1}, fetch_q0{"u", 0};

struct fetch_rig {
    offset_fetch_fsm fsm{{.group = "g"}};
    time_point now{};
    actions out;

    explicit fetch_rig(bool ready = true) {
        if (ready) step(coordinator_found{1});
        out.clear();
    }
    void step(event e) { fsm.step(std::move(e), now, out); }
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
    // An answer with offset 10 and `code` for each partition.
    static messages::offset_fetch_response answer_to(const send& s, std::int16_t code = 0) {
        messages::offset_fetch_response r;
        auto& g = r.groups.emplace_back();
        g.group_id = s.what.groups[0].group_id;
        for (const auto& t : *s.what.groups[0].topics) {
            auto& to = g.topics.emplace_back();
            to.name = t.name;
            for (const auto p : t.partition_indexes) to.partitions.push_back({p, code == 0 ? 10 : -1, 2, "note", code, {}});
        }
        return r;
    }
    void answer(const send& s, std::int16_t code = 0) { step(answered{s.request, 9, answer_to(s, code)}); }
    void wake() {
        const auto at = fsm.next_wakeup();
        REQUIRE(at);
        now = *at;
        step(tick{});
    }
    std::string_view state_name() const { return name_of(fsm.where()); }
};

// After an answer with a code, of the whole request or of its partition: what the table says is what happens.
void follow(fetch_rig& r, offsets::meaning means, int code) {
    switch (means) {
        case offsets::meaning::again:
            CHECK(r.state_name() == "pausing");
            r.wake();
            r.answer(r.sent());
            CHECK(r.completed().partitions.at(fetch_p0).offset == 10);
            break;
        case offsets::meaning::elsewhere:
            CHECK(r.take<doubt_coordinator>().size() == 1);
            CHECK(r.take<want_coordinator>().size() == 1);
            r.step(coordinator_found{2});
            r.answer(r.sent());
            CHECK(r.completed().partitions.at(fetch_p0).offset == 10);
            break;
        case offsets::meaning::renew:
            CHECK(r.take<member_refused>().size() == 1);
            CHECK(r.state_name() == "renewing");
            r.step(member_changed{{"m", 8}});
            r.answer(r.sent());
            CHECK(r.completed().partitions.at(fetch_p0).offset == 10);
            break;
        case offsets::meaning::gone:
            CHECK(r.take<member_refused>().size() == 1);
            CHECK(r.completed().why.code.value() == code);
            break;
        case offsets::meaning::missing: {
            const auto c = r.completed();
            CHECK_FALSE(c.why);
            CHECK(c.partitions.at(fetch_p0).offset == -1);
            break;
        }
        case offsets::meaning::refused: {
            const auto c = r.completed();
            CHECK(c.why.code.value() == code);
            CHECK(c.partitions.at(fetch_p0).why.api_key == 9);
            CHECK(r.state_name() == "idle");
            break;
        }
        case offsets::meaning::done: FAIL_CHECK("an error is not done");
    }
}

}  // namespace

TEST_CASE("offset fetch: what is committed, and what is not") {
    fetch_rig r;
    r.step(fetch_requested{1, {fetch_p0, fetch_p1, fetch_q0}});
    const auto s = r.sent();
    CHECK(s.what.require_stable);
    REQUIRE(s.what.groups.size() == 1);
    CHECK(s.what.groups[0].group_id == "g");
    CHECK_FALSE(s.what.groups[0].member_id);
    CHECK(s.what.groups[0].topics->size() == 2);
    CHECK_FALSE(s.versions.contains(10));
    auto a = fetch_rig::answer_to(s);
    a.groups[0].topics[0].partitions[1] = {1, -1, -1, "", 0, {}};
    r.step(answered{s.request, 9, a});
    const auto c = r.completed();
    CHECK_FALSE(c.why);
    CHECK(c.partitions.at(fetch_p0) == committed{10, 2, "note", {}});
    CHECK(c.partitions.at(fetch_p1).offset == -1);
    CHECK_FALSE(c.partitions.at(fetch_p1).why);
    CHECK(r.state_name() == "idle");
}

TEST_CASE("offset fetch: older versions have the group in other fields") {
    fetch_rig r;
    r.step(fetch_requested{1, {fetch_p0}});
    auto s = r.sent();
    const auto whole = s.what;
    fit(s.what, 8);
    CHECK(s.what == whole);
    fit(s.what, 7);
    CHECK(s.what.groups.empty());
    CHECK(s.what.group_id == "g");
    CHECK(s.what.require_stable);
    REQUIRE(s.what.topics->size() == 1);
    CHECK(s.what.topics->front().partition_indexes == std::vector<std::int32_t>{0});
    fit(s.what, 6);
    CHECK_FALSE(s.what.require_stable);
    for (std::int16_t version = 1; version <= 9; ++version) {
        auto m = whole;
        fit(m, version);
        protocol::bytes b;
        CHECK_FALSE(protocol::encode(m, version, b));
    }
    messages::offset_fetch_response a;
    auto& t = a.topics.emplace_back();
    t.name = "t";
    t.partitions.push_back({0, 77, -1, std::nullopt, 0, {}});
    r.step(answered{s.request, 5, a});
    CHECK(r.completed().partitions.at(fetch_p0).offset == 77);
}

TEST_CASE("offset fetch: every error code of the whole answer, and of a partition") {
    for (int code = -1; code <= 140; ++code) {
        if (code == 0) continue;
        INFO("code " << code);
        const auto means = offsets::meaning_of(offsets::api::fetch, static_cast<std::int16_t>(code));
        for (const bool whole : {true, false}) {
            INFO(whole);
            fetch_rig r;
            r.step(member_changed{{"m", 7}});
            r.step(fetch_requested{1, {fetch_p0}});
            const auto s = r.sent();
            CHECK(s.what.groups[0].member_id == "m");
            CHECK(s.what.groups[0].member_epoch == 7);
            auto a = fetch_rig::answer_to(s, whole ? std::int16_t{0} : static_cast<std::int16_t>(code));
            if (whole) a.groups[0].error_code = static_cast<std::int16_t>(code);
            r.step(answered{s.request, 9, a});
            follow(r, means, code);
        }
    }
}

TEST_CASE("offset fetch: what the codes of OffsetFetch mean") {
    using offsets::meaning;
    const auto means = [](broker_errc c) { return offsets::meaning_of(offsets::api::fetch, static_cast<std::int16_t>(c)); };
    for (const auto c : {broker_errc::coordinator_not_available, broker_errc::not_coordinator, broker_errc::request_timed_out}) CHECK(means(c) == meaning::elsewhere);
    for (const auto c : {broker_errc::coordinator_load_in_progress, broker_errc::unstable_offset_commit, broker_errc::unknown_topic_id}) CHECK(means(c) == meaning::again);
    CHECK(means(broker_errc::stale_member_epoch) == meaning::renew);
    for (const auto c : {broker_errc::unknown_member_id, broker_errc::fenced_member_epoch}) CHECK(means(c) == meaning::gone);
    for (const auto c : {broker_errc::group_id_not_found, broker_errc::unknown_topic_or_partition}) CHECK(means(c) == meaning::missing);
    for (const auto c : {broker_errc::group_authorization_failed, broker_errc::topic_authorization_failed, broker_errc::invalid_group_id}) CHECK(means(c) == meaning::refused);
}

TEST_CASE("offset fetch: a partition that a transaction may still change is asked for again, the others are not") {
    fetch_rig r;
    r.step(fetch_requested{1, {fetch_p0, fetch_p1}});
    const auto s = r.sent();
    auto a = fetch_rig::answer_to(s);
    a.groups[0].topics[0].partitions[0].error_code = static_cast<std::int16_t>(broker_errc::unstable_offset_commit);
    r.step(answered{s.request, 9, a});
    CHECK(r.take<complete>().empty());
    r.wake();
    const auto again = r.sent();
    CHECK(again.what.groups[0].topics->front().partition_indexes == std::vector<std::int32_t>{0});
    r.answer(again);
    CHECK(r.completed().partitions.size() == 2);
}

TEST_CASE("offset fetch: a question that came later is not answered by what was asked before") {
    fetch_rig r;
    r.step(fetch_requested{1, {fetch_p0}});
    const auto first = r.sent();
    r.step(fetch_requested{2, {fetch_p0}});  // perhaps after a commit that the first does not see
    r.answer(first);
    CHECK(r.completed().question == 1);
    const auto second = r.sent();
    r.answer(second);
    CHECK(r.completed().question == 2);
}

TEST_CASE("offset fetch: questions that wait are asked together") {
    fetch_rig r{false};
    r.step(fetch_requested{1, {fetch_p0}});
    r.step(fetch_requested{2, {fetch_p0, fetch_q0}});
    CHECK(r.take<want_coordinator>().size() == 1);
    r.step(coordinator_found{3});
    r.answer(r.sent());
    CHECK(r.take<complete>().size() == 2);
}

TEST_CASE("offset fetch: an answer of another group, or without the partition, is asked again") {
    fetch_rig r;
    r.step(fetch_requested{1, {fetch_p0}});
    const auto s = r.sent();
    auto a = fetch_rig::answer_to(s);
    a.groups[0].group_id = "other";
    r.step(answered{s.request, 9, a});
    CHECK(r.take<complete>().empty());
    CHECK(r.state_name() == "pausing");
}

TEST_CASE("offset fetch: no answer, a deadline, a cancel") {
    fetch_rig r;
    r.step(fetch_requested{1, {fetch_p0}, r.now + 1s});
    r.step(fetch_requested{2, {fetch_p1}});
    const auto s = r.sent();
    error why;
    why.code = make_error_code(errc::request_timed_out);
    r.step(request_failed{s.request, why});
    CHECK(r.take<doubt_coordinator>().size() == 1);
    CHECK(r.state_name() == "looking");
    r.wake();
    const auto c = r.completed();
    CHECK(c.question == 1);
    CHECK(c.why.code == errc::request_timed_out);
    CHECK(c.partitions.at(fetch_p0).why.cause);
    r.step(cancel_requested{2});
    CHECK(r.completed().why.code == errc::canceled);
    CHECK(r.state_name() == "idle");
}

TEST_CASE("offset fetch: a coordinator that cannot be found for good ends all questions") {
    fetch_rig r{false};
    r.step(fetch_requested{1, {fetch_p0}});
    error why;
    why.code = make_error_code(broker_errc::group_authorization_failed);
    r.step(coordinator_failed{why});
    CHECK(r.completed().why.code == broker_errc::group_authorization_failed);
}

}  // namespace fetch_tests
