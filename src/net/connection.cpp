#include "net/connection.hpp"

#include <algorithm>

#include "net/base64.hpp"
#include "net/flag_holder.hpp"
#include "net/tls_stream.hpp"
#include "net/wire_tap.hpp"

namespace kafkawire::net {

namespace {

// 24 bytes that nobody can foresee, where the environment's randomness is such.
std::string nonce_of(environment& env) {
    std::string bytes;
    for (int i = 0; i < 3; ++i) {
        const auto word = env.random();
        for (int k = 0; k < 8; ++k) bytes.push_back(static_cast<char>(word >> (8 * k) & 0xff));
    }
    return to_base64(bytes);
}

void wipe_confidential(std::vector<frame>& frames) {
    for (auto& f : frames) {
        if (!f.confidential) continue;
        volatile std::byte* at = f.content.own.data();
        for (std::size_t i = 0; i < f.content.own.size(); ++i) at[i] = std::byte{0};
    }
}

}  // namespace

connection::connection(std::shared_ptr<environment> env, std::shared_ptr<resolver> names, connection_settings settings, observer watcher, std::shared_ptr<credentials> with)
    : env_{std::move(env)}, names_{std::move(names)}, with_{std::move(with)}, machine_{std::move(settings)}, watcher_{std::move(watcher)} {
    if (machine_.reports()) tap_ = std::make_unique<wire_tap>(machine_.reports(), machine_.peer());
    timer_ = env_->make_timer([this] {
        timer_at_.reset();
        contain([&] { step(tick{}); });
    });
}

connection::~connection() = default;

void connection::step(event e) {
    inbox_.push_back(std::move(e));
    if (stepping_) return;
    const auto self = shared_from_this();  // the owner may let go of us when it is told
    const flag_holder held{stepping_};
    for (;;) {
        // Where memory ran out the last time, the rest is still to be done.
        while (next_action_ < actions_.size()) std::visit([this](auto& what) { carry_out(what); }, actions_[next_action_++]);
        actions_.clear();
        next_action_ = 0;
        if (inbox_.empty()) break;
        auto next = std::move(inbox_.front());
        inbox_.pop_front();
        machine_.step(std::move(next), env_->now(), actions_);
        if (tap_) tap_->stands_in(name_of(machine_.where()));
    }
    set_timer();
}

// A connection that found no memory cannot know what it has missed: it is closed, and its calls are told as those of one that was cut.
template <class F>
void connection::contain(F f) {
    const auto self = shared_from_this();
    try {
        f();
    } catch (const std::bad_alloc&) {
        giving_up_ = true;
        close(error{std::make_error_code(std::errc::not_enough_memory)});
    }
}

void connection::asked(event e) {
    if (stepping_) return step(std::move(e));
    try {
        const flag_holder held{asked_};
        step(std::move(e));
    } catch (const std::bad_alloc&) {
        if (!std::exchange(giving_up_, true)) close(error{std::make_error_code(std::errc::not_enough_memory)});
        throw;
    }
}

void connection::withdraw(call* what) {
    std::erase_if(later_, [&](const tell& t) { return t.whom.get() == what; });
    asked(withdrawn{what});
}

void connection::tell_later() {
    later_posted_ = false;
    while (!later_.empty()) {  // one that is told may withdraw another
        auto next = std::move(later_.front());
        later_.pop_front();
        try {
            next.whom->done(std::move(next.what));
        } catch (...) {
            if (!later_.empty()) {
                env_->post([self = shared_from_this()] { self->tell_later(); });
                later_posted_ = true;
            }
            throw;
        }
    }
}

void connection::set_timer() {
    const auto at = machine_.next_wakeup();
    if (!at) return;  // a timer that fires for nothing costs one look; moving it for every answer would cost more
    // But one that would fire far too early is moved: it would wake a client that only waits for its long poll.
    if (timer_at_ && *timer_at_ <= *at && *at - *timer_at_ < std::chrono::milliseconds{250}) return;
    timer_at_ = at;
    timer_->set(*at);
}

void connection::carry_out(start_resolve& a) {
    lookup_ = (names_ ? *names_ : env_->default_resolver()).async_resolve(a.host, [this](resolver::answer got) {
        contain([&] { step(resolved{got.code, std::move(got.text), std::move(got.addresses)}); });
    });
}

void connection::carry_out(open_socket& a) {
    racers_.push_back({a.attempt, env_->make_stream()});
    racers_.back().socket->async_connect(a.to, [self = shared_from_this(), attempt = a.attempt](std::error_code ec) {
        self->contain([&] {
            if (ec) self->step(connect_failed{attempt, ec});
            else self->step(connected{attempt});
        });
    });
}

void connection::carry_out(drop_socket& a) {
    std::erase_if(racers_, [&](const racer& r) { return r.attempt == a.attempt; });
}

void connection::carry_out(keep_socket& a) {
    for (auto& r : racers_)
        if (r.attempt == a.attempt) socket_ = std::move(r.socket);
    racers_.clear();
    read();
}

// What cannot be done is told like all else that happens: after the step that asked for it.
void connection::carry_out(start_tls& a) {
    error why;
    auto certificates = with_ ? with_->tls(why) : nullptr;
    if (tap_ && with_ && with_->reload_error())
        machine_.reports()->log(log_level::warning, "client", "changed certificates cannot be read, and those before them serve on", {"why", with_->reload_error().message()});
    if (!certificates) return inbox_.push_back(insecure{std::move(why)});
    auto secure = std::make_unique<tls_stream>(env_, std::move(socket_), std::move(certificates), a.host);
    tls_ = secure.get();
    socket_ = std::move(secure);
    tls_->async_handshake([self = shared_from_this()](error wrong) {
        self->contain([&] {
            if (wrong) return self->step(insecure{std::move(wrong)});
            self->step(secured{});
            self->read();
        });
    });
}

void connection::carry_out(gather& a) {
    if (a.what_for == sasl_mechanism::plain) return inbox_.push_back(identity_gathered{});
    if (a.what_for != sasl_mechanism::oauthbearer) {
        identity_gathered all;
        all.what.nonce = nonce_of(*env_);
        return inbox_.push_back(std::move(all));
    }
    with_->async_token([self = shared_from_this()](error why, oauth_token token) {
        self->contain([&] {
            identity_gathered all;
            all.why = std::move(why);
            all.what.token = std::move(token);
            self->step(std::move(all));
        });
    });
}

void connection::carry_out(work_later&) {
    env_->post([self = shared_from_this()] { self->contain([&] { self->step(work_on{}); }); });
}

std::optional<wall_time> connection::peer_certificate_expires() const { return tls_ ? tls_->session().peer_expires() : std::nullopt; }

void connection::carry_out(write_frame& a) {
    if (tap_) tap_->writes(a.request, env_->now());
    queued_.push_back(std::move(a.request));
    if (writing_.empty()) write();
}

void connection::carry_out(show_answer& a) {
    if (tap_) tap_->has_read(a.what, env_->now());
}

void connection::carry_out(tell& a) {
    if (tap_ && a.what.why && a.what.version < 0) tap_->not_sent(*a.whom, a.what.why);
    if (!asked_) return a.whom->done(std::move(a.what));
    later_.push_back(std::move(a));
    if (later_posted_) return;
    env_->post([self = shared_from_this()] { self->tell_later(); });
    later_posted_ = true;
}

void connection::carry_out(announce_ready&) {
    if (watcher_.on_ready) watcher_.on_ready();
}

void connection::carry_out(announce_closed& a) {
    lookup_.reset();
    racers_.clear();
    if (socket_ && a.given_up) socket_->reset();
    else if (socket_) socket_->close();
    ahead_ = {};
    wipe_confidential(queued_);
    queued_.clear();
    timer_->clear();
    if (tap_) tap_->ended(a.why, a.how, env_->now());
    if (watcher_.on_closed) watcher_.on_closed(a.why, a.how);
}

void connection::carry_out(announce_silent& a) {
    if (watcher_.on_silent) watcher_.on_silent(a.yes);
}

void connection::read() {
    auto here = machine_.read_here();
    for (; socket_ && !here.empty() && !ahead_.empty(); here = machine_.read_here()) {
        const auto n = std::min(here.size(), ahead_.size());
        std::copy_n(ahead_.begin(), n, here.begin());
        ahead_ = ahead_.subspan(n);
        step(received{n});
    }
    if (here.empty() || !socket_) return;
    const bool small = here.size() < buffer_.size();
    socket_->async_read_some(small ? std::span{buffer_} : here, [self = shared_from_this(), small](std::error_code ec, std::size_t n) {
        self->contain([&] {
            if (ec) return self->broke(ec);
            if (small) self->ahead_ = std::span{self->buffer_}.first(n);
            else self->step(received{n});
            self->read();
        });
    });
}

void connection::broke(std::error_code ec) {
    failed how{ec};
    if (tls_ && tls_->session().failed()) how.story = std::make_shared<const error>(tls_->session().why());
    step(std::move(how));
}

void connection::write() {
    if (!socket_) return;
    writing_ = std::exchange(queued_, {});
    parts_.clear();
    for (const auto& f : writing_) {
        const auto parts = f.content.parts();
        parts_.insert(parts_.end(), parts.begin(), parts.end());
    }
    socket_->async_write(parts_, [self = shared_from_this()](std::error_code ec) {
        wipe_confidential(self->writing_);
        self->writing_.clear();
        self->contain([&] {
            if (ec) return self->broke(ec);
            self->step(written{self->queued_.empty()});
            if (!self->queued_.empty() && self->writing_.empty()) self->write();
        });
    });
}

}  // namespace kafkawire::net
