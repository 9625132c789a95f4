// segment_store: the files of one partition, laid out as Kafka does, so that its own tools read them:
//   orders-0/00000000000000000000.log     batches of format 2, named by the first offset; a new one once the last is larger than segment.bytes
//   orders-0/leader-epoch-checkpoint      Kafka's text: version, count, then "epoch start-offset" lines
//   orders-0/partition.metadata           Kafka's text: the topic's id
//   orders-0/log-start-offset             ours (Kafka keeps one file for all partitions): the first offset that is still there
// Owns: the open file of the last segment. Never: knows what a batch means, beyond what open() reads back.
// Opening reads everything and checks every checksum: what follows the last whole good batch is cut off (a write that was torn by a crash).
#pragma once
#include <utility>

#include "broker/storage.hpp"

namespace kafkawire::protocol {
struct record_batch;
}

namespace kafkawire::broker {

/// Where a leader epoch begins.
struct epoch_start {
    std::int32_t epoch = 0;
    std::int64_t offset = 0;
    friend bool operator==(const epoch_start&, const epoch_start&) = default;
};

class segment_store {
public:
    /// Where a batch lies: in the segment of that first offset, so many bytes from its start.
    struct place {
        std::int64_t segment = 0;
        std::uint64_t at = 0;
    };

    /// Nothing is read or written yet.
    segment_store(std::shared_ptr<storage> in, std::string folder) : storage_{std::move(in)}, folder_{std::move(folder)} {}

    /// Reads what is there: calls `batch` for each good one with its place, in order.
    template <class Batch>
    std::error_code open(Batch batch) {
        return scan(&batch, [](void* to, const protocol::record_batch& b, const place& where) { (*static_cast<Batch*>(to))(b, where); });
    }
    [[nodiscard]] std::int64_t saved_start() const;
    [[nodiscard]] std::vector<epoch_start> saved_epochs() const;
    [[nodiscard]] std::optional<protocol::uuid> saved_topic_id() const;

    /// Writes a batch whose first offset is `base_offset`, in a new segment if the last one has grown to `segment_bytes`.
    std::error_code append(protocol::bytes_view batch, std::int64_t base_offset, std::uint64_t segment_bytes, place& where);
    std::error_code read(const place& from, std::span<std::byte> to);
    /// Forgets what lies at and behind a place; `end_offset` is the offset of what comes next.
    std::error_code truncate(const place& from);
    /// Everything goes, and the next batch begins a new segment.
    std::error_code clear();
    std::error_code save_start(std::int64_t offset);
    /// Removes the segments that lie wholly before `offset`, but never the last one.
    std::error_code remove_before(std::int64_t offset);
    std::error_code save_epochs(std::span<const epoch_start> epochs);
    std::error_code save_topic_id(const protocol::uuid& id);
    std::error_code flush();

    /// Puts other batches in the place of all segments from the first up to, not including, the one that begins at `upto`: compaction.
    /// A crash in the middle leaves the old or the new batches.
    std::error_code rewrite(std::int64_t upto, std::int64_t first_base, protocol::bytes_view batches);
    /// Ends the last segment: the next append begins a new one.
    void roll() noexcept { rolled_ = true; }

    [[nodiscard]] const std::vector<std::int64_t>& segments() const noexcept { return segments_; }

private:
    using take_batch = void (*)(void* to, const protocol::record_batch& batch, const place& where);
    std::error_code scan(void* to, take_batch take);
    std::error_code scan_segment(std::int64_t base, std::int64_t& next_offset, bool& torn, void* to, take_batch take);
    [[nodiscard]] std::string name_of(std::int64_t base) const;
    std::error_code open_segment(std::int64_t base, bool must_exist);

    std::shared_ptr<storage> storage_;
    std::string folder_;
    std::vector<std::int64_t> segments_;  // their first offsets, ascending
    std::unique_ptr<storage_file> file_;  // of open_
    std::int64_t open_ = -1;
    bool rolled_ = false;
};

}  // namespace kafkawire::broker
