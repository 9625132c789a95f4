// What a cluster forgets while producers send: the end of a log, as after an unclean election; a topic, which comes back under another id. Every loss
// is told to the history, so that the checkers miss nothing else.
#pragma once
#include <functional>

#include "workload.hpp"

namespace schedules {

/// Truncations and recreations at random moments before `until`. A recreated topic is there again some seconds later at the latest.
class losses {
public:
    losses(cluster_world& w, workload& work, std::chrono::nanoseconds until, int truncations, int recreations);
    [[nodiscard]] std::uint64_t happened() const noexcept { return happened_; }

    /// Who else is to know: a log has lost what lay at `from` and behind; the topic is about to go; it is gone; it is there again, with so many partitions.
    std::function<void(std::int32_t partition, std::int64_t from)> on_truncated = [](std::int32_t, std::int64_t) {};
    std::function<void()> on_going = [] {}, on_gone = [] {};
    std::function<void(std::int32_t count)> on_made = [](std::int32_t) {};

private:
    void truncate();
    void look();
    asio::awaitable<void> recreate();
    asio::awaitable<void> remove();
    asio::awaitable<void> create(std::int32_t count);
    std::int32_t next_node() noexcept { return 1 + asked_++ % 3; }

    cluster_world& w_;
    workload& work_;
    kw::sim::random_source random_;
    std::array<std::vector<std::int64_t>, partitions> ends_;  // where batches end: a log cannot be cut within one
    std::uint64_t happened_ = 0;
    std::int32_t asked_ = 0;
    bool recreating_ = false;
};

}  // namespace schedules
