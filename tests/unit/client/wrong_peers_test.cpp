// What a person meets when the address is wrong or the peer is ill: each with an error of its own, within the deadline.
#include <kafkawire/client.hpp>

#include <asio/detached.hpp>

#include "catch.hpp"
#include "peer.hpp"

using namespace std::chrono_literals;

namespace {

struct verdict {
    kw::error error;
    std::chrono::steady_clock::duration took{};
};

// Asks for metadata and waits for the verdict.
verdict ask(asio::io_context& io, kw::client_options options) {
    options.connect_timeout = 500ms;
    options.request_timeout = 2s;
    const auto start = std::chrono::steady_clock::now();
    verdict v;
    kw::client client{io, options};
    client.async_metadata(kw::detailed([&](kw::error e, auto) {
        v = {std::move(e), std::chrono::steady_clock::now() - start};
        io.stop();
    }));
    io.run();
    io.restart();
    INFO(v.error.message());
    CHECK(v.error);
    CHECK_FALSE(v.error.hint.empty());
    CHECK(v.error.api_key == 3);
    CHECK(v.error.broker == options.bootstrap);
    CHECK(v.took < 700ms);
    return v;
}
verdict ask(asio::io_context& io, const peers::server& s) { return ask(io, {.bootstrap = s.address()}); }

}  // namespace

TEST_CASE("a refused port") {
    asio::io_context io;
    peers::server s{io, [](peers::session&) {}};
    const auto address = s.address();
    s.stop();
    const auto v = ask(io, {.bootstrap = address});
    CHECK(v.error.code == kw::errc::connect_failed);
    CHECK(v.error.in == kw::phase::connect);
    REQUIRE(v.error.cause);
    CHECK(v.error.cause->code == std::errc::connection_refused);
}

TEST_CASE("an unknown host") {
    asio::io_context io;
    // The reserved top level domain that never exists; without a name server the answer is the same within the deadline.
    const auto v = ask(io, {.bootstrap = "no-such-host.invalid:9092"});
    CHECK((v.error.code == kw::errc::resolve_failed || v.error.code == kw::errc::connect_timed_out));
    CHECK(v.error.in == kw::phase::resolve);
}

TEST_CASE("a port that speaks HTTP") {
    asio::io_context io;
    peers::server s{io, [](peers::session& c) {
                        c.each_frame([](peers::session& t, auto) {
                            t.send("HTTP/1.1 400 Bad Request\r\nServer: test\r\nConnection: close\r\n\r\n");
                            t.hang_up();
                        });
                    }};
    const auto v = ask(io, s);
    CHECK(v.error.code == kw::errc::not_kafka);
    CHECK(v.error.in == kw::phase::api_versions);
    CHECK(v.error.text.find("HTTP") != std::string::npos);
}

TEST_CASE("a port that speaks TLS") {
    asio::io_context io;
    peers::server s{io, [](peers::session& c) {
                        c.each_frame([](peers::session& t, auto) {
                            t.send(std::string_view{"\x15\x03\x03\x00\x02\x02\x50", 7});
                            t.hang_up();
                        });
                    }};
    const auto v = ask(io, s);
    CHECK(v.error.code == kw::errc::not_kafka);
    CHECK(v.error.text.find("TLS") != std::string::npos);
    CHECK(v.error.hint.find("TLS") != std::string::npos);
}

TEST_CASE("a broker that hangs up in the middle of a frame") {
    asio::io_context io;
    peers::server s{io, [](peers::session& c) {
                        c.each_frame([](peers::session& t, auto) {
                            t.send(std::string_view{"\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00", 10});
                            t.hang_up();
                        });
                    }};
    const auto v = ask(io, s);
    CHECK(v.error.code == kw::errc::closed_mid_frame);
    CHECK(v.error.in == kw::phase::api_versions);
    CHECK(v.error.text.find("10 of 260") != std::string::npos);
}

TEST_CASE("the same in an answer to a request") {
    asio::io_context io;
    peers::broker b{io};
    b.first = [](peers::session& t, const auto& header) {
        if (header.request_api_key != 3) return false;
        t.send(std::string_view{"\x00\x00\x01\x00\x00\x00\x00\x01\x00\x00", 10});
        t.hang_up();
        return true;
    };
    const auto v = ask(io, {.bootstrap = b.address()});
    CHECK(v.error.code == kw::errc::closed_mid_frame);
    CHECK(v.error.in == kw::phase::request);
    CHECK(v.error.api_version == 12);
}

TEST_CASE("a frame that claims 2 GB") {
    asio::io_context io;
    SECTION("as the first answer") {
        peers::server s{io, [](peers::session& c) { c.send(std::string_view{"\x7f\xff\xff\xff\x00\x00\x00\x00", 8}); }};
        const auto v = ask(io, s);
        CHECK(v.error.code == kw::errc::frame_too_large);
        CHECK(v.error.in == kw::phase::api_versions);
        CHECK(v.error.text.find("2147483647") != std::string::npos);
    }
    SECTION("later") {
        peers::broker b{io};
        b.first = [](peers::session& t, const auto& header) {
            if (header.request_api_key == 3) t.send(std::string_view{"\x7f\xff\xff\xff\x00\x00\x00\x01", 8});
            return header.request_api_key == 3;
        };
        const auto v = ask(io, {.bootstrap = b.address()});
        CHECK(v.error.code == kw::errc::frame_too_large);
        CHECK(v.error.in == kw::phase::request);
        CHECK(v.error.hint.find("max_response") != std::string::npos);
    }
}

TEST_CASE("a peer that takes the connection and says nothing") {
    asio::io_context io;
    peers::server s{io, [](peers::session&) {}};
    const auto v = ask(io, s);
    CHECK(v.error.code == kw::errc::request_timed_out);
    CHECK(v.error.in == kw::phase::api_versions);
    CHECK(v.took > 400ms);
}

TEST_CASE("a broker before 0.10, or one that wants SASL, hangs up on the first request") {
    asio::io_context io;
    peers::server s{io, [](peers::session& c) { c.each_frame([](peers::session& t, auto) { t.hang_up(); }); }};
    const auto v = ask(io, s);
    CHECK(v.error.code == kw::errc::connection_closed);
    CHECK(v.error.in == kw::phase::api_versions);
    CHECK(v.error.hint.find("SASL") != std::string::npos);
}

TEST_CASE("an answer that cannot be decoded says where") {
    asio::io_context io;
    peers::broker b{io};
    b.first = [](peers::session& t, const auto& header) {
        if (header.request_api_key == 3) t.send(std::string_view{"\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x07", 14});
        return header.request_api_key == 3;
    };
    const auto v = ask(io, {.bootstrap = b.address()});
    CHECK(v.error.in == kw::phase::request);
    CHECK(v.error.text.find("brokers") != std::string::npos);
}
