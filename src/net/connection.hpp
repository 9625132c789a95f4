// connection: the driver of connection_fsm. Carries out its actions on an environment; decides nothing.
// One timer, one stream (several while addresses are raced), one read and one write at a time. Always held by a shared_ptr: what is under way
// in the environment keeps it alive, so that no buffer disappears under a read or a write.
#pragma once
#include "net/connection_fsm.hpp"
#include "net/credentials.hpp"

#include <array>

namespace kafkawire::net {

class tls_stream;
class wire_tap;

class connection : public std::enable_shared_from_this<connection> {
public:
    /// Called from the driver, never inside send() or open().
    struct observer {
        unique_function<void()> on_ready;
        unique_function<void(const error& why, ending how)> on_closed;
        unique_function<void(bool yes)> on_silent;
    };

    /// Without `names` the environment's resolver is asked. `with`: needed for TLS and for tokens.
    connection(std::shared_ptr<environment> env, std::shared_ptr<resolver> names, connection_settings settings, observer watcher, std::shared_ptr<credentials> with = {});
    ~connection();

    /// Connects, if that has not begun yet.
    void open() { asked(open_requested{}); }
    /// Ends its pause after an earlier failure, if it has one: somebody else has reached the same peer.
    void hurry() { asked(hurried{}); }
    /// Sends when the connection is up. `what->done()` is called once, later and never inside this, unless it is withdrawn.
    void send(std::shared_ptr<call> what) { asked(send_requested{std::move(what)}); }
    /// Forgets a call without telling it.
    void withdraw(call* what);
    /// Closes for good; all calls are told `why`, later.
    void close(error why) { asked(close_requested{std::move(why)}); }

    /// Its observer is told nothing from now on.
    void forget_watcher() { watcher_ = {}; }

    [[nodiscard]] const connection_fsm& machine() const noexcept { return machine_; }
    /// Of the certificate that the peer has shown.
    [[nodiscard]] std::optional<wall_time> peer_certificate_expires() const;

private:
    struct racer {
        int attempt;
        std::unique_ptr<stream> socket;
    };

    void asked(event e);
    void step(event e);
    void tell_later();
    void carry_out(start_resolve& a);
    void carry_out(open_socket& a);
    void carry_out(drop_socket& a);
    void carry_out(keep_socket& a);
    void carry_out(start_tls& a);
    void carry_out(gather& a);
    void carry_out(work_later&);
    void carry_out(write_frame& a);
    void carry_out(show_answer& a);
    void carry_out(tell& a);
    void carry_out(announce_ready&);
    void carry_out(announce_silent& a);
    void carry_out(announce_closed& a);
    void read();
    void write();
    void broke(std::error_code ec);
    void set_timer();

    template <class F>
    void contain(F f);

    std::shared_ptr<environment> env_;                      // the last callback may come when the client is gone
    std::shared_ptr<resolver> names_;
    std::shared_ptr<credentials> with_;
    connection_fsm machine_;
    observer watcher_;
    std::unique_ptr<wire_tap> tap_;                         // null: nobody observes
    std::unique_ptr<timer> timer_;
    std::optional<time_point> timer_at_;
    std::unique_ptr<resolver::lookup> lookup_;
    std::vector<racer> racers_;
    std::unique_ptr<stream> socket_;
    tls_stream* tls_ = nullptr;                             // socket_, if it is one
    std::array<std::byte, 2048> buffer_;                    // where small reads go, so that small answers cost one each; a large body is read where it stays
    std::span<const std::byte> ahead_;                      // of it: not yet with the machine
    std::vector<frame> queued_;                             // to be written next, together
    std::vector<frame> writing_;                            // under the write that is under way
    std::vector<protocol::bytes_view> parts_;               // of writing_
    std::deque<event> inbox_;                               // events that arrived inside a step: a call that is told may send another
    std::deque<tell> later_;                                // what came of a step that our owner asked for: he is not told inside his own call
    bool stepping_ = false;
    bool asked_ = false;                                    // this step was asked for by our owner, not by the environment
    bool later_posted_ = false;
    bool giving_up_ = false;                                // memory ran out
    actions actions_;
    std::size_t next_action_ = 0;                           // of actions_: those before it were carried out
};

}  // namespace kafkawire::net
