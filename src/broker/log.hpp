// log: the record batches of one partition, in memory, in slabs that answers share: a fetch is served by views, without a copy.
// Owns: the slabs, the batch index, the leader epochs. Never: decides who may append, changes a byte that it has given out.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "broker/exchange.hpp"

namespace kafkawire::broker {

class log {
public:
    /// One batch in the log, as its header says. `bytes` lie in a slab, which `read()` hands out the ownership of.
    struct entry {
        std::int64_t base_offset = 0;
        std::int64_t last_offset = 0;
        std::int64_t max_timestamp = -1;
        std::int32_t leader_epoch = 0;
        protocol::bytes_view bytes;
        std::shared_ptr<const std::byte[]> slab;
    };
    /// Neighbouring batches, where they lie, and what keeps them there.
    struct slice {
        protocol::bytes_view data;
        std::shared_ptr<const std::byte[]> keep;
    };

    [[nodiscard]] std::int64_t start_offset() const noexcept { return start_; }
    [[nodiscard]] std::int64_t end_offset() const noexcept { return end_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return size_; }
    [[nodiscard]] const std::deque<entry>& entries() const noexcept { return entries_; }

    /// Appends a batch of format 2 that has been checked: copies it, writes base offset and leader epoch into the copy (neither is under the
    /// checksum). `count` is its last offset delta plus one. Returns the base offset.
    std::int64_t append(protocol::bytes_view batch, std::int32_t count, std::int64_t max_timestamp, std::int32_t leader_epoch);
    /// Whole batches from the one that holds `offset` on, those that begin before `limit`, and no more than `max_bytes` (but the first one
    /// whatever its size if `at_least_one`). Ends early where a slab ends, so that no bytes are moved together.
    [[nodiscard]] slice read(std::int64_t offset, std::int64_t limit, std::size_t max_bytes, bool at_least_one) const;
    /// Forgets what lies at and behind `offset`.
    void truncate_to(std::int64_t offset);
    /// Moves the start of the log up (DeleteRecords, retention); batches that lie wholly before it go.
    void raise_start(std::int64_t offset);

private:
    std::byte* room(std::size_t bytes);

    std::deque<entry> entries_;
    std::shared_ptr<std::byte[]> slab_;
    std::size_t slab_size_ = 0, slab_used_ = 0;
    std::int64_t start_ = 0, end_ = 0;
    std::size_t size_ = 0;
};

}  // namespace kafkawire::broker
