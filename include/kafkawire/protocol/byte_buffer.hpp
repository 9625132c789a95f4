// A growing run of bytes that are not filled before they are written: what batches are built, compressed and decompressed in.
#pragma once
#include <kafkawire/protocol/types.hpp>

#include <cstring>
#include <memory>
#include <utility>

namespace kafkawire::protocol {

/// Owns its bytes; move-only. Growing leaves new bytes as they are and may move the block, so views into it last until the next growth.
/// clear() keeps the block: used again and again it stops allocating. Not thread-safe. Only growing may throw (std::bad_alloc).
class byte_buffer {
public:
    byte_buffer() noexcept = default;
    byte_buffer(byte_buffer&& o) noexcept
        : block_{std::move(o.block_)}, size_{std::exchange(o.size_, 0)}, capacity_{std::exchange(o.capacity_, 0)} {}
    byte_buffer& operator=(byte_buffer&& o) noexcept {
        block_ = std::move(o.block_);
        size_ = std::exchange(o.size_, 0);
        capacity_ = std::exchange(o.capacity_, 0);
        return *this;
    }

    [[nodiscard]] std::byte* data() noexcept { return block_.get(); }
    [[nodiscard]] const std::byte* data() const noexcept { return block_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] bytes_view view() const noexcept { return {block_.get(), size_}; }

    void clear() noexcept { size_ = 0; }
    /// Room for `capacity` bytes in all, exactly if it has to grow.
    void reserve(std::size_t capacity) {
        if (capacity > capacity_) move_to(capacity);
    }
    /// Room for `more` bytes behind the last, growing by half at least; gives the place behind the last.
    std::byte* room(std::size_t more) {
        if (more > capacity_ - size_) move_to(std::max({size_ + more, capacity_ + capacity_ / 2, std::size_t{256}}));
        return block_.get() + size_;
    }
    /// Says how many bytes there are, at most capacity(). Bytes that were not written have any value.
    void set_size(std::size_t size) noexcept { size_ = std::min(size, capacity_); }
    void append(bytes_view more) {
        if (more.empty()) return;
        std::memcpy(room(more.size()), more.data(), more.size());
        size_ += more.size();
    }
    /// Gives the block back.
    void release() noexcept { *this = {}; }

private:
    void move_to(std::size_t capacity) {
        auto block = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (size_) std::memcpy(block.get(), block_.get(), size_);
        block_ = std::move(block);
        capacity_ = capacity;
    }

    std::unique_ptr<std::byte[]> block_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace kafkawire::protocol
