// What happens to a request that was hit by a fault: the part of cluster_fsm between decoding and handling, and between answering and writing.
#include "broker/fault_messages.hpp"

#include <algorithm>

#include "broker/cluster_fsm.hpp"

namespace kafkawire::broker {
namespace {

// An error in these would be told together with what the cluster is: without it no client could go on, and no broker answers so.
bool carries_the_cluster(std::int16_t key) noexcept { return key == 3 || key == 18 || key == 60 || key == 75; }

void fill(protocol::bytes& b, std::size_t from, random_source& random) {
    for (auto i = std::min(from, b.size()); i < b.size(); ++i) b[i] = static_cast<std::byte>(random.next());
}

}  // namespace

const fault* cluster_fsm::find_fault(const exchange& from, const protocol::api_info& api, const void* request) {
    if (faults_.empty()) return nullptr;
    return faults_.take({api.key, from.version(), from.node(), from.connection(), from.client_id(), api.request, request, &state_});
}

void cluster_fsm::meet(const fault& f, exchange from, const protocol::api_info& api, const void* request, protocol::bytes_view body) {
    if (f.delay.count() == 0) return strike(f, std::move(from), api, request);
    // The frame will be gone by then, and record data points into it: the request is read once more, from a copy.
    state_.timers().set(state_.now().steady + f.delay, [this, f, from = std::move(from), &api, copy = protocol::bytes(body.begin(), body.end())]() mutable {
        protocol::any_message again{*api.request};
        if (!from.alive()) return from.forget();
        if (!protocol::decode(*api.request, again.get(), copy, from.version())) strike(f, std::move(from), api, again.get());
    });
}

void cluster_fsm::strike(const fault& f, exchange from, const protocol::api_info& api, const void* request) {
    if (f.close) return from.close();
    const bool waits = has_answer(*api.request, request);
    if (f.drop_request) return waits ? from.forget() : from.no_answer();
    const auto found = connections_.find(from.connection());
    if (found == connections_.end()) return from.forget();
    found->second.hit = f;
    if (!f.error || f.carry_out || carries_the_cluster(api.key)) return dispatch(std::move(from), api, request);
    if (!waits) return from.no_answer();
    const auto refusal = blank_answer(api, request, from.version());
    from.answer_erased(*api.response, refusal.get(), from.version());
}

void cluster_fsm::send_changed(connection_id id, write_bytes what, const fault& f) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    auto& c = found->second;
    if (is_paused(c.node)) {
        c.held = connection::given{std::move(what), f};
        return;
    }
    c.mute = f.throttle;
    if (f.garbage == garbage::none && !f.cut && f.trickle == 0) return send(id, std::move(what));
    protocol::bytes all;
    for (const auto part : what.content.parts()) all.insert(all.end(), part.begin(), part.end());
    if (f.garbage != garbage::none) fill(all, f.garbage == garbage::body ? 8 : 0, faults_.random());
    if (f.cut) all.resize(std::min(*f.cut, all.size()));
    c.slow = connection::trickle{std::move(all), 0, f.trickle > 0 ? f.trickle : all.max_size(), f.trickle_every, f.cut.has_value()};
    c.is = phase::writing;
    send_piece(id);
}

void cluster_fsm::send_piece(connection_id id) {
    const auto found = connections_.find(id);
    if (found == connections_.end() || !found->second.slow) return;
    auto& c = found->second;
    auto& slow = *c.slow;
    const auto size = std::min(slow.step, slow.all.size() - slow.sent);
    const auto piece = std::span{slow.all}.subspan(slow.sent, size);
    slow.sent += size;
    write_bytes out{id, {{piece.begin(), piece.end()}, {}}, {}};
    const bool last = slow.sent == slow.all.size(), close = slow.close;
    if (last) c.slow.reset();
    if (size > 0) actions_.emplace_back(std::move(out));
    if (last && close) close_connection(id);
}

}  // namespace kafkawire::broker
