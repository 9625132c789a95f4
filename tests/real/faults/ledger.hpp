// The ledger of a run: what was sent, what its sender was told, and whether a log agrees. As testing/check.hpp has it, in 8 bytes a record
// instead of a hundred, since a run has tens of millions; and for one producer and logs that are read from their beginning, which is all
// that is needed here.
//
// | finding           | what was seen                                                                |
// |-------------------|------------------------------------------------------------------------------|
// | lost              | acknowledged, and not in the log                                             |
// | duplicated        | in the log twice                                                             |
// | reordered         | behind a record of its partition that was sent later                         |
// | wrong-partition   | in another partition than it was sent to                                     |
// | wrong-offset      | acknowledged at another offset                                               |
// | unknown-value     | a record that nobody sent, or whose bytes are not what was sent              |
// | false-failure     | said not to be persisted, and in the log                                     |
// | aborted-seen      | its transaction was aborted, and it is visible                               |
// | torn              | of a transaction whose end nobody knows some records are visible, others not |
// | committed-failure | not acknowledged, although its transaction was committed                     |
// | unresolved        | its sender was never told                                                    |
// | told-twice        | its sender was told twice                                                    |
// | late              | told more than 100 ms after its deadline                                     |
//
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

/// What a sender was told of a record.
enum class verdict : std::uint8_t { acknowledged, not_persisted, maybe_persisted };

/// How a transaction ended.
enum class fate : std::uint8_t { committed, aborted, unknown };

/// The records of one transaction: of each partition those from `first` on and before `last`.
struct transaction_range {
    std::vector<std::uint64_t> first, last;
    fate end = fate::unknown;
};

/// What is wrong, counted by name, and the first few of each in words.
class findings {
public:
    void add(const std::string& name, const std::string& what);
    [[nodiscard]] bool none() const noexcept { return counts_.empty(); }
    [[nodiscard]] std::size_t of(const std::string& name) const;
    [[nodiscard]] const std::map<std::string, std::size_t>& counts() const noexcept { return counts_; }
    [[nodiscard]] const std::vector<std::string>& examples() const noexcept { return examples_; }

private:
    std::map<std::string, std::size_t> counts_;
    std::vector<std::string> examples_;
};

/// How the records of a run fared.
struct tally {
    std::uint64_t sent = 0, acknowledged = 0, not_persisted = 0, maybe_persisted = 0;
    std::uint64_t without_offset = 0;                                   ///< acknowledged, but the broker did not say where any more
    std::uint64_t maybe_there = 0;                                      ///< of the maybe persisted, seen in the log; known after a reading
    std::uint32_t longest_ms = 0;                                       ///< from the send to the telling, of all records
    std::int64_t latest_ms = std::numeric_limits<std::int64_t>::min();  ///< the worst of (told - deadline); negative: all were told before
};

/// What a reader saw of the topic, in numbers that two readers can compare.
struct reading {
    std::uint64_t records = 0;
    std::uint64_t checksum = 0;               ///< over partition, offset and bytes of each record; the order of partitions does not matter
    std::vector<std::uint64_t> in_partition;  ///< records of each
    friend bool operator==(const reading&, const reading&) = default;
};

class ledger {
public:
    /// `run` is the one of the records' values; `timeout` the delivery timeout of all sends.
    ledger(std::uint64_t run, std::int32_t partitions, std::chrono::milliseconds timeout);

    /// A record is about to be sent: its number in its partition. Times are milliseconds since the run's beginning.
    std::uint64_t send(std::int32_t partition, std::uint32_t now_ms);
    /// Its sender is told. `offset` -1: acknowledged without one.
    void tell(std::int32_t partition, std::uint64_t index, verdict v, std::int64_t offset, std::uint32_t now_ms);
    /// How a transaction ended. Its records count by that: what was acknowledged and aborted must not be visible.
    void end_transaction(transaction_range t) { transactions_.push_back(std::move(t)); }
    /// The number of the next record of a partition.
    [[nodiscard]] std::uint64_t next(std::int32_t partition) const { return sends_[static_cast<std::size_t>(partition)].size(); }

    /// Everything is told. What was wrong with the telling, and who was never told. Once, before a reading.
    void check_telling(findings& wrong);

    /// Begins to compare a reader's view of the whole topic, each partition from its first offset on.
    void begin_reading();
    void read(std::int32_t partition, std::int64_t offset, std::string_view value);
    /// Ends it: what the reader saw, and what is wrong with it is found.
    reading end_reading(findings& wrong);

    [[nodiscard]] std::uint64_t run() const noexcept { return run_; }
    [[nodiscard]] std::int32_t partitions() const noexcept { return static_cast<std::int32_t>(sends_.size()); }
    [[nodiscard]] const tally& totals() const noexcept { return totals_; }
    [[nodiscard]] std::size_t transactions(fate f) const;

private:
    struct entry {
        std::uint32_t sent_ms;
        std::uint32_t state;  // an offset, or one of the marks below
    };
    struct view {  // of one partition, while it is read
        std::vector<bool> seen;
        std::int64_t last_offset = -1;
        std::uint64_t next_index = 0;  // behind the highest seen
    };
    static constexpr std::uint32_t pending = 0xffffffff, absent = 0xfffffffe, unknown = 0xfffffffd, somewhere = 0xfffffffc,
                                   aborted = 0xfffffffb, first_mark = 0xfffffff0;

    [[nodiscard]] std::string name(std::int32_t partition, std::uint64_t index) const;
    void apply(const transaction_range& t, std::size_t partition, findings& wrong);
    void check_torn();
    void check_one(std::int32_t partition, std::uint64_t index, std::int64_t offset);

    std::uint64_t run_;
    std::chrono::milliseconds timeout_;
    std::vector<std::vector<entry>> sends_;
    std::vector<transaction_range> transactions_;
    tally totals_;
    findings telling_, reading_;
    std::vector<view> views_;
    reading sums_;
    std::string scratch_;
};

}  // namespace faults
