// Requests that have no answer: their connection broke, or what they carry is to go elsewhere. Whatever was sent may have been taken, and goes again in
// the order of its sequences. A connection's losses come one after the other; nothing goes to that broker before the last is told, as on the
// connection that follows a later batch would come before one that is still thought to be in flight: the broker refuses it, or, if it had
// taken the first attempts of both, forgets the one that comes behind.
#include "client/sender_fsm.hpp"

#include <algorithm>

namespace kafkawire::client_detail {

namespace {

std::shared_ptr<const error> moved_away() {
    error e;
    e.code = broker_errc::not_leader_or_follower;
    e.text = "the partition has another leader now";
    return std::make_shared<const error>(std::move(e));
}

}  // namespace

void sender_fsm::lost(produce_plan& plan, const std::shared_ptr<const error>& why, bool maybe_processed, bool connection_failed, time_point now, std::int64_t wall_ms,
                      sender_actions& out) {
    const bool ours = end_plan(plan);
    // The others that were on that connection are lost too, and will say so one after the other.
    if (ours && connection_failed)
        for (auto& other : broker(plan.broker).plans) other->doomed = true;
    bool retried = false;
    for (auto& part : plan.parts) {
        const auto b = std::exchange(part.batch, nullptr);
        part.bytes.reset();
        if (!b) continue;
        auto& p = *part.where;
        std::erase(p.in_flight, b);
        b->maybe_written |= maybe_processed;
        // A request that this broker cannot take, or that cannot be written, will not do better the next time.
        if (connection_failed || maybe_processed || why->code == condition::retriable) {
            retried = true;
            try_again(p, b, why, now, false, out);
            if (settings_.idempotent) take_back(p, why, now, out);
        } else {
            give_up(p, b, why, out);
        }
        settle(p, now, out);
    }
    if (retried) out.push_back(ask_topics{});
    admit_waiting(now, wall_ms, out);
    pump_idle(broker(plan.broker), now, out);
}

// Batches of the partition that wait for a newer connection: the one that was lost comes before them.
void sender_fsm::take_back(partition_queue& p, const std::shared_ptr<const error>& why, time_point now, sender_actions& out) {
    for (auto& plan : std::vector{broker(p.sending_to).plans})
        if (!plan->on_wire) leave_plan(p, plan, why, now, out);
}

// Nothing of that partition is sent with this request any more; without anything left it is not sent at all.
void sender_fsm::leave_plan(partition_queue& p, const plan_ptr& plan, const std::shared_ptr<const error>& why, time_point now, sender_actions& out) {
    bool others = false;
    for (auto& part : plan->parts) {
        if (!part.batch) continue;
        if (part.where != &p) {
            others = true;
            continue;
        }
        const auto b = std::exchange(part.batch, nullptr);
        if (!plan->on_wire) part.bytes.reset();
        std::erase(p.in_flight, b);
        b->maybe_written |= plan->on_wire;
        try_again(p, b, why, now, true, out);
    }
    if (others || plan->on_wire) return;
    end_plan(*plan);
    out.push_back(withdraw_produce{plan});
}

// The leader has moved. What is not on the wire is taken back. What is on the wire to the old leader goes to the new one at once if the
// broker can tell a second time from a first: the old leader may be paused, and its answer come in an hour, or never. Whatever it still
// appends it must cut off again, as it leads no more.
void sender_fsm::leave(partition_queue& p, time_point now, sender_actions& out) {
    p.not_before = now;
    if (p.in_flight.empty()) return;
    static const auto moved = moved_away();
    for (auto& plan : std::vector{broker(p.sending_to).plans})
        if (!plan->on_wire || settings_.idempotent) leave_plan(p, plan, moved, now, out);
    settle(p, now, out);
}

}  // namespace kafkawire::client_detail
