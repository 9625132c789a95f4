// How consumer servers end, what they tell on the way, and that slow functions cost nothing.
#include <kafkawire/app/consumer_server.hpp>
#include <kafkawire/simulation.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <algorithm>

#include "catch.hpp"
#include "server_rig.hpp"

using namespace std::chrono_literals;
using server_rig::rig;
namespace app = kw::app;

TEST_CASE("a run that is canceled is a clean stop, told as one") {
    rig r;
    r.fill(10);
    app::consumer_server s{r.client, r.read(), app::on_message([](const kw::record_view&) {})};
    asio::cancellation_signal stop;
    s.async_run(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec) {
        r.over = true;
        r.why = ec;
    }));
    REQUIRE(r.kafka.run_until([&] { return s.statistics().handled == 10; }));
    stop.emit(asio::cancellation_type::terminal);
    CHECK_FALSE(r.over);
    REQUIRE(r.kafka.run_until([&] { return r.over; }));
    CHECK(r.why == kw::errc::canceled);
    CHECK(r.committed() == 10);

    r.over = false;
    auto again = r.read();
    again.group = "h";
    app::services all{r.io.get_executor()};
    all.add("one", {r.client, again, app::on_message([](const kw::record_view&) {})});
    all.add("two", {r.client, again, app::on_message([](const kw::record_view&) {})});
    all.async_run(asio::bind_cancellation_slot(stop.slot(), [&](std::error_code ec) {
        r.over = true;
        r.why = ec;
    }));
    REQUIRE(r.kafka.run_until([&] { return all.find("one")->statistics().handled + all.find("two")->statistics().handled >= 10; }));
    stop.emit(asio::cancellation_type::all);
    REQUIRE(r.kafka.run_until([&] { return r.over; }));
    CHECK(r.why == kw::errc::canceled);
}

TEST_CASE("who is stopped before the run has nothing to do, and that is no error; a second run is one") {
    rig r;
    r.fill(1);
    int handled = 0;
    app::consumer_server s{r.client, r.read(), app::on_message([&](const kw::record_view&) { ++handled; })};
    s.stop();
    r.kafka.run_for(10ms);
    std::optional<std::error_code> first, second;
    s.async_run([&](std::error_code ec) { first = ec; });
    CHECK_FALSE(first);
    s.async_run([&](std::error_code ec) { second = ec; });
    REQUIRE(r.kafka.run_until([&] { return first && second; }));
    CHECK_FALSE(*first);
    CHECK(*second == app::errc::stopped);
    CHECK(handled == 0);

    app::services all{r.io.get_executor()};
    all.add("one", {r.client, r.read(), app::on_message([&](const kw::record_view&) { ++handled; })});
    all.stop();
    r.kafka.run_for(10ms);
    first.reset();
    second.reset();
    all.async_run([&](std::error_code ec) { first = ec; });
    all.async_run([&](std::error_code ec) { second = ec; });
    REQUIRE(r.kafka.run_until([&] { return first && second; }));
    CHECK_FALSE(*first);
    CHECK(*second == app::errc::stopped);
    CHECK(handled == 0);
}

TEST_CASE("a server that is destroyed says so to whoever waits for its end") {
    rig r;
    r.fill(1);
    auto s = std::make_optional(r.serve(app::on_message([](const kw::record_view&) {})));
    REQUIRE(r.kafka.run_until([&] { return s->statistics().handled == 1; }));
    s.reset();
    REQUIRE(r.kafka.run_until([&] { return r.over; }));
    CHECK(r.why == kw::errc::client_closed);
}

TEST_CASE("what goes wrong with the client, with the function, and on the way to dead letters comes in one stream") {
    rig r;
    r.kafka.produce(r.topic, {{.value = "bad", .partition = 0}});
    r.kafka.embedded()->control().add({.api = 1, .count = 1, .error = kw::broker_errc::topic_authorization_failed});
    auto s = r.serve(app::on_message([](const kw::record_view&) { throw std::runtime_error{"cannot be done"}; }),
                     {.retry_interval = 1ms, .max_retry = -1, .after_last_try = app::last_resort::dead_letter, .dead_letter_topic = "no topic has blanks"});
    const auto seen = [&](app::service_error::source from) {
        return std::count_if(r.errors.begin(), r.errors.end(), [&](const app::service_error& e) { return e.from == from; });
    };
    REQUIRE(r.kafka.run_until([&] { return seen(app::service_error::source::sending) >= 2; }));
    CHECK(seen(app::service_error::source::client) >= 1);
    CHECK(seen(app::service_error::source::handler) == 1);
    for (const auto& e : r.errors) {
        if (e.from == app::service_error::source::client) CHECK(e.why.code == kw::broker_errc::topic_authorization_failed);
        if (e.from != app::service_error::source::sending) continue;
        CHECK(e.topic == r.topic);
        CHECK(e.offset == 0);
    }
    r.end(s);
    // It is nowhere but here: it comes again.
    CHECK(r.committed() == 0);
}

TEST_CASE("a function that takes an hour costs neither the membership nor a second call") {
    kw::sim::world world{1};
    auto& node = world.add_host("broker");
    auto& home = world.add_host("app");
    kw::broker::options o;
    o.hosts = {node.address().to_string()};
    o.ports = {9092};
    o.topics = {{.name = "orders"}};
    std::vector<std::shared_ptr<kw::net::environment>> environments{node.environment()};
    kw::broker::cluster cluster{std::move(environments), o};
    REQUIRE_FALSE(cluster.start());
    kw::client_options of;
    of.bootstrap = "broker:9092";
    kw::client client{home.executor(), of, home.environment()};
    kw::producer producer{client, {}};
    bool sent = false;
    producer.async_send({.topic = "orders", .value = "slow"}, [&](std::error_code ec, const kw::delivery&) { sent = !ec; });
    REQUIRE(world.run_until([&] { return sent; }, 1min));

    kw::consumer_options read;
    read.auto_offset_reset = kw::offset_reset::earliest;
    read.group = "g";
    read.topics = {"orders"};
    read.session_timeout = 10s;
    read.max_poll_interval = 1min;
    int calls = 0, slow = 0;
    app::consumer_server s{client, read, app::on_call([&](app::call c) {
                               ++calls;
                               auto kept = std::make_shared<app::call>(std::move(c));
                               home.async_wait(1h, [kept](std::error_code) { kept->done(); });
                           })};
    s.on_error([&](const app::service_error& e) { slow += e.why.code == app::errc::handler_slow; });
    bool over = false;
    s.async_run([&](std::error_code ec) { over = !ec; });
    REQUIRE(world.run_until([&] { return calls == 1; }, 1min));
    const auto member = s.session();
    world.run_for(59min);
    CHECK(s.statistics().running == 1);
    CHECK(s.session().member_id == member.member_id);
    CHECK(s.session().generation == member.generation);
    REQUIRE(s.session().find("orders", 0));
    CHECK(s.session().find("orders", 0)->confirmed == -1);
    world.run_for(2min);
    CHECK(s.statistics().handled == 1);
    CHECK(s.session().find("orders", 0)->confirmed == 1);
    CHECK_FALSE(s.session().find("orders", 1));
    CHECK(calls == 1);
    CHECK(slow == 1);
    s.stop();
    REQUIRE(world.run_until([&] { return over; }, 1min));
}

TEST_CASE("a password that is wrong is told to whoever polls and to the stream of errors, and a stop is a stop all the same") {
    asio::io_context io;
    kw::broker::options o;
    o.topics = {{.name = "orders"}};
    o.security.protocol = kw::security_protocol::sasl_plaintext;
    o.security.mechanisms = {kw::sasl_mechanism::plain};
    o.security.users = {{"alice", kw::secret{"right"}}};
    kw::broker::cluster cluster{io.get_executor(), o};
    REQUIRE_FALSE(cluster.start());
    kw::client_options of;
    of.bootstrap = cluster.bootstrap();
    of.security_protocol = kw::security_protocol::sasl_plaintext;
    of.sasl_mechanism = kw::sasl_mechanism::plain;
    of.sasl_username = "alice";
    of.sasl_password = kw::secret{"wrong"};
    kw::client client{io, of};
    const auto runs_until = [&](const auto& done) {
        const auto by = std::chrono::steady_clock::now() + 20s;
        while (!done() && std::chrono::steady_clock::now() < by) io.run_for(10ms);
        return done();
    };

    kw::consumer member{client, {.group = "g", .topics = {"orders"}}}, alone{client};
    alone.assign("orders", 0);
    // Each of two polls: who goes on is told again.
    for (auto* reading : {&member, &member, &alone}) {
        std::optional<kw::error> told;
        reading->async_poll(kw::detailed([&](kw::error why, const kw::records&) { told = std::move(why); }));
        REQUIRE(runs_until([&] { return told.has_value(); }));
        CHECK(told->code == kw::errc::authentication_failed);
        CHECK(told->message().find("are user and password (or token) right") != std::string::npos);
    }

    kw::consumer_options read;
    read.group = "h";
    read.topics = {"orders"};
    int refused = 0;
    bool over = false;
    app::consumer_server s{client, read, app::on_message([](const kw::record_view&) {})};
    s.on_error([&](const app::service_error& e) { refused += e.from == app::service_error::source::client && e.why.code == kw::errc::authentication_failed; });
    s.async_run([&](std::error_code ec) { over = !ec; });
    REQUIRE(runs_until([&] { return refused >= 2; }));
    s.stop();
    REQUIRE(runs_until([&] { return over; }));
    cluster.close();
}
