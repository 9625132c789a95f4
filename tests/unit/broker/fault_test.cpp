// Faults: which requests they hit, and what becomes of those.
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/10_find_coordinator.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>
#include <kafkawire/protocol/messages/19_create_topics.hpp>

#include "broker/fault_messages.hpp"
#include "broker_fixture.hpp"

namespace kafkawire::broker::test {
namespace {

namespace messages = protocol::messages;
using namespace std::chrono_literals;

messages::metadata_request ask_for(std::string topic) {
    messages::metadata_request r;
    r.topics.emplace().push_back({{}, std::move(topic), {}});
    r.allow_auto_topic_creation = false;
    return r;
}

struct faulty_world : harness {
    explicit faulty_world(options o = {.topics = {{.name = "orders", .partitions = 2}}}) : harness{std::move(o)} {}
    connection_id c = connect();
    fault_id add(fault f) {
        CHECK(fault_rules::refuse(f) == std::nullopt);
        return machine.faults().add(std::move(f));
    }
    [[nodiscard]] std::int64_t hits(fault_id id) {
        for (const auto& f : machine.faults().counts())
            if (f.id == id) return f.hits;
        return -1;
    }
    messages::metadata_response metadata() { return ask(c, ask_for("orders"), 13); }
};

TEST_CASE("a fault hits what it is about: API, version, node, connection, client, topic") {
    faulty_world w{{.nodes = 2, .topics = {{.name = "orders"}, {.name = "bills"}}}};
    const auto hit = [&](fault f) {
        w.advance(1s);
        w.machine.faults().clear();
        f.throttle = 7ms;
        w.add(f);
        return w.metadata().throttle_time_ms == 7;
    };
    CHECK(hit({}));
    CHECK(hit({.api = 3}));
    CHECK(!hit({.api = 18}));
    CHECK(hit({.versions = protocol::between(13, 13)}));
    CHECK(!hit({.versions = protocol::between(0, 12)}));
    CHECK(hit({.node = 1}));
    CHECK(!hit({.node = 2}));
    CHECK(hit({.connection = w.c}));
    CHECK(!hit({.connection = w.c + 1}));
    CHECK(hit({.client_id = "test"}));
    CHECK(!hit({.client_id = "other"}));
    CHECK(hit({.topic = "orders"}));
    CHECK(!hit({.topic = "bills"}));
    CHECK(!hit({.chance = 0}));
}

TEST_CASE("a topic is recognised by its id") {
    faulty_world w;
    w.add({.topic = "orders", .throttle = 5ms});
    messages::metadata_request r;
    r.topics.emplace().push_back({w.machine.state().find_topic("orders")->id, std::nullopt, {}});
    r.allow_auto_topic_creation = false;
    CHECK(w.ask(w.c, r, 13).throttle_time_ms == 5);
}

TEST_CASE("the first fault that matches takes the request; after and count say which ones") {
    faulty_world w;
    const auto third = w.add({.name = "third", .after = 2, .count = 1, .error = broker_errc::kafka_storage_error});
    const auto others = w.add({.name = "others", .error = broker_errc::leader_not_available});
    std::vector<std::int16_t> codes;
    for (int i = 0; i < 5; ++i) codes.push_back(w.metadata().topics.at(0).error_code);
    CHECK(codes == std::vector<std::int16_t>{5, 5, 56, 5, 5});
    CHECK(w.hits(third) == 1);
    CHECK(w.hits(others) == 4);
    CHECK(w.machine.faults().counts().at(0).spent);
    CHECK(w.machine.faults().remove(others));
    CHECK(!w.machine.faults().remove(others));
    CHECK(w.metadata().topics.at(0).error_code == 0);
}

TEST_CASE("chance is the same for the same seed, and about what was said") {
    const auto run = [](std::uint64_t seed) {
        faulty_world w{{.seed = seed, .topics = {{.name = "orders"}}}};
        w.add({.chance = 0.3, .error = broker_errc::leader_not_available});
        std::string hits;
        for (int i = 0; i < 1000; ++i) hits += w.metadata().topics.at(0).error_code ? '1' : '0';
        return hits;
    };
    const auto once = run(1);
    CHECK(once == run(1));
    CHECK(once != run(2));
    const auto part = std::count(once.begin(), once.end(), '1');
    CHECK(part > 250);
    CHECK(part < 350);
}

TEST_CASE("a delayed request is answered later, and the connection's next one waits behind it") {
    faulty_world w;
    w.add({.count = 1, .delay = 300ms});
    w.send(w.c, ask_for("orders"), 13);
    w.send(w.c, messages::api_versions_request{}, 0);
    w.advance(299ms);
    CHECK(!w.has_answer(w.c));
    w.advance(1ms);
    CHECK(w.take<messages::metadata_response>(w.c, 13).topics.size() == 1);
    CHECK(w.take<messages::api_versions_response>(w.c, 0).error_code == 0);
}

TEST_CASE("a connection that goes while its request is delayed leaves nothing behind") {
    faulty_world w;
    w.add({.delay = 300ms});
    w.send(w.c, ask_for("orders"), 13);
    w.machine.disconnected(w.c, w.now());
    w.advance(1s);
    CHECK(!w.has_answer(w.c));
}

TEST_CASE("a dropped request is neither carried out nor answered, and the connection hangs") {
    faulty_world w;
    const auto f = w.add({.api = 19, .drop_request = true});
    messages::create_topics_request r;
    r.topics.emplace_back().name = "new";
    r.topics.back().num_partitions = 1;
    r.topics.back().replication_factor = 1;
    w.send(w.c, r, 7);
    w.send(w.c, messages::api_versions_request{}, 0);
    w.advance(1min);
    CHECK(!w.has_answer(w.c));
    CHECK(!w.is_closed(w.c));
    CHECK(!w.machine.state().find_topic("new"));
    CHECK(w.hits(f) == 1);
    const auto other = w.connect();
    CHECK(w.ask(other, messages::api_versions_request{}, 0).error_code == 0);
}

TEST_CASE("of a dropped reply the request was carried out") {
    faulty_world w;
    w.add({.api = 19, .count = 1, .drop_reply = true});
    messages::create_topics_request r;
    r.topics.emplace_back().name = "new";
    r.topics.back().num_partitions = 1;
    r.topics.back().replication_factor = 1;
    w.send(w.c, r, 7);
    w.advance(1min);
    CHECK(!w.has_answer(w.c));
    CHECK(w.machine.state().find_topic("new"));
}

TEST_CASE("an error is told without carrying out, in every place; or after carrying out") {
    faulty_world w;
    messages::create_topics_request r;
    for (const auto* name : {"a", "b"}) {
        auto& t = r.topics.emplace_back();
        t.name = name;
        t.num_partitions = 1;
        t.replication_factor = 1;
    }
    w.add({.api = 19, .count = 1, .error = broker_errc::not_controller});
    const auto refused = w.ask(w.c, r, 7);
    REQUIRE(refused.topics.size() == 2);
    CHECK(refused.topics[0].name == "a");
    CHECK(refused.topics[1].name == "b");
    CHECK(refused.topics[0].error_code == 41);
    CHECK(refused.topics[1].error_code == 41);
    CHECK(!w.machine.state().find_topic("a"));
    w.add({.api = 19, .count = 1, .error = broker_errc::request_timed_out, .carry_out = true});
    const auto told = w.ask(w.c, r, 7);
    REQUIRE(told.topics.size() == 2);
    CHECK(told.topics[1].error_code == 7);
    CHECK(w.machine.state().find_topic("a"));
}

TEST_CASE("an answer nobody looked at names what was asked for: topics, partitions, keys") {
    messages::produce_request r;
    r.acks = -1;
    for (const auto* name : {"orders", "bills"}) {
        auto& t = r.topic_data.emplace_back();
        t.name = name;
        t.partition_data.emplace_back().index = 3;
        t.partition_data.emplace_back().index = 5;
    }
    const auto& api = *protocol::find_api(std::int16_t{0});
    auto answer = blank_answer(api, &r, 9);
    CHECK(set_error_codes(*api.response, answer.get(), 9, 6, error_place::everywhere) == 4);
    const auto& produced = *static_cast<const messages::produce_response*>(answer.get());
    REQUIRE(produced.responses.size() == 2);
    CHECK(produced.responses[1].name == "bills");
    REQUIRE(produced.responses[1].partition_responses.size() == 2);
    CHECK(produced.responses[1].partition_responses[1].index == 5);
    CHECK(produced.responses[1].partition_responses[1].error_code == 6);
    CHECK(set_error_codes(*api.response, answer.get(), 9, 6, error_place::top) == 0);

    messages::find_coordinator_request asked;
    asked.coordinator_keys = {"one", "two"};
    const auto& find = *protocol::find_api(std::int16_t{10});
    auto found = blank_answer(find, &asked, 4);
    CHECK(set_error_codes(*find.response, found.get(), 4, 15, error_place::everywhere) == 2);
    const auto& keys = static_cast<const messages::find_coordinator_response*>(found.get())->coordinators;
    REQUIRE(keys.size() == 2);
    CHECK(keys[1].key == "two");
    CHECK(set_error_codes(*find.response, found.get(), 0, 15, error_place::everywhere) == 1);
}

TEST_CASE("a Fetch is refused in its partitions, and at the top only if it names none") {
    messages::fetch_request r;
    r.topics.emplace_back().topic = "orders";
    r.topics.back().partitions.emplace_back().partition = 4;
    const auto& api = *protocol::find_api(std::int16_t{1});
    auto answer = blank_answer(api, &r, 12);
    CHECK(set_error_codes(*api.response, answer.get(), 12, 6, error_place::everywhere) == 1);
    const auto& fetched = *static_cast<const messages::fetch_response*>(answer.get());
    CHECK(fetched.error_code == 0);
    REQUIRE(fetched.responses.size() == 1);
    CHECK(fetched.responses[0].topic == "orders");
    CHECK(fetched.responses[0].partitions.at(0).partition_index == 4);
    CHECK(fetched.responses[0].partitions.at(0).error_code == 6);
    auto none = blank_answer(api, protocol::any_message{*api.request}.get(), 12);
    CHECK(set_error_codes(*api.response, none.get(), 12, 6, error_place::everywhere) == 1);
}

TEST_CASE("a Produce that nobody waits for is dropped, and the next request is taken") {
    faulty_world w;
    messages::produce_request r;
    r.acks = 0;
    r.topic_data.emplace_back().name = "orders";
    for (const auto& f : {fault{.api = 0, .count = 1, .drop_request = true}, fault{.api = 0, .count = 1, .error = broker_errc::kafka_storage_error}}) {
        const auto id = w.add(f);
        w.send(w.c, r, 9);
        CHECK(w.hits(id) == 1);
        CHECK(!w.has_answer(w.c));
        CHECK(w.ask(w.c, messages::api_versions_request{}, 0).error_code == 0);
    }
}

TEST_CASE("every API can be refused in every version: what a fault makes can be said and read again") {
    int answers = 0;
    for (const auto& api : protocol::apis()) {
        if (!api.request || !api.response) continue;
        for (auto v = api.request->versions.lowest; v <= api.request->versions.highest; ++v) {
            protocol::any_message request{*api.request};
            auto answer = blank_answer(api, request.get(), v);
            set_error_codes(*api.response, answer.get(), v, 7, error_place::everywhere);
            protocol::bytes out;
            INFO(api.name << " v" << v);
            CHECK(copy_of(*api.response, answer.get(), v, out));
            ++answers;
        }
    }
    CHECK(answers > 300);
}

TEST_CASE("a throttled connection is answered at once, and heard again when the time is over") {
    faulty_world w;
    w.add({.count = 1, .throttle = 500ms});
    w.send(w.c, ask_for("orders"), 13);
    w.send(w.c, messages::api_versions_request{}, 0);
    CHECK(w.take<messages::metadata_response>(w.c, 13).throttle_time_ms == 500);
    w.advance(499ms);
    CHECK(!w.has_answer(w.c));
    w.advance(1ms);
    CHECK(w.has_answer(w.c));
}

TEST_CASE("an answer is cut, trickles, or is garbage") {
    faulty_world w;
    const auto whole = [&] {
        w.send(w.c, ask_for("orders"), 13);
        auto bytes = w.answers[w.c].front();
        w.answers[w.c].clear();
        return bytes;
    }();
    const auto next = [&](fault f) {
        w.machine.faults().clear();
        w.add(std::move(f));
        --w.correlation;  // so that the bytes are the same
        w.send(w.c, ask_for("orders"), 13);
    };
    SECTION("trickled: a piece each time, the connection goes on afterwards") {
        next({.count = 1, .trickle = 10, .trickle_every = 20ms});
        CHECK(w.answers[w.c].size() == 1);
        w.advance(20ms);
        CHECK(w.answers[w.c].size() == 2);
        w.advance(1s);
        protocol::bytes all;
        for (const auto& piece : w.answers[w.c]) all.insert(all.end(), piece.begin(), piece.end());
        CHECK(all == whole);
        w.answers[w.c].clear();
        CHECK(w.metadata().topics.size() == 1);
    }
    SECTION("garbage in the body: as long, with the right correlation id") {
        next({.garbage = garbage::body});
        REQUIRE(w.answers[w.c].size() == 1);
        const auto& got = w.answers[w.c].front();
        REQUIRE(got.size() == whole.size());
        CHECK(std::equal(got.begin(), got.begin() + 8, whole.begin()));
        CHECK(got != whole);
    }
    SECTION("garbage altogether") {
        next({.garbage = garbage::frame});
        REQUIRE(w.answers[w.c].size() == 1);
        CHECK(!std::equal(w.answers[w.c].front().begin(), w.answers[w.c].front().begin() + 8, whole.begin()));
    }
    SECTION("cut: so many bytes, then the end") {
        next({.cut = 10});
        CHECK(w.is_closed(w.c));
        REQUIRE(w.answers[w.c].size() == 1);
        CHECK(w.answers[w.c].front() == protocol::bytes(whole.begin(), whole.begin() + 10));
    }
    SECTION("cut before the first byte") {
        next({.cut = 0});
        CHECK(w.is_closed(w.c));
        CHECK(w.answers[w.c].empty());
    }
    SECTION("cut, and trickled until then") {
        next({.cut = 10, .trickle = 4, .trickle_every = 20ms});
        w.advance(39ms);
        CHECK(!w.is_closed(w.c));
        w.advance(1ms);
        CHECK(w.is_closed(w.c));
        CHECK(w.answers[w.c].size() == 3);
    }
}

TEST_CASE("closing instead of answering") {
    faulty_world w;
    w.add({.close = true});
    w.send(w.c, ask_for("orders"), 13);
    CHECK(w.is_closed(w.c));
    CHECK(!w.has_answer(w.c));
}

TEST_CASE("a reply delayed was carried out before") {
    faulty_world w;
    w.add({.count = 1, .reply_delay = 100ms});
    w.send(w.c, ask_for("orders"), 13);
    w.advance(99ms);
    CHECK(!w.has_answer(w.c));
    w.advance(1ms);
    CHECK(w.has_answer(w.c));
}

TEST_CASE("a fault that contradicts itself is refused with a reason") {
    const auto wrong = [](const fault& f) { return fault_rules::refuse(f).has_value(); };
    CHECK(wrong({}));
    CHECK(wrong({.chance = 2, .close = true}));
    CHECK(wrong({.after = -1, .close = true}));
    CHECK(wrong({.delay = -1ms}));
    CHECK(wrong({.close = true, .drop_request = true}));
    CHECK(wrong({.close = true, .cut = 3}));
    CHECK(wrong({.carry_out = true, .throttle = 1ms}));
    CHECK(wrong({.drop_reply = true, .cut = 3}));
    CHECK(!wrong({.delay = 1ms, .error = broker_errc::request_timed_out, .carry_out = true, .throttle = 1ms, .reply_delay = 1ms, .cut = 3}));
}

}  // namespace
}  // namespace kafkawire::broker::test
