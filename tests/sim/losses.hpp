// What a cluster forgets while producers send: the end of a log, as after an unclean election; a topic, which comes back under another id. Every loss
// is told to the history, so that the checkers miss nothing else.
#pragma once
#include "workload.hpp"

namespace schedules {

/// Truncations and recreations at random moments before `until`. A recreated topic is there again some seconds later at the latest.
class losses {
public:
    losses(cluster_world& w, workload& work, std::chrono::nanoseconds until, int truncations, int recreations);
    [[nodiscard]] std::uint64_t happened() const noexcept { return happened_; }

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
