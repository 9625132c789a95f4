#include "client/record_chunk.hpp"

#include <algorithm>

namespace kafkawire::client_detail {

// --- the share ---

namespace {
constexpr std::size_t most_kept_buffers = 64;
constexpr std::size_t kept_buffer_part = 4;                 // of the limit: what buffers in reserve may take
}  // namespace

void fetch_share::give_back(std::size_t bytes) noexcept {
    used_.fetch_sub(bytes, std::memory_order_seq_cst);
    if (!awaited_.load(std::memory_order_seq_cst)) return;
    unique_function<void()> what;
    {
        const std::lock_guard lock{guard_};
        if (!awaited_.exchange(false)) return;
        what = std::move(freed_);
        freed_ = {};
    }
    try {
        what();
    } catch (...) {  // no memory to post with: the next one that gives back, or the next poll, looks again
    }
}

void fetch_share::call_when_freed(unique_function<void()> what) {
    const std::lock_guard lock{guard_};
    freed_ = std::move(what);
    awaited_.store(true, std::memory_order_seq_cst);
}

void fetch_share::nobody_waits() noexcept {
    unique_function<void()> what;
    const std::lock_guard lock{guard_};
    awaited_.store(false);
    what = std::move(freed_);
    freed_ = {};
}

protocol::byte_buffer fetch_share::take_buffer() {
    const std::lock_guard lock{guard_};
    if (buffers_.empty()) return {};
    auto b = std::move(buffers_.back());
    buffers_.pop_back();
    kept_ -= b.capacity();
    return b;
}

void fetch_share::keep_buffer(protocol::byte_buffer b) noexcept {
    try {
        const std::lock_guard lock{guard_};
        if (buffers_.size() >= most_kept_buffers || kept_ + b.capacity() > limit_ / kept_buffer_part) return;
        buffers_.reserve(most_kept_buffers);
        kept_ += b.capacity();
        buffers_.push_back(std::move(b));
    } catch (...) {  // then it is not kept
    }
}

// --- chunks ---

aborted_producers::aborted_producers(std::vector<aborted_range> list) : list_{std::move(list)} {
    const auto before = [](const aborted_range& a, const aborted_range& b) { return a.first_offset < b.first_offset; };
    if (!std::is_sorted(list_.begin(), list_.end(), before)) std::sort(list_.begin(), list_.end(), before);
}

namespace {

class open_chunk final : public record_chunk {
public:
    explicit open_chunk(std::shared_ptr<const fetched_frame> f) : frame{std::move(f)} {}
    ~open_chunk() override {
        for (auto& b : buffers) frame->share->keep_buffer(std::move(b));
        if (charged) frame->share->give_back(charged);
    }
    std::shared_ptr<const fetched_frame> frame;
    std::vector<protocol::byte_buffer> buffers;             // of compressed batches
    std::size_t charged = 0;                                // for them
};

// Of a control batch: that it ends its producer's transaction by aborting it.
bool is_abort(protocol::record_batch& b, protocol::decompressor& with, protocol::byte_buffer& scratch, const open_settings& how) {
    protocol::record_cursor cursor;
    if (open_batch(b, with, scratch, {how.check_crcs, how.limits}, cursor)) return false;
    const auto* const r = cursor.next();
    const auto c = r ? protocol::parse_control(*r) : std::nullopt;
    return c && c->type == protocol::control_type::abort;
}

class slice_opener {
public:
    slice_opener(fetched_slice& s, std::int64_t position, const open_settings& how, std::shared_ptr<open_chunk> to, protocol::decompressor& with)
        : slice_{s}, how_{how}, chunk_{std::move(to)}, with_{with}, aborted_{s.aborted}, position_{position} {
        out.next_offset = position;
    }

    void run(std::size_t most_bytes) {
        protocol::record_batches in{slice_.records, how_.check_crcs};
        bool any = false;
        while (const auto* b = in.next()) {
            any = true;
            if (!take(*b)) break;
            if (out.bytes < most_bytes) continue;
            slice_.records = slice_.records.subspan(b->offset + b->whole.size());
            return;
        }
        if (!out.error) out.error = in.error();
        if (!any && !out.error && in.cut_bytes() > 0) out.cut_batch = announced();
        slice_.records = {};
    }

    opened_slice out;

private:
    // How long the batch that is cut says that it is.
    std::size_t announced() const noexcept {
        if (slice_.records.size() < 12) return 12;
        std::uint32_t length = 0;
        for (std::size_t i = 8; i < 12; ++i) length = length << 8 | std::to_integer<std::uint32_t>(slice_.records[i]);
        return std::size_t{length} + 12;
    }

    bool refuse(errc code, std::string_view what, const protocol::record_batch& b) {
        out.error = {code, what, b.offset, 0, b.base_offset, b.last_offset};
        return false;
    }

    bool take(const protocol::record_batch& found) {
        auto b = found;
        const bool current = b.magic == 2;
        aborted_.up_to(b.last_offset);
        if (b.is_control()) {
            if (how_.read_committed && b.is_transactional() && is_abort(b, with_, scratch_, how_)) aborted_.ended(b.producer_id);
        }
        if (current && began_ && b.base_offset < out.next_offset) return refuse(errc::bad_record, "the batch's offsets lie before the end of the batch before it", b);
        if (b.last_offset < position_) return true;         // brokers begin where the batch or the segment begins
        if (b.is_control() || (how_.read_committed && b.is_transactional() && aborted_.has(b.producer_id))) return behind(b);
        return open(b);
    }

    bool behind(const protocol::record_batch& b) {
        began_ = true;
        out.next_offset = b.next_offset();
        out.leader_epoch = b.partition_leader_epoch;
        return true;
    }

    bool open(protocol::record_batch& b) {
        const bool compressed = b.codec() != protocol::compression::none;
        auto buffer = compressed ? chunk_->frame->share->take_buffer() : protocol::byte_buffer{};
        record_chunk::batch opened{};
        if (auto e = open_batch(b, with_, buffer, {how_.check_crcs, how_.limits}, opened.cursor)) {
            out.error = e;
            return false;
        }
        if (began_ && b.base_offset < out.next_offset) return refuse(errc::bad_record, "the batch's offsets lie before the end of the batch before it", b);
        if (compressed) {
            chunk_->charged += buffer.capacity();
            chunk_->frame->share->charge(buffer.capacity());
            chunk_->buffers.push_back(std::move(buffer));
        }
        out.bytes += compressed ? chunk_->buffers.back().size() : b.content.size();
        opened.base_offset = b.base_offset;
        opened.next_offset = b.next_offset();
        opened.count = b.magic == 2 ? b.count : count_of(opened.cursor);
        opened.leader_epoch = b.partition_leader_epoch;
        if (chunk_->batches.empty()) {
            out.range.start = opened.cursor;
            out.range.first_offset = std::max(position_, b.base_offset);
            if (b.base_offset < position_) skip_to_position(opened);
        }
        if (opened.count > 0) {
            out.range.count += opened.count;
            chunk_->batches.push_back(opened);
        }
        return behind(b);
    }

    // A batch may begin before the position.
    void skip_to_position(record_chunk::batch& b) {
        for (;;) {
            auto ahead = out.range.start;
            const auto* const r = ahead.next();
            if (!r || r->offset >= position_) return;       // an error is found again by whoever walks
            out.range.start = ahead;
            if (--b.count <= 0) return;
        }
    }

    // Of a compressed message of an old format only its content says how many there are.
    static std::int32_t count_of(protocol::record_cursor cursor) {
        std::int32_t n = 0;
        while (cursor.next()) ++n;
        return cursor.error() ? n + 1 : n;                  // whoever walks finds the error
    }

    fetched_slice& slice_;
    const open_settings& how_;
    std::shared_ptr<open_chunk> chunk_;
    protocol::decompressor& with_;
    aborted_producers& aborted_;
    protocol::byte_buffer scratch_;
    std::int64_t position_;
    bool began_ = false;
};

}  // namespace

opened_slice open_slice(fetched_slice& slice, std::int64_t position, const open_settings& how, std::size_t most_bytes, const std::shared_ptr<const std::string>& topic,
                        std::int32_t partition, std::uint64_t assignment_epoch, const std::shared_ptr<walk_state>& walked, protocol::decompressor& with) {
    auto chunk = std::make_shared<open_chunk>(slice.frame);
    chunk->topic = topic;
    chunk->partition = partition;
    chunk->assignment_epoch = assignment_epoch;
    chunk->walked = walked;
    slice_opener o{slice, position, how, chunk, with};
    o.run(most_bytes);
    auto out = std::move(o.out);
    if (!chunk->batches.empty()) {
        out.range.next_offset = out.next_offset;
        out.range.chunk = chunk;
        out.chunk = std::move(chunk);
    }
    return out;
}

chunk_range cut_front(chunk_range& range, std::int64_t count) {
    auto front = range;
    if (count >= range.count) {
        range = {};
        return front;
    }
    front.count = count;
    std::int64_t last = range.first_offset - 1;
    auto left = count;
    while (left > 0) {
        if (const auto* const r = range.start.next()) {
            last = r->offset;
            --left;
        } else if (range.start.error() || ++range.batch >= range.chunk->batches.size()) {
            break;                                          // malformed: whoever walks finds it
        } else {
            range.start = range.chunk->batches[range.batch].cursor;
        }
    }
    range.count -= count;
    range.first_offset = front.next_offset = last + 1;
    return front;
}

bool forward_to(chunk_range& range, std::int64_t offset) {
    while (range.count > 0 && range.first_offset < offset) {
        auto ahead = range.start;
        if (const auto* const r = ahead.next()) {
            if (r->offset >= offset) break;
            range.start = ahead;
            --range.count;
        } else if (ahead.error() || range.batch + 1 >= range.chunk->batches.size()) {
            return false;
        } else {
            range.start = range.chunk->batches[++range.batch].cursor;
        }
    }
    if (range.count <= 0) return false;
    range.first_offset = std::max(range.first_offset, offset);
    return true;
}

}  // namespace kafkawire::client_detail
