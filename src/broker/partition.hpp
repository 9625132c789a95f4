// partition: a log and who leads it. One object stands for all replicas; what a replica lacks is a number (how far it has copied), so that a
// crash of a leader can lose what was not replicated, as it would in Kafka.
// Owns: the log, leadership, watermarks, who waits for progress. Never: answers a request.
#pragma once
#include <kafkawire/detail/function.hpp>

#include <map>
#include <string>
#include <vector>

#include "broker/log.hpp"

namespace kafkawire::broker {

class partition {
public:
    partition(std::string topic, protocol::uuid topic_id, std::int32_t index, std::vector<std::int32_t> replicas)
        : topic_{std::move(topic)}, topic_id_{topic_id}, index_{index}, replicas_{std::move(replicas)}, isr_{replicas_},
          leader_{replicas_.empty() ? -1 : replicas_.front()} {}

    [[nodiscard]] const std::string& topic() const noexcept { return topic_; }
    [[nodiscard]] const protocol::uuid& topic_id() const noexcept { return topic_id_; }
    [[nodiscard]] std::int32_t index() const noexcept { return index_; }
    [[nodiscard]] const std::vector<std::int32_t>& replicas() const noexcept { return replicas_; }
    [[nodiscard]] const std::vector<std::int32_t>& isr() const noexcept { return isr_; }
    /// -1: none.
    [[nodiscard]] std::int32_t leader() const noexcept { return leader_; }
    [[nodiscard]] std::int32_t leader_epoch() const noexcept { return leader_epoch_; }
    [[nodiscard]] const broker::log& log() const noexcept { return log_; }
    [[nodiscard]] broker::log& log() noexcept { return log_; }
    [[nodiscard]] std::int64_t high_watermark() const noexcept { return high_watermark_; }
    [[nodiscard]] std::int64_t last_stable_offset() const noexcept { return high_watermark_; }

    /// Makes `node` the leader (-1: nobody) in a new epoch, and tells who waits.
    void set_leader(std::int32_t node);

    /// Calls `what` whenever the watermarks, the start of the log or the leadership change, until it is dropped. `what` may drop itself and others.
    using watch_id = std::uint64_t;
    watch_id watch(unique_function<void()> what);
    void unwatch(watch_id id);
    /// After an append or a change: moves the watermarks and calls the watchers.
    void progressed();

private:
    std::string topic_;
    protocol::uuid topic_id_;
    std::int32_t index_;
    std::vector<std::int32_t> replicas_, isr_;
    std::int32_t leader_;
    std::int32_t leader_epoch_ = 0;
    broker::log log_;
    std::int64_t high_watermark_ = 0;
    std::map<watch_id, unique_function<void()>> watchers_;
    watch_id last_watch_ = 0;
};

}  // namespace kafkawire::broker
