// connection_fsm: one broker connection, from a host name to the last answer.
// Owns: the state, the correlation ids, the calls that wait or are in flight, the buffer that the next bytes are read into.
// Never: touches a socket, reads a clock, copies a response, believes a length beyond its limit, tells a call twice.
// Driver: connection.cpp carries out the actions in order, reads into read_here() and feeds back what happened.
//
//   idle -> backing_off -> resolving -> connecting -> securing -> negotiating -> authenticating -> ready -> closed
//                                                                                     ^---------------'
// securing where there is TLS, authenticating where there is SASL: from then on again and again, before the session that the broker has granted is
// over (KIP-368). For that the requests in flight are answered first and new ones wait, so that none is lost and the order stays.
//
// A machine is used for one connection. After closed the owner makes a new one, telling it how long to hold back.
#pragma once
#include <kafkawire/protocol/releases.hpp>

#include "net/call.hpp"
#include "net/sasl_fsm.hpp"

#include <array>
#include <deque>
#include <variant>

namespace kafkawire::net {

class reporter;

struct connection_settings {
    std::string host{};
    std::uint16_t port = 0;
    bool advertised = false;                            ///< the cluster has told of this address, nobody has configured it
    std::string client_id{};
    std::chrono::milliseconds connect_timeout{10'000};  ///< for resolving and connecting together, and again for the first answer
    std::chrono::milliseconds stagger{250};             ///< an address that has not answered by then gets company (RFC 8305)
    std::uint32_t max_response = 100u << 20;            ///< a longer claim closes the connection before anything is allocated
    std::size_t max_in_flight = 100;
    std::chrono::milliseconds max_idle{0};              ///< unused for so long it is closed; 0: never
    std::chrono::milliseconds stall_after{0};           ///< an answer is due and nothing has moved for so long: that is announced; 0: never
    int patience = 1;                                   ///< times stall_after, until the broker has shown that it can answer faster
    std::optional<time_point> not_before{};             ///< the backoff after an earlier failure
    std::shared_ptr<const error> last_failure{};        ///< why there is one
    bool tls = false;
    std::shared_ptr<const sasl_settings> sasl{};        ///< null: nobody asks who we are
    int renew_after = 850;                              ///< thousandths of a session, after which who we are is shown again
    std::optional<protocol::release> held_to{};         ///< nothing newer is spoken; before 0.10 the broker is not even asked what it speaks
    std::shared_ptr<reporter> reports{};                ///< null: nobody observes
};

/// The versions of every API that the broker told us, by ascending key.
struct broker_versions {
    struct range {
        std::int16_t key;
        protocol::version_range versions;
    };
    std::vector<range> apis;
    [[nodiscard]] const protocol::version_range* find(std::int16_t key) const noexcept;

    /// What the cluster has finalized of transaction.version, and of which age that is; -1: the broker tells nothing of features.
    std::int16_t transaction_version = 0;
    std::int64_t features_epoch = -1;
};

// What happened.
struct open_requested {};                                                   // connect although nothing is to be sent yet
struct hurried {};                                                          // its peer is reached again by others: no pause any more
struct resolved { std::error_code why; std::string text; std::vector<ip_address> addresses; };
struct connected { int attempt; };
struct connect_failed { int attempt; std::error_code why; };
struct secured {};                                                          // TLS is agreed on
struct insecure { error why; };                                             // or cannot be
struct identity_gathered { error why; sasl_material what; };                         // what an authentication needs, or why there is none
struct work_on {};                                                          // the loop has served others meanwhile
struct received { std::size_t bytes; };                                     // that many are now at the front of read_here()
struct failed { std::error_code why; std::shared_ptr<const error> story{}; }; // the socket broke; errc::connection_closed: the peer hung up
struct written { bool all; };                                               // a write has ended; all: nothing else waits to be written
struct tick {};
struct send_requested { std::shared_ptr<call> what; };
struct withdrawn { call* what; };                                           // its sender has lost interest; it is not told any more
struct close_requested { error why; };
using event = std::variant<open_requested, hurried, resolved, connected, connect_failed, secured, insecure, identity_gathered, work_on, received, failed, written, tick, send_requested, withdrawn, close_requested>;

// A request as it goes out. Its parts lie where they were made and are never copied together; `owner` keeps what `content` does not.
struct frame {
    protocol::scatter content;
    std::shared_ptr<const void> owner;
    bool confidential = false;                                              // is wiped when it is written
    bool answered = true;                                                   // an answer will come
};

/// How a connection came to its end: it could not be made; it had worked and broke; nobody had used it for a while.
enum class ending : std::uint8_t { never_up, cut, unused };

// What the driver is to do.
struct start_resolve { std::string host; };
struct open_socket { int attempt; endpoint to; };
struct drop_socket { int attempt; };                                        // it lost the race or the patience
struct keep_socket { int attempt; };                                        // this one is the connection now: start reading
struct start_tls { std::string host; };                                     // on it; nothing is read before that is done
struct gather { sasl_mechanism what_for; };
struct work_later {};
struct write_frame { frame request; };
struct show_answer { response what; };                                      // to whoever observes
struct tell { std::shared_ptr<call> whom; outcome what; };
struct announce_ready {};
struct announce_silent { bool yes; };                                       // stalled; or bytes came after all
struct announce_closed { error why; ending how; bool given_up; };             // given_up: what has not arrived must not arrive any more
using action = std::variant<start_resolve, open_socket, drop_socket, keep_socket, start_tls, gather, work_later, write_frame, show_answer, tell, announce_ready, announce_silent, announce_closed>;
using actions = std::vector<action>;                                        // the driver's own, reused for every step

// A frame being read: its size and correlation id first, then the rest straight into its own buffer.
struct incoming {
    std::array<std::byte, 8> head{};
    std::size_t have = 0;                                                   // bytes of the frame so far, its size prefix included
    response body;                                                          // there once the head is whole; begins with the correlation id
};

// When something last moved on the socket, and whether it was said that nothing does.
struct movement {
    time_point last;
    bool silent = false;
};

// The states, each with the data that exists only there. A request in flight without a connection cannot be written down.
struct idle {};                                                             // nothing asked for yet
struct backing_off { time_point until; };                                   // an earlier connection failed; calls wait
struct resolving { time_point give_up; };
struct connecting {                                                         // addresses are raced, each a little after the one before
    struct attempt { int id; endpoint to; };
    time_point give_up;
    std::vector<endpoint> candidates;                                       // not tried yet, in reverse
    std::vector<attempt> open;
    time_point next_start;
    std::string failures;                                                   // "127.0.0.1:9092: Connection refused; ..."
    std::error_code last;
};
struct securing { time_point give_up; endpoint peer; };                     // TLS is being agreed on
struct negotiating {                                                        // ApiVersions is on the wire
    time_point give_up;
    endpoint peer;
    std::int16_t version;                                                   // that was asked with
    incoming in;
    movement moved;
};
struct authenticating {                                                     // who we are is being shown
    enum class step : std::uint8_t { gathering, handshake, exchange, working };
    time_point give_up;
    step at = step::gathering;
    std::int16_t version = 0;                                               // of the request that is on the wire
    std::unique_ptr<sasl_fsm> exchange;
    incoming in;
    movement moved;
    bool again = false;                                                     // it was ready before,
    bool prompt = false;                                                    // ... and like that,
    time_point used{};                                                      // ... and was used last then
};
struct ready {                                                              // requests go out at once; answers come back in order
    struct in_flight { std::int32_t correlation; std::int16_t version; time_point deadline; std::int16_t key; std::chrono::milliseconds may_wait; std::shared_ptr<call> whose; };
    std::deque<in_flight> flight;
    incoming in;
    movement moved;
    bool prompt = false;                                                    // an answer came within stall_after
    bool writing = false;                                                   // a frame may still be on its way into the socket
    bool answered = false;                                                  // at least once
    std::optional<time_point> renew_at{};                                   // who we are is shown again then,
    bool gathering = false;                                                 // ... for which something is being got,
    std::unique_ptr<sasl_fsm> renewal{};                                    // ... and is there: requests wait
};
struct closed { error why; response half_read; };                           // half_read: a read into it may still be under way
using state = std::variant<idle, backing_off, resolving, connecting, securing, negotiating, authenticating, ready, closed>;
[[nodiscard]] std::string_view name_of(const state& s) noexcept;

// Which state may follow which, in the order of the variant. Everything else is a bug and throws where tests see it.
inline constexpr std::array<std::array<bool, 9>, 9> legal = {{
    //                   idle  backing resolv connect secur  negot  authen ready  closed
    /* idle */           {{false, true, true, false, false, false, false, false, true}},
    /* backing_off */    {{false, false, true, false, false, false, false, false, true}},
    /* resolving */      {{false, false, false, true, false, false, false, false, true}},
    /* connecting */     {{false, false, false, false, true, true, true, true, true}},       // past negotiating: the release says what is spoken
    /* securing */       {{false, false, false, false, false, true, true, true, true}},
    /* negotiating */    {{false, false, false, false, false, true, true, true, true}},  // to itself: asked again with a lower version
    /* authenticating */ {{false, false, false, false, false, false, false, true, true}},
    /* ready */          {{false, false, false, false, false, false, true, false, true}},
    /* closed */         {{false, false, false, false, false, false, false, false, false}},
}};

class connection_fsm {
public:
    explicit connection_fsm(connection_settings s) : settings_{std::move(s)} {}

    /// Takes one event at time `now`; appends to `out` what the driver is to do, in order. Never throws on anything that a peer sent.
    void step(event e, time_point now, actions& out);
    /// When to send the next `tick`, if nothing else happens before.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;
    /// Where the driver reads to. Empty unless a socket was kept.
    [[nodiscard]] std::span<std::byte> read_here() noexcept;

    [[nodiscard]] const state& where() const noexcept { return state_; }
    [[nodiscard]] const broker_versions& versions() const noexcept { return versions_; }
    [[nodiscard]] std::size_t load() const noexcept;  ///< calls that wait or are in flight
    [[nodiscard]] std::string peer() const;           ///< "host:port"
    [[nodiscard]] bool prompt() const noexcept;       ///< it is ready, and an answer has come within stall_after
    [[nodiscard]] bool up() const noexcept;           ///< it is ready, or shows again who we are
    [[nodiscard]] const std::shared_ptr<reporter>& reports() const noexcept { return settings_.reports; }

private:
    void on(open_requested&, time_point now, actions& out);
    void on(hurried&, time_point now, actions& out);
    void on(resolved& e, time_point now, actions& out);
    void on(connected& e, time_point now, actions& out);
    void on(connect_failed& e, time_point now, actions& out);
    void on(secured&, time_point now, actions& out);
    void on(insecure& e, time_point now, actions& out);
    void on(identity_gathered& e, time_point now, actions& out);
    void on(work_on&, time_point now, actions& out);
    void on(received& e, time_point now, actions& out);
    void on(failed& e, time_point now, actions& out);
    void on(written& e, time_point now, actions& out);
    void on(tick&, time_point now, actions& out);
    void on(send_requested& e, time_point now, actions& out);
    void on(withdrawn& e, time_point now, actions& out);
    void on(close_requested& e, time_point now, actions& out);

    void start_resolving(time_point now, actions& out);
    void next_attempt(connecting& c, time_point now, actions& out);
    void first_words(endpoint peer, time_point now, actions& out);
    void take_versions_of_release(time_point now, actions& out);
    void hold_versions();
    void versions_known(time_point now, actions& out);
    [[nodiscard]] error no_common_version(const call& c, const protocol::version_range* theirs) const;
    void ask_versions(endpoint peer, std::int16_t version, time_point give_up, time_point now, actions& out);
    void got_versions(time_point now, actions& out);
    void got_answer(actions& out);
    void ask_for_mechanism(time_point now, actions& out);
    void say_who_we_are(time_point now, actions& out);
    void got_mechanism(time_point now, actions& out);
    void got_verdict(time_point now, actions& out);
    void go_on_with(sasl_fsm::next what, time_point now, actions& out);
    void authenticated(time_point now, actions& out);
    void renew(time_point now, actions& out);
    void refuse_peer(error why, actions& out);
    [[nodiscard]] incoming* reading() noexcept;
    [[nodiscard]] movement* moved() noexcept;
    [[nodiscard]] std::optional<time_point> silent_at() const noexcept;
    [[nodiscard]] std::optional<time_point> unused_at() const noexcept;
    [[nodiscard]] bool head_is_sound(incoming& in, std::size_t had, actions& out);
    static void make_room(actions& out);
    void send_waiting(time_point now, actions& out);
    void put_on_wire(std::shared_ptr<call> what, time_point now, actions& out);
    void expire(time_point now, actions& out);
    void close(error why, actions& out, bool unused = false);
    void transition(state to, std::string_view why);

    [[nodiscard]] error problem(std::error_code code, phase in, std::string text, std::string hint = {}) const;
    [[nodiscard]] error late(const call& c, std::chrono::milliseconds allowed) const;
    [[nodiscard]] error stranger(std::span<const std::byte> head) const;
    [[nodiscard]] phase present() const noexcept;

    connection_settings settings_;
    state state_;
    broker_versions versions_;
    std::deque<std::shared_ptr<call>> waiting_;             // asked for before the connection was up, or beyond the limit in flight
    std::optional<time_point> earliest_;                    // no call's deadline is before it
    std::int64_t session_ms_ = 0;                           // what the broker has granted last; 0: for ever
    std::int32_t next_correlation_ = 0;
    int next_attempt_ = 0;
};

}  // namespace kafkawire::net
