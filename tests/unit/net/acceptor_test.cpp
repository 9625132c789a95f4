// The acceptor of Asio's environment, on the loopback: what a broker's driver relies on.
#include "catch.hpp"

#include <kafkawire/asio_environment.hpp>
#include <kafkawire/error.hpp>

#include <asio/io_context.hpp>
#include <functional>
#include <string>

using namespace kafkawire;
using namespace kafkawire::net;

namespace {

const endpoint loopback{.address = ip_address::parse("127.0.0.1").value(), .port = 0};

struct world {
    asio::io_context io;
    std::shared_ptr<environment> env = make_asio_environment(io.get_executor());
    void run() {
        io.restart();
        io.run();
    }
};

}  // namespace

TEST_CASE("A connection is accepted, its peer is named, and bytes go both ways", "[acceptor]") {
    world w;
    auto server = w.env->make_acceptor();
    CHECK(server->local() == endpoint{});
    REQUIRE_FALSE(server->listen(loopback));
    REQUIRE(server->local().port != 0);
    CHECK(server->local().address == loopback.address);

    std::unique_ptr<stream> inside;
    endpoint peer;
    bool inline_call = true;
    server->async_accept([&](std::error_code ec, std::unique_ptr<stream> s, endpoint from) {
        REQUIRE_FALSE(ec);
        CHECK_FALSE(inline_call);
        inside = std::move(s);
        peer = from;
    });
    auto client = w.env->make_stream();
    client->async_connect(server->local(), [](std::error_code ec) { REQUIRE_FALSE(ec); });
    inline_call = false;
    w.run();
    REQUIRE(inside);
    CHECK(peer.address == loopback.address);
    CHECK(peer.port != 0);
    CHECK(peer.port != server->local().port);

    const std::string question = "who is there", answer = "a broker";
    std::string heard(64, ' '), told(64, ' ');
    std::span<const std::byte> out = std::as_bytes(std::span{question}), back = std::as_bytes(std::span{answer});
    client->async_write({&out, 1}, [](std::error_code ec) { CHECK_FALSE(ec); });
    inside->async_read_some(std::as_writable_bytes(std::span{heard}), [&](std::error_code ec, std::size_t n) {
        CHECK_FALSE(ec);
        heard.resize(n);
        inside->async_write({&back, 1}, [](std::error_code e) { CHECK_FALSE(e); });
    });
    client->async_read_some(std::as_writable_bytes(std::span{told}), [&](std::error_code ec, std::size_t n) {
        CHECK_FALSE(ec);
        told.resize(n);
    });
    w.run();
    CHECK(heard == question);
    CHECK(told == answer);

    std::error_code ended;
    client->async_read_some(std::as_writable_bytes(std::span{told}), [&](std::error_code ec, std::size_t) { ended = ec; });
    SECTION("closed by being destroyed") {
        inside.reset();
        w.run();
        CHECK(ended == errc::connection_closed);
    }
    SECTION("reset") {
        inside->reset();
        w.run();
        CHECK(ended == std::errc::connection_reset);
    }
}

TEST_CASE("What the system has not sent when a connection is reset is never delivered", "[acceptor]") {
    const bool reset = GENERATE(true, false);
    world w;
    auto server = w.env->make_acceptor();
    REQUIRE_FALSE(server->listen(loopback));
    std::unique_ptr<stream> inside;
    server->async_accept([&](std::error_code, std::unique_ptr<stream> s, endpoint) { inside = std::move(s); });
    auto client = w.env->make_stream();
    client->async_connect(server->local(), [](std::error_code ec) { REQUIRE_FALSE(ec); });
    w.run();
    REQUIRE(inside);
    // Nobody reads: what the other end has no room for stays here. Piece by piece, so that it is known how much the system has taken.
    const std::string piece(64 * 1024, 'x');
    const std::span<const std::byte> part = std::as_bytes(std::span{piece});
    std::size_t taken = 0;
    std::function<void()> write = [&] {
        client->async_write({&part, 1}, [&](std::error_code ec) {
            if (ec) return;
            taken += piece.size();
            write();
        });
    };
    write();
    w.io.restart();
    while (w.io.run_one_for(std::chrono::milliseconds{200})) {
    }
    REQUIRE(taken > 0);
    if (reset) client->reset();
    else client->close();
    std::string room(1 << 20, ' ');
    std::size_t got = 0;
    std::error_code end;
    std::function<void()> read = [&] {
        inside->async_read_some(std::as_writable_bytes(std::span{room}), [&](std::error_code ec, std::size_t n) {
            got += n;
            end = ec;
            if (!ec) read();
        });
    };
    read();
    w.run();
    if (reset) {
        CHECK(got < taken);
        CHECK(end == std::errc::connection_reset);
    } else {
        CHECK(got >= taken);
        CHECK(end == errc::connection_closed);
    }
}

TEST_CASE("Connections queue before they are accepted; one address has one acceptor; a closed one gives it back", "[acceptor]") {
    world w;
    auto server = w.env->make_acceptor();
    REQUIRE_FALSE(server->listen(loopback));
    const auto at = server->local();
    auto second = w.env->make_acceptor();
    CHECK(second->listen(at) == std::errc::address_in_use);
    CHECK(second->local() == endpoint{});

    auto early = w.env->make_stream();
    early->async_connect(at, [](std::error_code ec) { CHECK_FALSE(ec); });
    w.run();
    bool taken = false;
    server->async_accept([&](std::error_code ec, std::unique_ptr<stream> s, const endpoint&) { taken = !ec && s; });
    w.run();
    CHECK(taken);

    std::error_code why;
    server->async_accept([&](std::error_code ec, std::unique_ptr<stream> s, const endpoint&) {
        why = ec;
        CHECK_FALSE(s);
    });
    server->close();
    w.run();
    CHECK(why == std::errc::operation_canceled);
    CHECK(server->local() == endpoint{});
    CHECK_FALSE(second->listen(at));

    auto late = w.env->make_stream();
    second->close();
    late->async_connect(at, [&](std::error_code ec) { why = ec; });
    w.run();
    CHECK(why == std::errc::connection_refused);
}

TEST_CASE("A destroyed acceptor calls nobody", "[acceptor]") {
    world w;
    auto server = w.env->make_acceptor();
    REQUIRE_FALSE(server->listen(loopback));
    bool called = false;
    server->async_accept([&](std::error_code, std::unique_ptr<stream>, const endpoint&) { called = true; });
    server.reset();
    w.run();
    CHECK_FALSE(called);
}
