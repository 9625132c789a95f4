// Records to a topic: batches per partition, one request of a partition at a time, retries after new metadata.
// Owns: the open and the closed batches. Never: changes the order within a partition, gives a record up without saying so.
#pragma once
#include <kafkawire/protocol/batch_builder.hpp>

#include <cli/record.hpp>
#include <cli/session.hpp>

#include <deque>
#include <memory>

namespace kafkawire::cli {

struct sender_options {
    std::int16_t acks = -1;
    protocol::compression codec = protocol::compression::none;
    int level = protocol::default_level;
    std::size_t batch_bytes = 900'000;           ///< before compression; brokers take 1,000,012 bytes by default
    std::size_t most_outstanding = 32u << 20;    ///< bytes in closed batches before add() waits
    bool report = false;                         ///< a line per record when it is acknowledged
};

/// One topic's. All of it runs on the session's thread.
class sender {
public:
    sender(session& s, topic_view topic, sender_options o);
    sender(const sender&) = delete;
    sender& operator=(const sender&) = delete;

    /// Finds out what the brokers speak: the batch format follows. Raises a failure if they cannot take such records (zstd before 2.1).
    asio::awaitable<void> prepare();

    struct item {
        protocol::nullable_bytes key, value;
        std::span<const protocol::header_view> headers;
        std::int64_t timestamp = 0;
        std::optional<std::int32_t> partition;   ///< else the key decides, else batches take turns
    };
    /// Copies the record into its partition's batch. False if there is too much outstanding: wait for room() then.
    /// Raises a failure for a record that cannot be sent, and for what failed before.
    bool add(const item& i);
    asio::awaitable<void> room();
    /// Sends the open batches, however small they are.
    void flush();
    /// Waits until everything is acknowledged; raises the failure if something was not.
    asio::awaitable<void> drain();

    [[nodiscard]] std::int64_t delivered() const noexcept { return delivered_; }
    [[nodiscard]] std::int64_t wire_bytes() const noexcept { return wire_bytes_; }
    [[nodiscard]] std::int32_t partitions() const noexcept { return static_cast<std::int32_t>(out_.size()); }

private:
    struct closed_batch {
        std::unique_ptr<protocol::batch_builder> keeper;  // the bytes are in it
        protocol::bytes_view bytes;
        std::int32_t count = 0;
        std::size_t charged = 0;
    };
    struct partition_out {
        std::int32_t id = 0;
        std::unique_ptr<protocol::batch_builder> open;
        std::deque<closed_batch> queue;
        std::int32_t next_sequence = 0;
        bool sending = false;
    };

    partition_out& choose(const item& i);
    void start_batch(partition_out& p);
    void close_batch(partition_out& p);
    asio::awaitable<void> deliver(std::int32_t partition);
    asio::awaitable<void> deliver_one(std::int32_t partition, closed_batch& batch);
    asio::awaitable<std::int64_t> attempt(std::int32_t partition, std::int32_t leader, protocol::bytes_view bytes);
    asio::awaitable<void> get_producer_id();
    void report(std::int32_t partition, std::int64_t base, std::int32_t count);
    void wake();

    session& session_;
    topic_view topic_;
    sender_options options_;
    std::int16_t version_ = 0;
    std::int8_t magic_ = 2;
    std::int64_t producer_id_ = -1;
    std::int16_t producer_epoch_ = -1;
    std::vector<partition_out> out_;
    std::size_t sticky_ = 0;                 // the partition of records without a key, until its batch is full
    std::vector<std::unique_ptr<protocol::batch_builder>> spare_;
    std::size_t outstanding_ = 0;
    std::int64_t delivered_ = 0, wire_bytes_ = 0;
    std::optional<failure> failed_;
    asio::steady_timer changed_;
};

}  // namespace kafkawire::cli
