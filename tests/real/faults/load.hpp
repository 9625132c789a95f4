// A producer under load, in a thread of its own: sends numbered records at a steady rate to all partitions of a topic, and writes what it
// is told into a ledger. Beside that it measures what a fault costs: when each partition is acknowledged again, how long one had to wait,
// the CPU used.
//
// The functions are for another thread, but for those of the measuring they may be called once, in the order in which they stand.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger.hpp"

namespace faults {

struct load_options {
    std::string bootstrap;
    std::string topic;
    std::int32_t partitions = 6;
    std::chrono::milliseconds delivery_timeout{120'000};
    double rate = 10'000;   ///< records a second
    std::uint64_t run = 1;  ///< see write_value()
    std::string compression = "none";
    /// Not empty: all records are sent in transactions of this id, most of them committed, some aborted.
    std::string transactional_id{};
};

/// What happened since mark(); `first` since then or since mark_end().
struct window {
    std::chrono::milliseconds length{0};
    /// By partition, to its first acknowledgement; nothing: there was none.
    std::vector<std::optional<std::chrono::milliseconds>> first;
    /// By partition, the longest time in which records waited and none of them was acknowledged; one that has not ended counts.
    std::vector<std::chrono::milliseconds> longest_wait;
    tally before, after;                       ///< totals at mark(), and now
    std::chrono::milliseconds cpu{0};          ///< of the producer's thread
    std::chrono::milliseconds longest_nap{0};  ///< by which a timer of 10 ms was late: what the machine kept from us
    std::string last_error;                    ///< of a record that was not acknowledged, with its story
};

class load {
public:
    /// The ledger must outlive it, and is its thread's until finish() returns. Throws what the producer throws.
    load(const load_options& options, ledger& book);
    ~load();

    void start();
    void mark();
    /// The fault is over: `first` counts from now, the rest goes on.
    void mark_end();
    [[nodiscard]] window look();
    /// Sends no more, waits until all that was sent is told (bounded by the delivery timeout), closes. Returns how many records were left
    /// untold by the producer's own count.
    std::size_t finish();

    [[nodiscard]] const load_options& options() const noexcept;
    /// Each transaction carries an offset of a group too, the transaction's own number: the group, and which offsets it may hold, the last
    /// transaction committed or, of later ones, any whose end nobody knows. After finish().
    [[nodiscard]] std::string group() const;
    [[nodiscard]] const std::set<std::int64_t>& group_offsets() const noexcept;
    /// The longest nap of the whole run. After finish().
    [[nodiscard]] std::chrono::milliseconds worst_nap() const noexcept;
    /// As text, for a summary. After finish().
    [[nodiscard]] std::string statistics() const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace faults
