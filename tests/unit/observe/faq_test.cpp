// What users of old clusters run into most often, provoked: each ends in a text that says what to do. The others of that list are where their parts are:
// headers that clash in app/component_test.cpp, services that are not found in config/discovery_test.cpp, a user without a mechanism in config/config_test.cpp.
#include "seen_rig.hpp"
#include "unit/client/peer.hpp"

using namespace seeing;

namespace {

bool says(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a broker that finds compressed batches damaged: without compression, or held to its release", "[faq]") {
    for (const auto codec : {kw::protocol::compression::gzip, kw::protocol::compression::none}) {
        rig r;
        r.kafka->control().add({.api = 0, .error = kw::broker_errc::corrupt_message});
        r.run([&]() -> asio::awaitable<void> {
            kw::client client{r.io, r.client({})};
            kw::producer_options o;
            o.compression = codec;
            o.delivery_timeout = 300ms;
            o.retry_backoff = 10ms;
            kw::producer producer{client, o};
            const kw::record record{.topic = "orders", .value = "paid"};
            auto [why, at] = co_await producer.async_send(record, kw::detailed(kw::as_tuple(asio::use_awaitable)));
            REQUIRE(why);
            CAPTURE(why.message());
            CHECK(says(why.message(), "CORRUPT_MESSAGE"));
            CHECK(says(why.message(), "broker_version (version=) set to their release would help") != says(why.message(), "compression none, or broker_version (version=) set to their release, would help"));
            CHECK(says(why.message(), "compression none") == (codec != kw::protocol::compression::none));
        });
    }
}

TEST_CASE("out of brokers: each is named with what is wrong with it, and what to try", "[faq]") {
    rig r;
    r.kafka->close();
    peers::server first{r.io, [](peers::session& s) { s.each_frame([](peers::session& t, auto) { t.hang_up(); }); }};
    peers::server second{r.io, [](peers::session& s) { s.each_frame([](peers::session& t, auto) { t.hang_up(); }); }};
    r.run([&]() -> asio::awaitable<void> {
        kw::client_options o;
        o.bootstrap = first.address() + ',' + second.address();
        kw::client client{r.io, o};
        auto [why, answer] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CAPTURE(why.message());
        CHECK(why.code == kw::errc::no_broker_available);
        CHECK(says(why.text, "none of 2 brokers could be asked"));
        CHECK(says(why.text, first.address() + ": the peer hung up when asked for its versions"));
        CHECK(says(why.text, second.address()));
        CHECK(says(why.hint, "a broker before 0.10, which needs broker_version (version=), as 0.9.0"));
        CHECK(says(why.hint, "TLS or SASL"));
    });
    r.run([&]() -> asio::awaitable<void> {
        kw::client_options o;
        o.bootstrap = "127.0.0.1:1,127.0.0.1:2";
        kw::client client{r.io, o};
        auto [why, answer] = co_await client.async_metadata(kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(why.code == kw::errc::no_broker_available);
        CHECK(says(why.hint, "is a broker listening there? Check host and port"));
    });
}

TEST_CASE("an address that the cluster advertises and nobody reaches is told as that", "[faq]") {
    for (const auto* host : {"127.0.0.1", "nowhere.invalid"}) {
        kw::broker::options o{.topics = {{.name = "orders"}}};
        o.advertised = {{host, 1}};
        rig r{o};
        r.run([&]() -> asio::awaitable<void> {
            kw::client client{r.io, r.client({})};
            kw::request_options to;
            to.broker = 1;
            kw::protocol::messages::metadata_request request;
            auto [why, answer] = co_await client.async_request(std::move(request), to, kw::detailed(kw::as_tuple(asio::use_awaitable)));
            CAPTURE(why.message());
            REQUIRE(why);
            CHECK(says(why.hint, "the cluster tells clients of this address"));
            CHECK(says(why.hint, "advertised.listeners"));
        });
    }
}

TEST_CASE("members without a strategy in common: which the group has, and how to get there", "[faq]") {
    rig r;
    r.run([&]() -> asio::awaitable<void> {
        kw::client client{r.io, r.client({})};
        kw::consumer_options o;
        o.group = "billing";
        o.topics = {"orders"};
        o.assignors = {"range"};
        kw::consumer first{client, o};
        bool assigned = false;
        first.on_assigned([&](kw::rebalance_step) { assigned = true; });
        asio::steady_timer pause{r.io};
        for (int i = 0; i < 500 && !(assigned && first.membership()->state == "stable"); ++i) {
            pause.expires_after(10ms);
            co_await pause.async_wait(asio::use_awaitable);
        }
        REQUIRE(assigned);
        o.assignors = {"sticky"};
        kw::consumer second{client, o};
        auto [why, none] = co_await second.async_poll(kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CAPTURE(why.message());
        CHECK(why.code == kw::broker_errc::inconsistent_group_protocol);
        CHECK(says(why.text, "uses the strategy 'range'"));
        CHECK(says(why.hint, "list 'range' as well"));
    });
}

TEST_CASE("records of one key in no order: the log says which partitioner keeps them together", "[faq]") {
    rig r;
    const auto seen = std::make_shared<memory>();
    for (const auto* partitioner : {"random", "round_robin", "murmur2", "fnv1a"}) {
        seen->lines.clear();
        r.run([&]() -> asio::awaitable<void> {
            kw::client client{r.io, r.client(seen)};
            kw::producer_options o;
            o.partitioner = partitioner;
            kw::producer producer{client, o};
            for (int i = 0; i < 3; ++i) {
                const kw::record record{.topic = "orders", .key = "42", .value = "paid"};
                co_await producer.async_send(record, asio::use_awaitable);
            }
        });
        CAPTURE(partitioner);
        const bool blind = std::string_view{partitioner} == "random" || std::string_view{partitioner} == "round_robin";
        CHECK(seen->lines_with("murmur2, or fnv1a (partitioner=hash in an address), keeps them together (topic=orders, partitioner=") == blind);
    }
}
