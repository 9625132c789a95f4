// The ends of transactions: markers to all their partitions, then the last step into the coordinator's log. What cannot be written now is
// tried again until it can, or until another coordinator takes over.
#include <kafkawire/protocol/batch_builder.hpp>

#include "broker/coordinator_lookup.hpp"
#include "broker/group_coordinator.hpp"
#include "broker/transaction_coordinator.hpp"

namespace kafkawire::broker {
namespace {

using e = broker_errc;
using namespace std::chrono_literals;

constexpr auto retry_backoff = 100ms;

}  // namespace

void transaction_coordinator::begin_markers(const place& at) {
    auto* en = live(at);
    if (!en) return;
    if (!en->fsm.pending()) en->fsm.prepare_complete(now_ms());
    if (marker_delay_ > 0ns) return retry_markers(at, marker_delay_);
    send_markers(at);
}

void transaction_coordinator::retry_markers(const place& at, std::chrono::nanoseconds after) {
    auto* en = live(at);
    if (!en || en->timer) return;
    en->timer = cluster_.timers().set(cluster_.now().steady + after, [this, at] {
        if (auto* still = live(at)) {
            still->timer = {};
            send_markers(at);
        }
    });
}

void transaction_coordinator::send_markers(const place& at) {
    auto* en = live(at);
    if (!en || en->stuck) return;
    bool all_sent = true;
    en->sending = true;
    // A copy: markers that are replicated at once take their partitions out of the set.
    for (const auto partitions = en->fsm.facts().partitions; const auto& where : partitions) {
        if (!en->on_the_way.count(where)) all_sent = send_marker(at, where) && all_sent;
        if (!(en = live(at)) || en->stuck) return;
    }
    en->sending = false;
    if (!all_sent) return retry_markers(at, retry_backoff);
    if (en->fsm.facts().partitions.empty()) finish(at);
}

// False: not now, but perhaps later.
bool transaction_coordinator::send_marker(const place& at, const transaction_partition& where) {
    auto& en = *live(at);
    auto* to = cluster_.find_partition(where.topic, where.partition);
    if (!to) {  // deleted meanwhile: nobody waits for the marker
        en.fsm.marker_written(where);
        return true;
    }
    const auto* leader = cluster_.find_node(to->leader());
    if (!leader || leader->is != node::status::up) return false;
    const auto& f = en.fsm.facts();
    // A marker carries the epoch that the transaction ends in: with version 2 the raised one.
    const transaction_marker marker{f.producer_id, f.epoch,         at.epoch, f.status == transaction_status::prepare_commit,
                                    now_ms(),      f.client_version};
    en.on_the_way.insert(where);
    write_marker(*to, marker, [this, at, where](e error) { marker_replicated(at, where, error); });
    return true;
}

void transaction_coordinator::marker_replicated(const place& at, const transaction_partition& where, broker_errc error) {
    auto* en = live(at);
    if (!en) return;
    en->on_the_way.erase(where);
    switch (error) {
        case e::none: en->fsm.marker_written(where); break;
        case e::invalid_producer_epoch:
        case e::transaction_coordinator_fenced: en->stuck = true; return;
        default: return retry_markers(at, retry_backoff);
    }
    if (en->fsm.facts().partitions.empty() && !en->sending && !en->timer) finish(at);
}

void transaction_coordinator::finish(const place& at) {
    auto* en = live(at);
    if (!en || std::exchange(en->finishing, true)) return;
    if (!en->fsm.pending()) en->fsm.prepare_complete(now_ms());
    write(at, [this, at](e error) {
        auto* still = live(at);
        if (!still) return;
        still->finishing = false;
        if (error != e::none) retry_markers(at, retry_backoff);
    });
}

void transaction_coordinator::write_marker(partition& to, transaction_marker marker, done then) {
    if (const auto wrong = to.producers().check_marker(marker); wrong != e::none) return then(wrong);
    protocol::batch_options how;
    how.producer_id = marker.producer_id;
    how.producer_epoch = marker.epoch;
    how.transactional = true;
    how.control = true;
    protocol::batch_builder batch{how};
    const auto record = protocol::make_end_transaction_marker(
        marker.commit ? protocol::control_type::commit : protocol::control_type::abort, marker.coordinator_epoch);
    protocol::bytes_view bytes;
    if (batch.append(marker.timestamp, protocol::bytes_view{record.key}, protocol::bytes_view{record.value}) != errc{} ||
        batch.close(bytes))
        return then(e::unknown_server_error);
    const auto there = to.append_unseen(bytes, {});
    if (there.error != e::none) return then(there.error);
    to.producers().marker_appended(marker, there.base_offset);
    to.progressed();
    if (to.topic() == group_topic) cluster_.groups().end_transaction(to.index(), marker.producer_id, marker.commit);
    to.when_replicated(there.last_offset, std::move(then));
}

}  // namespace kafkawire::broker
