// Records as a consumer reads them.
//
//   kw::records batch = co_await consumer.async_poll(asio::use_awaitable);
//   for (const kw::record_view& r : batch) use(r.key.text(), r.value.text());   // views: nothing is copied, nothing allocated
//   for (const kw::partition_records& p : batch.partitions())                   // the same, partition by partition, for handlers side by side
//       for (const auto& r : p) use(r);
//   if (kw::error why = batch.error()) report(why.message());                   // a malformed record ended a range
//   kw::consumer_record mine{*batch.begin()};                                   // owns its bytes
//
// Records lie in the answers that brought them, which are never copied; compressed ones in a buffer beside. Checksums are checked and batches
// decompressed before they are handed out; records are taken apart as they are walked. All of that memory counts against the consumer's
// fetch_buffer until the last copy of kw::records, or of a part of it, is gone.
#pragma once
#include <kafkawire/error.hpp>
#include <kafkawire/protocol/record_batch.hpp>
#include <kafkawire/record.hpp>

#include <atomic>

namespace kafkawire::inline v0_1 {

using protocol::header_range;
using protocol::timestamp_type;

/// A record as it was read: views into the kw::records that it came from. Cheap to copy; key and value may be null.
struct record_view {
    std::string_view topic;
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    kafkawire::timestamp timestamp{std::chrono::milliseconds{-1}};  ///< -1 ms: none (message format 0)
    nullable_bytes key, value;
    header_range headers;                                ///< walked when they are asked for
    std::int32_t leader_epoch = -1;                      ///< under which it was written; -1: unknown
    timestamp_type timestamps = timestamp_type::none;    ///< whose clock the timestamp is of
};

/// A header that owns its bytes.
struct consumer_header {
    std::string key;
    std::optional<std::string> value;
};

/// A record that owns its bytes; a plain value.
struct consumer_record {
    consumer_record() = default;
    KAFKAWIRE_API explicit consumer_record(const record_view& from);

    std::string topic;
    std::int32_t partition = -1;
    std::int64_t offset = -1;
    kafkawire::timestamp timestamp{std::chrono::milliseconds{-1}};
    std::optional<std::string> key, value;               ///< none: null
    std::vector<consumer_header> headers;
    std::int32_t leader_epoch = -1;
    timestamp_type timestamps = timestamp_type::none;
};

namespace client_detail {

// What walking found, told to the consumer at its next poll. Written once, by whoever walks, on any thread.
struct walk_state {
    std::atomic<bool> failed{false};  // set last
    std::atomic<bool> writing{false};
    protocol::records_error error;
    std::int64_t at = -1;             // offset of the record at fault, or behind the last good one
};

// Batches of one partition out of one answer, checked and open. Never changes once it is made.
struct record_chunk {
    struct batch {
        protocol::record_cursor cursor;                  // before the batch's first record
        std::int64_t base_offset, next_offset;
        std::int32_t count;                              // records, as its header says
        std::int32_t leader_epoch;
    };
    std::shared_ptr<const std::string> topic;
    std::int32_t partition = -1;
    std::uint64_t assignment_epoch = 0;
    std::vector<batch> batches;
    std::shared_ptr<walk_state> walked;

    virtual ~record_chunk() = default;                   // who made it knows what holds the bytes
};

// Where to begin in a chunk and how many to give.
struct chunk_range {
    std::shared_ptr<const record_chunk> chunk;
    std::size_t batch = 0;
    protocol::record_cursor start;                       // in that batch, before the first record
    std::int64_t count = 0;
    std::int64_t first_offset = -1, next_offset = -1;
};

KAFKAWIRE_API void note_walk(const record_chunk& chunk, const protocol::records_error& why, std::int64_t at) noexcept;
[[nodiscard]] KAFKAWIRE_API error story_of(const record_chunk& chunk);

}  // namespace client_detail

/// The records of one partition within one poll: a range of its own. Shares the bytes with the kw::records that it is from and keeps them; may
/// be copied, moved to another thread, and walked again. Different copies may be walked at the same time.
class partition_records {
public:
    class iterator {
    public:
        using value_type = record_view;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = const record_view&;
        using pointer = const record_view*;

        iterator() noexcept = default;
        const record_view& operator*() const& noexcept { return now_; }
        /// The record lies in the iterator: of one that goes at once, as in *batch.begin(), it is a copy.
        record_view operator*() const&& noexcept { return now_; }
        const record_view* operator->() const noexcept { return &now_; }
        iterator& operator++() noexcept {
            step();
            return *this;
        }
        void operator++(int) noexcept { step(); }
        /// Equal are iterators that have ended, and an iterator and itself.
        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.left_ == b.left_; }
        [[nodiscard]] bool ended() const noexcept { return left_ < 0; }

    private:
        friend class partition_records;
        friend class records;
        explicit iterator(const client_detail::chunk_range& of) : chunk_{of.chunk.get()}, cursor_{of.start}, batch_{of.batch}, left_{of.count} {
            now_.topic = *chunk_->topic;
            now_.partition = chunk_->partition;
            now_.offset = of.first_offset - 1;
            step();
        }
        void step() noexcept {
            if (--left_ < 0) [[unlikely]] return finish();
            if (const auto* r = cursor_.next()) [[likely]] return show(*r);
            next_batch();
        }
        void show(const protocol::record_view& r) noexcept {
            now_.offset = r.offset;
            now_.timestamp = kafkawire::timestamp{std::chrono::milliseconds{r.timestamp}};
            now_.key = r.key;
            now_.value = r.value;
            now_.headers = r.headers;
            now_.leader_epoch = r.leader_epoch;
            now_.timestamps = r.timestamps;
        }
        KAFKAWIRE_API void next_batch() noexcept;
        KAFKAWIRE_API void finish() noexcept;

        const client_detail::record_chunk* chunk_ = nullptr;
        protocol::record_cursor cursor_;
        std::size_t batch_ = 0;
        std::int64_t left_ = -1;                         // still to come behind this one; -1: ended
        record_view now_;
    };

    explicit partition_records(client_detail::chunk_range what) noexcept : range_{std::move(what)} {}

    [[nodiscard]] const std::string& topic() const noexcept { return *range_.chunk->topic; }
    [[nodiscard]] std::int32_t partition() const noexcept { return range_.chunk->partition; }
    /// Offsets may have gaps: of compacted topics, of aborted transactions, of markers.
    [[nodiscard]] std::int64_t first_offset() const noexcept { return range_.first_offset; }
    /// Where reading goes on, and what to commit when all of these are processed. Behind the last record, or further where nothing follows it.
    [[nodiscard]] std::int64_t next_offset() const noexcept { return range_.next_offset; }
    /// Of the last batch; -1: unknown.
    [[nodiscard]] std::int32_t leader_epoch() const noexcept;
    /// Goes up whenever the partition is assigned anew; equal for records of the same assignment.
    [[nodiscard]] std::uint64_t assignment_epoch() const noexcept { return range_.chunk->assignment_epoch; }
    /// Records, as the batches announce them.
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(range_.count); }
    [[nodiscard]] bool empty() const noexcept { return range_.count == 0; }

    [[nodiscard]] iterator begin() const { return iterator{range_}; }
    [[nodiscard]] iterator end() const noexcept { return {}; }
    /// Of a malformed record that ended a walk, with topic, partition and offsets; empty if none did so far. The consumer's next poll
    /// tells it too, and its position is the record's.
    [[nodiscard]] kafkawire::error error() const { return client_detail::story_of(*range_.chunk); }

    [[nodiscard]] const client_detail::chunk_range& range() const noexcept { return range_; }

private:
    client_detail::chunk_range range_;
};

inline std::int32_t partition_records::leader_epoch() const noexcept { return range_.chunk->batches.empty() ? -1 : range_.chunk->batches.back().leader_epoch; }

/// What one poll gives. Movable and copyable; copies share the bytes. May be dropped on any thread.
class records {
public:
    class iterator {
    public:
        using value_type = record_view;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = const record_view&;
        using pointer = const record_view*;

        iterator() noexcept = default;
        const record_view& operator*() const& noexcept { return *in_; }
        record_view operator*() const&& noexcept { return *in_; }
        const record_view* operator->() const noexcept { return &*in_; }
        iterator& operator++() {
            in_.step();
            if (in_.ended()) [[unlikely]] next_part();
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.in_ == b.in_ && a.next_ == b.next_; }

    private:
        friend class records;
        iterator(const partition_records* next, const partition_records* end) : next_{next}, end_{end} { next_part(); }
        KAFKAWIRE_API void next_part();

        partition_records::iterator in_;
        const partition_records* next_ = nullptr;        // null at the end
        const partition_records* end_ = nullptr;
    };

    records() = default;
    explicit records(std::vector<partition_records> parts) noexcept : parts_{std::move(parts)} {}

    /// All records, one partition after the other. Walking allocates nothing, and may be done again.
    [[nodiscard]] iterator begin() const { return {parts_.data(), parts_.data() + parts_.size()}; }
    [[nodiscard]] iterator end() const noexcept { return {}; }
    /// The same apart: at most one range for each partition.
    [[nodiscard]] std::span<const partition_records> partitions() const noexcept { return parts_; }
    [[nodiscard]] bool empty() const noexcept { return parts_.empty(); }
    /// Records, as the batches announce them.
    [[nodiscard]] std::size_t size() const noexcept {
        std::size_t n = 0;
        for (const auto& p : parts_) n += p.size();
        return n;
    }
    /// Of the first malformed record that ended a walk; see partition_records::error().
    [[nodiscard]] KAFKAWIRE_API kafkawire::error error() const;

private:
    std::vector<partition_records> parts_;
};

}  // namespace kafkawire::inline v0_1
