// Topics by pattern where the brokers match them (KIP-848), and what is said where they cannot.
#include <set>

#include "group_rig.hpp"
#include "quick_world.hpp"

namespace {

kw::consumer_options matched_there(std::vector<std::string> topics) {
    auto o = member_of("billing", std::move(topics), kw::group_protocol::consumer);
    o.match_patterns = kw::pattern_side::broker;
    return o;
}

std::string told(quick_world& w, const kw::consumer_options& o) {
    w.consumer.emplace(*w.client, o);
    kw::error why;
    w.consumer->async_poll(kw::detailed([&](kw::error e, kw::records) { why = std::move(e); }));
    w.world.run_for(60s);
    return why.message();
}

}  // namespace

TEST_CASE("the brokers find the topics of patterns, beside those that are named") {
    quick_world w{{"orders-1", "orders-2", "bills", "returns", "refunds-1"}};
    w.consumer.emplace(*w.client, matched_there({"^orders-[0-9]+", "returns", "^refunds-.*"}));
    w.poll();
    w.world.run_for(60s);
    std::set<std::string> read;
    for (const auto& r : w.consumer->readings()) read.insert(r.topic);
    CHECK(read == std::set<std::string>{"orders-1", "orders-2", "returns", "refunds-1"});
    CHECK(w.told.empty());
    w.consumer->subscribe({"bills"});                        // names alone: the pattern is taken back
    w.world.run_for(60s);
    read.clear();
    for (const auto& r : w.consumer->readings()) read.insert(r.topic);
    CHECK(read == std::set<std::string>{"bills"});
}

TEST_CASE("what an expression has that a broker refuses is told in its words") {
    quick_world w{{"orders"}};
    const auto text = told(w, matched_there({"^orders-("}));
    INFO(text);
    CHECK(text.find("is not a valid regular expression") != std::string::npos);
    CHECK(text.find("RE2") != std::string::npos);
}

TEST_CASE("brokers that cannot match patterns, or do not know the protocol, are named") {
    {
        quick_world w{{"orders"}, "3.9"};
        const auto text = told(w, matched_there({"^orders.*"}));
        INFO(text);
        CHECK(text.find("cannot look for topics by pattern") != std::string::npos);
        CHECK(text.find("Kafka 4.0") != std::string::npos);
    }
    quick_world w{{"orders"}, "2.8"};
    const auto text = told(w, member_of("billing", {"orders"}, kw::group_protocol::consumer));
    INFO(text);
    CHECK(text.find("does not speak the protocol of group_protocol consumer") != std::string::npos);
    CHECK(text.find("use group_protocol classic") != std::string::npos);
}

TEST_CASE("options that cannot go together with patterns on the brokers' side are refused") {
    auto o = matched_there({"^orders.*"});
    CHECK_FALSE(validate(o));
    o.exclude_topics = {"orders-old"};
    CHECK(validate(o).code == kw::errc::bad_configuration);
    o.exclude_topics.clear();
    o.group_protocol = kw::group_protocol::classic;
    CHECK(validate(o).code == kw::errc::bad_configuration);
}
