#include "sim/connection.hpp"

#include <kafkawire/error.hpp>

#include <algorithm>
#include <cstring>

namespace kafkawire::sim {

namespace {
std::error_code code(std::errc e) { return std::make_error_code(e); }
}  // namespace

connection::connection(world_state& w, std::uint64_t number, host_state& client, host_state& server, endpoint client_at)
    : world_{w}, number_{number}, client_at_{client_at} {
    ends_[client_side].host = &client;
    ends_[server_side].host = &server;
    ends_[client_side].window = w.settings(client, server).window;
    ends_[server_side].window = w.settings(server, client).window;
}

// --- what a process does ---

void connection::read(side s, std::span<std::byte> into, net::stream::read_handler done) {
    auto& e = ends_[s];
    if (e.closed) return world_.post_to(*e.host, [d = std::move(done)]() mutable { d(code(std::errc::operation_canceled), 0); });
    e.into = into;
    e.on_read = std::move(done);
    if (e.arrived || e.broken || (e.end_arrived && !e.under_way))
        world_.post_to(*e.host, [self = shared_from_this(), s] { self->try_read(s); });
}

void connection::write(side s, std::span<const std::span<const std::byte>> parts, net::stream::write_handler done) {
    auto& e = ends_[s];
    e.on_write = std::move(done);
    e.writing = true;
    if (e.closed || e.broken) return finish_write(s, e.closed ? code(std::errc::operation_canceled) : code(std::errc::broken_pipe));
    e.parts = parts;
    e.part_offset = 0;
    pump(s);
}

void connection::close(side s, bool tell) {
    auto& e = ends_[s];
    if (!e.closed) {
        e.closed = true;
        const bool reset = e.resets || e.arrived > 0;  // unread: as a kernel does, so that the peer does not take its bytes for read
        e.bytes = {};
        e.head = e.arrived = 0;
        e.parts = {};
        if (!e.broken) {
            if (reset)
                send_reset(s);
            else
                send_end(s);
        }
    }
    if (!e.on_read && !e.on_write) return;
    // Even when nobody is told, the callbacks are destroyed later: what they own may be in the middle of the call that led here.
    world_.post_to(*e.host, [r = std::move(e.on_read), tell]() mutable {
        if (r && tell) r(code(std::errc::operation_canceled), 0);
    });
    world_.post_to(*e.host, [w = std::move(e.on_write), tell]() mutable {
        if (w && tell) w(code(std::errc::operation_canceled));
    });
    e.writing = false;
}

void connection::forget_unsent(side s) {
    auto& in = ends_[other(s)];
    ends_[s].resets = true;
    if (dead_ || in.closed) return;
    const auto n = std::exchange(in.stuck, 0);              // the last ones: those before them are out already
    in.under_way -= n;
    in.bytes.resize(in.bytes.size() - n);
}

// --- bytes on their way ---

// Takes as much of what is to be written as the window lets in.
void connection::pump(side from) {
    auto& out = ends_[from];
    auto& in = ends_[other(from)];
    if (!out.writing || out.closed || out.broken) return;
    const auto before = in.bytes.size();
    while (!out.parts.empty()) {
        const auto rest = out.parts.front().subspan(out.part_offset);
        const auto held = in.bytes.size() - in.head;
        const auto n = std::min(rest.size(), out.window > held ? out.window - held : 0);
        if (n == 0 && !rest.empty()) break;
        in.bytes.insert(in.bytes.end(), rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(n));
        out.part_offset += n;
        if (n < rest.size()) continue;
        out.parts = out.parts.subspan(1);
        out.part_offset = 0;
    }
    const auto n = in.bytes.size() - before;
    if (n > 0) {
        event e{.what = event::kind::bytes,
                .at = {},
                .from = out.host->name,
                .to = in.host->name,
                .connection = number_,
                .from_client = from == client_side,
                .data = std::span{in.bytes}.last(n),
                .text = {}};
        world_.tell(e, n, from);
        world_.count.bytes += n;
        send(from, n);
    }
    if (out.parts.empty()) finish_write(from, {});
}

void connection::finish_write(side s, std::error_code ec) {
    auto& e = ends_[s];
    e.writing = false;
    world_.post_to(*e.host, [d = std::move(e.on_write), ec]() mutable {
        if (d) d(ec);
    });
}

void connection::send(side from, std::size_t n) {
    auto& d = world_.between(host_(from), host_(other(from)));
    if (!d.cut_armed || dead_) return travel(from, n);
    if (n < d.cut_in) {
        d.cut_in -= n;
        return travel(from, n);
    }
    d.cut_armed = false;
    if (d.cut_in > 0) travel(from, d.cut_in);
    const auto wait = std::max<std::int64_t>(ends_[other(from)].last_arrival - world_.now, 0);
    world_.push(duration{wait}, [self = shared_from_this(), how = d.cut_how] { self->cut_both(how); });
}

void connection::travel(side from, std::size_t n) {
    auto& in = ends_[other(from)];
    in.under_way += n;
    if (silent_) return;
    if (dead_) {  // the peer is not there any more: that comes back as a reset
        world_.push(world_.delay(host_(from), host_(other(from))),
                    [self = shared_from_this(), from] { self->break_end(from, code(std::errc::connection_reset)); });
        return;
    }
    const bool lost = world_.lost(host_(from), host_(other(from)));
    if (lost || in.stuck > 0) {  // behind what is stuck
        if (lost) ++world_.count.held;
        in.stuck += n;
        return;
    }
    const auto rate = world_.settings(host_(from), host_(other(from))).bytes_per_second;
    const auto piece = rate ? std::max<std::size_t>(rate / 10, 1) : n;
    while (n > 0) {
        const auto now = std::min(n, piece);
        if (rate) in.wire_free_at = std::max(in.wire_free_at, world_.now) + static_cast<std::int64_t>(now * 1'000'000'000 / rate);
        const auto start = std::max(in.wire_free_at, world_.now);
        in.last_arrival = std::max(in.last_arrival, start + world_.delay(host_(from), host_(other(from))).count());
        world_.push(duration{in.last_arrival - world_.now}, [self = shared_from_this(), at = other(from), now] { self->arrive(at, now); });
        n -= now;
    }
}

void connection::arrive(side at, std::size_t n) {
    auto& in = ends_[at];
    const auto from = other(at);
    if (dead_) return;
    if (world_.lost(host_(from), host_(at))) {
        ++world_.count.held;
        in.stuck += n;
        return;
    }
    in.under_way -= n;
    if (in.closed || in.broken) {  // nobody is there to read them
        if (!ends_[from].closed && !ends_[from].broken) send_reset(at);
        return;
    }
    in.arrived += n;
    receiver_looks(at);
}

void connection::send_end(side from) {
    auto& in = ends_[other(from)];
    in.end_sent = true;
    if (dead_) return;
    if (in.stuck > 0 || world_.lost(host_(from), host_(other(from)))) {
        in.end_stuck = true;
        return;
    }
    in.last_arrival = std::max(in.last_arrival, world_.now + world_.delay(host_(from), host_(other(from))).count());
    world_.push(duration{in.last_arrival - world_.now}, [self = shared_from_this(), at = other(from)] { self->end_arrives(at); });
}

void connection::end_arrives(side at) {
    auto& in = ends_[at];
    if (dead_ || in.broken || in.closed) return;
    if (world_.lost(host_(other(at)), host_(at))) {
        in.end_stuck = true;
        return;
    }
    in.end_arrived = true;
    event e{.what = event::kind::end,
            .at = {},
            .from = host_(other(at)).name,
            .to = in.host->name,
            .connection = number_,
            .from_client = at == server_side,
            .data = {},
            .text = {}};
    world_.tell(e, at);
    receiver_looks(at);
}

void connection::receiver_looks(side s) {
    if (ends_[s].on_read) world_.run_on(*ends_[s].host, [self = shared_from_this(), s] { self->try_read(s); });
}

void connection::try_read(side s) {
    auto& e = ends_[s];
    if (!e.on_read) return;
    std::size_t n = 0;
    std::error_code ec;
    if (e.arrived > 0) {
        n = std::min(e.arrived, e.into.size());
        std::memcpy(e.into.data(), e.bytes.data() + e.head, n);
        e.arrived -= n;
        e.head += n;
        if (e.head == e.bytes.size()) {
            e.bytes.clear();
            e.head = 0;
        } else if (e.head > 16 * 1024 && e.head > e.bytes.size() / 2) {
            e.bytes.erase(e.bytes.begin(), e.bytes.begin() + static_cast<std::ptrdiff_t>(e.head));
            e.head = 0;
        }
        if (ends_[other(s)].writing) make_room(s);
    } else if (e.broken) {
        ec = e.broken;
    } else if (e.end_arrived && !e.under_way) {
        ec = errc::connection_closed;
    } else {
        return;
    }
    auto done = std::move(e.on_read);
    e.on_read = nullptr;
    done(ec, n);
}

// The news that there is room takes the way back to the writer.
void connection::make_room(side at) {
    world_.push(world_.delay(host_(at), host_(other(at))), [self = shared_from_this(), at] {
        if (self->dead_) return;
        if (self->world_.lost(self->host_(at), self->host_(other(at))))
            self->ends_[at].room_stuck = true;
        else
            self->pump(other(at));
    });
}

// --- ends that nobody wished for ---

void connection::send_reset(side from) {
    auto& in = ends_[other(from)];
    const auto at = std::max(in.last_arrival, world_.now + world_.delay(host_(from), host_(other(from))).count());
    world_.push(duration{at - world_.now}, [self = shared_from_this(), from] {
        if (!self->dead_ && !self->world_.lost(self->host_(from), self->host_(other(from))))
            self->break_end(other(from), code(std::errc::connection_reset));
    });
}

void connection::break_end(side s, std::error_code why) {
    auto& e = ends_[s];
    if (e.broken || e.closed) return;
    e.broken = why;
    event told{.what = event::kind::reset,
               .at = {},
               .from = host_(other(s)).name,
               .to = e.host->name,
               .connection = number_,
               .from_client = s == server_side,
               .data = {},
               .text = {}};
    world_.tell(told, s);
    receiver_looks(s);
    if (e.writing) finish_write(s, why);
}

void connection::cut_both(cut how) {
    if (dead_) return;
    ++world_.count.cut;
    if (how == cut::reset) {
        for (const auto s : {client_side, server_side}) break_end(s, code(std::errc::connection_reset));
        dead_ = true;
        return;
    }
    dead_ = true;
    silent_ = how == cut::silence;
    if (silent_) return;
    for (const auto s : {client_side, server_side}) {
        auto& e = ends_[s];
        e.under_way = 0;
        e.end_arrived = true;
        receiver_looks(s);
    }
}

void connection::lose(side s, bool silently) {
    if (!silently && !ends_[s].closed && !ends_[s].broken) send_reset(s);
    break_end(s, code(std::errc::connection_aborted));
}

void connection::retransmit(const host_state& from, const host_state& to) {
    if (dead_) return;
    for (const auto s : {client_side, server_side}) {
        if (&host_(s) != &from || &host_(other(s)) != &to) continue;
        // The sender's retransmission timer: until then it is all here still.
        const auto again = world_.of_network.between(std::chrono::milliseconds{1}, std::chrono::seconds{1});
        world_.push(again, [self = shared_from_this(), s] { self->send_stuck(s); });
    }
}

void connection::send_stuck(side from) {
    if (dead_ || world_.lost(host_(from), host_(other(from)))) return;
    auto& in = ends_[other(from)];
    const auto n = std::exchange(in.stuck, 0);
    in.under_way -= n;
    if (n > 0) travel(from, n);
    if (std::exchange(in.end_stuck, false)) send_end(from);
    if (std::exchange(ends_[from].room_stuck, false)) pump(other(from));
}

}  // namespace kafkawire::sim
