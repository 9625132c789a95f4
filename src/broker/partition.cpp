#include "broker/partition.hpp"

#include <kafkawire/protocol/record_batch.hpp>

#include <algorithm>

#include "broker/broken_rules.hpp"

namespace kafkawire::broker {

partition::partition(partition_world& world, std::string topic, protocol::uuid topic_id, std::int32_t index, std::vector<std::int32_t> replicas)
    : world_{&world}, topic_{std::move(topic)}, topic_id_{topic_id}, index_{index}, replicas_{std::move(replicas)}, isr_{replicas_},
      leader_{replicas_.empty() ? -1 : replicas_.front()}, log_{world.budget} {
    for (const auto node : replicas_) states_.push_back({node, replica::status::up, 0});
    log_.begin_epoch(leader_epoch_);
}

partition::~partition() {
    if (timer_) world_->timers->cancel(timer_);
}

partition::replica* partition::find(std::int32_t node) noexcept {
    const auto at = std::find_if(states_.begin(), states_.end(), [&](const replica& r) { return r.node == node; });
    return at == states_.end() ? nullptr : &*at;
}

bool partition::is_up(std::int32_t node) const noexcept {
    return std::any_of(states_.begin(), states_.end(), [&](const replica& r) { return r.node == node && r.is == replica::status::up; });
}

partition::appended partition::append(protocol::bytes_view batch, log::changes how) {
    const auto result = append_unseen(batch, how);
    if (result.error == broker_errc::none) progressed();
    return result;
}

partition::appended partition::append_unseen(protocol::bytes_view batch, log::changes how) {
    if (leader_ < 0) return {broker_errc::not_leader_or_follower};
    how.leader_epoch = leader_epoch_;
    appended result;
    if (broken.forget_acknowledged && ++broken.appends % 50 == 0) return {broker_errc::none, log_.end_offset(), log_.end_offset() - 1};
    if (log_.append(batch, how, result.base_offset)) return {broker_errc::kafka_storage_error};
    result.last_offset = log_.end_offset() - 1;
    replicate();
    if (log_.size_bytes() >= look_again_at_ && world_->grown) world_->grown(*this);
    return result;
}

partition::wait_id partition::when_replicated(std::int64_t last_offset, unique_function<void(broker_errc)> then) {
    const wait_id id{last_offset, ++last_wait_};
    if (last_offset < high_watermark_) then(broker_errc::none);
    else waiting_.emplace(id, std::move(then));
    return id;
}

// What was appended is on its way to the replicas that are up; without a delay it is there.
void partition::replicate() {
    const auto end = log_.end_offset();
    if (auto* l = find(leader_)) l->copied = end;
    if (world_->replication_delay.count() <= 0) return copy_up_to(end);
    if (replicas_.size() < 2) return;
    on_the_way_.push_back({world_->now->steady + world_->replication_delay, end});
    arm();
}

void partition::arm() {
    if (timer_ || on_the_way_.empty()) return;
    timer_ = world_->timers->set(on_the_way_.front().at, [this] {
        timer_ = {};
        const auto now = world_->now->steady;
        std::int64_t end = -1;
        for (; !on_the_way_.empty() && on_the_way_.front().at <= now; on_the_way_.pop_front()) end = on_the_way_.front().end;
        arm();
        if (end < 0) return;
        copy_up_to(std::min(end, log_.end_offset()));
        progressed();
    });
}

void partition::copy_up_to(std::int64_t end) {
    for (auto& r : states_) {
        if (r.is != replica::status::up) continue;
        r.copied = std::max(r.copied, end);
        // Who has reached the high watermark is in sync again.
        if (leader_ >= 0 && r.copied >= high_watermark_ && std::find(isr_.begin(), isr_.end(), r.node) == isr_.end()) isr_.push_back(r.node);
    }
}

void partition::leave_isr(std::int32_t node) {
    if (isr_.size() > 1) isr_.erase(std::remove(isr_.begin(), isr_.end(), node), isr_.end());
}

void partition::move_watermarks() {
    if (leader_ < 0) return;
    auto end = log_.end_offset();
    for (const auto& r : states_)
        if (std::find(isr_.begin(), isr_.end(), r.node) != isr_.end()) end = std::min(end, r.node == leader_ ? log_.end_offset() : r.copied);
    high_watermark_ = std::max({high_watermark_, end, log_.start_offset()});
    producers_.set_high_watermark(high_watermark_);
    if (const auto start = log_.start_offset(); start != known_start_) producers_.raise_start(known_start_ = start);
}

void partition::rebuild_producers() {
    producers_.clear();
    log_.for_each_batch(log_.start_offset(), [this](protocol::bytes_view whole) {
        protocol::record_batches in{whole, false};
        if (const auto* b = in.next()) producers_.replay(*b);
    });
    producers_.raise_start(known_start_ = log_.start_offset());
}

broker_errc partition::raise_start(std::int64_t offset) {
    if (offset > high_watermark_) return broker_errc::offset_out_of_range;
    if (log_.raise_start(offset)) return broker_errc::kafka_storage_error;
    progressed();
    return broker_errc::none;
}

void partition::progressed() {
    move_watermarks();
    while (!waiting_.empty() && waiting_.begin()->first.first < high_watermark_) {
        auto then = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        then(broker_errc::none);
    }
    // A watcher may drop itself or others while it runs: each is taken out for its call, and the next is found by its number.
    for (auto at = watchers_.begin(); at != watchers_.end();) {
        const auto id = at->first;
        auto what = std::move(at->second);
        what();
        if (const auto still = watchers_.find(id); still != watchers_.end() && !still->second) still->second = std::move(what);
        at = watchers_.upper_bound(id);
    }
}

void partition::refuse_waiting() {
    while (!waiting_.empty()) {
        auto then = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        then(broker_errc::not_leader_or_follower);
    }
}

partition::watch_id partition::watch(unique_function<void()> what) {
    watchers_.emplace(++last_watch_, std::move(what));
    return last_watch_;
}

void partition::unwatch(watch_id id) { watchers_.erase(id); }

// In a new epoch; what the new leader lacks is gone by now.
void partition::lead(std::int32_t node) {
    leader_ = node;
    ++leader_epoch_;
    if (node >= 0) log_.begin_epoch(leader_epoch_);
    refuse_waiting();
    progressed();
    for (auto& tell : world_->leadership_watchers) tell(*this);
}

void partition::set_leader(std::int32_t node) {
    if (auto* r = find(node)) {
        r->copied = log_.end_offset();
        if (std::find(isr_.begin(), isr_.end(), node) == isr_.end()) isr_.push_back(node);
    }
    lead(node);
    if (node >= 0) replicate();
}

void partition::elect(bool unclean) {
    const auto in_sync = [&](const replica& r) { return std::find(isr_.begin(), isr_.end(), r.node) != isr_.end(); };
    auto next = std::find_if(states_.begin(), states_.end(), [&](const replica& r) { return r.is == replica::status::up && in_sync(r); });
    const bool lossy = next == states_.end();
    if (lossy && unclean) next = std::find_if(states_.begin(), states_.end(), [](const replica& r) { return r.is == replica::status::up; });
    if (next == states_.end()) {
        if (leader_ >= 0) lead(-1);
        return;
    }
    const auto end = next->copied;
    if (end < log_.end_offset()) {
        static_cast<void>(log_.truncate_to(end));
        rebuild_producers();
    }
    for (auto& r : states_) r.copied = std::min(r.copied, log_.end_offset());
    high_watermark_ = std::min(high_watermark_, log_.end_offset());
    if (lossy) isr_ = {next->node};
    on_the_way_.clear();
    if (timer_) world_->timers->cancel(timer_);
    lead(next->node);
    replicate();
    progressed();
}

void partition::replica_down(std::int32_t node, bool unclean) {
    auto* r = find(node);
    if (!r || r->is == replica::status::down) return;
    r->is = replica::status::down;
    leave_isr(node);
    if (leader_ == node) elect(unclean);
    else progressed();
}

void partition::replica_up(std::int32_t node, bool unclean) {
    auto* r = find(node);
    if (!r || r->is == replica::status::up) return;
    r->is = replica::status::up;
    if (leader_ < 0) return elect(unclean);
    replicate();
    progressed();
}

void partition::replica_paused(std::int32_t node) {
    if (auto* r = find(node); r && r->is == replica::status::up) r->is = replica::status::paused;
}

void partition::set_replicas(std::vector<std::int32_t> replicas) {
    std::vector<replica> states;
    for (const auto node : replicas) {
        const auto* had = find(node);
        states.push_back(had ? *had : replica{node, replica::status::up, log_.end_offset()});
    }
    states_ = std::move(states);
    replicas_ = std::move(replicas);
    isr_.clear();
    for (const auto& r : states_)
        if (r.is == replica::status::up) isr_.push_back(r.node);
    if (!find(leader_)) elect(true);
    else progressed();
}

void partition::truncate_to(std::int64_t offset) {
    static_cast<void>(log_.truncate_to(offset));
    rebuild_producers();
    for (auto& r : states_) r.copied = std::min(r.copied, log_.end_offset());
    high_watermark_ = std::min(high_watermark_, log_.end_offset());
    lead(leader_);
}

void partition::recovered() {
    for (auto& r : states_) r.copied = log_.end_offset();
    if (!log_.epochs().empty()) leader_epoch_ = std::max(leader_epoch_, log_.epochs().back().epoch + 1);
    log_.begin_epoch(leader_epoch_);
    high_watermark_ = log_.end_offset();
    rebuild_producers();
    producers_.set_high_watermark(high_watermark_);
}

}  // namespace kafkawire::broker
