// The connection machine by hand: no socket, no sleep, time is a number.
#include "net/connection_fsm.hpp"

#include <kafkawire/protocol/frame.hpp>
#include <kafkawire/protocol/messages/03_metadata.hpp>
#include <kafkawire/protocol/messages/18_api_versions.hpp>

#include <algorithm>

#include "catch.hpp"

using namespace kafkawire;
using namespace kafkawire::net;
using namespace std::chrono_literals;
using protocol::messages::api_versions_response;
using protocol::messages::metadata_request;

namespace {

const time_point t0{};

std::vector<std::byte> bytes(std::initializer_list<int> b) {
    std::vector<std::byte> v;
    for (const int x : b) v.push_back(static_cast<std::byte>(x));
    return v;
}
std::vector<std::byte> text(std::string_view s) {
    std::vector<std::byte> v;
    for (const char c : s) v.push_back(static_cast<std::byte>(c));
    return v;
}

struct test_call final : call {
    std::vector<outcome> told;
    explicit test_call(time_point by = t0 + 30s) {
        api_key = metadata_request::key;
        speaks = metadata_request::versions;
        deadline = by;
    }
    protocol::wire_error encode(std::int16_t version, std::int32_t correlation, std::string_view client_id, protocol::scatter& to) override {
        metadata_request m;
        return protocol::encode_request(m, version, correlation, client_id, to);
    }
    void done(outcome o) override { told.push_back(std::move(o)); }
};

// A machine with what its driver would do around it: bytes go where it says, calls are told, the last actions are kept.
struct rig {
    explicit rig(connection_settings s = {}) : machine{with_peer(std::move(s))} {}
    static connection_settings with_peer(connection_settings s) {
        s.host = "broker";
        s.port = 9092;
        return s;
    }
    actions& step(event e) {
        last.clear();
        machine.step(std::move(e), now, last);
        for (auto& a : last) {
            if (auto* t = std::get_if<tell>(&a)) t->whom->done(t->what);
            if (auto* w = std::get_if<write_frame>(&a)) written.push_back(w->request.content.own);
            if (auto* c = std::get_if<announce_closed>(&a)) closed_with = c->why;
        }
        return last;
    }
    template <class T>
    [[nodiscard]] int count() const {
        return static_cast<int>(std::count_if(last.begin(), last.end(), [](const action& a) { return std::holds_alternative<T>(a); }));
    }
    void arrive(const std::vector<std::byte>& b, std::size_t chunk = SIZE_MAX) {
        for (std::size_t at = 0; at < b.size();) {
            const auto to = machine.read_here();
            if (to.empty()) return;
            const auto n = std::min({to.size(), chunk, b.size() - at});
            std::copy_n(b.begin() + static_cast<std::ptrdiff_t>(at), n, to.begin());
            step(received{n});
            at += n;
        }
    }
    std::shared_ptr<test_call> send(time_point by = t0 + 30s) {
        auto c = std::make_shared<test_call>(by);
        c->started = now;
        step(send_requested{c});
        return c;
    }
    // To the point where ApiVersions is on the wire.
    void connect() {
        step(open_requested{});
        step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
        step(connected{0});
    }
    static std::vector<std::byte> versions_answer(std::int32_t correlation, std::int16_t version, std::int16_t code = 0, protocol::version_range metadata = protocol::between(0, 12)) {
        api_versions_response r;
        r.error_code = code;
        r.api_keys.resize(2);
        r.api_keys[0].api_key = 18;
        r.api_keys[0].max_version = 2;
        r.api_keys[1].api_key = 3;
        r.api_keys[1].min_version = metadata.lowest;
        r.api_keys[1].max_version = metadata.highest;
        protocol::scatter s;
        CHECK_FALSE(protocol::encode_response(r, version, correlation, s));
        return s.own;
    }
    void get_ready() {
        connect();
        arrive(versions_answer(0, 4));
        REQUIRE(std::holds_alternative<ready>(machine.where()));
    }
    connection_fsm machine;
    time_point now = t0;
    actions last;
    std::vector<std::vector<std::byte>> written;
    error closed_with;
};

std::int16_t int16_at(const std::vector<std::byte>& b, std::size_t at) { return static_cast<std::int16_t>(std::to_integer<int>(b[at]) << 8 | std::to_integer<int>(b[at + 1])); }

}  // namespace

TEST_CASE("a request waits for the connection, goes out, and its answer finds its way back a byte at a time") {
    rig r;
    const auto c = r.send();
    CHECK(r.count<start_resolve>() == 1);
    CHECK(r.machine.load() == 1);
    r.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
    CHECK(r.count<open_socket>() == 1);
    r.step(connected{0});
    CHECK(r.count<keep_socket>() == 1);
    REQUIRE(r.written.size() == 1);
    CHECK(int16_at(r.written[0], 4) == 18);
    CHECK(int16_at(r.written[0], 6) == 4);
    r.arrive(rig::versions_answer(0, 4), 1);
    REQUIRE(r.written.size() == 2);
    CHECK(int16_at(r.written[1], 4) == 3);
    CHECK(int16_at(r.written[1], 6) == 12);  // the broker's highest, not ours
    CHECK(c->told.empty());
    r.arrive(bytes({0, 0, 0, 5, 0, 0, 0, 1, 42}), 1);
    REQUIRE(c->told.size() == 1);
    CHECK_FALSE(c->told[0].why);
    CHECK(c->told[0].version == 12);
    CHECK(std::ranges::equal(c->told[0].answer.view(), bytes({0, 0, 0, 1, 42})));
    CHECK(r.machine.load() == 0);
    CHECK_FALSE(r.machine.next_wakeup());
}

TEST_CASE("ApiVersions falls back to what an older broker offers, or to version 0") {
    rig r;
    r.connect();
    SECTION("the answer names ApiVersions up to 2") {
        r.arrive(rig::versions_answer(0, 0, 35));
        REQUIRE(r.written.size() == 2);
        CHECK(int16_at(r.written[1], 6) == 2);
        r.arrive(rig::versions_answer(1, 2));
        CHECK(std::holds_alternative<ready>(r.machine.where()));
    }
    SECTION("the answer is empty, as before 2.4") {
        r.arrive(bytes({0, 0, 0, 10, 0, 0, 0, 0, 0, 35, 0, 0, 0, 0}));
        REQUIRE(r.written.size() == 2);
        CHECK(int16_at(r.written[1], 6) == 0);
        r.arrive(rig::versions_answer(1, 0));
        CHECK(std::holds_alternative<ready>(r.machine.where()));
    }
    SECTION("a broker that refuses version 0 too is given up") {
        r.arrive(bytes({0, 0, 0, 10, 0, 0, 0, 0, 0, 35, 0, 0, 0, 0}));
        r.arrive(bytes({0, 0, 0, 10, 0, 0, 0, 1, 0, 35, 0, 0, 0, 0}));
        CHECK(r.closed_with.code == errc::no_common_version);
    }
    SECTION("another error is the broker's own") {
        r.arrive(rig::versions_answer(0, 4, 58));
        CHECK(r.closed_with.code == make_error_code(static_cast<broker_errc>(58)));
        CHECK(r.closed_with.in == phase::api_versions);
    }
}

TEST_CASE("versions that do not meet are told at once and leave the connection alone") {
    rig r;
    r.connect();
    r.arrive(rig::versions_answer(0, 4, 0, protocol::between(14, 15)));
    auto c = r.send();
    REQUIRE(c->told.size() == 1);
    CHECK(c->told[0].why.code == errc::no_common_version);
    CHECK_FALSE(c->told[0].connection_failed);
    auto unknown = std::make_shared<test_call>();
    unknown->api_key = 0;
    r.step(send_requested{unknown});
    CHECK(unknown->told.at(0).why.code == errc::no_common_version);
    CHECK(std::holds_alternative<ready>(r.machine.where()));
}

TEST_CASE("addresses are raced: each gets a head start, the first that connects wins") {
    rig r;
    r.step(open_requested{});
    r.step(resolved{{}, {}, {*ip_address::parse("2001:db8::1"), *ip_address::parse("2001:db8::2"), *ip_address::parse("10.0.0.1")}});
    REQUIRE(r.count<open_socket>() == 1);
    CHECK(std::get<open_socket>(r.last[0]).to.to_string() == "[2001:db8::1]:9092");
    CHECK(r.machine.next_wakeup() == t0 + 250ms);
    SECTION("silence brings the other family after a moment, and the loser is dropped") {
        r.now = t0 + 250ms;
        r.step(tick{});
        REQUIRE(r.count<open_socket>() == 1);
        CHECK(std::get<open_socket>(r.last[0]).to.to_string() == "10.0.0.1:9092");
        r.step(connected{1});
        CHECK(std::get<drop_socket>(r.last[0]).attempt == 0);
        CHECK(std::get<keep_socket>(r.last[1]).attempt == 1);
        CHECK(r.step(connected{0}).empty());
    }
    SECTION("a refusal brings the next at once; when all are refused, all are named") {
        r.step(connect_failed{0, std::make_error_code(std::errc::connection_refused)});
        CHECK(r.count<open_socket>() == 1);
        r.step(connect_failed{1, std::make_error_code(std::errc::network_unreachable)});
        r.step(connect_failed{2, std::make_error_code(std::errc::connection_refused)});
        CHECK(r.closed_with.code == errc::connect_failed);
        CHECK(r.closed_with.in == phase::connect);
        CHECK(r.closed_with.text.find("10.0.0.1:9092: Network is unreachable") != std::string::npos);
        REQUIRE(r.closed_with.cause);
        CHECK(r.closed_with.cause->code == std::errc::connection_refused);
    }
    SECTION("silence of all ends with the connect timeout") {
        for (auto at : {250ms, 500ms, 9999ms}) {
            r.now = t0 + at;
            r.step(tick{});
            CHECK_FALSE(r.closed_with);
        }
        CHECK(r.machine.next_wakeup() == t0 + 10s);
        r.now = t0 + 10s;
        r.step(tick{});
        CHECK(r.closed_with.code == errc::connect_timed_out);
        CHECK(r.closed_with.text.find("[2001:db8::2]:9092: no answer") != std::string::npos);
    }
}

TEST_CASE("wrong peers are told from each other before anything is allocated") {
    rig r;
    auto c = r.send();
    r.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
    r.step(connected{0});
    const auto expect = [&](errc code, std::string_view words) {
        INFO(r.closed_with.text);
        CHECK(r.closed_with.code == code);
        CHECK(r.closed_with.in == phase::api_versions);
        CHECK(r.closed_with.text.find(words) != std::string::npos);
        CHECK_FALSE(r.closed_with.hint.empty());
        REQUIRE(c->told.size() == 1);
        CHECK(c->told[0].why.code == code);
        CHECK_FALSE(c->told[0].maybe_processed);
        CHECK(c->told[0].connection_failed);
    };
    SECTION("HTTP") { r.arrive(text("HTTP/1.1 400 Bad Request\r\n")), expect(errc::not_kafka, "HTTP"); }
    SECTION("SSH") { r.arrive(text("SSH-2.0-OpenSSH_9.2")), expect(errc::not_kafka, "SSH"); }
    SECTION("mail") { r.arrive(text("220 mail.example.org")), expect(errc::not_kafka, "220 "); }
    SECTION("TLS") { r.arrive(bytes({0x15, 3, 3, 0, 2, 2, 80})), expect(errc::not_kafka, "TLS"); }
    SECTION("TLS, hung up after two bytes") {
        r.arrive(bytes({0x15, 3}));
        r.step(failed{make_error_code(errc::connection_closed)});
        expect(errc::not_kafka, "TLS");
    }
    SECTION("2 GB") { r.arrive(bytes({0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0})), expect(errc::frame_too_large, "2147483647"); }
    SECTION("hung up at once") {
        r.step(failed{make_error_code(errc::connection_closed)});
        expect(errc::connection_closed, "hung up when asked");
    }
    SECTION("hung up in the middle") {
        r.arrive(bytes({0, 0, 1, 0, 0, 0, 0, 0, 0, 0}));
        r.step(failed{make_error_code(errc::connection_closed)});
        expect(errc::closed_mid_frame, "10 of 260 bytes");
    }
    SECTION("silence") {
        r.now = t0 + 10s;
        r.step(tick{});
        expect(errc::request_timed_out, "no answer to ApiVersions within 10 s");
    }
    SECTION("noise of the right size") {
        r.arrive(bytes({0, 0, 0, 6, 0, 0, 0, 0, 0, 0}));
        expect(errc::not_kafka, "not one");
    }
    SECTION("no address") {
        r.step(failed{make_error_code(errc::connection_closed)});
        CHECK(r.step(received{4}).empty());
    }
}

TEST_CASE("frames that cannot be believed close a connection that works, and nothing is delivered") {
    rig r{{.max_response = 1000}};
    r.get_ready();
    auto c = r.send();
    const auto expect = [&](errc code) {
        CHECK(r.closed_with.code == code);
        CHECK(r.closed_with.in == phase::request);
        REQUIRE(c->told.size() == 1);
        CHECK(c->told[0].why.code == code);
        CHECK(c->told[0].maybe_processed);
    };
    SECTION("size -1") { r.arrive(bytes({0xff, 0xff, 0xff, 0xff})), expect(errc::bad_length); }
    SECTION("size 0") { r.arrive(bytes({0, 0, 0, 0})), expect(errc::bad_length); }
    SECTION("size 3") { r.arrive(bytes({0, 0, 0, 3})), expect(errc::bad_length); }
    SECTION("size 1001") { r.arrive(bytes({0, 0, 3, 0xe9})), expect(errc::frame_too_large); }
    SECTION("an answer that nobody asked for") { r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 9})), expect(errc::unexpected_correlation_id); }
    SECTION("an early answer") {
        r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 1}));
        REQUIRE(c->told.size() == 1);
        c->told.clear();
        r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 1}));
        CHECK(r.closed_with.code == errc::unexpected_correlation_id);
        CHECK(c->told.empty());
    }
    SECTION("hung up in the middle") {
        r.arrive(bytes({0, 0, 0, 9, 0}));
        r.step(failed{make_error_code(errc::connection_closed)});
        expect(errc::closed_mid_frame);
    }
}

TEST_CASE("a late answer closes the connection; the others on it are told that it was not their fault") {
    rig r{{.max_in_flight = 2}};
    r.get_ready();
    auto slow = r.send(t0 + 5s), other = r.send(t0 + 30s), waiting = r.send(t0 + 30s);
    CHECK(r.machine.next_wakeup() == t0 + 5s);
    r.now = t0 + 5s;
    r.step(tick{});
    REQUIRE(std::holds_alternative<announce_closed>(r.last.at(0)));  // before anybody is told: nothing touches their buffers any more
    CHECK(std::get<announce_closed>(r.last.at(0)).given_up);         // what is on its way is made again elsewhere
    CHECK(slow->told.at(0).why.code == errc::request_timed_out);
    CHECK(slow->told.at(0).maybe_processed);
    CHECK(other->told.at(0).maybe_processed);
    CHECK_FALSE(waiting->told.at(0).maybe_processed);
    CHECK(waiting->told.at(0).connection_failed);
    CHECK(waiting->told.at(0).version == -1);
}

TEST_CASE("deadlines are each request's own, also of those that were not sent") {
    rig r{{.max_in_flight = 1}};
    r.get_ready();
    auto first = r.send(t0 + 60s), hasty = r.send(t0 + 1s), patient = r.send(t0 + 60s);
    CHECK(r.written.size() == 2);
    r.now = t0 + 1s;
    r.step(tick{});
    REQUIRE(hasty->told.size() == 1);
    CHECK(hasty->told[0].why.code == errc::request_timed_out);
    CHECK(hasty->told[0].why.text.find("before it") != std::string::npos);
    CHECK(std::holds_alternative<ready>(r.machine.where()));
    r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 1}));
    CHECK(first->told.size() == 1);
    CHECK(r.written.size() == 3);
    r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 2}));
    CHECK(patient->told.size() == 1);
}

TEST_CASE("a deadline that passes before the connection is up says what it was waiting for") {
    rig r;
    auto c = r.send(t0 + 2s);
    SECTION("the name") {
        r.now = t0 + 2s;
        r.step(tick{});
        CHECK(c->told.at(0).why.in == phase::resolve);
    }
    SECTION("the socket") {
        r.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1"), *ip_address::parse("10.0.0.2")}});
        r.step(connect_failed{0, std::make_error_code(std::errc::connection_refused)});
        r.now = t0 + 2s;
        r.step(tick{});
        CHECK(c->told.at(0).why.in == phase::connect);
        REQUIRE(c->told.at(0).why.cause);
        CHECK(c->told.at(0).why.cause->code == std::errc::connection_refused);
    }
    CHECK(c->told.at(0).why.code == errc::request_timed_out);
    CHECK_FALSE(r.closed_with);
}

TEST_CASE("after a failure the next connection waits out its backoff") {
    error before;
    before.code = errc::connect_failed;
    before.in = phase::connect;
    rig r{{.not_before = t0 + 100ms, .last_failure = std::make_shared<const error>(before)}};
    auto hasty = r.send(t0 + 50ms), patient = r.send();
    CHECK(r.count<start_resolve>() == 0);
    r.now = t0 + 50ms;
    r.step(tick{});
    REQUIRE(hasty->told.size() == 1);
    CHECK(hasty->told[0].why.cause->code == errc::connect_failed);
    r.now = t0 + 100ms;
    r.step(tick{});
    CHECK(r.count<start_resolve>() == 1);
    CHECK(patient->told.empty());
}

TEST_CASE("the pause after a failure ends when others reach the same peer") {
    rig r{{.not_before = t0 + 100ms}};
    const auto patient = r.send();
    CHECK(r.count<start_resolve>() == 0);
    r.step(hurried{});
    CHECK(r.count<start_resolve>() == 1);
    r.step(hurried{});
    r.now = t0 + 100ms;
    r.step(tick{});
    CHECK(r.count<start_resolve>() <= 1);
}

TEST_CASE("a request without a reply is done when it is written, and does not disturb the next one's answer") {
    rig r;
    r.get_ready();
    auto silent = std::make_shared<test_call>();
    silent->expects_reply = false;
    r.step(send_requested{silent});
    CHECK(silent->told.size() == 1);
    CHECK(r.count<write_frame>() == 1);
    CHECK_FALSE(r.machine.next_wakeup());
    auto c = r.send();
    r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 2}));
    CHECK(c->told.size() == 1);
}

TEST_CASE("a withdrawn call is not told; its answer is read and dropped") {
    rig r{{.max_in_flight = 1}};
    r.get_ready();
    auto gone = r.send(), also_gone = r.send(), stays = r.send();
    r.step(withdrawn{gone.get()});
    r.step(withdrawn{also_gone.get()});
    r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 1}));
    r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 2}));
    CHECK(gone->told.empty());
    CHECK(also_gone->told.empty());
    CHECK(stays->told.size() == 1);
}

TEST_CASE("every event in every state: nothing throws, every call is told once, closed stays closed") {
    const std::vector<std::vector<event>> ways = {
        {},
        {open_requested{}},
        {open_requested{}, resolved{{}, {}, {*ip_address::parse("10.0.0.1")}}},
        {open_requested{}, resolved{{}, {}, {*ip_address::parse("10.0.0.1")}}, connected{0}},
        {close_requested{{errc::client_closed}}},
    };
    for (const auto& way : ways) {
        for (int which = 0; which < 10; ++which) {
            rig r;
            for (const auto& e : way) r.step(e);
            auto c = r.send();
            const event events[] = {open_requested{},  resolved{},         resolved{make_error_code(errc::resolve_failed), "no", {}}, connected{0}, connected{7}, connect_failed{0, make_error_code(std::errc::timed_out)},
                                    failed{make_error_code(errc::connection_closed)}, tick{}, withdrawn{nullptr}, close_requested{{errc::client_closed}}};
            CHECK_NOTHROW(r.step(events[which]));
            r.step(close_requested{{errc::client_closed}});
            CHECK(c->told.size() == 1);
            CHECK(std::holds_alternative<closed>(r.machine.where()));
            CHECK_FALSE(r.machine.next_wakeup());
            CHECK(r.send()->told.size() == 1);
        }
    }
}

TEST_CASE("cut at every byte of both answers: the call is told once, with a code that says what happened") {
    const auto first = rig::versions_answer(0, 4);
    const auto second = bytes({0, 0, 0, 12, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8});
    auto all = first;
    all.insert(all.end(), second.begin(), second.end());
    for (std::size_t n = 0; n < all.size(); ++n) {
        for (const std::size_t chunk : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
            for (const bool reset : {false, true}) {
                INFO("cut after " << n << " bytes, read " << chunk << " at a time");
                rig r;
                auto c = r.send();
                r.step(resolved{{}, {}, {*ip_address::parse("10.0.0.1")}});
                r.step(connected{0});
                r.arrive({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(n)}, chunk);
                r.step(failed{reset ? std::make_error_code(std::errc::connection_reset) : make_error_code(errc::connection_closed)});
                REQUIRE(c->told.size() == 1);
                const bool between = n == 0 || n == first.size();
                CHECK(c->told[0].why.code == (between ? errc::connection_closed : errc::closed_mid_frame));
                CHECK(c->told[0].why.in == (n < first.size() ? phase::api_versions : phase::request));
                CHECK(c->told[0].maybe_processed == (n >= first.size()));
                CHECK_FALSE(r.machine.next_wakeup());
            }
        }
    }
}

TEST_CASE("a false size within the limit costs no memory that no byte reaches") {
    rig r{{.max_response = 100u << 20}};
    r.get_ready();
    auto c = r.send();
    r.arrive(bytes({6, 0, 0, 0, 0, 0, 0, 1}));  // 96 MiB are announced; the pages are not touched
    CHECK(r.machine.read_here().size() == (96u << 20) - 4);
    r.step(close_requested{{errc::client_closed}});
    CHECK_FALSE(std::get<announce_closed>(r.last.at(0)).given_up);  // what was written without waiting for an answer is delivered
    CHECK(c->told.size() == 1);
    // A read into the buffer may still be under way in the driver: it stays with the machine.
    CHECK(std::get<closed>(r.machine.where()).half_read.size == 96u << 20);
}

TEST_CASE("a connection that nobody has used for a while is closed, and not while something is under way") {
    rig r{{.max_idle = 9min}};
    r.get_ready();
    r.step(written{true});
    CHECK(r.machine.next_wakeup() == t0 + 9min);
    r.now = t0 + 8min;
    const auto c = r.send(r.now + 1h);
    r.step(written{true});
    r.now = t0 + 18min;
    CHECK(r.count<announce_closed>() == 0);
    r.step(tick{});
    CHECK(std::holds_alternative<ready>(r.machine.where()));
    r.machine.step(withdrawn{c.get()}, r.now, r.last);
    r.arrive(bytes({0, 0, 0, 4, 0, 0, 0, 1}));
    CHECK(r.machine.next_wakeup() == t0 + 27min);
    r.now = t0 + 27min;
    r.step(tick{});
    REQUIRE(r.count<announce_closed>() == 1);
    CHECK(std::get<announce_closed>(r.last.at(0)).how == ending::unused);
    CHECK_FALSE(std::get<announce_closed>(r.last.at(0)).given_up);
}

TEST_CASE("silence is announced when an answer is due and nothing moves, once, and so is its end") {
    rig r{{.stall_after = 3s}};
    const auto silent = [&] {
        std::optional<bool> said;
        for (const auto& a : r.last)
            if (const auto* s = std::get_if<announce_silent>(&a)) said = s->yes;
        return said;
    };
    SECTION("a request") {
        r.get_ready();
        r.step(written{true});
        CHECK_FALSE(r.machine.next_wakeup());
        r.now = t0 + 10s;
        const auto c = r.send(r.now + 30s);
        r.step(written{true});
        CHECK(r.machine.next_wakeup() == t0 + 13s);
        r.now = t0 + 13s - 1ns;
        r.step(tick{});
        CHECK_FALSE(silent());
        r.now = t0 + 13s;
        r.step(tick{});
        CHECK(silent() == true);
        CHECK(r.machine.next_wakeup() == t0 + 40s);
        r.step(tick{});
        CHECK_FALSE(silent());
        r.now = t0 + 15s;
        std::vector<std::byte> first_byte(1);
        r.arrive(first_byte);
        CHECK(silent() == false);
        CHECK(c->told.empty());
    }
    SECTION("a request that may wait") {
        r.get_ready();
        auto c = std::make_shared<test_call>(t0 + 30s);
        c->may_wait = 500ms;
        r.step(send_requested{c});
        CHECK(r.machine.next_wakeup() == t0 + 3500ms);
    }
    SECTION("a write that does not end is silence, one that goes on is none") {
        r.get_ready();
        (void)r.send();
        r.now = t0 + 2s;
        r.step(written{false});
        CHECK(r.machine.next_wakeup() == t0 + 5s);
        r.now = t0 + 5s;
        r.step(tick{});
        CHECK(silent() == true);
    }
    SECTION("the question for versions") {
        r.connect();
        CHECK(r.machine.next_wakeup() == t0 + 3s);
        r.now = t0 + 3s;
        r.step(tick{});
        CHECK(silent() == true);
        r.arrive(rig::versions_answer(0, 4));
        CHECK(std::holds_alternative<ready>(r.machine.where()));
    }
    SECTION("nothing is due") {
        r.get_ready();
        r.step(written{true});
        r.now = t0 + 1h;
        r.step(tick{});
        CHECK_FALSE(silent());
    }
}
