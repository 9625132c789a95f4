// The faces of the world and its hosts: what tests call. Every change is told to the trace.
#include <kafkawire/error.hpp>

#include "sim/connection.hpp"

namespace kafkawire::sim {

namespace {
// The parts of a private host_state behind a public host: hosts are found by their name, which is unique.
host_state& state_of(world_state& w, const host& h) {
    for (auto& s : w.hosts)
        if (s.face.get() == &h) return s;
    throw std::invalid_argument{"a host of another world: " + h.name()};
}
}  // namespace

// --- executor ---

asio::execution_context& executor::query(asio::execution::context_t) const noexcept { return host_->world.context; }
void executor::post(unique_function<void()> what) const { host_->world.post_to(*host_, std::move(what)); }

// --- host ---

const std::string& host::name() const noexcept { return state_->name; }
ip_address host::address() const noexcept { return state_->addresses.front().address; }
const std::shared_ptr<net::environment>& host::environment() const noexcept { return state_->environment; }
asio::any_io_executor host::executor() const { return sim::executor{*state_}; }
bool host::is_up() const noexcept { return state_->now == host_state::condition::up; }
bool host::is_paused() const noexcept { return state_->paused; }

void host::down() {
    if (!is_up()) return;
    state_->now = host_state::condition::down;
    state_->world.happened(*state_, "down");
    state_->world.leave(*state_, false);
}

void host::vanish() {
    if (state_->now == host_state::condition::gone) return;
    state_->now = host_state::condition::gone;
    state_->world.happened(*state_, "gone");
    state_->world.leave(*state_, true);
}

void host::up() {
    if (is_up()) return;
    const bool was_gone = state_->now == host_state::condition::gone;
    state_->now = host_state::condition::up;
    auto& w = state_->world;
    w.happened(*state_, "up");
    if (!was_gone) return;
    for (const auto& other : w.hosts) {  // what was sent meanwhile is sent again, to a machine that does not know the connection
        w.release(other, *state_);
        w.release(*state_, other);
    }
}

void host::pause() {
    if (state_->paused) return;
    state_->paused = true;
    state_->world.happened(*state_, "paused");
}

void host::resume() {
    if (!state_->paused) return;
    state_->paused = false;
    state_->world.happened(*state_, "resumed");
    for (auto& f : std::exchange(state_->held, {})) state_->world.post_to(*state_, std::move(f));
}

void host::shift_wall_clock(duration by) {
    state_->wall_shift += by;
    state_->world.happened(*state_, "wall clock moved");
}

void host::add_address(const ip_address& a, bool alive) {
    state_->addresses.push_back({a, alive});
    state_->world.names[state_->name].addresses.push_back(a);
}

std::uint64_t host::begin_wait(duration d, unique_function<void(std::error_code)> done) {
    const auto number = state_->next_wait++;
    auto& w = state_->waits[number];
    w.done = std::move(done);
    w.timer = state_->environment->make_timer([s = state_, number] {
        auto node = s->waits.extract(number);
        if (node) node.mapped().done({});
    });
    w.timer->set(state_->environment->now() + std::chrono::duration_cast<time_point::duration>(d));
    return number;
}

void host::cancel_wait(host_state& h, std::uint64_t number) {
    if (auto node = h.waits.extract(number)) node.mapped().done(make_error_code(errc::canceled));
}

// --- world: time ---

world::world(std::uint64_t seed) : state_{std::make_shared<world_state>(seed)} {}

world::~world() {
    state_->end();
    for (auto& h : state_->hosts) h.environment.reset();  // it owns the state; one that a client still holds keeps it alive
}

std::uint64_t world::seed() const noexcept { return state_->seed; }
time_point world::now() const noexcept { return steady(state_->now); }
duration world::elapsed() const noexcept { return duration{state_->now - world_state::beginning}; }
random_source& world::random() noexcept { return state_->of_test; }
const tally& world::count() const noexcept { return state_->count; }
std::uint64_t world::trace_hash() const noexcept { return state_->hash.value(); }
void world::limit_events_per_instant(std::uint64_t n) noexcept { state_->per_instant = n; }

void world::run_for(duration d) { state_->run_until(state_->now + d.count(), nullptr); }

bool world::run_until(unique_function<bool()> done, duration at_most) {
    if (done()) return true;
    state_->run_until(state_->now + at_most.count(), &done);
    return done();
}

void world::after(duration d, unique_function<void()> what) { state_->push(d, std::move(what)); }

// --- world: hosts and network ---

host& world::add_host(std::string name) {
    auto& w = *state_;
    for (const auto& h : w.hosts)
        if (h.name == name) throw std::invalid_argument{"there is a host " + name + " already"};
    if (w.hosts.size() == world_state::max_hosts)
        throw std::invalid_argument{"a world has at most " + std::to_string(world_state::max_hosts) + " hosts"};
    const auto i = w.hosts.size();
    // Each process draws from a source of its own: one that draws more often does not change what the others get.
    auto& h = w.hosts.emplace_back(w, i, name, random_source{w.seed ^ (0x686f7374 + i) * 0x9e3779b97f4a7c15});
    h.face = std::make_unique<host>(h);
    h.environment = make_environment(state_, h);
    ip_address a;
    a.octets[0] = 10;
    a.octets[3] = static_cast<std::uint8_t>(i + 1);
    h.addresses.push_back({a, true});
    w.names[std::move(name)].addresses.push_back(a);
    return *h.face;
}

host& world::at(std::string_view name) {
    for (auto& h : state_->hosts)
        if (h.name == name) return *h.face;
    throw std::out_of_range{"no host " + std::string{name}};
}

void world::set_link(const link_settings& l) { state_->common = l; }

void world::set_link(const host& from, const host& to, const link_settings& l) {
    auto& d = state_->between(state_of(*state_, from), state_of(*state_, to));
    d.settings = l;
    d.has_own = true;
}

void world::block(const host& from, const host& to) {
    auto &a = state_of(*state_, from), &b = state_of(*state_, to);
    if (std::exchange(state_->between(a, b).blocked, true)) return;
    state_->changed(a, b, "blocked");
}

void world::unblock(const host& from, const host& to) {
    auto &a = state_of(*state_, from), &b = state_of(*state_, to);
    if (!std::exchange(state_->between(a, b).blocked, false)) return;
    state_->changed(a, b, "open");
    state_->release(a, b);
}

void world::partition(const host& a, const host& b) {
    block(a, b);
    block(b, a);
}

void world::heal(const host& a, const host& b) {
    unblock(a, b);
    unblock(b, a);
}

void world::heal_all() {
    for (const auto& a : state_->hosts)
        for (const auto& b : state_->hosts) {
            state_->between(a, b).cut_armed = false;
            unblock(*a.face, *b.face);
        }
}

void world::cut_after(const host& from, const host& to, std::uint64_t n, cut how) {
    auto &a = state_of(*state_, from), &b = state_of(*state_, to);
    auto& d = state_->between(a, b);
    d.cut_in = n;
    d.cut_armed = true;
    d.cut_how = how;
    state_->changed(a, b, "cut armed");
}

std::size_t world::cut_now(const host& a, const host& b, cut how) {
    auto &from = state_of(*state_, a), &to = state_of(*state_, b);
    state_->changed(from, to, "cut");
    std::size_t n = 0;
    for (auto& c : state_->living())
        if (c->is_between(from, to) && c->lives()) {
            c->cut_both(how);
            ++n;
        }
    return n;
}

void world::refuse(const host& to, bool yes) {
    auto& h = state_of(*state_, to);
    h.refuses = yes;
    state_->happened(h, yes ? "refuses" : "refuses no more");
}

// --- world: names and trace ---

void world::set_name(std::string name, std::vector<ip_address> addresses, duration from_then) {
    auto set = [s = state_.get(), n = std::move(name), a = std::move(addresses)]() mutable {
        event e{.what = event::kind::name, .at = {}, .from = {}, .to = {}, .connection = 0, .from_client = false, .data = {}, .text = n};
        s->tell(e, a.size());
        s->names[n] = {std::move(a), {}, false};
    };
    if (from_then.count() > 0)
        after(from_then, std::move(set));
    else
        set();
}

void world::fail_name(std::string name, std::string text) {
    event e{.what = event::kind::name, .at = {}, .from = {}, .to = {}, .connection = 0, .from_client = false, .data = {}, .text = name};
    state_->tell(e);
    auto& n = state_->names[std::move(name)];
    n.fails = true;
    n.failure = std::move(text);
}

void world::set_name_delay(const delay_law& d) { state_->name_delay = d; }

void world::note(std::string_view text, std::span<const std::int64_t> values) {
    for (const auto v : values) state_->hash.add(static_cast<std::uint64_t>(v));
    std::string whole;
    if (state_->watcher) {
        whole = text;
        for (const auto v : values) whole += ' ' + std::to_string(v);
    }
    event e{.what = event::kind::note, .at = {}, .from = {}, .to = {}, .connection = 0, .from_client = false, .data = {}, .text = text};
    auto watch = std::exchange(state_->watcher, nullptr);
    state_->tell(e);
    state_->watcher = std::move(watch);
    e.at = now();
    e.text = whole;
    if (state_->watcher) state_->watcher(e);
}

void world::observe(unique_function<void(const event&)> watcher) { state_->watcher = std::move(watcher); }

}  // namespace kafkawire::sim
