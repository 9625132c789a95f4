// Fetched bytes on their way to the application: what an answer brought of one partition, and how it becomes a chunk of open batches.
// fetch_share: the consumer's share of bytes. Plain values and functions but for that, which is told from any thread that bytes are free again.
#pragma once
#include <kafkawire/detail/function.hpp>
#include <kafkawire/records.hpp>

#include <mutex>
#include <set>

namespace kafkawire::client_detail {

/// Counts the bytes that fetching may hold: charged before a Fetch is sent, given back when the application has let go of its records.
/// Thread-safe. Keeps some buffers for decompressing, so that in the long run none is allocated.
class fetch_share {
public:
    explicit fetch_share(std::size_t limit) noexcept : limit_{limit} {}

    [[nodiscard]] std::size_t limit() const noexcept { return limit_; }
    [[nodiscard]] std::size_t used() const noexcept { return used_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t room() const noexcept {
        const auto u = used();
        return u < limit_ ? limit_ - u : 0;
    }
    void charge(std::size_t bytes) noexcept { used_.fetch_add(bytes, std::memory_order_relaxed); }
    /// Any thread. Calls what call_when_freed() was given, if somebody waits.
    void give_back(std::size_t bytes) noexcept;

    /// From now until `what` was called once, or until it is replaced: somebody waits for room.
    void call_when_freed(unique_function<void()> what);
    void nobody_waits() noexcept;

    [[nodiscard]] protocol::byte_buffer take_buffer();
    void keep_buffer(protocol::byte_buffer b) noexcept;

private:
    const std::size_t limit_;
    std::atomic<std::size_t> used_{0};
    std::atomic<bool> awaited_{false};
    std::mutex guard_;
    unique_function<void()> freed_;
    std::vector<protocol::byte_buffer> buffers_;
    std::size_t kept_ = 0;                                  // capacity of buffers_
};

/// One answer's bytes. Its share has them until the last slice and the last chunk of them are gone.
struct fetched_frame {
    fetched_frame(std::shared_ptr<fetch_share> s, std::shared_ptr<const std::byte[]> b, std::size_t charged) noexcept : share{std::move(s)}, bytes{std::move(b)}, size{charged} {}
    fetched_frame(const fetched_frame&) = delete;
    ~fetched_frame() {
        bytes.reset();
        share->give_back(size);
    }
    std::shared_ptr<fetch_share> share;
    std::shared_ptr<const std::byte[]> bytes;
    std::size_t size;                                       // charged
};

struct aborted_range {
    std::int64_t producer_id, first_offset;
};

/// Whose records are left out: a producer is aborted from its transaction's first record to its abort marker. Told of a slice's batches in order.
class aborted_producers {
public:
    aborted_producers() = default;
    /// The list of an answer, in any order.
    explicit aborted_producers(std::vector<aborted_range> list);
    void up_to(std::int64_t offset) {
        for (; at_ < list_.size() && list_[at_].first_offset <= offset; ++at_) active_.insert(list_[at_].producer_id);
    }
    [[nodiscard]] bool has(std::int64_t producer) const { return !active_.empty() && active_.contains(producer); }
    void ended(std::int64_t producer) { active_.erase(producer); }

private:
    std::vector<aborted_range> list_;
    std::size_t at_ = 0;
    std::set<std::int64_t> active_;
};

/// What an answer brought of one partition: bytes that nobody has looked at yet.
struct fetched_slice {
    std::shared_ptr<const fetched_frame> frame;
    protocol::bytes_view records;
    aborted_producers aborted;
    std::int64_t asked_offset = -1;                         // the Fetch was from there
};

/// How slices are opened.
struct open_settings {
    bool check_crcs = true;
    bool read_committed = true;
    protocol::decompression_limits limits{};
};

/// What was in a slice.
struct opened_slice {
    std::shared_ptr<const record_chunk> chunk;              // null: nothing to show
    chunk_range range;                                      // of all that is to be shown, if there is a chunk
    std::int64_t next_offset = -1;                          // where reading goes on
    std::int32_t leader_epoch = -1;                         // of the last batch; -1: none, or unknown
    protocol::records_error error;                          // what is at next_offset is bad
    std::size_t bytes = 0;                                  // of content that was opened
    std::size_t cut_batch = 0;                              // no whole batch was there: bytes that the first one takes, as far as it says
};

/// Opens batches from `position` on: checks, decompresses, leaves out control batches and (read_committed) those of aborted transactions. Ends
/// behind the batch that makes it `most_bytes` of content; `slice` keeps what comes after that, and has no records where nothing does.
[[nodiscard]] opened_slice open_slice(fetched_slice& slice, std::int64_t position, const open_settings& how, std::size_t most_bytes, const std::shared_ptr<const std::string>& topic,
                                      std::int32_t partition, std::uint64_t assignment_epoch, const std::shared_ptr<walk_state>& walked, protocol::decompressor& with);

/// Cuts the first `count` records off `range` and gives them. `range` keeps the rest.
[[nodiscard]] chunk_range cut_front(chunk_range& range, std::int64_t count);
/// Steps forward to `offset`, which must not lie before the range's first. False: nothing is left.
bool forward_to(chunk_range& range, std::int64_t offset);

}  // namespace kafkawire::client_detail
