// sender_fsm: everything that a producer decides. Into which batch a record goes, when a batch is sent and to whom, what an answer means,
// what is tried again, what is told and when.
// Owns: the topics' and partitions' queues, the sequences, the sending share of bytes, the records that wait for room.
// Never: touches a socket or a clock; changes bytes that a request may still be reading; tells a record twice, or anything that is not
// true; sends anything of a partition while something before it may still fail and leave a gap.
// Driver: producer_core.cpp carries out the actions in order and feeds back what happened. Calls are plain functions and not one variant of
// events, as append() is called for every record.
//
// A batch:  open -> closed -> in flight -> settled                 (or back to closed, in the order of the sequences)
// A partition sends up to five batches at a time. When one fails it settles first: no more is sent until all in flight are answered, then they
// go again in order, under the numbers that they had. A gap that cannot be filled ends the sequence: what may have been taken is told
// as unknown, and the rest begins anew under the next epoch, which for a producer without transactions is each partition's own affair.
// A batch that was sent and is too old is told as unknown, and goes on nevertheless: without it the sequence would have a gap.
#pragma once
#include <kafkawire/protocol/compression.hpp>

#include <limits>
#include <map>
#include <set>
#include <unordered_map>
#include <variant>

#include "client/partitioner.hpp"
#include "client/produce_batch.hpp"
#include "client/topic_table.hpp"
#include "net/call.hpp"

namespace kafkawire::client_detail {

struct sender_settings {
    std::int16_t acks = -1;
    bool idempotent = true;
    bool may_do_without = false;                                 ///< without sequences where brokers are too old for them; else nothing is sent
    bool transactional = false;
    bool create_topics = true;
    std::size_t request_bytes = 8u << 20;
    std::size_t send_buffer = 64u << 20;
    int max_attempts = std::numeric_limits<int>::max();          ///< of a batch; refused or lost in the last, it is given up
    std::size_t in_flight = 5;                                   ///< requests per broker, and batches per partition
    std::chrono::milliseconds retry_backoff{100};
    std::chrono::milliseconds retry_backoff_max{500};
};

/// What one topic has, its own settings and the producer's put together.
struct topic_settings {
    protocol::compression codec = protocol::compression::none;
    int level = protocol::default_level;
    std::size_t batch_bytes = 1'000'000;
    std::int32_t batch_records = std::numeric_limits<std::int32_t>::max();
    std::chrono::milliseconds linger{5};
    std::chrono::milliseconds delivery_timeout{120'000};
    std::chrono::milliseconds unknown_topic_timeout{30'000};     ///< records wait so long when the cluster does not have the topic
};

struct topic_queue final : partition_states {
    explicit topic_queue(topic_partitioner p) : chooser{std::move(p)} {}

    topic_info* info = nullptr;
    topic_settings settings;
    topic_partitioner chooser;
    std::deque<partition_queue> partitions;                      // addresses stay; only ever grows
    std::deque<waiting_record> waiting;                          // in order; nothing passes them
    std::uint32_t seen_changes = 0;
    std::optional<time_point> unknown_since{};                   // the cluster says that it has no such topic
    std::optional<time_point> looked_at{};                       // when the cluster last said what it knows of it
    std::optional<time_point> sought_at{};                       // when a partition was named that it is not known to have
    bool ready = false;                                          // partitions are known: records can be placed

    [[nodiscard]] bool available(std::int32_t p) const noexcept override;
    [[nodiscard]] std::uint64_t queued_bytes(std::int32_t p) const noexcept override;
};

/// One batch in a request. Keeps the bytes as long as the request lives.
struct produce_part {
    partition_queue* where;
    batch_ptr batch;                                             // null: settled, or gone to another broker meanwhile
    std::shared_ptr<const protocol::byte_buffer> bytes;
    protocol::codec_error unsayable{};                           // why the broker's version of Produce cannot carry it: it was left out
};
/// One Produce request.
struct produce_plan {
    std::int32_t broker = -1;
    std::vector<produce_part> parts;                             // at most one of each partition
    bool on_wire = false;                                        // the driver says so when it encodes it
    bool doomed = false;                                         // its connection has broken, and its loss will be told
    net::call* carrier = nullptr;                                // the driver's, while it has not ended
};
using plan_ptr = std::shared_ptr<produce_plan>;

/// What a broker says of one batch.
struct produce_answer {
    std::int16_t code = 0;
    std::int64_t base_offset = -1;
    std::int64_t append_time = -1;                               ///< ms; -1: the records keep their own
    std::string message{};
};

// What the driver is to do.
struct send_produce { plan_ptr plan; };
struct withdraw_produce { plan_ptr plan; };                      // not on the wire yet, and somebody else leads the partitions now
struct ask_producer_id {};
struct ask_topics {};                                            // what is known of the leaders seems wrong
struct tell_batch {                                              // these records are settled
    topic_queue* topic;
    std::int32_t partition, count;
    std::int64_t base_offset, first_timestamp, append_time;
    std::shared_ptr<const error> why;                            // null: acknowledged
    waiter_chain waiters;
    std::vector<std::uint64_t> tags;
};
struct tell_waiter { waiter* who; std::shared_ptr<const error> why; };  // accepted, or refused before it was in any batch
struct touch_partition { partition_queue* where; };              // a transaction's first record of it
struct fail_transaction { std::shared_ptr<const error> why; };
struct tell_flushed {};                                          // some flush period may have ended: look
struct compress_batch { std::shared_ptr<compress_job> job; };    // somewhere else: run(), then compressed()
struct take_turn {};                                             // call turn() soon, when the caller has said all that it has to say now
using sender_action = std::variant<send_produce, withdraw_produce, ask_producer_id, ask_topics, tell_batch, tell_waiter, touch_partition, fail_transaction,
                                   tell_flushed, compress_batch, take_turn>;
using sender_actions = std::vector<sender_action>;

struct sender_counts {
    std::uint64_t records = 0, batches = 0, requests = 0, bytes = 0, retries = 0, acknowledged = 0, failed = 0;
};

class sender_fsm {
public:
    sender_fsm(sender_settings s, std::uint64_t seed) : settings_{s}, random_{seed} { free_buffers_.reserve(kept_buffers); }
    ~sender_fsm();
    sender_fsm(const sender_fsm&) = delete;

    // --- records ---
    /// Once for each topic. `info` outlives us.
    topic_queue& add_topic(topic_info& info, topic_settings s, topic_partitioner chooser, time_point now, sender_actions& out);
    [[nodiscard]] topic_queue* find_topic(std::string_view name) noexcept;
    /// Puts a record at the end of its partition's batch, or says why not: would_wait, record_too_large, unknown_partition, the topic's own
    /// error. `w` goes with it; it stays the caller's if there is an error. `now` is a function: the clock is read for a new batch only.
    template <class Clock>
    [[nodiscard]] std::error_code append(topic_queue& t, const record& r, std::int64_t wall_ms, waiter* w, Clock&& now, sender_actions& out) {
        if (!t.ready || !t.waiting.empty() || stopped_) [[unlikely]]
            return cannot_append(t, out);
        const auto at = place(t, r);
        if (at < 0) [[unlikely]]
            return no_place(t, r, now(), out);
        auto& p = t.partitions[static_cast<std::size_t>(at)];
        const auto room = most_bytes(r);
        if (!p.open || p.builder->size() + room > t.settings.batch_bytes || used_ + room > settings_.send_buffer) [[unlikely]]
            if (const auto why = make_room(p, room, wall_ms, now(), out)) return why;
        const auto wrong = put(p, r, wall_ms, w);
        if (!wrong && p.builder->count() >= t.settings.batch_records) [[unlikely]] send_full(p, now(), out);
        return wrong;
    }
    /// Takes a record whose turn has not come. Its bytes stay the caller's until it is told.
    void wait(topic_queue& t, waiting_record r, sender_actions& out);
    /// Takes back a record that waits; false: it does not wait any more. Which waiters it had is not told.
    bool withdraw(const waiter* who, sender_actions& out);

    /// From now on batches with a codec are compressed elsewhere, or here again.
    void compress_elsewhere(bool yes) noexcept { elsewhere_ = yes; }

    // --- what happened ---
    /// A compress_batch was carried out. In whatever order they come: the batches of a partition go in theirs.
    void compressed(const std::shared_ptr<compress_job>& job, time_point now, std::int64_t wall_ms, sender_actions& out);
    void turn(time_point now, std::int64_t wall_ms, sender_actions& out);
    void tick(time_point now, std::int64_t wall_ms, sender_actions& out);
    /// What is known of the topics has changed, or (`trouble`) could not be learned.
    void topics_changed(std::shared_ptr<const error> trouble, time_point now, std::int64_t wall_ms, sender_actions& out);
    void producer_id_known(std::int64_t id, std::int16_t epoch, time_point now, sender_actions& out);
    /// `answers` in the order of the plan's parts; nothing for a part that the broker did not mention.
    void answered(produce_plan& plan, std::span<const std::optional<produce_answer>> answers, time_point now, std::int64_t wall_ms, sender_actions& out);
    /// No answer will come. `maybe_processed`: the broker may have got it; `connection_failed`: it says nothing about the request itself.
    void lost(produce_plan& plan, const std::shared_ptr<const error>& why, bool maybe_processed, bool connection_failed, time_point now, std::int64_t wall_ms,
              sender_actions& out);
    void producer_id_failed(const std::shared_ptr<const error>& why, time_point now, sender_actions& out);
    /// The broker's version of Produce cannot carry that part of a plan: its records will not be sent. Before the plan is answered.
    void unsayable(produce_part& part, const std::shared_ptr<const error>& why, time_point now, sender_actions& out);
    /// From now on records with headers are refused: the brokers are too old for them.
    void refuse_headers() noexcept { no_headers_ = true; }
    /// That broker wants a pause (KIP-219).
    void throttled(std::int32_t id, time_point until) { broker(id).muted_until = until; }
    /// When to call tick(), if nothing else happens before.
    [[nodiscard]] std::optional<time_point> next_wakeup() const noexcept;

    // --- flushing and ending ---
    /// Everything that was accepted until now goes as soon as it can. Returns the period that has to end.
    std::uint64_t flush(time_point now, sender_actions& out);
    [[nodiscard]] bool flushed(std::uint64_t period) const noexcept;
    /// Records that are not told yet, of that period and before.
    [[nodiscard]] std::size_t left(std::uint64_t period) const noexcept;
    /// The end: everything that is not told is told now. Nothing is accepted any more. May be called again where memory ran out in the middle of
    /// it, or of anything before: what no queue has any more is told as unknown.
    void stop(const error& why, sender_actions& out);

    // --- transactions ---
    void begin_transaction();
    /// The coordinator knows that the transaction has records of this partition.
    void partition_ready(partition_queue& p, time_point now, sender_actions& out);
    /// It will be aborted: what was not sent is told as aborted.
    void drop_unsent(const error& why, time_point now, sender_actions& out);
    /// Records of the transaction failed: the producer needs a new epoch before the next one.
    [[nodiscard]] bool sequence_broken() const noexcept { return sequence_broken_; }

    // --- looking in ---
    /// Why records go without sequences although the settings have them; null: they do not.
    [[nodiscard]] const std::shared_ptr<const error>& degraded() const noexcept { return degraded_; }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }
    [[nodiscard]] std::size_t room() const noexcept { return used_ < settings_.send_buffer ? settings_.send_buffer - used_ : 0; }
    [[nodiscard]] const sender_counts& counts() const noexcept { return counts_; }
    /// No record waits, is in a batch or in flight.
    [[nodiscard]] bool quiet() const noexcept;
    [[nodiscard]] std::size_t unsettled() const noexcept { return unsettled_; }
    [[nodiscard]] const sender_settings& settings() const noexcept { return settings_; }
    [[nodiscard]] std::deque<topic_queue>& topics() noexcept { return topics_; }

private:
    struct broker_state {
        std::int32_t id = -1;
        std::size_t in_flight = 0;
        std::deque<partition_queue*> ready;
        std::vector<plan_ptr> plans;
        std::optional<time_point> muted_until;
    };

    [[nodiscard]] std::int32_t place(topic_queue& t, const record& r);
    [[nodiscard]] std::error_code no_place(topic_queue& t, const record& r, time_point now, sender_actions& out);
    [[nodiscard]] std::error_code cannot_append(const topic_queue& t, sender_actions& out) const;
    [[nodiscard]] std::error_code make_room(partition_queue& p, std::size_t room, std::int64_t wall_ms, time_point now, sender_actions& out);
    [[nodiscard]] std::error_code put(partition_queue& p, const record& r, std::int64_t wall_ms, waiter* w);
    /// The most that a record adds to a batch.
    [[nodiscard]] std::size_t most_bytes(const record& r) const noexcept {
        if (r.headers.empty()) [[likely]] return 36 + r.key.size() + r.value.size();
        if (no_headers_) return unsayable_size;
        return protocol::batch_builder::most_bytes(r.key, r.value, r.headers);
    }
    void open_batch(partition_queue& p, time_point now, sender_actions& out);
    void send_full(partition_queue& p, time_point now, sender_actions& out);
    bool close_batch(partition_queue& p, sender_actions& out);
    void send_away(partition_queue& p, batch_ptr b, protocol::batch_builder& build, sender_actions& out);
    void admit_waiting(time_point now, std::int64_t wall_ms, sender_actions& out);
    void admit_waiting(topic_queue& t, time_point now, std::int64_t wall_ms, sender_actions& out);
    void refuse_waiting(topic_queue& t, const std::shared_ptr<const error>& why, sender_actions& out);

    /// So that what follows cannot find no memory when it is half done.
    static void make_room_for(sender_actions& out, std::size_t more) {
        if (out.capacity() - out.size() < more) out.reserve(2 * out.size() + 8);
    }
    [[nodiscard]] broker_state& broker(std::int32_t id);
    [[nodiscard]] bool short_of_room() const noexcept { return waiting_ > 0 && used_ > settings_.send_buffer / 2; }
    [[nodiscard]] bool due(const partition_queue& p, const broker_state& b, time_point now) const noexcept;
    [[nodiscard]] bool sendable(const partition_queue& p, time_point now, bool open_too);
    void consider(partition_queue& p, time_point now, bool open_too, sender_actions& out);
    void pump(broker_state& b, time_point now, bool open_too, sender_actions& out);
    void pump_idle(broker_state& b, time_point now, sender_actions& out);
    void stamp(partition_queue& p, produce_batch& b);
    void arm(partition_queue& p, time_point at);
    void arm_for(partition_queue& p, time_point now);
    [[nodiscard]] time_point waiting_deadline(const topic_queue& t) const noexcept;
    void expire_waiting(time_point now, sender_actions& out);
    void end_period(std::uint64_t period, sender_actions& out);

    bool end_plan(produce_plan& plan);
    void take_back(partition_queue& p, const std::shared_ptr<const error>& why, time_point now, sender_actions& out);
    void leave_plan(partition_queue& p, const plan_ptr& plan, const std::shared_ptr<const error>& why, time_point now, sender_actions& out);
    void leave_gap(partition_queue& p, const produce_batch& b) noexcept;
    [[nodiscard]] static bool beyond_memory(const partition_queue& p) noexcept;
    [[nodiscard]] static bool may_go(const partition_queue& p) noexcept;
    void succeeded(partition_queue& p, const batch_ptr& b, const produce_answer& a, sender_actions& out);
    void refused(partition_queue& p, const batch_ptr& b, const produce_answer& a, std::int32_t by, time_point now, sender_actions& out);
    void out_of_sequence(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, time_point now, sender_actions& out);
    void try_again(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, time_point now, bool at_once, sender_actions& out);
    void try_soon(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, time_point now, sender_actions& out);
    void give_up(partition_queue& p, const batch_ptr& b, const std::shared_ptr<const error>& why, sender_actions& out);
    bool split(partition_queue& p, const batch_ptr& b, time_point now, sender_actions& out);
    void settle(partition_queue& p, time_point now, sender_actions& out);
    void begin_anew(partition_queue& p, sender_actions& out);
    void leave(partition_queue& p, time_point now, sender_actions& out);
    void end_short_pauses(time_point now, sender_actions& out);
    void end_pauses(std::int32_t broker, time_point now, sender_actions& out);
    void expire(partition_queue& p, time_point now, sender_actions& out);
    void drop_open(partition_queue& p);
    void fail_transaction_for(const std::shared_ptr<const error>& why, sender_actions& out);

    void tell(produce_batch& b, std::shared_ptr<const error> why, std::int64_t base_offset, std::int64_t append_time, sender_actions& out);
    void forget(const batch_ptr& b);
    void refresh(topic_queue& t, time_point now, sender_actions& out);
    [[nodiscard]] std::chrono::nanoseconds pause(int failures);
    [[nodiscard]] std::shared_ptr<protocol::byte_buffer> take_buffer();
    void recycle(std::shared_ptr<protocol::byte_buffer> bytes);

    /// By time, and at one time in an order that does not hang on where the partitions lie in memory.
    struct sooner {
        using alarm = std::pair<time_point, partition_queue*>;
        bool operator()(const alarm& a, const alarm& b) const noexcept {
            return a.first != b.first ? a.first < b.first : a.second->number < b.second->number;
        }
    };

    sender_settings settings_;
    static constexpr std::size_t kept_buffers = 64;              // of batches that are done; each has the size of a batch
    untold_batches untold_;                                      // outlives the batches below
    static constexpr std::size_t empty_batch = 61;               // the header of format 2
    static constexpr std::size_t unsayable_size = std::numeric_limits<std::size_t>::max() / 4;  // more than any batch holds: make_room() says what it is
    random_numbers random_;
    std::deque<topic_queue> topics_;
    std::uint32_t partitions_ = 0;                               // made so far, over all topics
    std::unordered_map<std::string_view, topic_queue*> names_;   // the names are topic_info's
    topic_queue* last_topic_ = nullptr;
    std::map<std::int32_t, broker_state> brokers_;
    std::vector<partition_queue*> open_;                         // those with an open batch
    std::set<sooner::alarm, sooner> alarms_;                     // one for each partition at most
    std::vector<std::unique_ptr<protocol::batch_builder>> builders_;
    std::vector<protocol::batch_builder*> free_builders_;
    std::vector<std::shared_ptr<protocol::byte_buffer>> free_buffers_;
    protocol::compressor compressor_;
    bool elsewhere_ = false;
    std::vector<std::shared_ptr<compress_job>> free_jobs_;
    std::shared_ptr<const error> topics_trouble_;                // why the leaders could not be asked for

    std::optional<std::pair<std::int64_t, std::int16_t>> identity_;
    std::shared_ptr<const error> degraded_;
    bool had_identity_ = false;
    bool no_headers_ = false;
    bool asking_identity_ = false;
    int identity_failures_ = 0;
    std::optional<time_point> identity_retry_at_;
    bool transaction_failed_ = false;                            // nothing more of it is sent
    bool completing_ = false;                                    // some broker says that the transaction before is still being completed
    bool aborting_ = false;                                      // what comes back is not tried again
    bool sequence_broken_ = false;                               // of a transactional producer: its next transaction needs a new epoch
    bool stopped_ = false;
    bool turn_asked_ = false;
    std::size_t used_ = 0;
    std::size_t unsettled_ = 0;                                  // batches that are not told yet
    std::size_t waiting_ = 0;                                    // records that wait to be accepted
    std::uint64_t period_ = 0;
    std::map<std::uint64_t, std::size_t> periods_;               // batches and waiting records that are not told, by period
    sender_counts counts_;
};

/// What a broker's error code means for a batch, where it means more than its condition says.
enum class produce_verdict : std::uint8_t {
    success,        ///< taken, now or before
    retry,          ///< the same again, a little later
    elsewhere,      ///< somebody else leads the partition: ask for the leaders, then again
    out_of_sequence,///< the broker misses what came before
    too_large,      ///< in halves, perhaps
    fenced,         ///< a newer producer has taken the transactional id
    failure,        ///< these records will not be taken
};
[[nodiscard]] produce_verdict verdict_of(std::int16_t code) noexcept;

}  // namespace kafkawire::client_detail
