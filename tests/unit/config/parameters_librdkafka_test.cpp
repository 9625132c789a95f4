// What each property of the confluent document does, and what its calls are given.
#include <kafkawire/app/poll.hpp>
#include <kafkawire/protocol/messages/08_offset_commit.hpp>
#include <kafkawire/protocol/messages/11_join_group.hpp>

#include "parameter_lab.hpp"

namespace parameters {
namespace {

namespace app = kw::app;
using kw::broker_errc;
using entries = std::map<std::string, std::string>;

kw::config::settings properties(entries e) {
    e.try_emplace("bootstrap.servers", "broker:9092");
    const auto s = kw::config::read_properties(e, kw::config::defaults_of::librdkafka);
    REQUIRE(wrong_with(s) == "");
    return s;
}

// Whether a first request is answered.
std::error_code first_request(lab& l, const kw::client_options& o) {
    const auto c = l.client(o);
    std::optional<std::error_code> why;
    c->async_metadata([&](std::error_code ec, auto) { why = ec; });
    REQUIRE(l.run_until([&] { return why.has_value(); }));
    return *why;
}

std::string bootstrap_servers() {
    lab l;
    CHECK_FALSE(first_request(l, properties({{"bootstrap.servers", "app:1,broker:9092"}}).client));
    auto nobody = properties({{"bootstrap.servers", "app:1"}}).client;
    nobody.request_timeout = 1s;
    CHECK(first_request(l, nobody));
    return "the second of two is asked when nobody listens at the first";
}

// A listener with passwords over plain text, as the document has it.
std::error_code let_in(entries e) {
    kw::broker::options o;
    o.security.protocol = kw::security_protocol::sasl_plaintext;
    o.security.mechanisms = {kw::sasl_mechanism::plain};
    o.security.users = {{"alice", kw::secret{"alicepassword"}}};
    lab l{o};
    for (const auto& [name, value] : entries{{"security.protocol", "SASL_PLAINTEXT"}, {"sasl.mechanisms", "PLAIN"}, {"sasl.username", "alice"}, {"sasl.password", "alicepassword"}}) e.try_emplace(name, value);
    std::erase_if(e, [](const auto& one) { return one.second.empty(); });
    auto options = properties(e).client;
    options.request_timeout = 5s;
    return first_request(l, options);
}

std::string security_protocol() {
    CHECK_FALSE(let_in({}));
    CHECK(let_in({{"security.protocol", "PLAINTEXT"}, {"sasl.mechanisms", ""}, {"sasl.username", ""}, {"sasl.password", ""}}));
    if (kw::built_with_openssl()) {
        CHECK(let_in({{"security.protocol", "SSL"}, {"sasl.mechanisms", ""}, {"sasl.username", ""}, {"sasl.password", ""}}));
        CHECK(let_in({{"security.protocol", "SASL_SSL"}}));
    }
    return "a SASL_PLAINTEXT listener lets SASL_PLAINTEXT in, and none of PLAINTEXT, SSL, SASL_SSL";
}
std::string sasl_mechanisms() {
    if (kw::built_with_openssl()) CHECK(let_in({{"sasl.mechanisms", "SCRAM-SHA-256"}}));
    CHECK_FALSE(let_in({{"sasl.mechanisms", "PLAIN"}}));
    return "PLAIN is let in where that is offered, SCRAM-SHA-256 is not";
}
std::string sasl_username() {
    CHECK(let_in({{"sasl.username", "bob"}}));
    return "alice is let in, bob is not";
}
std::string sasl_password() {
    CHECK(let_in({{"sasl.password", "bobpassword"}}));
    return "her password is let in, another one is not";
}

std::string group_id() {
    lab l;
    const auto s = properties({{"group.id", "bob-group"}});
    auto c = s.consumers.at("");
    c.options.topics = {"orders"};
    const auto got = l.read(l.consumer(c));
    REQUIRE(l.run_until([&] { return !l.asked<messages::join_group_request>().empty(); }));
    CHECK(l.asked<messages::join_group_request>().front().what.group_id == "bob-group");
    return "JoinGroup says group bob-group";
}

std::string auto_offset_reset() {
    const auto first = [](const char* word) {
        lab l;
        l.fill("orders", 3);
        auto s = properties(*word ? entries{{"group.id", "g"}, {"auto.offset.reset", word}} : entries{{"group.id", "g"}}).consumers.at("");
        s.options.topics = {"orders"};
        const auto c = l.consumer(s);
        const auto got = l.read(c);
        REQUIRE(l.run_until([&] { return c->position("orders", 0).value_or(-1) >= 0; }));
        l.run_for(2s);
        l.fill("orders", 1);
        REQUIRE(l.run_until([&] { return !got->offsets.empty(); }));
        return got->offsets.front().second;
    };
    CHECK(first("earliest") == 0);
    CHECK(first("latest") == 3);
    CHECK(first("") == 3);
    return "of a log of 3 messages, a new group reads offset 0 first with earliest, offset 3 with latest (the default)";
}

std::string enable_auto_commit() {
    const auto commits = [](const char* word) {
        lab l;
        l.fill("orders", 3);
        auto e = entries{{"group.id", "g"}, {"auto.offset.reset", "earliest"}};
        if (*word) e["enable.auto.commit"] = word;
        auto s = properties(e).consumers.at("");
        s.options.topics = {"orders"};
        const auto got = l.read(l.consumer(s));
        REQUIRE(l.run_until([&] { return got->offsets.size() == 3; }));
        l.run_for(20s);
        return l.asked<messages::offset_commit_request>().size();
    };
    CHECK(commits("true") > 0);
    CHECK(commits("") > 0);
    CHECK(commits("false") == 0);
    return "what was polled is committed by itself with true (librdkafka's default), and never with false";
}

std::string max_retries() {
    const auto tries = [](const char* number) {
        lab l;
        l.control().add({.api = 0, .error = broker_errc::not_leader_or_follower});
        const auto p = l.producer(properties({{"message.send.max.retries", number}}).producers.at(""));
        const auto told = l.send(*p, "orders", "k", "v");
        REQUIRE(l.run_until([&] { return told->has_value(); }));
        return l.asked<messages::produce_request>().size();
    };
    CHECK(tries("0") == 1);
    CHECK(tries("2") == 3);
    return "a message that is always refused is sent 3 times with 2, once with 0";
}

std::string delivery_channel() {
    street s;
    app::poll_producer p{{"bootstrap.servers", s.address()}};
    const auto mine = std::make_shared<app::report_queue>();
    CHECK_FALSE(p.produce({.topic = "orders", .value = "mine"}, mine));
    CHECK_FALSE(p.produce({.topic = "orders", .value = "everybody's"}));
    CHECK(p.flush(20s) == 0);
    const auto to_me = mine->poll(20s), to_all = p.poll(20s);
    REQUIRE(to_me);
    REQUIRE(to_all);
    CHECK(to_me->message.value == "mine");
    CHECK(to_all->message.value == "everybody's");
    CHECK(mine->size() == 0);
    CHECK_FALSE(p.poll(0ms));
    return "a message's report comes to the receiver that it was produced with, another one's to the producer's events";
}

std::string flush_timeout() {
    street s;
    app::poll_producer p{{"bootstrap.servers", s.address()}};
    s.on_cluster([](kw::broker::control& c) { return c.add({.api = 0, .count = 1, .reply_delay = 1s}); });
    CHECK_FALSE(p.produce({.topic = "orders", .value = "v"}));
    CHECK(p.flush(100ms) == 1);
    CHECK(p.flush(20s) == 0);
    return "while the broker takes 1 s to answer, 1 is left after 100 ms; after as much as it takes none";
}

app::properties reads(const street& s) { return {{"bootstrap.servers", s.address()}, {"group.id", "bob-group"}, {"auto.offset.reset", "earliest"}}; }

std::string read_timeout() {
    street s;
    app::poll_consumer c{reads(s)};
    c.subscribe({"orders"});
    const auto began = std::chrono::steady_clock::now();
    CHECK_THROWS_AS(c.read_message(300ms), kw::system_error);
    CHECK(std::chrono::steady_clock::now() - began >= 300ms);
    std::thread later{[&] {
        std::this_thread::sleep_for(500ms);
        s.fill("orders", 1);
    }};
    CHECK(c.read_message(app::for_ever).value == "0");
    later.join();
    return "with nothing to read it throws after 300 ms; with -1 it waits until a message is there";
}

std::string rebalance_callback() {
    street s;
    s.fill("orders", 5);
    app::poll_consumer c{reads(s)};
    int assigned = 0;
    c.subscribe({"orders"}, [&](app::poll_consumer& self, app::rebalance_event e) {
        if (e.what != e.assigned) return self.unassign();
        assigned += static_cast<int>(e.partitions.size());
        for (auto& tp : e.partitions)
            if (tp.partition == 0) tp.from = kw::start_position::at(3);
        self.assign(e.partitions);
    });
    CHECK(c.read_message(20s).offset == 3);
    CHECK(assigned == 3);
    return "told of 3 partitions it assigns them with offset 3 of its own, and that is read first";
}

TEST_CASE("what the properties of the confluent document do", "[parameters]") {
    look_at_all("librdkafka", {
                                  {"bootstrap.servers", bootstrap_servers},
                                  {"security.protocol", security_protocol},
                                  {"sasl.mechanisms", sasl_mechanisms},
                                  {"sasl.username", sasl_username},
                                  {"sasl.password", sasl_password},
                                  {"group.id", group_id},
                                  {"auto.offset.reset", auto_offset_reset},
                                  {"enable.auto.commit", enable_auto_commit},
                                  {"message.send.max.retries", max_retries},
                                  {"Produce deliveryChan", delivery_channel},
                                  {"Flush timeoutMs", flush_timeout},
                                  {"ReadMessage timeout", read_timeout},
                                  {"SubscribeTopics rebalanceCb", rebalance_callback},
                              });
}

}  // namespace
}  // namespace parameters
