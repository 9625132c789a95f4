// Writing record batches: a record is encoded once, at the end of its batch, and what depends on the whole batch is filled in when it closes.
//
//   protocol::batch_builder batch{{.codec = protocol::compression::lz4}};
//   if (auto e = batch.append(now_ms, key, value); e != errc{}) ...
//   protocol::bytes_view bytes;
//   if (auto e = batch.close(bytes)) ...                       // goes into a Produce request as it is
//   batch.start({...});                                         // the next one, in the same buffers
#pragma once
#include <kafkawire/protocol/compression.hpp>
#include <kafkawire/protocol/record.hpp>

namespace kafkawire::protocol {

/// What a batch says of itself, beside its records. The defaults make a plain batch of an ordinary producer.
struct batch_options {
    std::int8_t magic = 2;                    ///< 0 and 1: the message formats of brokers before 0.11
    compression codec = compression::none;
    int level = default_level;
    std::int64_t base_offset = 0;             ///< producers leave 0; the broker fills it in
    std::int32_t partition_leader_epoch = -1;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::int32_t base_sequence = -1;
    bool transactional = false;
    bool control = false;
    std::optional<std::int64_t> log_append_time = {};  ///< the broker's time, for all records
    std::optional<std::int64_t> delete_horizon = {};   ///< goes where the base timestamp was
    std::optional<std::int64_t> base_timestamp = {};   ///< instead of the first record's
    std::optional<std::int64_t> max_timestamp = {};    ///< instead of the highest
    std::optional<std::int64_t> last_offset = {};      ///< instead of the last record's: compaction keeps the batch's range
};

/// Builds one batch after the other in buffers that it keeps: in the long run it allocates nothing, and per record never.
/// Movable, not thread-safe. Only growing a buffer may throw (std::bad_alloc).
class KAFKAWIRE_API batch_builder {
public:
    explicit batch_builder(const batch_options& options = {}) { start(options); }

    /// Begins a batch; what was built before is gone.
    void start(const batch_options& options);
    /// Makes room for a batch of so many bytes at once.
    void reserve(std::size_t bytes) { buffer_.reserve(bytes); }

    /// Appends a record at the next offset; its bytes are copied. `timestamp` in milliseconds since 1970.
    /// Errors, after which the batch is as it was: limit_exceeded (a batch holds 2147483647 bytes), not_in_version (headers in formats 0
    /// and 1, transactional, control or zstd batches there), bad_value (an offset that does not go up, too many headers).
    [[nodiscard]] errc append(std::int64_t timestamp, nullable_bytes key, nullable_bytes value, std::span<const header_view> headers = {}) {
        return headers.empty() ? append_plain(timestamp, key, value) : append_at(base_offset_ + next_delta_, timestamp, key, value, headers);
    }
    /// The same at an offset of its own, above the last: for logs that were compacted.
    [[nodiscard]] errc append_at(std::int64_t offset, std::int64_t timestamp, nullable_bytes key, nullable_bytes value, std::span<const header_view> headers = {});

    [[nodiscard]] std::int32_t count() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// Bytes of the batch so far, before compression.
    [[nodiscard]] std::size_t size() const noexcept { return buffer_.size(); }
    /// The most that one more record can add, before compression: for deciding whether it still fits.
    [[nodiscard]] static std::size_t most_bytes(nullable_bytes key, nullable_bytes value, std::span<const header_view> headers = {}) noexcept;

    /// Compresses, fills in lengths, counts and checksums, and gives the whole batch: a view into this object, valid until start(). May be
    /// called again. A batch without records is a legal batch of format 2, and nothing at all in formats 0 and 1.
    codec_error close(bytes_view& batch);
    /// The same for one who keeps the batch and does not know yet who sends it, in format 2: the batch itself goes into `to`, whose block
    /// is taken in exchange, and stamp_batch() fills in the producer's fields and the checksum. `records_sum` is what that needs.
    /// Compresses with `with`, so that many builders share one. Then start() is due.
    codec_error finish(byte_buffer& to, std::uint32_t& records_sum, compressor& with);

private:
    errc append_plain(std::int64_t timestamp, nullable_bytes key, nullable_bytes value);
    void appended(std::size_t size, std::int64_t timestamp, std::int64_t delta);
    errc append_current(std::int32_t delta, std::int64_t timestamp, nullable_bytes key, nullable_bytes value, std::span<const header_view> headers);
    errc append_legacy(std::int64_t offset, std::int64_t timestamp, nullable_bytes key, nullable_bytes value);
    codec_error close_current(bytes_view& batch);
    codec_error close_legacy(bytes_view& batch);
    void put_header(std::byte* at, std::size_t size) const noexcept;

    batch_options options_;
    byte_buffer buffer_;           // room for the header, then the records
    byte_buffer compressed_;       // header and compressed records, once closed
    compressor compressor_;
    std::int64_t base_offset_ = 0;
    std::int64_t next_delta_ = 0;  // of the record to come
    std::int64_t base_timestamp_ = -1;
    std::int64_t max_timestamp_ = -1;
    std::int32_t count_ = 0;
    std::size_t summed_ = 0;       // the records before this place are in crc_, taken while they were in the cache
    std::uint32_t crc_ = 0;
    bool magic2_ = true;
    bool plain_ = true;            // format 2 and open: append_plain() may write
    bool closed_ = false;
};

/// Fills in who sends a batch that batch_builder::finish() gave, and its checksum; may be done again with other numbers. Nobody may be reading it.
KAFKAWIRE_API void stamp_batch(std::span<std::byte> batch, std::uint32_t records_sum, std::int64_t producer_id, std::int16_t producer_epoch,
                               std::int32_t base_sequence) noexcept;

/// Key and value of a control record that ends a transaction, for append() into a batch with `.control = true`.
struct end_transaction_marker {
    std::array<std::byte, 4> key;
    std::array<std::byte, 6> value;
};
[[nodiscard]] KAFKAWIRE_API end_transaction_marker make_end_transaction_marker(control_type commit_or_abort, std::int32_t coordinator_epoch) noexcept;

}  // namespace kafkawire::protocol
