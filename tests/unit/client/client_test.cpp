// The client against brokers of our own on loopback: routing, versions, deadlines, cancellation, closing, threads.
#include <kafkawire/client.hpp>
#include <kafkawire/protocol/api.hpp>
#include <kafkawire/protocol/messages/00_produce.hpp>
#include <kafkawire/tokens.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/strand.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/use_future.hpp>
#include <filesystem>

#include "catch.hpp"
#include "peer.hpp"

using namespace std::chrono_literals;
using kw::protocol::messages::metadata_request;
using kw::protocol::messages::produce_request;
using peers::broker;

namespace {

// Runs a coroutine on the context until it ends.
template <class F>
void run(asio::io_context& io, F f) {
    bool ended = false;
    std::exception_ptr thrown;
    asio::co_spawn(io, f(), [&](std::exception_ptr e) {
        ended = true;
        thrown = e;
        io.stop();
    });
    io.run_for(10s);
    io.restart();
    if (thrown) std::rethrow_exception(thrown);
    REQUIRE(ended);
}

std::size_t threads() {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& t : std::filesystem::directory_iterator{"/proc/self/task"}) ++n;
    return n;
}

bool hold_metadata(peers::session&, const kw::protocol::messages::request_header& h) { return h.request_api_key == 3; }

}  // namespace

TEST_CASE("a request goes out with the highest version of both sides, or with the one that is asked for") {
    asio::io_context io;
    broker b{io};
    b.highest_metadata = 9;
    kw::client client{io, {.bootstrap = b.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        metadata_request m;
        auto a = co_await client.async_request(m, asio::use_awaitable);
        CHECK(a.info.version == 9);
        CHECK(a.info.broker == b.address());
        CHECK(a.brokers.size() == 1);
        auto p = co_await client.async_request(m, kw::request_options{.version = 5}, asio::use_awaitable);
        CHECK(p.info.version == 5);
        auto [e, r] = co_await client.async_request(m, kw::request_options{.version = 11}, kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(e.code == kw::errc::no_common_version);
        CHECK(e.text.find("0-9") != std::string::npos);
        kw::protocol::messages::metadata_request forbids;
        forbids.allow_auto_topic_creation = false;
        auto [refused, r2] = co_await client.async_request(forbids, kw::request_options{.version = 1}, kw::as_tuple(asio::use_awaitable));
        CHECK(refused == kw::errc::not_in_version);
        CHECK(b.served.size() == 3);
        CHECK(b.connections() == 1);
    });
}

TEST_CASE("requests are pipelined, each finds its answer") {
    asio::io_context io;
    broker b{io};
    kw::client client{io, {.bootstrap = b.address(), .max_in_flight = 3}};
    int done = 0;
    for (int i = 0; i < 50; ++i) {
        metadata_request m;
        const auto version = static_cast<std::int16_t>(i % 13);
        client.async_request(std::move(m), kw::request_options{.version = version}, [&, version](std::error_code ec, const auto& a) {
            CHECK_FALSE(ec);
            CHECK(a.info.version == version);
            if (++done == 50) io.stop();
        });
    }
    CHECK(done == 0);
    io.run_for(10s);
    CHECK(done == 50);
    CHECK(b.connections() == 1);
}

TEST_CASE("a request to any broker passes over those that cannot be reached") {
    asio::io_context io;
    broker dead{io}, alive{io};
    const auto list = dead.address() + ',' + alive.address();
    dead.stop();
    kw::client client{io, {.bootstrap = list}};
    run(io, [&]() -> asio::awaitable<void> {
        for (int i = 0; i < 4; ++i) {
            auto a = co_await client.async_metadata(asio::use_awaitable);
            CHECK(a.info.broker == alive.address());
        }
    });
}

TEST_CASE("a request to a given broker finds it through the metadata, or says that there is none") {
    asio::io_context io;
    broker one{io, 1}, two{io, 2};
    one.cluster = two.cluster = {{1, one.port()}, {2, two.port()}};
    kw::client client{io, {.bootstrap = one.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        metadata_request m;
        auto a = co_await client.async_request(m, 2, asio::use_awaitable);
        CHECK(a.info.broker == two.address());
        auto same = co_await client.async_request(m, 1, asio::use_awaitable);
        CHECK(same.info.broker == one.address());
        CHECK(one.connections() == 1);
        auto [e, r] = co_await client.async_request(m, 7, kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(e.code == kw::errc::unknown_broker);
        CHECK(e.code == kw::condition::retriable);
        CHECK(e.text.find('7') != std::string::npos);
        CHECK(client.brokers().size() == 2);
        CHECK(client.brokers()[0].state == kw::broker_info::status::up);
    });
}

TEST_CASE("a broker that leaves the cluster and comes back is found by the same call again") {
    asio::io_context io;
    broker one{io, 1}, two{io, 2};
    one.cluster = {{1, one.port()}};
    kw::client client{io, {.bootstrap = one.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        metadata_request m;
        auto [e, r] = co_await client.async_request(m, 2, kw::as_tuple(asio::use_awaitable));
        CHECK(e == kw::errc::unknown_broker);
        CHECK(e == kw::condition::retriable);
        one.cluster = {{1, one.port()}, {2, two.port()}};
        auto a = co_await client.async_request(m, 2, asio::use_awaitable);
        CHECK(a.info.broker == two.address());
        // Gone, and back at another port.
        one.cluster = {{1, one.port()}};
        two.stop();
        auto [down, r2] = co_await client.async_request(m, 2, kw::as_tuple(asio::use_awaitable));
        CHECK(down == kw::condition::retriable);
        broker again{io, 2};
        again.cluster = one.cluster = {{1, one.port()}, {2, again.port()}};
        std::error_code last = kw::errc::unknown_broker;
        for (int attempt = 0; attempt < 20 && last == kw::condition::retriable; ++attempt) {
            auto [ec, found] = co_await client.async_request(m, 2, kw::as_tuple(asio::use_awaitable));
            last = ec;
            if (!ec) CHECK(found.info.broker == again.address());
        }
        CHECK_FALSE(last);
    });
}

TEST_CASE("a request has a deadline of its own, also while its broker is being looked for") {
    asio::io_context io;
    broker b{io};
    b.first = hold_metadata;
    kw::client client{io, {.bootstrap = b.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        metadata_request m;
        const auto start = std::chrono::steady_clock::now();
        auto [e, r] = co_await client.async_request(m, kw::request_options{.timeout = 100ms}, kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(e.code == kw::errc::request_timed_out);
        CHECK(e.code == kw::condition::retriable);
        CHECK(e.in == kw::phase::request);
        auto [e2, r2] = co_await client.async_request(m, kw::request_options{.broker = 5, .timeout = 100ms}, kw::as_tuple(asio::use_awaitable));
        CHECK(e2 == kw::errc::request_timed_out);
        CHECK(std::chrono::steady_clock::now() - start < 1s);
    });
}

TEST_CASE("a canceled request ends soon, and the connection goes on") {
    asio::io_context io;
    broker b{io};
    std::shared_ptr<peers::session> held;
    kw::protocol::messages::request_header held_header;
    b.first = [&](peers::session& s, const auto& h) {
        if (h.request_api_key != 3 || held) return false;
        held = s.shared_from_this();
        held_header = h;
        return true;
    };
    kw::client client{io, {.bootstrap = b.address()}};
    asio::cancellation_signal cancel;
    std::error_code canceled, next;
    int told = 0;
    metadata_request m;
    client.async_request(m, asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code ec, const auto&) {
                             canceled = ec;
                             ++told;
                             // The answer comes late, before the one to the next request.
                             broker::answer(*held, kw::protocol::messages::metadata_response{}, held_header);
                             client.async_request(m, [&](std::error_code e, const auto& a) {
                                 next = e;
                                 CHECK(a.brokers.size() == 1);
                                 ++told;
                                 io.stop();
                             });
                         }));
    while (!held && io.run_one_for(5s)) {}
    REQUIRE(held);
    cancel.emit(asio::cancellation_type::terminal);
    CHECK(told == 0);
    io.run_for(5s);
    CHECK(told == 2);
    CHECK(canceled == kw::errc::canceled);
    CHECK_FALSE(next);
    CHECK(b.connections() == 1);
}

TEST_CASE("closing and destroying end everything that is under way") {
    asio::io_context io;
    broker b{io};
    b.first = hold_metadata;
    std::vector<std::error_code> told;
    const auto note = [&](std::error_code ec, const auto&) { told.push_back(ec); };
    metadata_request m;
    SECTION("destroyed before anything began") {
        kw::client client{io, {.bootstrap = b.address()}};
        client.async_request(m, note);
        client.async_request(m, 3, note);
    }
    SECTION("closed while requests are in flight; closed again; used after that") {
        auto client = std::make_optional<kw::client>(io, kw::client_options{.bootstrap = b.address()});
        client->async_request(m, note);
        while (b.served.size() < 2 && io.run_one_for(5s)) {}
        bool closed = false;
        client->async_close([&](std::error_code ec) {
            CHECK_FALSE(ec);
            closed = true;
        });
        client->async_close(asio::detached);
        client->async_request(m, note);
        io.poll();
        CHECK(closed);
    }
    SECTION("the context goes first in time: handlers are destroyed, not called") {
        auto witness = std::make_shared<int>(0);
        {
            kw::client client{io, {.bootstrap = b.address()}};
            client.async_request(m, [witness](std::error_code, const auto&) { ++*witness; });
        }
        CHECK(*witness == 0);
        io.poll();
        CHECK(*witness == 1);
        CHECK(witness.use_count() == 1);
        return;
    }
    io.poll();
    REQUIRE(told.size() == 2);
    for (const auto ec : told) CHECK(ec == kw::errc::client_closed);
}

TEST_CASE("a connection that the broker closed while idle is replaced without anybody's noticing") {
    asio::io_context io;
    broker b{io};
    std::weak_ptr<peers::session> session;
    b.first = [&](peers::session& s, const auto&) {
        session = s.weak_from_this();
        return false;
    };
    kw::client client{io, {.bootstrap = b.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        (void)co_await client.async_metadata(asio::use_awaitable);
        session.lock()->hang_up();
        asio::steady_timer pause{io, 20ms};
        co_await pause.async_wait(asio::use_awaitable);
        (void)co_await client.async_metadata(asio::use_awaitable);
        CHECK(b.connections() == 2);
    });
}

TEST_CASE("a broker that is down is not dialled in a hot loop") {
    asio::io_context io;
    int connections = 0;
    peers::server s{io, [&](peers::session& c) {
                        ++connections;
                        c.hang_up();
                    }};
    kw::client client{io, {.bootstrap = s.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        const auto end = std::chrono::steady_clock::now() + 1s;
        int asked = 0;
        while (std::chrono::steady_clock::now() < end) {
            auto [ec, r] = co_await client.async_metadata(kw::as_tuple(asio::use_awaitable));
            CHECK(ec);
            ++asked;
        }
        CHECK(asked >= 3);
        CHECK(connections <= 8);
    });
}

TEST_CASE("a Produce with acks=0 completes without an answer") {
    asio::io_context io;
    broker b{io};
    kw::client client{io, {.bootstrap = b.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        produce_request p;
        p.acks = 0;
        auto a = co_await client.async_request(std::move(p), asio::use_awaitable);
        CHECK(a.info.version == 9);
        (void)co_await client.async_metadata(asio::use_awaitable);
        CHECK(b.served.size() == 3);
    });
}

TEST_CASE("erased requests, for tools") {
    asio::io_context io;
    broker b{io};
    kw::client client{io, {.bootstrap = b.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        kw::protocol::any_message m{*kw::protocol::find_api("Metadata")->request};
        auto a = co_await client.async_request_any(std::move(m), {}, asio::use_awaitable);
        CHECK(a.message.schema().name == "Metadata");
        CHECK(static_cast<const kw::protocol::messages::metadata_response*>(a.message.get())->brokers.size() == 1);
    });
    CHECK_THROWS_AS(client.async_request_any(kw::protocol::any_message{*kw::protocol::find_api("Metadata")->response}, {}, asio::detached), std::invalid_argument);
}

TEST_CASE("every kind of token: future, deferred, strand, detailed in any order") {
    asio::io_context io;
    broker b{io};
    kw::client client{io, {.bootstrap = b.address()}};
    metadata_request m;
    auto good = client.async_request(m, asio::use_future);
    auto bad = client.async_request(m, kw::request_options{.version = 13}, kw::detailed(asio::use_future));
    int told = 0;
    auto strand = asio::make_strand(io);
    const auto check = [&](const kw::error& e) {
        CHECK(e.code == kw::errc::no_common_version);
        CHECK_FALSE(e.text.empty());
        CHECK(strand.running_in_this_thread());
        ++told;
    };
    const kw::request_options wrong{.version = 13};
    client.async_request(m, wrong, asio::bind_executor(strand, kw::detailed([&](kw::error e, auto) { check(e); })));
    client.async_request(m, wrong, kw::detailed(asio::bind_executor(strand, [&](kw::error e, auto) { check(e); })));
    client.async_request(m, wrong, kw::deferred)([&](std::error_code ec, auto) {
        CHECK(ec == kw::errc::no_common_version);
        ++told;
    });
    for (int i = 0; i < 100 && told < 3; ++i) io.run_for(20ms);
    CHECK(told == 3);
    io.run_for(50ms);
    CHECK(good.get().brokers.size() == 1);
    CHECK_THROWS_AS(bad.get(), kw::system_error);
}

TEST_CASE("options that are out of range are refused when the client is made") {
    asio::io_context io;
    try {
        kw::client client{io, {.bootstrap = "localhost:0"}};
        FAIL("no exception");
    } catch (const kw::system_error& e) {
        CHECK(e.detail().code == kw::errc::bad_configuration);
        CHECK(e.detail().text.find("localhost:0") != std::string::npos);
    }
}

TEST_CASE("no thread is started, from the name to the close") {
    asio::io_context io;
    broker b{io};
    const auto before = threads();
    kw::client client{io, {.bootstrap = "localhost:" + std::to_string(b.port())}};
    kw::client lost{io, {.bootstrap = "no-such-host.invalid:9092"}};
    std::size_t most = 0;
    int done = 0;
    const auto note = [&](std::error_code, const auto&) {
        most = std::max(most, threads());
        ++done;
    };
    client.async_metadata(note);
    client.async_ready(5s, [&](std::error_code ec) {
        CHECK_FALSE(ec);
        CHECK(client.health().at(0).state == kw::broker_health::status::up);
        most = std::max(most, threads());
        ++done;
    });
    lost.async_request(metadata_request{}, kw::request_options{.timeout = 500ms}, note);
    while (done < 3 && io.run_one_for(5s)) most = std::max(most, threads());
    client.async_close(asio::detached);
    io.poll();
    CHECK(done == 3);
    CHECK(most == before);
    CHECK(threads() == before);
}

TEST_CASE("async_ready with coroutines: the cause comes along, cancellation ends it") {
    asio::io_context io;
    broker dead{io}, b{io};
    const auto address = dead.address();
    dead.stop();
    kw::client client{io, {.bootstrap = address}};
    kw::client good{io, {.bootstrap = b.address()}};
    run(io, [&]() -> asio::awaitable<void> {
        auto e = co_await client.async_ready(300ms, kw::detailed(kw::as_tuple(asio::use_awaitable)));
        CHECK(std::get<0>(e).code == kw::errc::no_broker_available);
        CHECK(std::get<0>(e).message().find("refused") != std::string::npos);
        co_await good.async_ready(5s, asio::use_awaitable);
    });
    asio::cancellation_signal cancel;
    std::error_code why;
    client.async_ready(1min, asio::bind_cancellation_slot(cancel.slot(), [&](std::error_code ec) { why = ec; }));
    io.poll();
    CHECK_FALSE(why);
    cancel.emit(asio::cancellation_type::total);
    CHECK_FALSE(why);
    io.poll();
    CHECK(why == kw::errc::canceled);
}
