#include "broker/partition.hpp"

namespace kafkawire::broker {

void partition::set_leader(std::int32_t node) {
    leader_ = node;
    ++leader_epoch_;
    progressed();
}

partition::watch_id partition::watch(unique_function<void()> what) {
    watchers_.emplace(++last_watch_, std::move(what));
    return last_watch_;
}

void partition::unwatch(watch_id id) { watchers_.erase(id); }

void partition::progressed() {
    high_watermark_ = log_.end_offset();
    // A watcher may drop itself or others while it runs: each is taken out for its call, and the next is found by its number.
    for (auto at = watchers_.begin(); at != watchers_.end();) {
        const auto id = at->first;
        auto what = std::move(at->second);
        what();
        if (const auto still = watchers_.find(id); still != watchers_.end() && !still->second) still->second = std::move(what);
        at = watchers_.upper_bound(id);
    }
}

}  // namespace kafkawire::broker
