// Reading record batches: format 2 and the old message formats 0 and 1, with or without compression.
//
//   protocol::record_reader in{partition.records.data};        // walks all batches, keeps its buffer and contexts for the next run
//   for (const protocol::record_view& r : in) use(r);          // views, no copy; control batches are stepped over
//   if (in.error()) report(in.error().message());              // a bad batch or record ends the range; what came before was good
//
// Below it, for those who want the pieces: record_batches finds and checks batches, open_batch() decompresses one, record_cursor walks it.
// A tail that is cut is no error, as brokers cut where the fetch is full. Nothing is believed: a batch is at least as long as its own
// header, counts are compared with what is there, offsets go up and stay within the batch's range.
#pragma once
#include <kafkawire/protocol/compression.hpp>
#include <kafkawire/protocol/record.hpp>

namespace kafkawire::protocol {

/// What is wrong with record batches, and where. True if something is.
struct [[nodiscard]] records_error {
    errc code{};
    std::string_view what;            ///< a static sentence
    std::size_t offset = 0;           ///< bytes from the start of the records to the batch at fault
    std::size_t offset_in_batch = 0;  ///< bytes from there; for a record in a compressed batch: into its decompressed content
    std::int64_t first_offset = -1;   ///< the batch's range of record offsets, as far as it is known
    std::int64_t last_offset = -1;
    explicit operator bool() const noexcept { return code != errc{}; }
    /// "bad_crc: the checksum of the batch does not match, at byte 0 (batch of offsets 40 to 49, byte 61 in it)"
    [[nodiscard]] KAFKAWIRE_API std::string message() const;
};

/// How to read.
struct read_options {
    bool check_crcs = true;
    decompression_limits limits = {};
};

/// One batch: its header, and its content as it lies there. A view into the bytes that it was read from. In formats 0 and 1 a "batch" is
/// one message: a plain one is a batch of one, a compressed one a batch of what is inside.
struct record_batch {
    std::int8_t magic = 2;
    std::int64_t base_offset = 0;            ///< formats 0 and 1: of a compressed message it is only known after open_batch()
    std::int64_t last_offset = 0;            ///< may lie behind the last record, when compaction took that; a batch whose next_offset() does not exist is refused
    std::int32_t partition_leader_epoch = -1;
    std::uint32_t crc = 0;
    std::int16_t attributes = 0;
    std::int64_t base_timestamp = -1;        ///< the raw field: with has_delete_horizon() it holds that
    std::int64_t max_timestamp = -1;
    std::int64_t producer_id = -1;
    std::int16_t producer_epoch = -1;
    std::int32_t base_sequence = -1;
    std::int32_t count = 1;                  ///< records, as the header says
    bytes_view whole;                        ///< the batch from its base offset to its end
    bytes_view content;                      ///< its records, perhaps compressed
    std::size_t offset = 0;                  ///< bytes from the start of the records to `whole`
    bool null_content = false;               ///< formats 0 and 1: the value is null

    [[nodiscard]] compression codec() const noexcept { return static_cast<compression>(attributes & 7); }
    [[nodiscard]] timestamp_type timestamps() const noexcept {
        return magic == 0 ? timestamp_type::none : attributes & 8 ? timestamp_type::log_append : timestamp_type::create;
    }
    [[nodiscard]] bool is_transactional() const noexcept { return magic == 2 && attributes & 0x10; }
    [[nodiscard]] bool is_control() const noexcept { return magic == 2 && attributes & 0x20; }
    [[nodiscard]] bool has_delete_horizon() const noexcept { return magic == 2 && attributes & 0x40; }
    [[nodiscard]] std::int64_t next_offset() const noexcept { return last_offset + 1; }
    /// The sequence of the last record; -1 without sequences.
    [[nodiscard]] KAFKAWIRE_API std::int32_t last_sequence() const noexcept;
};

/// Sequences wrap from 2147483647 to 0.
[[nodiscard]] constexpr std::int32_t add_to_sequence(std::int32_t sequence, std::int32_t n) noexcept {
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(sequence) + static_cast<std::uint32_t>(n)) & 0x7fffffffu);
}

/// Finds the batches in the bytes of a `records` field and checks their headers and checksums. Allocates nothing; not thread-safe.
/// The bytes must outlive it and what it gives.
class KAFKAWIRE_API record_batches {
public:
    explicit record_batches(bytes_view records, bool check_crcs = true) noexcept : records_{records}, check_crcs_{check_crcs} {}
    /// The next whole batch, valid until the next call; null at the end, at a cut tail, and at an error.
    const record_batch* next() noexcept;
    [[nodiscard]] const records_error& error() const noexcept { return error_; }
    /// After the end: how many bytes belong to a batch that is cut. If there was no whole batch, the fetch was too small for it.
    [[nodiscard]] std::size_t cut_bytes() const noexcept { return error_ ? 0 : records_.size() - at_; }

private:
    bool read_legacy(bytes_view whole) noexcept;
    bool read_current(bytes_view whole) noexcept;
    bool refuse(errc code, std::string_view what, std::size_t at = 0) noexcept;

    bytes_view records_;
    std::size_t at_ = 0;
    bool check_crcs_ = true;
    record_batch batch_;
    records_error error_;
};

/// Walks the records of one batch whose content is not compressed (any more). Allocates nothing, holds views only, may be copied.
class KAFKAWIRE_API record_cursor {
public:
    record_cursor() noexcept = default;
    /// The next record, valid until the next call; null at the end and at an error. A batch with fewer or more records than its header says
    /// is an error too, found at its end.
    const record_view* next() noexcept {
        if (left_ == 0 || magic_ != 2) [[unlikely]]
            return next_slow();
        return next_current();
    }
    [[nodiscard]] const records_error& error() const noexcept { return error_; }

private:
    friend KAFKAWIRE_API records_error open_batch(record_batch&, decompressor&, byte_buffer&, const read_options&, record_cursor&);
    const record_view* next_current() noexcept;
    const record_view* careful_next() noexcept;
    void place(std::int32_t delta, std::int64_t timestamp_delta) noexcept;
    const record_view* next_slow() noexcept;
    const record_view* next_legacy() noexcept;
    const record_view* refuse(errc code, std::string_view what, const std::byte* at) noexcept;

    const std::byte* at_ = nullptr;
    const std::byte* end_ = nullptr;
    std::int32_t left_ = 0;                // records that the header announces and that were not walked yet
    std::int32_t last_delta_ = -1;         // offsets go up
    std::int32_t highest_delta_ = 0;
    std::int32_t base_sequence_ = -1;
    std::int64_t base_offset_ = 0;         // format 1 inside a wrapper: what makes its relative offsets absolute
    std::int64_t base_timestamp_ = 0;
    std::int64_t append_time_ = 0;         // the timestamp of all, with LogAppendTime
    std::int8_t magic_ = 2;
    bool inner_ = false;                   // formats 0 and 1: the messages inside a compressed one
    bool check_crcs_ = true;
    const std::byte* start_ = nullptr;     // of the content, for error offsets
    std::size_t content_at_ = 0;           // where that lies in the batch; 0 when it was decompressed
    record_view now_;
    records_error error_;
};

/// Opens a batch: its content is decompressed into `scratch` (cleared first) if it is compressed, and the cursor is put before its first
/// record. Records are views into the batch's bytes or into `scratch`. Completes batch.base_offset of formats 0 and 1.
/// Errors: decompression_failed, limit_exceeded (the text names the limit), unknown_codec, bad_record, and for inner messages as record_batches.
KAFKAWIRE_API records_error open_batch(record_batch& batch, decompressor& with, byte_buffer& scratch, const read_options& options, record_cursor& cursor);

/// All of it together: the records of a `records` field, one after the other, whatever their format. Keeps its contexts and its buffer when
/// it is given new bytes, so that in the long run it allocates nothing. Movable; not thread-safe.
class KAFKAWIRE_API record_reader {
public:
    record_reader() = default;
    explicit record_reader(bytes_view records, const read_options& options = {}) { start(records, options); }

    /// Begins with new bytes, which must outlive the records that are read from them.
    void start(bytes_view records, const read_options& options = {});
    /// Also gives the records of control batches; see parse_control().
    void include_control_batches(bool include) noexcept { control_ = include; }

    /// The next record; null at the end and at an error. Its views are valid while the bytes that were given are, but those of a compressed
    /// batch only until the first record of the next batch is asked for.
    const record_view* next() {
        if (const auto* r = cursor_.next()) [[likely]] return r;
        return next_batch();
    }
    /// The batch of the record given last.
    [[nodiscard]] const record_batch& batch() const noexcept { return batch_; }
    /// Where to fetch next: the offset behind the last batch that was read to its end; -1: none was.
    [[nodiscard]] std::int64_t next_offset() const noexcept { return next_offset_; }
    [[nodiscard]] const records_error& error() const noexcept { return error_; }
    [[nodiscard]] std::size_t cut_bytes() const noexcept { return batches_.cut_bytes(); }

    class iterator {
    public:
        using value_type = record_view;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = const record_view&;
        using pointer = const record_view*;
        iterator() noexcept = default;
        const record_view& operator*() const noexcept { return *now_; }
        const record_view* operator->() const noexcept { return now_; }
        iterator& operator++() {
            now_ = in_->next();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.now_ == b.now_; }

    private:
        friend class record_reader;
        explicit iterator(record_reader& in) : in_{&in}, now_{in.next()} {}
        record_reader* in_ = nullptr;
        const record_view* now_ = nullptr;
    };
    /// A single pass; begin() takes the first record.
    [[nodiscard]] iterator begin() { return iterator{*this}; }
    [[nodiscard]] iterator end() noexcept { return {}; }

private:
    const record_view* next_batch();

    record_batches batches_{bytes_view{}};
    record_batch batch_;
    record_cursor cursor_;
    decompressor decompressor_;
    byte_buffer scratch_;
    read_options options_;
    records_error error_;
    std::int64_t next_offset_ = -1;
    bool control_ = false;
    bool open_ = false;
};

}  // namespace kafkawire::protocol
