// The core of concurrent_producer: where threads put records, and how the loop takes them.
// Owns: the chunks, the producer and its client (on the loop), the operations that wait.
// Invariants: a thread's records lie in one shard, and a shard's chunks are taken in the order in which they were filled, so that its order is
// kept; at most one wake-up is under way; nothing of the application's runs under a lock but the delivery handler, under its own.
// Never: blocks the loop, wakes it for a record while it is awake, calls a handler inside the call that started its operation.
#pragma once
#include <kafkawire/concurrent_producer.hpp>
#include <kafkawire/detail/loop.hpp>
#include <kafkawire/transaction.hpp>

#include <asio/steady_timer.hpp>
#include <atomic>
#include <deque>

#include "client/front_chunk.hpp"

namespace kafkawire::client_detail {

class front_core final : public front, public std::enable_shared_from_this<front_core> {
public:
    /// On the loop's executor; nothing happens before open(). Throws kw::system_error (errc::bad_configuration).
    front_core(const loop& l, const client_options& client, const producer_options& producer, const front_options& own);
    /// Whatever destroy() did not do, as the io_context was stopped before.
    ~front_core();
    /// Makes client and producer, on the loop's thread. Everything else of the loop's comes behind this.
    void open();
    /// Takes nothing any more. Any thread.
    void close_door();
    /// Ends all that is left, on the loop's thread.
    void destroy();

    [[nodiscard]] const asio::any_io_executor& executor() const noexcept override { return executor_; }
    std::error_code put(const record& r, std::shared_ptr<front_operation> op, bool force) override;
    std::error_code put_and_wait(const record& r) override;
    void wait_for_room(std::shared_ptr<front_operation> op) override;
    void flush(std::chrono::milliseconds deadline, bool close, std::shared_ptr<front_operation> op) override;
    void warm_up(std::vector<std::string> topics, std::shared_ptr<front_operation> op) override;
    [[nodiscard]] producer_statistics statistics() const override;
    void init_transactions(std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) override;
    void begin_transaction(std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) override;
    void send_offsets(std::uint64_t number, group_offsets what, std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) override;
    void end_transaction(std::uint64_t number, bool commit, std::optional<std::chrono::milliseconds> deadline, std::shared_ptr<front_operation> op) override;
    void abandon_transaction(std::uint64_t number) noexcept override;
    [[nodiscard]] const loop& waits_on() const noexcept override { return loop_; }
    void on_delivery(unique_function<void(const delivery_report&)> handler) override;
    void cancel(const std::weak_ptr<front_operation>& op) override;

private:
    static constexpr std::size_t chunk_bytes = 64 << 10;
    static constexpr std::size_t shard_count = 8;
    static constexpr std::size_t most_waiting = 10'000;  // records that wait in the producer, for a topic that it does not know; and their bytes: one more front_options::buffer
    static constexpr std::size_t busy_burst = 64;        // so many records at once, and the loop looks again by itself
    static constexpr std::chrono::microseconds look_again{300};

    // asleep: the next record wakes the loop. dozing: it looks again soon; a full chunk wakes it. awake: it will look before it sleeps.
    enum class wakefulness : std::uint8_t { asleep, dozing, awake };

    // Why the loop hands nothing over: the producer is full, or too many records wait in it for their topics. The one that ends it calls look().
    enum class pause : std::uint8_t { none, room, crowd };

    struct alignas(64) shard {
        std::mutex lock;
        std::unique_ptr<front_chunk> open;               // being filled
        std::vector<std::unique_ptr<front_chunk>> full, free;
    };
    enum class end : std::uint8_t { none, close, commit };
    struct pending_flush {
        std::uint64_t after;                             // begins when this chunk was handed over
        std::chrono::steady_clock::time_point deadline;
        end then;                                        // what the producer is asked for: only to flush, or
        std::shared_ptr<front_operation> op;
        std::unique_ptr<asio::steady_timer> timer;
    };

    struct waiting_record {                              // in the producer, for its topic
        explicit waiting_record(const record& r) : bytes{front_chunk::size_of(r), 0} {
            bytes.append(r, nullptr);
            std::shared_ptr<front_operation> none;
            view = bytes.read(headers, none);
        }
        front_chunk bytes;
        std::vector<header_view> headers;
        record view;
    };

    // Any thread.
    [[nodiscard]] bool crowded() const noexcept { return chunks_out_.load() >= most_chunks_; }
    void wake(bool chunk_full);
    void look_soon();

    // The loop's thread.
    void look();
    void collect();
    bool hand_over();
    bool hand_record(front_chunk& c);
    bool hand_waiting(front_chunk& c, const record& r);
    void enqueue_copy(front_chunk& c, const record& r);
    void send(front_chunk& c, const record& r, std::shared_ptr<front_operation> op);
    [[nodiscard]] bool room_for(const record& r) const noexcept;
    void pause_until_room(front_chunk& c, const record& r);
    void refuse(const record& r, const error& why);
    void refuse_next(front_chunk& c, const error& why);
    void sleep(std::size_t taken);
    void return_loan(front_chunk& c);
    void recycle(std::unique_ptr<front_chunk> c);
    void let_in();
    void tell(const delivery_report& report);
    void begin_flush(pending_flush f);
    void flush_producer(pending_flush f);
    void flush_is_late(const std::shared_ptr<front_operation>& op);
    void flushes_due();
    void refuse_all_before_now();
    void commit(pending_flush f);
    void commit_is_late(const std::shared_ptr<front_operation>& op);
    void abort(std::chrono::steady_clock::time_point until, std::shared_ptr<front_operation> op);
    [[nodiscard]] auto telling(const std::shared_ptr<front_operation>& op) const;
    [[nodiscard]] std::size_t unread(std::uint64_t up_to = std::numeric_limits<std::uint64_t>::max()) const noexcept;

    const loop& loop_;                                   // ends after the last call of anybody
    const asio::any_io_executor executor_;
    asio::io_context& context_;
    const client_options client_options_;
    const producer_options producer_options_;
    const asio::any_io_executor compress_on_;
    const std::size_t most_chunks_, largest_record_;

    std::array<shard, shard_count> shards_;
    std::atomic<std::size_t> chunks_out_{0};             // that hold records: in shards and in the backlog
    std::atomic<wakefulness> state_{wakefulness::asleep};
    std::atomic<bool> closed_{false};

    std::mutex room_lock_;                               // who waits for room
    std::condition_variable room_;
    std::vector<std::shared_ptr<front_operation>> for_room_;
    std::atomic<std::size_t> waiting_{0};

    mutable std::mutex statistics_lock_;
    producer_statistics statistics_;

    std::mutex delivery_lock_;
    unique_function<void(const delivery_report&)> on_delivery_;

    // The loop's thread only.
    std::optional<client> client_;
    std::optional<producer> producer_;
    std::optional<asio::steady_timer> timer_;
    std::deque<std::unique_ptr<front_chunk>> backlog_;
    std::vector<std::unique_ptr<front_chunk>> lent_;     // read to the end, but sends with handlers of their own are under way in them
    std::uint64_t taken_ = 0, handed_ = 0;               // numbers of chunks
    std::size_t waiting_records_ = 0, waiting_bytes_ = 0;  // in the producer, not accepted yet
    pause paused_ = pause::none;
    bool destroyed_ = false;
    std::vector<header_view> headers_;
    std::vector<pending_flush> flushes_;
    transaction open_;                                   // the last that was begun
    std::uint64_t number_ = 0;                           // its number; 0: there was none
    std::uint64_t aborted_until_ = 0;                    // records of chunks up to this one belong to a transaction that is being aborted
};

}  // namespace kafkawire::client_detail
