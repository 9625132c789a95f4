// The checkers: do a history and the logs keep what Kafka and kafkawire promise? Linear in the history's length (but for sorting what comes
// out of order). After Jepsen's Kafka workload, and stricter: records carry the epoch of their assignment, so reading is checked
// within each epoch, and the class of an error (failed or unknown) must be true.
//
// | name                 | what was seen                                                                                  |
// |----------------------|------------------------------------------------------------------------------------------------|
// | unresolved           | an operation that never ended                                                                  |
// | told-twice           | an operation that ended twice                                                                  |
// | late                 | it ended more than 100 ms after its deadline                                                   |
// | unknown-value        | a record that nobody sent                                                                      |
// | wrong-partition      | a record that was sent to another partition                                                    |
// | inconsistent-offsets | two values at one offset: of the log, of reads, or where an acknowledgement says               |
// | duplicate            | one value at two offsets                                                                       |
// | lost-write           | acknowledged (its transaction committed), and not there                                        |
// | unseen               | acknowledged, above all that was ever read, although reading had ended (check_options)         |
// | false-failure        | said not to be persisted, and in the log                                                       |
// | aborted-read         | G1a: read although it failed, or although its transaction was aborted                          |
// | precommitted-read    | read at read_committed before its commit was asked for, or by its own transaction              |
// | torn-transaction     | some of a transaction's records visible, others not                                            |
// | nonmonotonic-send    | one producer's records in a partition in another order than it sent them                       |
// | nonmonotonic-poll    | a consumer went back within an epoch; with "int-" in front: within one poll                    |
// | poll-skip            | it passed over a record; with "int-" in front: within one poll                                 |
// | wrong-start          | an assignment that begins neither at the committed offset nor at one that may be committed     |
// | two-owners           | a partition assigned to two members of a group at a time                                       |
// | commit-not-owned     | a commit was taken for a partition that its member did not have                                |
// | commit-ahead         | a commit of more than was read                                                                 |
// | cycle                | G1c: transactions that depend on each other in a circle, through at least one read             |
#pragma once
#include <kafkawire/testing/history.hpp>

namespace kafkawire::testing {

/// One broken promise, with the operations that show it (the first few, where there are many).
struct violation {
    std::string name;
    std::string text;  ///< a sentence with partition, offset, value and each operation described
    std::vector<history::id> operations;
};

struct check_options {
    bool reading_ended = false;       ///< the last readers read on until they had everything: `unseen` is checked
    std::size_t most_of_a_kind = 20;  ///< violations told for each name; further ones are counted
};

/// What a check found.
struct report {
    std::vector<violation> violations;
    std::map<std::string, std::size_t> found;  ///< by name, all of them
    std::size_t sends = 0, acknowledged = 0, failed = 0, unknown = 0, reads = 0, transactions = 0;
    std::int64_t longest_lag = 0;  ///< ns from an acknowledgement to the first read of it
    [[nodiscard]] bool ok() const noexcept { return found.empty(); }
    /// The violations, a line each; or "no violation in ...".
    [[nodiscard]] KAFKAWIRE_API std::string text() const;
};

/// All checks. A pure function.
[[nodiscard]] KAFKAWIRE_API report check(const history& h, const check_options& o = {});

}  // namespace kafkawire::testing
