// The machine of fetching by hand: events in, actions compared.
#include "client/fetch_fsm.hpp"

#include <kafkawire/protocol/batch_builder.hpp>

#include "catch.hpp"
#include "client/fetch_errors.hpp"

using namespace kafkawire;
using namespace kafkawire::client_detail;
using namespace std::chrono_literals;
namespace fetch_tests {

using protocol::messages::fetch_response;

namespace {

struct rig {
    topic_info topic;
    std::shared_ptr<fetch_share> share;
    fetch_fsm machine;
    time_point now{1h};
    fetch_actions out;
    std::vector<std::shared_ptr<protocol::bytes>> kept;

    explicit rig(fetch_settings s = settings(), std::size_t buffer = 1 << 20) : share{std::make_shared<fetch_share>(buffer)}, machine{std::move(s), share, 1} {
        topic.name = "t";
        topic.id.octets[0] = 1;
        topic.known = true;
        topic.partitions = {{1, 5, {}}, {1, 5, {}}, {2, 5, {}}};
        topic.changes = 1;
    }
    static fetch_settings settings() {
        fetch_settings s;
        s.partition_bytes = 1000;
        s.max_bytes = 10'000;
        s.policy = start_position::beginning();
        return s;
    }

    fetch_actions& run(std::chrono::nanoseconds later = 0ns) {
        now += later;
        out.clear();
        machine.run(now, out);
        return out;
    }
    template <class Action>
    std::vector<Action> all(std::chrono::nanoseconds later = 0ns) {
        std::vector<Action> found;
        for (auto& a : run(later))
            if (auto* const x = std::get_if<Action>(&a)) found.push_back(*x);
        return found;
    }
    fetch_plan_ptr fetch(std::chrono::nanoseconds later = 0ns) {
        const auto f = all<send_fetch>(later);
        REQUIRE(f.size() == 1);
        return f[0].plan;
    }
    offset_plan_ptr question(std::chrono::nanoseconds later = 0ns) {
        const auto q = all<ask_offsets>(later);
        REQUIRE(q.size() == 1);
        return q[0].plan;
    }
    void change(std::size_t partition, std::int32_t leader, std::int32_t epoch) {
        topic.partitions[partition].leader = leader;
        topic.partitions[partition].leader_epoch = epoch;
        ++topic.changes;
    }

    fetch_response::partition_data data(std::int32_t partition, std::int64_t offset, int n) {
        protocol::batch_builder b{{.base_offset = offset, .partition_leader_epoch = topic.partitions[static_cast<std::size_t>(partition)].leader_epoch}};
        for (int i = 0; i < n; ++i) (void)b.append(0, nullptr, std::to_string(offset + i));
        protocol::bytes_view bytes;
        (void)b.close(bytes);
        auto d = code(partition, 0);
        if (n > 0) {
            kept.push_back(std::make_shared<protocol::bytes>(bytes.begin(), bytes.end()));
            d.records = protocol::raw_records{*kept.back()};
        }
        d.high_watermark = offset + n;
        return d;
    }
    static fetch_response::partition_data code(std::int32_t partition, std::int16_t code) {
        fetch_response::partition_data d;
        d.partition_index = partition;
        d.error_code = code;
        return d;
    }
    static fetch_response::partition_data code(std::int32_t partition, broker_errc c) { return code(partition, static_cast<std::int16_t>(c)); }
    void answer(const fetch_plan_ptr& plan, std::vector<fetch_response::partition_data> parts, std::int32_t session = 77, broker_errc top = {}) {
        fetch_response m;
        m.session_id = session;
        m.error_code = static_cast<std::int16_t>(top);
        auto& t = m.responses.emplace_back();
        t.topic_id = topic.id;
        t.partitions = std::move(parts);
        machine.answered(*plan, m, std::shared_ptr<const std::byte[]>(new std::byte[1]), 500, now);
    }
    void lose(const fetch_plan_ptr& plan, std::error_code why) {
        error e;
        e.code = why;
        machine.lost(*plan, e, now);
    }
    std::vector<std::string> take(std::size_t most = 0) {
        auto t = machine.take(most, now);
        std::vector<std::string> v;
        if (t.why) v.push_back("error: " + t.why->code.message());
        for (const auto& r : records{std::move(t.parts)}) v.emplace_back(r.value.text());
        return v;
    }
    const reading_partition& at(std::int32_t partition) { return *machine.find("t", partition); }
    std::string_view state(std::int32_t partition) { return name_of(at(partition).state); }
};

using values = std::vector<std::string>;

}  // namespace

TEST_CASE("fetch_fsm: the beginning is asked for, then fetched; one request at a broker, the next one when all is handed out") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::beginning());
    r.machine.assign(r.topic, 1, start_position::at(7));
    const auto actions = r.run();
    REQUIRE(actions.size() == 2);
    const auto q = std::get<ask_offsets>(actions[0]).plan;
    CHECK(q->broker == 1);
    CHECK(q->parts.size() == 1);
    CHECK(q->parts[0].start == start_position::beginning());
    CHECK(q->parts[0].leader_epoch == 5);
    const auto first = std::get<send_fetch>(actions[1]).plan;
    CHECK(first->message.session_id == 0);
    CHECK(first->message.session_epoch == 0);
    REQUIRE(first->message.topics.size() == 1);
    CHECK(first->message.topics[0].partitions[0].fetch_offset == 7);
    CHECK(first->message.topics[0].partitions[0].current_leader_epoch == 5);
    CHECK(r.share->used() == first->charged);
    r.machine.offsets(*q, {offset_answer{0, 3, 5}}, r.now);
    CHECK(r.at(0).position == 3);
    CHECK(r.all<send_fetch>().empty());
    r.answer(first, {r.data(1, 7, 2)});
    CHECK(r.all<send_fetch>().empty());  // a partition that has something would wait beside one that has nothing
    CHECK(r.machine.ready());
    CHECK(r.take() == values{"7", "8"});
    const auto second = r.fetch();
    CHECK(second->message.session_id == 77);
    CHECK(second->message.session_epoch == 1);
    REQUIRE(second->message.topics.size() == 1);
    CHECK(second->message.topics[0].partitions.size() == 2);
    CHECK(second->message.topics[0].partitions[1].fetch_offset == 9);
    r.answer(second, {});
    const auto third = r.fetch();
    CHECK(third->message.topics.empty());  // nothing has changed: nothing is said
    CHECK(third->message.session_epoch == 2);
    r.answer(third, {r.data(0, 3, 1)});
    CHECK(r.take() == values{"3"});
    CHECK(r.machine.unassign("t", 1));
    const auto fourth = r.fetch();
    REQUIRE(fourth->message.forgotten_topics_data.size() == 1);
    CHECK(fourth->message.forgotten_topics_data[0].partitions == std::vector<std::int32_t>{1});
    REQUIRE(fourth->message.topics.size() == 1);
    CHECK(fourth->message.topics[0].partitions[0].fetch_offset == 4);
    r.answer(fourth, {});
    CHECK(r.share->used() == 0);
}

// A broker takes up what is named and then forgets what is forgotten: a partition that is in both lists is not fetched any more.
TEST_CASE("fetch_fsm: a partition that goes and comes back between two requests is not forgotten") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(0));
    r.machine.assign(r.topic, 1, start_position::at(7));
    r.answer(r.fetch(), {});
    const auto second = r.fetch();
    CHECK(r.machine.unassign("t", 1));
    r.machine.assign(r.topic, 1, start_position::at(9));
    r.answer(second, {});
    const auto third = r.fetch();
    CHECK(third->message.forgotten_topics_data.empty());
    REQUIRE(third->message.topics.size() == 1);
    REQUIRE(third->message.topics[0].partitions.size() == 1);
    CHECK(third->message.topics[0].partitions[0].partition == 1);
    CHECK(third->message.topics[0].partitions[0].fetch_offset == 9);
    r.answer(third, {});
}

TEST_CASE("fetch_fsm: a session that is lost begins anew, with everything") {
    for (const auto why : {broker_errc::fetch_session_id_not_found, broker_errc::invalid_fetch_session_epoch, broker_errc::fetch_session_topic_id_error}) {
        rig r;
        r.machine.assign(r.topic, 0, start_position::at(0));
        r.answer(r.fetch(), {});
        r.answer(r.fetch(), {}, 77, why);
        const auto again = r.fetch();  // at once
        CHECK(again->message.session_epoch == 0);
        CHECK(again->message.session_id == (why == broker_errc::fetch_session_id_not_found ? 0 : 77));
        CHECK(again->message.topics.size() == 1);
        r.answer(again, {}, 0, why);
        CHECK(r.all<send_fetch>().empty());  // but not in a hot loop
        REQUIRE(r.machine.next_wakeup());
        r.answer(r.fetch(*r.machine.next_wakeup() - r.now), {}, 0);
        CHECK(r.fetch()->message.session_epoch == 0);  // a broker without sessions
    }
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(0));
    r.answer(r.fetch(), {});
    r.lose(r.fetch(), errc::connection_closed);
    CHECK(r.all<send_fetch>().empty());
    CHECK(r.share->used() == 0);
    CHECK(r.fetch(1s)->message.session_epoch == 0);
}

TEST_CASE("fetch_fsm: a new leader is asked whether its log has what was read") {
    const auto read_some = [](rig& r) {
        r.machine.assign(r.topic, 0, start_position::at(0));
        r.answer(r.fetch(), {r.data(0, 0, 10)});
        CHECK(r.take().size() == 10);
        const auto old = r.fetch();
        r.change(0, 2, 6);
        const auto q = r.question();
        CHECK(q->broker == 2);
        CHECK(q->epochs);
        CHECK(q->parts[0].epoch == 5);
        CHECK(q->parts[0].leader_epoch == 6);
        CHECK(r.state(0) == "validating");
        r.answer(old, {r.data(0, 10, 3)});  // late
        CHECK(r.take().empty());
        return q;
    };
    SECTION("it has") {
        rig r;
        const auto q = read_some(r);
        r.machine.offsets(*q, {offset_answer{0, 10, 5}}, r.now);
        const auto f = r.fetch();
        CHECK(f->broker == 2);
        CHECK(f->message.topics[0].partitions[0].fetch_offset == 10);
    }
    SECTION("it has not: told once, and on from there") {
        rig r;
        const auto q = read_some(r);
        r.machine.offsets(*q, {offset_answer{0, 6, 4}}, r.now);
        CHECK(r.machine.ready());
        CHECK(r.take() == values{"error: the log was truncated before the position"});
        CHECK(r.at(0).position == 6);
        CHECK(!r.machine.ready());
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 6);
    }
    SECTION("it does not know such questions") {
        rig r;
        const auto q = read_some(r);
        error e;
        e.code = errc::no_common_version;
        r.machine.offsets_lost(*q, e, r.now);
        CHECK(r.fetch()->broker == 2);
    }
}

TEST_CASE("fetch_fsm: a committed offset that names its leader's epoch is checked before it is read on from") {
    rig r;
    const auto begin = [&](std::int32_t epoch) { return r.machine.assign(r.topic, 0, start_position::at(10), epoch); };
    SECTION("the leader is still that one: nothing need be asked") {
        begin(5);
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 10);
    }
    SECTION("no epoch was committed") {
        begin(-1);
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 10);
    }
    SECTION("a newer leader has it") {
        begin(3);
        const auto q = r.question();
        CHECK(q->epochs);
        CHECK(q->parts[0].epoch == 3);
        CHECK(q->parts[0].leader_epoch == 5);
        CHECK(r.all<send_fetch>().empty());
        r.machine.offsets(*q, {offset_answer{0, 12, 3}}, r.now);
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 10);
    }
    SECTION("a newer leader has lost it, and has other records there by now: told, and on from where the logs part") {
        begin(3);
        r.machine.offsets(*r.question(), {offset_answer{0, 6, 3}}, r.now);
        const auto told = r.machine.take(0, r.now);
        REQUIRE(told.why);
        CHECK(told.why->code == errc::log_truncated);
        CHECK(told.why->text == "t-0 at offset 10: the log has lost what was read behind offset 6 (leader epoch 3)");
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 6);
    }
    SECTION("the same where a group says it of a partition that it holds") {
        r.machine.assign(r.topic, 0, start_position::policy());
        r.machine.hold("t", 0, true);
        CHECK(r.run().empty());
        r.machine.seek("t", 0, start_position::at(10), 3);
        CHECK(r.run().empty());
        r.machine.release("t", 0);
        const auto q = r.question();
        CHECK(q->epochs);
        r.machine.offsets(*q, {offset_answer{0, 10, 3}}, r.now);
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 10);
    }
    SECTION("the leader is not known yet") {
        r.topic.known = false;
        r.topic.partitions.clear();
        begin(3);
        r.run();
        r.topic.known = true;
        r.topic.partitions = {{1, 5, {}}};
        ++r.topic.changes;
        CHECK(r.question()->epochs);
    }
    SECTION("of the same leader, and not in its log: it is asked what became of it") {
        begin(5);
        r.answer(r.fetch(), {r.code(0, broker_errc::offset_out_of_range)});
        const auto q = r.question(120ms);
        CHECK(q->epochs);
        r.machine.offsets(*q, {offset_answer{0, 6, 5}}, r.now);
        CHECK(r.take() == values{"error: the log was truncated before the position"});
        CHECK(r.at(0).position == 6);
    }
    SECTION("a broker that knows no such question is read from") {
        begin(3);
        error e;
        e.code = errc::no_common_version;
        r.machine.offsets_lost(*r.question(), e, r.now);
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 10);
    }
}

TEST_CASE("fetch_fsm: an offset that is not in the log") {
    SECTION("nothing was read: the policy decides") {
        rig r;
        r.machine.assign(r.topic, 0, start_position::at(99));
        r.answer(r.fetch(), {r.code(0, broker_errc::offset_out_of_range)});
        CHECK(r.question(120ms)->parts[0].start == start_position::beginning());
    }
    SECTION("a broker that sends us where it has nothing is not asked in a hot loop") {
        rig r;
        r.machine.assign(r.topic, 0, start_position::beginning());
        int asked = 0;
        for (int i = 0; i < 1000; ++i) {
            for (auto& a : r.run(10ms)) {
                ++asked;
                if (auto* const q = std::get_if<ask_offsets>(&a)) r.machine.offsets(*q->plan, {offset_answer{0, 1'000'000, 5}}, r.now);
                else if (auto* const f = std::get_if<send_fetch>(&a)) r.answer(f->plan, {r.code(0, broker_errc::offset_out_of_range)});
            }
        }
        CHECK(asked < 60);  // in ten seconds
    }
    SECTION("the policy is none") {
        auto s = rig::settings();
        s.policy = start_position::policy();
        rig r{s};
        r.machine.assign(r.topic, 0, start_position::at(99));
        r.answer(r.fetch(), {r.code(0, broker_errc::offset_out_of_range)});
        CHECK(r.take() == values{"error: there is no offset to begin at"});
        CHECK(r.all<send_fetch>().empty());
        CHECK(r.machine.seek("t", 0, start_position::at(1)));
        CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 1);
    }
    SECTION("a replica says so: the leader is asked") {
        rig r;
        r.machine.assign(r.topic, 0, start_position::at(9));
        auto d = r.code(0, broker_errc::none);
        d.preferred_read_replica = 3;
        r.answer(r.fetch(), {d});
        const auto f = r.fetch();
        CHECK(f->broker == 3);
        r.answer(f, {r.code(0, broker_errc::offset_out_of_range)});
        CHECK(r.fetch()->broker == 1);
        CHECK(r.at(0).position == 9);
    }
    SECTION("records were read: truncated, or only old?") {
        rig r;
        r.machine.assign(r.topic, 0, start_position::at(0));
        r.answer(r.fetch(), {r.data(0, 0, 10)});
        CHECK(r.take().size() == 10);
        r.answer(r.fetch(), {r.code(0, broker_errc::offset_out_of_range)});
        const auto q = r.question(120ms);
        CHECK(q->epochs);
        r.machine.offsets(*q, {offset_answer{0, 50, 5}}, r.now);
        CHECK(r.question(240ms)->parts[0].start == start_position::beginning());
    }
}

TEST_CASE("fetch_fsm: a preferred replica is believed in for a while, and not when it fails") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(0));
    auto d = r.code(0, broker_errc::none);
    d.preferred_read_replica = 3;
    r.answer(r.fetch(), {d});
    auto f = r.fetch();
    CHECK(f->broker == 3);
    r.answer(f, {});
    f = r.fetch(299s);
    CHECK(f->broker == 3);
    r.answer(f, {});
    f = r.fetch(1s);
    CHECK(f->broker == 1);
    r.answer(f, {d});
    f = r.fetch();
    CHECK(f->broker == 3);
    r.lose(f, errc::connection_closed);
    CHECK(r.fetch()->broker == 1);
}

TEST_CASE("fetch_fsm: pausing keeps what is fetched; seeking forward within it too") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(0));
    r.answer(r.fetch(), {r.data(0, 0, 10)});
    CHECK(r.machine.pause("t", 0, true));
    CHECK(!r.machine.ready());
    CHECK(r.take().empty());
    CHECK(r.all<send_fetch>().empty());
    CHECK(r.machine.pause("t", 0, false));
    CHECK(r.machine.seek("t", 0, start_position::at(4)));
    CHECK(r.take(2) == values{"4", "5"});
    CHECK(r.machine.seek("t", 0, start_position::at(8)));
    CHECK(r.take() == values{"8", "9"});
    const auto f = r.fetch();
    CHECK(f->message.topics[0].partitions[0].fetch_offset == 10);
    CHECK(r.machine.seek("t", 0, start_position::at(2)));
    r.answer(f, {r.data(0, 10, 3)});  // of before the seek
    CHECK(r.take().empty());
    CHECK(r.fetch()->message.topics[0].partitions[0].fetch_offset == 2);
}

TEST_CASE("fetch_fsm: bytes are charged before a Fetch goes, and nothing goes without room") {
    rig r{rig::settings(), 12'000};
    r.machine.assign(r.topic, 0, start_position::at(0));
    const auto f = r.fetch();
    CHECK(r.share->used() == f->charged);
    r.answer(f, {r.data(0, 0, 1)});
    CHECK(r.share->used() == 500);
    auto held = r.machine.take(0, r.now);
    r.share->charge(10'000);
    CHECK(r.all<send_fetch>().empty());
    CHECK(r.all<await_room>().size() == 1);
    held.parts.clear();
    r.share->give_back(10'000);
    const auto second = r.fetch();
    r.lose(second, errc::canceled);
    CHECK(r.share->used() == 0);
    SECTION("what is paused gives way") {
        const auto third = r.fetch(1s);
        r.answer(third, {r.data(0, 1, 5)});
        CHECK(r.machine.pause("t", 0, true));
        r.share->charge(10'000);
        r.machine.assign(r.topic, 2, start_position::at(0));
        CHECK(r.all<send_fetch>().empty());
        CHECK(r.share->used() == 10'000);
        r.share->give_back(10'000);
        CHECK(r.machine.pause("t", 0, false));
        const auto both = r.all<send_fetch>();
        REQUIRE(both.size() == 2);
        CHECK(both[0].plan->broker == 1);
        CHECK(both[0].plan->message.topics.empty());  // from where the session says: offset 1 again
        CHECK(r.at(0).position == 1);
    }
}

TEST_CASE("fetch_fsm: a batch that does not fit is asked for with more room; an answer that is too large one by one") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(0));
    auto d = r.data(0, 0, 500);
    d.records->data = d.records->data.first(1000);
    r.answer(r.fetch(), {d});
    CHECK(r.take().empty());
    const auto f = r.fetch();
    CHECK(f->message.topics[0].partitions[0].partition_max_bytes >= 2000);
    CHECK(f->message.topics[0].partitions[0].partition_max_bytes >= static_cast<std::int32_t>(r.kept.back()->size()));
    r.machine.assign(r.topic, 1, start_position::at(0));
    r.answer(f, {r.data(0, 0, 1)});
    CHECK(r.take() == values{"0"});
    const auto both = r.fetch();
    CHECK(both->numbers.size() == 2);
    r.lose(both, errc::frame_too_large);
    const auto one = r.fetch(2s);
    CHECK(one->numbers.size() == 1);
    r.lose(one, errc::frame_too_large);
    CHECK(r.machine.ready());
    CHECK(r.take() == values{"error: the peer announces a frame larger than allowed"});
    const auto other = r.fetch(2s);
    CHECK(other->numbers.size() == 1);
    CHECK(other->numbers != one->numbers);
}

TEST_CASE("fetch_fsm: every error code of the three APIs leads somewhere") {
    for (const auto& e : broker_errors()) {
        if (e.code == 0) continue;
        INFO(e.name);
        for (const auto api : {fetch_api::fetch, fetch_api::list_offsets, fetch_api::epochs}) {
            rig r;
            r.machine.assign(r.topic, 0, api == fetch_api::list_offsets ? start_position::end() : start_position::at(0));
            if (api == fetch_api::list_offsets) {
                r.machine.offsets(*r.question(), {offset_answer{e.code, -1, -1}}, r.now);
            } else if (api == fetch_api::fetch) {
                r.answer(r.fetch(), {r.code(0, e.code)});
            } else {
                r.answer(r.fetch(), {r.data(0, 0, 1)});
                CHECK(r.take().size() == 1);
                (void)r.fetch();
                r.change(0, 2, 6);
                r.machine.offsets(*r.question(), {offset_answer{e.code, -1, -1}}, r.now);
            }
            // Within three seconds it is told, or asked again; never in the same instant again and again.
            std::size_t told = 0, asked = 0;
            for (int i = 0; i < 30; ++i) {
                for (auto& a : r.run(100ms)) {
                    if (std::holds_alternative<send_fetch>(a) || std::holds_alternative<ask_offsets>(a)) ++asked;
                    if (auto* const q = std::get_if<ask_offsets>(&a)) r.machine.offsets(*q->plan, {offset_answer{e.code, -1, -1}}, r.now);
                    else if (auto* const f = std::get_if<send_fetch>(&a)) r.answer(f->plan, {r.code(0, e.code)});
                }
                if (!r.machine.ready()) continue;
                told += !r.take().empty();
                CHECK((!r.run().empty() || r.machine.next_wakeup()));
            }
            CHECK(told + asked > 0);
            CHECK(asked <= 31);
        }
    }
}

TEST_CASE("fetch_fsm: an error of a whole answer is told if nothing of ours mends it") {
    for (const auto& e : broker_errors()) {
        if (e.code == 0) continue;
        INFO(e.name);
        rig r;
        r.machine.assign(r.topic, 0, start_position::at(0));
        r.answer(r.fetch(), {}, 0, static_cast<broker_errc>(e.code));
        const auto meaning = meaning_of(e.code, fetch_api::fetch);
        CHECK(r.machine.ready() == (meaning == fetch_meaning::refused));
        if (meaning == fetch_meaning::refused) CHECK(r.take().size() == 1);
        CHECK(r.all<send_fetch>().size() == (meaning == fetch_meaning::session));
        if (meaning != fetch_meaning::session) CHECK(r.all<send_fetch>(1200ms).size() == 1);
    }
}

TEST_CASE("fetch_fsm: a bad batch is told with its offsets, again until something is done, and can be skipped") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(0));
    r.machine.assign(r.topic, 1, start_position::at(0));
    const auto bad = [&] {
        auto d = r.data(0, 0, 3);
        (*r.kept.back())[70] ^= std::byte{1};
        return d;
    };
    r.answer(r.fetch(), {bad(), r.data(1, 0, 2)});
    CHECK(r.take() == values{"0", "1"});
    CHECK(r.machine.ready());
    auto t = r.machine.take(0, r.now);
    REQUIRE(t.why);
    CHECK(t.why->code == errc::bad_crc);
    CHECK(t.why->text.find("t-0 at offset 0") != std::string::npos);
    CHECK(t.why->text.find("0 to 2") != std::string::npos);
    CHECK(!r.machine.ready());
    const auto others = r.fetch();
    CHECK(others->numbers.size() == 1);
    r.answer(others, {});
    const auto again = r.fetch(1s);
    CHECK(again->numbers.size() == 2);
    r.answer(again, {bad()});
    CHECK(r.take() == values{"error: the checksum does not match"});
    CHECK(r.machine.skip("t", 0));
    CHECK(!r.machine.skip("t", 0));
    CHECK(r.at(0).position == 3);
    CHECK(r.fetch()->numbers.size() == 2);
}

TEST_CASE("fetch_fsm: a topic that is made again is told, and begins as the policy says") {
    rig r;
    r.machine.assign(r.topic, 0, start_position::at(40));
    r.answer(r.fetch(), {r.data(0, 40, 1)});
    CHECK(r.take().size() == 1);
    const auto old = r.fetch();
    r.topic.id.octets[0] = 2;
    const auto number = r.machine.find(r.topic.name, 0)->number;
    r.change(0, 1, 0);
    const auto cut = r.all<tell_cut>();  // whoever keeps positions forgets them
    REQUIRE(cut.size() == 1);
    CHECK(cut[0].from == 0);
    CHECK(r.machine.find(r.topic.name, 0)->number != number);  // and what was handed out is of another assignment
    CHECK(r.machine.find(r.topic.name, 0)->another_topic);
    CHECK(r.machine.seek(r.topic.name, 0, start_position::at(35)));  // by somebody who does not know yet
    CHECK(r.take() == values{"error: the topic was deleted and made again"});
    CHECK(!r.machine.find(r.topic.name, 0)->another_topic);
    CHECK(r.question()->parts[0].start == start_position::beginning());
    r.answer(old, {});
}

TEST_CASE("fetch_fsm: what was assigned by its id waits while the name means another topic") {
    rig r;
    const auto ours = r.topic.id;
    r.machine.assign(r.topic, 0, start_position::at(40));
    REQUIRE(r.machine.only_of("t", 0, ours));
    r.answer(r.fetch(), {r.data(0, 40, 1)});
    CHECK(r.take().size() == 1);
    r.answer(r.fetch(), {r.data(0, 41, 1)});
    r.topic.id.octets[0] = 2;
    r.change(0, 1, 0);
    CHECK(r.all<ask_for_topics>().size() == 1);
    CHECK(r.take() == values{"error: the topic was deleted and made again"});
    // Its records are of whom the new topic's partition is given to.
    CHECK(r.all<send_fetch>(1s).empty());
    CHECK(r.all<ask_offsets>(10s).empty());
    CHECK(r.take().empty());
    // Given to us: from the beginning, as the policy says.
    REQUIRE(r.machine.only_of("t", 0, r.topic.id));
    CHECK(r.question()->parts[0].start == start_position::beginning());
}

TEST_CASE("fetch_fsm: without a leader the cluster is asked; a topic that is not there is told after a while") {
    rig r;
    r.change(0, -1, 5);
    r.machine.assign(r.topic, 0, start_position::at(0));
    CHECK(r.all<ask_for_topics>().size() == 1);
    CHECK(!r.machine.ready());
    r.topic.partitions.clear();
    r.topic.error = broker_errc::unknown_topic_or_partition;
    ++r.topic.changes;
    (void)r.run();
    CHECK(!r.machine.ready());
    (void)r.run(10s);
    CHECK(r.machine.ready());
    CHECK(r.take().size() == 1);
    (void)r.run();
    r.topic.error = broker_errc::topic_authorization_failed;
    (void)r.run(1s);
    CHECK(r.machine.ready());  // at once
}

}  // namespace fetch_tests
