// Records from partitions: one loop per leader, each with one fetch on the wire; leaders that move are followed.
// Owns: the positions. Never: goes past a batch that it could not read, gives a partition's records out of order.
#pragma once
#include <kafkawire/protocol/messages/01_fetch.hpp>
#include <kafkawire/protocol/record_batch.hpp>

#include <cli/record.hpp>
#include <cli/session.hpp>

#include <functional>
#include <set>

namespace kafkawire::cli {

struct fetch_plan {
    std::int32_t max_wait_ms = 500;
    std::int32_t partition_bytes = 4 << 20;
    std::int32_t fetch_bytes = 32 << 20;
    bool read_committed = false;
    bool control = false;          ///< also give control records
};

/// One partition being read.
struct reading_partition {
    std::string topic;
    protocol::uuid topic_id;
    std::int32_t id = 0;
    std::int32_t leader = -1;
    std::int64_t position = 0;               ///< of the next record to give
    std::optional<std::int64_t> stop_at;     ///< records from here on are not given
    bool done = false;
    std::int64_t end = -1;                   ///< what can be read now ends here; -1: not known yet
    std::int64_t given = -1;                 ///< the offset behind the last record given; -1: none
};

class fetcher {
public:
    /// `take` is called for each record, in order per partition; false ends it all.
    fetcher(session& s, fetch_plan plan, std::vector<reading_partition> partitions, std::function<bool(const shown_record&)> take);
    fetcher(const fetcher&) = delete;
    fetcher& operator=(const fetcher&) = delete;

    /// Reads until all partitions are done, `take` has enough, or stop() is called. Raises the first failure.
    asio::awaitable<void> run();
    void stop();
    /// Called after each answer that was handed on, where a line is whole.
    std::function<void()> on_answer;
    /// Called once when everything that was there has been read.
    std::function<void()> on_caught_up;

    [[nodiscard]] const std::vector<reading_partition>& partitions() const noexcept { return partitions_; }

private:
    void start_loops();
    asio::awaitable<void> loop(std::int32_t leader);
    asio::awaitable<bool> fetch_from(std::int32_t leader, std::vector<reading_partition*> from);
    bool hand_on(reading_partition& p, const protocol::messages::fetch_response::partition_data& answer);
    void check_error(reading_partition& p, std::int16_t code);
    asio::awaitable<void> refresh();
    bool all_done() const;
    void check_caught_up();

    session& session_;
    fetch_plan plan_;
    std::vector<reading_partition> partitions_;
    std::function<bool(const shown_record&)> take_;
    std::set<std::int32_t> loops_;           // leaders that have one
    std::chrono::steady_clock::time_point last_progress_;
    bool enough_ = false, refresh_needed_ = false, caught_up_ = false;
    std::optional<failure> failed_;
    std::exception_ptr thrown_;              // what is no failure, such as a reader that went away
    protocol::record_reader reader_;
    asio::steady_timer changed_;
};

}  // namespace kafkawire::cli
