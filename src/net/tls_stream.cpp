#include "net/tls_stream.hpp"

#include <kafkawire/detail/tls_server.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "net/flag_holder.hpp"

namespace kafkawire::net {

namespace {

constexpr std::size_t in_size = 17 << 10;   // a record of 16 KiB and what is around it
constexpr std::size_t out_size = 64 << 10;  // plain bytes that are made ready at a time; what they become fits into one write

}  // namespace

// Bytes between the stream below and the session; one read and one write below at a time.
struct tls_stream::pump : std::enable_shared_from_this<pump> {
    pump(std::shared_ptr<environment> e, std::unique_ptr<stream> s, std::shared_ptr<const tls_context> with, std::string_view host)
        : env{std::move(e)}, below{std::move(s)}, session{std::move(with), host, env->wall_now()} {}

    std::shared_ptr<environment> env;
    std::unique_ptr<stream> below;
    tls_session session;
    std::vector<std::byte> in, out;
    std::span<const std::byte> out_part;              // what the write below is of
    bool reading = false, writing = false;
    bool asked = false;                               // inside a call of our user's: he is told later
    std::error_code broken;                           // below

    handshake_handler on_handshake;
    read_handler on_read;
    std::span<std::byte> into;
    write_handler on_write;
    std::span<const std::span<const std::byte>> parts;
    std::size_t part = 0, taken = 0;

    void forget() {
        on_handshake = nullptr;
        on_read = nullptr;
        on_write = nullptr;
    }

    void abandon() {
        const auto ec = std::make_error_code(std::errc::operation_canceled);
        broke(ec);
        error why;
        why.code = ec;
        why.in = phase::tls;
        if (on_handshake) tell(on_handshake, std::move(why));
        if (on_read) tell(on_read, ec, std::size_t{0});
        if (on_write) tell(on_write, ec);
    }

    // Whoever is told may close or destroy the stream.
    template <class Handler, class... Args>
    void tell(Handler& whom, Args... args) {
        auto h = std::exchange(whom, nullptr);
        if (!asked) return h(std::move(args)...);
        env->post([h = std::move(h), self = weak_from_this(), ... args = std::move(args)]() mutable {
            if (!self.expired()) h(std::move(args)...);
        });
    }

    // As far as it goes: out first, so that the peer has what it waits for.
    void go_on() {
        const auto self = shared_from_this();
        if (on_handshake) shake();
        if (on_write) encrypt();
        flush();
        if (on_read) decrypt();
        flush();
    }

    void shake() {
        if (broken && broken != errc::connection_closed) {
            error why;
            why.code = broken;
            why.in = phase::tls;
            why.text = "the connection broke while TLS was being agreed on: " + broken.message();
            return tell(on_handshake, std::move(why));
        }
        const auto how = session.handshake();
        flush();  // the last flight, or why it is refused
        if (how == tls_session::progress::wants_bytes) return fetch();
        tell(on_handshake, session.why());
    }

    void encrypt() {
        if (broken || session.failed()) return tell(on_write, broken ? broken : session.why().code);
        if (writing || session.outgoing_size() > 0) return;
        std::size_t room = out_size;
        while (part < parts.size() && room > 0) {
            const auto now = parts[part].subspan(taken, std::min(parts[part].size() - taken, room));
            if (!session.write(now)) return tell(on_write, session.why().code);
            room -= now.size();
            taken += now.size();
            if (taken < parts[part].size()) break;
            ++part;
            taken = 0;
        }
        if (session.outgoing_size() == 0) tell(on_write, std::error_code{});
    }

    void flush() {
        if (writing || broken || !below) return;
        const auto size = session.outgoing_size();
        if (size == 0) return;
        out.resize(size);
        out_part = std::span{out}.first(session.outgoing(out));
        writing = true;
        below->async_write({&out_part, 1}, [self = shared_from_this()](std::error_code ec) {
            self->writing = false;
            if (ec) self->broke(ec);
            self->go_on();
        });
    }

    void decrypt() {
        const auto n = session.read(into);
        if (session.failed()) flush();  // whoever is told may hang up at once; the peer is to hear why
        if (n > 0) return tell(on_read, std::error_code{}, n);
        if (session.failed()) return tell(on_read, session.why().code, std::size_t{0});
        if (broken && broken != errc::connection_closed) return tell(on_read, broken, std::size_t{0});
        if (session.over()) return tell(on_read, make_error_code(errc::connection_closed), std::size_t{0});
        fetch();
    }

    void fetch() {
        if (reading || broken) return;
        in.resize(in_size);
        reading = true;
        below->async_read_some(in, [self = shared_from_this()](std::error_code ec, std::size_t n) {
            self->reading = false;
            if (ec) self->broke(ec);
            else self->session.incoming(std::span{self->in}.first(n));
            self->go_on();
        });
    }

    void broke(std::error_code ec) {
        if (!broken) broken = ec;
        session.ended();
    }
};

tls_stream::tls_stream(std::shared_ptr<environment> env, std::unique_ptr<stream> below, std::shared_ptr<const tls_context> with, std::string_view host)
    : pump_{std::make_shared<pump>(std::move(env), std::move(below), std::move(with), host)} {}

tls_stream::~tls_stream() {
    pump_->forget();
    close();
}

void tls_stream::async_connect(const endpoint& to, connect_handler done) { pump_->below->async_connect(to, std::move(done)); }

void tls_stream::async_handshake(handshake_handler done) {
    const flag_holder held{pump_->asked};
    pump_->on_handshake = std::move(done);
    pump_->go_on();
}

void tls_stream::async_read_some(std::span<std::byte> into, read_handler done) {
    const flag_holder held{pump_->asked};
    pump_->into = into;
    pump_->on_read = std::move(done);
    pump_->go_on();
}

void tls_stream::async_write(std::span<const std::span<const std::byte>> parts, write_handler done) {
    const flag_holder held{pump_->asked};
    pump_->parts = parts;
    pump_->part = pump_->taken = 0;
    pump_->on_write = std::move(done);
    pump_->go_on();
}

void tls_stream::close() noexcept {
    const flag_holder held{pump_->asked};
    if (!pump_->broken) {
        pump_->session.close();
        try {
            pump_->flush();
        } catch (const std::bad_alloc&) {
        }
    }
    pump_->below->close();
    stop_waiting();
}

// Without a word to the peer: that would be behind what it is not to get any more.
void tls_stream::reset() noexcept {
    const flag_holder held{pump_->asked};
    pump_->below->reset();
    stop_waiting();
}

void tls_stream::stop_waiting() noexcept {
    // Whoever waits is told by the loop, which also lets go of him if it runs no more: kept here he would keep the stream that keeps him.
    try {
        pump_->abandon();
    } catch (const std::bad_alloc&) {
        pump_->forget();
    }
}

std::shared_ptr<const tls_context> make_tls_listener(const tls_identity& who, error& why) {
    tls_settings s;
    s.server = true;
    s.certificate_pem = who.certificate;
    s.key_pem = who.key;
    s.need_client_certificate = !who.client_ca.empty();
    s.ca_pem = who.client_ca;
    return tls_context::make(s, why);
}

std::unique_ptr<stream> accept_tls(std::shared_ptr<environment> env, std::unique_ptr<stream> below, std::shared_ptr<const tls_context> with) {
    return std::make_unique<tls_stream>(std::move(env), std::move(below), std::move(with), std::string_view{});
}

const tls_session& tls_stream::session() const noexcept { return pump_->session; }

}  // namespace kafkawire::net
