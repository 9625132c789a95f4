// producer_state: what one partition remembers of the producers that write to it: epochs, the last five batches of each, open transactions,
// aborted ones. It says which batch is new, which is a repetition, which comes out of order or from a producer that was fenced.
// Owns: these facts. Never: touches the log, reads a clock, decides which transaction a partition belongs to (the coordinator does).
//
// It follows Kafka's ProducerStateManager and ProducerAppendInfo: a producer that the partition does not know may begin with any sequence
// (its state may have been expired or cut away with old records), unless it begins a transaction of version 2, which starts at 0; a raised
// epoch starts at 0; sequences wrap from 2147483647 to 0. UNKNOWN_PRODUCER_ID is not answered to any of it, as in Kafka since 2.5.
//
// An append: check() first; if it accepts, append to the log, then appended() with the same verdict. No other call on the same object
// between. After truncation, or from a folder: clear(), then replay() of every batch in the log.
#pragma once
#include <kafkawire/error.hpp>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

namespace kafkawire::protocol {
struct record_batch;
}

namespace kafkawire::broker {

/// What a batch's header says about its producer.
struct producer_batch {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    std::int32_t first_sequence = -1;
    std::int32_t last_sequence = -1;
    std::int32_t last_offset_delta = 0;
    std::int64_t max_timestamp = -1;
    bool transactional = false;

    [[nodiscard]] static producer_batch of(const protocol::record_batch& batch) noexcept;
};

/// Who appends, which tells how much is checked: clients everything; coordinators (offsets of a transaction) only the epoch and the
/// transaction; replication nothing, for what is in a log has been checked before.
enum class append_origin : std::uint8_t { client, coordinator, replication };

/// The end of a transaction, as WriteTxnMarkers says it.
struct transaction_marker {
    std::int64_t producer_id = -1;
    std::int16_t epoch = -1;
    std::int32_t coordinator_epoch = -1;
    bool commit = false;
    std::int64_t timestamp = -1;
    std::int16_t transaction_version = 0;  ///< from 2 on the marker's epoch must be higher than the transaction's
};

/// A transaction that was aborted, as Fetch tells of it.
struct aborted_transaction {
    std::int64_t producer_id = -1;
    std::int64_t first_offset = 0;
    std::int64_t last_offset = 0;         ///< of its marker
    std::int64_t last_stable_offset = 0;  ///< when the marker was written
};

class producer_state {
    struct entry;

public:
    class verdict {
    public:
        enum class kind : std::uint8_t { accept, duplicate, refuse };
        kind is = kind::accept;
        broker_errc error = broker_errc::none;  ///< if refused
        std::int64_t base_offset = -1;          ///< of the batch that this one repeats
        std::int64_t timestamp = -1;            ///< of that batch, the highest in it

    private:
        friend class producer_state;
        entry* known = nullptr;  // saves appended() the second look-up
    };

    /// Whether the producer has a transaction open here, in this very epoch: then a transactional batch needs no verification.
    [[nodiscard]] bool has_ongoing_transaction(std::int64_t producer_id, std::int16_t epoch) const;
    /// A client's transactional batch is going to be verified with the coordinator: remembers the lowest sequence seen, so that of two
    /// batches on their way the second is not taken for the first. `epoch_bump`: the client speaks transactions of version 2 (Produce 12).
    /// INVALID_PRODUCER_EPOCH for an old epoch: nothing to verify then.
    broker_errc begin_verification(const producer_batch& batch, bool epoch_bump, std::int64_t now_ms);

    /// Whether the batch may be appended. `verified`: the coordinator has confirmed that this partition is in the producer's transaction.
    /// Errors: INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE (transactional and neither open nor verified; or not
    /// transactional while a transaction is open). A batch without a producer id is always accepted.
    [[nodiscard]] verdict check(const producer_batch& batch, append_origin origin, bool verified = false);
    /// The batch lies at base_offset now.
    void appended(const producer_batch& batch, std::int64_t base_offset, const verdict& checked);

    /// Whether the marker may be written. Errors: INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED.
    [[nodiscard]] broker_errc check_marker(const transaction_marker& marker) const;
    /// The marker lies at `offset` now: the transaction is over, and if it was aborted, Fetch will tell.
    void marker_appended(const transaction_marker& marker, std::int64_t offset);

    /// Takes a batch from the log as it is, data or control, without checks.
    void replay(const protocol::record_batch& batch);
    void clear();

    /// Completed transactions whose marker lies below the high watermark no longer hold the last stable offset back.
    void set_high_watermark(std::int64_t offset);
    /// Records below `offset` are gone: so are the aborted transactions that ended there. Producers stay, as in Kafka.
    void raise_start(std::int64_t offset);
    /// The first offset that read_committed may not see yet: the start of the oldest transaction that is open or whose end is above the
    /// high watermark; nothing if there is none.
    [[nodiscard]] std::optional<std::int64_t> first_unstable_offset() const noexcept;
    [[nodiscard]] std::int64_t last_stable_offset(std::int64_t high_watermark) const noexcept;
    /// Aborted transactions that overlap [from, below), for the answer to a fetch of that range.
    [[nodiscard]] std::vector<aborted_transaction> aborted(std::int64_t from, std::int64_t below) const;

    /// Forgets producers that have written nothing for so long and have no transaction open. Looks every ten minutes, else does nothing. It has
    /// no timer: Produce and DescribeProducers, which alone could tell the difference, call it first.
    void expire(std::int64_t now_ms, std::int64_t after_ms);
    /// Whether expire() would look: saves its caller finding out for how long.
    [[nodiscard]] bool expiry_due(std::int64_t now_ms) const noexcept { return now_ms >= next_expiry_ms_; }

    /// A producer as DescribeProducers shows it.
    struct description {
        std::int64_t producer_id = -1;
        std::int16_t epoch = -1;
        std::int32_t last_sequence = -1;
        std::int64_t last_timestamp = -1;
        std::int32_t coordinator_epoch = -1;
        std::int64_t transaction_start = -1;
    };
    /// By ascending id.
    [[nodiscard]] std::vector<description> describe() const;

private:
    struct remembered {
        std::int32_t last_sequence = -1;
        std::int64_t last_offset = -1;
        std::int32_t offset_delta = 0;
        std::int64_t timestamp = -1;
        [[nodiscard]] std::int32_t first_sequence() const noexcept;
        [[nodiscard]] std::int64_t first_offset() const noexcept { return last_offset - offset_delta; }
    };
    struct entry {
        std::int16_t epoch = -1;
        std::uint8_t batches = 0;
        std::int32_t coordinator_epoch = -1;
        std::int64_t last_timestamp = -1;
        std::int64_t transaction_start = -1;  // -1: none open
        std::array<remembered, 5> last;       // [0, batches), the newest last

        [[nodiscard]] std::int32_t last_sequence() const noexcept { return batches ? last[batches - 1u].last_sequence : -1; }
        void set_epoch(std::int16_t to) noexcept;
        void remember(const remembered& batch) noexcept;
    };
    struct verification {
        std::int64_t since_ms = 0;
        std::int32_t lowest_sequence = -1;
        std::int16_t epoch = -1;
        bool epoch_bump = false;
    };
    struct open_transaction {
        std::int64_t producer_id = -1;
        std::int64_t last_offset = -1;  // of its marker, once there is one
    };

    [[nodiscard]] broker_errc check_sequence(const producer_batch& batch, const entry* known) const;
    [[nodiscard]] const entry* find(std::int64_t producer_id) const;

    std::unordered_map<std::int64_t, entry> producers_;      // never walked in its own order
    std::map<std::int64_t, verification> verifications_;     // by producer id
    std::map<std::int64_t, open_transaction> ongoing_;       // by first offset
    std::map<std::int64_t, open_transaction> unreplicated_;  // completed, marker at or above the high watermark; by first offset
    std::vector<aborted_transaction> aborted_;               // by ascending last_offset
    std::int64_t next_expiry_ms_ = 0;
};

}  // namespace kafkawire::broker
