// A chunk: records of several topics one after the other as they were copied, on their way from a thread of the application to the loop.
// Filled under its shard's lock, read by the loop alone once it was taken.
#pragma once
#include <kafkawire/detail/front.hpp>

#include <cstring>
#include <limits>
#include <vector>

namespace kafkawire::client_detail {

class front_chunk {
public:
    front_chunk(std::size_t capacity, std::size_t home) : shard{home}, bytes_{std::make_unique_for_overwrite<std::byte[]>(capacity)}, capacity_{capacity} {}

    /// Bytes that a record takes at most.
    [[nodiscard]] static std::size_t size_of(const record& r) noexcept {
        std::size_t n = sizeof(entry) + r.topic.size() + r.key.size() + r.value.size() + 8;
        for (const auto& h : r.headers) n += sizeof(header_size) + h.key.size() + h.value.size();
        return n;
    }
    [[nodiscard]] bool has_room(std::size_t size) const noexcept { return capacity_ - used_ >= size; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] std::size_t used() const noexcept { return used_; }
    [[nodiscard]] std::size_t unread() const noexcept { return count_ - read_; }

    /// There must be room, and no part may be longer than 2 GiB.
    void append(const record& r, std::shared_ptr<front_operation>&& op) {
        entry e;
        e.has_operation = op != nullptr;
        if (op) operations_.push_back(std::move(op));  // first: where there is no memory for it, nothing has happened
        e.key = length(r.key);
        e.value = length(r.value);
        e.headers = static_cast<std::uint32_t>(r.headers.size());
        e.partition = r.partition;
        e.timestamp = r.timestamp ? r.timestamp->time_since_epoch().count() : no_timestamp;
        e.tag = r.tag;
        auto* const start = bytes_.get() + used_;
        auto* to = start + sizeof e;
        // Most records have the topic of the one before, and then its name lies there.
        if (r.topic != last_topic_) {
            last_topic_ = {reinterpret_cast<const char*>(to), r.topic.size()};
            to = put(to, r.topic.data(), r.topic.size());
        }
        e.payload = static_cast<std::uint32_t>(to - start);
        e.topic = last_topic_.data();
        e.topic_size = static_cast<std::uint32_t>(last_topic_.size());
        for (const auto& h : r.headers) {
            const header_size sizes{static_cast<std::uint32_t>(h.key.size()), length(h.value)};
            to = put(to, &sizes, sizeof sizes);
            to = put(to, h.key.data(), h.key.size());
            to = put(to, h.value.data(), h.value.size());
        }
        to = put(to, r.key.data(), r.key.size());
        to = put(to, r.value.data(), r.value.size());
        const auto size = (static_cast<std::size_t>(to - start) + 7) / 8 * 8;
        e.size = static_cast<std::uint32_t>(size);
        std::memcpy(start, &e, sizeof e);
        used_ += size;
        ++count_;
    }

    /// The next record: views into the chunk, the headers into `headers`. There must be one.
    [[nodiscard]] record read(std::vector<header_view>& headers, std::shared_ptr<front_operation>& op) {
        entry e;
        std::memcpy(&e, bytes_.get() + at_, sizeof e);
        const auto* from = bytes_.get() + at_ + e.payload;
        headers.clear();
        for (std::uint32_t i = 0; i < e.headers; ++i) {
            header_size sizes;
            std::memcpy(&sizes, from, sizeof sizes);
            from += sizeof sizes;
            header_view h;
            h.key = {reinterpret_cast<const char*>(from), sizes.key};
            from += sizes.key;
            h.value = take(from, sizes.value);
            headers.push_back(h);
        }
        record r;
        r.topic = {e.topic, e.topic_size};
        r.key = take(from, e.key);
        r.value = take(from, e.value);
        r.headers = headers;
        r.partition = e.partition;
        if (e.timestamp != no_timestamp) r.timestamp = timestamp{std::chrono::milliseconds{e.timestamp}};
        r.tag = e.tag;
        if (e.has_operation) op = operations_[next_operation_];
        size_of_current_ = e.size;
        return r;
    }
    /// Goes on to the record after the one that was read.
    void advance(bool had_operation) noexcept {
        at_ += size_of_current_;
        ++read_;
        if (had_operation) operations_[next_operation_++].reset();
    }
    /// To be filled again.
    void clear() noexcept {
        used_ = at_ = count_ = read_ = next_operation_ = 0;
        last_topic_ = {};
        operations_.clear();
    }

    const std::size_t shard;      ///< whose it is
    std::uint64_t number = 0;     ///< in the order in which the loop took them; the loop only
    std::size_t borrowed = 0;     ///< records of it that the producer still reads; the loop only
    std::unique_ptr<front_chunk> next;

private:
    struct entry {
        std::uint32_t size, payload;         // of all of it; where headers, key and value begin
        std::uint32_t key, value, headers;   // sizes, `null` for none; how many
        std::int32_t partition;
        std::int64_t timestamp;
        std::uint64_t tag;
        const char* topic;                   // in this chunk
        std::uint32_t topic_size;
        bool has_operation;
    };
    struct header_size {
        std::uint32_t key, value;
    };
    static constexpr std::uint32_t null = std::numeric_limits<std::uint32_t>::max();
    static constexpr auto no_timestamp = std::numeric_limits<std::int64_t>::min();

    static std::uint32_t length(const nullable_bytes& b) noexcept { return b.is_null() ? null : static_cast<std::uint32_t>(b.size()); }
    static std::byte* put(std::byte* to, const void* from, std::size_t size) noexcept {
        if (size > 0) std::memcpy(to, from, size);
        return to + size;
    }
    static nullable_bytes take(const std::byte*& from, std::uint32_t size) noexcept {
        if (size == null) return {};
        const protocol::bytes_view b{from, size};
        from += size;
        return b;
    }

    std::unique_ptr<std::byte[]> bytes_;
    std::size_t capacity_, used_ = 0, count_ = 0;
    std::string_view last_topic_;
    std::vector<std::shared_ptr<front_operation>> operations_;
    std::size_t at_ = 0, read_ = 0, size_of_current_ = 0, next_operation_ = 0;  // where the loop reads
};

}  // namespace kafkawire::client_detail
