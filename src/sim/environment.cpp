// The environment of a simulated host: timers, sockets, names, chance.
#include <kafkawire/error.hpp>

#include <algorithm>

#include "sim/connection.hpp"

namespace kafkawire::sim {

// A listening socket. Held by its acceptor; the host knows it while it listens.
struct listening : std::enable_shared_from_this<listening> {
    explicit listening(host_state& h) : host{h} {}
    host_state& host;
    endpoint at;
    bool open = false;
    std::deque<std::shared_ptr<connection>> queue;
    net::acceptor::accept_handler on_accept;

    static constexpr std::size_t backlog = 128;
    void take(std::shared_ptr<connection> c);
    void give();
    void close(bool tell);
};

namespace {

std::error_code code_of(std::errc e) { return std::make_error_code(e); }

class sim_timer final : public net::timer {
public:
    sim_timer(host_state& h, unique_function<void()> on_fire) : shared_{std::make_shared<shared>(h, std::move(on_fire))} {}
    ~sim_timer() override { shared_->alive = false; }
    void set(time_point at) override {
        shared_->due = nanoseconds(at);
        shared_->set = true;
        // One event at a time, as a rule: if it comes too early it goes on waiting.
        if (shared_->event_at && *shared_->event_at <= shared_->due) return;
        shared_->wait(shared_->due);
    }
    void clear() override { shared_->set = false; }

private:
    struct shared : std::enable_shared_from_this<shared> {
        shared(host_state& h, unique_function<void()> f) : host{h}, on_fire{std::move(f)} {}
        host_state& host;
        unique_function<void()> on_fire;
        std::int64_t due = 0;
        std::optional<std::int64_t> event_at;  // of the newest event; older ones find that they are not meant
        bool set = false;
        bool alive = true;

        void wait(std::int64_t at) {
            auto& w = host.world;
            if (w.ending) return;
            const auto when = std::max(at, w.now);
            event_at = when;
            w.push(duration{when - w.now}, [s = shared_from_this(), when] {
                if (!s->alive || s->event_at != when) return;
                s->event_at.reset();
                if (!s->set) return;
                if (s->due > when) return s->wait(s->due);
                s->host.world.run_on(s->host, [s] {
                    if (!s->alive || !s->set || s->due > s->host.world.now) return;
                    s->set = false;
                    s->on_fire();
                });
            });
        }
    };
    std::shared_ptr<shared> shared_;
};

// A connection that is being made. A kernel sends its first packet again after 1, 2, 4... seconds, and gives up after two minutes.
struct dialing : std::enable_shared_from_this<dialing> {
    dialing(host_state& h, endpoint e, net::stream::connect_handler d) : from{h}, to{e}, done{std::move(d)} {}
    host_state& from;
    endpoint to;
    net::stream::connect_handler done;
    std::shared_ptr<connection> made;
    bool withdrawn = false;
    int tries = 0;

    void finish(std::error_code ec) {
        from.world.run_on(from, [self = shared_from_this(), ec] {
            auto d = std::move(self->done);
            self->done = nullptr;
            if (d) d(ec);
        });
    }
    void retry() {
        if (++tries > 6)
            return from.world.push(std::chrono::seconds{64}, [self = shared_from_this()] { self->finish(code_of(std::errc::timed_out)); });
        from.world.push(std::chrono::seconds{1ll << (tries - 1)}, [self = shared_from_this()] { self->knock(); });
    }
    void knock() {
        if (withdrawn) return;
        auto& w = from.world;
        if (from.now != host_state::condition::up) return finish(code_of(std::errc::network_unreachable));
        bool alive = false;
        auto* host = w.host_of(to.address, alive);
        if (!host && to.address == ip_address{{127, 0, 0, 1}}) {
            host = &from;
            alive = true;
        }
        if (!host) return w.push(std::chrono::seconds{3}, [self = shared_from_this()] { self->finish(code_of(std::errc::host_unreachable)); });
        if (!alive || w.lost(from, *host)) return retry();
        w.push(w.delay(from, *host), [self = shared_from_this(), host] { self->arrives(*host); });
    }
    void arrives(host_state& at) {
        auto& w = from.world;
        if (withdrawn) return;
        if (w.lost(from, at)) return retry();
        const auto listens = std::ranges::find_if(at.acceptors, [&](const listening* l) { return l->at.port == to.port; });
        const bool refused = at.now != host_state::condition::up || at.refuses || listens == at.acceptors.end();
        if (!refused && (*listens)->queue.size() >= listening::backlog) return retry();
        event e{.what = refused ? event::kind::refused : event::kind::connect,
                .at = {},
                .from = from.name,
                .to = at.name,
                .connection = 0,
                .from_client = true,
                .data = {},
                .text = {}};
        if (refused) {
            ++w.count.refused;
            w.tell(e, to.port);
            w.push(w.delay(at, from), [self = shared_from_this(), &at] {
                if (self->from.world.lost(at, self->from))
                    self->retry();
                else
                    self->finish(code_of(std::errc::connection_refused));
            });
            return;
        }
        const endpoint here{from.addresses.front().address, from.next_port++};
        if (from.next_port < 32'768) from.next_port = 32'768;
        ++w.count.connections;
        made = std::make_shared<connection>(w, w.next_connection++, from, at, here);
        w.connections.push_back(made);
        e.connection = made->number();
        w.tell(e, to.port);
        (*listens)->take(made);
        answer(at, w.delay(at, from));
    }
    // The other end's consent on its way back; it is repeated while it gets lost.
    void answer(host_state& at, duration in) {
        from.world.push(in, [self = shared_from_this(), &at] {
            if (self->withdrawn) return;
            if (self->from.world.lost(at, self->from)) {
                if (++self->tries > 64) return self->finish(code_of(std::errc::timed_out));
                return self->answer(at, std::chrono::seconds{1});
            }
            self->finish({});
        });
    }
};

class sim_stream final : public net::stream {
public:
    explicit sim_stream(host_state& h) : host_{h}, shared_{std::make_shared<shared>()} {}
    sim_stream(host_state& h, std::shared_ptr<connection> accepted) : sim_stream{h} {
        shared_->made = std::move(accepted);
        side_ = server_side;
    }
    ~sim_stream() override {
        shared_->alive = false;
        end(false);
    }
    void async_connect(const endpoint& to, connect_handler done) override {
        dialing_ = std::make_shared<dialing>(host_, to, nullptr);
        dialing_->done = [s = shared_, d = std::weak_ptr{dialing_}, done = std::move(done)](std::error_code ec) mutable {
            if (!s->alive) return;
            if (const auto self = d.lock(); self && !ec) s->made = self->made;
            done(ec);
        };
        host_.world.push({}, [d = dialing_] { d->knock(); });
    }
    void async_read_some(std::span<std::byte> into, read_handler done) override {
        if (shared_->made) return shared_->made->read(side_, into, std::move(done));
        host_.world.post_to(host_, [d = std::move(done)]() mutable { d(code_of(std::errc::not_connected), 0); });
    }
    void async_write(std::span<const std::span<const std::byte>> parts, write_handler done) override {
        if (shared_->made) return shared_->made->write(side_, parts, std::move(done));
        host_.world.post_to(host_, [d = std::move(done)]() mutable { d(code_of(std::errc::not_connected)); });
    }
    void close() noexcept override { end(true); }
    void reset() noexcept override {
        if (shared_->made) shared_->made->forget_unsent(side_);
        end(true);
    }

private:
    struct shared {
        std::shared_ptr<connection> made;
        bool alive = true;
    };
    void end(bool tell) {
        if (dialing_ && dialing_->done) {
            dialing_->withdrawn = true;
            if (dialing_->made) dialing_->made->close(client_side, false);
            host_.world.post_to(host_, [d = std::move(dialing_->done), tell]() mutable {
                if (tell) d(code_of(std::errc::operation_canceled));
            });
            dialing_->done = nullptr;
        }
        dialing_.reset();
        if (shared_->made) shared_->made->close(side_, tell);
    }
    host_state& host_;
    side side_ = client_side;
    std::shared_ptr<shared> shared_;
    std::shared_ptr<dialing> dialing_;
};

class sim_acceptor final : public net::acceptor {
public:
    explicit sim_acceptor(host_state& h) : socket_{std::make_shared<listening>(h)} {}
    ~sim_acceptor() override { socket_->close(false); }
    std::error_code listen(const endpoint& at) override {
        auto& h = socket_->host;
        const bool any = at.address == ip_address{} || (at.address.v6 && at.address.octets == ip_address{}.octets) ||
                         at.address == ip_address{{127, 0, 0, 1}};
        if (!any && std::ranges::none_of(h.addresses, [&](const auto& own) { return own.address == at.address; }))
            return code_of(std::errc::address_not_available);
        const auto taken = [&](std::uint16_t port) {
            return std::ranges::any_of(h.acceptors, [&](const listening* l) { return l->at.port == port; });
        };
        socket_->at = at;
        if (at.port != 0 && taken(at.port)) return code_of(std::errc::address_in_use);
        while (socket_->at.port == 0 || taken(socket_->at.port)) socket_->at.port = h.next_listening++;
        socket_->open = true;
        h.acceptors.push_back(socket_.get());
        return {};
    }
    endpoint local() const override { return socket_->open ? socket_->at : endpoint{}; }
    void async_accept(accept_handler done) override {
        if (!socket_->open)
            return socket_->host.world.post_to(socket_->host,
                                               [d = std::move(done)]() mutable { d(code_of(std::errc::operation_canceled), nullptr, {}); });
        socket_->on_accept = std::move(done);
        if (!socket_->queue.empty()) socket_->host.world.post_to(socket_->host, [s = socket_] { s->give(); });
    }
    void close() noexcept override { socket_->close(true); }

private:
    std::shared_ptr<listening> socket_;
};

// The simulated world has no datagrams that anybody would answer: names are looked up by its own resolver.
class sim_datagrams final : public net::datagram_socket {
public:
    std::error_code connect(const endpoint&) override { return {}; }
    std::error_code send(std::span<const std::byte>) override { return {}; }
    void async_receive(std::span<std::byte>, receive_handler done) override { waiting_ = std::move(done); }

private:
    receive_handler waiting_;
};

class sim_resolver final : public net::resolver {
public:
    explicit sim_resolver(host_state& h) : host_{h} {}
    std::unique_ptr<lookup> async_resolve(std::string_view name, handler done) override {
        auto q = std::make_shared<question>(std::string{name}, std::move(done));
        auto& w = host_.world;
        w.push(w.name_delay.draw(w.of_names), [&h = host_, q] { h.world.run_on(h, [&h, q] { q->tell(h.world); }); });
        return std::make_unique<sim_lookup>(std::move(q));
    }

private:
    struct question {
        question(std::string n, handler d) : name{std::move(n)}, done{std::move(d)} {}
        std::string name;
        handler done;

        void tell(world_state& w) {
            auto d = std::move(done);
            done = nullptr;
            if (!d) return;
            if (const auto literal = ip_address::parse(name)) return d({{}, {}, {*literal}});
            if (name == "localhost") return d({{}, {}, {ip_address{{127, 0, 0, 1}}}});
            const auto known = w.names.find(name);
            if (known != w.names.end() && !known->second.fails) return d({{}, {}, known->second.addresses});
            ++w.count.failed_names;
            d({errc::resolve_failed, known == w.names.end() ? "no such host" : known->second.failure, {}});
        }
    };
    class sim_lookup final : public lookup {
    public:
        explicit sim_lookup(std::shared_ptr<question> q) : question_{std::move(q)} {}
        ~sim_lookup() override { question_->done = nullptr; }

    private:
        std::shared_ptr<question> question_;
    };
    host_state& host_;
};

class sim_environment final : public net::environment {
public:
    sim_environment(std::shared_ptr<world_state> w, host_state& h) : world_{std::move(w)}, host_{h}, resolver_{h} {}
    time_point now() const noexcept override { return steady(world_->now); }
    wall_time wall_now() const noexcept override {
        constexpr std::int64_t start = 1'767'225'600'000'000'000;  // 2026-01-01 00:00 UTC
        return wall_time{
            std::chrono::duration_cast<wall_time::duration>(duration{start + world_->now - world_state::beginning} + host_.wall_shift)};
    }
    std::uint64_t random() noexcept override { return host_.random.next(); }
    void post(unique_function<void()> what) override { world_->post_to(host_, std::move(what)); }
    std::unique_ptr<net::timer> make_timer(unique_function<void()> on_fire) override {
        return std::make_unique<sim_timer>(host_, std::move(on_fire));
    }
    std::unique_ptr<net::stream> make_stream() override { return std::make_unique<sim_stream>(host_); }
    std::unique_ptr<net::acceptor> make_acceptor() override { return std::make_unique<sim_acceptor>(host_); }
    std::unique_ptr<net::datagram_socket> make_datagram_socket() override { return std::make_unique<sim_datagrams>(); }
    net::resolver& default_resolver() override { return resolver_; }

private:
    std::shared_ptr<world_state> world_;
    host_state& host_;
    sim_resolver resolver_;
};

}  // namespace

void listening::take(std::shared_ptr<connection> c) {
    queue.push_back(std::move(c));
    if (on_accept) host.world.run_on(host, [self = shared_from_this()] { self->give(); });
}

void listening::give() {
    // One that was lost while it waited is still handed out, as a kernel does: its first read tells.
    if (!on_accept || queue.empty()) return;
    auto c = std::move(queue.front());
    queue.pop_front();
    auto done = std::move(on_accept);
    on_accept = nullptr;
    event e{.what = event::kind::accept,
            .at = {},
            .from = {},
            .to = host.name,
            .connection = c->number(),
            .from_client = false,
            .data = {},
            .text = {}};
    host.world.tell(e);
    const auto peer = c->client_endpoint();
    done({}, std::make_unique<sim_stream>(host, std::move(c)), peer);
}

void listening::close(bool tell) {
    std::erase(host.acceptors, this);
    open = false;
    for (auto& c : std::exchange(queue, {})) c->close(server_side, false);
    if (!on_accept) return;
    host.world.post_to(host, [d = std::move(on_accept), tell]() mutable {
        if (tell) d(code_of(std::errc::operation_canceled), nullptr, {});
    });
    on_accept = nullptr;
}

std::shared_ptr<net::environment> make_environment(std::shared_ptr<world_state> w, host_state& h) {
    return std::make_shared<sim_environment>(std::move(w), h);
}

}  // namespace kafkawire::sim
