#include "sim/state.hpp"

#include <algorithm>
#include <cstring>

#include "sim/connection.hpp"

namespace kafkawire::sim {

// --- the queue ---

void event_queue::push(std::int64_t at, unique_function<void()> run, host_state* process) {
    std::uint32_t slot;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        slots_.push_back({std::move(run), process});
    } else {
        slot = free_.back();
        free_.pop_back();
        slots_[slot] = {std::move(run), process};
    }
    heap_.push_back({at, next_number_++, slot});
    std::ranges::push_heap(heap_, [](const entry& a, const entry& b) { return b.before(a); });
}

event_queue::item event_queue::pop() {
    std::ranges::pop_heap(heap_, [](const entry& a, const entry& b) { return b.before(a); });
    const auto slot = heap_.back().slot;
    heap_.pop_back();
    auto next = std::move(slots_[slot]);
    free_.push_back(slot);
    return next;
}

void trace_hasher::add(std::span<const std::byte> bytes) noexcept {
    while (bytes.size() >= 8) {
        std::uint64_t word;
        std::memcpy(&word, bytes.data(), 8);
        add(word);
        bytes = bytes.subspan(8);
    }
    std::uint64_t rest = bytes.size();
    for (const auto b : bytes) rest = rest << 8 | std::to_integer<std::uint64_t>(b);
    add(rest);
}

// --- time and processes ---

world_state::world_state(std::uint64_t s) : seed{s}, of_test{s}, of_network{s ^ 0x6e6574776f726b}, of_names{s ^ 0x6e616d6573} {}
world_state::~world_state() { end(); }

void world_state::run_on(host_state& h, unique_function<void()> run) {
    if (h.paused)
        h.held.push_back(std::move(run));
    else
        run();
}

void world_state::post_to(host_state& h, unique_function<void()> run) {
    if (ending) return;
    queue.push(now, std::move(run), &h);
}

void world_state::run_until(std::int64_t end_at, unique_function<bool()>* done) {
    std::uint64_t here = 0;
    while (!queue.empty() && queue.next_time() <= end_at) {
        if (queue.next_time() > now) {
            now = queue.next_time();
            here = 0;
        } else if (++here > per_instant) {
            throw stalled{"the simulated time does not go on: " + std::to_string(per_instant) + " events " +
                          std::to_string((now - beginning) / 1000) + " us after the beginning (seed " + std::to_string(seed) + ")"};
        }
        ++count.events;
        auto next = queue.pop();
        if (next.process)
            run_on(*next.process, std::move(next.run));
        else
            next.run();
        if (done && (*done)()) return;
    }
    now = std::max(now, end_at);
}

// What waits may own clients, whose destruction may want to make more wait: that is thrown away as well.
void world_state::end() {
    ending = true;
    for (auto& h : hosts) {
        h.held.clear();
        h.waits.clear();
    }
    while (!queue.empty()) (void)queue.pop();
    for (auto& c : living()) {
        c->close(client_side, false);
        c->close(server_side, false);
    }
    while (!queue.empty()) (void)queue.pop();
}

// --- the network ---

const link_settings& world_state::settings(const host_state& from, const host_state& to) {
    const auto& d = between(from, to);
    return d.has_own ? d.settings : common;
}

duration world_state::delay(const host_state& from, const host_state& to) {
    if (&from == &to) return std::chrono::microseconds{20};
    return settings(from, to).delay.draw(of_network);
}

host_state* world_state::host_of(const ip_address& a, bool& alive) {
    for (auto& h : hosts)
        for (const auto& own : h.addresses)
            if (own.address == a) {
                alive = own.alive;
                return &h;
            }
    return nullptr;
}

std::vector<std::shared_ptr<connection>> world_state::living() {
    std::vector<std::shared_ptr<connection>> all;
    std::erase_if(connections, [&](const std::weak_ptr<connection>& w) {
        auto c = w.lock();
        if (c) all.push_back(std::move(c));
        return !all.empty() ? w.expired() : true;
    });
    return all;
}

void world_state::release(const host_state& from, const host_state& to) {
    for (auto& c : living())
        if (c->touches(from) && c->touches(to)) c->retransmit(from, to);
}

void world_state::leave(host_state& h, bool silently) {
    for (auto& c : living())
        if (c->touches(h)) c->lose(c->side_of(h), silently);
}

// --- the trace ---

void world_state::tell(event e, std::uint64_t a, std::uint64_t b) {
    e.at = steady(now);
    hash.add(static_cast<std::uint64_t>(now));
    hash.add(static_cast<std::uint64_t>(e.what) << 56 ^ e.connection << 24 ^ b);
    hash.add(a);
    if (!e.data.empty()) hash.add(e.data);
    if (!e.text.empty()) hash.add(std::as_bytes(std::span{e.text}));
    if (watcher) watcher(e);
}

void world_state::happened(const host_state& h, std::string_view what) {
    event e{.what = event::kind::host, .at = {}, .from = {}, .to = h.name, .connection = 0, .from_client = false, .data = {}, .text = what};
    tell(e, h.index);
}

void world_state::changed(const host_state& from, const host_state& to, std::string_view what) {
    event e{.what = event::kind::network,
            .at = {},
            .from = from.name,
            .to = to.name,
            .connection = 0,
            .from_client = false,
            .data = {},
            .text = what};
    tell(e, from.index, to.index);
}

}  // namespace kafkawire::sim
