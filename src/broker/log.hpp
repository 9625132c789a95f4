// log: the record batches of one partition, in memory, in slabs that answers share: a fetch is served by views, without a copy. With files
// behind it every batch is written there first, and what no longer has room in memory is read back from there.
// Owns: the slabs, the index of batches, the leader epochs, the files. Never: decides who may append, changes a byte that it has given out.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "broker/exchange.hpp"
#include "broker/memory_budget.hpp"
#include "broker/segment_store.hpp"

namespace kafkawire::broker {

class log final : private memory_budget::holder {
public:
    /// One batch in the log, as its header says.
    struct entry {
        std::int64_t base_offset = 0;
        std::int64_t last_offset = 0;
        std::int64_t max_timestamp = -1;
        std::int32_t leader_epoch = 0;
        std::uint32_t size = 0;               ///< bytes
        const std::byte* at = nullptr;        ///< null: in the files only
        segment_store::place place;
    };
    /// Neighbouring batches, where they lie, and what keeps them there.
    struct slice {
        protocol::bytes_view data;
        std::shared_ptr<const void> keep;
    };
    /// What append() changes in its copy of the batch; the checksum is made anew where it covers that.
    struct changes {
        std::int32_t leader_epoch = 0;
        std::optional<std::int64_t> max_timestamp{};    ///< another than the header has
        std::optional<std::int64_t> log_append_time{};  ///< all records get this timestamp
    };

    /// The budget must outlive the log.
    explicit log(memory_budget& budget) : budget_{&budget} {}
    ~log();
    log(const log&) = delete;
    log& operator=(const log&) = delete;

    /// Keeps everything in these files from now on, and takes over what is in them already. Before the first append.
    std::error_code open(std::unique_ptr<segment_store> files, std::uint64_t segment_bytes);
    [[nodiscard]] bool has_files() const noexcept { return files_ != nullptr; }

    [[nodiscard]] std::int64_t start_offset() const noexcept { return start_; }
    [[nodiscard]] std::int64_t end_offset() const noexcept { return end_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_; }
    [[nodiscard]] const std::deque<entry>& entries() const noexcept { return entries_; }
    /// The first batch that ends at or behind `offset`; entries().size() if there is none.
    [[nodiscard]] std::size_t find(std::int64_t offset) const noexcept;

    /// Appends a batch of format 2 that has been checked: copies it, writes base offset and leader epoch into the copy. An error is the
    /// disk's; nothing was appended then.
    std::error_code append(protocol::bytes_view batch, const changes& how, std::int64_t& base_offset);
    /// Batches from the one that holds `offset` on, those that begin before `limit`; no more than `max_bytes`, the last one cut there, as Kafka
    /// does it, but the first one whole whatever its size if `first_whole`. Ends early where a slab or a file ends, so that no bytes are moved
    /// together. Empty too if the disk fails.
    [[nodiscard]] slice read(std::int64_t offset, std::int64_t limit, std::size_t max_bytes, bool first_whole) const;
    /// The offset behind the last batch of which something lies in the first `bytes` of a read from `offset`.
    [[nodiscard]] std::int64_t offset_behind(std::int64_t offset, std::size_t bytes) const noexcept;
    /// Calls `take(batch)` for each batch from `offset` on, in order: for those who rebuild what they know from it. The bytes are valid during the call.
    template <class Take>
    void for_each_batch(std::int64_t offset, Take take) const {
        while (offset < end_) {
            const auto part = read(offset, end_, std::size_t{4} << 20, true);
            if (part.data.empty()) return;
            offset = for_each_in(part.data, &take, [](void* to, protocol::bytes_view batch) { (*static_cast<Take*>(to))(batch); });
        }
    }

    /// Forgets what lies at and behind `offset`; a batch that holds it goes as a whole.
    std::error_code truncate_to(std::int64_t offset);
    /// Moves the start of the log up (DeleteRecords, retention); batches that lie wholly before it go.
    std::error_code raise_start(std::int64_t offset);
    /// Puts other batches (with the offsets of those that they stand for) in the place of the first `count` ones: compaction.
    std::error_code replace_front(std::size_t count, const std::vector<protocol::bytes>& batches);

    /// The epochs of leaders, each with the offset where it begins; ascending.
    [[nodiscard]] const std::vector<epoch_start>& epochs() const noexcept { return epochs_; }
    /// An epoch begins at the end of the log, if it is higher than all before.
    void begin_epoch(std::int32_t epoch);
    /// The highest epoch at or below `epoch`, and where the one after it begins: Kafka's answer to OffsetForLeaderEpoch. {-1, -1}: not known.
    [[nodiscard]] epoch_start end_of_epoch(std::int32_t epoch) const noexcept;

    segment_store* files() noexcept { return files_.get(); }

private:
    struct slab {
        std::shared_ptr<std::byte[]> bytes;
        std::size_t capacity = 0, used = 0;
        std::uint64_t charged = 0;
        std::uint64_t first = 0;  // number of its first entry, counted from the log's beginning
        memory_budget::ticket ticket = 0;
    };
    using take_batch = void (*)(void* to, protocol::bytes_view batch);

    void give_back(memory_budget::ticket which) override;
    std::byte* room(std::size_t bytes);
    void drop_slab();
    void drop_back();
    void drop_front();
    [[nodiscard]] const slab* slab_of(std::uint64_t number) const noexcept;
    static std::int64_t for_each_in(protocol::bytes_view batches, void* to, take_batch take);
    void truncate_epochs();
    void save_epochs();

    memory_budget* budget_;
    std::unique_ptr<segment_store> files_;
    std::uint64_t segment_bytes_ = std::uint64_t{1} << 30;
    std::deque<entry> entries_;
    std::uint64_t first_number_ = 0;  // of entries_.front()
    std::deque<slab> slabs_;          // by age; entries before the first one's are in the files only
    std::vector<epoch_start> epochs_;
    std::int64_t start_ = 0, end_ = 0;
    std::size_t size_ = 0;
};

}  // namespace kafkawire::broker
