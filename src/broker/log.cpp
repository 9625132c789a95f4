#include "broker/log.hpp"

#include <algorithm>
#include <cstring>

namespace kafkawire::broker {
namespace {

constexpr std::size_t slab_bytes = 1u << 20;

template <class Integer>
void store_big_endian(std::byte* at, Integer value) {
    for (std::size_t i = sizeof(Integer); i-- > 0; value = static_cast<Integer>(value >> 8)) at[i] = static_cast<std::byte>(value & 0xff);
}

}  // namespace

std::byte* log::room(std::size_t bytes) {
    if (!slab_ || slab_size_ - slab_used_ < bytes) {
        slab_size_ = std::max(slab_bytes, bytes);
        slab_ = std::make_shared_for_overwrite<std::byte[]>(slab_size_);
        slab_used_ = 0;
    }
    auto* at = slab_.get() + slab_used_;
    slab_used_ += bytes;
    return at;
}

std::int64_t log::append(protocol::bytes_view batch, std::int32_t count, std::int64_t max_timestamp, std::int32_t leader_epoch) {
    auto* at = room(batch.size());
    std::memcpy(at, batch.data(), batch.size());
    store_big_endian(at, static_cast<std::uint64_t>(end_));
    store_big_endian(at + 12, static_cast<std::uint32_t>(leader_epoch));
    entries_.push_back({end_, end_ + count - 1, max_timestamp, leader_epoch, {at, batch.size()}, slab_});
    size_ += batch.size();
    return std::exchange(end_, end_ + count);
}

log::slice log::read(std::int64_t offset, std::int64_t limit, std::size_t max_bytes, bool at_least_one) const {
    slice result;
    auto at = std::partition_point(entries_.begin(), entries_.end(), [&](const entry& e) { return e.last_offset < offset; });
    for (; at != entries_.end() && at->base_offset < limit; ++at) {
        const bool first = result.data.empty();
        if (result.data.size() + at->bytes.size() > max_bytes && !(at_least_one && first)) break;
        if (first) {
            result = {at->bytes, at->slab};
        } else {
            if (result.data.data() + result.data.size() != at->bytes.data()) break;
            result.data = {result.data.data(), result.data.size() + at->bytes.size()};
        }
    }
    return result;
}

void log::truncate_to(std::int64_t offset) {
    while (!entries_.empty() && entries_.back().last_offset >= offset) {
        size_ -= entries_.back().bytes.size();
        entries_.pop_back();
    }
    end_ = std::min(end_, entries_.empty() ? std::max(offset, start_) : entries_.back().last_offset + 1);
}

void log::raise_start(std::int64_t offset) {
    start_ = std::max(start_, offset);
    while (!entries_.empty() && entries_.front().last_offset < start_) {
        size_ -= entries_.front().bytes.size();
        entries_.pop_front();
    }
    end_ = std::max(end_, start_);
}

}  // namespace kafkawire::broker
