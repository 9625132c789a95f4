// A history of what producers and consumers did and were told, for the checkers (check.hpp). The same for simulated and real runs: whoever
// runs a workload notes every operation here, and at the end what the logs hold.
//
//   kw::testing::history h;
//   const auto p = h.partition("orders", 0);
//   const auto s = h.send(producer, p, value, now);     // when it is asked for
//   h.finish(s, kw::testing::outcome::ok, now, offset); // when it is told
//   h.read(consumer, epoch, poll, p, offset, value, now);
//   h.log(p, {.offset = 0, .value = value});            // at the end, from an independent reader
//   for (const auto& v : kw::testing::check(h).violations) std::cout << v.text << '\n';
//
// Values are numbers that no two sends share: a counter that the record carries, or identity() of its bytes.
// Not thread-safe. Times are nanoseconds from any beginning, the same for all.
#pragma once
#include <kafkawire/version.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kafkawire::testing {

/// What became of an operation: it happened; it certainly did not; nobody knows; it was never told.
enum class outcome : std::uint8_t { ok, failed, unknown, pending };

/// One operation. Which members mean something depends on its kind.
struct operation {
    enum class kind : std::uint8_t { send, read, assign, revoke, commit, begin, end };
    kind what = kind::send;
    outcome result = outcome::pending;
    bool committed_only = false;   ///< read: at read_committed; end: a commit, not an abort
    std::int32_t process = 0;      ///< the producer or consumer
    std::int32_t group = -1;       ///< assign, revoke, commit
    std::int32_t partition = -1;   ///< as history::partition() counts
    std::int64_t epoch = 0;        ///< of the assignment under which it was done; a seek begins a new one
    std::int64_t poll = 0;         ///< reads of one poll share it
    std::int64_t transaction = 0;  ///< 0: none
    std::int64_t offset = -1;      ///< send: told; read; assign: the first to be read; commit: the next to be read
    std::uint64_t value = 0;       ///< send, read
    std::int64_t began = 0, ended = 0;
    std::int64_t deadline = std::numeric_limits<std::int64_t>::max();
};

/// One record of a log as it is at the end.
struct log_entry {
    std::int64_t offset = 0;
    std::uint64_t value = 0;
    bool visible = true;  ///< at read_committed; false: its transaction was aborted
};

/// See the top of this file.
class KAFKAWIRE_API history {
public:
    using id = std::size_t;

    /// The number of a partition; a new one at first sight.
    std::int32_t partition(std::string_view topic, std::int32_t number);
    [[nodiscard]] std::string name(std::int32_t partition) const;
    [[nodiscard]] std::size_t partitions() const noexcept { return names_.size(); }

    id send(std::int32_t producer, std::int32_t partition, std::uint64_t value, std::int64_t now, std::int64_t transaction = 0);
    /// Of a send, a commit or an end: what its caller was told. A second time is itself a violation.
    void finish(id operation, outcome result, std::int64_t now, std::int64_t offset = -1);
    /// By when an operation must have ended.
    void deadline(id operation, std::int64_t by) { operations_[operation].deadline = by; }

    /// A consumer has a partition from now on, to be read from `offset`. Without a group: assigned by hand, or sought (group -1).
    void assign(std::int32_t consumer, std::int32_t group, std::int64_t epoch, std::int32_t partition, std::int64_t offset,
                std::int64_t now);
    void revoke(std::int32_t consumer, std::int32_t group, std::int64_t epoch, std::int32_t partition, std::int64_t now);
    void read(std::int32_t consumer, std::int64_t epoch, std::int64_t poll, std::int32_t partition, std::int64_t offset,
              std::uint64_t value, std::int64_t now, bool committed_only = true, std::int64_t transaction = 0);
    id commit(std::int32_t consumer, std::int32_t group, std::int64_t epoch, std::int32_t partition, std::int64_t offset, std::int64_t now);

    /// Transactions are numbered by their caller, from 1.
    void begin(std::int32_t producer, std::int64_t transaction, std::int64_t now);
    id end(std::int32_t producer, std::int64_t transaction, bool commit, std::int64_t now);

    /// What a partition's log holds at the end, in ascending offsets, from its start offset on.
    void log(std::int32_t partition, const log_entry& e) { logs_[partition].push_back(e); }
    /// That it was read, even if nothing is in it; and where it starts (records before were deleted on purpose).
    void log_known(std::int32_t partition, std::int64_t start = 0) {
        (void)logs_[partition];
        starts_[partition] = start;
    }

    /// A log has lost what lay at `from` and behind it, below `end`: by an unclean election, or with its topic. What was sent before now and told
    /// to lie there may be missing, and something else lie in its place; nothing else is excused. Nor are reads of it: let those who read begin
    /// after the loss, or not read such a partition before the end.
    void forgotten(std::int32_t partition, std::int64_t from, std::int64_t end, std::int64_t now) { losses_.push_back({partition, from, end, now}); }

    /// What forgotten() was told.
    struct loss {
        std::int32_t partition;
        std::int64_t from, end, at;
    };
    [[nodiscard]] std::span<const loss> losses() const noexcept { return losses_; }
    [[nodiscard]] std::span<const operation> operations() const noexcept { return operations_; }
    /// By partition; only those that are known.
    [[nodiscard]] const std::map<std::int32_t, std::vector<log_entry>>& logs() const noexcept { return logs_; }
    [[nodiscard]] std::int64_t log_start(std::int32_t partition) const;
    [[nodiscard]] std::span<const id> told_twice() const noexcept { return told_twice_; }
    /// "send 17 of producer 2: value 99 to orders-0, ok at 12, from 1.002 s to 1.010 s"
    [[nodiscard]] std::string describe(id operation) const;

private:
    id add(operation o);

    std::vector<operation> operations_;
    std::vector<std::pair<std::string, std::int32_t>> names_;
    std::map<std::pair<std::string, std::int32_t>, std::int32_t, std::less<>> numbers_;
    std::map<std::int32_t, std::vector<log_entry>> logs_;
    std::map<std::int32_t, std::int64_t> starts_;
    std::vector<loss> losses_;
    std::vector<id> told_twice_;
};

/// A number for the bytes of a key and a value: equal bytes, equal number.
[[nodiscard]] KAFKAWIRE_API std::uint64_t identity(std::span<const std::byte> key, std::span<const std::byte> value) noexcept;

}  // namespace kafkawire::testing
