// A batch of records on its way, and the queue of its partition. Plain data of the sending machine (sender_fsm.hpp), which alone changes it.
#pragma once
#include <kafkawire/environment.hpp>
#include <kafkawire/protocol/batch_builder.hpp>

#include <deque>

#include <kafkawire/detail/waiter.hpp>

namespace kafkawire::client_detail {

using net::time_point;
struct topic_queue;
struct partition_queue;
struct produce_batch;

/// All batches whose records are not told, wherever they are: where memory runs out while one is handed on from one queue to another, it is not
/// forgotten. Batches may outlive it.
class untold_batches {
public:
    untold_batches() = default;
    untold_batches(const untold_batches&) = delete;
    ~untold_batches() {
        while (first_) leave(*first_);
    }
    void enter(produce_batch& b) noexcept;
    void leave(produce_batch& b) noexcept;
    [[nodiscard]] produce_batch* first() noexcept { return first_; }

    waiter_chain orphans;                          ///< of batches that went without being told

private:
    produce_batch* first_ = nullptr;
};

/// One batch. Its bytes belong to whoever may still read them: a request that was put on the wire holds them until its answer or the
/// socket's end, whatever became of the batch meanwhile. They are changed only while nobody else holds them.
struct produce_batch {
    partition_queue* where = nullptr;
    std::shared_ptr<protocol::byte_buffer> bytes;  ///< whole, once closed and compressed
    std::uint32_t records_sum = 0;                 ///< what stamp_batch() needs
    std::int32_t count = 0;
    std::size_t charged = 0;                       ///< bytes of the sending share that it holds, once closed
    std::int64_t first_timestamp = 0;
    time_point born{};
    time_point deadline{};                         ///< of its oldest record: by then its records are told what is known
    std::uint64_t flush = 0;                       ///< the flush period that it belongs to

    // Who sent it, once it was put into a request. Kept through every retry, so that the broker knows it again.
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::int32_t base_sequence = -1;
    bool stamped = false;
    std::uint64_t ordinal = 0;                     ///< counts its partition's batches in the order in which they were stamped
    bool compressing = false;                      ///< closed, and on its way through a codec elsewhere: see compress_job

    int attempts = 0;                              ///< requests that carried it
    int tries = 0;                                 ///< those of them that were refused or lost, and are made again
    bool maybe_written = false;                    ///< an attempt ended without telling whether the broker has it
    bool told = false;                             ///< its records were told; it goes on, for the sequence must have no gap
    std::shared_ptr<const error> last_error;       ///< of the attempt before
    waiter_chain waiters;
    std::vector<std::uint64_t> tags;               ///< empty, or one for each record

    untold_batches* among = nullptr;               ///< that list's
    produce_batch *before = nullptr, *after = nullptr;

    produce_batch() = default;
    produce_batch(const produce_batch&) = delete;
    ~produce_batch() {
        if (!among) return;
        among->orphans.append(std::move(waiters));
        among->leave(*this);
    }
};
inline void untold_batches::enter(produce_batch& b) noexcept {
    b.among = this;
    b.after = first_;
    if (first_) first_->before = &b;
    first_ = &b;
}
inline void untold_batches::leave(produce_batch& b) noexcept {
    if (!b.among) return;
    (b.before ? b.before->after : first_) = b.after;
    if (b.after) b.after->before = b.before;
    b.among = nullptr;
    b.before = b.after = nullptr;
}
using batch_ptr = std::shared_ptr<produce_batch>;

/// A closed batch on its way through its codec in some other thread, which calls run() and touches nothing else of ours: the job owns all that
/// it needs, and may outlive the machine.
struct compress_job {
    std::weak_ptr<produce_batch> batch;            ///< for the machine; gone if it was told meanwhile
    protocol::batch_builder builder;
    std::shared_ptr<protocol::byte_buffer> bytes;
    std::uint32_t records_sum = 0;
    protocol::compressor with;
    protocol::codec_error wrong;

    void run() noexcept;
};

/// Sequences wrap: a comes before b if b is less than half of all numbers ahead.
[[nodiscard]] constexpr bool comes_before(std::int32_t a, std::int32_t b) noexcept {
    return a != b && ((static_cast<std::uint32_t>(b) - static_cast<std::uint32_t>(a)) & 0x7fffffffu) < 0x40000000u;
}

/// A record that could not be accepted yet: its topic is not known, or there is no room. Its bytes are the caller's.
struct waiting_record {
    record what;
    time_point asked{};
    waiter* wants_delivery = nullptr;              ///< goes into the batch with it; may be null
    waiter* wants_acceptance = nullptr;            ///< told as soon as it is in a batch; may be null
    std::uint64_t flush = 0;
};

/// One partition: the open batch, what waits to be sent, what is on the wire.
struct partition_queue {
    topic_queue* topic = nullptr;
    std::int32_t index = 0;
    std::uint32_t number = 0;                      ///< counts the machine's partitions: an order that is the same in every run

    batch_ptr open;                                ///< null: none; grows at the end of `builder`
    protocol::batch_builder* builder = nullptr;    ///< there with `open`; from the machine's pool
    std::size_t open_at = 0;                       ///< its place among those with an open batch
    std::size_t expected = 0;                      ///< bytes that its next batch is given room for at once: about those of the last
    std::deque<batch_ptr> closed;                  ///< first those that were sent before, by sequence
    std::vector<batch_ptr> in_flight;              ///< oldest first, all on the way to `sending_to`
    std::int32_t leader = -1;                      ///< where to send; -1: nobody leads it now
    std::int32_t leader_epoch = -1;
    std::int32_t sending_to = -1;

    std::int64_t producer_id = -1;                 ///< what it sends under; -1: none yet
    std::int16_t producer_epoch = -1;
    std::int32_t next_sequence = 0;
    std::uint64_t next_ordinal = 0;

    bool proven = false;                           ///< the broker has taken a batch under these numbers
    int failures = 0;                              ///< attempts that failed since the last that did not
    int refusals = 0;                              ///< of our sequence or epoch, which nothing explained, since the last success
    time_point not_before{};                       ///< the pause after a failure
    std::shared_ptr<const error> trouble;          ///< what the last attempt failed with; empty after a success
    bool soon = false;                             ///< waits for the end of the transaction before
    bool settling = false;                         ///< something failed: nothing more is sent until all in flight is answered
    bool broken = false;                           ///< the sequence has a gap: when all before it is answered, a new epoch begins
    std::int32_t gap = 0;                          ///< the number that is missing
    bool lifted = false;                           ///< what had that number was certainly not taken, and so nothing that comes behind it
    bool flushing = false;                         ///< the open batch goes as soon as it can
    bool listed = false;                           ///< among its broker's ready ones
    bool in_transaction = false;                   ///< this transaction has records of it
    bool transaction_ready = false;                ///< and the coordinator knows
    std::optional<time_point> alarm{};             ///< when it is looked at again

    [[nodiscard]] bool idle() const noexcept { return !open && closed.empty() && in_flight.empty(); }
};

}  // namespace kafkawire::client_detail
