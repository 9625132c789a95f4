// What a group's members were given, held against what the producer was acknowledged and against each other. No I/O, no clock: times are nanoseconds of
// one clock that all processes share, and come with the events. Not thread-safe.
//
// Rules:
//   lost              acknowledged, and given to nobody
//   skipped           an offset left out within one assignment of a partition (one member, one epoch)
//   repeated          an offset given again within one assignment
//   below_committed   an assignment that begins below what somebody had committed when it was made: a repeat of what was committed
//   committed_ahead   a member commits what it was not given
//   misplaced         one number at two offsets, or two numbers at one
//   altered           a record that is not as it was sent
// One record of a partition may go with a member of another client that is asked to leave: Java's console consumer commits what it has in its hand.
// Records that come again because they were not committed are counted, and are no violation. So are those of a former owner: of a member that goes on
// with what it has fetched while the group, which has not heard of it for the session timeout, has given the partition to another.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace faults {

using nanoseconds_of_clock = std::int64_t;

/// When each record of a topic was acknowledged.
class acknowledged_log {
public:
    explicit acknowledged_log(std::size_t partitions) : times_(partitions) {}
    void acknowledged(std::int32_t partition, std::uint64_t index, nanoseconds_of_clock at);
    /// 0: was not.
    [[nodiscard]] nanoseconds_of_clock at(std::int32_t partition, std::uint64_t index) const noexcept;
    /// Behind the highest number that was acknowledged.
    [[nodiscard]] std::uint64_t end(std::int32_t partition) const noexcept { return times_[static_cast<std::size_t>(partition)].size(); }
    [[nodiscard]] std::vector<std::uint64_t> ends() const;
    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::size_t partitions() const noexcept { return times_.size(); }

private:
    std::vector<std::vector<std::uint32_t>> times_;  // milliseconds since the first, plus 1
    nanoseconds_of_clock first_ = 0;
    std::uint64_t count_ = 0;
};

/// How long partitions waited. Milliseconds.
struct waiting {
    std::int64_t longest_wait = 0;   ///< of a record, from its acknowledgement (or, if that was before it, the mark) until a member had it
    std::int64_t longest_stall = 0;  ///< in which a partition had records for its reader, and the reader was given none
    std::int32_t partition = -1;     ///< of that stall
};

class group_book {
public:
    /// The log must outlive it.
    explicit group_book(const acknowledged_log& log);

    /// A member is told of a partition, before its first record.
    void assigned(int member, std::int32_t partition, nanoseconds_of_clock at);
    /// Consecutive offsets with consecutive numbers. Epochs are the member's own.
    void delivered(int member, std::int32_t partition, std::uint64_t epoch, std::int64_t offset, std::uint64_t index, std::uint64_t count, nanoseconds_of_clock at);
    /// Of a member that tells neither assignments nor epochs: a new one begins wherever it does not go on from its last record.
    void delivered_by_foreign(int member, std::int32_t partition, std::int64_t offset, std::uint64_t index, nanoseconds_of_clock at);
    /// A member of that kind is asked to leave.
    void foreign_leaves(int member);
    void altered(int member, std::int32_t partition, std::int64_t offset);
    /// The coordinator has confirmed it.
    void committed(int member, std::int32_t partition, std::int64_t offset, nanoseconds_of_clock at);

    /// A fault begins: waits are measured from now on.
    void mark(nanoseconds_of_clock now);
    /// It is over: those beyond it are measured from now on too.
    void mark_healed(nanoseconds_of_clock now);
    /// Since mark() and since mark_healed(); waits that have not ended count.
    [[nodiscard]] waiting since_mark(nanoseconds_of_clock now);
    [[nodiscard]] waiting since_healed(nanoseconds_of_clock now);
    /// Whether all that is acknowledged so far was given; or all below these numbers, by partition.
    [[nodiscard]] bool caught_up();
    [[nodiscard]] bool caught_up(const std::vector<std::uint64_t>& ends);
    /// In words, for a message: the partitions that lag, and from which number on.
    [[nodiscard]] std::string lagging();

    [[nodiscard]] std::uint64_t unique() const noexcept { return unique_; }
    [[nodiscard]] std::uint64_t again() const noexcept { return again_; }
    [[nodiscard]] std::uint64_t by_former_owners() const noexcept { return former_; }
    [[nodiscard]] std::uint64_t by_foreign() const noexcept { return foreign_; }
    [[nodiscard]] std::uint64_t commits() const noexcept { return commits_; }
    /// Adds what is lost. Once, at the end.
    void finish();
    [[nodiscard]] const std::map<std::string, std::uint64_t>& violations() const noexcept { return violations_; }
    [[nodiscard]] const std::vector<std::string>& examples() const noexcept { return examples_; }

private:
    struct measure {
        nanoseconds_of_clock from = 0;
        std::int64_t wait = 0, stall = 0;  // nanoseconds
    };
    struct part {
        std::vector<std::uint32_t> offsets;            // by number: the offset it was given at, plus 1; 0: not given
        std::vector<std::uint32_t> numbers;            // by offset: the number, plus 1
        std::uint64_t low = 0;                         // all acknowledged numbers below it were given
        nanoseconds_of_clock progress = 0;             // when the last new record came
        measure marked, healed;
        std::int64_t committed = -1;                   // the highest
        nanoseconds_of_clock committed_at = 0;
        int owner = -1;                                // who was told of it last
        nanoseconds_of_clock owned_since = 0;
    };
    struct holding {
        std::uint64_t epoch = 0;
        std::int64_t next = -1;                        // -1: nothing was given yet
        std::int64_t floor = -1;                       // what was committed when it was assigned
        std::int64_t given_to = -1;                    // the highest next offset of all this member's assignments
    };

    void violated(const std::string& rule, int member, std::int32_t partition, std::int64_t offset, const std::string& more);
    void take(part& p, int member, std::int32_t partition, std::int64_t offset, std::uint64_t index, nanoseconds_of_clock at);
    void waited(part& p, nanoseconds_of_clock acknowledged, nanoseconds_of_clock at);
    void raise_low(part& p, std::int32_t partition);
    [[nodiscard]] bool missing(const part& p, std::int32_t partition, std::uint64_t index) const;
    [[nodiscard]] waiting sum(measure part::*which, nanoseconds_of_clock now);

    const acknowledged_log& log_;
    std::vector<part> parts_;
    std::map<std::pair<int, std::int32_t>, holding> holdings_;
    std::set<std::pair<std::int32_t, std::int64_t>> taken_along_;  // partition, offset
    std::uint64_t unique_ = 0, again_ = 0, former_ = 0, foreign_ = 0, commits_ = 0;
    std::map<std::string, std::uint64_t> violations_;
    std::vector<std::string> examples_;
};

}  // namespace faults
