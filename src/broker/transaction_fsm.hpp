// transaction_fsm: one transactional id at its coordinator: who may write under it, in which epoch, and how far its transaction is.
// Owns: these facts and the step that is being written. Never: writes the log, sends a marker, reads a clock.
// Driver: transaction_coordinator writes next() to __transaction_state, then calls written() or not_written(); meanwhile everybody else is
// told CONCURRENT_TRANSACTIONS. Follows TransactionMetadata and TransactionCoordinator of Apache Kafka 4.3.
#pragma once
#include <kafkawire/error.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace kafkawire::broker {

/// The numbers are those in the log.
enum class transaction_status : std::int8_t {
    empty = 0,            ///< an id and an epoch, nothing more; or a new epoch after a transaction
    ongoing = 1,          ///< partitions have been added
    prepare_commit = 2,   ///< decided, cannot be taken back: markers are on their way
    prepare_abort = 3,    ///< the same for an abort
    complete_commit = 4,  ///< all markers are written
    complete_abort = 5,
    dead = 6,                ///< the id has not been used for long and is being forgotten
    prepare_epoch_fence = 7  ///< the producer is being fenced; only passed through on the way to prepare_abort, never written
};
inline constexpr std::size_t transaction_status_count = 8;

/// Which status may follow which; row: from, column: to. Everything else is a bug and throws where tests see it.
inline constexpr std::array<std::array<bool, transaction_status_count>, transaction_status_count> legal_transaction_steps = {{
    //                         empty  ongoing prepC  prepA  complC complA dead   fence
    /* empty */ {{true, true, false, true, false, false, true, false}},
    /* ongoing */ {{false, true, true, true, false, false, false, true}},
    /* prepare_commit */ {{false, false, false, false, true, false, false, false}},
    /* prepare_abort */ {{false, false, false, false, false, true, false, false}},
    /* complete_commit */ {{true, true, false, true, false, false, true, false}},
    /* complete_abort */ {{true, true, false, true, false, false, true, false}},
    /* dead */ {{false, false, false, false, false, false, false, false}},
    /* prepare_epoch_fence */ {{false, false, false, true, false, false, false, false}},
}};

/// As Kafka's tools show it: "PrepareCommit".
[[nodiscard]] std::string_view name_of(transaction_status status) noexcept;
[[nodiscard]] std::optional<transaction_status> transaction_status_by_name(std::string_view name) noexcept;

struct transaction_partition {
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const transaction_partition&, const transaction_partition&) = default;
};

/// What is known of a transactional id, as the log has it (but for last_epoch, which is not written). Flat, and not a variant by status,
/// for that is how it is written and read again: a completed transaction keeps the time when it began, an empty one the id that was before
/// it.
struct transaction_facts {
    std::int64_t producer_id = -1;
    std::int64_t previous_producer_id = -1;  ///< before the last step: tells a repetition from an impostor when the id changed
    std::int64_t next_producer_id = -1;      ///< takes over when the transaction is complete: the epochs are used up
    std::int16_t epoch = -1;
    std::int16_t last_epoch = -1;
    std::int32_t timeout_ms = 0;
    transaction_status status = transaction_status::empty;
    std::set<transaction_partition> partitions{};
    std::int64_t start_ms = -1;
    std::int64_t last_update_ms = -1;
    std::int16_t client_version = 0;  ///< 2: each end of a transaction raises the epoch (KIP-890)
    friend bool operator==(const transaction_facts&, const transaction_facts&) = default;
};

/// Producer ids, each given once in the cluster: every node takes blocks of a thousand, as Kafka's brokers do.
class producer_ids {
public:
    [[nodiscard]] std::int64_t next(std::int32_t node);
    /// Ids up to this one are in use, as a log says.
    void seen(std::int64_t id) noexcept;
    /// Blocks before this id have been given out.
    [[nodiscard]] std::int64_t next_block() const noexcept { return next_block_; }

private:
    struct block {
        std::int64_t next = 0, end = 0;
    };
    std::map<std::int32_t, block> of_node_;
    std::int64_t next_block_ = 0;
};

class transaction_fsm {
public:
    /// A new id, in no epoch yet: it exists once the first init_producer_id() has been written.
    transaction_fsm(std::string id, std::int64_t producer_id, std::int32_t timeout_ms, std::int64_t now_ms);
    /// As the log has it.
    transaction_fsm(std::string id, transaction_facts facts) : id_{std::move(id)}, is_{std::move(facts)} {}

    /// What came of a request. `write`: next() goes to the log first. Otherwise `error` is the answer, which may be none: nothing to do.
    struct outcome {
        broker_errc error = broker_errc::none;
        bool write = false;
    };
    /// Where ids come from if one is used up, and the time.
    struct context {
        producer_ids* ids = nullptr;
        std::int32_t node = 0;
        std::int64_t now_ms = 0;
    };
    struct identity {
        std::int64_t producer_id = -1;
        std::int16_t epoch = -1;
    };

    /// A producer begins, or goes on after an error with the identity that it had (KIP-360). Raises the epoch; a new id when the epochs are
    /// used up. In an ongoing transaction: prepares its abort, in an epoch that fences who was there; the caller answers
    /// CONCURRENT_TRANSACTIONS. Errors: CONCURRENT_TRANSACTIONS, PRODUCER_FENCED, UNKNOWN_SERVER_ERROR (an epoch that is neither this nor
    /// the last, at the end of all epochs).
    outcome init_producer_id(std::int32_t timeout_ms, std::optional<identity> expected, std::int16_t server_version, const context& in);
    /// Errors: CONCURRENT_TRANSACTIONS, INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED. None without a write: they are all in it already.
    outcome add_partitions(identity who, const std::set<transaction_partition>& added, std::int16_t client_version, std::int64_t now_ms);
    /// Whether this producer has a transaction that the partitions can be in: same errors, but a step that is being written does not
    /// matter.
    [[nodiscard]] broker_errc verify(identity who) const;
    /// EndTxn. Errors: as add_partitions() and INVALID_TXN_STATE. None without a write: a repetition of what has been done.
    outcome end(identity who, bool commit, std::int16_t client_version, const context& in);
    /// The transaction took too long, or somebody new came: aborts it, in an epoch that fences the producer. Only when ongoing and nothing
    /// is pending.
    outcome fence_and_abort(std::int16_t server_version, const context& in);
    /// All that is left is to write the markers and, after them, next(). Only in prepare_commit and prepare_abort.
    void prepare_complete(std::int64_t now_ms);
    /// A partition of a prepared transaction has its marker.
    void marker_written(const transaction_partition& where) { is_.partitions.erase(where); }
    /// Nobody has used the id for long; next() is a tombstone. Only when no transaction is open.
    void prepare_dead();

    /// next() is in the log: it is how things are now.
    void written();
    /// next() could not be written: things are as they were.
    void not_written();

    [[nodiscard]] const std::string& id() const noexcept { return id_; }
    [[nodiscard]] const transaction_facts& facts() const noexcept { return is_; }
    /// The step that is being written. Only while pending().
    [[nodiscard]] const transaction_facts& next() const noexcept { return *next_; }
    [[nodiscard]] bool pending() const noexcept { return next_.has_value(); }
    /// Ongoing for at least its timeout.
    [[nodiscard]] bool has_timed_out(std::int64_t now_ms) const noexcept;

private:
    outcome prepare(transaction_facts next);
    outcome raise_epoch(std::int32_t timeout_ms, std::optional<std::int16_t> expected_epoch, std::int64_t now_ms);
    outcome rotate_id(std::int32_t timeout_ms, bool keep_last_epoch, const context& in);
    outcome prepare_end(transaction_status to, std::int16_t client_version, std::int64_t next_producer_id, std::int64_t now_ms,
                        bool nothing_added);
    outcome end_v1(identity who, bool commit, const context& in);
    outcome end_v2(identity who, bool commit, std::int16_t client_version, const context& in);
    [[nodiscard]] bool epoch_exhausted() const noexcept;
    static void check_step(transaction_status from, transaction_status to);

    std::string id_;
    transaction_facts is_;
    std::optional<transaction_facts> next_;
    bool fencing_ = false;       // the step that is being written fences the producer
    bool fence_failed_ = false;  // an epoch was raised for a fence that could not be written: not raised again (versions before 2)
};

}  // namespace kafkawire::broker
